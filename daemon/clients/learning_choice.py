"""Whether the keyboard learns, off at first, and a pause that the service has not heard: what its user chose."""

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
        self._read()

    def _read(self) -> None:
        self.learn = False
        #: When learning was paused, in seconds since 1970, while the service has not heard of that.
        self.unheard_pause_s: float | None = None
        try:
            kept = json.loads(read_small(self._path))
            self.learn = kept["learn"] is True
            self.unheard_pause_s = (
                None if (since_s := kept.get("unheard_pause_s")) is None else float(since_s)
            )
        except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError, OverflowError):
            pass

    def set(self, *, learn: bool) -> None:
        """Choose whether the keyboard learns, and keep it."""
        self.learn = learn
        self._write()

    def keep_pause(self, since_s: float | None) -> None:
        """Keep since when learning is paused unheard; None: no pause is unheard."""
        if since_s != self.unheard_pause_s:
            self._read()  # whether the keyboard learns may have been chosen in a terminal meanwhile
            self.unheard_pause_s = since_s
            self._write()

    def _write(self) -> None:
        kept = {"learn": self.learn, "unheard_pause_s": self.unheard_pause_s}
        durable.write(self._path, json.dumps(kept).encode())
