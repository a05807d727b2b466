"""The keyboard's engine: what happens to keys, text and focus in one field at a time, whichever door they come by."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from typing import Any, Final, Protocol

from idiolect.daemon.clients.keyboard import keys, keysyms
from idiolect.daemon.clients.keyboard.caret import Caret
from idiolect.daemon.clients.keyboard.desktop_session import DesktopSession
from idiolect.daemon.clients.keyboard.field import Field
from idiolect.daemon.clients.keyboard.field_authorship import FieldAuthorship
from idiolect.daemon.clients.keyboard.focused_text import FieldAnswering
from idiolect.daemon.clients.keyboard.focused_window import find_focused_program
from idiolect.daemon.clients.keyboard.ibus_objects import Property
from idiolect.daemon.clients.keyboard.key_handler import KeyHandler
from idiolect.daemon.clients.keyboard.key_outcomes import (
    AskService,
    FieldEmptied,
    InsertText,
    KeyEffect,
    ShowSuggestions,
    SuggestionOutcome,
    WordMended,
)
from idiolect.daemon.clients.keyboard.keys import ALT, HELD, PAUSE
from idiolect.daemon.clients.keyboard.suggest_answer import read
from idiolect.daemon.clients.slip_watch import BACKSPACE
from idiolect.daemon.clients.writing_stretch import WritingStretch

_NO_PROGRAM: Final = "fake"  # the client with the focus where no program has it
_UNNAMED: Final = "?"  # a program whose name is not known yet
_OLD_PROTOCOL: Final = "xim"  # X's own, as xterm speaks it
#: A program inserts a key that was passed on within this time, and reports it within `_REPORT_S`.
_CATCH_UP_S: Final = 0.04
_REPORT_S: Final = 0.15


@dataclass
class _Held:
    """Effects that wait until the program has caught up, or `later`; `own` reports are due to these effects."""

    actions: list[KeyEffect]
    own: int
    later: asyncio.TimerHandle
    events: deque[Callable[[], None]] = attribute(default_factory=deque)


class Door(Protocol):
    """An input method framework, as the engine sees it."""

    def insert(self, text: str, replaced: int) -> None:
        """Delete `replaced` characters before the cursor, and insert a text there."""

    def show(self, show: ShowSuggestions, *, inline: bool) -> None:
        """Show suggestions; the ghost text stands at the cursor (`inline`) or in the window."""

    def place_window(self, y: int) -> None:
        """Keep the window off the cursor's line, `y` pixels from the top."""

    def show_menu(self, menu: tuple[Property, ...]) -> None:
        """Show the indicator's menu."""


class Engine:
    """The engine behind one door; it has one focused field at a time."""

    def __init__(self, door: Door, session: DesktopSession) -> None:
        """Begin without a field."""
        self._door = door
        self._session = session
        self.field = Field()
        self._context = ""  # the door's name of the field's input context
        self._typed_in = set[str]()  # contexts that have had keys: a cursor that comes back may be anywhere
        self._reports = self._preedit = False  # the program reports its text; shows grey text at its cursor
        self._handles_keys_at_once = False  # the program has done with a key before it asks about the next
        self._focuses = 0  # how often the focus came or went
        self._handler = KeyHandler()
        self._caret = Caret()
        self._of_many_lines = set[str]()  # contexts of one field with room for several lines
        self._kept = dict[str, set[str]]()  # by context of one field: words whose correction was taken back
        self._is_fresh = True  # the program has reported nothing since the field has the focus
        self._is_begun = False  # a letter was typed since the field has the focus
        self._stretch: WritingStretch | None = None  # of a trial that ran at the first letter
        self.answering = FieldAnswering()
        self._passed_s = float("-inf")  # when a key was passed on last
        self._held: _Held | None = None

    def handle(self, event: Callable[[], None], *, is_report: bool = False) -> bool:
        """Let an event happen, and return whether it waits: while a word waits to be inserted, all but reports do."""
        if waits := self._held is not None and not is_report:
            self._held.events.append(event)
        else:
            event()
        return waits

    # Events

    def press(self, value: int, code: int, state: int) -> bool:
        """Take a pressed or released key: its symbol, its place and its modifiers. Return whether it is used up."""
        if state & HELD == ALT and (digit := keysyms.in_number_row(code)) is not None:
            value = ord(str(digit))
        if PAUSE.fits(value, state):
            if not state & keysyms.RELEASE:
                self._session.toggle_pause()
            return True
        if self._context and not keysyms.is_modifier(value):
            self._typed_in.add(self._context)
            if self._handler.written is not None:
                self._session.check_pause()
        if not self._follows_keys():
            return False
        ahead = self._handler.before.ahead
        used, actions = self._handler.key(value, state)
        if self._awaits_name:
            actions = []
        now_s = asyncio.get_running_loop().time()
        if not state & keysyms.RELEASE and not keysyms.is_modifier(value):
            typed = None if used or keysyms.is_shortcut(state) else keysyms.character(value)
            self._session.speed.key(typed or "", now_s)
            deletes = value == keys.BACKSPACE and not used and not state & HELD
            self._watch_slips(BACKSPACE if deletes else typed or "", now_s)
            self._count_key(typed, now_s)
        if not used and not state & keysyms.RELEASE and not keysyms.is_modifier(value):
            self._passed_s = now_s
            self._caret.pass_key(value)
        elif used and self._must_wait(actions, ahead, now_s):
            self._hold(actions, self._handler.before.ahead - ahead)
            return True
        self._apply(actions)
        return used

    def _watch_slips(self, typed: str, now_s: float) -> None:
        """Send the slip that a key tells of, where what is typed is learned."""
        slip = self._session.slips.key(typed, now_s)
        if slip is not None and self._handler.written is not None and not self._awaits_name:
            self._session.send_slip(slip, self.field)

    def _count_key(self, typed: str | None, now_s: float) -> None:
        """Count a key for the trial, if a trial ran when the first letter was typed here."""
        if typed and not self._is_begun:
            self._is_begun = True
            self._stretch = WritingStretch() if self._session.trial and not self._awaits_name else None
        if self._stretch is not None:
            self._stretch.key(now_s)

    def _must_wait(self, actions: Sequence[KeyEffect], ahead: int, now_s: float) -> bool:
        """Return whether the program has to catch up first.

        It inserts a key that was passed on behind what it reads meanwhile, so a word could overtake the key. Once the
        program has reported the key, it has inserted it. No text is deleted before all keys are reported.
        """
        all_told = self._handler.before.reported and not ahead
        soon = now_s - self._passed_s < _CATCH_UP_S and not (all_told or self._handles_keys_at_once)
        return any(isinstance(one, InsertText) and (soon or (one.replace and ahead)) for one in actions)

    def _hold(self, actions: list[KeyEffect], own: int) -> None:
        told = self._handler.before.reported
        later = asyncio.get_running_loop().call_later(_REPORT_S if told else _CATCH_UP_S, self.release)
        self._held = _Held(actions, own, later)

    def release(self) -> None:
        """Let the effects go out that wait, or drop them, then the events behind them."""
        held, self._held = self._held, None
        if held is None:
            return
        held.later.cancel()
        if self._is_certain(held):
            self._apply(held.actions)
        else:
            self._apply(self._handler.refused())
        while held.events:
            if self._held is not None:  # the effects make the rest wait again
                self._held.events.extend(held.events)
                return
            held.events.popleft()()

    def release_all(self) -> None:
        """Let all effects go out that wait, and all events behind them."""
        while self._held is not None:
            self.release()

    def _is_certain(self, held: _Held) -> bool:
        """Return whether held effects may go out: they may delete only text that the program has reported."""
        before = self._handler.before
        told = before.reported and before.text is not None and before.ahead <= held.own
        return told or not any(isinstance(one, InsertText) and one.replace for one in held.actions)

    def report(self, text: str, cursor: int, anchor: int) -> None:
        """Take the program's report of the text around the cursor, and of the selection's end."""
        if self._reports and self._follows_keys():
            actions = self._handler.report(text, cursor, anchor)
            if self._awaits_name:
                return
            fresh, self._is_fresh = self._is_fresh and cursor == anchor, False
            if fresh and (made := self._session.take_chosen(self._context)) is not None:
                actions += self._handler.put_back(made, text[:cursor])
            if not self._handler.corrections.program_deletes:
                self._session.undeleting.add(self.field.client)
            if self._held is not None:
                self._held.actions += actions
                if self._handler.before.ahead <= self._held.own:
                    self.release()
            else:
                self._apply(actions)

    def move_cursor(self, x: int, y: int, _width: int, height: int) -> None:
        """Take the place of the cursor on the screen, in pixels."""
        self._caret.move(x, y)
        self._door.place_window(y)
        if not self._follows_keys() or self._awaits_name:
            return
        down = self._caret.is_below_return(height)
        if down or self._caret.is_left_of_return:
            self._apply(self._handler.moved_on(down=down))
        if self._caret.has_wrapped(height):
            self._handler.wrapped()
        if self._handler.before.many_lines and self.field.has_own_context:
            self._of_many_lines.add(self._context)

    def set_capabilities(self, *, reports: bool, preedit: bool, handles_keys_at_once: bool = False) -> None:
        """Note what the program does: report its text, show grey text at its cursor, handle a passed key at once."""
        ended = self._reports and not reports
        self._reports, self._preedit, self._handles_keys_at_once = reports, preedit, handles_keys_at_once
        if ended:  # it will report and delete no more
            self._apply(self._handler.interrupted())

    def click(self, index: int) -> None:
        """Take the clicked entry of the window."""
        self._apply(self._handler.click(index))

    def reset(self) -> None:
        """Take the program's reset of its input."""
        self._session.slips.key("", 0.0)
        self._apply(self._handler.reset())

    def lose_step(self) -> None:
        """Drop what is known of the text: keys went to the program unseen."""
        self._session.slips.key("", 0.0)
        self._apply(self._handler.refused())
        if self._handler.written is not None:
            self._handler.written.lose()

    def focus_in(self, context: str, client: str) -> None:
        """Begin the field of an input context that has the focus now; `client` is the door's name of its program."""
        self.leave()
        self._focuses += 1
        self._context = context
        self._caret.lose()
        # A door repeats the purpose of a field only where it differs from the field before.
        self._begin(replace(self.field, client=client, window=None))
        self._session.set_focused(self)
        if self.field.nameless and client != _NO_PROGRAM:
            self._session.requests.start_task(self._find_name(self._focuses))

    async def _find_name(self, focus: int) -> None:
        name = await find_focused_program()
        if focus != self._focuses:
            return None
        named = replace(self.field, window=name)
        if not (self._awaits_name and self._session.suggests(named)):
            return self._begin(named)
        # Text typed while the name was looked for counts.
        typing, self.field = self._handler, named
        if not self._session.learns(named):
            typing.written = None
        elif typing.written is not None and typing.written.untouched:
            typing.written = self._session.left_fields.take_up((self._context, named)) or typing.written
        return self._apply(typing.ask_again())

    @property
    def _awaits_name(self) -> bool:
        """Whether only the program's name is missing: until it is found, keys are followed in silence."""
        field = self.field
        looked_for = bool(self._context) and field.window is None and field.client != _NO_PROGRAM
        return looked_for and field.nameless and self._session.suggests(replace(field, window=_UNNAMED))

    def _follows_keys(self) -> bool:
        """Return whether keys are followed here, if only until the program's name is known."""
        return self._awaits_name or self._session.suggests(self.field)

    def focus_out(self) -> None:
        """Leave the field: none has the focus."""
        self.leave()
        self._focuses += 1
        self._context = ""
        self._begin(replace(self.field, client="", window=None))

    def set_purpose(self, purpose: int, hints: int) -> None:
        """Note what the field is for, in IBus's numbers."""
        if (purpose, hints) != (self.field.purpose, self.field.hints):
            self.leave()
            self._begin(replace(self.field, purpose=purpose, hints=hints))

    def begin_anew(self) -> None:
        """Begin the field anew: learning was switched, so the text before counts for nothing."""
        self.release()
        self._apply(self._handler.interrupted())
        self._begin(self.field)

    def ask_again(self) -> None:
        """Ask once more: a rule for this program has changed."""
        self.answering = FieldAnswering()
        self._apply(self._handler.ask_again())

    def put_back(self) -> None:
        """Put the mended word back that its user has chosen in the menu, if this field has the focus."""
        if not self._is_fresh and (made := self._session.take_chosen(self._context)) is not None:
            self._apply(self._handler.put_back(made))

    def show_note(self, note: str) -> None:
        """Show the user a note where they type."""
        self._apply(self._handler.show_note(note))

    def leave(self) -> None:
        """Leave the field: its text is learned after a while, unless the user comes back to it."""
        self._session.speed.key("", 0.0)
        self._session.slips.key("", 0.0)
        self.release()
        self._apply(self._handler.interrupted())
        if self._stretch is not None:
            self._session.send_stretch(self._stretch.summary(self._handler.characters), self.field)
        if self._handler.written is not None and not self._awaits_name:
            self._session.left_fields.leave((self._context, self.field), self._handler.written)

    def _begin(self, field: Field) -> None:
        """Begin another field, or none, or the same one with a new purpose."""
        self._session.requests.drop_waiting()
        self.field, self._is_begun, self._stretch, self.answering = field, False, None, FieldAnswering()
        written = None
        if self._awaits_name:
            written = FieldAuthorship() if self._session.learns(replace(field, window=_UNNAMED)) else None
        elif self._context and self._session.learns(field):
            written = self._session.left_fields.begin((self._context, field))
        self._is_fresh = True
        many_lines = self._context in self._of_many_lines
        kept = self._kept.setdefault(self._context, set()) if field.has_own_context else None
        self._handler = KeyHandler(written, many_lines=many_lines, mends=field.mends, kept=kept)
        self._handler.corrections.program_deletes = field.client not in self._session.undeleting
        if self._context in self._typed_in:
            self._handler.before.lose()

    # Effects

    def _apply(self, actions: Sequence[KeyEffect]) -> None:
        for action in actions:
            match action:
                case InsertText(text, replaced):
                    self._door.insert(text, replaced)
                case ShowSuggestions():
                    self._show(action)
                case AskService():
                    self._ask(action)
                case SuggestionOutcome():
                    self._session.count(action, self.field)
                case WordMended():
                    self._session.set_mended(self._context, action.made)
                case FieldEmptied() if self._caret.is_not_below_return and self._handler.written is not None:
                    self._session.learn(self._handler.written.sent(), self.field)
        if self.field.client == _OLD_PROTOCOL and any(isinstance(action, InsertText) for action in actions):
            self._hold([], 0)  # there a key that is passed on next would overtake the word

    def _ask(self, ask: AskService) -> None:
        typing = self._handler
        reports = self._reports
        ask = replace(ask, corrections=ask.corrections and reports, ended=ask.ended and reports)

        def then(answer: dict[str, Any]) -> None:
            self._session.set_paused(paused=answer["paused"])
            self._session.trial = answer.get("trial", False)
            if typing is not self._handler:
                return
            if self.answering.sees != (sees := answer["sees_context"]):
                self.answering = FieldAnswering(sees)
                self.show_menu()
            if not silent:
                self._apply(typing.answered(read(answer, ask.prefix)))
            if not self._session.trial and self._stretch is not None:
                self._stretch = None  # it ends with its trial
                if silent:
                    self._apply(typing.ask_again())

        silent = self._stretch is not None and self._stretch.without
        if silent:
            self._session.report_typing(self.field, then)
        else:
            self._session.suggest(ask, self.field, self.answering, then)

    def _show(self, show: ShowSuggestions) -> None:
        inline = bool(show.ghost) and self._preedit and self._session.inline(self.field)
        self._door.show(show, inline=inline)

    def show_menu(self) -> None:
        """Show the indicator's menu."""
        self._door.show_menu(self._session.menu())
