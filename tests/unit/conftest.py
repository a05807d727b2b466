"""What tests of several modules share: a store, and a command that is run in this process."""

import io
import sys
from contextlib import closing

import pytest
from knowledge import know
from publishing import KEY

from idiolect.daemon.clients.commandline import command_table
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.store import Store
from idiolect.models.lexicon import read_lexicon


@pytest.fixture
def store(tmp_path):
    """An empty store in `store.db`, closed after the test."""
    with closing(Store.open(tmp_path / "store.db", KEY)) as store:
        yield store


@pytest.fixture(scope="session")
def knowing(tiny, tiny_tokenizer):
    """`knowing(*texts)`: what is known after these entries, as `know` says."""
    lexicon = read_lexicon(tiny.lexicon)
    return lambda *texts, **more: know(lexicon, tiny_tokenizer, texts, **more)


@pytest.fixture
def run(monkeypatch, capsys):
    """`run(profile, *arguments)`: run a command; its exit code, what it printed, and its error output.

    `typed` is what stands on stdin, text or bytes; `terminal` says that somebody types it there.
    """

    def run(profile, *arguments, typed="", columns=1000, terminal=False):
        home = profile.home if isinstance(profile, Settings) else profile
        monkeypatch.setenv("IDIOLECT_HOME", str(home))
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys, "argv", ["idiolect", *map(str, arguments)])
        data = typed if isinstance(typed, bytes) else typed.encode()
        stdin = io.TextIOWrapper(io.BytesIO(data), "utf-8")
        stdin.isatty = lambda: terminal
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(SystemExit) as left:
            command_table.main()
        out, err = capsys.readouterr()
        return left.value.code, out, err

    return run
