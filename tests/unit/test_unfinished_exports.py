"""Exports that were cut off: nothing of them is left in clear after the next start, and nothing else is removed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from idiolect.adapters.export import ExportError
from idiolect.daemon.profile.unfinished_exports import ExportDrafts
from idiolect.daemon.settings import Settings
from idiolect.daemon.vault.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from idiolect.daemon.storage.store import Store

KILLED = """
import os, sys, signal
from pathlib import Path
from idiolect.daemon.profile.unfinished_exports import ExportDrafts
from idiolect.daemon.settings import Settings
from idiolect.daemon.vault.opening import open_store
drafts = ExportDrafts(open_store(Settings(home=Path(sys.argv[1]), keyring=False)))
with drafts.published(Path(sys.argv[2])) as made:
    made.mkdir()
    (made / "entries.jsonl").write_text("the purple canary")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(Settings(home=tmp_path / "home", keyring=False).prepare())) as opened:
        yield opened


def held(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_export_left_goes(tmp_path: Path, store: Store) -> None:
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
    drafts = ExportDrafts(store)
    drafts.clear()
    assert set(held(place)) == theirs
    drafts.clear()  # and nothing is noted any more
    assert store.state.get("unfinished_exports") is None


def test_an_export_that_goes_on_is_not_cleared_away(tmp_path: Path, store: Store) -> None:
    drafts = ExportDrafts(store)
    with drafts.published(tmp_path / "mine") as made:
        made.write_text("half")
        drafts.clear()
        assert made.exists()
    assert (tmp_path / "mine").read_text() == "half"


def test_one_that_fails_leaves_nothing(tmp_path: Path, store: Store) -> None:
    (tmp_path / "usb").mkdir()
    drafts = ExportDrafts(store)

    def fail(made: Path) -> None:
        made.write_text("half")
        raise ZeroDivisionError

    def be_late(made: Path) -> None:
        made.write_text("half")
        (tmp_path / "usb" / "mine").write_text("somebody else's")

    def export(path: Path, write: Callable[[Path], None]) -> None:
        with drafts.published(path) as made:
            write(made)

    with pytest.raises(ZeroDivisionError):
        export(tmp_path / "usb" / "mine", fail)
    assert held(tmp_path / "usb") == []
    with pytest.raises(ExportError, match="exists"):
        export(tmp_path / "usb" / "mine", be_late)
    assert (tmp_path / "usb" / "mine").read_text() == "somebody else's"
    assert held(tmp_path / "usb") == ["mine"]
    with pytest.raises(ExportError, match="can't be written"):
        export(tmp_path / "no" / "mine", fail)
    assert store.state.get("unfinished_exports") is None


def test_on_a_disk_that_is_away_it_is_looked_for_later(tmp_path: Path, store: Store) -> None:
    store.state.set("unfinished_exports", [str(tmp_path / "usb" / ".mine-0123abcd.part")])
    ExportDrafts(store).clear()
    (tmp_path / "usb" / ".mine-0123abcd.part").mkdir(parents=True)
    ExportDrafts(store).clear()
    assert held(tmp_path / "usb") == []
