"""Giving a profile's store another key."""

from __future__ import annotations

import contextlib

from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import store_key
from idiolect.daemon.vault.lock import refuse_without_store
from idiolect.daemon.vault.opening import ProfileStateError


def rekey_bytes(settings: Settings) -> int:
    """How much room a change of the key takes on the disk: every page goes through the store's log once more."""
    store = settings.store_path
    return 2**20 + (store.stat().st_size * 5 // 4 if store.exists() else 0)


def rekey(settings: Settings) -> store_key.StoreKey:
    """Encrypt the store with a new key; returns where that is kept.

    Raises ProfileStateError and what `store_key.change` raises. Killed at any moment, the next
    start finds the key that fits.
    """
    refuse_without_store(settings)
    if former := settings.former_store_paths:
        raise ProfileStateError(
            f"The store that a restore replaced is still kept in {former[-1]}, under the present key. Delete it, or "
            "move it away together with a copy of that key, then try again."
        )

    def rewrite(old: str, new: str) -> None:
        with contextlib.closing(Store.open(settings.store_path, old)) as store:
            store.rekey(new)
            store.events.add("rekey")

    return store_key.change(settings, rewrite)
