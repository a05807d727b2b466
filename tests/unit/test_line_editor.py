"""The example of a door: the table of scenarios through it, and its real process in a terminal."""

import itertools
import os
import pty
import select
import subprocess
import sys

import line_editor
import pytest
from line_editor import LineEditor, read_pressed
from serving import serving
from typing_scenarios import Row, key_of, scenarios, text_of
from waiting import DEADLINE_S

from idiolect.daemon.clients.learning_choice import LearningChoice
from idiolect.daemon.session import effects
from idiolect.daemon.session.key_table import read_key

#: What another program does, or a pointer.
ELSEWHERE = {"in", "late", "puts", "undoes", "click", "many lines", "leaves", "comes back"}
MOVES = {"Left", "Right", "Home"}


def fits(scenario):
    """Whether a line can be typed in so: Return ends it, and a move of the cursor is told at once."""
    for (_, verb, rest), (_, then, _) in itertools.pairwise([*scenario.steps, (0, "", "")]):
        pressed = set(rest.split()) if verb == "key" else set()
        if verb in ELSEWHERE or "Return" in pressed or (pressed & MOVES and then != "report"):
            return False
    return True


ROWS = [one for one in scenarios() if fits(one)]


class EditorRow(Row):
    """Runs one scenario in the line editor, and is its runner: the service is the scenario's."""

    def __init__(self, scenario):
        super().__init__(scenario)
        self.editor = LineEditor(self, lambda _line: None)
        self.engine = self.editor.engine

    def handle(self, event, door):
        self.happen(event, door.engine)

    def carry_out(self, due):
        for door, effect in due:
            match effect:
                case effects.AnswerKey(number, used):
                    door.answer_key(number, used=used)
                case effects.InsertText(text, replaced, removed):
                    door.insert(text, replaced, removed)
                case effects.ShowSuggestions():
                    door.show(effect)
                case effects.ShowMenu():
                    door.show_menu(effect)
            super().carry_out([(door, effect)])
            self.text, self.behind = self.editor.before, self.editor.behind

    def begin(self):
        self.editor.begin()

    def do_report(self, rest):
        if rest:
            self.editor.before, _, self.editor.behind = rest.partition("|")
        self.editor.report()

    def press(self, value, state=0):
        self.editor.press(value, state)
        self.text, self.behind = self.editor.before, self.editor.behind

    def do_key(self, rest):
        for name in rest.split():
            self.press(*key_of(name))

    def do_type(self, rest):
        for char in text_of(rest):
            self.press(ord(char))


@pytest.mark.parametrize("scenario", ROWS, ids=str)
def test_what_follows_from_what_is_typed_into_the_line(scenario):
    EditorRow(scenario).run()


def test_in_a_terminal_it_mends_and_learns_what_is_typed(tiny_profile, tmp_path):
    with serving(tiny_profile(tmp_path / "home", threads=1)) as site:
        LearningChoice(site.settings).set(learn=True)
        site.post("/v1/switches", {"corrections": "apply"})
        site.post("/v1/words/add", {"kind": "always_correct", "text": "thier", "replacement": "their"})
        ours, theirs = pty.openpty()
        environment = {**os.environ, "IDIOLECT_HOME": str(site.settings.home)}
        editor = subprocess.Popen(
            [sys.executable, line_editor.__file__],
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        shown = ""

        def shows(text):
            nonlocal shown
            while text not in shown:
                assert select.select([ours], [], [], DEADLINE_S)[0], shown
                shown += os.read(ours, 4096).decode()

        shows("suggests and learns")
        os.write(ours, b"so thier ")
        shows("> so their ")
        os.write(ours, b"own way\r")
        shows("\x1b[Kso their own way\r\n")
        os.write(ours, b"\x04")
        assert editor.wait(DEADLINE_S) == 0
        os.close(ours)
        [learned] = site.post("/v1/audit/texts", {"source": "line-editor"}).json()["texts"]
        assert learned["text"] == "so their own way"


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("\t", "Tab"),
        ("\x1b1", "Alt+1"),
        ("\x1b[1;5C", "Ctrl+Right"),
        ("\x1b\x11", "Ctrl+Alt+Q"),
        ("\x1b\t", "Ctrl+Alt+I"),
        ("\x1bOQ", "F2"),
        ("\x1b[19~", "F8"),
    ],
)
def test_what_a_terminal_sends_is_a_key(sent, name):
    key = read_key(name)
    assert read_pressed(sent) == (key.value, key.modifiers)
