"""How long suggestions wait: one typist alone, eight at once, and one while the service does other work.

Each typist has a program's name, a connection and messages of its own, and types 8 keys a second. Keys that are due
while an answer is awaited are not asked for, as in an editor, where only the newest counts; they are counted as
``skipped``. Waiting is counted from when a key was due, so that a service that falls behind cannot hide it. No message
is typed twice: what was typed once is known by heart, and would be foretold at length.
"""

import contextlib
import http.client
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil
from common import Program

from idiolect.daemon.vault.opening import open_store

LOAD_S = float(os.environ.get("LOAD_S", "60"))
CLIENTS = 8
KEYS_PER_S = 8
BESIDE_S = 8.0  # that somebody types beside each work, at least
_WARM_S = 3.0
_LARGE_MB = 256  # of a store whose rewriting is long


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


def type_on(
    caller: Caller, messages: Iterable[str], ended: threading.Event, offset_s: float = 0.0, **asked: Any
) -> None:
    """Type these messages until it has ended; each question has what is ``asked`` too."""
    due = time.perf_counter() + offset_s
    for message in messages:
        for end in range(1, len(message) + 1):
            late_s = time.perf_counter() - due
            if late_s >= 1 / KEYS_PER_S and end < len(message):
                caller.skipped += 1
            elif ended.wait(max(0.0, -late_s)):
                return
            else:
                caller.ask("/v1/suggest", {"prefix": message[:end], **asked}, since=due)
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


def waits(
    program: Program, rows: list[dict[str, Any]], imported: Path, sent: Sequence[str]
) -> list[dict[str, Any]]:
    """What a typist waits for beside nothing and beside each work: ``imported`` is a file, ``sent`` are texts."""
    messages, passphrase = iter(_prepare(program, rows, 5 * BESIDE_S)), "a passphrase of several words"

    def send() -> None:
        [sender] = _callers(program, ["sender"])
        for text in sent:
            sender.ask("/v1/history", {"text": text, "source": "sender"})

    works = {
        "nothing": lambda: None,
        "an import": lambda: program.run("add", imported),
        f"{len(sent)} texts, one by one": send,
        "forgetting these": lambda: program.post("/v1/forget", source="sender").raise_for_status(),
        "a backup": lambda: program.run(
            "backup", program.home.parent, "--passphrase-file", "-", typed=passphrase
        ),
        "a switch": lambda: program.post("/v1/use", adapter=None).raise_for_status(),
        f"a rewrite of {_LARGE_MB} MB, and generated text": lambda: _rewrite(program),
    }
    found = []
    for name, work in works.items():
        if "rewrite" in name:
            _enlarge(program)
        callers, ended = _callers(program, ["typist"]), threading.Event()
        typist = threading.Thread(target=type_on, args=(*callers, messages, ended))
        typist.start()
        began_s = time.perf_counter()
        work()
        took_s = time.perf_counter() - began_s
        time.sleep(max(2.0, BESIDE_S - took_s))
        ended.set()
        typist.join()
        found.append({"beside": name, "s": round(took_s, 1), **_figures(callers[0].waits, callers)})
    return found


def _enlarge(program: Program) -> None:
    """Have a service whose store's file takes seconds to be rewritten."""
    program.run("stop")
    with contextlib.closing(open_store(program.settings)) as store:
        store.state.set("bench", "x" * (_LARGE_MB << 20))
    program.run("start")


def _rewrite(program: Program) -> None:
    """Forget a text, for which the store's file is rewritten, while a program has another model generate texts."""
    [writer], ended = _callers(program, ["writer"]), threading.Event()

    def write() -> None:
        while not ended.is_set():
            asked = {"model": "idiolect-base", "prompt": "Please let me ", "n": 8, "max_tokens": 2}
            writer.ask("/v1/completions", asked)

    writing = threading.Thread(target=write)
    writing.start()
    program.post("/v1/history", text="Nobody needs to know this.", source="rewritten").raise_for_status()
    program.post("/v1/forget", source="rewritten").raise_for_status()
    ended.set()
    writing.join()


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
        "longest_ms": round(max(ms), 1),
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
