"""Secrets that are stored are found with today's rules, and forgotten one by one."""

import json
from datetime import UTC, datetime

from idiolect.daemon.text.redaction import redact

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
STORED = (  # as it came in under rules that knew less
    ("The wifi password is Bergamot77, tell no one.", "http", "[red]mail", NOON),
    ("pay with 4111 1111 1111 1111 and the PIN: 4821", "file", None, NOON.replace(year=2024)),
    ("We met at noon and talked about the garden.", "file", None, NOON),
    ("Here the password: [password] was taken out.", "file", None, NOON),
    ("deploy --token ghp" + "_16C7e42F292c6912E7710c838347Ae178B4a", "mail", None, NOON),
    ("type quickly into the old laptop", "mail", None, NOON),
)


def test_what_looks_like_a_secret_is_listed_without_text_and_forgotten(run, knowing, monkeypatch):
    def fail(*_args, **_more):
        raise AssertionError("it was redacted in the service's own process")

    monkeypatch.setattr(redact, "redact", fail)
    site = knowing(*STORED)
    code, out, err = run(site.settings, "audit", "--secrets")
    assert code == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0].startswith("Read again 6 entries (43 words): in 3 something looks like a secret.")
    assert "2026-01-31 12:00 http · [red]mail 1 password idiolect forget --id 1" in lines
    assert "2024-01-31 12:00 file 1 card, 1 pin idiolect forget --id 2" in lines
    assert "2026-01-31 12:00 mail 1 token idiolect forget --id 5" in lines
    assert not any(word in out + err for word in ("Bergamot", "4111", "4821", "ghp_", "wifi", "garden"))

    found = json.loads(run(site.settings, "audit", "--secrets", "--json")[1])
    assert [row["id"] for row in found["found"]] == [2, 1, 5]
    assert set(found["found"][0]) == {"id", "at", "source", "app", "kinds"}
    assert found["found"][0]["kinds"] == {"card": 1, "pin": 1}
    later = json.loads(run(site.settings, "audit", "--secrets", "--since", "2025-06-01", "--json")[1])
    assert (later["entries"], [row["id"] for row in later["found"]]) == (5, [1, 5])

    run(
        site.settings,
        "forget",
        *(word for one in (1, 2, 5) for word in ("--id", one)),
        "--yes",
        "--expect",
        3,
    )
    assert run(site.settings, "audit", "--secrets")[1] == (
        "Read again 3 entries (22 words): nothing in them looks like a secret by the rules of this version.\n"
    )
