"""The figures that the documents show, as tables.

They are of `bench.json`, which `make bench` writes, of `year.json`, and of `typing.json`, which
tests/e2e/test_programs.py writes.

cog calls these functions from the documents and writes down what they return; nothing for what was not measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

BENCH = Path(__file__).with_name("bench.json")
YEAR = Path(__file__).with_name("year.json")
TYPING = Path(__file__).with_name("typing.json")


def bench() -> str:
    """The figures of `bench.json` as tables; nothing for what it does not hold."""
    if not BENCH.exists():
        return ""
    found: dict[str, Any] = json.loads(BENCH.read_text("utf-8"))
    parts = {
        "Time and memory": _costs(found),
        "Beside llama.cpp": _beside(found.get("beside") or []),
        "The fast memory": _growth(found.get("memory") or []),
    }
    return "\n\n".join(f"### {title}\n\n{part}" for title, part in parts.items() if part)


def typing() -> str:
    """How many keys were lost (and added) in each program with IBus and with Fcitx, by session."""
    found: dict[str, dict[str, dict[str, int]]] = json.loads(TYPING.read_text("utf-8"))
    places = ("X", "sway", "KWin")
    table = [f"| program | {' | '.join(places)} |", "|---|---:|---:|---:|"]
    for name, rows in found.items():
        cells = [f"{_lost(rows.get(place))}/{_lost(rows.get(f'Fcitx, {place}'))}" for place in places]
        table.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(table)


def _lost(row: dict[str, int] | None) -> str:
    return f"{row['lost']}" + f"+{row['added']}" * bool(row["added"]) if row else "–"


def year() -> str:
    """What rounds add up to: what serves after the last one, beside one long round over the same text."""
    found = json.loads(YEAR.read_text("utf-8")) if YEAR.exists() else {}
    if not found:
        return ""
    scenarios = ("parts", "burst", "turn")
    table = [
        f"| | {' | '.join(scenarios)} | gain, parts | served worse | general text |",
        f"|---|{'---:|' * (len(scenarios) + 3)}",
    ]
    for name, by_scenario in sorted(found.items()):
        rows = [row for scenario in by_scenario.values() for row in scenario]
        worse = sum(row.get("worse_p", 1.0) < 0.05 for row in rows if row["status"] == "promoted")
        general = max(scenario[-1]["general"] for scenario in by_scenario.values())
        shares = " | ".join(_share(by_scenario[scenario]) for scenario in scenarios)
        gain = by_scenario["parts"][-1]["served_gain"]
        table.append(f"| {name} | {shares} | {gain:.3f} | {worse} | {100 * general:+.1f} % |")
    return "\n".join(table)


def _share(rows: list[dict[str, Any]]) -> str:
    """How much of the joint gain is served at the end, and the least at a step; rounds promoted of all."""
    promoted = sum(row["status"] == "promoted" for row in rows)
    # Where one round over everything gains nothing, as at a turn, there is nothing to have a share of.
    shares = [row["served_gain"] / row["joint_gain"] for row in rows if row.get("joint_gain", 0) > 0]
    known = all("joint_gain" in row for row in rows)
    least = f" ({min(shares):.2f})" if known else ""
    return f"{shares[-1]:.2f}{least}, {promoted}/{len(rows)}"


def _growth(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    table = [
        "| tokens in the fast memory | look-up, median | 99th percentile | learning an entry, 99th | memory |",
        "|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        looked_up = (_in(row[f"lookup_{share}_us"], "µs") for share in ("p50", "p99"))
        rest = (_in(row["add_p99_ms"], "ms"), _in(row["resident_mb"], "MB"))
        table.append(f"| {' | '.join((_whole(row['tokens']), *looked_up, *rest))} |")
    return "\n".join(table)


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _costs(found: dict[str, Any]) -> str:
    columns = _by_machine(found)
    figures = [_cost_figures(column) for column in columns.values()]
    lines = [
        f"| {what} | {' | '.join(column[what] for column in figures)} |"
        for what in (figures[0] if figures else ())
        if any(column[what] for column in figures)
    ]
    if not lines:
        return ""
    head = [f"| what | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
    told = ["Not all columns were measured on the same day and with the same version.", ""]
    return "\n".join([*(told if len(columns) > 1 else ()), *head, *lines])


def _by_machine(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What each machine took, part by part; the one that typing was measured on last comes first."""
    machines = found.get("machines") or {}
    first = machines.get("typing", "cost")
    columns: dict[str, dict[str, Any]] = {first: {}}
    for part in ("typing", "start", "power", "training", "quality"):
        if found.get(part):
            columns.setdefault(machines.get(part, first), {})[part] = found[part]
    for machine, parts in (found.get("elsewhere") or {}).items():
        columns[machine] = {**parts, **columns.get(machine, {})}
    return {machine: parts for machine, parts in columns.items() if any(_cost_figures(parts).values())}


def _cost_figures(found: dict[str, Any]) -> dict[str, str]:
    """Each cost on one machine, empty where it was not measured there."""
    typing, start, power = (found.get(name) or {} for name in ("typing", "start", "power"))
    speeds = {row["what"]: row["tokens_per_s"] for row in found.get("training") or []}
    fastest_rival = _most(speed for what, speed in speeds.items() if what != "ours")
    products = [f"in {row['products']}" for row in found.get("training") or [] if row.get("products")]
    faster = speeds["ours"] / fastest_rival if fastest_rival and "ours" in speeds else None
    rounds = (found.get("quality") or {}).values()
    return {
        "a keystroke, three words: median": _in(typing.get("p50_ms"), "ms"),
        "a keystroke, three words: 95th percentile": _in(typing.get("p95_ms"), "ms"),
        "the same with 0.1 s between keys: median": _in(typing.get("typed_p50_ms"), "ms"),
        "the same with 0.1 s between keys: 95th percentile": _in(typing.get("typed_p95_ms"), "ms"),
        "without a pause, while a training round runs: 95th percentile": _in(
            typing.get("training_p95_ms"), "ms"
        ),
        "a keystroke answered with grey text: median": _in(typing.get("ghost_p50_ms"), "ms"),
        "a keystroke answered with grey text: 90th percentile": _in(typing.get("ghost_p90_ms"), "ms"),
        "until the memory knows a sentence that is sent: 95th percentile": _in(
            typing.get("learned_p95_ms"), "ms"
        ),
        "until a suggestion shows its new word: median": _in(typing.get("suggested_p50_ms"), "ms"),
        "from the start of the service to its first suggestion": _in(start.get("start_s"), "s"),
        "changing over to another adapter": _in(start.get("use_ms"), "ms"),
        "the slowest suggestion meanwhile": _in(start.get("switch_ms"), "ms"),
        "memory of the service, an adapter active": _in(typing.get("service_mb"), "MB"),
        "memory of a training round": _in(_most(found.get("peak_mb") for found in rounds), "MB"),
        "processor time for 1,000 characters, with words": _in(power.get("words_s"), "s"),
        "processor time for 1,000 characters, with grey text": _in(power.get("ghosts_s"), "s"),
        "the same with llama.cpp's server, asked after each word": _in(power.get("llama_cpp_s"), "s"),
        "processor time of an hour without a key, awake": _in(power.get("awake_s"), "s"),
        "processor time of an hour without a key, at rest": _in(power.get("rest_s"), "s"),
        "training, one thread": " ".join([_in(speeds.get("ours"), "tokens/s"), *products]).strip(),
        "the same with transformers and peft, the fastest of four ways": _in(fastest_rival, "tokens/s"),
        "training speed, times theirs": "" if faster is None else f"{faster:.2f}",
    }


def _beside(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    table = [
        "The same model in the same 4 bits, behind 200 tokens, in turn; two threads. In brackets: times llama.cpp's.",
        "",
        "| tokens in a pass | llama.cpp | idiolect | with an adapter |",
        "|---:|---:|---:|---:|",
    ]
    for row in rows:
        theirs = row["llama_cpp_ms"]
        ours = [f"{_in(row[name], 'ms')} ({row[name] / theirs:.2f})" for name in ("base_ms", "adapter_ms")]
        table.append(f"| {row['tokens']} | {_in(theirs, 'ms')} | {' | '.join(ours)} |")
    return "\n".join(table)


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _in(value: float | None, unit: str) -> str:
    digits = 0 if value is None or value >= 20 else 1 if value >= 1 else 2
    return "" if value is None else f"{value:,.{digits}f} {unit}"
