"""The logs of other devices: each file that arrives is joined with what is known here."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final

from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.profile.journal import TakeOver
from idiolect.daemon.profile.pause import PausedError
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.sync_merge import SharedContents
from idiolect.daemon.sync.folder import SharedFolder, head_name
from idiolect.daemon.sync.log_files import Head, open_head, open_log, pack_head
from idiolect.daemon.sync.this_device import OtherDevice, ThisDevice
from idiolect.models.errors import code_of

log = logging.getLogger("idiolect.sync")

#: Subfolders of unknown devices that are read in one cycle, at most: anybody may have made them.
_MAX_NEW: Final = 64
#: Heads of one device that are tried, the highest number first.
_MAX_HEADS: Final = 4
PAUSED: Final = "Learning is paused: what other devices wrote is read when it goes on."


class OtherLogs:
    """Reads the logs of other devices; many entries are learned within `around`."""

    def __init__(
        self,
        profile: Profile,
        ingest: Ingest,
        around: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._profile = profile
        self._shared = profile.store.shared
        self._ingest = ingest
        self._around = around
        self._unforgotten = True  # entries that were forgotten elsewhere may still be here
        self._held: set[str] = set()  # files read in this pause: their entries alone are still to be taken
        self.paused = False
        self.failed: Exception | None = None

    def read(self, me: ThisDevice, folder: SharedFolder) -> None:
        """Read every file that has arrived and was not read yet; entries not while learning is paused (`paused`).

        A device whose log cannot be read hinders no other: `failed` is the error, and the log is to be tried again.
        """
        self.paused, self.failed = False, None
        if not (self._ingest.pause.active and me.head):
            self._held.clear()
        self._forget_here()  # where an earlier cycle was cut off
        there = [device for device in folder.devices() if device != me.device]
        for device, other in me.others.items():
            if (
                other.left and not other.there and device in there
            ):  # it has come back, and its heads begin anew
                other.number = 0
            other.there = device in there
        new = [device for device in there if device not in me.others]
        for device in [*filter(me.others.__contains__, there), *random.sample(new, min(len(new), _MAX_NEW))]:
            try:
                self._read_log(me, folder, device)
            except Exception as error:  # noqa: BLE001 (whatever it is, the others are read)
                log.warning("the log of one device was not read: %s", code_of(error))
                self.failed = error
        self._forget_here()

    def _read_log(self, me: ThisDevice, folder: SharedFolder, device: str) -> None:
        other = me.others.get(device, OtherDevice())
        head = self._newest_head(me, folder, device, other)
        if head is None:
            return
        read = {*other.files}
        unread = [name for name in head.files if name not in read]
        other.files = [name for name in head.files if name in read]
        other.number, other.name, other.at = head.number, head.name, head.at
        other.missing, other.left = len(unread), head.left
        me.others[device] = other
        self.paused |= not self._held.isdisjoint(unread)
        if new := [name for name in unread if name not in self._held]:
            with self._around(), self._shared.with_large_cache():
                for name in new:
                    contents = open_log(folder.read(device, name), device, me.keys, self._shared)
                    if contents is None:
                        continue
                    if self._join(contents, device):
                        other.files.append(name)
                        other.missing -= 1
                        me.save(self._profile.store.state)
                    else:
                        self._held.add(name)

    def _newest_head(
        self, me: ThisDevice, folder: SharedFolder, device: str, other: OtherDevice
    ) -> Head | None:
        """The device's newest authentic head; None where nothing in it is new."""
        for number in folder.heads(device, _MAX_HEADS):
            if number < other.number or (number == other.number and not other.missing):
                return None
            head = open_head(folder.read(device, head_name(number)), number, device, me.keys)
            if head is not None:
                return head
        return None

    def _join(self, contents: SharedContents, device: str) -> bool:
        """Join the contents of a file with what is known here; False where learning is paused."""
        self._unforgotten |= self._shared.add_forgotten(contents.rows, device)
        decisions = [row for row in contents.rows if row.kind == "decision"]
        if self._shared.later(decisions):
            self._profile.decide(TakeOver(decisions, device))
        try:
            self._ingest.add_shared(self._shared.missing(contents.entries), device)
        except PausedError:
            self.paused = True
            return False
        return True

    def end_log(self, me: ThisDevice, folder: SharedFolder, device: str) -> None:
        """Write the last head of another device, by which it has left; it names the files that its log had."""
        other, numbers = me.others[device], folder.heads(device, _MAX_HEADS)
        heads = (open_head(folder.read(device, head_name(n)), n, device, me.keys) for n in numbers)
        known = Head(other.number, other.name, other.at, tuple(other.files))
        newest = next(filter(None, heads), known)
        last = replace(newest, number=max([other.number, *numbers]) + 1, left=True)
        folder.write(device, head_name(last.number), pack_head(last, device, me.keys))

    def may_remove(self, me: ThisDevice, folder: SharedFolder, device: str) -> bool:
        """Whether the log of a device that has left can be deleted.

        It can once all of its text is in this device's log, too. Text that was not taken here, or was let go, may not
        have reached a third device yet, nor may a file that cannot be read now; forgotten text goes all the same.
        """
        other, marks = me.others[device], self._shared.count_marks()
        if other.marks == marks:
            return False
        whole = True
        for name in other.files:
            contents = open_log(folder.read(device, name), device, me.keys, self._shared)
            if contents is None:
                whole = not other.there  # without its subfolder, nothing is left to reach anybody
                continue
            found = {self._shared.fate(entry) for entry in contents.entries}
            if "forgotten" in found:
                return True
            if "unknown" in found:
                other.marks = marks
        return whole and other.marks != marks

    def _forget_here(self) -> None:
        """Forget the entries that were forgotten on another device."""
        if self._unforgotten and (ids := self._shared.forgotten_elsewhere()):
            self._profile.forget(Selector(ids=ids))
        self._unforgotten = False
