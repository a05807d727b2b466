"""Files that setting up writes and takes back: whole files, and marked lines in files of other programs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from idiolect.models import durable

_BEGIN, _END = ">>> idiolect >>>", "<<< idiolect <<<"
_NOTE: Final = "written by `idiolect setup`; `idiolect setup --remove` takes it out"


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; a link stays one, and so do the file's rights. Raises OSError."""
    real = path.resolve()
    mode = real.stat().st_mode & 0o777 if real.exists() else 0o644
    real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    durable.write(real, data)
    real.chmod(mode)


def remove(paths: Iterable[Path]) -> list[str]:
    """Remove those of the files that are there; which they were. Raises OSError."""
    there = [path for path in paths if path.exists()]
    for path in there:
        path.unlink()
    return [str(path) for path in there]


def has_lines(path: Path) -> bool:
    """Whether our lines are in a file."""
    return path.is_file() and _BEGIN in path.read_text("utf-8", "surrogateescape")


def put_lines(path: Path, lines: str, comment: str) -> None:
    """Write our lines at the end of a file, in the place of older ones, between two marks. Raises OSError.

    `comment` begins a line that the program does not read.
    """
    before = _without(path)
    gap = "" if not before or before.endswith("\n\n") else "\n" if before.endswith("\n") else "\n\n"
    block = f"{comment} {_BEGIN} {_NOTE}\n{lines.rstrip()}\n{comment} {_END}\n"
    write(path, (before + gap + block).encode("utf-8", "surrogateescape"))


def take_out_lines(path: Path) -> list[str]:
    """Leave a file as it was without our lines, and no file where they were all of it; the file, if they were there."""
    if not has_lines(path):
        return []
    left = _without(path)
    if left.strip():
        write(path, left.encode("utf-8", "surrogateescape"))
    else:
        path.unlink()
    return [str(path)]


def _without(path: Path) -> str:
    text = path.read_text("utf-8", "surrogateescape") if path.is_file() else ""
    return re.sub(rf"\n?[^\n]*{re.escape(_BEGIN)}.*?{re.escape(_END)}[^\n]*\n?", "", text, flags=re.DOTALL)
