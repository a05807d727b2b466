"""Removing a profile for good: every file of it, and its key from the keyring; and seeing that nothing is left."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from idiolect.daemon.profile import locking
from idiolect.daemon.runtime import process
from idiolect.daemon.storage import keys
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from pathlib import Path

    from idiolect.daemon.settings import Settings


class PurgeIncompleteError(IdiolectError):
    """Some of the profile could not be removed."""

    code: ClassVar[str] = "purge-incomplete"
    exit_code: ClassVar[int] = 82
    http_status: ClassVar[int] = 500


@dataclass(frozen=True)
class Purged:
    """What was removed: names in the profile's folder with their bytes, and whether the folder itself is gone.

    `left` are files that are not the program's, which stay.
    """

    removed: dict[str, int]
    folder_gone: bool
    left: tuple[str, ...]


def contents(settings: Settings) -> dict[str, int]:
    """The profile's own files and folders by name, with the bytes that they hold; nothing for an absent profile."""
    if not settings.home.is_dir():
        return {}
    return {path.name: _size(path) for path in sorted(settings.home.iterdir()) if settings.owns(path)}


def purge(settings: Settings) -> Purged:
    """Remove the profile. No service runs; none can be started meanwhile. Raises PurgeIncompleteError.

    A link is removed and what it points to stays: that was somebody else's.
    """
    removed = contents(settings)
    if not removed:
        keys.remove(settings, None)
        return Purged({}, not settings.home.exists(), ())
    settings.run_dir.mkdir(mode=0o700, exist_ok=True)
    with process.locked(settings):
        key_gone = keys.remove(settings, locking.origin(settings))
        for name in removed:
            if name != settings.run_dir.name:  # it holds the lock
                _remove(settings.home / name)
    _remove(settings.run_dir)
    left = sorted(path.name for path in settings.home.iterdir())
    if still := [name for name in left if settings.owns(settings.home / name)]:
        raise PurgeIncompleteError(
            f"{settings.home} still holds {', '.join(still)}. Close the programs that use it, make it writable, and "
            "run `idiolect purge` again."
        )
    if not left:
        settings.home.rmdir()
    if not key_gone:
        raise PurgeIncompleteError(
            f"The files are gone, but the key {'may be' if key_gone is None else 'is still'} in the keyring, under the "
            f"name `idiolect` and {settings.home}: it gives no answer here. It opens nothing that is left but copies "
            "of the store. Run `idiolect purge` again where the keyring is unlocked, or remove it there."
        )
    return Purged(removed, not left, tuple(left))


def _size(path: Path) -> int:
    files = (
        [path]
        if path.is_file() or path.is_symlink()
        else [file for file in path.rglob("*") if file.is_file()]
    )
    return sum(file.lstat().st_size for file in files)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)  # what is left is looked for afterwards
    else:
        path.unlink(missing_ok=True)
