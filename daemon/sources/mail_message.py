"""One mail: what its sender typed, without quotations, signatures, attachments and what programs wrote.

Formats: RFC 5322 (messages), RFC 2045 to 2047 (parts, encodings, header fields), RFC 3676 (flowed text).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import collapse_rfc2231_value, parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from idiolect.daemon.text.mail_phrases import any_of
from idiolect.daemon.text.replies import own_words

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_DEEPEST: Final = 20  # parts within parts
_MAX_TEXT: Final = 200_000  # characters of one mail: longer ones were not typed
_MAX_READ: Final = 2 * _MAX_TEXT  # with what it quotes
_LONGEST_FIELD: Final = 1000  # characters of a header's field
#: A field whose parameters take the standard library time quadratic in their number; no program writes so many.
#: A bare CR ends a line for the standard library, too.
_LONG_PARAMETERS: Final = re.compile(
    rb"(?:^|\r)content-(?:type|disposition):(?:[^\r\n]|(?:\r\n?|\n)[ \t]){4000}", re.IGNORECASE | re.MULTILINE
)
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
    """What was typed in a mail, and when it was sent. Raises ValueError or RecursionError where it is damaged."""
    if _LONG_PARAMETERS.search(raw):
        raise ValueError
    mail = message_from_bytes(raw)
    at = _date(_field(mail, "date"))
    found = (
        []
        if _is_generated(mail)
        else sorted(_text_parts(mail), key=lambda part: part.get_content_type() == "text/html")
    )
    if not found:
        return "", at
    part = found[0]
    text = _decoded(part)
    if part.get_content_type() == "text/html":
        return own_words(plain(text)[:_MAX_READ])[:_MAX_TEXT], at
    flowed, delete_space = _parameter(part, "format") == "flowed", _parameter(part, "delsp") == "yes"
    return own_words(text[:_MAX_READ], flowed=flowed, delete_space=delete_space)[:_MAX_TEXT], at


def _decoded(part: Message) -> str:
    """The text of a part, whatever its encoding and charset, and where these are wrong, as well as may be."""
    payload: Any = part.get_payload(decode=True)
    data: bytes = payload
    charset = part.get_content_charset("utf-8")
    for name in (charset if charset not in _VAGUE else "utf-8", "utf-8"):
        with suppress(LookupError, UnicodeDecodeError):
            return data.decode(name)
    return data.decode("cp1252", errors="ignore")


def _parameter(part: Message, name: str) -> str:
    """A parameter of the content type, in lower case; "" where it has none."""
    return collapse_rfc2231_value(part.get_param(name, "")).lower()


def _is_generated(mail: Message) -> bool:
    """Whether a program sent the mail, its user deleted it, or it says nothing but whether somebody comes."""
    status = _field(mail, "x-mozilla-status")
    if int(status if _HEX.match(status) else "0", 16) & _EXPUNGED:
        return True
    if _field(mail, "auto-submitted").lower() not in ("no", "") or "x-autoreply" in mail:
        return True
    return (
        mail.get_content_type() == "multipart/report" or _GENERATED.match(_field(mail, "subject")) is not None
    )


def _text_parts(part: Message, depth: int = 0) -> Iterator[Message]:
    """The text of the mail itself, plain and HTML; nothing of attached files and forwarded mails."""
    if part.get_content_disposition() == "attachment" or part.get_filename() or depth > _DEEPEST:
        return
    if part.get_content_maintype() == "multipart":
        inside: Any = part.get_payload() if part.is_multipart() else ()
        for inner in inside:
            yield from _text_parts(inner, depth + 1)
    elif part.get_content_type() in ("text/plain", "text/html"):
        yield part


def plain(html: str) -> str:
    """The text of an HTML mail as it is seen, a line a paragraph, without quotations, tables and signatures."""
    from selectolax.lexbor import LexborHTMLParser  # 2 MB that only the child process that reads files needs

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


def _field(mail: Message, name: str) -> str:
    """A field of the header, as long as fields are, without the coding of RFC 2047."""
    value = str(mail.get(name, "")).strip()[:_LONGEST_FIELD]
    with suppress(ValueError, LookupError, MessageError):
        return str(make_header(decode_header(value)))
    return value


def _date(value: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError, OSError):
        return None
