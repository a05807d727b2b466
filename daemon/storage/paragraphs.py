"""New paragraphs in a file that was read before, and new words in edited ones."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

#: Mark of a paragraph that was written off the record: neither it nor an edit of it is ever learned.
OFF_RECORD: Final = "off"

_DIGITS: Final = 16
#: Digits that are left of the hash of what is not kept. One paragraph in 4,096 shares them: few enough that what was
#: forgotten is known again where it still stands, too many for anyone to make sure of a guess at it.
_BLURRED: Final = 3
_FORMER: Final = "~"  # prefix: was in the file once
_FORMER_KEPT: Final = 1000
_ALIKE: Final = 0.5  # share of the shorter paragraph's words, for a paragraph to be an edit of another
_ORIGINALS: Final = 3  # compared with one edited paragraph: text moves between neighbours
_CANDIDATES: Final = 8
_RARE: Final = 50  # paragraphs that a word may be in to tell them apart
_PHRASE: Final = 4  # words in a row that cannot be the same by chance
_MANY: Final = 2000  # words from which on an exact comparison would take too long
# A word, or one character of a script that is written without spaces.
_UNSPACED: Final = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD: Final = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")


def digest(text: str) -> str:
    """A paragraph's hash as a file's state keeps it, in hexadecimal digits."""
    return hashlib.blake2b(text.encode(), digest_size=_DIGITS // 2).hexdigest()


@dataclass(frozen=True, slots=True)
class KnownParagraph:
    """A paragraph that was seen before: its hash, and the ids of the entries that hold its words.

    There are no entries where it was off the record, or where none is known. Of a paragraph that is not kept, or not
    all of it, only the beginning of the hash is known.
    """

    digest: str
    entries: tuple[int, ...] = ()
    off_record: bool = False

    def coded(self) -> str:
        """As a file's state keeps it: the hash, then what is known of it."""
        if self.off_record:
            return f"{self.digest[:_BLURRED]}:{OFF_RECORD}"
        return f"{self.digest}:{','.join(map(str, self.entries))}" if self.entries else self.digest


def decoded(coded: str) -> KnownParagraph:
    """The opposite of `KnownParagraph.coded`."""
    name, _, mark = coded.removeprefix(_FORMER).partition(":")
    if mark == OFF_RECORD:
        return KnownParagraph(name, off_record=True)
    return KnownParagraph(name, tuple(map(int, mark.split(","))) if mark else ())


def blurred(coded: str, gone: AbstractSet[int]) -> str:
    """A paragraph of a file's state, less most of its hash if any of the entries that held its words are `gone`."""
    known = decoded(coded)
    if gone.isdisjoint(known.entries):
        return coded
    former = _FORMER if coded.startswith(_FORMER) else ""
    return former + KnownParagraph(known.digest[:_BLURRED], known.entries).coded()


def passed_over(digest: str) -> KnownParagraph:
    """What is known of a forgotten paragraph: the beginning of its hash."""
    return KnownParagraph(digest[:_BLURRED])


class Ledger:
    """The paragraphs that a file held when it was last read, ticked off while it is read again.

    What a file held once is remembered too (the newest thousand paragraphs), so that undoing, pasting
    back or switching between versions brings nothing new.
    """

    def __init__(self, paragraphs: Iterable[str]) -> None:
        """`paragraphs` as `state` made them."""
        self._current: dict[str, list[str]] = {}
        self._former: dict[str, list[str]] = {}
        for coded in paragraphs:
            held = self._former if coded.startswith(_FORMER) else self._current
            name = coded.removeprefix(_FORMER)
            held.setdefault(name.partition(":")[0], []).append(name)
        self._known_again: set[str] = set()  # beginnings of hashes

    def __bool__(self) -> bool:
        """Whether there was anything in the file."""
        return bool(self._current or self._former)

    def take(self, name: str) -> KnownParagraph | None:
        """Tick off a paragraph with the hash `name`; None if no more of them were known."""
        for held in (self._current, self._former):
            if left := held.get(name):
                return decoded(left.pop(0))
        for held in (self._current, self._former):
            if left := held.get(name[:_BLURRED]):
                # It stays: a new paragraph that is like it by chance must not use it up.
                self._known_again.add(name[:_BLURRED])
                return decoded(left.pop(0) if len(left) > 1 else left[0])
        return None

    def removed(self) -> list[KnownParagraph]:
        """Paragraphs that were there and have not been ticked off."""
        return [decoded(coded) for coded in self._left(self._current)]

    def state(self, paragraphs: Iterable[KnownParagraph]) -> tuple[str, ...]:
        """The file's new state: the `paragraphs` that it holds now, and the paragraphs that it held once."""
        gone = (coded for held in (self._current, self._former) for coded in self._left(held))
        former = [f"{_FORMER}{coded}" for coded, _ in zip(gone, range(_FORMER_KEPT), strict=False)]
        return (*(known.coded() for known in paragraphs), *former)

    def _left(self, held: dict[str, list[str]]) -> Iterator[str]:
        for name, left in held.items():
            if name not in self._known_again:
                yield from left


@dataclass(frozen=True, slots=True)
class ParagraphEdit:
    """An edited paragraph: where in it runs of new words are, [start, end), and which originals it was made from."""

    runs: tuple[tuple[int, int], ...]
    originals: tuple[int, ...]


class Originals:
    """Paragraphs that are gone from a file, to compare with paragraphs that have appeared in it.

    A paragraph is a list of all that was stored of it: its first text, and the runs that later edits brought.
    """

    def __init__(self, paragraphs: Sequence[Sequence[str]]) -> None:
        """`paragraphs` in any order; `Edit.originals` are places in it."""
        self._stored = [[_WORD.findall(text) for text in texts] for texts in paragraphs]
        self._counted = [Counter(itertools.chain.from_iterable(stored)) for stored in self._stored]
        self._places: defaultdict[str, list[int]] = defaultdict(list)
        for place, counted in enumerate(self._counted):
            for word in counted:
                self._places[word].append(place)

    def compare(self, text: str) -> ParagraphEdit | None:
        """What is new in `text` if it was edited from some of these paragraphs; None if from none of them.

        Only words in the same order count as the same, and a single one of them between two new ones is
        part of their run.
        """
        spans = [match.span() for match in _WORD.finditer(text)]
        words = [text[start:end] for start, end in spans]
        alike = self._most_alike(words)
        old = [False] * len(words)
        for rank, place in enumerate(alike):
            for stored in self._stored[place]:
                _mark_old(words, stored, old, least=1 if rank == 0 else _PHRASE)
            if rank == 0 and sum(old) < _ALIKE * min(len(words), self._counted[place].total()):
                return None
        if not alike:
            return None
        for place in range(1, len(words) - 1):
            if old[place] and not old[place - 1] and not old[place + 1]:
                old[place] = False
        runs = []
        for known, group in itertools.groupby(range(len(words)), key=old.__getitem__):
            if not known:
                run = list(group)
                runs.append((spans[run[0]][0], spans[run[-1]][1]))
        return ParagraphEdit(tuple(runs), tuple(alike))

    def _most_alike(self, words: list[str]) -> list[int]:
        """Places of the paragraphs that share enough with `words`, the most alike first."""
        counted = Counter(words)
        votes: Counter[int] = Counter()
        for word in counted:
            places = self._places.get(word, ())
            if len(places) <= _RARE:  # "the" says nothing, and comparing everything takes long
                votes.update(places)
        found = []
        for place, _ in votes.most_common(_CANDIDATES):
            others = self._counted[place]
            shared = (counted & others).total()
            if shared >= _ALIKE * min(len(words), others.total()):
                found.append((-shared, place))
        return [place for _, place in sorted(found)[:_ORIGINALS]]


def _mark_old(words: list[str], stored: list[str], old: list[bool], least: int) -> None:
    """Mark words that match `stored`, all of it or `least` words in a row, and are not marked yet."""
    left = [place for place, known in enumerate(old) if not known]
    matcher = SequenceMatcher(None, stored, [words[place] for place in left], autojunk=len(words) > _MANY)
    for block in matcher.get_matching_blocks():
        if block.size and (block.size >= least or block.size == len(stored)):
            for place in left[block.b : block.b + block.size]:
                old[place] = True
