"""One mail: what its sender typed, without quotations, signatures, attachments and what programs wrote.

Formats: RFC 5322 (messages), RFC 2045 to 2047 (parts, encodings, header fields), RFC 3676 (flowed text).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from idiolect.daemon.text.mail_phrases import any_of
from idiolect.daemon.text.replies import own_words

_DEEPEST: Final = 20  # parts within parts
_MAX_TEXT: Final = 200_000  # characters of one mail: longer ones were not typed
_MAX_READ: Final = 2 * _MAX_TEXT  # with what it quotes
_LONGEST_FIELD: Final = 1000  # characters of a header's field
_NEEDED: Final = re.compile(
    rb"^(date|subject|content-type|content-transfer-encoding|content-disposition|auto-submitted|x-autoreply"
    rb"|x-mozilla-status):[ \t]*((?:[^\r\n]|\r?\n[ \t])*)",
    re.IGNORECASE | re.MULTILINE,
)
_FOLD: Final = re.compile(r"\r?\n[ \t]+")
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/=]")
_VAGUE: Final = frozenset({"us-ascii", "ascii", "unknown-8bit", "x-unknown"})
_HEX: Final = re.compile(r"^[0-9A-Fa-f]{1,8}$")
_EXPUNGED: Final = 0x8  # of Thunderbird's status: deleted, and gone from the file when that is compacted next
_GENERATED: Final = re.compile(
    rf"^(?:{any_of('generated')})\b[^\n]{{0,20}}:|^(?:out of office|abwesenheitsnotiz)\b", re.IGNORECASE
)
# What in an HTML mail its writer did not write: quotations, signatures, and what cannot be seen.
_NOT_TYPED: Final = frozenset({"style", "script", "head", "title", "blockquote", "table", "img"})
_NOT_TYPED_CLASSES: Final = frozenset(
    [
        "gmail_quote",
        "gmail_signature",
        "gmail_attr",
        "moz-cite-prefix",
        "moz-signature",
        "moz-forward-container",
        "yahoo_quoted",
        "protonmail_quote",
        "protonmail_signature_block",
    ]
)
_NOT_TYPED_IDS: Final = frozenset({"Signature", "OLK_SRC_BODY_SECTION"})
#: Elements that the mail ends with, by their ids.
_ENDS: Final = frozenset({"divRplyFwdMsg", "appendonsend", "mail-editor-reference-message-container"})
_BREAKS: Final = frozenset(["br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol"])
_NEAR_BREAKS: Final = frozenset({"br", "li", "tr"})


def end_of_header(raw: bytes) -> tuple[int, int]:
    """Where a message's header ends, and where its body begins."""
    ends = [(raw.find(mark), len(mark)) for mark in (b"\n\n", b"\n\r\n")]
    end, size = min(((place, size) for place, size in ends if place >= 0), default=(len(raw), 0))
    return end, end + size


def typed_text(raw: bytes) -> tuple[str, datetime | None]:
    """What was typed in a mail, and when it was sent."""
    whole = _Part.of(raw)
    at = _date(whole.fields.get("date", "")[:_LONGEST_FIELD])
    if _is_generated(whole):
        return "", at
    found = sorted(_text_parts(whole), key=lambda part: part.kind != "text/plain")
    if not found:
        return "", at
    part = found[0]
    if part.kind == "text/html":
        return own_words(plain(part.text())[:_MAX_READ])[:_MAX_TEXT], at
    flowed, delete_space = part.parameter("format") == "flowed", part.parameter("delsp") == "yes"
    return own_words(part.text()[:_MAX_READ], flowed=flowed, delete_space=delete_space)[:_MAX_TEXT], at


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
        end, start = end_of_header(raw)
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
        whole.kind == "multipart/report"
        or _GENERATED.match(_header(fields.get("subject", "")[:_LONGEST_FIELD])) is not None
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
    body = LexborHTMLParser(html).body
    parts: list[str] = []
    within: list[LexborNode] = []  # the elements around it: a mail may nest more of them than calls can be
    node = None if body is None else body.child
    while node is not None or within:
        if node is None:
            element = within.pop()
            parts += _break_after(element)
            node = None if _ends(element) else element.next
        elif node.is_text_node:
            parts.append(node.text_content or "")
            node = node.next
        elif _is_typed(node):
            within.append(node)
            node = node.child
        else:
            parts += _break_after(node)
            node = None if _ends(node) else node.next
    lines = [" ".join(line.split()) for line in "".join(parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def _break_after(element: LexborNode) -> tuple[str, ...]:
    if element.tag not in _BREAKS:
        return ()
    return ("\n",) if element.tag in _NEAR_BREAKS else ("\n\n",)


def _ends(element: LexborNode) -> bool:
    """Whether all that follows in the same element is somebody else's."""
    attributes = element.attributes
    if attributes.get("id") in _ENDS:
        return True
    if element.tag != "div" or "border-top" not in (attributes.get("style") or ""):
        return False
    around = element.parent  # Outlook draws a line above what is answered
    return around is not None and "WordSection1" in (around.attributes.get("class") or "").split()


def _is_typed(element: LexborNode) -> bool:
    """Whether its writer typed what is in an element, and whoever reads the mail sees it."""
    attributes = element.attributes
    style = attributes.get("style") or ""
    if "display:none" in style or "display: none" in style:
        return False
    if attributes.get("id") in _ENDS | _NOT_TYPED_IDS:
        return False
    if not _NOT_TYPED_CLASSES.isdisjoint((attributes.get("class") or "").split()):
        return False
    if element.tag == "code":
        around = element.parent
        return around is None or around.tag != "pre"
    return element.tag not in _NOT_TYPED


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
