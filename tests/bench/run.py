"""Measures what docs/measuring.md tells, and writes docs/bench.json; `docs/measurements.py` makes tables of it.

``make bench``; single parts and people with ``ARGS="training typing email_mills"``. ``ARGS="people FILE..."`` measures
what text of yours would have been saved (``people.py``), and writes no ``bench.json``. The text is real people's,
read from ``../shared/corpora`` beside the checkout; where that folder is absent the parts that need it are
skipped, saying so. Nothing here fails on a time.
"""

import argparse
import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import beside_llama_cpp
import httpx
import psutil
from common import BASE, CORPORA, PEOPLE, ROOT, Program, entries, percentile, served, show
from exposure import exposure
from load import load, waits
from memory_growth import memory_growth
from power import SETTINGS, power

from idiolect.models.build import ensure_base

RESULT = ROOT / "docs" / "bench.json"
BUDGET_S = 240
COSTS = {"training", "typing", "start", "power", "beside"}  # kept of other machines, too
_INSTRUCTIONS = (
    ("avx512f", "AVX-512"),
    ("avx512_vnni", "VNNI"),
    ("avx512_bf16", "bf16"),
    ("amx_bf16", "AMX"),
)
KEY_S = 0.1  # between the keys of a fast typist
USUAL = ("email_mills", "sms_student")  # the people that are measured where few are
ALONE = ("faults", "training", "beside")  # these parts need no person's text
PARTS = (*ALONE, "memory", "quality", "typing", "start", "exposure", "power", "load", "waits")


# --- the parts ---------------------------------------------------------------------------------------


def quality(program: Program, person: str, budget_s: int) -> dict[str, Any]:
    """A first round on a person's text: what base, memory, adapter and both predict of the newest tenth."""
    program.run("add", CORPORA / f"{person}.jsonl")
    verdict = json.loads(program.run("train", "--wait", "--json", "--budget", budget_s))
    metrics = verdict["metrics"]
    return {
        "history_tokens": metrics["tokens"] - metrics["held_out_tokens"],
        **{
            name: metrics[name]
            for name in ("held_out_tokens", "base", "memory", "adapter", "both", "peak_mb")
        },
        **{name: verdict[name] for name in ("status", "reason")},
    }


def keystrokes(
    client: httpx.Client, messages: list[str], pause_s: float = 0.0
) -> tuple[list[float], list[float]]:
    """Type messages letter by letter, with a pause after each answer: milliseconds of every request, and of those
    answered with a ghost.
    """
    every, ghosts = [], []
    for message in messages:
        for end in range(len(message) + 1):
            started = time.perf_counter()
            answer = client.post("/v1/suggest", json={"prefix": message[:end]}).json()
            spent = 1e3 * (time.perf_counter() - started)
            time.sleep(pause_s)
            every.append(spent)
            if answer["ghost"]["show"] and " " in answer["ghost"]["text"]:
                ghosts.append(spent)
    return every, ghosts


def typing(program: Program, person: str) -> dict[str, Any]:
    """Typing new messages over HTTP with the adapter active: alone, and while a training round runs."""
    newest = entries(person)[-100:]
    messages = [entry["text"][:160] for entry in newest if len(entry["text"]) > 60]
    with program.client() as client:
        # They were held out from training; now the memory must not know them either.
        client.post("/v1/forget", json={"since": newest[0]["ts"]}).raise_for_status()
        keystrokes(client, messages[:2])
        every, ghosts = keystrokes(client, messages[2:14])
        typed, _ = keystrokes(client, messages[14:20], KEY_S)
        service_mb = round(psutil.Process(program.json("status")["pid"]).memory_info().rss / 2**20)
        learned, suggested = arrival(client)
        client.post("/v1/train", json={"budget_s": 600})
        _await_training(client)
        busy, _ = keystrokes(client, messages[2:14])
        still = client.get("/v1/status").json()["training"]
    throughout = bool(still and still["phase"] == "train")
    return {
        "p50_ms": percentile(every, 50),
        "p95_ms": percentile(every, 95),
        "typed_p50_ms": percentile(typed, 50),
        "typed_p95_ms": percentile(typed, 95),
        "ghost_p50_ms": percentile(ghosts, 50),
        "ghost_p90_ms": percentile(ghosts, 90),
        "training_p95_ms": percentile(busy, 95) if throughout else None,
        "learned_p95_ms": percentile(learned, 95),
        "suggested_p50_ms": percentile(suggested, 50),
        "service_mb": service_mb,
    }


def arrival(client: httpx.Client, count: int = 30) -> tuple[list[float], list[float]]:
    """Milliseconds until the answer to a sentence that is sent, when the memory knows it, and until a suggestion of its
    new word, which reads the sentence as recent text before that.
    """
    answered, suggested = [], []
    for number in range(count):
        word = "zor" + "".join("bdfgklmnrs"[int(digit)] + "a" for digit in f"{number:03}")
        started = time.perf_counter()
        client.post("/v1/history", json={"text": f"We met at the {word} again.", "source": "bench"})
        answered.append(1e3 * (time.perf_counter() - started))
        answer = client.post("/v1/suggest", json={"prefix": f"We met at the {word[:-2]}"}).json()
        suggested.append(1e3 * (time.perf_counter() - started))
        assert word[-2:] in [found["text"] for found in answer["words"]], "what was just written is not known"
    return answered, suggested


def _await_training(client: httpx.Client) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        training = client.get("/v1/status").json()["training"]
        if training and training["phase"] == "train" and training["done"] > 0:
            return
        time.sleep(0.5)


def start_and_switch(program: Program) -> dict[str, Any]:
    """Seconds from `start` to the first suggestion, and the slowest suggestion while adapters are switched."""
    program.run("stop")
    started = time.perf_counter()
    program.run("start")
    program.post("/v1/suggest", prefix="Please let me ").raise_for_status()
    start_s = time.perf_counter() - started
    [*_, adapter] = program.json("adapters")
    waits, ended = [], threading.Event()

    def keep_typing() -> None:
        with program.client() as other:
            while not ended.is_set():
                began = time.perf_counter()
                other.post("/v1/suggest", json={"prefix": "Please let me kn"}).raise_for_status()
                waits.append(1e3 * (time.perf_counter() - began))

    typist = threading.Thread(target=keep_typing)
    typist.start()
    calls = []
    with program.client() as client:
        for chosen in (None, adapter["id"], None, adapter["id"]):
            began = time.perf_counter()
            client.post("/v1/use", json={"adapter": chosen}).raise_for_status()
            calls.append(1e3 * (time.perf_counter() - began))
    ended.set()
    typist.join()
    return {"start_s": round(start_s, 2), "use_ms": percentile(calls, 50), "switch_ms": round(max(waits), 1)}


def training() -> list[dict[str, Any]]:
    """Tokens a second, ours against transformers + peft: same weights, text, rank, batch and threads, in turn."""
    from train_speed import CONTENDERS

    found: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
    for _ in range(2):
        for name, speeds in found.items():
            speeds.append(_of_trainer(name))
    return [
        {
            "what": name,
            "products": speeds[-1]["products"],
            "tokens_per_s": max(one["tokens_per_s"] for one in speeds),
        }
        for name, speeds in found.items()
    ]


def _of_trainer(contender: str) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__).with_name("train_speed.py")), str(BASE), contender]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(out.splitlines()[-1])


def faults() -> list[dict[str, Any]]:
    """Every operation with every fault at every step: how many cases there were, and how many went wrong."""
    command = [sys.executable, str(ROOT / "tests" / "faults" / "matrix.py")]
    out = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found: dict[str, dict[str, Any]] = {}
    for row in json.loads(out):
        name = row["operation"]
        kept = found.setdefault(name, {"operation": name, "steps": 0, "cases": {}, "wrong": 0})
        if row["fault"] == "kill":  # others may let it take another way, with more steps
            kept["steps"] = row["steps"]
        kept["cases"][row["fault"]] = row["cases"]
        kept["wrong"] += len(row["problems"])
        for problem in row["problems"]:
            print(f"{name}, {row['fault']}: {problem}")
    return [*found.values()]


# --- the file ----------------------------------------------------------------------------------------


def machine() -> str:
    """The processor, and which of the instructions it has that products of matrices are made with."""
    lines: list[str] = []
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    model = told.get("model name") or platform.processor() or platform.machine()
    instructions = [name for flag, name in _INSTRUCTIONS if flag in told.get("flags", "").split()]
    kinds = f" ({', '.join(instructions)})" if instructions else ""
    return f"{model}{kinds}, {os.cpu_count()} cores"


class Results(dict[str, Any]):
    """What ``bench.json`` holds; it is written whenever a part is set.

    A part that is measured goes with this machine; what another one took is kept.
    """

    def __setitem__(self, part: str, found: Any) -> None:
        machines, elsewhere = (self.setdefault(name, {}) for name in ("machines", "elsewhere"))
        if part in COSTS and part in self and machines.get(part, machine()) != machine():
            elsewhere.setdefault(machines[part], {})[part] = self[part]
        elsewhere.get(machine(), {}).pop(part, None)
        machines[part] = machine()
        super().__setitem__(part, found)
        RESULT.write_text(json.dumps(self, indent=2) + "\n")


def measure(parts: list[str], people: list[str], folder: Path) -> None:
    """Measure these parts, of these people if there are any."""
    result = Results(json.loads(RESULT.read_text()) if RESULT.exists() else {})
    if "faults" in parts:
        result["faults"] = faults()
    if "training" in parts:
        result["training"] = training()
    if "beside" in parts:
        try:
            result["beside"] = beside_llama_cpp.passes()
        except beside_llama_cpp.UnavailableError as error:
            print(f"Skipped llama.cpp: {error}")
    if not people:
        print(f"Skipped {', '.join({*parts} - {*ALONE})}: {CORPORA} is absent.")
        return
    usual = [name for name in USUAL if name in people] or people[:1]
    person = usual[0]
    if "memory" in parts:
        result["memory"] = memory_growth()
    if "exposure" in parts:
        result["exposure"] = exposure(entries(person), person)
    if "power" in parts:
        with served(folder / "power", SETTINGS) as program:
            result["power"] = power(program, [entry["text"] for entry in entries(person)], folder)
    if "load" in parts:
        with served(folder / "load") as program:
            result["load"] = load(program, entries(person))
    if "waits" in parts:
        with served(folder / "waits") as program:
            sent = [entry["text"] for entry in entries(people[-1])][:1500]
            show("Beside other work", waits(program, entries(person), CORPORA / f"{people[0]}.jsonl", sent))
    if "quality" in parts:
        for name in usual:
            with served(folder / f"quality-{name}") as program:
                result["quality"] = result.get("quality", {}) | {name: quality(program, name, BUDGET_S)}
    if {"typing", "start"} & {*parts}:
        with served(folder / "typing") as program:
            quality(program, person, 40)  # an adapter, though not the best one
            program.run("use", "1")
            if "typing" in parts:
                result["typing"] = typing(program, person)
            if "start" in parts:
                result["start"] = start_and_switch(program)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "wanted",
        nargs="*",
        metavar="PART|PERSON",
        help=f"parts: {', '.join(PARTS)} (all of them); people: {', '.join(PEOPLE) or 'none are here'} (all)",
    )
    wanted = parser.parse_args().wanted
    if unknown := {*wanted} - {*PARTS, *PEOPLE}:
        parser.error(f"no part and no person: {', '.join(sorted(unknown))}")
    ensure_base(BASE)
    parts = [part for part in PARTS if part in wanted] or [*PARTS]
    with tempfile.TemporaryDirectory(prefix="idiolect-bench-") as folder:
        measure(parts, [name for name in PEOPLE if name in wanted] or PEOPLE, Path(folder))
    sys.path.insert(0, str(RESULT.parent))
    import measurements

    print(measurements.bench())


if __name__ == "__main__":
    if sys.argv[1:2] == ["people"]:
        import people

        people.main(sys.argv[2:])
    else:
        main()
