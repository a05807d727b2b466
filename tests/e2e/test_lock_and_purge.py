"""Locking, everything exported, everything removed: the real program, with the tiny model."""

import contextlib
import json
import os
import stat
from datetime import UTC, datetime, timedelta

import numpy as np
import psutil
import pytest
import safetensors.numpy
from program import Program
from publishing import execute, publish
from waiting import until

from idiolect.daemon.runtime import process
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import store_key

CANARY = "the teal lighthouse keeper Zorvelin hums quietly at noon"


class Life(Program):
    """The program on a profile, which is started and stopped as the commands do."""

    def start(self):
        """Start the service, as the command does."""
        process.start(self.settings.prepare())

    def stop(self):
        """Stop the service, as the command does."""
        process.stop(self.settings)

    def pid(self):
        """The service's process, None where none runs."""
        running = process.find(self.settings)
        return running and running.pid

    def knows(self):
        """Whether it has a word that no word list has, but the text."""
        answer = self.post("/v1/suggest", prefix="the teal lighthouse keeper Zorv").raise_for_status().json()
        return "elin" in [word["text"] for word in answer["words"]]


@pytest.fixture
def program(tiny, tmp_path, make_lora):
    """A profile with a running service that knows a sentence, and an adapter that has seen it."""
    program = Life(tmp_path / "profile", tiny.folder.parent)
    program.start()
    assert program.post("/v1/history", text=CANARY, source="test", app="mail").json()["id"] == 1
    yield program
    program.stop()


def holds(pid, words):
    """Whether a process has some bytes in its memory (root may look even where it is not dumpable)."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            span, mode, *_ = line.split()
            if mode.startswith("rw"):
                start, end = (int(edge, 16) for edge in span.split("-"))
                with contextlib.suppress(OSError, ValueError, OverflowError):
                    memory.seek(start)
                    if words in memory.read(end - start):
                        return True
    return False


def test_locked_it_knows_nothing_and_says_so(program):
    assert program.knows()
    key = store_key.obtain(program.settings).hex
    if os.geteuid() == 0:
        assert holds(program.pid(), b"teal lighthouse") or holds(program.pid(), key.encode())
    program.run("lock")
    answer = program.post("/v1/suggest", prefix="the teal lighth")
    assert answer.status_code == 423
    assert answer.json()["error"]["code"] == "locked"
    assert "idiolect unlock" in program.run("suggest", "the teal", code=5)
    assert "Locked" in program.run("status")
    status = json.loads(program.run("status", "--json"))
    assert (status["running"], status["locked"], status["entries"]) == (True, True, None)
    service = psutil.Process(status["pid"])
    assert [file.path for file in service.open_files() if "store.db" in file.path] == []
    if os.geteuid() == 0:
        for secret in (key.encode(), bytes.fromhex(key), b"teal lighthouse"):
            assert not holds(status["pid"], secret)
    program.run("stop")
    program.run("start")  # it stays locked
    assert program.post("/v1/suggest", prefix="").status_code == 423
    assert "Unlocked" in program.run("unlock")
    assert program.knows()
    assert "not locked" in program.run("unlock")
    assert json.loads(program.run("unlock", "--json")) == {"locked": False, "was_locked": False}


def test_with_a_passphrase_the_key_is_nowhere(program, tmp_path):
    key = store_key.obtain(program.settings).hex
    (tmp_path / "words").write_text("four plain old words\n")
    program.run("lock", "--passphrase-file", tmp_path / "words")
    for path in program.home.rglob("*"):
        if path.is_file() and not path.is_relative_to(program.home / "base"):
            assert key.encode() not in path.read_bytes(), path
            assert bytes.fromhex(key) not in path.read_bytes(), path
    assert not program.settings.key_path.exists()
    with pytest.raises(store_key.LockedError):
        store_key.obtain(program.settings)
    assert "passphrase" in program.run(
        "unlock", "--passphrase-file", "-", typed="four plain new words\n", code=5
    )
    assert "passphrase" in program.run("unlock", code=2)  # nobody is there to type it
    assert program.post("/v1/suggest", prefix="").status_code == 423
    program.run("unlock", "--passphrase-file", "-", typed="four plain old words\n")
    assert store_key.obtain(program.settings).hex == key
    assert program.knows()


def test_everything_is_exported_in_open_formats(program, tiny, tmp_path, make_lora):
    program.stop()
    lora = make_lora(tiny.config)
    with contextlib.closing(
        Store.open(program.settings.store_path, store_key.obtain(program.settings).hex)
    ) as store:
        published = publish(
            store,
            blob=lora.to_bytes(),
            seen=[1],
            reason="it is better",
            metrics={"base_sha256": tiny.source_sha256},
        )
    program.start()
    program.post("/v1/feedback", kind="word", outcome="accepted", p=0.5, characters=6).raise_for_status()
    old = os.umask(0)
    try:
        said = program.run("export", "everything", tmp_path / "all")
    finally:
        os.umask(old)
    assert "not encrypted" in said
    assert "exists" in program.run("export", "everything", tmp_path / "all", code=6)
    for path in ((tmp_path / "all"), *(tmp_path / "all").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path

    def lines(name):
        return [json.loads(line) for line in (tmp_path / "all" / name).read_text("utf-8").splitlines()]

    assert [(row["text"], row["source"], row["app"]) for row in lines("entries.jsonl")] == [
        (CANARY, "test", "mail")
    ]
    assert [(row["id"], row["reason"]) for row in lines("adapters.jsonl")] == [(published, "it is better")]
    assert lines("seen.jsonl") == [{"idiolect": "seen", "adapter": published, "entries": [1]}]
    assert [row["status"] for row in lines("rounds.jsonl")] == ["promoted"]
    assert {"day", "adapter"} <= {name for row in lines("feedback.jsonl") for name in row}
    tensors = safetensors.numpy.load_file(tmp_path / "all" / "adapters" / f"{published}.safetensors")
    for name, matrix in lora.matrices.items():
        np.testing.assert_array_equal(tensors[name], matrix.astype(np.float16))
    assert "export" in {event["kind"] for event in json.loads(program.run("audit", "--json"))["events"]}
    # What was exported is not read back as a text.
    assert "own export" in program.run("add", tmp_path / "all" / "entries.jsonl", code=3)


def test_purging_leaves_nothing_behind(program, tiny):
    kept = sorted(path.name for path in tiny.folder.parent.iterdir())
    (program.home / "mine.odt").write_text("not the program's")
    assert "--yes" in program.run("purge", code=2)
    pid = program.pid()
    done = json.loads(program.run("purge", "--yes", "--json"))
    assert not psutil.pid_exists(pid)
    assert {"store.db", "store.key", "config.toml", "run", "log", "base"} <= done["removed"].keys()
    assert (done["folder_gone"], done["left"]) == (False, ["mine.odt"])
    assert [path.name for path in program.home.iterdir()] == ["mine.odt"]
    assert (
        sorted(path.name for path in tiny.folder.parent.iterdir()) == kept
    )  # only the link to it was the profile's
    (program.home / "mine.odt").unlink()
    program.home.rmdir()
    assert "nothing to remove" in program.run("purge", "--yes")


def test_purging_a_folder_that_is_the_programs_alone_removes_it_and_what_browsers_were_told(
    program, tmp_path
):
    program.env |= dict.fromkeys(("HOME", "XDG_CONFIG_HOME"), str(tmp_path / "own"))
    (tmp_path / "own" / "chromium").mkdir(parents=True)
    program.run("setup", "browser", "--yes")
    [manifest] = (tmp_path / "own").rglob("idiolect.json")
    said = program.run("purge", "--yes")
    assert not program.home.exists()
    assert not manifest.exists()
    assert str(manifest) in said
    assert "backups and other copies" in said


def test_text_is_let_go_when_its_time_is_over(program):
    program.stop()
    key = store_key.obtain(program.settings).hex
    taken_us = round((datetime.now(UTC) - timedelta(days=31)).timestamp() * 1e6)
    execute(program.settings.store_path, "UPDATE entries SET taken_us = ?", taken_us, key=key)
    with (program.home / "config.toml").open("a") as config:
        config.write("keep_days = 30\n")
    program.start()

    def entries():
        with program.client() as client:
            return client.get("/v1/status").raise_for_status().json()["entries"]

    until(lambda: entries() == 0 and not program.knows())  # it goes from the store first, then from memory
    assert "expired" in {event["kind"] for event in json.loads(program.run("audit", "--json"))["events"]}
