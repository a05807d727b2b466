"""Every command on a disk that is full, one that is read-only, and in a profile that is closed to its user.

Each must end with a sentence and its exit code, and leave the profile and its service as they were. The disks are real
ones: small file systems in memory, which are mounted for these tests; that takes the rights of root.
"""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.main import get_command

from idiolect.daemon.clients.commandline import command_table
from idiolect.daemon.clients.link import ServiceClient
from idiolect.daemon.runtime import process, tokens
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import store_key
from idiolect.daemon.vault.backup import make
from idiolect.models.errors import ExitCode

SIZE = "24m"
NOBODY = 65534


@dataclass(frozen=True)
class Case:
    """A command line, and the exit codes that are right on a full disk, a read-only one, and in a closed profile.

    `served`: it asks the service, and ends with `NOT_RUNNING` where none runs. `stopped`: other codes for there.
    """

    line: str
    full: set[int]
    read_only: set[int]
    closed: set[int]
    served: bool = False
    stopped: tuple[set[int], set[int]] | None = None


def reads(line):
    """A command that asks the service for something."""
    return Case(line, {0}, {0}, {6}, served=True)


def writes(line, *others):
    """A command by which the service writes to the store: with no room it says so, unless pages are there already.

    A store that was open before its disk became read-only goes on.
    """
    return Case(line, {0, 6, *others}, {0, 6, *others}, {6}, served=True)


def alone(line, full, read_only=6, closed=6):
    """A command that does its work itself, with a service or without."""
    return Case(line, {full}, {read_only}, {closed})


CASES = (
    Case("start --json", {0}, {6}, {6}, stopped=({6}, {6})),
    alone("status --json", 0, 0),
    alone("doctor --json", 1, 1, 1),
    writes("add {notes} --json"),
    writes("watch {notes} --json"),
    writes("train", 9),
    writes("pause --for 1h"),
    writes("pause --end"),
    writes("quiet 30"),
    writes("quiet end"),
    writes("apps quiet editor"),
    writes("apps context editor off"),
    reads("sync --json"),
    reads("suggest Hello --answering {notes}/a.md"),
    reads("words list --json"),
    alone("setup --json", 0, 0),
    Case("open --no-browser --json", {0}, {0}, {6}, stopped=({6}, {6})),
    writes("eval {notes} --no-train --chars 500 --json", 9, 6),
    writes("eval --context {replies} --chars 500 --json", 9, 6),
    reads("adapters --json"),
    alone("base --json", 0, 0),
    Case("base use {gguf}", {6}, {6}, {6}),
    alone("base remove smollm2-135m", 4, 4),
    writes("use base"),
    writes("export everything {home}/export", 6),
    writes("switch corrections off"),
    writes("trial start --yes"),
    writes("trial stop", 4),
    alone("lsp --stdio", 0),
    writes("forget --id 1 --yes"),
    reads("audit --json"),
    reads("audit --show http --json"),
    alone("lock", 6),
    alone("lock --passphrase-file {passphrase}", 6),
    alone("unlock", 0, 0),
    alone("status --token admin", 0),
    alone("status --token admin --rotate", 6),
    alone("status --token suggest --rotate", 6),
    Case("backup {outside} --passphrase-file {passphrase}", {0, 6}, {0, 6}, {6}),
    Case("restore {backup} --passphrase-file {passphrase} --yes", {4}, {6}, {6}, stopped=({6}, {6})),
    Case("start {notes} --budget 1", {0, 6}, {6}, {6}, stopped=({6}, {6})),
)
#: Commands that are there to end the service or the profile: they come last.
LAST = (alone("stop --json", 0, 0), alone("purge --yes", 0))


@dataclass
class Disk:
    """A file system in memory with a profile on it, and what lies beside it."""

    settings: Settings
    beside: Path

    def fill(self):
        """Leave no room."""
        with open(self.settings.home / "filler", "wb", buffering=0) as file:
            for size in (2**20, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def read_only(self):
        """Let nothing be written by its name; what is open stays so."""
        home = str(self.settings.home)
        mount("--bind", home, home)
        mount("-o", "remount,ro,bind", home)

    def mended(self):
        """Make room, and let all be written."""
        while not os.access(self.settings.home, os.W_OK):
            subprocess.run(["umount", str(self.settings.home)], check=True)
        (self.settings.home / "filler").unlink(missing_ok=True)

    def words(self, case):
        """The case's command line."""
        places = {
            "home": self.settings.home,
            "notes": self.beside / "notes",
            "replies": self.beside / "replies.jsonl",
            "outside": self.beside,
            "backup": self.beside / "old.backup",
            "gguf": self.beside / "other.gguf",
            "passphrase": self.beside / "passphrase",
        }
        return [word.format(**places) for word in case.line.split()]

    def state(self):
        """What must not change: the service, its tokens, the key, whether it is locked."""
        settings = self.settings
        files = [settings.key_path, settings.locked_path, settings.config_path]
        kept = {path.name: path.read_bytes() if path.exists() else None for path in files}
        shown = {path.name: path.read_text() for path in sorted(settings.run_dir.glob("token*"))}
        return {"pid": process.holder(settings), **kept, **shown}

    def known(self):
        """What the service knows, if it runs."""
        if process.find(self.settings) is None:
            return None
        with ServiceClient(self.settings) as client:
            now = client.get("/v1/status")
        return {name: now[name] for name in ("entries", "watches", "paused", "adapter")}


def mount(*arguments):
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = f"file systems cannot be mounted here: {done.stderr.strip()}"
        pytest.skip(reason)


@pytest.fixture
def disk(tmp_path, tiny, tiny_profile):
    """A profile with some text on a disk of its own; its service does not run yet."""
    home = tmp_path / "home"
    home.mkdir()
    mount("-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(home))
    settings = tiny_profile(home)
    settings.config_path.write_text("keyring = false\nauto_train = false\n")
    with contextlib.closing(Store.open(settings.store_path, store_key.obtain(settings).hex)) as store:
        store.events.add("begun")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text("\n\n".join(f"Kept text number {n}." for n in range(50)))
    (tmp_path / "passphrase").write_text("four quite long words\n")
    reply = {"text": " ".join(f"Kept text number {n}." for n in range(50)), "context": ["Which ones?"]}
    (tmp_path / "replies.jsonl").write_text(json.dumps(reply))
    make(settings, tmp_path, "four quite long words").path.rename(tmp_path / "old.backup")
    shutil.copyfile(tiny.folder.parent / "tiny.gguf", tmp_path / "other.gguf")
    made = Disk(settings, tmp_path)
    yield made
    made.mended()
    process.stop(settings)
    subprocess.run(["umount", "--lazy", str(home)], check=True)


def told(code, said, allowed):
    """What is wrong with how a command ended."""
    problems = []
    if code not in allowed:
        problems.append(f"exit code {code}, not one of {sorted(allowed)}")
    problems += [f"it says {word!r}" for word in ("Traceback", "nexpected", "OSError") if word in said]
    if code not in (0, 1) and not said.rstrip().endswith((".", "\u256f")):
        problems.append("no sentence")
    return problems


def allowed(case, fault, *, running):
    """The exit codes that are right."""
    if not running and case.served:
        return {ExitCode.NOT_RUNNING}
    if not running and case.stopped is not None:
        return case.stopped[0 if fault == "full" else 1]
    return case.full if fault == "full" else case.read_only


def test_every_command_is_in_the_table():
    assert {case.line.split()[0] for case in (*CASES, *LAST)} == {*get_command(command_table.app).commands}


@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
@pytest.mark.parametrize("fault", ["full", "read only"])
def test_every_command_on_a_disk_that_cannot_be_written(disk, monkeypatch, capfd, fault, running):
    monkeypatch.setenv("IDIOLECT_HOME", str(disk.settings.home))
    monkeypatch.setenv("COLUMNS", "400")
    for scope in tokens.SCOPES:
        tokens.make(disk.settings, scope)
    if running:
        process.start(disk.settings)
    disk.fill() if fault == "full" else disk.read_only()
    problems = []
    for case in (*CASES, *LAST):
        before, knew = disk.state(), disk.known()
        monkeypatch.setattr(sys, "argv", ["idiolect", *disk.words(case)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
        with pytest.raises(SystemExit) as left:
            command_table.main()
        out, err = capfd.readouterr()
        code = left.value.code
        wrong = told(code, err, allowed(case, fault, running=running))
        if case not in LAST and (now := disk.state()) != before:
            wrong.append(f"the state was {before}, is {now}")
        if code and (known := disk.known()) != knew:
            wrong.append(f"the service knew {knew}, knows {known}")
        problems += [f"{case.line}: {problem}\n{out}{err}" for problem in wrong]
    assert problems == []
    assert disk.settings.store_path.exists() == (fault != "full")  # purge works on a full disk


#: Runs each of the command lines that it reads in a process of its own, which is forked once all is imported: starting
#: Python for each takes longer than they do. Prints their exit codes and what they said on stderr.
EACH = """
import importlib, json, os, pkgutil, sys, tempfile
from idiolect.daemon.clients.commandline import command_table, commands
for found in pkgutil.iter_modules(commands.__path__, f"{commands.__name__}."):
    importlib.import_module(found.name)
lines, told, nothing = json.load(sys.stdin), [], os.open(os.devnull, os.O_RDWR)
for words in lines:
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            for theirs, ours in enumerate((nothing, nothing, said.fileno())):
                os.dup2(ours, theirs)
            sys.stdin, sys.argv = open(os.devnull), ["idiolect", *words]
            try:
                command_table.main()
            except SystemExit as left:
                sys.stderr.flush()
                os._exit(left.code or 0)  # without taking apart what all of them share
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said.seek(0)
        told.append((code, said.read().decode()))
print(json.dumps(told))
"""


def test_every_command_in_a_profile_of_another_users(disk, monkeypatch, needs_program):
    """Whoever runs it may not even enter the folder. Root may, unless that right is given up."""
    monkeypatch.setenv("IDIOLECT_HOME", str(disk.settings.home))
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("HOME", "/")
    stranger = [needs_program("setpriv", "util-linux"), "--bounding-set=-dac_override,-dac_read_search"]
    os.chown(disk.settings.home, NOBODY, NOBODY)
    cases = [*CASES, *LAST]
    done = subprocess.run(
        [*stranger, sys.executable, "-c", EACH],
        input=json.dumps([disk.words(case) for case in cases]),
        capture_output=True,
        text=True,
        check=True,
    )
    problems = [
        f"{case.line}: {one}\n{said}"
        for case, (code, said) in zip(cases, json.loads(done.stdout), strict=True)
        for one in told(code, said, case.closed)
    ]
    assert problems == []
