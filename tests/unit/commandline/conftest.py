"""What the tests of the command line share: services of the tiny model, and ways to run a command."""

import contextlib
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from publishing import publish
from serving import serving

from idiolect.daemon.ingest.entry_batch import identity
from idiolect.daemon.storage.records import NewEntry

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def learn(site, texts):
    """Have a service know texts, each with its source, application and time; their numbers."""
    entries = [
        NewEntry(text, source, app, at, b"\1\0\0\0" * 3, text.count("[password]"), identity(str(place)))
        for place, (text, source, app, at) in enumerate(texts)
    ]
    numbers = site.service.store.entries.add(entries)
    site.service.model.rebuild()
    return numbers


@pytest.fixture(scope="module")
def site(tiny, tiny_profile, make_lora, tmp_path_factory):
    """A service in this process that knows a sentence and serves an adapter, for tests that change little."""
    with serving(tiny_profile(tmp_path_factory.mktemp("profile") / "home", threads=1)) as site:
        seen = learn(site, [("Thanks for the quay.", "test", None, NOON)])
        metrics = {"base_sha256": tiny.source_sha256}
        site.service.model.use(
            publish(site.service.store, blob=make_lora(tiny.config).to_bytes(), seen=seen, metrics=metrics)
        )
        yield site


@pytest.fixture(scope="module")
def service(site):
    """The settings of :func:`site`'s profile."""
    return site.settings


@pytest.fixture
def knowing(tiny_profile, tmp_path):
    """`knowing(texts)`: a service of the test's own that has read these texts, each with where it was written."""
    with contextlib.ExitStack() as running:

        def knowing(*texts, **given):
            site = running.enter_context(serving(tiny_profile(tmp_path / "home", threads=1, **given)))
            learn(site, texts)
            return site

        yield knowing


@pytest.fixture(scope="session")
def program():
    """`program(home, *arguments)`: what a user runs, in a process of its own."""

    def program(home, *arguments, **more):
        environment = {**os.environ, "IDIOLECT_HOME": str(home), "COLUMNS": "1000"}
        command = [str(Path(sys.executable).with_name("idiolect")), *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, **more)

    return program
