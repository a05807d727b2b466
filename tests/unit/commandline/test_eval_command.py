"""`idiolect eval` against a running service without a model."""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import until

from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings

TOY = Path(__file__).parents[2] / "toy"
CANARY = runpy.run_path(str(TOY / "sitecustomize.py"))["CANARY"]


def arms_of(out):
    """What the first column of the first table says."""
    lines = iter(out.splitlines())
    assert any("────" in line for line in lines)
    rows = [line.split() for line in iter(lambda: next(lines).strip(), "")]
    return [row[0] for row in rows if row[0][0].isalpha()]


def test_an_evaluation_says_in_a_sentence_and_four_rows_what_it_is_worth(run, service):
    code, out, _ = run(service, "eval", columns=80)
    assert code == 0
    first, *rest = out.splitlines()
    assert first == "At 50 words a minute (your own speed is not measured yet), grey text saves you"
    cells = [line.split() for line in rest]
    figures = [row[0] for row in cells if row and row[-1].isdigit()]
    assert figures == ["seconds:", "keystrokes:", "keystrokes:", "keystrokes:"]
    assert rest[-1] == "`--all` shows each part of the program, with intervals and times."


def test_an_evaluation_of_the_own_history(run, service):
    code, out, err = run(service, "eval", "--all")
    assert code == 0
    assert out.startswith(
        "Typed 12 messages, 800 characters, after a history of 1,234 with 56,789. Keystrokes saved, with 95 %"
    )
    assert arms_of(out) == ["base", "context", "memory"]
    assert "Without 3 messages that repeat others:" in out
    assert out.count("38.0–42.0") == 4  # context with 5 words and memory with 3, in both tables
    assert "0: 40.0%, 1,700: 40.0%, 56,789: 40.0%." in out
    assert out.splitlines()[-1] == (
        "No adapter is served, so there is no row with one. `idiolect train --wait` makes one."
    )
    assert err.splitlines() == ["Preparing …", "Typing your text again: base …"]


def test_an_evaluation_of_a_corpus_tells_the_verdict(run, service, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(service, "eval", "notes", "--all", "--budget", "90", "--chars", "600", "--seed", "5")
    assert code == 0
    assert arms_of(out) == ["base", "context", "memory", "adapter", "both"]
    assert "Without" not in out
    assert out.splitlines()[-1] == "The adapter: promoted: it gains; its round took 1:38."
    assert "would not be served" in run(service, "eval", "refused", "--all")[1]
    assert "--no-train" in run(service, "eval", "notes", "--no-train", "--all")[1].splitlines()[-1]
    code, out, _ = run(service, "eval", "few", "--all")
    assert (code, arms_of(out)) == (0, ["base", "context", "memory"])
    assert out.endswith("since none could be trained: the history has 12 tokens and a round needs 2,000.\n")


def test_an_evaluation_fits_into_a_narrow_terminal(run, service):
    code, out, _ = run(service, "eval", "/notes", "--all", columns=80)
    assert code == 0
    table = out.split("intervals:\n")[1].split("Without")[0]
    assert "…" not in table
    assert max(map(len, table.splitlines())) <= 80


def test_an_evaluation_as_json(run, service):
    code, out, err = run(service, "eval", "/notes", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert {*found} == {"made", "seed", "key_ms", "source", "history", "test", "adapter", "arms", "growth"}


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--no-train",), "PATH"),
        (("--budget", "60"), "PATH"),
        (("/notes", "--no-train", "--budget", "60"), "--budget"),
        (("--chars", "10"), "--chars"),
        (("/notes", "--context", "/replies"), "PATH"),
        (("--mistakes", "--context", "/replies"), "--mistakes"),
        (("--seed", "-1"), "--seed"),
    ],
)
def test_options_of_an_evaluation_that_cannot_be_meant(run, service, options, names):
    code, out, err = run(service, "eval", *options)
    assert (code, out) == (2, "")
    assert names in err


def test_an_evaluation_that_comes_to_nothing_has_its_own_exit_code(run, service):
    assert run(service, "eval", "/absent")[:2] == (45, "")
    code, out, err = run(service, "eval", "--seed", "3")
    assert (code, out) == (23, "")
    assert "was ended" in err
    code, _, err = run(service, "eval", "--seed", "4")
    assert code == 70
    assert CANARY not in err


def test_what_texts_answer_is_shown_without_and_with_it(run, service, tmp_path):
    code, out, _ = run(service, "eval", "--context", tmp_path / "replies.jsonl", columns=80)
    assert code == 0
    said = " ".join(out.split())
    assert said.startswith(
        "Typed 12 texts, 800 characters, once without what each answers and once with it; no adapter serves."
    )
    rows = [line.split() for line in out.splitlines() if "%" in line]
    assert [row[-2:] for row in rows] == [
        *[["10.0%", "20.0%"], ["30.0%", "40.0%"], ["40.0%", "50.0%"], ["45.0%", "55.0%"]],
        *[["10.0%", "20.0%"], ["62.5%", "62.5%"]],
    ]
    assert "without" in out
    assert "p50 ms" in run(service, "eval", "--context", tmp_path / "replies.jsonl", "--all")[1]
    found = json.loads(run(service, "eval", "--context", tmp_path / "replies.jsonl", "--json")[1])
    assert [arm["name"] for arm in found["arms"]] == ["without", "with"]


def test_one_who_stops_waiting_ends_the_evaluation(tmp_path, monkeypatch):
    settings = Settings(home=tmp_path / "home").prepare()
    monkeypatch.setenv("PYTHONPATH", str(TOY), prepend=os.pathsep)
    process.start(settings)
    monkeypatch.setenv("IDIOLECT_HOME", str(settings.home))
    command = [str(Path(sys.executable).with_name("idiolect")), "eval", "--seed", "2"]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
            while waiting.stderr.readline() != "Typing your text again: memory …\n":
                assert waiting.poll() is None
            waiting.send_signal(signal.SIGINT)
            out, err = waiting.communicate()
        assert (waiting.returncode, out) == (130, "")
        # Interrupted while it wrote, rich writes the line before once more.
        assert (
            err.replace("Typing your text again: memory …\n", "")
            == "The evaluation is ended; nothing of it is kept.\n"
        )
        until((settings.home / "eval closed").exists)
    finally:
        process.stop(settings)
