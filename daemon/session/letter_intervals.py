"""Typing speed: the median time between two letters of a word, measured as keys come."""

from __future__ import annotations

from typing import Final

_MAX_MS: Final = 1500.0  # a longer pause is for thought
_MIN_MEDIAN_MS: Final = 40.0  # of a hand, 300 words a minute: what is faster is a program that types
_MIN_INTERVALS: Final = 20  # fewer tell nothing
_MIN_STEP: Final = 0.02  # so far the median moves with each interval, once it has settled


class LetterIntervals:
    """A running median of which no times are kept, since they could tell persons apart: itself, and of how many."""

    def __init__(self) -> None:
        """Nothing is measured yet."""
        self._letter = ""  # what the last key typed; "" where that was no letter
        self._at_s = 0.0
        self._median_ms = 0.0
        self._intervals = 0

    def key(self, typed: str, at_s: float) -> None:
        """Hear of a key that was pressed at a time in seconds: the character that it typed, or ""."""
        letter = typed if len(typed) == 1 and typed.isalpha() else ""
        took_ms = 1e3 * (at_s - self._at_s)
        # The same letter once more may be a key that is held down.
        if letter and self._letter not in ("", letter) and 0.0 < took_ms <= _MAX_MS:
            self._learn(took_ms)
        self._letter, self._at_s = letter, at_s

    @property
    def median_ms(self) -> int | None:
        """The median in whole milliseconds; None until enough was typed, and where no hand types."""
        known = self._intervals >= _MIN_INTERVALS and self._median_ms >= _MIN_MEDIAN_MS
        return round(self._median_ms) if known else None

    def _learn(self, took_ms: float) -> None:
        """Move the median by a step, at first by larger ones (a stochastic median, Tierney 1983)."""
        self._intervals += 1
        step = 1.0 + max(1.0 / self._intervals, _MIN_STEP)
        if self._intervals == 1:
            self._median_ms = took_ms
        elif took_ms > self._median_ms:
            self._median_ms = min(self._median_ms * step, took_ms)
        else:
            self._median_ms = max(self._median_ms / step, took_ms)
