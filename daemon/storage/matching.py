"""Comparison of searched text: as a reader sees letters and words, not code points."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, cached_property, lru_cache
from itertools import chain
from typing import Final

import regex

_APOSTROPHES: Final = "’‘‛ʼ"
# Apostrophes belong to words; what has a meaning of its own (C#, AT&T, 100%, @name) is no mere punctuation.
_MARK: Final = r"[\s[\p{P}--['#%&*@\\]]]"
# Beside one of these, quotation marks and the signs that emphasise in plain text count no more than it does.
_BETWEEN: Final = rf"[*'`~|]*{_MARK}[{_MARK}*'`~|]*"
_BREAK: Final = regex.compile(_BETWEEN, regex.V1)
_LETTER: Final = r"[\p{L}\p{N}]"
_RUN: Final = regex.compile(rf"{_LETTER}+")  # letters of a whole phrase that stand in a text in just this run
_BEGINS: Final = rf"(?<!{_LETTER})(?<!{_LETTER}')"
_ENDS: Final = rf"(?!{_LETTER}|'{_LETTER})"
_WORD: Final = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:'[\p{L}\p{M}\p{N}]+)*")


# The dot that lower case leaves over an i that was İ, and an i without one; vowel signs of scripts that are mostly
# written without them, the line that stretches a word, and the alef that only texts with such signs have.
_SIGNS: Final = (
    r"[[\u0591-\u05c7\u0610-\u061a\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06ed\u0711\u0730-\u074a\u0898-\u089f\u08ca-\u08ff]"
    r"&&\p{Mn}]"
)
_DROPPED: Final = regex.compile(rf"(?<=i\p{{M}}*)\u0307|{_SIGNS}|\u0640", regex.V1)
_UNTYPED: Final = regex.compile(rf"[\u0131\u0307\u0671\u0640]|{_SIGNS}", regex.V1)


def folded(text: str) -> str:
    """`text` as it is compared, twice the same as once.

    That is Unicode's NFKC_Casefold, one space for any white space, straight apostrophes, one i for the Turkish two,
    and Hebrew, Arabic and Syriac without vowel signs.
    """
    plain = text.isascii() and text.isprintable()  # most lines are, and it is quickly seen
    if not plain:
        text = _visible(text)
    if text.isascii():
        text = text.lower()
    else:
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        if _UNTYPED.search(text):
            text = _bare(text)
        for apostrophe in _APOSTROPHES:
            text = text.replace(apostrophe, "'")
    return " ".join(text.split())


def _bare(text: str) -> str:
    """A text that is folded in every other way, without what people leave out when they type."""
    text = text.replace("\u0131", "i").replace("\u0671", "\u0627")
    return unicodedata.normalize("NFKC", _DROPPED.sub("", unicodedata.normalize("NFD", text)))


def _visible(text: str) -> str:
    """A text without the characters that nobody sees, and with a space for each control character."""
    hidden, table = _unseen()
    return text if hidden.isdisjoint(text) else text.translate(table)


@cache
def _unseen() -> tuple[frozenset[str], dict[int, str | None]]:
    """Soft hyphens, zero-width characters, variation selectors and control characters; and what stands for each.

    A control character parts words, as a tab does; the others stand within one.
    """
    # The other planes have none; 50 ms, and quicker for each text than a regular expression.
    there = "".join(map(chr, chain(range(0x20000), range(0xE0000, 0xE1000))))
    found = regex.findall(r"[\p{DI}\p{Cf}\p{Cc}\p{Cs}]", there)
    hidden = frozenset(char for char in found if not char.isspace() and not regex.match(r"\p{PCM}", char))
    return hidden, {ord(char): " " if unicodedata.category(char) == "Cc" else None for char in hidden}


def has_control(text: str) -> bool:
    """Whether there are characters in it that no text has: control characters (but tab and line ends), surrogates."""
    return any(unicodedata.category(char) in ("Cc", "Cs") for char in text if char not in "\t\n\r")


def words(text: str) -> list[str]:
    """The words of a text, as they are compared."""
    return words_of(folded(text))


def words_of(text: str) -> list[str]:
    """The words of a text that is folded already."""
    return _WORD.findall(text)


def between(text: str, first: int, last: int) -> str:
    """The words `first` to `last` (their numbers) of a folded text, as a phrase by which they are found there."""
    places = [match.span() for match in _WORD.finditer(text)]
    return _BREAK.sub(" ", text[places[first][0] : places[last][1]])


def is_findable(phrase: str) -> bool:
    """Whether there is something to look for in a phrase."""
    return bool(_BREAK.sub(" ", folded(phrase)).strip())


class Pattern:
    """What entries are searched for.

    It is found where it stands as it is given, also within a word. Between its words there may also stand any other
    white space and punctuation; then its first and last word must be whole, lest `e-mail` be found in `the mail`.
    White space around it says that a word begins or ends there.
    With `whole` it is a phrase: its first and last word are whole, and what stands around it does not count.
    """

    def __init__(self, given: str, *, whole: bool = False) -> None:
        """Read a pattern. Raises ValueError where there is nothing to look for."""
        core = _BREAK.sub(" ", folded(given)).strip() if whole else folded(given)
        if not core:
            raise ValueError("there is nothing in it to look for")
        seen = _visible(given)
        before = rf"(?:\A|(?<={_MARK}))" if seen[0].isspace() and not whole else ""
        after = rf"(?:\Z|(?={_MARK}))" if seen[-1].isspace() and not whole else ""
        self._parts = parts = [part for part in _BREAK.split(core) if part]
        self._as_given = None if whole or before or after else core
        ways = [before + regex.escape(core) + after] if before or after else []
        if parts and (whole or len(parts) > 1):
            start, end = core.index(parts[0]), core.rindex(parts[-1]) + len(parts[-1])
            inner = _BETWEEN.join(map(regex.escape, parts))
            edges = (regex.escape(core[:start]), regex.escape(core[end:]))
            begins = _BEGINS if core[0].isalnum() else ""
            ends = _ENDS if core[-1].isalnum() else ""
            ways.append(begins + edges[0] + inner + edges[1] + ends)
        self._ways = "|".join(ways)

    @cached_property
    def _compiled(self) -> regex.Pattern[str]:
        return regex.compile(self._ways, regex.V1)

    def found(self, text: str) -> bool:
        """Whether it stands in a text."""
        return self.found_in_folded(folded(text))

    def found_in_folded(self, text: str) -> bool:
        """Whether it stands in a text that is folded already."""
        if self._as_given is not None and self._as_given in text:
            return True
        # Most texts lack one of the words, which is quickly seen.
        if not self._ways or not all(part in text for part in self._parts):
            return False
        return self._compiled.search(text) is not None


class Phrases:
    """Several phrases that are searched for at once.

    Of each text the words are looked up, and only those phrases are tried whose longest word stands there. So a text
    costs one pass, however many the phrases.
    """

    def __init__(self, given: Iterable[str]) -> None:
        """Read phrases. Raises ValueError where there is nothing to look for in one of them."""
        self._by_run: dict[str, list[tuple[str, Pattern]]] = {}
        for phrase in given:
            longest = max(_RUN.findall(folded(phrase)), key=len, default="")
            self._by_run.setdefault(longest, []).append((phrase, Pattern(phrase, whole=True)))

    def found(self, text: str) -> bool:
        """Whether one of them stands in a text."""
        return any(True for _ in self.find(text))

    def find(self, text: str) -> Iterator[str]:
        """The phrases that stand in a text, as they were given."""
        text = folded(text)
        for run in {"", *_RUN.findall(text)}:  # under the empty one are phrases without letters
            yield from (given for given, phrase in self._by_run.get(run, ()) if phrase.found_in_folded(text))


@lru_cache(maxsize=8)
def phrases(given: tuple[str, ...]) -> Phrases:
    """The phrases of a search that is made for many texts. Raises ValueError."""
    return Phrases(given)


@lru_cache(maxsize=8)
def pattern(given: str, whole: bool) -> Pattern:
    """The pattern of a search that is made for many texts. Raises ValueError."""
    return Pattern(given, whole=whole)
