"""Commands by which users see what is known of them, and take hold of it: audit, learned, lock, rekey, purge.

What they print is made in `accounts.py`.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated, Final

import typer

from idiolect.daemon.commandline.arguments import AsJson, Expect, confirm, passphrase_of, text_of, time_of
from idiolect.daemon.commandline.forgetting import Consent, forget_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idiolect.daemon.commandline.accounts import Accounts
    from idiolect.daemon.commandline.client import Client
    from idiolect.daemon.settings import Settings

PassphraseFile = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Take the passphrase from this file's first line (-: from stdin) instead of asking.",
    ),
]
#: What a start writes besides the log: lock, run file, port, and what SQLite puts beside the store.
_START_BYTES: Final = 2**20
#: More than a locked profile's mark and a key take.
_MARK_BYTES: Final = 2**16

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register(app: typer.Typer, panel: str) -> None:
    """Add the commands to the command line, in the group `panel`."""

    def add(example: str, command: object) -> None:
        app.command(rich_help_panel=panel, epilog=f"Example: {example}")(command)  # type: ignore[type-var]

    add("idiolect audit; idiolect audit --since 2026-01-01 --json", audit)
    add("idiolect lock; idiolect lock --passphrase", lock)
    add("idiolect unlock", unlock)
    add("idiolect rekey", rekey)
    add("idiolect purge", purge)
    add('idiolect learned; idiolect learned --forget "kind regards"', learned)


def _settings() -> Settings:
    from idiolect.daemon.settings import Settings

    return Settings()


def _client() -> Client:
    from idiolect.daemon.commandline.client import Client

    return Client(_settings())


def _accounts() -> Accounts:
    from idiolect.daemon.commandline.accounts import Accounts

    return Accounts()


def audit(
    since: Annotated[str | None, typer.Option(metavar="TIME", help="From this time on (2026-01-31).")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what was taken, when and from where, what was redacted, which adapter saw what, and what happened."""
    with _client() as client:
        _accounts().audit(client.get("/v1/audit", since=time_of(since) or ""), as_json=as_json)


def learned(
    contains: Annotated[
        str,
        typer.Argument(
            metavar="TEXT", help="Only words and phrases that contain this; - reads it from stdin."
        ),
    ] = "",
    limit: Annotated[int, typer.Option(help="How many, at most.", min=1, max=10_000)] = 40,
    forget: Annotated[
        str | None,
        typer.Option(
            metavar="PHRASE", help="Forget every entry with these whole words; - reads them from stdin."
        ),
    ] = None,
    yes: Yes = False,
    expect: Expect = None,
    as_json: AsJson = False,
) -> None:
    """Show the words and phrases that set you apart: what you use more than general English does."""
    accounts = _accounts()
    with _client() as client:
        if forget is None:
            asked = {"limit": limit, "contains": text_of(contains).strip()}
            accounts.learned(client.post("/v1/learned", asked, patient=True)["words"], as_json=as_json)
            return
        body = {"phrase": text_of(forget)}
        forget_text(client, body, Consent(yes, expect), accounts, as_json=as_json)


@contextlib.contextmanager
def _at_rest(settings: Settings, room_bytes: int) -> Iterator[None]:
    """End the service, keep others from starting one for the block, and then start it again if it ran.

    The block finds `room_bytes` of room on the disk, and the start what it needs: where there is not so much, OSError
    is raised before anything was ended.
    """
    from idiolect.daemon.runtime import desktop, process
    from idiolect.models import durable

    settings.prepare()
    with (
        durable.reserved(settings.run_dir, _START_BYTES) as let_start,
        durable.reserved(settings.run_dir, room_bytes) as let_work,
    ):
        ran = _ended(settings)
        let_work()
        try:
            with process.locked(settings):
                yield
        finally:
            let_start()
            if ran:
                with _accounts().waiting("Starting the service"):
                    desktop.start(settings)


def _ended(settings: Settings) -> bool:
    """End the service, and wait until nothing is left of its process and what that held; whether it ran."""
    import psutil

    from idiolect.daemon.runtime import process

    pid = process.holder(settings)
    if pid is None:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        service = psutil.Process(pid)
        process.stop(settings)
        try:
            service.wait(process.STOP_DEADLINE_S)
        except psutil.TimeoutExpired:
            raise process.StopError(
                f"The service (pid {pid}) has let go of the profile but does not end. End it with `kill -9 {pid}`."
            ) from None
    return True


def lock(
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Take the key away, too, and encrypt it with a passphrase.")
    ] = False,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Let go of key, text and adapter: suggestions stop until `idiolect unlock`, and nothing is learned."""
    from idiolect.daemon.profile import locking

    settings = _settings()
    given = None
    if passphrase or passphrase_file is not None:
        given = passphrase_of(passphrase_file, "Passphrase to unlock it with: ", new=True)
    with _at_rest(settings, _MARK_BYTES):
        locking.lock(settings, given)
    _accounts().locked(with_passphrase=given is not None, as_json=as_json)


def unlock(passphrase_file: PassphraseFile = None, as_json: AsJson = False) -> None:
    """Let the service have its key again."""
    from idiolect.daemon.profile import locking

    settings = _settings()
    if not settings.locked_path.exists():  # the service goes on as it is
        return _accounts().unlocked(was_locked=False, as_json=as_json)
    given = None
    if locking.needs_passphrase(settings):
        given = passphrase_of(passphrase_file, "Passphrase: ", new=False)
    with _at_rest(settings, _MARK_BYTES):
        was_locked = locking.unlock(settings, given)
    return _accounts().unlocked(was_locked=was_locked, as_json=as_json)


def rekey(as_json: AsJson = False) -> None:
    """Encrypt the store with a new key; the old one opens nothing but older copies then."""
    from idiolect.daemon.profile import locking

    settings, accounts = _settings(), _accounts()
    with _at_rest(settings, locking.rekey_bytes(settings)), accounts.waiting("Encrypting the store anew"):
        key = locking.rekey(settings)
    accounts.rekeyed(key.origin, settings, as_json=as_json)


def purge(
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete everything: text, adapters, key, log, settings, base model. It cannot be undone."""
    from idiolect.daemon.profile import purge as purging

    settings, accounts = _settings(), _accounts()
    if not yes:
        accounts.contents(settings.home, purging.contents(settings))
        confirm("Delete all of this, and its key? It cannot be undone.")
    if settings.home.exists():
        settings.require_writable()
    _ended(settings)
    accounts.purged(settings.home, purging.purge(settings), as_json=as_json)
