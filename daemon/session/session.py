"""What all fields of a session share: whether it learns, the menu, the typist's hand, the words that were mended."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from idiolect.daemon.session import effects
from idiolect.daemon.session.choices import QUIET_MINUTES, Choices
from idiolect.daemon.session.clock import Clock
from idiolect.daemon.session.events import ChoiceNotKept, Event, Replied, Ticked
from idiolect.daemon.session.field import Document, Field, Unknown
from idiolect.daemon.session.field_authorship import WrittenText
from idiolect.daemon.session.key_table import KeyTable, draw_key
from idiolect.daemon.session.learning_pause import LearningPause
from idiolect.daemon.session.left_fields import LeftFields
from idiolect.daemon.session.letter_intervals import LetterIntervals
from idiolect.daemon.session.mending import MendedWords
from idiolect.daemon.session.replied_text import FieldAnswering
from idiolect.daemon.session.slip_watch import SlipWatch
from idiolect.daemon.session.text_before_cursor import MAX_CHARS
from idiolect.daemon.text.replies import Reply, split

if TYPE_CHECKING:
    from idiolect.daemon.session.engine import Engine  # it imports this module

_UNHEARD: Final = "The service did not answer, so nothing was changed."


class Session:
    """Shared by the engines of one process; it gathers what they want done."""

    def __init__(
        self,
        *,
        learns: bool = False,
        unheard_pause_s: float | None = None,
        terminals: bool = False,
        unknown: Unknown = "quiet",
    ) -> None:
        """Begin with what is known from before.

        Args:
            learns: its user wants it to learn.
            unheard_pause_s: when learning was paused, in seconds since 1970, if the service has not heard of that.
            terminals: words are offered in terminals, too.
            unknown: the rule for programs whose name is not known.
        """
        self.clock = Clock()
        self.choices = Choices()
        self._keys_told: dict[str, str] = {}  # those that are not the usual ones
        self._quiet_told: effects.SendRequest | None = None  # that its reply is awaited
        self.speed = LetterIntervals()
        self.slips = SlipWatch()
        self._terminals, self._unknown = terminals, unknown
        self._learns = learns
        self.left_fields = LeftFields(self.clock, self.learn)
        # Clients that did not delete text when asked, as IBus under Wayland before 1.5.34.
        self.undeleting = {"wayland", "ibus-wayland"}
        self.trial = False  # whether one runs, by the last answer
        self.pause = LearningPause(self, unheard_pause_s)
        self._focused: Engine | None = None
        self.documents: set[Engine] = set()  # the engines of open documents, all of which may be typed in
        #: To be put back once its field has the focus again.
        self._chosen: tuple[MendedWords, effects.MadeCorrection] | None = None
        self.holding: set[Engine] = set()  # whose effects wait
        self._effects: list[tuple[Any, effects.Effect]] = []

    def handle(
        self, event: Event, engine: Engine | None = None, *, now_s: float, unix_s: float = 0.0
    ) -> list[tuple[Any, effects.Effect]]:
        """Return what follows from an event, each effect with the door that it is for; None: for any."""
        self.clock.now_s, self.clock.unix_s = now_s, unix_s
        if engine is not None:
            engine.handle(event)
        else:
            self._handle(event)
        return self.take_effects()

    def take_effects(self) -> list[tuple[Any, effects.Effect]]:
        """Return the effects that were not taken yet: after a failure there may be some."""
        due, self._effects = self._effects, []
        return due

    def do(self, effect: effects.Effect, door: Any = None) -> None:
        """Have something done."""
        self._effects.append((door, effect))

    @property
    def wakes_at_s(self) -> float:
        """When it wants to hear of the time: something waits until then; infinity if nothing does."""
        held = (engine.held_until_s for engine in self.holding)
        return min(self.left_fields.due_s, self.pause.retry_s, *held)

    def _handle(self, event: Event) -> None:
        match event:
            case Ticked():
                now_s = self.clock.now_s
                self.left_fields.learn_due(now_s)
                for engine in [engine for engine in self.holding if engine.held_until_s <= now_s]:
                    engine.release()
                self.pause.retry()
            case Replied():
                self._take_reply(event.request, event.reply)
            case ChoiceNotKept():
                self.show_note(
                    "That holds until you log out: it could not be written to the disk. Is it full?"
                )

    def suggests(self, field: Field) -> bool:
        """Return whether words are offered in a field."""
        return field.suggests(terminals=self._terminals, unknown=self._unknown)

    def learns(self, field: Field) -> bool:
        """Return whether text written in a field is sent to be learned."""
        return self._learns and not self.pause.holds and field.learns(unknown=self._unknown)

    @property
    def is_quiet_known(self) -> bool:
        """Whether the service knows whether nothing is to be shown: before it has heard the end, it has no words."""
        return self._quiet_told is None

    def shows(self, ask: effects.AskService) -> bool:
        """Return whether the answer to a question may be shown."""
        return not (ask.silent or self.choices.quiet)

    # The service

    def ask(self, ask: effects.AskService, field: Field, answering: FieldAnswering, door: Any) -> None:
        """Ask the service, unless the cursor stands in a quotation; an editor knows itself what a document answers."""
        begin = ask.prefix.find("\n") + 1 if len(ask.prefix) >= MAX_CHARS else 0  # of a line that is whole
        reply = Reply(ask.prefix) if field.is_document else split(ask.prefix[begin:], ask.behind)
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
        self.do(replace(ask, body=body), door)
        if sees and not field.is_document and answering.is_due():
            self.do(effects.ReadField(ask.field, ask.prefix.rpartition("\n")[2], field.app), door)

    def report_typing(self, ask: effects.AskService, field: Field, door: Any) -> None:
        """Tell the service that its user types where nothing is to be suggested."""
        body = {"prefix": "", "candidates": 0, "ghost_words": 0, **_place(field)}
        self.do(replace(ask, body=body, silent=True), door)

    def count(self, outcome: effects.SuggestionOutcome, field: Field) -> None:
        """Tell the outcome of a suggestion."""
        body = {**vars(outcome), **_place(field)}
        if outcome.kind != "correction":
            self.do(effects.TellOutcome(body))
        elif self.learns(field):
            self.do(effects.SendRequest("/v1/feedback", body))

    def send(self, path: str, body: dict[str, Any], field: Field) -> None:
        """Tell the service what does not wait in the queue of texts: a slip of the hand, or a trial's counts."""
        self.do(effects.SendRequest(path, {**body, **_place(field)}))

    def learn(self, entries: Sequence[WrittenText], field: Field) -> None:
        """Have texts learned that were written in a field."""
        uri = field.uri if isinstance(field, Document) else ""
        for entry in entries if self.learns(field) else ():
            self.do(effects.LearnText({**entry._asdict(), **_place(field)}, uri))

    def _take_reply(self, request: effects.SendRequest, reply: dict[str, Any] | None) -> None:
        match request.path:
            case "/v1/status" if reply is not None:
                self.pause.set(paused=bool(reply.get("paused")))
                self.take_choices(reply)
            case "/v1/quiet" | "/v1/quiet/end" if request == self._quiet_told:
                self._quiet_told = None
                self._set_quiet(quiet=(request.path == "/v1/quiet") == (reply is not None))
                if reply is None:
                    self.show_note(_UNHEARD)
            case "/v1/pause" | "/v1/resume":
                self.pause.take_reply(request.path, heard=reply is not None)
            case "/v1/feedback" if reply is None:
                self.do(replace(request, again=True))
            case "/v1/feedback" if reply is not None and request.body and reply.get("never_corrected"):
                self.show_note(f"“{request.body['word']}” is not corrected any more.")
            case "/v1/words/add" if request.body is not None:
                never = f"“{request.body['text']}” is not corrected any more."
                self.show_note(never if reply is not None else _UNHEARD)
            case "/v1/apps" if reply is None:
                self.show_note(_UNHEARD)
            case "/v1/apps" if self._focused is not None:
                self._focused.ask_again()

    def begin_anew(self) -> None:
        """Discard the texts that were begun before a change of learning."""
        self.left_fields.discard()
        for engine in self._engines:
            engine.begin_anew()
        self.show_menu()

    @property
    def _engines(self) -> set[Engine]:
        return self.documents | ({self._focused} if self._focused is not None else set())

    # What its user has chosen for all programs

    def take_choices(self, told: dict[str, Any]) -> None:
        """Take what the service says of its user's keys, and whether nothing is to be shown for a while."""
        keys = told.get("keys", {})
        if keys != self._keys_told:
            self.choices.keys, self._keys_told = KeyTable.read(keys), keys
            self.show_menu()
        if self._quiet_told is None and (quiet := bool(told.get("quiet"))) != self.choices.quiet:
            self._set_quiet(quiet=quiet)

    def toggle_quiet(self) -> None:
        """Show nothing for a while, or show again what is suggested."""
        self._choose_quiet(quiet=not self.choices.quiet)

    def _choose_quiet(self, *, quiet: bool) -> None:
        end = effects.SendRequest("/v1/quiet/end")
        self._quiet_told = effects.SendRequest("/v1/quiet", {"minutes": QUIET_MINUTES}) if quiet else end
        self._set_quiet(quiet=quiet)
        self.do(self._quiet_told)

    def _set_quiet(self, *, quiet: bool) -> None:
        self.choices.quiet = quiet
        for engine in self._engines:
            engine.change_quiet()
        self.show_menu()

    # The menu

    def set_focused(self, engine: Engine) -> None:
        """Show the menu of the engine whose field has the focus."""
        self._focused = engine
        self.show_menu()
        self.do(effects.SendRequest("/v1/status", method="GET"))

    def menu(self) -> effects.ShowMenu:
        """Return the menu."""
        paused, here = self.pause.shown, self._focused
        quiet, key = self.choices.quiet, draw_key(self.choices.keys.quiet)
        span = "" if quiet else f" for {QUIET_MINUTES} minutes"
        learning = "paused" if paused else "learns" if self._learns else ""
        states = {"paused": "paused", "learns": "suggests and learns", "": "suggests only"}
        state = " and ".join(filter(None, ("quiet", learning))) if quiet else states[learning]
        state += ", but the service has not heard" if self.pause.is_unheard else ""
        symbol = "‖" if paused or self.pause.is_unheard else "●" if self._learns else "○"
        lines = [
            effects.MenuLine("learn", "Learn what I write", self._learns),
            effects.MenuLine("pause", "Pause learning everywhere", paused),
            effects.MenuLine("quiet", f"Show nothing{span} ({key})", quiet),
        ]
        for place, made in enumerate(here.mended.newest if here is not None else ()):
            which = f":{place}" if place else ""
            put_back = f"Put “{made.word}” back in place of “{made.meant}”"
            lines.append(effects.MenuLine(f"put_back{which}", put_back))
            lines.append(effects.MenuLine(f"never_mend{which}", f"Never correct “{made.word}”"))
        if here is not None and here.answering.sees is not None and here.field.app is not None:
            lines.append(
                effects.MenuLine("context", f"Sees what you answer in {here.field.app}", here.answering.sees)
            )
        return effects.ShowMenu(f"idiolect: {state}", symbol, tuple(lines))

    def choose(self, name: str, *, checked: bool) -> None:
        """Do what a line of the menu stands for."""
        here, (name, _, place) = self._focused, name.partition(":")
        if name == "learn":
            self._learns = checked
            self.do(effects.KeepChoice(checked))
            self.begin_anew()
        elif name == "pause":
            self.pause.choose(paused=checked)
        elif name == "quiet":
            self._choose_quiet(quiet=checked)
        elif name in ("put_back", "never_mend") and here is not None:
            for made in here.mended.newest[int(place or 0) :][:1]:
                self._chosen = here.mended, made
                if name == "never_mend":
                    rule = {"kind": "never_correct", "text": made.word}
                    self.do(effects.SendRequest("/v1/words/add", rule))
                here.put_back()
        elif name == "context" and here is not None and here.field.app is not None:
            # The rule whether an answered text is used in a program; only its user may add it.
            rule = {"app": glob.escape(here.field.app), "context": "on" if checked else "off"}
            self.do(effects.SendRequest("/v1/apps", rule, as_user=True))
        self.show_menu()

    def offer_mended(self) -> None:
        """Offer other words in the menu to put back: one was mended or put back."""
        self._chosen = None
        self.show_menu()

    def take_chosen(self, mended: MendedWords) -> effects.MadeCorrection | None:
        """Return the one of these words that its user wants put back, once."""
        chosen = self._chosen
        if chosen is None or chosen[0] is not mended:
            return None
        self._chosen = None
        return chosen[1]

    def show_menu(self) -> None:
        """Show the menu anew where a field has the focus."""
        if self._focused is not None:
            self._focused.show_menu()

    def show_note(self, note: str) -> None:
        """Show a sentence where a field has the focus."""
        if self._focused is not None:
            self._focused.show_note(note)

    def finish(self) -> list[tuple[Any, effects.Effect]]:
        """Return what is to be done at the end: the texts that wait are learned."""
        for engine in self._engines:
            engine.leave()
        self.left_fields.learn_due(float("inf"))
        return self.take_effects()


def _place(field: Field) -> dict[str, Any]:
    return {"app": field.app, "input_purpose": field.input_purpose, "private": field.private}
