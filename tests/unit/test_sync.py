"""A shared folder: what it holds, who can read it, and what becomes of devices that join, leave, are copied or lost."""

import errno
import json
import os
import random
import shutil
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from unittest.mock import Mock

import psutil
import pytest
from publishing import KEY, entry
from sharing import Device, deliver, hand_own, settle, tell
from waiting import DEADLINE_S, until
from watchdog.observers import inotify_c

from idiolect.daemon.profile.pause import Pause
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store
from idiolect.daemon.sync import other_logs, own_log, sync_schedule
from idiolect.daemon.sync.folder import SharedFolder, SyncFolderError, SyncFolderGoneError
from idiolect.daemon.sync.secret import FolderKeys, SyncWordsError, new_secret, secret_of, words_of
from idiolect.daemon.sync.sharing import SharingError
from idiolect.daemon.sync.sync_schedule import SyncSchedule

CANARY = "heron"
OF_FIRST, OF_SECOND = f"The quick {CANARY} of the desktop.", f"A slow {CANARY} of the laptop."
FULL = OSError(errno.ENOSPC, "full")


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


def share(first, *others):
    """Have devices share a folder."""
    words = first.sync.share(first.folder)
    for other in others:
        hand_own(first, other)
        other.join(words)
    settle(first, *others)


@pytest.fixture
def pair(make):
    """Two devices that share a folder and have read each other."""
    first, second = make("desktop"), make("laptop")
    first.write(OF_FIRST)
    second.write(OF_SECOND)
    share(first, second)
    return first, second


@pytest.fixture
def trio(make):
    """Three devices that share a folder."""
    devices = make("a"), make("b"), make("c")
    share(*devices)
    return devices


def files(device, of=None, kind="*"):
    """The files in a device's folder, of all devices or `of` one."""
    found = sorted(device.folder.rglob(f"*.{kind}.idiolect"))
    return [path for path in found if of is None or path.parent.name == of.device_id()]


def test_what_two_had_before_is_on_both(pair):
    first, second = pair
    assert first.texts() == second.texts() == sorted([OF_FIRST, OF_SECOND])
    assert first.others() == second.others() == [(1, 0)]


def test_the_folder_tells_no_word_and_no_time(pair):
    first, _ = pair
    for number in range(50):
        first.write(f"Entry {number} tells of a {CANARY}.")
    first.cycle()
    assert files(first)
    for path in files(first):
        data = path.read_bytes()
        assert CANARY.encode() not in data
        assert path.stat().st_mtime == 0
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert len(data) in (4096 + 28, 4608 + 28)


def test_sizes_are_few_and_only_the_key_opens():
    keys, others = FolderKeys(new_secret(), "ab"), FolderKeys(new_secret(), "ab")
    sizes = {len(keys.seal("a", "x", os.urandom(size))) for size in range(1, 20_000, 7)}
    assert len(sizes) < 60
    for size in (0, 1, 5000, 70_000):
        data = os.urandom(size)
        box = keys.seal("a", "x", data)
        assert keys.open("a", "x", box) == data
        assert len(box) <= max(4096, 1.13 * (size + 8)) + 28
        found = [others.open("a", "x", box), keys.open("b", "x", box), keys.open("a", "y", box)]
        assert [*found, keys.open("a", "x", box[:-1])] == [None] * 4


def test_a_file_is_never_changed_once_written(pair):
    first, second = pair
    known = {}
    for round_ in range(20):
        first.write(f"Round {round_}.")
        if round_ % 4 == 3:
            first.store.forget(Selector(text=f"Round {round_ - 1}"))
        first.cycle()
        for path in files(first):
            assert known.setdefault(path, path.read_bytes()) == path.read_bytes()
    assert len(files(first, of=first)) < 12  # many small ones become one
    settle(first, second)
    assert first.texts() == second.texts()


def test_nobody_joins_with_other_words(pair, make):
    first, third = pair[0], make("third")
    hand_own(first, third)
    words = words_of(new_secret())
    mistyped = words.replace(words.split()[0], "zoo" if words.split()[0] != "zoo" else "able", 1)
    for given, says in ((words, "of another folder"), ("one two three", "missing"), (mistyped, "folder")):
        with pytest.raises(SyncWordsError, match=says):
            third.join(given)
    assert third.sync.state() is None
    assert not third.store.shared.on
    assert secret_of(f"  {words.upper()}\n") == secret_of(words)
    for call in (first.sync.share, lambda path: first.sync.join(path, words)):
        with pytest.raises(SharingError):
            call(first.folder)
    with pytest.raises(SyncFolderError, match="sync join"):
        third.sync.share(third.folder)


def test_folders_that_cannot_be_shared(make):
    device = make("a")
    manifest = device.folder / "folder.idiolect"
    device.folder.rmdir()
    with pytest.raises(SyncFolderError, match="There is no folder"):
        device.sync.share(device.folder)
    device.folder.mkdir()
    with pytest.raises(SyncFolderError, match="is empty"):
        device.join(words_of(new_secret()))
    for path, held in (
        (device.folder / "notes.md", "Mine."),
        (manifest, json.dumps({"idiolect": 3, "folder": "ab"})),
        (manifest, json.dumps({"idiolect": 1, "folder": "ab"})),
        (manifest, '{"idiolect": 1, "fol'),
        (manifest, "[" * 2000),
    ):
        path.write_text(held)
        with pytest.raises(SyncFolderError, match=r"holds other files|another version|not arrived whole"):
            device.sync.share(device.folder)
        path.unlink()
    with pytest.raises(SharingError):
        device.sync.leave()
    (device.folder / ".stfolder").mkdir()  # a synchroniser's own
    assert len(device.sync.share(device.folder).split()) == 12


@pytest.mark.parametrize("fault", ["full", "killed", "another's"])
def test_a_folder_is_shared_wholly_or_not_at_all(make, monkeypatch, fault):
    device, other = make("a"), make("b")
    device.write(OF_FIRST)
    if fault == "full":
        with monkeypatch.context() as patch:
            patch.setattr("idiolect.models.durable.write", Mock(side_effect=FULL))
            with pytest.raises(SyncFolderGoneError, match="no room"):
                device.sync.share(device.folder)
        assert [*device.folder.iterdir()] == []
    elif fault == "killed":  # between the manifest and the end of the transaction
        real = SharedFolder.create

        def create(*what):
            real(*what)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(SharedFolder, "create", create)
            with pytest.raises(KeyboardInterrupt):
                device.sync.share(device.folder)
        assert [path.name for path in device.folder.iterdir()] == ["folder.idiolect"]
    else:
        SharedFolder(device.folder, "ab" * 16).create("cd")
        with pytest.raises(SyncFolderError, match="delete the file"):  # it may be another device's
            device.sync.share(device.folder)
    for _ in range(2):
        assert device.sync.state() is None
        assert not device.store.shared.on
        assert device.write(f"{CANARY} {time.monotonic_ns()}").stored
        device.again()
    if fault == "another's":
        (device.folder / "folder.idiolect").unlink()
    share(device, other)
    assert other.texts() == device.texts()


@pytest.mark.parametrize("fault", ["gone", "empty", "another", "newer"])
def test_a_folder_that_is_not_there_is_waited_for(pair, fault):
    first, second = pair
    aside = first.folder.with_name("aside")
    first.folder.rename(aside)
    if fault != "gone":
        first.folder.mkdir()
    if fault == "another":
        SharedFolder(first.folder, "ab" * 16).create("cd")
    if fault == "newer":
        (first.folder / "folder.idiolect").write_text(json.dumps({"idiolect": 3, "folder": "ab"}))
    first.write("Written meanwhile.")
    before = sorted(first.folder.iterdir()) if fault != "gone" else []
    with pytest.raises(SyncFolderGoneError):
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
    old, copy = first.folder / first.device_id(), first.folder.with_name("copy")
    shutil.copytree(old, copy)
    assert second.store.forget(Selector(text=CANARY)).entries == 2
    settle(first, second)
    kept = [f"Sentence {number} stays." for number in range(3)]
    assert first.texts() == second.texts() == kept
    # The files that held it are gone, and put back they bring nothing.
    held = {path.name for path in copy.glob("*.log.*")}
    assert not held <= {path.name for path in files(first, of=first)}
    shutil.copytree(copy, old, dirs_exist_ok=True)
    shutil.copytree(copy, second.folder / old.name, dirs_exist_ok=True)
    settle(first, second)
    assert first.texts() == second.texts() == kept
    assert first.store.shared.waiting() == second.store.shared.waiting() == 0


def test_the_same_text_that_has_not_arrived_is_forgotten_and_what_comes_after_stays(pair):
    first, second = pair
    first.write("Thanks!")
    second.write("Thanks!")  # the first does not know of it
    second.write("Thanks a lot!")
    first.store.forget(Selector(text="thanks"))
    settle(first, second)
    assert first.texts() == second.texts() == sorted([OF_FIRST, OF_SECOND, "Thanks a lot!"])
    second.write("Thanks!")
    settle(first, second)
    assert "Thanks!" in first.texts()


def test_of_one_entry_that_is_forgotten_its_like_stay(pair):
    """Else the forgetting of some minutes would take a greeting of all years."""
    first, second = pair
    ids = [first.write("Best regards").id for _ in range(3)]
    settle(first, second)
    first.store.forget(Selector(ids=(ids[1],)))
    settle(first, second)
    assert first.texts().count("Best regards") == second.texts().count("Best regards") == 2


def test_text_of_a_third_that_comes_later_than_its_mark_is_not_taken(trio):
    first, second, third = trio
    third.write(OF_FIRST)
    third.cycle()
    hand_own(third, first)
    late = third.folder.with_name("late")
    shutil.copytree(third.folder / third.device_id(), late)
    first.cycle()
    first.store.forget(Selector(text=CANARY))
    tell(first, second)
    shutil.copytree(late, second.folder / third.device_id(), dirs_exist_ok=True)
    second.cycle()
    assert second.texts() == []
    settle(*trio)
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
    for _ in range(4):
        for source, target in ((first, second), (second, first)):
            source.cycle()
            hand_own(source, target)
            shutil.rmtree(target.folder / former, ignore_errors=True)
            if (source.folder / former).exists():
                shutil.copytree(source.folder / former, target.folder / former)
    assert first.device_id() != former
    kept = [OF_FIRST, "Written after the backup.", "Written after it was restored."]
    assert first.texts() == second.texts() == sorted(kept)
    assert not (first.folder / former).exists()  # what was left of it is in the log of one of the two
    assert [len(device.sync.state().devices) for device in pair] == [2, 2]


def test_two_devices_cloned_from_one_profile(pair, make):
    first, second = pair
    first.close()
    clone = make("clone")
    clone.close()
    shutil.rmtree(clone.settings.home)
    shutil.copytree(first.settings.home, clone.settings.home)
    first.open()
    shutil.copytree(first.folder, clone.folder, dirs_exist_ok=True)
    store = Store.open(clone.settings.store_path, KEY)
    store.state.set("sync", {**store.state.get("sync"), "path": str(clone.folder)})
    store.close()
    clone.open()
    first.write("Of the first alone.")
    clone.write("Of the clone alone.")
    first.cycle()
    clone.cycle()
    for source in (first, clone):
        for target in (first, second, clone):
            if source is not target:
                shutil.copytree(source.folder, target.folder, dirs_exist_ok=True)
    settle(first, second, clone, rounds=8)
    assert len({first.device_id(), second.device_id(), clone.device_id()}) == 3
    kept = sorted([OF_FIRST, OF_SECOND, "Of the first alone.", "Of the clone alone."])
    assert first.texts() == second.texts() == clone.texts() == kept


def test_leaving_keeps_the_text_on_both_sides(pair):
    first, second = pair
    gone = second.device_id()
    assert second.sync.leave()
    assert second.sync.state() is None
    second.write("Nobody else's any more.")
    shutil.copytree(second.folder / gone, first.folder / gone, dirs_exist_ok=True)
    for _ in range(2):
        first.cycle()
    assert not (first.folder / gone).exists()
    assert [one.entries for one in first.sync.state().devices] == [2]  # in its own log now
    assert first.sync.leave()
    assert files(first) == []
    assert not (first.folder / "folder.idiolect").exists()
    assert first.texts() == sorted([OF_FIRST, OF_SECOND])


def synchronise(*devices):
    for _ in range(4):
        for source in devices:
            source.cycle()
            for target in devices:
                if source is not target:
                    deliver(source, target)


@pytest.mark.parametrize("by_heir", [True, False])
def test_a_device_that_is_lost_is_removed_and_the_last_to_leave_deletes_all(trio, by_heir):
    lost, *kept = sorted(trio, key=Device.device_id, reverse=not by_heir)
    gone, remover, other = lost.device_id(), *(kept if by_heir else reversed(kept))
    remover.sync.remove(gone)
    deliver(remover, other)
    synchronise(*kept)
    for one in kept:
        assert len(one.sync.state().devices) == 2
        assert not (one.folder / gone).exists()
    assert remover.texts() == other.texts() == lost.texts()
    assert remover.sync.leave()
    deliver(remover, other)
    other.cycle()
    assert other.sync.leave()
    assert files(other) == []


def test_a_removed_device_that_comes_back_shares_again(pair):
    first, second = pair
    former = second.device_id()
    first.sync.remove(former)
    assert len(first.sync.state().devices) == 1
    shutil.rmtree(second.folder / former)  # as a synchroniser does once the first has taken over its log
    second.write("Written in the meantime.")
    settle(first, second)
    assert "Written in the meantime." in first.texts()
    assert len(first.sync.state().devices) == 2


def test_only_another_device_that_shares_the_folder_is_removed(pair, make):
    first, second = pair
    name = first.sync.state().devices[0].name
    assert {one.name for one in first.sync.state().devices} == {name}
    for wrong in ("nobody", first.device_id()):
        with pytest.raises(SharingError, match="No other device"):
            first.sync.remove(wrong)
    with pytest.raises(SharingError, match="No folder"):
        make("alone").sync.remove(name)
    first.sync.remove(name)
    assert [one.this for one in first.sync.state().devices] == [True]
    with pytest.raises(SharingError, match="No other device"):
        first.sync.remove(second.device_id())


def test_text_that_the_heir_of_a_log_let_go_reaches_a_third_device_unless_it_was_forgotten(trio):
    leaver = trio[0]
    heir, third = sorted(trio[1:], key=lambda device: device.device_id())
    gone = leaver.device_id()
    leaver.write(OF_FIRST)
    leaver.write(OF_SECOND)
    tell(leaver, heir)
    heir.store.expire(datetime.now(UTC), None)
    assert leaver.sync.leave()
    shutil.copytree(leaver.folder / gone, heir.folder / gone, dirs_exist_ok=True)
    for _ in range(3):
        heir.cycle()
    deliver(heir, third)
    third.cycle()
    assert third.texts() == sorted([OF_FIRST, OF_SECOND])
    third.store.forget(Selector(text="quick"))
    tell(third, heir)
    assert not (heir.folder / gone).exists()


@pytest.mark.parametrize("fault", ["gone", "damaged"])
def test_a_log_with_a_file_that_cannot_be_read_stays_until_that_is_there_again(trio, fault):
    leaver = trio[0]
    heir, third = sorted(trio[1:], key=lambda device: device.device_id())
    gone = leaver.device_id()
    leaver.write(OF_FIRST)
    tell(leaver, heir)
    heir.store.expire(datetime.now(UTC), None)
    assert leaver.sync.leave()
    shutil.copytree(leaver.folder / gone, heir.folder / gone, dirs_exist_ok=True)
    lost = {path: path.read_bytes() for path in files(heir, kind="log") if path.parent.name == gone}
    for path, data in lost.items():
        path.unlink() if fault == "gone" else path.write_bytes(data[:-1])
    for _ in range(3):
        heir.cycle()
    for path, data in lost.items():
        path.write_bytes(data)
    heir.cycle()
    deliver(heir, third)
    third.cycle()
    assert third.texts() == [OF_FIRST]


@pytest.mark.parametrize("fault", ["gone", "empty", "disk"])
def test_a_folder_that_is_gone_is_left_all_the_same(pair, monkeypatch, fault):
    first, _ = pair
    if fault == "disk":
        monkeypatch.setattr("idiolect.models.durable.write", Mock(side_effect=FULL))
        first.write("Not sent yet.")
    else:
        shutil.rmtree(first.folder)
    if fault == "empty":
        first.folder.mkdir()
    before = first.texts()
    assert not first.sync.leave()
    assert first.sync.state() is None
    assert first.texts() == before
    assert not first.store.shared.on


def test_who_leaves_deletes_nothing_of_a_device_that_it_does_not_know(pair):
    first, second = pair
    shutil.rmtree(first.folder / second.device_id())
    kept = first.folder / ("e" * 16) / f"{'0' * 32}.log.idiolect"
    kept.parent.mkdir()
    kept.write_bytes(b"not of this device")
    assert first.sync.leave()
    assert kept.exists()
    assert (first.folder / "folder.idiolect").exists()


def _swap(head, one, two, **_):
    data = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(data)


def _link_folder(head, one, **_):
    aside = head.parent.rename(head.parents[2] / "elsewhere")
    head.parent.symlink_to(aside)


def _link(head, one, **_):
    one.symlink_to(one.rename(one.with_name("elsewhere")))


def _pipe(head, one, **_):
    one.unlink()
    os.mkfifo(one)


#: What who has only the drive does to the log of a device: its newest `head`, and `one` and `two` files of its log;
#: `old` is an older state of the log, and `another` the folder of another device.
HOSTILE = {
    "a file is cut off": lambda one, **_: os.truncate(one, 100),
    "a file is withheld": lambda one, **_: one.unlink(),
    "a file is changed": lambda one, **_: one.write_bytes(os.urandom(one.stat().st_size)),
    "a file is huge": lambda one, **_: os.truncate(one, 1 << 40),
    "a file is a pipe": _pipe,
    "a file is a link": _link,
    "a file is a folder": lambda one, **_: (one.unlink(), one.mkdir()),
    "files are exchanged": _swap,
    "a file is another device's": lambda one, another, **_: shutil.copy(next(another.glob("*.log.*")), one),
    "the head is cut off": lambda head, **_: os.truncate(head, 50),
    "the head is another device's": lambda head, another, **_: shutil.copy(
        next(another.glob("*.head.*")), head
    ),
    "the head has a higher number": lambda head, **_: head.rename(head.with_name(f"{10**11}.head.idiolect")),
    "all of it is older": lambda head, old, **_: (
        shutil.rmtree(head.parent),
        shutil.copytree(old, head.parent),
    ),
    "the device is another one": lambda head, another, **_: (
        shutil.rmtree(head.parent),
        shutil.copytree(another, head.parent),
    ),
    "the folder is a link": _link_folder,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_drive_changes_nothing(pair, what):
    first, second = pair
    old = first.folder.with_name("old")
    shutil.copytree(first.folder / first.device_id(), old)
    first.write("Second file.")
    first.cycle()
    first.write("Third file.")
    first.cycle()
    hand_own(first, second)
    newest = [path for path in files(second, of=first, kind="log") if not (old / path.name).exists()]
    one, two = sorted(newest)
    HOSTILE[what](
        head=files(second, of=first, kind="head")[0],
        one=one,
        two=two,
        old=old,
        another=second.folder / second.device_id(),
    )
    before = {OF_FIRST, OF_SECOND}
    second.write("Of the second.")
    second.cycle()
    assert before <= {*second.texts()} < before | {"Second file.", "Third file.", "Of the second."}
    assert len(second.sync.state().devices) == 1 + (what != "the folder is a link")
    elsewhere = first.folder.with_name("laptop") / "elsewhere"
    for path in (second.folder / first.device_id(), elsewhere):
        if path.is_symlink():
            path.unlink()
    settle(first, second)  # the synchroniser brings what the other one has
    assert (
        first.texts() == second.texts() == sorted([*before, "Second file.", "Third file.", "Of the second."])
    )
    assert second.others() == [(3, 0)]


def test_a_flood_of_files_is_read_past(pair):
    first, second = pair
    first.write("In the midst of it.")
    first.cycle()
    hand_own(first, second)
    head = files(second, of=first, kind="head")[0]
    for number in range(300):
        stranger = second.folder / f"{number:016x}"
        stranger.mkdir()
        (stranger / head.name).write_bytes(os.urandom(5000))
        (head.parent / f"{number:032x}.log.idiolect").write_bytes(b"")
    second.cycle()
    assert "In the midst of it." in second.texts()
    assert len(second.sync.state().devices) == 2


@pytest.mark.parametrize("fault", ["cut off", "changed", "gone", "all gone", "a link", "the head"])
def test_a_damaged_file_of_the_own_log_is_written_again(pair, monkeypatch, fault):
    first, second = pair
    first.write("In the file that is damaged.")
    first.cycle()
    known = {path.name for path in files(second, of=first)}
    path = next(one for one in files(first, of=first, kind="log") if one.name not in known)
    if fault == "cut off":
        os.truncate(path, 100)
    elif fault == "changed":
        monkeypatch.setattr(own_log, "CONTENTS_CHECK_S", 0.0)
        first.again()
        first.cycle()
        path.write_bytes(os.urandom(path.stat().st_size))
    elif fault == "gone":
        path.unlink()
    elif fault == "all gone":
        shutil.rmtree(path.parent)
    elif fault == "a link":
        elsewhere = path.parent.rename(first.folder.with_name("elsewhere"))
        path.parent.symlink_to(elsewhere)
        kept = sorted(elsewhere.iterdir())
    else:
        os.truncate(files(first, of=first, kind="head")[0], 100)
    if fault in ("cut off", "changed", "the head"):
        hand_own(first, second)
        second.cycle()
        assert second.others() == [(1, 0 if fault == "the head" else 1)]
    second.write("Not held up.")
    settle(first, second)
    assert (
        first.texts()
        == second.texts()
        == sorted([OF_FIRST, OF_SECOND, "In the file that is damaged.", "Not held up."])
    )
    assert first.others() == [(2, 0)]
    assert second.others() == [(2, 0)]
    if fault == "a link":
        assert sorted(elsewhere.iterdir()) == kept  # nothing was written or deleted through it


def test_the_same_text_of_the_same_time_is_one_entry(pair):
    first, second = pair
    at = datetime(2024, 5, 1, 12, tzinfo=UTC)
    for device in pair:
        assert device.write("In both mailboxes.", at).stored
    settle(first, second)
    assert first.texts() == second.texts() == sorted([OF_FIRST, OF_SECOND, "In both mailboxes."])
    assert first.write("In both mailboxes.", at).reason == "duplicate"


def test_what_arrives_is_cleaned_and_excluded_as_an_import(pair):
    first, second = pair
    second.set_app_rule("secret-chat", "exclude")
    first.write("Said in a room of its own.", app="secret-chat")
    # As a version with fewer rules would have kept it.
    first.store.entries.add([entry("My password is hunter2horse!", source="chat")])
    first.cycle()
    first.write("Written by the first.")
    settle(first, second)
    assert "Written by the first." in second.texts()
    assert "Said in a room of its own." not in second.texts()
    assert not any("hunter2" in text for text in second.texts())


def test_decisions_reach_all_and_the_last_holds_whatever_the_clocks_say(pair):
    first, second = pair
    first.off_s = 3600.0
    first.add_word("never", "fyi")
    first.add_word("always_correct", "hte", "the")
    first.set_app_rule("*chat*", "quiet")
    first.set_app_rule("*chat*", "off")
    first.pause(7200)
    settle(first, second)
    assert first.state() == second.state()
    assert second.ingest.pause.active
    second.remove_word("fyi")  # later, by a clock that is an hour slower
    second.add_word("mine", "hte")
    second.resume()
    settle(first, second)
    assert first.state() == second.state()
    assert ("fyi", "never", None) not in first.words()
    assert not first.ingest.pause.active


def decide_while_it_reads(device, monkeypatch, *changes):
    """Have a user decide in another thread, once this device has begun to read another one's log."""
    open_log = other_logs.open_log

    def decide_first(*given):
        monkeypatch.setattr(other_logs, "open_log", open_log)
        with ThreadPoolExecutor(1) as thread:
            for change in changes:
                thread.submit(change, device).result(DEADLINE_S)
        return open_log(*given)

    monkeypatch.setattr(other_logs, "open_log", decide_first)


def pause_learning(device):
    device.pause()


def exclude_chats(device):
    device.set_app_rule("*chat*", "exclude")


def never_suggest_heron(device):
    device.add_word("never", "Heron")


def test_what_is_decided_while_others_are_read_is_later_than_what_they_say(pair, monkeypatch):
    first, second = pair
    first.pause()
    settle(first, second)
    first.resume()
    first.set_app_rule("*chat*", "allow")
    first.add_word("mine", "Heron")
    second.resume()
    decide_while_it_reads(second, monkeypatch, pause_learning, exclude_chats, never_suggest_heron)
    tell(first, second)
    settle(first, second)
    for device in pair:
        assert device.ingest.pause.active
        assert device.rules() == [("*chat*", "exclude")]
        assert device.words() == [("Heron", "never", None)]


def test_what_is_decided_while_who_has_joined_reads_is_later_too(make, monkeypatch):
    first, second = make("a"), make("b")
    first.add_word("mine", "Heron")
    first.set_app_rule("*chat*", "allow")
    second.set_app_rule("*chat*", "quiet")
    words = first.sync.share(first.folder)
    first.pause()
    first.cycle()
    first.resume()
    first.cycle()
    hand_own(first, second)
    second.join(words)
    decide_while_it_reads(second, monkeypatch, pause_learning, never_suggest_heron)
    settle(first, second)
    for device in (first, second):
        assert device.ingest.pause.active
        assert device.rules() == [("*chat*", "allow")], "that was decided before it joined"
        assert device.words() == [("Heron", "never", None)]


@pytest.mark.parametrize("seed", range(3))
def test_no_decision_is_lost_however_users_decide_while_devices_share(pair, seed):
    rounds, chance = 12, random.Random(seed)
    orders = [chance.sample(range(rounds), rounds) for _ in pair]

    def decide(device, order):
        for number in order:
            device.set_app_rule(f"{device.folder.parent.name}-{number}", "quiet")
            (device.pause if number % 2 else device.resume)()

    with ThreadPoolExecutor(len(pair)) as threads:
        working = [threads.submit(decide, *given) for given in zip(pair, orders, strict=True)]
        while not all(one.done() for one in working):
            tell(*pair)
            tell(*reversed(pair))
        for one in working:
            one.result(DEADLINE_S)
    settle(*pair)
    given = {f"{device.folder.parent.name}-{number}" for device in pair for number in range(rounds)}
    assert [{app for app, _ in device.rules()} for device in pair] == [given, given]
    assert pair[0].rules() == pair[1].rules()
    assert pair[0].ingest.pause.active is pair[1].ingest.pause.active


def test_a_pause_that_runs_out_is_no_decision(pair):
    first, second = pair
    for length in (600, 7200):  # the second one is extended before the other device hears of it
        first.pause(length)
        first.cycle()
        if length == 600:
            hand_own(first, second)
            second.cycle()
            assert second.ingest.pause.active
    second.profile.pause = second.ingest.pause = Pause(second.store, lambda: time.time() + 601)
    assert not second.ingest.pause.active
    tell(second, first)
    assert first.ingest.pause.active
    settle(first, second)
    assert second.ingest.pause.active
    second.off_s = 9000.0  # a clock that is fast ends it nowhere else
    second.again()
    settle(first, second)
    assert first.ingest.pause.active
    second.resume()
    settle(first, second)
    assert not first.ingest.pause.active


def test_the_last_pause_holds_whichever_device_began_or_ended_it(pair):
    first, second = pair
    first.pause()
    settle(first, second)
    first.resume()
    first.cycle()
    second.resume()
    second.pause()
    settle(first, second)
    assert first.ingest.pause.active is second.ingest.pause.active is True
    first.pause(0.0)  # as the user may end one
    settle(first, second)
    assert not second.ingest.pause.active


def test_what_arrives_in_a_pause_is_read_after_it(pair):
    first, second = pair
    second.write("Typed before the pause.")
    second.cycle()
    first.pause()
    hand_own(second, first)
    first.cycle()
    assert "Typed before the pause." not in first.texts()
    assert "paused" in first.sync.state().problem
    first.resume()
    first.cycle()
    assert "Typed before the pause." in first.texts()


def test_a_pause_costs_nothing_and_its_end_arrives(pair, monkeypatch):
    first, second = pair
    first.pause()
    for number in range(3):
        second.write(f"Number {number}.")
        second.cycle()
    hand_own(second, first)
    first.cycle()
    reads, real = [], SharedFolder.read
    monkeypatch.setattr(SharedFolder, "read", lambda folder, *what: reads.append(what) or real(folder, *what))
    wal = next(first.settings.home.glob("store.db-wal"))
    before = wal.read_bytes()
    first.cycle()
    assert not [name for _, name in reads if ".log." in name]
    assert wal.read_bytes() == before
    assert "paused" in first.sync.state().problem
    settle(first, second)
    second.resume()
    settle(first, second)
    assert first.texts() == second.texts()


def test_a_pause_that_arrives_waits_for_what_is_being_stored(pair):
    first, second = pair
    first.pause(600)
    first.cycle()
    hand_own(first, second)
    deciding = threading.Event()
    second.now = lambda: deciding.set() or time.time()  # asked for in the transaction that begins the pause
    second.again()
    arriving = threading.Thread(target=second.cycle)

    @contextmanager
    def while_it_arrives():
        arriving.start()
        if deciding.wait(0.5):
            raise AssertionError("the store is held by what waits for the end of this")
        yield

    second.profile.learn([entry("Stored before the pause.")], within=while_it_arrives)
    arriving.join(DEADLINE_S)
    assert second.ingest.pause.active
    assert "Stored before the pause." in second.texts()


@pytest.mark.parametrize("gone", [False, True], ids=["there", "gone meanwhile"])
def test_what_is_decided_here_is_later_than_what_was_decided_before_elsewhere(pair, gone):
    first, second = pair
    aside = second.folder.with_name("aside")

    def cycle_in_vain():
        with pytest.raises(SyncFolderGoneError):
            second.cycle()

    if gone:
        second.folder.rename(aside)
    second.add_word("mine", "Walnut")
    if gone:
        cycle_in_vain()
    first.add_word("mine", "Heron")
    first.cycle()
    second.add_word("never", "Heron")
    second.pause()
    if gone:
        cycle_in_vain()
        first.add_word("never", "Walnut")
        first.cycle()
        aside.rename(second.folder)
    settle(first, second)
    assert ("Heron", "never", None) in first.words()
    assert ("Walnut", "never" if gone else "mine", None) in second.words()
    assert first.state() == second.state()
    assert first.ingest.pause.active


def test_of_two_decisions_the_later_holds_whichever_is_shared_first(pair):
    first, second = pair
    first.add_word("mine", "Heron")
    first.set_app_rule("*chat*", "allow")
    first.resume()
    first.again()
    second.add_word("never", "Heron")
    second.set_app_rule("*chat*", "exclude")
    second.pause()
    tell(second, first)
    settle(first, second)
    for device in pair:
        assert device.ingest.pause.active
        assert device.rules() == [("*chat*", "exclude")]
        assert device.words() == [("Heron", "never", None)]


def test_a_decision_is_in_the_journal_as_it_is_made_or_not_at_all(pair, monkeypatch):
    device, _ = pair

    def journal():
        return [row.value for row in device.store.shared.decisions()]

    device.add_word("never", "Heron")
    device.pause()
    assert [value.get("word") for value in journal()] == ["Heron", None]
    device.profile.forget(Selector(text="Heron"))
    assert None in journal(), "with the word the rule went"
    written, begun = journal(), device.profile.pause.spans()
    monkeypatch.setattr(device.profile.journal, "record", lambda: 1 / 0)
    for decide in (device.resume, lambda: device.set_app_rule("*chat*", "quiet")):
        with pytest.raises(ZeroDivisionError):
            decide()
    assert (journal(), device.profile.pause.spans(), device.rules()) == (written, begun, [])


@pytest.mark.parametrize("how", ["shares", "joins"])
def test_a_pause_that_was_begun_before_is_shared(make, how):
    first, second = make("a"), make("b")
    paused = first if how == "shares" else second
    paused.pause()
    share(first, second)
    settle(first, second)
    assert first.ingest.pause.active
    assert second.ingest.pause.active


def test_who_joins_lets_stand_what_the_others_decided(make):
    first, second = make("a"), make("b")
    first.add_word("mine", "Heron")
    second.add_word("never", "Heron")
    words = first.sync.share(first.folder)
    first.cycle()
    hand_own(first, second)
    second.join(words)
    settle(first, second)
    assert first.words() == second.words() == [("Heron", "mine", None)]


def test_who_joins_keeps_the_rules_for_programs_that_the_others_do_not_have(make):
    first, second = make("a"), make("b")
    first.set_app_rule("*chat*", "quiet")
    second.set_app_rule("*chat*", "allow")
    second.set_app_rule("*signal*", "exclude")
    words = first.sync.share(first.folder)
    first.cycle()
    hand_own(first, second)
    second.join(words)
    settle(first, second)
    assert first.rules() == second.rules() == [("*chat*", "quiet"), ("*signal*", "exclude")]


@pytest.mark.parametrize("how", ["left", "leaving"])
def test_what_one_device_excludes_the_other_does_as_long_as_they_share(make, how):
    first = make("a", exclude=("*diary*",), exclude_apps=("*bank*",), quiet_apps=("*irc*",))
    second = make("b")
    share(first, second)
    for _ in range(2):
        rules = {row.app: (row.rule, row.source) for row in second.ingest.app_policy.rules()}
        assert rules["*bank*"] == ("exclude", "another device's settings")
        assert rules["*irc*"] == ("quiet", "another device's settings")
        assert second.ingest.excludes(second.settings.home / "my diary.md", second.settings.home)
        second.again()
    if how == "leaving":
        second.sync.leave()
    else:
        gone = first.device_id()
        first.sync.leave()
        shutil.copytree(first.folder / gone, second.folder / gone, dirs_exist_ok=True)
        second.cycle()
    for _ in range(2):
        assert "*bank*" not in {row.app for row in second.ingest.app_policy.rules()}
        assert not second.ingest.excludes(second.settings.home / "my diary.md", second.settings.home)
        second.again()


def test_text_that_is_let_go_leaves_the_folder(pair):
    first, second = pair
    before = {path.name for path in files(first, of=first)}
    first.store.expire(datetime.now(UTC), None)
    first.cycle()
    assert not before & {path.name for path in files(first, of=first)}
    settle(first, second)
    assert first.texts() == []
    assert len(second.texts()) == 2


def test_text_that_is_let_go_while_it_is_written_leaves_the_folder(make, monkeypatch):
    device, real = make("a"), SharedFolder.write
    device.sync.share(device.folder)
    device.cycle()
    device.write(OF_FIRST)

    def write(*what):
        real(*what)
        device.store.expire(datetime.now(UTC), None)

    monkeypatch.setattr(SharedFolder, "write", write)
    device.cycle()
    assert device.texts() == []
    assert files(device, kind="log") == []
    assert device.sync.state().unsent == 0


def test_what_cannot_be_read_of_one_device_hinders_no_other(trio, monkeypatch):
    first, bad, good = trio
    bad.write("Not yet.")
    good.write("At once.")
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
    assert first.sync.state().problem
    settle(*trio)
    assert first.texts() == bad.texts() == good.texts() == sorted(["At once.", "Not yet."])
    assert first.sync.state().problem is None


@pytest.fixture
def schedule(pair, monkeypatch):
    """What follows the folder of the first of two devices, without long waits."""
    for wait in ("_QUIET_S", "_RETRY_S", "_LONGEST_RETRY_S"):
        monkeypatch.setattr(sync_schedule, wait, 0.01)
    found = SyncSchedule(pair[0].sync, pair[0].profile, 0.01)
    yield found
    found.stop()


def test_a_folder_that_is_away_keeps_nobody_awake_and_is_looked_for(pair, schedule):
    first, second = pair
    aside = first.folder.with_name("aside")
    first.folder.rename(aside)
    first.write("Written meanwhile.")
    schedule.start()
    until(lambda: first.sync.state().problem and schedule.quiet)
    aside.rename(first.folder)
    until(lambda: first.sync.state().problem is None and schedule.quiet)
    hand_own(first, second)
    second.cycle()
    assert "Written meanwhile." in second.texts()


@pytest.mark.parametrize("noticed", [True, False], ids=["a notice", "no notice"])
def test_what_arrives_is_read(pair, schedule, monkeypatch, noticed):
    first, second = pair
    if not noticed:
        monkeypatch.setattr(sync_schedule, "_POLL_S", 0.01)
        monkeypatch.setattr(SyncSchedule, "on_any_event", lambda *_: None)
    schedule.start()
    until(lambda: schedule.quiet)
    second.write("Put there by another machine.")
    second.cycle()
    hand_own(second, first)
    until(lambda: "Put there by another machine." in first.texts())


def test_where_no_more_can_be_watched_nothing_is_left_behind(pair, schedule, monkeypatch):
    """The system has no watch left, and the folder is looked at again and again."""
    first, _ = pair
    cycles = []
    real = first.sync.cycle
    monkeypatch.setattr(first.sync, "cycle", lambda **how: cycles.append(1) or real(**how))
    monkeypatch.setattr(sync_schedule, "_POLL_S", 0.01)
    monkeypatch.setattr(inotify_c, "inotify_add_watch", lambda *_: -1)
    schedule.start()
    until(lambda: len(cycles) >= 3)
    process = psutil.Process()
    before = process.num_threads(), process.num_fds()
    until(lambda: len(cycles) >= 20)
    now = process.num_threads(), process.num_fds()
    assert max(now[0] - before[0], now[1] - before[1]) < 8  # some are open in the middle of a cycle


def test_notices_of_nothing_are_followed_more_and_more_seldom(pair, schedule, monkeypatch):
    first, _ = pair
    waits, real = [], schedule._schedule
    schedule.start()
    until(lambda: schedule.quiet)
    monkeypatch.setattr(
        schedule, "_schedule", lambda read_in_s: waits.append(read_in_s) or real(read_in_s=read_in_s)
    )

    def send_notice():
        (first.folder / "flood.idiolect").write_bytes(b"")
        return len(set(waits)) >= 4

    until(send_notice)
    assert waits == sorted(waits)
