"""What is shown of work that takes long, where nobody watches and where somebody does."""

import io

from rich.console import Console

from idiolect.daemon.clients.commandline.progress import follow_phases, show_base_build
from idiolect.daemon.clients.commandline.terminal import Terminal

SLOW = "goes slowly, so that your other programs stay quick"


def event(done, waits):
    return {"event": "progress", "phase": "train", "done": done, "left_s": 60.0, "waits": waits}


EVENTS = [
    event(0.1, None),
    event(0.2, SLOW),
    event(0.3, SLOW),
    event(0.4, "waits until `idiolect pause --end`"),
    event(0.5, None),
    {"event": "verdict", "status": "promoted"},
]


def test_each_reason_to_wait_and_each_tenth_are_told_once(capsys):
    assert follow_phases(Terminal(), "Training", EVENTS) == {"status": "promoted"}
    assert capsys.readouterr().err.splitlines() == [
        "Learning how you write …",
        "  10 % done, 1:00 left",
        "  it goes slowly, so that your other programs stay quick",
        "  20 % done, 1:00 left",
        "  30 % done, 1:00 left",
        "  it waits until `idiolect pause --end`",
        "  40 % done, 1:00 left",
        "  it goes on",
        "  50 % done, 1:00 left",
    ]


def test_the_bar_shows_what_the_work_waits_for():
    terminal, shown = Terminal(), io.StringIO()
    terminal.errors = Console(file=shown, force_terminal=True, width=80, highlight=False)
    follow_phases(terminal, "Training", EVENTS[:3])  # it is drawn once more as it ends
    assert "it goes slowly, so that your other programs stay quick" in shown.getvalue()


def test_a_build_without_a_bar_says_how_far_it_is(capsys):
    with show_base_build(Terminal()) as show:
        for done in (0.0, 0.1, 0.3, 0.31, 0.8, 1.0):
            show("build", done)
    assert capsys.readouterr().err.splitlines() == [
        "Building the base model …",
        "  10 % done",
        "  30 % done",
        "  80 % done",
    ]
