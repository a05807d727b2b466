"""IBus's objects as they go over D-Bus: each is a variant whose first field is the object's kind.

The layouts are those of IBus's `ibus_*_serialize` functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

from idiolect.daemon.session.effects import MenuLine, ShowMenu

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


def menu(shown: ShowMenu) -> Variant:
    """An IBusPropList of one menu."""
    lines = [_property(line, NORMAL if line.checked is None else TOGGLE) for line in shown.lines]
    return _list([_property(MenuLine("idiolect", shown.title), MENU, shown.symbol, lines)])


def _property(line: MenuLine, kind: int, symbol: str = "", below: Sequence[Variant] = ()) -> Variant:
    """An IBusProperty."""
    shown = (text(line.label), "", text(""), True, True, int(bool(line.checked)))
    one: tuple[Any, ...] = ("IBusProperty", {}, line.key, kind, *shown, _list(below), text(symbol))
    return ("(sa{sv}suvsvbbuvv)", one)


def _list(properties: Sequence[Variant]) -> Variant:
    """An IBusPropList."""
    return ("(sa{sv}av)", ("IBusPropList", {}, list(properties)))


def content(variant: Variant) -> str:
    """The characters of an IBusText that came in; "" if it is something else."""
    value = variant[1]
    return value[2] if isinstance(value, tuple) and len(value) > 2 and isinstance(value[2], str) else ""
