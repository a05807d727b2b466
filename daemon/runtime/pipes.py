"""The pipes between a process and one that it has started."""

from __future__ import annotations

from typing import IO, AnyStr


def pipe(end: IO[AnyStr] | None) -> IO[AnyStr]:
    """This end of a pipe that was asked for with `subprocess.PIPE`; by its type it may be None, as any may be."""
    if end is None:
        raise ValueError("the process was started without this pipe")
    return end
