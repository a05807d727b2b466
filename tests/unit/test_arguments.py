"""What people and scripts type that cannot be meant: one sentence and exit code 2, before anything is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from idiolect.daemon.commandline import command_table
from idiolect.daemon.commandline.arguments import parse_budget, parse_path
from idiolect.daemon.runtime import process

LONG = "a" * 300
#: Commands that take a path, with what else they need; none of them has to reach a service to refuse one.
PATHS = {
    "add": (["add", "{}"], ["add", "notes", "{}"]),
    "watch": (["watch", "{}"], ["watch", "--remove", "{}"]),
    "eval": (["eval", "{}"], ["eval", "--html", "{}"], ["eval", "--context", "{}"]),
    "export": (["export", "peft", "{}"],),
    "browser": (["browser", "build", "--into", "{}"],),
    "backup": (["backup", "{}", "--profile-key"], ["backup", "../x", "--passphrase-file", "{}"]),
    "restore": (["restore", "{}", "--profile-key"], ["restore", "x", "--passphrase-file", "{}"]),
    "lock": (["lock", "--passphrase-file", "{}"],),
    "sync": (["sync", "{}"],),
    "service": (["service", "show", "--writable", "{}"],),
    "sources": (["sources", "find", "{}"], ["sources", "remove", "{}", "--yes"]),
    "vscode": (["vscode", "{}"],),
    "welcome": (["welcome", "{}"],),
}
FORMS = [form for forms in PATHS.values() for form in forms]


def program(home, *arguments, typed=b""):
    command = [str(Path(sys.executable).with_name("idiolect")), *arguments]
    environment = {**os.environ, "IDIOLECT_HOME": str(home), "COLUMNS": "120"}
    done = subprocess.run(command, env=environment, input=typed, capture_output=True, check=False, cwd=home)
    said = done.stderr.decode()
    assert "Traceback" not in said
    return done.returncode, " ".join(said.replace("\u2502", " ").split())


@pytest.fixture
def run(run, tmp_path, monkeypatch):
    """`run(*arguments)`: the command line in an empty profile; its exit code and what it says on stderr."""
    monkeypatch.chdir(tmp_path)

    def asked(*arguments):
        code, _, said = run(tmp_path, *arguments, columns=200)
        return code, " ".join(said.replace("\u2502", " ").split())

    return asked


@pytest.mark.parametrize("form", FORMS, ids=" ".join)
@pytest.mark.parametrize(("given", "says"), [(" ", "empty"), (LONG, "longer")])
def test_a_path_that_cannot_be_meant_is_refused(tmp_path, run, form, given, says):
    code, said = run(*(word.format(given) for word in form))
    assert code == 2
    assert says in said or "no passphrase can be read" in said
    assert list(tmp_path.iterdir()) == []


def test_every_argument_that_is_a_path_is_looked_at():
    for name, command in command_table.every_command():
        for param in command.params:
            if "Path" in str(param.type_descriptor.annotation):
                assert param.type_descriptor.parameter_info.parser is parse_path, (name, param.name)
                assert name.partition(" ")[0] in PATHS


@pytest.mark.parametrize(
    "given", ["inf", "-inf", "nan", "1e309", "-1", "0", "", "many", "1_0e400", "9" * 5000]
)
@pytest.mark.parametrize("command", ["train", "welcome", "eval"])
def test_a_time_that_is_none_is_refused(run, command, given):
    extra = ["x"] if command == "eval" else []
    code, said = run(command, *extra, "--budget", given)
    assert code == 2
    assert "give seconds, from 1 to 315360000" in said


def test_a_time_is_given_in_seconds():
    assert [parse_budget(given) for given in ("1", "240.5", "3e2", 7.0)] == [1.0, 240.5, 300.0, 7.0]


@pytest.mark.parametrize(
    "arguments", [["suggest"], ["learned"], ["forget", "--text"], ["add"], ["watch"], ["open"]]
)
def test_bytes_that_are_no_text_are_refused(run, arguments):
    code, said = run(*arguments, os.fsdecode(b"caf\xff"))
    assert code == 2
    assert said == "idiolect: An argument holds bytes that are not text in UTF-8. Give it in UTF-8."


def test_bytes_on_stdin_that_are_no_text_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    for arguments in (["forget", "--text", "-"], ["backup", "../x", "--passphrase-file", "-"]):
        code, said = program(tmp_path, *arguments, typed=b"caf\xff and more\n")
        assert code == 2
        assert "not text in UTF-8" in said or "no passphrase can be read" in said


@pytest.mark.parametrize(
    ("answered", "says"),
    [
        (b"caf\xff and more\n", "is not text in UTF-8"),
        (b"GIF89a\0\0", "is not text in UTF-8"),
        (b"a" * 100_001, "is longer than 100,000 characters; give the part that you answer"),
        ("\U0001f600".encode() * 200_000, "is longer than 100,000 characters"),
    ],
)
def test_what_is_answered_is_a_text_of_some_length(tmp_path, answered, says):
    (tmp_path / "mail").write_bytes(answered)
    for given, typed in (("mail", b""), ("-", answered)):
        code, said = program(tmp_path, "suggest", "Hi ", "--answering", given, typed=typed)
        assert (code, says in said) == (2, True), said


def test_a_file_with_what_is_answered_that_cannot_be_read_is_named(tmp_path, run):
    os.mkfifo(tmp_path / "pipe")
    for name, says in (
        ("none", "none cannot be read: No such file or directory"),
        ("~nobody-by-this-name/x", "cannot be read: No such file or directory"),
        (".", ". cannot be read"),
        ("pipe", "pipe cannot be read: it is not a regular file"),
        ("", "the path is empty"),
    ):
        code, said = run("suggest", "Hi ", "--answering", name)
        assert (code, says in said) == (2, True), said
    code, said = run("suggest", "-", "--answering", "-")
    assert (code, "only one of the text and what you answer can stand on stdin" in said) == (2, True)


def test_the_language_server_starts_as_every_editor_starts_one(startable, tmp_path):
    settings = startable(tmp_path / "home")
    asked = [
        {"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}},
        {"method": "initialized", "params": {}},
        {"id": 2, "method": "shutdown"},
        {"method": "exit"},
    ]
    typed = b""
    for message in asked:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        typed += b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    command = [str(Path(sys.executable).with_name("idiolect")), "lsp", "--stdio"]
    environment = {**os.environ, "IDIOLECT_HOME": str(settings.home)}
    try:
        done = subprocess.run(command, env=environment, input=typed, capture_output=True, check=False)
    finally:
        process.stop(settings)
    assert done.returncode == 0, done.stderr
    assert b'"completionProvider"' in done.stdout


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("statsu", "Did you mean 'status'"),
        ("apps undoo", "Did you mean 'undo'"),
        ("switch corrections appply", "Did you mean 'apply'?"),
        ("export pft x", "Did you mean 'peft'?"),
        ("sources find --only mial", "Did you mean 'mail'?"),
        ("setup keybord", "Did you mean 'keyboard'?"),
        ("report --days many", "give a whole number"),
        ("report --days 0", "give a number from 1 on"),
        ("pause --for 0s", "longer than 0 seconds"),
    ],
)
def test_a_word_that_is_nearly_right_is_answered_with_the_right_one_in_plain_words(run, line, says):
    code, said = run(*line.split())
    assert code == 2
    assert says in said
    assert "Value error" not in said
    assert "Input should" not in said


def test_the_first_subcommand_is_meant_where_none_is_named(run):
    for line in ("apps", "apps --all", "words --json", "sources --only mail --yes", "switch"):
        code, said = run(*line.split())
        assert code in (0, 60), said
    assert "Usage" not in run("apps", "--help")[1]
    assert run("apps", "--al")[0] == 2
