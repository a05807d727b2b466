"""What is known of the user's suggestions and typing speed, kept as counts: how reliable probabilities are for them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar

from idiolect.adapters.mending.hand import Hand
from idiolect.adapters.prediction.calibration import WHOLE_WORDS, Calibration, estimate_uptake
from idiolect.adapters.prediction.look_value import USUAL_KEY_MS, LookValue, Show
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.daemon.serving.typing_speed import LetterTimes
from idiolect.daemon.storage.records import (
    BASE_MIXTURE,
    GHOST_CALIBRATION,
    GHOST_WORD_CALIBRATION,
    MIXTURE,
    SLIPS,
    Tenth,
)
from idiolect.daemon.storage.store import Store
from idiolect.models.errors import IdiolectError

T = TypeVar("T")

log = logging.getLogger("idiolect.stats")

_LETTER_TIMES: Final = "letter_times"  # state: counts of times between two letters, by day
_WORD_MS: Final = 12_000.0  # a word of five characters in a minute, times the milliseconds of a character
_SAVED_EVERY: Final = 100  # events that the calibration learns from
_UPTAKE_DAYS: Final = 90  # of feedback that count for how readily ghosts are shown


class UserStats:
    """What is known of ghosts and of the memory's share, over restarts.

    ``calibration`` and ``word_calibration`` are the live ones, which predictors teach in the model's thread.
    ``speed`` is what the user says of theirs, in words a minute; 0: it is measured.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.calibration = self._kept(GHOST_CALIBRATION, Calibration.from_json) or Calibration()
        self.word_calibration = self._kept(GHOST_WORD_CALIBRATION, Calibration.of_whole_words) or Calibration(
            prior=WHOLE_WORDS
        )
        self.letter_times = self._kept(_LETTER_TIMES, LetterTimes.from_json) or LetterTimes()
        self.speed = 0
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
        """The memory's weights as they last were beside this adapter (None: the base), or as it was judged with."""
        kept = self._store.state.get(MIXTURE)
        if kept is not None and kept["adapter"] == adapter_id and kept["weights"]:
            weights: list[Any] = kept["weights"]
            return weights
        return judged_mixture(self._store, adapter_id)

    @property
    def key_ms(self) -> float:
        """The time between two letters for which ghosts are judged: the usual one until it is known."""
        return self.known_key_ms or USUAL_KEY_MS

    @property
    def known_key_ms(self) -> float | None:
        """The same as the user says or as it was measured; None until then."""
        return _WORD_MS / self.speed if self.speed else self.letter_times.median_ms

    def learn_letter_ms(self, ms: float) -> None:
        """Count a program's median of the last times between two letters, in milliseconds."""
        self.letter_times.add(ms, today().isoformat())

    def add_slip(self, meant: str, typed: str) -> bool:
        """Count and keep a slip of the hand. Return True where slips are to be weighed anew."""
        with self._store.together():
            hand = self.read_hand().with_slip(meant, typed)
            self._store.state.set(SLIPS, hand.slips)
        return hand.is_due

    def read_hand(self) -> Hand:
        """The slips of the hand that the store holds: they go there with the last text."""
        return self._kept(SLIPS, Hand) or Hand()

    def uptake(self) -> float:
        """How much of what is right is really taken, by the feedback of late."""
        tenths = self.shown_ghosts()
        return estimate_uptake([tenth.accepted for tenth in tenths], [tenth.dismissed for tenth in tenths])

    def shown_ghosts(self) -> tuple[Tenth, ...]:
        """What became of the ghosts that were shown of late, by tenth of their probability, the lowest first."""
        return self._store.feedback.reliability("ghost", today() - timedelta(days=_UPTAKE_DAYS))

    def holds_ghosts_back(self, show: Show) -> bool:
        """Whether even likely ghosts are held back from who wants to see so much, since few were taken of late."""
        return LookValue.of(show, self.key_ms / 1e3, self.uptake()).holds_back

    @property
    def is_due(self) -> bool:
        """Whether so much was learned since the last time that :meth:`keep` is to save it."""
        return self._events - self._events_kept >= _SAVED_EVERY

    def learned(self, predictor: Predictor, *, least: int = 1) -> dict[str, Any]:
        """What :meth:`keep` is to save: nothing where fewer than ``least`` events were learned since the last time."""
        if self._events - self._events_kept < least:
            return {}
        self._events_kept = self._events
        learned: dict[str, Any] = {
            GHOST_CALIBRATION: self.calibration.to_json(),
            GHOST_WORD_CALIBRATION: self.word_calibration.to_json(),
            MIXTURE: {"adapter": predictor.adapter_id, "weights": predictor.mixture.to_json()},
        }
        if times := self.letter_times.to_json():
            learned[_LETTER_TIMES] = times
        return learned

    def keep(self, learned: Mapping[str, Any]) -> None:
        """Save what :meth:`learned` returned."""
        try:
            for name, value in learned.items():
                self._store.state.set(name, value)
        except IdiolectError as error:  # the entry itself is stored: whoever sent it must not send it again
            log.error("how far suggestions can be trusted was not kept: %s", error.code)


def judged_mixture(store: Store, adapter_id: int | None) -> list[Any] | None:
    """The memory's weights that an adapter (None: the base) was judged with in a round, if it ever was."""
    if adapter_id is None:
        kept: list[Any] | None = store.state.get(BASE_MIXTURE)
        return kept
    return next((row.metrics.get("mixture") for row in store.adapters.all() if row.id == adapter_id), None)


def today() -> date:
    """The day that feedback is counted under: UTC's, so that no day is ever longer or shorter than another."""
    return datetime.now(UTC).date()
