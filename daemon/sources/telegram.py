"""Telegram's exports in JSON: one chat, or the whole account (Telegram Desktop's `result.json`).

Format: https://core.telegram.org/import-export
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from idiolect.daemon.sources.items import Skipped, explained, opened, time_at
from idiolect.daemon.sources.json_objects import JSONError, damaged, objects, places
from idiolect.daemon.sources.people import LOOKED_AT, ChatMessage

#: Parts of a message that nobody typed, or nobody typed as sentences.
_NO_PROSE: Final = frozenset({"link", "code", "pre", "blockquote", "bot_command", "email", "phone"})
_CHAT: Final = "messages.item"
_ACCOUNT: Final = "chats.list.item.messages.item"
_LEFT_CHAT: Final = "left_chats.list.item.messages.item"


def looks(_path: Path, head: bytes) -> bool:
    """Whether a JSON file begins as Telegram's exports do."""
    one = b'"messages"' in head and b'"type"' in head and (b'"from_id"' in head or b'"actor_id"' in head)
    account = b'"personal_information"' in head and b'"user_id"' in head
    return head.lstrip()[:1] == b"{" and (one or account or (b"Telegram" in head and b'"about"' in head))


def messages(path: Path) -> Iterator[ChatMessage | Skipped]:
    """The messages that were typed; forwarded ones and those sent by way of a bot are left out.

    Raises UnreadableError, NoSuchPathError.
    """
    try:
        with opened(path) as file, explained(path):
            for _, raw in objects(file, {_CHAT, _ACCOUNT, _LEFT_CHAT}):
                if raw.get("type") == "message" and not {"forwarded_from", "via_bot"} & raw.keys():
                    text = _text(raw.get("text_entities") or raw.get("text"))
                    writer = str(raw.get("from") or raw.get("from_id") or "")
                    if text.strip():
                        local = "" if raw.get("date_unixtime") else str(raw.get("date") or "")
                        also = (str(raw.get("from_id") or ""),)
                        yield ChatMessage(writer, text, _at(raw), also, local)
    except JSONError:
        yield damaged(path)


def guess(path: Path) -> tuple[str, ...]:
    """The account's own id; in a single chat of two, the id that is not the chat's own."""
    found: dict[str, Any] = {}
    try:
        with opened(path) as file, explained(path):
            for prefix, event, value in places(file):
                if event in ("string", "number") and prefix in ("personal_information.user_id", "type", "id"):
                    found[prefix] = value
                if prefix in ("messages", "chats") and event.startswith("start"):
                    break
    except JSONError:
        return ()
    if account := found.get("personal_information.user_id"):
        return (f"user{account}",)
    if found.get("type") == "saved_messages":
        return (f"user{found.get('id')}",)
    if found.get("type") == "personal_chat":
        other = f"user{found.get('id')}"
        first = islice(messages(path), LOOKED_AT)
        ids = {message.also[0] for message in first if isinstance(message, ChatMessage)} - {other, ""}
        return tuple(ids) if len(ids) == 1 else ()
    return ()


def _text(parts: Any) -> str:
    if isinstance(parts, str):
        return parts
    typed = []
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, str):
            typed.append(part)
        elif isinstance(part, dict) and part.get("type") not in _NO_PROSE:
            typed.append(str(part.get("text") or ""))
    return "".join(typed)


def _at(raw: dict[str, Any]) -> datetime | None:
    try:
        if unix := raw.get("date_unixtime"):
            return time_at(int(unix))
        return datetime.fromisoformat(str(raw.get("date"))).astimezone(UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        return None
