"""The logs of other devices: what has arrived of them is joined with what is known here, as often as it arrives."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.profile.pause import PausedError
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.shared import SharedContents
from idiolect.daemon.storage.store import Store
from idiolect.daemon.sync.decisions import Decisions
from idiolect.daemon.sync.folder import SharedFolder, head_name
from idiolect.daemon.sync.log_files import Head, open_head, open_log
from idiolect.daemon.sync.this_device import OtherDevice, ThisDevice
from idiolect.models.errors import IdiolectError

log = logging.getLogger("idiolect.sync")

#: So many subfolders that no known device has are looked at in one reading: anybody may have made them.
_MAX_NEW: Final = 64
#: So many heads of a device are tried, the highest number first.
_MAX_HEADS: Final = 4
PAUSED: Final = "Learning is paused: what other devices wrote is read when it goes on."


class OtherLogs:
    """Reads what other devices wrote.

    `forget` forgets what is selected; much text is learned within `around`.
    """

    def __init__(
        self,
        store: Store,
        ingest: Ingest,
        decisions: Decisions,
        forget: Callable[[Selector], object],
        around: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._store = store
        self._ingest = ingest
        self._decisions = decisions
        self._forget = forget
        self._around = around
        self._unswept = True  # what was forgotten elsewhere may still be here
        self.paused = False
        self.failed: Exception | None = None

    def read(self, me: ThisDevice, folder: SharedFolder) -> None:
        """Read all that has arrived and was not read yet; entries not while learning is paused (`paused`).

        What can't be read of one device hinders no other: `failed` is why, and it is to be tried again.
        """
        self.paused, self.failed = False, None
        self._sweep()  # what was cut off
        there = [device for device in folder.devices() if device != me.device]
        for device, other in me.others.items():
            other.there = device in there
        new = [device for device in there if device not in me.others]
        for device in [*filter(me.others.__contains__, there), *random.sample(new, min(len(new), _MAX_NEW))]:
            try:
                self._read(me, folder, device)
            except Exception as error:  # noqa: BLE001 (whatever it is, the others are read)
                code = error.code if isinstance(error, IdiolectError) else type(error).__name__
                log.warning("what one device wrote was not read: %s", code)
                self.failed = error
        self._sweep()

    def _read(self, me: ThisDevice, folder: SharedFolder, device: str) -> None:
        other = me.others.get(device, OtherDevice())
        head = self._newest(me, folder, device, other)
        if head is None:
            return
        unread = [name for name in head.files if name not in {*other.files}]
        other.files = [name for name in other.files if name in {*head.files}]
        other.number, other.name, other.at = head.number, head.name, head.at
        other.missing, other.left = len(unread), head.left
        me.others[device] = other
        if unread:
            with self._around():
                for name in unread:
                    contents = open_log(folder.read(device, name), device, me.keys, self._store.shared)
                    if contents is not None and self._take(me, contents, device):
                        other.files.append(name)
                        other.missing -= 1
                        me.save(self._store.state)

    def _newest(self, me: ThisDevice, folder: SharedFolder, device: str, other: OtherDevice) -> Head | None:
        """The device's newest head that can be believed; None where nothing in it is new."""
        for number in folder.heads(device, _MAX_HEADS):
            if number < other.number or (number == other.number and not other.missing):
                return None
            head = open_head(folder.read(device, head_name(number)), number, device, me.keys)
            if head is not None:
                return head
        return None

    def _take(self, me: ThisDevice, contents: SharedContents, device: str) -> bool:
        """Join what a file holds with what is known here; whether all of it was taken."""
        shared = self._store.shared
        self._unswept |= shared.heard(contents.rows, device)
        me.clock = max(me.clock, self._decisions.apply(contents.rows, device))
        if not me.head:
            shared.leave_to(device, contents.entries)
        try:
            self._ingest.add_shared(shared.missing(contents.entries), device)
        except PausedError:
            self.paused = True
            return False
        return True

    def _sweep(self) -> None:
        """Forget here what was forgotten elsewhere."""
        if self._unswept and (doomed := self._store.shared.doomed()):
            self._forget(Selector(ids=doomed))
        self._unswept = False
