"""`idiolect forget` against a running service: it asks first."""

import json
from datetime import UTC, datetime

import pytest
from publishing import publish

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MUCH = [(f"Note {number} of the harbour office.", "file", None, NOON) for number in range(40)]
KIND = [(f"Kind regards, number {number}.", "mail", None, NOON) for number in range(3)]
NEAR = [(f"Kind regard to {who}.", "mail", None, NOON) for who in ("Ada", "Tom")]


def test_forget_asks_unless_told_not_to(run, knowing, tiny, make_lora):
    site = knowing(*MUCH, *KIND)
    seen = [entry.id for entry in site.service.store.entries.select()]
    adapter = publish(
        site.service.store,
        blob=make_lora(tiny.config).to_bytes(),
        seen=seen,
        metrics={"base_sha256": tiny.source_sha256},
    )
    site.service.model.use(adapter)
    service = site.settings
    code, out, err = run(service, "forget", "--text", "regards")
    assert (code, "--yes" in err) == (2, True)
    code, out, _ = run(service, "forget", "--text", "regards", "--dry-run")
    assert out.splitlines()[:2] == [
        "Would forget 3 entries and 1 adapter that learned from it (1).",
        "Then serving the base model alone.",
    ]
    assert "Receipt" not in out
    assert "Next round" not in out
    code, out, _ = run(service, "forget", "--text", "regards", "--yes")
    assert (code, out.splitlines()[:6]) == (
        0,
        [
            "Forgot 3 entries and 1 adapter that learned from it (1).",
            "Serving the base model alone.",
            "Their training goes with them: the next round goes on from before it saw the text.",
            "Next round, without the text: rounds start only when asked for (auto_train is off).",
            "Not reached: the files that the text came from; exports, backups and copies of the profile; swap space "
            "and snapshots of the file system.",
            "Receipt 1; `idiolect forget --receipts` lists them.",
        ],
    )
    code, out, _ = run(service, "forget", "--id", "4", "--since", "2026-01-31", "--dry-run", "--json")
    told = json.loads(out)
    assert (code, told["dry_run"], told["receipt"], len(told["not_reached"])) == (0, True, None, 3)
    assert json.loads(run(service, "forget", "--receipts", "--json")[1])[0]["conditions"] == ["text"]
    assert "text" in run(service, "forget", "--receipts")[1]
    for wrong, exit_code in (
        *((("--receipts", "--text", "x"), 2), (("--receipts", "--expect", "2"), 2)),
        *(((), 3), (("--until", "tomorrow"), 2), (("--text", " ", "--yes"), 3)),
    ):
        assert run(service, "forget", *wrong)[0] == exit_code
    assert run(service, "forget", "--text", "nothing")[1].startswith("Nothing matches.\n")
    assert run(service, "forget", "--text", "-", "--yes", typed="\0zebra-never-typed")[0] == 3


def test_what_is_much_is_only_forgotten_by_its_number(run, knowing):
    service = knowing(*MUCH, *KIND).settings
    code, out, err = run(service, "forget", "--text", "office", "--yes")
    assert (code, out) == (3, "")
    assert err == (
        "idiolect: This would take 40 of all 43 entries, more than a tenth: for so much --yes is not enough. "
        "Nothing was forgotten. If all of it is meant, add --expect 40.\n"
    )
    code, _, err = run(service, "forget", "--text", "office")
    assert (code, "--expect 40" in err) == (2, True)
    code, _, err = run(service, "forget", "--text", "office", "--yes", "--expect", "39")
    assert (code, "40 of 43 entries now, not 39" in err) == (4, True)
    assert run(service, "forget", "--text", "office", "--dry-run")[0] == 0
    for typed in ("y\n", "\n", "39\n"):
        code, out, _ = run(service, "forget", "--text", "office", typed=typed, terminal=True)
        assert (code, "Forgot" in out) == (1, False)
        assert "more than a tenth of all 43 entries. To go on, type how many" in out
    code, out, _ = run(service, "forget", "--text", "office", "--yes", "--expect", "40")
    assert (code, out.startswith("Forgot 40 entries")) == (0, True)


def test_in_a_terminal_the_number_is_typed(run, knowing):
    service = knowing(*MUCH, *KIND).settings
    code, out, _ = run(service, "forget", "--text", "office", typed="40\n", terminal=True)
    assert (code, "Forgot 40 entries" in out) == (0, True)


@pytest.mark.parametrize(("typed", "forgotten"), [("y\nn\n", 1), ("y\ny\n", 2), ("n\n", 0)])
def test_in_a_terminal_what_is_nearly_the_same_is_offered(run, knowing, typed, forgotten):
    service = knowing(*MUCH, *KIND, *NEAR).settings
    code, out, _ = run(service, "forget", "--phrase", "kind regards", typed=typed, terminal=True)
    assert code == (0 if forgotten else 1)
    assert out.count("Forgot ") == forgotten
    assert ("Forget these, too? That takes 2 entries" in out) is (forgotten > 0)
