"""The text of PDF files, by the library pypdf, where that is installed.

A PDF is what a page looks like, not what somebody wrote: lines, hyphens and columns have to be guessed, and most PDF
files in a folder are other people's. So they are read only where they are named themselves.
"""

from __future__ import annotations

import logging
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from idiolect.daemon.sources.items import Item, Skipped, explained, opened
from idiolect.daemon.sources.lines import paragraphs
from idiolect.daemon.sources.word import damaged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HYPHEN: Final = re.compile(r"(?<=[^\W\d_])-\n(?=[^\W\d_])")


def looks(path: Path, head: bytes) -> bool:
    """Whether a file begins as PDF files do."""
    return head.startswith(b"%PDF-") or (path.suffix.lower() == ".pdf" and path.is_file())


def read(path: Path, _asked: object) -> Iterator[Item | Skipped]:
    """The paragraphs of each page. Raises UnreadableError, NoSuchPathError."""
    if find_spec("pypdf") is None:
        note = f"{path.name}: reading PDF needs the library pypdf; `pip install 'idiolect[pdf]'` installs it"
        yield Skipped(path, "PDF without the library for it", note)
        return
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(
        logging.CRITICAL
    )  # what is odd about a file is of no use to anybody here
    ordinal = 0
    with opened(path) as file, explained(path):
        try:
            for page in PdfReader(file).pages:
                for text in paragraphs(_HYPHEN.sub("", page.extract_text()).split("\n")):
                    yield Item(text, None, ordinal)
                    ordinal += 1
        except (
            PyPdfError,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            RecursionError,
            OverflowError,
        ):
            yield damaged(path)
