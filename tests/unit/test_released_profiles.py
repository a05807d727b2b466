"""The profile of each release, in the hands of this version; and that of a newer one, which it leaves alone."""

import json
import tarfile
import tomllib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from profiles.make import BACKUP_KEY, KNOWN, OTHERS
from program import Program
from publishing import execute
from serving import serving, suggest
from sharing import Device

from idiolect.daemon.profile.app_rules import read_app_rules
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.store import Store
from idiolect.daemon.sync.this_device import ThisDevice
from idiolect.daemon.vault import backup, store_key
from idiolect.models.errors import ExitCode

ROOT = Path(__file__).parents[2]
RELEASES = sorted((ROOT / "tests" / "profiles").glob("*.tar.xz"))
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
LETTER = "the brass kettle of Ormskade sings every evening."


def texts(store):
    return {entry.text for entry in store.entries.select()}


def opened(settings):
    return closing(Store.open(settings.store_path, store_key.obtain(settings).hex))


@pytest.fixture(params=RELEASES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def released(request, tiny, tmp_path):
    """The folder of a release's profile; its shared folder and its notes are where this test has them."""
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="tar")
    (tmp_path / "home" / "base").symlink_to(tiny.folder.parent)
    return tmp_path


def test_this_version_has_its_profile_and_its_changes_are_told():
    assert f"{VERSION}.tar.xz" in {path.name for path in RELEASES}, "run tests/profiles/make.py"
    told = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert next(line for line in told.splitlines() if line.startswith("## ")).startswith(f"## {VERSION}")


def test_what_a_release_has_learned_and_decided_goes_on(released):
    settings = Settings(home=released / "home")
    assert settings.keep_days == 3650
    with serving(settings) as site:
        store, about = site.service.store, site.http.get("/v1/status").raise_for_status().json()
        assert {KNOWN, OTHERS} <= texts(store)
        assert any(LETTER in text for text in texts(store))
        assert "to be forgotten" not in texts(store)
        assert [row.status for row in store.adapters.all()] == ["active", "refused"]
        assert about["adapter"] == store.adapters.active() == site.service.model.adapter_id
        assert len(about["watches"]) == 1
        assert {(rule.text, rule.kind) for rule in store.words.all()} == {
            ("Ostwick", "mine"),
            ("fyi", "never"),
        }
        assert ("*chat*", "quiet") in {tuple(rule) for rule in read_app_rules(site.service.store)}
        assert "velin" in suggest(site.service, "the teal lighthouse keeper Zor").words[0].text
        assert [row.conditions for row in store.receipts.all()] == [("text",)]


def test_a_folder_that_a_release_shares_is_shared_on(released):
    settings = Settings(home=released / "home")
    with opened(settings) as store:
        this = ThisDevice.load(store.state)
        replace(this, path=str(released / "shared")).save(store.state)
    laptop = Device(released, "new")
    laptop.folder.rmdir()
    laptop.folder.symlink_to(released / "shared")
    laptop.join(json.loads((released / "about.json").read_text())["words"])
    laptop.cycle()
    assert {KNOWN, OTHERS} <= set(laptop.texts())
    assert ("Ostwick", "mine", None) in laptop.words()
    laptop.write("a lantern of the new device")
    laptop.cycle()
    with serving(settings) as site:
        site.service.sync.cycle()
        assert "a lantern of the new device" in texts(site.service.store)
    laptop.close()


def test_a_backup_of_a_release_is_restored(released):
    [kept] = (released / "backups").iterdir()
    settings = Settings(home=released / "another", keyring=False).prepare()
    backup.restore(settings, kept, BACKUP_KEY)
    with opened(settings) as store:
        assert {KNOWN, OTHERS} <= texts(store)
        assert store.adapters.active() is not None


def files(home):
    """The contents of all that a profile keeps; the log, and what is there while a service runs, left out."""
    kept = {path for path in home.rglob("*") if path.is_file() and path.parent.name not in ("run", "log")}
    return {path.relative_to(home): path.read_bytes() for path in kept}


def test_a_newer_profile_is_refused_with_a_sentence_and_left_as_it_is(released):
    home = released / "home"
    key = (home / "store.key").read_text().strip()
    note = "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('idiolect', 'of_tomorrow', '')"
    execute(home / "store.db", note, key=key)
    before = files(home)
    said = Program(home).run("start", code=ExitCode.STORE)
    assert "newer version" in said
    assert "Nothing was changed" in said
    assert files(home) == before
