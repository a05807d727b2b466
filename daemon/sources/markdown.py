"""The sentences of Markdown files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from idiolect.daemon.text.lines import unescaped

_FRONT_MATTER_LINES: Final = 200  # an opening line without a closing one so near is a thematic break
_LONGEST: Final = 16_384  # characters of a block that are held at most

_FENCE = re.compile(r"^[>\s]*(?:[-*+]\s+|\d{1,9}[.)]\s+)?(?:(`{3,})[^`]*|(~{3,}).*)$")
_HEADING = re.compile(r"^\s{0,3}#{1,6}(?:\s|$)")
_RULE = re.compile(r"^\s{0,3}(?:(?:-\s*+){3,}+|(?:\*\s*+){3,}+|(?:_\s*+){3,}+|=++\s*+)$")
_TABLE_RULE = re.compile(
    r"^[>\s]*+\|?\s*+:?-++:?\s*+(?:\|\s*+:?-++:?\s*+)++\|?\s*+$|^[>\s]*+\|\s*+:?-++:?\s*+\|\s*+$"
)
_QUOTE = re.compile(r"^\s*+(?:>\s?)+(?:\[![A-Za-z]+\][+-]?\s*)?")
_LIST_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,9}[.)])\s+")
_DEFINITION = re.compile(r"^\s{0,3}\[(?!\^)[^\]]+\]:\s*\S+")
_CODE_INDENT = re.compile(r"^(?: {4}| {0,3}\t)")

_IMAGE = re.compile(r"!\[\[[^\[\]]*\]\]|!\[[^\[\]]*\](?:\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\])")
_LINK = re.compile(r"\[([^\[\]]*)\](?:\((?:[^()]|\([^()]*\))*\)|\[[^\[\]]*\])")
_WIKI_LINK = re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]+)\]\]")
_AUTOLINK = re.compile(r"<(?:https?|ftp|mailto):[^<>\s]*>")
_FOOTNOTE = re.compile(r"\[\^[^\[\]]+\]:?")
_TAG = re.compile(
    r"</?(?:a|abbr|b|blockquote|br|center|code|dd|del|details|div|dl|dt|em|figure|font|h[1-6]|hr|i|iframe|img"
    r"|ins|kbd|li|mark|ol|p|picture|pre|s|small|source|span|strong|style|sub|summary|sup|table|tbody|td|th|thead"
    r"|tr|u|ul|video)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_ONLY_LINK = re.compile(r"^(?:[a-z]+://|www\.)\S+$")
_SPACES = re.compile(r"[ \t]{2,}")


def read_paragraphs(lines: Iterable[str]) -> Iterator[str]:
    """The paragraphs, headings and lists of a Markdown file, each one string, streamed.

    Left out: front matter, code blocks, tables, HTML comments and tags, images, the targets of links. A
    paragraph's lines are joined; the items of a list stay lines of one paragraph, each with its marker.
    """
    for block in _blocks(_without_code(_without_front_matter(lines))):
        text = _markdown_inline(_joined(block))
        if text and not _ONLY_LINK.match(text):
            yield text


def _without_front_matter(lines: Iterable[str]) -> Iterator[str]:
    rest = iter(lines)
    first = next(rest, None)
    if first is None:
        return
    if (mark := first.rstrip()) not in ("---", "+++"):
        yield first
        yield from rest
        return
    ends = ("---", "...") if mark == "---" else ("+++",)
    held = [first]
    for line in rest:
        if line.rstrip() in ends:
            break
        held.append(line)
        if len(held) > _FRONT_MATTER_LINES:
            yield from chain(held, rest)
            return
    else:
        yield from held
        return
    yield from rest


def _without_code(lines: Iterable[str]) -> Iterator[str]:
    """Lines outside fences and comments; an empty line stands for a fence, as it ends a paragraph."""
    fence = ""
    commented = False
    for line in lines:
        if fence:
            bare = line.strip(" \t>")
            if len(bare) >= len(fence) and not bare.strip(fence[0]):
                fence = ""
            continue
        text, commented = _outside_comment(line, commented)
        opening = _FENCE.match(text)
        if opening:
            fence = opening[1] or opening[2]
            yield ""
        elif text.strip() or not line.strip():
            yield text


def _outside_comment(line: str, inside: bool) -> tuple[str, bool]:
    """What of the line is not in a comment, and whether a comment goes on after it."""
    kept = []
    place = 0
    while place < len(line):
        mark = "-->" if inside else "<!--"
        found = line.find(mark, place)
        if not inside:
            kept.append(line[place:] if found < 0 else line[place:found])
        if found < 0:
            break
        inside = not inside
        place = found + len(mark)
    return "".join(kept), inside


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """Runs of lines that belong together; blocks of indented code and tables are dropped."""
    held: list[str] = []
    size = 0
    in_list = in_table = False
    for line in chain(lines, [""]):
        heading = _HEADING.match(line)
        ends = not line.strip() or heading is not None or _RULE.match(line) is not None
        if _TABLE_RULE.match(line) and held:
            held.pop()  # the table's head
            in_table, in_list = True, False
        elif ends or size > _LONGEST:
            if held:
                code = _CODE_INDENT.match(held[0]) is not None
                in_list = _LIST_ITEM.match(held[0]) is not None or (code and in_list)
                if not code or in_list:
                    yield held
            held, size, in_table = [], 0, False
            if heading and (title := _title(line[heading.end() :])):
                yield [title]
        in_list = in_list and not heading and not line.startswith("|")
        if not ends and not in_table and not _DEFINITION.match(line) and not line.lstrip().startswith("|"):
            held.append(line)
            size += len(line)


def _title(rest: str) -> str:
    """A heading's text, without the signs that may close it."""
    text = rest.strip()
    bare = text.rstrip("#")
    return bare.rstrip() if bare != text and (not bare or bare[-1].isspace()) else text


def _joined(block: list[str]) -> str:
    """A block's lines as one paragraph; list items and hard breaks begin a new line."""
    text = ""
    hard = False
    for number, line in enumerate(block):
        bare = _QUOTE.sub("", line)
        item = _LIST_ITEM.match(bare) is not None
        written = bare.strip().removesuffix("\\").rstrip()
        if number:
            text += "\n" if item or hard else " "
        text += written
        hard = bare.endswith(("  ", "\\"))
    return text


def _markdown_inline(text: str) -> str:
    if "[" in text:
        text = _IMAGE.sub("", text)
        text = _LINK.sub(r"\1", text)
        text = _WIKI_LINK.sub(r"\1", text)
        text = _FOOTNOTE.sub("", text)
    if "<" in text:
        text = _AUTOLINK.sub("", text)
        text = _TAG.sub("", text)
    if "&" in text:
        text = unescaped(text)
    return _SPACES.sub(" ", text).strip()
