"""Strangers' files are read in a process of their own; a limit takes no more than the file that breaks it."""

import contextlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import forked
import psutil
import pytest
from reading import Profile, write
from waiting import DEADLINE_S, until

from idiolect.daemon.runtime.os_errors import NoSuchPathError
from idiolect.daemon.sources import reader_child
from idiolect.daemon.sources.items import Item, Skipped, UnreadableError
from idiolect.daemon.sources.reader import Limits, Reader, SourceAtPath
from idiolect.daemon.sources.reader_messages import unpacked

TIGHT = Limits(quiet_cpu_s=0.7, memory_bytes=256 << 20)


@pytest.fixture(autouse=True)
def new_processes(monkeypatch):
    """Its children are this process's own, and are called what they are."""
    for name, value in forked.NEW.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def tight() -> Iterator[Reader]:
    found = Reader(TIGHT)
    yield found
    found.close()


def children() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # it has just ended
            if "idiolect.daemon.sources.reader_child" in child.cmdline():
                found.append(child)
    return found


@pytest.fixture
def profile(tmp_path: Path, tight: Reader) -> Iterator[Profile]:
    with contextlib.closing((found := Profile(tmp_path / "home", tight)).store):
        yield found


def notes(folder: Path, count: int) -> list[str]:
    folder.mkdir(exist_ok=True)
    texts = [f"Note number {number} is about herons." for number in range(count)]
    for number, text in enumerate(texts):
        (folder / f"{number:04}.md").write_text(text)
    return texts


# Hostile files. Each takes a name and writes a file that took seconds or gigabytes where the service read it itself.


def one_address(path: Path) -> None:
    path.write_text(f"One.\n\n{'http://a:b@' * 60_000}\n\nTwo.\n")


def zipped_line(path: Path) -> None:
    with (
        zipfile.ZipFile(path.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("WhatsApp Chat with Ada.txt", "w", force_zip64=True) as chat,
    ):
        chat.write(b"12/31/23, 14:08 - Me: hello\n12/31/23, 14:09 - Ada: yes\n12/31/23, 14:10 - Me: ")
        for _ in range(300):
            chat.write(b"a" * (1 << 20))


def deep_mail(path: Path) -> None:
    path.with_suffix(".eml").write_text(
        f"From: me@example.org\nMIME-Version: 1.0\nContent-Type: text/html\n\n{'<div>' * 200_000}hello\n"
    )


#: One for each limit: seconds, memory, and what a library of the system takes.
HOSTILE = (one_address, zipped_line, deep_mail)


@pytest.mark.parametrize("make", HOSTILE, ids=lambda make: make.__name__)
def test_a_hostile_file_costs_its_reader_and_nobody_else(profile, tmp_path, make):
    texts = notes(tmp_path / "notes", 5)
    make(tmp_path / "hostile.md")
    hostile = next(tmp_path.glob("hostile.*"))
    process, highest = psutil.Process(), [0]
    before = process.memory_info().rss
    used = time.process_time()
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.1):
            for child in children():
                try:
                    highest[0] = max(highest[0], child.memory_info().rss)
                except psutil.Error:
                    continue

    watching = threading.Thread(target=look)
    watching.start()
    report = profile.add(hostile, tmp_path / "notes")
    done.set()
    watching.join()
    assert set(texts) <= set(profile.texts()), "the files behind it are read"
    assert report.files >= 5
    assert highest[0] < TIGHT.memory_bytes + (64 << 20)
    assert process.memory_info().rss - before < 48 << 20
    assert time.process_time() - used < 5, "this process has done next to nothing, however long it took"


def test_what_stands_before_the_place_at_which_a_limit_is_met_is_read(profile, tmp_path):
    start = "From a@example.org Mon Jan  1 10:00:00 2024\nFrom: a@example.org\n"
    mails = [f"{start}\nHerons stood in the lake, {number} of them.\n\n" for number in range(3)]
    hostile = f"{start}Content-Type: text/html\n\n{'<div>' * 200_000}hello\n\n"
    (tmp_path / "a.mbox").write_text("".join([*mails, hostile]))
    texts = notes(tmp_path / "notes", 3)
    report = profile.add(tmp_path / "a.mbox", tmp_path / "notes", me=("a@example.org",))
    assert report.skipped["beyond a limit"] == 1
    [note] = [note for note in report.notes if "seconds of reading" in note]
    assert note.startswith("a.mbox: ")
    assert "what came before was read. Cut it into smaller files" in note
    assert profile.texts() == [
        *(f"Herons stood in the lake, {number} of them." for number in range(3)),
        *texts,
    ]
    assert not profile.ingest.is_changed(tmp_path / "a.mbox"), "it is not tried again until it is saved"


def test_memory_is_a_limit(tmp_path):
    chat = write(
        tmp_path / "big.json",
        '{"type": "personal_chat", "messages": [{"text": "' + "a" * (200 << 20) + '"}]}',
    )
    with contextlib.closing(Reader(Limits(memory_bytes=90 << 20))) as small:
        [told] = small.pieces(chat, "telegram", ("x",))
        assert isinstance(told, Skipped)
        assert told.reason == "beyond a limit"
        assert "90 MB of memory" in str(told.note)
        [found] = small.pieces(write(tmp_path / "lines.md", "One.\n"), "markdown", ())
        assert isinstance(found, Item)


def test_a_killed_reader_loses_nothing_and_doubles_nothing(profile, tmp_path):
    text = tmp_path / "long.txt"
    written = [
        f"Sentence {number} of a long text {random.Random(number).random()}." for number in range(4_000)
    ]
    text.write_text("\n\n".join(written))
    killed = 0
    report = None
    for step in profile.ingest.add_paths([text]):
        if not killed and step.entries:
            [child] = children()
            os.kill(child.pid, signal.SIGKILL)
            killed = child.pid
        report = step.report
    assert killed
    assert report is not None
    assert report.entries == len(written)
    assert "beyond a limit" not in report.skipped
    assert "already known" not in report.skipped
    assert profile.texts() == written


def test_a_reader_that_dies_of_every_file_skips_each(tmp_path, tight):
    text = tmp_path / "long.txt"
    text.write_text("\n\n".join(f"Sentence {number}." for number in range(8_000)))
    found = []
    pids = set()
    for piece in tight.pieces(text, "text", ()):
        found.append(piece)
        if len(found) in (1, 2001):
            [child] = children()
            pids.add(child.pid)
            child.kill()
    assert len(pids) == 2
    assert isinstance(found[-1], Skipped)
    assert "was ended" in str(found[-1].note)
    items = [piece.ordinal for piece in found if isinstance(piece, Item)]
    assert items == [*range(len(items))], "what came before is there once"


@pytest.mark.parametrize("fault", [ValueError("a mistake"), UnreadableError("closed"), MemoryError()])
def test_what_came_before_a_fault_is_told(monkeypatch, tmp_path, fault):
    """A fault that no file at hand makes: a reader that meets what nobody has thought of."""

    def found(_order):
        yield Item("One.", None, 0)
        raise fault

    monkeypatch.setattr(reader_child, "_found", found)
    answers = io.BytesIO()
    last = reader_child._answer({"do": "pieces", "path": str(tmp_path)}, answers)
    assert "end" not in last
    [batch] = map(json.loads, answers.getvalue().splitlines())
    assert [unpacked(row) for row in batch["found"]] == [Item("One.", None, 0)]


SERVICE = """
import sys
from pathlib import Path
from idiolect.daemon.sources.reader import Reader
for piece in Reader().pieces(Path(sys.argv[1]), sys.argv[2], ("me@example.org",)):
    print("reading", flush=True)
    if sys.argv[3] == "holds":
        input()
"""


@pytest.mark.parametrize("busy", ["holds", "computes"])
def test_a_killed_service_leaves_no_child(tmp_path, busy):
    if busy == "holds":
        path = write(tmp_path / "a.md", "One.\n\n" + "Two three four.\n\n" * 100_000)
    else:  # in a library that hears nothing of what happens around it
        deep_mail(path := tmp_path / "a.eml")
    kind = "markdown" if busy == "holds" else "message"
    command = [sys.executable, "-c", SERVICE, str(path), kind, busy]
    service = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    found = psutil.Process(service.pid)
    if busy == "holds":
        assert service.stdout is not None
        assert service.stdout.readline()
    least_s = 0.0 if busy == "holds" else 1.0
    until(lambda: found.children() and found.children()[0].cpu_times().user >= least_s)
    [child] = found.children()
    service.kill()
    service.communicate()
    psutil.wait_procs([child], timeout=DEADLINE_S)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_errors_of_a_reader_cross_over(tight, tmp_path):
    with pytest.raises(NoSuchPathError, match=r"no-such"):
        [*tight.pieces(tmp_path / "no-such.md", "markdown", ())]
    with pytest.raises(NoSuchPathError):
        [*tight.find(tmp_path / "no-such", ())]
    (tmp_path / "a.md").write_text("One.")
    assert tight.look(tmp_path / "a.md") == SourceAtPath("markdown"), "and the child goes on"
    assert len(children()) >= 1


def test_a_child_that_is_not_needed_ends(tmp_path):
    reader = Reader(replace(TIGHT, keep_s=0.1))
    (tmp_path / "a.md").write_text("One.")
    before = {child.pid for child in children()}
    reader.look(tmp_path / "a.md")
    [child] = [child for child in children() if child.pid not in before]
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    assert reader.look(tmp_path / "a.md").kind == "markdown"
    reader.close()


def test_a_child_has_no_network_and_the_lowest_priority(tight, tmp_path):
    if subprocess.run(["unshare", "--net", "--map-current-user", "true"], check=False).returncode:
        pytest.skip("this system lets no process give up its network")
    (tmp_path / "a.md").write_text("One.")
    before = {child.pid for child in children()}
    tight.look(tmp_path / "a.md")
    [child] = [child for child in children() if child.pid not in before]
    assert child.nice() == 19
    assert os.readlink(f"/proc/{child.pid}/ns/net") != os.readlink("/proc/self/ns/net")


def test_a_long_text_that_is_sent_is_cleaned_as_a_short_one_is(profile, tight):
    words = "herons stand still " * 1000
    before = {child.pid for child in children()}
    profile.ingest.add_text(f"{words}and my password: hunter2abc9", source="chat")
    assert {child.pid for child in children()} - before, "a process of its own looked at it"
    profile.ingest.add_text("hunter2abc9 is new", source="chat", before="my password: ")
    [long, short] = profile.texts()
    assert long == f"{words}and my password: [password]"
    assert "hunter2abc9" not in short


def test_a_label_in_a_paragraph_of_its_own_reaches_the_next(profile, tmp_path):
    path = tmp_path / "notes.md"
    path.write_text("# Wifi password:\n\nKirschbaum-Regen-8\n\nThe herons are back.\n\nKirschbaum-Regen-8\n")
    profile.add(path)
    assert profile.texts()[-2:] == ["The herons are back.", "Kirschbaum-Regen-8"], "a name like another one"
    assert "Kirschbaum" not in "".join(profile.texts()[:-1])
