"""Ctrl-C at any moment, and a reader that goes away: no traceback, and the exit code that a shell expects."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = [sys.executable, "-c", "from idiolect.daemon.clients.commandline.entry import main; main()"]
#: Ctrl-C while this module is imported.
AT_IMPORT = """
import os, signal, sys
from idiolect.daemon.clients.commandline import entry
class Finder:
    def find_spec(self, name, *_):
        if name == "{module}":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
entry.main()
"""


def test_the_program_begins_there():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts["idiolect"] == "idiolect.daemon.clients.commandline.entry:main"


@pytest.mark.parametrize("module", ["typer", "idiolect.daemon.settings"])
def test_an_interruption_while_it_loads_is_quiet(tmp_path, module):
    command = [sys.executable, "-c", AT_IMPORT.format(module=module), "status"]
    environment = {**os.environ, "IDIOLECT_HOME": str(tmp_path)}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "")


@pytest.mark.parametrize(
    ("command", "both", "code"),
    [("status", False, 1), ("--help", True, 1), ("nothing", False, 2), ("nothing", True, 1)],
)
def test_a_closed_pipe_is_quiet(tmp_path, command, both, code):
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run(
        [*PROGRAM, command],
        env={**os.environ, "IDIOLECT_HOME": str(tmp_path)},
        stdout=write,
        stderr=write if both else subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert ran.returncode == code
    assert both or code == 2 or ran.stderr == b""
