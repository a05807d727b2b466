"""An import that is killed in the middle, and then done again: nothing is lost, nothing comes twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "5a" * 32
PARAGRAPHS = 700  # a file: more than one transaction, and not a whole number of them
FILES = 4

# Says how many entries are committed after each step, and that it is done.
IMPORT = f"""
import sys
from pathlib import Path
from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.store import Store
home, notes = map(Path, sys.argv[1:])
settings = Settings(home=home).prepare()
store = Store.open(settings.store_path, "{KEY}")
heard = []
ingest = Ingest(store, lambda text: list(text.encode()), heard.extend, settings)
for step in ingest.add_paths([notes]):
    print(len(heard), flush=True)
print("done", flush=True)
store.close()
"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Plain text, Markdown and JSON lines, with texts that are genuinely repeated."""
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(FILES):
        texts = [f"File {number}, paragraph {n}." for n in range(PARAGRAPHS - 2)] + ["Pls print."] * 2
        if number % 3 == 2:
            lines = [json.dumps({"text": text, "ts": 1e9 * number + n}) for n, text in enumerate(texts)]
            (folder / f"{number}.jsonl").write_text("\n".join(lines))
        else:
            suffix = "md" if number % 3 else "txt"
            (folder / f"{number}.{suffix}").write_text("\n\n".join(texts))
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    return Settings(home=tmp_path / "home").prepare().home


def start(home: Path, notes: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", IMPORT, home, notes], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(home: Path, notes: Path) -> int:
    """Import in a process of its own; how many entries that brought."""
    with start(home, notes) as process:
        said, complaints = process.communicate(timeout=120)
    assert (process.returncode, complaints) == (0, "")
    *counts, done = said.split()
    assert done == "done"
    return int(counts[-1])


def kill_after(home: Path, notes: Path, steps: int) -> int:
    """Kill an import when it has reported `steps` times; how many entries it knew to be committed."""
    with start(home, notes) as process:
        assert process.stdout is not None
        for _ in range(steps):
            line = process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    return int(line)


def stored(home: Path) -> Counter[str]:
    store = Store.open(Settings(home=home).store_path, KEY)
    try:
        return Counter(entry.text for entry in store.entries.select())
    finally:
        store.close()


def wanted() -> Counter[str]:
    texts = Counter(
        f"File {number}, paragraph {n}." for number in range(FILES) for n in range(PARAGRAPHS - 2)
    )
    return texts + Counter({"Pls print.": 2 * FILES})


@pytest.mark.parametrize("steps", [1, 4])
def test_killed_once(home: Path, notes: Path, steps: int) -> None:
    promised = kill_after(home, notes, steps)
    kept = stored(home)
    assert promised <= kept.total() < wanted().total()
    assert kept <= wanted()
    assert finish(home, notes) == wanted().total() - kept.total()
    assert stored(home) == wanted()
    assert finish(home, notes) == 0


def test_edits_after_a_killed_import_are_still_found(home: Path, notes: Path) -> None:
    kill_after(home, notes, 2)
    finish(home, notes)
    path = notes / "0.txt"
    path.write_text(path.read_text().replace("paragraph 450.", "paragraph 450. And a new sentence."))
    assert finish(home, notes) == 1
    assert stored(home) == wanted() + Counter(["And a new sentence."])
