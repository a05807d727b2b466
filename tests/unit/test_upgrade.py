"""What a former version kept, in the hands of this one: its store is brought up to date, and a new base model waits.

`former/first.sql` and `former/backups.sql` are what two former versions wrote: the first that there was, and one that
knew of sources and backups already. They are named after the last migration that each had.
"""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlcipher3.dbapi2 as sqlcipher

from idiolect.adapters.lora import AdapterFormatError
from idiolect.daemon.service import Service
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.records import NewEntry
from idiolect.daemon.storage.schema import migrations
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store

FORMER = Path(__file__).parent / "former"
KEY = "0f" * 32
TEXTS = [
    "Thanks for the minutes of the harbour meeting.",
    "Kind regards from the harbour office.",
    "The ferry to Vlieland leaves at eight.",
]


@pytest.fixture(params=["first", "backups"])
def former(request, tmp_path):
    """The path of a store as a former version left it, encrypted with KEY."""
    path = tmp_path / "home" / "store.db"
    path.parent.mkdir(mode=0o700)
    with closing(sqlcipher.connect(str(path), isolation_level=None)) as connection:
        connection.execute(f"PRAGMA key = \"x'{KEY}'\"")
        connection.executescript((FORMER / f"{request.param}.sql").read_text("utf-8"))
    return path


def schema(store):
    rows = store._connection._db.execute(
        "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    ).fetchall()
    return {name: " ".join((sql or "").split()) for name, sql in rows}


def columns(store):
    names = [name for name in schema(store) if not name.startswith("_")]
    return {
        name: sorted(store._connection._db.execute(f"PRAGMA table_info('{name}')").fetchall())
        for name in names
    }


def test_an_upgraded_store_is_what_a_new_one_would_be(former, tmp_path):
    with closing(Store.open(former, KEY)) as upgraded, closing(Store.open(tmp_path / "new.db", KEY)) as new:
        assert not migrations.pending(upgraded._connection._db)
        assert schema(upgraded).keys() == schema(new).keys()
        assert columns(upgraded) == columns(new)
        assert upgraded._connection._db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert upgraded._connection._db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_nothing_of_what_was_kept_is_lost(former):
    with closing(Store.open(former, KEY)) as store:
        assert [entry.text for entry in store.entries.select()] == TEXTS
        assert [entry.app for entry in store.entries.select()] == [None, "mail", "mail"]
        assert store.entries.counts().entries == 3
        assert store.watches.all() == ["/home/you/notes"]
        assert store.file_states.get("/home/you/notes/minutes.md").size_bytes == 47
        assert store.adapters.active() == 1
        assert store.adapters.weights(1) == b"weights of the first adapter"
        assert store.adapters.seen(1) == {1, 2}
        assert store.adapters.all()[0].metrics["base"]["perplexity"] == 60.5
        assert store.state.get("former") == "kept"
        assert [event.kind for event in store.events.all()] == ["pause"]
        assert store.rounds.interrupt() == 1
        assert [row.status for row in store.rounds.all()] == ["promoted", "interrupted"]


def test_what_came_later_works_on_it(former):
    with closing(Store.open(former, KEY)) as store:
        [entry] = store.entries.add(
            [
                NewEntry(
                    text="A new line.",
                    source="http",
                    app=None,
                    at=datetime(2026, 2, 1, tzinfo=UTC),
                    token_ids=b"\x14\0\0\0",
                    redactions=0,
                    key="cd" * 32,
                )
            ]
        )
        assert entry == 4  # numbers go on
        receipt = store.forget(Selector(text="harbour office"))
        assert (receipt.entries, receipt.adapters_dropped) == (1, (1,))
        assert store.adapters.active() is None
        assert [entry.text for entry in store.entries.select()] == [TEXTS[0], TEXTS[2], "A new line."]
        assert len(store.receipts.all()) == 1
        assert store.audit(None).taken
        assert store.feedback.savings(date(2026, 1, 1)) is not None
        assert store.expire(datetime(2026, 1, 6, tzinfo=UTC), None) >= 0


@pytest.fixture
def profile(tmp_path):
    """`profile(base)`: the settings of one profile, with this folder's base model from now on."""
    settings = Settings(home=tmp_path / "home", keyring=False, auto_train=False).prepare()

    def serve(base):
        settings.base_dir.unlink() if settings.base_dir.is_symlink() else settings.base_dir.rmdir()
        settings.base_dir.symlink_to(base)
        return closing(Service(settings))

    return serve


def test_the_service_serves_a_former_store_and_an_adapter_of_another_base_waits(former, profile, tiny):
    key = former.parent / "store.key"
    key.write_text(KEY)
    key.chmod(0o600)
    with profile(tiny.folder.parent) as service:
        assert service.status()["entries"] == 3
        assert service.model.adapter_id is None  # the base alone
        assert service.store.adapters.active() == 1
        with pytest.raises(AdapterFormatError, match="another base model"):
            service.model.use(1)
        assert service.ingest.add_text("The pier is closed.", source="http").stored


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
        adapter = store.publish(
            store.rounds.begin(None),
            blob=make_lora(tiny.config).to_bytes(),
            rank=4,
            parent=None,
            seen=(),
            status="active",
            reason="",
            metrics={"base_sha256": tiny.source_sha256},
            tokens_per_s=None,
            seconds=None,
        )
        service.model.switch()
        assert service.model.adapter_id == adapter
    with profile(newer) as service:
        assert service.model.adapter_id is None
        assert service._trainer._sound_serving() is None  # a round begins from the new base alone
        assert [row.status for row in service.store.adapters.all()] == ["active"]
    with profile(tiny.folder.parent) as service:
        assert service.model.adapter_id == adapter
