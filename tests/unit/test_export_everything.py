"""The export of everything, with the real store: it is never read as a text, and names the terms that bind it."""

from contextlib import closing
from datetime import UTC, datetime

import pytest
from publishing import publish
from reading import Profile

from idiolect.daemon.profile.export_everything import takeout
from idiolect.models.known_bases import DEFAULT, GEMMA

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def exported(profile, folder):
    takeout(profile.store, folder)
    return folder


@pytest.fixture
def profile(tmp_path, reader):
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
def other(tmp_path, reader):
    """Another profile, which is empty."""
    found = Profile(tmp_path / "other", reader)
    with closing(found.store):
        yield found


def test_an_export_is_no_text_anywhere(profile, tmp_path):
    export = exported(profile, tmp_path / "export")
    mixed = tmp_path / "export" / "mixed.jsonl"
    mixed.write_text('{"text": "My own line."}\n' + (export / "entries.jsonl").read_text())
    before = profile.texts()
    report = profile.add(export)
    assert report.skipped["lines of an own export"] >= 8
    assert profile.texts() == [*before, "My own line."]


def test_an_export_names_the_terms_of_the_base_models_that_its_adapters_were_trained_on(profile, tmp_path):
    assert GEMMA.terms is not None
    publish(profile.store, metrics={"base_sha256": DEFAULT.sha256})
    assert not (exported(profile, tmp_path / "free") / "NOTICE").exists()
    publish(profile.store, metrics={"base_sha256": GEMMA.sha256})
    assert (exported(profile, tmp_path / "bound") / "NOTICE").read_text() == f"{GEMMA.terms.notice}\n"
