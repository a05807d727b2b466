"""A hand that slips: how many slips are mended, and how many right words are spoilt.

A slip falls on a key, so words are drawn by their length, whatever their case, and mistyped at any letter.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final, NamedTuple

from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.mending.keyboards import Layout, neighbours
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.question import Question
from idiolect.adapters.prediction.suggestion import Suggestion

_MIN_LETTERS: Final = 2
_KINDS: Final = {"near": 4, "beside": 2, "left out": 2, "swapped": 2, "doubled": 1}
_MAX_MISTYPED, _MAX_RIGHT = 200, 600  # words; each costs a forward pass
_OFFERED: Final = 3


class _Slip(NamedTuple):
    """A word that was mistyped, what stood there once a space followed, and what was offered before."""

    word: str
    typed: str
    put: str
    offers: list[str]


def mistype(word: str, at: int, rng: random.Random, near: dict[str, frozenset[str]]) -> str:
    """Return a word with one slip of the hand at a letter; a slip may make no difference."""
    letter, [kind] = word[at], rng.choices([*_KINDS], [*_KINDS.values()])
    other = rng.choice(sorted(near.get(letter.lower(), ())) or [letter])
    return {
        "near": word[:at] + (other.upper() if letter.isupper() else other) + word[at + 1 :],
        "beside": word[: at + 1] + other + word[at + 1 :],
        "left out": word[:at] + word[at + 1 :],
        "swapped": word[:at] + word[at + 1 : at + 2] + letter + word[at + 2 :],
        "doubled": word[: at + 1] + letter.lower() + word[at + 1 :],
    }[kind]


def measure_mistyping(
    predictor: Predictor, texts: Iterable[str], layout: Layout, seed: int
) -> dict[str, Any]:
    """Mistype words of a person's texts one at a time, and measure how they, and words typed right, are mended.

    The result has, as shares of 0 to 1: ``first`` and ``among_three``, where the intended word was offered so for the
    whole mistyped word; ``mended``, where it would be put there without being asked, once a space follows;
    ``mended_wrongly``, where another word would. ``spoilt_per_1000`` are the words that were typed ``right`` and would
    be changed without being asked.
    """
    rng, near = random.Random(seed), neighbours(layout)  # noqa: S311 (no secret)
    spots = [(text[: match.start()], match[0]) for text in texts for match in WORD.finditer(text)]
    rng.shuffle(spots)
    letters = [(*spot, at) for spot in spots for at in range(len(spot[1])) if _may_slip(spot[1])]
    rng.shuffle(letters)
    slips = list[_Slip]()
    for before, word, at in letters:
        typed = mistype(word, at, rng, near)
        if len(slips) < _MAX_MISTYPED and typed not in (word, ""):
            offers = _offers(predictor.suggest(replace(_ASKED, prefix=before + typed)), typed)
            slips.append(_Slip(word, typed, _made(predictor, before, typed), offers))
    right = spots[:_MAX_RIGHT]
    spoilt = sum(_made(predictor, before, word) != word for before, word in right) / max(len(right), 1)
    return {
        "mistyped": len(slips),
        "first": _share(slip.word in slip.offers[:1] for slip in slips),
        "among_three": _share(slip.word in slip.offers for slip in slips),
        "mended": _share(slip.put == slip.word for slip in slips),
        "mended_wrongly": _share(slip.put not in (slip.word, slip.typed) for slip in slips),
        "right": len(right),
        "spoilt_per_1000": round(1000 * spoilt, 2),
    }


_ASKED: Final = Question("", candidates=_OFFERED, ghost_words=0, remember=False, corrections=True)


def _may_slip(word: str) -> bool:
    return len(word) >= _MIN_LETTERS and word.replace("'", "").replace("’", "").isalpha()


def _offers(found: Suggestion, typed: str) -> list[str]:
    """Return the whole words that the offers make of what is typed."""
    return [typed[: len(typed) - word.replace] + word.text for word in found.words]


def _made(predictor: Predictor, before: str, typed: str) -> str:
    """Return what stands for a word once a space follows, if all that is sure is mended."""
    correction = predictor.suggest(replace(_ASKED, prefix=f"{before}{typed} ", candidates=0)).correction
    return correction.text.strip() if correction is not None and correction.sure else typed


def _share(hits: Iterable[bool]) -> float:
    found = list(hits)
    return round(sum(found) / max(len(found), 1), 4)
