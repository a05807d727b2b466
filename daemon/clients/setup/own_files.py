"""Files that setting up writes and takes back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from idiolect.models import durable


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. A link stays a link, and a file keeps its mode. Raises OSError."""
    real = path.resolve()
    mode = real.stat().st_mode & 0o777 if real.exists() else 0o644
    real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    durable.write(real, data)
    real.chmod(mode)


def remove(paths: Iterable[Path]) -> list[str]:
    """Remove files that exist; return their paths. Raises OSError."""
    there = [path for path in paths if path.exists()]
    for path in there:
        path.unlink()
    return [str(path) for path in there]
