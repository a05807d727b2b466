"""A training round in a process of its own, on the tiny model: what goes in, what comes out, how it ends."""

import base64
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, replace

import forked
import numpy as np
import psutil
import pytest
from waiting import DEADLINE_S, until

from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.training.compute_clock import PATIENCE
from idiolect.adapters.training.lora import Lora
from idiolect.adapters.training.round import NothingNewError, TrainRequest
from idiolect.models.build import MissingModelError, find_base
from idiolect.models.errors import DamagedModelError
from idiolect.models.languages import word_list_paths

COMMAND = [sys.executable, "-P", "-m", "idiolect.adapters.training.round"]
CANARY = "purple canary sings at midnight"


def messages():
    """Messages of few words in any order: a random model has much to learn from them, and n-grams too little."""
    random = np.random.default_rng(12)
    some = "the boat harbour noon please send figures again they all call me after thanks we met see you soon"
    return [" ".join(random.choice(some.split(), 9)) for _ in range(110)]


def request_on(base, epochs=3):
    """A round on a tiny base model that any machine ends in time."""
    return TrainRequest(
        base=str(base.folder.parent),
        budget_s=600.0,
        rank=4,
        epochs=epochs,
        learning_rate=2e-2,
        products="bfloat16",
        threads=1,
        seed=3,
        serving=None,
        seen=[],
        mixtures={},
    )


@pytest.fixture(scope="module")
def entries(tiny_tokenizer):
    texts = messages()
    texts[20] = f"the {CANARY}"
    return [tiny_tokenizer.encode(text) for text in texts]


@pytest.fixture(scope="module")
def train_request(tiny):
    return request_on(tiny)


class Child:
    """The running process; `send` gives it the text as the service does, and keeps its input open."""

    def __init__(self, environment=None):
        self.process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        )

    def send(self, train_request, entries):
        lines = [json.dumps(asdict(train_request)), str(len(entries)), *map(json.dumps, entries)]
        self.process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self.process.stdin.flush()

    def ask(self, **what):
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        self.process.stdin.flush()

    def events(self):
        for line in self.process.stdout:
            yield json.loads(line)

    def close(self):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


def run(train_request, entries):
    """All events, the exit status and what was said on stderr, with the input open to the end, as in service."""
    child = Child()
    try:
        child.send(train_request, entries)
        events = [*child.events()]
        return events, child.process.wait(DEADLINE_S), child.process.stderr.read()
    finally:
        child.close()


@pytest.fixture(scope="module")
def finished(train_request, entries):
    return run(train_request, entries)


def test_a_run_ends_with_a_result_and_an_empty_stderr(finished):
    events, status, errors = finished
    assert errors == b""
    assert status == 0
    assert {event["event"] for event in events[:-1]} == {"progress", "checkpoint"}
    assert events[-1]["event"] == "result"


def test_progress_goes_through_the_phases(finished, train_request):
    progress = [event for event in finished[0] if event["event"] == "progress"]
    phases = [event["phase"] for event in progress]
    assert [*dict.fromkeys(phases)] == ["prepare", "train", "judge"]
    for phase in ("prepare", "train", "judge"):
        done = [event["done"] for event in progress if event["phase"] == phase]
        assert done == sorted(done)
        assert 0 <= done[0] <= done[-1] <= 1
        assert len(done) > 2
    assert [event["done"] for event in progress if event["phase"] != "prepare"][-1] == 1
    assert all(0 <= event["left_s"] <= PATIENCE * train_request.budget_s for event in progress)
    spent = [event["spent_s"] for event in progress]
    assert spent == sorted(spent)
    assert 0 < spent[0] < spent[-1] < train_request.budget_s
    losses = [event["loss"] for event in progress if event["phase"] == "train"]
    assert len(losses) >= 8
    assert np.mean(losses[-3:]) < 0.5 * max(losses[:6]), "it learns"


def test_the_result_has_all_that_the_service_stores(finished, tiny, train_request, entries):
    result = finished[0][-1]
    assert result["status"] in ("promoted", "refused")
    assert result["metrics"]["products"] == "bfloat16", "as was asked"
    assert result["reason"]
    lora = Lora.from_bytes(base64.b64decode(result["adapter"]), tiny.config)
    assert lora.rank == train_request.rank
    assert result["rank"] == train_request.rank
    assert any(matrix.any() for name, matrix in lora.matrices.items() if name.endswith("B"))
    assert {*result["mixtures"]} == {"base", "candidate"}
    for values in result["mixtures"].values():
        assert Mixture.from_json(values).to_json() != Mixture().to_json()
    held_out = result["held_out"]
    assert held_out == [*range(held_out[0], len(entries))], "the newest"
    assert sorted(result["learned"] + held_out) == [*range(len(entries))]
    assert result["missed"] == 0
    metrics = result["metrics"]
    for arm in ("base", "memory", "adapter", "both", "serving"):
        assert metrics[arm]["perplexity"] > 1
        assert 0 <= metrics[arm]["top3"] <= 1
    assert metrics["serving"] == metrics["memory"], "without a parent the base is served"
    assert metrics["held_out_entries"] <= len(held_out)
    assert metrics["held_out_tokens"] == sum(map(len, entries[-metrics["held_out_entries"] :]))
    assert metrics["trained_tokens"] > 0
    assert metrics["tokens_per_s"] == result["tokens_per_s"] > 0
    assert 0 < result["seconds"] < train_request.budget_s
    assert metrics["peak_mb"] > 50


def test_a_random_model_gains_much_and_is_promoted(finished):
    result = finished[0][-1]
    metrics = result["metrics"]
    assert metrics["adapter"]["perplexity"] < 0.5 * metrics["base"]["perplexity"]
    assert metrics["both"]["perplexity"] < metrics["memory"]["perplexity"] < metrics["base"]["perplexity"]
    assert result["status"] == "promoted", result["reason"]
    assert metrics["gain_bits"] > 0
    assert metrics["p_value"] < 0.05


def comparable(result):
    """Without what depends on the clock."""
    timed = ("seconds", "tokens_per_s", "train_seconds", "peak_mb")
    metrics = {name: value for name, value in result["metrics"].items() if name not in timed}
    return {name: value for name, value in result.items() if name not in timed} | {"metrics": metrics}


def test_a_further_round_goes_on_from_its_parent(finished, train_request, entries):
    first = finished[0][-1]
    seen = [place for place in range(0, len(entries), 2) if place not in first["held_out"]]
    further = replace(
        train_request,
        epochs=1,
        learning_rate=1e-9,
        serving=first["adapter"],
        seen=seen,
        mixtures={"base": first["mixtures"]["base"], "serving": first["mixtures"]["candidate"]},
    )
    events, status, errors = run(further, entries)
    assert (status, errors) == (0, b"")
    result = events[-1]
    assert not {*result["held_out"]} & {*seen}, "what the parent has seen does not judge it"
    assert {*result["mixtures"]} == {"base", "candidate", "serving"}
    assert result["metrics"]["serving"]["perplexity"] == pytest.approx(
        result["metrics"]["both"]["perplexity"], rel=1e-3
    ), "without a step to speak of it stays what its parent is"
    assert result["status"] == "refused"
    assert not {*result["held_out"]} & {*result["learned"]}
    assert {*seen} < {*result["learned"]}, "what its parent has seen, and the rest"


def test_a_round_reads_nothing_twice(finished, train_request, entries):
    """One that has read all but what it is judged by has nothing to do, and says so."""
    seen = [place for place in range(len(entries)) if place not in finished[0][-1]["held_out"]]
    events, status, _ = run(replace(train_request, serving=finished[0][-1]["adapter"], seen=seen), entries)
    assert status == NothingNewError.exit_code
    assert "has been learned" in only_error(events)["message"]


def test_a_short_budget_is_kept(train_request, entries):
    many = [[token, *entry] for token in range(100, 200) for entry in entries]
    events, status, errors = run(replace(train_request, budget_s=2.0, epochs=1000), many)
    assert (status, errors) == (0, b"")
    result = events[-1]
    assert result["metrics"]["epochs"] < 1
    assert result["missed"] == len(many) - len(result["held_out"]) - len(result["learned"]) > 0


def test_the_general_text_is_of_the_users_languages(finished, train_request, entries, tiny, tmp_path):
    english = finished[0][-1]
    shutil.copytree(tiny.folder.parent, tmp_path / "base")
    base = find_base(tmp_path / "base")
    lists = word_list_paths(
        base, ("de",)
    )  # a German one takes long to make; the general text is not made of it
    shutil.copyfile(base.lexicon, lists.lexicon)
    shutil.copyfile(base.dictionary, lists.dictionary)
    events, status, errors = run(
        replace(train_request, base=str(tmp_path / "base"), languages=("de",)), entries
    )
    assert (status, errors) == (0, b"")
    assert events[-1]["metrics"]["general_before"] != english["metrics"]["general_before"]


# How it goes on


def stopped_in(phase, train_request, entries, steps=5):
    """All events of a round that is asked to stop after some progress in this phase."""
    child = Child()
    try:
        child.send(train_request, entries)
        found, seen = [], 0
        for event in child.events():
            found.append(event)
            seen += event["event"] == "progress" and event["phase"] == phase
            if seen == steps:
                child.ask(stop=True)
                seen += 1
        return found, child.process.wait(DEADLINE_S), child.process.stderr.read()
    finally:
        child.close()


def going_on(train_request, events):
    """The order of a round that goes on from the last checkpoint among the events, and its parts."""
    parts = [event for event in events if event["event"] == "checkpoint"]
    last = parts[max(place for place, part in enumerate(parts) if part["part"] == 0) :]
    whole = b"".join(base64.b64decode(part["data"]) for part in last)
    # A real one has some fifty parts, each with an end of its own.
    lines = [base64.b64encode(whole[at : at + 65_536]).decode() for at in range(0, len(whole), 65_536)]
    assert len(lines) > 1
    return replace(train_request, spent_s=last[-1]["spent_s"], checkpoint_parts=len(lines)), lines


def trained_from(events):
    """The tokens that were trained on after the first step that the process itself did."""
    return next(event["tokens"] for event in events if event.get("phase") == "train")


def test_a_stopped_round_goes_on_to_the_same_end(finished, train_request, entries):
    first, status, errors = stopped_in("train", train_request, entries)
    assert (status, errors, first[-1]) == (0, b"", {"event": "stopped"})
    further, parts = going_on(train_request, first)
    assert further.spent_s > 0
    second, status, errors = stopped_in("train", further, [*parts, *entries])
    assert (status, errors, second[-1]) == (0, b"", {"event": "stopped"})
    last, parts = going_on(train_request, second)
    assert last.spent_s > further.spent_s
    third, status, errors = run(last, [*parts, *entries])
    assert (status, errors) == (0, b"")
    assert trained_from(first) < trained_from(second) < trained_from(third)
    assert comparable(third[-1]) == comparable(finished[0][-1])


def test_a_round_that_was_stopped_while_judging_judges_anew(finished, train_request, entries):
    first, status, errors = stopped_in("judge", train_request, entries, steps=1)
    assert (status, errors, first[-1]) == (0, b"", {"event": "stopped"})
    further, parts = going_on(train_request, first)
    events, status, errors = run(further, [*parts, *entries])
    assert (status, errors) == (0, b"")
    assert [event for event in events if event.get("phase") == "train"] == [], "it was trained already"
    assert comparable(events[-1]) == comparable(finished[0][-1])


def test_a_suspension_uses_nothing_up(train_request, entries):
    child = Child(forked.NEW)  # whose arguments and environment are its own
    try:
        child.send(replace(train_request, epochs=1000), entries)
        events = child.events()
        before = next(event for event in events if event.get("phase") == "train")
        process = psutil.Process(child.process.pid)
        process.suspend()
        child.ask(suspended_s=10_000)
        until(lambda: process.status() == psutil.STATUS_STOPPED)
        process.resume()
        after = next(event for event in events if event.get("phase") == "train")
        assert after["spent_s"] - before["spent_s"] < 10
    finally:
        child.close()


# How it ends otherwise


def only_error(events):
    [error] = [event for event in events if event["event"] not in ("progress", "checkpoint")]
    assert error["event"] == "error"
    return error


@pytest.mark.parametrize("damage", ["missing", "graph"])
def test_a_damaged_base_is_an_error_with_a_remedy(tiny, train_request, entries, tmp_path, damage):
    folder = tmp_path / "base"
    if damage != "missing":
        shutil.copytree(tiny.folder, folder / tiny.folder.name)
        path = folder / tiny.folder.name / "graph.onnx"
        path.write_bytes(b"\xff" * path.stat().st_size)  # of the same size, so that only reading it tells
    events, status, errors = run(replace(train_request, base=str(folder)), entries)
    error = only_error(events)
    assert status == (MissingModelError if damage == "missing" else DamagedModelError).exit_code
    assert "idiolect" in error["message"]
    assert errors == b""


def test_a_parent_is_trained_further_and_judged_against_what_serves(finished, train_request, entries, tiny):
    idle = Lora.fresh(tiny.config, train_request.rank)  # says what the base says
    given = {"serving": finished[0][-1]["adapter"], "parent": base64.b64encode(idle.to_bytes()).decode()}
    events, status, errors = run(replace(train_request, epochs=1, learning_rate=1e-9, **given), entries)
    assert (status, errors) == (0, b"")
    metrics = events[-1]["metrics"]
    assert metrics["both"]["perplexity"] == pytest.approx(metrics["memory"]["perplexity"], rel=1e-3)
    assert metrics["serving"]["perplexity"] < 0.99 * metrics["both"]["perplexity"], (
        "it is judged against what serves"
    )
    assert not events[-1]["promising"], "it is clearly worse"


def test_a_round_without_new_text_to_judge_by_is_an_error(finished, train_request, entries):
    """After the newest text was forgotten, the parent may have seen all that is left."""
    everything = replace(train_request, serving=finished[0][-1]["adapter"], seen=[*range(len(entries))])
    events, status, errors = run(everything, entries)
    assert only_error(events)["message"]
    assert status != 0
    assert errors == b""


@pytest.fixture(scope="module")
def while_training(train_request, entries):
    """What is seen of the process in the midst of its work, and how it ends once its input closes."""
    child = Child(forked.NEW)  # whose arguments and environment are its own
    try:
        child.send(replace(train_request, epochs=1000), entries)
        events = child.events()
        next(event for event in events if event["phase"] == "train")
        process = psutil.Process(child.process.pid)
        seen = {
            "shown": " ".join([*process.cmdline(), *process.environ().values()]),
            "open": process.open_files(),
        }
        child.process.stdin.close()
        seen["after"] = [event["event"] for event in events]
        seen["status"] = child.process.wait(DEADLINE_S)
        seen["errors"] = child.process.stderr.read()
        yield process, seen
    finally:
        child.close()


def test_text_stays_between_its_ends(while_training, entries):
    """Nothing of it among arguments or in the environment, and no file is open that it could be written to."""
    _, seen = while_training
    assert "idiolect.adapters.training.round" in seen["shown"]
    assert CANARY not in seen["shown"]
    assert not [ids for ids in entries if json.dumps(ids)[1:-1] in seen["shown"]]
    assert not [file.path for file in seen["open"] if "w" in getattr(file, "mode", "r")]


def test_it_ends_when_its_input_closes(while_training):
    process, seen = while_training
    assert not process.is_running()
    assert "result" not in seen["after"]
    assert seen["errors"] == b""
