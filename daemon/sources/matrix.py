"""Rooms of Matrix that Element exported as JSON.

The file's head is Element's own; `messages` are events as the specification has them:
https://spec.matrix.org/latest/client-server-api/#mroommessage
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from idiolect.daemon.sources.items import Skipped, explained, opened, time_at
from idiolect.daemon.sources.json_objects import JSONError, damaged, objects, places
from idiolect.daemon.sources.people import LOOKED_AT, ChatMessage

_EVENTS: Final = "messages.item"
_TYPED: Final = frozenset({"m.text", "m.emote"})  # a notice is a bot's


def looks(_path: Path, head: bytes) -> bool:
    """Whether a JSON file begins as Element's exports do."""
    return all(key in head for key in (b'"room_name"', b'"exported_by"'))


def messages(path: Path) -> Iterator[ChatMessage | Skipped]:
    """What people typed in the room, without what replies quote; of an edited message, its first version.

    Raises UnreadableError, NoSuchPathError.
    """
    names: dict[str, str] = {}
    try:
        with opened(path) as file, explained(path):
            for _, event in objects(file, {_EVENTS}):
                if not isinstance(event.get("content"), dict):
                    continue
                sender, content = str(event.get("sender") or ""), event["content"]
                if event.get("type") == "m.room.member":
                    names[str(event.get("state_key") or sender)] = str(content.get("displayname") or "")
                if event.get("type") == "m.room.message" and content.get("msgtype") in _TYPED:
                    text = _text(content)
                    if text:
                        yield ChatMessage(sender, text, _at(event), (names.get(sender, ""),))
    except JSONError:
        yield damaged(path)


def guess(path: Path) -> tuple[str, ...]:
    """Who exported the room: an id, or the name that the room showed for it, with the id where the room tells it."""
    name = ""
    try:
        with opened(path) as file, explained(path):
            name = next((value for place, _, value in places(file) if place == "exported_by"), "")
        with opened(path) as file, explained(path):
            for _, event in islice(objects(file, {_EVENTS}), LOOKED_AT):
                if event.get("type") == "m.room.member" and event["content"].get("displayname") == name:
                    return (str(event.get("state_key") or event.get("sender")),)
    except (JSONError, KeyError, AttributeError, TypeError):
        pass
    return (name,) if name.startswith("@") else ()


def _text(content: dict[str, Any]) -> str:
    relates = content.get("m.relates_to")
    relates = relates if isinstance(relates, dict) else {}
    if relates.get("rel_type") == "m.replace":
        return ""
    lines = str(content.get("body") or "").split("\n")
    if "m.in_reply_to" in relates:  # a reply begins with what it answers
        while lines and lines[0].startswith(">"):
            lines.pop(0)
    return "\n".join(lines).strip()


def _at(event: dict[str, Any]) -> datetime | None:
    try:
        return time_at(int(event["origin_server_ts"]) / 1000)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
