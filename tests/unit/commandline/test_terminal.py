"""What the terminal shows, and where its lines are broken."""

from __future__ import annotations

import pytest

from idiolect.daemon.commandline.terminal import Terminal

PATH = "/home/you/" + "a-long-folder/" * 6


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    return Terminal()


def test_sentences_are_wrapped_at_the_width(terminal, capsys):
    terminal.say("One two three four five six seven eight nine ten eleven twelve.")
    assert capsys.readouterr().out == "One two three four five six seven eight\nnine ten eleven twelve.\n"
    terminal.note("One two three four five six seven eight nine ten.")
    assert capsys.readouterr().err == "One two three four five six seven eight\nnine ten.\n"


def test_nothing_stands_below_a_name_or_a_mark(terminal, capsys):
    terminal.show_facts([("next", "a round is due after some more of the text"), ("kept in", "/home")])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "next     a round is due after some more",
        "         of the text",
        "kept in  /home",
    ]


def test_wide_characters_count_twice(terminal, capsys):
    terminal.say("漢字漢字漢字漢字漢字 漢字漢字漢字漢字漢字 漢字")
    assert capsys.readouterr().out.splitlines() == ["漢字漢字漢字漢字漢字", "漢字漢字漢字漢字漢字 漢字"]


def test_what_is_copied_is_never_broken(terminal, capsys):
    terminal.say("Wait for the next round, or run `idiolect train --wait` to have it now.")
    assert "`idiolect train --wait`" in capsys.readouterr().out
    terminal.say(f"All is kept in {PATH} now.")
    assert PATH in capsys.readouterr().out
    terminal.show_whole("a path with spaces that is longer than the terminal is wide")
    assert capsys.readouterr().out.count("\n") == 1
