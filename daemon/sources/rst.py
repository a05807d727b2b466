"""The sentences of a reStructuredText file: what a person wrote in it, without directives, code and tables.

Syntax: https://docutils.sourceforge.io/docs/ref/rst/restructuredtext.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from idiolect.daemon.text.lines import paragraphs

_PROSE: Final = (
    "admonition|attention|caution|danger|error|hint|important|note|tip|warning|seealso|topic|sidebar|epigraph"
    "|deprecated|versionadded|versionchanged"
)
_NOTE: Final = re.compile(rf"^(\s*)\.\.\s+(?:{_PROSE})::\s*(.*)$", re.IGNORECASE)
_MARKUP: Final = re.compile(r"^(\s*)\.\.(?:\s|$)")
_OPTION: Final = re.compile(r"^\s+:[\w-]+:(?:\s|$)")
_FIELD: Final = re.compile(r"^:[^:\n]+:(?:\s|$)")
_RULE: Final = re.compile(r"^\s*([!-/:-@\[-`{-~])\1{2,}\s*$")
_TABLE: Final = re.compile(r"^\s*(?:\+[-=+]+\+\s*$|\|.*\|\s*$)")
_COLUMNS: Final = re.compile(r"^\s*=+(?:\s+=+)+\s*$")
_ITEM: Final = re.compile(r"^\s*(?:[-*+•]|(?:\d+|#|[a-zA-Z])[.)])\s+")

_ROLE: Final = re.compile(r":[\w:+.-]{1,60}:`~?([^`<]*?(?<!\s))(?:\s*<[^`>]*>)?`")
_LINK: Final = re.compile(r"`([^`<]*?(?<!\s))\s*<[^`>]*>`__?")
_NAMED_LINK: Final = re.compile(r"`([^`]+)`__?")
_WORD_LINK: Final = re.compile(r"(?<=\w)__?(?=[\s.,;:!?)]|$)")
_FOOTNOTE: Final = re.compile(r"\s?\[[#*\w-]*\]_")
_SUBSTITUTION: Final = re.compile(r"\|[^|\s][^|]*\|_?")
_CODE: Final = re.compile(r"``([^`]+)``")
_SPACES: Final = re.compile(r"[ \t]{2,}")


def prose(lines: Iterable[str]) -> Iterator[str]:
    """The titles, paragraphs and lists of a reStructuredText file, each one string, streamed.

    Left out: directives with what is in them (not the text of notes and warnings), comments, targets, literal
    blocks, tables, field lists, the adornments of titles, and the targets of links.
    """
    for block in paragraphs(_kept(lines)):
        text = _inline(block)
        if text:
            yield text


def _kept(lines: Iterable[str]) -> Iterator[str]:
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
        if _COLUMNS.match(line):
            in_table = True
            continue
        if in_table:
            in_table = bool(line.strip())
            if in_table and (here or "  " in line.strip()):
                continue
            in_table = False
        indent = here
        if note := _NOTE.match(line):
            yield from ("", note[2])
        elif _MARKUP.match(line):
            dropped = here
        elif _TABLE.match(line) or _OPTION.match(line) or _FIELD.match(line):
            continue
        elif _RULE.match(line):
            yield ""
        else:
            bare = line.rstrip()
            literal = bare.endswith("::")
            if literal:
                bare = bare[:-1].rstrip(" ") if bare != "::" else ""
            if _ITEM.match(line):
                yield ""
            yield bare


def _inline(text: str) -> str:
    text = _CODE.sub(r"\1", text)
    text = _ROLE.sub(r"\1", text)
    text = _LINK.sub(r"\1", text)
    text = _NAMED_LINK.sub(r"\1", text)
    text = _FOOTNOTE.sub("", text)
    text = _SUBSTITUTION.sub("", text)
    text = _WORD_LINK.sub("", text)
    text = _ITEM.sub("", text)
    return _SPACES.sub(" ", text).strip()
