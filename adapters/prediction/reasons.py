"""Every reason for which no word, grey text or correction is shown, and no text learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum


class Reason(StrEnum):
    """A reason; its value is what `/v1/suggest`, `/v1/history` and `/v1/feedback` answer.

    Attributes:
        hides: what does not happen, as the page docs/why-nothing-shows.md says it.
        why: a sentence that says why.
        remedy: a sentence that says what to do.
    """

    hides: str
    why: str
    remedy: str

    def __new__(cls, value: str, hides: str, why: str, remedy: str) -> Reason:
        """Make a member of its value and its three sentences."""
        reason = str.__new__(cls, value)
        reason._value_ = value
        reason.hides, reason.why, reason.remedy = hides, why, remedy
        return reason

    # Where something is typed
    SECRET_FIELD = (
        "secret field",
        "everything, and nothing is learned",
        "The field is for a password, a PIN, a card or a one-time code.",
        "Nothing: such fields are always left alone.",
    )
    PRIVATE = (
        "private",
        "everything, and nothing is learned",
        "The window or the field is private.",
        "Type in an ordinary window.",
    )
    EXCLUDED_APP = (
        "excluded app",
        "everything where the program is off; learning where it suggests only",
        "A rule keeps idiolect out of this program, or it is a terminal or a password manager.",
        "`idiolect apps` lists the rules; `idiolect apps allow NAME` gives another one.",
    )

    # Words and grey text
    QUIET = (
        "quiet",
        "everything; learning goes on",
        "You have chosen that nothing is shown for a while.",
        "`idiolect quiet end` ends it.",
    )
    INSIDE_WORD = (
        "inside a word",
        "words and grey text",
        "A letter stands right behind the cursor.",
        "Go to the end of the word.",
    )
    LONG_WORD = (
        "long word",
        "words and grey text",
        "What you have typed is longer than any word.",
        "Type a space.",
    )
    ANOTHER_LANGUAGE = (
        "another language",
        "words and grey text that you have not written before, and corrections",
        "The text is, or may be, in a language that you do not write.",
        "`idiolect status` shows your languages; `idiolect switch languages de en` names them.",
    )
    WORD_OF_ANOTHER_LANGUAGE = (
        "word of another language",
        "a word",
        "The sentence is in another of your languages.",
        "Type the word once in such a sentence.",
    )
    TYPED_TOO_SELDOM = (
        "typed too seldom",
        "a number, code, address, vulgar word, or word behind “password”",
        "You have typed it too seldom: once for a vulgar word, else twice. Or you never want it suggested.",
        "`idiolect words mine TEXT` shows it from now on.",
    )
    COMPLETES_SECRET = (
        "completes a secret",
        "a word, grey text or correction",
        "With it the text would hold what looks like a secret.",
        "Nothing: secrets are never suggested.",
    )
    NOTHING_LIKELY = (
        "nothing likely",
        "words or grey text",
        "No word is likely enough here.",
        "Type a letter; let idiolect read more of your text (`idiolect add`).",
    )
    SHOWN_WHEN_ASKED = (
        "shown when asked",
        "words and grey text",
        "You have chosen that nothing appears by itself.",
        "`Alt`+`-` shows the words; `idiolect switch show auto` shows what saves time.",
    )
    NOT_WORTH_A_LOOK = (
        "not worth a look",
        "words or grey text",
        "Reading it would take longer than it saves at the speed at which you type.",
        "`Alt`+`-` shows the words; `idiolect switch show more` shows more by itself.",
    )
    PASSED_OVER = (
        "passed over",
        "grey text",
        "You have taken little of the grey text of the last 90 days.",
        "`idiolect switch show more` shows it again.",
    )
    MISTYPED = (
        "mistyped",
        "grey text",
        "The word at the cursor seems to be mistyped, and grey text would go on from the mistake.",
        "Take the correction, which is the first word.",
    )
    ASKED_AGAIN = (
        "asked again",
        "grey text",
        "You typed on, or other programs waited, before it was found.",
        "Nothing: the next key asks again.",
    )

    # Corrections
    CORRECTIONS_OFF = (
        "corrections off",
        "corrections",
        "Corrections are switched off.",
        "`idiolect switch corrections offer` offers them.",
    )
    CORRECTION_OFFERED = (
        "correction offered",
        "a correction by itself",
        "Corrections are offered and not made.",
        "Take it, or choose `idiolect switch corrections apply`.",
    )
    CORRECTION_UNSURE = (
        "correction unsure",
        "a correction by itself",
        "It is not certain that the word was mistyped.",
        "Take it where it is right; `idiolect words correct WRONG RIGHT` makes it always.",
    )

    # Learning
    PAUSED = ("paused", "learning", "Learning is paused.", "`idiolect pause --end` ends it.")
    EMPTY = ("empty", "learning", "The text has no words.", "Nothing.")
    ONLY_SECRETS = (
        "only secrets",
        "learning",
        "The text is a secret, or nothing is left of it without its secrets.",
        "Nothing: secrets are never stored.",
    )
    DUPLICATE = (
        "duplicate",
        "learning",
        "The same text of the same program and time is stored already.",
        "Nothing.",
    )
    SECRET = (
        "secret",
        "that a correction was taken back is not kept",
        "The word looks like a secret.",
        "Nothing: secrets are never stored.",
    )
    NOT_KEPT = (
        "not kept",
        "an accepted correction is not counted",
        "Only corrections that you take back are kept.",
        "Nothing.",
    )


class Silence:
    """What must not be shown at one cursor, and the reasons for which something is not, as they are found.

    Args:
        hides: for a reason whether it hides a text; the first one that does counts.
    """

    def __init__(self, hides: Mapping[Reason, Callable[[str], bool]]) -> None:
        self._hides = hides
        self._reasons = dict[Reason, None]()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The reasons, in the order in which they were found."""
        return tuple(self._reasons)

    def add(self, reason: Reason) -> None:
        """Add a reason."""
        self._reasons[reason] = None

    def must_hide(self, offered: str) -> bool:
        """Return True if a text must not be shown, and note why."""
        for reason, is_hidden in self._hides.items():
            if is_hidden(offered):
                self.add(reason)
                return True
        return False
