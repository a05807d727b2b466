"""Every reason for which something is not shown: each is returned, where it holds and nowhere else."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from knowledge import know, trusting
from serving import serving

from idiolect.adapters.memory.vocabulary import MAX_WORD_CHARS
from idiolect.adapters.mending.general_words import GeneralWords
from idiolect.adapters.prediction.calibration import Calibration
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.question import Question
from idiolect.adapters.prediction.reasons import Reason
from idiolect.models.lexicon import read_lexicon

ROOT = Path(__file__).resolve().parents[2]
LETTER = "Please send the quarterly figures to the harbour office before noon, thank you."
SURE = [[1e5 * p, 1e5, 1e5 * p] for p in np.arange(0.05, 1, 0.1)]


@pytest.fixture
def ours(tiny, tiny_float, tiny_tokenizer) -> Predictor:
    """A predictor that has read a letter many times, and corrects."""
    lexicon = read_lexicon(tiny.lexicon)
    known = know(lexicon, tiny_tokenizer, [LETTER] * 8, limit=60)
    known = replace(known, general=GeneralWords(lexicon))
    more = {"calibration": Calibration.from_json(SURE), "word_calibration": Calibration.from_json(SURE)}
    return Predictor(tiny_float, tiny_tokenizer, known, trusting(), **more)


def test_a_text_that_is_shown_has_no_reason(ours):
    ours.ghosts.show = "more"
    found = ours.suggest(Question("Please send the quar", key_ms=400))
    assert found.ghost.show
    assert found.show_words
    assert found.reasons == ()


@pytest.mark.parametrize(
    ("prefix", "more", "reason"),
    [
        ("Please send the quar", {"suffix": "terly"}, Reason.INSIDE_WORD),
        ("a" * (MAX_WORD_CHARS + 1), {}, Reason.LONG_WORD),
        ("Please send the quar", {"given_up": lambda: True}, Reason.ASKED_AGAIN),
        ("Please send the quar", {"key_ms": 20}, Reason.NOT_WORTH_A_LOOK),
        ("Please send the quatrerly", {"corrections": True}, Reason.MISTYPED),
        ("Guten Tag, ich habe heute leider keine Zeit für ein Tre", {}, Reason.ANOTHER_LANGUAGE),
        ("qqxxzzq", {}, Reason.NOTHING_LIKELY),
    ],
    ids=lambda value: value.name if isinstance(value, Reason) else "",
)
def test_what_is_not_shown_says_why(ours, prefix, more, reason):
    assert reason in ours.suggest(Question(prefix, **more)).reasons


def test_nothing_appears_by_itself_where_the_user_wants_to_ask(ours):
    ours.ghosts.show = "asked"
    assert set(ours.suggest(Question("Please send the quar", key_ms=400)).reasons) == {
        Reason.SHOWN_WHEN_ASKED
    }


def test_grey_text_that_was_passed_over_says_so(ours):
    ours.ghosts.uptake = 0.01
    assert Reason.PASSED_OVER in ours.suggest(Question("Please send the quar")).reasons


def test_the_endpoint_tells_reasons_to_who_asks(tiny_profile, tmp_path):
    with serving(tiny_profile(tmp_path / "profile")) as site:
        site.service.ingest.add_text("The door code is one for the house: 4711 B.", source="test")
        plain = site.post("/v1/suggest", {"prefix": "The d"}).json()
        asked = site.post("/v1/suggest", {"prefix": "The d", "suffix": "oor", "reasons": True}).json()
        secret = site.post("/v1/suggest", {"prefix": "a", "input_purpose": "pin", "reasons": True}).json()
        site.post("/v1/switches", {"corrections": "off"}).raise_for_status()
        off = site.post("/v1/suggest", {"prefix": "The dooor ", "corrections": True, "reasons": True}).json()
    assert "reasons" not in plain
    assert [one["reason"] for one in asked["reasons"]] == ["inside a word"]
    assert asked["reasons"][0]["why"] == Reason.INSIDE_WORD.why
    assert [one["reason"] for one in secret["reasons"]] == ["secret field"] == [secret["reason"]]
    assert "corrections off" in [one["reason"] for one in off["reasons"]]


def test_every_reason_is_returned_by_the_program():
    used = set[str]()
    for path in [*ROOT.glob("adapters/**/*.py"), *ROOT.glob("daemon/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "Reason"
            ):
                used.add(node.attr)
    assert used == set(Reason.__members__)


def test_every_reason_says_what_happens_why_and_what_to_do():
    for reason in Reason:
        assert reason.hides, reason
        assert reason.why.endswith("."), reason
        assert reason.remedy.endswith("."), reason
