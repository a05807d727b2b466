"""Reports of a long start, so that a program that waits for the service goes on waiting.

With much text, encoding it for another base model and learning it take minutes. The report is a file, which each
program that waits can read; a systemd that waits gets a message, too.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

from idiolect.models import durable
from idiolect.models.regular_files import read_small

StartProgress: TypeAlias = tuple[str, float | None]
"""What a service that starts is at ("encode" or "learn"), and the share of it that is done, 0 to 1, where known."""

TOLD_EVERY_S: Final = 1.0
_FILE: Final = "starting"


class StartReport:
    """Reports a start that goes on, once a second.

    Args:
        folder: what exists for the running service only.
        notify: is called with each report.
    """

    def __init__(self, folder: Path, notify: Callable[[], None]) -> None:
        self._path = folder / _FILE
        self._notify = notify
        self._told_at = time.monotonic()

    def __call__(self, phase: str, done: float | None = None) -> None:
        """Report how far the start has come: the two parts of a :data:`StartProgress`."""
        now = time.monotonic()
        if now - self._told_at < TOLD_EVERY_S:
            return
        self._told_at = now
        with contextlib.suppress(OSError):  # on a full disk it is given up like any start
            durable.write(self._path, json.dumps([phase, done, now]).encode())
        self._notify()

    def end(self) -> None:
        """Leave no file behind: the service answers."""
        self._path.unlink(missing_ok=True)


class Patience:
    """The time for which a start is waited for: it begins anew with each report of the service.

    Args:
        folder: what exists for the running service only.
        limit_s: the longest silence.
        show: is called with each report.
    """

    def __init__(
        self, folder: Path, limit_s: float, show: Callable[[StartProgress], None] | None = None
    ) -> None:
        self._path, self._limit_s, self._show = folder / _FILE, limit_s, show
        self._seen = self._read()  # of an earlier start that was killed
        self._deadline = time.monotonic() + limit_s

    def left_s(self) -> float:
        """Return the seconds that are left, 0 once it is over."""
        if (now := self._read()) not in (None, self._seen):
            self._seen, self._deadline = now, time.monotonic() + self._limit_s
            if self._show is not None:
                self._show((now[0], now[1]))
        return max(0.0, self._deadline - time.monotonic())

    def _read(self) -> Any:
        try:
            return json.loads(read_small(self._path))
        except (OSError, ValueError):
            return None
