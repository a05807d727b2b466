"""The commands about what is known of the user, in this process, against a running service without a model."""

from __future__ import annotations

import json

from idiolect.daemon.runtime import process


def test_audit_for_a_person(run, service):
    code, out, _ = run(service, "audit")
    assert code == 0
    lines = {" ".join(line.split()) for line in out.splitlines()}
    assert "file 1,200 9,000 0" in lines
    assert "http · [red]mail 90 1,200 30" in lines  # never taken as markup
    assert "The last 14 of 31 days (UTC):" in lines
    assert "2026-01-30 3 40 1" in lines
    assert "2026-01-16 3 40 1" not in lines
    assert "30 secrets left out before anything was stored." in lines
    assert any(
        line.startswith("Placeholders in stored text, by kind: 2 card, 28 password.") for line in lines
    )
    assert "12 /home/you/notes" in lines
    assert "1 file 1,100 2026-01-31 2026-01-31" in lines
    assert "2026-01-31 09:30 forgot 24 entries, dropped 0 adapters" in lines
    assert "… and 5 before these: --json shows them." in lines


def test_audit_as_json_and_since(run, service):
    found = json.loads(run(service, "audit", "--json")[1])
    assert set(found) == {"taken", "redacted", "files", "folders", "watches", "seen", "events"}
    assert len(found["taken"]) == 31
    assert "Nothing was taken." in run(service, "audit", "--since", "2026-01-01")[1]
    code, _, err = run(service, "audit", "--since", "yesterday")
    assert code == 2
    assert "2026-01-31" in err


def test_unlocking_what_is_not_locked_leaves_the_service_alone(run, service):
    before = process.find(service)
    code, out, _ = run(service, "unlock")
    assert (code, out) == (0, "It was not locked.\n")
    assert json.loads(run(service, "unlock", "--json")[1]) == {"locked": False, "was_locked": False}
    assert process.find(service) == before


def test_learned_lists_words_and_phrases(run, service):
    code, out, _ = run(service, "learned")
    assert code == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "[bold]Zorvelin 1,094 1,089 7,669" in lines
    assert "kind regards 12 12 4.2" in lines
    assert [row["text"] for row in json.loads(run(service, "learned", "--json", "--limit", "1")[1])] == [
        "[bold]Zorvelin"
    ]
    assert "Zorvelin" not in run(service, "learned", "kind")[1]
    assert "Nothing that sets you apart" in run(service, "learned", "-", typed="absent\n")[1]


def test_learned_forgets_on_the_spot(run, service):
    code, _, err = run(service, "learned", "--forget", "kind regards")
    assert code == 2
    assert "--yes" in err
    said = run(service, "learned", "--forget", "kind regards", "--yes")[1]
    assert "Forgot 3 entries" in said
    assert "2 adapters" in said
    assert said.splitlines()[-4:] == [
        "Nearly the same is left: “kind [red]regard” (2 entries), “regards kind” (1 entry).",
        '`idiolect learned --forget "…"` forgets the entries that one of these is in.',
        "Not all entries were looked at for what is nearly the same: there may be more.",
        "Still suggested: kind. General English has “kind”.",
    ]
    assert "Not reached: the files that the text came from" in said
    code, out, err = run(service, "learned", "--forget", "-", "--yes", "--json", typed="kind")
    told = json.loads(out)
    assert (code, err, told["entries"], told["dry_run"], len(told["not_reached"])) == (0, "", 3, False, 3)
    assert run(service, "learned", "--forget", "kind regards", "--yes", "--expect", "3")[0] == 0
    assert run(service, "learned", "--forget", "kind regards", "--yes", "--expect", "4")[0] == 121
