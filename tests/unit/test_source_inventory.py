"""Sources in the store and on the command line: what was read, whose it is, and taking it back."""

import json
import os
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from reading import Profile, repository, write
from serving import serving

from idiolect.daemon.ingest.folder_watch import Watcher
from idiolect.daemon.ingest.source_inventory import SourceInventory, UnknownSourceError
from idiolect.daemon.storage.errors import StoreFullError
from idiolect.daemon.storage.records import ForgottenMeanwhileError, OtherCountError
from idiolect.daemon.storage.selectors import Selector

CHAT = "13.05.24, 14:08 - Me: Hello there\n13.05.24, 14:09 - One: Hi\n13.05.24, 14:10 - Two: Ho\n"


# The store


class Reading(Profile):
    """A store, the way into it, and the inventory of its sources."""

    def __init__(self, home, reader):
        super().__init__(home, reader)
        self.unwatched = []
        self.watched = []
        self.meanwhile = lambda: None
        self.inventory = SourceInventory(self.profile, self.unwatching, ("private",), reader)

    @contextmanager
    def unwatching(self, path):
        self.unwatched.append(path)
        self.meanwhile()
        try:
            yield
        except BaseException:
            self.watched.append(path)
            raise

    def add(self, path, *me):
        return super().add(path, me=me).entries

    def brought(self):
        return {Path(row.path).name: row.entries for row in self.inventory.sources()}


@pytest.fixture
def reading(tmp_path, reader):
    found = Reading(tmp_path / "home", reader)
    yield found
    found.store.close()


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.md").write_text("One.\n\nTwo.\n")
    return folder


def test_what_else_there_is_to_read_is_found_and_what_was_read_or_is_private_is_not(reading, tmp_path):
    home = tmp_path / "user"
    for folder in ("notes", "work/journal", "private/notes", os.fsdecode(b"\xff") + "/notes"):
        for number in range(3):
            write(home / folder / f"{number}.md", "Some words of mine.\n")
    found = reading.inventory.unread(home)
    assert [(place.path, place.sort) for place in found] == [
        (home / "notes", "notes"),
        (home / "work/journal", "notes"),
    ]
    reading.add(home / "notes")
    assert [place.path for place in reading.inventory.unread(home)] == [home / "work/journal"]


def test_what_is_only_read_where_it_is_given_itself_stays_unread_with_its_folder(reading, tmp_path):
    home = tmp_path / "user"
    project = home / "work" / "project"
    write(project / "words.md", "Some words of mine.\n")
    repository(project, "one commit message")
    assert [place.sort for place in reading.inventory.unread(home)] == ["git"]
    reading.add(home / "work")
    assert [place.sort for place in reading.inventory.unread(home)] == ["git"]
    reading.add(project / ".git")
    assert reading.inventory.unread(home) == []


def test_each_source_is_known_with_what_it_brought(reading, notes, tmp_path):
    chat = tmp_path / "chat.txt"
    chat.write_text(CHAT)
    assert (reading.add(notes), reading.add(chat, "Me")) == (2, 1)
    assert reading.brought() == {"chat.txt": 1, "notes": 2}
    rows = {row.kind: row for row in reading.inventory.sources()}
    assert rows["whatsapp"].me == ("Me",)
    assert (rows["folder"].words, rows["whatsapp"].words) == (2, 2)
    assert "Hello there" in reading.texts()


def test_whose_a_source_is_is_remembered_and_can_be_changed(reading, tmp_path):
    chat = tmp_path / "chat.txt"
    chat.write_text(CHAT)
    assert reading.add(chat, "Me") == 1
    chat.write_text(CHAT + "14.05.24, 14:08 - Me: More\n14.05.24, 14:09 - One: No\n")
    assert reading.add(chat) == 1
    assert reading.add(chat, "Me", "One") == 2
    assert reading.add(chat) == 0


def test_removing_a_source_takes_all_that_it_brought_and_no_more(reading, notes, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("Three.")
    reading.add(notes)
    reading.add(other)
    reading.ingest.update_file(write(notes / "b.md", "Four."), root=notes)
    assert reading.inventory.remove(notes, dry_run=True).entries == 3
    assert reading.brought() == {"notes": 3, "other.txt": 1}
    assert reading.inventory.remove(notes).entries == 3
    assert reading.texts() == ["Three."]
    assert reading.brought() == {"other.txt": 1}
    assert reading.unwatched == [notes]
    with pytest.raises(UnknownSourceError):
        reading.inventory.remove(notes)
    assert reading.add(notes) == 3  # it can be read again


def test_a_source_that_brought_another_number_than_expected_stays(reading, notes):
    reading.add(notes)
    for dry_run in (True, False):
        with pytest.raises(OtherCountError):
            reading.inventory.remove(notes, dry_run=dry_run, expect=1)
    assert reading.unwatched == []
    reading.meanwhile = lambda: bool(reading.ingest.update_file(write(notes / "b.md", "Four."), root=notes))
    with pytest.raises(OtherCountError):  # something is written in it just then
        reading.inventory.remove(notes, expect=2)
    assert reading.brought() == {"notes": 3}
    assert reading.unwatched == reading.watched == [notes]
    reading.meanwhile = lambda: None
    assert reading.inventory.remove(notes, expect=3).entries == 3


def test_a_source_that_is_removed_while_it_is_imported_leaves_nothing(reading, notes, tmp_path):
    write(notes / "b.md", "Three.")
    write(tmp_path / "other.md", "Four.")
    reading.before_storing = lambda text: text == "Three." and reading.inventory.remove(notes)
    with pytest.raises(ForgottenMeanwhileError):
        list(reading.ingest.add_paths([notes, tmp_path / "other.md"]))
    assert (reading.texts(), reading.store.file_states.all()) == ([], [])
    reading.before_storing = lambda _text: None
    assert reading.add(notes) == 3


def test_a_removed_source_is_read_again_with_what_was_edited_in_it(reading, tmp_path):
    note = write(tmp_path / "notes" / "a.md", "The heron keeps its appointments.")
    reading.add(note)
    write(note, "The heron keeps its appointments. Always.")
    assert reading.add(note) == 1
    reading.inventory.remove(note)
    assert reading.texts() == []
    assert reading.add(note) == 1


def test_what_is_excluded_while_its_folder_is_imported_is_not_read(reading, notes):
    write(notes / "b.md", "Three.")
    reading.before_storing = lambda _text: (notes / ".idiolectignore").write_text("b.md\n")
    assert reading.add(notes) == 2
    assert reading.texts() == ["One.", "Two."]


def test_a_source_that_cannot_be_forgotten_stays_followed(reading, notes):
    watcher = Watcher(reading.ingest, reading.profile)
    with watcher.adding(notes):
        pass
    reading.add(notes)

    @contextmanager
    def filling_the_disk(path):
        with watcher.removing(path):
            raise StoreFullError("Nothing was changed.")
            yield

    reader = reading.ingest.reader
    with pytest.raises(StoreFullError):
        SourceInventory(reading.profile, filling_the_disk, (), reader).remove(notes)
    assert (reading.store.watches.all(), reading.brought()) == ([str(notes)], {"notes": 2})
    assert SourceInventory(reading.profile, watcher.removing, (), reader).remove(notes).entries == 2
    assert (reading.store.watches.all(), reading.brought()) == ([], {})


def test_what_was_forgotten_stays_so_where_a_watched_folder_follows_a_removed_source(reading, tmp_path):
    notes = tmp_path / "notes"
    work = notes / "work"
    work.mkdir(parents=True)
    note = write(work / "a.md", "One.\n\nTwo.\n\nThree.\n")
    box = write(work / "Sent", "From - Wed May 01 12:00:00 2024\nFrom: me@example.org\n\nMine.\n")
    reading.add(work)
    assert reading.add(box) == 1
    reading.store.watches.add(str(notes))
    reading.store.forget(Selector(text="Two."), dry_run=False)
    off_record = write(work / "b.md", "Off the record.")
    reading.ingest.update_file(off_record, root=notes, off_record=True)
    for source in (work, box):
        reading.inventory.remove(source)
    assert reading.brought() == {"notes": 0}
    for file in reading.ingest.changed(notes):
        reading.ingest.update_file(file, root=notes)
    reading.ingest.update_file(write(note, note.read_text() + "\nNew.\n"), root=notes)
    assert reading.texts() == ["New."]
    assert reading.add(box) == 1  # nobody follows that


@pytest.mark.parametrize("name", ["chat.txt", "data.json", "result.json"])
def test_a_chat_without_time_zones_is_known_again_in_another(reading, tmp_path, monkeypatch, name):
    signal = [{"date": f"2024-05-13 14:08:0{i}", "sender": "Me", "body": f"Number {i}"} for i in range(3)]
    telegram = [
        {
            "type": "message",
            "date": f"2024-05-13T14:08:0{i}",
            "from": "Me",
            "from_id": "user1",
            "text": f"No {i}",
        }
        for i in range(3)
    ]
    written = {
        "chat.txt": (CHAT, CHAT + "14.05.24, 14:08 - Me: More\n"),
        "data.json": ["\n".join(map(json.dumps, signal[:most])) for most in (1, 2)],
        "result.json": [json.dumps({"type": "x", "messages": telegram[:most]}) for most in (1, 2)],
    }[name]
    try:
        for zone, text in zip(("Europe/Berlin", "Asia/Tokyo"), written, strict=True):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            for kept in (name, f"{zone[:4]}-{name}"):  # the same file, and another export of it
                write(tmp_path / kept, text)
                reading.add(tmp_path / kept, "Me")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert reading.store.entries.counts().entries == 2


def test_ignored_files_are_not_read_by_import_or_watch(reading, notes):
    write(notes / ".idiolectignore", "drafts/\n*.bak.md\n!kept.bak.md\n/only-here.md\n")
    write(notes / "sub" / ".idiolectignore", "*\n!yes.md\n")
    names = ("drafts/d.md", "x.bak.md", "kept.bak.md", "only-here.md", "sub/no.md", "sub/yes.md")
    for name in names:
        write(notes / name, f"Text of {name}.")
    reading.add(notes)
    wanted = {"One.", "Two.", "Text of kept.bak.md.", "Text of sub/yes.md."}
    assert {*reading.texts()} == wanted
    followed = [name for name in names if reading.ingest.follows(notes / name, notes)]
    assert followed == ["kept.bak.md", "sub/yes.md"]
    (notes / ".idiolectignore").write_text("")
    assert reading.ingest.follows(notes / "drafts/d.md", notes)


# The command


@pytest.fixture(scope="module")
def site(tiny_profile, tmp_path_factory):
    with serving(tiny_profile(tmp_path_factory.mktemp("profile") / "home", threads=1)) as site:
        yield site


@pytest.fixture
def run(run, site):
    return partial(run, site.settings, columns=200)


@pytest.fixture
def found(tmp_path):
    for name in ("Notes/a.md", "Notes/b.md", "Notes/c.md"):
        write(tmp_path / "there" / name, "Three words here.\n")
    return tmp_path / "there"


def test_what_was_found_is_listed_and_not_read(run, found):
    code, out, _ = run("add", "--find", found)
    assert code == 0
    assert "Nothing was read" in out
    assert str(found / "Notes") in out
    code, out, _ = run("add", "--find", found, "--json")
    rows = json.loads(out)
    assert (code, [row["sort"] for row in rows]) == (0, ["notes"])
    assert (rows[0]["size_bytes"], rows[0]["report"]) == (54, None)


def test_a_place_that_cannot_be_read_is_told_and_the_others_are_read(run, found, monkeypatch):
    from idiolect.daemon.clients.link import ServiceClient
    from idiolect.daemon.sources.items import UnreadableError

    (found / "vault" / ".obsidian").mkdir(parents=True)
    (found / "vault" / "a.md").write_text("Three words here.\n")
    ask = ServiceClient.stream

    def stream(client, path, body):
        if body["paths"] == [str(found / "Notes")]:
            raise UnreadableError("It cannot be read.")
        return ask(client, path, body)

    monkeypatch.setattr(ServiceClient, "stream", stream)
    code, out, err = run("add", "--find", found, "--yes", "--json")
    assert code == UnreadableError.exit_code
    assert [row["report"] is not None for row in json.loads(out)] == [False, True]
    assert err.strip() == f"{found / 'Notes'}: It cannot be read."


def test_each_is_asked_for_in_a_terminal(run, found):
    (found / "vault" / ".obsidian").mkdir(parents=True)
    (found / "vault" / "a.md").write_text("Three words here.\n")
    code, out, _ = run("add", "--find", found, typed="y\nn\n", terminal=True)
    assert code == 0
    assert "Read notes, 1 KB" in out
    assert f"{found / 'Notes'}: " in out
    assert f"{found / 'vault'}: " not in out


def test_what_was_read_is_listed_and_removed(run, tmp_path):
    mails = tmp_path / "read.mbox"
    start = "From me@example.org Mon Jan  1 10:00:00 2024\nFrom: me@example.org\n"
    mails.write_text("".join(f"{start}\nThe heron stood in lake {number}.\n\n" for number in range(12)))
    assert run("add", mails, "--me", "me@example.org")[0] == 0
    code, out, err = run("audit")
    assert (code, err) == (0, "")
    assert str(mails) in out
    [listed] = [row for row in json.loads(run("audit", "--json")[1])["sources"] if row["path"] == str(mails)]
    assert listed["me"] == ["me@example.org"]
    assert "Would forget 12 entries" in run("forget", "--read-from", mails, "--dry-run")[1]
    assert run("forget", "--read-from", mails)[0] == 2
    assert run("forget", "--read-from", mails, "--text", "heron")[0] == 2
    assert run("forget", "--read-from", mails, "--expect", "11", "--yes")[0] != 0
    code, out, _ = run("forget", "--read-from", mails, "--expect", "12", "--yes", "--json")
    assert (code, json.loads(out)["entries"]) == (0, 12)
    code, _, err = run("forget", "--read-from", "/another", "--yes")
    assert code == 3
    assert "Nothing was read" in err


def test_a_source_that_brought_nothing_is_removed_too(run, site, tmp_path):
    empty = tmp_path / "theirs.mbox"
    site.service.store.sources.add(str(empty), "mbox")
    assert "Would forget 0 entries" in run("forget", "--read-from", empty, "--dry-run")[1]
    code, out, _ = run("forget", "--read-from", empty, typed="n\n", terminal=True)
    assert (code, "This forgets the 0 entries" in out) == (1, True)
    assert "Removed, and forgot 0 entries" in run("forget", "--read-from", empty, "--yes")[1]
    assert run("forget", "--read-from", empty, "--yes")[0] == 3  # it is there no more


def test_add_asks_whose_a_chat_is(run, site, tmp_path):
    chat = tmp_path / "chat.txt"
    chat.write_text(CHAT)
    code, out, _ = run("add", chat, "--json", typed="2\n", terminal=True)
    assert code == 0
    assert "2  One (1)" in out
    assert "Hi" in [entry.text for entry in site.service.store.entries.select()]
    assert "Hello there" not in [entry.text for entry in site.service.store.entries.select()]


def test_lines_of_json_on_standard_input(run):
    long = json.dumps({"text": "x" * 1_000_001})
    lines = (
        b'{"text": "Half \\ud83d a character"}\n{"text": "Not \xff UTF-8"}\n%b\nbroken\n{"ts": 1}\n'
        b'{"text": "The last", "ts": "2024-05-01T12:00:00Z"}\n'
    )
    code, out, _ = run("add", "-", "--json", typed=lines % long.encode())
    report = json.loads(out)
    assert (code, report["entries"], report["words"]) == (0, 3, 7)
    assert report["skipped"] == {
        "lines too long": 1,
        "lines that are not JSON": 1,
        "lines without text": 1,
    }
