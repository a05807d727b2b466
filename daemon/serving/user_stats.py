"""What is known of the user's suggestions and typing speed, kept as counts: how reliable probabilities are for them."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar

from idiolect.adapters.prediction.calibration import WHOLE_WORDS, Calibration, acceptance_rate
from idiolect.adapters.prediction.ghost_value import USUAL_KEY_MS, GhostValue, Show
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.daemon.storage.records import (
    BASE_MIXTURE,
    GHOST_CALIBRATION,
    GHOST_WORD_CALIBRATION,
    MIXTURE,
    Tenth,
)
from idiolect.daemon.storage.store import Store
from idiolect.models.errors import IdiolectError

T = TypeVar("T")

log = logging.getLogger("idiolect.stats")

_KEY_MS: Final = "key_ms"  # state: the median time between two letters
_SAVED_EVERY: Final = 100  # events that the calibration learns from
_KEY_MS_STEP: Final = 0.005
_UPTAKE_DAYS: Final = 90  # of feedback that count for how readily ghosts are shown


class UserStats:
    """What is known of ghosts and of the memory's share, over restarts.

    ``calibration`` and ``word_calibration`` are the live ones, which predictors teach in the model's thread.
    ``measured_key_ms`` is the median of the times between two letters that programs have told, None before; no sequence
    of times is kept, which could tell persons apart.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.calibration = self._kept(GHOST_CALIBRATION, Calibration.from_json) or Calibration()
        self.word_calibration = self._kept(GHOST_WORD_CALIBRATION, Calibration.of_whole_words) or Calibration(
            prior=WHOLE_WORDS
        )
        self.measured_key_ms = self._kept(_KEY_MS, _positive)
        self._events_kept = self._events

    def _kept(self, name: str, read: Callable[[Any], T]) -> T | None:
        kept = self._store.state.get(name)
        try:
            return None if kept is None else read(kept)
        except ValueError:
            log.error("what was known of how far grey text can be believed is damaged, and begins anew")
            return None

    @property
    def _events(self) -> int:
        return self.calibration.events + self.word_calibration.events

    def mixture(self, adapter_id: int | None) -> list[Any] | None:
        """The memory's weights as they last were beside this adapter (None: the base), if it was the one served."""
        kept = self._store.state.get(MIXTURE)
        return kept["weights"] if kept is not None and kept["adapter"] == adapter_id else None

    @property
    def key_ms(self) -> float:
        """The time between two letters for which ghosts are judged: the usual one until it is measured."""
        return self.measured_key_ms or USUAL_KEY_MS

    def learn_key_ms(self, told: float) -> None:
        """Move the running median towards a program's own, by a step for each time that it is told (Tierney 1983).

        The first that is told counts as it is.
        """
        known = self.measured_key_ms
        if known is None:
            self.measured_key_ms = told
        elif told > known:
            self.measured_key_ms = min(known * (1.0 + _KEY_MS_STEP), told)
        else:
            self.measured_key_ms = max(known / (1.0 + _KEY_MS_STEP), told)

    def uptake(self) -> float:
        """How much of what is right is really taken, by the feedback of late."""
        tenths = self.shown_ghosts()
        return acceptance_rate([tenth.accepted for tenth in tenths], [tenth.dismissed for tenth in tenths])

    def shown_ghosts(self) -> tuple[Tenth, ...]:
        """What became of the ghosts that were shown of late, by tenth of their probability, the lowest first."""
        return self._store.feedback.reliability("ghost", today() - timedelta(days=_UPTAKE_DAYS))

    def holds_ghosts_back(self, show: Show) -> bool:
        """Whether even likely ghosts are held back from who wants to see so much, since few were taken of late."""
        return GhostValue.of(show, self.key_ms / 1e3, self.uptake()).holds_back

    def learned(self, predictor: Predictor, *, least: int = _SAVED_EVERY) -> dict[str, Any]:
        """What :meth:`keep` is to save: nothing where fewer than ``least`` events were learned since the last time."""
        if self._events - self._events_kept < least:
            return {}
        self._events_kept = self._events
        learned: dict[str, Any] = {
            GHOST_CALIBRATION: self.calibration.to_json(),
            GHOST_WORD_CALIBRATION: self.word_calibration.to_json(),
            MIXTURE: {"adapter": predictor.adapter_id, "weights": predictor.mixture.to_json()},
        }
        if self.measured_key_ms is not None:
            learned[_KEY_MS] = round(self.measured_key_ms)
        return learned

    def keep(self, learned: Mapping[str, Any]) -> None:
        """Save what :meth:`learned` returned."""
        try:
            for name, value in learned.items():
                self._store.state.set(name, value)
        except IdiolectError as error:  # the entry itself is stored: whoever sent it must not send it again
            log.error("how far suggestions can be trusted was not kept: %s", error.code)


def _positive(value: Any) -> float:
    if not (isinstance(value, int | float) and 0 < value < math.inf):
        raise ValueError("the time between two letters is no positive number")
    return float(value)


def judged_mixture(store: Store, adapter_id: int | None) -> list[Any] | None:
    """The memory's weights that an adapter (None: the base) was judged with in a round, if it ever was."""
    if adapter_id is None:
        kept: list[Any] | None = store.state.get(BASE_MIXTURE)
        return kept
    return next((row.metrics.get("mixture") for row in store.adapters.all() if row.id == adapter_id), None)


def today() -> date:
    """The day that feedback is counted under: UTC's, so that no day is ever longer or shorter than another."""
    return datetime.now(UTC).date()
