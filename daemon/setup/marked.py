"""Lines of ours in a file that belongs to another program: put there between two marks, and taken out again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from idiolect.models import durable

if TYPE_CHECKING:
    from pathlib import Path

_BEGIN, _END = ">>> idiolect >>>", "<<< idiolect <<<"
_NOTE: Final = "written by `idiolect setup`; `idiolect setup --remove` takes it out"


def block(lines: str, comment: str) -> str:
    """The lines between their marks; `comment` is how a line begins that the program does not read."""
    return f"{comment} {_BEGIN} {_NOTE}\n{lines.rstrip()}\n{comment} {_END}\n"


def holds(path: Path) -> bool:
    """Whether our lines are in a file."""
    return path.is_file() and _BEGIN in path.read_text("utf-8", "surrogateescape")


def put(path: Path, lines: str, comment: str) -> None:
    """Write our lines at the end of a file, in the place of older ones. Raises OSError."""
    before = _without(path)
    gap = "" if not before or before.endswith("\n\n") else "\n" if before.endswith("\n") else "\n\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, before + gap + block(lines, comment))


def take_out(path: Path) -> bool:
    """Leave a file as it was without our lines, and no file where they were all of it; False where none were there."""
    if not holds(path):
        return False
    left = _without(path)
    if left.strip():
        _write(path, left)
    else:
        path.unlink()
    return True


def _without(path: Path) -> str:
    text = path.read_text("utf-8", "surrogateescape") if path.is_file() else ""
    return re.sub(rf"\n?[^\n]*{re.escape(_BEGIN)}.*?{re.escape(_END)}[^\n]*\n?", "", text, flags=re.DOTALL)


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all; a link stays one, and so do the file's rights."""
    real = path.resolve()
    mode = real.stat().st_mode & 0o777 if real.exists() else 0o644
    durable.write(real, text.encode("utf-8", "surrogateescape"))
    real.chmod(mode)
