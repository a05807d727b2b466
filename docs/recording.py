"""Draws `setup.svg`: a terminal in which Neovim is set up, and a word is taken from its menu.

`python docs/recording.py` runs a real shell and the Neovim that is installed, with a home folder and a profile of their
own, which end with it. The profile has read this project's documents. What the terminal shows after each key becomes a
frame; the seconds between them are those that it took, at most one and a half.
"""

from __future__ import annotations

import argparse
import os
import pty
import select
import subprocess
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pyte

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "setup.svg"

_COLUMNS, _ROWS = 100, 22
_CHAR_PX, _LINE_PX, _LEFT_PX, _TOP_PX = 7.8, 18, 16, 28
_KEY_S, _LONGEST_S, _END_S = 0.09, 1.5, 5.0
_DEADLINE_S = 120.0


@dataclass(frozen=True)
class Frame:
    """What the terminal shows, row by row, and for how long."""

    rows: tuple[str, ...]
    chosen: frozenset[int]  # the rows of which a part is shown in reverse
    seconds: float


class Recorder:
    """A program in a terminal; each change of its screen is a frame."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (_ROWS, _COLUMNS))
        self._screen = pyte.Screen(_COLUMNS, _ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *command], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
        )
        os.close(theirs)
        self.frames: list[Frame] = []

    def type(self, keys: str) -> None:
        """Press keys one after another."""
        for key in keys:
            os.write(self._ours, key.encode())
            self._watch(_KEY_S)

    def until(self, text: str) -> None:
        """Wait until this stands on the screen. Raises TimeoutError."""
        end_s = time.monotonic() + _DEADLINE_S
        while not any(text in row for row in self._screen.display):
            if time.monotonic() > end_s:
                raise TimeoutError("\n".join(self._screen.display))
            self._watch(0.2)

    def close(self) -> None:
        """End the program."""
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def _watch(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            if not select.select([self._ours], [], [], left_s)[0]:
                break
            self._stream.feed(os.read(self._ours, 1 << 16))
        rows = tuple(row.rstrip() for row in self._screen.display)
        chosen = frozenset(
            y for y in range(_ROWS) if any(cell.reverse for cell in self._screen.buffer[y].values())
        )
        if self.frames and (self.frames[-1].rows, self.frames[-1].chosen) == (rows, chosen):
            last = self.frames.pop()
            seconds += last.seconds
        self.frames.append(Frame(rows, chosen, min(seconds, _LONGEST_S)))


def main() -> None:
    """Records the scene and writes the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        frames = record(Path(folder))
    arguments.out.write_text(draw(frames), "utf-8")
    sys.stdout.write(
        f"{len(frames)} frames, recorded in {time.monotonic() - began_s:.0f} s: {arguments.out}\n"
    )


def record(home: Path) -> list[Frame]:
    """Plays the scene in a home folder of its own."""
    profile = home / ".local" / "share" / "idiolect"
    profile.mkdir(parents=True)
    (profile / "config.toml").write_text("keyring = false\nauto_train = false\n", "utf-8")
    if (ROOT / ".cache" / "base").is_dir():  # the tests have fetched the base model
        (profile / "base").symlink_to((ROOT / ".cache" / "base").resolve())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "IDIOLECT_"))}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**kept, "HOME": str(home), "PATH": path, "PS1": "$ ", "TERM": "xterm-256color"}
    subprocess.run(["idiolect", "start"], env=environment, check=True, capture_output=True)
    subprocess.run(["idiolect", "add", str(ROOT / "docs")], env=environment, check=True, capture_output=True)
    shell = Recorder(["bash", "--norc", "--noprofile"], environment | {"PWD": str(home)})
    try:
        shell.type("cd; clear\r")
        shell.frames.clear()
        shell.type("idiolect setup neovim --yes\r")
        shell.until("First:")
        shell.type("nvim letter.md\r")
        shell.until("letter.md")
        shell.type("iEverything stays on your own mach")
        shell.until("machine")
        shell.type("\x0e\x19. You can forget any sent")
        shell.until("sentence")
        shell.type("\x0e\x19.\x1b")
        return [*shell.frames[:-1], Frame(shell.frames[-1].rows, shell.frames[-1].chosen, _END_S)]
    finally:
        shell.close()
        subprocess.run(["idiolect", "stop"], env=environment, check=False, capture_output=True)


def draw(frames: list[Frame]) -> str:
    """An SVG that shows the frames one after another, and the last one alone where nothing moves."""
    whole_s = sum(frame.seconds for frame in frames)
    styles, groups, start_s = [], [], 0.0
    for number, frame in enumerate(frames):
        end_s = start_s + frame.seconds
        steps = ((0.0, "hidden"), (start_s, "visible"), (end_s, "hidden"))
        shown = "".join(f"{100 * at_s / whole_s:.3f}%{{visibility:{state}}}" for at_s, state in steps)
        styles.append(f"@keyframes f{number}{{{shown}}}#f{number}{{animation-name:f{number}}}")
        rows = "".join(_row(y, row, chosen=y in frame.chosen) for y, row in enumerate(frame.rows) if row)
        groups.append(f'<g id="f{number}" class="f">{rows}</g>')
        start_s = end_s
    width, height = 2 * _LEFT_PX + _COLUMNS * _CHAR_PX, _TOP_PX + _ROWS * _LINE_PX
    return _SVG.format(
        width=f"{width:.0f}",
        height=height,
        seconds=f"{whole_s:.2f}",
        last=f"#f{len(frames) - 1}",
        styles="\n".join(styles),
        groups="\n".join(groups),
    )


def _row(y: int, text: str, *, chosen: bool) -> str:
    """A row of text; one of which a part is chosen is set in bold."""
    kind = ' class="chosen"' if chosen else ""
    return (
        f'<text{kind} x="{_LEFT_PX}" y="{_TOP_PX + y * _LINE_PX}" xml:space="preserve">{escape(text)}</text>'
    )


_SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title>Neovim is set up with one command, and words are taken from its menu</title>
<style>
text{{font:13px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;fill:#d5dae0}}
.chosen{{font-weight:bold;fill:#ffffff}}
.f{{visibility:hidden;animation:{seconds}s step-end infinite}}
{styles}
{last}{{visibility:visible}}
@media (prefers-reduced-motion:reduce){{.f{{animation:none!important}}}}
</style>
<rect width="{width}" height="{height}" rx="8" fill="#1b2027"/>
{groups}
</svg>
"""


if __name__ == "__main__":
    main()
