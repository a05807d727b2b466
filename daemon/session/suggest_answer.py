"""An answer of `/v1/suggest`: the offered words and ghost text, and their rest as the user types on."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final

from idiolect.daemon.text.typed_text import begun

#: The words that a correction removes, without the mark behind them.
_MISTYPED: Final = re.compile(r"[\w'’ ]*")
MAX_WORDS: Final = 5  # in a window, a correction among them
#: Some programs count a character beyond this one as two.
_LAST_OF_ONE_UNIT: Final = "\uffff"
_NOT_TYPED: Final = "\xa0"  # before what a correction puts there, so that no key goes along with it


@dataclass(frozen=True)
class OfferedWord:
    """A word on offer: `text` is inserted, once `replace` characters before the cursor are gone.

    Attributes:
        p: its probability.
        ended: it corrects the word that ended, and repeats the space or mark behind that.
        apply: it may be made by itself.
        grey: it may be shown as ghost text, too.
    """

    text: str
    p: float
    replace: int = 0
    ended: bool = False
    apply: bool = False
    grey: bool = False


@dataclass(frozen=True)
class OfferedGhost:
    """A text that may go on at the cursor, and its pieces of a word each; or what shows the correction `word`."""

    text: str
    p: float
    words: tuple[str, ...]
    word: OfferedWord | None = None

    @property
    def first_word(self) -> str:
        """Its first word, and the space before that; the rest of a word that is begun counts as one."""
        return self.words[0]

    def without(self, characters: int) -> OfferedGhost | None:
        """Return the rest behind so many characters; None if there is none."""
        left, words = self.text[characters:], self.words
        while words and characters >= len(words[0]):
            characters -= len(words[0])
            words = words[1:]
        if words:
            words = (words[0][characters:], *words[1:])
        return replace(self, text=left, words=words) if left else None


@dataclass(frozen=True)
class Offer:
    """The suggestions behind a text, the likeliest word first; `listed`: the words are shown by themselves."""

    prefix: str
    words: tuple[OfferedWord, ...]
    ghost: OfferedGhost | None
    listed: bool = True

    def after(self, char: str) -> Offer:
        """Return the suggestions that go on with a typed character."""
        words = (
            replace(word, text=word.text[1:])
            for word in self.words
            if not word.replace and word.text[:1] == char and word.text != char
        )
        ghost = self.ghost.without(1) if self.ghost is not None and self.ghost.text[:1] == char else None
        return Offer(self.prefix + char, tuple(words), ghost)

    def without_stray_ghost(self) -> Offer:
        """Return it without a ghost text behind a whole word, whose key may lead to the next field there."""
        goes_on = self.ghost is None or (begun(self.prefix) and not self.ghost.text[0].isspace())
        return self if goes_on else replace(self, ghost=None)

    def __bool__(self) -> bool:
        """Return whether there is a suggestion."""
        return bool(self.words) or self.ghost is not None

    def removed(self, word: OfferedWord) -> str:
        """Return the text before the cursor that a word replaces."""
        return self.prefix[len(self.prefix) - word.replace :]

    def label(self, word: OfferedWord) -> str:
        """Return a word as the window shows it: whole, or as a correction with its word."""
        if word.ended:
            return " → ".join(mended_words(self.removed(word), word.text))
        typed = begun(self.prefix)
        return (typed[: max(len(typed) - word.replace, 0)] + word.text).strip()


def mistyped(removed: str) -> str:
    """Return the words in a text that a correction removes."""
    found = _MISTYPED.match(removed)
    return found[0].strip() if found else ""


def mended_words(removed: str, put: str) -> tuple[str, str]:
    """Return the mistyped and the right words of a correction, without a word behind them that is the same in both."""
    one, other = mistyped(removed).split(), mistyped(put).split()
    if "".join(one) == "".join(other):  # their spaces alone
        return mistyped(removed), mistyped(put)
    while len(one) > 1 and len(other) > 1 and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return " ".join(one), " ".join(other)


def read(
    answer: dict[str, Any], prefix: str, *, max_words: int = MAX_WORDS, asks_ghost: bool = False
) -> Offer:
    """Read an answer of `/v1/suggest`, without a ghost text that is not to be shown unless its user asks for it.

    There are no words if the word before the cursor is likelier to be whole than to go on as any of them.
    """
    words = [
        OfferedWord(word["text"], word["p"], word.get("replace", 0), grey=word.get("grey", False))
        for word in answer["words"]
    ]
    if (made := answer.get("correction")) is not None:
        is_grey = made.get("grey", False)
        words.insert(0, OfferedWord(made["text"], made["p"], made["replace"], True, made["apply"], is_grey))
    fit = tuple(
        word  # joiners are not printable, and within an emoji
        for word in words
        if word.text.replace("\u200d", "").isprintable() and can_replace(prefix, word.replace)
    )
    complete = answer.get("finished", 0.0) > max((word.p for word in fit), default=0.0)
    told = answer["ghost"]
    text = told["text"].split("\n")[0].rstrip()
    shown = text and (told["show"] or asks_ghost) and text.isprintable()
    ghost = OfferedGhost(text, told["p"], _pieces(told, text)) if shown else None
    fit = () if complete else fit[:max_words]
    if meant := next((word for word in fit if word.grey), None):
        text = f"{_NOT_TYPED}→ {meant.text.rstrip()}"
        ghost = OfferedGhost(text, meant.p, (text,), meant)
    return Offer(prefix, fit, ghost, answer["list"]["show"])


def can_replace(prefix: str, characters: int) -> bool:
    """Return whether so many characters stand on the cursor's line, and all programs count them alike."""
    removed = prefix[max(len(prefix) - characters, 0) :]
    return (
        len(removed) == characters and "\n" not in removed and max(removed, default="") <= _LAST_OF_ONE_UNIT
    )


def _pieces(told: dict[str, Any], text: str) -> tuple[str, ...]:
    """Return the pieces of a ghost text, as far as it is shown."""
    pieces, left = [], len(text)
    for piece in told["words"]:
        if left > 0:
            pieces.append(piece["text"][:left])
            left -= len(pieces[-1])
    return tuple(pieces)
