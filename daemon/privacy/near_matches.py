"""Near matches of a forgotten text in other entries, since forgetting takes only what was asked for.

Nearly the same are the same words in another order, joined, split or with a word between; words with one or two other
letters; inflected and compound forms. Letters are compared by the library `regex`, whose fuzzy matching takes 3 µs a
word; endings are the commonest of several languages, since a stemmer would have to be told which one it is.
"""

from __future__ import annotations

import string
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import regex

from idiolect.daemon.storage.matching import between, folded, words, words_of
from idiolect.daemon.storage.selectors import MAX_CHARS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from idiolect.daemon.storage.records import Entry

_LONGEST_S: Final = 5.0  # of looking; then it is said that there may be more
_FORMS: Final = 20
_LONG, _SWAPPED, _LONGER = 6, 8, 10  # letters from which on one may differ, two be swapped, two differ
_ENDINGS: Final = frozenset(
    ("'s", "s", "es", "e", "en", "n", "er", "ed", "d", "ing", "in", "ns", "ens", "em", "a", "i", "o")
)
_STEM: Final = 3  # letters, at least
_MARKS: Final = dict.fromkeys(map(ord, f" {string.punctuation}"))
_AT_ONCE: Final = 500  # entries between two looks at the clock


@dataclass(frozen=True)
class NearMatch:
    """What is nearly the text, as a phrase to select it by, and how many entries hold it."""

    text: str
    entries: int


@dataclass(frozen=True)
class NearMatches:
    """What was found: the most frequent near matches first.

    `complete`: all entries were looked at. `holding`: words that contain one that was looked for and that general
    English does not have, each with the number of entries that hold it.
    """

    near: tuple[NearMatch, ...] = ()
    complete: bool = True
    holding: dict[str, int] = field(default_factory=dict)


def find(
    given: Sequence[str],
    entries: Iterable[Entry],
    taken: Collection[int],
    known: Callable[[str], bool],
    longest_s: float = _LONGEST_S,
) -> NearMatches:
    """Look for what is nearly one of the `given` texts in all entries but those `taken` (their ids).

    `known` says of a word in lower case whether general English has it: such a word is no misspelling of another one.
    After `longest_s` seconds the looking ends.
    """
    wanted = [_Wanted(text, known) for text in given if words(text)]
    counts: Counter[str] = Counter()
    holding: Counter[str] = Counter()
    ends = time.monotonic() + longest_s
    for place, entry in enumerate(entries if wanted else ()):
        if not place % _AT_ONCE and time.monotonic() > ends:
            break
        text = folded(entry.text)
        maybe = [one for one in wanted if one.may_be_in(text) and one.has_like(text)]
        holders = [one for one in wanted if one.may_be_held_by(text)]
        if (maybe or holders) and entry.id not in taken:
            there = words_of(text)
            forms = {form for one in maybe for form in one.forms(text, there)}
            counts.update(form for form in forms if len(form) <= MAX_CHARS)  # else nothing could select it
            holding.update({word for word in there if any(one.held_by(word) for one in holders)})
    else:
        ends = 0.0
    near = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:_FORMS]
    return NearMatches(tuple(NearMatch(*one) for one in near), not ends, dict(holding))


class _Wanted:
    """A text that is looked for, and what was found out about the words that were met."""

    def __init__(self, text: str, known: Callable[[str], bool]) -> None:
        self._known = known
        self._words = words(text)
        self._own = [word for word in self._words if not known(word)]
        self._joined = "".join(self._words)
        self._least = (
            len(self._words) - len(self._words) // 5
        )  # of a long text not every word has to be there
        self._longest = len(self._words) + max(1, len(self._words) // 3)
        self._pieces = [_pieces(word) for word in self._words]
        self._fuzzy = {word: _fuzzy(word) for word in [*self._words, self._joined]}
        self._alike_to: dict[str, frozenset[int]] = {}
        self._like: set[str] = set()
        self._unlike: set[str] = set()

    def may_be_in(self, text: str) -> bool:
        """Whether a folded text has enough of the letters; that of most is quickly seen."""
        return sum(any(piece in text for piece in pieces) for pieces in self._pieces) >= self._least

    def has_like(self, text: str) -> bool:
        """Whether a folded text has a word that is alike, or letters that follow each other as all of them do.

        What stands between spaces is judged once, and known again in other texts.
        """
        there = set(text.split())
        for token in there - self._like - self._unlike:
            parts = words_of(token)
            alike = any(map(self._alike, parts)) or any(
                self._resembles(self._joined, part) for part in [*parts, "".join(parts)]
            )
            (self._like if alike else self._unlike).add(token)
        return not self._like.isdisjoint(there) or self._joined in text.translate(_MARKS)

    def may_be_held_by(self, text: str) -> bool:
        """Whether a word of a folded text may be :meth:`held_by`."""
        return any(mine in text for mine in self._own)

    def held_by(self, word: str) -> bool:
        """Whether a word contains one that is looked for, and that is the user's own."""
        return any(contains(word, mine) for mine in self._own)

    def forms(self, text: str, there: Sequence[str]) -> set[str]:
        """What is nearly the same in a folded text that has these words, in order."""
        found = {between(text, *place) for place in self._joined_in(there)}
        alike = [self._alike(word) for word in there]
        end = -1
        for start, first in enumerate(alike):
            if not first or start <= end:
                continue
            met: set[int] = set()
            for at in range(start, min(start + self._longest, len(there))):
                met |= set(sorted(alike[at] - met)[:1])
                if len(met) >= self._least:
                    found.add(between(text, start, at))
                    end = at
                    break
        return found

    def _joined_in(self, there: Sequence[str]) -> Iterable[tuple[int, int]]:
        """Where words that follow each other are, put together, all of the text put together."""
        whole = "".join(there)
        if self._joined not in whole and len(self._joined) < _LONG:
            return
        starts, at = {}, 0
        for number, word in enumerate(there):
            starts[at] = number
            at += len(word)
        starts[at] = len(there)
        at = whole.find(self._joined)
        while at >= 0:
            first, behind = starts.get(at), starts.get(at + len(self._joined))
            if first is not None and behind is not None:
                yield first, behind - 1
            at = whole.find(self._joined, at + 1)
        if len(self._words) > 1:
            for number, word in enumerate(there):
                if self._resembles(self._joined, word):
                    yield number, number

    def _alike(self, word: str) -> frozenset[int]:
        """The numbers of the words that are looked for which this one is alike to."""
        if word not in self._alike_to:
            numbers = (number for number, mine in enumerate(self._words) if self._resembles(mine, word))
            self._alike_to[word] = frozenset(numbers)
        return self._alike_to[word]

    def _resembles(self, mine: str, word: str) -> bool:
        if mine == word or _inflected(mine, word) or _inflected(word, mine):
            return True
        if len(mine) < _LONG:
            return False
        if mine in word:
            return True
        fuzzy = self._fuzzy[mine]
        if (fuzzy is None or not fuzzy.fullmatch(word)) and not _swapped(mine, word):
            return False
        return not self._known(word)


def contains(word: str, wanted: str) -> bool:
    """Whether a word is the wanted one, or has it in it where that is long enough to mean something."""
    return word == wanted or (len(wanted) > _STEM and wanted in word)


def _inflected(stem: str, word: str) -> bool:
    """Whether a word is another one with an ending, in place of its last letter perhaps."""
    for cut in (0, 1):
        begins = stem[: len(stem) - cut]
        if len(begins) >= _STEM + cut and word.startswith(begins) and word[len(begins) :] in _ENDINGS:
            return not cut or stem[-1] in "eyaio"
    return False


def _swapped(one: str, other: str) -> bool:
    """Whether two neighbouring letters of a word are swapped."""
    if len(one) < _SWAPPED or len(one) != len(other):
        return False
    differ = [place for place, letter in enumerate(one) if letter != other[place]]
    if len(differ) != 2 or differ[1] != differ[0] + 1:
        return False
    first, second = differ
    return (one[first], one[second]) == (other[second], other[first])


def _fuzzy(word: str) -> regex.Pattern[str] | None:
    """What fits a word in which a letter or two are missing, too many or others; None for one that is too short."""
    if len(word) < _LONG:
        return None
    return regex.compile(f"(?:{regex.escape(word)}){{e<={1 if len(word) < _LONGER else 2}}}")


def _pieces(word: str) -> list[str]:
    """Parts of a word of which every form that is alike to it has one.

    In a word of which k letters differ one of k + 1 parts is untouched, and where neighbours in the middle are swapped
    the others are; an inflected one begins as the word does.
    """
    begins = word[: max(_STEM, len(word) - 4)]
    middle = len(word) // 2
    if len(word) < _LONG:
        return [begins]
    if len(word) < _SWAPPED:
        return [begins, word[:middle], word[middle:]]
    if len(word) < _LONGER:
        return [begins, word[: middle - 1], word[middle + 1 :]]
    size = len(word) // 3
    return [begins, word[:size], word[size : 2 * size], word[2 * size :]]
