"""This device's log: new things go into new files, a head names all that count, and other files are deleted.

If it is killed, the next run finishes: it writes what is in no file yet, and deletes files that no head names.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from idiolect.daemon.storage.store import Store
from idiolect.daemon.sync.folder import SharedFolder, head_name, log_name
from idiolect.daemon.sync.log_files import Head, open_head, pack_head, pack_log
from idiolect.daemon.sync.this_device import ThisDevice, new_device

#: How often all of the own files are read and compared, not their sizes alone.
CONTENTS_CHECK_S: Final = 6 * 3600.0
_TRIES: Final = 5
_MAX_HEADS: Final = 8


class OwnLog:
    """Writes the log of this device. `now` is the time of day, in seconds since 1970."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._check_at = 0.0  # of the clock that does not jump

    def check(self, me: ThisDevice, folder: SharedFolder) -> ThisDevice:
        """Have files that are damaged or gone written again; the device to go on as.

        That is another one where the folder holds a head of this device's that the store does not know: then this
        profile was restored from an older backup, or is a copy. The former log is ended, and all of it is sent anew.
        """
        sizes, shared = folder.sizes(me.device), self._store.shared
        for number in folder.heads(me.device, _MAX_HEADS):
            data = folder.read(me.device, head_name(number))
            if data is None or number < me.head or _digest(data) == me.sealed:
                continue
            if (head := open_head(data, number, me.device, me.keys)) is not None:
                last = replace(head, number=number + 1, left=True)
                folder.write(me.device, head_name(last.number), pack_head(last, me.device, me.keys))
                me = replace(me, device=new_device(), head=0, sealed="", listed=None)
                with self._store.together():
                    shared.release([*shared.segments()])
                    me.save(self._store.state)
                return me
        bad = [name for name, size in shared.segments().items() if sizes.get(name) != size]
        if time.monotonic() >= self._check_at:
            bad += [name for name in shared.segments() if folder.read(me.device, name) is None]
            self._check_at = time.monotonic() + CONTENTS_CHECK_S
        shared.release(bad)
        if me.head and _digest(folder.read(me.device, head_name(me.head)) or b"") != me.sealed:
            me.listed = None
        return me

    def is_urgent(self, me: ThisDevice) -> bool:
        """Whether the folder holds a file that is to leave it, or no head of this device's."""
        return me.listed is None or not {*me.listed} <= {*self._store.shared.segments()}

    def send(self, me: ThisDevice, folder: SharedFolder) -> None:
        """Write what is in no file yet, and publish it."""
        shared = self._store.shared
        shared.join_small()
        for _ in range(_TRIES):  # text that is forgotten meanwhile makes another try necessary
            whole = True
            for contents in shared.unsent():
                data = pack_log(contents, me.device, me.keys)
                folder.write(me.device, log_name(data), data)
                whole = shared.written(log_name(data), len(data), contents) and whole
            if whole:
                break
            me.listed = None  # the file that holds it is to be deleted
        if me.listed != [*shared.segments()]:
            self.publish(me, folder)

    def publish(self, me: ThisDevice, folder: SharedFolder, *, left: bool = False) -> None:
        """Write a head, and delete what it does not name."""
        files = [*self._store.shared.segments()]
        head = Head(me.head + 1, me.name, int(self._now()), tuple(files), left)
        data = pack_head(head, me.device, me.keys)
        me.head, me.sealed, me.listed = head.number, _digest(data), None
        me.save(self._store.state)  # first: a head in the own folder that is not known is another device's
        folder.write(me.device, head_name(head.number), data)
        me.listed = files
        me.save(self._store.state)
        folder.keep(me.device, {*files, head_name(me.head)})


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
