"""Finds the user's mistyped words and the words they meant, so that no mistake is learned.

A word is a mistake only where a dictionary lacks it, one slip turns a word of the dictionary into it, and that word is
so much more frequent, in the user's text or in everybody's, that the slip explains it. Names, slang and jargon stay:
they are typed again and again, or are like no other word. The limits come from reading what they take from six people.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import regex

from idiolect.adapters.memory.letter_case import fold, with_capitals
from idiolect.adapters.memory.steps import Steps, finish
from idiolect.adapters.memory.vocabulary import RUN_OF_THREE, WORD
from idiolect.adapters.mending.fuzzy_search import FuzzySearch
from idiolect.adapters.mending.general_words import GeneralWords
from idiolect.adapters.mending.inflections import are_forms_of_one
from idiolect.adapters.mending.typing_channel import TypingChannel
from idiolect.models.tokenizer import Tokenizer

_SLIP: Final = 6.6  # nats; no more than one
_UNSEEN: Final = 2e-8  # uses per word of text of a word that the general list lacks
_EXPLAINED: Final = -0.5  # nats that a slip may be too unlikely to explain how often all people write a word
_EXPLAINED_BY_USER: Final = -1.0  # nats; the same of how often the user does
_SLIPS: Final = 3  # times; what is typed more often is a habit or a word
_SHORT, _LONG, _LONGEST = 4, 7, 30  # letters
_COMMON: Final = 3e-5  # uses per word of text
_TEXTS_A_STEP, _WORDS_A_STEP = 256, 32
_DOUBLED_END = regex.compile(r"(.)\1\Z")
_WORD = regex.compile(r"(?<![\p{L}\p{N}'’@/\\_.#-])\p{L}[\p{L}'’]++(?![\p{N}@/\\_]|[.-][\p{L}\p{N}])")


@dataclass(frozen=True)
class WordDecisions:
    """The user's decisions about words, in lower case: ``kept`` are never mended, ``replaced`` always are."""

    kept: frozenset[str]
    replaced: Mapping[str, str]


NO_DECISIONS: Final = WordDecisions(frozenset(), {})


def decisions(kept: Iterable[str], replaced: Iterable[tuple[str, str]]) -> WordDecisions:
    """Return decisions about words in any capitals."""
    return WordDecisions(frozenset(map(fold, kept)), {fold(word): meant for word, meant in replaced})


class Mistakes:
    """Counts the user's words, and mends the mistakes among them.

    Args:
        general: the general words.
        channel: what mistakes cost on the user's keyboard.
        decided: what the user has decided about words; asked each time.
    """

    def __init__(
        self, general: GeneralWords, channel: TypingChannel, decided: Callable[[], WordDecisions]
    ) -> None:
        self._general = general
        self._costs = replace(channel.costs, limit=_SLIP)
        self._channel = channel
        self._decided = decided
        self._search: FuzzySearch | None = None
        self._times = Counter[str]()
        self._total = 0  # words of the user's
        self._times_small = Counter[str]()  # not capitalized
        self._near = dict[str, list[tuple[str, float]]]()  # of words that no dictionary has
        self._slipped = dict[str, set[str]]()  # the slips of each word
        self._meant = dict[str, str]()

    def learn_many(self, texts: Iterable[str]) -> list[str]:
        """Count the words of texts; return the texts as they were meant."""
        return finish(self.learn_in_steps(texts))

    def learn_in_steps(self, texts: Iterable[str]) -> Steps[list[str]]:
        """Count the words of texts in short steps; return the texts as they were meant."""
        read, counted = list(texts), Counter[str]()
        for start in range(0, len(read), _TEXTS_A_STEP):
            counted.update(
                word for text in read[start : start + _TEXTS_A_STEP] for word in _WORD.findall(text)
            )
            yield
        self._total += counted.total()
        new = set[str]()
        for word, times in counted.items():
            folded = fold(word)
            self._times[folded] += times
            self._times_small[folded] += times * (word[0] == folded[0])
            new.add(folded)
        unknown = sorted(new - self._near.keys())
        if unknown and self._search is None:
            self._search = self._slip_search()
            yield
        for start in range(0, len(unknown), _WORDS_A_STEP):
            self._find_slips(unknown[start : start + _WORDS_A_STEP])
            yield
        self._decide(new)
        yield
        # Most texts hold no mistake: looking at their words takes a fraction of the time of mending.
        decided = self._decided()
        mistaken = {word for word in counted if self._meaning(fold(word), decided) is not None}
        meant = list[str]()
        for start in range(0, len(read), _TEXTS_A_STEP):
            meant += [
                text if mistaken.isdisjoint(_WORD.findall(text)) else self.mend(text)
                for text in read[start : start + _TEXTS_A_STEP]
            ]
            yield
        return meant

    def mend(self, text: str) -> str:
        """Return a text with what was meant in place of its mistakes."""
        decided = self._decided()
        if not self._meant and not decided.replaced:
            return text
        return _WORD.sub(lambda match: self._mended(match[0], decided), text)

    def has_mistake(self, text: str) -> bool:
        """Return True if a word of ``text`` is taken for a mistake, or is a known misspelling."""
        decided = self._decided()
        return any(
            self._meaning(folded := fold(word), decided) is not None
            or self._is_misspelling(word, folded, decided)
            for word in WORD.findall(text)
        )

    def _mended(self, word: str, decided: WordDecisions) -> str:
        meant = self._meaning(fold(word), decided)
        return word if meant is None else with_capitals(meant, word)

    def _meaning(self, folded: str, decided: WordDecisions) -> str | None:
        if folded in decided.replaced:
            return decided.replaced[folded]
        return None if folded in decided.kept else self._meant.get(folded)

    def _is_misspelling(self, word: str, folded: str, decided: WordDecisions) -> bool:
        """Return True for a known misspelling that is no habit of the user's."""
        return (
            self._general.is_misspelling(word) and folded not in decided.kept and not self._is_habit(folded)
        )

    def _is_habit(self, word: str) -> bool:
        """Return True if the user writes so what others misspell: a name, or a word that may be meant in many ways."""
        if not self._times[word]:
            return False
        return not self._times_small[word] or (
            self._times[word] > _SLIPS and self._general.meant_by(word) is None
        )

    def _known_meaning(self, word: str) -> str | None:
        """Return what is meant by a known misspelling that is no habit; None where an apostrophe is all that lacks."""
        if not self._general.meanings(word) or self._is_habit(word):
            return None
        meant = self._general.meant_by(word)
        return None if meant is None or meant.replace("'", "") == word else meant

    def _find_slips(self, words: list[str]) -> None:
        """Find what the words may be slips of that no dictionary has."""
        spelt = self._general.spelling.contain(words)
        for word, known in zip(words, spelt.tolist(), strict=True):
            if not known and 3 <= len(word) <= _LONGEST:
                self._near[word] = near = self._slips_of(word)
                for meant, _ in near:
                    self._slipped.setdefault(meant, set()).add(word)

    def _slip_search(self) -> FuzzySearch:
        channel = TypingChannel(self._channel.layout, self._costs, self._channel.languages)
        return FuzzySearch(self._general.trie, channel)

    def _slips_of(self, word: str) -> list[tuple[str, float]]:
        """Return the words of the dictionary that one slip makes this one of, with the slip's cost in nats."""
        self._search = search = self._search or self._slip_search()
        trie, spelt, found = self._general.trie, self._general.spelt, []
        for node, cost in search.column(word).items():
            if trie.whole[node] > trie.low[node]:
                row = int(trie.rows[trie.low[node]])
                meant = fold(self._general.form(row))
                if spelt[row] and meant != word and not self._are_forms_of_one(word, meant):
                    found.append((meant, cost))
        return found

    def _are_forms_of_one(self, word: str, meant: str) -> bool:
        return any(are_forms_of_one(word, meant, language) for language in self._channel.languages)

    def _decide(self, counted: set[str]) -> None:
        """Judge anew the counted words, and the words that may be slips of one of them."""
        for word in counted.union(*(self._slipped.get(meant, ()) for meant in counted)) & self._near.keys():
            near = self._near[word]
            if (known := self._known_meaning(word)) is not None:
                self._meant[word] = known
            elif near:
                meant, cost = max(near, key=lambda other: self._weight(other[0]) * math.exp(-other[1]))
                if self._is_meant(word, meant, cost):
                    self._meant[word] = meant
                else:
                    self._meant.pop(word, None)

    def _weight(self, word: str) -> float:
        return self._general.frequency(word) + self._times[word] * _COMMON

    def _is_meant(self, word: str, meant: str, cost: float) -> bool:
        """Return True if ``word`` was surely meant to be ``meant``."""
        times, right = self._times[word], self._times[meant]
        everybody, usual = self._general.frequency(word), self._general.frequency(meant)
        if self._is_slip_of_own(word, meant, cost):
            return True
        explained = math.log(max(usual, _UNSEEN) / max(everybody, _UNSEEN)) - cost
        if explained < _EXPLAINED:
            return False  # people write it more often than they slip
        if cost <= self._costs.missing_apostrophe:
            return right >= max(3, 2 * times)
        if not self._times_small[word] and not (self._times_small[meant] and right >= 20 * times):
            return False  # it may be a name
        if is_elongated(word, meant):
            return False
        if len(word) < _SHORT:
            return is_swapped(word, meant) and right >= 20 * times
        if len(word) == _SHORT:
            return times <= _SLIPS and right >= 60 * times and explained >= 1
        if right >= 2 * times and times > _SLIPS:
            return True
        if right >= max(5, 10 * times):
            return True
        if everybody and times <= _SLIPS:
            return True
        rare = times < _SLIPS and usual >= _COMMON and not everybody
        return rare and len(word) >= _LONG and word[:-1] != meant[:-1]

    def _is_slip_of_own(self, word: str, meant: str, cost: float) -> bool:
        """Return True if the user alone writes ``word``, and ``meant`` as often, enough to explain it by a slip."""
        times, right = self._times[word], self._times[meant]
        if len(word) <= _SHORT or not 2 <= times <= right or self._general.frequency(word):
            return False
        if cost <= self._costs.missing_apostrophe or not self._times_small[word] or is_elongated(word, meant):
            return False
        return math.log(right / self._total / _UNSEEN) - cost >= _EXPLAINED_BY_USER


def as_meant(mistakes: Mistakes, entries: Sequence[list[int]], tokenizer: Tokenizer) -> list[list[int]]:
    """Return the tokens of entries with what was meant in place of mistyped words, so that no mistake is trained on."""
    texts = [tokenizer.decode(ids) for ids in entries]
    return [
        ids if text == mended else tokenizer.encode(mended)
        for ids, text, mended in zip(entries, texts, mistakes.learn_many(texts), strict=True)
    ]


def is_swapped(word: str, meant: str) -> bool:
    """Return True if two letters beside each other are all that differs, in their order."""
    return any(word[:at] + word[at + 1] + word[at] + word[at + 2 :] == meant for at in range(len(word) - 1))


def is_elongated(word: str, meant: str) -> bool:
    """Return True for letters that are repeated on purpose: "sooo", "yeahh"."""
    if (run := RUN_OF_THREE.search(word)) is not None:
        return run.end() == len(word) or len(word) < _LONG
    return bool(_DOUBLED_END.search(word)) and not _DOUBLED_END.search(meant)
