"""The command `idiolect report`: keystrokes saved, and how often suggestions were accepted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from idiolect.daemon.commandline.arguments import AsJson
from idiolect.daemon.commandline.client import connect
from idiolect.daemon.commandline.formatting import counted, number
from idiolect.daemon.commandline.terminal import Terminal

EXAMPLE = "idiolect report --days 7"

_FIGURES: Final = ("shown", "accepted", "characters", "keystrokes", "saved")


def run(
    days: Annotated[int, typer.Option(metavar="N", help="How many days, today included.", min=1)] = 30,
    as_json: AsJson = False,
) -> None:
    """Show how many keystrokes suggestions have saved, and how often the likely ones were accepted."""
    terminal = Terminal()
    with connect() as client:
        found = client.get("/v1/report", days=days)
    terminal.print_result(lambda: _show(terminal, found), found, as_json=as_json)


def count_shown(savings: dict[str, Any]) -> int:
    """Return how many suggestions were shown."""
    return int(savings["accepted"] + savings["dismissed"])


def describe_savings(savings: dict[str, Any]) -> str:
    """Return what suggestions saved, and how many of them were accepted."""
    today = f" ({savings['today']['saved']:,} today)" if "today" in savings else ""
    accepted = f"{savings['accepted']:,} of {counted(count_shown(savings), 'suggestion')} accepted"
    return f"{counted(savings['saved'], 'keystroke')}{today}, {accepted}"


def _show(terminal: Terminal, found: dict[str, Any]) -> None:
    when = "today" if found["days"] == 1 else f"in the last {found['days']:,} days"
    if not found["by_day"]:
        terminal.say(
            f"No suggestion was taken or passed over {when}. The keyboard, the browser's extension and most editors "
            "say what became of theirs: `idiolect setup` connects them."
        )
        return
    terminal.say(f"Saved {when}: {describe_savings(found['savings'])}. Days are UTC's.")
    by_day = ((row["day"], row["kind"], *_list_figures(row)) for row in found["by_day"])
    terminal.show_table(("day", "kind", *_FIGURES), by_day, right=_FIGURES)
    if len(found["by_adapter"]) > 1:
        terminal.say("By what served:")
        by_adapter = (
            ("base" if row["adapter"] is None else str(row["adapter"]), *_list_figures(row))
            for row in found["by_adapter"]
        )
        terminal.show_table(("adapter", *_FIGURES), by_adapter, right=_FIGURES)
    terminal.say("How often they were accepted, by the probability that they were shown with:")
    columns = ("predicted", *found["reliability"])
    terminal.show_table(columns, _list_tenths(found["reliability"]), right=columns)


def _list_figures(row: dict[str, Any]) -> tuple[str, ...]:
    figures = (count_shown(row), row["accepted"], row["characters"], row["keystrokes"], row["saved"])
    return tuple(map(number, figures))


def _list_tenths(kinds: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each tenth of predicted probability in which a suggestion of any kind was shown."""
    for tenths in zip(*kinds.values(), strict=True):
        if any(tenth["rate"] is not None for tenth in tenths):
            yield f"{tenths[0]['from']:.0%} to {tenths[0]['to']:.0%}", *map(_describe_rate, tenths)


def _describe_rate(tenth: dict[str, Any]) -> str:
    shown = count_shown(tenth)
    return f"{tenth['rate']:.0%} of {shown:,}" if shown else "–"
