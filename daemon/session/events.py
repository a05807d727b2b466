"""What a hand, a program and the service do, as a door tells a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from idiolect.daemon.session.effects import AskService, MadeCorrection, SendRequest
from idiolect.daemon.session.field import Document, Field
from idiolect.daemon.session.suggest_answer import Offer


@dataclass(frozen=True)
class KeyPressed:
    """A key was pressed or released: X's number of its symbol, its place on the keyboard, and X's modifiers.

    `number` is the door's own, for the answer. `at_once`: the door awaits that now, so nothing may wait before the key.
    `at_s`: when it was pressed, by the clock of a door that knows better than the session's.
    """

    value: int
    code: int = 0
    state: int = 0
    number: Any = None
    at_once: bool = False
    at_s: float | None = None


@dataclass(frozen=True)
class TextReported:
    """The program reports the text around the cursor, and where the selection ends."""

    text: str
    cursor: int
    anchor: int


@dataclass(frozen=True)
class CursorMoved:
    """The cursor stands `x` pixels from the left of the screen and `y` from the top, on a line of a height."""

    x: int
    y: int
    height: int


@dataclass(frozen=True)
class CapabilitiesTold:
    """What the program does: report its text, show grey text at its cursor, handle a key before the next is asked."""

    reports: bool
    preedit: bool = False
    handles_keys_at_once: bool = False


@dataclass(frozen=True)
class PurposeTold:
    """What the field is for, in IBus's numbers."""

    purpose: int
    hints: int = 0


@dataclass(frozen=True)
class FocusCame:
    """The field of an input context has the focus now; `client` is the door's name of its program."""

    context: str
    client: str


@dataclass(frozen=True)
class FieldCame:
    """A field of which the door knows all has the focus now; `text`: all that it holds, where that is learned."""

    context: str
    field: Field
    text: str | None = None


@dataclass(frozen=True)
class FocusGone:
    """No field has the focus."""


@dataclass(frozen=True)
class DocumentOpened:
    """An editor opened a document."""

    field: Document
    text: str


@dataclass(frozen=True)
class DocumentEdit:
    """`text` takes the place of what stands in [start, end), in characters."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class DocumentEdited:
    """An editor reports edits in one message, each in the text that the edit before it left.

    `whole`: it has sent its whole text, as the one edit. `by_program`: another program had changed the file.
    """

    edits: tuple[DocumentEdit, ...]
    whole: bool = False
    by_program: bool = False


@dataclass(frozen=True)
class CaretPlaced:
    """An editor asks about a place in its document, where a character was `typed` just now, if it says so."""

    offset: int
    typed: str = ""


@dataclass(frozen=True)
class DocumentSaved:
    """The document was saved: what was typed in it may be learned."""


@dataclass(frozen=True)
class ProgramFound:
    """The answer to :class:`FindProgram`: a name, "" if it cannot be known."""

    focus: int
    name: str


@dataclass(frozen=True)
class FieldRead:
    """The text before and behind the cursor, as the bus for screen readers has it; None if that is not known."""

    field: int
    around: tuple[str, str] | None


@dataclass(frozen=True)
class WordClicked:
    """An entry of the window was clicked."""

    index: int


@dataclass(frozen=True)
class InputCame:
    """The browser says that its user changes the field: the kind of the change, and the text that comes."""

    kind: str
    text: str


@dataclass(frozen=True)
class TextPut:
    """The door has put in a text that its user takes, in place of another where it `replaces` one."""

    text: str
    replaces: bool


@dataclass(frozen=True)
class FieldForbidden:
    """Nothing of the field may be learned any more: it turned out to hold a secret, or far too much."""


@dataclass(frozen=True)
class OfferTaken:
    """The door has put in the one suggestion of an offer, or the first word of its ghost text."""

    offer: Offer


@dataclass(frozen=True)
class OfferHidden:
    """The door has hidden what was shown: its user wants nothing until the next word."""


@dataclass(frozen=True)
class CorrectionUndone:
    """The door has taken a correction back that stood before the cursor: its user pressed BackSpace."""

    made: MadeCorrection


@dataclass(frozen=True)
class AnsweredTextRead:
    """What is answered in the field, as its door has read it around the field, the newest last."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class InputReset:
    """The program reset its input."""


@dataclass(frozen=True)
class KeysUnseen:
    """Keys went to the program unseen."""


@dataclass(frozen=True)
class Answered:
    """The service's answer to a question."""

    ask: AskService
    answer: dict[str, Any]


@dataclass(frozen=True)
class Replied:
    """The service's reply to a request; None if it does not answer, or refuses."""

    request: SendRequest
    reply: dict[str, Any] | None


@dataclass(frozen=True)
class LineChosen:
    """A line of the menu was chosen."""

    line: str
    checked: bool = False


@dataclass(frozen=True)
class ChoiceNotKept:
    """The choice whether to learn could not be written to the disk."""


@dataclass(frozen=True)
class Ticked:
    """Time has passed."""


Event: TypeAlias = (
    KeyPressed
    | TextReported
    | CursorMoved
    | CapabilitiesTold
    | PurposeTold
    | FocusCame
    | FieldCame
    | FocusGone
    | DocumentOpened
    | DocumentEdited
    | CaretPlaced
    | DocumentSaved
    | ProgramFound
    | FieldRead
    | WordClicked
    | InputCame
    | TextPut
    | FieldForbidden
    | OfferTaken
    | OfferHidden
    | CorrectionUndone
    | AnsweredTextRead
    | InputReset
    | KeysUnseen
    | Answered
    | Replied
    | LineChosen
    | ChoiceNotKept
    | Ticked
)
