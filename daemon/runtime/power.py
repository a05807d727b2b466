"""Whether the machine runs on battery."""

from __future__ import annotations

import time
from typing import Final

import psutil

_HOLDS_S: Final = 10.0


class PowerSource:
    """Whether the machine runs on its battery, looked up at most every ten seconds: it is asked for at every key."""

    def __init__(self) -> None:
        self._looked_at = float("-inf")
        self._on_battery = False

    @property
    def is_battery(self) -> bool:
        """True as :func:`is_on_battery` said within the last ten seconds."""
        now = time.monotonic()
        if now - self._looked_at > _HOLDS_S:
            self._looked_at, self._on_battery = now, is_on_battery()
        return self._on_battery


def is_on_battery() -> bool:
    """Return True if the machine runs on its battery; False also where the platform cannot tell."""
    try:
        battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    except OSError:  # a container without /sys
        return False
    return battery is not None and battery.power_plugged is False
