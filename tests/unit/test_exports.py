"""Exports that were cut off: nothing of them is left in clear after the next start, and nothing else is removed."""

import os
import signal
import subprocess
import sys
from contextlib import closing

import pytest

from idiolect.adapters.training.export import ExportError
from idiolect.daemon.serving.exports import Exports
from idiolect.daemon.settings import Settings
from idiolect.daemon.vault.opening import open_store

KILLED = """
import os, sys, signal
from pathlib import Path
from idiolect.daemon.serving.exports import Exports
from idiolect.daemon.settings import Settings
from idiolect.daemon.vault.opening import open_store
drafts = Exports(open_store(Settings(home=Path(sys.argv[1]), keyring=False)), None)
with drafts.published(Path(sys.argv[2])) as made:
    made.mkdir()
    (made / "entries.jsonl").write_text("the purple canary")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def store(tmp_path):
    with closing(open_store(Settings(home=tmp_path / "home", keyring=False).prepare())) as opened:
        yield opened


def held(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_export_left_goes(tmp_path, store):
    place = tmp_path / "usb"
    place.mkdir()
    theirs = {".export-notes", ".mine-notes.part", ".mine-0123abcd.part"}
    for name in theirs:
        (place / name).mkdir()
    command = [sys.executable, "-c", KILLED, str(tmp_path / "home"), str(place / "mine")]
    ran = subprocess.run(command, env={**os.environ, "IDIOLECT_KEYRING": "false"}, check=False)
    assert ran.returncode == -signal.SIGKILL
    (left,) = set(held(place)) - theirs
    assert (place / left / "mine" / "entries.jsonl").exists(), "else the test shows nothing"
    Exports(store, None)
    assert set(held(place)) == theirs
    assert store.state.get("unfinished_exports") is None


def test_one_that_fails_leaves_nothing(tmp_path, store):
    (tmp_path / "usb").mkdir()
    drafts = Exports(store, None)

    def export(path, in_place_of=None):
        with drafts.published(path) as made:
            made.write_text("half")
            if in_place_of is None:
                raise ZeroDivisionError
            in_place_of.write_text("somebody else's")

    mine = tmp_path / "usb" / "mine"
    with pytest.raises(ZeroDivisionError):
        export(mine)
    assert held(tmp_path / "usb") == []
    with pytest.raises(ExportError, match="exists"):
        export(mine, mine)
    assert mine.read_text() == "somebody else's"
    assert held(tmp_path / "usb") == ["mine"]
    with pytest.raises(ExportError, match="can't be written"):
        export(tmp_path / "no" / "mine")
    assert store.state.get("unfinished_exports") is None


def test_on_a_disk_that_is_away_it_is_looked_for_later(tmp_path, store):
    store.state.set("unfinished_exports", [str(tmp_path / "usb" / ".mine-0123abcd.part")])
    Exports(store, None)
    (tmp_path / "usb" / ".mine-0123abcd.part").mkdir(parents=True)
    Exports(store, None)
    assert held(tmp_path / "usb") == []
