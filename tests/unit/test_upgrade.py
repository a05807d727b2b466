"""Another base model, and a store whose tables came about step by step, in the hands of this version."""

import json
import shutil
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from publishing import KEY, entry, publish

from idiolect.daemon.service import Service
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.encrypted_file import connect
from idiolect.daemon.storage.entries import packed
from idiolect.daemon.storage.records import ROUND_DUE
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store
from idiolect.daemon.sync.this_device import ThisDevice


def test_a_store_whose_tables_came_about_step_by_step_is_opened(tmp_path):
    path = tmp_path / "store.db"
    with closing(connect(path, KEY, 5.0)) as db:
        db.execute("UPDATE _sqlite_migrations SET id = id + 10")
        for number, name in enumerate(("first", "feedback", "words_folded_again"), start=1):
            db["_sqlite_migrations"].insert(
                {"id": number, "migration_set": "idiolect", "name": name, "applied_at": ""}
            )
    with closing(Store.open(path, KEY)) as store:
        assert store.watches.add("/home/you/notes")


def test_a_folder_of_a_former_version_is_shared_no_more(tmp_path):
    path = tmp_path / "store.db"
    with closing(Store.open(path, KEY)) as store:
        store.entries.add([entry("It stays.")])
        for name in ("sync", "shared_key", "shared_orders"):
            store.state.set(name, "5a" * 32)
    with closing(connect(path, KEY, 5.0)) as db:
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'shared_by_secret'")
        db.execute("DROP TABLE shared")
        db.execute("CREATE TABLE shared (mark BLOB PRIMARY KEY, kind TEXT, owner TEXT) WITHOUT ROWID")
        db.execute("UPDATE entries SET shared = zeroblob(12)")
    with closing(Store.open(path, KEY)) as store:
        assert ThisDevice.load(store.state) is None
        assert not store.shared.on
        store.shared.begin("5b" * 32)
        assert store.shared.waiting() == 1
        assert [one.text for one in store.entries.select()] == ["It stays."]


def test_a_word_whose_correction_was_taken_back_once_in_a_former_version_is_not_corrected(tmp_path):
    path = tmp_path / "store.db"
    with closing(Store.open(path, KEY)) as store:
        store.words.add("always_correct", "omw", replacement="on my way")
    with closing(connect(path, KEY, 5.0)) as db:
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'taken_back_once'")
        db.execute("CREATE TABLE corrections_taken_back (folded TEXT PRIMARY KEY, text TEXT, at_us INTEGER)")
        for word in ("thier", "omw"):
            db.execute("INSERT INTO corrections_taken_back VALUES (?, ?, 5)", [word, word])
    with closing(Store.open(path, KEY)) as store:
        rules = [(rule.kind, rule.text, rule.source) for rule in store.words.all()]
        assert rules == [("never_correct", "thier", "learned"), ("always_correct", "omw", "hand")]


@pytest.fixture
def profile(tmp_path):
    """`profile(base)`: the settings of one profile, with this folder's base model from now on."""
    settings = Settings(home=tmp_path / "home", keyring=False, auto_train=False).prepare()

    def serve(base):
        settings.base_dir.unlink() if settings.base_dir.is_symlink() else settings.base_dir.rmdir()
        settings.base_dir.symlink_to(base)
        return closing(Service(settings))

    return serve


@pytest.fixture
def newer(tiny, tmp_path):
    """The folder of a base model that came after the tiny one."""
    folder = tmp_path / "newer"
    shutil.copytree(tiny.folder, folder / tiny.folder.name)
    manifest = folder / tiny.folder.name / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"source_sha256": "ab" * 32}))
    return folder


def test_under_a_new_base_model_adapters_wait_and_serve_again_under_theirs(profile, tiny, newer, make_lora):
    with profile(tiny.folder.parent) as service:
        store = service.store
        adapter = publish(
            store, blob=make_lora(tiny.config).to_bytes(), metrics={"base_sha256": tiny.source_sha256}
        )
        service.model.switch()
        assert service.model.adapter_id == adapter
    with profile(newer) as service:
        assert service.model.adapter_id is None
        assert service._trainer._sound_serving() is None  # a round begins from the new base alone
        assert [row.status for row in service.store.adapters.all()] == ["waiting"]
    with profile(tiny.folder.parent) as service:
        assert service.model.adapter_id == adapter


@pytest.fixture
def two_bases(tmp_path):
    """A store at the base model "a" with an adapter of each of two, and an entry that both have seen."""
    with closing(Store.open(tmp_path / "store.db", KEY)) as store:
        store.use_base("a", "letters", lambda: lambda text: [*text.encode()])
        [seen] = store.entries.add([replace(entry("ship"), token_ids=packed(b"ship"))])
        first = publish(store, blob=b"a", seen=[seen], metrics={"base_sha256": "a"})
        store.state.set("mixture", "of a")
        store.use_base("b", "words", lambda: lambda text: [len(text)])
        second = publish(store, blob=b"b", seen=[seen], metrics={"base_sha256": "b"})
        yield store, first, second


def statuses(store):
    return {row.id: row.status for row in store.adapters.all()}


def ids_of(store):
    return [np.frombuffer(ids, "<u4").tolist() for _, ids in store.entries.token_ids()]


def test_each_base_model_has_its_own_active_adapter_tokens_and_measurements(two_bases):
    store, first, second = two_bases
    assert (store.base, store.adapters.active(), statuses(store)) == (
        "b",
        second,
        {first: "waiting", second: "active"},
    )
    assert (ids_of(store), store.entries.counts().tokens, store.state.get("mixture")) == ([[4]], 1, None)
    store.state.set("mixture", "of b")
    assert store.use_base("a", "letters", lambda: lambda text: [*text.encode()])
    assert (store.adapters.active(), statuses(store)) == (first, {first: "active", second: "waiting"})
    assert (ids_of(store), store.entries.counts().tokens, store.state.get("mixture")) == (
        [[*b"ship"]],
        4,
        "of a",
    )
    assert not store.use_base("a", "letters", lambda: pytest.fail("the text is encoded already"))
    store.use_base("b", "letters", lambda: pytest.fail("the tokenizer is the same"))
    assert (store.adapters.active(), store.state.get("mixture")) == (second, "of b")


def test_a_base_model_without_an_adapter_is_due_for_a_round_and_one_with_an_adapter_is_not(two_bases):
    store, _, _ = two_bases
    store.use_base("c", "words", lambda: len)
    assert store.state.get(ROUND_DUE)
    store.use_base("a", "words", lambda: len)
    assert not store.state.get(ROUND_DUE)


def test_a_round_that_is_due_after_a_forgetting_is_so_when_its_base_model_serves_again(two_bases):
    store, first, second = two_bases
    [late] = store.entries.add([entry("late")])
    publish(store, blob=b"bb", parent=second, seen=[late], metrics={"base_sha256": "b"})
    store.use_base("a", "words", lambda: len)
    publish(store, blob=b"aa", parent=first, seen=[late], metrics={"base_sha256": "a"})
    store.use_base("c", "words", lambda: len)
    publish(store, blob=b"c", metrics={"base_sha256": "c"})
    store.state.set(ROUND_DUE, False)
    store.use_base("a", "words", lambda: len)
    store.forget(Selector(text="late"))
    due = [store.state.get(ROUND_DUE)]
    for base in ("c", "b", "a"):
        store.use_base(base, "words", lambda: len)
        due.append(store.state.get(ROUND_DUE))
    assert due == [True, False, True, True], "of a, c, b and a: the adapter of c has not seen the text"


def test_a_store_of_before_is_at_the_base_model_of_its_newest_adapter(tmp_path):
    with closing(Store.open(tmp_path / "store.db", KEY)) as store:
        adapter = publish(store, metrics={"base_sha256": "a"})
        store.state.set("mixture", "of a")
        assert store.use_base("b", "words", lambda: len), "another base model serves than before"
        assert (store.state.get("mixture"), statuses(store)) == (None, {adapter: "waiting"})
        store.use_base("a", "letters", lambda: len)
        assert (store.state.get("mixture"), statuses(store)) == ("of a", {adapter: "active"})


def test_a_change_of_base_that_breaks_off_changes_nothing(two_bases):
    store, first, second = two_bases

    def torn(text):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.use_base("a", "letters", lambda: torn)
    assert (store.base, store.adapters.active(), ids_of(store)) == ("b", second, [[4]])
    assert statuses(store)[first] == "waiting"


def test_forgetting_takes_the_adapters_of_every_base_model_and_goes_back_to_an_ancestor_of_each(two_bases):
    store, first, second = two_bases
    [late] = store.entries.add([entry("late")])
    heir = publish(store, blob=b"bb", parent=second, seen=[late], metrics={"base_sha256": "b"})
    store.use_base("a", "letters", lambda: lambda text: [*text.encode()])
    other = publish(store, blob=b"aa", parent=first, seen=[late], metrics={"base_sha256": "a"})
    assert statuses(store) == {first: "retired", second: "retired", heir: "waiting", other: "active"}
    assert store.forget(Selector(text="late")).adapters_dropped == (heir, other)
    assert statuses(store) == {first: "active", second: "waiting"}


def test_the_weights_of_a_base_model_that_waits_are_not_dropped_for_those_of_another(two_bases):
    store, first, second = two_bases
    more = [publish(store, blob=b"b", metrics={"base_sha256": "b"}) for _ in range(3)]
    store.use_base("a", "letters", lambda: lambda text: [*text.encode()])
    publish(store, blob=b"a", metrics={"base_sha256": "a"})
    assert store.adapters.prune(1) == (second, more[0])
    assert store.adapters.weights(first) == b"a"
    store.adapters.activate(first)
    assert statuses(store)[more[2]] == "waiting", "the other base model's is as it was"


def test_a_forgetting_queues_a_round_only_where_an_adapter_of_the_serving_base_model_falls(two_bases):
    store, first, second = two_bases
    store.use_base("c", "words", lambda: len)
    elsewhere = store.forget(Selector(text="ship"), dry_run=True)
    assert (elsewhere.adapters_dropped, elsewhere.round_queued) == ((first, second), False)
    store.use_base("b", "words", lambda: len)
    assert store.forget(Selector(text="ship")).round_queued
