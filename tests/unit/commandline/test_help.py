"""What the command line says of itself, to people, shells and scripts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from idiolect.daemon.clients.commandline import command_table
from idiolect.daemon.clients.commandline.interrupts import is_interrupt

#: What commands share, or import only where they need it.
NO_COMMANDS = {"__init__", "first_run", "found_sources"}
NAMES = {name for group in command_table.COMMANDS.values() for name in group}


def test_each_command_is_a_file_of_its_name():
    files = Path(command_table.__file__).with_name("commands").glob("*.py")
    assert {name.replace("-", "_") for name in NAMES} == {path.stem for path in files} - NO_COMMANDS


@pytest.mark.parametrize(
    ("imported", "heavy"),
    [
        (
            ["clients.commandline.command_table"],
            {"httpx", "pydantic", "psutil", "asyncio"},
        ),  # so that help comes at once
        (
            [
                "clients.commandline.command_table",
                "clients.link",
                "clients.commandline.terminal",
                "clients.commandline.doctor_checks",
                "clients.commandline.progress",
                "runtime.process",
            ],
            {"torch", "onnxruntime", "starlette", "uvicorn", "numpy", "sqlcipher3"},
        ),
    ],
)
def test_the_command_line_imports_nothing_heavy(imported, heavy):
    modules = ", ".join(f"idiolect.daemon.{name}" for name in imported)
    code = f"import sys, {modules}; print(*({heavy} & set(sys.modules)))"
    # With -P it is a new interpreter, and none that the tests fork with the program imported.
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_an_interrupt_is_known_under_the_errors_that_it_causes():
    def closes_badly():
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError("the stream was still open")

    with pytest.raises(RuntimeError) as caught:
        closes_badly()
    assert is_interrupt(caught.value)
    assert not is_interrupt(RuntimeError("alone"))


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        ("start", {"pid", "url", "port", "socket", "started_at", "fresh"}),
        ("watch {folder} --remove", {"removed"}),
        ("watch {folder}", {"files", "entries", "words", "skipped"}),
        ("pause --for 5m", {"paused", "for_s"}),
        ("pause --end", {"paused"}),
        ("export peft {folder}/out", {"path"}),
        ("use base", {"adapter"}),
    ],
)
def test_what_a_script_asks_for_is_one_json_object(run, service, tmp_path, command, keys):
    code, out, _ = run(service, *command.format(folder=tmp_path).split(), "--json")
    assert code == 0
    assert keys <= json.loads(out).keys()


def test_a_script_learns_whether_a_service_was_stopped(run, tmp_path):
    code, out, _ = run(tmp_path / "home", "stop", "--json")
    assert (code, json.loads(out)) == (0, {"pid": None})


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("sta", {"start", "status"}),
        ("words un", {"undo"}),
        ("sync le", {"leave"}),
        ("export --ad", {"--adapter"}),
    ],
)
def test_shells_complete_commands_and_options(program, tmp_path, monkeypatch, typed, offered):
    monkeypatch.setenv("_IDIOLECT_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"idiolect {typed}")
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split())))
    done = program(tmp_path)
    assert (done.returncode, set(done.stdout.split())) == (0, offered)


def test_help_shows_flags_bare_and_all_that_it_says(run, tmp_path):
    out = run(tmp_path, "eval", "--help", columns=200)[1]
    assert "<bool>" not in out + run(tmp_path, "--help", columns=200)[1]
