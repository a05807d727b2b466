"""What stands in the files of a device's log: compressed JSON, encrypted with the device's key."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Final

from idiolect.daemon.storage.sync_merge import Shared, SharedContents, SharedEntry, SharedRow
from idiolect.daemon.sync.secret import FolderKeys

_MAX_BYTES: Final = 64 << 20  # of what is unpacked: a file of ours is far below
_LOG: Final = "log"


@dataclass(frozen=True)
class Head:
    """The list of the files of a device's log that count now; its `number` only grows.

    The name of a file is the hash of its contents, so that an authentic head vouches for the files. `name` is the
    device's name, `at` the time of writing (seconds since 1970); a device that has `left` writes nothing more.
    """

    number: int
    name: str
    at: int
    files: tuple[str, ...]
    left: bool = False


def pack_head(head: Head, device: str, keys: FolderKeys) -> bytes:
    """A head as it is written."""
    return keys.seal(device, f"head {head.number}", _packed(asdict(head)))


def open_head(data: bytes | None, number: int, device: str, keys: FolderKeys) -> Head | None:
    """The head of a device with this number; None where `data` is not that."""
    packed = None if data is None else keys.open(device, f"head {number}", data)
    if packed is None:
        return None
    fields = _unpacked(packed)
    return Head(**{**fields, "files": tuple(fields["files"])})


def pack_log(contents: SharedContents, device: str, keys: FolderKeys) -> bytes:
    """A file of a log as it is written."""
    by_place = sorted(contents.entries, key=lambda entry: (entry.source, entry.app or "", entry.at_us))
    entries = [
        [source, app, [[entry.at_us, entry.text] for entry in some]]
        for (source, app), some in groupby(by_place, key=lambda entry: (entry.source, entry.app))
    ]
    rows = [[row.kind, row.mark.hex(), row.at_us, row.value] for row in contents.rows]
    return keys.seal(device, _LOG, _packed([entries, rows]))


def open_log(data: bytes | None, device: str, keys: FolderKeys, shared: Shared) -> SharedContents | None:
    """The contents of a file of a device's log; None where `data` is no such file."""
    packed = None if data is None else keys.open(device, _LOG, data)
    if packed is None:
        return None
    entries, rows = _unpacked(packed)
    return SharedContents(
        [
            SharedEntry(shared.mark(text), at_us, source, app, text)
            for source, app, some in entries
            for at_us, text in some
        ],
        [SharedRow(kind, bytes.fromhex(mark), at_us, value) for kind, mark, at_us, value in rows],
    )


def _packed(value: object) -> bytes:
    return zlib.compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), 9)


def _unpacked(data: bytes) -> Any:
    return json.loads(zlib.decompressobj().decompress(data, _MAX_BYTES))
