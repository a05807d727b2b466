"""The command `idiolect rekey`: encrypt the store with another key."""

from __future__ import annotations

from idiolect.daemon.commandline.arguments import AsJson
from idiolect.daemon.commandline.service_process import service_ended
from idiolect.daemon.commandline.terminal import Terminal
from idiolect.daemon.settings import Settings
from idiolect.daemon.vault import rekey

EXAMPLE = "idiolect rekey"


def run(as_json: AsJson = False) -> None:
    """Encrypt the store with a new key; from then on the old one opens only older copies."""
    settings, terminal = Settings(), Terminal()
    with (
        service_ended(settings, terminal, rekey.rekey_bytes(settings)),
        terminal.waiting("Encrypting the store anew"),
    ):
        origin = rekey.rekey(settings).origin
    path = None if origin == "keyring" else str(settings.key_path)
    place = "the system's keyring" if path is None else path
    terminal.print_result(
        f"The store has a new key, which is in {place}; the old one is deleted.",
        {"key": origin, "path": path},
        as_json=as_json,
    )
    terminal.note("Copies of the profile from before need the old key, which is gone from here.")
