"""A git repository's commit messages: what its authors wrote, without what git and other tools did."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from idiolect.daemon.sources.items import Item, Skipped
from idiolect.daemon.sources.people import AuthorFilter, called
from idiolect.daemon.text.lines import unwrapped

if TYPE_CHECKING:
    from idiolect.daemon.sources.git_history import Repository

#: Why a repository was not read to its end.
MISSING: Final = "missing commits"

_GENERATED_SUBJECT: Final = re.compile(
    r"^(?:Merge (?:branch|branches|commit|pull request|remote-tracking branch|tag|changes)\b"
    r"|(?:Revert|Reapply) \"|(?:fixup|squash|amend)! "
    r"|Bump \S+ from \S+ to \S+|vault backup\b|v?\d+(?:\.\d+)+$)"
)
_TRAILER: Final = re.compile(
    r"^(?:[A-Z][A-Za-z]*(?:-[A-Za-z]+)*-(?:by|to|id|url|link|text)|Closes|Fixes|Refs?|Bug|Cc|CC|Link|See-also"
    r"|Change-Id|BREAKING-CHANGE): \S|^\(cherry picked from commit ",
    re.IGNORECASE,
)
_PULSE: Final = 1000  # commits
_MISSING_NOTE: Final = (
    "{}: commits that are not in it or are damaged, and what came before them, are left out (a shallow or partial "
    "clone, or one that uses another repository's objects); nothing was fetched"
)
_REVERTS: Final = re.compile(r"^This reverts commit [0-9a-f]{7,}")


def is_repository(path: Path, _head: bytes) -> bool:
    """Whether a path is a git folder (`.git`, or a bare repository)."""
    bare = all((path / name).exists() for name in ("HEAD", "objects", "refs"))
    return path.is_dir() and (path.name == ".git" or bare)


def _open(folder: Path) -> Repository:
    from idiolect.daemon.sources.git_history import Repository  # 2 MB that only the reading child needs

    return Repository(folder)


def head(folder: Path) -> str | None:
    """The id of the newest commit; None where there is none yet. Raises GitError."""
    with _open(folder) as repository:
        return repository.head.decode("ascii") if repository.head else None


def read(folder: Path, asked: AuthorFilter, since: str | None = None) -> Iterator[Item | Skipped]:
    """The messages of the user's commits that HEAD reaches, newest first: subject and body, as one item each.

    `since` is the id of a commit whose ancestors are already known. Merges, generated subjects and trailers are left
    out. Streamed; while it finds nothing, it now and then yields that nothing was left out. Raises GitError.
    """
    offset = ordinal = 0
    with _open(folder) as repository:
        for number, commit in enumerate(repository.commits(None if since is None else since.encode())):
            if number % _PULSE == _PULSE - 1:
                yield Skipped(folder, "", count=0, offset_bytes=offset)
            if commit is None or commit.is_merge:
                continue
            offset += len(commit.message)
            if not asked.mine(commit.name, commit.address):
                continue
            text = written(commit.message)
            if text:
                yield Item(text, commit.at, ordinal, offset)
            else:
                yield Skipped(folder, "generated commit messages")
            ordinal += 1
        if repository.missing:
            yield Skipped(folder, MISSING, _MISSING_NOTE.format(called(folder)), repository.missing)


def authors(folder: Path) -> list[tuple[str, int]]:
    """The addresses of those who wrote the commits that HEAD reaches, with how many each. Raises GitError."""
    with _open(folder) as repository:
        commits = repository.commits()
        counted = Counter(commit.address for commit in commits if commit and not commit.is_merge)
    return Counter({address: number for address, number in counted.items() if address}).most_common()


def written(message: str) -> str:
    """What a person wrote of a commit message, its wrapped lines joined; empty where it was generated."""
    if _GENERATED_SUBJECT.match(message):
        return ""
    paragraphs = [part.splitlines() for part in re.split(r"\n\s*\n", message.strip()) if part.strip()]
    while len(paragraphs) > 1 and any(map(_TRAILER.match, paragraphs[-1])):
        paragraphs[-1] = [line for line in paragraphs[-1] if not _TRAILER.match(line)]
        if paragraphs[-1]:
            break
        paragraphs.pop()
    kept = [
        unwrapped([line.strip() for line in lines]) for lines in paragraphs if not _REVERTS.match(lines[0])
    ]
    return "\n\n".join(kept)
