"""Where the machine has its power from."""

from __future__ import annotations

import psutil


def is_on_battery() -> bool:
    """Return True if the machine runs on its battery; False also where the platform cannot tell."""
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    return battery is not None and battery.power_plugged is False
