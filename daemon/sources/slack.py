"""Slack's exports: a zip archive, or the folder that it was unpacked to, with a JSON file for each channel and day.

Format: https://slack.com/help/articles/220556107-How-to-read-Slack-data-exports
"""

from __future__ import annotations

import json
import lzma
import re
import zipfile
import zlib
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from idiolect.daemon.regular_files import read_regular
from idiolect.daemon.sources.items import Skipped, explained, refuse_many
from idiolect.daemon.sources.lines import unescaped
from idiolect.daemon.sources.people import ChatMessage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TYPED: Final = frozenset({None, "thread_broadcast", "me_message", "file_share"})
_LARGEST_BYTES: Final = 16 << 20  # of one day's file
_CODE: Final = re.compile(r"```[\s\S]*?(?:```|$)|`([^`\n]+)`")
_LINK: Final = re.compile(r"<(?:https?|mailto|tel):[^<>|]*+(?:\|([^<>]*+))?>")
_CHANNEL: Final = re.compile(r"<#\w++\|?([^<>]*+)>")
_PERSON: Final = re.compile(r"<@(\w++)(?:\|[^<>]*+)?>")
_SPECIAL: Final = re.compile(r"<!(?:subteam\^\w++\|)?@?([^<>|]*+)[^<>]*+>")
_QUOTE: Final = re.compile(r"^&gt;.*$", re.MULTILINE)


def looks(path: Path, head: bytes) -> bool:
    """Whether this is an export: it holds a list of its users and of its channels."""
    if path.is_dir():
        return (path / "users.json").is_file() and (path / "channels.json").is_file()
    if not head.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return {"users.json", "channels.json"} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def messages(path: Path) -> Iterator[ChatMessage | Skipped]:
    """All messages that people typed, by channel and day; `also` has a person's id, names and address.

    Raises UnreadableError, NoSuchPathError.
    """
    with explained(path), _members(path) as (names, read):
        people = _people(_parsed(read("users.json")))
        for name in sorted(names):
            if name.count("/") != 1 or not name.endswith(".json"):
                continue
            day = _parsed(read(name))
            if not isinstance(day, list):
                yield Skipped(path, "damaged JSON", f"{path.name}: {name} is damaged")
                continue
            for raw in day:
                if isinstance(raw, dict) and raw.get("type") == "message" and raw.get("subtype") in _TYPED:
                    also = people.get(str(raw.get("user")), (str(raw.get("user") or ""),))
                    text = _text(str(raw.get("text") or ""), people)
                    if text:
                        yield ChatMessage(also[0], text, _at(raw), also[1:])


def guess(_path: Path) -> tuple[str, ...]:
    """Nobody: an export does not say who asked for it."""
    return ()


def _people(users: Any) -> dict[str, tuple[str, ...]]:
    """By id: the name to show, and all other names by which a person may be known."""
    people = {}
    for user in users if isinstance(users, list) else ():
        if not isinstance(user, dict):
            continue
        profile = user["profile"] if isinstance(user.get("profile"), dict) else {}
        keys = (
            profile.get("display_name"),
            profile.get("real_name"),
            user.get("real_name"),
            user.get("name"),
        )
        names = [str(name) for name in (*keys, profile.get("email"), user.get("id")) if name]
        people[str(user.get("id"))] = tuple(dict.fromkeys(names))
    return people


def _text(text: str, people: dict[str, tuple[str, ...]]) -> str:
    """What was typed, in Slack's mrkdwn, as it is seen; without code and quotations."""
    text = _CODE.sub(lambda match: match[1] or "", _QUOTE.sub("", text))
    text = _PERSON.sub(lambda match: f"@{people.get(match[1], (match[1],))[0]}", text)
    text = _CHANNEL.sub(lambda match: f"#{match[1]}" if match[1] else "", text)
    text = _LINK.sub(lambda match: match[1] or "", text)
    text = _SPECIAL.sub(r"@\1", text)
    return unescaped(text).strip()


def _at(raw: dict[str, Any]) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(raw["ts"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


@contextmanager
def _members(path: Path) -> Iterator[tuple[list[str], Any]]:
    """The names of the export's files, and what reads one of them (nothing of one that is unreasonably large)."""
    if path.is_dir():
        names = [file.relative_to(path).as_posix() for file in path.glob("*/*.json")]

        def read(name: str) -> bytes:
            try:
                return read_regular(path / name, _LARGEST_BYTES)
            except OSError:
                return b""

        yield names, read
        return
    with zipfile.ZipFile(path) as archive:

        def read_member(name: str) -> bytes:
            try:
                return archive.read(name) if archive.getinfo(name).file_size <= _LARGEST_BYTES else b""
            except (
                *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError),
                *(RuntimeError, NotImplementedError, OSError),
            ):
                return b""

        refuse_many(len(archive.namelist()))
        yield archive.namelist(), read_member
