"""What its user answers: a text around a cursor, told apart into what they write and what others wrote.

What others wrote is known by what mail programs put around it, which `replies.py` knows.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from idiolect.daemon.text.normalise import normalise
from idiolect.daemon.text.replies import OWN, depths

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
