"""The time of the event that is handled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass
class Clock:
    """Set by whoever hands events to a session: `now_s` never goes back, `unix_s` is in seconds since 1970."""

    now_s: float = 0.0
    unix_s: float = 0.0

    @property
    def date(self) -> str:
        """The time as ISO 8601 has it."""
        return datetime.fromtimestamp(self.unix_s, UTC).isoformat()
