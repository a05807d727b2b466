"""How much of a labelled set is redacted and how much is kept, and that no text makes redaction slow."""

import runpy
from pathlib import Path

import pytest

from idiolect.daemon.text.redaction.redact import redact

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
