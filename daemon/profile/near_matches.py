"""What remains after forgetting: near matches of the text in other entries, since only what was asked for goes.

Nearly the same are the same words in another order, joined, split or with a word between; words with one or two other
letters; inflected and compound forms. Letters are compared by RapidFuzz; endings are the commonest of several
languages, since a stemmer needs to know the language.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from idiolect.daemon.storage.matching import between, folded, words, words_of
from idiolect.daemon.storage.records import Entry
from idiolect.daemon.storage.selectors import MAX_CHARS, Selector
from idiolect.daemon.storage.store import Store

log = logging.getLogger("idiolect.near_matches")

_LONGEST_S: Final = 5.0  # of searching; then the answer says that there may be more
_FORMS: Final = 20
_LONG, _SWAPPED, _LONGER = 6, 8, 10  # letters from which on one may differ, two be swapped, two differ
_ENDINGS: Final = frozenset(
    ("'s", "s", "es", "e", "en", "n", "er", "ed", "d", "ing", "in", "ns", "ens", "em", "a", "i", "o")
)
_STEM: Final = 3  # letters, at least
_AT_ONCE: Final = 500  # entries between two looks at the clock


@dataclass(frozen=True)
class NearMatch:
    """What is nearly the text, as a phrase to select it by, and how many entries hold it."""

    text: str
    entries: int


@dataclass(frozen=True)
class NearMatches:
    """What was found: the most frequent near matches first. `complete`: all entries were looked at."""

    near: tuple[NearMatch, ...] = ()
    complete: bool = True


def remaining(store: Store, selector: Selector, known: Callable[[str], bool]) -> NearMatches:
    """Look for near matches of the texts that a selector names; where it names none, nothing is looked for.

    `known` is as in `find`. An error is logged, and the answer is not complete: the forgetting is done then, and must
    not seem to have failed.
    """
    if not selector.texts:
        return NearMatches()
    try:
        return find(selector.texts, store.entries.select(), store.entries.select_ids(selector), known)
    except Exception as error:  # noqa: BLE001 (the text may be in its message)
        log.warning("near matches could not be found: %s", type(error).__name__)
        return NearMatches(complete=False)


def find(
    given: Sequence[str],
    entries: Iterable[Entry],
    taken: Collection[int],
    known: Callable[[str], bool],
    longest_s: float = _LONGEST_S,
) -> NearMatches:
    """Look for near matches of the `given` texts in all entries, except the entries with the ids `taken`.

    `known` says of a word in lower case whether general English has it: such a word is no misspelling of another one.
    After `longest_s` seconds the looking ends.
    """
    wanted = [_Wanted(text, known) for text in given if words(text)]
    counts: Counter[str] = Counter()
    ends = time.monotonic() + longest_s
    for place, entry in enumerate(entries if wanted else ()):
        if not place % _AT_ONCE and time.monotonic() > ends:
            break
        if entry.id in taken:
            continue
        text = folded(entry.text)
        there = words_of(text)
        forms = {form for one in wanted for form in one.forms(text, there)}
        counts.update(form for form in forms if len(form) <= MAX_CHARS)  # else nothing could select it
    else:
        ends = 0.0
    near = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:_FORMS]
    return NearMatches(tuple(NearMatch(*one) for one in near), not ends)


class _Wanted:
    """A text that is looked for, and which of the words that were met are alike to its own."""

    def __init__(self, text: str, known: Callable[[str], bool]) -> None:
        self._known = known
        self._words = words(text)
        self._joined = "".join(self._words)
        # Of a long text not every word has to be there.
        self._least = len(self._words) - len(self._words) // 5
        self._longest = len(self._words) + max(1, len(self._words) // 3)
        self._met: set[str] = set()
        self._alike: dict[
            str, frozenset[int]
        ] = {}  # the numbers of the words that one of those met is alike to
        self._as_joined: set[str] = set()

    def forms(self, text: str, there: Sequence[str]) -> set[str]:
        """What is nearly the same in a folded text that has these words, in order."""
        for word in {*there} - self._met:
            self._meet(word)
        found = {between(text, *place) for place in self._joined_in(there)}
        if self._alike.keys().isdisjoint(there):
            return found
        alike = [self._alike.get(word, frozenset()) for word in there]
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

    def _joined_in(self, there: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Where words that follow each other are, put together, all of the text put together."""
        whole = "".join(there)
        at = whole.find(self._joined)
        if at >= 0:
            starts, length = {}, 0
            for number, word in enumerate(there):
                starts[length] = number
                length += len(word)
            starts[length] = len(there)
            while at >= 0:
                first, behind = starts.get(at), starts.get(at + len(self._joined))
                if first is not None and behind is not None:
                    yield first, behind - 1
                at = whole.find(self._joined, at + 1)
        if not self._as_joined.isdisjoint(there):
            yield from ((number, number) for number, word in enumerate(there) if word in self._as_joined)

    def _meet(self, word: str) -> None:
        """Judge a word once, for all texts."""
        self._met.add(word)
        if numbers := [number for number, mine in enumerate(self._words) if self._resembles(mine, word)]:
            self._alike[word] = frozenset(numbers)
        if len(self._words) > 1 and self._resembles(self._joined, word):
            self._as_joined.add(word)

    def _resembles(self, mine: str, word: str) -> bool:
        if mine == word or _inflected(mine, word) or _inflected(word, mine):
            return True
        return len(mine) >= _LONG and (
            mine in word or (_differs_little(mine, word) and not self._known(word))
        )


def _inflected(stem: str, word: str) -> bool:
    """Whether a word is a stem with an ending, perhaps in place of the stem's last letter."""
    for cut in (0, 1):
        begins = stem[: len(stem) - cut]
        if len(begins) >= _STEM + cut and word.startswith(begins) and word[len(begins) :] in _ENDINGS:
            return not cut or stem[-1] in "eyaio"
    return False


def _differs_little(mine: str, word: str) -> bool:
    """Whether a letter or two of a word are missing, too many, others or swapped with their neighbours."""
    from rapidfuzz.distance import (
        OSA,
        Levenshtein,
    )  # only where something is forgotten: no start waits for it

    most = 1 if len(mine) < _LONGER else 2
    distance = Levenshtein if len(mine) < _SWAPPED else OSA
    found: int = distance.distance(mine, word, score_cutoff=most)
    return found <= most
