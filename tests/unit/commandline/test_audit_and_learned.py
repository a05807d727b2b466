"""The commands about what is known of the user, in this process, against a running service."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from idiolect.daemon.runtime import process

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
DAYS = 20
MAILS = [
    (f"Dear Zorvelin, kind regards number {day}.", "http", "[red]mail", NOON - timedelta(days=day))
    for day in range(DAYS)
]
SECRET = ("My password: [password] and [card].", "file", None, NOON - timedelta(days=31))


def test_audit_for_a_person_as_json_and_since(run, knowing, tmp_path):
    site = knowing(*MAILS, SECRET)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("We sail at dawn.")
    service = site.settings
    assert run(service, "watch", "--yes", tmp_path / "notes")[0] == 0
    for number in range(25):
        site.service.store.events.add("forget", entries=number, adapters=0)
    code, out, _ = run(service, "audit")
    assert code == 0
    lines = {" ".join(line.split()) for line in out.splitlines()}
    assert any(line.startswith("http · [red]mail 20 ") for line in lines)  # never taken as markup
    assert "By day (UTC):" in lines
    assert "Placeholders in stored text, by kind: 1 card, 1 password." in " ".join(out.split())
    assert any(line.endswith(str(tmp_path / "notes")) for line in lines)
    assert any(line.endswith("forgot 24 entries, dropped 0 adapters") for line in lines)
    assert "before these: --json shows them." in out
    found = json.loads(run(service, "audit", "--json")[1])
    assert set(found) == {"taken", "redacted", "files", "folders", "watches", "seen", "events"}
    assert "Nothing was taken." in run(service, "audit", "--since", "2126-01-01")[1]
    code, _, err = run(service, "audit", "--since", "yesterday")
    assert (code, "2026-01-31" in err) == (2, True)


def test_unlocking_what_is_not_locked_leaves_the_service_alone(run, knowing):
    service = knowing().settings
    before = process.find(service)
    code, out, _ = run(service, "unlock")
    assert (code, out) == (0, "It was not locked.\n")
    assert json.loads(run(service, "unlock", "--json")[1]) == {"locked": False, "was_locked": False}
    assert process.find(service) == before


def test_learned_lists_words_and_phrases_and_forgets_on_the_spot(run, knowing):
    few = [(f"We [bold]sail at {hour}.", "mail", None, NOON) for hour in range(200)]
    service = knowing(*MAILS, *few).settings
    code, out, _ = run(service, "learned")
    assert code == 0
    rows = json.loads(run(service, "learned", "--json", "--limit", "50")[1])
    assert "Zorvelin" in {row["text"] for row in rows}
    assert "Zorvelin 20 20" in " ".join(out.split())
    assert len(json.loads(run(service, "learned", "--json", "--limit", "1")[1])) == 1
    assert "Zorvelin" not in run(service, "learned", "kind")[1]
    assert "Nothing that sets you apart" in run(service, "learned", "-", typed="absent\n")[1]
    code, _, err = run(service, "learned", "--forget", "zorvelin")
    assert (code, "--yes" in err) == (2, True)
    assert run(service, "learned", "--forget", "number 3", "--yes", "--expect", "4")[0] == 121
    assert run(service, "learned", "--forget", "number 3", "--yes", "--expect", "1")[0] == 0
    code, out, err = run(service, "learned", "--forget", "-", "--yes", "--json", typed="number 4")
    told = json.loads(out)
    assert (code, err, told["entries"], told["dry_run"], len(told["not_reached"])) == (0, "", 1, False, 3)
    said = run(service, "learned", "--forget", "zorvelin", "--yes")[1]
    assert "Forgot 18 entries" in said
    assert "Not reached: the files that the text came from" in said
