"""Purge: removes every file of a profile and its key, and verifies that nothing is left."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.records import SYNC
from idiolect.daemon.vault import lock, marker, store_key
from idiolect.daemon.vault.opening import open_store
from idiolect.models.errors import ExitCode, IdiolectError


class PurgeIncompleteError(
    IdiolectError, code="purge-incomplete", exit_code=ExitCode.NO_ROOM, http_status=500
):
    """Some of the profile could not be removed."""


class NoProfileError(IdiolectError, code="no-profile", exit_code=ExitCode.CONFLICT, http_status=409):
    """The folder is no profile, so nothing in it is the program's to remove."""


@dataclass(frozen=True)
class Purged:
    """What was removed: names in the profile's folder with their bytes, and whether the folder itself is gone.

    `left` are files that are not the program's, by their paths in the folder; they stay.
    """

    removed: dict[str, int]
    folder_gone: bool
    left: tuple[str, ...]


def require_profile(settings: Settings) -> None:
    """Raise NoProfileError where a folder is there that is not empty and has no marker of this program's."""
    if settings.home.is_dir() and any(settings.home.iterdir()) and not marker.stands(settings):
        raise NoProfileError(
            f"{settings.home} is no profile: the file {settings.marker_path.name}, which every profile has, is not "
            "there or is damaged. Nothing was removed. Name the profile's folder in IDIOLECT_HOME. If it is one after "
            "all, start it once, or delete its files by hand."
        )


def contents(settings: Settings) -> dict[str, int]:
    """The profile's own files and folders by name, with the bytes that they hold; nothing for an absent profile.

    Raises NoProfileError.
    """
    require_profile(settings)
    if not settings.home.is_dir():
        return {}
    return {
        path.name: _size(settings, path) for path in sorted(settings.home.iterdir()) if settings.owns(path)
    }


def find_shared_folder(settings: Settings) -> str | None:
    """The folder that the profile shares with other devices; None where it shares none, or its store does not open."""
    if not settings.store_path.exists():
        return None
    with contextlib.suppress(IdiolectError, OSError), contextlib.closing(open_store(settings)) as store:
        shared = store.state.get(SYNC)
        return None if shared is None else str(shared["path"])
    return None


def purge(settings: Settings) -> Purged:
    """Remove the profile. No service runs; none can be started meanwhile. Raises NoProfileError, PurgeIncompleteError.

    A link is removed and what it points to stays: that was somebody else's. In the program's own folders, too, only
    what it made itself is removed. The marker goes last, so that a purge that was cut off can be done again.
    """
    removed = contents(settings)
    if not removed:
        store_key.remove(settings, None)
        return Purged({}, not settings.home.exists(), ())
    settings.run_dir.mkdir(mode=0o700, exist_ok=True)
    with process.locked(settings):
        key_gone = store_key.remove(settings, lock.origin(settings))
        for name in removed:
            # The first holds the lock.
            if name not in (settings.run_dir.name, settings.marker_path.name):
                _remove(settings, settings.home / name)
    _remove(settings, settings.run_dir)
    if still := [name for name in _left(settings) if settings.owns(settings.home / name)]:
        names = [name for name in still if name != settings.marker_path.name]
        if names:
            raise PurgeIncompleteError(
                f"{settings.home} still holds {', '.join(names)}. Close the programs that use it, make it writable, "
                "and run `idiolect purge` again."
            )
        _remove(settings, settings.marker_path)
    left = _left(settings)
    if not left:
        settings.home.rmdir()
    if not key_gone:
        raise PurgeIncompleteError(
            f"The files are gone, but the key {'may be' if key_gone is None else 'is still'} in the keyring, under the "
            f"name `idiolect` and {settings.home}: it gives no answer here. It opens nothing that is left but copies "
            "of the store. Run `idiolect purge` again where the keyring is unlocked, or remove it there."
        )
    return Purged(removed, not left, left)


def remove_base(settings: Settings, folder: Path) -> int:
    """Remove a base model, or parts of one, and return the bytes that it took.

    Raises NoProfileError, PurgeIncompleteError.
    """
    if not (folder.is_dir() and any(folder.iterdir())):
        return 0
    require_profile(settings)
    size_bytes = _size(settings, folder)
    _remove(settings, folder)
    if _size(settings, folder):
        raise PurgeIncompleteError(f"Not all of {folder} could be removed. Make it writable, and try again.")
    return size_bytes


def _own(settings: Settings, path: Path) -> list[Path]:
    """What the program made at or below `path`, what is in a folder before the folder."""
    if not settings.owns(path):
        return []
    if path.is_symlink() or not path.is_dir():
        return [path]
    return [*(one for inner in sorted(path.iterdir()) for one in _own(settings, inner)), path]


def _left(settings: Settings) -> tuple[str, ...]:
    """What is in the profile's folder, and of its own folders what is in them; by path in it, in order."""
    found: list[Path] = []
    for path in sorted(settings.home.iterdir()):
        inner = settings.owns(path) and path.is_dir() and not path.is_symlink()
        below = sorted(path.rglob("*")) if inner else []
        found += [one for one in below if one.is_symlink() or not one.is_dir() or not any(one.iterdir())] or [
            path
        ]
    return tuple(path.relative_to(settings.home).as_posix() for path in found)


def _size(settings: Settings, path: Path) -> int:
    return sum(one.lstat().st_size for one in _own(settings, path) if one.is_symlink() or one.is_file())


def _remove(settings: Settings, path: Path) -> None:
    for one in _own(settings, path):
        with contextlib.suppress(OSError):  # what is left is looked for afterwards
            if one.is_dir() and not one.is_symlink():
                one.rmdir()
            else:
                one.unlink()
