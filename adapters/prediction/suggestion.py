"""The answer to one keystroke: words, a ghost, and what was meant by the word that just ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from idiolect.adapters.prediction.ghost_tail import GhostWord
from idiolect.adapters.prediction.mending import Correction
from idiolect.adapters.prediction.ranking import Word
from idiolect.adapters.prediction.vocabulary import WORD


@dataclass(frozen=True)
class Ghost:
    """A continuation of the text.

    ``p`` is the probability that its first word is right; ``show`` says to show it. ``words`` are its pieces, each with
    the probability that all up to it is right; together they are the text.
    """

    text: str
    p: float
    show: bool
    words: tuple[GhostWord, ...] = ()


NO_GHOST = Ghost("", 0.0, False)


@dataclass(frozen=True)
class Suggestion:
    """The answer to one keystroke."""

    words: tuple[Word, ...]
    ghost: Ghost
    adapter: int | None
    elapsed_ms: float
    correction: Correction | None = None


def of_words(words: Sequence[GhostWord], show: bool) -> Ghost:
    """Return the ghost that these words make."""
    return Ghost("".join(word.text for word in words), words[0].p, show, tuple(words))


def cut_before(ghost: Ghost, typed: str, word: str) -> Ghost:
    """Return a ghost up to where it would repeat ``word``, which stands behind the cursor already."""
    end = 0  # of what is kept
    for found in WORD.finditer(typed + ghost.text):
        if found.end() > len(typed):
            if found[0] == word:
                return _cut(ghost, end)
            end = found.end() - len(typed)
    return ghost


def _cut(ghost: Ghost, length: int) -> Ghost:
    """Return the first ``length`` characters of a ghost."""
    words, left = list[GhostWord](), length
    for piece in ghost.words:
        if left > 0:
            words.append(replace(piece, text=piece.text[:left]))
            left -= len(piece.text)
    return of_words(words, ghost.show) if words else NO_GHOST
