"""Locking a profile, and unlocking it.

Locked, the service runs without key, text and adapter, in a process that never loaded them. With a passphrase the key
is gone, too: it is in the mark, sealed, and nowhere else. Without one, whoever can run the user's commands can unlock.
"""

from __future__ import annotations

import json
from typing import Any, Final, Literal

from idiolect.daemon.settings import Settings
from idiolect.daemon.vault import store_key
from idiolect.daemon.vault.marker import refuse_lost
from idiolect.daemon.vault.opening import ProfileStateError
from idiolect.daemon.vault.sealed_key import open_sealed, seal
from idiolect.models import durable
from idiolect.models.regular_files import read_small

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
            key = open_sealed(mark, passphrase or "")
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
