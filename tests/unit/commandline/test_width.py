"""What commands show fits into a terminal of 80 columns: each of them, asked of a service that knows something."""

import json

import numpy as np
from publishing import publish
from rich.cells import cell_len
from serving import serving

from idiolect.daemon.clients.commandline.command_table import COMMANDS

#: What each command is asked here, whose output is to fit into 80 columns. Not asked: what serves another program
#: (lsp), what only asks or ends (stop, lock, unlock, purge, restore), and what installs things.
SHOWN = {
    "start": [()],
    "status": [(), ("--token", "suggest")],
    "setup": [()],
    "doctor": [()],
    "forget": [("--text", "quay", "--dry-run"), ("--receipts",)],
    "audit": [(), ("--secrets",), ("--show", "http")],
    "add": [("notes.txt",), ("--find",)],
    "watch": [("notes",)],
    "train": [("--wait",)],
    "pause": [(), ("--end",)],
    "apps": [("quiet", "*chat*"), ("context", "*chat*", "off"), (), ("--all",)],
    "words": [("never", "fyi"), ()],
    "sync": [("shared",), ()],
    "suggest": [("Thanks for the ",), ("Thanks for the ", "--answering", "docs/files.md")],
    "switch": [()],
    "open": [("--no-browser",)],
    "trial": [()],
    "eval": [("--chars", "500"), ("--context", "replies.jsonl", "--chars", "500")],
    "adapters": [()],
    "base": [(), ("use", "nonsense"), ("remove", "nonsense"), ("remove", "smollm2-135m")],
    "use": [("base",)],
}
UNSHOWN = {"stop", "lock", "unlock", "purge", "backup", "restore", "export", "lsp"}


def too_wide(line):
    """Whether a line is longer than 80 columns although it could have been broken."""
    return cell_len(line) > 80 and max(map(cell_len, line.split())) < 50


def test_what_commands_show_fits_into_80_columns(run, tiny, tiny_profile, make_lora, tmp_path, monkeypatch):
    assert {name for names in COMMANDS.values() for name in names} == {*SHOWN, *UNSHOWN}
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "shared").mkdir()
    (tmp_path / "notes.txt").write_text("We sail at dawn.\n")
    reply = {"text": "Please send the figures at noon. " * 5, "context": ["When do you need them?"]}
    (tmp_path / "replies.jsonl").write_text(f"{json.dumps(reply)}\n" * 3)
    random, words = (
        np.random.default_rng(5),
        ["boat", "harbour", "noon", "please", "send", "figures", "again"],
    )
    with serving(tiny_profile(tmp_path / "home", threads=1)) as site:
        for _ in range(80):
            site.service.ingest.add_text(" ".join(random.choice(words, 9)), source="test")
        metrics = {"base_sha256": tiny.source_sha256}
        publish(site.service.store, blob=make_lora(tiny.config).to_bytes(), metrics=metrics)
        for number in range(40):
            took = {} if number % 8 else {"characters": 6, "words": 1}
            outcome = "accepted" if took else "dismissed"
            site.post(
                "/v1/feedback", {"kind": "ghost", "p": 0.9, "outcome": outcome, **took}
            ).raise_for_status()
        wide = {}
        for name, asked in SHOWN.items():
            for arguments in asked:
                code, out, err = run(site.settings, name, *arguments, columns=80)
                assert (out + err).strip(), (name, arguments)
                shown = out if code else out + err  # an error is broken in a terminal alone
                if lines := [line for line in shown.splitlines() if too_wide(line)]:
                    wide[name, *arguments] = lines
    assert wide == {}
