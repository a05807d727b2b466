"""Locking a profile, and unlocking it.

Locked, the service runs without key, text and adapter, in a process that never loaded them. With a passphrase the key
is gone, too: it is in the mark, sealed, and nowhere else. Without one, whoever can run the user's commands can unlock.

It is sealed by AES-256-GCM under a key that scrypt (RFC 7914) makes of the passphrase. What scrypt was told is written
beside the sealed key and authenticated with it, so that any tool that knows both can open it. Nothing else is accepted
there: whoever can write the mark must not have the program take hours, or all memory.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Any, Final, Literal

from idiolect.daemon.settings import Settings
from idiolect.daemon.vault import store_key
from idiolect.daemon.vault.marker import refuse_lost
from idiolect.daemon.vault.opening import ProfileStateError
from idiolect.models import durable
from idiolect.models.errors import ExitCode, IdiolectError
from idiolect.models.regular_files import read_small

if TYPE_CHECKING:  # the library takes 6 MB, and most profiles have no passphrase
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

#: 128 MiB and, on a slow core, half a second for each guess.
_COST: Final = {"n": 2**17, "r": 8, "p": 1}
_FIXED: Final = {"form": "scrypt, AES-256-GCM", **_COST}
_DIGITS: Final = {"salt": 32, "nonce": 24, "sealed": 96}  # hexadecimal: 16, 12, and 32 bytes with a tag of 16


class WrongPassphraseError(IdiolectError, code="wrong-passphrase", exit_code=ExitCode.STORE, http_status=403):
    """The profile was locked with another passphrase, or no passphrase was given."""

    def __init__(self) -> None:
        """Say that another passphrase may be tried."""
        super().__init__("This is not the passphrase that the profile was locked with. Try again.")


def seal(key: str, passphrase: str) -> dict[str, Any]:
    """A key of 64 hexadecimal digits, sealed: what to write down, ready for JSON."""
    mark: dict[str, Any] = {**_FIXED, "salt": secrets.token_hex(16), "nonce": secrets.token_hex(12)}
    sealed = _cipher(mark, passphrase).encrypt(
        bytes.fromhex(mark["nonce"]), bytes.fromhex(key), _authenticated(mark)
    )
    return mark | {"sealed": sealed.hex()}


def opened(mark: dict[str, Any], passphrase: str) -> str:
    """The key that was sealed, 64 hexadecimal digits.

    Raises WrongPassphraseError (also where something was changed in the mark), and ValueError where it is no mark.
    """
    from cryptography.exceptions import InvalidTag

    if not all(_is_hex(mark.get(name), count) for name, count in _DIGITS.items()):
        raise ValueError("something is missing, or not of its form")
    if json.dumps({name: mark.get(name) for name in _FIXED}) != json.dumps(_FIXED):
        raise ValueError("something is not of its form")
    try:
        key = _cipher(mark, passphrase).decrypt(
            bytes.fromhex(mark["nonce"]), bytes.fromhex(mark["sealed"]), _authenticated(mark)
        )
    except InvalidTag:
        raise WrongPassphraseError from None
    return key.hex()


def _cipher(mark: dict[str, Any], passphrase: str) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return AESGCM(Scrypt(bytes.fromhex(mark["salt"]), 32, **_COST).derive(passphrase.encode()))


def _authenticated(mark: dict[str, Any]) -> bytes:
    """What is sealed with the key without being secret."""
    return json.dumps({name: mark[name] for name in (*_FIXED, "salt", "nonce")}, sort_keys=True).encode()


def _is_hex(value: object, count: int) -> bool:
    return isinstance(value, str) and re.fullmatch(rf"[0-9a-f]{{{count}}}", value) is not None


_LEFT: Final = "left"  # in the mark: where the key was, until it is seen to be gone from there


def refuse_without_store(settings: Settings) -> None:
    """Raise ProfileStateError or StoreLostError where the profile has no store."""
    refuse_lost(settings)
    if not settings.store_path.exists():
        raise ProfileStateError(
            f"There is no store in {settings.home} yet. Run `idiolect start` first; it makes one with a fresh key."
        )


def lock(settings: Settings, passphrase: str | None) -> None:
    """Lock the profile; with a passphrase the key is taken away.

    The caller holds the profile's lock. Cut off in the middle the profile is locked and can be unlocked. Raises what
    `store_key.obtain` raises, and KeyringLockedError where the profile is locked but the keyring may have its key.
    """
    refuse_without_store(settings)
    kept = store_key.obtain(settings)  # what cannot be unlocked must not be locked
    if passphrase is None:
        durable.write(settings.locked_path, b"{}\n")
        return
    mark = seal(kept.hex, passphrase)
    durable.write(settings.locked_path, _line(mark | {_LEFT: kept.origin}))
    if store_key.remove(settings, kept.origin) is not True:
        raise store_key.KeyringLockedError(
            "The profile is locked, but the keyring does not let go of the key, which opens the store without the "
            "passphrase. Unlock the keyring, then run `idiolect unlock` and `idiolect lock --passphrase` again."
        )
    durable.write(settings.locked_path, _line(mark))


def origin(settings: Settings) -> Literal["keyring", "file"] | None:
    """Where the store's key must be, by what the profile's files tell; None where there is none but in the mark."""
    if settings.key_path.exists():
        return "file"
    if not settings.store_path.exists():
        return None
    try:
        mark = _mark(settings)
    except store_key.KeyDamagedError:
        mark = {}
    return "keyring" if not mark or mark.get(_LEFT) == "keyring" else None


def needs_passphrase(settings: Settings) -> bool:
    """Whether the profile is locked with a passphrase."""
    return bool(_mark(settings))


def unlock(settings: Settings, passphrase: str | None) -> bool:
    """Unlock the profile; False where it was not locked. Raises WrongPassphraseError, KeyDamagedError.

    The caller holds the profile's lock.
    """
    if not settings.locked:
        return False
    if mark := _mark(settings):
        try:
            key = opened(mark, passphrase or "")
        except ValueError:
            raise _damaged(settings) from None
        store_key.put_back(settings, key)
    settings.locked_path.unlink()
    return True


def _mark(settings: Settings) -> dict[str, Any]:
    """What the mark says; nothing where the profile is locked without a passphrase, or not at all."""
    try:
        mark = json.loads(read_small(settings.locked_path))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        raise _damaged(settings) from None
    except OSError as error:
        raise store_key.KeyDamagedError(
            f"{settings.locked_path} cannot be read: {error.strerror}. Make it readable for you alone."
        ) from None
    if not isinstance(mark, dict):
        raise _damaged(settings)
    return mark


def _damaged(settings: Settings) -> store_key.KeyDamagedError:
    return store_key.KeyDamagedError(
        f"{settings.locked_path} is damaged. Put back a copy of it, or of the whole profile."
    )


def _line(mark: dict[str, Any]) -> bytes:
    return json.dumps(mark).encode() + b"\n"
