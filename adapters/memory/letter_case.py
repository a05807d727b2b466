"""Capitals: how words are compared, and written, in other capitals than they are listed or typed in.

Which words are names, and so begin with one, is known by :class:`~idiolect.adapters.memory.vocabulary.WordVocabulary`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import numpy as np
import regex

from idiolect.adapters.memory.word_matching import Matches

BEGINS: Final = regex.compile(r"(?r)(?:\A|[.!?…\n:])\s*\Z")
"""Where a capital shows nothing of a word."""
_MIN_CAPITALS = 2  # letters of a word that is written all in capitals; "I" and "A" are words as they are


def fold(typed: str) -> str:
    """Return letters as tries file them."""
    return typed.lower().replace("’", "'")


class Capitals(enum.Enum):
    """Which letters of what is typed are capitals."""

    NONE = enum.auto()
    FIRST = enum.auto()
    ALL = enum.auto()

    @classmethod
    def of(cls, typed: str) -> Capitals:
        """Return the capitals of a text; a single letter is the first."""
        if len(typed) > 1 and typed.isupper():
            return cls.ALL
        return cls.FIRST if typed[:1].isupper() else cls.NONE


def is_capitalized(word: str) -> bool:
    """Return True if a word's first letter alone is a capital."""
    return word[:1].isupper() and word[1:] == word[1:].lower()


def as_written(word: str) -> str:
    """Return a word in lower case as it is written: "I'm" for "i'm"."""
    return f"I{word[1:]}" if word == "i" or word.startswith("i'") else word


def with_capitals(form: str, typed: str) -> str:
    """Return a form in the capitals of what is typed, where these are more than its own, and with its apostrophe."""
    if "’" in typed:
        form = form.replace("'", "’")
    capitals = Capitals.of(typed)
    if capitals is Capitals.ALL:
        return form.upper()
    return form[:1].upper() + form[1:] if capitals is Capitals.FIRST else form


class _Offered(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def replace(self) -> int: ...


_Word = TypeVar("_Word", bound=_Offered)


def in_one_form(words: Iterable[_Word], typed: str = "") -> list[_Word]:
    """Return the words, the likeliest first, without a word that differs from a likelier word in its capitals alone.

    ``typed`` are the letters that are there, of which each word replaces some.
    """
    kept: dict[str, _Word] = {}
    for word in words:
        kept.setdefault((typed[: len(typed) - word.replace] + word.text).casefold(), word)
    return list(kept.values())


@dataclass(frozen=True)
class OtherCase:
    """How to look up what is typed: ``lookups``, in the capitals that lists have; ``restyle`` writes the rest."""

    lookups: tuple[str, ...]
    restyle: Callable[[str], str]


def other_case(typed: str, *, in_capitals: bool) -> OtherCase | None:
    """Return how to look up a beginning that no list has in these capitals; None where capitals are as usual.

    ``in_capitals`` says that the words before it are all in capitals.
    """
    if typed[1:] == typed[1:].lower() and not (in_capitals and typed.isupper()):
        return None
    lookup = typed.lower()
    if len(lookup) != len(typed):  # a few letters become two: the rest could not be told apart
        return None
    forms = dict.fromkeys((lookup, lookup[:1].upper() + lookup[1:]))
    return OtherCase(tuple(form for form in forms if form != typed), str.upper if typed.isupper() else str)


def is_in_capitals(words: Sequence[str]) -> bool:
    """Return True if the last two ``words`` are written all in capitals."""
    last = words[-2:]
    return len(last) == 2 and all(len(word) >= _MIN_CAPITALS and word.isupper() for word in last)


def with_other_case(
    exact: Matches, found: Sequence[Matches], typed: str, case: OtherCase, mass: float, count: int
) -> Matches:
    """Return at most ``count`` matches of a beginning: ``exact`` ones, and words in other capitals as they are written.

    ``found`` are the words that begin as each of ``case.lookups``; ``mass`` is to be the score of them all.
    """
    total, finished = sum(some.total for some in found), sum(some.finished for some in found)
    scale = mass / max(total + finished, 1e-30)
    # A capital among words in capitals begins no usual word: "I" goes on as "IS" and not as "Is".
    as_listed = str if len(typed) > 1 else case.restyle
    scores: dict[str, float] = {}
    for some, times, restyle in ((exact, 1.0, as_listed), *((other, scale, case.restyle) for other in found)):
        for form, score in zip(some.forms, some.scores.tolist(), strict=True):
            written = typed + restyle(form[len(typed) :])
            scores[written] = scores.get(written, 0.0) + times * score
    return best_matches(scores, exact.total + scale * total, exact.finished + scale * finished, count)


def in_small_letters(found: Matches, small: Container[str], count: int) -> Matches:
    """Return the matches, with each word that is in ``small`` in small letters."""
    scores: dict[str, float] = {}
    for form, score in zip(found.forms, found.scores.tolist(), strict=True):
        written = folded if (folded := form.lower()) in small else form
        scores[written] = scores.get(written, 0.0) + score
    return best_matches(scores, found.total, found.finished, count)


def best_matches(scores: Mapping[str, float], total: float, finished: float, count: int) -> Matches:
    """Return the ``count`` best of these words, by their scores."""
    best = sorted(scores, key=lambda form: (-scores[form], form))[:count]
    return Matches(best, np.array([scores[form] for form in best], np.float32), total, finished)
