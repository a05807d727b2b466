"""The program's own export, with the real store: restored where it is named, left alone in a folder, never a text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import reading
from publishing import publish

from idiolect.daemon.ingest.reader import Reader
from idiolect.daemon.profile.export_everything import takeout
from idiolect.daemon.sources.documents import parsed
from idiolect.daemon.sources.items import NothingToReadError
from idiolect.daemon.storage.records import STORE_ID
from idiolect.daemon.storage.selectors import Selector
from idiolect.models.known_bases import DEFAULT, GEMMA

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


class Profile(reading.Profile):
    """A store, the way into it, and what the fast memory heard."""

    def __init__(self, home: Path, reader: Reader) -> None:
        super().__init__(home, reader, exclude_apps=("org.example.bank*",))
        self.store.state.set(STORE_ID, home.name)  # each store has a number of its own

    def held(self) -> set[tuple[str, str, str | None, datetime]]:
        rows = list(self.store.entries.select())
        found = {(row.text, row.source, row.app, row.at) for row in rows}
        assert len(found) == len(rows)
        return found


def exported(profile: Profile, folder: Path) -> Path:
    takeout(profile.store, folder)
    return folder


@pytest.fixture
def profile(tmp_path: Path, reader: Reader) -> Iterator[Profile]:
    """A profile with a mail, a chat's message, a text of a program and a note."""
    found = Profile(tmp_path / "home", reader)
    with closing(found.store):
        for text, source, app, at in (
            ("The teal heron sails at noon.", "mail", "thunderbird", NOON),
            ("See you at the harbour wall.", "chat", "signal", None),
            ("A heron waits for the tide.", "http", None, NOON),
        ):
            assert found.ingest.add_text(text, source=source, app=app, at=at).stored
        (tmp_path / "note.md").write_text("Herons stand still for hours.")
        found.add(tmp_path / "note.md")
        yield found


@pytest.fixture
def other(tmp_path: Path, reader: Reader) -> Iterator[Profile]:
    """Another profile, which is empty."""
    found = Profile(tmp_path / "other", reader)
    with closing(found.store):
        yield found


def test_entries_come_back_as_they_were_kept(profile: Profile, other: Profile, tmp_path: Path) -> None:
    export = exported(profile, tmp_path / "export")
    report = other.add(export / "entries.jsonl")
    assert report.entries == 4
    assert other.held() == profile.held()
    assert other.heard.keys() == {row.id for row in other.store.entries.select()}
    assert other.store.forget(Selector(app="signal")).entries == 1


def test_what_is_there_is_not_doubled(profile: Profile, other: Profile, tmp_path: Path) -> None:
    entries = exported(profile, tmp_path / "export") / "entries.jsonl"
    before = profile.held()
    assert (profile.add(entries).entries, profile.held()) == (0, before)
    other.add(entries)
    assert other.add(entries).skipped == {"already known": 4}
    assert other.add(tmp_path / "note.md").entries == 0  # the file that it came from
    assert other.held() == before


def test_in_a_folder_an_export_is_left_alone(profile: Profile, other: Profile, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "mine.md").write_text("The harbour wall is grey.")
    export = exported(profile, notes / "export")
    report = other.add(notes)
    assert report.skipped == {
        "of an own export": sum(path.stat().st_size > 0 for path in export.glob("*.*")),
        "empty": 6,
    }
    assert any("entries.jsonl restores" in note for note in report.notes)
    for path in export.iterdir():
        other.ingest.update_file(path, root=notes)
    with pytest.raises(NothingToReadError):
        other.add(export / "entries.jsonl", restores=False)  # as it is followed
    other.ingest.update_file(export / "entries.jsonl", root=export / "entries.jsonl")
    assert [row.text for row in other.store.entries.select()] == ["The harbour wall is grey."]


def test_what_was_forgotten_since_stays_away(profile: Profile, other: Profile, tmp_path: Path) -> None:
    entries = exported(profile, tmp_path / "export") / "entries.jsonl"
    for text in ("harbour", "stand still"):  # sent, and read in a file that is still there
        assert profile.store.forget(Selector(text=text)).entries == 1
    profile.ingest.add_text("Something new.", source="mail")
    before = profile.held()
    assert profile.add(entries).skipped == {"already known": 2, "forgotten since the export": 2}
    assert profile.held() == before
    assert other.add(entries).entries == 4  # another store has forgotten nothing


def test_rules_and_redaction_hold(profile: Profile, other: Profile, tmp_path: Path) -> None:
    entries = exported(profile, tmp_path / "export") / "entries.jsonl"
    rows = [json.loads(line) for line in entries.read_text().splitlines()]
    rows[0] |= {"app": "org.example.bank.app"}
    rows[1] |= {"text": "wifi password: hunter2"}
    rows[2] |= {"key": "short"}
    entries.write_text("".join(json.dumps(row) + "\n" for row in [*rows, ["no entry"], {"text": "neither"}]))
    report = other.add(entries)
    assert report.skipped == {"excluded app": 1, "lines that are no entries of an export": 3}
    assert "wifi password: [password]" in {row.text for row in other.store.entries.select()}
    assert report.entries == 2


def test_a_line_of_an_export_is_no_text_anywhere(profile: Profile, other: Profile, tmp_path: Path) -> None:
    export = exported(profile, tmp_path / "export")
    for file in export.glob("*.jsonl"):
        for line in file.read_text().splitlines():
            assert parsed(line)[0] is None
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text('{"text": "My own line."}\n' + (export / "entries.jsonl").read_text())
    report = other.add(mixed)
    assert report.skipped == {"lines of an own export": 4}
    assert [row.text for row in other.store.entries.select()] == ["My own line."]


def test_an_export_names_the_terms_of_the_base_models_that_its_adapters_were_trained_on(
    profile: Profile, tmp_path: Path
) -> None:
    assert GEMMA.terms is not None
    publish(profile.store, metrics={"base_sha256": DEFAULT.sha256})
    assert not (exported(profile, tmp_path / "free") / "NOTICE").exists()
    publish(profile.store, metrics={"base_sha256": GEMMA.sha256})
    assert (exported(profile, tmp_path / "bound") / "NOTICE").read_text() == f"{GEMMA.terms.notice}\n"
