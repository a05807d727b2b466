"""The command `idiolect unlock`: give the service its key again."""

from __future__ import annotations

from idiolect.daemon.clients.commandline.arguments import PassphraseFile, read_passphrase
from idiolect.daemon.clients.commandline.service_process import MARK_BYTES, service_ended
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.settings import Settings
from idiolect.daemon.vault import lock

EXAMPLE = "idiolect unlock"


def run(passphrase_file: PassphraseFile = None) -> None:
    """Let the service have its key again."""
    settings, terminal = Settings(), Terminal()
    was_locked = False
    if settings.locked:  # else the service goes on as it is
        given = None
        if lock.needs_passphrase(settings):
            given = read_passphrase(passphrase_file, "Passphrase: ", new=False)
        with service_ended(settings, terminal, MARK_BYTES):
            was_locked = lock.unlock(settings, given)
    said = "Unlocked." if was_locked else "It was not locked."
    terminal.print_result(said, {"locked": False, "was_locked": was_locked})
