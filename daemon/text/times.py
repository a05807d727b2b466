"""When a pause ends, in words."""

from __future__ import annotations

from datetime import datetime, timedelta


def describe_end(left_s: float | None) -> str:
    """When a pause ends that goes on for so many seconds (None: until it is ended), by this machine's clock."""
    if left_s is None:
        return "until `idiolect pause --end`"
    now = datetime.now()
    end = now + timedelta(seconds=left_s)
    return f"until {end:%H:%M}" if end.date() == now.date() else f"until {end:%Y-%m-%d %H:%M}"
