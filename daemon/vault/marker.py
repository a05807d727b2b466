"""The marker file: it says that a store exists, so that a lost store is noticed.

A missing store looks like a store that was never made. The marker tells them apart. It is written when a first start
begins, before there is a key, and again once its store is whole.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final, Literal, TypeAlias

from idiolect.daemon.profile_paths import ProfilePaths
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.errors import refused
from idiolect.models import durable
from idiolect.models.errors import ExitCode, IdiolectError
from idiolect.models.regular_files import read_small

_DAMAGE: Final = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
)  # of a file that is no marker, or a part of a marker

Presence: TypeAlias = Literal["there", "missing", "empty", "none"]
"""Of a store: it is there, it was and is not, it is but holds nothing; or there never was one."""

_GONE: Final = {"missing": "is not there", "empty": "is empty"}


class StoreLostError(IdiolectError, code="store-lost", exit_code=ExitCode.STORE, http_status=500):
    """The profile had a store, and it is missing or empty."""


@dataclass(frozen=True)
class Marker:
    """What the file says. Without `made`, a first start has begun whose store is not known to be whole.

    Without `begun`, no key was made for it yet: the folder is a profile, and that is all.
    """

    made: bool
    begun: bool = True


@dataclass(frozen=True)
class StoreHealth:
    """Whether the store's file is there; `mend` says what to do where it is not, in sentences."""

    state: Presence
    mend: str | None


def read(settings: Settings) -> Marker | None:
    """The profile's marker, None where there is none; an unreadable marker says only that there was a store."""
    try:
        return _parsed(read_small(settings.marker_path))
    except FileNotFoundError:
        return None
    except (OSError, *_DAMAGE):
        return Marker(made=True)


def stands(settings: ProfilePaths) -> bool:
    """Whether the folder is a profile: a whole marker of this program's is there."""
    try:
        _parsed(read_small(settings.marker_path))
    except (OSError, *_DAMAGE):
        return False
    return True


def _parsed(written: bytes) -> Marker:
    """What a marker's file says. Raises the errors of `_DAMAGE`."""
    found = json.loads(written)
    return Marker(bool(found["made"]), bool(found["begun"]))


def write(settings: Settings, marker: Marker) -> None:
    """Put the marker there, unless it says this already. Raises StoreFullError, StorePermissionError."""
    if stands(settings) and read(settings) == marker:
        return
    try:
        durable.write(settings.marker_path, json.dumps(asdict(marker)).encode())
    except OSError as error:
        raise refused(settings.marker_path, error) from None


def begin(settings: Settings) -> None:
    """Note that a first store is being made, unless there was one. Raises what :func:`write` raises."""
    found = read(settings)
    if found is None or not found.begun:
        write(settings, Marker(made=False))


def claim(settings: Settings) -> None:
    """Note that the folder is a profile, before anything large comes into it. Raises what :func:`write` raises."""
    if not settings.marker_path.exists():
        write(settings, Marker(made=False, begun=False))


def presence(settings: Settings) -> Presence:
    """Whether the profile's store is there. The keyring is not asked, so a key in it counts for nothing."""
    try:
        if settings.store_path.stat().st_size > 0:
            return "there"
        state: Presence = "empty"
    except FileNotFoundError:
        state = "missing"
    found = read(settings)
    if found is not None and found.begun:
        return state if found.made else "none"
    # The marker is lost, too: the key says the same.
    keys = (settings.key_path, settings.locked_path)
    return state if any(path.exists() for path in keys) else "none"


def standing(settings: Settings) -> StoreHealth:
    """What is known without reading the store, with or without a running service."""
    state = presence(settings)
    mend = None
    if state in ("missing", "empty"):
        mend = f"The store {settings.store_path} {_GONE[state]}. {ways_back(settings)}"
    return StoreHealth(state, mend)


def damaged(settings: Settings) -> str:
    """That a part of the store cannot be read, and what can be done."""
    return (
        f"A part of the store {settings.store_path} is damaged. Keep a copy of the profile and check the disk. "
        f"{ways_back(settings)}"
    )


def lost(settings: Settings, state: Literal["missing", "empty"]) -> StoreLostError:
    """The error that says that the store is gone, and what can be done."""
    return StoreLostError(
        f"The store of the profile {settings.home} is lost: {settings.store_path} {_GONE[state]}, and it held what was "
        f"learned. Nothing was changed. {ways_back(settings)}"
    )


def refuse_lost(settings: Settings) -> None:
    """Raises StoreLostError where the profile had a store that is not there; a keyring is not asked."""
    state = presence(settings)
    if state in ("missing", "empty"):
        raise lost(settings, state)


def ways_back(settings: Settings) -> str:
    """What to do about a store that is lost or damaged, in sentences: put back a copy, a backup, or begin anew."""
    ways = ["Put the file back if you have it"]
    if former := settings.former_store_paths:
        ways.append(f"{former[-1]}, moved there, is the store from before the last restore")
    ways.append("`idiolect restore FILE` puts back a backup")
    ways.append("`idiolect start --new-store` begins anew with an empty one and keeps aside what is left")
    return f"{'; '.join(ways)}."
