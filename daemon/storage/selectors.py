"""Selectors of entries, and the refusal of a selector that would take everything by mistake."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from idiolect.daemon.storage.matching import folded, has_control, pattern
from idiolect.models.errors import ExitCode, IdiolectError

#: Characters of a condition, at most, where a program gives it.
MAX_CHARS: Final = 1000


class EmptySelectorError(IdiolectError, code="empty-selector", exit_code=ExitCode.BAD_INPUT, http_status=422):
    """A selection that names no condition, and so would take everything."""


class UnseenCharactersError(
    IdiolectError, code="unseen-characters", exit_code=ExitCode.BAD_INPUT, http_status=422
):
    """A selection holds characters that no text has, such as NUL."""


@dataclass(frozen=True)
class Selector:
    """The entries for which all conditions hold that are not None.

    `text` is a part of the entry's text, `phrase` some whole words of it, `phrases` any of several such, all compared
    as in `matching`; `source` and `app` are whole names; `since` <= at < `until`, both aware; `origin` is the number
    of a source that was read.
    Raises EmptySelectorError where there is no condition or a blank condition, and UnseenCharactersError.
    """

    text: str | None = None
    ids: tuple[int, ...] | None = None
    source: str | None = None
    app: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    phrase: str | None = None
    origin: int | None = None
    phrases: tuple[str, ...] | None = None

    @property
    def conditions(self) -> tuple[str, ...]:
        """The names of the conditions that are given."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) is not None)

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts that are looked for in entries."""
        given = (self.text, self.phrase, *(self.phrases or ()))
        return tuple(text for text in given if text is not None)

    @property
    def only_texts(self) -> bool:
        """Whether texts are looked for, and there is no other condition."""
        return {*self.conditions} <= {"text", "phrase", "phrases"}

    def __post_init__(self) -> None:
        """Refuse a selector that would take everything, or what nobody meant."""
        if not self.conditions:
            raise EmptySelectorError(
                "Nothing is selected: give some text, a number, a source, an app or a time."
            )
        for name in ("ids", "phrases"):
            if getattr(self, name) == ():
                raise EmptySelectorError(f"{name}: the list is empty. Name what is meant, or leave it out.")
        named = [(name, getattr(self, name)) for name in ("text", "phrase", "source", "app")]
        for name, given in [*named, *(("phrases", phrase) for phrase in self.phrases or ())]:
            if given is not None:
                _refuse_unclear(name, given)


def _refuse_unclear(name: str, given: str) -> None:
    """Raise where a condition holds what no text has, or nothing that could be looked for."""
    if has_control(given):
        raise UnseenCharactersError(
            f"{name}: there are control characters in it, such as NUL, which no text has. Nothing was done: give it "
            "without them."
        )
    if not folded(given):
        raise EmptySelectorError(
            f"{name}: there is nothing in it but white space or characters that nobody sees. Nothing was done: give "
            "what is meant, or leave it out."
        )
    if name in ("phrase", "phrases"):
        try:
            pattern(given, whole=True)
        except ValueError:
            raise EmptySelectorError(
                f"{name}: there is no word in it. Nothing was done: give the words that are meant."
            ) from None
