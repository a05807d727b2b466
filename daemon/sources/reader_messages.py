"""The messages between the service and the child process that reads files, as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from idiolect.daemon.sources.items import FoundFile, Item, Skipped
from idiolect.daemon.sources.source_discovery import FoundSource

Found: TypeAlias = Item | Skipped | FoundFile | FoundSource


def packed(found: Found) -> list[Any]:
    """A value that JSON can hold."""
    if isinstance(found, Item):
        at = found.at.isoformat() if found.at else None
        return ["item", found.text, at, *astuple(found)[2:]]
    name = next(name for name, kind in _KINDS.items() if isinstance(found, kind))
    return [name, *(str(part) if isinstance(part, Path) else part for part in astuple(found))]


def unpacked(row: list[Any]) -> Found:
    """The opposite of `packed`."""
    name, *parts = row
    return _UNPACK[name](parts)


def _item(parts: list[Any]) -> Item:
    text, at, *rest = parts
    return Item(text, datetime.fromisoformat(at) if at else None, *rest)


def _source(parts: list[Any]) -> FoundSource:
    path, sort, says, me, *rest = parts
    return FoundSource(Path(path), sort, says, tuple(me), *rest)


_KINDS = {"skipped": Skipped, "file": FoundFile, "source": FoundSource}
_UNPACK: dict[str, Callable[[list[Any]], Found]] = {
    "item": _item,
    "skipped": lambda parts: Skipped(Path(parts[0]), *parts[1:]),
    "file": lambda parts: FoundFile(Path(parts[0]), *parts[1:]),
    "source": _source,
}
