"""State that all engines of a desktop session share: settings, service requests, switches."""

from __future__ import annotations

import asyncio
import contextlib
import glob
import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from idiolect.daemon.clients.keyboard.field import Field
from idiolect.daemon.clients.keyboard.field_authorship import WrittenText
from idiolect.daemon.clients.keyboard.focused_text import FieldAnswering, FocusedText
from idiolect.daemon.clients.keyboard.ibus_objects import Property
from idiolect.daemon.clients.keyboard.key_outcomes import AskService, Made, SuggestionOutcome
from idiolect.daemon.clients.keyboard.learning_choice import LearningChoice
from idiolect.daemon.clients.keyboard.left_fields import LeftFields
from idiolect.daemon.clients.keyboard.service_requests import ServiceRequests
from idiolect.daemon.clients.keyboard.text_before_cursor import MAX_CHARS
from idiolect.daemon.clients.link import ServiceLink
from idiolect.daemon.clients.slip_watch import SlipWatch
from idiolect.daemon.clients.typing_speed import TypingSpeed
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.settings import Settings
from idiolect.daemon.text.replies import split

if TYPE_CHECKING:
    from idiolect.daemon.clients.keyboard.engine import Engine  # it imports this module

_SOURCE: Final = "keyboard"
_FINISH_S: Final = (
    10.0  # at its end the process waits at most so long for a busy service to take the last texts
)
_STATUS_S: Final = 2.0  # whether learning is paused is known for so long
_RETRY_S = 2.0  # between two attempts to tell the service of a pause

log = logging.getLogger("idiolect.keyboard")


class DesktopSession:
    """Shared by the engines of one process."""

    def __init__(self, settings: Settings) -> None:
        """Read the settings, and the user's choice of learning."""
        self._settings = settings
        self.requests = ServiceRequests(settings)
        self.speed = TypingSpeed()
        self.slips = SlipWatch()
        self._focused_text = FocusedText()
        self._choice = LearningChoice(settings)
        self.left_fields = LeftFields(self.learn)
        # Clients that did not delete text when asked, as IBus under Wayland before 1.5.34.
        self.undeleting = {"wayland", "ibus-wayland"}
        self.trial = False  # whether one runs, by the last answer
        self._unheard = self._choice.unheard_pause_s is not None  # the service has not heard what is chosen
        self._paused, self._chosen_s = self._unheard, self._choice.unheard_pause_s or 0.0
        self._status_s = float("-inf")  # when the service last said whether it is
        self._focused: Engine | None = None
        self._mended: tuple[str, Made] | None = None  # the last mended word, and its input context
        self._chosen: tuple[str, Made] | None = None  # to be put back once its field has the focus again

    def start(self) -> None:
        """Start the service unless it runs, and tell it of a pause that it did not hear."""
        self.requests.start()
        if self._unheard:
            self.requests.start_task(self._send_pause())

    def suggests(self, field: Field) -> bool:
        """Return whether words are offered in a field."""
        settings = self._settings
        return field.suggests(terminals=settings.keyboard_terminals, unknown=settings.keyboard_unknown)

    def learns(self, field: Field) -> bool:
        """Return whether text written in a field is sent to be learned."""
        allowed = self._choice.learn and not self._paused and not self._unheard
        return allowed and field.learns(unknown=self._settings.keyboard_unknown)

    def inline(self, field: Field) -> bool:
        """Return whether a ghost text is shown at the cursor of a field, else in the window."""
        return field.has_own_context and not field.terminal

    # The service

    def suggest(
        self, ask: AskService, field: Field, answering: FieldAnswering, then: Callable[[dict[str, Any]], None]
    ) -> None:
        """Ask the service, unless the cursor stands in a quotation; hand the answer to `then`."""
        begin = ask.prefix.find("\n") + 1 if len(ask.prefix) >= MAX_CHARS else 0  # of a line that is whole
        reply = split(ask.prefix[begin:], ask.behind)
        if reply.prefix is None:
            return
        sees = answering.sees and not field.terminal  # the text in a terminal answers nobody
        reply = answering.complete(reply) if sees else reply
        body = {
            "prefix": reply.prefix,
            **({"context": reply.context()} if sees else {}),
            "candidates": 3,
            "ghost_words": 8,
            "corrections": ask.corrections,
            "correct_before": ask.corrections,
            "letter_ms": self.speed.median_ms,
            **_place(field),
        }
        self.requests.suggest(body, then, ended=ask.ended)
        if sees:
            line = ask.prefix.rpartition("\n")[2]
            self.requests.start_task(answering.read(self._focused_text, line, field.app))

    def report_typing(self, field: Field, then: Callable[[dict[str, Any]], None]) -> None:
        """Tell the service that its user types where nothing is to be suggested; hand the answer to `then`."""
        self.requests.suggest({"prefix": "", "candidates": 0, "ghost_words": 0, **_place(field)}, then)

    def set_paused(self, *, paused: bool) -> None:
        """Note what the service says of the pause. A text that was begun before this changes is not learned."""
        self._status_s = time.monotonic()
        if paused != self._paused and not self._unheard:  # else it says so because it has not heard
            self._paused = paused
            self._begin_anew()

    def check_pause(self) -> None:
        """Ask whether learning is paused if that is not known for certain: text is typed that may be learned."""
        if time.monotonic() - self._status_s > _STATUS_S:
            self._status_s = time.monotonic()
            self.requests.start_task(self._request_status())

    def count(self, outcome: SuggestionOutcome, field: Field) -> None:
        """Send the outcome of a suggestion."""
        if outcome.kind != "correction":
            self.requests.count({**vars(outcome), **_place(field)})
        elif self.learns(field):
            self.requests.start_task(self._send_correction(outcome, field))

    def send_stretch(self, stretch: dict[str, Any], field: Field) -> None:
        """Send the counts of a field in a trial; they do not wait in the queue of texts."""
        body = {**stretch, **_place(field)}
        self.requests.start_task(self.requests.link.ask("POST", "/v1/trial/stretch", body))

    def send_slip(self, slip: dict[str, str], field: Field) -> None:
        """Send a slip of the hand; it does not wait in the queue of texts."""
        self.requests.start_task(self.requests.link.ask("POST", "/v1/slip", {**slip, **_place(field)}))

    async def _send_correction(self, outcome: SuggestionOutcome, field: Field) -> None:
        """Send the outcome of a correction; show if the service corrects the word no more."""
        body = {**vars(outcome), **_place(field)}
        answer = await self.requests.link.ask("POST", "/v1/feedback", body)
        if answer is None:
            self.requests.send("/v1/feedback", body)
        elif answer.get("never_corrected"):
            self._show_note(f"“{outcome.word}” is not corrected any more.")

    def _show_note(self, note: str) -> None:
        if self._focused is not None:
            self._focused.show_note(note)

    def learn(self, entries: Sequence[WrittenText], field: Field) -> None:
        """Send texts that were written in a field, to be learned."""
        for entry in entries if self.learns(field) else ():
            self.requests.send("/v1/history", {**entry._asdict(), "source": _SOURCE, **_place(field)})

    # The menu

    def set_focused(self, engine: Engine) -> None:
        """Show the menu of the engine whose field has the focus."""
        self._focused = engine
        engine.show_menu()
        self.requests.start_task(self._request_status())

    async def _request_status(self) -> None:
        status = await self.requests.link.ask("GET", "/v1/status")
        if status is not None:
            self.set_paused(paused=bool(status.get("paused")))

    def menu(self) -> tuple[Property, ...]:
        """Return the indicator's menu."""
        learns = self._choice.learn
        state = "paused" if self._paused else "suggests and learns" if learns else "suggests only"
        state += ", but the service has not heard" if self._unheard else ""
        symbol = "‖" if self._paused or self._unheard else "●" if learns else "○"
        lines = [
            Property("learn", "Learn what I write", learns),
            Property("pause", "Pause learning everywhere", self._paused),
        ]
        if self._mended is not None:
            _, made = self._mended
            lines.append(Property("put_back", f"Put “{made.word}” back in place of “{made.meant}”"))
            lines.append(Property("never_mend", f"Never correct “{made.word}”"))
        here = self._focused
        if here is not None and here.answering.sees is not None and here.field.app is not None:
            context = f"Sees what you answer in {here.field.app}"
            lines.append(Property("context", context, here.answering.sees))
        return (Property("idiolect", f"idiolect: {state}", symbol=symbol, below=tuple(lines)),)

    def choose(self, name: str, *, checked: bool) -> None:
        """Do what a line of the menu stands for."""
        here = self._focused
        if name == "learn":
            self._keep(lambda: self._choice.set(learn=checked))
            self._begin_anew()
        elif name == "pause":
            self._pause(paused=checked)
        elif name in ("put_back", "never_mend") and self._mended is not None:
            self._chosen, self._mended = self._mended, None
            if name == "never_mend":
                self.requests.start_task(self._decide_never(self._chosen[1].word))
            if here is not None:
                here.put_back()
        elif name == "context" and here is not None and here.field.app is not None:
            self.requests.start_task(self._set_context(here.field.app, see=checked))
        self._show_menu()

    def set_mended(self, context: str, made: Made | None) -> None:
        """Offer in the menu to put the last mended word back; None: nothing is to be put back."""
        self._mended, self._chosen = None if made is None else (context, made), None
        self._show_menu()

    def take_chosen(self, context: str) -> Made | None:
        """Return the word that its user wants put back in this input context, once."""
        chosen = self._chosen
        if chosen is None or chosen[0] != context:
            return None
        self._chosen = None
        return chosen[1]

    async def _decide_never(self, word: str) -> None:
        """Have the service correct a word never again."""
        rule = {"kind": "never_correct", "text": word}
        if await self.requests.link.ask("POST", "/v1/words/add", rule) is None:
            self._show_note("The service did not answer, so nothing was changed.")
        else:
            self._show_note(f"“{word}” is not corrected any more.")

    def _keep(self, keep_choice: Callable[[], None]) -> None:
        """Keep a choice of its user's on the disk, or say that it could not be kept."""
        try:
            keep_choice()
        except OSError as error:
            log.error("a choice of learning could not be kept", exc_info=error)
            self._show_note("That holds until you log out: it could not be written to the disk. Is it full?")

    async def _set_context(self, app: str, *, see: bool) -> None:
        """Add the rule whether an answered text is used in a program; only its user may."""
        link = ServiceLink(self._settings, Scope.ADMIN)
        rule = {"app": glob.escape(app), "context": "on" if see else "off"}
        if await link.ask("POST", "/v1/apps", rule) is None:
            self._show_note("The service did not answer, so nothing was changed.")
        elif self._focused is not None:
            self._focused.ask_again()
        await link.close()

    def toggle_pause(self) -> None:
        """Pause learning, or resume it."""
        self._pause(paused=not self._paused)

    def _pause(self, *, paused: bool) -> None:
        self._paused, self._chosen_s = paused, time.time()
        self._begin_anew()
        if not self._unheard:
            self._unheard = True
            self.requests.start_task(self._send_pause())

    async def _send_pause(self) -> None:
        """Have the service pause or resume learning as its user chose last, with retries until it has."""
        heard: bool | None = None
        is_noted = False
        while heard is not self._paused:
            paused = self._paused
            # What was written since the choice stays off the record in every program.
            body = {"ago_s": max(0.0, time.time() - self._chosen_s)} if paused else None
            if (
                await self.requests.link.ask("POST", "/v1/pause" if paused else "/v1/resume", body)
                is not None
            ):
                heard = paused
                continue
            self._keep(lambda: self._choice.keep_pause(self._chosen_s if self._paused else None))
            if not is_noted:
                is_noted = True
                self._show_note(
                    "The service did not hear that. Until it does, it is asked again, and nothing is learned."
                )
            await asyncio.sleep(_RETRY_S)
        self._unheard = False
        self._keep(lambda: self._choice.keep_pause(None))
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Discard the texts that were begun before a change of learning."""
        self.left_fields.discard()
        if self._focused is not None:
            self._focused.begin_anew()
        self._show_menu()

    def _show_menu(self) -> None:
        if self._focused is not None:
            self._focused.show_menu()

    async def finish(self) -> None:
        """Send the texts and counts that wait: the process ends."""
        if self._focused is not None:
            self._focused.leave()
        self.left_fields.finish()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.requests.finish(), _FINISH_S)


def _place(field: Field) -> dict[str, Any]:
    return {"app": field.app, "input_purpose": field.input_purpose, "private": field.private}
