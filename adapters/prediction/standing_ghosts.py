"""Ghosts that are on screen: what agrees with the letters that are typed stays until it is contradicted or taken.

A ghost that comes and goes while it is right is read twice and taken never.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from idiolect.adapters.prediction.ghost import GhostWord, cut_at, joined_text

_KEPT = 32  # ghosts that were shown last, of all who type
_MAX_CHARS = 200  # of a ghost, and so between the place where it was shown and the cursor
_SAME_SPEED = 0.15  # by which the logarithms of two key times may differ and tell of the same typist


@dataclass(frozen=True)
class _StandingGhost:
    length: int  # of the text before the cursor
    prefix_hash: int  # instead of that text, which is kept nowhere off the record
    key_s: float
    words: tuple[GhostWord, ...]
    text: str


class StandingGhosts:
    """The latest ghosts that were shown, each with a hash of the text before the cursor. For one thread at a time."""

    def __init__(self) -> None:
        self._shown: deque[_StandingGhost] = deque(maxlen=_KEPT)

    def rest(self, prefix: str, key_s: float) -> tuple[GhostWord, ...]:
        """Return what is left of the ghost that a typist of this speed sees, where ``prefix`` types into it."""
        for shown in reversed(self._shown):
            typed = len(prefix) - shown.length
            if (
                0 < typed < min(len(shown.text), _MAX_CHARS)
                and abs(math.log(shown.key_s / key_s)) < _SAME_SPEED
                and shown.text.startswith(prefix[shown.length :])
                and hash(prefix[: shown.length]) == shown.prefix_hash
            ):
                return cut_at(shown.words, typed)
        return ()

    def show(self, prefix: str, key_s: float, words: Sequence[GhostWord]) -> None:
        """Remember that this ghost is shown behind ``prefix``."""
        self._shown.append(_StandingGhost(len(prefix), hash(prefix), key_s, tuple(words), joined_text(words)))

    def forget(self) -> None:
        """Forget what was shown."""
        self._shown.clear()


def extended(standing: Sequence[GhostWord], new: Sequence[GhostWord]) -> Sequence[GhostWord]:
    """Return a ghost that stands, with what a new one knows of it: further words, and a better probability."""
    if joined_text(new).startswith(joined_text(standing)):
        return new
    if new and new[0].text == standing[0].text:
        return [replace(standing[0], p=max(standing[0].p, new[0].p)), *standing[1:]]
    return standing
