"""How fast llama.cpp is with the same model on the same machine, and what it costs a battery.

``python tests/bench/beside_llama_cpp.py`` measures a pass of llama.cpp and of ours in turn, in a process each.
llama.cpp comes as llama-cpp-python, which is compiled for this processor (cmake and a C++ compiler are needed) in an
environment of its own under ``.cache``.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".cache" / "llama_cpp"
COUNTS = (1, 4, 16, 128)  # tokens in a pass
PAUSED = "1, 0.1 s after the last"  # as somebody types, so that the processor's caches hold something else
_PAUSE_S = 0.1
BEHIND = 200  # tokens that are read before
TURNS = 3  # of each program
GHOST_TOKENS = 8  # what a client asks the server for, after each word
_THREADS = 2
_START_S = 60.0


class UnavailableError(Exception):
    """llama.cpp could not be installed, or does not start."""


def python() -> Path:
    """The interpreter that has llama.cpp; it is installed at the first call, which takes some minutes."""
    found = FOLDER / "venv" / "bin" / "python"
    if not (FOLDER / "complete").exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", FOLDER / "venv"], check=True, capture_output=True)
            wanted = ["llama-cpp-python[server]", "numpy"]
            subprocess.run([found, "-m", "pip", "install", "-q", *wanted], check=True, capture_output=True)
        except subprocess.CalledProcessError as error:
            raise UnavailableError(error.stderr.decode(errors="replace").strip()[-300:]) from error
        (FOLDER / "complete").touch()
    return found


def model() -> Path:
    """The file that our base model is made from."""
    from idiolect.models.errors import IdiolectError
    from idiolect.models.fetch import fetch

    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        return fetch(FOLDER)
    except IdiolectError as error:
        raise UnavailableError(str(error)) from error


# --- one pass ----------------------------------------------------------------------------------------


def passes_of_llama_cpp(gguf: str) -> dict[str, list[float]]:
    """Milliseconds of each pass; in the environment that has llama.cpp."""
    import llama_cpp

    llama = llama_cpp.Llama(gguf, n_ctx=1024, n_threads=_THREADS, n_threads_batch=_THREADS, verbose=False)

    def read(ids: Sequence[int]) -> None:
        llama.eval(ids)
        llama_cpp.llama_synchronize(llama.ctx)

    def rewind() -> None:
        llama.n_tokens = BEHIND  # what stands behind is taken out with the next pass

    return _timed(rewind, read)


def passes_of_ours(adapted: bool) -> dict[str, list[float]]:
    """Milliseconds of each pass."""
    from common import BASE

    from idiolect.adapters.training.lora import Lora
    from idiolect.models.build import find_base
    from idiolect.models.session import Model, Session

    found = find_base(BASE)
    loaded = Model(found.graph, found.config, threads=_THREADS)
    adapter = Lora.fresh(found.config, 16).tensors() if adapted else None
    session = Session(loaded, adapter=adapter)

    return _timed(lambda: session.truncate(BEHIND), session.feed)


def _timed(rewind: Any, read: Any) -> dict[str, list[float]]:
    """Milliseconds of reading so many tokens behind others."""
    ids = [20 + 37 * place % 40_000 for place in range(BEHIND + max(COUNTS))]
    read(ids[:BEHIND])

    def times(count: int, pause_s: float = 0.0) -> list[float]:
        found = []
        for _ in range(20 if count < 100 else 5):
            rewind()
            time.sleep(pause_s)
            started = time.perf_counter()
            read(ids[BEHIND : BEHIND + count])
            found.append(1e3 * (time.perf_counter() - started))
        return found

    return {str(count): times(count) for count in COUNTS} | {PAUSED: times(1, _PAUSE_S)}


def passes() -> list[dict[str, Any]]:
    """Rows of milliseconds: llama.cpp, our base, ours with an adapter; the median of all turns."""
    me, gguf = str(Path(__file__)), str(model())
    commands = {
        "llama_cpp_ms": [str(python()), me, "--llama", gguf],
        "base_ms": [sys.executable, me, "--base"],
        "adapter_ms": [sys.executable, me, "--adapter"],
    }
    times: dict[str, dict[str, list[float]]] = {name: {} for name in commands}
    for _ in range(TURNS):
        for name, command in commands.items():
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            for count, found in json.loads(out.splitlines()[-1]).items():
                times[name].setdefault(count, []).extend(found)
    return [
        {"tokens": count, **{name: round(_median(found[count]), 2) for name, found in times.items()}}
        for count in (*map(str, COUNTS), PAUSED)
    ]


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


# --- a thousand characters ---------------------------------------------------------------------------


@contextmanager
def _server() -> Iterator[tuple[int, str]]:
    """A running server: its process and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["--model", str(model()), "--host", "127.0.0.1", "--port", str(port), "--n_ctx", "1024"]
    arguments += ["--n_threads", str(_THREADS), "--n_threads_batch", str(_THREADS)]
    process = subprocess.Popen(
        [str(python()), "-m", "llama_cpp.server", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process.pid, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def power(messages: Sequence[str]) -> float:
    """Processor seconds for each 1,000 characters, if the server is asked for a ghost after each word."""
    import httpx
    from common import processor_s

    with _server() as (pid, url), httpx.Client(base_url=url, timeout=120) as client:
        deadline = time.monotonic() + _START_S
        while True:
            try:
                client.get("/v1/models").raise_for_status()
                break
            except httpx.HTTPError:
                if time.monotonic() > deadline:
                    raise UnavailableError("its server does not answer") from None
                time.sleep(0.2)
        began_s, typed = processor_s(pid), 0
        for message in messages:
            for end in range(1, len(message) + 1):
                typed += 1
                if message[end - 1].isspace() or end == len(message):
                    asked = {"prompt": message[:end], "max_tokens": GHOST_TOKENS, "temperature": 0}
                    client.post("/v1/completions", json=asked).raise_for_status()
        return round(1_000 * (processor_s(pid) - began_s) / typed, 1)


def main() -> None:
    match sys.argv[1:]:
        case ["--llama", gguf]:
            print(json.dumps(passes_of_llama_cpp(gguf)))
        case ["--base" | "--adapter" as which]:
            print(json.dumps(passes_of_ours(which == "--adapter")))
        case _:
            from common import BASE, show

            from idiolect.models.build import ensure_base

            ensure_base(BASE)
            show("milliseconds of a pass", passes())


if __name__ == "__main__":
    main()
