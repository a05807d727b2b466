"""The command `idiolect status`: the state of the service, or of the profile where no service runs."""

from __future__ import annotations

import enum
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from pydantic_core import to_jsonable_python

from idiolect.daemon.clients.commandline.client import find_profile
from idiolect.daemon.clients.commandline.doctor_checks import find_warnings
from idiolect.daemon.clients.commandline.formatting import (
    BRING_BACK,
    clock,
    counted,
    describe_held_back,
    describe_moved,
)
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.clients.link import PROMPT_S, NotAnsweringError, NotRunningError, ServiceClient
from idiolect.daemon.runtime import process, tokens
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.settings import Settings
from idiolect.daemon.text.times import describe_end
from idiolect.daemon.vault.marker import standing

EXAMPLE = "idiolect status --json; idiolect status --token suggest"
_WORD_MS: Final = 12_000  # a word of five characters in a minute, times the milliseconds of a character


class ScopeName(enum.StrEnum):
    """What a token is good for."""

    suggest = "suggest"
    learn = "learn"
    admin = "admin"


def run(
    token: Annotated[
        ScopeName | None,
        typer.Option(
            help="Show only the file with the token that another program needs. suggest: it may ask for suggestions; "
            "learn: also send what was written, pause, and ask for the status; admin: everything."
        ),
    ] = None,
    rotate: Annotated[
        bool,
        typer.Option(
            "--rotate", help="With --token: make another one; the one before is worth nothing from now on."
        ),
    ] = False,
) -> None:
    """Show what it knows, serves and does; works without the service, too."""
    if token is not None:
        return _show_token(token, rotate=rotate)
    if rotate:
        raise typer.BadParameter("--rotate needs to know which: add --token")
    settings = find_profile()
    now = _ask(settings)
    now |= {"home": str(settings.home), "locked": settings.locked}
    now |= {"warnings": find_warnings(settings)}
    if now.get("store") is None:
        now["store"] = to_jsonable_python(asdict(standing(settings)))  # as the service writes it
    terminal = Terminal()
    return terminal.print_result(lambda: _show(terminal, now), now)


def _show_token(scope: ScopeName, *, rotate: bool) -> None:
    """Show where a token is kept; with `rotate` it is made anew first."""
    settings = (find_profile() if rotate else Settings()).prepare()
    chosen = Scope[scope.upper()]
    tokens.make(settings, chosen, anew=rotate)
    path = str(tokens.path_of(settings, chosen))
    Terminal().print_result(path, {"scope": scope, "path": path}, whole=True)


def _ask(settings: Settings) -> dict[str, Any]:
    """Return the service's status, or what is known without it where none runs or the profile is locked."""
    try:
        with ServiceClient(settings) as client:
            return client.get("/v1/status", timeout_s=PROMPT_S)
    except (NotRunningError, NotAnsweringError, process.RelayedError) as error:
        if getattr(error, "relayed_code", "locked") != "locked":
            raise
        if isinstance(error, NotAnsweringError) and process.find(settings) is not None:
            raise  # one that ended when it was to wake says why below
        running = process.find(settings)
        where = {name: running and getattr(running, name) for name in ("pid", "url", "socket", "moved_from")}
        unknown = dict.fromkeys(("base", "adapter", "entries", "tokens", "savings", "training"))
        return {"running": running is not None, **where, **unknown, **tokens.files(settings)}


def _show(terminal: Terminal, now: dict[str, Any]) -> None:
    wrong = [now["store"]["mend"]] if (now.get("store") or {}).get("mend") else []
    for sentence in [*wrong, *now.get("warnings", ())]:
        terminal.say(sentence)
    if now["locked"]:
        terminal.say(f"Locked{'' if now['running'] else ', and not running'}. `idiolect unlock` ends that.")
        return terminal.show_facts([("kept in", now["home"])])
    if not now["running"] and not Path(now["home"]).exists():
        return terminal.say(f"Nothing is kept: there is no {now['home']}. `idiolect start` begins a profile.")
    if not now["running"]:
        terminal.say("Not running. Start it with `idiolect start`.")
        return terminal.show_facts([("kept in", now["home"])])
    adapter = "base model alone" if now["adapter"] is None else f"adapter {now['adapter']}"
    return terminal.show_facts(
        [
            ("running", f"{now['socket'] or now['url']} (pid {now['pid']}), {_describe_work(now)}"),
            *([("moved", describe_moved(now["moved_from"]))] if now.get("moved_from") else []),
            ("serves", f"{adapter} on {now['base']}"),
            *([("damaged", _describe_damaged(now["damaged"]))] if now.get("damaged") else []),
            ("languages", ", ".join(now["languages"])),
            ("has read", f"{counted(now['entries'], 'entry', 'entries')}, {counted(now['words'], 'word')}"),
            *([("saved", said)] if (said := _describe_savings(now["savings"])) else []),
            *([("quiet", _describe_quiet(left_s))] if (left_s := now.get("quiet_for_s")) else []),
            *([("grey text", said)] if (said := _describe_grey_text(now)) else []),
            *([("speed", _describe_speed(key_ms))] if (key_ms := now.get("key_ms")) else []),
            *([("rounds", now["rounds_added"])] if now.get("rounds_added") else []),
            *([("next", now["next_round"])] if "next_round" in now else []),
            *([("today", _describe_budget(now["rounds_today"]))] if "rounds_today" in now else []),
            *(("watches", path) for path in now.get("watches", ())),
            ("token", now["token_file"]),
            ("kept in", now["home"]),
        ]
    )


def _describe_savings(savings: dict[str, Any]) -> str | None:
    """Return what suggestions saved, and how many of them were accepted; None where none was shown."""
    shown, today = savings["accepted"] + savings["dismissed"], savings["today"]["saved"]
    of = f"{savings['accepted']:,} of {counted(shown, 'suggestion')} accepted"
    return f"{counted(savings['saved'], 'keystroke')} ({today:,} today), {of}" if shown else None


def _describe_work(now: dict[str, Any]) -> str:
    if round_ := now["training"]:
        from idiolect.daemon.clients.commandline.progress import name_phase  # brings the bars along

        waits = f", which {round_['waits']}" if round_.get("waits") else ""
        return f"training ({name_phase(round_).lower()}, {round_['done']:.0%}){waits}"
    if now.get("paused"):
        return f"paused {describe_end(now.get('paused_for_s'))}"
    return "listening"


def _describe_quiet(left_s: float) -> str:
    return f"nothing is shown {describe_end(left_s)}. `idiolect quiet end` ends that."


def _describe_grey_text(now: dict[str, Any]) -> str | None:
    """Return why there is little grey text, or none; None where all is as usual."""
    if now.get("show") == "asked":
        return "none by itself. `idiolect switch show auto` shows what saves time."
    grey = now.get("grey_text")
    return f"{describe_held_back(grey)}. {BRING_BACK}" if grey and grey["held_back"] else None


def _describe_speed(key_ms: int) -> str:
    return f"you type about {round(_WORD_MS / key_ms)} words a minute"


def _describe_damaged(adapters: list[int]) -> str:
    which = f"adapter{'s' * (len(adapters) > 1)} {', '.join(map(str, adapters))}"
    return f"{which}, never served again; `idiolect train --wait` makes another, `idiolect doctor` says more"


def _describe_budget(today: dict[str, float]) -> str:
    return f"rounds have computed for {clock(today['used_s'])} of {clock(today['budget_s'])}"
