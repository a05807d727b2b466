"""A typist whose hand slips: how many mistyped words are mended, and how many right ones would be spoilt."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any, Final

from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.mending.keyboards import Layout, neighbours
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.suggestion import Suggestion

# Of a word that is mistyped: so few are left of a shorter one that any word may be meant.
_MIN_LETTERS: Final = 4
_SLIPS: Final = {"near": 4, "swapped": 3, "left out": 3, "doubled": 1}  # how often each kind of slip is made
_MAX_MISTYPED, _MAX_RIGHT = 200, 600  # words; each costs a forward pass
_OFFERED: Final = 3


def mistype(word: str, rng: random.Random, near: dict[str, frozenset[str]]) -> str:
    """Return a word of two letters and more with one slip of the hand, not in its first letter."""
    at = rng.randrange(1, len(word))
    kind = rng.choices([*_SLIPS], [*_SLIPS.values()])[0]
    if kind == "near" and (keys := sorted(near.get(word[at], ()))):
        return word[:at] + rng.choice(keys) + word[at + 1 :]
    if kind == "swapped" and at + 1 < len(word):
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == "doubled":
        return word[:at] + word[at] + word[at:]
    return word[:at] + word[at + 1 :]


def measure_mistyping(
    predictor: Predictor, texts: Iterable[str], layout: Layout, seed: int, known: Sequence[str] = ()
) -> dict[str, Any]:
    """Mistype words of a person's texts one at a time, and measure how they, and words typed right, are mended.

    The result has, as shares of 0 to 1: ``first`` and ``among_three``, where the intended word was offered so for the
    whole mistyped word; ``mended``, where it would be put there without being asked, once a space follows;
    ``mended_wrongly``, where another word would. ``spoilt_per_1000`` are the words that were typed ``right`` and would
    be changed without being asked. No slip makes one of the words ``known``, since nobody could tell.
    """
    rng, near, words = random.Random(seed), neighbours(layout), frozenset(known)  # noqa: S311 (no secret)
    spots = [(text[: match.start()], match[0]) for text in texts for match in WORD.finditer(text)]
    rng.shuffle(spots)
    mistyped = list[tuple[str, str, str]]()
    for before, word in spots:
        if len(mistyped) == _MAX_MISTYPED:
            break
        if len(word) >= _MIN_LETTERS and word.isascii() and word.isalpha() and word.islower():
            slip = mistype(word, rng, near)
            if slip != word and slip not in words:
                mistyped.append((before, word, slip))
    offers = [
        (word, _offers(predictor.suggest(before + slip, **_ASKED), slip)) for before, word, slip in mistyped
    ]
    made = [(word, slip, _made(predictor, before, slip)) for before, word, slip in mistyped]
    right = spots[:_MAX_RIGHT]
    spoilt = sum(_made(predictor, before, word) != word for before, word in right)
    return {
        "mistyped": len(mistyped),
        "first": _share(word in found[:1] for word, found in offers),
        "among_three": _share(word in found for word, found in offers),
        "mended": _share(put == word for word, _, put in made),
        "mended_wrongly": _share(put not in (word, slip) for word, slip, put in made),
        "right": len(right),
        "spoilt_per_1000": round(1000 * spoilt / max(len(right), 1), 2),
    }


_ASKED: Final[dict[str, Any]] = {
    "candidates": _OFFERED,
    "ghost_words": 0,
    "remember": False,
    "corrections": True,
}


def _offers(found: Suggestion, typed: str) -> list[str]:
    """Return the whole words that the offers make of what is typed."""
    return [typed[: len(typed) - word.replace] + word.text for word in found.words]


def _made(predictor: Predictor, before: str, typed: str) -> str:
    """Return what stands for a word once a space follows, if all that is sure is mended."""
    correction = predictor.suggest(f"{before}{typed} ", **{**_ASKED, "candidates": 0}).correction
    return correction.text.strip() if correction is not None and correction.sure else typed


def _share(hits: Iterable[bool]) -> float:
    found = list(hits)
    return round(sum(found) / max(len(found), 1), 4)
