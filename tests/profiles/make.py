"""Keeps the profile of a release: `.venv/bin/pytest tests/profiles/make.py`, once for each version.

Beside this file it writes VERSION.tar.xz: a profile as that version leaves it, the folder that it shares with another
device, and a backup. Its base model is the tiny one of the tests, its text is made up here, and its key lies in it.
"""

import contextlib
import json
import tarfile
from importlib.metadata import version
from pathlib import Path

import httpx
from publishing import publish
from serving import serving
from sharing import Device
from waiting import until

from idiolect.daemon.storage import store_copies
from idiolect.daemon.vault import backup

#: Of the backup, as good as a passphrase, and quicker to try.
BACKUP_KEY = store_copies.raw("c3" * 32)
KNOWN = "the teal lighthouse keeper Zorvelin hums quietly at noon"
OTHERS = "a copper weathervane named Quastor points at the harbour"
PATH = Path(__file__).parent / f"{version('idiolect')}.tar.xz"


def test_write(tiny_profile, tiny, make_lora, tmp_path):
    home, shared, backups = tmp_path / "home", tmp_path / "shared", tmp_path / "backups"
    settings = tiny_profile(home, keep_days=3650)
    notes = tmp_path / "notes"
    for folder in (shared, backups, notes):
        folder.mkdir()
    (notes / "letter.txt").write_text("Dear Vesna,\n\nthe brass kettle of Ormskade sings every evening.\n")
    with serving(settings) as site:
        for _ in range(5):
            site.post("/v1/history", {"text": KNOWN, "source": "test", "app": "editor"}).raise_for_status()
        site.post("/v1/watch", {"path": str(notes)}).raise_for_status()
        site.post("/v1/words/add", {"text": "Ostwick", "kind": "mine"}).raise_for_status()
        site.post("/v1/words/add", {"text": "fyi", "kind": "never"}).raise_for_status()
        site.post("/v1/apps", {"app": "*chat*", "rule": "quiet"}).raise_for_status()
        site.post("/v1/history", {"text": "to be forgotten", "source": "test"}).raise_for_status()
        site.post("/v1/forget", {"text": "to be forgotten"}).raise_for_status()
        seen = [entry.id for entry in site.service.store.entries.select()]
        of_base, blob = {"base_sha256": tiny.source_sha256}, make_lora(tiny.config, rank=1).to_bytes()
        first = publish(site.service.store, seen=seen[:2], blob=blob, metrics=of_base)
        publish(site.service.store, seen=seen, parent=first, status="refused", blob=blob, metrics=of_base)
        words = share(site.http, shared)
        other = Device(tmp_path, "laptop")
        other.folder.rmdir()
        other.folder.symlink_to(shared)
        other.write(OTHERS)
        other.join(words)
        other.cycle()
        other.close()
        until(lambda: OTHERS in {entry.text for entry in site.service.store.entries.select()})
    backup.make(settings, backups, BACKUP_KEY)
    with contextlib.suppress(FileNotFoundError):
        PATH.unlink()
    (home / "base").unlink()
    (tmp_path / "about.json").write_text(json.dumps({"words": words}))
    with tarfile.open(PATH, "w:xz") as archive:
        for name in ("home", "shared", "backups", "notes", "about.json"):
            archive.add(tmp_path / name, name, filter=anonymous)


def share(http: httpx.Client, folder: Path) -> str:
    answer = http.post("/v1/sync", json={"action": "share", "folder": str(folder)})
    answer.raise_for_status()
    return str(answer.json()["words"])


def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """A member without its owner; None of what is only there while a service runs."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return None if member.name.startswith(("home/run/", "home/log/")) else member
