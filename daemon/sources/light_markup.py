"""The sentences of files in light markup: Markdown, Org and reStructuredText.

Titles, paragraphs and lists are streamed, each as one string. Left out are code, tables, comments, metadata and the
targets of links.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from idiolect.daemon.text.lines import paragraphs, unescaped

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


def markdown(lines: Iterable[str]) -> Iterator[str]:
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


# Org and reStructuredText: lines that are no prose go, paragraphs are made, and what stands within them is replaced.


def _prose(kept: Iterable[str], inline: Sequence[re.Pattern[str]]) -> Iterator[str]:
    """Yield paragraphs in which each of the patterns was replaced by its group, or by nothing where it has none."""
    for text in paragraphs(kept):
        for pattern in inline:
            text = pattern.sub(r"\1" if pattern.groups else "", text)
        if text := _SPACES.sub(" ", text).strip():
            yield text


# https://orgmode.org/worg/org-syntax.html

_ORG_NO_PROSE: Final = frozenset({"src", "example", "export", "comment", "latex", "html"})
_ORG_BEGIN: Final = re.compile(r"^\s*#\+begin_(\S+)", re.IGNORECASE)
_ORG_END: Final = re.compile(r"^\s*#\+end_(\S+)", re.IGNORECASE)
_ORG_DRAWER: Final = re.compile(r"^\s*:[\w@#%-]+:\s*$")
_ORG_DRAWER_END: Final = re.compile(r"^\s*:END:\s*$", re.IGNORECASE)
_ORG_LEFT_OUT: Final = re.compile(
    r"^\s*(?:#\+\S|#(?:\s|$)|\||:(?:\s|$)|-{5,}\s*$|(?:SCHEDULED|DEADLINE|CLOSED|CLOCK):\s)"
)
_ORG_HEADLINE: Final = re.compile(
    r"^\*+\s+(?:(?:TODO|DONE|NEXT|WAITING|HOLD|CANCELLED|CANCELED|SOMEDAY)\s+)?(?:\[#\w\]\s+)?(?:COMMENT\s+)?"
)
_ORG_TAGS: Final = re.compile(r"(?:^|\s):[\w@#%:]++$")
_ORG_ITEM: Final = re.compile(r"^\s*(?:[-+]|\d+[.)])\s+(?:\[[ X-]\]\s+)?")
_ORG_LINK: Final = re.compile(r"\[\[[^\[\]]*\](?:\[([^\[\]]*)\])?\]")
_ORG_PLAIN_LINK: Final = re.compile(r"<(?:https?|mailto|file):[^<>\s]*>")
_ORG_FOOTNOTE: Final = re.compile(r"\[fn:[^\]\s:]*\]")
_ORG_STAMP: Final = re.compile(
    r"[<\[]\d{4}-\d\d-\d\d[^<>\[\]\n]*[>\]](?:--[<\[]\d{4}-\d\d-\d\d[^<>\[\]\n]*[>\]])?"
)
_ORG_TARGET: Final = re.compile(r"(?<!<)<<++[^<>]*>>+")
_ORG_COOKIE: Final = re.compile(r"\[\d*(?:/\d*|%)\]")
_ORG_INLINE: Final = (
    _ORG_LINK,
    _ORG_PLAIN_LINK,
    _ORG_FOOTNOTE,
    _ORG_STAMP,
    _ORG_TARGET,
    _ORG_COOKIE,
    _ORG_ITEM,
)


def org(lines: Iterable[str]) -> Iterator[str]:
    """Yield the prose of an Org file: of a headline without its state, priority and tags."""
    return _prose(_org_kept(lines), _ORG_INLINE)


def _org_kept(lines: Iterable[str]) -> Iterator[str]:
    inside = ""
    in_drawer = False
    for line in lines:
        if inside:
            end = _ORG_END.match(line)
            if end and end[1].lower() == inside:
                inside = ""
            continue
        if in_drawer:
            in_drawer = not _ORG_DRAWER_END.match(line)
            continue
        begin = _ORG_BEGIN.match(line)
        headline = _ORG_HEADLINE.match(line)
        if begin and begin[1].lower() in _ORG_NO_PROSE:
            inside = begin[1].lower()
            yield ""
        elif _ORG_DRAWER.match(line):
            in_drawer = True
        elif headline:
            yield from ("", _org_title(line[headline.end() :]), "")
        elif _ORG_ITEM.match(line):
            yield from ("", line)  # each item by itself: its lines are wrapped, not it and its neighbours
        elif not _ORG_LEFT_OUT.match(line):
            yield line


def _org_title(rest: str) -> str:
    """A headline's text, without its tags."""
    text = rest.strip()
    tags = _ORG_TAGS.search(text) if text.endswith(":") else None
    return text[: tags.start()].rstrip() if tags else text


# https://docutils.sourceforge.io/docs/ref/rst/restructuredtext.html

_RST_PROSE: Final = (
    "admonition|attention|caution|danger|error|hint|important|note|tip|warning|seealso|topic|sidebar|epigraph"
    "|deprecated|versionadded|versionchanged"
)
_RST_NOTE: Final = re.compile(rf"^(\s*)\.\.\s+(?:{_RST_PROSE})::\s*(.*)$", re.IGNORECASE)
_RST_MARKUP: Final = re.compile(r"^(\s*)\.\.(?:\s|$)")
_RST_OPTION: Final = re.compile(r"^\s+:[\w-]+:(?:\s|$)")
_RST_FIELD: Final = re.compile(r"^:[^:\n]+:(?:\s|$)")
_RST_RULE: Final = re.compile(r"^\s*([!-/:-@\[-`{-~])\1{2,}\s*$")
_RST_TABLE: Final = re.compile(r"^\s*(?:\+[-=+]+\+\s*$|\|.*\|\s*$)")
_RST_COLUMNS: Final = re.compile(r"^\s*=+(?:\s+=+)+\s*$")
_RST_ITEM: Final = re.compile(r"^\s*(?:[-*+•]|(?:\d+|#|[a-zA-Z])[.)])\s+")

_RST_ROLE: Final = re.compile(r":[\w:+.-]{1,60}:`~?([^`<]*?(?<!\s))(?:\s*<[^`>]*>)?`")
_RST_LINK: Final = re.compile(r"`([^`<]*?(?<!\s))\s*<[^`>]*>`__?")
_RST_NAMED_LINK: Final = re.compile(r"`([^`]+)`__?")
_RST_WORD_LINK: Final = re.compile(r"(?<=\w)__?(?=[\s.,;:!?)]|$)")
_RST_FOOTNOTE: Final = re.compile(r"\s?\[[#*\w-]*\]_")
_RST_SUBSTITUTION: Final = re.compile(r"\|[^|\s][^|]*\|_?")
_RST_CODE: Final = re.compile(r"``([^`]+)``")
_RST_INLINE: Final = (
    *(_RST_CODE, _RST_ROLE, _RST_LINK, _RST_NAMED_LINK),
    *(_RST_FOOTNOTE, _RST_SUBSTITUTION, _RST_WORD_LINK, _RST_ITEM),
)


def rst(lines: Iterable[str]) -> Iterator[str]:
    """Yield the prose of a reStructuredText file, with the text of notes and warnings."""
    return _prose(_rst_kept(lines), _RST_INLINE)


def _rst_kept(lines: Iterable[str]) -> Iterator[str]:
    dropped: int | None = None  # the indentation of what a block that is left out hangs on
    literal = in_table = False
    indent = 0
    for line in lines:
        if not line.strip():
            yield ""
            continue
        here = len(line) - len(line.lstrip())
        if literal:
            literal, dropped = False, indent
        if dropped is not None:
            if here > dropped:
                continue
            dropped = None
        if _RST_COLUMNS.match(line):
            in_table = True
            continue
        if in_table:
            in_table = bool(line.strip())
            if in_table and (here or "  " in line.strip()):
                continue
            in_table = False
        indent = here
        if note := _RST_NOTE.match(line):
            yield from ("", note[2])
        elif _RST_MARKUP.match(line):
            dropped = here
        elif _RST_TABLE.match(line) or _RST_OPTION.match(line) or _RST_FIELD.match(line):
            continue
        elif _RST_RULE.match(line):
            yield ""
        else:
            bare = line.rstrip()
            literal = bare.endswith("::")
            if literal:
                bare = bare[:-1].rstrip(" ") if bare != "::" else ""
            if _RST_ITEM.match(line):
                yield ""
            yield bare
