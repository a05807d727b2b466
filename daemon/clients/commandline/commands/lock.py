"""The command `idiolect lock`: remove key, text and adapters from memory, and stop suggestions."""

from __future__ import annotations

from typing import Annotated

import typer

from idiolect.daemon.clients.commandline.arguments import PassphraseFile, read_passphrase
from idiolect.daemon.clients.commandline.client import find_profile
from idiolect.daemon.clients.commandline.service_process import MARK_BYTES, service_ended
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.vault import lock

EXAMPLE = "idiolect lock; idiolect lock --passphrase"


def run(
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Take the key away, too, and encrypt it with a passphrase.")
    ] = False,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Let go of key, text and adapter: suggestions stop until `idiolect unlock`, and nothing is learned."""
    settings, terminal = find_profile(), Terminal()
    given = None
    if passphrase or passphrase_file is not None:
        given = read_passphrase(passphrase_file, "Passphrase to unlock it with: ", new=True)
    with service_ended(settings, terminal, MARK_BYTES):
        lock.lock(settings, given)
    said = (
        "Locked: no key, text or adapter is in memory. `idiolect unlock` ends that.",
        "Whoever can run commands as you can unlock it; --passphrase keeps them out, too."
        if given is None
        else "The key is encrypted with your passphrase. If you lose it, nobody can read the store again.",
    )
    terminal.print_result(said, {"locked": True, "passphrase": given is not None})
