"""What happens to an open document: an editor reports edits in place of keys, asks about places, and saves.

Which edits its user made is told by their form, since an editor does not say which came from keys:

    one character more or less ──► that key
    a word, or a short burst of keys ──► a text that was taken
    all other text: pasted, a snippet, a formatter's, read anew from the disk ──► nobody's,
        but for text that its user typed here and has removed
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from typing_extensions import override

from idiolect.daemon.session import events, keys, keysyms
from idiolect.daemon.session.engine import Engine
from idiolect.daemon.session.events import DocumentEdit
from idiolect.daemon.session.field_authorship import FieldAuthorship
from idiolect.daemon.session.session import Session
from idiolect.daemon.session.suggest_answer import Offer, OfferedGhost, read
from idiolect.daemon.session.text_authorship import TextAuthorship
from idiolect.daemon.session.text_before_cursor import MAX_CHARS
from idiolect.daemon.text.typed_text import kept_ends

#: One word may come at once: from an input method, or from a list of words.
_WORD_CHARS: Final = 32
#: An editor may report some keys together, as Neovim reports all keys within a sixth of a second.
_BURST_CHARS: Final = 40
#: After so many changes of one character, an editor is known to report each key.
_MANY_KEYS: Final = 20
_OFFERS_KEPT: Final = 5
#: An editor that asks for words by itself does so within this time of a change.
_BY_ITSELF_S: Final = 0.6


class EditorHand:
    """Tells the edits of a hand from those of programs, for one editor."""

    def __init__(self) -> None:
        """Begin with an editor of unknown habits."""
        self._keys = self._bursts = 0
        self._sends_parts = False  # rather than whole documents

    def typed(self, edited: events.DocumentEdited) -> bool:
        """Return whether a hand made these edits."""
        # An editor that sends parts, and then a whole document, has read it again from the disk.
        self._sends_parts = self._sends_parts or not edited.whole
        # Several cursors type the same text; else each key continues where the key before it ended.
        same = len({edit.text for edit in edited.edits}) == 1
        goes_on = all(
            before.start <= edit.end and edit.start <= before.start + len(before.text)
            for before, edit in itertools.pairwise(edited.edits)
        )
        fits = (same or goes_on) and not edited.by_program and not (edited.whole and self._sends_parts)
        return fits and all(self._is_typed(edit.text.strip(), edited.whole) for edit in edited.edits)

    def _is_typed(self, text: str, whole: bool) -> bool:
        if len(text) <= 1:
            self._keys += len(text)
            return True
        if len(text) <= _WORD_CHARS and not any(char.isspace() for char in text):
            return True
        tells_keys = not whole and self._keys >= _MANY_KEYS and self._bursts * _MANY_KEYS < self._keys
        if tells_keys or len(text) > _BURST_CHARS or "\n" in text:
            return False
        self._bursts += 1
        return True


class DocumentEngine(Engine):
    """The engine of one open document. The editor inserts what is taken itself, and says so by its edits alone."""

    def __init__(self, session: Session, door: Any, hand: EditorHand) -> None:
        """Begin without a document; `hand` knows the editor's habits."""
        super().__init__(session, door)
        self._can = events.CapabilitiesTold(reports=True, handles_keys_at_once=True)
        self._hand = hand
        self._text, self._offset = "", 0
        self._offered: tuple[str, ...] = ()  # the grey texts offered last
        self._edited_s = float("-inf")
        self._unlisted: int | None = None  # where no words were shown since the last edit
        self._asks = False
        self._listed: tuple[str, ...] = ()  # the words listed last

    @property
    def text(self) -> str:
        """The document's text."""
        return self._text

    def list_words(self, answer: dict[str, Any], line: str, most: int) -> Offer:
        """Return the words to list behind a line, at most so many.

        Those that are not worth a look are there where its user asks, as far as an editor tells.
        """
        # A word that has ended has its quick fix. Behind one that may be whole, its user may have asked for words.
        offer = read({**answer, "correction": None, "finished": 0.0}, line, max_words=most)
        offer = self._handler.shown.listed(self._handler.corrections.allowed(offer), asks=self._asks)
        self._unlisted = self._unlisted if offer.words else self._offset
        self._listed = tuple(map(offer.label, offer.words))
        return offer

    def show_grey(self, answer: dict[str, Any], line: str, *, asks: bool) -> OfferedGhost | None:
        """Return the grey text behind a line, which the editor may insert as a whole or in part; None if there is none.

        `asks`: its user wants one though it is not worth a look.
        """
        ghost = read({**answer, "correction": None}, line, max_words=0, asks_ghost=asks).ghost
        self._offered = (*self._offered, *([ghost.text] if ghost else []))[-_OFFERS_KEPT:]
        return ghost

    @override
    def _happen(self, event: events.Event) -> None:
        match event:
            case events.DocumentOpened(field, text):
                self._text, self._context = text, field.uri
                self._session.documents.add(self)
                self._begin(field)
                if self._handler.text.written is not None:
                    self._session.pause.check()
            case events.DocumentEdited():
                self._edit(event)
            case events.CaretPlaced(offset, typed):
                self._place_caret(offset, typed)
            case events.DocumentSaved() if isinstance(self._handler.text.written, TextAuthorship):
                self._session.left_fields.save(
                    (self._context, self.field), self._handler.text.written.saved()
                )
            case events.FocusGone():
                self.leave()
                self._session.documents.discard(self)
            case events.Answered(ask):
                super()._happen(event)
                if not ask.silent:
                    # A correction later than asked for has no way there.
                    self._apply(self._handler.leave_word())
            case _:
                super()._happen(event)

    def _edit(self, edited: events.DocumentEdited) -> None:
        if edited.whole:
            text = edited.edits[0].text
            first, last = kept_ends(self._text, text)
            edit = DocumentEdit(first, len(self._text) - last, text[first : len(text) - last])
            edited = replace(edited, edits=(edit,))
        self._edited_s, self._unlisted = self._session.clock.now_s, None
        typed = self._hand.typed(edited) or self._is_offered(edited.edits)
        for edit in edited.edits:
            self._handler.corrections.made = None  # an editor's own undo takes back
            gone, come = edit.end - edit.start, len(edit.text)
            if typed and gone + come == 1:
                self._press_key(edit)
            elif typed and come:
                self._take(edit.text)
            if isinstance(own := self._handler.text.written, TextAuthorship):
                own.put(edit.text if typed else "", replaces=not edited.by_program)
                own.become(edit.start, edit.end, edit.text)
            self._apply_edit(edit)

    def _is_offered(self, edits: Sequence[DocumentEdit]) -> bool:
        """Return whether the one edit inserts the beginning of a grey text."""
        text = edits[0].text
        return len(edits) == 1 and text.strip() != "" and any(one.startswith(text) for one in self._offered)

    def _press_key(self, edit: DocumentEdit) -> None:
        """Take an edit as the key that made it."""
        if edit.end != self._offset:
            self._session.slips.key("", 0.0)
            self._apply(self._handler.leave_word())
        self._report_place(edit.end)
        if not edit.text:
            self._press(events.KeyPressed(keys.BACKSPACE))
        elif edit.text == "\n":
            self._press(events.KeyPressed(keys.RETURN))
        elif edit.text.isprintable():
            self._press(events.KeyPressed(keysyms.of_character(edit.text)))
        else:
            self._take(edit.text)

    def _take(self, text: str) -> None:
        """Take a text that its user chose, or typed in a burst."""
        self._session.speed.key("", 0.0)
        self._session.slips.key("", 0.0)
        for char in text:
            self._count_key(char, self._session.clock.now_s)
        self._handler.text.characters += len(text)
        if any(word.endswith(text) for word in self._listed):
            self._apply(self._handler.leave_word())
        if self._handler.text.written is not None:
            self._session.pause.check()

    def _apply_edit(self, edit: DocumentEdit) -> None:
        self._text = self._text[: edit.start] + edit.text + self._text[edit.end :]
        behind = self._offset - edit.end  # how far the caret stands behind what was replaced
        self._report_place(edit.start + len(edit.text) + max(behind, 0))

    def _place_caret(self, offset: int, typed: str) -> None:
        """Report the text around a place, before a character that the editor has not reported yet as typed."""
        is_known = offset == self._offset and self._handler.typed_last
        if typed and not is_known and self._text[:offset].endswith(typed):
            self._report_place(offset - len(typed))
            self._apply(self._handler.key(keysyms.of_character(typed), 0)[1])
        self._report_place(offset)
        # An editor does not say whether its user asks. Long after the last edit, or a second time, it is the user.
        self._asks = self._session.clock.now_s - self._edited_s > _BY_ITSELF_S or self._unlisted == offset

    def _report_place(self, caret: int) -> None:
        """Report the text around a caret, which is certain."""
        self._offset = caret
        begin = max(caret - MAX_CHARS, 0)
        around = self._text[begin : caret + MAX_CHARS]
        self._handler.text.before.stand_behind(self._text[begin:caret])
        self._apply(self._handler.report(around, caret - begin, caret - begin, certain=True))

    @override
    def _leave_text(self, written: FieldAuthorship) -> None:
        """Learn what was saved; a document that is closed unsaved leaves nothing."""
        self._session.left_fields.learn_now((self._context, self.field))

    @override
    def _begin_text(self) -> FieldAuthorship:
        return TextAuthorship(self._session.clock, self._text)
