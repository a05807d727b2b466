"""Progress of long work: bars on stderr in a terminal; elsewhere a line for each phase and quarter."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from rich.console import RenderableType
from rich.progress import Progress

from idiolect.daemon.commandline.formatting import clock, plain
from idiolect.daemon.commandline.terminal import Terminal

#: The phases of what takes long, as people are told of them.
_PHASES: Final = {
    "fetch": "Fetching the base model",
    "build": "Building it",
    "prepare": "Preparing",
    "train": "Learning how you write",
    "judge": "Testing what was learned",
    "type": "Typing your text again",
    "growth": "Typing it again with less text learned",
    "mistype": "Mistyping words of it",
}


@contextlib.contextmanager
def show_base_build(terminal: Terminal) -> Iterator[Callable[[str, float], None]]:
    """Show how the base model comes along: call the yielded function with a phase and the share done, 0 to 1."""
    with _open_bars(terminal) as bars:
        tasks: dict[str, Any] = {}
        quarters = _Quarters(terminal)

        def show(phase: str, done: float) -> None:
            if phase not in tasks:
                name = _PHASES[phase]
                tasks[phase] = bars.add_task(name, total=1.0, left="", waits="")
                _print_phase(terminal, name)
            bars.update(tasks[phase], completed=done)
            quarters.show(phase, done)

        yield show


def follow_import(terminal: Terminal, events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Show an import as its events come; return its report."""
    last: dict[str, Any] = {}
    with _open_bars(terminal) as bars:
        task = bars.add_task("Reading", total=None, left="", waits="")
        for last in events:
            if last["event"] == "progress":
                left = f"{last['entries']:,} entries"
                bars.update(task, completed=last["bytes_done"], total=last["bytes_total"], left=left)
    return _without_kind(last)


def follow_phases(
    terminal: Terminal, what: str, events: Iterable[dict[str, Any]], *, quiet: bool
) -> dict[str, Any]:
    """Show work that has phases, such as a training round, as its events come; return what the last one holds.

    `what` stands at the bar until the first phase begins; `quiet` shows nothing.
    """
    last: dict[str, Any] = {}
    phase, waits = "", ""
    quarters = _Quarters(terminal)
    with contextlib.nullcontext() if quiet else _open_bars(terminal) as bars:
        task = bars.add_task(what, total=1.0, left="", waits="") if bars else None
        for last in events:
            if bars and task is not None and last["event"] == "progress":
                if phase != (phase := name_phase(last)):
                    _print_phase(terminal, phase)
                why = last.get("waits") or ""
                if waits != (
                    waits := why.partition("(")[0]
                ):  # without the figure, which changes all the time
                    _print_wait(terminal, why)
                left = f"{clock(last['left_s'])} left" if last.get("left_s") is not None else ""
                bars.update(task, description=phase, completed=last["done"], left=left, waits=why)
                quarters.show(phase, last["done"], left)
    return _without_kind(last)


def _open_bars(terminal: Terminal) -> Progress:
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.text import Text

    class Bars(Progress):
        """Bars, and below them what the work waits for."""

        def get_renderables(self) -> Iterable[RenderableType]:
            yield self.make_tasks_table(self.tasks)
            yield from (Text(f"  it {why}", "yellow") for task in self.tasks if (why := task.fields["waits"]))

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=32),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[left]}", markup=False),
    )
    errors = terminal.errors
    return Bars(*columns, console=errors, transient=True, disable=not errors.is_terminal)


def _print_phase(terminal: Terminal, phase: str) -> None:
    """Print a line for a phase that begins, where no bar is shown."""
    if not terminal.errors.is_terminal:
        terminal.note(f"{phase} …")


class _Quarters:
    """Where no bar is shown: a line for each quarter of a phase that is done, with the time that is left."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._said: dict[str, int] = {}

    def show(self, phase: str, done: float, left: str = "") -> None:
        """Note that so much of the phase is done, 0 to 1, if that is another quarter of it."""
        quarter = int(4 * done)
        if not self._terminal.errors.is_terminal and self._said.get(phase, 0) < quarter < 4:
            self._said[phase] = quarter
            self._terminal.note(f"  {25 * quarter} % done{f', {left}' if left else ''}")


def _print_wait(terminal: Terminal, why: str) -> None:
    """Print why the work waits or what slows it down, or that nothing does any longer, where no bar shows it."""
    if not terminal.errors.is_terminal:
        terminal.note(f"  it {why or 'goes on'}")


def name_phase(event: dict[str, Any]) -> str:
    """Return what is done in the phase of a progress event, and with which part of the program."""
    named = _PHASES.get(event["phase"], str(event["phase"]))
    return plain(f"{named}: {event['arm']}" if event.get("arm") else named)


def _without_kind(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "event"}
