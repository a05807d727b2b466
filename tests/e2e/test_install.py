"""The wheel, installed with pipx into an environment of its own, and used where no checkout is."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
LONGEST_S = 900  # some hundred megabytes come from the package index, or a gigabyte


def run(*command, cwd, **environment):
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(LONGEST_S)
def test_what_pipx_installs_from_the_wheel_starts_learns_and_suggests(tmp_path, base):
    unwanted = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist")
    shutil.copytree(
        ROOT, tmp_path / "source", ignore=unwanted, symlinks=True
    )  # building leaves folders behind
    build = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), "./source")
    run(*build, cwd=tmp_path)
    [wheel] = tmp_path.glob("idiolect-*.whl")
    shutil.rmtree(tmp_path / "source")
    # Python compiles what it imports; of all that is installed, torch above all, most is never imported here.
    tools = {
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PIP_COMPILE": "0",
    }
    run(
        sys.executable, "-m", "pipx", "install", "--python", sys.executable, str(wheel), cwd=tmp_path, **tools
    )

    home, text = tmp_path / "profile", tmp_path / "letter.txt"
    home.mkdir()
    (home / "config.toml").write_text("keyring = false\nauto_train = false\n")
    (home / "base").symlink_to(base.folder.parent)
    text.write_text("The keys are in the teal locker of Zorvelin.\n")

    def idiolect(*arguments):
        program = tmp_path / "bin" / "idiolect"
        return run(str(program), *arguments, cwd=tmp_path.anchor, IDIOLECT_HOME=str(home))

    idiolect("start")
    try:
        status = json.loads(idiolect("status", "--json"))
        running = psutil.Process(status["pid"])
        assert Path(running.cmdline()[0]).is_relative_to(tmp_path)
        assert "hugetlb" in running.environ()["GLIBC_TUNABLES"]
        idiolect("add", str(text))
        assert "elin" in idiolect("suggest", "in the teal locker of Zorv")
    finally:
        idiolect("stop")
