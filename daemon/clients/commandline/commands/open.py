"""The command `idiolect open`: open the local page in a browser, by a link that works once."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.first_page import FirstPage
from idiolect.daemon.clients.commandline.service_process import is_base_built, start_service
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.daemon.settings import Settings
from idiolect.models.errors import IdiolectError

EXAMPLE = "idiolect open; idiolect open --no-browser"


def run(
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Whether to open it, or only to print the link.")
    ] = True,
) -> None:
    """Open a page to try suggestions, see what was learned and steer it; the link works once, for a minute.

    The service is started unless it runs.
    """
    settings, terminal = Settings(), Terminal()
    if browser and not (terminal.as_json or terminal.errors.is_terminal or is_base_built(settings)):
        return _set_up_in_sight(settings, terminal)
    start_service(settings, terminal)
    with connect() as client:
        link = client.post("/v1/open")
    if terminal.as_json:
        return terminal.print_json(link)
    if browser and webbrowser.open(link["url"]):
        return terminal.say("The page is open in your browser.")
    terminal.show_whole(link["url"])
    return terminal.note(f"The link works once, within {link['expires_s']:.0f} seconds.")


def _set_up_in_sight(settings: Settings, terminal: Terminal) -> None:
    """Start the service for the first time, as from the desktop's menu: a browser shows how far that has come."""
    page = FirstPage()
    webbrowser.open(page.url)
    try:
        start_service(settings, page)
        with connect() as client:
            url = client.post("/v1/open")["url"]
    except IdiolectError as error:
        page.fail(str(error))
        raise
    if not page.lead_to(url):
        webbrowser.open(url)
    terminal.say("The page is open in your browser.")
