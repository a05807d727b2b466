"""The program's own export: known by how its files begin, and restored as it was kept instead of read as a text.

Each line of JSON that `idiolect export everything` writes begins with the program's name and says what it holds, so a
part of such a file is known, too. Only entries are restored; what else an export holds is left out and counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeGuard

from idiolect.daemon.sources.documents import JSON_BYTES, OWN_KEY, time_of
from idiolect.daemon.sources.items import Item, Kept, Skipped, explained, opened
from idiolect.daemon.sources.lines import Lines
from idiolect.daemon.sources.people import AuthorFilter
from idiolect.daemon.storage.selectors import MAX_CHARS

#: What a line that holds an entry says of itself.
ENTRY: Final = "entry"
#: How the export's note for people begins.
README_HEAD: Final = "This folder holds what idiolect knew of one person"

_HEADS: Final = (f'{{"{OWN_KEY}": "'.encode(), README_HEAD.encode())
_KEY: Final = re.compile(r"[0-9a-f]{64}")
_MAX_ID: Final = 2**63 - 1


def line(holds: str, row: dict[str, Any]) -> dict[str, Any]:
    """A line of an export as JSON writes it: `row`, and before it what it `holds`."""
    return {OWN_KEY: holds, **row}


def looks(_path: Path, head: bytes) -> bool:
    """Whether a file begins as a file of an export does."""
    return head.startswith(_HEADS)


def read(path: Path, _asked: AuthorFilter) -> Iterator[Item | Skipped]:
    """The entries in a file of an export, each with what was kept of it. Raises UnreadableError, NoSuchPathError."""
    with opened(path) as file, explained(path):
        lines = Lines(file)
        for ordinal, whole in enumerate(lines.whole(JSON_BYTES)):
            found = None if whole is None else _entry(lines.decoded(whole), ordinal, lines.offset_bytes)
            yield found or Skipped(
                path, "lines that are no entries of an export", None, 1, lines.offset_bytes
            )


def _entry(written: str, ordinal: int, offset_bytes: int) -> Item | None:
    """The entry on a line; None where it holds none."""
    try:
        row = json.loads(written)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or row.get(OWN_KEY) != ENTRY:
        return None
    text, source, app, store = (row.get(name) for name in ("text", "source", "app", "store"))
    key, id_, at = row.get("key"), row.get("id"), time_of(row.get("ts"))
    if not (isinstance(text, str) and _is_name(source) and at is not None):
        return None
    if app is not None and not _is_name(app):
        return None
    if not (isinstance(key, str) and _KEY.fullmatch(key) and isinstance(id_, int) and 0 < id_ <= _MAX_ID):
        return None
    kept = Kept(key, source, app, id_, store if isinstance(store, str) else None)
    return Item(text.encode(errors="ignore").decode(), at, ordinal, offset_bytes, kept=kept)


def _is_name(value: object) -> TypeGuard[str]:
    return (
        isinstance(value, str) and 0 < len(value.encode(errors="ignore")) <= MAX_CHARS and value.isprintable()
    )
