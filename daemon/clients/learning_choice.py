"""Whether the keyboard learns: the user's choice at install and in the menu, off at first."""

from __future__ import annotations

import json

from idiolect.daemon.settings import Settings
from idiolect.models import durable
from idiolect.models.regular_files import read_small


class LearningChoice:
    """Kept in the profile, beside the settings."""

    def __init__(self, settings: Settings) -> None:
        """Read what was chosen."""
        self._path = settings.keyboard_path
        try:
            told = json.loads(read_small(self._path))
            self.learn = told["learn"] is True
        except (OSError, ValueError, RecursionError, KeyError, TypeError):
            self.learn = False

    def set(self, *, learn: bool) -> None:
        """Choose, and keep it."""
        self.learn = learn
        durable.write(self._path, json.dumps({"learn": learn}).encode())
