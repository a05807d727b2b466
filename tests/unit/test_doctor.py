"""What `idiolect doctor` finds on a machine, and that it says how to mend it."""

import hashlib
import json
import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from serving import serving

from idiolect.daemon.clients.commandline import doctor_checks
from idiolect.daemon.runtime.service_unit import Desktop, Installed
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.records import NewEntry
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import store_key


@pytest.fixture
def profile(tmp_path, monkeypatch):
    monkeypatch.setenv("IDIOLECT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("IDIOLECT_KEYRING", "false")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return Settings().prepare()


def of(check):
    return [finding for finding in doctor_checks.examine() if finding.check == check]


def wrong(*checks):
    return [finding for check in checks for finding in of(check) if finding.level == "wrong"]


def test_a_wrong_setting_is_said_to_keep_the_rest_from_being_looked_at(profile):
    profile.config_path.write_text("treads = 1\n")
    last = doctor_checks.examine()[-1]
    assert (last.check, last.level) == ("settings", "wrong")
    assert "the rest can only be looked at then" in last.mend


def test_every_finding_that_is_not_fine_says_what_to_do(profile):
    with closing(Store.open(profile.store_path, store_key.obtain(profile).hex)):
        pass
    profile.store_path.chmod(0o644)
    findings = doctor_checks.examine()
    assert {finding.level for finding in findings} == {"ok", "note", "wrong"}
    for finding in findings:
        assert finding.level == "ok" or finding.mend or "Run `idiolect" in finding.found


def test_stores_that_restores_replaced_are_named_with_the_room_that_they_take(profile):
    assert "note" not in [finding.level for finding in of("disk")]
    former = [profile.home / f"store.db.before-2026013{day}T093000-1a2b" for day in (0, 1)]
    for path in former:
        path.write_bytes(bytes(1_200_000))
    [note] = [finding for finding in of("disk") if finding.level == "note"]
    assert note.found == "2 stores that a restore replaced: 2.4 MB"
    assert all(str(path) in note.mend for path in former)


def test_a_key_that_does_not_open_the_store(profile):
    with closing(Store.open(profile.store_path, store_key.obtain(profile).hex)):
        pass
    assert [finding.level for finding in of("store")] == ["ok", "ok"]
    profile.key_path.write_text("ab" * 32)
    assert [finding.level for finding in of("store")] == ["ok", "wrong"]
    profile.key_path.write_text("no key")
    assert [finding.level for finding in of("store")] == ["ok", "wrong"]


def test_a_store_that_is_damaged_in_the_midst(profile):
    with closing(Store.open(profile.store_path, store_key.obtain(profile).hex)) as store:
        for number in range(50):
            text = f"Sentence {number} of some length, as they are written. " * 20
            key = hashlib.sha256(text.encode()).hexdigest()
            store.entries.add([NewEntry(text, "file", None, datetime.now(UTC), b"abcd", 0, key)])
    with profile.store_path.open("r+b") as file:
        file.seek(-3000, os.SEEK_END)
        file.write(b"torn")
    finding = of("store")[-1]
    assert (finding.level, "damaged" in finding.found) == ("wrong", True)
    assert "restore" in finding.mend


@pytest.mark.parametrize("mode", [0o666, 0o640, 0o604])
def test_a_key_that_others_can_read_is_told_of(profile, mode):
    with closing(Store.open(profile.store_path, store_key.obtain(profile).hex)):
        pass
    assert doctor_checks.find_warnings(profile) == []
    profile.key_path.chmod(mode)
    [sentence] = doctor_checks.find_warnings(profile)
    assert "give the store a new key" in sentence
    [finding] = wrong("key")
    assert "other users" in finding.found


def test_a_file_that_may_not_be_opened_is_not_called_the_wrong_one(profile, monkeypatch):
    """Root may open any: so the system's answer is given here."""
    with closing(Store.open(profile.store_path, store_key.obtain(profile).hex)):
        pass
    kind = type(profile.key_path)
    for path in (profile.key_path, profile.store_path):

        def refusing(opens, refused=path):
            def refuse(opened, *given, **more):
                if opened == refused:
                    raise PermissionError(13, "Permission denied", str(opened))
                return opens(opened, *given, **more)

            return refuse

        with monkeypatch.context() as patch:
            patch.setattr(kind, "open", refusing(kind.open))
            patch.setattr(os, "open", refusing(os.open))
            [finding] = wrong("key", "store")
        assert "Permission denied" in finding.found
        assert "chmod u+rw" in finding.mend
        assert "right key file" not in finding.mend


STATE = Installed("/the/unit", installed=True, current=True, active=True, enabled=True, lingers=True)


@pytest.mark.parametrize(
    ("change", "level", "mend"),
    [
        ({}, "ok", None),
        ({"installed": False}, "note", "setup service"),
        ({"current": False}, "wrong", "setup service"),
        ({"enabled": False}, "note", "setup service"),
        ({"lingers": False}, "ok", "enable-linger"),
    ],
)
def test_the_service_of_the_desktop(profile, monkeypatch, change, level, mend):
    monkeypatch.setattr(Desktop, "state", lambda _: Installed(**{**vars(STATE), **change}))
    [finding] = of("desktop")
    assert finding.level == level
    assert (mend is None and finding.mend is None) or mend in finding.mend


@pytest.mark.parametrize(
    ("area", "uuid", "level"),
    [
        ("/dev/zram0", None, "ok"),
        ("/dev/dm-1", "CRYPT-PLAIN-swap", "ok"),
        ("/dev/dm-1", "LVM-abc", "note"),
        ("/dev/sda2", None, "note"),
        ("/swapfile", None, "note"),
        (None, None, "ok"),
    ],
)
def test_swap_that_could_be_read(tmp_path, area, uuid, level):
    swaps, devices = tmp_path / "swaps", tmp_path / "block"
    swaps.write_text("Filename Type Size Used Priority\n" + (f"{area} partition 1 0 -2\n" if area else ""))
    if uuid:
        place = devices / Path(area).name / "dm" / "uuid"
        place.parent.mkdir(parents=True)
        place.write_text(uuid)
    [finding] = doctor_checks.check_swap(swaps, devices)
    assert finding.level == level
    assert level == "ok" or area in finding.found


def test_a_watched_folder_that_is_gone(tiny_profile, tmp_path, monkeypatch):
    monkeypatch.setenv("IDIOLECT_HOME", str(tmp_path / "watching"))
    for name in ("there", "gone"):
        (tmp_path / name).mkdir()
    with serving(tiny_profile(tmp_path / "watching")) as site:
        for name in ("there", "gone"):
            answer = site.post("/v1/watch", {"path": str(tmp_path / name), "confirmed": True})
            assert answer.status_code == 200, answer.text
        (tmp_path / "gone").rmdir()
        [finding] = of("watched")
    assert str(tmp_path / "gone") in finding.found
    assert str(tmp_path / "there") not in finding.found
    assert json.dumps(vars(finding))


def test_more_folders_than_the_system_tells_of(tmp_path):
    most, notes = tmp_path / "most", tmp_path / "notes"
    for number in range(20):
        (notes / f"{number}").mkdir(parents=True)
    watched = [notes, notes / "3"]  # one below the other is not counted twice
    most.write_text("42\n")
    assert doctor_checks.check_watch_limit(watched, most) == []
    most.write_text("12\n")
    [finding] = doctor_checks.check_watch_limit(watched, most)
    assert (finding.level, "more than 6 folders" in finding.found) == ("note", True)
    assert "max_user_watches=524288" in finding.mend
    assert doctor_checks.check_watch_limit(watched, tmp_path / "another system") == []
