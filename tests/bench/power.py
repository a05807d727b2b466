"""What the service costs a battery: processor time for what is typed, and for an hour in which nothing is.

The end of a person's text is typed into a running service that has read the rest, 15 keys a second, first with words
and then other messages with ghost text too. A key that is due while an answer is awaited is asked for afterwards. Then
the service follows a folder for a minute in which nothing happens, awake and at rest. Other programs on the machine
slow the service down, but hardly add to its processor time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.table import Table

KEYS_PER_S = 15
CHARS = 1_000
IDLE_S = 60.0
SETTINGS = "rest_after_s = 90\n"
_SETTLED_S = 5.0  # until what was begun by the last key is done
_RESTING_BYTES = 60 * 2**20  # what a service at rest takes at the most


def processor_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def _messages(texts: list[str]) -> Iterator[str]:
    """About a thousand characters of messages, from the front of ``texts``, which loses them."""
    typed = 0
    while texts and typed < CHARS:
        message = texts.pop(0)[:300]
        typed += len(message)
        yield message


def typing(client: httpx.Client, pid: int, messages: list[str], ghost_words: int) -> float:
    """Processor seconds for each 1,000 characters that are typed."""
    began_s, typed = processor_s(pid), 0
    for message in messages:
        due = time.monotonic()
        for end in range(1, len(message) + 1):
            due += 1 / KEYS_PER_S
            time.sleep(max(0.0, due - time.monotonic()))
            client.post("/v1/suggest", json={"prefix": message[:end], "ghost_words": ghost_words})
            typed += 1
    time.sleep(_SETTLED_S)
    return round(1_000 * (processor_s(pid) - began_s) / typed, 1)


def idle(pid: int) -> float:
    """Processor seconds in an hour in which nothing happens, from a minute of it."""
    began_s = processor_s(pid)
    time.sleep(IDLE_S)
    return round(3_600 / IDLE_S * (processor_s(pid) - began_s), 1)


def power(profile: Any, texts: list[str], folder: Path) -> dict[str, float]:
    """Processor seconds of each kind; ``profile`` is one of ``run.py`` with :data:`SETTINGS`."""
    newest, history = texts[-60:], folder / "history.txt"
    history.write_text("\n\n".join(texts[:-60]))
    (watched := folder / "followed").mkdir()
    (watched / "note.md").write_text("Nothing is written here.\n")
    profile.run("start")
    profile.run("add", str(history))
    profile.run("watch", str(watched), "--yes")
    pid = profile.status()["pid"]
    with profile.client() as client:
        typing(client, pid, [next(_messages(newest))], 8)  # what is read at the first key only
        words = typing(client, pid, [*_messages(newest)], 0)
        ghosts = typing(client, pid, [*_messages(newest)], 8)
    awake_s = idle(pid)
    deadline = time.monotonic() + 180
    while psutil.Process(pid).memory_info().rss > _RESTING_BYTES and time.monotonic() < deadline:
        time.sleep(1)
    return {"words_s": words, "ghosts_s": ghosts, "awake_s": awake_s, "rest_s": idle(pid)}


def show(found: dict[str, float]) -> None:
    table = Table("processor time of", "seconds")
    for what, name in (
        ("1,000 characters, with words", "words_s"),
        ("1,000 characters, with ghost text", "ghosts_s"),
        ("an hour without a key, awake", "awake_s"),
        ("an hour without a key, at rest", "rest_s"),
    ):
        if name in found:
            table.add_row(what, f"{found[name]}")
    Console().print(table)
