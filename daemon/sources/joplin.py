"""Joplin's exports: JEX (a tar archive) or RAW (a folder), one Markdown file an item, with its properties at the end.

Format: https://joplinapp.org/help/apps/import_export and https://joplinapp.org/help/api/references/rest_api
"""

from __future__ import annotations

import io
import re
import tarfile
from typing import TYPE_CHECKING, Final

from idiolect.daemon.regular_files import read_regular
from idiolect.daemon.sources import markdown
from idiolect.daemon.sources.items import Item, Skipped, explained, refuse_many
from idiolect.daemon.sources.lines import BOM, Lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NOTE: Final = re.compile(r"^[0-9a-f]{32}\.md$")
_PROPERTY: Final = re.compile(r"^([a-z_]+): ?(.*)$")
_LARGEST_BYTES: Final = 16 << 20  # of one note


def looks(path: Path, head: bytes) -> bool:
    """Whether this is a JEX archive or a RAW folder, by the names of its members and the properties of the first."""
    if path.is_dir():
        notes = sorted(path.glob("?" * 32 + ".md"))[:1]
        return any(_NOTE.match(note.name) and b"\ntype_: " in _note(note)[-2000:] for note in notes)
    return path.suffix.lower() == ".jex" or (
        head[257:262] == b"ustar"
        and _NOTE.match(head[:100].rstrip(b"\0").decode(errors="ignore")) is not None
    )


def read(path: Path, _asked: object) -> Iterator[Item | Skipped]:
    """The paragraphs of all notes.

    Left out: notebooks, tags and files, notes that are encrypted, and those that were clipped from a web page.
    Raises UnreadableError, NoSuchPathError.
    """
    ordinal = 0
    offset = 0
    with explained(path):
        try:
            for name, content in _members(path):
                offset += len(content)
                body, properties = _split(content)
                if properties.get("type_") != "1":
                    continue
                if properties.get("encryption_applied") == "1":
                    yield Skipped(path, "encrypted notes")
                elif properties.get("source_url") or properties.get("deleted_time", "0") != "0":
                    yield Skipped(path, "clipped or deleted notes")
                else:
                    for text in markdown.prose(body):
                        yield Item(text, None, ordinal, offset, name)
                        ordinal += 1
        except (tarfile.TarError, EOFError):
            yield Skipped(
                path, "damaged archive", f"{path.name}: the archive is damaged; what came before was read"
            )


def _split(content: bytes) -> tuple[list[str], dict[str, str]]:
    """A note's lines and its properties, which are the lines after the last empty one."""
    lines = [*Lines(io.BytesIO(content.removeprefix(BOM).rstrip()))]
    properties: dict[str, str] = {}
    while lines and (found := _PROPERTY.match(lines[-1])):
        properties[found[1]] = found[2].strip()
        lines.pop()
    return lines, properties


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in sorted(path.glob("*.md")):
            if _NOTE.match(file.name) and (content := _note(file)):
                yield file.stem, content
        return
    with tarfile.open(path, "r|*") as archive:
        for count, member in enumerate(archive):
            refuse_many(count)
            name = member.name.rpartition("/")[2]
            if member.isfile() and _NOTE.match(name) and member.size <= _LARGEST_BYTES:
                held = archive.extractfile(member)
                if held is not None:
                    yield name.removesuffix(".md"), held.read()


def _note(file: Path) -> bytes:
    """A note's content; nothing of what is no regular file, or is unreasonably large."""
    try:
        return read_regular(file, _LARGEST_BYTES)
    except OSError:
        return b""
