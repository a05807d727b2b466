"""The whole path as its user walks it: the real program, the real base model, a store of its own."""

import json
import os
import re
import signal
import socket

import psutil
import pytest
from program import Program
from waiting import until

from idiolect.adapters.memory.corpus import read_general_passages

CANARY = "the teal lighthouse keeper hums quietly at noon"


@pytest.fixture(scope="module")
def program(base_dir, tmp_path_factory):
    program = Program(tmp_path_factory.mktemp("profile"), base_dir)
    program.env["PYTHONPROFILEIMPORTTIME"] = "1"  # the service writes what it imports into its log
    program.run("start")
    del program.env["PYTHONPROFILEIMPORTTIME"]
    yield program
    program.run("stop")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Text to learn from, the program's own general passages, in a file with dates."""
    passages, _ = read_general_passages()
    path = tmp_path_factory.mktemp("text") / "mine.jsonl"
    lines = [
        json.dumps({"text": passage, "ts": f"2024-03-{1 + day // 24:02d}T{day % 24:02d}:00:00Z"})
        for day, passage in enumerate(passages)
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture(scope="module")
def trained(program, text):
    """The profile after one round; its verdict."""
    program.run("add", text)
    return json.loads(program.run("train", "--wait", "--json", "--budget", "8"))


def first_that_was_learned(client):
    """The oldest entry that the adapter saw: a round on a slow machine does not reach all of them."""
    for entry in range(1, client.get("/v1/status").json()["entries"] + 1):
        told = client.post("/v1/forget", json={"ids": [entry], "dry_run": True}).raise_for_status().json()
        if told["adapters_dropped"]:
            return entry
    raise AssertionError("the round learned from nothing")


def child_of(pid):
    """The training round of a service."""
    children = psutil.Process(pid).children()
    return next((child for child in children if "idiolect.adapters.training.round" in child.cmdline()), None)


def test_the_memory_knows_a_text_as_soon_as_it_is_told(program):
    with program.client() as client:
        phrase = "Our barge is called Zorvelin and leaves from the eastern lock"
        before = client.post("/v1/suggest", json={"prefix": "Our barge is called Zorv"}).json()
        assert "elin" not in [word["text"] for word in before["words"]]
        told = client.post("/v1/history", json={"text": phrase, "source": "test"}).json()
        assert told["stored"]
        after = client.post("/v1/suggest", json={"prefix": "Our barge is called Zorv"}).json()
        assert after["words"][0]["text"] == "elin"
        assert after["adapter"] is None


def test_what_one_answers_is_suggested_for_this_once(program, tmp_path):
    said = "Hello, shall we meet at the Kwarbelmoor on Thursday?\n\u202e$(reboot)\n"
    (tmp_path / "mail.txt").write_text(said)
    asked = ("suggest", "I will be at the Kwarb")
    assert "Kwarbelmoor" not in program.run(*asked)
    assert "Kwarbelmoor" in program.run(*asked, "--answering", tmp_path / "mail.txt")
    assert "Kwarbelmoor" in program.run(*asked, "--answering", "-", typed=said)
    assert "Kwarbelmoor" not in program.run(*asked)


def test_what_one_answers_is_not_used_where_the_setting_says_so(tiny, tmp_path):
    program = Program(tmp_path / "home", tiny.folder.parent, "see_context = false\n")
    program.run("start")
    try:
        said = program.run(
            "suggest", "I will be at the Kwarb", "--answering", "-", typed="At the Kwarbelmoor?"
        )
    finally:
        program.run("stop")
    assert "What you answer was not used: the setting see_context is off.\n" in said
    assert "Kwarbelmoor" not in said


def test_too_little_text_says_how_much_is_needed(program):
    said = program.run("train", "--wait", code=9)
    assert "1,500" in said  # words
    assert "memory" in said


def test_a_round_is_judged_and_kept(program, trained):
    metrics = trained["metrics"]
    assert trained["status"] in ("promoted", "refused")
    # These passages never repeat one another: the memory can't help, and must not harm.
    assert metrics["memory"]["perplexity"] < metrics["base"]["perplexity"] * 1.05
    assert metrics["held_out_tokens"] >= 300  # whole texts, of 400 tokens at the most where a machine is slow
    assert trained["tokens_per_s"] > 0
    kept = program.json("adapters")
    assert len(kept) == 1
    assert kept[0]["status"] == ("active" if trained["status"] == "promoted" else "refused")
    assert kept[0]["reason"]
    assert metrics["peak_mb"] <= 1600


def test_the_serving_process_never_loads_torch(program, trained):
    log = (program.home / "log" / "idiolect.log").read_text()
    imported = set(re.findall(r"^import time: +\d+ \| +\d+ \| +(\w+)", log, re.MULTILINE))
    assert "onnxruntime" in imported
    assert "torch" not in imported


def test_adapters_are_switched_and_taken_back_while_serving(program, trained):
    adapter = program.json("adapters")[0]["id"]
    with program.client() as client:
        for chosen in (adapter, None, adapter):
            program.run("use", "base" if chosen is None else chosen)
            assert client.post("/v1/suggest", json={"prefix": "Thank you "}).json()["adapter"] == chosen
    assert "99" in program.run("use", "99", code=3)


def test_exports_are_written_once(program, trained, tmp_path):
    adapter = str(program.json("adapters")[0]["id"])
    for kind in ("onnx_adapter", "peft"):
        program.run("export", kind, tmp_path / kind, "--adapter", adapter)
        assert (tmp_path / kind).exists()
        assert "exists" in program.run("export", kind, tmp_path / kind, "--adapter", adapter, code=6)


def test_killing_the_child_or_the_service_in_mid_round_leaves_a_clean_profile(program, trained):
    before = program.json("status")
    entries, pid = before["entries"], before["pid"]
    with program.client() as client:
        client.post("/v1/train", json={"budget_s": 300}).raise_for_status()
        child = until(lambda: child_of(pid))
        child.kill()
        until(lambda: client.get("/v1/status").json()["training"] is None)
        assert client.get("/v1/status").json()["last_round"]["status"] == "failed"
        client.post("/v1/train", json={"budget_s": 300}).raise_for_status()
        child = until(lambda: child_of(pid))
    os.kill(pid, signal.SIGKILL)
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    assert program.json("status")["running"] is False
    program.run("start")
    status = program.json("status")
    assert status["last_round"]["status"] == "interrupted"
    assert status["entries"] == entries
    assert len(program.json("adapters")) == 1


def test_forgetting_takes_the_text_and_every_adapter_that_saw_it(program, trained):
    with program.client() as client:
        client.post("/v1/history", json={"text": CANARY, "source": "test"}).raise_for_status()
        assert (
            client.post("/v1/suggest", json={"prefix": "the teal lighth"}).json()["words"][0]["text"]
            == "ouse"
        )
    adapter = program.json("adapters")[0]["id"]
    program.run("use", adapter)
    with program.client() as client:
        learned = first_that_was_learned(client)
    receipt = json.loads(program.run("forget", "--id", learned, "--yes", "--json"))
    assert receipt["entries"] == 1
    assert receipt["adapters_dropped"] == [adapter]
    assert program.json("status")["adapter"] is None
    program.run("forget", "--text", "teal lighthouse", "--yes")
    with program.client() as client:
        words = client.post("/v1/suggest", json={"prefix": "the teal lighth"}).json()["words"]
        assert all(word["p"] < 1 for word in words[1:])
    assert program.json("adapters") == []


def test_a_second_start_says_so_and_a_taken_port_is_told(program, base_dir, tmp_path):
    assert "already" in program.run("start").lower()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        other = Program(tmp_path / "other", base_dir)
        said = other.run("start", "--port", taken.getsockname()[1], code=8)
    assert "port" in said
