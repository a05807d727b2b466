"""What is typed into a field of a web page, whose script takes what is shown by itself and says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from typing_extensions import override

from idiolect.daemon.session import effects, events, keys, keysyms
from idiolect.daemon.session.engine import Engine
from idiolect.daemon.session.field import Field, PageField
from idiolect.daemon.session.field_authorship import FieldAuthorship, Line
from idiolect.daemon.session.session import Session
from idiolect.daemon.session.text_authorship import TextAuthorship

_FIELDS_KEPT: Final = 20  # to which its user may come back


class PageEngine(Engine):
    """The engine of a page."""

    _reports_late = False

    def __init__(self, session: Session, door: Any) -> None:
        """Begin without a field."""
        super().__init__(session, door)
        self._written: dict[str, TextAuthorship] = {}  # the newest fields by their context

    @property
    def text_before(self) -> str:
        """The text before the cursor, as far as it is certain."""
        return self._handler.text.before.text or ""

    @property
    def _own(self) -> TextAuthorship | None:
        written = self._handler.text.written
        return written if isinstance(written, TextAuthorship) else None

    @override
    def _happen(self, event: events.Event) -> None:
        own = self._own
        match event:
            case events.FieldCame(context, field, text):
                if text is not None:
                    self._come(context, text)
                self._focus_in(context, field)
            case events.InputCame(kind, text) if own is not None:
                own.enter(kind, text)
            case events.TextPut(text, replaces) if own is not None:
                own.put(text, replaces=replaces)
            case events.DocumentEdited(edits) if own is not None:
                for edit in edits:
                    own.become(edit.start, edit.end, edit.text)
                self._learn(own.take_vanished())
            case events.FieldForbidden():
                self.forbid()
            case events.OfferTaken(offer):
                self._follow(self._handler.take(offer))
            case events.OfferHidden():
                self._follow(self._handler.hide())
            case events.CorrectionUndone(made):
                self._follow(self._handler.take_back_correction(made))
            case events.AnsweredTextRead(texts):
                first, self.answering.texts = not self.answering.texts, texts
                if first and texts:
                    self._apply(self._handler.ask_again())
            case _:
                if own is not None and isinstance(event, events.KeysUnseen):
                    own.point()
                super()._happen(event)

    @override
    def _press(self, pressed: events.KeyPressed) -> bool:
        if (own := self._own) is not None:
            char, commands = keysyms.character(pressed.value) or "", keysyms.is_shortcut(pressed.state)
            deletes = pressed.value in (keys.BACKSPACE, keys.DELETE)
            own.press("" if commands else char, removes=deletes or (commands and char.isalpha()))
        return super()._press(pressed)

    def _follow(self, actions: list[effects.KeyEffect]) -> None:
        """Follow what the page's script has done at once."""
        self._session.slips.key("", 0.0)
        self._apply([action for action in actions if not isinstance(action, effects.InsertText)])

    # What is learned: the page's text is known as a whole, and what was typed in a pause is left out when it is sent

    def _come(self, context: str, text: str) -> None:
        own = self._written.pop(context, None)
        if own is None:
            own = TextAuthorship(self._session.clock, text)
        else:
            own.come_back(text)
        self._written[context] = own
        for old in list(self._written)[:-_FIELDS_KEPT]:
            del self._written[old]

    def forbid(self) -> None:
        """Have nothing learned of the field."""
        self._handler.text.written = None
        self._written.pop(self._context, None)

    @override
    def _begin(self, field: Field) -> None:
        super()._begin(field)
        learned = isinstance(field, PageField) and field.is_learned
        self._handler.text.written = self._written.get(self._context) if learned else None

    @override
    def _begin_text(self) -> None:
        return None

    @override
    def _leave_text(self, written: FieldAuthorship) -> None:
        if isinstance(written, TextAuthorship):
            self._learn(written.take_all())

    def _learn(self, lines: Sequence[Line]) -> None:
        if lines:
            self._do(effects.LearnLines(tuple(lines)))
