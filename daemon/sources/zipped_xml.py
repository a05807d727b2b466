"""An XML file in a zip archive, as office documents are, read as a stream: no tree of it is held.

A document type is refused, since only one can define entities, which can grow to any size; and so is a file that
unpacks to more than any letter or book.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol
from xml.parsers import expat

from idiolect.daemon.sources.items import LimitError, opened

MAX_UNPACKED_BYTES: Final = 128 << 20
_CHUNK_BYTES: Final = 1 << 16
_DEEPEST: Final = 500


class DamagedError(Exception):
    """The archive or the XML in it is damaged, encrypted, or of another kind."""


class Handler(Protocol):
    """What hears of the elements of a file. Names are without their namespace, as in `p` and `style-name`."""

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, characters: str) -> None:
        """Characters, which may come in several parts."""

    def taken(self) -> list[str]:
        """The paragraphs that were completed since this was last asked."""


def paragraphs(path: Path, member: str, handler: Handler) -> Iterator[str]:
    """The paragraphs that `handler` makes of an XML file in an archive.

    Raises DamagedError, LimitError, UnreadableError, NoSuchPathError.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    depth = 0

    def refuse(*_: object) -> None:
        raise DamagedError

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise DamagedError
        handler.begin(_local(name), {_local(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        handler.end(_local(name))

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = handler.text
    unpacked = 0
    try:
        with opened(path) as file, zipfile.ZipFile(file) as archive, archive.open(member) as xml:
            while chunk := xml.read(_CHUNK_BYTES):
                unpacked += len(chunk)
                if unpacked > MAX_UNPACKED_BYTES:
                    raise LimitError(f"its text unpacks to more than {MAX_UNPACKED_BYTES >> 20} MB")
                parser.Parse(chunk, False)
                yield from handler.taken()
            parser.Parse(b"", True)
            yield from handler.taken()
    except (
        expat.ExpatError,
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ):
        raise DamagedError from None


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
