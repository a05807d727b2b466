"""Files that the language server ignores, or learns nothing from."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Final

from idiolect.daemon.ingest.file_discovery import Exclusion, Ignored
from idiolect.daemon.profile_paths import real_path
from idiolect.daemon.settings import Settings

#: Where password managers put text while it is edited; the service never reads other such places.
_SECRETS: Final = ("/dev/shm", "pass.*", "gopass*")  # noqa: S108 (nothing is written there)


class PrivateFiles:
    """The files that are not read, or not learned from."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings' `exclude`; `.idiolectignore` files and places for secrets count besides."""
        self._exclusion = Exclusion((*settings.exclude, *_SECRETS, glob.escape(str(settings.home))))

    def covers(self, path: Path, *, hidden: bool) -> bool:
        """Return whether a file is private; with `hidden`, every file in a hidden folder is."""
        return any(
            self._exclusion.covers(one, Path(one.anchor), hidden=hidden)
            or Ignored().covers(one, Path(one.anchor))
            for one in {path, real_path(path)}
        )
