"""Damage to a store that is in use is found while nobody types, and told of with what to do."""

from __future__ import annotations

import os
import threading
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from publishing import NOON, entry
from waiting import DEADLINE_S

from idiolect.daemon.commandline import doctor_checks
from idiolect.daemon.profile import backup
from idiolect.daemon.profile.daily_upkeep import Upkeep
from idiolect.daemon.profile.integrity_check import IntegrityCheck
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.profile.retention import Retention
from idiolect.daemon.service import Service
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage import integrity_read, store_copies
from idiolect.daemon.storage.errors import StoreBusyError, StoreUnreadableError
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.vault import marker, opening
from idiolect.daemon.vault.marker import standing

BACKUP_KEY = store_copies.raw("c3" * 32)


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("IDIOLECT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("IDIOLECT_KEYRING", "false")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(integrity_read, "_APART_S", 0.01)  # between two looks at what seems damaged
    return Settings(auto_train=False).prepare()


def fill(store, count=80):
    text = "Sentence {} of some length, as they are written. " * 20
    for number in range(count):
        store.entries.add([entry(text.format(*[number] * 20))])
    store._connection._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


@pytest.fixture
def store(settings):
    with closing(opening.open_store(settings)) as store:
        fill(store)
        yield store


def wrong(*checks):
    """What the doctor finds wrong."""
    found = doctor_checks.examine()
    return [one for one in found if one.check in checks and one.level == "wrong"]


def damage(settings):
    with settings.store_path.open("r+b") as file:
        file.seek(settings.store_path.stat().st_size * 3 // 4 // 4096 * 4096 + 900)
        file.write(b"torn")


def test_a_sound_store_is_said_to_be_sound_and_when(settings, store):
    assert standing(settings).checked_at is None
    check = IntegrityCheck(settings, store, lambda: 0.0, now=lambda: NOON).run()
    assert check == marker.Check(NOON, sound=True, inode=settings.store_path.stat().st_ino)
    now = standing(settings)
    assert (now.state, now.checked_at, now.sound, now.mend) == ("there", NOON, True, None)


def test_damage_in_the_midst_of_a_store_in_use_is_told_of_with_the_backups(settings, store, tmp_path):
    backup.make(settings, tmp_path / "my.backup", BACKUP_KEY)
    damage(settings)
    assert store.entries.counts().entries == 80, "nothing shows, as long as that page is not needed"
    assert not IntegrityCheck(settings, store, lambda: 0.0).run().sound
    now = standing(settings)
    assert now.sound is False
    for part in ("damaged", "idiolect restore", str(tmp_path / "my.backup"), str(settings.store_path)):
        assert part in now.mend
    store.close()
    settings.key_path.rename(tmp_path / "elsewhere")  # as if a keyring held it, which is not asked
    [finding] = wrong("store")
    assert "damaged" in finding.found
    assert str(tmp_path / "my.backup") in finding.mend


def test_a_restored_store_is_not_said_to_be_damaged(settings, store, tmp_path):
    backup.make(settings, tmp_path / "my.backup", BACKUP_KEY)
    damage(settings)
    IntegrityCheck(settings, store, lambda: 0.0).run()
    store.close()
    backup.restore(settings, tmp_path / "my.backup", BACKUP_KEY)
    assert standing(settings).mend is None
    with closing(opening.open_store(settings)) as restored:
        assert IntegrityCheck(settings, restored, lambda: 0.0).due


@pytest.mark.parametrize(
    ("ago", "due"),
    [(timedelta(hours=23), False), (timedelta(hours=25), True), (timedelta(days=-400), True)],
)
def test_it_is_read_once_a_day_whatever_a_clock_had_shown(settings, store, ago, due):
    assert IntegrityCheck(settings, store, lambda: 0.0, now=lambda: NOON).due
    marker.note_check(settings, marker.Check(NOON - ago, sound=True, inode=settings.store_path.stat().st_ino))
    assert IntegrityCheck(settings, store, lambda: 0.0, now=lambda: NOON).due == due


def test_those_who_write_meanwhile_do_not_wait_and_are_no_damage(settings, store):
    stop = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            store.state.set("number", number)
            if number % 20 == 0:
                store._connection._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        checkup = IntegrityCheck(settings, store, lambda: 0.0)
        assert all(checkup.run().sound for _ in range(15))
    finally:
        stop.set()
        writer.join()


def test_what_seems_damaged_once_is_not(settings, store, monkeypatch):
    seemed = iter([False, False, True])
    monkeypatch.setattr(integrity_read, "_APART_S", 0.0)
    monkeypatch.setattr(integrity_read.Reading, "once", lambda _: next(seemed))
    assert IntegrityCheck(settings, store, lambda: 0.0).run().sound


@pytest.fixture
def endless(store, monkeypatch):
    """Reading the store takes for ever; an event tells that it has begun."""
    began, open_ = threading.Event(), integrity_read.looked_at

    class Endless:
        def __init__(self, connection):
            self.interrupt = connection.interrupt
            self._connection = connection

        def execute(self, _):
            began.set()
            return self._connection.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n, entries"
            )

    @contextmanager
    def looked_at(path, key):
        with open_(path, key) as connection:
            yield Endless(connection)

    monkeypatch.setattr(integrity_read, "looked_at", looked_at)
    return began


def test_a_reading_under_way_is_broken_off_when_the_service_ends(settings, store, endless):
    upkeep = Upkeep(Retention(settings, Profile(store)), IntegrityCheck(settings, store, lambda: 0.0))
    upkeep.start()
    assert upkeep.hasten()
    assert endless.wait(DEADLINE_S)
    stopping = threading.Thread(target=upkeep.stop, daemon=True)
    stopping.start()
    stopping.join(DEADLINE_S)
    assert not stopping.is_alive()
    assert standing(settings).checked_at is None


def test_to_forget_breaks_off_a_reading_which_is_made_later(settings, store, endless):
    checkup = IntegrityCheck(settings, store, lambda: 0.0)
    found = []
    reading = threading.Thread(target=lambda: found.append(checkup.run()), daemon=True)
    reading.start()
    assert endless.wait(DEADLINE_S)
    assert store.forget(Selector(text="Sentence 7 ")).entries == 1
    reading.join(DEADLINE_S)
    assert found == [None]
    assert store.state.get("scrub") is None, "the file is rewritten"


def test_one_that_cannot_be_made_is_tried_again_later(settings, store, monkeypatch):
    def busy():
        raise StoreBusyError("busy")

    tried = threading.Event()
    upkeep = Upkeep(Retention(settings, Profile(store)), IntegrityCheck(settings, store, lambda: 0.0))
    monkeypatch.setattr(store, "reading", lambda: (tried.set(), busy()))
    upkeep.start()
    assert upkeep.hasten()
    assert tried.wait(DEADLINE_S)
    upkeep.stop()
    assert not upkeep.hasten(), "the service may rest"


def test_the_service_reads_its_store_through_before_it_rests(settings, tiny):
    settings.base_dir.rmdir()
    settings.base_dir.symlink_to(tiny.folder.parent)
    with closing(Service(settings)) as service:
        assert service.status()["store"]["checked_at"] is None
        assert service.rest() is None, "it is to be read first"
        read = threading.Event()
        while service.rest() is None and not read.wait(0.02):
            pass
        now = service.status()["store"]
        assert now["sound"] is True
        assert abs(now["checked_at"] - datetime.now(UTC)) < timedelta(minutes=5)


def test_damage_that_keeps_the_service_from_starting_is_told_of_with_the_backups(settings, tiny, tmp_path):
    settings.base_dir.rmdir()
    settings.base_dir.symlink_to(tiny.folder.parent)
    with closing(opening.open_store(settings)) as store:
        fill(store)
    backup.make(settings, tmp_path / "my.backup", BACKUP_KEY)
    damage(settings)
    with pytest.raises(StoreUnreadableError, match="damaged") as caught:
        Service(settings)
    assert str(tmp_path / "my.backup") in str(caught.value)
    assert standing(settings).sound is False


# The key file


@pytest.mark.parametrize("mode", [0o666, 0o640, 0o604])
def test_a_key_that_others_can_read_is_told_of(settings, store, mode):
    store.close()
    assert doctor_checks.find_warnings(settings) == []
    settings.key_path.chmod(mode)
    [sentence] = doctor_checks.find_warnings(settings)
    assert "give the store a new key" in sentence
    [finding] = wrong("key")
    assert "other users" in finding.found


def test_a_file_that_may_not_be_opened_is_not_called_the_wrong_one(settings, store, monkeypatch):
    """Root may open any: so the system's answer is given here."""
    store.close()
    kind = type(settings.key_path)
    for path in (settings.key_path, settings.store_path):

        def refusing(opens, refused=path):
            def refuse(opened, *given, **more):
                if opened == refused:
                    raise PermissionError(13, "Permission denied", str(opened))
                return opens(opened, *given, **more)

            return refuse

        with monkeypatch.context() as patch:
            patch.setattr(kind, "open", refusing(kind.open))
            patch.setattr(os, "open", refusing(os.open))
            [finding] = wrong("key", "store")
        assert "Permission denied" in finding.found
        assert "chmod u+rw" in finding.mend
        assert "right key file" not in finding.mend
