"""Discovery of sources: mailboxes, vaults, notes, repositories and histories on this machine, with sizes.

Nothing is stored and nothing is sent: places are looked up where programs keep them, and folders below the home folder
are searched to a bounded depth, for a bounded time.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from idiolect.daemon.profile_paths import real_path
from idiolect.daemon.sources import kinds, mailboxes
from idiolect.daemon.sources.file_discovery import Exclusion, find
from idiolect.daemon.sources.items import Item, Skipped
from idiolect.daemon.sources.people import AuthorFilter
from idiolect.models.errors import IdiolectError
from idiolect.models.regular_files import read_regular

_DEPTH: Final = 5  # folders below the home folder
_SEARCH_S: Final = 10.0
_PROBE_S: Final = 0.5  # for each place, in which its first text of the user's is looked for
_CONFIG_BYTES: Final = 1 << 20  # of another program's settings
_LEAST_NOTES: Final = 3  # documents in a folder, for its name to be believed

_THUNDERBIRD: Final = (
    ".thunderbird",
    "snap/thunderbird/common/.thunderbird",
    ".var/app/org.mozilla.Thunderbird/.thunderbird",
    "Library/Thunderbird/Profiles",
    "AppData/Roaming/Thunderbird/Profiles",
)
_MAILDIRS: Final = ("Maildir", "Mail", "mail", ".mail", ".local/share/mail")
_OBSIDIAN: Final = (
    ".config/obsidian/obsidian.json",
    ".var/app/md.obsidian.Obsidian/config/obsidian/obsidian.json",
    "snap/obsidian/current/.config/obsidian/obsidian.json",
    "Library/Application Support/obsidian/obsidian.json",
    "AppData/Roaming/obsidian/obsidian.json",
)
_NOTES: Final = frozenset(
    {
        "notes",
        "notizen",
        "journal",
        "diary",
        "zettelkasten",
        "org",
        "wiki",
        "obsidian",
        "logseq",
        "denote",
        "roam",
    }
)


@dataclass(frozen=True)
class FoundSource:
    """Something to read: what it is, whose text in it is the user's, its size.

    `sort` groups places: "mail", "notes", "git".
    """

    path: Path
    sort: str
    says: str
    me: tuple[str, ...]
    size_bytes: int


def places(home: Path, exclude: Sequence[str], *, search_s: float = _SEARCH_S) -> Iterator[FoundSource]:
    """The places below `home` that hold text of the user's, as they are found; none inside another of them."""
    taken: list[Path] = []
    exclusion = Exclusion(exclude)
    for given, sort, says in _candidates(home, exclusion, search_s):
        path = real_path(given)  # a link of the user's: of what programs keep, or of a vault
        # Where programs keep their data is hidden, and looked at all the same; what its user excludes is not.
        if any(
            exclusion.covers(one, home if one.is_relative_to(home) else Path(one.anchor), hidden=False)
            for one in {given, path}
        ):
            continue
        if any(path == other or (sort != "git" and path.is_relative_to(other)) for other in taken):
            continue
        taken.append(path)
        try:
            place = _place(path, sort, says, exclude)
        except (IdiolectError, OSError):
            continue
        if place is not None:
            yield place


def _candidates(home: Path, exclusion: Exclusion, search_s: float) -> Iterator[tuple[Path, str, str]]:
    for root in _THUNDERBIRD:
        for profile in _folders(home / root):
            if mailboxes.is_thunderbird(profile, b""):
                yield profile, "mail", "sent mail in Thunderbird"
    for root in _MAILDIRS:
        for folder in _maildirs(home / root):
            yield folder, "mail", "sent mail in a Maildir"
    for vault in _vaults(home):
        yield vault, "notes", "an Obsidian vault"
    yield from _searched(home, exclusion, time.monotonic() + search_s)
    # As the desktop calls it in the user's language; last, since what is named above lies in it for many people.
    documents = Path(platformdirs.user_documents_dir())
    if documents.parent.is_relative_to(home) and documents.is_dir():
        yield documents, "notes", "documents"


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []


def _maildirs(root: Path) -> Iterator[Path]:
    """Maildirs for sent mail at or up to three folders below `root`."""
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop(0)
        if mailboxes.is_maildir(folder, b"") and (mailboxes.holds_sent(folder) or folder == root):
            yield folder
        if depth < 3:
            waiting += [
                (inner, depth + 1) for inner in _folders(folder) if inner.name not in ("cur", "new", "tmp")
            ]


def _vaults(home: Path) -> Iterator[Path]:
    """The vaults that Obsidian knows."""
    for name in _OBSIDIAN:
        try:
            known = json.loads(read_regular(home / name, _CONFIG_BYTES, follow=True))["vaults"]
            found = [Path(vault["path"]) for vault in known.values()]
        except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
            continue
        yield from (path for path in found if path.is_dir())


def _searched(home: Path, exclusion: Exclusion, deadline: float) -> Iterator[tuple[Path, str, str]]:
    """Repositories, vaults and folders of notes below `home`, the nearest first."""
    waiting = [(home, 0)]
    while waiting and time.monotonic() < deadline:
        folder, depth = waiting.pop(0)
        if (folder / ".git").is_dir() and not (folder / ".git").is_symlink():
            yield folder / ".git", "git", "your commit messages"
        if (folder / ".obsidian").is_dir():
            yield folder, "notes", "an Obsidian vault"
            continue
        if folder.name.lower() in _NOTES and folder != home and _has_notes(folder):
            yield folder, "notes", "notes"
            continue
        if depth < _DEPTH:
            for inner in _folders(folder):
                if not exclusion.covers(inner, folder):
                    waiting.append((inner, depth + 1))


def _has_notes(folder: Path) -> bool:
    try:
        with os.scandir(folder) as scan:
            count = sum(kinds.document_at(Path(entry.path)) is not None or entry.is_dir() for entry in scan)
    except OSError:
        return False
    return count >= _LEAST_NOTES


def _place(path: Path, sort: str, says: str, exclude: Sequence[str]) -> FoundSource | None:
    """Return what is at a path if it holds text of the user's, as far as half a second of reading shows.

    Raises UnreadableError, NoSuchPathError, GitError.
    """
    kind = kinds.kind_of(path)
    deadline = time.monotonic() + _PROBE_S
    if kind is None:
        return _folder(path, sort, says, exclude, deadline)
    me = kind.guess(path) if kind.guess is not None else ()
    if kind.guess is not None and not me:
        return None
    if not _has_text(kind.pieces(path, AuthorFilter(me)), deadline):
        return None
    return FoundSource(path, sort, says, me, mailboxes.size_bytes(path))


def _has_text(pieces: Iterable[Item | Skipped], deadline: float) -> bool:
    """Return True at the first text, and where the time is over."""
    return any(isinstance(piece, Item) or time.monotonic() > deadline for piece in pieces)


def _folder(path: Path, sort: str, says: str, exclude: Sequence[str], deadline: float) -> FoundSource | None:
    """Return a folder if one of its documents has text."""
    size, texts = 0, False
    for file in find(path, exclude):
        if isinstance(file, Skipped) or (kind := kinds.document_at(file)) is None:
            continue
        size += file.stat().st_size
        if not texts:
            texts = _has_text(kind.pieces(file, AuthorFilter()), deadline)
    return FoundSource(path, sort, says, (), size) if texts else None
