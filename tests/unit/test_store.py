"""The store: what is kept comes back, and what is forgotten is gone with all that was learned from it."""

import os
import random
import sqlite3
import stat
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pages import plain_pages
from publishing import KEY, NOON, entry, publish

from idiolect.daemon.storage import encrypted_file
from idiolect.daemon.storage import entries as entries_module
from idiolect.daemon.storage.entries import NEWEST_TEXTS, Entries
from idiolect.daemon.storage.paragraphs import digest
from idiolect.daemon.storage.records import (
    BackupRow,
    Feedback,
    FileState,
    ForgetReceipt,
    NewEntry,
    OtherCountError,
    RoundNotRunningError,
    Tombstone,
    UnknownAdapterError,
    WeightsDroppedError,
)
from idiolect.daemon.storage.selectors import EmptySelectorError, Selector, UnseenCharactersError
from idiolect.daemon.storage.store import Store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.db"


# The file


def test_the_text_is_nowhere_in_the_files_and_they_are_the_users_alone(path):
    canary = "The heron keeps its appointments."
    old = os.umask(0)
    try:
        store = Store.open(path, KEY)
        state = FileState("/tmp/heron.txt", 1, 2, ("ab",))
        store.entries.add([entry(canary * 50, source="letters to nobody")], state)
        files = sorted(file.name for file in path.parent.iterdir())
        assert files == ["store.db", "store.db-shm", "store.db-wal"]
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            data = file.read_bytes()
            for plain in (b"heron", b"letters to nobody", b"CREATE TABLE", KEY.encode(), bytes.fromhex(KEY)):
                assert plain not in data
        store.close()
    finally:
        os.umask(old)
    assert path.read_bytes()[:16] != b"SQLite format 3\0"
    assert b"heron" not in path.read_bytes()
    with pytest.raises(sqlite3.DatabaseError, match="not a database"), closing(sqlite3.connect(path)) as db:
        db.execute("SELECT * FROM entries")


def test_a_file_that_others_can_read_is_closed_to_them(path):
    path.touch(0o644)
    path.chmod(0o644)
    Store.open(path, KEY).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_must_be_a_key(path):
    for key in ("", "5a", "5a" * 33, "zz" * 32, "5a" * 31 + "';"):
        with pytest.raises(ValueError, match="64 hexadecimal"):
            Store.open(path, key)
    assert not path.exists()


# Text


def test_times_keep_their_microseconds_and_come_back_in_utc(store):
    at = datetime(1931, 5, 6, 7, 8, 9, 123457, tzinfo=timezone(timedelta(hours=-5)))
    store.entries.add([NewEntry("old", "file", None, at, b"", 0, "00" * 32)])
    (kept,) = store.entries.select()
    assert kept.at == at
    assert kept.at.tzinfo is UTC


def test_entries_and_their_file_are_kept_together_or_not_at_all(store):
    with pytest.raises(OverflowError):
        store.entries.add([entry("a")], FileState("/f", 2**70, 0, ()))
    assert list(store.entries.select()) == []
    with pytest.raises(ValueError, match="uint32"):
        store.entries.add([entry("a"), NewEntry("b", "file", None, NOON, b"123", 0, "00" * 32)])
    with pytest.raises(ValueError, match="zone"):
        store.entries.add([NewEntry("b", "file", None, datetime(2024, 1, 1), b"", 0, "00" * 32)])
    assert list(store.entries.select()) == []


def test_a_long_history_is_streamed_while_others_write(store):
    store.entries.add([entry(f"line {number}", minute=number // 3) for number in range(600)])
    stream = store.entries.select()
    seen = [next(stream).text]
    store.entries.add([entry("added meanwhile", minute=-1)])
    assert [*seen, *(kept.text for kept in stream)] == [f"line {number}" for number in range(600)]


@pytest.mark.parametrize(
    ("selector", "texts"),
    [
        (Selector(text="STRASSE"), ["Die Straße"]),
        (Selector(text="100%"), ["100% of it"]),
        (Selector(text="it"), ["100% of it", "Write to home"]),
        (Selector(text="it", source="http"), ["Write to home"]),
        (Selector(phrase="it"), ["100% of it"]),
        (Selector(phrases=("it", "the strasse", "strasse")), ["Die Straße", "100% of it"]),
        (Selector(ids=(1, 3, 77)), ["Die Straße", "Write to home"]),
        (Selector(source="http"), ["Write to home"]),
        (Selector(app="mail"), ["Write to home"]),
        (Selector(since=NOON + timedelta(minutes=1)), ["100% of it", "Write to home"]),
        (Selector(until=NOON + timedelta(minutes=1)), ["Die Straße"]),
    ],
)
def test_a_selector_takes_what_meets_all_its_conditions(store, selector, texts):
    store.entries.add(
        [
            entry("Die Straße"),
            entry("100% of it", minute=1),
            entry("Write to home", minute=2, source="http", app="mail"),
        ]
    )
    assert [kept.text for kept in store.entries.select(selector=selector)] == texts
    assert store.forget(selector, dry_run=True).entries == len(texts)


def test_a_selector_that_selects_everything_or_nothing_is_refused():
    for name, blank in (
        *(("text", given) for given in ("", " ", "\u00a0\n\u200b\u00ad")),
        *(("ids", ()), ("phrases", ()), ("phrases", ("one", " "))),
        *(("phrase", "..."), ("source", "\t"), ("app", "\u2060")),
    ):
        with pytest.raises(EmptySelectorError):
            Selector(**{"origin": 1, name: blank})
    with pytest.raises(EmptySelectorError):
        Selector()


@pytest.mark.parametrize("name", ["text", "phrase", "source", "app"])
@pytest.mark.parametrize("given", ["\0zebra", "zebra\0", "\0", "ze\x1bbra", "\x85", "\udcff"])
def test_a_selector_with_characters_that_no_text_has_is_refused(name, given):
    with pytest.raises(UnseenCharactersError) as caught:
        Selector(**{name: given})
    assert "zebra" not in str(caught.value)
    assert Selector(**{name: "tabs\tand\r\nlines"})


def test_text_with_a_nul_that_is_stored_is_searched_whole(store):
    store.entries.add([entry("before\0 zebra after"), entry("something else")])
    for selector in (Selector(text="zebra"), Selector(phrase="zebra"), Selector(text="before zebra")):
        assert store.forget(selector, dry_run=True).entries == 1


@pytest.mark.parametrize("between", ["\0", "\x1b", "\x7f", "\x9f", "\t"])
def test_a_control_character_parts_words(store, between):
    store.entries.add([entry(f"foo{between}bar"), entry("foo\u200bbar")])
    found = [
        [each.text for each in store.entries.select(selector=Selector(text=text))]
        for text in ("foo bar", "foobar")
    ]
    assert found == [[f"foo{between}bar"], ["foo\u200bbar"]]


def test_only_the_expected_number_is_forgotten(store):
    store.entries.add([entry(f"apple {n}", minute=n) for n in range(5)] + [entry("pear")])
    for expect in (0, 4, 6):
        for dry_run in (True, False):
            with pytest.raises(OtherCountError, match="take 5 of 6 entries now"):
                store.forget(Selector(text="apple"), dry_run=dry_run, expect=expect)
    assert store.entries.counts().entries == 6
    assert store.receipts.all() == []
    assert store.forget(Selector(text="apple"), expect=5).entries == 5
    assert store.forget(Selector(text="apple"), expect=0).entries == 0


def test_others_write_while_texts_are_compared_and_what_is_said_is_taken(store, path, monkeypatch):
    monkeypatch.setattr(entries_module, "_BATCH", 2)
    store.entries.add([entry(f"heron {n}", minute=n) for n in range(6)])
    other = Store.open(path, KEY, busy_timeout_s=0.1)
    coming = [entry(f"heron {n}", minute=n) for n in (7, 6)]
    came, compared = [], encrypted_file.pattern

    def comparing(*given):
        if not came:
            came.extend(other.entries.add([coming.pop()]))
        return compared(*given)

    monkeypatch.setattr(encrypted_file, "pattern", comparing)
    selector = Selector(text="heron")
    assert store.forget(selector, dry_run=True).entries == 7
    match = Entries.match
    held = len("heron 0") * 5
    monkeypatch.setattr(  # the three oldest lose their text once they have been looked at
        Entries, "match", lambda *given: (match(*given), other.expire(None, held))[0]
    )
    came.clear()
    assert store.forget(selector).entries == 5
    assert store.entries.counts().entries == 0
    assert not coming
    other.close()


@pytest.mark.parametrize(
    ("entries", "total", "large"),
    [(10, 10, False), (11, 110, False), (11, 109, True), (0, 0, False), (1068, 1091, True)],
)
def test_large_is_more_than_ten_entries_and_a_tenth(entries, total, large):
    assert ForgetReceipt(entries, (), None, total=total).large is large


def test_a_path_need_not_be_valid_utf_8(store):
    strange = os.fsdecode(b"/home/\xff\xfe.txt")
    states = [FileState("/a", 1, 2, ("x", "y")), FileState(strange, 2**40, -1, ())]
    for state in states:
        store.entries.add([], state)
        store.watches.add(state.path)
    assert store.file_states.all() == states
    assert store.watches.all() == ["/a", strange]


# Rounds and adapters


def test_publishing_ends_the_round(store):
    first = publish(store, metrics={"perplexity": 20.5}, tokens_per_s=300.0)
    refused = publish(store, parent=first, status="refused")
    rounds = store.rounds.all()
    assert [(row.parent, row.adapter, row.status) for row in rounds] == [
        (None, first, "promoted"),
        (first, refused, "refused"),
    ]
    assert (rounds[0].tokens_per_s, rounds[0].metrics) == (300.0, {"perplexity": 20.5})
    assert rounds[0].started_at <= rounds[0].ended_at
    assert abs(rounds[0].ended_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_rounds_that_make_no_adapter(store):
    skipped, failed, cut, running = (store.rounds.begin(None) for _ in range(4))
    store.rounds.end(skipped, status="skipped", reason="too little", metrics={})
    store.rounds.end(failed, status="failed", reason="broke", metrics={"loss": 3}, tokens_per_s=1, seconds=2)
    store.rounds.end(cut, status="interrupted", reason="stopped", metrics={})
    assert store.rounds.interrupt() == 1
    assert store.rounds.interrupt() == 0
    assert [row.status for row in store.rounds.all()] == ["skipped", "failed", "interrupted", "interrupted"]
    assert store.rounds.all()[1].metrics == {"loss": 3}
    with pytest.raises(RoundNotRunningError):
        store.rounds.end(running, status="failed", reason="", metrics={})
    with pytest.raises(UnknownAdapterError):
        store.rounds.begin(77)
    with pytest.raises(RoundNotRunningError):
        publish(store, round_id=running)
    assert store.adapters.all() == []


# Forgetting


def test_receipts_hold_figures_and_no_text(store, path):
    (a,) = store.entries.add([entry("the heron keeps its appointments", source="diary")])
    adapter = publish(store, seen=[a])
    before = store.adapters.all()[0]
    store.forget(Selector(text="heron", source="diary"))
    store.forget(Selector(text="heron"))
    [kept] = store.receipts.all()
    assert (kept.id, kept.conditions, kept.entries, kept.active) == (1, ("text", "source"), 1, None)
    assert kept.adapters == (Tombstone(adapter, None, before.created_at, "active"),)
    assert b"heron" not in plain_pages(path, KEY)
    assert b"diary" not in plain_pages(path, KEY)


def test_a_receipt_names_the_backups_that_hold_the_text(store):
    (a,) = store.entries.add([entry("apple")])
    for path, last in (("/old", 0), ("/new", a), ("/unknown", None)):
        store.backups.note(BackupRow(path, datetime(2026, 1, 1, tzinfo=UTC), last))
    assert sorted(store.forget(Selector(text="apple")).backups) == ["/new", "/unknown"]


def test_forgetting_leaves_the_counts_of_suggestions(store):
    adapter = publish(store, seen=store.entries.add([entry("banana")]))
    store.feedback.add(Feedback("word", "accepted", 0.5, characters=7), adapter, NOON.date())
    before = store.feedback.report(NOON.date())
    assert store.forget(Selector(text="banana")).adapters_dropped == (adapter,)
    assert store.feedback.report(NOON.date()) == before


def test_old_weights_go_and_their_rows_stay(store):
    (a,) = store.entries.add([entry("apple")])
    promoted = [publish(store)]
    for _ in range(3):
        promoted.append(publish(store, parent=promoted[-1]))
    refused = [publish(store, parent=promoted[-1], status="refused") for _ in range(3)]
    newest = publish(store, parent=promoted[-1], seen=[a])
    assert store.adapters.prune(1) == (*promoted[:3], *refused[:2])
    assert store.adapters.prune(1) == ()
    rows = store.adapters.all()
    assert {row.id for row in rows if row.kept} == {promoted[3], refused[2], newest}
    assert [row.id for row in rows] == [*promoted, *refused, newest]
    for act in (store.adapters.weights, store.adapters.activate):
        with pytest.raises(WeightsDroppedError):
            act(promoted[0])
    assert store.adapters.active() == newest
    assert store.adapters.prune(0) == (promoted[3], refused[2])
    assert store.forget(Selector(text="apple")).active is None, "no ancestor has weights"
    assert store.adapters.seen(promoted[2]) == frozenset()


def test_weights_that_went_are_in_no_page(path, store):
    for number in range(8):
        publish(store, blob=b"weights %d " % number * 3000, status="refused")
    assert b"weights 2" in plain_pages(path, KEY)
    store.adapters.prune(2)
    store.close()
    size = path.stat().st_size
    pages = plain_pages(path, KEY)
    assert [number for number in range(8) if b"weights %d" % number in pages] == [6, 7]
    store = Store.open(path, KEY)
    for number in range(6):
        publish(store, blob=b"weights %d " % number * 3000, status="refused")
        store.adapters.prune(2)
    store.close()
    assert path.stat().st_size <= size, "what became free is used again"


def test_numbers_are_not_used_again(store):
    (a,) = store.entries.add([entry("apple")])
    adapter = publish(store, seen=[a])
    store.forget(Selector(ids=(a,)))
    (again,) = store.entries.add([entry("another apple")])
    assert again > a
    assert publish(store, seen=[again]) > adapter


def test_copies_that_sqlite_left_behind_when_it_moved_rows_go_too(path):
    """Overwriting deleted rows is not enough: pages keep stale copies of rows that were moved away.

    These sizes leave some (seed found by trying; without the rewriting of the file this fails).
    """
    draw, number, store = random.Random(20), 0, Store.open(path, KEY)
    for _ in range(30):
        batch = []
        for _ in range(draw.randint(1, 30)):
            number += 1
            word = "HERON" if draw.random() < 0.3 else "other"
            text = f"{word} word " * draw.choice([1, 3, 10, 100, 500]) + str(number)
            minute, tokens = draw.randint(0, 10**6), draw.randint(0, 50)
            batch.append(entry(text, minute=minute, source=f"{word} src", tokens=tokens))
        store.entries.add(batch)
        if draw.random() < 0.2:
            store.forget(Selector(text="heron"))
    store.forget(Selector(text="heron"))
    assert b"HERON" not in plain_pages(path, KEY)
    assert b"other word" in plain_pages(path, KEY)
    store.close()


def test_of_a_forgotten_paragraph_a_file_keeps_the_beginning_of_its_hash(store, path):
    a, b, c = store.entries.add([entry("apple"), entry("banana"), entry("cherry")])
    whole = {name: digest(name) for name in ("apple", "banana and cherry", "cherry")}
    held = (
        f"{whole['apple']}:{a}",
        f"{whole['banana and cherry']}:{b},{c}",
        f"~{whole['cherry']}:{c}",
        digest("unknown"),
    )
    store.entries.add([], FileState("/notes.txt", 1, 1, held))
    assert store.forget(Selector(text="banana")).entries == 1
    after = (held[0], f"{whole['banana and cherry'][:3]}:{b},{c}", *held[2:])
    assert store.file_states.get("/notes.txt").paragraphs == after
    # A reading that began before the forgetting, and saves what it read after it.
    store.entries.add([], FileState("/notes.txt", 1, 1, held))
    assert store.file_states.get("/notes.txt").paragraphs == after
    store.close()
    assert whole["banana and cherry"].encode() not in plain_pages(path, KEY)


def test_forgotten_text_that_no_file_tells_of_is_not_taken_in_again(store):
    told, untold, other = entry("apple"), entry("banana", source="git"), entry("cherry")
    a, _, _ = store.entries.add([told, untold, other])
    store.entries.add([], FileState("/notes.txt", 1, 1, (f"{digest('apple')}:{a}",)))
    store.forget(Selector(text="a"))
    assert store.entries.add([untold]) == [None]
    assert store.entries.add([other]) == [None], "it is there"
    assert store.entries.add([told]) != [None], "its paragraph is known, and nothing more is kept of it"


def test_a_forgotten_paragraph_is_passed_over_and_nothing_else(store):
    apple = digest("apple")
    [a] = store.entries.add([entry("apple")])
    store.entries.add([], FileState("/notes.txt", 1, 1, (f"{apple}:{a}",)))
    store.forget(Selector(text="apple"))
    assert store.file_states.passes_over(apple)
    assert not store.file_states.passes_over(digest("cherry"))
    assert not store.file_states.passes_over(apple[:9] + digest("cherry")[9:])
    like = replace(entry("banana"), key=apple + "0" * 48)
    assert store.entries.add([like]) != [None], "an entry's key is no paragraph's hash"


def test_the_newest_texts_of_a_source_are_found_without_reading_the_others(path):
    Store.open(path, KEY).close()
    with closing(encrypted_file.connect(path, KEY, 5.0)) as db:
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {NEWEST_TEXTS}", ("mail", 9, 3))]
    assert any("COVERING INDEX" in step for step in plan), plan


def test_a_source_that_is_taken_back_may_be_read_again(store):
    sent = replace(entry("banana"), origin=store.sources.add("/notes.txt", "text"))
    store.entries.add([sent])
    assert store.forget(Selector(origin=sent.origin)).entries == 1
    assert store.entries.add([sent]) != [None]


# Events and threads


def test_events_are_kept_up_to_a_number(store, monkeypatch):
    monkeypatch.setattr("idiolect.daemon.storage.audit_trail._EVENTS_KEPT", 3)
    for number in range(5):
        store.events.add("accepted", words=number, app="editor")
    kept = store.events.all()
    assert [event.detail["words"] for event in kept] == [2, 3, 4]
    assert kept[0].kind == "accepted"
    assert kept[0].at.tzinfo is UTC


def test_many_threads_share_one_store(store):
    errors = []

    def work(name):
        try:
            for number in range(30):
                store.entries.add([entry(f"{name} {number}", minute=number)])
                store.state.set(name, number)
                list(store.entries.select())
                if number % 10 == 0:
                    store.forget(Selector(text=f"{name} {number}"))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("ada", "bob", "cyd")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    texts = [kept.text for kept in store.entries.select()]
    assert len(texts) == len(set(texts))
    assert all(f"{name} 29" in texts and f"{name} 20" not in texts for name in ("ada", "bob", "cyd"))
