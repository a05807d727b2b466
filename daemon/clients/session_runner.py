"""Carries out what a typing session wants done: the service is asked and told, doors insert and show, timers run."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from idiolect.daemon.clients.learning_choice import LearningChoice
from idiolect.daemon.clients.service_link import ServiceLink
from idiolect.daemon.clients.service_requests import ServiceRequests
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.session import effects, events
from idiolect.daemon.session.engine import Engine
from idiolect.daemon.session.session import Session
from idiolect.daemon.settings import Settings

_FINISH_S: Final = (
    10.0  # at its end the process waits at most so long for a busy service to take the last texts
)

log = logging.getLogger("idiolect.keyboard")


class Door(Protocol):
    """Where keys come in and text goes out, as a session sees it."""

    @property
    def engine(self) -> Engine:
        """Return its engine."""

    def answer_key(self, number: Any, *, used: bool) -> None:
        """Say that a key was used up, or is to be passed on."""

    def insert(self, text: str, replaced: int, removed: str) -> None:
        """Delete `replaced` characters before the cursor, which are `removed`, and insert a text there."""

    def show(self, show: effects.ShowSuggestions) -> None:
        """Show suggestions."""

    def place_window(self, y: int) -> None:
        """Keep the window off the cursor's line, `y` pixels from the top."""

    def show_menu(self, menu: effects.ShowMenu) -> None:
        """Show the menu."""


class SessionRunner:
    """Runs one session, for the doors of one process and one event loop."""

    def __init__(self, settings: Settings, source: str, *, learn: bool | None = None) -> None:
        """Begin; `source` is under which name texts are learned, `learn` whether they are; None: as was chosen."""
        self._settings, self._source = settings, source
        self._choice = LearningChoice(settings)
        learns = self._choice.learn if learn is None else learn
        self.requests = ServiceRequests(settings, Scope.SUGGEST if learn is False else Scope.LEARN)
        self.session = Session(
            learns=learns,
            unheard_pause_s=None if learn is False else self._choice.unheard_pause_s,
            terminals=settings.keyboard_terminals,
            unknown=settings.keyboard_unknown,
        )
        self._waking: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start the service unless it runs, and tell it of a pause that it did not hear."""
        self.requests.start()
        self.handle(events.Ticked())

    def handle(self, event: events.Event, door: Door | None = None) -> None:
        """Hand an event of a door to the session, and carry out what follows."""
        now_s = asyncio.get_running_loop().time()
        engine = None if door is None else door.engine
        try:
            due = self.session.handle(event, engine, now_s=now_s, unix_s=time.time())
        except Exception:
            self._carry_out(self.session.take_effects())
            raise
        self._carry_out(due)

    def _carry_out(self, due: list[tuple[Any, effects.Effect]]) -> None:
        for door, effect in due:
            self._do(door, effect)
        if self._waking is not None:
            self._waking.cancel()
            self._waking = None
        if (at_s := self.session.wakes_at_s) < float("inf"):
            self._waking = asyncio.get_running_loop().call_at(at_s, self.handle, events.Ticked())

    def _do(self, door: Door, effect: effects.Effect) -> None:
        match effect:
            case effects.AnswerKey(number, used):
                door.answer_key(number, used=used)
            case effects.InsertText(text, replaced, removed):
                door.insert(text, replaced, removed)
            case effects.ShowSuggestions():
                door.show(effect)
            case effects.PlaceWindow(y):
                door.place_window(y)
            case effects.ShowMenu():
                door.show_menu(effect)
            case effects.AskService():
                self.ask(effect, door)
            case effects.DropQuestions():
                self.requests.drop_waiting()
            case effects.LearnText():
                self.learn(effect)
            case effects.TellOutcome(body):
                self.requests.count(body)
            case effects.SendRequest(path, body, again=True):
                self.requests.send(path, body or {})
            case effects.SendRequest():
                self.requests.start_task(self._send(effect))
            case effects.FindProgram(focus):
                self.requests.start_task(self._find(focus, door))
            case effects.ReadField():
                self.requests.start_task(self._read(effect, door))
            case effects.KeepChoice(learn):
                self._keep(lambda: self._choice.set(learn=learn))
            case effects.KeepPause(since_s):
                self._keep(lambda: self._choice.keep_pause(since_s))

    def ask(self, ask: effects.AskService, door: Door) -> None:
        """Ask the service, and hand its answer to the session."""

        def answered(answer: dict[str, Any]) -> None:
            self.handle(events.Answered(ask, answer), door)

        self.requests.suggest(ask.body, answered, ended=ask.ended)

    def learn(self, text: effects.LearnText) -> None:
        """Send a text to be learned."""
        self.requests.send("/v1/history", {**text.body, "source": self._source})

    async def _send(self, request: effects.SendRequest) -> None:
        link = ServiceLink(self._settings, Scope.ADMIN) if request.as_user else self.requests.link
        reply = await link.ask(request.method, request.path, request.body)
        self.handle(events.Replied(request, reply))
        if request.as_user:
            await link.close()

    async def _find(self, focus: int, door: Door) -> None:
        self.handle(events.ProgramFound(focus, await self.find_program()), door)

    async def _read(self, read: effects.ReadField, door: Door) -> None:
        self.handle(events.FieldRead(read.field, await self.read_field(read)), door)

    def _keep(self, keep_choice: Callable[[], None]) -> None:
        """Keep a choice of its user's on the disk, or say that it could not be kept."""
        try:
            keep_choice()
        except OSError as error:
            log.error("a choice of learning could not be kept", exc_info=error)
            self.handle(events.ChoiceNotKept())

    async def find_program(self) -> str:
        """Return the name of the program with the focus; "" if it cannot be known."""
        return ""

    async def read_field(self, _read: effects.ReadField) -> tuple[str, str] | None:
        """Return the text before and behind the cursor; None if it cannot be known."""
        return None

    async def finish(self) -> None:
        """Send the texts and counts that wait: the process ends."""
        self._carry_out(self.session.finish())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.requests.finish(), _FINISH_S)
