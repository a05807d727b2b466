"""Text that is let go when its time is over, or when there is too much of it."""

import threading
from contextlib import closing
from datetime import timedelta

import pytest
from pages import plain_pages
from publishing import KEY, NOON, entry, publish
from waiting import DEADLINE_S

from idiolect.daemon.profile.events import Forgotten
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.profile.retention import Retention
from idiolect.daemon.serving.user_stats import UserStats
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.connection import connect
from idiolect.daemon.storage.errors import StoreBusyError
from idiolect.daemon.storage.schema import microseconds
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store

A_DAY = 24 * 60  # minutes


@pytest.fixture(autouse=True)
def at(monkeypatch):
    """`at(days)`: from now on it is that many days after `NOON`."""

    def at(days):
        now = microseconds(NOON + timedelta(days=days))
        monkeypatch.setattr("idiolect.daemon.storage.entries.now_us", lambda: now)

    at(0)
    return at


def texts(store):
    return [found.text for found in store.entries.select()]


def test_what_was_taken_too_long_ago_goes_however_old_it_is(store, at):
    store.entries.add([entry("an old letter", minute=-3000 * A_DAY)])
    at(10)
    store.entries.add([entry("a new note", minute=10 * A_DAY)])
    assert store.expire(NOON, None) == 0
    assert store.expire(NOON + timedelta(days=1), None) == 1
    assert texts(store) == ["a new note"]
    assert store.entries.counts().entries == 1
    assert store.entries.counts().tokens == 3
    assert [ids for _, ids in store.entries.token_ids()] == [b"\1\0\0\0" * 3]


def test_the_oldest_goes_where_there_is_too_much(store):
    store.entries.add(
        [
            entry("ä" * 50, minute=-3 * A_DAY),
            entry("b" * 100, minute=-2 * A_DAY),
            entry("c" * 100, minute=-A_DAY),
        ]
    )
    assert store.expire(None, 300) == 0
    assert store.expire(None, 250) == 1
    assert [text[0] for text in texts(store)] == ["b", "c"]
    assert store.expire(None, 250) == 0
    assert store.expire(None, 99) == 2
    assert store.expire(None, 99) == 0
    again = entry("c" * 100, minute=-A_DAY)
    assert store.entries.add([again]) == [None], "what was let go is not taken again"


def test_its_bytes_are_gone_from_the_file(store, tmp_path):
    store.entries.add(
        [entry("the heron keeps its own counsel"), entry("so does the stork", minute=5 * A_DAY)]
    )
    store.expire(None, 20)
    store.close()
    pages = plain_pages(tmp_path / "store.db", KEY)
    assert b"heron" not in pages
    assert b"stork" in pages


def test_slips_go_with_the_last_text_even_where_the_file_cannot_be_rewritten(tmp_path):
    path = tmp_path / "store.db"
    with (
        closing(Store.open(path, KEY, busy_timeout_s=0.1)) as store,
        closing(connect(path, KEY, 0.1, new=False)) as reader,
    ):
        store.entries.add([entry("old", minute=-9 * A_DAY), entry("new")])
        stats = UserStats(store)
        stats.add_slip("he", "eh")
        assert store.expire(None, 3) == 1
        assert stats.read_hand().slips == [("he", "eh", 1)]
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM entries").fetchone() == (2,)
        with pytest.raises(StoreBusyError, match="The text is forgotten"):
            store.expire(None, 1)
        assert stats.read_hand().slips == []


def test_adapters_that_saw_it_stay_and_forgetting_still_finds_them(store):
    [old] = store.entries.add([entry("old", minute=-9 * A_DAY)])
    [new] = store.entries.add([entry("new")])
    adapter = publish(store, seen=[old, new])
    store.expire(None, 3)
    assert texts(store) == ["new"]
    assert store.adapters.active() == adapter
    assert store.adapters.seen(adapter) == {old, new}
    assert store.audit().seen[0].entries == 2
    assert sum(row.entries for row in store.audit().taken) == 1
    receipt = store.forget(Selector(until=NOON - timedelta(days=1)))
    assert receipt.adapters_dropped == (adapter,)
    assert store.adapters.active() is None


def clocked(store, home, **limits):
    """A Retention whose clock is a list of one time, and the event that is set each time that text was let go."""
    clock, went = [NOON], threading.Event()
    settings = Settings(home=home, keyring=False, **limits)
    profile = Profile(store)
    profile.events.subscribe(Forgotten, lambda _: went.set())
    return Retention(settings, profile, lambda: clock[0]), clock, went


def test_once_a_day_by_the_settings(store, tmp_path):
    retention, clock, went = clocked(store, tmp_path, keep_days=30, keep_mb=0.0001)
    store.entries.add([entry("x" * 60, minute=-A_DAY), entry("y" * 60)])
    assert retention.run() == 1  # 100 bytes hold one of them
    assert went.is_set()
    assert [text[0] for text in texts(store)] == ["y"]
    clock[0] = NOON + timedelta(days=31)
    assert retention.run() == 1
    assert texts(store) == []
    assert [event.detail for event in store.events.all() if event.kind == "expired"] == [{"entries": 1}] * 2


def test_it_is_done_where_a_day_begins_and_only_where_there_is_a_limit(store, tmp_path):
    store.entries.add([entry("x" * 60)])
    without, _, _ = clocked(store, tmp_path)
    without.expire_if_due()
    assert store.state.get("expired_on") is None
    retention, _, went = clocked(store, tmp_path, keep_mb=0.00001)
    retention.expire_if_due()
    assert went.is_set()
    assert texts(store) == []
    assert store.state.get("expired_on") == "2024-03-01"
    store.entries.add([entry("z" * 60)])
    retention.expire_if_due()
    assert len(texts(store)) == 1, "until another day begins"


def test_what_goes_wrong_does_not_end_it(store, tmp_path, monkeypatch):
    """Not even an error that nobody thought of: text must not outlive its limit for it."""
    monkeypatch.setattr("idiolect.daemon.profile.retention._LOOK_EVERY_S", 0.01)
    store.entries.add([entry("x" * 60)])
    retention, _, went = clocked(store, tmp_path, keep_mb=0.00001)
    expire, failures = store.expire, [ZeroDivisionError()]

    def fail_once(*limits):
        if failures:
            raise failures.pop()
        return expire(*limits)

    monkeypatch.setattr(store, "expire", fail_once)
    retention.start()
    assert went.wait(DEADLINE_S)
    retention.stop()
    assert texts(store) == []
