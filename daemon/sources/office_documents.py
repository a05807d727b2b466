"""Documents of Word (.docx, since 2007) and of LibreOffice and others (.odt): what was typed in them, by paragraph.

Both are an XML file in a zip archive, which is read as a stream: no tree of it is held. A document type is refused,
since only one can define entities, which can grow to any size; and so is a file that unpacks to more than any letter or
book. Formats: ECMA-376, part 1, section 17 (WordprocessingML); OASIS OpenDocument 1.3, part 3, sections 3 to 7.
"""

from __future__ import annotations

import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Final
from xml.parsers import expat

from idiolect.daemon.sources.items import Item, LimitError, Skipped, opened

MAX_UNPACKED_BYTES: Final = 128 << 20
_CHUNK_BYTES: Final = 1 << 16
_DEEPEST: Final = 500
_MAX_SPACES: Final = 100
#: How the names of Word's paragraph styles begin that are for quotations, by language, and for a table of contents.
_NOT_TYPED: Final = (
    *("quote", "intensequote", "blocktext", "zitat", "intensiveszitat", "citation", "cita", "toc"),
)


def word(path: Path, _asked: object) -> Iterator[Item | Skipped]:
    """The paragraphs of a .docx. Headers, footers, comments and notes are in other files of the archive.

    Left out: tables, text boxes, quotations, the table of contents, and what was deleted with changes tracked.
    Raises UnreadableError, NoSuchPathError, LimitError.
    """
    return _read(path, "word/document.xml", _Word())


def opendocument(path: Path, _asked: object) -> Iterator[Item | Skipped]:
    """The paragraphs and headings of an .odt. Headers and footers are in another file of the archive.

    Left out: tables, text boxes, quotations, notes, comments, indexes, and what was deleted with changes recorded.
    Raises UnreadableError, NoSuchPathError, LimitError.
    """
    return _read(path, "content.xml", _OpenDocument())


def damaged(path: Path) -> Skipped:
    """That a document cannot be read to its end."""
    note = f"{path.name}: it is damaged, encrypted or no document of this kind; what came before was read"
    return Skipped(path, "damaged documents", note)


class _Paragraphs(ABC):
    """Puts paragraphs together from the elements of a document, whose names are without their namespace."""

    left_out: ClassVar[frozenset[str]]
    blanks: ClassVar[Mapping[str, str]]

    def __init__(self) -> None:
        self.done: list[str] = []
        self._parts: list[str] | None = None  # of the paragraph that it is in
        self._typed = True  # the paragraph's style is none of a quotation
        self._depth = 0
        self._ignored = 0  # elements that are left out, around where it is

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _DamagedError
        if self._ignored or _local(name) in self.left_out:
            self._ignored += 1
        else:
            self._begin(_local(name), {_local(key): value for key, value in attributes.items()})

    def end(self, name: str) -> None:
        self._depth -= 1
        if self._ignored:
            self._ignored -= 1
        else:
            self._end(_local(name))

    def text(self, characters: str) -> None:
        """Characters, which may come in several parts."""
        if self._parts is not None and not self._ignored:
            self._parts.append(characters)

    def _complete(self) -> None:
        if self._typed and (text := "".join(self._parts or ()).strip()):
            self.done.append(text)
        self._parts = None

    @abstractmethod
    def _begin(self, name: str, attributes: dict[str, str]) -> None: ...

    @abstractmethod
    def _end(self, name: str) -> None: ...


class _Word(_Paragraphs):
    # What is deleted or was moved away, second versions for old programs, tables, and boxes beside the text.
    left_out = frozenset(
        {"del", "moveFrom", "delText", "Fallback", "tbl", "txbxContent", "instrText", "object"}
    )
    blanks: ClassVar = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}

    def __init__(self) -> None:
        super().__init__()
        self._in_run_text = False

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "p":
            self._parts, self._typed = [], True
        elif name == "pStyle":
            self._typed = not attributes.get("val", "").replace(" ", "").lower().startswith(_NOT_TYPED)
        elif name == "t":
            self._in_run_text = True
        elif name in self.blanks and "val" not in attributes:  # with a value it is a tab stop's
            super().text(self.blanks[name])

    def _end(self, name: str) -> None:
        if name == "t":
            self._in_run_text = False
        elif name == "p":
            self._complete()

    def text(self, characters: str) -> None:
        if self._in_run_text:
            super().text(characters)


class _OpenDocument(_Paragraphs):
    # What is deleted (it is kept beside the text), comments, notes, tables, pictures and text boxes, and what the
    # program puts together itself: tables of contents, indexes, lists.
    left_out = frozenset(
        {
            *(
                "tracked-changes",
                "annotation",
                "annotation-end",
                "note",
                "table",
                "frame",
                "ruby-text",
                "forms",
            ),
            *("table-of-content", "illustration-index", "table-index", "object-index", "user-index"),
            *("alphabetical-index", "bibliography"),
        }
    )
    blanks: ClassVar = {"tab": "\t", "line-break": "\n"}

    def __init__(self) -> None:
        super().__init__()
        self._in_body = False
        self._quotations = {"Quotations"}  # the styles of quotations

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "style" and attributes.get("parent-style-name") in self._quotations:
            self._quotations.add(attributes.get("name", ""))
        elif name == "body":
            self._in_body = True
        elif name in ("p", "h"):
            self._parts = []
            self._typed = self._in_body and attributes.get("style-name") not in self._quotations
        elif name == "s":
            count = attributes.get("c", "1")
            self.text(" " * min(int(count) if count.isdecimal() else 1, _MAX_SPACES))
        elif name in self.blanks:
            self.text(self.blanks[name])

    def _end(self, name: str) -> None:
        if name in ("p", "h"):
            self._complete()


class _DamagedError(Exception):
    """The XML is not as any program writes it."""


def _read(path: Path, member: str, paragraphs: _Paragraphs) -> Iterator[Item | Skipped]:
    try:
        for ordinal, text in enumerate(_texts(path, member, paragraphs)):
            yield Item(text, None, ordinal)
    except (
        *(_DamagedError, expat.ExpatError, zipfile.BadZipFile, zlib.error),
        *(KeyError, EOFError, NotImplementedError, RuntimeError),
    ):
        yield damaged(path)


def _texts(path: Path, member: str, paragraphs: _Paragraphs) -> Iterator[str]:
    def refuse(*_: object) -> None:
        raise _DamagedError

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = paragraphs.begin
    parser.EndElementHandler = paragraphs.end
    parser.CharacterDataHandler = paragraphs.text
    unpacked, chunk = 0, b"\n"
    with opened(path) as file, zipfile.ZipFile(file) as archive, archive.open(member) as xml:
        while chunk:
            chunk = xml.read(_CHUNK_BYTES)
            unpacked += len(chunk)
            if unpacked > MAX_UNPACKED_BYTES:
                raise LimitError(f"its text unpacks to more than {MAX_UNPACKED_BYTES >> 20} MB")
            parser.Parse(chunk, not chunk)
            yield from paragraphs.done
            paragraphs.done.clear()


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
