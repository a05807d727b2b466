"""The sentences of an Org file: what a person wrote in it, without what Org and its tools keep there.

Syntax: https://orgmode.org/worg/org-syntax.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from idiolect.daemon.text.lines import paragraphs

_NO_PROSE: Final = frozenset({"src", "example", "export", "comment", "latex", "html"})
_BEGIN: Final = re.compile(r"^\s*#\+begin_(\S+)", re.IGNORECASE)
_END: Final = re.compile(r"^\s*#\+end_(\S+)", re.IGNORECASE)
_DRAWER: Final = re.compile(r"^\s*:[\w@#%-]+:\s*$")
_DRAWER_END: Final = re.compile(r"^\s*:END:\s*$", re.IGNORECASE)
_LEFT_OUT: Final = re.compile(
    r"^\s*(?:#\+\S|#(?:\s|$)|\||:(?:\s|$)|-{5,}\s*$|(?:SCHEDULED|DEADLINE|CLOSED|CLOCK):\s)"
)
_HEADLINE: Final = re.compile(
    r"^\*+\s+(?:(?:TODO|DONE|NEXT|WAITING|HOLD|CANCELLED|CANCELED|SOMEDAY)\s+)?(?:\[#\w\]\s+)?(?:COMMENT\s+)?"
)
_TAGS: Final = re.compile(r"(?:^|\s):[\w@#%:]++$")
_ITEM: Final = re.compile(r"^\s*(?:[-+]|\d+[.)])\s+(?:\[[ X-]\]\s+)?")
_LINK: Final = re.compile(r"\[\[[^\[\]]*\](?:\[([^\[\]]*)\])?\]")
_PLAIN_LINK: Final = re.compile(r"<(?:https?|mailto|file):[^<>\s]*>")
_FOOTNOTE: Final = re.compile(r"\[fn:[^\]\s:]*\]")
_STAMP: Final = re.compile(
    r"[<\[]\d{4}-\d\d-\d\d[^<>\[\]\n]*[>\]](?:--[<\[]\d{4}-\d\d-\d\d[^<>\[\]\n]*[>\]])?"
)
_TARGET: Final = re.compile(r"(?<!<)<<++[^<>]*>>+")
_COOKIE: Final = re.compile(r"\[\d*(?:/\d*|%)\]")
_SPACES: Final = re.compile(r"[ \t]{2,}")


def prose(lines: Iterable[str]) -> Iterator[str]:
    """The headlines, paragraphs and lists of an Org file, each one string, streamed.

    Left out: keywords, drawers, planning lines, comments, tables, blocks of code and examples, time stamps, the
    targets of links, and of a headline its state, priority and tags.
    """
    for block in paragraphs(_kept(lines)):
        text = _inline(block)
        if text:
            yield text


def _kept(lines: Iterable[str]) -> Iterator[str]:
    inside = ""
    in_drawer = False
    for line in lines:
        if inside:
            end = _END.match(line)
            if end and end[1].lower() == inside:
                inside = ""
            continue
        if in_drawer:
            in_drawer = not _DRAWER_END.match(line)
            continue
        begin = _BEGIN.match(line)
        headline = _HEADLINE.match(line)
        if begin and begin[1].lower() in _NO_PROSE:
            inside = begin[1].lower()
            yield ""
        elif _DRAWER.match(line):
            in_drawer = True
        elif headline:
            yield from ("", _title(line[headline.end() :]), "")
        elif _ITEM.match(line):
            yield from ("", line)  # each item by itself: its lines are wrapped, not it and its neighbours
        elif not _LEFT_OUT.match(line):
            yield line


def _title(rest: str) -> str:
    """A headline's text, without its tags."""
    text = rest.strip()
    tags = _TAGS.search(text) if text.endswith(":") else None
    return text[: tags.start()].rstrip() if tags else text


def _inline(text: str) -> str:
    text = _LINK.sub(lambda match: match[1] or "", text)
    for left_out in (_PLAIN_LINK, _FOOTNOTE, _STAMP, _TARGET, _COOKIE):
        text = left_out.sub("", text)
    text = _ITEM.sub("", text)
    return _SPACES.sub(" ", text).strip()
