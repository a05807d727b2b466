"""The command line. What it prints is made in `view.py`; the service is asked through `client.py`.

Slow imports happen inside the commands, so that `idiolect --help` is there at once.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from idiolect.daemon.commandline import custody, editing, gather, safekeeping
from idiolect.daemon.commandline.apps import apps
from idiolect.daemon.commandline.arguments import (
    AsJson,
    Budget,
    Chars,
    Days,
    ExportKind,
    Html,
    Me,
    Paths,
    Seed,
    absolute,
    adapter_of,
    interrupted,
    path_of,
    seconds_of,
    text_of,
)
from idiolect.daemon.commandline.following import watch
from idiolect.daemon.commandline.forgetting import forget
from idiolect.daemon.commandline.hosting import service, start, started, status, stop
from idiolect.daemon.commandline.manual import man
from idiolect.daemon.commandline.opening import open_
from idiolect.daemon.commandline.token import token
from idiolect.models.errors import IdiolectError
from idiolect.models.hardening import shield

if TYPE_CHECKING:
    from collections.abc import Callable

    from idiolect.daemon.commandline.client import Client
    from idiolect.daemon.commandline.view import View
    from idiolect.daemon.settings import Settings

EXIT_USAGE = 2
EXIT_FINDINGS = 69
EXIT_UNEXPECTED = 70
EXIT_INTERRUPTED = 130

#: Why there may be no round without anything being wrong: the fast memory knows what was read all the same.
_NO_ROUND = frozenset({"too-little-text", "training-busy", "nothing-new"})

app = typer.Typer(
    name="idiolect",
    help="Learns how you write and completes your sentences, on this machine alone.\n\n"
    "Begin with [bold]start[/], show it your writing with [bold]add[/] or [bold]watch[/], "
    "and let it learn your style with [bold]train[/]. What you wrote, and all that was learned from it, "
    "stays in one folder ([bold]IDIOLECT_HOME[/] moves it); [bold]forget[/] takes any of it back.",
    epilog="A first run: idiolect welcome ~/notes",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_SERVICE, _LEARN, _USE, _CARE = "The service", "Learning", "Using it", "Care"


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"idiolect {version('idiolect')}")
        raise typer.Exit


@app.callback()
def _all(
    _shown: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Set what all commands have in common."""


def main() -> NoReturn:
    """Run the command line and exit: one sentence and a distinct exit code for whatever goes wrong."""
    shield()
    if not all(map(_is_text, sys.argv)):
        _fail("An argument holds bytes that are not text in UTF-8. Give it in UTF-8.", EXIT_USAGE)
    try:
        app()
    except IdiolectError as error:
        _fail(str(error), getattr(error, "relayed_exit_code", error.exit_code))
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:  # noqa: BLE001 (the last resort; it is logged)
        if interrupted(error):
            sys.exit(EXIT_INTERRUPTED)
        if (refused := _refused(error)) is not None:
            _fail(str(refused), refused.exit_code)
        _fail(_unexpected(error), EXIT_UNEXPECTED)
    sys.exit(0)


def _is_text(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:  # bytes that Python could not decode
        return False
    return True


def _refused(error: Exception) -> IdiolectError | None:
    """What the operating system refused, if that is what the error is about."""
    from idiolect.daemon.runtime.os_errors import refusal

    try:
        return refusal(error, _settings().home)
    except IdiolectError as unreadable:  # the settings
        return unreadable if isinstance(error, OSError) else None
    except Exception:  # noqa: BLE001 (the first error is the one to tell of)
        return None


def _fail(message: str, exit_code: int) -> NoReturn:
    sys.stderr.write(f"idiolect: {message}\n")
    sys.exit(exit_code)


def _unexpected(error: Exception) -> str:
    """A sentence about a mistake in the program, and its places, without a word of the user's, in the log."""
    import logging

    from idiolect.daemon.runtime.log import open_log

    with contextlib.suppress(Exception):  # this is the last that can be done
        path = _settings().prepare().log_path
        open_log(path)
        logging.getLogger("idiolect.cli").error("a command failed", exc_info=error)
        return f"Something unexpected went wrong ({type(error).__name__}). Where it was is in {path}."
    return f"Something unexpected went wrong ({type(error).__name__}), and the log cannot be written."


def _settings() -> Settings:
    from idiolect.daemon.settings import Settings

    return Settings()


def _client() -> Client:
    from idiolect.daemon.commandline.client import Client

    return Client(_settings())


def _view() -> View:
    from idiolect.daemon.commandline.view import View

    return View()


# --- the service -------------------------------------------------------------------------------------


app.command(rich_help_panel=_SERVICE, epilog="Example: idiolect start --port 8765")(start)
app.command(rich_help_panel=_SERVICE, epilog="Example: idiolect stop")(stop)
app.command(rich_help_panel=_SERVICE, epilog="Example: idiolect status --json")(status)
app.command(
    rich_help_panel=_SERVICE,
    epilog="Example: idiolect service install; idiolect service status --json; idiolect service uninstall",
)(service)


@app.command(rich_help_panel=_CARE, epilog="Example: idiolect doctor")
def doctor(as_json: AsJson = False) -> None:
    """Check the installation and say how to mend what is wrong; exit code 69 if something is."""
    from idiolect.daemon.commandline.doctor import examine

    findings = examine()
    _view().findings(findings, as_json=as_json)
    if any(finding.level == "wrong" for finding in findings):
        raise typer.Exit(EXIT_FINDINGS)


app.command(rich_help_panel=_CARE, epilog="Example: idiolect man > idiolect.1")(man)


# --- learning ----------------------------------------------------------------------------------------


@app.command(
    rich_help_panel=_LEARN,
    epilog="Example: idiolect add ~/notes ~/src/project/.git; idiolect add chat.txt --me 'Name in the chat'",
)
def add(paths: Paths, me: Me = None, as_json: AsJson = False) -> None:
    """Read notes, mail, chats or commit messages once; reading them again adds only what is new."""
    view = _view()
    if me is None and len(paths) == 1:
        me = gather.whose(paths[0])
    with _client() as client:
        given = paths == [Path("-")]
        report = gather.lines_of(sys.stdin, client) if given else _read(client, view, paths, me)
        view.imported(report, as_json=as_json)


app.command(
    "sources",
    rich_help_panel=_LEARN,
    epilog="Example: idiolect sources; idiolect sources --only mail --yes; idiolect sources remove ~/notes",
)(gather.sources)


def _read(client: Client, view: View, paths: list[Path], me: list[str] | None) -> dict[str, Any]:
    return view.follow_import(client.stream("/v1/import", {"paths": absolute(paths), "me": me or []}))


app.command(rich_help_panel=_LEARN, epilog="Example: idiolect watch ~/notes")(watch)


@app.command(rich_help_panel=_LEARN, epilog="Example: idiolect train --wait --budget 120")
def train(
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the verdict.")] = False,
    budget: Budget = None,
    as_json: AsJson = False,
) -> None:
    """Begin a training round now; its adapter is served only if it predicts your newest text better."""
    view = _view()
    with _client() as client:
        if wait:
            view.verdict(_round(client, view, budget, quiet=as_json), as_json=as_json)
        else:
            view.round_begun(client.post("/v1/train", {"budget_s": budget}), as_json=as_json)


def _round(client: Client, view: View, budget: float | None, *, quiet: bool = False) -> dict[str, Any]:
    events = client.stream("/v1/train", {"stream": True, "budget_s": budget})
    try:
        verdict = view.follow_round(events, quiet=quiet)
    except BaseException as error:
        if interrupted(error):
            view.round_goes_on()
            raise KeyboardInterrupt from error
        raise
    return {name: value for name, value in verdict.items() if name != "event"}


@app.command(rich_help_panel=_LEARN, epilog="Example: idiolect pause --for 30m")
def pause(
    duration: Annotated[
        str | None,
        typer.Option("--for", metavar="DURATION", help="Such as 30m, 2h or 1d; else until resumed."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Learn nothing for a while; suggestions go on."""
    for_s = None if duration is None else seconds_of(duration)
    with _client() as client:
        _view().paused(duration, client.post("/v1/pause", {"for_s": for_s}), as_json=as_json)


@app.command(rich_help_panel=_LEARN, epilog="Example: idiolect resume")
def resume(as_json: AsJson = False) -> None:
    """Learn again after a pause."""
    with _client() as client:
        _view().resumed(client.post("/v1/resume"), as_json=as_json)


app.command(
    rich_help_panel=_LEARN,
    epilog="Example: idiolect apps; idiolect apps exclude '*chat*'; idiolect apps undo",
)(apps)


# --- using it ----------------------------------------------------------------------------------------


@app.command(rich_help_panel=_USE, epilog='Example: idiolect suggest "Thanks for the "')
def suggest(
    text: Annotated[str, typer.Argument(help="What stands before the cursor; - reads it from stdin.")],
    as_json: AsJson = False,
) -> None:
    """Show how it would complete a text."""
    with _client() as client:
        _view().suggestion(client.post("/v1/suggest", {"prefix": text_of(text)}), as_json=as_json)


app.command("open", rich_help_panel=_USE, epilog="Example: idiolect open; idiolect open --no-browser")(open_)


@app.command(rich_help_panel=_USE, epilog="Example: idiolect report --days 7")
def report(days: Days = 30, as_json: AsJson = False) -> None:
    """Show how many keystrokes suggestions have saved, and how often the likely ones were accepted."""
    with _client() as client:
        _view().report(client.get("/v1/report", days=days), as_json=as_json)


@app.command(
    "eval",
    rich_help_panel=_USE,
    epilog="Example: idiolect eval; idiolect eval ~/mail/sent.jsonl --html eval.html",
)
def evaluate(
    path: Annotated[
        Path | None,
        typer.Argument(
            parser=path_of,
            metavar="PATH",
            help="A file, folder or .git folder to do it with, apart from your history.",
        ),
    ] = None,
    chars: Chars = 8000,
    seed: Seed = 1,
    budget: Budget = None,
    no_train: Annotated[
        bool, typer.Option("--no-train", help="With PATH: train no adapter, which is quicker.")
    ] = False,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Measure how many keystrokes it saves: type held-out text of yours again, with what is learned before."""
    if path is None and (no_train or budget):
        raise typer.BadParameter("--no-train and --budget are for the training on PATH: name one")
    if no_train and budget:
        raise typer.BadParameter("--budget is for the training that --no-train leaves out")
    if html is not None:
        _page_for(html)  # whether it can be written is looked at before minutes of work
    body = {"path": None if path is None else absolute([path])[0], "chars": chars, "seed": seed}
    view = _view()
    with _client() as client:
        events = client.stream("/v1/eval", {**body, "budget_s": budget, "train": not no_train})
        try:
            found = view.follow_evaluation(events, quiet=as_json)
        except BaseException as error:
            if interrupted(error):
                view.evaluation_ended()
                raise KeyboardInterrupt from error
            raise
    view.evaluation(found, as_json=as_json, own=path is None)
    if html is None and not as_json:
        html = _settings().eval_page_path
    if html is not None:
        view.page(html, _page_for(html)(found))


def _page_for(path: Path) -> Callable[[dict[str, Any]], str]:
    """What makes the page, once the folder is there that it is to be in."""
    from idiolect.daemon.evaluation.eval_page import render

    if path.is_dir() or not path.absolute().parent.is_dir():
        raise typer.BadParameter("the page (--html) is a file, in a folder that exists")
    return render


@app.command(rich_help_panel=_USE, epilog="Example: idiolect adapters")
def adapters(as_json: AsJson = False) -> None:
    """List the adapters: parent, verdict, and which one is served."""
    with _client() as client:
        _view().adapters(client.get("/v1/adapters")["adapters"], as_json=as_json)


@app.command(rich_help_panel=_USE, epilog="Example: idiolect use 3; idiolect use base")
def use(
    adapter: Annotated[str, typer.Argument(metavar="ID|base", help="An adapter's number, or base.")],
    as_json: AsJson = False,
) -> None:
    """Serve another adapter, or the base model alone, from the next request on."""
    chosen = adapter_of(adapter)
    with _client() as client:
        client.post("/v1/use", {"adapter": chosen})
    _view().using(chosen, as_json=as_json)


@app.command(rich_help_panel=_USE, epilog="Example: idiolect export peft ~/my-adapter")
def export(
    kind: Annotated[
        ExportKind,
        typer.Argument(
            help="onnx_adapter: for onnxruntime; peft: a PEFT folder; onnx: one merged model; everything: a folder "
            "with all that is kept."
        ),
    ],
    path: Annotated[Path, typer.Argument(parser=path_of, metavar="PATH", help="Where to.")],
    adapter: Annotated[
        int | None, typer.Option(help="Its number; else the one that is served.", min=1)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write an adapter, or everything, to a file or folder that other programs read. It is not encrypted."""
    with _client() as client:
        body = {"kind": kind.value, "path": absolute([path])[0], "adapter": adapter}
        _view().exported(client.post("/v1/export", body, patient=True)["path"], as_json=as_json)


editing.register(app, _USE)


# --- care --------------------------------------------------------------------------------------------


app.command(rich_help_panel=_CARE, epilog='Example: idiolect forget --text "project x" --dry-run')(forget)
custody.register(app, _CARE)
app.command(
    rich_help_panel=_CARE,
    epilog="Example: idiolect token --scope suggest; idiolect token --scope suggest --rotate",
)(token)
safekeeping.register(app, _CARE)


# --- the first run -----------------------------------------------------------------------------------


@app.command(rich_help_panel=_SERVICE, epilog="Example: idiolect welcome ~/notes --budget 240")
def welcome(
    paths: Annotated[
        list[Path] | None, typer.Argument(parser=path_of, metavar="PATH…", help="Your own text.")
    ] = None,
    me: Me = None,
    budget: Budget = None,
) -> None:
    """Do it all: start, read, learn, show what that brought, and how to go on."""
    from idiolect.daemon.commandline.client import Client

    settings = _settings().prepare()
    view = _view()
    running, _ = started(settings, view)
    with Client(settings) as client:
        fresh = 0
        if paths:
            report = _read(client, view, paths, me)
            view.imported(report, as_json=False)
            fresh = report["entries"]
        if _prove(client, view, budget, fresh=fresh):
            view.examples(client.get("/v1/examples", count=6)["examples"])
    view.how_to_go_on(settings, running)


def _prove(client: Client, view: View, budget: float | None, *, fresh: int) -> bool:
    """Train and show the verdict, or the last one again if nothing was read since; whether there is one."""
    from idiolect.daemon.runtime.process import RelayedError

    last = client.get("/v1/status").get("last_round")
    if not fresh and last and last["status"] in {"promoted", "refused"}:
        view.verdict(last, as_json=False)
        return True
    try:
        verdict = _round(client, view, budget)
    except RelayedError as error:
        if error.relayed_code not in _NO_ROUND:
            raise
        view.no_verdict(str(error))
        return False
    view.verdict(verdict, as_json=False)
    return True
