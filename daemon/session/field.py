"""The field that is typed into: its program and purpose, and whether to suggest or learn there."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from idiolect.daemon.session.mending import MendedWords
from idiolect.daemon.text.secret_apps import TERMINALS

#: IBus's input purposes, by number; the names are those of GTK and of `/v1/suggest`.
PURPOSES: Final = (
    *("free-form", "alpha", "digits", "number", "phone", "url", "email", "name", "password", "pin"),
    "terminal",
)
#: Purposes without prose: nothing is suggested there, and nothing learned.
_NO_PROSE: Final = frozenset(("digits", "number", "phone", "url", "email", "password", "pin"))
HINT_PRIVATE: Final = 1 << 11
PAGE_APP: Final = "browser"
_HINT_HIDDEN: Final = 1 << 12

#: IBus's names for clients that are no names of programs; "xim" is every program that speaks X's older protocol.
_NAMELESS: Final = frozenset(
    ("", "xim", "fake", "gnome-shell", "ibus-wayland", "wayland", "portal", "python3", "qibusinputcontext")
)

#: Begins the names of Fcitx's clients; Fcitx is not told of private windows.
FCITX: Final = "fcitx:"
#: IBus's names for clients of GTK. There each field has an input context of its own, and a ghost text in it is grey;
#: Qt shows it as if it were typed.
_GTK: Final = ("gtk-im:", "gtk3-im:", "gtk4-im:")
#: Programs that use GTK for input alone, with one context for all fields. They insert a ghost text at a click, or
#: report it to a page.
_NO_GTK: Final = (
    "chrom",
    "brave",
    "edge",
    "vivaldi",
    "opera",
    "firefox",
    "librewolf",
    "thunderbird",
    "electron",
    "soffice",
)

#: Browsers have private windows, which only browsers that IBus knows by their name mark.
_BROWSER: Final = re.compile(
    r"firefox|nightly|librewolf|waterfox|floorp|\bzen\b|ice(cat|weasel)|seamonkey|pale ?moon|basilisk"
    r"|chrom(e|ium)|\bbrave\b|\bedge\b|vivaldi|\bopera\b"
    r"|epiphany|\bweb$|konqueror|falkon|midori|qutebrowser|luakit|netsurf|dillo|browser",
    re.I,
)

#: Programs to write code in.
_CODE_EDITOR: Final = re.compile(
    r"\b(code|codium|vscodium|code-oss|cursor|zed|lapce|emacs|[gn]?vim|nvim-qt|neovide|geany|kate|kdevelop|qtcreator"
    r"|gnome-builder|sublime_text|eclipse|netbeans|jetbrains\S*|idea|pycharm|clion|webstorm|goland|rider|phpstorm"
    r"|rubymine|datagrip|android-studio|spyder|rstudio|arduino\S*|thonny|idle\d*|octave\S*|dbeaver)\b",
    re.I,
)
#: Purposes of a name, or of letters alone.
_ONE_WORD: Final = frozenset(("alpha", "name"))

_TERMINAL: Final = re.compile("|".join(map(fnmatch.translate, TERMINALS)), re.I)

_NO_PROGRAM: Final = "fake"  # the client with the focus where no program has it

Unknown = Literal["allow", "quiet", "exclude"]


@dataclass(frozen=True)
class Field:
    """A field.

    `client` is IBus's name of the program, such as "gtk3-im:mousepad"; `window` is the class of the focused window if
    IBus has no name: None is not known yet, "" cannot be known. `many_lines`: it has room for several lines.
    """

    client: str = ""
    window: str | None = None
    purpose: int = 0
    hints: int = 0
    many_lines: bool = False

    #: Whether it is a document of an editor, whose whole text is known; how it is read is the editor's business.
    is_document = False
    #: Whether the door takes what is shown by itself: no key is used up here, and a word brings its space.
    door_takes = False

    @property
    def app(self) -> str | None:
        """The program's name; None if it is not known, as in the entries of GNOME's own shell."""
        if not self.nameless:
            return self.client.rpartition(":")[2]
        window = self.window or ""
        return None if window.lower() in _NAMELESS else window

    @property
    def has_own_context(self) -> bool:
        """Whether it is a field of GTK, known again by its own input context."""
        client = self.client.lower()
        return client.startswith(_GTK) and not any(name in client for name in _NO_GTK)

    @property
    def shows_inline(self) -> bool:
        """Whether a ghost text is shown at the cursor here, else in the window."""
        return self.has_own_context and not self.terminal

    @cached_property
    def nameless(self) -> bool:
        """Whether IBus does not know the program's name."""
        return self.client.rpartition(":")[2].lower() in _NAMELESS

    @property
    def awaits_name(self) -> bool:
        """Whether the program's name is to be found elsewhere."""
        return self.nameless and self.window is None and self.client != _NO_PROGRAM

    @property
    def input_purpose(self) -> str:
        """The field's purpose, as `/v1/suggest` takes it."""
        name = PURPOSES[self.purpose] if self.purpose < len(PURPOSES) else "free-form"
        return f"{name} hidden-text" if self.hints & _HINT_HIDDEN else name

    @property
    def private(self) -> bool:
        """Whether the program marks the field as private."""
        return bool(self.hints & HINT_PRIVATE)

    @cached_property
    def terminal(self) -> bool:
        """Whether it is a terminal, by its purpose or its program."""
        return self.input_purpose == "terminal" or (self.app is not None and bool(_TERMINAL.match(self.app)))

    @property
    def mends(self) -> bool:
        """Whether sure corrections may be made by themselves: no terminal, code or field for a name."""
        code = self.app is not None and bool(_CODE_EDITOR.search(self.app))
        return not (self.terminal or code or self.input_purpose in _ONE_WORD)

    def suggests(self, *, terminals: bool, unknown: Unknown) -> bool:
        """Return whether words may be offered here; the service has its rules besides."""
        if self.private or self.input_purpose in _NO_PROSE or self.hints & _HINT_HIDDEN:
            return False
        if (self.terminal and not terminals) or (self.nameless and self.window is None):
            return False
        return self.app is not None or unknown != "exclude"

    def learns(self, *, unknown: Unknown) -> bool:
        """Return whether text written here may be learned; the service has its rules besides."""
        if self.terminal or not self.suggests(terminals=False, unknown=unknown):
            return False
        unmarked = self.nameless or self.client.startswith(FCITX)
        if unmarked and self.app is not None and _BROWSER.search(self.app):
            return False
        return self.app is not None or unknown == "allow"


@dataclass(frozen=True)
class KnownField(Field):
    """A field that is known again, and told of where its user has allowed that: whether to mend or learn there, too."""

    is_mended: bool = True
    is_learned: bool = True

    @property
    def has_own_context(self) -> bool:
        """Whether it is known again by its name."""
        return True

    @property
    def mends(self) -> bool:
        """Whether sure corrections may be made by themselves."""
        return self.is_mended

    def suggests(self, *, terminals: bool, unknown: Unknown) -> bool:  # noqa: ARG002 (rules of the keyboard)
        """Return True: a door tells of no other field."""
        return True

    def learns(self, *, unknown: Unknown) -> bool:  # noqa: ARG002 (a rule of the keyboard)
        """Return whether text written here may be learned."""
        return self.is_learned


@dataclass(frozen=True)
class Document(KnownField):
    """A document of an editor: its name for it, and the editor's own name."""

    client: str = "editor"
    many_lines: bool = True
    uri: str = ""
    editor: str | None = None

    is_document = True

    @property
    def app(self) -> str | None:
        """The editor's name."""
        return self.editor


@dataclass(frozen=True)
class PageField(KnownField):
    """A field of a web page; `purpose_named` is what the page says that belongs there, as `/v1/suggest` takes it."""

    purpose_named: str = ""

    door_takes = True

    @property
    def app(self) -> str | None:
        """The name that all pages have."""
        return PAGE_APP

    @property
    def input_purpose(self) -> str:
        """The field's purpose, as its page names it."""
        return self.purpose_named


@dataclass
class InputContext:
    """What is known of a door's input context from before, in which one field may come after another."""

    typed_in: bool = False  # a cursor that comes back may be anywhere
    many_lines: bool = False  # it is of one field, with room for several lines
    mended: MendedWords = field(default_factory=MendedWords)
