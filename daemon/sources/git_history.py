"""A git repository: the commits that its HEAD reaches, read without git.

A repository may come from a stranger, and git runs what a repository's settings name. So git is never started: objects
come from regular files of the folder itself alone (dulwich unpacks packs), and of the settings only `user.email` is
read (`git_config.py`). What an object costs to unpack is limited for the process that reads it. Commits that other
programs wrote may lack what git's have, such as a time: they are read as far as they go.

Objects are not checked against their ids: zlib's checksum tells of a damaged disk, and whoever makes up a repository
makes up its ids, too. A commit is unpacked when it is found, and again when its turn comes: held until then, those of a
hostile history would fill the memory.
Format: https://git-scm.com/docs/gitrepository-layout
"""

from __future__ import annotations

import errno
import heapq
import os
import re
import stat
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from dulwich.errors import ObjectFormatException
from dulwich.object_format import SHA1, SHA256, ObjectFormat
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree, parse_tree
from dulwich.pack import Pack

from idiolect.daemon.sources import git_config
from idiolect.daemon.sources.items import GitError, time_at
from idiolect.models.regular_files import is_linked, open_regular, read_regular

_HEAD_BYTES: Final = 4096  # of HEAD and of a branch
_REFS_BYTES: Final = 64 << 20  # of the packed refs, and of the list of a shallow clone's ends
_MAX_LINKS: Final = 5  # of a ref to another
_MAX_BYTES: Final = 1 << 20  # of one object; a commit or a tree has some kilobytes at the most
_HEADER_BYTES: Final = 64  # of a loose object: its type and size
_MAX_PACKS: Final = 1500
_CACHE_BYTES: Final = 64 << 20  # of all packs' unpacked objects that others are made of
_TYPES: Final = {kind.type_name: kind.type_num for kind in (Blob, Commit, Tree)}
_ID: Final = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_BRANCH: Final = re.compile(rb"refs/(?!\.)[^\0-\x20\x7f~^:?*\[\\/]+(?:/(?!\.)[^\0-\x20\x7f~^:?*\[\\/]+)*")
_REFTABLE: Final = b"refs/heads/.invalid"  # what HEAD says where refs are kept in tables

#: The encodings that a commit may name. Python knows some that run long, or are none of text.
_ENCODINGS: Final = re.compile(
    r"utf-?8|us-ascii|latin-?1|iso-?8859-?\d{1,2}|(?:windows-?|cp)125\d|koi8-[ru]|shift[-_]jis|euc-(?:jp|kr)"
    r"|iso-2022-(?:jp|kr)|gbk|gb2312|gb18030|big5",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class WrittenCommit:
    """A commit: who wrote it by its mailmap, when, and what."""

    is_merge: bool
    name: str
    address: str
    at: datetime | None
    message: str


class _Objects:
    """The objects in one folder; what it lends from other folders (alternates) is not read."""

    def __init__(self, folder: Path, form: ObjectFormat) -> None:
        """Raises OSError where the packs are not in a folder of its own, or are very many."""
        self._folder = folder
        self._form = form
        names = _packs(folder / "pack")
        self._packs = [
            Pack(
                str(folder / "pack" / name),
                object_format=form,
                delta_base_cache_limit=_CACHE_BYTES // len(names),
            )
            for name in names
        ]

    def close(self) -> None:
        """Close the packs."""
        for pack in self._packs:
            pack.close()

    def read(self, id_: bytes, type_: type[ShaFile]) -> bytes:
        """The content of an object of this type. Raises KeyError where it is missing, damaged or too large."""
        if not _ID.fullmatch(id_) or len(id_) != self._form.hex_length:
            raise KeyError(id_)
        try:
            number, content = self._packed(ObjectID(id_)) or self._loose(id_.decode("ascii"))
        except (OSError, ValueError, zlib.error):
            raise KeyError(id_) from None
        if number != type_.type_num or len(content) > _MAX_BYTES:
            raise KeyError(id_)
        return content

    def _packed(self, id_: ObjectID) -> tuple[int, bytes] | None:
        """The number of an object's type, and its content; None where no pack has it whole."""
        for pack in self._packs:
            with suppress(Exception):  # dulwich says in many ways that bytes are damaged
                return pack.get_raw(id_)
        return None

    def _loose(self, digits: str) -> tuple[int, bytes]:
        """The same, of an object in a file of its own. Raises OSError, ValueError, zlib.error."""
        path = self._folder / digits[:2] / digits[2:]
        if is_linked(path, self._folder):
            raise OSError(errno.EINVAL, "it is a symbolic link")
        unpacker = zlib.decompressobj()
        unpacked = unpacker.decompress(read_regular(path, 2 * _MAX_BYTES), _MAX_BYTES + _HEADER_BYTES)
        header, _, content = unpacked.partition(b"\0")
        name, _, size = header.partition(b" ")
        if not unpacker.eof or int(size) != len(content):
            raise ValueError
        return _TYPES.get(name, 0), content


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
            form = SHA256 if len(self.head or b"") == SHA256.hex_length else SHA1
            self._objects = _Objects(folder / "objects", form)
        except OSError as error:
            raise _unreadable(folder, error.strerror) from None
        self.missing = 0
        """How many commits that others name cannot be read; what came before them is not known either."""

    def __enter__(self) -> Self:
        """Return it as it is."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its packs."""
        self._objects.close()

    def commits(self, since: bytes | None = None) -> Iterator[WrittenCommit | None]:
        """The commits that HEAD reaches and `since` does not, newest first; of one second, in any order.

        None stands for one of the others, so that whoever has no more time can stop. Where clocks went wrong, some may
        come that `since` reaches, too. Raises GitError where HEAD's own commit cannot be read.
        """
        if self.head is None:
            return
        if self._content(self.head) is None:
            raise GitError(
                f"The newest commit of {self._folder} is not in it. Is it a whole clone, or does it use another "
                "repository's objects? Nothing is fetched: let git complete it, then try again."
            )
        names = self._mailmap(self.head)
        known = set() if since is None else {since}  # they and what they reach bring no text
        queue: list[tuple[int, bool, bytes]] = []  # of those of one second, the known ones come first
        wanted: set[bytes] = set()  # those in the queue that are not known
        seen: set[bytes] = set()
        following = [*known, self.head]
        while following or wanted:
            for id_ in following:
                if id_ in known:
                    wanted.discard(id_)
                if id_ in seen:
                    continue
                seen.add(id_)
                if (content := self._content(id_)) is None:
                    self.missing += id_ not in known
                    yield None
                    continue
                heapq.heappush(
                    queue,
                    (-(_seconds(b"".join(_headers(content)[b"committer"][:1])) or 0), id_ not in known, id_),
                )
                if id_ not in known:
                    wanted.add(id_)
            if not wanted:
                return
            *_, id_ = heapq.heappop(queue)
            wanted.discard(id_)
            content = self._content(id_) or b""
            following = [] if id_ in self._shallow else _parents(content)
            if id_ in known:
                known.update(following)
                yield None
            else:
                yield _written(content, names)

    def _content(self, id_: bytes) -> bytes | None:
        """A commit's content; None where there is none that can be read."""
        with suppress(KeyError):
            return self._objects.read(id_, Commit)
        return None

    def _require_own(self) -> None:
        """Raise GitError where git, too, would not read it, since another user of the machine may have made it."""
        folders = (self._folder, self._folder.parent) if self._folder.name == ".git" else (self._folder,)
        user = os.geteuid()
        try:
            others = any(folder.lstat().st_uid != user for folder in folders)
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
        # There may be none, as in a clone without files.
        with suppress(KeyError, ObjectFormatException, ValueError):
            trees = _headers(self._objects.read(head, Commit))[b"tree"]
            for name, mode, id_ in parse_tree(self._objects.read(b"".join(trees), Tree), len(head) // 2):
                if name == b".mailmap" and stat.S_ISREG(mode):
                    return dict(_mapped(self._objects.read(id_, Blob)))
        return {}


def _packs(folder: Path) -> list[str]:
    """The names of the packs, without their endings; what is no regular file is passed over. Raises OSError."""
    if folder.is_symlink():
        raise OSError(errno.EINVAL, "its packs are in a symbolic link")
    try:
        with os.scandir(folder) as entries:
            files = {entry.name for entry in entries if entry.is_file(follow_symlinks=False)}
    except FileNotFoundError:
        return []
    packs = sorted(name[:-4] for name in files if name.endswith(".idx") and f"{name[:-4]}.pack" in files)
    if len(packs) > _MAX_PACKS:
        raise OSError(errno.EFBIG, "it has too many packs, `git gc` joins them")
    return packs


def _unreadable(folder: Path, why: str | None = None) -> GitError:
    return GitError(
        f"The history in {folder} cannot be read{f' ({why})' if why else ''}. Is it a whole repository, and your own?"
    )


def _headers(content: bytes) -> defaultdict[bytes, list[bytes]]:
    """The lines before a commit's message by their first word; what some tools wrote is not as git would have it."""
    found: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for line in content.partition(b"\n\n")[0].split(b"\n"):
        key, _, value = line.partition(b" ")
        found[key].append(value)
    return found


def _parents(content: bytes) -> list[bytes]:
    return list(filter(_ID.fullmatch, _headers(content)[b"parent"]))


def _seconds(who: bytes) -> int | None:
    """When somebody did something, in seconds since 1970; None where it does not say so."""
    said = b"".join(who.rpartition(b">")[2].split(maxsplit=1)[:1])
    return int(said) if said.isdigit() and len(said) < 16 else None


def _written(content: bytes, names: dict[tuple[bytes, bytes], tuple[bytes, bytes]]) -> WrittenCommit:
    headers = _headers(content)
    author = b"".join(headers[b"author"][:1])
    name, _, address = (part.strip() for part in author.rpartition(b">")[0].partition(b"<"))
    proper = names.get((name.lower(), address.lower())) or names.get((b"", address.lower())) or (b"", b"")
    seconds = _seconds(author)
    return WrittenCommit(
        is_merge=len(_parents(content)) > 1,
        name=(proper[0] or name).decode(errors="ignore"),
        address=(proper[1] or address).decode(errors="ignore"),
        at=None if seconds is None else time_at(seconds),
        message=_decoded(
            content.partition(b"\n\n")[2], b"".join(headers[b"encoding"]).decode(errors="ignore")
        ),
    )


def _decoded(message: bytes, named: str) -> str:
    """A message in UTF-8, or else in the encoding that it names; one of seven bits would pass for UTF-8."""
    encoding = named if _ENCODINGS.fullmatch(named) else "utf-8"
    if not encoding.lower().startswith("iso-2022-"):
        with suppress(UnicodeDecodeError):
            return message.decode()
    with suppress(LookupError):  # one that Python does not know
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
