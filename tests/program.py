"""The real program on a profile: its command line in processes of its own, and its endpoint."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
from waiting import DEADLINE_S

from idiolect.daemon.clients.commandline import command_table
from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings

#: What starts the program, before its arguments.
IDIOLECT = [
    sys.executable,
    "-c",
    "from idiolect.daemon.clients.commandline.command_table import main; main()",
]


def every_command() -> Iterator[tuple[str, Any]]:
    """Each command that does something, sub-commands too, with its words, such as "apps remove"."""
    for name in (name for group in command_table.COMMANDS.values() for name in group):
        command = command_table.load(name)
        for below, inner in getattr(command, "commands", {"": command}).items():
            yield f"{name} {below}".strip(), inner


def run_idiolect(
    environment: Mapping[str, str], *arguments: object, code: int = 0, typed: str | None = None
) -> tuple[str, str]:
    """What a command prints in an environment, and what it says on stderr; it ends with `code`."""
    command = [*IDIOLECT, *map(str, arguments)]
    done = subprocess.run(command, env=environment, input=typed, capture_output=True, text=True, check=False)
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    assert "Traceback" not in done.stdout + done.stderr, (arguments, done.stdout, done.stderr)
    return done.stdout, done.stderr


class Program:
    """The command line on a profile, and its endpoint once its service runs."""

    def __init__(self, home: Path, base_dir: Path | None = None, settings: str = "") -> None:
        """With the folder of a base model the profile is made, with these lines in its `config.toml`."""
        if base_dir is not None:
            home.mkdir(exist_ok=True)
            (home / "config.toml").write_text(f"keyring = false\nauto_train = false\n{settings}")
            (home / "base").symlink_to(base_dir)
        self.home, self.settings = home, Settings(home=home)
        self.env = {**os.environ, "IDIOLECT_HOME": str(home)}

    def run(self, *arguments: object, code: int = 0, typed: str | None = None) -> str:
        """What a command prints; with `--json` without what it says on stderr."""
        out, err = run_idiolect(self.env, *arguments, code=code, typed=typed)
        return out if "--json" in arguments else out + err

    def json(self, *arguments: object) -> Any:
        return json.loads(self.run(*arguments, "--json"))

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {process.read_token(self.settings)}"}
        url = process.find(self.settings).url
        # Nothing is encrypted on loopback: certificates take longer to load than an answer takes.
        return httpx.Client(base_url=url, headers=headers, trust_env=False, verify=False, timeout=DEADLINE_S)

    def tell_speed(self, times_ms: Iterable[int]) -> None:
        """Have the service hear how fast letters followed one another, as often as there are times."""
        with self.client() as client:
            for letter_ms in times_ms:
                body = {"prefix": "We sail", "ghost_words": 0, "letter_ms": letter_ms}
                client.post("/v1/suggest", json=body).raise_for_status()

    def post(self, path: str, **body: object) -> httpx.Response:
        with self.client() as client:
            return client.post(path, json=body)
