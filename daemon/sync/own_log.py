"""This device's log: new things go into new files, files that hold forgotten text are written anew, a head names all.

Killed anywhere, the next time goes on: files that no head names are deleted, and what the store says is in no file is
written again.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final

from idiolect.daemon.storage.schema import microseconds
from idiolect.daemon.storage.shared import Segment, SharedAdapter
from idiolect.daemon.storage.store import Store
from idiolect.daemon.sync.folder import MAX_FILE_BYTES, SharedFile, SharedFolder, name_of
from idiolect.daemon.sync.log_files import (
    MAX_HEAD_BYTES,
    Head,
    Member,
    open_head,
    pack_adapter,
    pack_head,
    pack_segment,
    vouched,
)
from idiolect.daemon.sync.this_device import ThisDevice, new_device
from idiolect.daemon.vault.device_keys import DeviceKeys

#: So many files of about one size, none of them large, are put together into one.
_ALIKE: Final = 8
_LARGE_BYTES: Final = 256 << 10
_MAX_REWRITES: Final = 5


class OwnLog:
    """Writes the log of this device. `now` is the time of day, in seconds since 1970."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    def urgent(self, me: ThisDevice) -> bool:
        """Whether the folder holds what is to leave it, or an order to forget is not in it yet."""
        return bool(self._store.shared.stale()) or self._orders_changed(me)

    def _orders_changed(self, me: ThisDevice) -> bool:
        orders, done = self._store.orders, self._carried_out(me)
        return me.ordered < orders.last_number() or any(one.number <= done for one in orders.open())

    def _carried_out(self, me: ThisDevice) -> int:
        """The number of the last order that every device has carried out."""
        done = [me.other(device).done_there.get(me.device, 0) for device in me.live_others]
        return min(done, default=self._store.orders.last_number())

    def send(self, me: ThisDevice, folder: SharedFolder) -> None:
        """Write what is in no file yet, write anew what must be, and publish it."""
        self._write(me, folder, ())
        for _ in range(_MAX_REWRITES):  # what is forgotten meanwhile makes another one necessary
            anew = [segment.name for segment in self._store.shared.stale()] or self._alike()
            if not anew:
                break
            self._write(me, folder, anew)
        self._offer(me, folder)
        if not me.published or self._orders_changed(me):
            self.publish(me, folder)

    def _offer(self, me: ThisDevice, folder: SharedFolder) -> None:
        """Write the adapter that serves, if it was trained here and all that it has seen has marks; offer no other."""
        store, active = self._store, self._store.adapters.active()
        if (me.adapter and me.adapter[0]) == active:
            return
        row = next((row for row in store.adapters.all() if row.id == active), None)
        marks = None
        if row is not None and row.metrics.get("trained_tokens") and "base_sha256" in row.metrics:
            marks = store.shared.marks_of(store.adapters.seen(row.id))
        if row is None or marks is None:
            if me.adapter is not None:
                me.adapter, me.published = None, False
            return
        adapter = SharedAdapter(
            row.metrics["base_sha256"],
            microseconds(row.created_at),
            marks,
            store.adapters.weights(row.id),
        )
        data = pack_adapter(adapter, folder.number, me.device, me.log_keys[str(me.generation)])
        if len(data) <= MAX_FILE_BYTES:
            place = folder.write(me.device, "log", data)
            me.adapter, me.published = (row.id, place.name, me.generation), False

    def _alike(self) -> list[str]:
        """The names of many files of about one size."""
        by_size = defaultdict(list)
        for segment in self._store.shared.segments():
            if segment.size_bytes < _LARGE_BYTES:
                by_size[segment.size_bytes.bit_length() // 2].append(segment.name)
        return next((names for names in by_size.values() if len(names) >= _ALIKE), [])

    def _write(self, me: ThisDevice, folder: SharedFolder, anew: Collection[str]) -> None:
        """Write files: of what is in none yet, or of what was in those that are written `anew`."""
        shared, made = self._store.shared, []
        for contents in shared.unsent(anew):
            data = pack_segment(contents, folder.number, me.device, me.log_keys[str(me.generation)])
            place = folder.write(me.device, "log", data)
            made.append((Segment(place.name, len(data), me.generation, tuple(anew)), contents.marks))
        if made or anew:
            with shared.together():
                shared.written(made, anew)
                me.log += 1
                me.published = False
                me.save(self._store.state)

    def publish(self, me: ThisDevice, folder: SharedFolder) -> None:
        """Write a head, and delete what it does not name."""
        shared, segments = self._store.shared, self._store.shared.segments()
        self._store.orders.carried_out(self._carried_out(me))
        used = {str(segment.generation) for segment in segments} | {str(me.generation)}
        used |= {str(me.adapter[2])} if me.adapter else set()
        me.log_keys = {number: key for number, key in me.log_keys.items() if number in used}
        me.head += 1
        me.published = False
        head = Head(
            me.device,
            me.head,
            me.log,
            int(self._now()),
            shared.key,
            me.clock,
            me.members,
            me.log_keys,
            [(segment.name, segment.generation, segment.of) for segment in segments],
            {device: read.log for device, read in me.others.items()},
            [(one.number, one.id, one.conditions) for one in self._store.orders.open() if one.conditions],
            self._store.orders.last_number(),
            {device: read.done for device, read in me.others.items()},
            me.voucher,
            me.adapter and me.adapter[1:],
        )
        readers = [one.keys for one in me.members.values() if one.gone is None]
        data = pack_head(head, folder.number, me.keys, readers)
        me.heads[str(me.head)] = name_of(data)
        me.save(self._store.state)  # first: a head in the own folder that is not known is another device's
        folder.write(me.device, "head", data)
        me.published, me.ordered = True, head.ordered
        me.save(self._store.state)
        folder.keep(me.device, self._files(me))

    def _files(self, me: ThisDevice) -> set[SharedFile]:
        names = {SharedFile("log", segment.name) for segment in self._store.shared.segments()}
        names |= {SharedFile("log", me.adapter[1])} if me.adapter else set()
        return names | {SharedFile("head", me.heads[str(me.head)])} if me.head else names

    def look(self, me: ThisDevice, folder: SharedFolder) -> bool:
        """See that the own files are as they were left; False where another one writes them, too.

        That is a copy of this profile, or this profile was one and was restored.
        """
        there = set(folder.files(me.device))
        known = {*me.heads.values()}
        unread = set()
        for place in there:
            if place.kind == "head" and place.name not in known:
                data = folder.read(me.device, place, MAX_HEAD_BYTES)
                if data is None:  # it has not arrived whole
                    unread.add(place)
                    continue
                found = open_head(data, folder.number, me.device, me.openers, me.keys.public)
                if found is not None and (found.number > me.head or str(found.number) in me.heads):
                    return False
        files = self._files(me)
        if missing := [place.name for place in files - there if place.kind == "log"]:
            self._store.shared.make_stale(missing)
            me.adapter = None if me.adapter and me.adapter[1] in missing else me.adapter
        if files - there:
            me.published = False
        elif me.published and there - files - unread:
            folder.keep(me.device, files | unread)
        return True

    def move(self, me: ThisDevice, place: str, *, alone: bool) -> ThisDevice:
        """Go on as another device, since two are one: what was sent is that one's, what was not is this one's.

        `alone`: nobody may be left to write the former log, so this device is its heir.
        """
        device, keys = new_device(), DeviceKeys.new()
        signed = me.keys.signature(vouched(me.number, device, keys.public))
        names = {one.name for one in me.members.values() if one.gone is None}
        name = next(name for n in range(2, 1000) if (name := f"{me.name} {n}") not in names)
        members = {**me.members, device: Member(name, keys.public.seal, keys.public.sign)}
        if alone:
            members[me.device] = replace(members[me.device], gone="moved", heir=device)
        moved = ThisDevice(
            me.path,
            me.number,
            device,
            keys,
            members,
            place,
            former=me.keys,
            voucher=(me.device, signed.hex()),
            clock=me.clock,
            others=me.others,
        )
        moved.renew_key()
        with self._store.shared.together():
            self._store.shared.disown(me.device)
            self._store.orders.give_again()
            moved.save(self._store.state)
        return moved

    def encrypt_anew(self, me: ThisDevice) -> None:
        """Have all of the log written under a new key."""
        me.renew_key()
        me.adapter = None  # it is offered anew
        self._store.shared.make_stale([segment.name for segment in self._store.shared.segments()])
