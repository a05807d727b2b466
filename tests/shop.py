"""A profile, and a shelf with the packages of a base model that it could go over to."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from waiting import DEADLINE_S
from wheels import PIP_ALONE, write_wheel

from idiolect.daemon.clients.link import ServiceClient
from idiolect.daemon.settings import Settings
from idiolect.models.known_bases import DEFAULT, KnownBase, Terms

TERMS = "<html><body>Menu<article><h1>Terms</h1>\n<p>Be kind.</p></article></body></html>"

#: The program knows one base model more.
KNOWS = """
from idiolect.models import known_bases, lexicon
from idiolect.models.fetch import Pin
from idiolect.models.known_bases import DEFAULT, KnownBase, Terms
known_bases.DEFAULT = {default!r}
known_bases.KNOWN = (known_bases.DEFAULT, {known!r})
lexicon.SIZE = 1000
"""

#: Where it reaches a point it says so, and waits for its end.
PROGRAM = """
import shutil, sys
from idiolect.models import durable
point, sys.argv = sys.argv[1], ["idiolect", *sys.argv[2:]]

def wait(*_):
    print("there", flush=True)
    sys.stdin.read()

def before(module, name, condition=lambda *_: True):
    done = getattr(module, name)
    setattr(module, name, lambda *given, **named: (condition(*given) and wait(), done(*given, **named))[1])

from idiolect.daemon.clients.commandline import command_table
from idiolect.daemon.runtime import service_unit
from idiolect.models import base_choice, build
if point == "chunk":
    from idiolect.models import known_bases
    before(known_bases, "fetch", lambda folder, *_: (folder / "part0").exists())
if point == "join":
    from idiolect.models import known_bases
    before(known_bases, "_join")
if point == "build":
    before(build.durable, "write", lambda path, _: path.name == "manifest.json")
if point == "asked":
    sys.stdin.isatty = lambda: True
if point == "ended":
    before(base_choice, "write_choice")
if point == "chosen":
    before(service_unit, "start")
command_table.main()
"""


@dataclass
class Shop:
    """A profile with a service, and a shelf with the packages of another base model."""

    settings: Settings
    default: KnownBase
    known: KnownBase
    shelf: Path

    @property
    def knows(self):
        return KNOWS.format(default=self.default, known=self.known)

    @property
    def index(self):
        """What has pip look on the shelf alone."""
        return {**PIP_ALONE, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.shelf)}

    def run(self, *words, point="", known=None):
        program = (self if known is None else replace(self, known=known)).knows + PROGRAM
        environment = {
            **{name: value for name, value in os.environ.items() if not name.upper().startswith("PIP_")},
            "IDIOLECT_HOME": str(self.settings.home),
            **self.index,
            "COLUMNS": "1000",
        }
        return subprocess.Popen(
            [sys.executable, "-c", program, point, *words],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def done(self, *words, known=None):
        with self.run(*words, known=known) as child:
            out, err = child.communicate(timeout=DEADLINE_S)
        return child.returncode, out, err

    def killed(self, point, *more):
        with self.run("base", "use", "other", *more, point=point) as child:
            try:
                assert child.stdout is not None
                assert child.stdout.readline() == "there\n", child.stderr and child.stderr.read()
            finally:
                child.send_signal(signal.SIGKILL)
        assert child.returncode == -signal.SIGKILL

    def status(self):
        with ServiceClient(self.settings) as client:
            return client.get("/v1/status")

    def suggestion(self):
        with ServiceClient(self.settings) as client:
            return client.post("/v1/suggest", {"prefix": "the harbour is "})


def make_shop(tiny, tiny_profile, make_gguf, tmp_path):
    """A shop in a folder, whose service does not run."""
    settings = tiny_profile(tmp_path / "home")
    settings.base_dir.unlink()
    shutil.copytree(tiny.folder, settings.base_dir / "model")
    settings.config_path.write_text("keyring = false\nauto_train = false\n")
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    data = make_gguf(tmp_path / "made.gguf", known_merges=40).read_bytes()
    chunks = (data[: len(data) // 2], data[len(data) // 2 :])
    known = KnownBase(
        name="other",
        title="Other 1M",
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        parts=tuple(write_wheel(shelf, f"other{n}", f"part{n}", chunk) for n, chunk in enumerate(chunks)),
        languages=("de",),
        licence="Terms of Kindness",
        memory_mb=1,
        terms=Terms(
            "Terms of Kindness",
            write_wheel(shelf, "other", "GEMMA_TERMS.html", TERMS.encode()),
            "kind.example",
            "Be kind.",
        ),
    )
    # The tiny model is the default, and the service calls it by its own name.
    return Shop(settings, replace(DEFAULT, sha256=tiny.source_sha256), known, shelf)
