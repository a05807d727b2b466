"""Opening a profile's store: it finds the key, notices a lost store, and updates the marker.

A profile that had a store never begins another by itself.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage import store_copies
from idiolect.daemon.storage.encrypted_file import fits
from idiolect.daemon.storage.errors import StoreUnreadableError, refused
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import marker, store_key
from idiolect.daemon.vault.marker import Marker
from idiolect.models import durable
from idiolect.models.errors import ExitCode, IdiolectError

_LOGS: Final = ("-wal", "-shm")


class ProfileStateError(IdiolectError, code="profile-state", exit_code=ExitCode.CONFLICT, http_status=409):
    """The profile has no store yet, or a store that would be lost."""


def open_store(settings: Settings, key: str | None = None, *, busy_timeout_s: float = 5.0) -> Store:
    """Open the profile's store, or make the first one; to be closed by the caller.

    `key` is its key where that is known already. Raises StoreLostError, what `keys.obtain` raises, and what
    `Store.open` raises; then nothing was changed.
    """
    state = marker.presence(settings)
    found = marker.read(settings)
    if state == "none" and (found is None or not found.begun) and _has_key(settings):
        state = "empty" if settings.store_path.exists() else "missing"
    if state in ("missing", "empty"):
        raise marker.lost(settings, state)
    if key is None:
        key = store_key.obtain(settings).hex
    new = state == "none"
    try:
        store = Store.open(settings.store_path, key, busy_timeout_s=busy_timeout_s, new=new)
    except StoreUnreadableError:
        raise StoreUnreadableError(
            f"The store {settings.store_path} cannot be read: it is damaged or cut short, or its key does not fit. "
            f"Nothing was changed. {marker.ways_back(settings)}"
        ) from None
    try:
        marker.write(settings, Marker(made=True))
    except BaseException:
        store.close()
        raise
    return store


@contextlib.contextmanager
def damage_explained(settings: Settings) -> Iterator[None]:
    """Say what to do where the block, which reads the open store, meets a damaged page. Raises StoreUnreadableError."""
    try:
        yield
    except StoreUnreadableError:
        raise StoreUnreadableError(marker.damaged(settings)) from None


def begin_anew(settings: Settings) -> list[Path]:
    """Put what is left of a lost or damaged store aside, so that the next start makes another; what was put where.

    Nothing is deleted. Raises AlreadyRunningError, LockedError, ProfileStateError, and KeyringLockedError where the
    keyring may hold a key that opens it; and StoreFullError, StorePermissionError.
    """
    settings.prepare()
    try:
        with process.locked(settings):
            return _begin_anew(settings)
    except OSError as error:
        raise refused(settings.store_path, error) from None


def _begin_anew(settings: Settings) -> list[Path]:
    if settings.locked:
        raise store_key.LockedError
    found, key, moved = marker.read(settings), None, []
    try:
        key = store_key.obtain(settings, new=False).hex
    except store_key.KeyMissingError:
        pass
    except store_key.KeyDamagedError:
        if settings.key_path.exists():
            if not os.access(settings.key_path, os.R_OK):  # it may be the right key
                raise
            moved.append(
                settings.key_path.rename(
                    settings.key_path.with_name(f"{settings.key_path.name}.lost-{stamp()}")
                )
            )
    if key is not None and is_sound(settings.store_path, key):
        raise ProfileStateError(
            f"The store {settings.store_path} opens, and all of it can be read, so it stays. `idiolect forget` "
            "takes text out of it; `idiolect purge` removes the whole profile."
        )
    moved += move_aside(settings)
    if found is not None or moved:
        marker.write(settings, Marker(made=False))
    return moved


def health_of(store: Path, key: str) -> Literal["sound", "damaged", "other key"]:
    """Whether a key opens a store, and all of it can be read. Raises OSError, and the store's errors."""
    with store.open("rb"):
        pass
    try:
        if not re.fullmatch(r"[0-9a-f]{64}", key) or not fits(store, key):
            return "other key"
    except StoreUnreadableError:
        return "damaged"
    return "sound" if is_sound(store, key) else "damaged"


def is_sound(store: Path, key: str) -> bool:
    """Read all of a store: whether it is there, opens with the key and has no damage. Raises the store's errors."""
    try:
        if not (store.exists() and store.stat().st_size > 0 and fits(store, key)):
            return False
        store_copies.check(store, store_copies.raw(key))
    except (StoreUnreadableError, store_copies.CopyUnreadableError):
        return False
    return True


def move_aside(settings: Settings) -> list[Path]:
    """Give what is left of the store, its log included, names of its own; where it is now. Raises OSError.

    Cut off at any moment, the store is nowhere without its log: all have their new names before any loses its old one.
    """
    store, when = settings.store_path, stamp()
    asides = [
        (path, path.with_name(f"{store.name}.lost-{when}{ending}"))
        for ending in ("", *_LOGS)
        if (path := store.with_name(store.name + ending)).exists()
    ]
    for path, aside in reversed(asides):  # the store last, and below first
        os.link(path, aside)
    durable.sync_folder(store.parent)
    for path, _ in asides:
        path.unlink()
    return [aside for _, aside in asides]


def stamp() -> str:
    """What tells one file that is put aside from others: the time, and something drawn at random."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


def _has_key(settings: Settings) -> bool:
    """Whether a key is kept, in the keyring too; a keyring that gives no answer counts as empty."""
    try:
        store_key.obtain(settings, new=False)
    except (store_key.KeyMissingError, store_key.KeyringLockedError):
        return False
    return True
