"""Measures what docs/performance.md tells, prints tables, and writes docs/bench.json.

``make bench``; single parts and people with ``ARGS="latency typing email_mills"``. ``ARGS="people FILE..."`` measures
what text of yours would have been saved (``people.py``), and writes no ``bench.json``. The text is real people's,
read from ``../shared/corpora`` beside the checkout; where that folder is absent the parts that need it are
skipped, saying so. Nothing here fails on a time.
"""

from __future__ import annotations

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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
CORPORA = ROOT.parent / "shared" / "corpora"
RESULT = ROOT / "docs" / "bench.json"
IDIOLECT = [sys.executable, "-c", "from idiolect.daemon.commandline.command_table import main; main()"]
BUDGET_S = 240
COSTS = {"latency", "training", "typing", "start", "power", "beside"}  # kept of other machines, too
_INSTRUCTIONS = (
    ("avx512f", "AVX-512"),
    ("avx512_vnni", "VNNI"),
    ("avx512_bf16", "bf16"),
    ("amx_bf16", "AMX"),
)
KEY_S = 0.1  # between the keys of a fast typist
PEOPLE = ("email_mills", "sms_student")
CORPUS_NAMES = sorted(path.stem for path in CORPORA.glob("*.jsonl"))
PARTS = (
    *("faults", "latency", "training", "memory", "ingest", "savings", "quality", "typing", "start"),
    *("exposure", "power", "load", "soak", "beside"),
)

console = Console()


class Profile:
    """A throw-away profile with its own running service; the base model is shared through a link."""

    def __init__(self, folder: Path, base: Path, settings: str = "") -> None:
        self.home = folder
        folder.mkdir()
        (folder / "config.toml").write_text(f"keyring = false\nauto_train = false\n{settings}")
        (folder / "base").symlink_to(base)
        self.env = {**os.environ, "IDIOLECT_HOME": str(folder)}

    def run(self, *arguments: str) -> str:
        return subprocess.run(
            [*IDIOLECT, *arguments], env=self.env, check=True, capture_output=True, text=True
        ).stdout

    def status(self) -> dict:
        return json.loads(self.run("status", "--json"))

    @contextlib.contextmanager
    def client(self) -> Iterator[httpx.Client]:
        status = self.status()
        token = Path(status["token_file"]).read_text().strip()
        with httpx.Client(
            base_url=status["url"], headers={"Authorization": f"Bearer {token}"}, timeout=600
        ) as client:
            yield client


def entries(person: str) -> list[dict]:
    lines = (CORPORA / f"{person}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def percentile(values: list[float], share: float) -> float:
    return round(float(np.percentile(values, share)), 2)


# --- the parts ---------------------------------------------------------------------------------------


def quality(profiles: dict[str, Profile], budget_s: int = BUDGET_S) -> dict:
    """A first round on each person's text: what base, memory, adapter and both predict of the newest tenth."""
    found = {}
    for person, profile in profiles.items():
        profile.run("start")
        profile.run("add", str(CORPORA / f"{person}.jsonl"))
        verdict = json.loads(profile.run("train", "--wait", "--json", "--budget", str(budget_s)))
        metrics = verdict["metrics"]
        found[person] = {
            "history_tokens": metrics["tokens"] - metrics["held_out_tokens"],
            "held_out_tokens": metrics["held_out_tokens"],
            **{name: metrics[name] for name in ("base", "memory", "adapter", "both")},
            "general_before": metrics["general_before"],
            "general_after": metrics["general_after"],
            "status": verdict["status"],
            "reason": verdict["reason"],
            "seconds": verdict["seconds"],
            "tokens_per_s": verdict["tokens_per_s"],
            "peak_mb": metrics["peak_mb"],
        }
    return found


def savings_of_all(names: list[str], folder: Path, base: Path) -> Iterator[tuple[str, dict]]:
    """Each person's savings as they come; as many people at a time as there are cores, a core each."""
    cores = os.cpu_count() or 1

    def of_one(name: str) -> tuple[str, dict]:
        profile = Profile(folder / f"eval-{name}", base, "threads = 1\n")
        try:
            return name, savings(profile, name, BUDGET_S * 2)  # seconds of one core and not of two
        finally:
            profile.run("stop")

    with ThreadPoolExecutor(cores) as pool:
        for done in as_completed([pool.submit(of_one, name) for name in names]):
            yield done.result()


def savings(profile: Profile, person: str, budget_s: int) -> dict:
    """Keystrokes that each part of what is served saves on one person's newest text (``idiolect eval``)."""
    profile.run("start")
    out = profile.run("eval", str(CORPORA / f"{person}.jsonl"), "--budget", str(budget_s), "--json")
    found = json.loads(out)
    rows = {}
    for arm in found["arms"]:
        row = arm["all"]
        rows[arm["name"]] = {
            **{f"savings{most}": round(row["savings"][most]["value"], 4) for most in ("1", "3", "5")},
            **{f"ghost_{way}": round(row["ghost"][way]["value"], 4) for way in ("whole", "words", "net")},
            **{name: row["ghost"][name] for name in ("shown_rate", "precision", "wrong_new_per_100")},
            "p50_ms": arm["latency_ms"]["p50"],
            "p95_ms": arm["latency_ms"]["p95"],
        }
    verdict = found["adapter"] and found["adapter"]["status"]
    return {
        "history": found["history"]["characters"],
        "test": found["test"]["characters"],
        "verdict": verdict,
    } | {"arms": rows}


def latency(base: Path) -> list[dict]:
    """Milliseconds of one forward pass after 100 tokens, base and adapter in turn on one loaded graph."""
    from idiolect.adapters.lora import Lora, LoraConfig
    from idiolect.models.build import find_base
    from idiolect.models.session import Model, Session

    found_base = find_base(base)
    model = Model(found_base.graph, found_base.config)
    lora = Lora.fresh(LoraConfig(rank=16), found_base.config)
    sessions = {"base_ms": Session(model), "adapter_ms": Session(model, adapter=lora.tensors())}
    random = np.random.default_rng(0)
    rows = []
    for count in (1, 4, 16, 128):
        times: dict[str, list[float]] = {name: [] for name in sessions}
        for _ in range(30 if count < 100 else 8):
            ids = random.integers(20, 40_000, 100 + count).tolist()
            for name, session in sessions.items():
                session.truncate(0)
                session.feed(ids[:100], "none")
                started = time.perf_counter()
                session.feed(ids[100:])
                times[name].append(1e3 * (time.perf_counter() - started))
        rows.append(
            {"what": f"{count} token{'s' * (count > 1)}"} | {k: percentile(v, 50) for k, v in times.items()}
        )
    return rows


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


def typing(profile: Profile, person: str) -> dict:
    """Typing new messages over HTTP with the adapter active: alone, and while a training round runs."""
    newest = entries(person)[-100:]
    messages = [entry["text"][:160] for entry in newest if len(entry["text"]) > 60]
    with profile.client() as client:
        # They were held out from training; now the memory must not know them either.
        client.post("/v1/forget", json={"since": newest[0]["ts"]}).raise_for_status()
        keystrokes(client, messages[:2])
        every, ghosts = keystrokes(client, messages[2:14])
        typed, _ = keystrokes(client, messages[14:20], KEY_S)
        service_mb = round(psutil.Process(profile.status()["pid"]).memory_info().rss / 2**20)
        answered, suggested = arrival(client)
        client.post("/v1/train", json={"budget_s": 600})
        _await_training(client)
        busy, _ = keystrokes(client, messages[2:14])
        still = client.get("/v1/status").json()["training"]
    return {
        "p50_ms": percentile(every, 50),
        "p90_ms": percentile(every, 90),
        "p95_ms": percentile(every, 95),
        "typed_p50_ms": percentile(typed, 50),
        "typed_p95_ms": percentile(typed, 95),
        "ghost_p50_ms": percentile(ghosts, 50),
        "ghost_p90_ms": percentile(ghosts, 90),
        "training_p50_ms": percentile(busy, 50),
        "training_p95_ms": percentile(busy, 95),
        "learned_p50_ms": percentile(answered, 50),
        "learned_p95_ms": percentile(answered, 95),
        "suggested_p50_ms": percentile(suggested, 50),
        "trained_throughout": bool(still and still["phase"] == "train"),
        "requests": len(every),
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


def start_and_switch(profile: Profile) -> dict:
    """Seconds from `start` to the first suggestion, and the slowest suggestion while adapters are switched."""
    profile.run("stop")
    started = time.perf_counter()
    profile.run("start")
    start_s = time.perf_counter() - started
    with profile.client() as client:
        started = time.perf_counter()
        client.post("/v1/suggest", json={"prefix": "Please let me "}).raise_for_status()
        start_s += time.perf_counter() - started
        adapters = client.get("/v1/adapters").json()["adapters"]
        adapter = adapters[-1]["id"]
        slowest, ended = [], threading.Event()

        def keep_typing() -> None:
            with profile.client() as other:
                while not ended.is_set():
                    began = time.perf_counter()
                    other.post("/v1/suggest", json={"prefix": "Please let me kn"}).raise_for_status()
                    slowest.append(1e3 * (time.perf_counter() - began))

        typist = threading.Thread(target=keep_typing)
        typist.start()
        calls = []
        for chosen in (None, adapter, None, adapter):
            began = time.perf_counter()
            client.post("/v1/use", json={"adapter": chosen}).raise_for_status()
            calls.append(1e3 * (time.perf_counter() - began))
        ended.set()
        typist.join()
    return {
        "start_s": round(start_s, 2),
        "use_ms": percentile(calls, 50),
        "switch_ms": round(max(slowest), 1),
    }


def training(base: Path) -> list[dict]:
    """Tokens a second, ours against transformers + peft: same weights, text, rank, batch and threads, in turn."""
    from train_speed import CONTENDERS

    found: dict[str, list[dict]] = {name: [] for name in CONTENDERS}
    for _ in range(2):
        for name, speeds in found.items():
            out = subprocess.run(
                [sys.executable, str(Path(__file__).with_name("train_speed.py")), str(base), name],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            speeds.append(json.loads(out.splitlines()[-1]))
    return [
        {
            "what": name,
            "products": speeds[-1]["products"],
            "tokens_per_s": max(one["tokens_per_s"] for one in speeds),
            "peak_mb": max(one["peak_mb"] for one in speeds),
        }
        for name, speeds in found.items()
    ]


def learning(base: Path, person: str) -> dict[str, float]:
    """Perplexity of a person's newest text after the same tokens of training, ours and with transformers + peft."""
    from train_speed import LEARNERS

    speed, corpus = Path(__file__).with_name("train_speed.py"), CORPORA / f"{person}.jsonl"
    found = {}
    for name in LEARNERS:
        command = [sys.executable, str(speed), str(base), name, str(corpus)]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found[name] = json.loads(out.splitlines()[-1])["perplexity"]
    return found


def faults() -> list[dict]:
    """Every operation with every fault at every step: how many cases there were, and how many went wrong."""
    matrix = ROOT / "tests" / "faults" / "matrix.py"
    out = subprocess.run(
        [sys.executable, str(matrix), "--json"], capture_output=True, text=True, check=False
    ).stdout
    found: dict[str, dict] = {}
    for row in json.loads(out):
        kept = found.setdefault(
            row["operation"], {"operation": row["operation"], "steps": 0, "cases": {}, "wrong": 0}
        )
        if row["fault"] == "kill":  # others may let it take another way, with more steps
            kept["steps"] = row["steps"]
        kept["cases"][row["fault"]] = row["cases"]
        kept["wrong"] += len(row["problems"])
        for problem in row["problems"]:
            console.print(f"{row['operation']}, {row['fault']}: {problem}", markup=False)
    return [*found.values()]


# --- tables and the file -----------------------------------------------------------------------------


def show(result: dict) -> None:
    for person, found in result.get("quality", {}).items():
        table = Table(title=f"{person}: {found['status']}: {found['reason']}")
        for column in ("held-out text", "perplexity", "top-3"):
            table.add_column(column)
        for name in ("base", "memory", "adapter", "both"):
            table.add_row(name, f"{found[name]['perplexity']:.1f}", f"{100 * found[name]['top3']:.1f} %")
        console.print(table)
    for name, found in result.get("savings", {}).items():
        table = Table(title=f"{name}: keystroke savings")
        for column in ("arm", *next(iter(found["arms"].values()))):
            table.add_column(column)
        for arm, row in found["arms"].items():
            table.add_row(arm, *(str(value) for value in row.values()))
        console.print(table)
    for part in ("latency", "typing", "start", "training", "ingest"):
        if part in result:
            rows = result[part] if isinstance(result[part], list) else [result[part]]
            table = Table(title=part)
            for name in rows[0]:
                table.add_column(name)
            for row in rows:
                table.add_row(*(str(value) for value in row.values()))
            console.print(table)


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
    """What ``bench.json`` holds. A part that is measured goes with this machine; what another one took is kept."""

    def __setitem__(self, part: str, found: Any) -> None:
        if part in PARTS:
            machines, elsewhere = (self.setdefault(name, {}) for name in ("machines", "elsewhere"))
            if part in COSTS and part in self and machines.get(part, machine()) != machine():
                elsewhere.setdefault(machines[part], {})[part] = self[part]
            elsewhere.get(machine(), {}).pop(part, None)
            machines[part] = machine()
        super().__setitem__(part, found)


def main(wanted: list[str]) -> None:
    import beside_llama_cpp
    from exposure import exposure
    from exposure import show as show_exposure
    from ingest import ingest
    from load import load, soak
    from load import show as show_load
    from memory_growth import memory_growth
    from memory_growth import show as show_growth
    from power import SETTINGS, power
    from power import show as show_power

    from idiolect.models.build import ensure_base

    base = ROOT / ".cache" / "base"
    ensure_base(base)
    result = Results(json.loads(RESULT.read_text()) if RESULT.exists() else {})
    parts = [part for part in PARTS if part in wanted] or [*PARTS]
    names = [name for name in CORPUS_NAMES if name in wanted] or CORPUS_NAMES
    with tempfile.TemporaryDirectory(prefix="idiolect-bench-") as folder, contextlib.ExitStack() as stack:
        if "faults" in parts:
            result["faults"] = faults()
        if "latency" in parts:
            result["latency"] = latency(base)
        if "training" in parts:
            result["training"] = training(base)
        if "beside" in parts:
            try:
                result["beside"] = beside_llama_cpp.passes(base)
                beside_llama_cpp.show(result["beside"])
            except beside_llama_cpp.UnavailableError as error:
                console.print(f"Skipped llama.cpp: {error}", markup=False)
        if not names:
            console.print(
                f"Skipped {', '.join(set(parts) - {'latency', 'training', 'faults', 'beside'})}: {CORPORA} is absent."
            )
        if names and "training" in parts:
            result["learning"] = {name: learning(base, name) for name in PEOPLE if name in names}
        if names and "memory" in parts:
            result["memory"] = memory_growth()
            show_growth(result["memory"])
        if names and "exposure" in parts:
            person = next((name for name in PEOPLE if name in names), names[0])
            result["exposure"] = exposure(entries(person), person, base)
            show_exposure(result["exposure"])
        if names and "ingest" in parts:
            result["ingest"] = ingest()
        if names and "power" in parts:
            person = next((name for name in PEOPLE if name in names), names[0])
            profile = Profile(Path(folder) / "power", base, SETTINGS)
            stack.callback(profile.run, "stop")
            texts = [entry["text"] for entry in entries(person)]
            result["power"] = power(profile, texts, Path(folder))
            show_power(result["power"])
            profile.run("stop")
        for part in [part for part in ("load", "soak") if names and part in parts]:
            person = next((name for name in PEOPLE if name in names), names[0])
            profile = Profile(Path(folder) / part, base)
            stack.callback(profile.run, "stop")
            if part == "load":
                result["load"] = load(profile, entries(person))
                show_load(f"typing at 8 keys a second ({person})", result["load"])
            else:
                result["soak"] = soak(profile, entries(person), Path(folder) / "watched")
                show_load(f"everything at once ({person})", [result["soak"]])
            profile.run("stop")
        if names and "savings" in parts:
            result.setdefault("machines", {})["savings"] = f"{machine()}, a core for each person"
            for name, found in savings_of_all(names, Path(folder), base):
                result.setdefault("savings", {})[name] = found
                RESULT.write_text(json.dumps(result, indent=2) + "\n")
        if names and {"quality", "typing", "start"} & set(parts):
            served(
                result,
                parts,
                [name for name in PEOPLE if name in names] or names[:1],
                Path(folder),
                base,
                stack,
            )
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    show({part: found for part, found in result.items() if part in parts})


def served(
    result: dict, parts: list[str], people: list[str], folder: Path, base: Path, stack: contextlib.ExitStack
) -> None:
    """The parts that need a profile with an adapter, though not the best one."""
    wants_quality = "quality" in parts
    chosen = people if wants_quality else people[:1]
    profiles = {person: Profile(folder / person, base) for person in chosen}
    for profile in profiles.values():
        stack.callback(profile.run, "stop")
    found = quality(profiles, BUDGET_S if wants_quality else 40)
    if wants_quality:
        result["quality"] = found
    profiles[people[0]].run("use", "1")
    if "typing" in parts:
        result["typing"] = typing(profiles[people[0]], people[0])
    if "start" in parts:
        result["start"] = start_and_switch(profiles[people[0]])


if __name__ == "__main__":
    if sys.argv[1:2] == ["people"]:
        import people

        sys.exit(people.main(sys.argv[2:]))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "wanted",
        nargs="*",
        metavar="PART|PERSON",
        help=f"parts: {', '.join(PARTS)} (all of them); people: {', '.join(CORPUS_NAMES) or 'none are here'} (all)",
    )
    wanted = parser.parse_args().wanted
    if unknown := {*wanted} - {*PARTS, *CORPUS_NAMES}:
        parser.error(f"no part and no person: {', '.join(sorted(unknown))}")
    main(wanted)
