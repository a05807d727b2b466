"""What the store tells of itself: sums without text."""

from dataclasses import asdict
from datetime import timedelta

import pytest
from publishing import NOON, entry, publish

from idiolect.daemon.storage import schema
from idiolect.daemon.storage.selectors import Selector

A_DAY = 24 * 60  # minutes


@pytest.fixture
def on(monkeypatch):
    """`on(day)`: from now on it is noon of that day of March 2024."""
    clock = [NOON]
    for module in ("entries", "audit_trail"):
        monkeypatch.setattr(
            f"idiolect.daemon.storage.{module}.now_us", lambda: schema.microseconds(clock[0]), raising=True
        )

    def on(day):
        clock[0] = NOON.replace(day=day)

    return on


def test_what_was_taken_is_told_by_the_day_it_was_taken_on(store, on):
    on(2)
    store.entries.add([entry("one two"), entry("three", source="http", app="mail")])
    on(3)
    store.entries.add([entry("four", minute=-365 * A_DAY), entry("one two")])  # the last is known
    rows = [(row.day, row.source, row.app, row.entries, row.words, row.tokens) for row in store.audit().taken]
    assert rows == [
        ("2024-03-02", "file", None, 1, 2, 3),
        ("2024-03-02", "http", "mail", 1, 1, 3),
        ("2024-03-03", "file", None, 1, 1, 3),
    ]
    assert [row.day for row in store.audit(NOON.replace(day=3)).taken] == ["2024-03-03"]
    store.forget(Selector(text="one two"))
    assert [row.source for row in store.audit().taken] == ["http", "file"]


def test_redactions_are_told_by_kind(store, on):
    on(2)
    store.entries.add([entry("[card] and [card], [password]", redactions=3), entry("I wrote [card] myself")])
    on(3)
    store.entries.add([entry("again [card]", redactions=1)])
    assert store.audit().redacted == {"card": 3, "password": 1}
    assert store.audit(NOON.replace(day=3)).redacted == {"card": 1}


def test_which_adapter_saw_what(store):
    a, b, c = store.entries.add(
        [entry("a"), entry("b", source="http", minute=A_DAY), entry("c", source="http")]
    )
    first = publish(store, seen=[a, c])
    second = publish(store, parent=first, seen=[a, b])
    apart = publish(store, seen=[b])
    rows = [
        (row.adapter, row.source, row.entries, row.stored, row.first, row.last) for row in store.audit().seen
    ]
    later = NOON + timedelta(days=1)
    assert rows == [
        (first, "file", 1, 1, NOON, NOON),
        (first, "http", 1, 2, NOON, NOON),
        (second, "file", 1, 1, NOON, NOON),
        (second, "http", 2, 2, NOON, later),
        (apart, "http", 1, 2, later, later),
    ]


def test_what_happened(store, on):
    for day in (2, 3, 4):
        on(day)
        store.events.add("forget", entries=day)
    assert [event.detail["entries"] for event in store.audit().events] == [2, 3, 4]
    assert [event.detail["entries"] for event in store.audit(NOON.replace(day=3)).events] == [3, 4]


def test_there_is_no_text_in_it(store):
    store.entries.add([entry("the heron keeps its own counsel", redactions=1)])
    store.forget(Selector(text="nothing of it"))
    assert "heron" not in str(asdict(store.audit()))
