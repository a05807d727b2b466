"""The one way in, with the real store: what is taken, what is not, and that nothing comes twice."""

import os
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
import reading
from reading import encode, repository
from waiting import DEADLINE_S

from idiolect.daemon.ingest import entry_batch, file_import
from idiolect.daemon.ingest.ingest import AddedText, Ingest, PausedError
from idiolect.daemon.profile.events import Learned
from idiolect.daemon.profile.profile import Profile as LearningProfile
from idiolect.daemon.runtime.os_errors import NoSuchPathError
from idiolect.daemon.settings import Settings
from idiolect.daemon.sources.items import BinaryFileError, GitError, NothingToReadError
from idiolect.daemon.storage.errors import StoreFullError
from idiolect.daemon.storage.paragraphs import digest
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store
from idiolect.daemon.text.cleaning import BEFORE_CHARS

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


class Profile(reading.Profile):
    """A store, the way into it, and a folder of notes."""

    def __init__(self, home, reader, notes):
        super().__init__(home, reader, exclude=("drafts",), exclude_apps=("org.example.bank*",))
        self.notes = notes
        notes.mkdir()

    def write(self, name, content):
        path = self.notes / name
        before = path.stat().st_mtime_ns if path.exists() else 0
        reading.write(path, content)
        if path.stat().st_mtime_ns == before:  # two saves in one tick of the file system's clock
            os.utime(path, ns=(before + 1, before + 1))
        return path

    def add(self, *paths):
        return super().add(*(paths or (self.notes,)))

    def save(self, name, content):
        """Save a file as an editor would; what that brought."""
        before = len(self.texts())
        added = self.ingest.update_file(self.write(name, content), root=self.notes)
        texts = self.texts()
        assert len(texts) - before == added
        return texts[before:]


@pytest.fixture
def profile(tmp_path, reader):
    found = Profile(tmp_path / "home", reader, tmp_path / "notes")
    yield found
    found.store.close()


# Text that a program sends


def test_a_text_is_normalised_redacted_stored_and_taught(profile):
    sent = "\ufeffCafe\u0301  with\u200b all\r\nwifi password: hunter2\x07  "
    learned = profile.ingest.add_text(sent, source="mail", app="thunderbird", at=NOON)
    (entry,) = profile.store.entries.select()
    assert entry.text == "Café  with all\nwifi password: [password]"
    assert (entry.source, entry.app, entry.at, entry.tokens) == (
        "mail",
        "thunderbird",
        NOON,
        len(encode(entry.text)),
    )
    assert learned == AddedText(entry.id, stored=True, redactions=1, reason=None)
    assert profile.heard == {entry.id: encode(entry.text)}
    ((_, token_ids),) = profile.store.entries.token_ids()
    assert token_ids == b"".join(token.to_bytes(4, "little") for token in encode(entry.text))


@pytest.mark.parametrize(
    ("text", "given", "reason", "redactions"),
    [
        ("", {}, "empty", 0),
        (" \r\n\u200b\x00", {}, "empty", 0),
        ("--- ***", {}, "empty", 0),
        ("4111 1111 1111 1111", {}, "only secrets", 1),
        ("hello", {"app": "org.example.Bank.App"}, "excluded app", 0),
        ("hello", {"app": "org.keepassxc.KeePassXC"}, "excluded app", 0),
        ("hello", {"app": "org.gnome.Terminal"}, "excluded app", 0),
        ("hello", {"input_purpose": "password"}, "secret field", 0),
        ("hello", {"private": True}, "private", 0),
    ],
)
def test_text_that_is_not_stored(profile, text, given, reason, redactions):
    learned = profile.ingest.add_text(text, source="keyboard", **given)
    assert learned == AddedText(None, stored=False, redactions=redactions, reason=reason)
    assert (profile.texts(), profile.heard) == ([], {})


@pytest.mark.parametrize(
    ("before", "text", "kept"),
    [
        ("My PIN is ", "4471 8890, as ever", "[pin], as ever"),
        ("My PIN is", " 4471 8890, as ever", "[pin], as ever"),
        ("The wifi password:\n", "Kirschbaum-Regen-8\nsee you", "[password]\nsee you"),
        ("The wifi password:", "\nKirschbaum-Regen-8\nsee you", "[password]\nsee you"),
        ("it is at https://ann:hun", "ter2x@host.example now", "[password]@host.example now"),
        ("my card is 4111 1111 ", "1111 1111 and valid", "[card] and valid"),
        ("x" * 5000 + " the password: ", "hunter22 and more", "[password] and more"),
    ],
)
def test_a_secret_is_told_by_what_stood_before_the_text(profile, before, text, kept):
    learned = profile.ingest.add_text(text, source="keyboard", before=before)
    assert (learned.stored, learned.redactions) == (True, 1)
    assert profile.texts() == [kept]
    assert list(profile.heard.values()) == [encode(kept)]


def test_what_stood_before_is_not_stored_and_its_secrets_are_not_counted(profile):
    learned = profile.ingest.add_text(
        "See you at noon.", source="keyboard", before="The password: hunter2x. My PIN: 4821.\n\n"
    )
    assert (learned.stored, learned.redactions) == (True, 0)
    assert profile.texts() == ["See you at noon."]
    assert profile.ingest.add_text("", source="keyboard", before="My PIN is ").reason == "empty"
    assert profile.ingest.add_text("4471", source="keyboard", before="My PIN is ").reason == "only secrets"


def test_only_the_end_of_what_stood_before_is_read(profile):
    far = "My PIN is " + " " * BEFORE_CHARS
    profile.ingest.add_text("4471 metres up", source="keyboard", before=far)
    assert profile.texts() == ["4471 metres up"]


def test_genuine_repeats_are_kept_and_repeated_deliveries_are_not(profile):
    def add(**given):
        return profile.ingest.add_text("Pls print.", **{"source": "mail", **given}).stored

    assert add(at=NOON)
    assert not add(at=NOON)
    assert not add(at=NOON.replace(tzinfo=None))
    assert not add(at=NOON.astimezone(tz=None))
    assert add(at=NOON + timedelta(seconds=1))
    assert add(at=NOON, app="other")
    assert add(at=NOON, source="chat")
    assert add()
    assert add()
    assert profile.ingest.add_text("Pls print.", source="mail", at=NOON).reason == "duplicate"
    assert len(profile.texts()) == len(profile.heard) == 6


def test_nothing_is_taught_that_was_not_committed(tmp_path):
    settings = Settings(home=tmp_path).prepare()
    store = Store.open(settings.store_path, reading.KEY)
    heard = []
    profile = LearningProfile(store)
    profile.events.subscribe(Learned, lambda event: heard.extend(event.entries))

    def encode_and_break(text):
        store.close()
        return encode(text)

    with pytest.raises(Exception, match="closed"):
        Ingest(profile, encode_and_break, settings).add_text("hello", source="mail")
    assert heard == []
    store = Store.open(settings.store_path, reading.KEY)
    assert store.entries.counts().entries == 0
    store.close()


# Importing


def test_an_import_reports_what_it_read_and_skipped(profile):
    profile.write("a.md", "# Title\n\nA first paragraph.\n\nAPI_KEY = 'sEcr3t-value'\n")
    profile.write(
        "b.jsonl", '{"text": "with a time", "ts": "2024-05-01T12:00:00Z"}\n{"text"\n{"text": "without"}\n'
    )
    profile.write("empty.txt", "\n")
    profile.write("photo.png", "x")
    profile.write("drafts/c.md", "never read")
    (profile.notes / "binary.txt").write_bytes(b"\0\1\2")
    (profile.notes / "latin.txt").write_bytes(b"caf\xe9 is kept\n")
    os.utime(profile.notes / "a.md", (NOON.timestamp(), NOON.timestamp()))
    progress = list(profile.ingest.add_paths([profile.notes]))
    report = progress[-1].report
    assert report is not None
    assert (report.files, report.entries, report.redactions) == (3, 6, 1)
    assert report.words == sum(len(text.split()) for text in profile.texts())
    assert report.skipped == {
        "binary": 1,
        "bytes that are not UTF-8": 1,
        "empty": 1,
        "excluded": 1,
        "lines that are not JSON": 1,
        "other file type": 1,
    }
    assert report.notes[:2] == ["Of other types: 1 .png.", "b.jsonl line 2: not a JSON object"]
    assert [step.report is None for step in progress] == [True] * (len(progress) - 1) + [False]
    assert [step.bytes_done for step in progress] == sorted(step.bytes_done for step in progress)
    assert progress[-1].bytes_done == progress[-1].bytes_total > 0
    by_text = {entry.text: entry for entry in profile.store.entries.select()}
    assert by_text["A first paragraph."].at == by_text["with a time"].at == NOON
    assert by_text["caf is kept"].source == "file"
    assert set(profile.heard) == {entry.id for entry in by_text.values()}


def test_importing_again_adds_nothing_and_reads_nothing(profile):
    path = profile.write("a.txt", "one\n\ntwo\n\none\n\none\n")
    assert profile.add().entries == 4
    again = profile.add()
    assert (again.files, again.entries, again.skipped) == (0, 0, {"unchanged": 1})
    os.utime(path, (1, 1))
    touched = profile.add()
    assert (touched.files, touched.entries, touched.skipped) == (1, 0, {"already known": 4})
    assert profile.texts() == ["one", "two", "one", "one"]


def test_an_import_finds_only_what_is_new_in_a_changed_file(profile):
    profile.write("a.txt", "one\n\ntwo\n")
    profile.write("b.jsonl", '{"text": "x", "ts": 1}\n{"text": "y"}\n{"text": "y"}\n')
    profile.add()
    profile.write("a.txt", "one\n\nthree\n\ntwo\n")
    profile.write(
        "b.jsonl", '{"text": "x", "ts": 1}\n{"text": "z"}\n{"text": "y"}\n{"text": "y"}\n{"text": "x"}\n'
    )
    assert profile.add().entries == 3
    assert Counter(profile.texts()) == Counter(["one", "two", "three", "x", "x", "y", "y", "z"])


def test_a_file_given_twice_or_by_several_names_is_read_once(profile):
    path = profile.write("a.txt", "one\n")
    link = profile.notes.parent / "link.txt"
    link.symlink_to(path)
    assert profile.add(path, profile.notes, link, profile.notes / ".." / "notes" / "a.txt").entries == 1


def test_long_paragraphs_become_several_entries(profile):
    sentence = "This sentence is one of very many that make one paragraph. "
    profile.write("a.txt", sentence * 200)
    report = profile.add()
    assert report.entries == len(profile.texts()) > 4
    assert all(len(text) <= 2000 and text.endswith("paragraph.") for text in profile.texts())
    assert " ".join(profile.texts()) == (sentence * 200).strip()


def test_a_secret_where_a_long_paragraph_is_cut_is_whole_when_it_is_looked_for(profile):
    padding = "word " * 397
    profile.write("a.txt", f"{padding}the wifi password: hunter2x {padding}")
    assert profile.add().redactions == 1
    assert "hunter2x" not in "".join(profile.texts())


def test_many_entries_come_in_transactions_with_progress(profile):
    profile.write("a.txt", "".join(f"paragraph {n}\n\n" for n in range(2300)))
    steps = profile.ingest.add_paths([profile.notes])
    first = next(steps)
    assert (first.entries, profile.store.entries.counts().entries, len(profile.heard)) == (500, 500, 500)
    assert 0 < first.bytes_done < first.bytes_total
    seen = [step.entries for step in steps]
    assert seen == [1000, 1500, 2000, 2300, 2300]


def test_an_import_that_nobody_follows_to_its_end_keeps_what_it_read(profile):
    profile.write("a.txt", "".join(f"paragraph {n}\n\n" for n in range(600)))
    profile.write("b.txt", "".join(f"other {n}\n\n" for n in range(600)))
    steps = profile.ingest.add_paths([profile.notes])
    while next(steps).entries < 600:
        pass
    steps.close()
    report = profile.add()
    assert report.skipped["unchanged"] == 1
    assert Counter(profile.texts()) == Counter(
        f"{kind} {n}" for kind in ("paragraph", "other") for n in range(600)
    )
    assert profile.ingest.update_file(profile.notes / "a.txt") == 0, "the file is free for others"


def test_bad_paths_change_nothing(profile):
    good = profile.write("good.txt", "text")
    empty = profile.write("empty.txt", "")
    code = profile.write("code.md", "```\ncode\n```\n")
    image = profile.write("a.png", "x")
    binary = profile.notes / "binary.txt"
    binary.write_bytes(b"\0")
    folder = profile.notes / "folder"
    folder.mkdir()
    (loop := profile.notes.parent / "loop").symlink_to("loop")
    for paths, error, said in [
        ([good, profile.notes / "missing"], NoSuchPathError, "missing"),
        ([empty], NothingToReadError, "empty"),
        ([code], NothingToReadError, "nothing but code"),
        ([image], NothingToReadError, "1 other file type"),
        ([folder], NothingToReadError, "no text"),
        ([binary], BinaryFileError, "not text"),
        ([binary, empty], NothingToReadError, "1 binary, 1 empty"),
        ([loop], NoSuchPathError, "no such path"),
    ]:
        with pytest.raises(error, match=said):
            list(profile.ingest.add_paths(paths))
        assert profile.store.entries.counts().entries == 0
    broken = profile.notes / "broken" / ".git"
    broken.mkdir(parents=True)
    with pytest.raises(GitError):
        profile.ingest.add_paths([good, broken])


def test_a_file_that_goes_away_during_the_import_is_skipped(profile):
    profile.write("a.txt", "one")
    gone = profile.write("b.txt", "two")
    steps = profile.ingest.add_paths([profile.notes])
    next(steps)
    gone.unlink()
    *_, last = steps
    assert last.report is not None
    assert (last.report.files, profile.texts()) == (1, ["one"])


def test_a_repository_is_given_by_its_git_folder(profile):
    folder = repository(profile.notes, "reader: keep the last line")
    profile.write("README.md", "About.")
    assert profile.add().entries == 1, "a folder brings its files, not its history"
    assert profile.add(folder).entries == 1
    assert profile.add(folder).skipped == {"unchanged": 1}
    repository(profile.notes, "writer: flush\n\nthe access_token=abc123def456 was in the log")
    assert profile.add(folder, profile.notes).entries == 1
    entries = [entry for entry in profile.store.entries.select() if entry.source == "git"]
    assert len(entries) == 2
    assert "abc123def456" not in str(entries)


# Newly written text only


def test_saving_a_file_brings_only_its_new_paragraphs(profile):
    assert profile.save("a.md", "One two three.\n") == ["One two three."]
    assert profile.save("a.md", "One two three.\n") == []
    assert profile.save("a.md", "Before.\n\nOne two three.\n\nAfter all.\n") == ["Before.", "After all."]
    assert profile.save("a.md", "After all.\n\nBefore.\n") == [], "moved and deleted"
    assert profile.save("a.md", "After all.\n\nBefore.\n\nOne two three.\n") == [], "pasted back"
    assert profile.save("a.md", "") == []
    assert profile.save("a.md", "Before.\n\nBefore.\n\nNew here.") == ["Before.", "New here."]


LAST_WEEK = "Last week we walked along the river to the old mill and had lunch there."


@pytest.mark.parametrize(
    ("edited", "brought"),
    [
        (f"{LAST_WEEK} It was lovely.", ["It was lovely."]),
        (f"Dear all! {LAST_WEEK}", ["Dear all!"]),
        (LAST_WEEK.replace("the old mill", "the old water mill"), ["water"]),
        (LAST_WEEK.replace("the river", "the river, past the church,"), ["river, past the church,"]),
        (LAST_WEEK.replace(" along the river", ""), []),
        (LAST_WEEK.replace("walked along the river", "cycled down the river"), ["cycled down"]),
        (LAST_WEEK.replace("walked along the river", "cycled along that road"), ["cycled along that road"]),
        ("Last week we walked along\n\nthe river to the old mill and had lunch there.", []),
        (
            "Something else entirely that shares no phrase.",
            ["Something else entirely that shares no phrase."],
        ),
        (LAST_WEEK.replace(".", "; the password: hunter2x."), ["there; the password: [password]."]),
    ],
)
def test_an_edited_paragraph_brings_its_new_words(profile, edited, brought):
    profile.save("a.md", f"Above.\n\n{LAST_WEEK}\n\nBelow.\n")
    assert profile.save("a.md", f"Above.\n\n{edited}\n\nBelow.\n") == brought
    assert profile.save("a.md", f"Above.\n\n{edited}\n\nBelow.\n") == []


def test_joined_paragraphs_and_text_without_spaces_are_compared_too(profile):
    profile.save("a.md", f"{LAST_WEEK}\n\nOn Sunday it rained all day and we stayed at home.\n")
    assert profile.save("a.md", f"{LAST_WEEK} On Sunday it rained all day and we stayed at home.\n") == []
    walked = "昨日は友達と川沿いを歩いて古い水車小屋まで行きました。"
    profile.save("b.md", walked)
    assert profile.save("b.md", f"{walked}楽しかった。") == ["楽しかった。"]


def test_an_edit_of_forgotten_text_does_not_bring_it_back(profile):
    profile.save("a.md", f"{LAST_WEEK}\n\nOther text that may stay here.\n")
    assert profile.store.forget(Selector(text="old mill")).entries == 1
    assert profile.add().skipped == {"unchanged": 1}
    assert profile.save("a.md", f"{LAST_WEEK} It was lovely.\n\nOther text that may stay here.\n") == []
    assert profile.save("a.md", f"{LAST_WEEK} It was lovely, so.\n\nOther text that may stay here.\n") == []
    later = profile.save(
        "a.md", f"{LAST_WEEK} It was lovely, so.\n\nOther text that may stay here. And more.\n"
    )
    assert later == ["And more."]


def test_an_edit_of_partly_forgotten_text_does_not_bring_it_back(profile):
    profile.save("a.md", LAST_WEEK)
    assert profile.save("a.md", f"{LAST_WEEK} The canary sang.") == ["The canary sang."]
    assert profile.store.forget(Selector(text="canary")).entries == 1
    profile.save("a.md", f"{LAST_WEEK} The canary sang. Again.")
    assert "canary" not in " ".join(profile.texts())


def test_forgotten_text_does_not_come_back_with_the_same_file(profile):
    kept = "Other text that may stay here."
    profile.save("a.md", f"{LAST_WEEK}\n\n{kept}\n")
    assert profile.store.forget(Selector(text="old mill")).entries == 1
    for new in ("New.", "Newer by far.", "The newest of all."):  # each reading saves the state anew
        assert profile.save("a.md", f"{LAST_WEEK}\n\n{kept}\n\n{new}\n") == [new]
    [state] = profile.store.file_states.all()
    digests = [coded.removeprefix("~").partition(":")[0] for coded in state.paragraphs]
    assert digest(LAST_WEEK) not in digests
    assert digests.count(digest(LAST_WEEK)[:3]) == 1
    assert digest(kept) in digests
    profile.save("a.md", f"{kept}\n")
    assert profile.save("a.md", f"{LAST_WEEK}\n\n{kept}\n") == [], "taken out and put back"
    assert profile.save("copy.md", f"{LAST_WEEK}\n\n{kept}\n") == []
    (profile.notes / "a.md").rename(profile.notes / "b.md")
    assert profile.ingest.update_file(profile.notes / "b.md") == 0
    assert profile.save("c.md", f"{kept}\n\nNothing of that.\n") == ["Nothing of that."]


def test_a_hash_off_the_record_is_cut_short_too(profile):
    profile.save("a.md", "On the record.")
    path = profile.write("a.md", f"On the record.\n\n{LAST_WEEK}\n")
    assert profile.ingest.update_file(path, root=profile.notes, off_record=True) == 0
    assert profile.save("a.md", f"On the record.\n\n{LAST_WEEK}\n\nAgain.\n") == ["Again."]
    [state] = profile.store.file_states.all()
    assert f"{digest(LAST_WEEK)[:3]}:off" in state.paragraphs
    assert digest(LAST_WEEK) not in str(state.paragraphs)
    assert not profile.store.file_states.passes_over(digest(LAST_WEEK))
    new = profile.write("new.md", "Off the record.")
    assert profile.ingest.update_file(new, off_record=True) == 0
    assert profile.ingest.update_file(new) == 0


@pytest.mark.parametrize("tracked", [100, 1])
def test_forgotten_messages_do_not_come_back_with_their_file(profile, monkeypatch, tracked):
    for module in (entry_batch, file_import):  # of a very long file no paragraphs are remembered
        monkeypatch.setattr(module, "TRACKED_PARAGRAPHS", tracked)
    lines = [f'{{"text": "message {n} of the heron", "ts": "2024-05-0{n}T12:00:00Z"}}' for n in range(1, 6)]
    profile.write("mine.jsonl", "\n".join(lines))
    assert profile.add().entries == 5
    assert profile.store.forget(Selector(text="message 2 of")).entries == 1
    profile.write("mine.jsonl", "\n".join([*lines, '{"text": "one more", "ts": "2024-05-09T12:00:00Z"}']))
    assert profile.add().entries == 1
    assert "message 2" not in " ".join(profile.texts())


def test_what_a_program_sends_again_stays_forgotten(profile):
    sent = {"source": "chat", "at": NOON}
    assert profile.ingest.add_text("the heron keeps its appointments", **sent).stored
    profile.store.forget(Selector(text="heron"))
    again = profile.ingest.add_text("the heron keeps its appointments", **sent)
    assert (again.stored, again.reason) == (False, "duplicate")
    assert profile.ingest.add_text("the heron keeps its appointments", source="chat").stored, "written anew"


def test_a_text_that_was_typed_now_is_stored_whatever_was_forgotten(profile, monkeypatch):
    monkeypatch.setattr("secrets.token_hex", lambda size: "5a" * size)
    assert profile.ingest.add_text("the heron", source="chat").stored
    assert profile.store.forget(Selector(text="heron")).entries == 1
    assert profile.ingest.add_text("the heron", source="chat").stored


def test_moved_renamed_and_copied_files_bring_nothing(profile):
    first = f"{LAST_WEEK}\n\nOn Sunday it rained.\n"
    profile.save("a.md", first)
    (profile.notes / "a.md").rename(profile.notes / "b.md")
    assert profile.ingest.update_file(profile.notes / "a.md") == 0
    assert profile.ingest.update_file(profile.notes / "b.md") == 0
    assert profile.save("b.md", f"{first}\nNew.\n") == ["New."]
    assert profile.save("copy.md", f"{first}\nNew.\n") == []
    assert profile.save("copy.md", f"{first}\nNew. Newer.\n") == ["Newer."]
    assert profile.save("b.md", f"{first}\nNew.\n") == []
    (profile.notes / "b.md").unlink()
    assert profile.ingest.update_file(profile.notes / "b.md") == 0
    (profile.notes / "copy.md").rename(profile.notes / "c.md")
    assert profile.ingest.update_file(profile.notes / "c.md") == 0, "an edit is known, too"
    assert profile.save("c.md", f"{first}\nNew. Newer.\n\nAnother.\n") == ["Another."]
    assert len(profile.texts()) == 5


def test_new_words_of_an_edit_are_learned_once_the_store_has_room(profile, monkeypatch):
    profile.save("a.md", LAST_WEEK)
    edited = profile.write("a.md", f"{LAST_WEEK} It was lovely.")
    with monkeypatch.context() as full:
        full.setattr(profile.store.entries, "add", Mock(side_effect=StoreFullError("The store cannot grow.")))
        with pytest.raises(StoreFullError):
            profile.ingest.update_file(edited)
    assert profile.ingest.update_file(edited) == 1
    assert profile.texts() == [LAST_WEEK, "It was lovely."]


def test_a_file_that_was_moved_while_nobody_looked(profile):
    profile.write("old/a.md", f"{LAST_WEEK}\n\nOn Sunday it rained.\n")
    profile.write("old/b.jsonl", '{"text": "without a time"}\n')
    profile.add()
    (profile.notes / "old").rename(profile.notes / "new")
    assert profile.add().entries == 0
    assert len(profile.texts()) == 3


def test_a_deleted_file_keeps_its_entries_and_may_come_back(profile):
    profile.save("a.md", LAST_WEEK)
    assert profile.save("a.md", f"{LAST_WEEK} It was lovely.") == ["It was lovely."]
    (profile.notes / "a.md").unlink()
    assert profile.ingest.update_file(profile.notes / "a.md") == 0
    assert len(profile.texts()) == 2
    assert profile.save("a.md", f"{LAST_WEEK} It was lovely.") == []


def test_a_file_is_updated_only_if_it_is_not_excluded(profile):
    for name in ("drafts/a.md", ".hidden.md", "a.png", "sub/.git/x.md"):
        assert profile.save(name, "Never read.") == []
    assert profile.ingest.update_file(profile.notes / "missing.md") == 0
    assert profile.ingest.update_file(profile.notes) == 0
    assert profile.save("b.md", "Read.") == ["Read."]


def test_two_threads_may_save_the_same_files(profile):
    for n in range(6):
        profile.write(f"{n}.txt", f"text {n}\n\nsame\n\nsame\n")
    errors = []

    def work():
        try:
            for n in range(6):
                profile.ingest.update_file(profile.notes / f"{n}.txt")
            list(profile.ingest.add_paths([profile.notes]))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert errors == []
    assert Counter(profile.texts()) == Counter([*(f"text {n}" for n in range(6)), "same", "same"])
    assert len(profile.heard) == 8


# Off the record


def test_while_paused_nothing_is_learned_and_later_nothing_of_it_either(profile):
    profile.save("a.md", "Before the pause.")
    profile.ingest.pause.begin()
    assert profile.ingest.pause.active
    assert profile.ingest.add_text("hello", source="mail").reason == "paused"
    with pytest.raises(PausedError):
        profile.ingest.add_paths([profile.notes])
    assert profile.save("a.md", "Before the pause. In the pause.\n\nAlso in it.") == []
    profile.ingest.pause.end()
    assert not profile.ingest.pause.active
    assert profile.save("a.md", "Before the pause. In the pause.\n\nAlso in it.\n\nAfterwards.") == [
        "Afterwards."
    ]
    assert profile.save("a.md", "Before the pause. In the pause.\n\nAlso in it, edited.\n\nAfterwards.") == []
    assert profile.ingest.add_text("hello", source="mail").stored


@pytest.mark.parametrize("closed", [False, True])
def test_an_import_stops_at_a_pause_and_goes_on_after_it(profile, closed):
    for name in ("a", "b"):
        profile.write(f"{name}.txt", "".join(f"paragraph {name}{n}\n\n" for n in range(700)))
    progress = profile.ingest.add_paths([profile.notes])
    next(progress)
    before = profile.texts()
    assert 0 < len(before) < 700
    profile.ingest.pause.begin()
    if closed:
        progress.close()
    else:
        with pytest.raises(PausedError):
            list(progress)
    assert profile.texts() == before
    profile.ingest.pause.end()
    profile.add()
    assert Counter(profile.texts()) == Counter(f"paragraph {name}{n}" for name in "ab" for n in range(700))


def test_what_was_saved_in_a_pause_is_known_by_its_date(profile):
    profile.save("a.md", "Before the pause.")
    path = profile.write("a.md", "Before the pause.")
    profile.ingest.pause.begin()
    in_it = datetime.now(UTC).timestamp()
    profile.ingest.pause.end()
    path.write_text("Before the pause.\n\nIn the pause.")
    os.utime(path, (in_it, in_it))  # the service was down meanwhile, and sees it now
    new = profile.write("new.md", "New in the pause.")
    os.utime(new, (in_it, in_it))
    for one in (path, new):
        assert profile.ingest.update_file(one, root=profile.notes) == 0
    assert profile.texts() == ["Before the pause."]
    assert profile.save("a.md", "Before the pause.\n\nIn the pause.\n\nAfter it.") == ["After it."]
    assert profile.save("new.md", "New in the pause.\n\nAfter it too.") == ["After it too."]


# What goes wrong


GROWTH = """
import resource, sys
from pathlib import Path
from idiolect.daemon.sources.reader import Reader
from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.profile.events import Learned
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.store import Store
home, text = map(Path, sys.argv[1:])
settings = Settings(home=home).prepare()
store = Store.open(settings.store_path, "5a" * 32)
ingest = Ingest(Profile(store), lambda text: [len(text)], settings)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for step in ingest.add_paths([text]):
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, step.entries)
store.close()
"""


def test_the_memory_of_an_import_stays_flat(tmp_path):
    path = tmp_path / "large.txt"
    with path.open("w") as file:
        for n in range(14_000):
            # Each paragraph is another one, by letters: what looks like a code costs the time of a closer look.
            name = str(n).translate(str.maketrans("0123456789", "abcdefghij"))
            file.write(f"{name} {'It was a dark and stormy night, and nobody wrote. ' * 16}\n\n")
    assert path.stat().st_size > 10 << 20
    command = [sys.executable, "-c", GROWTH, tmp_path / "home", path]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    grown_kb, entries = map(int, done.stdout.split())
    assert entries == 14_000
    assert grown_kb < 35_000, "it is 25,000 for files of twice and four times the size too"


def test_a_count_of_files_tells_whether_its_time_was_enough(profile):
    for name in "abc":
        profile.write(f"{name}.txt", "The ferry leaves at noon.")
    count = profile.ingest.count
    assert count(profile.notes, most=10, within_s=600) == (3, True)
    assert not count(profile.notes, most=10, within_s=0)[1]
    assert count(profile.notes, most=2, within_s=600) == (2, False)
