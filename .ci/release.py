"""Adds to the Debian package in dist/ the wheel, the source archive, the extension for each browser, and checksums."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from setuptools import build_meta

from idiolect.daemon.clients.browser.manifests import write_extension

CHECKOUT = Path(__file__).resolve().parents[1]
DIST = CHECKOUT / "dist"

os.chdir(CHECKOUT)
build_meta.build_sdist(str(DIST))
build_meta.build_wheel(str(DIST))
with tempfile.TemporaryDirectory() as folder:
    write_extension(Path(folder, "extension"))
    made = Path(shutil.make_archive(str(DIST / "idiolect-chromium"), "zip", Path(folder, "extension")))
    shutil.copy(made, DIST / "idiolect-firefox.xpi")
made = sorted(path for path in DIST.iterdir() if path.name != "SHA256SUMS")
sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made]
(DIST / "SHA256SUMS").write_text("".join(sums))
