"""How much of a labelled set is redacted and how much is kept, and that no text makes redaction slow."""

from __future__ import annotations

import runpy
import time
from pathlib import Path

import pytest

from idiolect.daemon.redaction.patterns import RULES
from idiolect.daemon.redaction.redact import redact

LABELLED = runpy.run_path(str(Path(__file__).parents[1] / "bench" / "redaction.py"))


@pytest.fixture(scope="module")
def scores():
    return LABELLED["scores"]()


def test_the_set_is_large_and_the_same_each_time():
    positives, negatives = LABELLED["positives"](), LABELLED["negatives"]()
    assert (len(positives), len(negatives)) >= (400, 400)
    assert len({case.text for case in positives}) > 0.95 * len(positives)
    assert positives == LABELLED["positives"]()
    assert negatives == LABELLED["negatives"]()
    assert all(secret in case.text for case in positives for secret in case.secrets)


def test_secrets_are_found(scores):
    for group, score in scores.items():
        if group not in ("prose", "look-alike"):
            least = LABELLED["LEAST_STRICT"] if group in LABELLED["STRICT"] else LABELLED["LEAST"]
            assert score.found >= least * score.cases, group


def test_the_rest_is_kept(scores):
    for group, score in scores.items():
        assert score.kept >= 0.98 * score.cases, group


@pytest.fixture(scope="module")
def forms():
    return LABELLED["forms"]()


@pytest.mark.parametrize("form", LABELLED["FORMS"])
def test_a_secret_is_found_however_it_is_parted_from_its_label(forms, form):
    texts, found, alike, taken = forms[form]
    assert (texts, alike) >= (80, 60)
    assert found >= 0.9 * texts
    assert taken <= alike / 60


def test_what_is_redacted_in_the_set_stays_redacted():
    for case in LABELLED["positives"]():
        once, _ = redact(case.text)
        assert redact(once) == (once, 0)


def pieces():
    """Whole and broken examples of all rules, and what patterns begin with."""
    examples = [text.replace("¦", "") for rule in RULES for text, _ in rule.matches]
    examples += [text for rule in RULES for text in rule.misses]
    found = {
        part
        for text in examples
        for part in (text, text[: len(text) // 2], text[:-1], text[len(text) // 2 :])
    }
    found |= {
        "a",
        "A1",
        "0",
        "1-",
        "0 ",
        "=",
        ":",
        "pass ",
        "password=",
        "\n",
        "eyJaaaaaaaa.",
        "sk-",
        "--token ",
    }
    found |= {
        "://a:",
        "DE89 ",
        "4111 ",
        "123456 is your a ",
        "mysql -p",
        "echo ",
        "x7" * 8 + " ",
        "key: '",
        "code 1234",
    }
    found |= {
        "-----BEGIN PRIVATE" + " KEY-----",
        "A" * 64 + "\n",
        "A" * 12 + " ",
        "PuTTY-User-Key-File-2:",
        "<password>a",
        "?token=1",
    }
    return sorted(found)


#: What is slow only behind something else: (that, piece).
BEHIND = (
    ("-----BEGIN PRIVATE" + " KEY-----\n", "A" * 12 + " "),
    ("-----BEGIN PRIVATE" + " KEY-----\n", "A "),
    ("password: ", "<a"),
)


def seconds(text):
    began = time.process_time()
    redact(text, prose=False)  # by the rules; the tagger has a test of its own
    return time.process_time() - began


def test_the_time_is_linear_whatever_the_text():
    slow = []
    for beginning, piece in (*BEHIND, *(("", piece) for piece in pieces())):
        small, large = (beginning + piece * (size // len(piece) + 1) for size in (1_000, 10_000))
        if all(is_slow(small, large, least) for least in (0.002, 0.004)):
            slow.append(beginning + piece)
    assert slow == []


def is_slow(small, large, least):
    """Whether ten times the text takes thirty times as long, and as `least` seconds; what is quick is not compared."""
    took = seconds(large)
    return took > 30 * least and took > 30 * seconds(small)
