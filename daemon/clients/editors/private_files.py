"""Files that the language server ignores, or learns nothing from."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Final

from idiolect.daemon.ingest.file_discovery import Exclusion, Ignored
from idiolect.daemon.profile_paths import real_path
from idiolect.daemon.settings import Settings

#: Where password managers put text while it is edited, besides what is never read.
_SECRETS: Final = ("/dev/shm", "pass.*", "gopass*")  # noqa: S108 (nothing is written there)


class Privacy:
    """Which files are not looked at, and from which nothing is learned."""

    def __init__(self, settings: Settings) -> None:
        """By the settings' `exclude`, `.idiolectignore` files, and places that are for secrets."""
        self._exclusion = Exclusion((*settings.exclude, *_SECRETS, glob.escape(str(settings.home))))

    def covers(self, path: Path, *, hidden: bool) -> bool:
        """Whether a file is not to be looked at; with `hidden`, what is in a hidden folder is not either."""
        return any(
            self._exclusion.covers(one, Path(one.anchor), hidden=hidden)
            or Ignored().covers(one, Path(one.anchor))
            for one in {path, real_path(path)}
        )
