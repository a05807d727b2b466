"""Rich Text Format (.rtf), by the library striprtf, which leaves out headers, footers, notes, fields and pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from striprtf import striprtf

from idiolect.daemon.sources.items import Item, LimitError, Skipped, explained, status
from idiolect.daemon.sources.office_documents import damaged
from idiolect.models.regular_files import read_regular

_to_text: Final[Callable[..., str]] = striprtf.rtf_to_text  # it has no types
_MAX_BYTES: Final = 32 << 20  # pictures are written in it as text


def read(path: Path, _asked: object) -> Iterator[Item | Skipped]:
    """The paragraphs of the text. Raises UnreadableError, NoSuchPathError, LimitError."""
    if status(path).st_size > _MAX_BYTES:
        raise LimitError(f"it is larger than {_MAX_BYTES >> 20} MB; save it as .docx or .odt")
    with explained(path):
        raw = read_regular(path, _MAX_BYTES)
    if not raw.lstrip().startswith(b"{\\rtf"):
        yield damaged(path)
        return
    try:
        text = _to_text(raw.decode("cp1252", errors="ignore"), errors="ignore")
    except (ValueError, LookupError, IndexError, TypeError, AttributeError, OverflowError):
        yield damaged(path)
        return
    for ordinal, paragraph in enumerate(text.split("\n")):
        if bare := paragraph.strip():
            yield Item(bare, None, ordinal)
