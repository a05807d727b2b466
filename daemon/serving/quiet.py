"""Quiet: nothing is suggested for a while, over restarts; learning goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from idiolect.daemon.profile.profile import Profile

_UNTIL: Final = "quiet_until_s"  # state: in seconds since 1970; 0 once it was ended


class Quiet:
    """Until when nothing is suggested. Safe to use from several threads."""

    def __init__(self, profile: Profile, clock: Callable[[], float] = time.time) -> None:
        """Go on with what the store knows; `clock` gives seconds since 1970."""
        self._profile, self._clock = profile, clock
        self._until_s: float = profile.store.state.get(_UNTIL, 0.0)

    @property
    def left_s(self) -> float:
        """How many seconds nothing is suggested from now on; 0 while suggestions are shown."""
        return max(self._until_s - self._clock(), 0.0)

    def begin(self, minutes: int) -> None:
        """Suggest nothing for so many minutes from now on. Raises the store's errors."""
        self._set(self._clock() + minutes * 60.0)

    def end(self) -> None:
        """Suggest again. Raises the store's errors."""
        self._set(0.0)

    def _set(self, until_s: float) -> None:
        self._profile.decide("quiet", lambda: self._profile.store.state.set(_UNTIL, until_s))
        self._until_s = until_s
