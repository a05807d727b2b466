"""What people and scripts type that cannot be meant: one sentence and exit code 2, before anything is done."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from program import every_command

from idiolect.daemon.clients.commandline.arguments import parse_path
from idiolect.models.errors import ExitCode


@pytest.fixture
def run(run, tmp_path, monkeypatch):
    """`run(*arguments)`: the command line in an empty profile; its exit code and what it says on stderr."""
    monkeypatch.chdir(tmp_path)

    def asked(*arguments, **more):
        code, _, said = run(tmp_path, *arguments, columns=200, **more)
        return code, " ".join(said.replace("\u2502", " ").split())

    return asked


def test_every_path_is_looked_at(tmp_path, run):
    for name, command in every_command():
        for param in command.params:
            if "Path" in str(param.type_descriptor.annotation):
                assert param.type_descriptor.parameter_info.parser is parse_path, (name, param.name)
    for given, says in ((" ", "empty"), ("a" * 300, "longer")):
        code, said = run("add", "notes", given)
        assert (code, says in said) == (2, True), said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "given", ["inf", "-inf", "nan", "1e309", "-1", "0", "", "many", "1_0e400", "9" * 5000]
)
def test_a_budget_is_a_number_of_seconds(run, given):
    code, said = run("train", "--budget", given)
    assert (code, "give a number" in said) == (2, True), said
    assert run("train", "--budget", "2.4e2")[0] == 8


def test_bytes_that_are_no_text_are_refused(run, tmp_path):
    code, said = run("add", os.fsdecode(b"caf\xff"))
    assert (code, said) == (
        2,
        "idiolect: An argument holds bytes that are not text in UTF-8. Give it in UTF-8.",
    )
    command = [str(Path(sys.executable).with_name("idiolect")), "forget", "--text", "-"]
    environment = {**os.environ, "IDIOLECT_HOME": str(tmp_path), "LC_ALL": "C"}
    done = subprocess.run(command, env=environment, input=b"caf\xff\n", capture_output=True, check=False)
    assert (done.returncode, b"not text in UTF-8" in done.stderr) == (2, True)


@pytest.mark.parametrize(("where", "typed"), [("nowhere", b""), ("a" * 300, b""), ("-", b"caf\xff\n")])
def test_a_passphrase_that_cannot_be_read_is_refused(run, where, typed):
    code, said = run("lock", "--passphrase-file", where, typed=typed)
    assert (code, "no passphrase can be read" in said) == (2, True), said


@pytest.mark.parametrize(
    ("answered", "says"),
    [
        (b"caf\xff and more\n", "is not text in UTF-8"),
        (b"GIF89a\0\0", "is not text in UTF-8"),
        (b"a" * 100_001, "is longer than 100,000 characters; give the part that you answer"),
        ("\U0001f600".encode() * 200_000, "is longer than 100,000 characters"),
    ],
)
def test_what_is_answered_is_a_text_of_some_length(tmp_path, run, answered, says):
    (tmp_path / "mail").write_bytes(answered)
    for given in ("mail", "-"):
        code, said = run("suggest", "Hi ", "--answering", given, typed=answered)
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


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("statsu", "Did you mean 'status'"),
        ("words undoo", "Did you mean 'undo'"),
        ("switch corrections appply", "Did you mean 'apply'?"),
        ("setup keybord", "Did you mean 'keyboard'?"),
        ("audit --show x --limit many", "give a whole number"),
        ("audit --show x --limit 0", "give a number from 1 on"),
        ("pause --for 0s", "longer than 0 seconds"),
        ("pause --for 99999999d", "3,650d at the most"),
        *((f"quiet {wrong}", "minutes from 1 to 1,440") for wrong in ("0", "1441", "9" * 30, "soon")),
        ("use 0", "give the number of an adapter"),
        ("add --find /no/such", "there is no folder /no/such"),
        *((f"restore {wrong}", f"there is no backup {wrong}") for wrong in ("/no/such", "/")),
    ],
)
def test_a_word_that_is_nearly_right_is_answered_with_the_right_one_in_plain_words(run, line, says):
    code, said = run(*line.split())
    assert (code, says in said) == (2, True), said
    assert "Value error" not in said
    assert "Input should" not in said


def test_the_first_subcommand_is_meant_where_none_is_named(run):
    for line in ("apps", "apps --all", "words --json", "sync --json", "switch"):
        code, said = run(*line.split())
        assert code in (0, ExitCode.NOT_RUNNING), said
    assert "Usage" not in run("apps", "--help")[1]
    assert run("apps", "--al")[0] == 2
