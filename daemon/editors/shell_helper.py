"""The helper process of a shell: it reads the text before the cursor and writes ghost text.

One runs beside each shell that asks, so it is small: of the standard library alone. With a process of its own for each
key the shell would wait for its start, and would have to write JSON and show the token itself; this one keeps its
connection, and neither a text nor a token is ever in anybody's arguments or environment.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import select
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from idiolect.daemon.endpoint import tokens
from idiolect.daemon.runtime import process
from idiolect.models.hardening import shield

_ANSWER_S: Final = 5.0  # a service at rest takes up to 2
_LOOK_S: Final = 60.0  # between two looks whether the shell still lives
_LONGEST_CHARS: Final = 20_000

_MESSAGE: Final = re.compile(r"-[A-Za-z]*m|--message")
_FORGE: Final = re.compile(r"-[bnt]|--(?:body|description|message|notes|title)")
#: By command: the options whose argument is prose.
_PROSE: Final = {
    **dict.fromkeys(("git", "hg", "jj", "svn", "fossil", "bzr", "darcs"), _MESSAGE),
    **dict.fromkeys(("gh", "glab", "tea"), _FORGE),
}
#: What is given to these is no prose but a secret, or a program's.
_NO_PROSE: Final = {
    "alias",
    "api",
    "auth",
    "config",
    "gpg-key",
    "login",
    "logins",
    "secret",
    "ssh-key",
    "token",
    "variable",
}
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=")
#: What would end a quoted text, or mean something in it, by the quotation mark that it began with.
_SPECIAL: Final = {"": re.compile(r"(?!)"), "'": re.compile("'"), '"': re.compile(r'["`$\\!]')}


@dataclass(frozen=True)
class Asked:
    """A text to go on from, what it is (`source` of `/v1/suggest`), and the quotation mark that it stands behind."""

    text: str
    source: str
    quote: str


def asked(line: str, *, full_line: bool) -> Asked | None:
    """What to suggest where a command line goes on: prose behind an option such as git's `-m`, in quotation marks.

    With `full_line` also the command itself. None for anything else, and for a line that begins with a space: shells
    keep those out of their history, too.
    """
    if line.startswith(" ") or not line.strip() or len(line) > _LONGEST_CHARS:
        return None
    words, current, quote, opened = _split(line)
    name = os.path.basename(words[0]) if words else ""
    option, given, _ = opened.partition("=") if opened else (words[-1] if words else "", "", "")
    options = _PROSE.get(name)
    secret = options is _FORGE and not _NO_PROSE.isdisjoint(words[1:4])
    prose = options is not None and not secret and (given or not opened) and options.fullmatch(option)
    if quote and current and prose:
        return Asked(current, "", quote)
    return Asked(line, "shell", "") if full_line and not quote else None


def _split(line: str) -> tuple[list[str], str, str, str]:
    """A command line's last command: whole words; what stands in the quotation mark that is open, that mark, and what
    stands before it in the same word.
    """
    words: list[str] = []
    word, inner, quote, began, escaped = "", "", "", False, False
    before = ""
    for char in line:
        if escaped:
            kept = char if not quote or char in '"`$\\' else f"\\{char}"
            word, inner, escaped = word + kept, inner + kept, False
        elif char == "\\" and quote != "'":
            escaped, began = True, True
        elif quote:
            if char == quote:
                quote = ""
            else:
                word, inner = word + char, inner + char
        elif char in "'\"":
            quote, before, inner, began = char, word, "", True
        elif char in " \t\n;|&(":
            if began and not (not words and _ASSIGNMENT.match(word)):
                words.append(word)
            if char not in " \t":
                words = []
            word, began = "", False
        else:
            word, began = word + char, True
    return words, inner, quote, before


def fitting(ghost: str, quote: str) -> str:
    """As much of a ghost text, in whole words, as may be typed there: printable, and nothing that the shell reads."""
    cut = next((place for place, char in enumerate(ghost) if not char.isprintable()), len(ghost))
    if special := _SPECIAL[quote].search(ghost, 0, cut):
        cut = special.start()
    if cut < len(ghost) and not ghost[cut].isspace():
        return ghost[: max(ghost.rfind(" ", 0, cut), 0)]
    return ghost[:cut]


@dataclass(frozen=True)
class _Profile:
    run_dir: Path

    @property
    def lock_path(self) -> Path:
        return self.run_dir / "lock"


class _Connection(http.client.HTTPConnection):
    """Over which nothing is sent to anything but the service, though another program may have taken its port.

    `peer_check.py` says why looking after the connection is made is enough.
    """

    def __init__(self, profile: _Profile, running: process.Running) -> None:
        where = urlsplit(running.url)
        super().__init__(where.hostname or "", where.port, timeout=_ANSWER_S)
        self._profile = profile
        self._running = running

    def connect(self) -> None:
        if self._running.socket is None:
            super().connect()
        else:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(_ANSWER_S)
            self.sock.connect(self._running.socket)
        if not process.lives(self._profile, self._running):
            self.close()
            raise ConnectionError("the service is gone")


class ShellPrompt:
    """Asks the service of one profile, if it runs, over a connection that is kept."""

    def __init__(self, run_dir: Path, token_path: Path, app: str) -> None:
        """Show the token in `token_path`, and say that it is typed in the application `app`."""
        self._profile = _Profile(run_dir)
        self._token_path = token_path
        self._app = app
        self._http: http.client.HTTPConnection | None = None
        self._token = ""

    def ghost(self, wanted: Asked, *, always: bool) -> str:
        """What to show behind a text, "" for nothing; `always`: even where the service does not advise to."""
        body = {
            "prefix": wanted.text,
            "source": wanted.source,
            "candidates": 0,
            "app": self._app,
            "input_purpose": "terminal",
        }
        ghost = (self._post("/v1/suggest", body) or {}).get("ghost") or {}
        return fitting(ghost["text"], wanted.quote) if ghost.get("show") or (ghost and always) else ""

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        for _ in range(2):  # the second time to a service that was started anew
            kept = self._http is not None
            if not kept:
                self._find()
            if self._http is None:
                return None
            headers = {
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
                "User-Agent": f"idiolect-shell/{os.getpid()}",  # its own, so that it is a client of its own
            }
            try:
                self._http.request("POST", path, json.dumps(body), headers)
                answer = self._http.getresponse()
                said = answer.read()
            except TimeoutError:
                self._lose()
                return None
            except (OSError, http.client.HTTPException):
                self._lose()
            else:
                if answer.status == http.client.OK:
                    found: dict[str, Any] = json.loads(said)
                    return found
                self._lose()
                if answer.status != http.client.UNAUTHORIZED:
                    return None
            if not kept:
                return None
        return None

    def _find(self) -> None:
        running = process.find(self._profile)
        self._token = tokens.read(self._token_path).decode()
        if running is None or not self._token:
            return
        self._http = _Connection(self._profile, running)

    def _lose(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None


def _serve(prompt: ShellPrompt, *, full_line: bool) -> None:
    """Answer records `NUMBER\\nLINE\\0` with `NUMBER\\nGHOST\\0`, of several the last, until the shell goes."""
    shell = os.getppid()
    held = b""
    while os.getppid() == shell:  # the programs that it started may keep the pipe open
        if not select.select([0], [], [], _LOOK_S)[0]:
            continue
        data = os.read(0, 1 << 16)
        if not data:
            return
        *whole, held = (held + data).split(b"\0")
        if whole:
            number, _, line = whole[-1].decode(errors="replace").partition("\n")
            wanted = asked(line, full_line=full_line)
            ghost = "" if wanted is None else prompt.ghost(wanted, always=False)
            os.write(1, f"{number}\n{ghost}\0".encode())


def main() -> None:
    """Serve a shell over stdin and stdout, or with `--once` write what goes on from all of stdin."""
    shield()
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--run-dir", type=Path, required=True)
    arguments.add_argument("--token-file", type=Path, required=True)
    arguments.add_argument("--app", required=True)
    arguments.add_argument("--full-line", action="store_true")
    arguments.add_argument("--once", action="store_true")
    given = arguments.parse_args()
    prompt = ShellPrompt(given.run_dir, given.token_file, given.app)
    if given.once:
        wanted = asked(sys.stdin.read(), full_line=given.full_line)
        sys.stdout.write("" if wanted is None else prompt.ghost(wanted, always=True))
        return
    for ignored in (
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGTSTP,
    ):  # these are meant for what runs in the shell
        signal.signal(ignored, signal.SIG_IGN)
    _serve(prompt, full_line=given.full_line)


if __name__ == "__main__":
    main()
