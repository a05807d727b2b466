"""The table of all kinds of sources: how each is recognised and read.

A new kind is a module with a function that reads it, and a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Final

from idiolect.daemon.sources import (
    commit_messages,
    documents,
    git_config,
    mailboxes,
    markdown,
    matrix,
    office_documents,
    rtf,
    signal,
    telegram,
    whatsapp,
)
from idiolect.daemon.sources.items import Item, NothingToReadError, ReadReport, Skipped, explained, opened
from idiolect.daemon.sources.people import AuthorFilter, called, not_known, own, writers
from idiolect.daemon.text.lines import paragraphs

_HEAD_BYTES: Final = 8192


@dataclass(frozen=True)
class Kind:
    """A kind of source.

    `source` is what its entries are filed under. `read` gives what is there, for what was asked. A file is of this
    kind if its name ends so (`suffixes`) or if it looks so: `looks` gets the path and a file's first bytes (none of a
    folder). `guess` gives the names in it that are the user's, and `people` whose names there are; kinds without
    these hold one person's text.
    """

    name: str
    source: str
    read: Callable[[Path, AuthorFilter], Iterator[Item | Skipped]]
    suffixes: tuple[str, ...] = ()
    looks: Callable[[Path, bytes], bool] | None = None
    guess: Callable[[Path], tuple[str, ...]] | None = None
    people: Callable[[Path], list[tuple[str, int]]] | None = None

    @property
    def is_document(self) -> bool:
        """Whether it is known by its name, read wherever a folder is, and edited later."""
        return bool(self.suffixes)

    def pieces(self, path: Path, asked: AuthorFilter) -> Iterator[Item | Skipped]:
        """What of this source is the user's: by the names that were given, else by a guess, which is noted.

        Raises UnreadableError, NoSuchPathError, GitError.
        """
        if self.guess is not None and not asked.me:
            guessed = self.guess(path)
            if not guessed:
                yield not_known(path)
                return
            yield Skipped(
                path, "", f"{called(path)}: taken as yours: {', '.join(guessed)} (--me says otherwise)", 0
            )
            asked = replace(asked, me=guessed)
        yield from self.read(path, asked)


def _chat(name: str, module: ModuleType) -> Kind:
    """A kind whose module gives all people's messages."""
    return Kind(
        name,
        "chat",
        read=lambda path, asked: own(module.messages(path), asked),
        looks=module.looks,
        guess=module.guess,
        people=lambda path: writers(module.messages(path)),
    )


_mail = partial(Kind, source="mail", guess=mailboxes.guess, people=mailboxes.senders)

#: In the order in which they are tried: what is recognised by what is in it comes before what is by its name.
KINDS: Final = (
    Kind(
        "git",
        "git",
        commit_messages.read,
        looks=commit_messages.is_repository,
        guess=git_config.addresses,
        people=commit_messages.authors,
    ),
    _mail(
        "thunderbird",
        read=mailboxes.thunderbird,
        looks=mailboxes.is_thunderbird,
    ),
    _mail("maildir", read=mailboxes.maildir, looks=mailboxes.is_maildir),
    _mail("mbox", read=mailboxes.mbox, looks=mailboxes.is_mbox),
    _mail("message", read=mailboxes.message, looks=mailboxes.is_message),
    _chat("whatsapp", whatsapp),
    _chat("telegram", telegram),
    _chat("matrix", matrix),
    _chat("signal", signal),
    Kind("docx", "file", office_documents.word, (".docx",)),
    Kind("odt", "file", office_documents.opendocument, (".odt",)),
    Kind("rtf", "file", rtf.read, (".rtf",)),
    Kind("markdown", "file", documents.reader(markdown.read_paragraphs), (".md", ".markdown")),
    Kind("jsonl", "file", documents.json_lines, (".jsonl", ".ndjson")),
    Kind("text", "file", documents.reader(paragraphs), (".txt", ".text")),
)
BY_NAME: Final = {kind.name: kind for kind in KINDS}
TEXT: Final = BY_NAME["text"]
#: What may be read, as a sentence says it.
SAID: Final = ".txt, .md, .docx, .odt, .rtf, .jsonl files, mail (mbox, Maildir), exported chats"

_DOCUMENTS: Final = {suffix: kind for kind in KINDS for suffix in kind.suffixes}


#: How the names of documents end, in lower case.
SUFFIXES: Final = tuple(_DOCUMENTS)


def document_at(path: Path) -> Kind | None:
    """The kind of document that a file is by its name; None for other files."""
    return _DOCUMENTS.get(path.suffix.lower())


def kind_of(path: Path) -> Kind | None:
    """The kind of a file or folder, by what is in it and by its name; None for any other.

    A file without a suffix that looks like nothing else is plain text. Raises UnreadableError, NoSuchPathError.
    """
    head = b""
    if path.is_file():
        with opened(path) as file, explained(path):
            head = file.read(_HEAD_BYTES)
    with explained(path):
        for kind in KINDS:
            if kind.looks is not None and kind.looks(path, head):
                return kind
    if path.is_dir():
        return None
    return document_at(path) or (None if path.suffix else TEXT)


def refuse_nothing(report: ReadReport) -> NothingToReadError:
    """Return the error where none of the paths of an import holds text."""
    skipped = ", ".join(f"{count} {reason}" for reason, count in sorted(report.skipped.items()) if count)
    notes = "".join(f" {note.rstrip('.')}." for note in report.notes[:1])
    return NothingToReadError(
        f"There is no text to read{f' (skipped: {skipped})' if skipped else ''}.{notes} Give {SAID}, "
        "a folder that holds some, or the .git folder of a repository."
    )
