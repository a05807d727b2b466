"""A file that a stranger made to cost much, and the real service: who types waits for none, and nothing outlives it."""

import threading

import forked
import httpx
import psutil
import pytest
from waiting import DEADLINE_S, until

from idiolect.daemon.runtime import process


@pytest.fixture
def service(new_service, tmp_path, monkeypatch):
    for name, value in forked.NEW.items():  # so that its reader is its own child
        monkeypatch.setenv(name, value)
    found = new_service(tmp_path / "profile")
    process.start(found.settings.prepare())
    yield found
    process.stop(found.settings)


def test_suggestions_are_answered_while_a_hostile_file_is_read_and_its_reader_ends_with_the_service(
    service, tmp_path
):
    mail = (
        tmp_path / "letter.eml"
    )  # a library of C parses it in minutes, and lets no other thread run meanwhile
    mail.write_text(
        f"From: a@b.example\nMIME-Version: 1.0\nContent-Type: text/html\n\n{'<div>' * 200_000}hello\n"
    )
    answers = []

    def read():
        try:
            answers.append(service.ask("/v1/import", paths=[str(mail)], me=["a@b.example"]))
        except httpx.HTTPError:
            answers.append(None)

    found = psutil.Process(process.find(service.settings).pid)
    reading = threading.Thread(target=read)
    reading.start()
    until(lambda: any(child.cpu_times().user > 1 for child in found.children()))
    for number in range(20):
        assert "words" in service.ask("/v1/suggest", prefix=f"See you on the {number}")
    assert not answers, "the file is still being read"
    children = found.children()
    found.kill()
    found.wait(DEADLINE_S)
    reading.join(DEADLINE_S)
    assert answers == [None]
    psutil.wait_procs(children, timeout=DEADLINE_S)
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
