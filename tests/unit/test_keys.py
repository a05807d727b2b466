"""The store's key: in the keyring where one can be used, else in a file; never made anew for a store that is there."""

import os
import stat
import threading

import keyring.backend
import keyring.backends.fail
import keyring.backends.null
import pytest
from waiting import DEADLINE_S

from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import lock, purge, store_key


class Ring(keyring.backend.KeyringBackend):
    """A keyring that holds its passwords in memory."""

    priority = 5.0

    def __init__(self):
        super().__init__()
        self.held = {}

    def get_password(self, service, username):
        return self.held.get((service, username))

    def set_password(self, service, username, password):
        self.held[service, username] = password

    def delete_password(self, service, username):
        del self.held[service, username]


class Locked(Ring):
    def get_password(self, service, username):
        raise keyring.errors.KeyringLocked("locked")


class Forgetful(Ring):
    def set_password(self, service, username, password):
        pass


class Terminal(Ring):
    """Like the backends that ask on a terminal or keep a readable file."""

    priority = 0.5


class Broken(Ring):
    @property
    def priority(self):
        raise RuntimeError("no bus")


class Waiting(Ring):
    """Waits for a user who is not there."""

    def __init__(self):
        super().__init__()
        self.released = threading.Event()

    def get_password(self, service, username):
        self.released.wait(DEADLINE_S)
        return


class Keeping(Ring):
    """Lets nothing be deleted, and does not say so."""

    def delete_password(self, service, username):
        pass


class Reluctant(Ring):
    """Is locked when it is to delete something."""

    def delete_password(self, service, username):
        raise keyring.errors.KeyringLocked("locked")


NONE = keyring.backends.fail.Keyring


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "profile").prepare()


@pytest.fixture
def use(monkeypatch):
    """`use(ring)`: this keyring is the system's from now on."""

    def use(ring):
        monkeypatch.setattr(keyring, "get_keyring", lambda: ring)
        return ring

    return use


def test_a_new_key_goes_into_the_keyring_and_is_found_again(settings, use, tmp_path):
    ring = use(Ring())
    settings.store_path.touch()  # a store that was never written does not count
    key = store_key.obtain(settings)
    assert (key.origin, len(bytes.fromhex(key.hex))) == ("keyring", 32)
    assert ring.held == {("idiolect", str(settings.home)): key.hex}
    assert not settings.key_path.exists()
    assert key.hex not in repr(key)
    settings.store_path.write_bytes(b"anything")
    assert store_key.obtain(settings) == key
    assert store_key.obtain(Settings(home=tmp_path / "other").prepare()).hex != key.hex


@pytest.mark.parametrize("ring", [Locked, Forgetful, Terminal, Broken, NONE, keyring.backends.null.Keyring])
def test_without_a_usable_keyring_the_key_goes_into_a_file(settings, use, ring):
    use(ring())
    old = os.umask(0)
    try:
        key = store_key.obtain(settings)
    finally:
        os.umask(old)
    assert key.origin == "file"
    assert settings.key_path.read_text() == key.hex + "\n"
    assert stat.S_IMODE(settings.key_path.stat().st_mode) == 0o600
    assert [path.name for path in settings.home.iterdir() if "key" in path.name] == ["store.key"]
    settings.store_path.write_bytes(b"anything")
    assert store_key.obtain(settings) == key


def test_the_keyring_can_be_switched_off(tmp_path, use):
    ring = use(Ring())
    assert store_key.obtain(Settings(home=tmp_path, keyring=False).prepare()).origin == "file"
    assert ring.held == {}


def test_a_keyring_that_never_answers_does_not_hang_the_program(settings, use, monkeypatch):
    monkeypatch.setattr(store_key, "_PATIENCE_S", 0.05)
    ring = use(Waiting())
    try:
        assert store_key.obtain(settings).origin == "file"
        settings.key_path.unlink()
        settings.store_path.write_bytes(b"anything")
        with pytest.raises(store_key.KeyringLockedError, match="unlock"):
            store_key.obtain(settings)
    finally:
        ring.released.set()


@pytest.mark.parametrize(
    ("ring", "error", "says"),
    [
        (Ring, store_key.KeyMissingError, "has none"),
        (NONE, store_key.KeyMissingError, "no keyring can be reached"),
        (Locked, store_key.KeyringLockedError, "unlock"),
        (None, store_key.KeyMissingError, "switched off"),
    ],
)
def test_a_store_without_its_key_is_an_error_and_creates_nothing(settings, use, ring, error, says):
    settings.store_path.write_bytes(b"anything")
    before = sorted(settings.home.iterdir())
    used = use((ring or Ring)())
    with pytest.raises(error, match=says):
        store_key.obtain(Settings(home=settings.home, keyring=ring is not None))
    assert sorted(settings.home.iterdir()) == before
    assert getattr(used, "held", {}) == {}


def test_a_key_file_wins_and_is_closed_to_others_and_that_is_told(settings, use, caplog):
    use(Ring())
    settings.key_path.write_text("ab" * 32)
    settings.key_path.chmod(0o644)
    assert store_key.obtain(settings) == store_key.StoreKey("ab" * 32, "file")
    assert stat.S_IMODE(settings.key_path.stat().st_mode) == 0o600
    assert "idiolect doctor" in caplog.text


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64, b"g" * 64, b"ab" * 33])
def test_a_damaged_key_file_is_never_overwritten(settings, use, content):
    use(NONE())
    settings.key_path.write_bytes(content)
    with pytest.raises(store_key.KeyDamagedError, match=r"store\.key"):
        store_key.obtain(settings)
    assert settings.key_path.read_bytes() == content


def test_a_damaged_key_in_the_keyring(settings, use):
    use(Ring()).set_password("idiolect", str(settings.home), "not a key")
    with pytest.raises(store_key.KeyDamagedError, match="keyring"):
        store_key.obtain(settings)


def test_of_two_at_once_neither_overwrites_the_others_file(settings, use):
    """The second finds the first's file where it wants to write."""

    class Slow(Forgetful):
        def get_password(self, service, username):
            settings.key_path.write_text("cd" * 32)

    use(Slow())
    with pytest.raises(store_key.KeyDamagedError, match="cannot be written"):
        store_key.obtain(settings)
    assert settings.key_path.read_text() == "cd" * 32
    assert not list(settings.home.glob("store.key.*"))


# The key is taken away, or another one takes its place


@pytest.fixture
def in_ring(settings, use):
    """`in_ring(ring)`: a profile with a store whose key is in this keyring, which is the system's."""

    def make(ring):
        use(ring)
        key = store_key.obtain(settings)
        assert key.origin == "keyring"
        Store.open(settings.store_path, key.hex).close()
        return key

    return make


@pytest.mark.parametrize("ring", [Keeping(), Reluctant()], ids=["keeps it", "locked"])
def test_a_key_that_stays_in_the_keyring_is_not_said_to_be_taken_away(settings, in_ring, use, ring):
    key = in_ring(ring)
    with process.locked(settings):
        with pytest.raises(store_key.KeyringLockedError, match="does not let go"):
            lock.lock(settings, "four plain old words")
        assert lock.needs_passphrase(settings)
        with pytest.raises(store_key.LockedError):
            store_key.obtain(settings)
        assert lock.unlock(settings, "four plain old words")
        assert store_key.obtain(settings) == key
        with pytest.raises(store_key.KeyringLockedError):
            lock.lock(settings, "four plain old words")
    use(NONE())
    with pytest.raises(purge.PurgeIncompleteError, match="may be in the keyring"):
        purge.purge(settings)


@pytest.mark.parametrize("passphrase", ["four plain old words", None])
def test_a_purge_of_a_locked_profile_knows_whether_the_keyring_has_its_key(
    settings, in_ring, use, passphrase
):
    ring = Ring()
    in_ring(ring)
    with process.locked(settings):
        lock.lock(settings, passphrase)
    assert bool(ring.held) == (passphrase is None)
    use(NONE())
    if passphrase is None:
        with pytest.raises(purge.PurgeIncompleteError, match="may be in the keyring"):
            purge.purge(settings)
    else:
        assert purge.purge(settings).folder_gone
