"""Mail that the user sent: mbox files, Maildirs, single messages, and the profiles of Thunderbird.

Formats: RFC 4155 (mbox), https://cr.yp.to/proto/maildir.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from email.errors import MessageError
from itertools import islice
from pathlib import Path
from typing import Final

from idiolect.daemon.sources.items import Item, Skipped, explained, opened
from idiolect.daemon.sources.mail_message import end_of_header, typed_text
from idiolect.daemon.sources.people import AuthorFilter
from idiolect.models.regular_files import open_regular, read_regular

_CHUNK_BYTES: Final = 1 << 18
_HELD_BYTES: Final = 1 << 20  # of one message: what comes after that is attachments
_SAMPLE: Final = 1000  # messages that are looked at to see who sends
_FROM_LINE: Final = re.compile(rb"\n\r?\nFrom (?=[^\n]*+\n)[^\n]*?\d\d:\d\d[^\n]*+\n")
_FROM: Final = re.compile(rb"^from:[ \t]*((?:[^\r\n]|\r?\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
_ADDRESS: Final = re.compile(rb"(?<![\w.!#$%&'*+/=?^`{|}~-])[\w.!#$%&'*+/=?^`{|}~-]++@[\w.-]+")
_PREFS_BYTES: Final = 4 << 20
_DELETED: Final = re.compile(r"[:;!]2,[A-Za-z]*T")  # at the end of the name of a Maildir's message
_PREFS_ADDRESS: Final = re.compile(r'user_pref\("mail\.identity\.\w+\.useremail", "([^"@]+@[^"@]+)"\)')
_SENT: Final = re.compile(
    r"(?<![^\W\d_])(?:sent(?:mail|items|messages)?(?![^\W\d_])"  # not "Presentations", "unsent", "sentences"
    r"|gesendet|envoy|enviad|inviat|verzonden|skickat|sendt|lähetetyt|wysłane|odeslan|отправлен|已发送|送信)",
    re.IGNORECASE,
)


def is_mbox(_path: Path, head: bytes) -> bool:
    """Whether a file begins as mbox files do, and goes on with a header."""
    return re.match(rb"From [^\n]*\n(?:>?[\w-]+:)", head) is not None


def is_message(path: Path, head: bytes) -> bool:
    """Whether a file is one message."""
    return path.suffix.lower() == ".eml" or (
        b"\nMIME-Version:" in head
        and _FROM.search(head) is not None
        and re.match(rb"[\w-]+:", head) is not None
    )


def is_maildir(path: Path, _head: bytes) -> bool:
    """Whether a folder is a Maildir."""
    return (
        path.is_dir() and (path / "cur").is_dir() and any((path / part).is_dir() for part in ("new", "tmp"))
    )


def is_thunderbird(path: Path, _head: bytes) -> bool:
    """Whether a folder is a profile of Thunderbird's."""
    return path.is_dir() and (path / "prefs.js").is_file() and bool(boxes(path))


def mbox(path: Path, asked: AuthorFilter) -> Iterator[Item | Skipped]:
    """What the user wrote in the mails of an mbox file, streamed. Raises UnreadableError, NoSuchPathError."""
    return _read(path, _mbox_messages(path), asked)


def message(path: Path, asked: AuthorFilter) -> Iterator[Item | Skipped]:
    """What the user wrote in one mail. Raises UnreadableError, NoSuchPathError."""
    return _read(path, _single(path), asked)


def maildir(path: Path, asked: AuthorFilter) -> Iterator[Item | Skipped]:
    """What the user wrote in the mails of a Maildir. Raises UnreadableError, NoSuchPathError."""
    return _read(path, _maildir_messages(path), asked)


def thunderbird(path: Path, asked: AuthorFilter) -> Iterator[Item | Skipped]:
    """What the user wrote in the folders of a profile that hold sent mail. Raises UnreadableError, NoSuchPathError."""
    ordinal = before = 0
    for box in boxes(path):
        for found in maildir(box, asked) if box.is_dir() else mbox(box, asked):
            if isinstance(found, Item):
                yield Item(found.text, found.at, ordinal, before + found.offset_bytes)
                ordinal += 1
            else:
                yield replace(found, offset_bytes=before + found.offset_bytes)
        before += size_bytes(box)


def size_bytes(path: Path) -> int:
    """The bytes of the mail at a path of any of these kinds; 0 for another folder."""
    if path.is_file():
        return path.stat().st_size
    if is_maildir(path, b""):
        return sum(file.stat().st_size for part in _parts(path) for file in part.iterdir())
    return sum(map(size_bytes, boxes(path)))


def senders(path: Path) -> list[tuple[str, int]]:
    """Who sent the first mails of a file or folder: addresses with how many each, the busiest first."""
    counted: Counter[str] = Counter()
    for raw, _ in islice(_messages(path), _SAMPLE):
        if address := _sender(raw):
            counted[address] += 1
    return counted.most_common()


def guess(path: Path) -> tuple[str, ...]:
    """The user's addresses: of a Thunderbird profile its identities; else who sent nearly all mails there."""
    for folder in (path, *path.parents):
        if addresses := _identities(folder):
            return addresses
    counted = senders(path)
    total = sum(count for _, count in counted)
    named = _SENT.search(path.name) or _SENT.search(path.parent.name)
    enough = 0.5 if named else 0.9
    return (counted[0][0],) if counted and counted[0][1] >= enough * total else ()


def _identities(folder: Path) -> tuple[str, ...]:
    try:
        prefs = read_regular(folder / "prefs.js", _PREFS_BYTES).decode(errors="ignore")
    except OSError:
        return ()
    return tuple(dict.fromkeys(address.lower() for address in _PREFS_ADDRESS.findall(prefs)))


def holds_sent(path: Path) -> bool:
    """Whether a mailbox is one for sent mail, by its name."""
    return _SENT.search(path.name) is not None


def boxes(profile: Path) -> list[Path]:
    """The mbox files and Maildirs of a profile that hold sent mail, by their names."""
    found = []
    for root in (profile / "Mail", profile / "ImapMail"):
        if root.is_dir():
            for path in sorted(root.rglob("*")):
                held = path.is_file() and path.suffix == "" and path.stat().st_size
                if _SENT.search(path.name) and (held or is_maildir(path, b"")):
                    found.append(path)
    return found


def _messages(path: Path) -> Iterator[tuple[bytes, int]]:
    """The messages at a path of any of these kinds, as bytes, with how far into the file they go."""
    if is_maildir(path, b""):
        return _maildir_messages(path)
    if path.is_dir():
        return (found for box in boxes(path) for found in _messages(box))
    with opened(path) as file:
        head = file.read(4096)
    return _mbox_messages(path) if is_mbox(path, head) else _single(path)


def _single(path: Path) -> Iterator[tuple[bytes, int]]:
    with opened(path) as file, explained(path):
        raw = file.read(_HELD_BYTES)
        yield raw, len(raw)


def _maildir_messages(folder: Path) -> Iterator[tuple[bytes, int]]:
    done = 0
    for part in _parts(folder):
        with explained(folder):
            files = sorted(part.iterdir())
        for file in files:
            if _DELETED.search(file.name):
                continue
            try:
                with open_regular(file) as opened_file:
                    raw = opened_file.read(_HELD_BYTES)
            except OSError:  # moved by the mail program meanwhile, or not a file
                continue
            done += len(raw)
            yield raw, done


def _parts(maildir: Path) -> list[Path]:
    """The folders of a Maildir that hold messages; Thunderbird makes no `new`."""
    return [part for part in (maildir / "cur", maildir / "new") if part.is_dir()]


def _mbox_messages(path: Path) -> Iterator[tuple[bytes, int]]:
    """The messages of an mbox file, one after the other; of each, at most `_HELD_BYTES`.

    A message begins after an empty line with one that says `From ` and a time.
    """
    with opened(path) as file, explained(path):
        held = b"\n\n"
        read = 0
        dropping = False  # the rest of a message that was too long
        while chunk := file.read(_CHUNK_BYTES):
            read += len(chunk)
            held += chunk
            start = 0
            while found := _FROM_LINE.search(held, start):
                if found.start() > 1 and not dropping:
                    yield _unescaped(held[start : found.start() + 1]), read - len(held) + found.start()
                dropping = False
                start = found.end()
            held = held[start - 1 if start else 0 :] if start else held
            if len(held) > _HELD_BYTES:
                if not dropping:
                    yield _unescaped(held[:_HELD_BYTES]), read
                dropping = True
                held = held[-4096:]
        if held.strip() and not dropping:
            yield _unescaped(held), read


def _unescaped(raw: bytes) -> bytes:
    """A message without the `>` that mbox files have before a line that begins with `From `."""
    raw = raw.lstrip(b"\r\n")
    return raw.replace(b"\n>From ", b"\nFrom ") if b"\n>From " in raw else raw


def _sender(raw: bytes) -> str:
    """The address in a message's From field, in lower case; "" where there is none."""
    end = end_of_header(raw)[0]
    start = raw.find(b"\nFrom:", 0, end) + 1  # as nearly all write it
    found = _FROM.search(raw, start, end)
    addresses = _ADDRESS.findall(found[1]) if found else ()
    return addresses[-1].decode().lower() if addresses else ""


def _read(path: Path, raws: Iterable[tuple[bytes, int]], asked: AuthorFilter) -> Iterator[Item | Skipped]:
    mine: dict[str, bool] = {}
    for ordinal, (raw, offset) in enumerate(raws):
        sender = _sender(raw)
        if sender not in mine:
            mine[sender] = asked.mine(sender)
        if not mine[sender]:
            yield Skipped(path, "mails of others", offset_bytes=offset)
            continue
        try:
            text, at = typed_text(raw)
        except (MessageError, ValueError, LookupError, AttributeError, TypeError, IndexError, RecursionError):
            # The parser means to take anything, and yet sometimes does not.
            yield Skipped(path, "damaged mails", offset_bytes=offset)
            continue
        if text:
            yield Item(text, at, ordinal, offset)
        else:
            yield Skipped(path, "mails with nothing typed", offset_bytes=offset)
