"""Progress of long work: bars on stderr in a terminal; elsewhere a line for each phase and tenth."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from rich.console import RenderableType
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from idiolect.daemon.clients.commandline.formatting import clock, plain
from idiolect.daemon.clients.commandline.terminal import Terminal

#: The names of phases on the screen.
_PHASES: Final = {
    "fetch": "Fetching the base model",
    "build": "Building the base model",
    "prepare": "Preparing",
    "train": "Learning how you write",
    "judge": "Testing what was learned",
    "type": "Typing your text again",
    "mistype": "Mistyping words of it",
}
_COLUMNS: Final = (
    TextColumn("{task.description}", markup=False),
    BarColumn(bar_width=32),
    TextColumn("{task.percentage:>3.0f} %"),
    TextColumn("{task.fields[left]}", markup=False),
)


class _Bars(Progress):
    """A bar for each phase, with what the work waits for below it; lines instead where nobody watches."""

    def __init__(self, terminal: Terminal) -> None:
        errors = terminal.errors
        super().__init__(*_COLUMNS, console=errors, transient=True, disable=not errors.is_terminal)
        self._terminal = terminal
        self._said: dict[str, int] = {}
        self._waits = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        yield from (Text(f"  it {why}", "yellow") for task in self.tasks if (why := task.fields["waits"]))

    def show(self, phase: str, done: float, left: str = "", waits: str = "") -> None:
        """Show that so much of a phase is done, 0 to 1, and what it waits for."""
        task = next((one.id for one in self.tasks if one.description == phase), None)
        if task is None:
            for former in self.task_ids:
                self.remove_task(former)
            task = self.add_task(phase, total=1.0, left="", waits="")
            self._note(f"{phase} …")
        self.update(task, completed=done, left=left, waits=waits)
        if self._waits != waits:
            self._waits = waits
            self._note(f"  it {waits or 'goes on'}")
        tenth = int(10 * done)
        if self._said.get(phase, 0) < tenth < 10:
            self._said[phase] = tenth
            self._note(f"  {10 * tenth} % done{f', {left}' if left else ''}")

    def _note(self, line: str) -> None:
        if not self._terminal.errors.is_terminal:
            self._terminal.note(line)


@contextlib.contextmanager
def show_base_build(terminal: Terminal) -> Iterator[Callable[[str, float], None]]:
    """Show how the base model comes along: call the yielded function with a phase and the share done, 0 to 1."""
    with _Bars(terminal) as bars:
        yield lambda phase, done: bars.show(_PHASES[phase], done)


def follow_import(terminal: Terminal, events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Show an import as its events come; return its report."""
    last: dict[str, Any] = {}
    with _Bars(terminal) as bars:
        task = bars.add_task("Reading", total=None, left="", waits="")
        for last in events:
            if last["event"] == "progress":
                left = f"{last['entries']:,} entries"
                bars.update(task, completed=last["bytes_done"], total=last["bytes_total"], left=left)
    return _without_kind(last)


def follow_phases(terminal: Terminal, what: str, events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Show work that has phases, such as a training round, as its events come; return what the last one holds.

    `what` stands at the bar until the first phase begins; nothing is shown beside JSON.
    """
    last: dict[str, Any] = {}
    least_s = math.inf
    with contextlib.nullcontext() if terminal.as_json else _Bars(terminal) as bars:
        if bars:
            bars.add_task(what, total=1.0, left="", waits="")
        for last in events:
            if bars and last["event"] == "progress":
                left_s = last.get("left_s")
                # An estimate that has grown is not shown until it is below the last one shown.
                left = f"{clock(left_s)} left" if left_s is not None and left_s <= least_s else ""
                least_s = min(least_s, math.inf if left_s is None else left_s)
                bars.show(name_phase(last), last["done"], left, last.get("waits") or "")
    return _without_kind(last)


def name_phase(event: dict[str, Any]) -> str:
    """Return what is done in the phase of a progress event, in everyday words."""
    return plain(_PHASES.get(event["phase"], str(event["phase"])))


def _without_kind(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "event"}
