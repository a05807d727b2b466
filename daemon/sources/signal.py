"""Signal's chats, as the program signal-export writes them: one JSON object a line in each chat's `data.json`.

Signal itself exports no readable text. Format: https://github.com/carderne/signal-export (`sigexport/models.py`)
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from idiolect.daemon.sources.items import Skipped, explained, opened
from idiolect.daemon.sources.people import ChatMessage

_ME: Final = "Me"  # what signal-export calls the user, whatever their name
_LONGEST_BYTES: Final = 1 << 20


def looks(_path: Path, head: bytes) -> bool:
    """Whether the file's first line is a message as signal-export writes it."""
    first = head.partition(b"\n")[0]
    return first.startswith(b'{"date": "') and b'"sender": "' in first and b'"body": "' in first


def messages(path: Path) -> Iterator[ChatMessage | Skipped]:
    """The messages of one chat. Times without a zone are this machine's. Raises UnreadableError, NoSuchPathError."""
    broken = 0
    with opened(path) as file, explained(path):
        while line := file.readline(_LONGEST_BYTES):
            try:
                raw = json.loads(line)
                text = str(raw["body"]).strip()
                said = datetime.fromisoformat(raw["date"])
                at = said.astimezone(UTC)
                writer = str(raw["sender"])
            except (ValueError, KeyError, TypeError, RecursionError, OverflowError, OSError):
                broken += 1
                continue
            if text and not raw.get("deleted") and not raw.get("call"):
                yield ChatMessage(writer, text, at, stamp="" if said.tzinfo else said.isoformat())
    if broken:
        note = f"{path.name}: {broken} lines that are no message"
        yield Skipped(path, "lines that are not JSON", note, broken)


def guess(_path: Path) -> tuple[str, ...]:
    """The user's name is always the same."""
    return (_ME,)
