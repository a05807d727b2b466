"""Another base model, and a store whose tables came about step by step, in the hands of this version."""

from __future__ import annotations

import json
import shutil
from contextlib import closing

import pytest
from publishing import publish

from idiolect.daemon.service import Service
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.store import Store

KEY = "0f" * 32


def test_a_store_whose_tables_came_about_step_by_step_is_opened(tmp_path):
    path = tmp_path / "store.db"
    with closing(Store.open(path, KEY)) as store:
        db = store._connection._db
        db.execute("UPDATE _sqlite_migrations SET id = id + 10")
        for number, name in enumerate(("first", "feedback", "words_folded_again"), start=1):
            db["_sqlite_migrations"].insert(
                {"id": number, "migration_set": "idiolect", "name": name, "applied_at": ""}
            )
        store.watches.add("/home/you/notes")
    with closing(Store.open(path, KEY)) as store:
        assert store.watches.all() == ["/home/you/notes"]


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
        assert [row.status for row in service.store.adapters.all()] == ["active"]
    with profile(tiny.folder.parent) as service:
        assert service.model.adapter_id == adapter
