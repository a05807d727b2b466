"""What stands in the files of a device's log: compressed JSON, encrypted with the device's key."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Final

from idiolect.daemon.storage.shared import Shared, SharedContents, SharedEntry, SharedRow
from idiolect.daemon.sync.secret import FolderKeys

_MAX_BYTES: Final = 64 << 20  # of what is unpacked: a file of ours is far below
_LOG: Final = "log"


@dataclass(frozen=True)
class Head:
    """What a device says of its log: its number, which only grows, and the names of all files that count now.

    A name is the hash of what a file holds, so who believes the head can believe the files. `name` is what the device
    is called, `at` when it wrote this (seconds since 1970); a device that has `left` writes nothing more.
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
    said = None if data is None else keys.open(device, f"head {number}", data)
    if said is None:
        return None
    told = _unpacked(said)
    return Head(**{**told, "files": tuple(told["files"])})


def pack_log(contents: SharedContents, device: str, keys: FolderKeys) -> bytes:
    """A file of a log as it is written."""
    by_place = sorted(contents.entries, key=lambda one: (one.source, one.app or "", one.at_us))
    entries = [
        [source, app, [[one.at_us, one.text] for one in some]]
        for (source, app), some in groupby(by_place, key=lambda one: (one.source, one.app))
    ]
    rows = [[one.kind, one.mark.hex(), one.at_us, one.value] for one in contents.rows]
    return keys.seal(device, _LOG, _packed([entries, rows]))


def open_log(data: bytes | None, device: str, keys: FolderKeys, shared: Shared) -> SharedContents | None:
    """What a file of a log holds; None where it is not one of this device's."""
    said = None if data is None else keys.open(device, _LOG, data)
    if said is None:
        return None
    entries, rows = _unpacked(said)
    return SharedContents(
        [
            SharedEntry(shared.mark(text), at_us, source, app, text)
            for source, app, some in entries
            for at_us, text in some
        ],
        [SharedRow(kind, bytes.fromhex(mark), at_us, value) for kind, mark, at_us, value in rows],
    )


def _packed(said: object) -> bytes:
    return zlib.compress(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode(), 9)


def _unpacked(data: bytes) -> Any:
    return json.loads(zlib.decompressobj().decompress(data, _MAX_BYTES))
