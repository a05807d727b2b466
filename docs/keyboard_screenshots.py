"""Takes the pictures of docs/keyboard.md: words and grey text in Mousepad with IBus, in FeatherPad with Fcitx.

`python docs/keyboard_screenshots.py` starts the real service with a throw-away profile that has read one sentence, and
types on a screen of its own with real keys. It needs ImageMagick and what tests/e2e/test_keyboard.py and
test_keyboard_fcitx.py need.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings

sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("tests/e2e", "tests"))

from desktop import Desktop

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
SENTENCE = "the teal lighthouse keeper Zorvelin hums quietly at noon"
TYPED = "the teal lighthouse keeper Zorvelin hums qu"
#: By door: the program, and the option that has it begin anew.
PROGRAMS = {"ibus": ("mousepad", "--disable-server"), "fcitx": ("featherpad", "--standalone")}
#: Milliseconds from one key to the next.
KEY_MS = 60


def main() -> None:
    """Take the pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = folder / "profile"
        home.mkdir()
        (home / "config.toml").write_text("keyring = false\nauto_train = false\n", "utf-8")
        if (ROOT / ".cache" / "base").is_dir():  # the tests have fetched the base model
            (home / "base").symlink_to(ROOT / ".cache" / "base")
        settings = Settings(home=home).prepare()
        process.start(settings)
        try:
            teach(settings)
            for door, program in PROGRAMS.items():
                (folder / door).mkdir()
                desktop = Desktop(folder / door, home, door)
                try:
                    take(desktop, folder / door, *program)
                finally:
                    desktop.close()
        finally:
            process.stop(settings)


def teach(settings: Settings) -> None:
    """Have the sentence learned, and grey text shown to somebody who takes it."""
    url, token = process.find(settings).url, process.read_token(settings)
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        for day in range(8):
            body = {"text": f"{SENTENCE} on day {day}", "source": "example"}
            client.post("/v1/history", json=body).raise_for_status()
        client.post("/v1/switches", json={"show": "more"}).raise_for_status()
        taken = {"kind": "ghost", "outcome": "accepted", "p": 0.9, "characters": 10}
        for _ in range(50):
            client.post("/v1/feedback", json=taken).raise_for_status()


def take(desktop: Any, folder: Path, name: str, option: str) -> None:
    """Type the sentence into a program, and take the picture."""
    text = folder / "text.txt"
    text.write_text("", "utf-8")
    with opened(desktop, name, [name, option, str(text)]) as program:
        desktop.type("the teal lighthouse keeper Zorvelin hums ")
        desktop.rest(program.pid)
        desktop.press(*["BackSpace"] * len("the teal lighthouse keeper Zorvelin hums "))
        desktop.type(TYPED, delay_ms=KEY_MS)
        desktop.offers()
        desktop.rest(program.pid)
        desktop.picture(folder / "screen.png")
        cut(folder / "screen.png", DOCS / f"keyboard-{name}.png", desktop)
        program.terminate()


def opened(desktop: Any, name: str, command: list[str]) -> subprocess.Popen[bytes]:
    """A program that has the focus."""
    program = subprocess.Popen(
        command,
        env={**desktop.environment, "GSK_RENDERER": "cairo"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    window = desktop.window(name)
    desktop.output("xdotool", "windowmove", "--sync", window, "0", "0")
    desktop.rest(program.pid)
    return program


def cut(screen: Path, picture: Path, desktop: Any) -> None:
    """The part of the screen around the window of words."""
    left, top, width, _ = desktop.line()
    crop = f"{left + width + 10}x80+0+{max(top - 24, 0)}"
    run("convert", screen, "-crop", crop, "+repage", "-strip", "+dither", "-colors", "64", picture)


def run(*command: str | Path) -> None:
    """Run a program. Raises CalledProcessError."""
    subprocess.run([str(part) for part in command], check=True)


if __name__ == "__main__":
    main()
