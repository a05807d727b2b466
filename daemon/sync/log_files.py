"""What stands in the files of a device's log, and how it is sealed.

A segment is compressed JSON under the log's key. A head begins with the key of its body, sealed for each device that
may read it, goes on with the body, encrypted, and ends with the device's signature.
"""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import groupby
from typing import Any, Final

from idiolect.daemon.storage.shared import MARK_BYTES, Decision, SharedAdapter, SharedContents, SharedEntry
from idiolect.daemon.sync.folder import FORM, SyncNewerError
from idiolect.daemon.vault.device_keys import (
    KEY_BYTES,
    SEALED_BYTES,
    SIGNATURE_BYTES,
    DeviceKeys,
    PublicKeys,
    decrypted,
    encrypted,
)

#: Of a head, at most; and of one whose writer is not known yet, who may be anybody.
MAX_HEAD_BYTES: Final = 4 << 20
MAX_NEW_HEAD_BYTES: Final = 256 << 10

_MAX_READERS: Final = 256
_MAX_BYTES: Final = 64 << 20  # of what is unpacked: a file of ours is far below
_MAX_NEW_BYTES: Final = 4 << 20  # of what is unpacked of a head whose writer is not known yet


@dataclass(frozen=True)
class Member:
    """A device that shares the folder, or an invitation to one.

    `gone`: why it does no more ("revoked", "left", "moved": it goes on as another device; of an invitation "used");
    `heir` is the device that has taken its log into its own. An invitation holds until `until` (seconds since 1970).
    """

    name: str
    seal: str
    sign: str
    until: int | None = None
    gone: str | None = None
    heir: str | None = None

    @property
    def keys(self) -> PublicKeys:
        """To seal for it and to verify it by."""
        return PublicKeys(self.seal, self.sign)

    @property
    def invitation(self) -> bool:
        """Whether it stands for a device that is to come."""
        return self.until is not None

    def open(self, now: float) -> bool:
        """Whether it is an invitation that lets a device in at a time, in seconds since 1970."""
        return self.until is not None and self.gone is None and now <= self.until


@dataclass(frozen=True)
class Head:
    """What a device says of its log, of all devices, and of how far it has read.

    `log` is a number that grows whenever its files change, and `read` has those numbers of others' that it has read
    wholly. `keys` are those of the log, by number; `segments` are names, each with its key's number and the files that
    it was made of. `orders` to forget have an id each and are numbered up to `ordered`, those that all have carried out
    left out, and
    `done` says up to which it has carried out those of others. `adapter` is the file of the adapter that it serves, if
    it has trained one, and the number of its key. `voucher` is a member, often an invitation, and its
    signature of this device's keys.
    """

    device: str
    number: int
    log: int
    at: int
    marks: str
    clock: int
    members: dict[str, Member]
    keys: dict[str, str] = field(repr=False)
    segments: list[tuple[str, int, tuple[str, ...]]]
    read: dict[str, int]
    orders: list[tuple[int, str, dict[str, Any]]]
    ordered: int
    done: dict[str, int]
    voucher: tuple[str, str] | None = None
    adapter: tuple[str, int] | None = None
    form: int = FORM


def vouched(folder: str, device: str, keys: PublicKeys) -> bytes:
    """What an invitation signs to let a device in."""
    return json.dumps(["idiolect device", folder, device, keys.seal, keys.sign]).encode()


def pack_head(head: Head, folder: str, own: DeviceKeys, readers: Iterable[PublicKeys]) -> bytes:
    """A head as it is written, for those who may read it."""
    about, key = _about(folder, head.device), secrets.token_bytes(KEY_BYTES)
    sealed = [reader.sealed(key, about) for reader in readers]
    body = encrypted(key, zlib.compress(json.dumps(asdict(head)).encode()), about)
    whole = len(sealed).to_bytes(2) + b"".join(sealed) + body
    return whole + own.signature(about + whole)


def open_head(
    data: bytes, folder: str, device: str, keys: Sequence[DeviceKeys], writer: PublicKeys | None
) -> Head | None:
    """What a head says that was sealed for one of these keys; None where it was not, or the device has not signed it.

    Where the keys of its `writer` are known, nothing is read that these have not signed. Else the head itself gives
    them, and the caller has to see who vouches for them. Raises SyncNewerError, and ValueError where it makes no sense.
    """
    about, count = _about(folder, device), int.from_bytes(data[:2])
    start, end = 2 + count * SEALED_BYTES, len(data) - SIGNATURE_BYTES
    if end < start or count > _MAX_READERS:
        return None
    if len(data) > (MAX_NEW_HEAD_BYTES if writer is None else MAX_HEAD_BYTES):
        return None
    if writer is not None and not writer.verifies(data[end:], about + data[:end]):
        return None
    for place in range(2, start, SEALED_BYTES):
        for own in keys:
            key = own.opened(data[place : place + SEALED_BYTES], about)
            if key is None or (body := decrypted(key, data[start:end], about)) is None:
                continue
            try:
                head = _head(json.loads(_unpacked(body, _MAX_NEW_BYTES if writer is None else _MAX_BYTES)))
                signer = head.members[device].keys
                signed = signer == writer or signer.verifies(data[end:], about + data[:end])
            except SyncNewerError:
                raise
            except Exception as error:  # noqa: BLE001 (anybody may have written it, and anything)
                raise ValueError(f"a head makes no sense: {type(error).__name__}") from None
            return head if signed and head.device == device else None
    return None


def _head(told: dict[str, Any]) -> Head:
    if told["form"] > FORM:
        raise SyncNewerError(
            "Another device shares the folder with a later version of idiolect. Nothing is lost: what it sends waits "
            "until that version is installed here, too."
        )
    given = {one.name: told[one.name] for one in fields(Head) if one.name in told}
    given["members"] = {id_: Member(**member) for id_, member in told["members"].items()}
    given["segments"] = [(name, generation, tuple(of)) for name, generation, of in told["segments"]]
    given["orders"] = [(number, id_, conditions) for number, id_, conditions in told["orders"]]
    given["adapter"] = None if told["adapter"] is None else tuple(told["adapter"])
    given["voucher"] = None if told["voucher"] is None else tuple(told["voucher"])
    return Head(**given)


def pack_segment(contents: SharedContents, folder: str, device: str, key: str) -> bytes:
    """A file of a log as it is written."""
    entries = [
        [source, app, [[one.at_us, one.text] for one in some]]
        for (source, app), some in groupby(
            sorted(contents.entries, key=lambda one: (one.source, one.app or "", one.at_us)),
            key=lambda one: (one.source, one.app),
        )
    ]
    gone = b"".join(contents.gone).hex()
    decisions = [[one.mark.hex(), one.value, one.clock] for one in contents.decisions]
    said = json.dumps([entries, gone, decisions], ensure_ascii=False, separators=(",", ":")).encode()
    return encrypted(bytes.fromhex(key), zlib.compress(said, 9), _about(folder, device))


def open_segment(data: bytes, folder: str, device: str, key: str, mark: Any) -> SharedContents | None:
    """What a file of a log holds; None where it can't be read. `mark` makes an entry's mark of its time and text."""
    said = decrypted(bytes.fromhex(key), data, _about(folder, device))
    if said is None:
        return None
    entries, gone, decisions = json.loads(_unpacked(said))
    return SharedContents(
        [
            SharedEntry(mark(at_us, text), at_us, source, app, text)
            for source, app, some in entries
            for at_us, text in some
        ],
        _marks(gone),
        [Decision(bytes.fromhex(id_), value, clock) for id_, value, clock in decisions],
    )


def pack_adapter(adapter: SharedAdapter, folder: str, device: str, key: str) -> bytes:
    """An adapter as it is written."""
    said = {"base": adapter.base, "at_us": adapter.at_us, "seen": b"".join(adapter.seen).hex()}
    whole = json.dumps(said).encode() + b"\n" + adapter.blob
    return encrypted(bytes.fromhex(key), whole, _about(folder, device))


def open_adapter(data: bytes, folder: str, device: str, key: str) -> SharedAdapter | None:
    """The opposite of `pack_adapter`; None where it can't be read."""
    whole = decrypted(bytes.fromhex(key), data, _about(folder, device))
    if whole is None:
        return None
    head, _, blob = whole.partition(b"\n")
    said = json.loads(head)
    return SharedAdapter(said["base"], said["at_us"], _marks(said["seen"]), blob)


def _marks(said: str) -> list[bytes]:
    marks = bytes.fromhex(said)
    return [marks[start : start + MARK_BYTES] for start in range(0, len(marks), MARK_BYTES)]


def _unpacked(data: bytes, most: int = _MAX_BYTES) -> bytes:
    unpacking = zlib.decompressobj()
    return unpacking.decompress(data, most)


def _about(folder: str, device: str) -> bytes:
    return f"idiolect sync {folder} {device}".encode()
