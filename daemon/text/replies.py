"""The reply in a mail: without quotations, forwarded text, signature and footers.

Forms of quoting: RFC 3676 (`>`, `-- `, flowed lines), and what mail programs write before what they quote, by language.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect
from collections.abc import Iterator
from typing import Final

from idiolect.daemon.text.lines import unwrapped
from idiolect.daemon.text.mail_phrases import any_of

#: In any letter case: the verb of "NAME wrote", and the name of a header's "From:".
WROTE: Final = any_of("wrote")
FROM: Final = any_of("sender")
# "On Monday, NAME <ADDRESS> wrote:": how such a line begins, and how it ends, perhaps in a time of day.
_BEGINS: Final = any_of("begins")
_SAID: Final = rf"(?<![a-zß-ÿ])(?:{WROTE})(?:[^\n:]|(?<=\d):(?=\d)){{0,120}}:?\s*$"
_WROTE: Final = re.compile(
    rf"^(?:(?:{_BEGINS})\b|\d{{1,4}}[-./年 ]|\S[^\n]{{0,80}}<[^<>\s]+@[^<>\s]+>)[^\n]{{0,300}}?{_SAID}"
    # NAME wrote on DATE at TIME:
    rf"|^\w[^\n:]{{0,60}}? (?:{WROTE}) [^\n:]{{0,60}}\d[:.h]\d\d(?::\d\d)?\)?\s?:\s*$",
    re.IGNORECASE,
)
# What mail programs say of it, and sentences such as "Le ministre a écrit :" do not: when, or an address.
_DATED: Final = re.compile(r"[\d@]")
_WROTE_BEGINS: Final = re.compile(rf"^(?:{_BEGINS})\b[^\n]{{8,200}}$", re.IGNORECASE)
_BARE_FROM: Final = re.compile(r"^\d{4}-\d\d-\d\d[^\n]{0,40}<[^<>\s]+@[^<>\s]+>:\s*$")
# "-----Original Message-----" and its likes: what follows is somebody else's.
_SEPARATOR: Final = (
    rf"^[ \t]*(?:[-_=*]{{2,}}\s*(?:{any_of('originals')})\b[^\n]*|(?:{any_of('forwarded')})\s?:)[ \t]*$"
)
_FIELD_END: Final = r"\*?\s?[:：]\*?(?:[ \t]|$)"
#: A line of a mail's header.
FIELD: Final = re.compile(rf"^[ \t*]*(?:{FROM}|{any_of('fields')}){_FIELD_END}", re.IGNORECASE | re.MULTILINE)
_FROM_FIELD: Final = re.compile(rf"^[ \t*]*(?:{FROM}){_FIELD_END}", re.IGNORECASE | re.MULTILINE)
_RULE: Final = re.compile(r"^[ \t]*[_-]{20,}[ \t]*$", re.MULTILINE)
_SIGNATURE: Final = r"^--[ \t]?$|^—$|^__$"
_SENT_FROM: Final = rf"^(?:{any_of('sent_from')})[.]?[ \t]*$"
_BELOW: Final = (  # what list servers, calendars, virus checkers and lawyers add
    rf"^(?:_{{20,}}|-{{20,}})$|^[\w.+/ -]{{1,60}} mailing list$|^(?:{any_of('footer')})"
    r"|^Microsoft Teams meeting|^Join (?:on your computer|Zoom Meeting|with Google Meet)"
)
_ENDS: Final = re.compile(
    rf"(?P<signature>{_SIGNATURE})|(?P<separator>{_SEPARATOR})|(?P<phone>{_SENT_FROM})|(?P<below>{_BELOW})",
    re.IGNORECASE | re.MULTILINE,
)
# Devices and programs that such a line names; without one it may be a sentence: "Envoyé par la poste hier."
_SENDER: Final = re.compile(
    r"(?<![^\W_])(?:i(?:phone|pad|pod)|android|samsung|galaxy|huawei|xiaomi|pixel|nokia|blackberry|windows|outlook|gmx"
    r"|\w{0,10}mail\w{0,10}|yahoo|k-9|thunderbird|spark|proton|boomerang|superhuman|newton|canary|spike|front|device|gerät|appareil"
    r"|dispositi(?:vo|f)|toestel|smartphone|phone|handy|mobile|telefon|tablet|app"
    r"|t[eé]l[eé](?:phone|fono)|móvil|celular|cellulare|telem[óo]vel)(?![^\W_])",
    re.IGNORECASE,
)
_NEXT_LINE: Final = re.compile(r"\s*+(\S[^\n]*+|\Z)")
_INLINE_TAG: Final = re.compile(r"\[(?:cid|image):[^\[\]\n]*\]|<(?:https?|mailto):[^<>\s]*>")
_LONGEST_WROTE: Final = 1000  # characters of a line that says who wrote what is quoted below
_NEAR_LINES: Final = 4  # between "-----Original Message-----" and the header that belongs to it

#: Of a line: its writer typed it.
OWN: Final = 0
#: Of a line: it is part of a signature, or a program put it there.
BELOW: Final = -1


def own_words(text: str, *, flowed: bool = False, delete_space: bool = False) -> str:
    """What was typed of a mail's plain text, its wrapped lines joined; "" where that is nothing.

    `flowed` and `delete_space` are the parameters `format=flowed` and `delsp=yes` of RFC 3676.
    """
    text = text.replace("\r\n", "\n")
    quotes = text.startswith(">") or "\n>" in text or ":\n" in text or text.endswith(":")
    text = text[: _end(text)]
    lines = text.split("\n")
    if quotes:
        lines = _unquoted(lines)
    if flowed:
        lines = _unflowed(lines, delete_space=delete_space)
    paragraphs: list[str] = []
    held: list[str] = []
    for line in (*lines, ""):
        bare = _INLINE_TAG.sub("", line).strip() if "[" in line or "<" in line else line.strip()
        if bare:
            held.append(bare)
        elif held:
            paragraphs.append("\n".join(held) if flowed else unwrapped(held))
            held = []
    return "\n\n".join(paragraphs)


def depths(text: str) -> list[int]:
    """How often each line of a mail is quoted, or OWN or BELOW; a line that says who wrote the next ones counts as one.

    Below a header, or a line such as "-----Original Message-----", all is quoted, once more below each further one.
    """
    lines = text.split("\n")
    starts = [0, *itertools.accumulate(len(line) + 1 for line in lines)]
    found = [_marks(line) for line in lines]
    unmarked = {bisect(starts, start) - 1 for start in _unmarked(text)}
    for place, said in _attributions(lines).items():
        if _is_followed(lines, place + said):
            found[place : place + said] = [1] * said
        else:
            unmarked.add(place)
    ends = {bisect(starts, end.start()) - 1 for end in _ends(text) if _is_below(end)}
    over, below = 0, False
    for place, marks in enumerate(found):
        over += place in unmarked
        below = not (over or marks) and (below or place in ends)
        found[place] = BELOW if below else over + marks
    return found


def _marks(line: str) -> int:
    """How many marks of a quotation a line begins with."""
    return line.count(">", 0, len(line) - len(line.lstrip("> \t"))) if line.startswith(">") else 0


def _ends(text: str) -> Iterator[re.Match[str]]:
    """Where something begins that was not typed; a "Sent from ..." that names no sender does so as the last line."""
    for found in _ENDS.finditer(text):
        if found.lastgroup == "phone" and not _SENDER.search(found[0]):
            following = _NEXT_LINE.match(text, found.end())
            line = following[1] if following else ""
            if line and not (
                line.startswith(">") or any(rule.match(line) for rule in (_ENDS, FIELD, _WROTE))
            ):
                continue
        yield found


def _is_below(end: re.Match[str]) -> bool:
    """Whether it ends what was typed, and begins no mail; nothing that a program puts below a text begins one."""
    return end.lastgroup != "separator" and bool(end.start() or end.lastgroup != "below")


def _unmarked(text: str) -> Iterator[int]:
    """Where mails begin that are forwarded or quoted with their header, without a mark on each line."""
    separators = [found.start() for found in _ends(text) if found.lastgroup == "separator"]
    headers = [_header_start(text, found.start()) for found in _FROM_FIELD.finditer(text)]
    last = -1
    for start in sorted((*separators, *(start for start in headers if start is not None))):
        if start > last:
            yield start
            last = _lines_on(text, start, _NEAR_LINES)


def _end(text: str) -> int:
    """Where a signature, a footer, or a mail that is forwarded or quoted with its header begins."""
    end = len(text)
    for found in _ends(text):
        if found.start() or found.lastgroup != "below":
            end = found.start()
            break
    headers = (_header_start(text, found.start()) for found in _FROM_FIELD.finditer(text, 0, end))
    return next((start for start in headers if start is not None), end)


def _header_start(text: str, start: int) -> int | None:
    """Where a quoted mail's header begins that has its "From:" here, a line above it with it; None where it is none."""
    if len(FIELD.findall(text, start, _lines_on(text, start, 6))) < 3:
        return None
    rule = _RULE.search(text, text.rfind("\n", 0, max(start - 1, 0)) + 1, start)
    return rule.start() if rule else start


def _lines_on(text: str, start: int, count: int) -> int:
    """Where the line ends that is `count` lines on."""
    for _ in range(count):
        start = text.find("\n", start) + 1
        if not start:
            return len(text)
    return start


def _attributions(lines: list[str]) -> dict[int, int]:
    """Where it is said who wrote what is quoted below, and in how many lines."""
    places: set[int] = set()
    for place, line in enumerate(lines):
        if line.startswith(">"):
            above = place - 1
            while above >= 0 and place - above < 3 and not lines[above].strip():
                above -= 1
            places.update(range(above - 2, above + 1))
        elif line.rstrip().endswith(":"):
            places.update(range(place - 2, place + 1))
    written = (place for place in sorted(places) if place >= 0 and lines[place][:1] not in ("", ">"))
    return {place: said for place in written if (said := _says_who_wrote(lines, place))}


def _says_who_wrote(lines: list[str], place: int) -> int:
    """How many lines, from this one on, say who wrote what is quoted below; 0 for none."""
    line = lines[place].strip()
    if len(line) > _LONGEST_WROTE:
        return 0
    if _WROTE.match(line) or _BARE_FROM.match(line):
        return 1 if _is_followed(lines, place + 1) or (line.endswith(":") and _DATED.search(line)) else 0
    if _WROTE_BEGINS.match(line) and place + 1 < len(lines):
        for more in (2, 3):
            joined = " ".join(part.strip() for part in lines[place : place + more])
            if len(joined) <= _LONGEST_WROTE and _WROTE.match(joined) and joined.endswith(":"):
                return more
    return 0


def _is_followed(lines: list[str], place: int) -> bool:
    """Whether the next line that is not empty is a quoted one."""
    for line in lines[place : place + 3]:
        if line.strip():
            return line.startswith(">")
    return False


def _unquoted(lines: list[str]) -> list[str]:
    """The lines without quoted ones and those that say who wrote these, up to where all is quoted without a mark."""
    attributions = _attributions(lines)
    kept: list[str] = []
    skipped_to = 0
    for place, line in enumerate(lines):
        if place < skipped_to:
            continue
        if said := attributions.get(place, 0):
            if not _is_followed(lines, place + said):
                break
            skipped_to = place + said
        kept.append("" if said or line.startswith(">") else line)
    return kept


def _unflowed(lines: list[str], *, delete_space: bool) -> list[str]:
    """Flowed lines joined: one that ends in a space goes on in the next (RFC 3676, section 4)."""
    joined: list[list[str]] = []
    goes_on = False
    for line in lines:
        bare = line[1:] if line.startswith(" ") else line  # space-stuffed
        if not goes_on:
            joined.append([])
        goes_on = bare.endswith(" ") and bare.strip() != "--"
        joined[-1].append(bare[:-1] if goes_on and delete_space else bare)
    return ["".join(parts) for parts in joined]
