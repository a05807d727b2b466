"""An evaluation in a process of its own, on the tiny model: what goes in, what comes out, how it ends."""

import base64
import itertools
import json
import subprocess
import sys
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from waiting import DEADLINE_S

from idiolect.adapters.evaluation.eval_split import EvalMessage
from idiolect.adapters.evaluation.run import TypingRequest
from idiolect.adapters.evaluation.run import run as evaluate

COMMAND = [sys.executable, "-P", "-m", "idiolect.adapters.evaluation.run"]
SHARES = {"value", "low", "high"}


@pytest.fixture(scope="module")
def messages():
    """Phrases in any order, so that n-grams know them; the last two of the test are the same."""
    random = np.random.default_rng(4)
    phrases = (
        "see you at the old harbour",
        "please send the figures",
        "thanks for the call",
        "we met at noon",
    )
    texts = [". ".join(random.permutation(phrases)[:2]) for _ in range(40)]
    texts += [
        "see you at noon. thanks for the figures",
        "please send the Zorvelin",
        "please send the Zorvelin",
    ]
    start = datetime(2026, 1, 31, tzinfo=UTC)
    return [
        EvalMessage(text, (start + timedelta(hours=at)).isoformat(), text) for at, text in enumerate(texts)
    ]


@pytest.fixture(scope="module")
def typing_request(tiny, make_lora):
    return TypingRequest(
        base=str(tiny.folder.parent),
        threads=1,
        seed=7,
        source="notes",
        history=40,
        repeats=[False, False, True],
        adapter=base64.b64encode(make_lora(tiny.config).to_bytes()).decode(),
        about_adapter={"id": 3, "status": "active", "reason": "better", "seconds": 12.5},
        mixtures={},
        calibration=None,
        mistakes=True,
    )


def run(typing_request, messages):
    """All events, the exit status and what was said on stderr; its input is open to the end, as in service."""
    with subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        lines = map(json.dumps, [asdict(typing_request), len(messages), *map(asdict, messages)])
        child.stdin.write("".join(f"{line}\n" for line in lines).encode())
        child.stdin.flush()
        events = [json.loads(line) for line in child.stdout]
        return events, child.wait(DEADLINE_S), child.stderr.read()


def result_of(typing_request, messages):
    """The result of the same in this process."""
    events = []
    evaluate(typing_request, messages, events.append)
    return events[-1]


@pytest.fixture(scope="module")
def finished(typing_request, messages):
    return run(typing_request, messages)


@pytest.fixture(scope="module")
def result(finished):
    return finished[0][-1]


@pytest.fixture(scope="module")
def arms(result):
    return {arm["name"]: arm for arm in result["arms"]}


def test_a_run_ends_with_a_result_and_an_empty_stderr(finished):
    events, status, errors = finished
    assert (status, errors) == (0, b"")
    assert {event["event"] for event in events[:-1]} == {"progress"}
    assert events[-1]["event"] == "result"


def test_progress_goes_through_the_arms(finished):
    progress = finished[0][:-1]
    assert all({*event} == {"event", "phase", "arm", "done", "left_s"} for event in progress)
    told = [*dict.fromkeys((event["phase"], event["arm"]) for event in progress)]
    arms = ["base", "context", "memory", "adapter", "no context", "both"]
    assert told == [("prepare", None), *(("type", arm) for arm in arms), ("mistype", "both")]
    done = [event["done"] for event in progress]
    assert done == sorted(done)
    mistyping = [event["done"] for event in progress if event["phase"] == "mistype"]
    assert 0 == done[0] < mistyping[0] < mistyping[-1] == 1
    assert all(event["left_s"] is None or event["left_s"] >= 0 for event in progress)
    assert progress[-1]["left_s"] is not None


def test_the_result_has_its_documented_shape(result, messages):
    figures = {"adapter", "arms", "mistakes"}
    assert {*result} == {"event", "made", "seed", "key_ms", "source", "history", "test", *figures}
    assert datetime.fromisoformat(result["made"]).tzinfo is not None
    assert (result["seed"], result["source"]) == (7, "notes")
    assert {*result["mistakes"]["saved"]} == {"grey", "mending", "both"}
    sizes = [len(message.text) for message in messages]
    assert result["history"] == {
        "entries": 40,
        "characters": sum(sizes[:40]),
        "from": messages[0].at,
        "to": messages[39].at,
    }
    assert result["test"] == {
        "entries": 3,
        "characters": sum(sizes[40:]),
        "repeats": 1,
        "from": messages[40].at,
        "to": messages[42].at,
    }
    assert result["adapter"] == {"id": 3, "status": "active", "reason": "better", "seconds": 12.5}
    assert [(arm["name"], arm["condition"]) for arm in result["arms"]] == [
        ("base", "before"),
        ("context", "after"),
        ("memory", "after"),
        ("adapter", "after"),
        ("no context", "after"),
        ("both", "after"),
    ]
    for arm in result["arms"]:
        assert {*arm} == {"name", "condition", "all", "no_repeats", "latency_ms"}
        for row, count in ((arm["all"], 3), (arm["no_repeats"], 2)):
            assert {*row} == {"messages", "characters", "savings", "ghost"}
            assert (row["messages"], row["characters"]) == (count, sum(sizes[40 : 40 + count]))
            assert {*row["savings"]} == {"1", "3", "5"}
            assert {*row["ghost"]} == {
                *("whole", "words", "net", "seconds"),
                *("shown_rate", "precision", "wrong_new_per_100"),
            }
            for interval in (*row["savings"].values(), *(row["ghost"][way] for way in ("words", "net"))):
                assert {*interval} == SHARES
                assert interval["low"] <= interval["value"] <= interval["high"] < 1
        assert 0 < arm["latency_ms"]["p50"] <= arm["latency_ms"]["p95"]


def test_learning_saves_keystrokes(arms):
    saved = {name: arm["all"]["savings"]["3"]["value"] for name, arm in arms.items()}
    # A random model and general words know nothing of these phrases.
    assert saved["memory"] > saved["base"] + 0.2
    assert saved["both"] > saved["adapter"] + 0.2


def test_each_message_is_learned_after_it_was_typed(arms, typing_request, messages):
    """The name in the second message is new; in the third it is known, but only to an arm that learns words."""
    alone = replace(typing_request, adapter=None, about_adapter=None, repeats=[False])
    first = result_of(alone, [*messages[:40], messages[41]])
    again = result_of(alone, [*messages[:40], messages[42]])
    once = {arm["name"]: arm["all"]["savings"]["5"]["value"] for arm in first["arms"]}
    assert once == {arm["name"]: arm["all"]["savings"]["5"]["value"] for arm in again["arms"]}

    both = replace(alone, repeats=[False, True])
    twice = result_of(both, [*messages[:40], messages[41], messages[42]])
    for arm in twice["arms"]:
        mean = arm["all"]["savings"]["5"]["value"]
        first_time = arm["no_repeats"]["savings"]["5"]["value"]
        assert first_time == once[arm["name"]]
        if arm["name"] == "memory":
            assert mean > first_time + 0.1
        elif arm["name"] == "base":
            assert mean == first_time


def comparable(result):
    """Without what depends on the clock."""
    arms = [{name: value for name, value in arm.items() if name != "latency_ms"} for arm in result["arms"]]
    return {name: value for name, value in result.items() if name != "made"} | {"arms": arms}


@pytest.mark.parametrize("answering", [False, True])
def test_how_fast_the_machine_is_changes_no_figure(typing_request, messages, monkeypatch, answering):
    """A message begins anew, whenever the one before it was typed."""
    random = np.random.default_rng(2)
    test = [
        " ".join(random.permutation(["boat", "harbour", "noon", "please", "send", "figures", "again"]))
        for _ in "1234"
    ]
    given = [
        replace(messages[40], text=text, kept=f"{text} soon", answered="Is the Zorvelin there?")
        for text in test
    ]
    request = replace(typing_request, answering=answering, repeats=[False] * 4)
    found = []
    for step_s in (0.0, 1000.0):
        clock = itertools.count()
        monkeypatch.setattr(time, "monotonic", lambda clock=clock, step_s=step_s: next(clock) * step_s)
        evaluate(request, [*messages[:40], *given], found.append)
    quick, slow = (comparable(event) for event in found if event["event"] == "result")
    assert quick == slow


def test_ghosts_are_shown_as_far_as_they_have_been_right(arms, typing_request, messages):
    """What the service knows of that counts, but not for a fresh install."""
    never = [[1000 * (tenth + 0.5) / 10, 1000, 0] for tenth in range(10)]
    found = result_of(replace(typing_request, calibration=never, adapter=None, about_adapter=None), messages)
    shown = {arm["name"]: arm["all"]["ghost"]["shown_rate"] for arm in found["arms"]}
    before = {name: arm["all"]["ghost"]["shown_rate"] for name, arm in arms.items()}
    assert shown["base"] == before["base"] > 0
    assert shown["memory"] < 0.5 * before["memory"], "only what is certain is shown"


def test_the_kept_text_is_learned_and_the_written_text_is_typed(typing_request, messages):
    """A secret is typed as it was; what is learned of it is the placeholder, or nothing at all."""
    secret = EvalMessage("please send xqzwv", messages[0].at, "please send [token]")
    nothing = EvalMessage("please send xqzwv", messages[0].at, "")
    plain = replace(typing_request, adapter=None, about_adapter=None, repeats=[False], history=2)
    test = EvalMessage("please send xqzwv", messages[1].at, "")
    knows = result_of(plain, [replace(secret, kept=secret.text)] * 2 + [test])
    for message in (secret, nothing):
        hides = result_of(plain, [message] * 2 + [test])
        saved, hidden = (found["arms"][2]["all"]["savings"]["1"]["value"] for found in (knows, hides))
        assert saved > hidden
