"""The user's commit messages in a git repository; see `commit_messages.py` for what is left out of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idiolect.daemon.sources import commit_messages, git_config
from idiolect.daemon.sources.people import EVERYONE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from idiolect.daemon.sources.items import Item, Skipped
    from idiolect.daemon.sources.people import AuthorFilter


def is_repository(path: Path, _head: bytes) -> bool:
    """Whether a path is a git folder (`.git`, or a bare repository)."""
    return path.is_dir() and commit_messages.git_folder(path) is not None


def read(path: Path, asked: AuthorFilter, since: str | None = None) -> Iterator[Item | Skipped]:
    """The messages of the user's commits, newest first; of those after the commit `since`. Raises GitError."""
    authors = () if EVERYONE in asked.me else asked.me
    return commit_messages.read_git(path, authors=authors, since=since)


def authors(path: Path) -> list[tuple[str, int]]:
    """Who committed to a repository: addresses with how many commits each, the busiest first. Raises GitError."""
    return commit_messages.authors(path)


def guess(path: Path) -> tuple[str, ...]:
    """The addresses that git would commit with here: the repository's own, then those of the user's settings."""
    return git_config.addresses(path)
