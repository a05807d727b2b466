"""A clock that jumps: what is kept stays in order, once each, and counts stay whole."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from idiolect.daemon.ingest import ingest
from idiolect.daemon.profile.app_policy import NOWHERE
from idiolect.daemon.service import Service
from idiolect.daemon.serving import user_stats
from idiolect.daemon.storage import schema
from idiolect.daemon.storage.records import Feedback
from idiolect.daemon.storage.selectors import Selector

JUMPS_DAYS = (0, 400, -400, -20_000, 30, 0)  # of the clock, from one sentence to the next: 1971 is among them


@pytest.fixture
def clock(monkeypatch):
    """`clock(days)`: from now on the clock is wrong by so much."""
    wrong = timedelta()

    class Clock(datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime.now(zone) + wrong

    for module in (ingest, schema, user_stats):
        monkeypatch.setattr(module, "datetime", Clock)

    def jump(days):
        nonlocal wrong
        wrong = timedelta(days=days)

    return jump


@pytest.fixture
def settings(tiny_profile, tmp_path):
    return tiny_profile(tmp_path / "home")


def test_every_sentence_is_kept_once_and_found_under_the_time_that_the_clock_showed(settings, clock):
    texts = [f"Sentence number {number} of the boat." for number in range(len(JUMPS_DAYS))]
    with closing(Service(settings)) as service:
        for days, text in zip(JUMPS_DAYS, texts, strict=True):
            clock(days)
            assert service.ingest.add_text(text, source="chat").stored
        entries = [*service.store.entries.select()]
        assert sorted(entry.text for entry in entries) == texts
        assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
        by_id = sorted(entries, key=lambda entry: entry.id)
        assert [entry.text for entry in by_id] == texts, "numbers tell the order in which they came"
        early = Selector(until=datetime(2000, 1, 1, tzinfo=UTC))
        assert [entry.text for entry in service.store.entries.select(selector=early)] == [texts[3]]
    with closing(Service(settings)) as service:
        assert service.status()["entries"] == len(texts)


def test_feedback_is_never_lost_whatever_day_it_is(settings, clock):
    with closing(Service(settings)) as service:
        for days in JUMPS_DAYS:
            clock(days)
            assert service.suggestions.add_feedback(
                Feedback("word", "accepted", 0.5, characters=6), NOWHERE
            ).stored
        assert service.status()["savings"]["accepted"] == len(JUMPS_DAYS)
        report = service.suggestions.report(40_000)
        assert sum(found.accepted for found in report.by_day.values()) == len(JUMPS_DAYS)
        assert len(report.by_day) == len(set(JUMPS_DAYS))


def test_a_round_does_not_end_before_it_began(settings, clock):
    with closing(Service(settings)) as service:
        store = service.store
        for days in (0, -400):
            clock(0)
            number = store.rounds.begin(None)
            clock(days)
            store.rounds.end(number, status="failed", reason="", metrics={})
        store.rounds.begin(None)
        clock(-800)
        store.rounds.interrupt()
        rounds = store.rounds.all()
        assert len(rounds) == 3
        assert all(row.started_at <= row.ended_at for row in rounds)
