"""What a session wants done: text to insert, questions to ask, words to show, texts to learn."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any, Final, Literal, TypeAlias

from idiolect.daemon.session.field_authorship import Line
from idiolect.daemon.session.suggest_answer import Offer, mended_words

LEAD_CHARS: Final = 40  # before a mended word, by which its place is known again


@dataclass(frozen=True)
class InsertText:
    """Insert `text` at the cursor, once `replace` characters before it are gone, which are `removed`."""

    text: str
    replace: int = 0
    removed: str = attribute(default="", compare=False)


@dataclass(frozen=True)
class AskService:
    """Ask the service how `prefix` goes on, and, with `corrections`, for corrections of its end.

    `ended`: a word has just ended there, whose correction is of use later, too. `behind`: the text behind the cursor.
    `body` is the request, of the field of a number; `silent`: nothing is to be shown there.
    """

    prefix: str
    corrections: bool = False
    ended: bool = False
    behind: str = ""
    body: dict[str, Any] = attribute(default_factory=dict)
    field: int = 0
    silent: bool = False


@dataclass(frozen=True)
class ShowSuggestions:
    """Show these words, this ghost text and this note alone; `fresh`: no letter of the word is typed yet.

    `inline`: the ghost text stands at the cursor, else in the window. The keys are as hints name them. `offer`: what
    these are of.
    """

    words: tuple[str, ...] = ()
    ghost: str = ""
    note: str = ""
    fresh: bool = False
    inline: bool = False
    word_keys: tuple[str, ...] = ()
    ghost_key: str = ""
    offer: Offer = attribute(default=Offer("", (), None), compare=False)


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
class MadeCorrection:
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
class MendedWordsChanged:
    """A word was mended, or put back: the menu offers others to put back."""


@dataclass(frozen=True)
class FieldEmptied:
    """Return was pressed, and the text before the cursor has gone: a sent message, or an earlier line."""


#: What a key, a report or an answer does in its field.
KeyEffect: TypeAlias = (
    InsertText | AskService | ShowSuggestions | SuggestionOutcome | MendedWordsChanged | FieldEmptied
)


@dataclass(frozen=True)
class AnswerKey:
    """Answer the door's key of a number: it is `used` up, or passed on to the program."""

    number: Any
    used: bool


@dataclass(frozen=True)
class PlaceWindow:
    """Keep the window off the cursor's line, `y` pixels from the top."""

    y: int


@dataclass(frozen=True)
class MenuLine:
    """A line of the menu. `checked` None: a line to press."""

    key: str
    label: str
    checked: bool | None = None


@dataclass(frozen=True)
class ShowMenu:
    """Show the menu under this title; `symbol` stands for it where there is little room."""

    title: str
    symbol: str
    lines: tuple[MenuLine, ...]


@dataclass(frozen=True)
class LearnText:
    """Send a text to be learned: the body of `/v1/history`, but for its source; of which document, if it is of one."""

    body: dict[str, Any]
    uri: str = ""


@dataclass(frozen=True)
class LearnLines:
    """Have lines of a page learned that hold newly typed text, but for what was typed in a pause."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class TellOutcome:
    """Send the outcome of a suggestion: the body of `/v1/feedback`; equal outcomes may go together."""

    body: dict[str, Any]


@dataclass(frozen=True)
class SendRequest:
    """Send a request, and hand the reply back.

    `as_user`: as the user, with all their rights. `again`: until the service takes it; then there is no reply.
    """

    path: str
    body: dict[str, Any] | None = None
    method: Literal["GET", "POST"] = "POST"
    as_user: bool = False
    again: bool = False


@dataclass(frozen=True)
class DropQuestions:
    """Drop the questions that wait: the field was left."""


@dataclass(frozen=True)
class FindProgram:
    """Find the name of the program with the focus, which came as the `focus`-th."""

    focus: int


@dataclass(frozen=True)
class ReadField:
    """Read the text around the cursor where programs tell screen readers of it.

    `line` is the line before the cursor, `app` the program, None if it is not known.
    """

    field: int
    line: str
    app: str | None


@dataclass(frozen=True)
class KeepChoice:
    """Keep the choice whether to learn."""

    learn: bool


@dataclass(frozen=True)
class KeepPause:
    """Keep since when learning is paused unheard, in seconds since 1970; None: no pause is unheard."""

    since_s: float | None


Effect: TypeAlias = (
    InsertText
    | AskService
    | ShowSuggestions
    | AnswerKey
    | PlaceWindow
    | ShowMenu
    | LearnText
    | LearnLines
    | TellOutcome
    | SendRequest
    | DropQuestions
    | FindProgram
    | ReadField
    | KeepChoice
    | KeepPause
)
