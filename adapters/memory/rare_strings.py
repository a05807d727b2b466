"""Strings that are suggested only once they were typed often enough: numbers, codes, addresses.

A name that was typed once is worth suggesting. A door code that was typed once is not: whoever looks at the screen
learns it, and few such strings are ever typed again. So a string with a digit, an e-mail address or a web address is
suggested only after it was typed a few times. Until then it is not counted as a word, and no adapter is trained to
predict it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache
from typing import Final

import regex

from idiolect.adapters.memory.steps import Steps, finish

_TEXTS_A_STEP = 256
_CONTEXT_CHARS = 120  # characters before the cursor that such a string may have begun in
_MIN_CHARS = 3  # characters; shorter numbers are everybody's
_EDGE = " .,;:!?…'’\"“”„()[]{}<>*_"
_DIGITS = r"\S*\p{N}\S*"
# An address holds an @, ://, or a dot between letters, two of them behind it: "z.B.", "d.h." and "e.g." are none.
_SIGN = r"@|://|\p{L}\.\p{L}{2}"
# Groups of digits beside each other are one number.
_UNIT = regex.compile(rf"(?<!\S)(?:{_DIGITS}(?: {_DIGITS})*|\S*(?:{_SIGN})\S*)")
_DIGIT = regex.compile(r"\p{N}")
_STEM = regex.compile(r"\p{L}{2,}")
_SIGN_CHARS = 3  # before the cursor, with which what is offered may make such a sign
_MAY_HOLD_UNIT = regex.compile(rf"\p{{N}}|{_SIGN}")

#: How often a number, code or address must have been typed before it is offered or trained on.
RARE_MIN_COUNT: Final = 3


class RareStrings:
    """Counts the strings of the user's text that may be secrets.

    A string is suggested once it was typed ``min_count`` times.
    """

    def __init__(self, min_count: int) -> None:
        self.min_count = min_count
        self._times: Counter[str] = Counter()
        self._sorted: list[str] = []
        self._stems: Counter[str] = Counter()

    def learn_many(self, texts: Iterable[str]) -> list[str]:
        """Count the strings of many texts; return the texts without those that are rare even so."""
        return finish(self.learn_in_steps(texts))

    def learn_in_steps(self, texts: Iterable[str]) -> Steps[list[str]]:
        """Count as :meth:`learn_many` in short steps."""
        read = list[tuple[str, list[tuple[int, int, str]]]]()
        for text in texts:
            read.append((text, [*_units(text)]))
            if len(read) % _TEXTS_A_STEP == 0:
                yield
        found = Counter(unit for _, units in read for _, _, unit in units if len(unit) >= _MIN_CHARS)
        if new := found.keys() - self._times.keys():
            self._sorted = sorted([*self._sorted, *new])
        self._times.update(found)
        self._stems.update(stem for _, units in read for _, _, unit in units for stem in _stems(unit))
        is_rare = cache(self._is_rare)
        return [_remove_spans(text, [unit[:2] for unit in units if is_rare(unit[2])]) for text, units in read]

    def count_within(self, word: str) -> int:
        """Return how often a word was typed as part of a string with digits, as "hunter" in "hunter22"."""
        return self._stems[word.casefold()]

    def rare_spans(self, text: str) -> list[tuple[int, int]]:
        """Return where rare strings stand in a text: [start, end) in characters, in order."""
        return [(start, end) for start, end, unit in _units(text) if self._is_rare(unit)]

    def guard(self, before: str, answered: Collection[str] = ()) -> Callable[[str], bool]:
        """Return a function that says whether what is offered after ``before`` would reveal part of a rare string.

        A string that stands in ``before`` already may be shown again, and so may what is in ``answered``, the
        :func:`units` of a text that the user answers.
        """
        if self.min_count <= 1:
            return lambda _offered: False
        near = before[-_CONTEXT_CHARS:]
        end = near if _MAY_HOLD_UNIT.search(near) else near[-_SIGN_CHARS:]

        return lambda offered: (
            bool(_MAY_HOLD_UNIT.search(end + offered)) and self._must_hide(before, near, offered, answered)
        )

    def _must_hide(self, before: str, near: str, offered: str, answered: Collection[str]) -> bool:
        cursor = len(near)
        shown = [unit for _, end, unit in _units(near + offered) if end > cursor and self._is_rare(unit)]
        shown = [unit for unit in shown if not any(other.startswith(unit) for other in answered)]
        if not shown:
            return False
        folded = before.casefold()
        if not all(unit in folded for unit in shown):  # most often so, and a long text is not taken apart
            return True
        here = [unit for _, end, unit in _units(before) if end < len(before)]
        return any(not any(other.startswith(unit) for other in here) for unit in shown)

    def _is_rare(self, unit: str) -> bool:
        """Return True if fewer than ``min_count`` of the typed strings begin with ``unit``."""
        if len(unit) < _MIN_CHARS:
            return False
        times, place = 0, bisect_left(self._sorted, unit)
        while times < self.min_count:
            if place >= len(self._sorted) or not self._sorted[place].startswith(unit):
                return True
            times += self._times[self._sorted[place]]
            place += 1
        return False


def units(text: str) -> frozenset[str]:
    """Return the strings of a text that are counted, in the form in which they are."""
    return frozenset(unit for _, _, unit in _units(text))


def _units(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the strings of a text that are counted: [start, end) in characters, and the form that is counted."""
    if not _MAY_HOLD_UNIT.search(text):
        return
    for found in _UNIT.finditer(text):
        inner = found[0].lstrip(_EDGE)
        start = found.end() - len(inner)
        inner = inner.rstrip(_EDGE)
        if inner:
            yield start, start + len(inner), inner.casefold()


def _stems(unit: str) -> Iterable[str]:
    """Return the words in a string with digits."""
    return _STEM.findall(unit) if _DIGIT.search(unit) else ()


def _remove_spans(text: str, spans: Iterable[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in spans:
        parts.append(text[at:start])
        at = end
    return " ".join([*parts, text[at:]]) if parts else text


def weigh_training_tokens(
    rare: RareStrings, ids: Sequence[int], token_bytes: Callable[[int], bytes]
) -> list[float]:
    """Return the training weight of each token: 0 where it belongs to a rare string, else 1."""
    raw = [token_bytes(token) for token in ids]
    text = b"".join(raw).decode("utf-8", "replace")
    spans = rare.rare_spans(text)
    if not spans:
        return [1.0] * len(raw)
    bounds = [(len(text[:start].encode()), len(text[:end].encode())) for start, end in spans]
    weights, at = [], 0
    for piece in raw:
        hidden = any(low < at + len(piece) and at < high for low, high in bounds)
        weights.append(0.0 if hidden else 1.0)
        at += len(piece)
    return weights
