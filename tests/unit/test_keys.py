import os
import stat
import threading

import keyring.backend
import keyring.backends.fail
import keyring.backends.null
import pytest

from idiolect.daemon.profile import purge
from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.errors import StorePermissionError
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import lock, rekey, store_key


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
        self.released.wait(60)
        return


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "profile").prepare()


def existing_store(settings):
    settings.store_path.write_bytes(b"anything")


def test_a_new_key_goes_into_the_keyring_and_is_found_again(settings):
    ring = Ring()
    key = store_key.obtain(settings, backend=ring)
    assert key.origin == "keyring"
    assert len(bytes.fromhex(key.hex)) == 32
    assert ring.held == {("idiolect", str(settings.home)): key.hex}
    assert not settings.key_path.exists()
    existing_store(settings)
    assert store_key.obtain(settings, backend=ring) == key


def test_each_profile_has_its_own_key(settings, tmp_path):
    ring = Ring()
    other = Settings(home=tmp_path / "other").prepare()
    assert store_key.obtain(settings, backend=ring).hex != store_key.obtain(other, backend=ring).hex


@pytest.mark.parametrize(
    "backend",
    [
        Locked(),
        Forgetful(),
        Terminal(),
        Broken(),
        keyring.backends.fail.Keyring(),
        keyring.backends.null.Keyring(),
    ],
    ids=lambda backend: type(backend).__module__ + "." + type(backend).__name__,
)
def test_without_a_usable_keyring_the_key_goes_into_a_file(settings, backend):
    old = os.umask(0)
    try:
        key = store_key.obtain(settings, backend=backend)
    finally:
        os.umask(old)
    assert key.origin == "file"
    assert settings.key_path.read_text() == key.hex + "\n"
    assert stat.S_IMODE(settings.key_path.stat().st_mode) == 0o600
    assert [path.name for path in settings.home.iterdir() if "key" in path.name] == ["store.key"]
    existing_store(settings)
    assert store_key.obtain(settings, backend=backend) == key


def test_the_keyring_can_be_switched_off(tmp_path):
    settings = Settings(home=tmp_path, keyring=False).prepare()
    ring = Ring()
    assert store_key.obtain(settings, backend=ring).origin == "file"
    assert ring.held == {}


def test_a_keyring_that_never_answers_does_not_hang_the_program(settings):
    ring = Waiting()
    try:
        assert store_key.obtain(settings, backend=ring, patience_s=0.05).origin == "file"
        settings.key_path.unlink()
        existing_store(settings)
        with pytest.raises(store_key.KeyringLockedError, match="unlock"):
            store_key.obtain(settings, backend=ring, patience_s=0.05)
    finally:
        ring.released.set()


@pytest.mark.parametrize(
    ("backend", "says"),
    [(Ring(), "has none"), (keyring.backends.fail.Keyring(), "no keyring can be reached")],
)
def test_a_store_without_its_key_is_an_error_and_creates_nothing(settings, backend, says):
    existing_store(settings)
    before = sorted(settings.home.iterdir())
    with pytest.raises(store_key.KeyMissingError, match=says):
        store_key.obtain(settings, backend=backend)
    assert sorted(settings.home.iterdir()) == before
    assert getattr(backend, "held", {}) == {}


def test_a_store_whose_keyring_is_locked_says_so(settings):
    existing_store(settings)
    with pytest.raises(store_key.KeyringLockedError):
        store_key.obtain(settings, backend=Locked())


def test_a_store_whose_keyring_is_switched_off_says_so(tmp_path):
    settings = Settings(home=tmp_path, keyring=False).prepare()
    existing_store(settings)
    with pytest.raises(store_key.KeyMissingError, match="switched off"):
        store_key.obtain(settings)


def test_a_store_that_was_never_written_does_not_count(settings):
    settings.store_path.touch()
    assert store_key.obtain(settings, backend=Ring()).origin == "keyring"


def test_a_key_file_wins_and_is_closed_to_others(settings):
    settings.key_path.write_text("ab" * 32)
    settings.key_path.chmod(0o644)
    assert store_key.obtain(settings, backend=Ring()) == store_key.StoreKey("ab" * 32, "file")
    assert stat.S_IMODE(settings.key_path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64, b"g" * 64, b"ab" * 33])
def test_a_damaged_key_file_is_never_overwritten(settings, content):
    settings.key_path.write_bytes(content)
    with pytest.raises(store_key.KeyDamagedError, match=r"store\.key"):
        store_key.obtain(settings, backend=keyring.backends.fail.Keyring())
    assert settings.key_path.read_bytes() == content


def test_a_damaged_key_in_the_keyring(settings):
    ring = Ring()
    ring.set_password("idiolect", str(settings.home), "not a key")
    with pytest.raises(store_key.KeyDamagedError, match="keyring"):
        store_key.obtain(settings, backend=ring)


def test_of_two_at_once_neither_overwrites_the_others_file(settings):
    """The second finds the first's file where it wants to write."""

    class Slow(Forgetful):
        def get_password(self, service, username):
            settings.key_path.write_text("cd" * 32)

    with pytest.raises(store_key.KeyDamagedError, match="cannot be written"):
        store_key.obtain(settings, backend=Slow())
    assert settings.key_path.read_text() == "cd" * 32
    assert not list(settings.home.glob("store.key.*"))


def test_the_key_is_not_shown(settings):
    key = store_key.obtain(settings, backend=Ring())
    assert key.hex not in repr(key)
    assert key.hex not in str(key)


# The key is taken away, or another one takes its place


class Keeping(Ring):
    """Lets nothing be deleted, and does not say so."""

    def delete_password(self, service, username):
        pass


class Reluctant(Ring):
    """Is locked when it is to delete something."""

    def delete_password(self, service, username):
        raise keyring.errors.KeyringLocked("locked")


class Full(Ring):
    """Has room for one password."""

    def set_password(self, service, username, password):
        if self.held:
            raise keyring.errors.PasswordSetError("full")
        super().set_password(service, username, password)


def use(monkeypatch, backend):
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)


@pytest.fixture
def in_ring(settings, monkeypatch):
    """`in_ring(ring)`: a profile with a store whose key is in this keyring, which is the system's."""

    def make(ring):
        use(monkeypatch, ring)
        key = store_key.obtain(settings)
        assert key.origin == "keyring"
        Store.open(settings.store_path, key.hex).close()
        return key

    return make


@pytest.mark.parametrize("ring", [Keeping(), Reluctant()], ids=["keeps it", "locked"])
def test_a_key_that_stays_in_the_keyring_is_not_said_to_be_taken_away(settings, in_ring, monkeypatch, ring):
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
    use(monkeypatch, keyring.backends.fail.Keyring())
    with pytest.raises(purge.PurgeIncompleteError, match="may be in the keyring"):
        purge.purge(settings)


def test_locked_with_a_passphrase_the_key_is_gone_and_a_purge_needs_no_keyring(
    settings, in_ring, monkeypatch
):
    ring = Ring()
    in_ring(ring)
    with process.locked(settings):
        lock.lock(settings, "four plain old words")
    assert ring.held == {}
    use(monkeypatch, keyring.backends.fail.Keyring())
    assert purge.purge(settings).folder_gone


def test_a_purge_of_a_locked_profile_knows_of_the_key_in_the_keyring(settings, in_ring, monkeypatch):
    in_ring(Ring())
    with process.locked(settings):
        lock.lock(settings, None)
    use(monkeypatch, keyring.backends.fail.Keyring())
    with pytest.raises(purge.PurgeIncompleteError, match="may be in the keyring"):
        purge.purge(settings)


def test_a_new_key_in_a_file_leaves_no_old_one_in_the_keyring(settings, in_ring):
    ring = Full()
    old = in_ring(ring)
    with process.locked(settings):
        new = rekey.rekey(settings)
    assert new.origin == "file"
    assert new.hex != old.hex
    assert ring.held == {}
    assert store_key.obtain(settings) == new


def test_an_old_key_that_stays_in_the_keyring_is_told_of(settings, in_ring):
    class FullAndKeeping(Full, Keeping):
        pass

    in_ring(FullAndKeeping())
    with process.locked(settings):
        with pytest.raises(store_key.KeyringLockedError, match="the old one"):
            rekey.rekey(settings)
        assert store_key.obtain(settings).origin == "file"


def test_a_store_that_cannot_be_opened_when_its_key_is_settled(settings):
    settings.key_path.write_text("ab" * 32)
    settings.next_key_path.write_text("cd" * 32)
    settings.store_path.mkdir()
    with process.locked(settings), pytest.raises(StorePermissionError):
        store_key.obtain(settings)
