"""A shared folder: what it holds, who can read it, and what becomes of devices that join, leave, fork and are lost."""

import errno
import json
import os
import shutil
import stat
import threading
import time
import zlib
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from unittest.mock import Mock

import psutil
import pytest
from publishing import KEY, entry, publish
from sharing import Device, hand_own, settle, tell
from waiting import DEADLINE_S, until

from idiolect.daemon.profile.pause import Pause
from idiolect.daemon.storage.records import OFFERS_JUDGED
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store
from idiolect.daemon.sync import sync_schedule as following_module
from idiolect.daemon.sync.folder import SharedFolder, SyncFolderError, SyncFolderGoneError, SyncNewerError
from idiolect.daemon.sync.log_files import Member, open_head, pack_head
from idiolect.daemon.sync.membership import (
    AlreadySharingError,
    CodeNeededError,
    DeviceNameError,
    NotSharingError,
)
from idiolect.daemon.sync.sync_schedule import SyncSchedule
from idiolect.daemon.vault.device_keys import CodeError, DeviceKeys, decrypted, encrypted, new_code

CANARY = "heron"


@pytest.fixture
def make(tmp_path):
    """`make("a")`: a device, closed after the test."""
    made = []

    def device(name, **more):
        made.append(Device(tmp_path, name, **more))
        return made[-1]

    yield device
    for one in made:
        one.close()


@pytest.fixture
def pair(make):
    """Two devices that share a folder and have read each other."""
    first, second = make("desktop"), make("laptop")
    first.write(f"The quick {CANARY} of the desktop.")
    second.write(f"A slow {CANARY} of the laptop.")
    let_in(first, second, first.join())
    settle(first, second)
    return first, second


def let_in(first, second, code):
    first.cycle()
    hand_own(first, second)
    second.join(code)


@pytest.fixture
def trio(pair, make):
    """Three devices that share a folder and have read each other."""
    third = make("third")
    let_in(pair[0], third, pair[0].sync.membership.invite())
    settle(*pair, third)
    return *pair, third


def files(device, kind="*"):
    return sorted(device.folder.rglob(f"*.{kind}.idiolect"))


def logs(device):
    return [path for path in files(device, "log") if path.parent.name == device.device_id()]


def test_what_two_had_before_is_on_both(pair):
    first, second = pair
    both = sorted([f"The quick {CANARY} of the desktop.", f"A slow {CANARY} of the laptop."])
    assert first.texts() == second.texts() == both
    told = [(one.name, one.entries, one.waiting, one.behind) for one in first.sync.membership.devices()]
    assert told == [("desktop", 1, 0, False), ("laptop", 1, 0, False)]


def test_the_folder_tells_no_word_and_no_time(pair):
    first, _ = pair
    for number in range(50):
        first.write(f"Entry {number} tells of a {CANARY}.")
    first.cycle()
    for path in files(first):
        data = path.read_bytes()
        assert CANARY.encode() not in data
        assert b"desktop" not in data
        assert path.stat().st_mtime == 0
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {path.stat().st_size for path in logs(first)} <= {4096 + 28}


def test_sizes_are_few_and_only_the_key_opens():
    key = os.urandom(32)
    sizes = {len(encrypted(key, os.urandom(size), b"")) for size in range(1, 20_000, 7)}
    assert len(sizes) < 60
    for size in (0, 1, 5000, 70_000):
        data = os.urandom(size)
        box = encrypted(key, data, b"about")
        assert decrypted(key, box, b"about") == data
        assert len(box) <= max(4096, 1.13 * (size + 8)) + 28
        for given in ((key, box, b"else"), (key, box[:-1], b"about"), (os.urandom(32), box, b"about")):
            assert decrypted(*given) is None


def test_a_file_is_never_changed_once_written(pair):
    first, second = pair
    known = {}
    for round_ in range(12):
        first.write(f"Round {round_}.")
        if round_ % 4 == 3:
            first.store.forget(Selector(text=f"Round {round_ - 1}"))
        first.cycle()
        for path in files(first):
            assert known.setdefault(path, path.read_bytes()) == path.read_bytes()
    assert len(logs(first)) < 12  # many small ones become one
    settle(first, second)
    assert first.texts() == second.texts()


def test_nobody_joins_with_another_code(pair, make):
    first, _ = pair
    third = make("third")
    code = first.sync.membership.invite()
    hand_own(first, third)
    mistyped = code.replace(code.split()[0], "zoo" if code.split()[0] != "zoo" else "able")
    for given, error, says in (
        (None, CodeNeededError, "sync invite"),
        (new_code(), CodeError, "does not open"),
        ("one two three", CodeError, "wrong or missing"),
        (mistyped, CodeError, "idiolect sync invite"),
    ):
        with pytest.raises(error, match=says):
            third.join(given)
    assert third.sync.state() is None
    assert not third.store.shared.on
    third.join(code)
    with pytest.raises(AlreadySharingError):
        third.join(code)


@pytest.mark.parametrize("over", ["used", "old"])
def test_a_code_lets_one_device_in_within_a_week(pair, make, over):
    first, _ = pair
    code = first.sync.membership.invite()
    third, late = make("third"), make("late")
    if over == "used":
        hand_own(first, third)
        third.join(code)
        hand_own(third, first)
    else:
        first.off_s = 8 * 86400
    first.cycle()
    assert first.sync.state().invited_until is None
    hand_own(first, late)
    with pytest.raises(CodeError):
        late.join(code)


def test_a_name_is_taken_once(pair, make):
    first, _ = pair
    code = first.sync.membership.invite()
    third = make("third")
    hand_own(first, third)
    with pytest.raises(DeviceNameError, match="called Laptop already"):
        third.join(code, name="Laptop")
    for name in ("", "\n", "x" * 65, "a\x07b"):
        with pytest.raises(DeviceNameError):
            third.sync.membership.join(third.folder, code, name or " ")
    assert third.sync.state() is None
    third.join(code, name="tablet")


def test_folders_that_cannot_be_shared(make):
    device = make("a")
    manifest = device.folder / "folder.idiolect"
    device.folder.rmdir()
    with pytest.raises(SyncFolderError, match="There is no folder"):
        device.join()
    device.folder.mkdir()
    with pytest.raises(SyncFolderError, match="is empty"):
        device.join(new_code())
    for path, held, error in (
        (device.folder / "notes.md", "Mine.", SyncFolderError),
        (manifest, json.dumps({"idiolect": 2, "folder": "ab"}), SyncNewerError),
        (manifest, '{"idiolect": 1, "fol', SyncFolderError),
    ):
        path.write_text(held)
        with pytest.raises(error, match=r"holds other files|later version|not arrived whole"):
            device.join()
        path.unlink()
    members = device.sync.membership
    assert members.me is None
    for call in (members.leave, members.invite, members.devices):
        with pytest.raises(NotSharingError):
            call()
    (device.folder / ".stfolder").mkdir()  # a synchroniser's own
    assert len(device.join().split()) == 12


@pytest.mark.parametrize("fault", ["gone", "empty", "another", "newer"])
def test_a_folder_that_is_not_there_is_waited_for(pair, fault, make):
    first, second = pair
    aside = first.folder.with_name("aside")
    first.folder.rename(aside)
    if fault != "gone":
        first.folder.mkdir()
    if fault == "another":
        SharedFolder.create(first.folder)
    if fault == "newer":
        (first.folder / "folder.idiolect").write_text(json.dumps({"idiolect": 2, "folder": "ab"}))
    first.write("Written meanwhile.")
    before = sorted(first.folder.iterdir()) if fault != "gone" else []
    with pytest.raises((SyncFolderGoneError, SyncNewerError)):
        first.cycle()
    assert first.sync.state().problem
    assert first.sync.state().unsent == 1
    if fault != "gone":
        assert sorted(first.folder.iterdir()) == before  # nothing is written there
        shutil.rmtree(first.folder)
    aside.rename(first.folder)
    settle(first, second)
    assert "Written meanwhile." in second.texts()
    assert first.sync.state().problem is None


def test_forgetting_takes_the_text_from_both_and_from_the_folder(pair):
    first, second = pair
    for number in range(3):
        first.write(f"Sentence {number} stays.")
    first.cycle()
    old = first.folder / first.device_id()
    copy = first.folder.with_name("copy")
    shutil.copytree(old, copy)
    receipt = second.store.forget(Selector(text=CANARY))
    assert second.sync.carried_out(receipt.id) == ([], ["desktop"])
    settle(first, second)
    assert first.texts() == second.texts() == [f"Sentence {number} stays." for number in range(3)]
    assert second.sync.carried_out(receipt.id) == (["desktop"], [])
    # The files that held it are gone, and put back they bring nothing.
    held = {path.name for path in copy.glob("*.log.*")} & {path.name for path in logs(first)}
    shutil.copytree(copy, old, dirs_exist_ok=True)
    shutil.copytree(copy, second.folder / old.name, dirs_exist_ok=True)
    settle(first, second)
    assert not any(CANARY in text for text in (*first.texts(), *second.texts()))
    assert len(held) < len([*copy.glob("*.log.*")])
    # The order has gone, too: no head tells what was looked for.
    assert all(order.conditions is None for order in second.store.orders.all())


def test_what_was_typed_elsewhere_before_the_order_arrived_goes_and_what_comes_after_stays(pair):
    first, second = pair
    first.store.forget(Selector(text=CANARY))
    second.write(f"Another {CANARY}, typed before it is heard of.")
    second.cycle()
    hand_own(second, first)
    first.cycle()  # it never comes here at all
    assert first.texts() == []
    receipt = first.store.forget(Selector(text="another"))
    assert receipt.entries == 0
    assert first.sync.carried_out(receipt.id) == ([], ["laptop"])
    settle(first, second)
    assert first.texts() == second.texts() == []
    assert first.sync.carried_out(receipt.id) == (["laptop"], [])
    second.write(f"A {CANARY} again.")
    settle(first, second)
    assert first.texts() == second.texts() == [f"A {CANARY} again."]


def test_an_order_that_comes_late_takes_text_of_a_third_that_came_meanwhile(trio):
    first, second, third = trio
    third.write(f"A third {CANARY}, offline.")
    third.cycle()
    first.store.forget(Selector(text=CANARY))
    tell(first, second)
    assert second.texts() == []
    hand_own(third, second)
    second.cycle()
    assert second.texts() == []
    settle(first, second, third)
    assert first.texts() == second.texts() == third.texts() == []


def test_a_restored_backup_goes_on_as_another_device(pair):
    first, second = pair
    copy = first.saved()
    first.write("Written after the backup.")
    first.store.forget(Selector(text="slow"))
    settle(first, second)
    former = first.device_id()
    first.restore(copy)
    assert any("slow" in text for text in first.texts())
    first.write("Written after it was restored.")
    settle(first, second)
    assert first.device_id() != former
    kept = [
        f"The quick {CANARY} of the desktop.",
        "Written after the backup.",
        "Written after it was restored.",
    ]
    assert first.texts() == second.texts() == sorted(kept)
    assert [one.name for one in second.sync.membership.devices()] == ["laptop", "desktop 2"]
    assert not (first.folder / former).exists()  # its heir has taken it over


def test_an_order_goes_as_soon_as_all_have_carried_it_out(pair):
    first, second = pair
    first.store.forget(Selector(text=CANARY))
    tell(first, second)
    hand_own(second, first)
    first.sync.cycle(send=False)
    assert [order.conditions for order in first.store.orders.all()] == [None]
    hand_own(first, second)
    second.cycle()
    assert second.sync.membership.me.others[first.device_id()].orders == []


@pytest.mark.parametrize("known", [True, False], ids=["carried out", "not heard of"])
def test_a_restored_backup_takes_no_later_text_by_an_old_order(pair, known):
    first, second = pair
    first.store.forget(Selector(text=CANARY))
    first.cycle()
    copy = first.saved()
    settle(first, second)
    second.write(f"A {CANARY} of the laptop again.")
    first.write(f"A {CANARY} of the desktop again.")
    settle(first, second)
    if not known:
        second.store.state.drop("shared_orders_heard")
    first.restore(copy)
    settle(first, second, rounds=8)
    wanted = [f"A {CANARY} of the desktop again.", f"A {CANARY} of the laptop again."]
    assert first.texts() == second.texts() == wanted


def test_no_order_is_lost_among_many(pair):
    first, second = pair
    second.write("Project x, typed while offline.")
    first.store.forget(Selector(text="project x"))
    for number in range(201):
        first.store.orders.give(Selector(ids=(number,)), None)
    settle(first, second)
    assert not any("Project" in text for text in (*first.texts(), *second.texts()))
    first.store.orders.give(Selector(ids=(1,)), None)
    assert len(first.store.orders.all()) == 200


@pytest.mark.parametrize("known", [True, False], ids=["another machine", "the same machine"])
def test_two_devices_cloned_from_one_profile(pair, make, known):
    first, second = pair
    first.close()
    clone = make("clone")
    clone.close()
    shutil.rmtree(clone.settings.home)
    shutil.copytree(first.settings.home, clone.settings.home)
    first.open()
    hand_own(first, clone)
    shutil.copytree(first.folder, clone.folder, dirs_exist_ok=True)
    store = Store.open(clone.settings.store_path, KEY)
    told = store.state.get("sync")
    place = first.sync.membership._place
    store.state.set("sync", {**told, "path": str(clone.folder)})
    store.close()
    clone.open()
    if not known:  # a copy of a virtual machine: nothing tells them apart but what they write
        clone.sync.membership._place = place
    first.write("Of the first alone.")
    clone.write("Of the clone alone.")
    first.cycle()
    clone.cycle()
    for source in (first, clone):
        for target in (first, second, clone):
            if source is not target:
                shutil.copytree(source.folder, target.folder, dirs_exist_ok=True)
    second.cycle()
    first.cycle()
    clone.cycle()
    settle(first, second, clone, rounds=8)
    assert len({first.device_id(), second.device_id(), clone.device_id()}) == 3
    assert first.texts() == second.texts() == clone.texts()
    assert {"Of the first alone.", "Of the clone alone."} <= {*first.texts()}
    assert len(first.texts()) == len({*first.texts()}) == 4


def test_a_lost_device_gets_nothing_more(trio):
    first, second, third = trio
    before = {path.name for path in files(first, "log")}
    lost = second.device_id()
    first.sync.membership.revoke("Laptop")
    first.write("Nothing for a thief.")
    settle(first, third)
    hand_own(first, second)
    hand_own(third, second)
    second.write("Written by the thief.")
    second.cycle()
    assert "Nothing for a thief." not in second.texts()
    assert "can be read here" in second.sync.state().problem
    hand_own(second, first)
    hand_own(second, third)
    settle(first, third)
    assert first.texts() == third.texts()
    assert "Nothing for a thief." in third.texts()
    assert "Written by the thief." not in first.texts()
    assert len(first.texts()) == 3  # what the lost one had written stays, in the other's log
    assert not before & {path.name for path in files(first, "log") if path.parent.name != lost}
    assert [one.name for one in first.sync.membership.devices()] == ["desktop", "third"]
    with pytest.raises(DeviceNameError, match="No device is called laptop"):
        first.sync.membership.revoke("laptop")
    with pytest.raises(DeviceNameError, match="this device"):
        first.sync.membership.revoke("desktop")


def test_a_lost_device_comes_back_by_no_code(trio, make):
    first, second, third = trio
    thief = make("thief")
    code = second.sync.membership.invite()
    hand_own(second, third)
    third.cycle()  # who has not heard of the revocation knows of a code that the first one does not
    hand_own(third, thief)
    first.sync.membership.revoke("laptop")
    assert first.sync.state().invited_until is None
    thief.join(code)
    hand_own(third, first)
    first.cycle()
    assert first.sync.state().invited_until is None
    hand_own(first, third)
    third.cycle()
    assert third.sync.state().invited_until is None
    for device in (first, third):
        hand_own(thief, device)
    settle(first, third)
    first.write("Nothing for a thief.")
    settle(first, third)
    assert third.texts() == first.texts()
    for device in (first, third):
        hand_own(device, thief)
    thief.cycle()
    assert "Nothing for a thief." not in thief.texts()
    assert [one.name for one in first.sync.membership.devices()] == ["desktop", "third"]


def test_who_joins_late_by_an_old_code_is_not_let_in(pair, make):
    first, second = pair
    code = first.sync.membership.invite()
    third, fourth = make("third"), make("fourth")
    for late in (third, fourth):
        hand_own(first, late)
    fourth.off_s = 8 * 86400.0
    with pytest.raises(CodeError, match="older than 7 days"):
        fourth.join(code)
    third.join(code)
    third.cycle()
    first.off_s = second.off_s = 8 * 86400.0
    for device in pair:
        hand_own(third, device)
    settle(first, second)
    assert [len(device.sync.membership.devices()) for device in pair] == [2, 2]


def test_leaving_keeps_the_text_on_both_sides(pair):
    first, second = pair
    gone = second.device_id()
    second.sync.membership.leave()
    assert second.sync.state() is None
    second.write("Nobody else's any more.")
    shutil.copytree(second.folder / gone, first.folder / gone, dirs_exist_ok=True)
    for _ in range(3):
        first.cycle()
    assert not (first.folder / gone).exists()
    assert [one.name for one in first.sync.membership.devices()] == ["desktop"]
    assert len(first.texts()) == 2
    assert first.store.shared.counts() == {"": 2}
    first.sync.membership.leave()
    assert files(first) == []
    assert not (first.folder / "folder.idiolect").exists()
    assert len(first.texts()) == 2


def test_nothing_of_a_stranger_is_read(pair, make):
    """Who has the folder and knows all public keys writes a device into it, or a head in another's name."""
    first, second = pair
    stranger = make("stranger")
    (stranger.folder / "folder.idiolect").unlink(missing_ok=True)
    stranger.join()
    stranger.write("Planted.")
    stranger.cycle()
    for victim in (first, second):
        shutil.copytree(stranger.folder / stranger.device_id(), victim.folder / stranger.device_id())
        for path in files(stranger, "head"):
            shutil.copy(path, victim.folder / first.device_id())
    settle(first, second)
    assert "Planted." not in (*first.texts(), *second.texts())
    assert len(first.sync.membership.devices()) == 2


def test_the_same_text_of_the_same_time_is_one_entry(pair):
    first, second = pair
    at = datetime(2024, 5, 1, 12, tzinfo=UTC)
    for device in pair:
        assert device.write("In both mailboxes.", at).stored
    settle(first, second)
    assert sorted({*first.texts()}) == sorted({*second.texts()})
    assert first.write("In both mailboxes.", at).reason == "duplicate"


def test_what_arrives_is_cleaned_and_excluded_as_an_import(pair):
    first, second = pair
    second.ingest.app_policy.give("secret-chat", "exclude")
    first.write("Said in a room of its own.", app="secret-chat")
    # As a version with fewer rules would have kept it.
    old = "My password is hunter2horse!"
    first.store.entries.add([entry(old, source="chat")])
    first.cycle()
    first.write("Written by the first.")
    settle(first, second)
    assert "Said in a room of its own." not in second.texts()
    assert not any("hunter2" in text for text in second.texts())


def test_decisions_reach_all_and_the_last_holds_whatever_the_clocks_say(pair):
    first, second = pair
    first.off_s = 3600.0
    first.store.words.add("never", "fyi")
    first.store.words.add("always_correct", "hte", replacement="the")
    first.ingest.app_policy.give("*chat*", "quiet")
    first.ingest.app_policy.give("*chat*", "off")
    first.ingest.pause.begin(7200)
    settle(first, second)
    assert first.state() == second.state()
    assert second.ingest.pause.active
    second.store.words.remove("fyi")  # later, by a clock that is an hour slower
    second.store.words.add("mine", "hte")
    second.ingest.pause.end()
    settle(first, second)
    assert first.state() == second.state()
    assert ("fyi", "never", None) not in first.words()
    assert not first.ingest.pause.active


def test_a_pause_that_runs_out_is_no_decision(pair):
    first, second = pair
    for length in (600, 7200):  # the second one is extended before the other device hears of it
        first.ingest.pause.begin(length)
        first.cycle()
        if length == 600:
            hand_own(first, second)
            second.cycle()
            assert second.ingest.pause.active
    second.ingest.pause = Pause(second.store, lambda: time.time() + 601)
    assert not second.ingest.pause.active
    tell(second, first)
    assert first.ingest.pause.active
    settle(first, second)
    assert second.ingest.pause.active
    second.ingest.pause.end()
    settle(first, second)
    assert not first.ingest.pause.active


def test_a_clock_that_is_fast_ends_no_pause_elsewhere(pair):
    first, second = pair
    second.off_s = 3600.0
    first.ingest.pause.begin(1800)
    settle(first, second)
    second.again()
    settle(first, second)
    assert first.ingest.pause.active
    second.ingest.pause.end()
    settle(first, second)
    assert not first.ingest.pause.active


def test_the_last_pause_holds_whichever_device_began_or_ended_it(pair):
    first, second = pair
    first.ingest.pause.begin()
    settle(first, second)
    first.ingest.pause.end()
    first.cycle()
    second.ingest.pause.end()
    second.ingest.pause.begin()
    settle(first, second)
    assert first.ingest.pause.active is second.ingest.pause.active is True
    first.ingest.pause.begin(0.0)  # as the user may end one
    settle(first, second)
    assert not second.ingest.pause.active


@pytest.mark.parametrize("gone", [False, True], ids=["there", "gone meanwhile"])
def test_what_is_decided_here_is_later_than_what_was_decided_before_elsewhere(pair, gone):
    first, second = pair
    aside = second.folder.with_name("aside")

    def cycle_in_vain():
        with pytest.raises(SyncFolderGoneError):
            second.cycle()

    if gone:
        second.folder.rename(aside)
    second.store.words.add("mine", "Walnut")
    if gone:
        cycle_in_vain()
    first.store.words.add("mine", "Heron")
    first.ingest.pause.end()
    first.cycle()
    second.store.words.add("never", "Heron")
    second.ingest.pause.begin()
    if gone:
        cycle_in_vain()
        first.store.words.add("never", "Walnut")
        first.cycle()
        aside.rename(second.folder)
    settle(first, second)
    assert ("Heron", "never", None) in first.words()
    assert ("Walnut", "never" if gone else "mine", None) in second.words()
    assert first.state() == second.state()
    assert first.ingest.pause.active


def test_who_joins_lets_stand_what_the_others_decided(make):
    first, second = make("a"), make("b")
    first.store.words.add("mine", "Heron")
    second.store.words.add("never", "Heron")
    let_in(first, second, first.join())
    settle(first, second)
    assert first.words() == second.words() == [("Heron", "mine", None)]


def test_text_that_is_let_go_leaves_the_folder(pair):
    first, second = pair
    before = {path.name for path in logs(first)}
    first.store.expire(datetime.now(UTC), None)
    first.cycle()
    assert not before & {path.name for path in logs(first)}
    settle(first, second)
    assert first.texts() == []
    assert len(second.texts()) == 2


def test_a_folder_that_lost_files_gets_them_again(pair):
    first, second = pair
    first.write("Kept in the store.")
    first.cycle()
    shutil.rmtree(first.folder / first.device_id())
    first.cycle()
    settle(first, second)
    assert "Kept in the store." in second.texts()


def test_a_device_keeps_its_keys_to_itself():
    keys, code = DeviceKeys.new(), new_code()
    assert keys.seal not in repr(keys)
    sealed = keys.public.sealed(b"k" * 32, b"about")
    assert keys.opened(sealed, b"about") == b"k" * 32
    assert keys.opened(sealed, b"else") is DeviceKeys.new().opened(sealed, b"about") is None
    assert DeviceKeys.of_code(f"  {code.upper()}\n") == DeviceKeys.of_code(code)


def test_an_adapter_is_offered_while_all_that_it_has_seen_is_known(pair):
    first, second = pair
    first.write("One more.")
    settle(first, second)
    ids = [id_ for id_, _ in first.store.entries.token_ids()]
    metrics = {"base_sha256": "ab", "trained_tokens": 5}
    publish(first.store, blob=b"weights", seen=ids, metrics=metrics)
    settle(first, second)
    offer = second.sync.offer("ab")
    assert (offer.blob, offer.device, len(offer.seen)) == (b"weights", "desktop", len(ids))
    assert second.sync.offer("cd") is None  # of another base model
    assert first.sync.offer("ab") is None
    second.store.state.set(OFFERS_JUDGED, [offer.name])
    assert second.sync.offer("ab") is None
    second.store.state.set(OFFERS_JUDGED, [])
    second.store.forget(Selector(text="One more"))
    assert second.sync.offer("ab") is None  # it has seen what was forgotten
    settle(first, second)
    assert first.store.adapters.active() is None
    assert first.sync.membership.me.adapter is None
    assert not any(b"weights" in path.read_bytes() for path in files(first))
    publish(first.store, blob=b"others", seen=ids[:1], metrics=metrics)
    settle(first, second)
    assert second.sync.offer("ab").blob == b"others"
    publish(second.store, blob=b"newer", metrics=metrics)
    assert second.sync.offer("ab") is None
    first.sync.membership.revoke("laptop")
    assert first.sync.membership.me.adapter is not None


def test_a_head_in_another_device_s_name_is_not_believed(pair):
    """Whoever knows the public keys can seal a head for a device, and can't sign it as another one."""
    first, second = pair
    me, stranger = first.sync.membership.me, DeviceKeys.new()
    place = next(path for path in files(first, "head") if path.parent.name == me.device)
    head = open_head(place.read_bytes(), me.number, me.device, [me.keys], me.keys.public)
    public = stranger.public
    members = {**head.members, me.device: Member("desktop", public.seal, public.sign)}
    members[second.device_id()] = replace(members[second.device_id()], gone="revoked")
    forged = replace(head, number=head.number + 5, members=members, segments=[])
    readers = [one.keys for one in head.members.values()]
    for keys in (stranger, DeviceKeys.new()):
        data = pack_head(forged, me.number, keys, readers)
        SharedFolder(second.folder, me.number).write(me.device, "head", data)
        second.cycle()
        assert [one.name for one in second.sync.membership.devices()] == ["laptop", "desktop"]
    first.write("Read all the same.")
    settle(first, second)
    assert "Read all the same." in second.texts()


@pytest.mark.parametrize(
    "said", [b"{}", b"[" * 200_000, json.dumps({"form": 99}).encode()], ids=["empty", "deep", "newer"]
)
def test_a_head_that_makes_no_sense_hinders_nothing(pair, said):
    """Whoever knows a device's public key, as one that was revoked does, can seal anything for it."""
    first, second = pair
    me, ghost = first.sync.membership.me, "f" * 16
    about, key = f"idiolect sync {me.number} {ghost}".encode(), os.urandom(32)
    sealed = me.keys.public.sealed(key, about)
    data = (1).to_bytes(2) + sealed + encrypted(key, zlib.compress(said), about) + bytes(64)
    SharedFolder(first.folder, me.number).write(ghost, "head", data)
    second.write("Written meanwhile.")
    first.store.forget(Selector(text=CANARY))
    settle(first, second)
    assert first.texts() == second.texts() == ["Written meanwhile."]
    assert ("later version" if b"form" in said else ghost) in first.sync.state().problem
    shutil.rmtree(first.folder / ghost)
    first.cycle()
    assert first.sync.state().problem is None


def test_what_a_stranger_writes_is_looked_at_once(pair, monkeypatch):
    first, _ = pair
    opened = []
    real = DeviceKeys.opened
    monkeypatch.setattr(DeviceKeys, "opened", lambda *given: opened.append(1) or real(*given))
    folder = SharedFolder(first.folder, first.sync.membership.me.number)
    for readers in (65535, 200):
        folder.write("e" * 16, "head", readers.to_bytes(2) + os.urandom(80) * readers + bytes(200))
    for _ in range(3):
        first.cycle()
    assert len(opened) <= 400  # one file, for each key of this device


def test_what_cannot_be_read_of_one_device_hinders_no_other(trio, monkeypatch):
    first, second, third = trio
    bad, good = sorted((second, third), key=Device.device_id)
    bad.write("Not yet.")
    good.write("At once.")
    first.store.forget(Selector(text=CANARY))
    for one in (bad, good):
        one.cycle()
        hand_own(one, first)
    real = SharedFolder.read

    def read(folder, device, *more):
        if device == bad.device_id():
            raise OSError(errno.EIO, "a bad sector")
        return real(folder, device, *more)

    with monkeypatch.context() as patch:
        patch.setattr(SharedFolder, "read", read)
        with pytest.raises(OSError, match="a bad sector"):  # so that it is tried again
            first.cycle()
    assert first.texts() == ["At once."]
    assert first.sync.state().unsent == 0
    assert first.sync.state().problem
    settle(first, second, third)
    assert first.texts() == third.texts() == second.texts() == sorted(["At once.", "Not yet."])
    assert first.sync.state().problem is None


@pytest.mark.parametrize("fault", ["held", "hangs", "fails"])
def test_a_round_goes_on_where_the_folder_gives_no_answer(pair, monkeypatch, fault):
    first, second = pair
    ids = [id_ for id_, _ in first.store.entries.token_ids()]
    publish(first.store, blob=b"weights", seen=ids, metrics={"base_sha256": "ab", "trained_tokens": 5})
    settle(first, second)
    assert second.sync.offer("ab").blob == b"weights"
    monkeypatch.setattr("idiolect.daemon.sync.sharing._OFFER_S", 0.01)
    answers, asked = threading.Event(), threading.Event()

    def read(*_):
        if fault == "fails":
            raise OSError(errno.EIO, "a bad sector")
        answers.wait()

    def require(_):
        asked.set()
        answers.wait()

    with monkeypatch.context() as patch:
        patch.setattr(SharedFolder, "read", read)
        patch.setattr(SharedFolder, "require", require)
        cycle = threading.Thread(target=second.cycle)
        if fault == "held":
            cycle.start()
            assert asked.wait(DEADLINE_S)
        assert second.sync.offer("ab") is None
        answers.set()
    if fault == "held":
        cycle.join()


@pytest.mark.parametrize("fault", ["gone", "empty", "disk"])
def test_a_folder_that_is_gone_is_left_all_the_same(pair, monkeypatch, fault):
    first, second = pair
    if fault == "disk":
        full = OSError(errno.ENOSPC, "full")
        monkeypatch.setattr("idiolect.models.durable.write", Mock(side_effect=full))
        first.write("Not sent yet.")
    else:
        shutil.rmtree(first.folder)
    if fault == "empty":
        first.folder.mkdir()
    before = first.texts()
    assert not first.sync.membership.leave()
    assert first.sync.state() is None
    assert first.texts() == before
    assert not first.store.shared.on
    assert [one.name for one in second.sync.membership.devices()] == ["laptop", "desktop"]


def test_who_leaves_reads_the_others_first_and_deletes_nothing_of_one_that_has_just_joined(make):
    first, second = make("desktop"), make("laptop")
    second.write("Of the laptop.")
    let_in(first, second, first.join())
    second.cycle()
    hand_own(second, first)
    assert len(first.sync.membership.devices()) == 1  # it was not read yet
    assert first.sync.membership.leave()
    assert (first.folder / second.device_id()).exists()
    assert first.texts() == ["Of the laptop."]


def test_who_leaves_deletes_nothing_of_a_device_that_it_does_not_know(pair):
    first, _ = pair
    stranger = first.folder / ("e" * 16)
    stranger.mkdir()
    kept = stranger / f"{'0' * 32}.log.idiolect"
    kept.write_bytes(b"not of this device")
    first.sync.membership.revoke("laptop")
    assert first.sync.membership.leave()
    assert kept.exists()
    assert (first.folder / "folder.idiolect").exists()


def test_an_adapter_that_has_seen_what_was_let_go_before_is_not_offered(make):
    """Nobody could tell whether that text was forgotten elsewhere."""
    first, second = make("desktop"), make("laptop")
    first.write("An old sentence.")
    ids = [id_ for id_, _ in first.store.entries.token_ids()]
    first.store.expire(datetime.now(UTC), None)
    first.write("A new one.")
    ids += [id_ for id_, _ in first.store.entries.token_ids()]
    metrics = {"base_sha256": "ab", "trained_tokens": 5}
    publish(first.store, blob=b"weights", seen=ids, metrics=metrics)
    let_in(first, second, first.join())
    settle(first, second)
    assert second.sync.offer("ab") is None
    assert first.sync.membership.me.adapter is None
    publish(first.store, blob=b"others", seen=ids[1:], metrics=metrics)
    settle(first, second)
    assert second.sync.offer("ab").blob == b"others"


@pytest.mark.parametrize("how", ["revoked", "left", "leaving"])
def test_what_one_device_excludes_the_other_does_as_long_as_they_share(make, how):
    first = make("a", exclude=("*diary*",), exclude_apps=("*bank*",), quiet_apps=("*irc*",))
    second = make("b")
    let_in(first, second, first.join())
    settle(first, second)
    for _ in range(2):
        rules = {row.app: (row.rule, row.source) for row in second.ingest.app_policy.rules()}
        assert rules["*bank*"] == ("exclude", "another device's settings")
        assert rules["*irc*"] == ("quiet", "another device's settings")
        assert second.ingest.excludes(second.settings.home / "my diary.md", second.settings.home)
        second.again()
    if how == "revoked":
        second.sync.membership.revoke("a")
    elif how == "leaving":
        second.sync.membership.leave()
    else:
        gone = first.device_id()
        first.sync.membership.leave()
        shutil.copytree(first.folder / gone, second.folder / gone, dirs_exist_ok=True)
        second.cycle()
    for _ in range(2):
        assert "*bank*" not in {row.app for row in second.ingest.app_policy.rules()}
        assert not second.ingest.excludes(second.settings.home / "my diary.md", second.settings.home)
        second.again()


@pytest.fixture
def following(pair):
    """What follows the folder of the first of two devices, started."""
    found = SyncSchedule(pair[0].sync, 0.01, nullcontext)
    yield found
    found.stop()


def test_a_folder_that_is_away_keeps_nobody_awake_and_is_looked_for(pair, following, monkeypatch):
    first, second = pair
    monkeypatch.setattr(following_module, "_RETRY_S", 0.01)
    monkeypatch.setattr(following_module, "_LONGEST_RETRY_S", 0.01)
    aside = first.folder.with_name("aside")
    first.folder.rename(aside)
    first.write("Written meanwhile.")
    following.start()
    until(lambda: first.sync.state().problem and following.quiet and not following.noticed)
    aside.rename(first.folder)
    until(lambda: first.sync.state().problem is None and following.quiet and following.noticed)
    hand_own(first, second)
    second.cycle()
    assert "Written meanwhile." in second.texts()


def test_what_no_notice_tells_of_is_found(pair, following, monkeypatch):
    first, second = pair
    monkeypatch.setattr(following_module, "_RESCAN_S", 0.01)
    monkeypatch.setattr(SyncSchedule, "on_any_event", lambda *_: None)
    following.start()
    until(lambda: following.quiet and following.noticed)
    assert not first.sync.arrived()
    second.write("Put there by another machine.")
    second.cycle()
    hand_own(second, first)
    until(lambda: "Put there by another machine." in first.texts())


@pytest.mark.parametrize(("kind", "told"), [("ext4", True), ("nfs4", False), ("fuse.sshfs", False)])
def test_a_drive_of_the_network_tells_of_nothing(pair, following, monkeypatch, kind, told):
    first, _ = pair
    mounts = [
        SimpleNamespace(mountpoint="/", fstype="cifs"),
        SimpleNamespace(mountpoint=str(first.folder), fstype=kind),
    ]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: mounts)
    following.start()
    until(lambda: following.quiet and first.sync.state().problem is None and following.noticed == told)
