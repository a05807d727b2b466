"""What the user has decided about words: those that are never suggested, and those that always are, though rare.

Both are words or phrases. They are compared word by word, whatever their case, their white space and the form of their
apostrophes.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import regex

from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.mending.mistakes import NO_DECISIONS, WordDecisions

_NEAR_CHARS = 160  # before the cursor, in which a phrase may have begun
_MAX_MORE = 8  # words asked for in the place of those that must not be shown
_MIN_TYPED = 2  # letters of a word of the user's, before it is offered whatever its probability
_TYPED = regex.compile(r"(?r)[\p{L}\p{N}'’]+\Z")
_SENTENCE_END = regex.compile(r"[.!?…\n]")
_UNSPACED = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Extended_Pictographic}\p{RI}]"
)


@dataclass(frozen=True)
class _Phrase:
    """A word or phrase: its words as they are compared and as given, and what stands around each of them."""

    words: tuple[str, ...]
    forms: tuple[str, ...]
    gaps: tuple[str, ...]


@dataclass(frozen=True)
class _Chosen:
    """Words and phrases, by each of their words with its place, and in the order of their first words.

    Emoji, and phrases in scripts without spaces, are looked for anywhere.
    """

    phrases: tuple[_Phrase, ...]
    by_word: dict[str, list[tuple[int, _Phrase]]]
    unspaced: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many there are, at most."""
        return len(self.phrases) + len(self.unspaced)


class WordPreferences:
    """The words that must not be shown, and those that are the user's own."""

    def __init__(self, never: Iterable[str] = (), mine: Iterable[str] = ()) -> None:
        self.corrections = NO_DECISIONS
        self.set(never, mine)

    def set(
        self, never: Iterable[str], mine: Iterable[str], corrections: WordDecisions = NO_DECISIONS
    ) -> None:
        """Hold these words and phrases, and no others, from now on; ``corrections``: what is mended, and what not."""
        self._never, self._mine = _chosen(never), _chosen(mine)
        self.corrections = corrections

    @property
    def more(self) -> int:
        """How many words to look for beyond those wanted, since some may have to go."""
        return min(self._never.count, _MAX_MORE)

    def forbids(self, before: str, offered: str) -> bool:
        """Return True if ``offered``, shown after ``before``, would complete what must never be suggested.

        What stands in ``before`` already is the user's own.
        """
        return bool(self._never.count) and _completes(self._never, before, offered)

    def owns(self, before: str, offered: str) -> bool:
        """Return True if every word that ``offered`` completes belongs to a word or phrase of the user's own."""
        if not self._mine.phrases:
            return False
        near = _comparable(before[-_NEAR_CHARS:])
        text = near + _comparable(offered)
        places = list(WORD.finditer(text))
        words = [place[0] for place in places]
        shown = [number for number, place in enumerate(places) if place.end() > len(near)]
        return bool(shown) and all(
            any(
                number >= place
                and tuple(words[number - place : number - place + len(phrase.words)]) == phrase.words
                for place, phrase in self._mine.by_word.get(words[number], ())
            )
            for number in shown
        )

    def rest_of_own(self, before: str) -> list[str]:
        """Return the rests of words of the user's own that may stand behind ``before``, to be inserted there.

        Two letters of a word are enough for it, whatever its probability; the next word of a phrase needs none.
        """
        if not self._mine.phrases:
            return []
        near = before[-_NEAR_CHARS:]
        match = _TYPED.search(near)
        typed = match[0] if match else ""
        ahead = near[: len(near) - len(typed)]
        said = [match[0] for match in WORD.finditer(_comparable(ahead))]
        begun = _comparable(typed)
        follows = [
            (place + 1, phrase)
            for place, phrase in (
                self._mine.by_word.get(said[-1], ()) if said and ahead[-1:].isspace() else ()
            )
            if tuple(said[-place - 1 :]) == phrase.words[: place + 1] and place + 1 < len(phrase.words)
        ]
        starts = ((0, phrase) for phrase in self._starting(begun))
        found = dict[str, None]()
        for place, phrase in (*follows, *starts):
            word, form = phrase.words[place], phrase.forms[place]
            if word.startswith(begun) and word != begun and len(word) == len(form):
                found[form[len(typed) :]] = None
        return [*found]

    def _starting(self, begun: str) -> Iterator[_Phrase]:
        """Yield the phrases whose first word begins so, once enough of it is typed."""
        if len(begun) < _MIN_TYPED:
            return
        phrases = self._mine.phrases
        for place in range(bisect_left(phrases, begun, key=lambda phrase: phrase.words[0]), len(phrases)):
            if not phrases[place].words[0].startswith(begun):
                return
            yield phrases[place]


def _chosen(texts: Iterable[str]) -> _Chosen:
    by_word: dict[str, list[tuple[int, _Phrase]]] = defaultdict(list)
    unspaced, phrases = list[str](), list[_Phrase]()
    for text in map(partial(unicodedata.normalize, "NFC"), texts):
        comparable = _comparable(text)
        if _UNSPACED.search(comparable):
            unspaced.append(comparable)
        if places := list(WORD.finditer(comparable)):
            bounds = [0, *(end for place in places for end in place.span()), len(comparable)]
            gaps = tuple(comparable[bounds[at] : bounds[at + 1]].strip() for at in range(0, len(bounds), 2))
            words, forms = tuple(place[0] for place in places), tuple(WORD.findall(text))
            phrases.append(_Phrase(words, forms if len(forms) == len(words) else words, gaps))  # of İ are two
    for phrase in phrases:
        for number, word in enumerate(phrase.words):
            by_word[word].append((number, phrase))
    return _Chosen(tuple(sorted(phrases, key=lambda phrase: phrase.words[0])), dict(by_word), tuple(unspaced))


def _completes(chosen: _Chosen, before: str, offered: str) -> bool:
    near = _comparable(before[-_NEAR_CHARS:])
    text, cursor = near + _comparable(offered), len(near)
    for other in chosen.unspaced:
        if text.find(other, max(0, cursor - len(other) + 1)) >= 0:
            return True
    places = list(WORD.finditer(text))
    return any(
        _stands(phrase, places, number, text)
        for number, place in enumerate(places)
        if place.end() > cursor
        for at, phrase in chosen.by_word.get(place[0], ())
        if at == len(phrase.words) - 1
    )


def _stands(phrase: _Phrase, places: Sequence[regex.Match[str]], last: int, text: str) -> bool:
    """Return True if a phrase ends with the word ``last`` of a text."""
    first = last - len(phrase.words) + 1
    if first < 0 or any(places[first + number][0] != word for number, word in enumerate(phrase.words)):
        return False
    inner = [text[places[at].end() : places[at + 1].start()].strip() for at in range(first, last)]
    if any(
        gap != own and _SENTENCE_END.search(gap) for gap, own in zip(inner, phrase.gaps[1:-1], strict=True)
    ):
        return False
    return text[: places[first].start()].endswith(phrase.gaps[0]) and text[places[last].end() :].startswith(
        phrase.gaps[-1]
    )


def _comparable(text: str) -> str:
    """A text as it is compared: composed, in small letters, with straight apostrophes."""
    return unicodedata.normalize("NFC", text).lower().replace("’", "'")
