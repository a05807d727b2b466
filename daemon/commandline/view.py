"""What the command line shows: sentences, progress, tables, JSON. The user's text is never taken as markup."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from idiolect.daemon.commandline import tables
from idiolect.daemon.commandline.tables import number, plain
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from idiolect.daemon.commandline.doctor import Finding
    from idiolect.daemon.runtime.process import Running
    from idiolect.daemon.settings import Settings

_PHASES = {"fetch": "Fetching the base model", "build": "Building it"}
_MARKS = {"ok": ("✓", "green"), "note": ("•", "yellow"), "wrong": ("✗", "red")}


class UnwritableError(IdiolectError):
    """A file that the user wants cannot be written there."""

    code: ClassVar[str] = "unwritable"
    exit_code: ClassVar[int] = 51
    http_status: ClassVar[int] = 500


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
        return self._follow("Training", events, quiet=quiet)

    def follow_evaluation(self, events: Iterable[dict[str, Any]], *, quiet: bool) -> dict[str, Any]:
        """Show an evaluation as it goes; returns its result."""
        last = self._follow("Evaluating", events, quiet=quiet)
        return {name: value for name, value in last.items() if name != "event"}

    def _follow(self, what: str, events: Iterable[dict[str, Any]], *, quiet: bool) -> dict[str, Any]:
        last: dict[str, Any] = {}
        phase = ""
        with contextlib.nullcontext() if quiet else self._bars() as bars:
            task = bars.add_task(what, total=1.0, left="") if bars else None
            for last in events:
                if bars and task is not None and last["event"] == "progress":
                    if phase != (phase := _phase(last)):
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

    def started(self, running: Running, *, fresh: bool, as_json: bool) -> None:
        """Say that the service runs."""
        if as_json:
            return self._json({**asdict(running), "fresh": fresh})
        did = "Started" if fresh else "Already running"
        self._say(f"{did}: {running.socket or running.url} (pid {running.pid})")
        if running.moved_from is not None:
            self._say(f"{_moved(running.moved_from)} `idiolect doctor` says what to do.")
        return None

    def stopped(self, pid: int | None, home: Path, *, as_json: bool) -> None:
        """Say that the service has ended."""
        if as_json:
            return self._json({"pid": pid})
        said = "No service runs" if pid is None else "Stopped the service"
        return self._say(f"{said} for the profile {home}.")

    def status(self, now: dict[str, Any], *, as_json: bool) -> None:
        """Show `/v1/status`, or what is known without the service."""
        if as_json:
            return self._json(now)
        wrong = [now["store"]["mend"]] if (now.get("store") or {}).get("mend") else []
        for sentence in [*wrong, *now.get("warnings", ())]:
            self._say(sentence)
        if now["locked"]:
            self._say(f"Locked{'' if now['running'] else ', and not running'}. `idiolect unlock` ends that.")
            return self._facts([("kept in", now["home"])])
        if not now["running"]:
            self._say("Not running. Start it with `idiolect start`.")
            return self._facts([("kept in", now["home"])])
        adapter = "base model alone" if now["adapter"] is None else f"adapter {now['adapter']}"
        doing = "listening"
        if now.get("paused"):
            left_s = now.get("paused_for_s")
            doing = "paused" if left_s is None else f"paused for another {_clock(left_s)}"
        if round_ := now["training"]:
            doing = f"training ({round_['phase']}, {round_['done']:.0%})"
            doing = f"{doing}, which {round_['waits']}" if round_.get("waits") else doing
        self._facts(
            [
                ("running", f"{now['socket'] or now['url']} (pid {now['pid']}), {doing}"),
                *([("moved", _moved(now["moved_from"]))] if now.get("moved_from") else []),
                ("serves", f"{adapter} on {now['base']}"),
                *([("damaged", _damaged(now["damaged"]))] if now.get("damaged") else []),
                ("has read", f"{now['entries']:,} entries, {now['tokens']:,} tokens"),
                *([("saved", _saved(saved))] if _shown(saved := now["savings"]) else []),
                *([("next", now["next_round"])] if "next_round" in now else []),
                *([("today", _used(now["rounds_today"]))] if "rounds_today" in now else []),
                *(("watches", path) for path in now.get("watches", ())),
                ("token", now["token_file"]),
                *(("", path) for name, path in now["token_files"].items() if name != "admin"),
                ("kept in", now["home"]),
            ]
        )
        return None

    def begun_anew(self, moved: list[Path], *, as_json: bool) -> None:
        """Say where what was left of the former store is now; not in JSON, where one object is one command's answer."""
        if not as_json:
            for path in moved:
                self._say(f"Kept aside: {path}")

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
        read = [counted(report["files"], "file"), counted(report["entries"], "new entry", "new entries")]
        self._say(f"Read {', '.join(read)}, {counted(report['words'], 'word')}.")
        if report["skipped"]:
            why = ", ".join(f"{count:,} {reason}" for reason, count in sorted(report["skipped"].items()))
            self._say(f"Skipped: {why}.")
        if report["redactions"]:
            self._say(
                f"Left out: {counted(report['redactions'], 'secret')} such as passwords and card numbers."
            )
        for note in report["notes"]:
            self._say(f"  {note}")
        if report["more_notes"]:
            self._say(f"  … and {report['more_notes']:,} more like these")
        return None

    def watched(self, path: Path) -> None:
        """Say that a folder is followed."""
        self._say(f"Following {path}: what you newly write there is learned.")

    def not_watched(self, path: Path) -> None:
        """Say, to one who breaks a `watch` off, what became of it."""
        self._err.print(
            f"{path} is not followed. What was read of it until now is kept; "
            f"`idiolect sources remove` takes it back.",
            markup=False,
            highlight=False,
        )

    def unwatched(self, path: Path, *, found: bool, as_json: bool) -> None:
        """Say that a folder is followed no longer."""
        if as_json:
            return self._json({"removed": found})
        return self._say(f"No longer following {path}." if found else f"{path} was not followed.")

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
            entries, tokens = (number(metrics.get(f"held_out_{what}")) for what in ("entries", "tokens"))
            self._say(f"On held-out text ({entries} entries, {tokens} tokens):")
            self._out.print(tables.verdict(metrics))
        before, after = metrics.get("general_before"), metrics.get("general_after")
        if before and after:
            change = f"{after / before - 1:+.1%}"
            self._say(f"General text: perplexity {before:.2f} before, {after:.2f} after ({change}).")
        self._say(f"{verdict['status'].capitalize()}: {verdict['reason']}")
        if verdict.get("tokens_per_s"):
            self._say(
                f"The round computed for {_clock(verdict['seconds'])}, at {verdict['tokens_per_s']:,.0f} tokens/s."
            )
        return None

    def no_verdict(self, why: str) -> None:
        """Say why there is no verdict."""
        self._say(f"No training round: {why}")

    def paused(self, duration: str | None, answer: dict[str, Any], *, as_json: bool) -> None:
        """Say that nothing is learned for a while."""
        if as_json:
            return self._json(answer)
        return self._say(f"Paused for {duration}." if duration else "Paused until `idiolect resume`.")

    def resumed(self, answer: dict[str, Any], *, as_json: bool) -> None:
        """Say that learning goes on."""
        if as_json:
            return self._json(answer)
        return self._say("Learning again.")

    def app_rules(self, rules: list[dict[str, Any]], *, changed: bool, as_json: bool) -> None:
        """Show what is done in which applications, and how a change is undone."""
        if as_json:
            return self._json(rules)
        self._out.print(tables.app_rules(rules))
        self._say("The first rule that fits decides; everywhere else it suggests and learns.")
        if changed:
            self._say("Undo: idiolect apps undo")
        return None

    # --- using it ---

    def suggestion(self, found: dict[str, Any], *, as_json: bool) -> None:
        """Show words, each with its probability, and the ghost text."""
        if as_json:
            return self._json(found)
        for word in found["words"]:
            self._out.print(Text(f"{word['p']:>5.0%}  {plain(word['text'])}"), soft_wrap=True)
        if " " in found["ghost"]["text"]:  # else it is the first word again
            self._out.print(Text(f"ghost  {plain(found['ghost']['text'])}", "dim"), soft_wrap=True)
        return None

    def report(self, found: dict[str, Any], *, as_json: bool) -> None:
        """Show what suggestions have saved, and how often they were accepted by how likely they were said to be."""
        if as_json:
            return self._json(found)
        when = "today" if found["days"] == 1 else f"in the last {found['days']:,} days"
        if not found["by_day"]:
            return self._say(
                f"No feedback {when}. A program that shows suggestions tells what became of each with "
                "`POST /v1/feedback`; docs/feedback.md says how."
            )
        self._say(f"Saved {when}: {_saved(found['savings'])}. Days are UTC's.")
        self._out.print(tables.days(found["by_day"]))
        if len(found["by_adapter"]) > 1:
            self._say("By what served:")
            self._out.print(tables.serving(found["by_adapter"]))
        self._say("How often they were accepted, by the probability that they were shown with:")
        self._out.print(tables.reliability(found["reliability"]))
        return None

    def evaluation(self, found: dict[str, Any], *, as_json: bool, own: bool) -> None:
        """Show what an evaluation measured, of the user's `own` history or of a corpus."""
        if as_json:
            return self._json(found)
        history, test = found["history"], found["test"]
        typed = counted(test["entries"], "message")
        self._say(
            f"Typed {typed}, {test['characters']:,} characters, after a history of {history['entries']:,} with "
            f"{history['characters']:,}. Keystrokes saved, with 95 % intervals:"
        )
        arms = [(arm["name"], arm["all"], arm["latency_ms"]) for arm in found["arms"]]
        self._out.print(tables.evaluation(arms))
        new = [
            (arm["name"], arm["no_repeats"], arm["latency_ms"]) for arm in found["arms"] if arm["no_repeats"]
        ]
        if test["repeats"] and new:
            repeats = counted(test["repeats"], "message that repeats another", "messages that repeat others")
            self._say(f"Without {repeats}:")
            self._out.print(tables.evaluation(new))
        grown = (f"{point['characters']:,}: {point['savings']['value']:.1%}" for point in found["growth"])
        self._say(f"Memory, 3 words, by the characters of history that it has read: {', '.join(grown)}.")
        self._say(_about_adapter(found["adapter"], own=own))
        return None

    def page(self, path: Path, html: str) -> None:
        """Write the page with the figures, and say where it is. Raises UnwritableError."""
        try:
            path.write_text(html, encoding="utf-8")
        except OSError as error:
            raise UnwritableError(
                f"{path} cannot be written: {error.strerror}. The same seed measures the same again for another file."
            ) from None
        self._err.print(Text(f"The page is {path}."), soft_wrap=True)

    def evaluation_ended(self) -> None:
        """Say, to one who stops waiting, that the evaluation stops too."""
        self._err.print("The evaluation is ended; nothing of it is kept.")

    def adapters(self, rows: list[dict[str, Any]], *, as_json: bool) -> None:
        """List adapters."""
        if as_json:
            return self._json(rows)
        if not rows:
            return self._say("No adapter yet; `idiolect train --wait` makes one.")
        self._out.print(tables.adapters(rows))
        return None

    def using(self, adapter: int | None, *, as_json: bool) -> None:
        """Say what is served from now on."""
        if as_json:
            return self._json({"adapter": adapter})
        return self._say(
            "Serving the base model alone." if adapter is None else f"Serving adapter {adapter}."
        )

    def opened(self, link: dict[str, Any], *, opened: bool, as_json: bool) -> None:
        """Say that the page is open, or where it is."""
        if as_json:
            return self._json(link)
        if opened:
            return self._say("The page is open in your browser.")
        self._say(link["url"])
        return self._err.print(f"The link works once, within {link['expires_s']:.0f} seconds.")

    def exported(self, path: str, *, as_json: bool) -> None:
        """Say where the export is, and that nothing guards it."""
        if as_json:
            self._json({"path": path})
        else:
            self._say(path)
        self._err.print("It is not encrypted: whoever can read it can read what it was made from.")

    def token(self, scope: str, path: Path, token: str | None, *, as_json: bool) -> None:
        """Show a token, or the file that holds it."""
        if as_json:
            return self._json({"scope": scope, "path": str(path), "token": token})
        return self._say(token or str(path))

    # --- the first run ---

    def examples(self, rows: list[dict[str, Any]]) -> None:
        """Show completions of held-out text side by side."""
        if not rows:
            return
        self._say("Completions of held-out text:")
        self._out.print(tables.examples(rows))

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

    def tell(self, sentence: str, facts: dict[str, Any], *, as_json: bool) -> None:
        """Say a sentence, or print as JSON what is in it."""
        return self._json(facts) if as_json else self._say(sentence)

    def _say(self, text: str) -> None:
        self._out.print(Text(text), soft_wrap=True)

    def _facts(self, facts: list[tuple[str, str]]) -> None:
        # A line each and never wrapped: they are there to be copied.
        for name, value in facts:
            self._out.print(Text.assemble((f"{name:<9}", "dim"), value), soft_wrap=True)

    def _json(self, content: object) -> None:
        sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _command(settings: Settings) -> str:
    """How the user calls this program for this profile from any folder."""
    here = Path(sys.executable).with_name("idiolect")
    found = shutil.which("idiolect")
    command = "idiolect" if found and os.path.samefile(found, here) else shlex.quote(str(here))
    default = type(settings).model_fields["home"].get_default(call_default_factory=True)
    return (
        command if settings.home == default else f"IDIOLECT_HOME={shlex.quote(str(settings.home))} {command}"
    )


def _moved(port: int) -> str:
    return (
        f"Another program uses port {port}, where this profile's service was: programs that were given that address "
        "talk to that one."
    )


def _damaged(adapters: list[int]) -> str:
    which = f"adapter{'s' * (len(adapters) > 1)} {', '.join(map(str, adapters))}"
    return f"{which}, never served again; `idiolect train --wait` makes another, `idiolect doctor` says more"


def counted(count: int, one: str, many: str | None = None) -> str:
    """So many of something: 1 entry, 1,068 entries."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _shown(savings: dict[str, Any]) -> int:
    return int(savings["accepted"] + savings["dismissed"])


def _used(today: dict[str, float]) -> str:
    return f"rounds have computed for {_clock(today['used_s'])} of {_clock(today['budget_s'])}"


def _saved(savings: dict[str, Any]) -> str:
    today = f" ({savings['today']['saved']:,} today)" if "today" in savings else ""
    accepted = f"{savings['accepted']:,} of {counted(_shown(savings), 'suggestion')} accepted"
    return f"{counted(savings['saved'], 'keystroke')}{today}, {accepted}"


def _phase(event: dict[str, Any]) -> str:
    arm = event.get("arm")
    return f"{event['phase']}: {arm}" if arm else str(event["phase"])


def _about_adapter(adapter: dict[str, Any] | None, *, own: bool) -> str:
    if adapter is None and own:
        return "No adapter is served, so there is no row with one. `idiolect train --wait` makes one."
    if adapter is None:
        return "No row has an adapter. Without --no-train one is trained on the history first."
    if adapter["status"] == "skipped":
        return f"No row has an adapter, since none could be trained: {adapter['reason']}."
    name = "The adapter" if adapter["id"] is None else f"Adapter {adapter['id']}"
    unserved = (
        " It would not be served: the row for that is memory." if adapter["status"] == "refused" else ""
    )
    took = f"; its round took {_clock(adapter['seconds'])}" if adapter["seconds"] else ""
    return f"{name}: {adapter['status']}: {adapter['reason']}{took}.{unserved}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
