"""Text documents of LibreOffice and others (.odt): the paragraphs of the text, without what nobody typed as one.

Format: OASIS OpenDocument 1.3, part 3, sections 3 to 7.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from idiolect.daemon.sources.items import Item, Skipped
from idiolect.daemon.sources.word import damaged
from idiolect.daemon.sources.zipped_xml import DamagedError, paragraphs

# What is deleted (it is kept beside the text), comments, notes, tables, pictures and text boxes, and what the program
# puts together itself: tables of contents, indexes, lists.
_LEFT_OUT: Final = frozenset(
    {
        *("tracked-changes", "annotation", "annotation-end", "note", "table", "frame", "ruby-text", "forms"),
        *("table-of-content", "illustration-index", "table-index", "object-index", "user-index"),
        *("alphabetical-index", "bibliography"),
    }
)
_BLANKS: Final = {"tab": "\t", "line-break": "\n"}
_QUOTATIONS: Final = "Quotations"
_MAX_SPACES: Final = 100


def read(path: Path, _asked: object) -> Iterator[Item | Skipped]:
    """The paragraphs and headings of the text. Headers and footers are in another file of the archive.

    Left out: tables, text boxes, quotations, notes, comments, indexes, and what was deleted with changes recorded.
    Raises UnreadableError, NoSuchPathError.
    """
    try:
        for ordinal, text in enumerate(paragraphs(path, "content.xml", _Text())):
            yield Item(text, None, ordinal)
    except DamagedError:
        yield damaged(path)


class _Text:
    """Puts paragraphs together."""

    def __init__(self) -> None:
        self._done: list[str] = []
        self._parts: list[str] | None = None  # of the paragraph that it is in
        self._ignored = 0  # elements that are left out, around where it is
        self._in_body = False
        self._quotations = {_QUOTATIONS}  # the styles of quotations
        self._typed = True

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "style" and attributes.get("parent-style-name") in self._quotations:
            self._quotations.add(attributes.get("name", ""))
        if self._ignored or name in _LEFT_OUT:
            self._ignored += 1
        elif name == "body":
            self._in_body = True
        elif name in ("p", "h"):
            self._parts, self._typed = [], attributes.get("style-name") not in self._quotations
        elif self._parts is not None and name == "s":
            count = attributes.get("c", "1")
            self._parts.append(" " * min(int(count) if count.isdecimal() else 1, _MAX_SPACES))
        elif self._parts is not None and name in _BLANKS:
            self._parts.append(_BLANKS[name])

    def end(self, name: str) -> None:
        if self._ignored:
            self._ignored -= 1
        elif name in ("p", "h") and self._parts is not None:
            if self._in_body and self._typed and (text := "".join(self._parts).strip()):
                self._done.append(text)
            self._parts = None

    def text(self, characters: str) -> None:
        if self._parts is not None and not self._ignored:
            self._parts.append(characters)

    def taken(self) -> list[str]:
        done, self._done = self._done, []
        return done
