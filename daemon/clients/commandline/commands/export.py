"""The command `idiolect export`: write an adapter, or everything stored, in open formats."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from idiolect.daemon.clients.commandline.arguments import make_absolute, parse_path
from idiolect.daemon.clients.commandline.client import connect
from idiolect.daemon.clients.commandline.terminal import Terminal
from idiolect.models.known_bases import bases_by_name

EXAMPLE = "idiolect export peft ~/my-adapter"


class ExportKind(enum.StrEnum):
    """What an adapter can be written as; or all that is kept."""

    onnx_adapter = "onnx_adapter"
    peft = "peft"
    onnx = "onnx"
    everything = "everything"


def run(
    kind: Annotated[
        ExportKind,
        typer.Argument(
            metavar="KIND",
            help="onnx_adapter: for onnxruntime; peft: a PEFT folder; onnx: one merged model; everything: a folder "
            "with all that is kept.",
        ),
    ],
    path: Annotated[Path, typer.Argument(parser=parse_path, metavar="PATH", help="Where to.")],
    adapter: Annotated[
        int | None, typer.Option(metavar="ID", help="Its number; else the one that is served.", min=1)
    ] = None,
) -> None:
    """Write an adapter, or everything, to a file or folder that other programs read. It is not encrypted."""
    terminal = Terminal()
    body = {"kind": kind.value, "path": make_absolute(path), "adapter": adapter}
    with connect() as client:
        written: str = client.post("/v1/export", body, patient=True)["path"]
        base = client.get("/v1/status")["base"]
    terminal.print_result(written, {"path": written}, whole=True)
    terminal.note("It is not encrypted: whoever can read it can read what it was made from.")
    known = bases_by_name().get(base)
    if kind is ExportKind.everything:
        if (Path(written) / "NOTICE").exists():
            terminal.note(f"Adapters in it are bound by the terms that {Path(written) / 'NOTICE'} names.")
    elif known is not None and known.terms is not None:
        terminal.note(f"It is bound by the terms of its base model. {known.terms.notice}.")
