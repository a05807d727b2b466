"""Files that are whole or absent, whatever happens while they are written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def publish(made: Path, final: Path) -> None:
    """Move the finished file ``made`` to ``final`` on the same file system.

    After a crash or a power cut ``final`` is either what it was before or all of ``made``.

    Raises:
        OSError: the disk is full, or the place cannot be written.
    """
    with made.open("rb+") as file:
        os.fsync(file.fileno())
    made.replace(final)
    sync_folder(final.parent)


def sync_folder(folder: Path) -> None:
    """Force to the disk which files ``folder`` has, under which names.

    Raises:
        OSError: the disk fails.
    """
    if hasattr(os, "O_DIRECTORY"):  # Windows cannot open a folder, and needs no such call
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` as :func:`publish` does; nothing is left behind when it fails.

    Raises:
        OSError: the disk is full, or the place cannot be written.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        publish(Path(name), path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
