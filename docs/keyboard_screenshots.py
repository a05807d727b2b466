"""Takes the pictures of docs/keyboard.md: words and grey text in Mousepad and Chromium, and three forms filled in.

For docs/feedback.md it types one text at 30 and at 90 words a minute, with what is worth a look at each.

`python docs/keyboard_screenshots.py` starts the real service with a throw-away profile that has read one sentence, and
types on a screen of its own with real keys. It needs what tests/e2e/test_keyboard.py needs, and ImageMagick.
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
FORMS = (("Tom", "Bonn", "geheim1"), ("Anna", "Berlin", "s3cret"), ("flour", "500 g", ""))
#: Written equally often, so that nobody knows which comes.
PLACES = ("lighthouse", "laundrette", "landing stage")
WORTH_A_LOOK = "It was cold, and all of us had walked for hours.\nIn the end we met at the l"
#: Milliseconds from one key to the next.
KEY_MS = 60
PAGE = """<!doctype html><title>|</title><style>body { font: 16px sans-serif; margin: 24px }</style>
<textarea rows=4 cols=60 autofocus></textarea>"""
FORM = """<!doctype html><title>|</title>
<style>body, input { font: 16px sans-serif } label { display: block; margin: 8px } input { margin-left: 8px }</style>
<label>a<input autofocus></label><label>b<input></label><label>c<input></label>"""


def main() -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = folder / "profile"
        home.mkdir()
        (home / "config.toml").write_text('keyring = false\nauto_train = false\nshow = "more"\n', "utf-8")
        if (ROOT / ".cache" / "base").is_dir():  # the tests have fetched the base model
            (home / "base").symlink_to(ROOT / ".cache" / "base")
        settings = Settings(home=home).prepare()
        process.start(settings)
        try:
            teach(settings)
            (folder / "desktop").mkdir()
            desktop = Desktop(folder / "desktop", home)
            try:
                take(desktop, folder)
                take_speeds(desktop, folder, settings)
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
        taken = {"kind": "ghost", "outcome": "accepted", "p": 0.9, "characters": 10}
        for _ in range(50):
            client.post("/v1/feedback", json=taken).raise_for_status()


def take(desktop: Any, folder: Path) -> None:
    """The pictures, one program after the other."""
    chromium = [
        "chromium",
        "--no-sandbox",
        "--no-first-run",
        "--password-store=basic",
        "--disable-gpu",
        "--test-type",
        "--app={}",
    ]
    text, page, form = folder / "text.txt", folder / "page.html", folder / "form.html"
    text.write_text("", "utf-8")
    page.write_text(PAGE, "utf-8")
    form.write_text(FORM, "utf-8")

    def browser(path: Path, number: int) -> list[str]:
        return [part.format(path.as_uri()) for part in chromium] + [f"--user-data-dir={folder / str(number)}"]

    for name, command in (
        ("mousepad", ["mousepad", "--disable-server", str(text)]),
        ("chromium", browser(page, 0)),
    ):
        with opened(desktop, name, command) as program:
            desktop.type("the teal lighthouse keeper Zorvelin hums ")
            desktop.rest(program.pid)
            desktop.press(*["BackSpace"] * len("the teal lighthouse keeper Zorvelin hums "))
            desktop.type(TYPED, delay_ms=KEY_MS)
            desktop.offers()
            desktop.rest(program.pid)
            desktop.picture(folder / "screen.png")
            cut(folder / "screen.png", DOCS / f"keyboard-{name}.png", desktop)
            program.terminate()
    pictures = []
    for number, fields in enumerate(FORMS, 1):
        zenity = ["zenity", "--forms", "--text=", *(f"--add-entry={name}" for name in "abc")]
        for name, command in (("zenity", zenity), ("chromium", browser(form, number))):
            with opened(desktop, name, command) as program:
                for place, value in enumerate(fields):
                    if place:
                        desktop.press("Tab", delay_ms=KEY_MS)
                    desktop.type(value, delay_ms=KEY_MS)
                desktop.rest(program.pid)
                pictures.append(folder / f"{number}-{name}.png")
                desktop.picture(folder / "screen.png")
                program.terminate()
            trim = ["-gravity", "center"] if name == "zenity" else []
            crop = ["-crop", "310x240+0+0"] if name == "zenity" else ["-crop", "310x110+0+0"]
            run("convert", folder / "screen.png", *trim, *crop, "+repage", pictures[-1])
    rows = [[one for one in pictures if name in one.name] for name in ("zenity", "chromium")]
    joined = [part for row in rows for part in ("(", *row, "+append", ")")]
    run("convert", *joined, "-append", "-strip", "+dither", "-colors", "64", DOCS / "keyboard-form.png")


def take_speeds(desktop: Any, folder: Path, settings: Settings) -> None:
    """What appears by itself at two speeds, behind the same letters."""
    url, token = process.find(settings).url, process.read_token(settings)
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        client.post("/v1/switches", json={"show": "auto"}).raise_for_status()
        for day in range(8):
            for place in PLACES:
                text = f"In the end we met at the {place}, all of us, on day {day}."
                client.post("/v1/history", json={"text": text, "source": "example"}).raise_for_status()
    text = folder / "speeds.txt"
    text.write_text("", "utf-8")
    with opened(desktop, "mousepad", ["mousepad", "--disable-server", str(text)]) as program:
        for words_a_minute in (90, 30):
            for _ in range(2):  # the first time it learns how fast they come
                desktop.press("ctrl+a", "Delete")
                desktop.type(WORTH_A_LOOK, delay_ms=12_000 // words_a_minute)
            desktop.rest(program.pid)
            desktop.picture(folder / "screen.png")
            picture = DOCS / f"keyboard-{words_a_minute}-words-a-minute.png"
            crop = ["-crop", "640x80+0+72", "+repage", "-strip", "+dither", "-colors", "64"]
            run("convert", folder / "screen.png", *crop, picture)
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
    if name != "zenity":
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
