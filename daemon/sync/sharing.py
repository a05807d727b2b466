"""What a device does with the folder that it shares: it reads the logs of others, and writes its own.

Everything is done in `cycle`, which may be cut off anywhere and done again. Whatever arrives is joined with what is
known, so it does not matter in which order, in which parts or how often files arrive. Files of the own log are written
first, then the store notes what is in them, then a head names them, and at last those that no head names are deleted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.storage.records import OFFERS_JUDGED, OfferedAdapter
from idiolect.daemon.storage.schema import microseconds
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store
from idiolect.daemon.sync.decisions import Decisions
from idiolect.daemon.sync.folder import SharedFile, SharedFolder
from idiolect.daemon.sync.log_files import open_adapter
from idiolect.daemon.sync.membership import Device, Membership
from idiolect.daemon.sync.other_logs import OtherLogs
from idiolect.daemon.sync.own_log import OwnLog
from idiolect.daemon.sync.this_device import ThisDevice
from idiolect.models.errors import IdiolectError

log = logging.getLogger("idiolect.sync")

_OFFER_S: Final = 5.0  # so long a round waits for the folder
_FAILED: Final = (
    "Not all of the shared folder could be read or written ({code}). Nothing is lost, and it is tried again."
)


@dataclass(frozen=True)
class Sharing:
    """The state of sharing; `unsent` things wait to be sent, and `problem` says what stands in the way."""

    folder: str
    device: str
    name: str
    devices: tuple[Device, ...]
    unsent: int
    invited_until: int | None
    problem: str | None


class Sync:
    """Shares a folder. Its methods are safe in any thread.

    `forget` forgets what is selected, here alone; `now` is the time of day, in seconds since 1970.
    """

    def __init__(
        self,
        home: Path,
        store: Store,
        ingest: Ingest,
        decisions: Decisions,
        forget: Callable[[Selector], object],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._decisions = decisions
        self._own = OwnLog(store, now)
        self._others = OtherLogs(store, ingest, decisions, forget, self._own.encrypt_anew, now)
        self.membership = Membership(home, store, decisions, self._own, self._others, now)
        self._problem: tuple[str, str | None] = ("", None)  # as which device, and what stood in the way
        self._seen: object = None  # of the folder, when all of it was read

    @property
    def path(self) -> str | None:
        """The folder that is shared, if one is."""
        me = self.membership.me
        return None if me is None else me.path

    @property
    def device(self) -> str | None:
        """This device's number, if a folder is shared."""
        me = self.membership.me
        return None if me is None else me.device

    def state(self) -> Sharing | None:
        """How far everybody is; None where no folder is shared."""
        me = self.membership.me
        if me is None:
            return None
        until = [one.until for one in me.members.values() if one.invitation and one.gone is None]
        return Sharing(
            me.path,
            me.device,
            me.name,
            tuple(self.membership.devices()),
            self._store.shared.waiting(),
            max((one for one in until if one is not None), default=None),
            self._problem[1] if self._problem[0] == me.device else None,
        )

    def carried_out(self, receipt: int) -> tuple[list[str], list[str]] | None:
        """Which devices have forgotten what a receipt is of, and which have not yet; None where none was asked to."""
        me = self.membership.me
        numbers = [one.number for one in self._store.orders.all() if one.receipt == receipt]
        if me is None or not numbers:
            return None
        done: tuple[list[str], list[str]] = ([], [])
        for id_, one in sorted(me.live().items(), key=lambda item: item[1].name):
            if id_ != me.device:
                done[me.other(id_).done_there.get(me.device, 0) < numbers[-1]].append(one.name)
        return done

    def offer(self, base: str) -> OfferedAdapter | None:
        """The newest adapter of another device for the base model with this SHA-256, if it is newer than what serves.

        None, too, where it was judged here before, has seen text that was forgotten or has not arrived here, or the
        folder does not answer: a round never waits for it.
        """
        if not self.membership.lock.acquire(timeout=_OFFER_S):
            return None
        try:
            me = self.membership.me
            if me is None:
                return None
            judged = self._store.state.get(OFFERS_JUDGED, [])
            offered = [
                (device, member.name, *adapter)
                for device, member in me.live().items()
                if device != me.device and (adapter := me.other(device).adapter) and adapter[0] not in judged
            ]
        finally:
            self.membership.lock.release()
        folder, found = SharedFolder(Path(me.path), me.number), Future[OfferedAdapter | None]()

        def look() -> None:
            try:
                found.set_result(self._newest(base, folder, offered))
            except Exception as error:  # noqa: BLE001 (whatever it is, the round goes on without it)
                log.warning("no adapter of another device was read: %s", type(error).__name__)
                found.set_result(None)

        if not offered:
            return None
        threading.Thread(target=look, name="offer", daemon=True).start()  # a drive may never answer
        try:
            return found.result(_OFFER_S)
        except TimeoutError:
            return None

    def _newest(
        self, base: str, folder: SharedFolder, offered: list[tuple[str, str, str, str]]
    ) -> OfferedAdapter | None:
        store, found = self._store, []
        active = store.adapters.active()
        serves_us = next(
            (microseconds(row.created_at) for row in store.adapters.all() if row.id == active), 0
        )
        for device, member, name, key in offered:
            data = folder.read(device, SharedFile("log", name))
            adapter = None if data is None else open_adapter(data, folder.number, device, key)
            if adapter is None or adapter.at_us <= serves_us:
                continue
            if adapter.base != base:
                log.info("the adapter of another device is for another base model, and is not judged here")
                continue
            if (seen := store.shared.entries_of(adapter.seen)) is not None:
                found.append((adapter.at_us, OfferedAdapter(name, member, adapter.blob, seen)))
        return max(found, key=lambda one: one[0])[1] if found else None

    def cycle(self, *, send: bool = True) -> bool:
        """Read what has arrived and, if `send`, write what is new here; whether something waits to be sent still.

        What takes forgotten text out of the folder is written in any case. Raises SyncFolderGoneError and the store's
        errors; then it is to be tried again.
        """
        members = self.membership
        with members.lock:
            me = members.me
            if me is None:
                return False
            try:
                # What is read next is older than what was decided here, unless this device has just joined.
                if me.voucher is None or any(read.head for read in me.others.values()):
                    self._capture(me)
                me, folder = members.required()
                seen = self._listing(me, folder)
                self._others.read(me, folder)
                members.adopt(me, folder)
                members.end_old_invitations(me)
                self._capture(me)
                if send or self._own.urgent(me):
                    self._own.send(me, folder)
                me.save(self._store.state)
                if self._others.failed is not None:
                    raise self._others.failed
            except Exception as error:
                told = isinstance(error, IdiolectError)
                problem = str(error) if told else _FAILED.format(code=type(error).__name__)
                self._problem = (me.device, problem)
                raise
            self._problem, self._seen = (me.device, self._others.problem), seen
            return not me.published or bool(self._store.shared.waiting())

    def _capture(self, me: ThisDevice) -> None:
        """Note what the user has decided here since."""
        with self._store.shared.together():
            clock = self._decisions.capture(me.device, me.clock)
            if clock != me.clock:
                me.clock = clock
                me.save(self._store.state)

    def arrived(self) -> bool:
        """Whether something has changed in the folder since all of it was read; by names, sizes and dates alone.

        Raises SyncFolderGoneError.
        """
        with self.membership.lock:
            me = self.membership.me
            return me is not None and self._listing(me, SharedFolder(Path(me.path), me.number)) != self._seen

    def _listing(self, me: ThisDevice, folder: SharedFolder) -> object:
        return {device: folder.listing(device) for device in folder.devices() if device != me.device}
