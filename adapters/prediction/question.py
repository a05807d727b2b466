"""What is asked at one keystroke."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from idiolect.adapters.prediction.answered import NOTHING, AnsweredText


@dataclass(frozen=True)
class Question:
    """What stands at the cursor, and what is wanted there.

    Attributes:
        prefix: text before the cursor; only its end counts.
        suffix: text after the cursor. Inside a word nothing is suggested, nor what stands there already.
        candidates: words wanted, the most probable first.
        ghost_words: the longest continuation, in words; 0 for none.
        corrections: also offer what may have been meant in place of the word under the cursor, and say what was meant
            by the word that just ended. Where a correction comes first among the words there is no continuation.
        correct_before: the correction may also be of the word before the last, where the last one makes it sure.
        key_ms: the typist's time between two letters, for which a ghost is judged; None for the usual one.
        answered: what the user is answering.
        remember: keep the ghost until the finished text shows whether it was right. Without it nothing of the prefix is
            kept but what saves reading it again, until texts are forgotten.
        given_up: called before each pass that only a ghost needs; True if nobody waits for it any more.
    """

    prefix: str
    suffix: str = ""
    candidates: int = 3
    ghost_words: int = 8
    corrections: bool = False
    correct_before: bool = False
    key_ms: float | None = None
    answered: AnsweredText = NOTHING
    remember: bool = True
    given_up: Callable[[], bool] = lambda: False
