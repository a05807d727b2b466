"""What all engines of one session share: settings, the way to the service, and what the user has switched."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

from idiolect.daemon.key_names import parse_key
from idiolect.daemon.keyboard.asking import Asking
from idiolect.daemon.keyboard.bindings import Bindings
from idiolect.daemon.keyboard.choice import Choice
from idiolect.daemon.keyboard.drafts import Drafts
from idiolect.daemon.keyboard.wire import Property

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from idiolect.daemon.keyboard.actions import Fate
    from idiolect.daemon.keyboard.engine import Engine
    from idiolect.daemon.keyboard.field import Field
    from idiolect.daemon.keyboard.written import Entry
    from idiolect.daemon.settings import Settings

_SOURCE: Final = "keyboard"
_HOUR_S: Final = 3600.0
#: What IBus calls clients that show a ghost text in grey: GTK's. Qt's show it as if it were typed.
_INLINE: Final = ("gtk-im:", "gtk3-im:", "gtk4-im:")
#: Programs of GTK in which it does harm: they put it into the text at a click, or tell a page of it.
_NOT_INLINE: Final = (
    "chrom",
    "brave",
    "edge",
    "vivaldi",
    "opera",
    "firefox",
    "librewolf",
    "thunderbird",
    "electron",
    "soffice",
)


class Session:
    """Shared by the engines of one process."""

    def __init__(self, settings: Settings) -> None:
        """As the settings and the user's choice of learning say."""
        self._settings = settings
        self.bindings = Bindings(
            take=parse_key(settings.keyboard_take),
            take_word=parse_key(settings.keyboard_take_word),
            hide=parse_key(settings.keyboard_hide),
            digits=settings.keyboard_digits,
            arrows=settings.keyboard_arrows,
        )
        self.pause_key = parse_key(settings.keyboard_pause)
        self.asking = Asking(settings)
        self._choice = Choice(settings)
        self.drafts = Drafts(self.learn)
        self.undeleting: set[str] = set()  # clients that did not delete what they were asked to
        self._off_record = False
        self._paused = False
        self._focused: Engine | None = None

    # Where what is done

    def suggests(self, field: Field) -> bool:
        """Whether words are offered in a field."""
        settings = self._settings
        return field.suggests(terminals=settings.keyboard_terminals, unknown=settings.keyboard_unknown)

    def learns(self, field: Field) -> bool:
        """Whether what is written in a field is sent to be learned."""
        allowed = self._choice.learn and not self._off_record
        return allowed and field.learns(unknown=self._settings.keyboard_unknown)

    def inline(self, field: Field) -> bool:
        """Whether a ghost text is shown at the cursor there, else in a line of its own."""
        ghost = self._settings.keyboard_ghost
        if ghost != "auto":
            return ghost == "inline"
        client = field.client.lower()
        harmed = any(name in client for name in _NOT_INLINE)
        return client.startswith(_INLINE) and not field.terminal and not harmed

    @property
    def has_line(self) -> bool:
        """Whether a ghost text may be shown in a line of its own."""
        return self._settings.keyboard_ghost in ("auto", "line")

    # The service

    def suggest(
        self, prefix: str, field: Field, then: Callable[[dict[str, Any]], None], *, corrections: bool
    ) -> None:
        """Ask for what goes on behind `prefix`, and perhaps for corrections of it; hand the answer to `then`."""
        body = {
            "prefix": prefix,
            "candidates": self._settings.keyboard_words,
            "ghost_words": 0 if self._settings.keyboard_ghost == "off" else 8,
            "corrections": corrections,
            **_place(field),
        }
        self.asking.suggest(body, then)

    def count(self, fate: Fate, field: Field) -> None:
        """Tell what became of a suggestion."""
        if not self._off_record:
            self.asking.tell("/v1/feedback", {**vars(fate), **_place(field)})

    def learn(self, entries: Sequence[Entry], field: Field) -> None:
        """Have texts learned that were written in a field."""
        for entry in entries if self.learns(field) else ():
            self.asking.tell("/v1/history", {**entry._asdict(), "source": _SOURCE, **_place(field)})

    # The menu

    def focused(self, engine: Engine) -> None:
        """A field of this engine has the focus: its menu is the one that is shown."""
        self._focused = engine
        engine.show_menu()
        self.asking.soon(self._look())

    async def _look(self) -> None:
        status = await self.asking.ask("GET", "/v1/status")
        paused = bool(status and status.get("paused"))
        if paused != self._paused:
            self._paused = paused
            self._redraw()

    def menu(self) -> tuple[Property, ...]:
        """The indicator's menu."""
        learn = Property("learn", "Learn what I write", self._choice.learn)
        record = Property("record", "Off the record until I switch it off", self._off_record)
        hour = Property("hour", "Pause learning everywhere for an hour", sensitive=not self._paused)
        pause = Property("pause", "Pause learning everywhere", self._paused)
        state = "paused" if self._paused else "off the record" if self._off_record else "suggests and learns"
        state = state if self._choice.learn or self._paused else "suggests only"
        symbol = "‖" if self._paused else "○" if self._off_record or not self._choice.learn else "●"
        label = f"idiolect: {state}"
        return (Property("idiolect", label, symbol=symbol, below=(learn, record, hour, pause)),)

    def pressed(self, name: str, checked: bool) -> None:
        """A line of the menu was pressed."""
        if name == "learn":
            self._choice.set(learn=checked)
        elif name == "record":
            self._off_record = checked
        elif name == "hour":
            self._pause(_HOUR_S)
        elif name == "pause":
            self._pause(None) if checked else self._resume()
        if name in ("learn", "record"):
            self.drafts.discard()
            if self._focused is not None:
                self._focused.begin_anew()
        self._redraw()

    def toggle_pause(self) -> None:
        """The shortcut was pressed."""
        self._resume() if self._paused else self._pause(None)
        self._redraw()

    def _pause(self, for_s: float | None) -> None:
        self._paused = True
        self.asking.soon(self.asking.ask("POST", "/v1/pause", {"for_s": for_s}))

    def _resume(self) -> None:
        self._paused = False
        self.asking.soon(self.asking.ask("POST", "/v1/resume"))

    def _redraw(self) -> None:
        if self._focused is not None:
            self._focused.show_menu()

    async def finish(self) -> None:
        """The process ends: what is to be told is told now."""
        if self._focused is not None:
            self._focused.end()
        self.drafts.finish()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.asking.finish(), 2.0)


def _place(field: Field) -> dict[str, Any]:
    return {"app": field.app, "input_purpose": field.input_purpose, "private": field.private}
