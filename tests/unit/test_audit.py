"""What the store tells of itself: sums without text."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from publishing import publish

from idiolect.daemon.ingest.entry_batch import identity
from idiolect.daemon.storage import schema
from idiolect.daemon.storage.records import FileState, NewEntry
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store

KEY = "ab" * 32
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def entry(text, *, source="file", app=None, at=NOON, redactions=0, number=0):
    return NewEntry(text, source, app, at, b"\1\0\0\0" * 3, redactions, identity(text, number))


@pytest.fixture
def store(tmp_path):
    store = Store.open(tmp_path / "store.db", KEY)
    yield store
    store.close()


@pytest.fixture
def on(monkeypatch):
    """`on(day)`: from now on it is noon of that day of January 2026."""
    clock = [NOON]
    for module in ("entries", "event_log"):
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
    store.entries.add([entry("four", at=NOON - timedelta(days=365)), entry("one two")])  # the last is known
    rows = [(row.day, row.source, row.app, row.entries, row.words, row.tokens) for row in store.audit().taken]
    assert rows == [
        ("2026-01-02", "file", None, 1, 2, 3),
        ("2026-01-02", "http", "mail", 1, 1, 3),
        ("2026-01-03", "file", None, 1, 1, 3),
    ]
    assert [row.day for row in store.audit(NOON.replace(day=3)).taken] == ["2026-01-03"]
    store.forget(Selector(text="one two"))
    assert [row.source for row in store.audit().taken] == ["http", "file"]


def test_redactions_are_told_by_kind(store, on):
    on(2)
    store.entries.add([entry("[card] and [card], [password]", redactions=3), entry("I wrote [card] myself")])
    on(3)
    store.entries.add([entry("again [card]", redactions=1, number=1)])
    assert store.audit().redacted == {"card": 3, "password": 1}
    assert store.audit(NOON.replace(day=3)).redacted == {"card": 1}


def test_where_it_came_from_is_told_by_folder(store):
    for path in ("/a/b/one.md", "/a/b/two.md", "/a/three.md"):
        store.entries.add([], file=FileState(path, 1, 1, ()))
    store.watches.add("/a/b")
    found = store.audit()
    assert (found.files, found.folders, found.watches) == (3, {"/a/b": 2, "/a": 1}, ("/a/b",))


def test_which_adapter_saw_what(store):
    a, b, c = store.entries.add(
        [entry("a"), entry("b", source="http", at=NOON + timedelta(days=1)), entry("c", source="http")]
    )
    first = publish(store, seen=[a, c])
    second = publish(store, parent=first, seen=[a, b])
    apart = publish(store, seen=[b])
    rows = [(row.adapter, row.source, row.entries, row.first, row.last) for row in store.audit().seen]
    later = NOON + timedelta(days=1)
    assert rows == [
        (first, "file", 1, NOON, NOON),
        (first, "http", 1, NOON, NOON),
        (second, "file", 1, NOON, NOON),
        (second, "http", 2, NOON, later),
        (apart, "http", 1, later, later),
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


def test_whole_words_are_selected_in_any_case_and_writing(store):
    store.entries.add(
        [entry("A kind-hearted party."), entry("Kind\nregards, don’t wait"), entry("art"), entry("7, 8")]
    )

    def told(phrase):
        return [found.text for found in store.entries.select(selector=Selector(phrase=phrase))]

    assert told("ART") == ["art"]
    assert told("kind regards") == ["Kind\nregards, don’t wait"]
    assert told("don't") == ["Kind\nregards, don’t wait"]
    assert told("kind") == ["A kind-hearted party.", "Kind\nregards, don’t wait"]
    assert told("7") == ["7, 8"]
