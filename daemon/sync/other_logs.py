"""The logs of other devices: what has arrived of them is joined with what is known here, as often as it arrives."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

from idiolect.daemon.privacy.pause import PausedError
from idiolect.daemon.storage.schema import moment
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.shared import OWN
from idiolect.daemon.sync.folder import SharedFile
from idiolect.daemon.sync.log_files import open_head, open_segment, vouched

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from idiolect.daemon.ingest.ingest import Ingest
    from idiolect.daemon.storage.shared import SharedContents, SharedEntry
    from idiolect.daemon.storage.store import Store
    from idiolect.daemon.sync.decisions import Decisions
    from idiolect.daemon.sync.folder import SharedFolder
    from idiolect.daemon.sync.log_files import Head
    from idiolect.daemon.sync.membership import Membership, Read

log = logging.getLogger("idiolect.sync")


class OtherLogs:
    """Reads what other devices wrote.

    Args:
        store: what is known.
        ingest: the way in for entries.
        decisions: heeds what the user decided elsewhere.
        forget: forgets what is selected, here alone.
        encrypt_anew: called where a device was revoked.
    """

    def __init__(
        self,
        store: Store,
        ingest: Ingest,
        decisions: Decisions,
        forget: Callable[[Selector], object],
        encrypt_anew: Callable[[Membership], None],
    ) -> None:
        self._store = store
        self._ingest = ingest
        self._decisions = decisions
        self._forget = forget
        self._encrypt_anew = encrypt_anew
        self.paused = self.shut_out = False

    def read(self, me: Membership, folder: SharedFolder) -> None:
        """Read all that has arrived and was not read yet; entries not while learning is paused (`paused`).

        `shut_out`: there are other devices, and none of them has sealed anything for this one.
        """
        self.paused = False
        self.shut_out = any(device != me.device for device in folder.devices())
        self._sweep()  # what was cut off
        for device in folder.devices():
            known = me.members.get(device)
            if device != me.device and (known is None or known.gone != "revoked"):
                self._read(me, folder, device)

    def _read(self, me: Membership, folder: SharedFolder, device: str) -> None:
        read = me.others.get(device)
        heads = [place for place in folder.files(device) if place.kind == "head"]
        if read is not None and not read.missing and [read.name] == [place.name for place in heads]:
            self.shut_out = False
            return
        found = [
            (place, head) for place in heads if (head := self._head(me, folder, device, place)) is not None
        ]
        self.shut_out = self.shut_out and not found
        top = max((head.number for _, head in found), default=0)
        for place, head in found:  # two of one number are of a device and its copy
            if head.number == top >= me.other(device).head:
                self._take(me, folder, place, head)

    def _head(self, me: Membership, folder: SharedFolder, device: str, place: SharedFile) -> Head | None:
        """What a head says; None where it has not arrived whole, or is not for this device, or not of a member."""
        data = folder.read(device, place)
        found = None if data is None else open_head(data, folder.number, device, me.openers)
        if found is None:
            return None
        head, signed = found
        known, claimed = me.members.get(device), head.members.get(device)
        if not signed or claimed is None:
            return None
        if known is not None:
            return head if known.keys == claimed.keys else None
        if head.voucher is None:
            return None
        by, signature = head.voucher
        sponsor = me.members.get(by)
        about = vouched(folder.number, device, claimed.keys)
        if sponsor is None or sponsor.gone == "revoked" or (sponsor.invitation and sponsor.gone is not None):
            return None
        return head if sponsor.keys.verifies(bytes.fromhex(signature), about) else None

    def _take(self, me: Membership, folder: SharedFolder, place: SharedFile, head: Head) -> None:
        device, read = head.device, me.other(head.device)
        why = me.merge(head.members)
        if "revoked" in why:
            self._encrypt_anew(me)
        elif why:
            me.renew_key()
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
            me.clock = max(me.clock, self._decisions.apply(contents.decisions, device, me.device))
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
        """Forget what another device ordered, each order once."""
        for number, conditions in head.orders:
            if number > read.ordered and conditions is not None:
                self._forget(_selector(conditions))
        read.ordered = max(read.ordered, head.ordered)
        read.orders = [[number, conditions] for number, conditions in head.orders]

    def _wanted(self, me: Membership, head: Head, entries: Sequence[SharedEntry]) -> list[SharedEntry]:
        """Those entries that are new here and that nobody has ordered to forget before their device knew of it."""
        orders: list[dict[str, Any]] = [
            order.conditions
            for order in self._store.shared.orders()
            if order.conditions is not None and order.number > head.done.get(me.device, 0)
        ]
        for device, read in me.others.items():
            if device != head.device:
                after = head.done.get(device, 0)
                orders += [what for number, what in read.orders if what is not None and number > after]
        missing = self._store.shared.missing([one.mark for one in entries])
        selectors = [_selector(conditions) for conditions in orders]
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


def _selector(conditions: dict[str, Any]) -> Selector:
    """A selector as it came from another device."""
    given = dict(conditions)
    for name in ("since", "until"):
        if name in given:
            given[name] = datetime.fromisoformat(given[name])
    if "phrases" in given:
        given["phrases"] = tuple(given["phrases"])
    return Selector(**given)
