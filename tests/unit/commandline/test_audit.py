"""The commands about what is known of the user, in this process, against a running service."""

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
    assert set(found) == {"taken", "redacted", "watches", "seen", "events", "sources"}
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


def test_the_newest_texts_of_a_source_are_read_and_forgotten_by_their_number(run, knowing):
    evil = ("We sail \x1b[31mat\r noon\u202e.", "keyboard", "ed\x1b[2Jitor", NOON)
    service = knowing(*MAILS, evil, ("Second text.", "keyboard", None, NOON)).settings
    code, out, _ = run(service, "audit", "--show", "keyboard")
    assert code == 0
    assert out.index("We sail") < out.index("Second text."), "the newest is read last"
    assert not {"\x1b", "\r", "\u202e"} & {*out}
    assert "Zorvelin" not in out
    shown = json.loads(run(service, "audit", "--show", "keyboard", "--json")[1])
    assert [row["text"] for row in shown] == ["Second text.", evil[0]]
    command = f"idiolect forget --id {shown[0]['id']}"
    assert f"`{command}` forgets the last of these." in out
    assert run(service, *command.split()[1:], "--yes")[0] == 0
    assert "Second text." not in run(service, "audit", "--show", "keyboard")[1]
    assert len(json.loads(run(service, "audit", "--show", "http", "--limit", "3", "--json")[1])) == 3
    assert "No text of the source “letters” is kept." in run(service, "audit", "--show", "letters")[1]
    assert run(service, "audit", "--show", "keyboard", "--secrets")[0] == 2
    assert run(service, "audit", "--limit", "3")[0] == 2
