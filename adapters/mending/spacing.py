"""Spaces that were left out or put in the wrong place: "thankyou", "t he", "thes ame"."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import regex

_BEFORE = regex.compile(r"(?r)(?<![\p{L}\p{N}'’])(\p{L}{1,12}) \Z")
_ALONE: Final = frozenset({"a", "i", "I", "A"})  # letters that are words
_UNKNOWN: Final = 1e-7  # uses per word of text of a run of letters that is no word
_MIN_LETTERS: Final = 4  # of two words without a space


@dataclass(frozen=True)
class Respaced:
    """Words that were meant by ``replaced`` characters before the cursor; ``score`` as the function says."""

    text: str
    replaced: int
    score: float


def split_words(
    typed: str, word_score: Callable[[str], float], common: Mapping[str, float], cost: float
) -> Respaced | None:
    """Return the likeliest two words that ``typed`` may be without their space.

    Args:
        typed: the letters that are there.
        word_score: how likely a whole word is at this place; the result's score is on the same scale.
        common: words with their uses per word of text.
        cost: nats of a space that is left out.
    """
    best = None
    for cut in range(1, len(typed)) if len(typed) >= _MIN_LETTERS else ():
        left, right = typed[:cut], typed[cut:]
        if min(cut, len(right)) == 1 and (left if cut == 1 else right) not in _ALONE:
            continue
        if right not in common or left.lower() not in common:
            continue
        score = word_score(left) * common[right] * math.exp(-cost)
        if best is None or score > best.score:
            best = Respaced(f"{left} {right}", len(typed), score)
    return best


def joined_words(before: str, typed: str, common: Mapping[str, float], cost: float) -> Respaced | None:
    """Return the words that ``typed`` and the run of letters before it make, where their space is out of place.

    Args:
        before: the text before ``typed``, with the space.
        typed: the letters behind it.
        common: words with their uses per word of text.
        cost: nats of a space in the wrong place.

    The score is a probability, beside both runs as they stand.
    """
    match = _BEFORE.search(before)
    if match is None or not typed:
        return None
    left = match[1]
    is_word = typed.lower() in common or typed in _ALONE
    if left in _ALONE or (is_word and left.lower() in common and len(left) > 1):
        return None
    stands = max(common.get(left.lower(), 0.0), _UNKNOWN) * max(common.get(typed.lower(), 0.0), _UNKNOWN)
    made = [(common.get((left + typed).lower(), 0.0), left + typed)]
    for first, second in ((left[:-1], left[-1] + typed), (left + typed[0], typed[1:])):
        made.append((common.get(first.lower(), 0.0) * common.get(second, 0.0), f"{first} {second}"))
    meant, text = max(made)
    meant *= math.exp(-cost)
    if meant <= stands:
        return None
    return Respaced(text, len(left) + 1 + len(typed), meant / (meant + stands))
