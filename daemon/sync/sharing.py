"""What a device does with the folder that it shares: it reads the logs of others, and writes its own.

Everything is done in `cycle`, which may be cut off anywhere and done again. Whatever arrives is joined with what is
known, so it does not matter in which order, in which parts or how often files arrive. Files of the own log are written
first, then the store notes what is in them, then a head names them, and at last those that no head names are deleted.
"""

from __future__ import annotations

import logging
import secrets
import socket
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from idiolect.daemon.storage.records import OFFERS_JUDGED, OfferedAdapter
from idiolect.daemon.storage.schema import microseconds
from idiolect.daemon.storage.shared import OWN
from idiolect.daemon.sync.folder import SharedFile, SharedFolder, SyncFolderError, SyncNewerError
from idiolect.daemon.sync.log_files import (
    MAX_NEW_HEAD_BYTES,
    Head,
    Member,
    open_adapter,
    open_head,
    vouched,
)
from idiolect.daemon.sync.membership import Membership, Read, new_device, place_of
from idiolect.daemon.sync.other_logs import OtherLogs
from idiolect.daemon.sync.own_log import OwnLog
from idiolect.daemon.vault.device_keys import KEY_BYTES, CodeError, DeviceKeys, new_code
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from collections.abc import Callable

    from idiolect.daemon.ingest.ingest import Ingest
    from idiolect.daemon.storage.selectors import Selector
    from idiolect.daemon.storage.store import Store
    from idiolect.daemon.sync.decisions import Decisions

log = logging.getLogger("idiolect.sync")

#: How long a code lets another device in.
_CODE_DAYS: Final = 7
_MAX_NAME_CHARS: Final = 64
_OFFER_S: Final = 5.0  # so long a round waits for the folder
_FAILED: Final = (
    "Not all of the shared folder could be read or written ({code}). Nothing is lost, and it is tried again."
)


class NotSharingError(IdiolectError):
    """No folder is shared."""

    code: ClassVar[str] = "sync-off"
    exit_code: ClassVar[int] = 131
    http_status: ClassVar[int] = 409

    def __init__(self) -> None:
        """Say how to share one."""
        super().__init__("No folder is shared yet. `idiolect sync FOLDER` shares one.")


class DeviceNameError(IdiolectError):
    """A device's name is taken, unknown, or no name."""

    code: ClassVar[str] = "sync-device"
    exit_code: ClassVar[int] = 132
    http_status: ClassVar[int] = 422


class AlreadySharingError(IdiolectError):
    """Another folder is shared already."""

    code: ClassVar[str] = "sync-already"
    exit_code: ClassVar[int] = 133
    http_status: ClassVar[int] = 409


class CodeNeededError(IdiolectError):
    """The folder is shared by other devices: one of them has to let this one in."""

    code: ClassVar[str] = "sync-code-needed"
    exit_code: ClassVar[int] = 134
    http_status: ClassVar[int] = 403


@dataclass(frozen=True)
class Device:
    """A device as others see it: what of its log is here, and how far it is with this device's.

    `entries` are here from its log, `waiting` files of it have not arrived; `seen_at` is when it last wrote a head
    (seconds since 1970, None: none was read); `behind`: it has not read all of this device's log.
    """

    id: str
    name: str
    this: bool
    entries: int
    waiting: int
    seen_at: int | None
    behind: bool


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

    Args:
        home: the profile's folder.
        store: what is shared.
        ingest: the way in for entries of other devices.
        decisions: what the user decides.
        forget: forgets what is selected, here alone.
        now: the time of day, in seconds since 1970.
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
        self._now = now
        self._place = place_of(home)
        self._lock = threading.RLock()
        self._own = OwnLog(store, now)
        self._others = OtherLogs(store, ingest, decisions, forget, self._own.encrypt_anew, now)
        self._problem: str | None = None
        self._seen: object = None  # of the folder, when all of it was read
        self._me = Membership.load(store.state)
        if self._me is not None:
            decisions.heed_settings(self._me.live_others)

    @property
    def path(self) -> str | None:
        """The folder that is shared, if one is."""
        me = self._me
        return None if me is None else me.path

    @property
    def device(self) -> str | None:
        """This device's number, if a folder is shared."""
        me = self._me
        return None if me is None else me.device

    # Joining and leaving

    def join(self, path: Path, code: str | None, name: str | None) -> str | None:
        """Share the folder at `path`: an empty one from now on, with a code as answer that lets another device in; one
        that others share with a code of theirs.

        Raises AlreadySharingError, CodeNeededError, CodeError, DeviceNameError, and the folder's errors; then nothing
        was changed.
        """
        with self._lock:
            if self._me is not None:
                raise AlreadySharingError(
                    f"This profile shares the folder {self._me.path} already. `idiolect sync leave` ends that."
                )
            name = _checked_name(name or socket.gethostname() or "device")
            folder = SharedFolder.open(path)
            if folder is None:
                if code is not None:
                    raise SyncFolderError(
                        f"The folder {path} is empty, so no code fits it: the files of the other devices have not "
                        "arrived. Wait for the synchroniser; without a code an empty folder is shared from here."
                    )
                folder = SharedFolder.create(path)
                self._begin(folder, name, None, {}, None, secrets.token_hex(KEY_BYTES))
                return self.invite()
            if code is None:
                raise CodeNeededError(
                    f"Other devices share the folder {path}. Run `idiolect sync invite` on one of them, which shows a "
                    "code once, and give that here."
                )
            keys = DeviceKeys.of_code(code)
            head = self._head_for(folder, keys)
            if any(
                name.casefold() == one.name.casefold() for one in head.members.values() if one.gone is None
            ):
                raise DeviceNameError(
                    f"A device that shares the folder is called {name} already. Nothing was changed: give this one "
                    "another name with --name, or end the old one there with `idiolect sync revoke`."
                )
            self._begin(folder, name, keys, head.members, head.device, head.marks)
            return None

    def _head_for(self, folder: SharedFolder, code: DeviceKeys) -> Head:
        """A head that an invitation can read. Raises CodeError."""
        public, now = code.public, self._now()
        for device in folder.devices():
            for place in folder.files(device):
                data = folder.read(device, place, MAX_NEW_HEAD_BYTES) if place.kind == "head" else None
                try:
                    head = None if data is None else open_head(data, folder.number, device, [code], None)
                except (ValueError, SyncNewerError):  # it is of anybody
                    continue
                if head and any(one.keys == public and one.open(now) for one in head.members.values()):
                    return head
        raise CodeError(
            f"This code does not open the folder {folder.path}. Nothing was changed. It is of another folder, was "
            f"used already or is older than {_CODE_DAYS} days; or the files of the device that made it have not "
            "arrived. `idiolect sync invite` there makes another."
        )

    def _begin(
        self,
        folder: SharedFolder,
        name: str,
        code: DeviceKeys | None,
        members: dict[str, Member],
        sponsor: str | None,
        marks: str,
    ) -> None:
        device, keys = new_device(), DeviceKeys.new()
        voucher = None
        if code is not None:
            invitation = next(id_ for id_, one in members.items() if one.keys == code.public)
            signed = code.signature(vouched(folder.number, device, keys.public))
            voucher = (invitation, signed.hex())
            members = {**members, invitation: replace(members[invitation], gone="used")}
        public = keys.public
        members = {**members, device: Member(name, public.seal, public.sign)}
        me = Membership(
            str(folder.path), folder.number, device, keys, members, self._place, former=code, voucher=voucher
        )
        me.renew_key()
        with self._store.shared.together():
            self._store.shared.begin(marks)
            me.save(self._store.state)
        self._me = me
        log.info("a folder is shared, %s", "as another device's" if sponsor else "anew")
        if sponsor is not None:
            with suppress(IdiolectError):
                self._own.publish(me, folder)

    def leave(self) -> bool:
        """Share no folder any more: what was learned stays here, and the others keep what they have.

        The last device takes its files with it. Whether the folder could be told: where it is gone or cannot be
        written, the others still count this device. Raises NotSharingError.
        """
        with self._lock:
            if self._me is None:
                raise NotSharingError
            told = True
            try:
                self._part(*self._required())
            except (IdiolectError, OSError) as error:
                told = False
                code = error.code if isinstance(error, IdiolectError) else type(error).__name__
                log.warning("the shared folder was left without a word to the others: %s", code)
            with self._store.shared.together():
                self._store.shared.end()
                Membership.drop(self._store.state)
            self._decisions.heed_settings(())
            self._me, self._problem = None, None
            return told

    def _part(self, me: Membership, folder: SharedFolder) -> None:
        """Have the others go on without this device, or take away what is left of all where there are none."""
        self._others.read(me, folder)
        self._own.send(me, folder)
        devices, live = folder.devices(), me.live()
        over = all(
            device == me.device
            or (
                device in me.members
                and device not in live
                and (me.members[device].gone == "revoked" or not me.other(device).missing)
            )
            for device in {*devices, *live}
        )
        if over:
            for device in devices:
                folder.remove(device)
            folder.dissolve()
        else:
            me.end(me.device, "left")
            self._own.publish(me, folder)

    def invite(self) -> str:
        """A code that lets one more device in; one that was shown before lets none in any more.

        Raises NotSharingError, and SyncFolderGoneError.
        """
        with self._lock:
            me, folder = self._required()
            code = new_code()
            me.end_invitations()
            public = DeviceKeys.of_code(code).public
            until = int(self._now()) + _CODE_DAYS * 86400
            me.members[new_device()] = Member("an invitation", public.seal, public.sign, until=until)
            me.renew_key()
            self._own.publish(me, folder)
            return code

    def revoke(self, name: str) -> Device:
        """Share nothing more with a device, by its name or number: what is in the folder is encrypted anew.

        Raises NotSharingError, DeviceNameError, and SyncFolderGoneError.
        """
        with self._lock:
            me, folder = self._required()
            found = [d for d in self.devices() if name.casefold() in (d.name.casefold(), d.id)]
            if len(found) != 1:
                which = ", ".join(f"{one.name} ({one.id})" for one in found or self.devices())
                raise DeviceNameError(
                    f"{'Several devices are' if found else 'No device is'} called {name}. Give the number of one: "
                    f"{which}."
                )
            if found[0].this:
                raise DeviceNameError("That is this device: `idiolect sync leave` ends sharing here.")
            self._others.read(me, folder)  # what it has sent is not lost
            me.end(found[0].id, "revoked", me.device)
            self._decisions.heed_settings(me.live_others)
            me.end_invitations()  # it may have made one
            self._own.encrypt_anew(me)
            self._adopt(me, folder)
            self._own.send(me, folder)
            self._adopt(me, folder)
            me.save(self._store.state)
            return found[0]

    # What is told

    def state(self) -> Sharing | None:
        """How far everybody is; None where no folder is shared."""
        me = self._me
        if me is None:
            return None
        until = [one.until for one in me.members.values() if one.invitation and one.gone is None]
        return Sharing(
            me.path,
            me.device,
            me.name,
            tuple(self.devices()),
            self._store.shared.waiting(),
            max((one for one in until if one is not None), default=None),
            self._problem,
        )

    def devices(self) -> list[Device]:
        """The devices that share the folder, this one first. Raises NotSharingError."""
        me = self._me
        if me is None:
            raise NotSharingError
        counts = self._store.shared.counts()
        found = []
        for id_, one in me.live().items():
            this, read = id_ == me.device, me.others.get(id_, Read())
            found.append(
                Device(
                    id_,
                    one.name,
                    this,
                    counts.get(OWN if this else id_, 0),
                    read.missing,
                    None if this else read.at or None,
                    not this and read.read_there.get(me.device, 0) < me.log,
                )
            )
        return sorted(found, key=lambda one: (not one.this, one.name))

    def carried_out(self, receipt: int) -> tuple[list[str], list[str]] | None:
        """Which devices have forgotten what a receipt is of, and which have not yet; None where none was asked to."""
        me = self._me
        numbers = [one.number for one in self._store.shared.orders() if one.receipt == receipt]
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
        if not self._lock.acquire(timeout=_OFFER_S):
            return None
        try:
            me = self._me
            if me is None:
                return None
            judged = self._store.state.get(OFFERS_JUDGED, [])
            offered = [
                (device, member.name, *adapter)
                for device, member in me.live().items()
                if device != me.device and (adapter := me.other(device).adapter) and adapter[0] not in judged
            ]
        finally:
            self._lock.release()
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
            if adapter is None or adapter.base != base or adapter.at_us <= serves_us:
                continue
            if (seen := store.shared.entries_of(adapter.seen)) is not None:
                found.append((adapter.at_us, OfferedAdapter(name, member, adapter.blob, seen)))
        return max(found, key=lambda one: one[0])[1] if found else None

    # What is done again and again

    def cycle(self, *, send: bool = True) -> bool:
        """Read what has arrived and, if `send`, write what is new here; whether something waits to be sent still.

        What takes forgotten text out of the folder is written in any case. Raises SyncFolderGoneError and the store's
        errors; then it is to be tried again.
        """
        with self._lock:
            if self._me is None:
                return False
            try:
                # What is read next is older than what was decided here, unless this device has just joined.
                if self._me.voucher is None or any(read.head for read in self._me.others.values()):
                    self._capture(self._me)
                me, folder = self._required()
                seen = self._listing(me, folder)
                self._others.read(me, folder)
                self._adopt(me, folder)
                self._end_invitations(me)
                self._capture(me)
                if send or self._own.urgent(me):
                    self._own.send(me, folder)
                me.save(self._store.state)
                if self._others.failed is not None:
                    raise self._others.failed
            except Exception as error:
                told = isinstance(error, IdiolectError)
                self._problem = str(error) if told else _FAILED.format(code=type(error).__name__)
                raise
            self._problem, self._seen = self._others.problem, seen
            return not me.published or bool(self._store.shared.waiting())

    def _capture(self, me: Membership) -> None:
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
        with self._lock:
            me = self._me
            return me is not None and self._listing(me, SharedFolder(Path(me.path), me.number)) != self._seen

    def _listing(self, me: Membership, folder: SharedFolder) -> object:
        return {device: folder.listing(device) for device in folder.devices() if device != me.device}

    def _required(self) -> tuple[Membership, SharedFolder]:
        """This device as it is now: another one where a copy of its profile goes on as the one that it was."""
        me = self._me
        if me is None:
            raise NotSharingError
        folder = SharedFolder(Path(me.path), me.number)
        if me.place != self._place:
            self._me = me = self._own.move(me, self._place, alone=False)
            log.info("the profile was moved or copied, so it shares as another device")
        folder.require()
        if not self._own.look(me, folder):
            self._me = me = self._own.move(me, self._place, alone=True)
            log.info("the profile was restored or copied, so it shares as another device")
        return me, folder

    def _end_invitations(self, me: Membership) -> None:
        for id_, one in [*me.members.items()]:
            if one.gone is None and one.until is not None and one.until < self._now():
                me.end(id_, "used")
                me.renew_key()

    def _adopt(self, me: Membership, folder: SharedFolder) -> None:
        """Take over the logs of devices that write none any more: one device does, the others wait for it."""
        there = {*folder.devices()}
        counts = self._store.shared.owners()
        for id_, one in me.members.items():
            if one.gone is None or one.invitation or (id_ not in there and id_ not in counts):
                continue
            heir = one.heir if one.heir in me.live() else min(me.live())
            read = me.other(id_)
            if heir != me.device:
                if id_ not in there and heir in me.others and not me.others[heir].missing:
                    self._store.shared.adopt(id_)  # what its heir never got
            elif one.gone == "revoked" or id_ not in there or (read.name and not read.missing):
                if id_ in counts:
                    self._store.shared.adopt(id_)
                elif me.published and not self._store.shared.waiting():
                    folder.remove(id_)


def _checked_name(name: str) -> str:
    """A device's name. Raises DeviceNameError."""
    kept = " ".join(name.split())
    if not kept or len(kept) > _MAX_NAME_CHARS or not kept.isprintable():
        raise DeviceNameError(
            f"A device's name has 1 to {_MAX_NAME_CHARS} characters. Give another with --name."
        )
    return kept
