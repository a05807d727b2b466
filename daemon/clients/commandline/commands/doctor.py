"""The command `idiolect doctor`: find faults of the installation, and say how to mend them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import typer

from idiolect.daemon.clients.commandline.doctor_checks import examine
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.models.errors import ExitCode

EXAMPLE = "idiolect doctor"
_MARKS: Final = {"ok": ("✓", "green"), "note": ("•", "yellow"), "wrong": ("✗", "red")}


def run() -> None:
    """Check the installation and say how to mend what is wrong; exit code 1 if something is."""
    findings, terminal = examine(), Terminal()
    if terminal.as_json:
        terminal.print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            terminal.say(_MARKS[finding.level], f" {finding.check}: {finding.found}", indent=2)
            if finding.mend:
                terminal.say(f"    {finding.mend}", indent=4)
    if any(finding.level == "wrong" for finding in findings):
        raise typer.Exit(ExitCode.NO)
