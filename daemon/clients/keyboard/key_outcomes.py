"""The effects of a key press, a report or an answer: text to insert, questions to ask, words to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class InsertText:
    """Put `text` at the cursor, once `replace` characters before it are gone."""

    text: str
    replace: int = 0


@dataclass(frozen=True)
class AskService:
    """Ask the service for what goes on behind `prefix`, and, with `corrections`, for what was meant before it.

    `ended`: a word has just ended there, whose correction is of use later, too. `behind`: what stands there already.
    """

    prefix: str
    corrections: bool = False
    ended: bool = False
    behind: str = ""


@dataclass(frozen=True)
class ShowSuggestions:
    """Show these words, this ghost text and this note; what is left out is hidden.

    `fresh`: nothing is typed yet of the word that they are for.
    """

    words: tuple[str, ...] = ()
    ghost: str = ""
    note: str = ""
    fresh: bool = False


@dataclass(frozen=True)
class SuggestionOutcome:
    """What became of a suggestion that was shown; the fields are those of `/v1/feedback`."""

    kind: Literal["word", "ghost", "correction"]
    outcome: Literal["accepted", "dismissed"]
    p: float
    characters: int = 0
    keystrokes: int = 1
    words: int = 1
    word: str | None = None  # of a correction: what was mistyped


@dataclass(frozen=True)
class FieldEmptied:
    """Return was pressed, and what was written has gone from before the cursor: a sent message, or an earlier line."""


KeyEffect: TypeAlias = InsertText | AskService | ShowSuggestions | SuggestionOutcome | FieldEmptied
