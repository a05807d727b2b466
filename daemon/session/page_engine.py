"""What is typed into a field of a web page, whose script takes what is shown by itself and says so."""

from __future__ import annotations

from typing_extensions import override

from idiolect.daemon.session import effects, events
from idiolect.daemon.session.engine import Engine


class PageEngine(Engine):
    """The engine of a page; whose text is whose is kept in the page, where all of it can be seen."""

    _reports_late = False

    @property
    def text_before(self) -> str:
        """The text before the cursor, as far as it is certain."""
        return self._handler.text.before.text or ""

    @override
    def _happen(self, event: events.Event) -> None:
        match event:
            case events.FieldCame(context, field):
                self._focus_in(context, field)
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
                super()._happen(event)

    def _follow(self, actions: list[effects.KeyEffect]) -> None:
        """Follow what the page's script has done at once."""
        self._session.slips.key("", 0.0)
        self._apply([action for action in actions if not isinstance(action, effects.InsertText)])

    @override
    def _begin_text(self) -> None:
        return None
