"""Draws `typing.svg`, the picture in the README: a sentence that is typed with the program's own suggestions.

`python docs/picture.py` starts the real service with a throw-away profile, lets it read this project's documents, and
asks for suggestions before each key. The typist takes what is right, as `idiolect eval` does: the rest of a word from
three words for one key, or one word of a ghost text for a Tab. The picture shows every key that is pressed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "typing.svg"
SENTENCE = (
    "The service keeps your text in one encrypted file on your own machine. "
    "You can forget a sentence at any time, with every adapter that has learned from it."
)
READS = ("docs", "README.md", "CONTRIBUTING.md")

_KEY_S = 0.28  # how long a frame is shown after a typed letter
_TAKE_S = 0.7  # and after something was taken, so that it can be read
_END_S = 4.0
_WIDTH, _HEIGHT = 780, 174  # pixels
_COLUMNS, _CHAR_PX, _LINE_PX = 80, 9.0, 26
_LEFT_PX, _TOP_PX, _WORDS_PX = 30, 62, 126


@dataclass(frozen=True)
class Frame:
    """What is on screen before a key: the text, what is suggested, and which key comes next."""

    text: str
    ghost: str
    words: tuple[str, ...]
    key: str  # "" for the last frame
    keys: int  # pressed so far

    @property
    def seconds(self) -> float:
        """How long the frame is shown."""
        if not self.key:
            return _END_S
        return _KEY_S if len(self.key) == 1 and not self.key.isdigit() else _TAKE_S


def main() -> None:
    """Records the sentence and writes the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--text", default=SENTENCE, help="what is typed")
    parser.add_argument("--out", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        frames = record(Path(home), arguments.text)
    arguments.out.write_text(draw(frames), "utf-8")
    sys.stdout.write(f"{frames[-1].keys} keys for {len(arguments.text)} characters: {arguments.out}\n")


def record(home: Path, wanted: str) -> list[Frame]:
    """Types `wanted` beside a service of its own that has read this project's documents."""
    (home / "config.toml").write_text("keyring = false\nauto_train = false\n", "utf-8")
    if (ROOT / ".cache" / "base").is_dir():  # the tests have fetched the base model
        (home / "base").symlink_to(ROOT / ".cache" / "base")
    environment = {**os.environ, "IDIOLECT_HOME": str(home)}

    def idiolect(*arguments: str) -> str:
        command = [str(Path(sys.executable).parent / "idiolect"), *arguments]
        return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout

    status = json.loads(idiolect("start", "--json"))
    try:
        idiolect("add", *(str(ROOT / name) for name in READS))
        return type_text(status["url"], idiolect("token", "--scope", "suggest", "--show").strip(), wanted)
    finally:
        idiolect("stop")


def type_text(url: str, token: str, wanted: str) -> list[Frame]:
    """The frames of typing `wanted` with as few keys as the suggestions allow."""
    frames: list[Frame] = []
    text, keys = "", 0
    while text != wanted:
        answer = suggest(url, token, text)
        ghost = answer["ghost"]["text"] if answer["ghost"]["show"] else ""
        words = tuple(word["text"] for word in answer["words"])
        taken, key = take(wanted[len(text) :], words, ghost)
        frames.append(Frame(text, ghost, words, key, keys))
        text, keys = text + taken, keys + 1
    return [*frames, Frame(text, "", (), "", keys)]


def suggest(url: str, token: str, prefix: str) -> dict[str, Any]:
    """The answer of the service to a prefix."""
    bearer = {"Authorization": f"Bearer {token}"}
    answered = httpx.post(f"{url}/v1/suggest", json={"prefix": prefix}, headers=bearer, timeout=60)
    found: dict[str, Any] = answered.raise_for_status().json()
    return found


def take(rest: str, words: tuple[str, ...], ghost: str) -> tuple[str, str]:
    """What the next key adds to the text, and the key: "Tab", the number of a word, or a letter."""
    right = re.match(r"\W*[\w']+", ghost)
    if right and rest.startswith(right[0]) and not rest[len(right[0]) :][:1].isalnum() and len(right[0]) > 1:
        return right[0], "Tab"
    ends = re.match(r"[\w']+", rest)
    if ends and ends[0] in words and len(ends[0]) > 1:
        space = rest[len(ends[0]) :].startswith(" ")
        return ends[0] + " " * space, str(words.index(ends[0]) + 1)
    return rest[0], rest[0]


def draw(frames: list[Frame]) -> str:
    """An SVG that shows the frames one after another, and the last one alone where nothing moves."""
    whole_s = sum(frame.seconds for frame in frames)
    styles, groups, start_s = [], [], 0.0
    for number, frame in enumerate(frames):
        end_s = start_s + frame.seconds
        steps = [(0.0, "hidden"), (start_s, "visible"), (end_s, "hidden")]
        shown = "".join(f"{100 * at_s / whole_s:.3f}%{{visibility:{state}}}" for at_s, state in steps)
        styles.append(f"@keyframes f{number}{{{shown}}}#f{number}{{animation-name:f{number}}}")
        groups.append(f'<g id="f{number}" class="f">{_frame(frame)}</g>')
        start_s = end_s
    return _SVG.format(
        width=_WIDTH,
        height=_HEIGHT,
        seconds=f"{whole_s:.2f}",
        last=f"#f{len(frames) - 1}",
        styles="\n".join(styles),
        groups="\n".join(groups),
        saved=len(frames[-1].text) - frames[-1].keys,
        characters=len(frames[-1].text),
    )


def _frame(frame: Frame) -> str:
    """The text and the ghost behind it, the words below, and what was pressed."""
    parts, before = [], 0
    for row, line in enumerate(_lines(frame.text + frame.ghost)):
        own = len(frame.text) - before  # characters of this line that are typed, if the cursor is in it
        ends_here = own <= len(line) and (own >= 0 if row == 0 else own > 0)
        spans = escape(line[: max(0, own)])
        if ends_here:
            spans += '<tspan class="caret">|</tspan>'
        spans += f'<tspan class="ghost">{escape(line[max(0, own) :])}</tspan>'
        parts.append(_text(_LEFT_PX, _TOP_PX + row * _LINE_PX, spans))
        before += len(line)
    [begun] = re.findall(r"[\w']*$", frame.text)[:1]
    x = float(_LEFT_PX)
    for number, word in enumerate(frame.words, 1):
        width = (len(begun + word) + 4) * _CHAR_PX
        chosen = " chosen" if frame.key == str(number) else ""
        box = f'x="{x:.0f}" y="{_WORDS_PX - 19}" width="{width:.0f}" height="27" rx="6"'
        parts.append(f'<rect class="word{chosen}" {box}/>')
        label = f'<tspan class="number">{number}</tspan> <tspan class="ghost">{escape(begun)}</tspan>{escape(word)}'
        parts.append(_text(x + 0.9 * _CHAR_PX, _WORDS_PX, label))
        x += width + 10
    key = {" ": "space"}.get(frame.key, frame.key)
    pressed = f"next key: {escape(key)}" if key else "done"
    so_far = f"{frame.keys} keys for {len(frame.text)} characters"
    parts.append(_text(_LEFT_PX, _HEIGHT - 14, f"{so_far} · {pressed}", "note"))
    return "".join(parts)


def _lines(text: str) -> list[str]:
    """Cuts a text at spaces into lines that fit; nothing is lost between them."""
    lines = [""]
    for piece in re.findall(r"\S*\s?", text):
        if len(lines[-1]) + len(piece.rstrip()) > _COLUMNS:
            lines.append("")
        lines[-1] += piece
    return lines


def _text(x: float, y: float, spans: str, kind: str = "") -> str:
    return f'<text class="{kind}" x="{x:.0f}" y="{y:.0f}" xml:space="preserve">{spans}</text>'


_SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title>A sentence of {characters} characters is typed; suggestions save {saved} keys</title>
<style>
text{{font:15px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;fill:#1f2328}}
.f{{visibility:hidden;animation:{seconds}s step-end infinite}}
.ghost{{fill:#8c959f}} .number{{fill:#0969da}} .note{{font-size:12px;fill:#656d76}}
.word{{fill:#fff;stroke:#d0d7de}} .chosen{{fill:#ddf4ff;stroke:#0969da}} .caret{{fill:#0969da}}
{styles}
{last}{{visibility:visible}}
@media (prefers-reduced-motion:reduce){{.f{{animation:none!important}}}}
</style>
<rect width="{width}" height="{height}" rx="10" fill="#f6f8fa" stroke="#d0d7de"/>
<text class="note" x="30" y="26">idiolect, after it read this project's documents</text>
{groups}
</svg>
"""


if __name__ == "__main__":
    main()
