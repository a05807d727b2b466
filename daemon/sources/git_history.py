"""A git repository: the commits that its HEAD reaches, read without git.

A repository may come from a stranger, and git runs what a repository's settings name. So git is never started: refs,
objects and the mailmap are read here, and of its settings only `user.email`. See `git_objects.py` for what is opened.
Format: https://git-scm.com/docs/gitrepository-layout
"""

from __future__ import annotations

import heapq
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from typing import TYPE_CHECKING, ClassVar, Final

from dulwich.errors import ObjectFormatException
from dulwich.objects import parse_tree

from idiolect.daemon.regular_files import is_linked, open_regular, read_regular
from idiolect.daemon.sources import git_config
from idiolect.daemon.sources.git_objects import BLOB, COMMIT, TREE, ObjectError, Objects, TooManyPacksError
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

_HEAD_BYTES: Final = 4096  # of HEAD and of a branch
_REFS_BYTES: Final = 64 << 20  # of the packed refs, and of the list of a shallow clone's ends
_MAX_LINKS: Final = 5  # of a ref to another
_HELD_BYTES: Final = 16 << 10  # of a commit that waits for its turn
_ID: Final = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_BRANCH: Final = re.compile(rb"refs/(?!\.)[^\0-\x20\x7f~^:?*\[\\/]+(?:/(?!\.)[^\0-\x20\x7f~^:?*\[\\/]+)*")
_REFTABLE: Final = b"refs/heads/.invalid"  # what HEAD says where refs are kept in tables
#: The encodings that a commit may name. Python knows some that run long, or are none of text.
_ENCODINGS: Final = re.compile(
    r"utf-?8|us-ascii|latin-?1|iso-?8859-?\d{1,2}|(?:windows-?|cp)125\d|koi8-[ru]|shift[-_]jis|euc-(?:jp|kr)"
    r"|iso-2022-jp|gbk|gb2312|gb18030|big5",
    re.IGNORECASE,
)


class GitError(IdiolectError):
    """A repository's history cannot be read."""

    code: ClassVar[str] = "git"
    exit_code: ClassVar[int] = 49
    http_status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: who wrote it by its mailmap, when, and what; `parents` are ids."""

    parents: tuple[bytes, ...]
    name: str
    address: str
    at: datetime | None
    message: str


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
            self._objects = Objects(folder / "objects", len(self.head or b""))
        except TooManyPacksError:
            raise GitError(f"{folder} has too many packs. Run `git gc` in it, then try again.") from None
        except OSError as error:
            raise _unreadable(folder, error.strerror) from None
        self.missing = 0

    def __enter__(self) -> Self:
        """Return it as it is."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its packs."""
        self._objects.close()

    def holds(self, id_: bytes) -> bool:
        """Whether there is a commit with this id."""
        try:
            return _ID.fullmatch(id_) is not None and self._objects.read(id_)[0] == COMMIT
        except ObjectError:
            return False

    def commits(self, since: bytes | None = None) -> Iterator[Commit | None]:
        """The commits that HEAD reaches and `since` does not, newest first.

        None stands for one of the others, so that whoever has no more time can stop. Those that cannot be read are
        counted as `missing`, with all that is known through them alone. Where clocks went wrong, some may come that
        `since` reaches, too. Raises GitError where HEAD's own commit cannot be read.
        """
        if self.head is None:
            return
        if not self.holds(self.head):
            raise GitError(
                f"The newest commit of {self._folder} is not in it. Is it a whole clone, or does it use another "
                "repository's objects? Nothing is fetched: let git complete it, then try again."
            )
        waiting, names = _Waiting(), self._mailmap(self.head)
        if since is not None and self.holds(since):
            self._wait(waiting, since, known=True)
        self._wait(waiting, self.head, known=False)
        while waiting.wanted > 0:
            id_, held = waiting.next()
            known = id_ in waiting.known
            try:
                content = held if held is not None else self._objects.read(id_)[1]
            except ObjectError:  # it was there when it came to wait
                self.missing += not known
                continue
            commit = _parsed(content, names)
            for parent in () if id_ in self._shallow else commit.parents:
                self._wait(waiting, parent, known=known)
            yield None if known else commit

    def _wait(self, waiting: _Waiting, id_: bytes, *, known: bool) -> None:
        """Have a commit wait for its turn, unless it did already."""
        if not waiting.is_new(id_, known=known):
            return
        try:
            type_, content = self._objects.read(id_)
        except ObjectError:
            type_, content = 0, b""
        if type_ == COMMIT:
            waiting.add(id_, content)
        else:
            self.missing += not known

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
        try:
            _, commit = self._objects.read(head)
            type_, tree = self._objects.read(commit.partition(b"\n")[0].removeprefix(b"tree "))
            if type_ != TREE:
                return {}
            for name, mode, id_ in parse_tree(tree, len(head) // 2):
                if name == b".mailmap" and stat.S_ISREG(mode):
                    type_, content = self._objects.read(id_)
                    return dict(_mapped(content)) if type_ == BLOB else {}
        except (ObjectError, ObjectFormatException, ValueError):  # as in a clone without files
            pass
        return {}


class _Waiting:
    """The commits that wait for their turn, the newest first; those that are `known` bring no text."""

    def __init__(self) -> None:
        self.known: set[bytes] = set()
        self.wanted = 0  # of those that wait, how many are not known
        self._seen: set[bytes] = set()
        self._here: set[bytes] = set()
        self._queue: list[tuple[int, bool, int, bytes, bytes | None]] = []
        self._order = count()

    def is_new(self, id_: bytes, *, known: bool) -> bool:
        """Whether a commit has not waited yet; it is noted that it has, and whether it is `known`."""
        if known and id_ not in self.known:
            self.known.add(id_)
            self.wanted -= id_ in self._here
        new = id_ not in self._seen
        self._seen.add(id_)
        return new

    def add(self, id_: bytes, content: bytes) -> None:
        """Have it wait; one that is large leaves its content."""
        self._here.add(id_)
        self.wanted += id_ not in self.known
        held = content if len(content) <= _HELD_BYTES else None
        wanted = id_ not in self.known  # of those of one second, the known ones come first
        heapq.heappush(self._queue, (-_committed(content), wanted, next(self._order), id_, held))

    def next(self) -> tuple[bytes, bytes | None]:
        """The newest one."""
        *_, id_, held = heapq.heappop(self._queue)
        self._here.remove(id_)
        self.wanted -= id_ not in self.known
        return id_, held


def _unreadable(folder: Path, why: str | None = None) -> GitError:
    return GitError(
        f"The history in {folder} cannot be read{f' ({why})' if why else ''}. Is it a whole repository, and your own?"
    )


def _headers(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    for line in content.partition(b"\n\n")[0].split(b"\n"):
        key, _, value = line.partition(b" ")
        yield key, value


def _committed(content: bytes) -> int:
    """When a commit was made, in seconds; 0 where it does not say so."""
    said = dict(_headers(content)).get(b"committer", b"").rpartition(b"> ")[2].split(b" ")[0]
    return int(said) if said.isdigit() and len(said) < 16 else 0


def _parsed(content: bytes, names: dict[tuple[bytes, bytes], tuple[bytes, bytes]]) -> Commit:
    headers = list(_headers(content))
    first = dict(reversed(headers))
    who, _, when = first.get(b"author", b"").rpartition(b">")
    name, _, address = (part.strip() for part in who.partition(b"<"))
    proper = names.get((name.lower(), address.lower())) or names.get((b"", address.lower())) or (b"", b"")
    encoding = first.get(b"encoding", b"utf-8").decode("ascii", "ignore")
    encoding = encoding if _ENCODINGS.fullmatch(encoding) else "utf-8"
    return Commit(
        parents=tuple(value for key, value in headers if key == b"parent" and _ID.fullmatch(value)),
        name=(proper[0] or name).decode(errors="ignore"),
        address=(proper[1] or address).decode(errors="ignore"),
        at=_time(when),
        message=_decoded(content.partition(b"\n\n")[2], encoding),
    )


def _decoded(message: bytes, encoding: str) -> str:
    try:
        return message.decode(encoding, "ignore")
    except LookupError:  # one that Python does not know
        return message.decode(errors="ignore")


def _time(said: bytes) -> datetime | None:
    """A time as commits have it, seconds and a zone; None where there is no such time, as in a damaged commit."""
    seconds, _, zone = said.strip().partition(b" ")
    try:
        hours, minutes = divmod(abs(int(zone)), 100)
        away = timedelta(hours=hours, minutes=minutes)
        return datetime.fromtimestamp(int(seconds), UTC).astimezone(
            timezone(-away if zone.startswith(b"-") else away)
        )
    except (ValueError, OverflowError, OSError):
        return None


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
