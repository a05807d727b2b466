"""What the service has to offer at the cursor, and what of it still holds once another character is typed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final

_WORD: Final = re.compile(r"[^\W_][\w'’-]*$")
#: A word of a ghost text, with the white space in front of it.
_GHOST_WORD: Final = re.compile(r"\s*\S+")


@dataclass(frozen=True)
class Word:
    """A word on offer: `text` is put at the cursor, once `replace` characters before that are gone."""

    text: str
    p: float
    replace: int = 0


@dataclass(frozen=True)
class Ghost:
    """A text that may go on at the cursor, and whether the service advises to show it."""

    text: str
    p: float
    show: bool

    @property
    def first_word(self) -> str:
        """Its first word, and the space before that; the rest of a word that is begun counts as one."""
        found = _GHOST_WORD.match(self.text)
        return found[0] if found else ""


@dataclass(frozen=True)
class Offer:
    """What is on offer behind a text, the likeliest word first."""

    prefix: str
    words: tuple[Word, ...]
    ghost: Ghost | None

    def after(self, char: str) -> Offer:
        """What of it is left once `char` was typed."""
        words = (
            replace(word, text=word.text[1:])
            for word in self.words
            if not word.replace and word.text[:1] == char and word.text != char
        )
        ghost = self.ghost
        if ghost is not None:
            ghost = replace(ghost, text=ghost.text[1:]) if ghost.text[:1] == char and ghost.text[1:] else None
        return Offer(self.prefix + char, tuple(words), ghost)

    def __bool__(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.words) or self.ghost is not None


def begun(text: str) -> str:
    """The word that is being typed at the end of a text."""
    found = _WORD.search(text[-100:])
    return found[0] if found else ""


def read(answer: dict[str, Any], prefix: str) -> Offer:
    """An answer of `/v1/suggest` to this prefix. A ghost text that is not to be shown is left out."""
    typed = begun(prefix)
    words = tuple(
        Word(word["text"], word["p"], word.get("replace", 0))
        for word in answer["words"]
        if word["text"].isprintable() and word.get("replace", 0) <= len(typed)
    )
    told = answer["ghost"]
    text = told["text"].split("\n")[0].rstrip()
    ghost = Ghost(text, told["p"], told["show"]) if text and told["show"] and text.isprintable() else None
    return Offer(prefix, words, ghost)
