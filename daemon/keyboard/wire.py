"""IBus's objects as they go over D-Bus: each is a variant whose first field is the object's kind.

The layouts are those of IBus's `ibus_*_serialize` functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A D-Bus variant: signature and value.
Variant: TypeAlias = tuple[str, Any]

_FOREGROUND, _UNDERLINE = 2, 1
_GREY: Final = 0x888888
_VERTICAL: Final = 1
NORMAL, TOGGLE, MENU = 0, 1, 3


def text(content: str, *, grey: bool = False) -> Variant:
    """An IBusText; in grey as ghost texts are."""
    attributes = []
    if grey:
        for kind, value in ((_FOREGROUND, _GREY), (_UNDERLINE, 0)):
            one: tuple[Any, ...] = ("IBusAttribute", {}, kind, value, 0, len(content))
            attributes.append(("(sa{sv}uuuu)", one))
    held: Variant = ("(sa{sv}av)", ("IBusAttrList", {}, attributes))
    return ("(sa{sv}sv)", ("IBusText", {}, content, held))


def lookup_table(words: Sequence[str], selected: int | None) -> Variant:
    """An IBusLookupTable, one word a line, with its digit before it."""
    entries = [text(word) for word in words]
    labels = [text(f"{number}.") for number in range(1, len(words) + 1)]
    size = max(len(words), 1)
    table: tuple[Any, ...] = (
        "IBusLookupTable",
        {},
        size,
        selected or 0,
        selected is not None,
        True,
        _VERTICAL,
        entries,
        labels,
    )
    return ("(sa{sv}uubbiavav)", table)


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
