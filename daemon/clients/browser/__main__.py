"""The native messaging program that a browser starts for its extension: `python -m idiolect.daemon.clients.browser`."""

from __future__ import annotations

import sys

from idiolect.daemon.clients.browser.host import serve
from idiolect.daemon.settings import Settings
from idiolect.models.errors import IdiolectError
from idiolect.models.hardening import shield


def main() -> None:
    """Answer the extension until its browser goes; an error goes to the browser's log."""
    shield()
    try:
        serve(Settings().prepare())
    except IdiolectError as error:
        sys.stderr.write(f"idiolect: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
