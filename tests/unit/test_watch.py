"""Following real folders with the system's own notices, as editors, programs and people change them."""

import logging
import os
import shutil
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import pytest
from reading import Profile
from waiting import until

from idiolect.daemon.ingest.folder_watch import ManyFilesError, Watcher
from idiolect.daemon.runtime.os_errors import NoSuchPathError
from idiolect.daemon.storage.errors import StoreFullError
from idiolect.daemon.storage.records import ForgottenMeanwhileError

# What `Watcher.start` does about it does not outlive pytest's own filters.
pytestmark = pytest.mark.filterwarnings("ignore:Callback with id:RuntimeWarning")

QUIET_S = 0.15


class Scene(Profile):
    """A watched folder of notes."""

    def __init__(self, folder, reader, **times):
        super().__init__(folder / "home", reader, exclude=("drafts",))
        self.notes = folder / "notes"
        self.notes.mkdir()
        self.watcher = self.watching(**times)
        self.follow(self.notes)

    def unstarted(self, **times):
        return Watcher(self.ingest, self.profile, **{"quiet_s": QUIET_S, **times})

    def watching(self, **times):
        watcher = self.unstarted(**times)
        watcher.start()
        return watcher

    def follow(self, path):
        with self.watcher.adding(path):
            pass

    def wait_for(self, *wanted):
        """Until exactly these texts are stored."""
        until(lambda: Counter(self.texts()) == Counter(wanted), self.texts)

    def wait_until_known(self, text):
        until(lambda: text in " ".join(self.texts()), self.texts)

    def marked(self, folder=None):
        """Wait until all that happened in `folder` (the notes) until now has been looked at.

        Each followed folder has a queue of notices of its own, so one of them says nothing about another.
        """
        text = f"mark{time.monotonic_ns()}"
        began_ns, mark = time.time_ns(), (folder or self.notes) / "zz last.md"
        mark.write_text(text)
        while mark.stat().st_mtime_ns < began_ns:  # files' clock goes in steps, and lags behind
            mark.write_text(text)
        self.wait_until_known(text)

    def brought(self, folder=None):
        """What was stored, when all that happened in `folder` (the notes) until now has been looked at."""
        self.marked(folder)
        return [text for text in self.texts() if "mark" not in text]


@pytest.fixture
def scene(tmp_path, reader):
    found = Scene(tmp_path, reader)
    yield found
    found.watcher.stop()
    found.store.close()


@pytest.fixture
def other(tmp_path):
    """Another folder, which is not watched."""
    folder = tmp_path / "other"
    folder.mkdir()
    return folder


def save_by_rename(path, content):
    """As most editors do: a new file beside the old one, then in its place."""
    beside = path.with_name(f".{path.name}.tmp")
    beside.write_text(content)
    beside.replace(path)


def save_like_vim(path, content):
    """The old file becomes the backup, a new one is written, the backup goes."""
    backup = path.with_name(f"{path.name}~")
    (path.parent / "4913").write_text("")
    (path.parent / "4913").unlink()
    path.rename(backup)
    path.write_text(content)
    backup.unlink()


def save_in_place(path, content):
    path.write_text(content)


def test_a_file_that_is_read_is_something_to_do_until_it_is_stored(scene):
    until(lambda: scene.watcher.quiet)
    quiet = []
    scene.before_storing = lambda _text: quiet.append(scene.watcher.quiet)
    (scene.notes / "a.md").write_text("One.\n\nTwo.\n")
    assert scene.brought() == ["One.", "Two."]
    assert quiet == [False] * 3, "the two texts and the mark"
    until(lambda: scene.watcher.quiet)


WALK = "Last week we walked along the river to the old mill."


@pytest.mark.parametrize("save", [save_in_place, save_by_rename, save_like_vim])
def test_each_way_to_save(scene, save):
    note = scene.notes / "note.md"
    note.write_text(f"{WALK}\n")
    scene.wait_for(WALK)
    save(note, f"{WALK}\n\nAppended.\n")
    scene.wait_for(WALK, "Appended.")
    save(note, f"{WALK.replace('old mill', 'old water mill')}\n\nAppended.\n")
    scene.wait_for(WALK, "Appended.", "water")
    save(note, "Appended.\n")
    assert scene.brought() == [WALK, "Appended.", "water"]
    save(note, "Appended.\n\nAnd more.\n")
    scene.wait_until_known("And more.")


def test_a_file_that_is_saved_all_the_time_is_read_in_between(tmp_path, reader):
    scene = Scene(tmp_path, reader, quiet_s=3600, longest_s=0.3)

    def saved_and_read(*texts):
        (scene.notes / "a.md").write_text("\n\n".join(texts))
        return scene.texts() == [*texts]

    with closing(scene.store):
        until(lambda: saved_and_read("One."))
        until(lambda: saved_and_read("One.", "Two."))
        scene.watcher.stop()


def test_moved_and_renamed_files_bring_nothing_and_are_followed(scene):
    (scene.notes / "a.md").write_text(f"{WALK}\n")
    scene.wait_for(WALK)
    (scene.notes / "sub").mkdir()
    (scene.notes / "a.md").rename(scene.notes / "b.md")
    (scene.notes / "b.md").rename(scene.notes / "sub" / "c.md")
    assert scene.brought() == [WALK]
    (scene.notes / "sub" / "c.md").write_text(f"{WALK} It was lovely.\n")
    scene.wait_until_known("It was lovely.")
    (scene.notes / "sub").rename(scene.notes / "other")
    assert scene.brought() == [WALK, "It was lovely."]
    (scene.notes / "other" / "c.md").write_text(f"{WALK} It was lovely. Again!\n")
    scene.wait_until_known("Again!")


def test_new_folders_with_all_in_them(scene, tmp_path):
    deep = scene.notes / "one" / "two" / "three"
    deep.mkdir(parents=True)
    (deep / "a.md").write_text("Deep down.")
    scene.wait_for("Deep down.")
    outside = tmp_path / "outside"
    (outside / "inner").mkdir(parents=True)
    (outside / "inner" / "b.md").write_text("Moved in.")
    outside.rename(scene.notes / "moved in")
    scene.wait_for("Deep down.", "Moved in.")
    (scene.notes / "moved in" / "inner" / "b.md").write_text("Moved in.\n\nEdited.")
    scene.wait_for("Deep down.", "Moved in.", "Edited.")
    shutil.rmtree(scene.notes / "one")
    assert scene.brought() == ["Deep down.", "Moved in.", "Edited."]


def test_a_folder_link_is_not_followed_whatever_its_name(scene, tmp_path):
    private = tmp_path / "private"
    private.mkdir()
    (private / "diary.md").write_text("Nobody's business.")
    (scene.notes / "drafts").mkdir()  # excluded
    (scene.notes / "drafts" / "draft.md").write_text("Not yet.")
    assert scene.brought() == []
    (scene.notes / "link.md").symlink_to(private)
    (scene.notes / "more.md").symlink_to("drafts")
    (private / "later.md").write_text("Nor this.")
    os.utime(scene.notes / "link.md")
    assert scene.brought() == []
    assert not scene.ingest.follows(scene.notes / "link.md" / "diary.md", scene.notes)
    assert not scene.ingest.follows(scene.notes / "link.md", scene.notes)


def test_a_watched_file_is_followed_through_its_replacements(scene, tmp_path):
    (tmp_path / "alone").mkdir()
    journal = tmp_path / "alone" / "journal"
    journal.write_text("Monday.")
    scene.follow(journal)
    list(scene.ingest.add_paths([journal]))
    (tmp_path / "alone" / "beside.md").write_text("Not watched.")
    save_by_rename(journal, "Monday.\n\nTuesday.")
    scene.wait_for("Monday.", "Tuesday.")
    save_like_vim(journal, "Monday.\n\nTuesday.\n\nWednesday.")
    scene.wait_for("Monday.", "Tuesday.", "Wednesday.")


def test_what_was_written_while_it_was_off(scene):
    (scene.notes / "a.md").write_text(WALK)
    (scene.notes / "b.md").write_text("To be moved.")
    scene.wait_for(WALK, "To be moved.")
    scene.watcher.stop()
    (scene.notes / "a.md").write_text(f"{WALK} It was lovely.")
    (scene.notes / "sub").mkdir()
    (scene.notes / "b.md").rename(scene.notes / "sub" / "c.md")
    (scene.notes / "sub" / "new.md").write_text("New.")
    again = scene.watching()
    scene.wait_for(WALK, "To be moved.", "It was lovely.", "New.")
    (scene.notes / "a.md").write_text(f"{WALK} It was lovely. Really.")
    scene.wait_for(WALK, "To be moved.", "It was lovely.", "New.", "Really.")
    again.stop()


def test_a_folder_that_comes_back_is_followed_again(scene, tmp_path):
    scene.watcher.stop()
    watcher = scene.watching(rescan_s=0.2)
    (scene.notes / "a.md").write_text("Here.")
    scene.wait_for("Here.")
    scene.notes.rename(tmp_path / "unplugged")
    scene.notes.mkdir()
    (scene.notes / "b.md").write_text("Another drive.")
    scene.wait_for("Here.", "Another drive.")
    shutil.rmtree(scene.notes)
    (tmp_path / "unplugged").rename(scene.notes)
    (scene.notes / "a.md").write_text("Here.\n\nBack.")
    scene.wait_for("Here.", "Another drive.", "Back.")
    watcher.stop()


def test_a_folder_that_was_replaced_can_be_added_again(scene, tmp_path):
    scene.marked()
    scene.notes.rename(tmp_path / "unplugged")
    scene.notes.mkdir()
    scene.follow(scene.notes)
    (scene.notes / "b.md").write_text("Another drive.")
    assert scene.brought() == ["Another drive."]


def test_adding_and_removing(scene, tmp_path, other):
    scene.follow(scene.notes)
    scene.follow(other)
    scene.follow(tmp_path / "notes" / ".." / "other")
    assert scene.store.watches.all() == [str(scene.notes), str(other)]
    (other / "a.md").write_text("Followed.")
    scene.wait_for("Followed.")
    assert scene.watcher.remove(other)
    assert not scene.watcher.remove(other)
    (other / "a.md").write_text("Followed.\n\nNo more.")
    assert scene.brought() == ["Followed."]
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("missing", "loop"):
        with pytest.raises(NoSuchPathError):
            scene.follow(tmp_path / name)
        with pytest.raises(NoSuchPathError):
            scene.watcher.refuse_very_much(tmp_path / name)
    assert scene.store.watches.all() == [str(scene.notes)]


class StoppedError(Exception):
    """What breaks a block off."""


def test_what_is_broken_off_before_it_is_followed_for_good_is_not_followed(scene, other):
    def broken_off(path):
        with suppress(StoppedError), scene.watcher.adding(path):
            followed = str(path) in scene.store.watches.all()  # as one that is killed finds it
            assert followed == (path == scene.notes)
            raise StoppedError

    broken_off(other)
    assert str(other) not in scene.store.watches.all()
    (other / "later.md").write_text("Nobody asked for this to be read.")
    broken_off(scene.notes)
    assert str(scene.notes) in scene.store.watches.all()  # it was followed before
    (scene.notes / "later.md").write_text(WALK)
    assert scene.brought() == [WALK]


def test_of_two_that_add_a_folder_the_one_that_fails_does_not_end_the_other(scene, other):
    with scene.watcher.adding(other):
        with suppress(StoppedError), scene.watcher.adding(other):
            raise StoppedError
        (other / "meanwhile.md").write_text("Meanwhile.")
    (other / "later.md").write_text("Later.")
    assert sorted(scene.brought(other)) == ["Later.", "Meanwhile."]


def test_a_folder_that_is_removed_while_it_is_added_is_not_followed(scene, other):
    with pytest.raises(ForgottenMeanwhileError), scene.watcher.adding(other):
        scene.watcher.remove(other)
    (other / "later.md").write_text("Nobody asked for this to be read.")
    assert str(other) not in scene.store.watches.all()
    assert scene.brought() == []


@pytest.mark.parametrize("read", ["In the notes.", "In the other."])
def test_a_folder_that_is_removed_while_files_are_read_stays_removed(scene, other, read):
    scene.follow(other)
    scene.watcher.stop()
    (scene.notes / "a.md").write_text("In the notes.")
    (other / "b.md").write_text("In the other.")
    scene.before_storing = lambda text: text == read and again.remove(other)
    again = scene.unstarted()
    again.start()
    until(lambda: again.quiet)
    (other / "b.md").write_text("In the other. Later.")
    assert scene.brought() == ["In the notes."]
    again.stop()


def test_what_cannot_be_removed_is_followed_as_before(scene, other):
    scene.follow(other)
    with suppress(StoppedError), scene.watcher.removing(scene.notes):
        assert str(scene.notes) in scene.store.watches.all()
        raise StoppedError
    (scene.notes / "a.md").write_text("Followed.")
    scene.wait_for("Followed.")
    with scene.watcher.removing(scene.notes):
        (scene.notes / "a.md").write_text("Followed. No more.")
    assert scene.store.watches.all() == [str(other)]
    assert scene.brought(other) == ["Followed."]


@pytest.mark.parametrize("place", ["home", "above", "below"])
def test_a_home_folder_is_followed_only_where_that_is_confirmed(scene, tmp_path, monkeypatch, place):
    home = tmp_path / "above" / "home"
    below = home / "below"
    below.mkdir(parents=True)
    (home / "a.md").write_text("One.")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    if place == "below":
        return scene.watcher.refuse_very_much(below)
    asked = home if place == "home" else home.parent
    with pytest.raises(ManyFilesError, match=r"home folder, with 1 file to read.*--yes"):
        scene.watcher.refuse_very_much(asked)
    scene.follow(asked)  # it was confirmed
    return scene.watcher.refuse_very_much(asked)  # and is not asked about again


def test_a_folder_with_very_many_files_is_followed_only_where_that_is_confirmed(scene, other, monkeypatch):
    monkeypatch.setattr("idiolect.daemon.ingest.folder_watch.MANY_FILES", 50)
    monkeypatch.setattr("idiolect.daemon.ingest.folder_watch.COUNTING_S", 60.0)
    for number in range(50):
        (other / f"{number}.txt").touch()
        (other / f"{number}.jpg").touch()  # which would not be read
    scene.watcher.refuse_very_much(other)
    (other / "one more.txt").touch()
    with pytest.raises(ManyFilesError, match="holds more than 50 files"):
        scene.watcher.refuse_very_much(other)
    monkeypatch.setattr("idiolect.daemon.ingest.folder_watch.COUNTING_S", 0.0)
    with pytest.raises(ManyFilesError, match="more files than can be counted"):
        scene.watcher.refuse_very_much(other)


def test_the_whole_machine_is_refused(scene):
    with pytest.raises(ManyFilesError, match=r"^/ is above your home folder, with more "):
        scene.watcher.refuse_very_much(Path("/"))


def test_a_folder_inside_a_watched_one_may_be_watched_too(scene):
    inner = scene.notes / ".journal"
    inner.mkdir()
    scene.follow(inner)
    (inner / "a.md").write_text("Hidden from the outer one.")
    scene.wait_for("Hidden from the outer one.")
    scene.watcher.remove(inner)
    (inner / "b.md").write_text("No more.")
    assert scene.brought() == ["Hidden from the outer one."]


def test_one_save_in_a_pause_keeps_all_that_are_read_with_it_off_the_record(scene):
    scene.marked()
    note = scene.notes / "a.md"
    note.write_text("Some of this was written in the pause.\n")
    scene.watcher.notice(note)
    scene.ingest.pause.begin()
    scene.watcher.notice(note)
    scene.ingest.pause.end()
    scene.watcher.notice(note)
    assert scene.brought() == []
    note.write_text("Some of this was written in the pause.\n\nAfterwards.\n")
    assert scene.brought() == ["Afterwards."]


def test_a_full_disk_delays_what_was_saved_and_no_text_is_logged(scene, monkeypatch, caplog):
    full = threading.Event()
    full.set()
    add = scene.store.entries.add

    def add_if_there_is_room(*given, **more):
        if full.is_set():
            raise StoreFullError("The store cannot grow.")
        return add(*given, **more)

    monkeypatch.setattr(scene.store.entries, "add", add_if_there_is_room)
    with caplog.at_level(logging.DEBUG, logger="idiolect"):
        (scene.notes / "a.md").write_text("The canary sang.")
        until(lambda: "tried again: StoreFullError" in caplog.text, lambda: caplog.text)
        (scene.notes / "b.md").write_text("Its friend listened.")
        full.clear()
        scene.wait_for("The canary sang.", "Its friend listened.")
    assert "canary" not in caplog.text
    assert "listened" not in caplog.text


def test_files_that_vanish_at_once_do_no_harm(scene):
    scene.marked()
    for n in range(200):
        path = scene.notes / f"{n}.md"
        path.write_text(f"Brief {n}.")
        os.unlink(path)
    assert scene.brought() == []
