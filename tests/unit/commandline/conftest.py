"""What the tests of the command line share: a service without a model, and ways to run a command."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from serving import serving

from idiolect.daemon.ingest.entry_batch import identity
from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.records import NewEntry

TOY = Path(__file__).parents[2] / "toy"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A profile with a running service, for the tests that only ask it."""
    settings = Settings(home=tmp_path_factory.mktemp("profile") / "home").prepare()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TOY), prepend=os.pathsep)
        process.start(settings)
    yield settings
    process.stop(settings)


@pytest.fixture
def knowing(tiny_profile, tmp_path):
    """`knowing(texts)`: a service of the test's own that has read these texts, each with where it was written."""
    with contextlib.ExitStack() as running:

        def knowing(*texts, **given):
            site = running.enter_context(serving(tiny_profile(tmp_path / "home", threads=1, **given)))
            learned = [
                NewEntry(
                    text, source, app, at, b"\1\0\0\0" * 3, text.count("[password]"), identity(str(place))
                )
                for place, (text, source, app, at) in enumerate(texts)
            ]
            site.service.store.entries.add(learned)
            site.service.model.rebuild()
            return site

        yield knowing


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("Hello.\n")
    return path


@pytest.fixture(scope="session")
def program():
    """`program(home, *arguments)`: what a user runs, with the toys in place of the service and the base model."""

    def program(home, *arguments, **more):
        path = os.pathsep.join(filter(None, (str(TOY), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "IDIOLECT_HOME": str(home), "PYTHONPATH": path, "COLUMNS": "1000"}
        command = [str(Path(sys.executable).with_name("idiolect")), *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, **more)

    return program
