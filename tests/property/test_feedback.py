"""Any sequence of feedback: every sum of it, over days, kinds, adapters and tenths, is the same sum."""

import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import astuple
from datetime import date, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from idiolect.daemon.storage.records import Feedback, Savings
from idiolect.daemon.storage.store import Store

KEY = "c3" * 32
START = date(2025, 12, 30)
KINDS = st.sampled_from(["word", "ghost"])
P = st.floats(0, 1) | st.integers(0, 10).map(lambda tenth: tenth / 10)
AMOUNTS = st.integers(0, 10_000)
ACCEPTED = st.builds(
    Feedback, KINDS, st.just("accepted"), P, st.booleans(), st.integers(1, 10_000), AMOUNTS, AMOUNTS
)
DISMISSED = st.builds(Feedback, KINDS, st.just("dismissed"), P, st.booleans())
REPORTED = st.tuples(
    ACCEPTED | DISMISSED,
    st.none() | st.integers(1, 3),
    st.integers(0, 4).map(lambda day: START + timedelta(days=day)),
)


def total(found):
    """The sum of some feedback, done by hand."""
    taken = [given for given in found if given.outcome == "accepted"]
    characters, keystrokes = sum(each.characters for each in taken), sum(each.keystrokes for each in taken)
    words = sum(each.words for each in taken)
    return Savings(
        len(taken), len(found) - len(taken), characters, keystrokes, words, characters - keystrokes
    )


def summed(parts):
    return Savings(*map(sum, zip(astuple(Savings(0, 0, 0, 0, 0, 0)), *map(astuple, parts), strict=True)))


@settings(max_examples=25, deadline=None)
@given(reported=st.lists(REPORTED, max_size=30), since=st.integers(0, 5))
def test_sums_add_up(reported, since):
    since = START + timedelta(days=since)
    with tempfile.TemporaryDirectory(prefix="idiolect-test-") as folder:
        path = Path(folder) / "store.db"
        with closing(Store.open(path, KEY)) as store:
            for each in reported:
                store.feedback.add(*each)
        with closing(Store.open(path, KEY)) as store:
            assert store.feedback.savings() == total([given for given, _, _ in reported])
            report = store.feedback.report(since)
            tenths = {kind: store.feedback.reliability(kind, since) for kind in ("word", "ghost")}
    recent = [each for each in reported if each[2] >= since]
    assert report.savings == total([given for given, _, _ in recent])
    assert report.savings == summed(report.by_day.values()) == summed(report.by_adapter.values())
    assert report.by_day == {
        key: total([given for given, _, day in recent if (day, given.kind) == key])
        for key in sorted({(day, given.kind) for given, _, day in recent})
    }
    assert report.by_adapter == {
        key: total([given for given, adapter, _ in recent if adapter == key])
        for key in {adapter for _, adapter, _ in recent}
    }
    judged = Counter((given.kind, given.outcome) for given, _, _ in recent if given.show)
    for kind, row in tenths.items():
        assert len(row) == 10
        assert sum(tenth.accepted for tenth in row) == judged[kind, "accepted"]
        assert sum(tenth.dismissed for tenth in row) == judged[kind, "dismissed"]
    for given_, _, _ in recent:
        if given_.show:
            tenth = tenths[given_.kind][min(int(given_.p * 10), 9)]
            assert getattr(tenth, given_.outcome) > 0
