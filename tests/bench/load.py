"""How long suggestions wait: one typist alone, eight at once, and one beside each long work of the service.

Each typist has a program's name, a connection and messages of its own, and types 8 keys a second. Keys that are due
while an answer is awaited are not asked for, as in an editor, where only the newest counts; they are counted as
``skipped``. Waiting is counted from when a key was due, so that a service that falls behind cannot hide it. No message
is typed twice: what was typed once is known by heart, and would be foretold at length.

``stalls`` says how long a suggestion waits at the most beside each thing that the service does with much text, and what
that takes of the processor, children included: an import, and the same number of texts sent one by one, too.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil
from common import Program

LOAD_S = float(os.environ.get("LOAD_S", "60"))
CLIENTS = 8
KEYS_PER_S = 8
_WARM_S = 3.0
SENT = 1500


@dataclass
class Caller:
    """A program's connection to the service: what it asked, how long it waited for it, what went wrong."""

    url: str
    token: str
    name: str
    waits: list[tuple[float, float]] = field(default_factory=list)  # (when, milliseconds)
    errors: Counter[str] = field(default_factory=Counter)
    done: int = 0
    skipped: int = 0

    def __post_init__(self) -> None:
        where = urlsplit(self.url)
        self._connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=120)

    def ask(self, path: str, body: dict[str, Any], since: float | None = None) -> bool:
        """Post something; ``since`` is when it was due, of what is to be measured."""
        headers = {"Authorization": f"Bearer {self.token}", "User-Agent": self.name}
        try:
            self._connection.request("POST", path, json.dumps(body), headers)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.errors[type(error).__name__] += 1
            self._connection.close()
            return False
        if since is not None:
            self.waits.append((since, 1e3 * (time.perf_counter() - since)))
        if answer.status not in (200, 202):
            self.errors[f"{path} {answer.status}"] += 1
            return False
        self.done += 1
        return True


def type_on(caller: Caller, messages: Sequence[str], ended: threading.Event, offset_s: float = 0.0) -> None:
    """Type these messages until it has ended."""
    due = time.perf_counter() + offset_s
    for message in messages:
        for end in range(1, len(message) + 1):
            late_s = time.perf_counter() - due
            if late_s >= 1 / KEYS_PER_S and end < len(message):
                caller.skipped += 1
            elif ended.wait(max(0.0, -late_s)):
                return
            else:
                caller.ask("/v1/suggest", {"prefix": message[:end]}, since=due)
            due += 1 / KEYS_PER_S
    caller.errors["no more messages"] += 1


def load(program: Program, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One client alone, and then eight: what they waited, what went wrong, and the service's memory."""
    messages = _prepare(program, rows, 2 * LOAD_S)
    found = []
    for clients, some in ((1, messages[::2]), (CLIENTS, messages[1::2])):
        callers, ended = _callers(program, [f"typist-{place}" for place in range(clients)]), threading.Event()
        typists = [
            threading.Thread(
                target=type_on, args=(caller, some[place::CLIENTS], ended, place / CLIENTS / KEYS_PER_S)
            )
            for place, caller in enumerate(callers)
        ]
        with _watched(program) as memory_mb:
            for typist in typists:
                typist.start()
            time.sleep(LOAD_S)
            ended.set()
            for typist in typists:
                typist.join()
        waits = [wait for caller in callers for wait in caller.waits]
        found.append({"clients": clients, **_figures(waits, callers), **_memory(memory_mb)})
    return found


def stalls(program: Program, rows: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """The longest wait of one who types beside each work of the service's, and the processor time of that work."""
    texts, folder = [row["text"] for row in rows], folder / "notes"
    folder.mkdir(parents=True)
    known, sent, typed = texts[: -2 * SENT - 200], texts[-2 * SENT - 200 : -200], texts[-200:]
    shared = folder.parent / "shared"
    shared.mkdir()
    long = folder.parent / "long.md"
    long.write_text("\n\n".join(textwrap.wrap(" ".join(known), 1900)), "utf-8")
    listed = folder.parent / "listed.jsonl"
    listed.write_text("\n".join(json.dumps({"text": text}) for text in sent[:SENT]), "utf-8")
    [caller], [sender] = _callers(program, ["typist"]), _callers(program, ["sender"])

    def save() -> None:
        for text in known[:40]:
            with (folder / "note.md").open("a", encoding="utf-8") as file:
                file.write(f"{text}\n\n")
            time.sleep(0.5)

    def send() -> None:
        for text in sent[SENT:]:
            sender.ask("/v1/history", {"text": text, "source": "mail"})

    works: dict[str, Callable[[], object]] = {
        "nothing": partial(time.sleep, 10),
        "import of long paragraphs": partial(program.run, "add", long),
        f"import of {SENT} texts": partial(program.run, "add", listed),
        f"{SENT} texts one by one": send,
        "rebuild": partial(program.run, "forget", "--text", known[0][:40], "--yes"),
        "watch": partial(program.run, "watch", folder),
        "save": save,
        "round": partial(program.run, "train", "--wait", "--budget", 60),
        "switch": partial(program.run, "use", "base"),
        "sync": partial(program.run, "sync", "share", shared),
    }
    ended, found = threading.Event(), []
    typist = threading.Thread(target=type_on, args=(caller, typed * 20, ended))
    typist.start()
    pid = program.json("status")["pid"]
    for name, work in works.items():
        time.sleep(_WARM_S)
        begun_s, begun_cpu_s = time.perf_counter(), _processor_s(pid)
        work()
        time.sleep(_WARM_S)  # what it leaves to be done
        waits = [ms for due_s, ms in caller.waits if due_s > begun_s]
        used = {"longest_ms": round(max(waits)), "processor_s": round(_processor_s(pid) - begun_cpu_s, 1)}
        found.append({"beside": name, "keys": len(waits), **used})
    ended.set()
    typist.join()
    return found


def _processor_s(pid: int) -> float:
    """Seconds of the processor that a process and its children have taken."""
    process = psutil.Process(pid)
    spent = [process.cpu_times()]
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            spent.append(child.cpu_times())
    return sum(one.user + one.system + one.children_user + one.children_system for one in spent)


# --- what all need ----------------------------------------------------------------------------------


def _prepare(program: Program, rows: list[dict[str, Any]], seconds: float) -> list[str]:
    """Have a service read all but the newest messages; returns the newest, to be typed."""
    texts = [row["text"][:160] for row in rows]
    wanted = 1.3 * CLIENTS * KEYS_PER_S * seconds  # in turn, so that all typists get about as much
    messages, first = dict[str, None](), len(rows)
    while sum(map(len, messages)) < wanted:
        first -= 1
        if first <= 0:
            raise SystemExit(f"There is too little text to type for {seconds:.0f} seconds.")
        if len(texts[first]) > 60:
            messages[texts[first]] = None
    known = program.home / "known.jsonl"
    known.write_text("\n".join(json.dumps(row) for row in rows[:first]), encoding="utf-8")
    program.run("add", known)
    with program.client() as client:
        started = time.perf_counter()
        while time.perf_counter() - started < _WARM_S:
            client.post("/v1/suggest", json={"prefix": texts[-1][:40]}).raise_for_status()
    return [*messages]


def _callers(program: Program, names: Sequence[str]) -> list[Caller]:
    status = program.json("status")
    token = Path(status["token_file"]).read_text().strip()
    return [Caller(status["url"], token, name) for name in names]


@contextlib.contextmanager
def _watched(program: Program) -> Iterator[list[float]]:
    """The service's resident memory in MB, each second while the block runs."""
    process = psutil.Process(program.json("status")["pid"])
    memory_mb = [process.memory_info().rss / 2**20]
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(1):
            memory_mb.append(process.memory_info().rss / 2**20)

    thread = threading.Thread(target=look)
    thread.start()
    yield memory_mb
    ended.set()
    thread.join()


def _figures(waits: Sequence[tuple[float, float]], callers: Sequence[Caller]) -> dict[str, Any]:
    ms = [one for _, one in waits]
    errors = sum((caller.errors for caller in callers), Counter[str]())
    return {
        "keys": len(ms),
        "skipped": sum(caller.skipped for caller in callers),
        **{f"p{share}_ms": round(float(np.percentile(ms, share)), 1) for share in (50, 95, 99)},
        "errors": sum(errors.values()),
        "what": dict(errors),
    }


def _memory(memory_mb: Sequence[float]) -> dict[str, Any]:
    """At the beginning (the mean of a twentieth), in the middle, at the end, and at the most."""
    few, middle = max(1, len(memory_mb) // 20), len(memory_mb) // 2
    return {
        "start_mb": round(float(np.mean(memory_mb[:few]))),
        "middle_mb": round(float(np.mean(memory_mb[middle : middle + few]))),
        "end_mb": round(float(np.mean(memory_mb[-few:]))),
        "most_mb": round(max(memory_mb)),
    }
