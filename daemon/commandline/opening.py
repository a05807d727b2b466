"""The command `idiolect open`: the page in a browser, by a link that works once."""

from __future__ import annotations

from typing import Annotated

import typer

from idiolect.daemon.commandline.arguments import AsJson


def open_(
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Whether to open it, or only to print the link.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Open a page to try suggestions, see what was learned and steer it; the link works once, for a minute."""
    import webbrowser

    from idiolect.daemon.commandline.client import Client
    from idiolect.daemon.commandline.view import View
    from idiolect.daemon.settings import Settings

    with Client(Settings()) as client:
        link = client.post("/v1/open")
    View().opened(link, opened=browser and not as_json and webbrowser.open(link["url"]), as_json=as_json)
