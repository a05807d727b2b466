"""Mail that the user sent: mbox files, Maildirs, single messages, and the profiles of Thunderbird.

Formats: RFC 5322 and 2045 to 2047 (messages), RFC 4155 (mbox), https://cr.yp.to/proto/maildir.html
"""

from __future__ import annotations

import binascii
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

from selectolax.lexbor import LexborHTMLParser

from idiolect.daemon.sources.readers import Item, Skipped, explained, opened
from idiolect.daemon.sources.replies import own_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from idiolect.daemon.sources.people import Asked

_CHUNK_BYTES: Final = 1 << 18
_HELD_BYTES: Final = 1 << 20  # of one message: what comes after that is attachments
_DEEPEST: Final = 20  # parts within parts
_SAMPLE: Final = 1000  # messages that are looked at to see who sends
_MOST_TEXT: Final = 200_000  # characters of one mail: longer ones were not typed
_FROM_LINE: Final = re.compile(rb"\n\r?\nFrom [^\n]*\d\d:\d\d[^\n]*\n")
_FROM: Final = re.compile(rb"^from:[ \t]*((?:[^\r\n]|\r?\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
_NEEDED: Final = re.compile(
    rb"^(date|subject|content-type|content-transfer-encoding|content-disposition|auto-submitted|x-autoreply"
    rb"|x-mozilla-status):[ \t]*((?:[^\r\n]|\r?\n[ \t])*)",
    re.IGNORECASE | re.MULTILINE,
)
_FOLD: Final = re.compile(r"\r?\n[ \t]+")
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/=]")
_VAGUE: Final = frozenset({"us-ascii", "ascii", "unknown-8bit", "x-unknown"})
_ADDRESS: Final = re.compile(rb"(?<![\w.!#$%&'*+/=?^`{|}~-])[\w.!#$%&'*+/=?^`{|}~-]++@[\w.-]+")
_PROPERTIES: Final = b'\n<?xml version="1.0"'
_DELETED: Final = re.compile(r"[:;!]2,[A-Za-z]*T")  # at the end of the name of a Maildir's message
_HEX: Final = re.compile(r"^[0-9A-Fa-f]{1,8}$")
_EXPUNGED: Final = 0x8  # of Thunderbird's status: deleted, and gone from the file when that is compacted next
_PREFS_ADDRESS: Final = re.compile(r'user_pref\("mail\.identity\.\w+\.useremail", "([^"]+@[^"]+)"\)')
_SENT: Final = re.compile(
    r"(?<![^\W\d_])(?:sent(?:mail|items|messages)?(?![^\W\d_])"  # not "Presentations", "unsent", "sentences"
    r"|gesendet|envoy|enviad|inviat|verzonden|skickat|sendt|lähetetyt|wysłane|odeslan|отправлен|已发送|送信)",
    re.IGNORECASE,
)
_GENERATED: Final = re.compile(
    r"^(?:accepted|declined|tentative|cancell?ed|invitation|updated invitation|zugesagt|abgesagt|abgelehnt"
    r"|mit vorbehalt|accepté|refusé|aceptado|automatic reply|auto(?:matic)?[- ]?response|out of office)\b[^\n]{0,20}:"
    r"|^(?:out of office|abwesenheitsnotiz)\b",
    re.IGNORECASE,
)
#: What in an HTML mail its writer did not write: quotations, signatures, and what cannot be seen.
_NOT_TYPED: Final = (
    "style, script, head, title, blockquote, pre > code, .gmail_quote, .gmail_signature, .gmail_attr, "
    ".moz-cite-prefix, .moz-signature, .moz-forward-container, .yahoo_quoted, .protonmail_quote, "
    ".protonmail_signature_block, "
    "#divRplyFwdMsg, #divRplyFwdMsg ~ *, #appendonsend, #appendonsend ~ *, #Signature, #OLK_SRC_BODY_SECTION, "
    "#mail-editor-reference-message-container, #mail-editor-reference-message-container ~ *, "
    ".WordSection1 > div[style*=border-top] ~ *, "
    "table, img, [style*='display:none'], [style*='display: none']"
)
_BREAKS: Final = "br, p, div, li, tr, h1, h2, h3, h4, h5, h6, ul, ol"


def is_mbox(_path: Path, head: bytes) -> bool:
    """Whether a file begins as mbox files do, and goes on with a header."""
    return re.match(rb"From [^\n]*\n(?:>?[\w-]+:)", head) is not None


def is_message(path: Path, head: bytes) -> bool:
    """Whether a file is one message."""
    return path.suffix.lower() in (".eml", ".emlx") or (
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


def mbox(path: Path, asked: Asked) -> Iterator[Item | Skipped]:
    """What the user wrote in the mails of an mbox file, streamed. Raises UnreadableError, NoSuchPathError."""
    return _read(path, _mbox_messages(path), asked)


def message(path: Path, asked: Asked) -> Iterator[Item | Skipped]:
    """What the user wrote in one mail. Raises UnreadableError, NoSuchPathError."""
    return _read(path, _single(path), asked)


def maildir(path: Path, asked: Asked) -> Iterator[Item | Skipped]:
    """What the user wrote in the mails of a Maildir. Raises UnreadableError, NoSuchPathError."""
    return _read(path, _maildir_messages(path), asked)


def thunderbird(path: Path, asked: Asked) -> Iterator[Item | Skipped]:
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
        prefs = (folder / "prefs.js").read_text("utf-8", errors="ignore")
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
        if (
            path.suffix.lower() == ".emlx"
        ):  # Apple Mail: the message's length, the message, and a list of properties
            length, _, raw = raw.partition(b"\n")
            raw = raw[: int(length)] if length.strip().isdigit() else raw.partition(_PROPERTIES)[0]
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
                with file.open("rb") as opened_file:
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
    end = _head_end(raw)[0]
    start = raw.find(b"\nFrom:", 0, end) + 1  # as nearly all write it
    found = _FROM.search(raw, start, end)
    addresses = _ADDRESS.findall(found[1]) if found else ()
    return addresses[-1].decode().lower() if addresses else ""


def _head_end(raw: bytes) -> tuple[int, int]:
    """Where a message's header ends, and where its body begins."""
    ends = [(raw.find(mark), len(mark)) for mark in (b"\n\n", b"\n\r\n")]
    end, size = min(((place, size) for place, size in ends if place >= 0), default=(len(raw), 0))
    return end, end + size


def _read(path: Path, raws: Iterable[tuple[bytes, int]], asked: Asked) -> Iterator[Item | Skipped]:
    mine: dict[str, bool] = {}
    for ordinal, (raw, offset) in enumerate(raws):
        sender = _sender(raw)
        if sender not in mine:
            mine[sender] = asked.mine(sender)
        if not mine[sender]:
            yield Skipped(path, "mails of others", offset_bytes=offset)
            continue
        try:
            text, at = _typed(raw)
        except (MessageError, ValueError, LookupError, AttributeError, TypeError, IndexError, RecursionError):
            # The parser means to take anything, and yet sometimes does not.
            yield Skipped(path, "damaged mails", offset_bytes=offset)
            continue
        if text:
            yield Item(text, at, ordinal, offset)
        else:
            yield Skipped(path, "mails with nothing typed", offset_bytes=offset)


def _typed(raw: bytes) -> tuple[str, datetime | None]:
    """What was typed in a mail, and when it was sent."""
    whole = _Part.of(raw)
    at = _date(whole.fields.get("date", ""))
    if _is_generated(whole):
        return "", at
    found = sorted(_text_parts(whole), key=lambda part: part.kind != "text/plain")
    if not found:
        return "", at
    part = found[0]
    if part.kind == "text/html":
        return own_words(plain(part.text()))[:_MOST_TEXT], at
    flowed, delete_space = part.parameter("format") == "flowed", part.parameter("delsp") == "yes"
    return own_words(part.text(), flowed=flowed, delete_space=delete_space)[:_MOST_TEXT], at


@dataclass(frozen=True, slots=True)
class _Part:
    """A message or a part of one: those of its header's fields that matter here, and its body as it was sent.

    The standard library's parser does all this too, and keeps every field and line as an object of its own, at a
    fraction of the speed.
    """

    fields: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, raw: bytes) -> _Part:
        """From the bytes of a message or part. Without an empty line, all of it is header."""
        end, start = _head_end(raw)
        fields: dict[str, str] = {}
        for name, value in _NEEDED.findall(raw, 0, end):
            fields.setdefault(name.decode().lower(), _FOLD.sub(" ", value.decode("utf-8", "replace")).strip())
        return cls(fields, raw[start:])

    @property
    def kind(self) -> str:
        """The content type, such as "text/plain"."""
        return self.fields.get("content-type", "text/plain").partition(";")[0].strip().lower() or "text/plain"

    def parameter(self, name: str, field: str = "content-type") -> str:
        """A parameter of a field, in lower case; "" where it has none."""
        value = self.fields.get(field, "")
        if name not in value.lower():
            return ""
        found = re.search(rf';\s*{name}\*?=\s*(?:"([^"]*)"|([^;\s]+))', value, re.IGNORECASE)
        return (found[1] or found[2] or "").lower() if found else ""

    def parts(self) -> Iterator[_Part]:
        """The parts of a multipart body (RFC 2046, section 5.1)."""
        written = re.search(
            r'boundary\*?=\s*(?:"([^"]+)"|([^;\s]+))', self.fields["content-type"], re.IGNORECASE
        )
        if written is None:
            return
        for raw in (b"\n" + self.body).split(b"\n--" + (written[1] or written[2]).encode())[1:]:
            if raw.startswith(b"--"):
                return
            yield _Part.of(raw.partition(b"\n")[2])

    def text(self) -> str:
        """The body, whatever its transfer encoding and charset, and where these are wrong, as well as may be."""
        data, encoding = self.body, self.fields.get("content-transfer-encoding", "").lower()
        if encoding == "quoted-printable":
            data = binascii.a2b_qp(data)
        elif encoding == "base64":
            data = _decoded(data)
        charset = self.parameter("charset") or "utf-8"
        for name in (charset if charset not in _VAGUE else "utf-8", "utf-8"):
            try:
                return data.decode(name)
            except (LookupError, UnicodeDecodeError):
                continue
        return data.decode("cp1252", errors="ignore")


def _decoded(data: bytes) -> bytes:
    """Base64 as far as it is whole."""
    kept = _NOT_BASE64.sub(b"", data)
    try:
        return binascii.a2b_base64(kept[: len(kept) // 4 * 4])
    except binascii.Error:
        return b""


def _is_generated(whole: _Part) -> bool:
    """Whether a program sent the mail, its user deleted it, or it says nothing but whether somebody comes."""
    fields = whole.fields
    status = fields.get("x-mozilla-status", "0")
    if int(status if _HEX.match(status) else "0", 16) & _EXPUNGED:
        return True
    if fields.get("auto-submitted", "no").lower() not in ("no", "") or "x-autoreply" in fields:
        return True
    return (
        whole.kind == "multipart/report" or _GENERATED.match(_header(fields.get("subject", ""))) is not None
    )


def _text_parts(part: _Part, depth: int = 0) -> Iterator[_Part]:
    """The text of the mail itself, plain and HTML; nothing of attached files and forwarded mails."""
    disposition = part.fields.get("content-disposition", "").lower()
    if disposition.startswith("attachment") or part.parameter("name") or depth > _DEEPEST:
        return
    if part.kind.startswith("multipart/"):
        for inner in part.parts():
            yield from _text_parts(inner, depth + 1)
    elif part.kind in ("text/plain", "text/html") and not part.parameter("filename", "content-disposition"):
        yield part


def plain(html: str) -> str:
    """The text of an HTML mail as it is seen, a line a paragraph, without quotations, tables and signatures."""
    tree = LexborHTMLParser(html)
    for node in tree.css(_NOT_TYPED):
        node.decompose()
    for node in tree.css(_BREAKS):
        node.insert_after("\n" if node.tag in ("br", "li", "tr") else "\n\n")
    text = tree.body.text(deep=True) if tree.body else ""
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def _header(value: str) -> str:
    """A field's text without the coding of RFC 2047."""
    if "=?" not in value:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (ValueError, LookupError, MessageError):
        return value


def _date(value: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError, OSError):
        return None
