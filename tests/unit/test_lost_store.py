"""A store that was there and is not: the profile stops, says what can be done, and begins another only when told to."""

import contextlib
import json
import os
from contextlib import closing
from pathlib import Path

import keyring.backends.fail
import pytest
from publishing import entry

from idiolect.daemon.clients.commandline import doctor_checks
from idiolect.daemon.runtime import process
from idiolect.daemon.service import Service
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage import store_copies
from idiolect.daemon.storage.errors import StoreUnreadableError
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.vault import backup, lock, marker, opening, store_key

KEY = store_copies.raw("c3" * 32)
CANARY = "the purple canary sings at midnight"


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    monkeypatch.setenv("IDIOLECT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("IDIOLECT_KEYRING", "false")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return Settings().prepare()


def add(settings, *texts):
    with closing(opening.open_store(settings)) as store:
        store.entries.add([entry(text, tokens=90) for text in texts])


def texts(settings):
    with closing(opening.open_store(settings)) as store:
        return [entry.text for entry in store.entries.select()]


@pytest.fixture
def mine(fresh, tmp_path):
    """A profile with some text and one backup."""
    add(fresh, *(f"{CANARY} {n}" for n in range(200)))
    (tmp_path / "usb").mkdir()
    made = backup.make(fresh, tmp_path / "usb", KEY)
    made.path.rename(tmp_path / "usb" / "my.backup")
    return fresh


LOSSES = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: os.truncate(path, 0),
    "half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "one page": lambda path: os.truncate(path, 4096),
    "a few bytes": lambda path: os.truncate(path, 100),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_lost_store_stops_everything_that_opens_it_and_names_the_ways_back(mine, tmp_path, loss):
    LOSSES[loss](mine.store_path)
    names = sorted(path.name for path in mine.home.iterdir())
    wanted = marker.StoreLostError if loss in ("missing", "empty") else StoreUnreadableError
    key = store_key.obtain(mine).hex
    tries = (
        lambda: opening.open_store(mine),
        lambda: opening.open_store(mine, key),  # a service that comes back from its rest
        lambda: backup.make(mine, tmp_path / "usb", KEY),
    )
    ways = (str(mine.store_path), "idiolect restore", "--new-store")
    for attempt in tries:
        with pytest.raises(wanted) as caught:
            attempt()
        assert all(way in str(caught.value) for way in ways)
    with process.locked(mine):
        if loss in ("missing", "empty"):
            with pytest.raises(marker.StoreLostError):
                lock.lock(mine, None)
            assert not mine.locked_path.exists()
    assert [path.name for path in (tmp_path / "usb").iterdir()] == ["my.backup"]
    assert sorted(path.name for path in mine.home.iterdir()) == names, "nothing was made or taken away"


@pytest.mark.parametrize("state", ["missing", "empty"])
@pytest.mark.parametrize("key", ["key file", "locked"])
def test_without_its_marker_a_lost_store_is_missed_by_its_key(mine, state, key):
    mine.marker_path.unlink()
    if key == "locked":
        with process.locked(mine):
            lock.lock(mine, None)
        mine.key_path.unlink()
    LOSSES[state](mine.store_path)
    with pytest.raises(marker.StoreLostError):
        opening.open_store(mine)
    with pytest.raises(marker.StoreLostError):
        marker.refuse_lost(mine)


def test_a_key_in_the_keyring_tells_of_a_store_too(tmp_path, monkeypatch):
    held = {}

    class Ring(keyring.backend.KeyringBackend):
        priority = 5.0

        def get_password(self, service, username):
            return held.get(username)

        def set_password(self, service, username, password):
            held[username] = password

    monkeypatch.setattr(keyring, "get_keyring", Ring)
    settings = Settings(home=tmp_path / "home").prepare()
    opening.open_store(settings).close()
    assert not settings.key_path.exists()
    settings.marker_path.unlink()
    settings.store_path.unlink()
    with pytest.raises(marker.StoreLostError):
        opening.open_store(settings)
    assert not settings.store_path.exists()


def test_without_a_key_a_lost_store_is_still_missed(mine):
    mine.key_path.unlink()
    mine.store_path.unlink()
    with pytest.raises(marker.StoreLostError):
        opening.open_store(mine)
    assert not mine.key_path.exists()


def test_a_marker_that_cannot_be_read_still_says_that_there_was_a_store(mine):
    for content in (b"", b"{", b"[]", b'{"made": true}'):
        mine.marker_path.write_bytes(content)
        assert marker.read(mine) == marker.Marker(made=True)
    assert len(texts(mine)) == 200
    assert marker.stands(mine), "it is made anew"


def test_a_marker_that_is_gone_is_made_anew(mine):
    mine.marker_path.unlink()
    opening.open_store(mine).close()
    assert marker.read(mine) == marker.Marker(made=True)
    assert mine.marker_path.stat().st_mode & 0o777 == 0o600
    written = mine.marker_path.stat().st_mtime_ns
    opening.open_store(mine).close()
    assert mine.marker_path.stat().st_mtime_ns == written, "it is not written where it says the same"


@pytest.mark.parametrize("loss", LOSSES)
def test_a_backup_is_restored_into_it(mine, tmp_path, loss):
    then = texts(mine)
    LOSSES[loss](mine.store_path)
    done = backup.restore(mine, tmp_path / "usb" / "my.backup", KEY)
    assert done.holds.entries == 200
    assert texts(mine) == then
    assert marker.read(mine).made


def test_a_log_that_was_left_beside_a_lost_store_does_not_get_into_the_restored_one(mine, tmp_path):
    then = texts(mine)
    log = mine.store_path.with_name("store.db-wal")
    with closing(opening.open_store(mine)) as store:
        for n in range(50):
            store.watches.add("/last" * 200 + str(n))
        left = log.read_bytes()
    log.write_bytes(left)  # as a kill leaves it
    mine.store_path.unlink()
    backup.restore(mine, tmp_path / "usb" / "my.backup", KEY)
    assert texts(mine) == then
    store_copies.check(mine.store_path, store_copies.raw(store_key.obtain(mine).hex))
    assert [path.name for path in mine.home.glob("store.db.lost-*-wal")], "it may hold the last words"


@pytest.mark.parametrize("loss", [*LOSSES, "wrong key", "no key", "damaged key"])
def test_beginning_anew_on_purpose_deletes_nothing(mine, loss):
    if loss in LOSSES:
        LOSSES[loss](mine.store_path)
    elif loss == "no key":
        mine.key_path.unlink()
    else:
        mine.key_path.write_text("ab" * 32 if loss == "wrong key" else "no key")
    left = mine.store_path.read_bytes() if mine.store_path.exists() else None
    moved = opening.begin_anew(mine)
    assert texts(mine) == []
    kept = [path for path in moved if path.name.startswith("store.db.lost-")]
    assert [path.read_bytes() for path in kept] == ([] if left is None else [left])
    assert bool([path for path in moved if path.name.startswith("store.key")]) == (loss == "damaged key")
    with closing(opening.open_store(mine)) as store:
        store.entries.add([entry("anything")])
        assert store.forget(Selector(text="anything")).backups == tuple(map(str, kept)), "they hold text"
    assert all(map(mine.owns, moved)), "a purge takes them, too"


def test_a_sound_store_does_not_give_way(mine):
    with pytest.raises(opening.ProfileStateError, match="so it stays"):
        opening.begin_anew(mine)
    with process.locked(mine):
        lock.lock(mine, None)
    with pytest.raises(store_key.LockedError):
        opening.begin_anew(mine)
    with process.locked(mine):
        lock.unlock(mine, None)
    assert len(texts(mine)) == 200


class Killed(BaseException):
    """The process is killed here."""


@pytest.mark.parametrize("step", range(6))
def test_a_store_that_is_put_aside_is_never_parted_from_its_log(mine, monkeypatch, step):
    log = mine.store_path.with_name("store.db-wal")
    os.truncate(mine.store_path, mine.store_path.stat().st_size // 2)
    log.write_bytes(b"the last words")
    steps = iter(range(100))

    def cut_off(did):
        def act(*given, **more):
            if next(steps) == step:
                raise Killed
            return did(*given, **more)

        return act

    for owner, name in ((os, "link"), (os, "rename"), (Path, "rename"), (Path, "unlink")):
        monkeypatch.setattr(owner, name, cut_off(getattr(owner, name)))
    with contextlib.suppress(Killed):
        opening.move_aside(mine)
    monkeypatch.undo()
    asides = [path for path in mine.home.glob("store.db.lost-*") if not path.name.endswith("-wal")]
    stores = [path for path in (mine.store_path, *asides) if path.exists()]
    assert stores
    assert all(path.with_name(f"{path.name}-wal").exists() for path in stores)


def test_beginning_anew_in_a_new_profile_is_an_ordinary_start(fresh):
    assert opening.begin_anew(fresh) == []
    assert marker.read(fresh) is None
    assert texts(fresh) == []


def test_damage_that_keeps_the_service_from_starting_is_told_of_with_the_ways_back(mine, tiny):
    mine.base_dir.rmdir()
    mine.base_dir.symlink_to(tiny.folder.parent)
    with mine.store_path.open("r+b") as file:
        file.seek(mine.store_path.stat().st_size * 3 // 4 // 4096 * 4096 + 900)
        file.write(b"torn")
    with pytest.raises(StoreUnreadableError, match=r"damaged.*idiolect restore"):
        Service(mine)


# As a user sees it


def wrong():
    """What the doctor finds wrong with the store."""
    found = doctor_checks.examine()
    return [one for one in found if one.check == "store" and one.level == "wrong"]


@pytest.mark.parametrize("state", ["missing", "empty"])
def test_the_commands_say_it(mine, state, run):
    LOSSES[state](mine.store_path)
    code, _, said = run(mine, "start")
    assert code == 5
    assert said.startswith("idiolect: The store of the profile")
    assert "idiolect restore" in said
    assert not mine.store_path.exists() or mine.store_path.stat().st_size == 0
    assert "idiolect restore" in wrong()[0].mend
    assert run(mine, "doctor")[0] == 1
    assert "idiolect restore" in run(mine, "status")[1]
    told = json.loads(run(mine, "status", "--json")[1])
    assert told["store"]["state"] == state
    assert told["running"] is False


def test_status_and_doctor_without_a_loss(mine, run):
    assert json.loads(run(mine, "status", "--json")[1])["store"]["state"] == "there"
    assert not wrong()
