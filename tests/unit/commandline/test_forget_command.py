"""`idiolect forget` against a running service without a model: it asks first."""

from __future__ import annotations

import json
import shlex

import pytest


def test_forget_asks_unless_told_not_to(run, service):
    code, out, err = run(service, "forget", "--text", "project")
    assert code == 2, err
    assert "--yes" in err
    code, out, _ = run(service, "forget", "--text", "project", "--yes")
    assert code == 0
    assert out.splitlines() == [
        "Forgot 3 entries of 45 tokens and 2 adapters that learned from it (1, 2).",
        "Serving the base model alone.",
        "A training round without the text is queued; `idiolect status` says when it starts.",
        "Not reached: the files that the text came from; exports, backups and copies of the profile; swap space and "
        "snapshots of the file system.",
        "Receipt 7; `idiolect forget --receipts` lists them.",
        "It is suggested no more.",
    ]
    code, out, _ = run(service, "forget", "--text", "project", "--dry-run")
    assert out.splitlines()[:2] == [
        "Would forget 3 entries of 45 tokens and 2 adapters that learned from it (1, 2).",
        "Then serving the base model alone.",
    ]
    assert "Receipt" not in out
    assert "queued" not in out
    code, out, _ = run(service, "forget", "--id", "4", "--since", "2026-01-31", "--dry-run", "--json")
    told = json.loads(out)
    assert (code, told["dry_run"], told["receipt"], len(told["not_reached"])) == (0, True, None, 3)
    assert json.loads(run(service, "forget", "--receipts", "--json")[1])[0]["conditions"] == ["text"]
    assert "2026-01-31 10:30" in run(service, "forget", "--receipts")[1]
    assert run(service, "forget", "--receipts", "--text", "x")[0] == 2
    assert run(service, "forget", "--text", "nothing")[:2] == (0, "Nothing matches.\n")
    assert "It is suggested no more." in run(service, "forget", "--text", "project", "--yes")[1]
    out = run(service, "forget", "--text", "slow", "--yes")[1]
    assert "Not all of it could be tried in time" in out
    assert "no more" not in out
    assert run(service, "forget")[0] == 43
    assert run(service, "forget", "--until", "tomorrow")[0] == 2
    assert run(service, "forget", "--text", " ", "--yes")[0] == 43
    assert run(service, "forget", "--text", "-", "--yes", typed="\0zebra-never-typed")[0] == 120


def test_what_is_much_is_only_forgotten_by_its_number(run, service):
    code, out, err = run(service, "forget", "--text", "e", "--yes")
    assert (code, out) == (122, "")
    assert err.splitlines() == [
        "idiolect forget --text e --yes --expect 1068",
        "idiolect: This would take 1,068 of all 1,091 entries, more than a tenth: for so much --yes is not enough. "
        "Nothing was forgotten. If all of it is meant, add --expect 1068, as above.",
    ]
    code, _, err = run(service, "forget", "--text", "e")
    assert (code, "--expect 1068" in err) == (2, True)
    code, _, err = run(service, "forget", "--text", "e", "--yes", "--expect", "1067")
    assert code == 121
    assert "1,068 of 1,091 entries now, not 1,067" in err
    assert run(service, "forget", "--text", "e", "--dry-run")[0] == 0
    code, out, _ = run(service, "forget", "--text", "e", "--yes", "--expect", "1068")
    assert (code, out.split(" of ")[0]) == (0, "Forgot 1,068 entries")
    assert run(service, "forget", "--text", "project", "--yes", "--expect", "3")[0] == 0
    assert run(service, "forget", "--text", "project", "--yes", "--expect", "2")[0] == 121
    assert run(service, "forget", "--receipts", "--expect", "2")[0] == 2


@pytest.mark.parametrize("given", [["--text", "e", "--yes", "--"], ["--yes", "--app", "--", "--text", "e"]])
def test_the_command_that_is_shown_with_the_number_works(run, service, given):
    code, _, err = run(service, "forget", *given)
    shown = shlex.split(err.splitlines()[0])
    assert (code, shown[1]) == (122, "forget")
    assert run(service, *shown[1:])[0] == 0


@pytest.mark.parametrize(("typed", "forgotten"), [("y\nn\n", 1), ("y\ny\n", 2), ("n\n", 0), ("y\n", 1)])
def test_in_a_terminal_what_is_nearly_the_same_is_offered(run, service, typed, forgotten):
    code, out, _ = run(service, "learned", "--forget", "kind regards", typed=typed, terminal=True)
    assert code == (0 if forgotten else 1)
    assert out.count("Forgot 3 entries") == forgotten
    assert ("Forget these, too? That takes 3 entries" in out) is (forgotten > 0)


def test_in_a_terminal_the_number_is_typed(run, service):
    for typed, ended in (("y\n", 1), ("\n", 1), ("1067\n", 1), ("1068\n", 0)):
        code, out, _ = run(service, "forget", "--text", "e", typed=typed, terminal=True)
        assert code == ended
        assert ("Forgot 1,068 entries" in out) is (ended == 0)
        assert "more than a tenth of all 1,091 entries. To go on, type how many" in out
