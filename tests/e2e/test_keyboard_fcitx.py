"""The keyboard through Fcitx: the tests of IBus in a program of each toolkit, and what may happen to its process."""

import contextlib
import json

import desktop as session
import psutil
import pytest
import test_keyboard
from test_keyboard import ASKING, PROGRAMS, TELLING, editor  # noqa: F401 (a fixture)


@pytest.fixture(scope="module")
def desktop(service, needs_program, tmp_path_factory):
    folder = tmp_path_factory.mktemp("desktop")
    needs = (("fcitx5", "fcitx5"), ("c++", "g++"))
    made = test_keyboard.open_desktop(service, needs_program, folder, "fcitx", *needs)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("editor", "mistyped"), [(name, PROGRAMS[name]) for name in TELLING], indirect=["editor"]
)
def test_words_ghost_texts_and_corrections_are_taken(service, desktop, editor, mistyped):  # noqa: F811
    test_keyboard.test_words_ghost_texts_and_corrections_are_taken(service, desktop, editor, mistyped)


@pytest.mark.parametrize("toolkit", ASKING)
def test_a_password_of_a_program_is_not_offered_for(desktop, needs_program, toolkit):
    test_keyboard.test_a_password_of_a_program_is_not_offered_for(desktop, needs_program, toolkit)


def test_no_key_is_lost_or_doubled_whatever_happens_to_the_keyboards_process(desktop, editor):  # noqa: F811
    """It is stopped, goes on, and is killed, while keys come 100 a second; then Fcitx starts it anew."""
    line = "Every key of these lines stands in its place, at 12 or b4 noon; nothing is lost or doubled.\n"
    running = desktop.engine()
    try:
        for event in (running.suspend, running.resume, running.kill, lambda: None):
            desktop.type(line, delay_ms=10)
            event()
    finally:
        with contextlib.suppress(psutil.Error):
            running.kill()
    typed = (line * 4).rstrip("\n")
    session.wait_for(lambda: editor.text.rstrip("\n").endswith(f" {typed}"), lambda: editor.text)

    def offers():
        desktop.type(" the teal lighthouse keeper Zor")
        desktop.rest()
        return desktop.offering()

    session.wait_for(offers, "words on offer")
    assert desktop.engine() != running
    assert editor.text


def test_status_says_how_it_stands_and_remove_takes_it_out(desktop):
    [found, *_] = json.loads(desktop.idiolect("setup", "--json"))
    assert (found["place"], found["connected"], found["next_step"]) == ("keyboard", True, None)
    desktop.idiolect("setup", "keyboard", "--remove")
    assert not [*desktop.home.glob("data/fcitx5/**/*idiolect*")]
    [found, *_] = json.loads(desktop.idiolect("setup", "--json"))
    assert (found["connected"], found["next_step"]) == (False, "`idiolect setup keyboard`")
