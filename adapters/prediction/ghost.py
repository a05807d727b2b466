"""A ghost, the grey text behind the cursor: its words, each with how likely it is that all up to there is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from idiolect.adapters.vocabulary import WORD


@dataclass(frozen=True)
class GhostWord:
    """A piece of a ghost up to the end of a word, and the probability that all up to there is right."""

    text: str
    p: float


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


def of_words(words: Sequence[GhostWord], show: bool) -> Ghost:
    """Return the ghost that these words make."""
    return Ghost(joined_text(words), words[0].p, show, tuple(words))


def joined_text(words: Sequence[GhostWord]) -> str:
    """Return the text that these words make."""
    return "".join(word.text for word in words)


def cut_at(words: Sequence[GhostWord], start: int) -> tuple[GhostWord, ...]:
    """Return the words without their first ``start`` characters."""
    left = list[GhostWord]()
    for word in words:
        if start < len(word.text):
            left.append(replace(word, text=word.text[start:]))
        start = max(start - len(word.text), 0)
    return tuple(left)


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
