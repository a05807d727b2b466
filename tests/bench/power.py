"""What the service costs a battery: processor time for what is typed, and for an hour in which nothing is.

The end of a person's text is typed into a running service that has read the rest, 15 keys a second, first with words
and then other messages with ghost text too. A key that is due while an answer is awaited is asked for afterwards. Then
the service follows a folder for a minute in which nothing happens, awake and at rest. Other programs on the machine
slow the service down, but hardly add to its processor time.

As many characters of the same person are typed into llama.cpp's server, which is asked for a ghost text after each
word.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import beside_llama_cpp
import httpx
import psutil
from common import Program, processor_s

KEYS_PER_S = 15
CHARS = 1_000
IDLE_S = 60.0
SETTINGS = "rest_after_s = 90\n"
_SETTLED_S = 5.0  # until what was begun by the last key is done
_RESTING_BYTES = 60 * 2**20  # what a service at rest takes at the most


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


def power(program: Program, texts: list[str], folder: Path) -> dict[str, Any]:
    """Processor seconds of each kind; the service runs with :data:`SETTINGS`."""
    newest, history = texts[-60:], folder / "history.txt"
    history.write_text("\n\n".join(texts[:-60]))
    (watched := folder / "followed").mkdir()
    (watched / "note.md").write_text("Nothing is written here.\n")
    program.run("add", history)
    program.run("watch", watched, "--yes")
    pid = program.json("status")["pid"]
    with program.client() as client:
        typing(client, pid, [next(_messages(newest))], 8)  # what is read at the first key only
        words = typing(client, pid, [*_messages(newest)], 0)
        ghosts = typing(client, pid, [*_messages(newest)], 8)
    awake_s = idle(pid)
    deadline = time.monotonic() + 180
    while psutil.Process(pid).memory_info().rss > _RESTING_BYTES and time.monotonic() < deadline:
        time.sleep(1)
    found = {"words_s": words, "ghosts_s": ghosts, "awake_s": awake_s, "rest_s": idle(pid)}
    try:
        found["llama_cpp_s"] = beside_llama_cpp.power([*_messages(texts[-60:])])
    except beside_llama_cpp.UnavailableError as error:
        print(f"llama.cpp was left out: {error}")
    return found
