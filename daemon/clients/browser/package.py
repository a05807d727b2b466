"""Build the extension's packages: a folder and an archive for Chromium, and the same for Firefox.

The source loads in both as it is. Each package leaves out of the manifest what the other browser needs, of which
a store would complain.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from idiolect.daemon.clients.browser.manifests import about, extension
from idiolect.models import durable

_CHROMIUM: Final = ("browser_specific_settings",)
_FIREFOX: Final = ("key", "minimum_chrome_version")


@dataclass(frozen=True)
class Built:
    """The package of one browser: a folder to load for development, and an archive."""

    browser: str
    folder: str
    archive: str


def build(into: Path) -> list[Built]:
    """Write the extension's two packages to the folder `into`. Raises OSError."""
    return [_build(into, browser) for browser in ("chromium", "firefox")]


def _build(into: Path, browser: str) -> Built:
    folder = into / browser
    files = dict(_files(extension()))
    manifest = _manifest(browser)
    files["manifest.json"] = json.dumps(manifest, indent=2).encode() + b"\n"
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        durable.write(path, data)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(name, data)
    ending = "xpi" if browser == "firefox" else "zip"
    whole = into / f"idiolect-{browser}-{manifest['version']}.{ending}"
    durable.write(whole, packed.getvalue())
    return Built(browser, str(folder), str(whole))


def _manifest(browser: str) -> dict[str, Any]:
    dropped = _CHROMIUM if browser == "chromium" else _FIREFOX
    manifest = {name: value for name, value in about().items() if name not in dropped}
    manifest["version"] = ".".join(re.findall(r"\d+", version("idiolect"))[:3])
    background = manifest["background"]
    del background["scripts" if browser == "chromium" else "service_worker"]
    if browser == "chromium":
        del manifest["action"]["default_area"]  # a key of Firefox
    return manifest


def _files(folder: Traversable, above: str = "") -> Iterator[tuple[str, bytes]]:
    for one in folder.iterdir():
        name = f"{above}{one.name}"
        if one.is_dir():
            yield from _files(one, f"{name}/")
        else:
            yield name, one.read_bytes()
