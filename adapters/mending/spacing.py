"""Spaces that were left out, doubled or put in the wrong place, and apostrophes: "thankyou", "t he", "couldve"."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import regex

_BEFORE = regex.compile(r"(?r)(?<![\p{L}\p{N}'’])(\p{L}{1,12}) \Z")
# Two words of prose behind another, two spaces between them, and what ended the second.
_DOUBLED = regex.compile(r"(?r)(?<=[ (\"“‘])(\p{L}[\p{L}'’]*)  (\p{Ll}[\p{L}'’]*|I)([\s.,;:!?)]{1,3})\Z")
# A line of prose: no list, table, indentation or code.
_PROSE = regex.compile(r"[\"“‘(]?(?!\p{L}[.)] )\p{L}[^|\t`<>{}=]*")
_LAID_OUT = regex.compile(r"[^\s.!?…\"”’)\]](?: {2,}|\t)\S")  # more than a space, and not behind a sentence
# Contractions that are hardly a word without their apostrophe.
_CONTRACTION = regex.compile(
    r"((?:could|might|must|should|would)(?=ve)|(?:what|where|how|here|s?he)(?=s)|(?:that|who)(?=ll)|(?:ca|wo)n(?=t))"
    r"(ve|s|ll|t)"
)
# Behind these "cant" and "wont" are words.
_NO_SUBJECT = regex.compile(
    r"(?ri)\b(?:an?|the|no|of|my|your|his|her|its|our|their|am|is|are|was|were|be|been|being) \Z"
)
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


def single_space(before: str) -> Respaced | None:
    """Return the last two words with one space, and what stands behind them, where a second space is a slip.

    It is none in lists, tables and code, nor where other words in ``before`` stand further apart on purpose.
    """
    match = _DOUBLED.search(before)
    if match is None or not _PROSE.fullmatch(before[: match.start()].rpartition("\n")[2]):
        return None
    if _LAID_OUT.search(before, 0, match.end(1)):
        return None
    return Respaced(f"{match[1]} {match[2]}{match[3]}", len(match[0]), 1.0)


def contraction_of(word: str, before: str = "") -> str | None:
    """Return the contraction that ``word`` is without its apostrophe, if it is hardly another word; in lower case.

    ``before`` is the text in front of it: "he was wont" has none.
    """
    match = _CONTRACTION.fullmatch(word)
    if match is None or (match[2] == "t" and _NO_SUBJECT.search(before)):
        return None
    return f"{match[1]}'{match[2]}"
