"""kill -9, a full disk, two at once while a base model is built: it is whole or not there, the next try works."""

import signal
import subprocess
import sys

import numpy as np
import pytest
from waiting import DEADLINE_S

from idiolect.models.build import MissingModelError, ensure_base, find_base

BUILD = """
import sys
from pathlib import Path
from idiolect.models import build, durable, lexicon

folder, gguf, point = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
lexicon.SIZE = 200  # the tiny model's tokens make no difference to a longer list

def wait(*_):
    print("there", flush=True)
    sys.stdin.read()  # until the end

def progress(phase, done):
    if phase == "build" and point.startswith("0.") and done >= float(point):
        wait()

if point == "manifest":
    durable.write = wait
elif point == "move":
    Path.rename = wait
build.ensure_base(folder, gguf, progress)
"""

POINTS = ["0.0", "0.8", "manifest", "move"]


@pytest.fixture(autouse=True)
def short_list(monkeypatch):
    monkeypatch.setattr("idiolect.models.lexicon.SIZE", 200)


def build_and_kill(folder, gguf, point):
    command = [sys.executable, "-c", BUILD, str(folder), str(gguf), point]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout.readline() == b"there\n"
        finally:
            child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL


def test_killed_at_any_point_nothing_half_made_is_used(make_gguf, tmp_path):
    gguf, folder = make_gguf(tmp_path / "mine.gguf"), tmp_path / "base"
    for point in POINTS:
        build_and_kill(folder, gguf, point)
        with pytest.raises(MissingModelError):
            find_base(folder)
    base = ensure_base(folder, gguf)
    assert find_base(folder, verify=True) == base
    assert [*folder.iterdir()] == [base.folder], "what the killed ones have left is cleared away"


@pytest.mark.parametrize("point", ["manifest"])
def test_killed_before_its_end_the_former_base_stays(make_gguf, tmp_path, point):
    gguf, folder = make_gguf(tmp_path / "mine.gguf"), tmp_path / "base"
    base = ensure_base(folder, make_gguf(tmp_path / "former.gguf", matrices=np.float16))
    build_and_kill(folder, gguf, point)
    assert find_base(folder, verify=True) == base


@pytest.mark.parametrize("limit_bytes", [1_000, 60_000], ids=["at the graph", "further on"])
def test_a_disk_that_fills_up_leaves_nothing_and_is_an_error(make_gguf, tmp_path, limit_bytes):
    gguf, folder = make_gguf(tmp_path / "mine.gguf"), tmp_path / "base"
    program = f"""
import resource, sys
from pathlib import Path
from idiolect.models.build import ensure_base
from idiolect.models.fetch import DiskFullError
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit_bytes}, {limit_bytes}))
try:
    ensure_base(Path(sys.argv[1]), Path(sys.argv[2]))
except DiskFullError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder), str(gguf)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert str(folder) in done.stdout
    assert "Make room" in done.stdout
    assert done.stderr == ""
    assert [*folder.iterdir()] == []


def test_a_build_beside_another_does_not_disturb_it(make_gguf, tmp_path):
    gguf, folder = make_gguf(tmp_path / "mine.gguf"), tmp_path / "base"
    command = [sys.executable, "-c", BUILD, str(folder), str(gguf), "0.75"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        try:
            assert child.stdout.readline() == b"there\n"
            base = ensure_base(folder, gguf)
            _, errors = child.communicate(timeout=DEADLINE_S)
        finally:
            child.kill()
    assert (child.returncode, errors) == (0, b"")
    assert find_base(folder, verify=True) == base
    assert [*folder.iterdir()] == [base.folder]
