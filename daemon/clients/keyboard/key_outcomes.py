"""The effects of a key press, a report or an answer: text to insert, questions to ask, words to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from idiolect.daemon.clients.keyboard.suggest_answer import mended_words


@dataclass(frozen=True)
class InsertText:
    """Insert `text` at the cursor, once `replace` characters before it are gone."""

    text: str
    replace: int = 0


@dataclass(frozen=True)
class AskService:
    """Ask the service how `prefix` goes on, and, with `corrections`, for corrections of its end.

    `ended`: a word has just ended there, whose correction is of use later, too. `behind`: the text behind the cursor.
    """

    prefix: str
    corrections: bool = False
    ended: bool = False
    behind: str = ""


@dataclass(frozen=True)
class ShowSuggestions:
    """Show these words, this ghost text and this note alone; `fresh`: no letter of the word is typed yet."""

    words: tuple[str, ...] = ()
    ghost: str = ""
    note: str = ""
    fresh: bool = False


@dataclass(frozen=True)
class SuggestionOutcome:
    """The outcome of a shown suggestion, with the fields of `/v1/feedback`."""

    kind: Literal["word", "ghost", "correction"]
    outcome: Literal["accepted", "dismissed"]
    p: float
    characters: int = 0
    keystrokes: int = 1
    words: int = 1
    word: str | None = None  # of a correction: the mistyped word


@dataclass(frozen=True)
class Made:
    """A correction that was made: behind `lead`, `put` stands in the place of `removed`; then comes `typed_after`."""

    removed: str
    put: str
    lead: str
    typed_after: str = ""

    @property
    def word(self) -> str:
        """The mistyped word."""
        return mended_words(self.removed, self.put)[0]

    @property
    def meant(self) -> str:
        """The word that stands in its place."""
        return mended_words(self.removed, self.put)[1]

    def accepted(self, p: float) -> SuggestionOutcome:
        """Return the outcome of a correction of probability `p`."""
        return SuggestionOutcome("correction", "accepted", p, len(self.put), word=self.word)

    def taken_back(self) -> SuggestionOutcome:
        """Return the outcome of a correction that was taken back."""
        return SuggestionOutcome("correction", "dismissed", 0.0, word=self.word)


@dataclass(frozen=True)
class WordMended:
    """The menu offers to put a word back that was mended; None: the word was put back."""

    made: Made | None


@dataclass(frozen=True)
class FieldEmptied:
    """Return was pressed, and the text before the cursor has gone: a sent message, or an earlier line."""


KeyEffect: TypeAlias = (
    InsertText | AskService | ShowSuggestions | SuggestionOutcome | WordMended | FieldEmptied
)
