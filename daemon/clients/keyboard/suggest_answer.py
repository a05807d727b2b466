"""An answer of `/v1/suggest`: the words and ghost text on offer, and which stay valid as one types on."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final

from idiolect.daemon.text.typed_text import begun

#: The words that a correction takes away, without what stands behind them.
_MISTYPED: Final = re.compile(r"[\w'’ ]*")
#: The window has room for so many words, a correction among them.
MAX_WORDS: Final = 5
#: Programs count the characters beyond as one or as two.
_LAST_OF_ONE_UNIT: Final = "\uffff"


@dataclass(frozen=True)
class OfferedWord:
    """A word on offer: `text` is put at the cursor, once `replace` characters before that are gone.

    Attributes:
        p: its probability.
        ended: it corrects the word that ended, and repeats the space or mark behind that.
        apply: it may be put there without being asked for.
    """

    text: str
    p: float
    replace: int = 0
    ended: bool = False
    apply: bool = False


@dataclass(frozen=True)
class OfferedGhost:
    """A text that may go on at the cursor, and its pieces, a word each."""

    text: str
    p: float
    words: tuple[str, ...]

    @property
    def first_word(self) -> str:
        """Its first word, and the space before that; the rest of a word that is begun counts as one."""
        return self.words[0]

    def without(self, characters: int) -> OfferedGhost | None:
        """What is left of it without so many characters at its beginning; None where that is nothing."""
        left, words = self.text[characters:], self.words
        while words and characters >= len(words[0]):
            characters -= len(words[0])
            words = words[1:]
        if words:
            words = (words[0][characters:], *words[1:])
        return replace(self, text=left, words=words) if left else None


@dataclass(frozen=True)
class Offer:
    """What is on offer behind a text, the likeliest word first.

    `listed`: the words are worth a look that nobody has asked for.
    """

    prefix: str
    words: tuple[OfferedWord, ...]
    ghost: OfferedGhost | None
    listed: bool = True

    def after(self, char: str) -> Offer:
        """What of it is left once `char` was typed."""
        words = (
            replace(word, text=word.text[1:])
            for word in self.words
            if not word.replace and word.text[:1] == char and word.text != char
        )
        ghost = self.ghost.without(1) if self.ghost is not None and self.ghost.text[:1] == char else None
        return Offer(self.prefix + char, tuple(words), ghost)

    def __bool__(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.words) or self.ghost is not None

    def removed(self, word: OfferedWord) -> str:
        """The text before the cursor that goes away for a word."""
        return self.prefix[len(self.prefix) - word.replace :]

    def label(self, word: OfferedWord) -> str:
        """A word as the window shows it: as it stands there once it is taken, with what was typed of it."""
        if word.ended:
            return f"{mistyped(self.removed(word))} → {mistyped(word.text)}"
        typed = begun(self.prefix)
        return (typed[: max(len(typed) - word.replace, 0)] + word.text).strip()


def mistyped(removed: str) -> str:
    """The word, or words, of a text that a correction takes away."""
    found = _MISTYPED.match(removed)
    return found[0].strip() if found else ""


def read(answer: dict[str, Any], prefix: str) -> Offer:
    """An answer of `/v1/suggest` to this prefix, without a ghost text that is not to be shown.

    Behind a word that is likelier to end there than to be any of the words on offer there are no words.
    """
    words = [OfferedWord(word["text"], word["p"], word.get("replace", 0)) for word in answer["words"]]
    if (made := answer.get("correction")) is not None:
        words.insert(
            0, OfferedWord(made["text"], made["p"], made["replace"], ended=True, apply=made["apply"])
        )
    fit = tuple(word for word in words if word.text.isprintable() and can_replace(prefix, word.replace))
    complete = answer.get("finished", 0.0) > max((word.p for word in fit), default=0.0)
    told = answer["ghost"]
    text = told["text"].split("\n")[0].rstrip()
    shown = text and told["show"] and text.isprintable()
    ghost = OfferedGhost(text, told["p"], _pieces(told, text)) if shown else None
    return Offer(prefix, () if complete else fit[:MAX_WORDS], ghost, answer["list"]["show"])


def can_replace(prefix: str, characters: int) -> bool:
    """Whether so many characters stand before the cursor, on its line, and every program counts them alike."""
    removed = prefix[max(len(prefix) - characters, 0) :]
    return (
        len(removed) == characters and "\n" not in removed and max(removed, default="") <= _LAST_OF_ONE_UNIT
    )


def _pieces(told: dict[str, Any], text: str) -> tuple[str, ...]:
    """The pieces of a ghost text, as far as it is shown."""
    pieces, left = [], len(text)
    for piece in told["words"]:
        if left > 0:
            pieces.append(piece["text"][:left])
            left -= len(pieces[-1])
    return tuple(pieces)
