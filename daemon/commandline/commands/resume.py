"""The command `idiolect resume`: end a pause."""

from __future__ import annotations

from idiolect.daemon.commandline.arguments import AsJson
from idiolect.daemon.commandline.client import connect
from idiolect.daemon.commandline.terminal import Terminal

EXAMPLE = "idiolect resume"


def run(as_json: AsJson = False) -> None:
    """Learn again after a pause."""
    with connect() as client:
        answer = client.post("/v1/resume")
    Terminal().print_result("Learning again.", answer, as_json=as_json)
