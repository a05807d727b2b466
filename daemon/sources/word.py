"""Documents of Microsoft Word (.docx, since 2007): the paragraphs of the text, without what nobody typed as one.

Format: ECMA-376, part 1, section 17 (WordprocessingML).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from idiolect.daemon.sources.items import Item, Skipped
from idiolect.daemon.sources.zipped_xml import DamagedError, paragraphs

# What is deleted or was moved away, second versions for old programs, tables, and boxes beside the text.
_LEFT_OUT: Final = frozenset(
    {"del", "moveFrom", "delText", "Fallback", "tbl", "txbxContent", "instrText", "object"}
)
_BLANKS: Final = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
#: How the names of paragraph styles begin that are for quotations, by language, and for a table of contents.
_NOT_TYPED: Final = (
    "quote",
    "intensequote",
    "blocktext",
    "zitat",
    "intensiveszitat",
    "citation",
    "cita",
    "toc",
)


def read(path: Path, _asked: object) -> Iterator[Item | Skipped]:
    """The paragraphs of the text. Headers, footers, comments and notes are in other files of the archive.

    Left out: tables, text boxes, quotations, the table of contents, and what was deleted with changes tracked.
    Raises UnreadableError, NoSuchPathError.
    """
    try:
        for ordinal, text in enumerate(paragraphs(path, "word/document.xml", _Text())):
            yield Item(text, None, ordinal)
    except DamagedError:
        yield damaged(path)


def damaged(path: Path) -> Skipped:
    """That a document cannot be read to its end."""
    note = f"{path.name}: it is damaged, encrypted or no document of this kind; what came before was read"
    return Skipped(path, "damaged documents", note)


class _Text:
    """Puts paragraphs together. One that holds others, in a text box, is whole where it ends."""

    def __init__(self) -> None:
        self._done: list[str] = []
        self._parts: list[str] = []
        self._ignored = 0  # elements that are left out, around where it is
        self._typed = True
        self._in_run_text = False

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if self._ignored or name in _LEFT_OUT:
            self._ignored += 1
        elif name == "p":
            self._parts, self._typed = [], True
        elif name == "pStyle":
            self._typed = not attributes.get("val", "").replace(" ", "").lower().startswith(_NOT_TYPED)
        elif name == "t":
            self._in_run_text = True
        elif name in _BLANKS and "val" not in attributes:  # with a value it is a tab stop's
            self._parts.append(_BLANKS[name])

    def end(self, name: str) -> None:
        if self._ignored:
            self._ignored -= 1
        elif name == "t":
            self._in_run_text = False
        elif name == "p":
            if self._typed and (text := "".join(self._parts).strip()):
                self._done.append(text)
            self._parts = []

    def text(self, characters: str) -> None:
        if self._in_run_text and not self._ignored:
            self._parts.append(characters)

    def taken(self) -> list[str]:
        done, self._done = self._done, []
        return done
