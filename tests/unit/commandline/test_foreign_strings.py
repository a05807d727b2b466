"""What a stranger named, be it a file or a git author, moves no cursor and changes no colours of the terminal."""

import json
import re

import pytest

from idiolect.daemon.clients.commandline.terminal import Terminal

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31mname\x08\x7f\r\u202eexe"
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def obeyed(printed: str) -> list[str]:
    return OBEYED.findall(printed)


def test_the_terminal_prints_no_control_character(capsys):
    terminal = Terminal()
    terminal.say(EVIL, (EVIL, "bold"))
    terminal.show_whole(EVIL)
    terminal.note(EVIL)
    terminal.print_result(EVIL, {})
    terminal.show_facts([("name", EVIL)])
    terminal.show_table(("a", "b"), [(EVIL, EVIL)])
    with terminal.waiting(EVIL):
        pass
    out, err = capsys.readouterr()
    assert (obeyed(out), obeyed(err)) == ([], [])
    assert out.count("name") >= 8


def test_json_says_it_and_is_not_obeyed(capsys):
    Terminal().print_json({"path": EVIL, "words": "Grüße 日本 👩\u200d👧"})
    out, _ = capsys.readouterr()
    assert obeyed(out) == []
    assert json.loads(out) == {"path": EVIL, "words": "Grüße 日本 👩\u200d👧"}
    assert "日本" in out


def test_lines_and_joined_emoji_stay(capsys):
    Terminal().say("one\ntwo 👩\u200d👧")
    assert capsys.readouterr().out == "one\ntwo 👩\u200d👧\n"


@pytest.mark.parametrize(
    "command", [("status", EVIL), (f"-{EVIL}",), (EVIL,), ("add", f"/tmp/{EVIL}"), ("use", EVIL)]
)
def test_an_argument_that_is_a_files_name_is_not_obeyed(run, service, command):
    code, out, err = run(service, *command)
    assert code
    assert obeyed(out + err) == []


def test_a_folder_with_such_a_name_is_read_and_reported(run, service, tmp_path):
    folder = tmp_path / EVIL
    folder.mkdir()
    (folder / "a.bin").write_bytes(b"\0")
    for command in (("add", folder), ("watch", folder), ("audit",), ("status",)):
        _, out, err = run(service, *command)
        assert obeyed(out + err) == [], command
