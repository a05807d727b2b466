"""IBus's objects as they go over D-Bus: each is a variant whose first field is the object's kind.

The layouts are those of IBus's `ibus_*_serialize` functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

#: A D-Bus variant: signature and value.
Variant: TypeAlias = tuple[str, Any]

_FOREGROUND, _UNDERLINE = 2, 1
_GREY: Final = 0x888888
_HORIZONTAL: Final = 0
_NO_LABEL: Final = "\u200b"  # where it is empty, IBus and GNOME write a number
NORMAL, TOGGLE, MENU = 0, 1, 3


def text(content: str, *, grey: bool = False) -> Variant:
    """An IBusText; in grey as ghost texts are."""
    return text_of([(content, grey)])


def text_of(pieces: Iterable[tuple[str, bool]]) -> Variant:
    """An IBusText of several pieces, each in grey or not."""
    content, attributes = "", []
    for piece, grey in pieces:
        start, content = len(content), content + piece
        for kind, value in ((_FOREGROUND, _GREY), (_UNDERLINE, 0)) if grey else ():
            one: tuple[Any, ...] = ("IBusAttribute", {}, kind, value, start, len(content))
            attributes.append(("(sa{sv}uuuu)", one))
    held: Variant = ("(sa{sv}av)", ("IBusAttrList", {}, attributes))
    return ("(sa{sv}sv)", ("IBusText", {}, content, held))


def lookup_table(entries: Sequence[Iterable[tuple[str, bool]]]) -> Variant:
    """An IBusLookupTable that lies down: entries side by side, none of them selected, without numbers of its own."""
    page = max(len(entries), 1)
    shown, labels = [text_of(entry) for entry in entries], [text(_NO_LABEL)] * page
    held: tuple[Any, ...] = ("IBusLookupTable", {}, page, 0, False, False, _HORIZONTAL, shown, labels)
    return ("(sa{sv}uubbiavav)", held)


@dataclass(frozen=True)
class Property:
    """A line of the indicator's menu. `checked` None: a line to press, or, with `below`, a menu."""

    key: str
    label: str
    checked: bool | None = None
    sensitive: bool = True
    symbol: str = ""
    below: tuple[Property, ...] = ()

    def variant(self) -> Variant:
        """The IBusProperty."""
        kind = MENU if self.below else NORMAL if self.checked is None else TOGGLE
        state = int(bool(self.checked))
        shown = (text(self.label), "", text(""), self.sensitive, True, state)
        one: tuple[Any, ...] = (
            "IBusProperty",
            {},
            self.key,
            kind,
            *shown,
            properties(self.below),
            text(self.symbol),
        )
        return ("(sa{sv}suvsvbbuvv)", one)


def properties(these: Sequence[Property]) -> Variant:
    """An IBusPropList."""
    return ("(sa{sv}av)", ("IBusPropList", {}, [one.variant() for one in these]))


def content(variant: Variant) -> str:
    """The characters of an IBusText that came in; "" if it is something else."""
    value = variant[1]
    return value[2] if isinstance(value, tuple) and len(value) > 2 and isinstance(value[2], str) else ""
