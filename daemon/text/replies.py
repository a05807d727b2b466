"""A mail's text parted into what its user wrote, and quotations, forwarded text, signature and footers.

A mail that was written is read for its user's words (`own_words`); of one that is being written, `split` finds what
its user writes, and what they answer.

Forms of quoting: RFC 3676 (`>`, `-- `, flowed lines), and what mail programs write before what they quote, by language.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from idiolect.daemon.text.lines import unwrapped
from idiolect.daemon.text.mail_phrases import any_of
from idiolect.daemon.text.normalise import normalise

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

#: As `/v1/suggest` takes it: so many texts, and of them so many characters count, the newest.
MAX_TEXTS: Final = 8
MAX_CHARS: Final = 4000
#: As much is looked at before the cursor and behind it, in characters, so that a key costs the same in any text.
_LOOKED_AT_CHARS: Final = 16_000
#: Marks of direction among them.
_INDENT: Final = re.compile(
    r"^[ \t\u00a0\u3000\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+(?=>)", re.MULTILINE
)
_SPACE: Final = re.compile(r"\s")
_HEADER: Final = re.compile(r"[\w-]{1,80}:")
_HEADER_END: Final = re.compile(r"^(?:--text follows this line--)?\n", re.MULTILINE)  # or as Emacs has it
_SUBJECT: Final = re.compile(r"Subject:[ \t]*", re.IGNORECASE)
_TOLD: Final = re.compile(
    r"^(?:To|Cc|Subject):[ \t]*\S[^\n]*(?:\n[ \t]+\S[^\n]*)*", re.IGNORECASE | re.MULTILINE
)


def own_words(text: str, *, flowed: bool = False, delete_space: bool = False) -> str:
    """What was typed of a mail's plain text, its wrapped lines joined; "" where that is nothing.

    `flowed` and `delete_space` are the parameters `format=flowed` and `delsp=yes` of RFC 3676.
    """
    text = text.replace("\r\n", "\n")
    found = depths(text)
    kept = found[: found.index(BELOW)] if BELOW in found else found
    lines = ["" if depth else line for line, depth in zip(text.split("\n"), kept, strict=False)]
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
    found = [_marks(line) if line[:1] == ">" else OWN for line in lines]
    ends = [*_ends(text)]
    unmarked = {bisect(starts, start) - 1 for start in _unmarked(text, ends)}
    for place, said in _attributions(lines).items():
        if _is_followed(lines, place + said):
            found[place : place + said] = [1] * said
        else:
            unmarked.add(place)
    below_at = {bisect(starts, end.start()) - 1 for end in ends if _is_below(end)}
    if not (unmarked or below_at):
        return found
    over, below = 0, False
    for place, marks in enumerate(found):
        over += place in unmarked
        below = not (over or marks) and (below or place in below_at)
        found[place] = BELOW if below else over + marks
    return found


def _marks(line: str) -> int:
    """How many marks of a quotation a line begins with, the first of which is its first character."""
    return line.count(">", 0, len(line) - len(line.lstrip("> \t")))


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


def _unmarked(text: str, ends: Sequence[re.Match[str]]) -> Iterator[int]:
    """Where mails begin that are forwarded or quoted with their header, without a mark on each line."""
    separators = [end.start() for end in ends if end.lastgroup == "separator"]
    headers = [_header_start(text, found.start()) for found in _FROM_FIELD.finditer(text)]
    last = -1
    for start in sorted((*separators, *(start for start in headers if start is not None))):
        if start > last:
            yield start
            last = _lines_on(text, start, _NEAR_LINES)


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


@dataclass(frozen=True, slots=True)
class Reply:
    """`prefix` is what its user writes before the cursor; None where that stands in what others wrote."""

    prefix: str | None
    texts: Callable[[], Iterable[str]] = tuple

    def context(self) -> list[str]:
        """What they answer, oldest first, as much of it as counts, without characters that cannot be seen."""
        kept: list[str] = []
        left = MAX_CHARS
        for text in reversed([*self.texts()][-MAX_TEXTS:]):
            if seen := end_of(normalise(text), left):
                kept.append(seen)
                left -= len(seen)
        return kept[::-1]


def is_quoted(line: str) -> bool:
    """Whether a line begins with the mark of a quotation."""
    return line.startswith(">") or _INDENT.match(line) is not None


def split(before: str, behind: str = "") -> Reply:
    """Tell apart the text before a cursor and behind it, as far as it is near.

    In a mail that is quoted without a mark on each line, what its user writes is the paragraph at the cursor.
    """
    before, behind = near(before), behind[:_LOOKED_AT_CHARS]
    line = before.rpartition("\n")[2]
    text = _INDENT.sub("", f"{before}{behind}".replace("\r\n", "\n"))
    lines, found, here = text.split("\n"), depths(text), before.count("\n")
    if lines[here].startswith(">") and not is_quoted(line):  # the cursor stands before the mark
        found[here] = OWN
    if is_quoted(line):
        own = None
    elif found[here] > OWN:
        begin = here
        while begin and found[begin - 1] > OWN and lines[begin - 1].strip() and lines[begin - 1][0] != ">":
            begin -= 1
        found[begin : here + 1] = [OWN] * (here + 1 - begin)
        own = "\n".join([*lines[begin:here], line])
    elif max(found) > OWN:
        own = "\n".join([*_own(lines[:here], found, found[here]), line])
    else:
        return Reply(before)
    return Reply(own, partial(_quoted, lines, found, here))


def split_mail(before: str, behind: str = "") -> Reply:
    """Tell apart a mail that is written in an editor: its header says to whom it goes, and what it is about."""
    end = _end_of_header(before)
    if end is None:
        line = before.rpartition("\n")[2]
        subject = _SUBJECT.match(line)
        return Reply(line[subject.end() :] if subject else None)
    reply = split(before[end:], behind)
    told = _TOLD.findall(near(before[:end]))
    return Reply(reply.prefix, lambda: [*reply.texts(), "\n".join(told)])


def mail_body(text: str) -> str:
    """A mail that is written in an editor without its header."""
    end = _end_of_header(text)
    return "" if end is None else text[end:]


def _end_of_header(text: str) -> int | None:
    """Where the body of a mail begins; None where all is header."""
    if not _HEADER.match(text):
        return 0
    end = _HEADER_END.search(text)
    return end.end() if end is not None else None


def near(before: str) -> str:
    """As much of the text before a cursor as is looked at: at the next key it begins in the same place."""
    return end_of(before, _LOOKED_AT_CHARS)


def end_of(text: str, most: int) -> str:
    """The end of a text, at most `most` characters, from the start of a line; where that line is long, of a word."""
    cut = len(text) - most
    if cut <= 0:
        return text
    line = text.find("\n", cut - 1) + 1
    if line and line - cut <= most // 2:
        return text[line:]
    word = _SPACE.search(text, cut - 1)
    return text[word.end() if word is not None else cut :]


def _own(lines: Sequence[str], found: Sequence[int], here: int) -> Iterator[str]:
    """The lines that are its user's, and those like the cursor's; one empty line stands for what is between them."""
    empty = True
    for line, depth in zip(lines, found, strict=False):
        kept = line if depth in (OWN, here) else ""
        if kept.strip() or not empty:
            yield kept
        empty = not kept.strip()


def _quoted(lines: Sequence[str], found: Sequence[int], here: int) -> list[str]:
    """What is quoted, oldest first: that is what is quoted most often. What stands right above the cursor is last."""
    grouped = itertools.groupby(range(len(lines)), found.__getitem__)
    runs = [(min(depth, MAX_TEXTS - 1), [*places]) for depth, places in grouped if depth > OWN]
    above = next((run for run in reversed(runs) if run[1][0] < here), None)

    def age(run: tuple[int, list[int]]) -> tuple[bool, int]:
        return run is above, -run[0]

    return [
        "\n\n".join("\n".join(lines[place].lstrip("> \t") for place in places) for _, places in same)
        for _, same in itertools.groupby(sorted(runs, key=age), age)
    ]
