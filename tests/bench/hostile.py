"""Strangers' files: what suggestions wait while each is read, what it takes of memory, and what becomes of it.

``python tests/bench/hostile.py`` starts a service of its own, has one client type 8 keys a second, first alone and then
while each of the files is imported that ``tests/unit/test_reading.py`` makes, and a folder of 30,000 other files, and
a text of a megabyte is sent. Waiting is counted from when a key was due. It needs the base model, and takes about five
minutes; nothing here fails on a figure.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from ingest import BASE
from load import Caller, type_on
from run import Profile

ALONE_S = 15.0
LEAST_S = 6.0
MOST_S = 30.0
MESSAGES = [
    f"On {day} {who} and I went down to the {place} to look at the {what}, and it was much colder than we thought."
    for day in ("Monday", "Tuesday", "Thursday", "Friday", "Saturday", "Sunday")
    for who in ("Anna", "my brother", "the neighbours", "Tom")
    for place in ("harbour", "market", "library")
    for what in ("boats", "old maps", "new bridge", "fish")
]


def _hostile() -> tuple[Callable[[Path], None], ...]:
    path = Path(__file__).parents[1] / "unit" / "test_reading.py"
    spec = importlib.util.spec_from_file_location("test_reading", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["test_reading"] = module
    spec.loader.exec_module(module)
    made: tuple[Callable[[Path], None], ...] = module.HOSTILE
    return made


def _others(path: Path) -> None:
    folder = path.with_suffix(".d")
    folder.mkdir()
    for number in range(30_000):
        (folder / f"{number}.bin").touch()
    (folder / "a.md").write_text("One.\n")


class _Memory:
    """The most that the service and its children hold, in MB, while it is watched."""

    def __init__(self, pid: int) -> None:
        self._service = psutil.Process(pid)
        self.service = self.child = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> _Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            with contextlib.suppress(psutil.Error):
                self.service = max(self.service, self._service.memory_info().rss >> 20)
                for child in self._service.children():
                    self.child = max(self.child, child.memory_info().rss >> 20)


def measure(profile: Profile, folder: Path) -> list[dict[str, Any]]:
    """What was waited alone, and while each file was read."""
    status = profile.status()
    token = Path(status["token_file"]).read_text("ascii").strip()
    messages = iter(MESSAGES)

    def typed(name: str, meanwhile: Callable[[], str] | None) -> dict[str, Any]:
        ended, said = threading.Event(), [""]
        caller = Caller(status["url"], token, "typist")
        typing = threading.Thread(
            target=type_on, args=(caller, [next(messages) for _ in range(8)], ended, 0.0, False)
        )

        def work() -> None:
            said[0] = meanwhile() if meanwhile else ""

        working = threading.Thread(target=work, daemon=True)
        began = time.perf_counter()
        with _Memory(status["pid"]) as memory:
            typing.start()
            time.sleep(2)
            since = time.perf_counter()
            working.start()
            working.join(MOST_S)
            read_s = time.perf_counter() - since
            time.sleep(max(0.0, (ALONE_S if meanwhile is None else LEAST_S) - (time.perf_counter() - began)))
            ended.set()
            typing.join()
        waits = [wait for due, wait in caller.waits if due >= since]
        working.join(600)
        row = {
            "file": name,
            "p50_ms": round(float(np.percentile(waits, 50)), 1),
            "p95_ms": round(float(np.percentile(waits, 95)), 1),
            "most_ms": round(max(waits), 1),
            "read_s": round(read_s, 1),
            "service_mb": memory.service,
            "child_mb": memory.child,
            "said": said[0][:120],
        }
        print(json.dumps(row), flush=True)
        return row

    def imported(path: Path) -> Callable[[], str]:
        def ask() -> str:
            with profile.client() as client:
                answer = client.post(
                    "/v1/import", json={"paths": [str(path)], "me": ["Me", "user1", "me@example.org"]}
                )
            return answer.text.strip().splitlines()[-1]

        return ask

    def sent() -> str:
        with profile.client() as client:
            text = ("http://a:b@" * 90_000)[:990_000]
            return client.post("/v1/history", json={"text": text, "source": "chat"}).text

    typed("warming up", None)
    rows = [typed("alone", None)]
    for make in (*_hostile(), _others):
        make(folder / f"{make.__name__}.md")
        [path] = folder.glob(f"{make.__name__}.*")
        rows.append(typed(make.__name__, imported(path)))
    rows.append(typed("a text sent", sent))
    rows.append(typed("alone, again", None))
    return rows


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        profile = Profile(Path(folder) / "home", BASE.resolve())
        profile.run("start")
        try:
            (Path(folder) / "files").mkdir()
            measure(profile, Path(folder) / "files")
        finally:
            profile.run("stop")


if __name__ == "__main__":
    main()
