"""Spaces that were left out, doubled or put in the wrong place, and apostrophes: "thankyou", "t he", "couldve"."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import regex

from idiolect.adapters.memory.letter_case import as_written, fold
from idiolect.adapters.mending.typing_channel import Costs

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
_TOGETHER: Final = 10.0  # how much oftener two words stand side by side than by chance
_SHORT: Final = 3e-5  # uses per word that two letters need to stand apart: "tl" of "systemctl" lacks them
_MOST_SPACED: Final = 3  # that are returned, the likeliest


@dataclass(frozen=True)
class Respaced:
    """Words that were meant by ``replaced`` characters before the cursor; ``score`` as the function says.

    ``cost`` are the nats that the score lacks for the mistake.
    """

    text: str
    replaced: int
    score: float
    cost: float = 0.0


def spaced_words(
    typed: str,
    word_score: Callable[[str], float],
    uses: Callable[[str], float],
    costs: Costs,
    above: str,
) -> list[Respaced]:
    """Return the likeliest words that ``typed`` may be where a space was not hit, or a key above it was.

    That is "letteryou" or "willzupdate"; one space at most is a letter, and no more than two lack.

    Args:
        typed: the letters that are there.
        word_score: how likely a whole word is at this place; the results' scores are on the same scale.
        uses: how often a word is used, per word of text; 0 for what is none.
        costs: of mistakes.
        above: the letters of the keys above the space bar.
    """
    found, firsts = dict[str, Respaced](), dict[str, float]()

    def add(first: str, others: Sequence[str], cost: float) -> None:
        if first not in firsts:
            firsts[first] = word_score(as_written(first)) if uses(first) else 0.0
        score = firsts[first] * math.prod(_TOGETHER * uses(it) for it in others) * math.exp(-cost)
        text = " ".join(map(as_written, (first, *others)))
        if score > 0 and (text not in found or found[text].score < score):
            found[text] = Respaced(text, len(typed), score, cost)

    for start in range(1, len(typed)) if len(typed) >= _MIN_LETTERS else ():
        first = typed[:start]
        if not _may_stand_apart(first, uses):
            continue
        if _may_stand_apart(typed[start:], uses):
            add(first, [typed[start:]], costs.joined)
        if typed[start] in above and _may_stand_apart(typed[start + 1 :], uses):
            add(first, [typed[start + 1 :]], costs.space_missed)
        for end in range(start + 1, len(typed)):
            if _may_stand_apart(typed[start:end], uses) and _may_stand_apart(typed[end:], uses):
                add(first, [typed[start:end], typed[end:]], 2 * costs.joined)
    return sorted(found.values(), key=lambda it: -it.score)[:_MOST_SPACED]


def _may_stand_apart(word: str, uses: Callable[[str], float]) -> bool:
    """Return True if these letters may be a word before or behind a space that lacks."""
    is_small = word[1:] == word[1:].lower() and (word[:1].islower() or as_written(fold(word)) == word)
    is_word = uses(word) > (_SHORT if len(word) == 2 else 0.0)
    return (len(word) > 1 or word in _ALONE) and is_word and (is_small or word.istitle())


def joined_words(
    before: str, typed: str, common: Mapping[str, float], costs: Costs, above: str
) -> Respaced | None:
    """Return the words that ``typed`` and the run of letters before it make, where their space is out of place.

    It is between other letters, or was hit for a letter: "docume t".

    Args:
        before: the text before ``typed``, with the space.
        typed: the letters behind it.
        common: words with their uses per word of text.
        costs: of mistakes.
        above: the letters of the keys above the space bar, which may have been hit in the place of one.

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
    made = [(often * math.exp(-costs.torn), text) for often, text in made]
    for letter in above if len(left + typed) >= _MIN_LETTERS else "":
        text = f"{left}{letter}{typed}"
        made.append((common.get(text.lower(), 0.0) * math.exp(-costs.space_hit), text))
    meant, text = max(made)
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
