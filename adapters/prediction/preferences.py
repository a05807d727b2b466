"""What the user has decided about words: those that are never suggested, and those that always are, though rare.

Both are words or phrases. They are compared word by word, whatever their case, their white space and the form of their
apostrophes.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import regex

from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.mending.mistakes import NO_DECISIONS, WordDecisions

_NEAR_CHARS = 160  # before the cursor, in which a phrase may have begun
_MAX_MORE = 8  # words asked for in the place of those that must not be shown
_MIN_TYPED = 2  # letters of a word of the user's, before it is offered whatever its probability
_TYPED = regex.compile(r"(?r)[\p{L}\p{N}'’]+\Z")
_SENTENCE_END = regex.compile(r"[.!?…\n]")
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")


@dataclass(frozen=True)
class _Phrase:
    """A word or phrase: as given, its words as they are compared, and what stands before, between and after them."""

    text: str
    words: tuple[str, ...]
    gaps: tuple[str, ...]


@dataclass(frozen=True)
class _Chosen:
    """Words and phrases, by their last word; and those of scripts without spaces, which are looked for anywhere."""

    by_last: dict[str, list[_Phrase]]
    unspaced: tuple[str, ...]
    phrases: tuple[_Phrase, ...]


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
        return min(len(self._never.phrases), _MAX_MORE)

    def forbids(self, before: str, offered: str) -> bool:
        """Return True if ``offered``, shown after ``before``, would complete what must never be suggested.

        What stands in ``before`` already is the user's own.
        """
        return bool(self._never.phrases) and _completes(self._never, before, offered)

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
                tuple(words[start : start + len(phrase.words)]) == phrase.words
                for phrase in self._mine.phrases
                for start in range(max(0, number - len(phrase.words) + 1), number + 1)
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
        found: dict[str, None] = {}
        for phrase in self._mine.phrases:
            forms = [match[0] for match in WORD.finditer(phrase.text)]
            for number, (word, form) in enumerate(zip(phrase.words, forms, strict=True)):
                if not word.startswith(begun) or word == begun or len(word) != len(form):
                    continue
                follows = (
                    number > 0 and tuple(said[-number:]) == phrase.words[:number] and ahead[-1:].isspace()
                )
                if follows or (number == 0 and len(begun) >= _MIN_TYPED):
                    found[form[len(typed) :]] = None
        return [*found]


def _chosen(texts: Iterable[str]) -> _Chosen:
    by_last: dict[str, list[_Phrase]] = defaultdict(list)
    unspaced, phrases = [], []
    for text in texts:
        comparable = _comparable(text)
        places = list(WORD.finditer(comparable))
        if not places:
            continue
        bounds = [0, *(end for place in places for end in place.span()), len(comparable)]
        gaps = tuple(comparable[bounds[at] : bounds[at + 1]].strip() for at in range(0, len(bounds), 2))
        phrase = _Phrase(unicodedata.normalize("NFC", text), tuple(place[0] for place in places), gaps)
        phrases.append(phrase)
        if _UNSPACED.search(comparable):
            unspaced.append(comparable)
        else:
            by_last[phrase.words[-1]].append(phrase)
    return _Chosen(dict(by_last), tuple(unspaced), tuple(phrases))


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
        for phrase in chosen.by_last.get(place[0], ())
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
