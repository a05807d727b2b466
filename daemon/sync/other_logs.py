"""The logs of other devices: what has arrived of them is joined with what is known here, as often as it arrives."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.profile.pause import PausedError
from idiolect.daemon.storage.forget_orders import selector_of
from idiolect.daemon.storage.schema import moment
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.shared import OWN, SharedContents, SharedEntry
from idiolect.daemon.storage.store import Store
from idiolect.daemon.sync.decisions import Decisions
from idiolect.daemon.sync.folder import SharedFile, SharedFolder, SyncNewerError
from idiolect.daemon.sync.log_files import (
    MAX_HEAD_BYTES,
    MAX_NEW_HEAD_BYTES,
    Head,
    open_head,
    open_segment,
    vouched,
)
from idiolect.daemon.sync.this_device import Read, ThisDevice
from idiolect.models.errors import IdiolectError

log = logging.getLogger("idiolect.sync")

#: So many heads of devices that are not known yet are opened at a time: anybody may have written them.
_MAX_NEW_HEADS: Final = 32
_PAUSED: Final = "Learning is paused: what other devices wrote is read when it goes on."
_SHUT_OUT: Final = (
    "Nothing that the other devices wrote can be read here: they have not let this device in yet, or have revoked it. "
    "`idiolect sync leave` and a new code join again."
)
_NO_SENSE: Final = (
    "The subfolder {device} of the shared folder holds a file that makes no sense, and is left alone. If the device "
    "is one of yours, update idiolect there; if not, somebody else writes into the folder."
)


class OtherLogs:
    """Reads what other devices wrote.

    `forget` forgets what is selected, here alone; `encrypt_anew` is called where a device was revoked; `now` is the
    time of day, in seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        ingest: Ingest,
        decisions: Decisions,
        forget: Callable[[Selector], object],
        encrypt_anew: Callable[[ThisDevice], None],
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._ingest = ingest
        self._decisions = decisions
        self._forget = forget
        self._encrypt_anew = encrypt_anew
        self._now = now
        self._shut_out = False
        self._rejected: dict[
            tuple[str, str], str | None
        ] = {}  # heads, by device and name, and what to say of them
        self._rejected_by: object = None  # who was known then
        self._new_heads = 0
        self.paused = False
        self.failed: Exception | None = None
        self.problem: str | None = None

    def read(self, me: ThisDevice, folder: SharedFolder) -> None:
        """Read all that has arrived and was not read yet; entries not while learning is paused (`paused`).

        What can't be read of one device hinders no other: `failed` is why, where it is to be tried again, and
        `problem` says what the user should know.
        """
        self.paused, self.failed = False, None
        devices = [device for device in folder.devices() if device != me.device]
        self._shut_out, self._new_heads = bool(devices), 0
        known = (me.device, [(id_, one.gone) for id_, one in me.members.items()])
        if known != self._rejected_by:  # another one may vouch for them now
            self._rejected, self._rejected_by = {}, known
        self._sweep()  # what was cut off
        for device in devices:
            if device in me.members and me.members[device].gone == "revoked":
                continue
            try:
                self._read(me, folder, device)
            except Exception as error:  # noqa: BLE001 (whatever it is, the others are read)
                code = error.code if isinstance(error, IdiolectError) else type(error).__name__
                log.warning("what one device wrote was not read: %s", code)
                self.failed = error
        said = (
            self._rejected.get((device, place.name)) for device in devices for place in folder.files(device)
        )
        self.problem = next(filter(None, said), None)
        if self.problem is None:
            self.problem = _PAUSED if self.paused else _SHUT_OUT if self._shut_out else None

    def _read(self, me: ThisDevice, folder: SharedFolder, device: str) -> None:
        read = me.others.get(device)
        heads = [place for place in folder.files(device) if place.kind == "head"]
        if read is not None and not read.missing and [read.name] == [place.name for place in heads]:
            self._shut_out = False
            return
        found = [
            (place, head) for place in heads if (head := self._head(me, folder, device, place)) is not None
        ]
        self._shut_out = self._shut_out and not found
        top = max((head.number for _, head in found), default=0)
        for place, head in found:  # two of one number are of a device and its copy
            if head.number == top >= me.other(device).head:
                self._take(me, folder, place, head)

    def _head(self, me: ThisDevice, folder: SharedFolder, device: str, place: SharedFile) -> Head | None:
        """What a head says; None where it has not arrived whole, or is not for this device, or not of a member."""
        known = me.members.get(device)
        if (device, place.name) in self._rejected or (known is None and self._new_heads == _MAX_NEW_HEADS):
            return None
        data = folder.read(device, place, MAX_NEW_HEAD_BYTES if known is None else MAX_HEAD_BYTES)
        if data is None:
            return None
        self._new_heads += known is None
        head, problem = None, None
        try:
            head = open_head(data, folder.number, device, me.openers, None if known is None else known.keys)
            if head is not None and known is None and not self._vouched(me, folder, head):
                head = None
        except SyncNewerError as error:
            problem = str(error)
        except ValueError:
            problem = _NO_SENSE.format(device=device)
        if head is None:
            self._rejected[device, place.name] = problem
        return head

    def _vouched(self, me: ThisDevice, folder: SharedFolder, head: Head) -> bool:
        """Whether a member vouches for the writer of a head."""
        if head.voucher is None:
            return False
        by, signature = head.voucher
        sponsor = me.members.get(by)
        about = vouched(folder.number, head.device, head.members[head.device].keys)
        if sponsor is None or sponsor.gone == "revoked":
            return False
        if sponsor.invitation and not sponsor.open(self._now()):
            return False
        return sponsor.keys.verifies(bytes.fromhex(signature), about)

    def _take(self, me: ThisDevice, folder: SharedFolder, place: SharedFile, head: Head) -> None:
        device, read = head.device, me.other(head.device)
        why = me.merge(head.members)
        if "revoked" in why:
            self._encrypt_anew(me)
        elif why:
            me.renew_key()
        if why:
            self._decisions.heed_settings(me.live_others)
        me.clock = max(me.clock, head.clock)
        read.at, read.done_there, read.read_there = head.at, head.done, head.read
        files, unread, missing = {*read.files}, [], 0
        gone = {id_ for id_, one in me.members.items() if one.gone is not None and id_ != device}
        for name, generation, of in head.segments:
            if name in files or (of and files.issuperset(of)):
                files.add(name)
                continue
            contents = self._contents(folder, head, name, generation)
            if contents is None:
                missing += 1
                continue
            self._store.shared.forgotten_elsewhere(contents.gone, device)
            self._store.shared.hand_over(contents.marks, device, of=gone)
            me.clock = max(me.clock, self._decisions.apply(contents.decisions, device, me.live_others))
            if contents.entries:
                unread.append((name, generation))
            else:
                files.add(name)
        self._sweep()
        self._carry_out(read, head)
        for name, generation in unread:
            if (contents := self._contents(folder, head, name, generation)) is None:
                missing += 1
                continue
            try:
                self._ingest.add_shared(self._wanted(me, head, contents.entries), device)
            except PausedError:
                self.paused = True
                missing += 1
                continue
            files.add(name)
            read.files = sorted(files)
            me.save(self._store.state)
        read.files = sorted(files & {name for name, _, _ in head.segments})
        read.missing, read.head, read.name = missing, head.number, place.name
        offered = head.adapter and head.keys.get(str(head.adapter[1]))
        read.adapter = (head.adapter[0], offered) if head.adapter and offered else None
        if not missing and (read.log, read.done) != (head.log, head.ordered):
            read.log, read.done = head.log, head.ordered
            me.published = False  # they are told

    def _contents(
        self, folder: SharedFolder, head: Head, name: str, generation: int
    ) -> SharedContents | None:
        data, key = folder.read(head.device, SharedFile("log", name)), head.keys.get(str(generation))
        if data is None or key is None:
            return None
        return open_segment(data, folder.number, head.device, key, self._store.shared.entry_mark)

    def _sweep(self) -> None:
        """Forget here what was forgotten elsewhere."""
        if doomed := self._store.shared.doomed():
            self._forget(Selector(ids=doomed))

    def _carry_out(self, read: Read, head: Head) -> None:
        """Forget what another device ordered, each order once, though a copy of that device may give it again."""
        for number, id_, conditions in head.orders:
            if number > read.ordered and not self._store.orders.has_heard(id_):
                self._forget(selector_of(conditions))
                self._store.orders.hear(id_)
        read.ordered = max(read.ordered, head.ordered)
        read.orders = [[number, conditions] for number, _, conditions in head.orders]

    def _wanted(self, me: ThisDevice, head: Head, entries: Sequence[SharedEntry]) -> list[SharedEntry]:
        """Those entries that are new here and that nobody has ordered to forget before their device knew of it."""
        orders: list[dict[str, Any]] = [
            order.conditions
            for order in self._store.orders.open()
            if order.conditions and order.number > head.done.get(me.device, 0)
        ]
        for device, read in me.others.items():
            if device != head.device:
                after = head.done.get(device, 0)
                orders += [what for number, what in read.orders if number > after]
        missing = self._store.shared.missing([one.mark for one in entries])
        selectors = [selector_of(conditions) for conditions in orders]
        kept, ordered = [], []
        for one in entries:
            if one.mark not in missing:
                continue
            if any(each.fits(one.text, one.source, one.app, moment(one.at_us)) for each in selectors):
                ordered.append(one.mark)
            else:
                kept.append(one)
        self._store.shared.forgotten_elsewhere(ordered, OWN)
        return kept
