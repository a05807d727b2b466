"""Settings of git's that are read here: addresses to commit with, and folders that the user trusts.

A repository's own settings may come from a stranger. Of them `user.email` alone is read, and no file that they
include. The user's own include what they say, and files for some repositories only (`includeIf "gitdir:…"`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Final

from dulwich.config import ConfigFile, get_xdg_config_home_path

from idiolect.models.regular_files import open_regular, read_regular

_MAX_BYTES: Final = 64 << 10
_MAX_INCLUDES: Final = 10  # of a file by another


def addresses(folder: Path) -> tuple[str, ...]:
    """The addresses that git is set to commit with in a git folder, each once: its own, then the user's."""
    found: list[bytes] = []
    for settings in (*_own(folder), *_users(folder)):
        found += _values(settings, b"user", b"email")
    said = (address.decode(errors="ignore").strip() for address in found)
    return tuple(dict.fromkeys(address for address in said if address))


def is_safe(folder: Path) -> bool:
    """Whether the user has told git to trust a folder that is another user's (`safe.directory`)."""
    safe = False
    for settings in _users(folder):
        for value in _values(settings, b"safe", b"directory"):
            said = os.fsdecode(value)
            if not said:  # what was said before does not hold
                safe = False
            elif said == "*":
                safe = True
            else:
                within = said.endswith("/*")
                trusted = Path(os.path.expanduser(said.removesuffix("/*") or "/"))
                safe = safe or folder == trusted or (within and folder.is_relative_to(trusted))
    return safe


def _values(settings: ConfigFile, section: bytes, name: bytes) -> list[bytes]:
    try:
        return list(settings.get_multivar((section,), name))
    except KeyError:
        return []


def _own(folder: Path) -> Iterator[ConfigFile]:
    try:
        yield ConfigFile.from_file(
            BytesIO(read_regular(folder / "config", _MAX_BYTES)), expand_includes=False
        )
    except (OSError, ValueError, IndexError, AssertionError):
        return


def _users(folder: Path) -> Iterator[ConfigFile]:
    """The system's settings and the user's."""
    named = os.environ.get("GIT_CONFIG_GLOBAL")
    users = (
        [named] if named else [get_xdg_config_home_path("git", "config"), os.path.expanduser("~/.gitconfig")]
    )

    def covers(pattern: str) -> bool:
        prefix = os.path.expanduser(pattern.removesuffix("**"))
        return (
            Path(os.path.join(folder, "")).is_relative_to(prefix)
            if prefix.endswith("/")
            else str(folder) == prefix
        )

    for path in ("/etc/gitconfig", *users):
        try:
            yield ConfigFile.from_path(
                path,
                max_include_depth=_MAX_INCLUDES,
                file_opener=_opened,
                condition_matchers={"gitdir:": covers},
            )
        except (OSError, ValueError, IndexError, AssertionError):
            continue


def _opened(path: str | os.PathLike[str]) -> IO[bytes]:
    return open_regular(Path(path), follow=True)
