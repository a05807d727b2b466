"""Takes the picture of the page, `page-light.png`.

`python docs/screenshots.py` starts the real service with a throw-away profile, lets it read this project's documents,
has a personal model trained and the savings measured, and opens the page in Chromium, as the tests do.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Where the browser is driven.
sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("tests/e2e", "tests"))

import conftest

ROOT = Path(__file__).resolve().parents[1]
TEXT = "Everything stays on your own mach"
#: How long the training of the personal model may take.
BUDGET_S = 60


def main() -> None:
    """Take the picture."""
    with tempfile.TemporaryDirectory() as folder:
        take(Path(folder))


def take(folder: Path) -> None:
    """Serve a profile in `folder`, and take the picture of its page."""
    home = folder / "profile"
    home.mkdir()
    (home / "config.toml").write_text("keyring = false\nauto_train = false\n", "utf-8")
    if (ROOT / ".cache" / "base").is_dir():  # the tests have fetched the base model
        (home / "base").symlink_to((ROOT / ".cache" / "base").resolve())
    environment = {**os.environ, "IDIOLECT_HOME": str(home)}

    def idiolect(*arguments: str) -> str:
        command = [str(Path(sys.executable).parent / "idiolect"), *arguments]
        return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout

    tab = conftest.Tab(shutil.which("chromium") or "chromium", folder / "chromium")
    try:
        idiolect("start")
        idiolect("add", str(ROOT / "docs"), str(ROOT / "README.md"), str(ROOT / "CONTRIBUTING.md"))
        idiolect("train", "--wait", "--budget", str(BUDGET_S))
        idiolect("eval", "--chars", "800", "--json")
        tab.look(dark=False, width=1280, height=900)
        tab.go(json.loads(idiolect("open", "--json"))["url"])
        tab.until("document.querySelector('main:not([hidden]) #words tr') !== null")
        tab.js("document.querySelector('#text').focus(); scrollTo(0, 0)")
        tab.type(TEXT)
        tab.until("document.querySelectorAll('#offers li:not([hidden])').length > 0")
        (ROOT / "docs" / "page-light.png").write_bytes(tab.picture())
    finally:
        tab.close()
        idiolect("stop")


if __name__ == "__main__":
    main()
