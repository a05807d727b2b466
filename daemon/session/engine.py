"""What happens to keys, text and focus in one field at a time, whichever door they come by.

A field, by what is known of it (`Engine`) ...

    away ──focus──► unnamed ──the program's name, where no rule is against it──► followed ──focus goes──► away
                       │  keys are followed in silence                              │ its text is kept a while,
                       └──a rule is against it: every key is passed on              ▼ then learned (`LeftFields`)

... and within it a word, by what is on offer (`KeyHandler`):

    typed ──asked──► awaited ──answer for this text──► shown ──a key that takes──► taken ──► asked about the next
      ▲                 │ another key, an older answer    │ another key               │ the program is behind:
      └─────────────────┴────────dismissed────────────────┘                           └──► held until it reports
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from idiolect.daemon.session import effects, events, keys, keysyms
from idiolect.daemon.session.caret_pixels import Caret
from idiolect.daemon.session.field import Field, InputContext
from idiolect.daemon.session.field_authorship import FieldAuthorship
from idiolect.daemon.session.held_effects import CATCH_UP_S, REPORT_S, HeldEffects, must_wait
from idiolect.daemon.session.key_handler import KeyHandler
from idiolect.daemon.session.keys import HELD, PAUSE
from idiolect.daemon.session.replied_text import FieldAnswering
from idiolect.daemon.session.session import Session
from idiolect.daemon.session.slip_watch import BACKSPACE
from idiolect.daemon.session.suggest_answer import read
from idiolect.daemon.session.trial_stretch import WritingStretch

_UNNAMED: Final = "?"  # a program whose name is not known yet
_OLD_PROTOCOL: Final = "xim"  # X's own, as xterm speaks it
#: These happen at once, though a word waits to be inserted ...
_UNORDERED: Final = (events.TextReported, events.Answered, events.FieldRead, events.ProgramFound)
#: ... and before these nothing may wait, since the word would come into another field, or behind keys.
_ENDS_WAITING: Final = (events.FocusCame, events.FocusGone, events.KeysUnseen)


class Engine:
    """The engine behind one door; it has one focused field at a time."""

    _reports_late = True  # as programs do that are asked for it

    def __init__(self, session: Session, door: Any) -> None:
        """Begin without a field."""
        self._session, self._door = session, door
        self.field = Field()
        self._context = ""  # the door's name of the field's input context
        self._can = events.CapabilitiesTold(reports=False)
        self._focuses = self._fields = 0  # how often the focus came or went; how many fields were begun
        self._handler = KeyHandler(session.clock, session.choices)
        self._caret = Caret()
        self._contexts = dict[str, InputContext]()
        self._here = InputContext()
        self.mended = self._here.mended  # of the field that has the focus, or had it last
        self._is_fresh = True  # the program has reported nothing since the field has the focus
        self._is_begun = False  # a letter was typed since the field has the focus
        self._stretch: WritingStretch | None = None  # of a trial that ran at the first letter
        self.answering = FieldAnswering(session.clock)
        self._passed_s = float("-inf")  # when a key was passed on last
        self._held: HeldEffects | None = None

    def handle(self, event: events.Event) -> None:
        """Let an event happen; while a word waits to be inserted, most events wait behind it."""
        if isinstance(event, _ENDS_WAITING) or (isinstance(event, events.KeyPressed) and event.at_once):
            while self._held is not None:
                self.release()
        if self._held is not None and not isinstance(event, _UNORDERED):
            self._held.events.append(event)
        else:
            self._happen(event)

    def _happen(self, event: events.Event) -> None:
        match event:
            case events.KeyPressed():
                self._do(effects.AnswerKey(event.number, self._press(event)))
            case events.TextReported():
                self._report(event)
            case events.CursorMoved():
                self._move_cursor(event)
            case events.CapabilitiesTold():
                ended, self._can = self._can.reports and not event.reports, event
                if ended:  # it will report and delete no more
                    self._apply(self._handler.interrupted())
            case events.PurposeTold(purpose, hints):
                if (purpose, hints) != (self.field.purpose, self.field.hints):
                    self.leave()
                    self._begin(replace(self.field, purpose=purpose, hints=hints))
            case events.FocusCame(context, client):
                # A door repeats the purpose of a field only where it differs from the field before.
                self._focus_in(context, replace(self.field, client=client, window=None))
            case events.FocusGone():
                self.leave()
                self._focuses += 1
                self._context = ""
                self._begin(replace(self.field, client="", window=None))
            case events.ProgramFound(focus, name) if focus == self._focuses:
                self._take_name(name)
            case events.FieldRead(field, around) if field == self._fields:
                self.answering.around = around
            case events.WordClicked(index):
                self._apply(self._handler.click(index))
            case events.InputReset():
                self._session.slips.key("", 0.0)
                self._apply(self._handler.reset())
            case events.KeysUnseen():
                self._session.slips.key("", 0.0)
                self._apply(self._handler.refused())
            case events.Answered(ask, answer):
                self._take_answer(ask, answer)
            case events.LineChosen(line, checked):
                self._session.choose(line, checked=checked)

    # Keys

    def _press(self, pressed: events.KeyPressed) -> bool:
        """Take a pressed or released key. Return whether it is used up."""
        value, code, state = pressed.value, pressed.code, pressed.state
        chosen, digit = self._session.choices.keys, keysyms.in_number_row(code)
        if digit is not None and state & HELD == chosen.word.modifiers:
            value = ord(str(digit)) if keysyms.digit(chosen.word.value) else value
        pauses, quiets = PAUSE.fits(value, state), chosen.quiet.fits(value, state)
        if quiets or (pauses and not self.field.door_takes):
            if not state & keysyms.RELEASE:
                self._session.pause.toggle() if pauses else self._session.toggle_quiet()
            return True
        if self._context and not keysyms.is_modifier(value):
            self._here.typed_in = True
            if self._session.learns(self.field):
                self._session.pause.check()
        if not self._follows_keys():
            return False
        ahead = self._handler.text.before.ahead
        used, actions = self._handler.key(value, state)
        if self._awaits_name:
            actions = []
        now_s = self._session.clock.now_s
        if not state & keysyms.RELEASE and not keysyms.is_modifier(value):
            typed = None if used or keysyms.is_shortcut(state) else keysyms.character(value)
            at_s = now_s if pressed.at_s is None else pressed.at_s
            self._session.speed.key(typed or "", at_s)
            deletes = value == keys.BACKSPACE and not used and not state & HELD
            self._watch_slips(BACKSPACE if deletes else typed or "", at_s)
            self._count_key(typed, at_s)
            if not used:
                self._passed_s = now_s
                self._caret.pass_key(value)
        if used and self._must_wait(actions, ahead, now_s):
            self._hold(actions, self._handler.text.before.ahead - ahead)
            return True
        self._apply(actions)
        return used

    def _watch_slips(self, typed: str, at_s: float) -> None:
        """Send the slip that a key tells of, where what is typed is learned."""
        slip = self._session.slips.key(typed, at_s)
        if slip is not None and self._session.learns(self.field) and not self._awaits_name:
            self._session.send("/v1/slip", slip, self.field)

    def _count_key(self, typed: str | None, at_s: float) -> None:
        """Count a key for the trial, if a trial ran when the first letter was typed here."""
        if typed and not self._is_begun:
            self._is_begun = True
            counts = self._session.trial and not (self._session.choices.quiet or self._awaits_name)
            self._stretch = WritingStretch() if counts else None
        if self._stretch is not None:
            self._stretch.key(at_s)

    def _must_wait(self, actions: Sequence[effects.KeyEffect], ahead: int, now_s: float) -> bool:
        all_told = self._handler.text.before.reported and not ahead
        is_soon = now_s - self._passed_s < CATCH_UP_S
        return must_wait(actions, ahead, soon=is_soon and not (all_told or self._can.handles_keys_at_once))

    def _hold(self, actions: list[effects.KeyEffect], own: int) -> None:
        wait_s = REPORT_S if self._handler.text.before.reported else CATCH_UP_S
        self._held = HeldEffects(actions, own, self._session.clock.now_s + wait_s)
        self._session.holding.add(self)

    @property
    def held_until_s(self) -> float:
        """When the effects go out, or are dropped, that wait until the program has caught up."""
        return self._held.until_s if self._held is not None else float("inf")

    def release(self) -> None:
        """Let the effects go out that wait, or drop them, then the events behind them."""
        if (held := self._held) is None:
            return
        self._held = None
        self._session.holding.discard(self)
        self._apply(held.actions if held.is_certain(self._handler.text.before) else self._handler.refused())
        while held.events:
            if self._held is not None:  # the effects make the rest wait again
                self._held.events.extend(held.events)
                return
            self._happen(held.events.popleft())

    # Reports

    def _report(self, report: events.TextReported) -> None:
        if not (self._can.reports and self._follows_keys()):
            return
        text, cursor, anchor = report.text, report.cursor, report.anchor
        actions = self._handler.report(text, cursor, anchor, certain=not self._reports_late)
        if self._awaits_name:
            return
        fresh, self._is_fresh = self._is_fresh and cursor == anchor, False
        if fresh and (made := self._session.take_chosen(self.mended)) is not None:
            actions += self._handler.put_back(made, text[:cursor])
        if not self._handler.corrections.program_deletes:
            self._session.undeleting.add(self.field.client)
        if self._held is not None:
            self._held.actions += actions
            if self._handler.text.before.ahead <= self._held.own:
                self.release()
        else:
            self._apply(actions)

    def _move_cursor(self, moved: events.CursorMoved) -> None:
        self._caret.move(moved.x, moved.y)
        self._do(effects.PlaceWindow(moved.y))
        if not self._follows_keys() or self._awaits_name:
            return
        down = self._caret.is_below_return(moved.height)
        if down or self._caret.is_left_of_return:
            self._apply(self._handler.moved_on(down=down))
        if self._caret.has_wrapped(moved.height):
            self._handler.wrapped()
        if self._handler.text.before.many_lines and self.field.has_own_context:
            self._here.many_lines = True

    # Fields

    def _focus_in(self, context: str, field: Field) -> None:
        self.leave()
        self._focuses += 1
        self._context = context
        self._caret.lose()
        self._begin(field)
        self._session.set_focused(self)
        if self.field.awaits_name:
            self._do(effects.FindProgram(self._focuses))

    def _take_name(self, name: str) -> None:
        named = replace(self.field, window=name)
        if not (self._awaits_name and self._session.suggests(named)):
            return self._begin(named)
        # Text typed while the name was looked for counts.
        typing, self.field = self._handler, named
        if not self._session.learns(named):
            typing.text.written = None
        elif typing.text.written is not None and typing.text.written.untouched:
            typing.text.written = (
                self._session.left_fields.take_up((self._context, named)) or typing.text.written
            )
        return self._apply(typing.ask_again())

    @property
    def _awaits_name(self) -> bool:
        """Whether only the program's name is missing: until it is found, keys are followed in silence."""
        field, has_focus = self.field, bool(self._context)
        return has_focus and field.awaits_name and self._session.suggests(replace(field, window=_UNNAMED))

    def _follows_keys(self) -> bool:
        """Return whether keys are followed here, if only until the program's name is known."""
        return self._awaits_name or self._session.suggests(self.field)

    def begin_anew(self) -> None:
        """Begin the field anew: learning was switched, so the text before counts for nothing."""
        self.release()
        self._apply(self._handler.interrupted())
        self._begin(self.field)

    def leave(self) -> None:
        """Leave the field: its text is learned after a while, unless the user comes back to it."""
        self._session.speed.key("", 0.0)
        self._session.slips.key("", 0.0)
        self.release()
        self._apply(self._handler.interrupted())
        if self._stretch is not None:
            counts = self._stretch.summary(self._handler.text.characters)
            self._session.send("/v1/trial/stretch", counts, self.field)
        if self._handler.text.written is not None and not self._awaits_name:
            self._leave_text(self._handler.text.written)

    def _leave_text(self, written: FieldAuthorship) -> None:
        self._session.left_fields.leave((self._context, self.field), written)

    def _begin_text(self) -> FieldAuthorship | None:
        return self._session.left_fields.begin((self._context, self.field))

    def _begin(self, field: Field) -> None:
        """Begin another field, or none, or the same one with a new purpose."""
        self._do(effects.DropQuestions())
        clock, self.field, self._is_begun, self._stretch = self._session.clock, field, False, None
        self._fields, self.answering = self._fields + 1, FieldAnswering(clock)
        written = None
        if self._awaits_name:
            learns = self._session.learns(replace(field, window=_UNNAMED))
            written = FieldAuthorship(clock) if learns else None
        elif self._context and self._session.learns(field):
            written = self._begin_text()
        self._is_fresh = True
        here = InputContext()
        if self._context:
            here = self._here = self._contexts.setdefault(self._context, here)
            self.mended = here.mended
            if not field.has_own_context:  # it may be another field
                here.mended.kept.clear()
        choices, many_lines = self._session.choices, field.many_lines or here.many_lines
        takes = field.door_takes
        self._handler = KeyHandler(
            clock, choices, written, here.mended, many_lines=many_lines, mends=field.mends, door_takes=takes
        )
        self._handler.corrections.program_deletes = field.client not in self._session.undeleting
        if here.typed_in:
            self._handler.text.before.lose()

    # What the menu and the service want

    def ask_again(self) -> None:
        """Ask once more: a rule for this program has changed."""
        self.answering = FieldAnswering(self._session.clock)
        self._apply(self._handler.ask_again())

    def put_back(self) -> None:
        """Put the mended word back that its user has chosen in the menu, if its field has the focus."""
        if not self._is_fresh and (made := self._session.take_chosen(self.mended)) is not None:
            self._apply(self._handler.put_back(made))

    def change_quiet(self) -> None:
        """Show nothing from now on, or ask what is to be shown."""
        self._apply(self._handler.leave_word())
        if self._session.is_quiet_known and not self._session.choices.quiet:
            self._apply(self._handler.ask_again())

    def show_note(self, note: str) -> None:
        """Show the user a note where they type."""
        self._apply(self._handler.show_note(note))

    def show_menu(self) -> None:
        """Show the menu."""
        self._do(self._session.menu())

    def _take_answer(self, ask: effects.AskService, answer: dict[str, Any]) -> None:
        self._session.pause.set(paused=answer["paused"])
        self._session.take_choices(answer)
        self._session.trial = answer.get("trial", False)
        if ask.field != self._fields:
            return
        if self.answering.sees != (sees := answer["sees_context"]):
            self.answering = FieldAnswering(self._session.clock, sees)
            self.show_menu()
        if self._session.shows(ask):
            self._apply(self._handler.answered(read(answer, ask.prefix)))
        if not self._session.trial and self._stretch is not None:
            self._stretch = None  # it ends with its trial
            if ask.silent:
                self._apply(self._handler.ask_again())

    # Effects

    def _do(self, effect: effects.Effect) -> None:
        self._session.do(effect, self._door)

    def _apply(self, actions: Sequence[effects.KeyEffect]) -> None:
        for action in actions:
            match action:
                case effects.InsertText():
                    self._do(action)
                case effects.ShowSuggestions():
                    inline = bool(action.ghost) and self._can.preedit and self.field.shows_inline
                    self._do(self._session.choices.name_keys(replace(action, inline=inline)))
                case effects.AskService():
                    self._ask(action)
                case effects.SuggestionOutcome():
                    self._session.count(action, self.field)
                case effects.MendedWordsChanged():
                    self._session.offer_mended()
                case effects.FieldEmptied() if (
                    self._caret.is_not_below_return and self._handler.text.written is not None
                ):
                    self._session.learn(self._handler.text.written.sent(), self.field)
                    self.mended.clear()
        if self.field.client == _OLD_PROTOCOL and any(
            isinstance(action, effects.InsertText) for action in actions
        ):
            self._hold([], 0)  # there a key that is passed on next would overtake the word

    def _ask(self, ask: effects.AskService) -> None:
        ask = replace(ask, field=self._fields)
        if not self._can.reports:
            ask = replace(ask, corrections=False, ended=False)
        if self._stretch is not None and self._stretch.without:
            self._session.report_typing(ask, self.field, self._door)
        else:
            self._session.ask(ask, self.field, self.answering, self._door)
