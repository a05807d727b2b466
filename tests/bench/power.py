"""What the service costs a battery: processor time for what is typed, and for an hour in which nothing is.

The end of a person's text is typed into a running service that has read the rest, 15 keys a second, first with words
and then other messages with ghost text too. A key that is due while an answer is awaited is asked for afterwards. Then
the service follows a folder for a minute in which nothing happens, awake and at rest. Other programs on the machine
slow the service down, but hardly add to its processor time.

As many characters of the same person are typed into llama.cpp's server, which is asked for a ghost text after each
word; and into a predictor in this process, to count the passes that are made before anybody waits, and how many of them
are used.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import beside_llama_cpp
import httpx
import psutil
from common import BASE, Program, processor_s

from idiolect.adapters.memory.steps import finish
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.models.build import find_base
from idiolect.models.session import Session

KEYS_PER_S = 15
CHARS = 1_000
IDLE_S = 60.0
LEAST = (None, 2 / 3, 0.3)  # probabilities: nothing is made ahead; on battery; at the mains
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


def look_ahead(texts: list[str], ghost_words: int) -> list[dict[str, Any]]:
    """Passes for 1,000 characters, by the least probability of a word that one is made ahead for; None: none is."""
    serving = LoadedModel(find_base(BASE), threads=1)
    known = serving.build_user_model([serving.tokenizer.encode(text) for text in texts[:-60]])
    messages = [*_messages([*texts[-60:]])]
    characters = sum(map(len, messages))
    passes, forward, rows = 0, Session._forward, list[dict[str, Any]]()

    def counted(session: Session, *arguments: Any) -> Any:
        nonlocal passes
        passes += 1
        return forward(session, *arguments)

    Session._forward = counted
    try:
        for least in LEAST:
            predictor = serving.build_predictor(known, None)
            finish(predictor.warm())
            waited = ahead = 0
            for message in messages:
                for end in range(1, len(message) + 1):
                    passes = 0
                    predictor.suggest(message[:end], ghost_words=ghost_words)
                    waited, passes = waited + passes, 0
                    if least is not None:
                        finish(predictor.look_ahead.make_passes(least))
                    ahead += passes
                predictor.observe(message, serving.tokenizer.encode(message))  # nobody goes on with it
            saved = rows[0]["waited"] - waited * 1_000 / characters if rows else 0
            rows.append(
                {
                    "least": least,
                    "waited": round(waited * 1_000 / characters),
                    "ahead": round(ahead * 1_000 / characters),
                    "used": round(saved / (ahead * 1_000 / characters), 2) if ahead else None,
                }
            )
    finally:
        Session._forward = forward
    return rows


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
    found |= {"words_ahead": look_ahead(texts, 0), "ghosts_ahead": look_ahead(texts, 8)}
    try:
        found["llama_cpp_s"] = beside_llama_cpp.power([*_messages(texts[-60:])])
    except beside_llama_cpp.UnavailableError as error:
        print(f"llama.cpp was left out: {error}")
    return found
