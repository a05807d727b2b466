"""The answer to one keystroke: words, a ghost, and what was meant by the word that just ended."""

from __future__ import annotations

from dataclasses import dataclass

from idiolect.adapters.prediction.ghost import Ghost
from idiolect.adapters.prediction.mending import Correction
from idiolect.adapters.prediction.ranking import Word


@dataclass(frozen=True)
class Suggestion:
    """The answer to one keystroke.

    ``finished`` is the probability that the word under the cursor ends there. ``show_words`` says to show the words by
    themselves, in a place where nobody has asked for them.
    """

    words: tuple[Word, ...]
    ghost: Ghost
    adapter: int | None
    elapsed_ms: float
    correction: Correction | None = None
    finished: float = 0.0
    show_words: bool = True
