"""Words, ghosts and corrections, as the answer to `/v1/suggest` holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired

from typing_extensions import TypedDict

if TYPE_CHECKING:
    from idiolect.adapters.prediction import ghost as ghosts
    from idiolect.adapters.prediction import mending, ranking


class Word(TypedDict):
    """A word, or the rest of one, to insert at the cursor, and how probable it is.

    A correction says how many characters before the cursor go away first.
    """

    text: str
    p: float
    replace: NotRequired[int]


class Ghost(TypedDict):
    """A continuation, how probable its first word is, and whether to show it.

    `words` are its pieces, each with the probability that all up to it is right.
    """

    text: str
    p: float
    show: bool
    words: list[Word]


class List(TypedDict):
    """Whether the words are worth a look for whoever has not asked for them."""

    show: bool


class Correction(TypedDict):
    """What was meant by the word that just ended: `text` for the last `replace` characters; `apply`: without asking."""

    text: str
    replace: int
    p: float
    apply: bool


def word(offered: ranking.Word) -> Word:
    """A word on offer; `replace` only where something goes away, so that other answers are as they were."""
    if not offered.replace:
        return {"text": offered.text, "p": offered.p}
    return {"text": offered.text, "p": offered.p, "replace": offered.replace}


def ghost(made: ghosts.Ghost) -> Ghost:
    """A ghost text."""
    return {
        "text": made.text,
        "p": made.p,
        "show": made.show,
        "words": [{"text": piece.text, "p": piece.p} for piece in made.words],
    }


def correction(made: mending.Correction) -> Correction:
    """What was meant by the word that just ended."""
    return {"text": made.text, "replace": made.replace, "p": made.p, "apply": made.sure}
