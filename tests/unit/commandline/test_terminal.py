"""What the terminal shows, and where its lines are broken."""

import pytest

from idiolect.daemon.clients.commandline.terminal import Terminal

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


def test_a_table_that_is_too_wide_becomes_a_list_and_no_word_is_broken(capsys, monkeypatch):
    columns, rows = (
        ("receipt", "by", "then served"),
        [("12", "source, application", "base"), ("13", "", "12")],
    )
    monkeypatch.setenv("COLUMNS", "40")
    Terminal().show_table(columns, rows, right=("receipt",))
    wide = capsys.readouterr().out
    assert "application" in wide
    assert "─" in wide
    monkeypatch.setenv("COLUMNS", "24")
    Terminal().show_table(columns, rows, right=("receipt",))
    narrow = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert "receipt      12" in narrow
    assert not any("─" in line for line in narrow)
    assert {"application", "source,"} <= set(" ".join(narrow).split())
    assert sum("by" in line.split() for line in narrow) == 1, "what is empty is left out"
