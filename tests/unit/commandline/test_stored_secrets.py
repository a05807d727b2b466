"""Secrets that are stored are found with today's rules, through the real service with the tiny model."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime

import pytest

from idiolect.daemon.ingest.entry_batch import identity
from idiolect.daemon.profile import stored_secrets
from idiolect.daemon.redaction import redact
from idiolect.daemon.runtime import process
from idiolect.daemon.service import Service
from idiolect.daemon.storage.records import COMMANDS, NewEntry

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
PLAIN = "We met at noon and talked about the garden."
STORED = (  # as it came in under rules that knew less
    ("The wifi password is Bergamot77, tell no one.", "http", "[red]mail", NOON),
    ("pay with 4111 1111 1111 1111 and the PIN: 4821", "file", None, NOON.replace(year=2024)),
    (PLAIN, "file", None, NOON),
    ("Here the password: [password] was taken out.", "file", None, NOON),
    ("deploy --token ghp" + "_16C7e42F292c6912E7710c838347Ae178B4a", COMMANDS, None, NOON),
    ("type Walrus_1987 into the laptop", COMMANDS, None, NOON),  # commands are no prose
)


def store(service, texts):
    return service.store.entries.add(
        [
            NewEntry(text, source, app, at, b"\1\0\0\0" * 3, 0, identity(text))
            for text, source, app, at in texts
        ]
    )


@pytest.fixture
def settings(tiny_profile, tmp_path):
    return tiny_profile(tmp_path / "home")


@pytest.fixture
def service(settings):
    service = Service(settings)
    yield service
    service.ingest.reader.close()
    service.close()


def test_what_looks_like_a_secret_is_listed_without_text_and_forgotten(settings, run):
    with contextlib.closing(Service(settings)) as service:
        wifi, card, _, _, token, _ = store(service, STORED)
    process.start(settings)
    try:
        code, out, err = run(settings, "audit", "--secrets")
        assert code == 0
        lines = [" ".join(line.split()) for line in out.splitlines()]
        assert lines[0].startswith("Read again 6 entries (42 words): in 3 something looks like a secret.")
        assert f"2026-01-31 12:00 http · [red]mail 1 password idiolect forget --id {wifi}" in lines
        assert f"2024-01-31 12:00 file 1 card, 1 pin idiolect forget --id {card}" in lines
        assert f"2026-01-31 12:00 {COMMANDS} 1 token idiolect forget --id {token}" in lines
        assert not any(word in out + err for word in ("Bergamot", "4111", "4821", "ghp_", "wifi", "garden"))

        found = json.loads(run(settings, "audit", "--secrets", "--json")[1])
        assert [row["id"] for row in found["found"]] == [card, wifi, token]
        assert set(found["found"][0]) == {"id", "at", "source", "app", "kinds"}
        assert found["found"][0]["kinds"] == {"card": 1, "pin": 1}
        later = json.loads(run(settings, "audit", "--secrets", "--since", "2025-06-01", "--json")[1])
        assert (later["entries"], [row["id"] for row in later["found"]]) == (5, [wifi, token])

        for one in (wifi, card, token):
            assert run(settings, "forget", "--id", one, "--yes")[0] == 0
        code, out, _ = run(settings, "audit", "--secrets")
        assert code == 0
        assert out == (
            "Read again 3 entries (21 words): nothing in them looks like a secret by the rules of this version.\n"
        )
    finally:
        process.stop(settings)


def test_it_is_looked_for_in_batches_in_another_process(service, monkeypatch):
    store(service, [*STORED[:2], *((f"{PLAIN} {place}", "file", None, NOON) for place in range(40))])
    monkeypatch.setattr(stored_secrets, "_BATCH_ENTRIES", 10)

    def fail(*_args, **_more):
        raise AssertionError("it was redacted in the service's own process")

    for name in ("redact", "_worth_trying"):
        monkeypatch.setattr(redact, name, fail)
    steps = list(service.stored_secrets.find())
    assert [(step.entries, step.total) for step in steps] == [(n, 42) for n in (0, 10, 20, 30, 40, 42)]
    assert [len(step.found) for step in steps] == [0, 2, 2, 2, 2, 2]


def test_an_empty_store_has_none(service):
    [only] = service.stored_secrets.find()
    assert (only.entries, only.words, only.found) == (0, 0, ())
