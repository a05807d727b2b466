"""Files that are whole or absent, whatever happens while they are written."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def publish(made: Path, final: Path) -> None:
    """Move the finished file ``made`` to ``final`` on the same file system. Raises OSError.

    After a crash or a power cut ``final`` is either what it was before or all of ``made``.
    """
    with made.open("rb+") as file:
        os.fsync(file.fileno())
    made.replace(final)
    sync_folder(final.parent)


def sync_folder(folder: Path) -> None:
    """Force to the disk which files ``folder`` has, under which names. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` as :func:`publish` does; nothing is left behind when it raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        publish(Path(name), path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def reserved(folder: Path, size_bytes: int) -> Iterator[Callable[[], None]]:
    """Hold ``size_bytes`` of room on the disk of ``folder`` until the block ends, or until what it yields is called.

    A file without a name holds it, so nothing is left of it when the process is killed. Raises OSError where there is
    not as much room, or the folder can't be written.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        os.posix_fallocate(file.fileno(), 0, size_bytes)
        yield file.close


@contextmanager
def workplace(folder: Path, purpose: str) -> Iterator[Path]:
    """Yield a temporary folder in ``folder``, and remove what killed processes have left of such folders.

    A folder that is moved to another name stays.
    """
    import psutil  # only where a base is fetched or built: whoever checks one does without

    for left in folder.iterdir():
        ours = re.fullmatch(rf"\.{purpose}-(\d+)-[a-z0-9_]{{8}}", left.name)
        if ours and (int(ours[1]) == os.getpid() or not psutil.pid_exists(int(ours[1]))):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".{purpose}-{os.getpid()}-", dir=folder) as work:
        yield Path(work)
