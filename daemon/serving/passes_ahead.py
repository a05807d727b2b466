"""When the model computes what nobody waits for yet: what the next key may need, and text that was just learned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from idiolect.adapters.memory.steps import Steps
from idiolect.adapters.prediction.next_token import ACTIVE_S
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.daemon.runtime.power import PowerSource
from idiolect.daemon.serving.model_queue import ModelQueue, Priority

_PREFETCH_AFTER_S: Final = 0.01  # after a suggestion: a typist's pause, not a program's
# On battery a pass is made ahead only if its word is likely to come two times of three.
_MIN_PROB_ON_BATTERY: Final = 2 / 3
_READ_AFTER_S: Final = 0.2  # without a new text, before recent text is read again
_MAX_DOUBLED: Final = 5  # the wait doubles with each text in a row, at most so often


class PassesAhead:
    """Makes passes while nothing more urgent is done. Any thread may call its methods.

    Args:
        queue: the model's queue.
        serving: returns the predictor that serves.
    """

    def __init__(self, queue: ModelQueue, serving: Callable[[], Predictor]) -> None:
        self._serving = serving
        self._power = PowerSource()
        self._texts_in_row = 0  # learned since a suggestion was asked for
        self._reading = queue.delayed("warm", self._read, Priority.LOOK_AHEAD, _READ_AFTER_S)
        self._prefetching = queue.delayed(
            "prefetch", self._prefetch, Priority.LOOK_AHEAD, _PREFETCH_AFTER_S, self._make_way
        )
        self._reading.ask(0.0)

    def expect_key(self) -> None:
        """Compute what may be asked for next, once nothing is asked for."""
        self._texts_in_row = 0
        self._prefetching.ask()

    def read_learned(self) -> None:
        """Read recent text again, once no more is learned.

        Texts that come one after another, while nobody types, must not each be read before the next is learned.
        """
        self._reading.ask(_READ_AFTER_S * 2 ** min(self._texts_in_row, _MAX_DOUBLED))
        self._texts_in_row += 1

    def _read(self) -> Steps[None]:
        predictor = self._serving()
        if predictor.next_token.keeps_recent():  # else the first key after a pause would wait for all of it
            self._reading.ask(ACTIVE_S)
        else:
            yield from predictor.warm()

    def _prefetch(self) -> Steps[None]:
        look_ahead = self._serving().look_ahead
        return (
            look_ahead.make_passes(_MIN_PROB_ON_BATTERY)
            if self._power.is_battery
            else look_ahead.make_passes()
        )

    def _make_way(self, typed: str | None) -> None:
        self._serving().look_ahead.make_way(typed)
