"""The tables that the command line shows. The user's text is never taken as markup."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

_PREFIX_CHARS = 44
_VERDICT_ROWS = (("base", "base"), ("memory", "+ memory"), ("adapter", "+ adapter"), ("both", "+ both"))
_BARS = (1, 3, 5)  # words that the user sees
_SAVINGS = ("shown", "accepted", "characters", "keystrokes", "saved")


def verdict(metrics: dict[str, Any]) -> Table:
    """Perplexity and top-3 accuracy on held-out text, of the base and with what was learned."""
    table = ruled("", "perplexity", "top-3", right=("perplexity", "top-3"))
    for key, name in _VERDICT_ROWS:
        row = metrics.get(key) or {}
        top3 = row.get("top3")
        table.add_row(name, number(row.get("perplexity"), 2), share(top3))
    return table


def adapters(rows: Iterable[dict[str, Any]]) -> Table:
    """Adapters with their parents, verdicts and perplexity."""
    names = ("id", "parent", "made", "status", "perplexity", "why")
    table = ruled(*names, right=("id", "parent", "perplexity"))
    for row in rows:
        both = row["metrics"].get("both", {})
        made = str(row["created_at"])[:16].replace("T", " ")
        parent = "base" if row["parent"] is None else str(row["parent"])
        perplexity = number(both.get("perplexity"), 2)
        status = row["status"] if row["kept"] else f"{row['status']}, weights dropped"
        table.add_row(str(row["id"]), parent, made, status, perplexity, Text(row["reason"]))
    return table


def receipts(rows: Iterable[dict[str, Any]]) -> Table:
    """What was forgotten: when, by what, how much, which adapters fell, and who served then."""
    names = ("receipt", "when", "by", "entries", "tokens", "adapters", "then served")
    table = ruled(*names, right=("receipt", "entries", "tokens"))
    for row in rows:
        when = str(row["at"])[:16].replace("T", " ")
        fell = ", ".join(str(stone["id"]) for stone in row["adapters"]) or "none"
        active = "base" if row["active"] is None else str(row["active"])
        table.add_row(
            str(row["id"]),
            when,
            ", ".join(row["conditions"]),
            f"{row['entries']:,}",
            f"{row['tokens']:,}",
            fell,
            active,
        )
    return table


def app_rules(rows: Iterable[dict[str, Any]]) -> Table:
    """What is done in which applications; built-in rules share a row."""
    said = {"allow": "suggests and learns", "quiet": "suggests, learns nothing", "exclude": "neither"}
    found = ruled("application", "there it", "said by", right=())
    for (rule, source), group in itertools.groupby(rows, lambda row: (row["rule"], row["source"])):
        found.add_row(Text(plain("  ".join(row["app"] for row in group))), said[rule], source)
    return found


def examples(rows: Iterable[dict[str, Any]]) -> Table:
    """Completions of held-out text side by side."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("you wrote", justify="right")
    table.add_column("base")
    table.add_column("adapted", style="bold")
    table.add_column("you went on", style="dim")
    for row in rows:
        before = plain(row["prefix"])
        shown = before if len(before) <= _PREFIX_CHARS else "…" + before[-_PREFIX_CHARS:]
        table.add_row(*(Text(plain(part)) for part in (shown, row["base"], row["adapted"], row["truth"])))
    return table


def days(rows: Iterable[dict[str, Any]]) -> Table:
    """What suggestions saved, by day and kind."""
    table = ruled("day", "kind", *_SAVINGS, right=_SAVINGS)
    for row in rows:
        table.add_row(row["day"], row["kind"], *_savings(row))
    return table


def serving(rows: Iterable[dict[str, Any]]) -> Table:
    """What suggestions saved, by the adapter that they came from."""
    table = ruled("adapter", *_SAVINGS, right=_SAVINGS)
    for row in rows:
        table.add_row("base" if row["adapter"] is None else str(row["adapter"]), *_savings(row))
    return table


def _savings(row: dict[str, Any]) -> Iterable[str]:
    shown = row["accepted"] + row["dismissed"]
    return map(number, (shown, row["accepted"], row["characters"], row["keystrokes"], row["saved"]))


def reliability(kinds: dict[str, list[dict[str, Any]]]) -> Table:
    """How often suggestions of each kind were accepted, by the tenth that their predicted probability lies in."""
    table = ruled("predicted", *kinds, right=("predicted", *kinds))
    for tenths in zip(*kinds.values(), strict=True):
        if any(tenth["rate"] is not None for tenth in tenths):
            predicted = f"{tenths[0]['from']:.0%} to {tenths[0]['to']:.0%}"
            table.add_row(predicted, *map(_accepted, tenths))
    return table


def _accepted(tenth: dict[str, Any]) -> str:
    shown = tenth["accepted"] + tenth["dismissed"]
    return f"{tenth['rate']:.0%} of {shown:,}" if shown else "–"


def evaluation(arms: Iterable[tuple[str, dict[str, Any], dict[str, Any]]]) -> Table:
    """Keystroke savings: for each arm its name, its row of figures and its waiting times."""
    headers = (
        *(f"{most} word{'s' * (most > 1)}\n95 %" for most in _BARS),
        "ghost\nwhole",
        "ghost\nwords",
        "ghost\nnet",
    )
    headers = (*headers, "right\nshown", "wrong\n/ 100", "p50 ms\np95 ms")
    table = ruled("", *headers, right=headers)
    table.padding = 0  # it fits into a terminal of 80 columns
    for name, row, latency in arms:
        ghost = row["ghost"]
        table.add_row(
            name,
            *(_with_interval(row["savings"][str(most)]) for most in _BARS),
            *(share(ghost[way]["value"]) for way in ("whole", "words", "net")),
            f"{share(ghost['precision'])}\n{share(ghost['shown_rate'])}",
            number(ghost["wrong_new_per_100"], 1),
            f"{number(latency['p50'], 1)}\n{number(latency['p95'], 1)}",
        )
    for column in table.columns:
        column.no_wrap = True
    return table


def _with_interval(found: dict[str, float]) -> Text:
    interval = f"{100 * found['low']:.1f}–{100 * found['high']:.1f}"
    return Text.assemble(share(found["value"]), "\n", (interval, "dim"))


def share(value: float | None) -> str:
    """A share in percent; a dash where there is none."""
    return "–" if value is None else f"{value:.1%}"


def plain(text: str) -> str:
    """Text for one line of a terminal: what would move the cursor or change colours becomes a space."""
    return "".join(char if char.isprintable() else " " for char in text)


def number(value: float | None, digits: int = 0) -> str:
    """A figure for people; a dash where there is none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def ruled(*columns: str, right: Iterable[str]) -> Table:
    """An empty table with these columns, some of them set flush right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left")
    return table
