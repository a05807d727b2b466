"""A line editor in a terminal, as an example of a door: `.venv/bin/python tests/line_editor.py`; Ctrl+D ends it.

This door is the program, too: a key that the session passes on edits the line, and each change is reported.
"""

import asyncio
import os
import termios
import tty

from idiolect.daemon.clients.session_runner import SessionRunner
from idiolect.daemon.session import events, keys, keysyms
from idiolect.daemon.session.effects import ShowSuggestions
from idiolect.daemon.session.engine import Engine
from idiolect.daemon.session.key_table import read_key
from idiolect.daemon.settings import Settings

CLIENT = "line-editor"
#: What terminals send, and the key; `\x1b` before it is Alt.
SENT = {
    **dict(zip(("\t", "\x7f", "\x1b", "\x1b[3~"), ("Tab", "BackSpace", "Escape", "Delete"), strict=True)),
    **dict(zip(("\x1b[C", "\x1b[D", "\x1b[H", "\x1b[F"), ("Right", "Left", "Home", "End"), strict=True)),
    **dict(zip(("\x1b[1;5C", "\x1b[1;5D", "\x1b\t"), ("Ctrl+Right", "Ctrl+Left", "Ctrl+Alt+I"), strict=True)),
    **{f"\x1bO{letter}": f"F{number}" for number, letter in enumerate("PQRS", 1)},
    **{f"\x1b[{code}~": f"F{number}" for number, code in enumerate((15, 17, 18, 19, 20, 21, 23, 24), 5)},
}


def read_pressed(sent):
    """X's number of the pressed key, and of its modifiers; None where it is not known."""
    if sent in SENT:
        key = read_key(SENT[sent])
        return key.value, key.modifiers
    if sent[:1] == "\x1b" and (found := read_pressed(sent[1:])) is not None:
        return found[0], found[1] | keys.ALT
    if len(sent) == 1 and "\x01" <= sent <= "\x1a":
        return ord(sent) + 0x60, keys.CONTROL
    return (keysyms.of_character(sent), 0) if len(sent) == 1 and sent.isprintable() else None


class LineEditor:
    """One line, which is edited with the keys that the session passes on."""

    def __init__(self, runner, draw):
        self._runner, self._draw, self.engine = runner, draw, Engine(runner.session, self)
        self.before, self.behind, self._lines, self._used = "", "", 0, False  # before and behind the cursor
        self.shown, self.title = ShowSuggestions(), ""

    def begin(self):
        """Begin a line, which is a field of its own."""
        self._lines += 1
        self.before = self.behind = ""
        self._tell(events.CapabilitiesTold(reports=True, preedit=True, handles_keys_at_once=True))
        self._tell(events.FocusCame(f"line {self._lines}", CLIENT))
        self.report()

    def leave(self):
        """Leave the line: it is learned if its user wants that."""
        self._tell(events.FocusGone())

    def report(self):
        """Tell what stands around the cursor."""
        at = len(self.before)
        self._tell(events.TextReported(self.before + self.behind, at, at))

    def press(self, value, state=0):
        """Take a key: the session's, or the line's."""
        self.report()
        self._tell(events.KeyPressed(value, 0, state, at_once=True))
        if not self._used:
            self._edit(value, state)
        self.report()

    def _edit(self, value, state):
        char = None if keysyms.is_shortcut(state) else keysyms.character(value)
        text, at = self.before + self.behind, len(self.before)
        if char:
            self.before += char
        elif value == keys.BACKSPACE:
            self.before = self.before[:-1]
        elif value == keys.DELETE:
            self.behind = self.behind[1:]
        else:
            moves = {"Left": max(at - 1, 0), "Right": at + 1, "Home": 0, "End": len(text)}
            at = next((to for name, to in moves.items() if read_key(name).fits(value, state)), at)
            self.before, self.behind = text[:at], text[at:]

    def _tell(self, event):
        self._runner.handle(event, self)
        self._draw(self.drawn())

    # What the session wants of a door

    def answer_key(self, _number, *, used):
        self._used = used

    def insert(self, text, replaced, _removed):
        self.before = self.before[: len(self.before) - replaced] + text

    def show(self, show):
        self.shown = show
        self._draw(self.drawn())

    def show_menu(self, menu):
        self.title = f"{menu.symbol} {menu.title}"

    def place_window(self, _y):
        """Do nothing: there is no window."""

    def drawn(self):
        """The line with what is shown: grey text at the cursor, and behind the line each word with its key."""
        show = self.shown
        keyed = [*zip(show.word_keys, show.words, strict=True), (show.ghost_key, show.ghost.strip())]
        hints = [f"{key} {text}" for key, text in keyed if text]
        rest = f"{self.behind}   \x1b[2m{'  '.join([*hints, show.note or self.title])}\x1b[0m"
        return f"\r\x1b[K> {self.before}\x1b7\x1b[2m{show.ghost}\x1b[0m{rest}\x1b8"


async def main():
    """Edit lines until Ctrl+D."""
    runner, ended, loop = SessionRunner(Settings(), CLIENT), asyncio.Event(), asyncio.get_running_loop()
    editor, kept = LineEditor(runner, lambda line: print(line, end="", flush=True)), termios.tcgetattr(0)

    def read():
        sent = os.read(0, 64).decode(errors="replace")
        # A key that is no character comes as one reading; typed ahead or pasted, characters come together.
        for one in [sent] if sent[:1] in ("", "\x1b") else sent:
            if one in ("\x04", ""):
                ended.set()
            elif one == "\r":
                editor.leave()
                print(f"\r\x1b[K{editor.before}{editor.behind}", end="\r\n")
                editor.begin()
            elif (pressed := read_pressed(one)) is not None:
                editor.press(*pressed)

    tty.setraw(0)
    loop.add_reader(0, read)
    try:
        runner.start()
        editor.begin()
        await ended.wait()
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, kept)
        editor.leave()
        await runner.finish()


if __name__ == "__main__":
    asyncio.run(main())
