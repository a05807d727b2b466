"""The objects of a git repository: read from its packs and loose files, without git and without its settings.

Formats: https://git-scm.com/docs/gitformat-pack and https://git-scm.com/docs/gitrepository-layout. A repository may
come from a stranger: only regular files in the folder itself are opened, nothing is fetched, nothing is run, other
object folders that it names (alternates) are not read, and an object's size is known before it is unpacked.
"""

from __future__ import annotations

import io
import mmap
import os
import struct
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dulwich.errors import ApplyDeltaError
from dulwich.object_format import SHA1, SHA256
from dulwich.objects import ObjectID, RawObjectID
from dulwich.pack import OFS_DELTA, REF_DELTA, PackIndex2, apply_delta, unpack_object_at

from idiolect.daemon.regular_files import is_linked, open_regular, read_regular

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

#: The numbers of the types of objects that are read; of others nothing is known here.
COMMIT: Final = 1
TREE: Final = 2
BLOB: Final = 3

_TYPES: Final = {b"commit": COMMIT, b"tree": TREE, b"blob": BLOB}
_MAX_BYTES: Final = 1 << 20  # of one object; a commit or a tree has some kilobytes at the most
_CHAIN_BYTES: Final = 16 << 20  # of the deltas that an object is made of
_MAX_DELTAS: Final = 4095  # as git makes them
_CACHE_BYTES: Final = 8 << 20
_MAX_PACKS: Final = 1000
_PACK_HEADER_BYTES: Final = 12
_INDEX: Final = b"\377tOc\0\0\0\2"
_INDEX_TABLES: Final = (
    8 + 4 * 256
)  # bytes before an index's tables; the last number of them counts its objects
_LONGEST_NUMBER: Final = 10  # bytes of a size or an offset, of seven bits each
#: What unpacking says of damaged bytes.
_DAMAGE: Final = (
    *(ApplyDeltaError, AssertionError, IndexError, KeyError, OverflowError, TypeError, ValueError),
    *(struct.error, zlib.error),
)


class ObjectError(Exception):
    """An object is missing, damaged, or unreasonably large; it holds none of what is in it."""


class TooManyPacksError(Exception):
    """A repository has more packs than are opened."""


@dataclass(frozen=True)
class _Pack:
    index: PackIndex2
    contents: mmap.mmap


class Objects:
    """The objects in one folder, by their ids in hexadecimal digits; the packs are open until the block ends."""

    def __init__(self, folder: Path, id_digits: int) -> None:
        """`id_digits`: 40 with SHA-1, 64 with SHA-256. Raises OSError, TooManyPacksError."""
        self._folder = folder
        self._format = SHA256 if id_digits == SHA256.hex_length else SHA1
        self._cache: dict[tuple[int, int], tuple[int, bytes]] = {}
        self._cached_bytes = 0
        self._open = ExitStack()
        self._packs: list[_Pack] = []
        try:
            self._open_packs(folder / "pack")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Return it as it is."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the packs."""
        self.close()

    def close(self) -> None:
        """Close the packs."""
        self._open.close()

    def read(self, id_: bytes) -> tuple[int, bytes]:
        """An object's type and content. Raises ObjectError."""
        try:
            for pack in self._packs:
                try:
                    offset = pack.index.object_offset(ObjectID(id_))
                except KeyError:
                    continue
                return self._unpacked(pack, offset)
            return self._loose(id_.decode("ascii"))
        except (OSError, *_DAMAGE):
            raise ObjectError from None

    def _open_packs(self, folder: Path) -> None:
        try:
            if folder.is_symlink():
                return
            names = sorted(name for name in os.listdir(folder) if name.endswith(".idx"))
        except FileNotFoundError:
            return
        if len(names) > _MAX_PACKS:
            raise TooManyPacksError
        for name in names:
            try:
                index, contents = self._mapped(folder / name), self._mapped(folder / f"{name[:-4]}.pack")
            except (OSError, ValueError):  # not there, no regular file, or empty
                continue
            if _is_index(index, self._format.oid_length):
                mapped: Any = index  # dulwich says that it takes bytes, and maps its files itself
                found = PackIndex2(name, self._format, file=io.BytesIO(), contents=mapped, size=len(index))
                self._open.callback(found.close)
                self._packs.append(_Pack(found, contents))

    def _mapped(self, path: Path) -> mmap.mmap:
        with open_regular(path) as file:
            return self._open.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def _unpacked(self, pack: _Pack, offset: int) -> tuple[int, bytes]:
        """The object at an offset of a pack, made of the deltas that lead to it. Raises ObjectError and `_DAMAGE`."""
        deltas: list[tuple[int, bytes]] = []
        held_bytes = 0
        while (found := self._cache.get((id(pack), offset))) is None:
            _require_small(pack.contents, offset)
            unpacked, _ = unpack_object_at(pack.contents, offset, self._format.hash_func)
            content = b"".join(unpacked.decomp_chunks)
            base = unpacked.delta_base
            if unpacked.pack_type_num not in (OFS_DELTA, REF_DELTA):
                found = unpacked.pack_type_num, content
                break
            deltas.append((offset, content))
            held_bytes += len(content)
            if len(deltas) > _MAX_DELTAS or held_bytes > _CHAIN_BYTES:
                raise ObjectError
            offset = (
                offset - base if isinstance(base, int) else pack.index.object_offset(RawObjectID(base or b""))
            )
            if offset < _PACK_HEADER_BYTES:
                raise ObjectError
        type_, content = found
        self._keep(pack, offset, type_, content)
        for at, delta in reversed(deltas):
            _, start = _number(delta, 0, 7)
            if _number(delta, start, 7)[0] > _MAX_BYTES:
                raise ObjectError
            content = b"".join(apply_delta(content, delta))
            self._keep(pack, at, type_, content)
        return type_, content

    def _keep(self, pack: _Pack, offset: int, type_: int, content: bytes) -> None:
        """Keep an object, which others may be deltas of, until much is kept."""
        if self._cached_bytes > _CACHE_BYTES:
            self._cache.clear()
            self._cached_bytes = 0
        self._cache[id(pack), offset] = type_, content
        self._cached_bytes += len(content) + 256

    def _loose(self, digits: str) -> tuple[int, bytes]:
        path = self._folder / digits[:2] / digits[2:]
        if is_linked(path, self._folder):
            raise ObjectError
        inflate = zlib.decompressobj()
        data = inflate.decompress(read_regular(path, _MAX_BYTES), _MAX_BYTES)
        head, _, content = data.partition(b"\0")
        type_, _, size = head.partition(b" ")
        if not inflate.eof or int(size) != len(content):
            raise ObjectError
        return _TYPES[type_], content


def _is_index(contents: mmap.mmap, id_bytes: int) -> bool:
    """Whether a file is a whole index of a pack, of the only version that git has written for many years."""
    objects = int.from_bytes(contents[_INDEX_TABLES - 4 : _INDEX_TABLES])
    return contents[:8] == _INDEX and len(contents) >= _INDEX_TABLES + objects * (id_bytes + 8)


def _number(data: bytes, at: int, first_bits: int) -> tuple[int, int]:
    """A number of seven bits a byte (of the first, `first_bits`), lowest first, and where it ends.

    Raises ObjectError where it is unreasonably long, IndexError where it does not end.
    """
    value, shift = data[at] & ((1 << first_bits) - 1), first_bits
    for end in range(at + 1, at + _LONGEST_NUMBER):
        if not data[end - 1] & 0x80:
            return value, end
        value |= (data[end] & 0x7F) << shift
        shift += 7
    raise ObjectError


def _require_small(contents: mmap.mmap, offset: int) -> None:
    """Raise ObjectError where a pack's object says that it is large, or says so in an unreasonable way."""
    head = contents[offset : offset + 2 * _LONGEST_NUMBER] + b"\0"
    size, end = _number(head, 0, 4)
    if size > _MAX_BYTES:
        raise ObjectError
    if head[0] >> 4 & 7 == OFS_DELTA:
        _number(head, end, 7)
