"""Random histories of a store, checked step by step against a few dictionaries."""

import hashlib
import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pages import plain_pages
from publishing import publish

from idiolect.daemon.storage.records import ForgetReceipt, ForgottenMeanwhileError, NewAdapter, NewEntry
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store

KEY = "c3" * 32
WORDS = ["Ada", "ada", "lovelace", "Straße", "STRASSE", "%", "_", "'", "été", "日本", "👍", "x"]
SOURCES = ["file", "http", "git"]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
TIMES = st.integers(0, 5).map(lambda days: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=days))


def new_entry(text, source, at):
    key = hashlib.sha256(f"{text}\0{source}\0{at.isoformat()}".encode()).hexdigest()
    return NewEntry(text, source, None, at, b"\1\0\0\0" * len(text), 0, key)


ENTRIES = st.builds(new_entry, TEXTS, st.sampled_from(SOURCES), TIMES)


class Histories(RuleBasedStateMachine):
    """The model: entries by id, what each adapter saw, its parent and status, and who serves."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="idiolect-test-"))
        self.store = Store.open(self.folder / "store.db", KEY)
        self.entries = {}
        self.own_seen = {}
        self.parents = {}
        self.status = {}
        self.active = None
        self.rounds = {}  # running rounds: the parent they began with
        self.forgotten = set()  # keys that are not taken in again

    def teardown(self):
        self.store.close()
        shutil.rmtree(self.folder)

    def line(self, adapter):
        """The adapter and its ancestors, nearest first."""
        found = []
        while adapter is not None:
            found.append(adapter)
            adapter = self.parents[adapter]
        return found

    def seen(self, adapter):
        return set().union(*(self.own_seen[each] for each in self.line(adapter)))

    def sound(self, adapters):
        return next((each for each in adapters if self.status[each] not in ("damaged", "refused")), None)

    def serve(self, adapter):
        if self.active is not None and self.status.get(self.active) == "active":
            self.status[self.active] = "retired"
        self.active = adapter
        if adapter is not None:
            self.status[adapter] = "active"

    @rule(batch=st.lists(ENTRIES, max_size=5))
    def add(self, batch):
        known = {entry.key for entry in self.entries.values()} | self.forgotten
        for entry, id_ in zip(batch, self.store.entries.add(batch), strict=True):
            assert (id_ is None) == (entry.key in known)
            known.add(entry.key)
            if id_ is not None:
                assert id_ not in self.entries
                self.entries[id_] = entry

    @rule(data=st.data())
    def begin(self, data):
        parent = data.draw(st.sampled_from([None, *self.status]))
        self.rounds[self.store.rounds.begin(parent)] = parent

    @precondition(lambda self: self.rounds)
    @rule(data=st.data(), promote=st.booleans(), blob=st.binary(max_size=20))
    def publish(self, data, promote, blob):
        round_id = data.draw(st.sampled_from(sorted(self.rounds)))
        parent = self.rounds.pop(round_id)
        seen = data.draw(st.sets(st.integers(1, max(self.entries, default=1)), max_size=4))
        made = NewAdapter(blob, 8, parent, seen, promote, "", {})
        if seen <= self.entries.keys() and (parent is None or parent in self.status):
            adapter = self.store.publish(round_id, made)
            assert adapter not in self.status
            self.parents[adapter], self.own_seen[adapter], self.status[adapter] = parent, seen, "refused"
            if promote:
                self.serve(adapter)
            assert self.store.adapters.weights(adapter) == blob
        else:
            with pytest.raises(ForgottenMeanwhileError):
                self.store.publish(round_id, made)
            self.store.rounds.end(round_id, status="failed", reason="", metrics={})

    @precondition(lambda self: self.status)
    @rule(data=st.data())
    def activate(self, data):
        usable = [each for each, status in self.status.items() if status != "damaged"]
        adapter = data.draw(st.sampled_from([None, *usable]))
        self.store.adapters.activate(adapter)
        self.serve(adapter)

    @precondition(lambda self: self.status)
    @rule(data=st.data())
    def damage(self, data):
        adapter = data.draw(st.sampled_from(sorted(self.status)))
        self.store.adapters.mark_damaged(adapter)
        self.status[adapter] = "damaged"
        self.serve(self.sound(self.line(self.active)) if self.active is not None else None)

    @rule(
        text=st.sampled_from([None, *WORDS]),
        source=st.sampled_from([None, *SOURCES]),
        since=st.none() | TIMES,
        until=st.none() | TIMES,
        ids=st.none() | st.lists(st.integers(1, 30), min_size=1, max_size=3).map(tuple),
    )
    def forget(self, text, source, since, until, ids):
        if all(condition is None for condition in (text, source, since, until, ids)):
            return
        selector = Selector(text=text, source=source, since=since, until=until, ids=ids)
        gone = {
            id_
            for id_, entry in self.entries.items()
            if (text is None or text.casefold() in entry.text.casefold())
            and (source is None or source == entry.source)
            and (since is None or since <= entry.at)
            and (until is None or entry.at < until)
            and (ids is None or id_ in ids)
        }
        dropped = {each for each in self.status if self.seen(each) & gone}
        heir = self.sound(each for each in self.line(self.active) if each not in dropped)
        tokens = sum(len(self.entries[id_].text) for id_ in gone)
        receipt = ForgetReceipt(
            len(gone),
            tuple(sorted(dropped)),
            heir,
            tokens,
            total=len(self.entries),
            round_queued=bool(dropped),
        )
        assert self.store.forget(selector, dry_run=True) == receipt
        self.agree()
        kept = self.store.forget(selector)
        assert kept == replace(receipt, id=kept.id)
        assert (kept.id is not None) == bool(gone)
        if gone:
            assert self.store.receipts.all()[-1].entries == len(gone)
        self.forgotten |= {self.entries[id_].key for id_ in gone}
        self.entries = {id_: entry for id_, entry in self.entries.items() if id_ not in gone}
        for adapter in dropped:
            del self.status[adapter], self.own_seen[adapter], self.parents[adapter]
        self.serve(heir)

    @rule()
    def open_again(self):
        self.store.close()
        self.store = Store.open(self.folder / "store.db", KEY)
        assert self.store.rounds.interrupt() == len(self.rounds)
        self.rounds = {}

    @invariant()
    def agree(self):
        kept = [(entry.id, entry.text, entry.source, entry.at) for entry in self.store.entries.select()]
        assert kept == sorted(
            ((id_, entry.text, entry.source, entry.at) for id_, entry in self.entries.items()),
            key=lambda row: (row[3], row[0]),
        )
        assert [id_ for id_, _ in self.store.entries.token_ids()] == [row[0] for row in kept]
        counts = self.store.entries.counts()
        assert (counts.entries, counts.words) == (len(kept), sum(len(row[1].split()) for row in kept))
        assert sum(counts.sources.values()) == counts.entries
        rows = self.store.adapters.all()
        assert {row.id: row.status for row in rows} == self.status
        assert {row.id: row.parent for row in rows} == self.parents
        assert self.store.adapters.active() == self.active
        for row in rows:
            assert self.store.adapters.seen(row.id) == self.seen(row.id)
            assert row.entries_seen == len(self.seen(row.id))
        running = [row.id for row in self.store.rounds.all() if row.status == "running"]
        assert running == sorted(self.rounds)


def test_any_history_leaves_what_the_model_expects():
    run_state_machine_as_test(
        Histories, settings=settings(max_examples=20, stateful_step_count=25, deadline=None)
    )


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(
        st.lists(st.tuples(st.booleans(), st.integers(1, 3000), TIMES), max_size=30), min_size=1, max_size=8
    ),
    blob_size=st.integers(0, 30_000),
)
def test_forgotten_text_is_in_no_page(batches, blob_size):
    with tempfile.TemporaryDirectory(prefix="idiolect-test-") as folder:
        path = Path(folder) / "store.db"
        store = Store.open(path, KEY)
        number, forgotten = 0, []
        for batch in batches:
            new = []
            for forget, size, at in batch:
                number += 1
                text = f"{'HERON' if forget else 'other'} {number} ".ljust(size, ".")
                new.append(new_entry(text, "HERON" if forget else "other", at))
            ids = store.entries.add(new)
            forgotten += [id_ for id_, (forget, _, _) in zip(ids, batch, strict=True) if forget]
        publish(store, blob=b"HERON" * (blob_size // 5) if forgotten else b"", rank=8, seen=forgotten)
        assert (b"HERON" in plain_pages(path, KEY)) == bool(forgotten)
        assert store.forget(Selector(text="heron")).entries == len(forgotten)
        assert b"HERON" not in plain_pages(path, KEY)
        assert store.entries.counts().entries == number - len(forgotten)
        store.close()
