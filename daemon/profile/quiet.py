"""Quiet: nothing is suggested for a while, over restarts; learning goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idiolect.daemon.profile.decisions import Decision
from idiolect.daemon.profile.events import Decided

if TYPE_CHECKING:
    from idiolect.daemon.profile.profile import Profile

_UNTIL: Final = "quiet_until_s"  # state: in seconds since 1970; 0 once it was ended


@dataclass(frozen=True)
class BeQuiet(Decision[None], about="quiet"):
    """Nothing is suggested for `for_s` seconds from now on; 0: suggestions are shown again."""

    for_s: float

    def apply(self, profile: Profile) -> None:
        """Keep until when."""
        profile.store.state.set(_UNTIL, time.time() + self.for_s if self.for_s else 0.0)


class Quiet:
    """Until when nothing is suggested. Safe to use from several threads."""

    def __init__(self, profile: Profile, clock: Callable[[], float] = time.time) -> None:
        """Go on with what the store knows; `clock` gives seconds since 1970."""
        self._profile, self._clock = profile, clock
        self._read()
        profile.events.subscribe(Decided, lambda event: self._read() if event.is_about("quiet") else None)

    @property
    def left_s(self) -> float:
        """How many seconds nothing is suggested from now on; 0 while suggestions are shown."""
        return max(self._until_s - self._clock(), 0.0)

    def _read(self) -> None:
        self._until_s: float = self._profile.store.state.get(_UNTIL, 0.0)
