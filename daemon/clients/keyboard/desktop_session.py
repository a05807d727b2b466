"""State that all engines of a desktop session share: settings, service requests, switches."""

from __future__ import annotations

import asyncio
import contextlib
import glob
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from idiolect.daemon.clients.keyboard.field import Field
from idiolect.daemon.clients.keyboard.field_authorship import WrittenText
from idiolect.daemon.clients.keyboard.focused_text import FieldAnswering, FocusedText
from idiolect.daemon.clients.keyboard.ibus_objects import Property
from idiolect.daemon.clients.keyboard.key_handler import Bindings
from idiolect.daemon.clients.keyboard.key_outcomes import AskService, SuggestionOutcome
from idiolect.daemon.clients.keyboard.learning_choice import LearningChoice
from idiolect.daemon.clients.keyboard.left_fields import LeftFields
from idiolect.daemon.clients.keyboard.service_requests import ServiceRequests
from idiolect.daemon.clients.keyboard.text_before_cursor import MAX_CHARS
from idiolect.daemon.clients.link import ServiceLink
from idiolect.daemon.clients.typing_speed import TypingSpeed
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.settings import Settings
from idiolect.daemon.text.key_names import parse_key
from idiolect.daemon.text.reply_parser import split

if TYPE_CHECKING:
    from idiolect.daemon.clients.keyboard.engine import Engine  # it imports this module

_SOURCE: Final = "keyboard"
_HOUR_S: Final = 3600.0
#: At its end the process waits so long, at most, for a busy service to take the last texts.
_FINISH_S: Final = 10.0
#: The service is asked whether learning is paused where it has said nothing of it for so long.
_UNHEARD_S: Final = 2.0

log = logging.getLogger("idiolect.keyboard")


@dataclass(frozen=True)
class TakenBack:
    """The correction that was taken back last: of which word, and whether that is not corrected any more."""

    word: str
    forbidden: bool = False


class DesktopSession:
    """Shared by the engines of one process."""

    def __init__(self, settings: Settings) -> None:
        """As the settings and the user's choice of learning say."""
        self._settings = settings
        self.bindings = Bindings(
            take=parse_key(settings.keyboard_take),
            take_word=parse_key(settings.keyboard_take_word),
            hide=parse_key(settings.keyboard_hide),
            ask=parse_key(settings.keyboard_ask),
        )
        self.take_name = settings.keyboard_take
        self.pause_key = parse_key(settings.keyboard_pause)
        self.asking = ServiceRequests(settings)
        self.speed = TypingSpeed()
        self._focused_text = FocusedText()
        self._choice = LearningChoice(settings)
        self.drafts = LeftFields(self.learn)
        self.undeleting: set[str] = set()  # clients that did not delete what they were asked to
        self.trial = False  # whether one runs, as the service said last
        self._off_record = False
        self._paused = False
        self._heard_s = float("-inf")  # when the service said so last
        self._taken_back: TakenBack | None = None
        self._focused: Engine | None = None

    # Where what is done

    def suggests(self, field: Field) -> bool:
        """Whether words are offered in a field."""
        settings = self._settings
        return field.suggests(terminals=settings.keyboard_terminals, unknown=settings.keyboard_unknown)

    def learns(self, field: Field) -> bool:
        """Whether what is written in a field is sent to be learned."""
        allowed = self._choice.learn and not self._off_record and not self._paused
        return allowed and field.learns(unknown=self._settings.keyboard_unknown)

    def inline(self, field: Field) -> bool:
        """Whether a ghost text is shown at the cursor there, else in a line of its own."""
        ghost = self._settings.keyboard_ghost
        if ghost != "auto":
            return ghost == "inline"
        return field.has_own_context and not field.terminal

    @property
    def has_line(self) -> bool:
        """Whether a ghost text may be shown in a line of its own."""
        return self._settings.keyboard_ghost in ("auto", "line")

    # The service

    def suggest(
        self, ask: AskService, field: Field, answering: FieldAnswering, then: Callable[[dict[str, Any]], None]
    ) -> None:
        """Ask the service, unless the cursor stands in what others wrote; hand the answer to `then`."""
        begin = ask.prefix.find("\n") + 1 if len(ask.prefix) >= MAX_CHARS else 0  # of a line that is whole
        reply = split(ask.prefix[begin:], ask.behind)
        if reply.prefix is None:
            return
        sees = answering.sees and not field.terminal  # what stands in a terminal answers nobody
        reply = answering.of(reply) if sees else reply
        body = {
            "prefix": reply.prefix,
            **({"context": reply.context()} if sees else {}),
            "candidates": self._settings.keyboard_words,
            "ghost_words": 0 if self._settings.keyboard_ghost == "off" else 8,
            "corrections": ask.corrections,
            "letter_ms": self.speed.median_ms,
            **_place(field),
        }
        self.asking.suggest(body, then, ended=ask.ended)
        if sees:
            line = ask.prefix.rpartition("\n")[2]
            self.asking.soon(answering.look(self._focused_text, line, field.app))

    def report_typing(self, field: Field, then: Callable[[dict[str, Any]], None]) -> None:
        """Tell the service that its user types where nothing is to be suggested; hand the answer to `then`."""
        self.asking.suggest({"prefix": "", "candidates": 0, "ghost_words": 0, **_place(field)}, then)

    def heard(self, *, paused: bool) -> None:
        """The service says whether learning is paused. What is written before that changes is not learned after it."""
        self._heard_s = time.monotonic()
        if paused != self._paused:
            self._paused = paused
            self._begin_anew()

    def watch(self) -> None:
        """Something is typed that may be learned: see to it that a pause does not go unnoticed."""
        if time.monotonic() - self._heard_s > _UNHEARD_S:
            self._heard_s = time.monotonic()
            self.asking.soon(self._look())

    def count(self, fate: SuggestionOutcome, field: Field) -> None:
        """Tell what became of a suggestion."""
        if fate.kind != "correction":
            if not self._off_record:
                self.asking.count({**vars(fate), **_place(field)})
            return
        if fate.outcome == "dismissed" and fate.word:
            self._taken_back = TakenBack(fate.word)
            self._redraw()
        if self.learns(field):
            self.asking.soon(self._judge(fate, field))

    def send_stretch(self, stretch: dict[str, Any], field: Field) -> None:
        """Tell what was typed in a field while a trial ran; it never waits where texts wait that are to be learned."""
        if not self._off_record:
            body = {**stretch, **_place(field)}
            self.asking.soon(self.asking.link.ask("POST", "/v1/trial/stretch", body))

    async def _judge(self, fate: SuggestionOutcome, field: Field) -> None:
        """Tell what became of a correction; whose word is not corrected any more is shown."""
        body = {**vars(fate), **_place(field)}
        answer = await self.asking.link.ask("POST", "/v1/feedback", body)
        if answer is None:
            self.asking.send("/v1/feedback", body)
        elif answer.get("never_corrected") and fate.word:
            self._decided(TakenBack(fate.word, forbidden=True))

    def _decided(self, about: TakenBack) -> None:
        """Show what holds of a correction from now on."""
        self._taken_back = about
        self._redraw()
        self._say(f"“{about.word}” is {'not corrected any more' if about.forbidden else 'corrected again'}.")

    def _say(self, note: str) -> None:
        if self._focused is not None:
            self._focused.say(note)

    def learn(self, entries: Sequence[WrittenText], field: Field) -> None:
        """Have texts learned that were written in a field."""
        for entry in entries if self.learns(field) else ():
            self.asking.send("/v1/history", {**entry._asdict(), "source": _SOURCE, **_place(field)})

    # The menu

    def focused(self, engine: Engine) -> None:
        """A field of this engine has the focus: its menu is the one that is shown."""
        self._focused = engine
        engine.show_menu()
        self.asking.soon(self._look())

    async def _look(self) -> None:
        status = await self.asking.link.ask("GET", "/v1/status")
        if status is not None:
            self.heard(paused=bool(status.get("paused")))

    def menu(self) -> tuple[Property, ...]:
        """The indicator's menu."""
        learn = Property("learn", "Learn what I write", self._choice.learn)
        record = Property("record", "Suggest only, until I switch it off", self._off_record)
        hour = Property("hour", "Pause learning everywhere for an hour", sensitive=not self._paused)
        pause = Property("pause", "Pause learning everywhere", self._paused)
        state = "paused" if self._paused else "suggests only" if self._off_record else "suggests and learns"
        state = state if self._choice.learn or self._paused else "suggests only"
        symbol = "‖" if self._paused else "○" if self._off_record or not self._choice.learn else "●"
        label = f"idiolect: {state}"
        lines = (learn, record, hour, pause, *self._about_context(), *self._about_correction())
        return (Property("idiolect", label, symbol=symbol, below=lines),)

    def _about_context(self) -> tuple[Property, ...]:
        here = self._focused
        if here is None or here.answering.sees is None or here.field.app is None:
            return ()
        return (Property("context", f"Sees what you answer in {here.field.app}", here.answering.sees),)

    def _about_correction(self) -> tuple[Property, ...]:
        about = self._taken_back
        if about is None:
            return ()
        if about.forbidden:
            return (Property("correct", f"Correct “{about.word}” again"),)
        return (Property("never", f"Never correct “{about.word}”"),)

    def pressed(self, name: str, checked: bool) -> None:
        """A line of the menu was pressed."""
        if name == "learn":
            self._choose(learn=checked)
        elif name == "record":
            self._off_record = checked
        elif name == "hour":
            self._pause(_HOUR_S)
        elif name == "pause":
            self._pause(None) if checked else self._resume()
        elif name == "context" and self._focused is not None and self._focused.field.app is not None:
            self.asking.soon(self._see_context(self._focused.field.app, see=checked))
        elif name in ("never", "correct") and self._taken_back is not None:
            self.asking.soon(self._decide(self._taken_back.word, forbid=name == "never"))
        if name in ("learn", "record"):
            self._begin_anew()
        self._redraw()

    def _choose(self, *, learn: bool) -> None:
        try:
            self._choice.set(learn=learn)
        except OSError as error:
            log.error("the choice of learning could not be kept", exc_info=error)
            self._say("That holds until you log out: it could not be written to the disk. Is it full?")

    async def _see_context(self, app: str, *, see: bool) -> None:
        """Have what is answered in a program used there, or not: a rule, which its user alone may give."""
        link = ServiceLink(self._settings, Scope.ADMIN)
        rule = {"app": glob.escape(app), "context": "on" if see else "off"}
        if await link.ask("POST", "/v1/apps", rule) is None:
            self._say("The service did not answer, so nothing was changed.")
        elif self._focused is not None:
            self._focused.look_again()
        await link.close()

    async def _decide(self, word: str, *, forbid: bool) -> None:
        """Never correct a word, or do so again."""
        body = {"kind": "never_correct", "text": word}
        if (
            await self.asking.link.ask("POST", "/v1/words/add" if forbid else "/v1/words/remove", body)
            is None
        ):
            self._say("The service did not answer, so nothing was changed.")
        else:
            self._decided(TakenBack(word, forbidden=forbid))

    def toggle_pause(self) -> None:
        """The shortcut was pressed."""
        self._resume() if self._paused else self._pause(None)

    def _pause(self, for_s: float | None) -> None:
        self.heard(paused=True)
        self.asking.soon(self.asking.link.ask("POST", "/v1/pause", {"for_s": for_s}))

    def _resume(self) -> None:
        self.heard(paused=False)
        self.asking.soon(self.asking.link.ask("POST", "/v1/resume"))

    def _begin_anew(self) -> None:
        """Whether it learns has changed: what was written until now is not learned any more."""
        self.drafts.discard()
        if self._focused is not None:
            self._focused.begin_anew()
        self._redraw()

    def _redraw(self) -> None:
        if self._focused is not None:
            self._focused.show_menu()

    async def finish(self) -> None:
        """The process ends: what is to be told is told now."""
        if self._focused is not None:
            self._focused.leave()
        self.drafts.finish()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.asking.finish(), _FINISH_S)


def _place(field: Field) -> dict[str, Any]:
    return {"app": field.app, "input_purpose": field.input_purpose, "private": field.private}
