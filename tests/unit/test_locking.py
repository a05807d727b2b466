"""The key under a passphrase: sealed by a kept library and opened by the right words alone."""

import json
from contextlib import closing

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import lock, sealed_key, store_key

KEY = "5a" * 16 + "0f" * 16
WORDS = "four plain old words"


@pytest.fixture
def profile(tmp_path):
    settings = Settings(home=tmp_path / "home", keyring=False).prepare()
    settings.key_path.write_text(KEY)
    settings.key_path.chmod(0o600)
    with closing(Store.open(settings.store_path, KEY)) as store:
        store.watches.add("/notes")
    return settings


def mark_of(settings):
    return json.loads(settings.locked_path.read_text())


def test_any_tool_that_knows_scrypt_and_aes_gcm_opens_the_mark(profile):
    with process.locked(profile):
        lock.lock(profile, WORDS)
    mark = mark_of(profile)
    cost = {name: mark[name] for name in ("n", "r", "p")}
    assert cost == {"n": 2**17, "r": 8, "p": 1}
    key = Scrypt(salt=bytes.fromhex(mark["salt"]), length=32, **cost).derive(WORDS.encode())
    told = json.dumps({name: mark[name] for name in mark if name != "sealed"}, sort_keys=True).encode()
    found = AESGCM(key).decrypt(bytes.fromhex(mark["nonce"]), bytes.fromhex(mark["sealed"]), told)
    assert found.hex() == KEY


def test_no_salt_and_no_nonce_is_used_twice():
    marks = [sealed_key.seal(KEY, WORDS) for _ in range(2)]
    for name in ("salt", "nonce", "sealed"):
        assert marks[0][name] != marks[1][name]
    assert KEY not in json.dumps(marks)


MARK = sealed_key.seal(KEY, WORDS)


@pytest.mark.parametrize("name", ["salt", "nonce", "sealed"])
def test_a_changed_mark_gives_no_key(name):
    changed = MARK | {name: ("0" if MARK[name][0] != "0" else "1") + MARK[name][1:]}
    with pytest.raises(sealed_key.WrongPassphraseError):
        sealed_key.open_sealed(changed, WORDS)


CHANGES = [
    *({"n": n} for n in (2**17 + 1, 2**8, 2**40, -(2**17), 131072.0, True)),
    *({"r": 2**20}, {"r": 0}, {"p": 10**9}, {"p": None}, {"form": "rot13"}, {"form": None}),
    *({"salt": ""}, {"salt": "ab"}, {"nonce": "x" * 24}, {"sealed": "ab" * 47}, {"sealed": 5}),
]


def test_what_a_mark_may_ask_for_is_bounded(profile):
    """Nobody who can write the mark has the program take hours, or all memory, or an error of a library's."""
    missing = [{name: value for name, value in MARK.items() if name != gone} for gone in MARK]
    for mark in (*(MARK | change for change in CHANGES), *missing):
        with pytest.raises(ValueError, match=r"form"):
            sealed_key.open_sealed(mark, WORDS)
    profile.locked_path.write_text(json.dumps(MARK | CHANGES[0]))
    with process.locked(profile), pytest.raises(store_key.KeyDamagedError, match="damaged"):
        lock.unlock(profile, WORDS)


@pytest.mark.parametrize("content", ["[]", "7", "{", '{"salt": "ab"}', '{"key": 5, "salt": [], "tag": {}}'])
def test_a_mark_that_is_none(content, profile):
    profile.locked_path.write_text(content)
    with process.locked(profile), pytest.raises(store_key.KeyDamagedError, match="damaged"):
        lock.unlock(profile, WORDS)
    assert profile.locked_path.read_text() == content
