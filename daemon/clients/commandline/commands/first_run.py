"""The first run, `idiolect start PATH…`: text, training, and what to do next."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any, Final

from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.commands.add import read_paths, show_import
from idiolect.daemon.clients.commandline.commands.eval import describe_savings
from idiolect.daemon.clients.commandline.commands.train import (
    describe_delay,
    describe_verdict,
    wait_for_round,
)
from idiolect.daemon.clients.commandline.formatting import clock
from idiolect.daemon.clients.commandline.progress import follow_phases
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.clients.link import ServiceClient
from idiolect.daemon.runtime.process import RelayedError, Running
from idiolect.daemon.settings import ROUND_S, Settings

#: Why there may be no round without anything being wrong: the fast memory knows what was read all the same.
_NO_ROUND: Final = frozenset({"too-little-text", "training-busy", "nothing-new"})
#: A round that was begun and has no verdict, since text was forgotten meanwhile.
_ENDED: Final = "forgotten-meanwhile"
#: Why nothing may be measured without anything being wrong.
_NOT_MEASURED: Final = frozenset({"too-little-to-type", "training-busy", "eval-failed", _ENDED})
_MEASURED_CHARS: Final = 800  # typed in some ten seconds on an idle machine


def learn_and_show(
    settings: Settings,
    terminal: Terminal,
    running: Running,
    paths: list[Path],
    me: list[str],
    budget: float | None,
) -> None:
    """Read `paths`, learn, and show what that brought and how to go on; `running` is the service."""
    with connect(settings) as client:
        report = read_paths(client, terminal, paths, me)
        show_import(terminal, report)
        anew = bool(report["entries"])
        if (became := _train(client, terminal, budget or ROUND_S, anew=anew)) is not None:
            _show_savings(client, terminal, anew=anew)
            terminal.say(became)
    _show_how_to_go_on(terminal, settings, running)


def _train(client: ServiceClient, terminal: Terminal, budget: float, *, anew: bool) -> str | None:
    """Train; return what became of it, as the last time unless text was read `anew`, or None where no round began."""
    last: dict[str, Any] | None = client.get("/v1/status").get("last_round")
    if not anew and last and last["status"] in {"promoted", "refused"}:
        return describe_verdict(last)
    terminal.note(
        f"Learning how you write takes {clock(budget)} of computing, or up to four times as long where other "
        "programs use the processor. Reading all text before, and measuring by typing it again after that, take some "
        "ten seconds of computing each."
    )
    try:
        verdict = wait_for_round(client, terminal, budget)
        return f"{describe_verdict(verdict)}\n{describe_delay(verdict)}".rstrip()
    except RelayedError as error:
        if error.relayed_code == _ENDED:
            return f"No verdict: {error} `idiolect train --wait` begins another round."
        if error.relayed_code not in _NO_ROUND:
            raise
        terminal.say(f"No training round: {error}")
        return None


def _show_savings(client: ServiceClient, terminal: Terminal, *, anew: bool) -> None:
    """Show what the program saves at the user's next keys: measured `anew`, or as it was measured last."""
    measured = client.get("/v1/status").get("measured")
    if measured and not anew:
        return terminal.say(f"It saves you about {100 * measured:.0f} of the next 100 keys.")
    try:
        found = follow_phases(terminal, "Measuring", client.stream("/v1/eval", {"chars": _MEASURED_CHARS}))
    except RelayedError as error:
        if error.relayed_code not in _NOT_MEASURED:
            raise
        return terminal.say(f"What it saves was not measured: {error}")
    return terminal.say(describe_savings(found))


def _show_how_to_go_on(terminal: Terminal, settings: Settings, running: Running) -> None:
    """Show how to go on: the page, other programs, the service's address, how to stop it, and where all is kept."""
    ask = '-d \'{"prefix": "Thanks for the "}\''
    token = f'-H "Authorization: Bearer $(cat {shlex.quote(str(settings.token_path))})"'
    via = f"--unix-socket {shlex.quote(running.socket)} " if running.socket else ""
    command = _find_command(settings)
    for name, value in (
        ("page", f"{command} open"),
        ("connect", f"{command} setup"),
        ("stop", f"{command} stop"),
        ("URL", running.socket or running.url),
        ("token", str(settings.token_path)),
        ("try", f"curl -s {via}{running.url}/v1/suggest {token} {ask}"),
        ("kept in", f"{settings.home} (all of it: delete the folder and it is gone)"),
    ):
        terminal.show_whole((f"{name:<9}", "dim"), value)  # to be copied


def _find_command(settings: Settings) -> str:
    """Return how the user calls this program for this profile from any folder."""
    here = Path(sys.executable).with_name("idiolect")
    found = shutil.which("idiolect")
    command = "idiolect" if found and os.path.samefile(found, here) else shlex.quote(str(here))
    default = type(settings).model_fields["home"].get_default(call_default_factory=True)
    return (
        command if settings.home == default else f"IDIOLECT_HOME={shlex.quote(str(settings.home))} {command}"
    )
