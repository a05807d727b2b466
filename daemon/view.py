"""What the command line shows: tables, progress, JSON. The user's text is never taken as markup."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from idiolect.daemon.doctor import Finding
    from idiolect.daemon.process import Running
    from idiolect.daemon.settings import Settings

_PREFIX_CHARS = 44
_VERDICT_ROWS = (("base", "base"), ("memory", "+ memory"), ("adapter", "+ adapter"), ("both", "+ both"))
_PHASES = {"fetch": "Fetching the base model", "build": "Building it"}
_MARKS = {"ok": ("✓", "green"), "note": ("•", "yellow"), "wrong": ("✗", "red")}


class View:
    """The terminal. Results go to stdout; progress goes to stderr, and only where someone watches."""

    def __init__(self) -> None:
        """Print to stdout and stderr as they are now."""
        self._out = Console(highlight=False)
        self._err = Console(stderr=True, highlight=False)

    # --- progress ---

    @contextlib.contextmanager
    def base_progress(self) -> Iterator[Callable[[str, float], None]]:
        """Show how the base model comes along: call with a phase and how much of it is done, 0 to 1."""
        with self._bars() as bars:
            tasks: dict[str, Any] = {}

            def show(phase: str, done: float) -> None:
                if phase not in tasks:
                    name = _PHASES.get(phase, phase)
                    tasks[phase] = bars.add_task(name, total=1.0, left="")
                    self._plainly(name)
                bars.update(tasks[phase], completed=done)

            yield show

    @contextlib.contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show that something short is under way."""
        with self._err.status(f"{what} …") if self._err.is_terminal else contextlib.nullcontext():
            yield

    def follow_import(self, events: Iterable[dict[str, Any]]) -> dict[str, Any]:
        """Show an import as it goes; returns its report."""
        last: dict[str, Any] = {}
        with self._bars() as bars:
            task = bars.add_task("Reading", total=None, left="")
            for last in events:
                if last["event"] == "progress":
                    left = f"{last['entries']:,} entries"
                    bars.update(task, completed=last["bytes_done"], total=last["bytes_total"], left=left)
        return {name: value for name, value in last.items() if name != "event"}

    def follow_round(self, events: Iterable[dict[str, Any]], *, quiet: bool) -> dict[str, Any]:
        """Show a training round as it goes; returns its last event."""
        last: dict[str, Any] = {}
        phase = ""
        with contextlib.nullcontext() if quiet else self._bars() as bars:
            task = bars.add_task("Training", total=1.0, left="") if bars else None
            for last in events:
                if bars and task is not None and last["event"] == "progress":
                    if last["phase"] != phase:
                        phase = last["phase"]
                        self._plainly(phase)
                    left = f"{_clock(last['left_s'])} left" if last.get("left_s") is not None else ""
                    bars.update(task, description=phase, completed=last["done"], left=left)
        return last

    def _bars(self) -> Progress:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=32),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[left]}", markup=False),
        )
        shown = self._err.is_terminal
        return Progress(*columns, console=self._err, transient=True, disable=not shown)

    def _plainly(self, phase: str) -> None:
        if not self._err.is_terminal:
            self._err.print(f"{phase} …", markup=False)

    # --- the service ---

    def started(self, running: Running, *, fresh: bool) -> None:
        """Say that the service runs."""
        did = "Started" if fresh else "Already running"
        self._say(f"{did}: {running.socket or running.url} (pid {running.pid})")

    def stopped(self, pid: int | None, home: Path) -> None:
        """Say that the service has ended."""
        said = "No service runs" if pid is None else "Stopped the service"
        self._say(f"{said} for the profile {home}.")

    def status(self, now: dict[str, Any], *, as_json: bool) -> None:
        """Show `/v1/status`, or what is known without the service."""
        if as_json:
            return self._json(now)
        if not now["running"]:
            self._say("Not running. Start it with `idiolect start`.")
            return self._facts([("kept in", now["home"])])
        adapter = "base model alone" if now["adapter"] is None else f"adapter {now['adapter']}"
        doing = "paused" if now.get("paused") else "listening"
        if round_ := now["training"]:
            doing = f"training ({round_['phase']}, {round_['done']:.0%})"
        self._facts(
            [
                ("running", f"{now['socket'] or now['url']} (pid {now['pid']}), {doing}"),
                ("serves", f"{adapter} on {now['base']}"),
                ("has read", f"{now['entries']:,} entries, {now['tokens']:,} tokens"),
                *(("watches", path) for path in now.get("watches", ())),
                ("token", now["token_file"]),
                ("kept in", now["home"]),
            ]
        )
        return None

    def findings(self, findings: list[Finding], *, as_json: bool) -> None:
        """Show what `doctor` found."""
        if as_json:
            return self._json([asdict(finding) for finding in findings])
        for finding in findings:
            mark, style = _MARKS[finding.level]
            line = Text.assemble((mark, style), f" {finding.check}: {finding.found}")
            self._out.print(line, soft_wrap=True)
            if finding.mend:
                self._say(f"    {finding.mend}")
        return None

    # --- learning ---

    def imported(self, report: dict[str, Any], *, as_json: bool) -> None:
        """Show what was read, and what was skipped and why."""
        if as_json:
            return self._json(report)
        read = [_count(report["files"], "file"), _count(report["entries"], "new entry", "new entries")]
        self._say(f"Read {', '.join(read)}, {_count(report['words'], 'word')}.")
        if report["skipped"]:
            why = ", ".join(f"{count:,} {reason}" for reason, count in sorted(report["skipped"].items()))
            self._say(f"Skipped: {why}.")
        if report["redactions"]:
            self._say(
                f"Left out: {_count(report['redactions'], 'secret')} such as passwords and card numbers."
            )
        for note in report["notes"]:
            self._say(f"  {note}")
        if report["more_notes"]:
            self._say(f"  … and {report['more_notes']:,} more like these")
        return None

    def watched(self, path: Path) -> None:
        """Say that a folder is followed."""
        self._say(f"Following {path}: what you newly write there is learned.")

    def unwatched(self, path: Path, *, found: bool) -> None:
        """Say that a folder is followed no longer."""
        self._say(f"No longer following {path}." if found else f"{path} was not followed.")

    def round_begun(self, answer: dict[str, Any], *, as_json: bool) -> None:
        """Say that a round has begun."""
        if as_json:
            return self._json(answer)
        self._say("A training round has begun; `idiolect adapters` will show its verdict.")
        return None

    def round_goes_on(self) -> None:
        """Say, to one who stops waiting, that the round does not stop."""
        self._err.print("The round goes on in the background; `idiolect status` shows how far it is.")

    def verdict(self, verdict: dict[str, Any], *, as_json: bool) -> None:
        """Show how a round was judged: perplexity and top-3 accuracy on held-out text, and the decision."""
        if as_json:
            return self._json(verdict)
        metrics = verdict["metrics"]
        if "base" in metrics:
            entries, tokens = (_number(metrics.get(f"held_out_{what}")) for what in ("entries", "tokens"))
            self._say(f"On held-out text ({entries} entries, {tokens} tokens):")
            self._out.print(_verdict_table(metrics))
        before, after = metrics.get("general_before"), metrics.get("general_after")
        if before and after:
            change = f"{after / before - 1:+.1%}"
            self._say(f"General text: perplexity {before:.2f} before, {after:.2f} after ({change}).")
        self._say(f"{verdict['status'].capitalize()}: {verdict['reason']}")
        if verdict.get("tokens_per_s"):
            self._say(
                f"The round took {_clock(verdict['seconds'])} at {verdict['tokens_per_s']:,.0f} tokens/s."
            )
        return None

    def no_verdict(self, why: str) -> None:
        """Say why there is no verdict."""
        self._say(f"No training round: {why}")

    def paused(self, duration: str | None) -> None:
        """Say that nothing is learned for a while."""
        self._say(f"Paused for {duration}." if duration else "Paused until `idiolect resume`.")

    def resumed(self) -> None:
        """Say that learning goes on."""
        self._say("Learning again.")

    # --- using it ---

    def suggestion(self, found: dict[str, Any], *, as_json: bool) -> None:
        """Show words, each with its probability, and the ghost text."""
        if as_json:
            return self._json(found)
        for word in found["words"]:
            self._out.print(Text(f"{word['p']:>5.0%}  {_plain(word['text'])}"), soft_wrap=True)
        if " " in found["ghost"]["text"]:  # else it is the first word again
            self._out.print(Text(f"ghost  {_plain(found['ghost']['text'])}", "dim"), soft_wrap=True)
        return None

    def adapters(self, rows: list[dict[str, Any]], *, as_json: bool) -> None:
        """List adapters."""
        if as_json:
            return self._json(rows)
        if not rows:
            return self._say("No adapter yet; `idiolect train --wait` makes one.")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in ("id", "parent", "made", "status", "perplexity", "why"):
            table.add_column(name, justify="right" if name in {"id", "parent", "perplexity"} else "left")
        for row in rows:
            both = row["metrics"].get("both", {})
            made = str(row["created_at"])[:16].replace("T", " ")
            parent = "base" if row["parent"] is None else str(row["parent"])
            perplexity = _number(both.get("perplexity"), 2)
            table.add_row(str(row["id"]), parent, made, row["status"], perplexity, Text(row["reason"]))
        self._out.print(table)
        return None

    def using(self, adapter: int | None) -> None:
        """Say what is served from now on."""
        self._say("Serving the base model alone." if adapter is None else f"Serving adapter {adapter}.")

    def exported(self, path: str) -> None:
        """Say where the export is."""
        self._say(path)

    def forgetting(self, receipt: dict[str, Any]) -> str:
        """The question before forgetting."""
        return f"{self._taken(receipt, 'Forget')}?"

    def forgotten(self, receipt: dict[str, Any], *, as_json: bool) -> None:
        """Say what was forgotten, or what would be."""
        if as_json:
            return self._json(receipt)
        if not receipt["entries"]:
            return self._say("Nothing matches.")
        self._say(f"{self._taken(receipt, 'Would forget' if receipt['dry_run'] else 'Forgot')}.")
        serving = "the base model alone" if receipt["active"] is None else f"adapter {receipt['active']}"
        if receipt["adapters_dropped"]:
            self._say(f"{'Then serving' if receipt['dry_run'] else 'Serving'} {serving}.")
        return None

    def _taken(self, receipt: dict[str, Any], verb: str) -> str:
        dropped = len(receipt["adapters_dropped"])
        also = f" and {_count(dropped, 'adapter')} that learned from it" if dropped else ""
        return f"{verb} {_count(receipt['entries'], 'entry', 'entries')}{also}"

    # --- the first run ---

    def examples(self, rows: list[dict[str, Any]]) -> None:
        """Show completions of held-out text side by side."""
        if not rows:
            return
        self._say("Completions of held-out text:")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("you wrote", justify="right")
        table.add_column("base")
        table.add_column("adapted", style="bold")
        table.add_column("you went on", style="dim")
        for row in rows:
            before = _plain(row["prefix"])
            shown = before if len(before) <= _PREFIX_CHARS else "…" + before[-_PREFIX_CHARS:]
            table.add_row(
                *(Text(_plain(part)) for part in (shown, row["base"], row["adapted"], row["truth"]))
            )
        self._out.print(table)

    def how_to_go_on(self, settings: Settings, running: Running) -> None:
        """Where the service is, how to ask it, how to stop it, where everything is."""
        ask = '-d \'{"prefix": "Thanks for the "}\''
        token = f'-H "Authorization: Bearer $(cat {shlex.quote(str(settings.token_path))})"'
        via = f"--unix-socket {shlex.quote(running.socket)} " if running.socket else ""
        self._facts(
            [
                ("URL", running.socket or running.url),
                ("token", str(settings.token_path)),
                ("try", f"curl -s {via}{running.url}/v1/suggest {token} {ask}"),
                ("stop", f"{_command(settings)} stop"),
                ("kept in", f"{settings.home} (all of it: delete the folder and it is gone)"),
            ]
        )

    # --- how things are printed ---

    def _say(self, text: str) -> None:
        self._out.print(Text(text), soft_wrap=True)

    def _facts(self, facts: list[tuple[str, str]]) -> None:
        # A line each and never wrapped: they are there to be copied.
        for name, value in facts:
            self._out.print(Text.assemble((f"{name:<9}", "dim"), value), soft_wrap=True)

    def _json(self, content: object) -> None:
        sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _verdict_table(metrics: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("perplexity", justify="right")
    table.add_column("top-3", justify="right")
    for key, name in _VERDICT_ROWS:
        row = metrics.get(key) or {}
        top3 = row.get("top3")
        table.add_row(name, _number(row.get("perplexity"), 2), "–" if top3 is None else f"{top3:.1%}")
    return table


def _command(settings: Settings) -> str:
    """How the user calls this program for this profile from any folder."""
    here = Path(sys.executable).with_name("idiolect")
    found = shutil.which("idiolect")
    command = "idiolect" if found and os.path.samefile(found, here) else shlex.quote(str(here))
    default = type(settings).model_fields["home"].get_default(call_default_factory=True)
    return (
        command if settings.home == default else f"IDIOLECT_HOME={shlex.quote(str(settings.home))} {command}"
    )


def _plain(text: str) -> str:
    """Text for one line of a terminal: what would move the cursor or change colours becomes a space."""
    return "".join(char if char.isprintable() else " " for char in text)


def _count(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _number(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
