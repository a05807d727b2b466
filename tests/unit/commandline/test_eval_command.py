"""`idiolect eval` against a running service."""

import json
from pathlib import Path

import numpy as np
import pytest
from serving import serving

SOME = "the boat harbour noon please send figures again they all call me after thanks we met see you soon"


def messages(count):
    random = np.random.default_rng(5)
    return [" ".join(random.choice(SOME.split(), 5)) for _ in range(count)]


@pytest.fixture(scope="module")
def typist(tiny_profile, tmp_path_factory):
    """A profile with a history that is long enough to be measured."""
    folder = tmp_path_factory.mktemp("typist")
    (folder / "notes.txt").write_text("\n\n".join(messages(110)))
    with serving(tiny_profile(folder / "home", threads=1)) as site:
        list(site.service.imports.add([folder / "notes.txt"]))
        yield site.settings


def test_the_own_history_is_told_of_in_a_sentence_and_four_rows(run, typist):
    code, out, err = run(typist, "eval", "--chars", "500", columns=80)
    assert code == 0
    first, *rest = out.splitlines()
    assert first == "At 50 words a minute (your own speed is not measured yet), grey text saves you"
    cells = [line.split() for line in rest]
    figures = [row[0] for row in cells if row and row[-1].isdigit()]
    assert figures == ["seconds:", "keystrokes:", "keystrokes:", "keystrokes:"]
    assert rest[-1] == "`--json` has each part of the program, with intervals and times."
    assert err.splitlines()[:2] == ["Preparing …", "Typing your text again …"]


def test_a_corpus_is_measured_apart_from_the_history(run, typist, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("notes.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in messages(120)))
    code, out, _ = run(typist, "eval", "notes.jsonl", "--no-train", "--chars", "500", "--json")
    assert code == 0
    found = json.loads(out)
    assert [arm["name"] for arm in found["arms"]] == ["base", "context", "memory"]
    assert found["history"]["entries"] == 96
    assert found["adapter"] is None


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--no-train",), "PATH"),
        (("--budget", "60"), "PATH"),
        (("/notes", "--no-train", "--budget", "60"), "--budget"),
        (("--chars", "10"), "--chars"),
        (("/notes", "--context", "/replies"), "PATH"),
        (("--mistakes", "--context", "/replies"), "--mistakes"),
    ],
)
def test_options_of_an_evaluation_that_cannot_be_meant(run, tmp_path, options, names):
    code, out, err = run(tmp_path, "eval", *options)
    assert (code, out) == (2, "")
    assert names in err


def test_what_cannot_be_measured_is_said(run, service):
    assert run(service, "eval", "/absent")[:2] == (3, "")
