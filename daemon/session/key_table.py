"""The user's own keys: which key does what, how a key is named, and which programs are known to use it themselves.

A key's name is its modifiers and the key, such as `Ctrl+Right`, `Alt+1`, `F8` or `Escape`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

from idiolect.daemon.session import keysyms
from idiolect.daemon.session.keys import (
    ALT,
    BACKSPACE,
    CONTROL,
    DELETE,
    ESCAPE,
    HELD,
    PAUSE,
    RETURN,
    RIGHT,
    SHIFT,
    SUPER,
    TAB,
    Key,
)
from idiolect.daemon.session.suggest_answer import MAX_WORDS

_F1: Final = 0xFFBE
_MODIFIERS: Final = {"Ctrl": CONTROL, "Alt": ALT, "Shift": SHIFT, "Super": SUPER}
_NAMED: Final = {
    "Tab": TAB,
    "Enter": RETURN,
    "Escape": ESCAPE,
    "BackSpace": BACKSPACE,
    "Delete": DELETE,
    "Insert": 0xFF63,
    "Space": 0x20,
    "Home": 0xFF50,
    "End": 0xFF57,
    "Left": 0xFF51,
    "Up": 0xFF52,
    "Right": RIGHT,
    "Down": 0xFF54,
    "PageUp": 0xFF55,
    "PageDown": 0xFF56,
    **{f"F{number}": _F1 + number - 1 for number in range(1, 13)},
}
_VALUES: Final = {name.lower(): value for name, value in (*_NAMED.items(), ("Esc", ESCAPE))}
_NAMES: Final = {value: name for name, value in _NAMED.items()}
_DRAWN: Final = {"Escape": "Esc", "Left": "←", "Up": "↑", "Right": "→", "Down": "↓"}
_FIRST_DIGIT: Final = ord("1")

#: What is known of other programs, by key.
_USES: Final = {
    "Tab": "leads to the next field of a form, and indents in editors",
    "Shift+Tab": "leads to the field before",
    "Enter": "ends a line, and sends the message in chats",
    "Escape": "closes dialogs, and ends insert mode in Vim",
    "Insert": "switches overwriting in editors",
    "Delete": "deletes the next character",
    **dict.fromkeys(("Left", "Right", "Up", "Down", "Home", "End", "PageUp", "PageDown"), "moves the cursor"),
    **dict.fromkeys(("Ctrl+Left", "Ctrl+Right"), "moves the cursor by a word"),
    "Ctrl+A": "selects all",
    "Ctrl+C": "copies, and interrupts in terminals",
    "Ctrl+X": "cuts",
    "Ctrl+V": "pastes",
    "Ctrl+Z": "undoes",
    "Ctrl+Y": "does again what was undone",
    "Ctrl+S": "saves",
    "Ctrl+F": "searches",
    "Ctrl+N": "opens a new window",
    "Ctrl+P": "prints",
    "Ctrl+T": "opens a tab in browsers",
    "Ctrl+W": "closes the tab or window",
    "Ctrl+Q": "quits the program",
    "Ctrl+Enter": "sends in mail and chats",
    "Ctrl+Tab": "changes the tab",
    "Ctrl+Space": "switches the input method in Fcitx, and completes in code editors",
    **dict.fromkeys(("Alt+Left", "Alt+Right"), "goes back and forward in browsers"),
    **dict.fromkeys(
        ("Alt+1", "Ctrl+1"), "changes the tab in browsers and terminals, where no words are shown"
    ),
    "Alt+F4": "closes the window",
    "Alt+Tab": "changes the window",
    "F1": "shows help",
    "F5": "loads a page anew in browsers",
    "F11": "fills the screen in browsers",
    "Ctrl+Alt+T": "opens a terminal on most desktops",
    "Ctrl+Alt+L": "locks the screen on most desktops",
    "Ctrl+Alt+Delete": "ends the session on most desktops",
}


def read_key(name: str) -> Key:
    """Return the key of a name. Raises ValueError with a sentence."""
    name = name.strip().lower()
    *held, last = map(str.strip, name.split("+") if name[-1:] != "+" else [*name[:-2].split("+"), "+"])
    value = _VALUES.get(last) or (keysyms.of_character(last) if len(last) == 1 else None)
    if value is None or (keysyms.character(value) is None and value not in _NAMES):
        raise ValueError("a key is named as in F8, Ctrl+Right or Alt+1")
    modifiers = 0
    for one in filter(None, held):
        if (bit := _MODIFIERS.get(one.capitalize())) is None:
            raise ValueError("with a key Ctrl, Alt, Shift and Super can be held")
        modifiers |= bit
    return Key(value, modifiers)


def name_key(key: Key) -> str:
    """Return the name of a key."""
    held = [name for name, bit in _MODIFIERS.items() if key.modifiers & bit]
    return "+".join((*held, _NAMES.get(key.value) or str(keysyms.character(key.value)).upper()))


def draw_key(key: Key) -> str:
    """Return a key's name as menus and hints have it, such as `Ctrl+→`."""
    *held, last = name_key(key).split("+")
    return "+".join((*held, _DRAWN.get(last, last)))


def find_use(key: Key) -> str | None:
    """Return what programs are known to do with a key; None where nothing is known."""
    return "is the desktop's" if key.modifiers & SUPER else _USES.get(name_key(key))


@dataclass(frozen=True)
class KeyTable:
    """Which key does what. The keys behind that of the first word are those of the next words."""

    grey: Key  # takes the grey text
    next: Key  # takes a word of it
    word: Key  # takes the first word
    hide: Key  # until the next word
    ask: Key  # for words where they do not appear by themselves
    quiet: Key  # shows nothing for a while, and ends that

    @classmethod
    def read(cls, names: Mapping[str, str]) -> KeyTable:
        """Return the usual keys, but for those that are named, by what they do. Raises ValueError with a sentence."""
        known = {one.name for one in fields(cls)}
        return replace(USUAL, **{what: read_key(name) for what, name in names.items() if what in known})

    def names(self) -> dict[str, str]:
        """Return the names of all keys, by what they do."""
        return {one.name: name_key(getattr(self, one.name)) for one in fields(self)}

    def check(self) -> None:
        """Raise ValueError, with a sentence, where a key cannot do what it is to do."""
        if self.word.value == _FIRST_DIGIT:
            fits = bool(self.word.modifiers & ~SHIFT)
        else:
            fits = _F1 <= self.word.value <= _F1 + 12 - MAX_WORDS
        if not fits:
            raise ValueError(
                "the first word takes 1 with Ctrl, Alt or Super, or F1 to F8; the next keys take the others"
            )
        keys = {one.name: getattr(self, one.name) for one in fields(self)}
        for what, key in keys.items():
            name = name_key(key)
            if not key.modifiers & ~SHIFT and (key.value == BACKSPACE or keysyms.character(key.value)):
                raise ValueError(f"{name} is for typing: hold Ctrl, Alt or Super with it")
            if key == PAUSE:
                raise ValueError(f"{name} pauses the learning: name another key")
            other = next((one for one, it in keys.items() if it == key and one != what), None)
            if other is None and what != "word" and self.number(key.value, key.modifiers) is not None:
                other = "word"
            if other is not None:
                raise ValueError(
                    f"{name} is the key of “{other}” already: name another, or change that first"
                )

    def number(self, value: int, state: int) -> int | None:
        """Return of which word a key is, counted from 1; 0 is the digit before, which takes the grey text."""
        number = value - self.word.value + 1
        first, last = (0, 9) if self.word.value == _FIRST_DIGIT else (1, MAX_WORDS)
        return number if state & HELD == self.word.modifiers and first <= number <= last else None

    def of_word(self, number: int) -> Key:
        """Return the key of a word, counted from 1."""
        return Key(self.word.value + number - 1, self.word.modifiers)


#: The keys that hold unless their user chose others.
USUAL: Final = KeyTable(
    grey=Key(TAB),
    next=Key(RIGHT, CONTROL),
    word=Key(_FIRST_DIGIT, ALT),
    hide=Key(ESCAPE),
    ask=Key(ord("-"), ALT),
    quiet=Key(ord("q"), CONTROL | ALT),
)


def choose_keys(names: Mapping[str, str]) -> dict[str, str]:
    """Return the keys, by what they do, that are not the usual ones. Raises ValueError with a sentence."""
    table, usual = KeyTable.read(names), USUAL.names()
    table.check()
    return {what: name for what, name in table.names().items() if name != usual[what]}


def find_uses(names: Mapping[str, str]) -> dict[str, str]:
    """Return what programs are known to do with chosen keys, by what the keys do here."""
    uses = {what: find_use(read_key(name)) for what, name in names.items()}
    return {what: use for what, use in uses.items() if use is not None}
