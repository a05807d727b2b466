"""A git repository: the commits that its HEAD reaches, read without git.

A repository may come from a stranger, and git runs what a repository's settings name. So git is never started: dulwich
reads the objects, without settings, from regular files of the folder itself alone, and of the settings only
`user.email` is read (`git_config.py`). What an object costs to unpack is limited for the process that reads it.
Format: https://git-scm.com/docs/gitrepository-layout
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final, Self

from dulwich.object_format import SHA1, SHA256
from dulwich.object_store import BaseObjectStore, DiskObjectStore
from dulwich.objects import Commit, ObjectID, RawObjectID, ShaFile, Tree
from dulwich.walk import Walker

from idiolect.daemon.regular_files import is_linked, open_regular, read_regular
from idiolect.daemon.sources import git_config
from idiolect.models.errors import IdiolectError

_HEAD_BYTES: Final = 4096  # of HEAD and of a branch
_REFS_BYTES: Final = 64 << 20  # of the packed refs, and of the list of a shallow clone's ends
_MAX_LINKS: Final = 5  # of a ref to another
_MAX_BYTES: Final = 1 << 20  # of one object; a commit or a tree has some kilobytes at the most
_MAX_PACK_FILES: Final = 5000  # of each pack there are some three
_ID: Final = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_BRANCH: Final = re.compile(rb"refs/(?!\.)[^\0-\x20\x7f~^:?*\[\\/]+(?:/(?!\.)[^\0-\x20\x7f~^:?*\[\\/]+)*")
_REFTABLE: Final = b"refs/heads/.invalid"  # what HEAD says where refs are kept in tables


class GitError(IdiolectError):
    """A repository's history cannot be read."""

    code: ClassVar[str] = "git"
    exit_code: ClassVar[int] = 49
    http_status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class WrittenCommit:
    """A commit: who wrote it by its mailmap, when, and what."""

    is_merge: bool
    name: str
    address: str
    at: datetime | None
    message: str


class _Objects(DiskObjectStore):
    """The objects in one folder; what it lends from other folders (alternates) is not read."""

    @property
    def alternates(self) -> list[BaseObjectStore]:
        """None."""
        return []

    def __getitem__(self, id_: ObjectID | RawObjectID) -> ShaFile:
        """An object by its id in hexadecimal digits. Raises KeyError where it is missing, damaged or too large."""
        digits = id_.decode("ascii", "replace")
        path = Path(self.path, digits[:2], digits[2:])
        if os.path.lexists(path) and (is_linked(path, Path(self.path)) or not path.is_file()):
            raise KeyError(id_)
        try:
            found = super().__getitem__(id_)
            usable = found.raw_length() <= _MAX_BYTES and (
                not isinstance(found, Commit) or isinstance(found.commit_time, int)
            )
        except Exception:  # noqa: BLE001 (dulwich says in many ways that bytes are damaged)
            raise KeyError(id_) from None
        if not usable:
            raise KeyError(id_)
        return found


class Repository:
    """A git folder, open until the block ends."""

    def __init__(self, folder: Path) -> None:
        """Raises GitError where it is no repository, another user's, or of a form that is not read."""
        self._folder = folder
        self._require_own()
        try:
            if not all(stat.S_ISDIR((folder / name).lstat().st_mode) for name in ("objects", "refs")):
                raise _unreadable(folder)
            self.head = self._resolved(read_regular(folder / "HEAD", _HEAD_BYTES).strip())
            self._shallow = frozenset(self._lines("shallow"))
            _require_regular(folder / "objects" / "pack")
        except OSError as error:
            raise _unreadable(folder, error.strerror) from None
        form = SHA256 if len(self.head or b"") == SHA256.hex_length else SHA1
        self._objects = _Objects(folder / "objects", object_format=form, loose_object_size_limit=_MAX_BYTES)
        self._missing: set[bytes] = set()

    def __enter__(self) -> Self:
        """Return it as it is."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its packs."""
        self._objects.close()

    @property
    def missing(self) -> int:
        """How many of the commits that were asked for cannot be read; what came before them is not known either."""
        return len(self._missing)

    def commits(self, since: bytes | None = None) -> Iterator[WrittenCommit]:
        """The commits that HEAD reaches and `since` does not, newest first.

        Where clocks went wrong, some may come that `since` reaches, too. Raises GitError where HEAD's own commit cannot
        be read.
        """
        if self.head is None:
            return
        if not self._holds(self.head):
            raise GitError(
                f"The newest commit of {self._folder} is not in it. Is it a whole clone, or does it use another "
                "repository's objects? Nothing is fetched: let git complete it, then try again."
            )
        known = [ObjectID(since)] if since is not None and self._holds(since) else []
        names = self._mailmap(self.head)
        for entry in Walker(self._objects, [ObjectID(self.head)], known, get_parents=self._parents):
            yield _written(entry.commit, names)

    def _holds(self, id_: bytes) -> bool:
        """Whether there is a commit with this id that can be read."""
        with suppress(KeyError):
            return _ID.fullmatch(id_) is not None and isinstance(self._objects[ObjectID(id_)], Commit)
        return False

    def _parents(self, commit: Commit) -> list[ObjectID]:
        """A commit's parents that are there to be read; of the others it is noted that they are missing."""
        if commit.id in self._shallow:
            return []
        self._missing.update(parent for parent in commit.parents if not self._holds(parent))
        return [parent for parent in commit.parents if parent not in self._missing]

    def _require_own(self) -> None:
        """Raise GitError where git, too, would not read it, since another user of the machine may have made it."""
        folders = (self._folder, self._folder.parent) if self._folder.name == ".git" else (self._folder,)
        user = os.geteuid() if hasattr(os, "geteuid") else None
        try:
            others = user is not None and any(folder.lstat().st_uid != user for folder in folders)
        except OSError as error:
            raise _unreadable(self._folder, error.strerror) from None
        if others and not git_config.is_safe(folders[-1]):
            raise GitError(
                f"{self._folder} belongs to another user of this machine, so it is not read. If you trust it, say so "
                f"to git: `git config --global --add safe.directory {folders[-1]}`."
            )

    def _resolved(self, said: bytes, links: int = 0) -> bytes | None:
        """The commit's id that a ref says, or another ref that it names; None where there is none yet.

        Raises GitError, OSError.
        """
        if _ID.fullmatch(said):
            return said
        name = said.removeprefix(b"ref:").strip()
        if name == _REFTABLE:
            raise GitError(
                f"{self._folder} keeps its branches in tables (reftable), which are not read. "
                "`git refs migrate --ref-format=files` changes that."
            )
        if not said.startswith(b"ref:") or b".." in name or not _BRANCH.fullmatch(name) or links > _MAX_LINKS:
            raise _unreadable(self._folder)
        path = self._folder / os.fsdecode(name)
        if is_linked(path, self._folder):
            raise _unreadable(self._folder, "a branch is a symbolic link")
        with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return self._resolved(read_regular(path, _HEAD_BYTES).strip(), links + 1)
        for line in self._lines("packed-refs"):
            id_, _, ref = line.partition(b" ")
            if ref == name and _ID.fullmatch(id_):
                return id_
        return None

    def _lines(self, name: str) -> Iterator[bytes]:
        """The lines of a file, as far as it is read; none where there is no such file. Raises OSError."""
        try:
            with open_regular(self._folder / name) as file:
                left = _REFS_BYTES
                while left > 0 and (line := file.readline(_HEAD_BYTES)):
                    left -= len(line)
                    yield line.strip()
        except FileNotFoundError:
            return

    def _mailmap(self, head: bytes) -> dict[tuple[bytes, bytes], tuple[bytes, bytes]]:
        """The file `.mailmap` of HEAD's commit, from the objects: one in a folder could be anything.

        The keys are a name or none and an address, in lower case; the values, the proper name and address, or none.
        """
        with suppress(KeyError):  # as in a clone without files
            commit = self._objects[ObjectID(head)]
            tree = self._objects[commit.tree] if isinstance(commit, Commit) else None
            mode, id_ = tree[b".mailmap"] if isinstance(tree, Tree) else (0, ObjectID(b""))
            if stat.S_ISREG(mode):
                return dict(_mapped(self._objects[id_].as_raw_string()))
        return {}


def _require_regular(folder: Path) -> None:
    """Raise OSError where packs are no regular files in a folder of their own, or are very many."""
    if not folder.is_dir() and not folder.is_symlink():
        return
    entries = [folder, *folder.iterdir()]
    if not all(
        stat.S_ISREG(entry.lstat().st_mode) or (entry == folder and not entry.is_symlink())
        for entry in entries
    ):
        raise OSError(0, "a pack is no regular file")
    if len(entries) > _MAX_PACK_FILES:
        raise OSError(0, "it has too many packs, `git gc` joins them")


def _unreadable(folder: Path, why: str | None = None) -> GitError:
    return GitError(
        f"The history in {folder} cannot be read{f' ({why})' if why else ''}. Is it a whole repository, and your own?"
    )


def _written(commit: Commit, names: dict[tuple[bytes, bytes], tuple[bytes, bytes]]) -> WrittenCommit:
    name, _, address = (part.strip() for part in commit.author.rpartition(b">")[0].partition(b"<"))
    proper = names.get((name.lower(), address.lower())) or names.get((b"", address.lower())) or (b"", b"")
    try:
        at = datetime.fromtimestamp(commit.author_time, UTC)
    except (ValueError, OverflowError, OSError):
        at = None
    return WrittenCommit(
        is_merge=len(commit.parents) > 1,
        name=(proper[0] or name).decode(errors="ignore"),
        address=(proper[1] or address).decode(errors="ignore"),
        at=at,
        message=_decoded(commit.message, (commit.encoding or b"utf-8").decode("ascii", "ignore")),
    )


def _decoded(message: bytes, encoding: str) -> str:
    """A message in UTF-8, or else in the encoding that it names."""
    with suppress(UnicodeDecodeError):
        return message.decode()
    with suppress(LookupError, ValueError):  # one that Python does not know, or none of text
        return message.decode(encoding, "ignore")
    return message.decode(errors="ignore")


def _mapped(content: bytes) -> Iterator[tuple[tuple[bytes, bytes], tuple[bytes, bytes]]]:
    """The lines of a mailmap: `Proper Name <proper@address> Name <address>`, with all but one address left out."""
    for line in content.split(b"\n"):
        if line.startswith(b"#"):
            continue
        name, _, rest = line.partition(b"<")
        address, first_ends, rest = rest.partition(b">")
        other_name, _, rest = rest.partition(b"<")
        other_address, second_ends, _ = rest.partition(b">")
        if second_ends:
            key = other_name.strip().lower(), other_address.strip().lower()
            yield key, (name.strip(), address.strip())
        elif first_ends:
            yield (b"", address.strip().lower()), (name.strip(), b"")
