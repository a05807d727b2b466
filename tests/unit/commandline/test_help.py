"""What the command line says of itself, to people, shells and scripts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from idiolect.daemon.commandline import command_table
from idiolect.daemon.commandline.interrupts import is_interrupt


def commands():
    import typer.main

    return typer.main.get_command(command_table.app).commands


def test_each_command_is_a_file_of_its_name():
    files = {path.stem for path in Path(command_table.__file__).with_name("commands").glob("*.py")} - {
        "__init__"
    }
    assert {name.replace("-", "_") for name in commands()} == files


def test_every_command_teaches_with_an_example(run, tmp_path):
    code, out, _ = run(tmp_path, "--help")
    assert code == 0
    for name, command in commands().items():
        assert re.search(rf"│ {name} +\S", out), f"{name} is not listed"
        assert command.epilog.startswith(f"Example: idiolect {name}"), name
        assert command.help, name
    for name, command in command_table.every_command():
        assert command.help, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"


@pytest.mark.parametrize(
    ("imported", "heavy"),
    [
        (
            ["commandline.command_table"],
            {"httpx", "pydantic", "psutil", "asyncio"},
        ),  # so that help comes at once
        (
            [
                "commandline.command_table",
                "commandline.client",
                "commandline.terminal",
                "commandline.doctor_checks",
                "commandline.progress",
                "commandline.service_process",
                "runtime.process",
            ],
            {"torch", "onnxruntime", "starlette", "uvicorn", "numpy", "sqlcipher3"},
        ),
    ],
)
def test_the_command_line_imports_nothing_heavy(imported, heavy):
    modules = ", ".join(f"idiolect.daemon.{name}" for name in imported)
    code = f"import sys, {modules}; print(*({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
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
        ("resume", {"paused"}),
        ("use base", {"adapter"}),
        ("export peft {folder}/out", {"path"}),
        ("train", {"started"}),
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
    ("shell", "words"),
    [
        ("bash", {"COMP_WORDS": "idiolect sta", "COMP_CWORD": "1"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "idiolect sta"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "idiolect sta", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_shells_complete_commands(program, tmp_path, monkeypatch, shell, words):
    monkeypatch.setenv("_IDIOLECT_COMPLETE", f"complete_{shell}")
    for name, value in words.items():
        monkeypatch.setenv(name, value)
    done = program(tmp_path)
    assert done.returncode == 0
    assert {"start", "status"} <= set(re.findall(r"[a-z]+", done.stdout))
    assert "train" not in done.stdout


def test_the_manual_page_tells_of_every_command_and_is_well_formed(run, tmp_path, needs_program):
    code, out, _ = run(tmp_path, "man")
    assert code == 0
    for name, _ in command_table.every_command():
        assert f"\n.B {name}".replace("-", "\\-") in out
    command = [needs_program("mandoc", "mandoc"), "-T", "lint", "-W", "warning"]
    done = subprocess.run(command, input=out, capture_output=True, text=True, check=False)
    wrong = [
        line for line in done.stdout.splitlines() if "missing date" not in line
    ]  # it would differ each day
    assert (wrong, done.stderr) == ([], "")


def test_help_shows_flags_bare_and_all_that_it_says(run, tmp_path):
    out = run(tmp_path, "eval", "--help", columns=200)[1]
    assert "<bool>" not in out + run(tmp_path, "--help", columns=200)[1]
