"""The store's key is changed, and the process is killed on the way: afterwards one of the two keys opens everything."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

import keyring.backend
import pytest
from pages import plain_pages

from idiolect.daemon.ingest.entry_batch import identity
from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.encrypted_file import fits
from idiolect.daemon.storage.errors import StoreBusyError
from idiolect.daemon.storage.records import NewEntry
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import store_key
from idiolect.models import durable

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class FileRing(keyring.backend.KeyringBackend):
    """A keyring that other processes see, too."""

    priority = 5.0

    def __init__(self, path):
        super().__init__()
        self.path = path

    def held(self):
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def get_password(self, service, username):
        return self.held().get(username)

    def set_password(self, service, username, password):
        self._keep(self.held() | {username: password})

    def delete_password(self, service, username):
        self._keep({name: held for name, held in self.held().items() if name != username})

    def _keep(self, held):
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps(held))
        draft.replace(self.path)


def change(settings, ring, last=0):
    """A process that changes the key, killed after its step number `last` (0: never); its number and its words.

    It is forked: a new interpreter for each of many steps would take minutes. Its words are the names of the steps.
    """
    read, write = os.pipe()
    with warnings.catch_warnings():
        # Python warns of a fork where there are threads: these do not outlive it, and none is needed.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        os.close(write)
        return pid, os.fdopen(read)
    try:
        done = []

        def counted(owner, name):
            real = getattr(owner, name)

            def call(*arguments, **more):
                if name == "rekey":
                    os.write(write, b"begins\n")
                found = real(*arguments, **more)
                done.append(name)
                if len(done) == last:
                    os.kill(os.getpid(), signal.SIGKILL)
                return found

            setattr(owner, name, call)

        counted(durable, "write")
        for owner, name in (
            (Path, "unlink"),
            (Store, "rekey"),
            (FileRing, "set_password"),
            (FileRing, "delete_password"),
        ):
            counted(owner, name)

        def rewrite(old, new):
            store = Store.open(settings.store_path, old)
            store.rekey(new)
            store.close()

        with process.locked(settings):
            done.clear()
            store_key.change(settings, rewrite)
        os.write(write, " ".join(done).encode())
    finally:
        os._exit(0)


def end(child):
    """Wait for its end; whether it got through, and what it said."""
    pid, words = child
    with words:
        said = words.read()
    _, status = os.waitpid(pid, 0)
    return status == 0, said


@pytest.fixture
def profile(tmp_path, monkeypatch):
    """`profile(where, count, size)`: a profile with so many entries, its key in the `ring` or in a `file`."""

    def make(where, count=20, size=50):
        settings = Settings(home=tmp_path / "home", keyring=where == "ring").prepare()
        ring = FileRing(tmp_path / "home.ring")
        monkeypatch.setattr(keyring, "get_keyring", lambda: ring)
        key = store_key.obtain(settings)
        assert key.origin == {"ring": "keyring", "file": "file", "file to ring": "file"}[where]
        store = Store.open(settings.store_path, key.hex)
        raw = b"\1\0\0\0" * 3
        texts = [os.urandom(size // 2).hex() for _ in range(count)]
        store.entries.add([NewEntry(text, "file", None, NOON, raw, 0, identity(text)) for text in texts])
        store.close()
        return settings if where == "file" else Settings(home=settings.home), ring, key.hex, texts

    return make


def check(settings, ring, old, texts):
    """One key opens everything, one alone is on record, and the other opens nothing; whether the key is a new one."""
    if settings.next_key_path.exists():  # that is for whoever holds the profile alone
        with pytest.raises(StoreBusyError):
            store_key.obtain(settings)
    with process.locked(settings):
        key = store_key.obtain(settings)
    store = Store.open(settings.store_path, key.hex)
    assert [entry.text for entry in store.entries.select()] == texts
    store.close()
    held = [*ring.held().values(), *(path.read_text().strip() for path in settings.home.glob("store.key*"))]
    assert held == [key.hex]
    if key.hex != old:
        assert not fits(settings.store_path, old)
    return key.hex != old


@pytest.mark.parametrize("where", ["file", "ring", "file to ring"])
def test_killed_after_any_step(profile, where):
    settings, ring, key, texts = profile(where)
    changed = []
    for last in range(1, 99):
        through, said = end(change(settings, ring, last))
        changed.append(check(settings, ring, key, texts))
        key = store_key.obtain(settings).hex
        if through:
            assert "rekey" in said.split()
            break
    assert changed[0] is False  # killed before the store is rewritten, it keeps its key
    assert changed[-2:] == [True, True]
    assert not settings.key_path.exists() or where == "file"


def test_killed_in_the_middle_of_rewriting(profile):
    settings, ring, key, texts = profile("file", 3000, 4000)
    pid, words = change(settings, ring)
    assert words.readline() == "begins\n"
    began = time.monotonic()
    assert end((pid, words))[0]
    took = time.monotonic() - began
    seen: list[bool] = []
    key = store_key.obtain(settings).hex
    parts = itertools.chain((0.9, 0.5, 0.1), itertools.repeat(0.0))
    while len(seen) < 3 or False not in seen:  # until one came before its end
        pid, words = change(settings, ring)
        assert words.readline() == "begins\n"
        time.sleep(
            took * next(parts)
        )  # somewhere within the rewriting: whatever the moment, the same must hold
        os.kill(pid, signal.SIGKILL)
        end((pid, words))
        seen.append(check(settings, ring, key, texts))
        key = store_key.obtain(settings).hex


def test_no_page_is_left_under_the_old_key(profile):
    settings, ring, old, texts = profile("file", 200, 400)
    assert end(change(settings, ring))[0]
    new = store_key.obtain(settings).hex
    assert texts[0].encode() in plain_pages(settings.store_path, new)
    assert texts[0].encode() not in plain_pages(settings.store_path, old)
    assert [path.name for path in settings.home.glob("store.db*")] == ["store.db"]
