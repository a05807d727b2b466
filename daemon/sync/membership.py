"""Which devices share the folder: this one joins or leaves it, lets others in and shuts them out."""

from __future__ import annotations

import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final

from idiolect.daemon.storage.shared import OWN
from idiolect.daemon.storage.store import Store
from idiolect.daemon.sync.decisions import Decisions
from idiolect.daemon.sync.folder import SharedFolder, SyncFolderError, SyncNewerError
from idiolect.daemon.sync.log_files import MAX_NEW_HEAD_BYTES, Head, Member, open_head, vouched
from idiolect.daemon.sync.other_logs import OtherLogs
from idiolect.daemon.sync.own_log import OwnLog
from idiolect.daemon.sync.this_device import Read, ThisDevice, new_device, place_of
from idiolect.daemon.vault.device_keys import KEY_BYTES, CodeError, DeviceKeys, new_code
from idiolect.models.errors import IdiolectError

log = logging.getLogger("idiolect.sync")

#: How long a code lets another device in.
_CODE_DAYS: Final = 7
_MAX_NAME_CHARS: Final = 64


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


class Membership:
    """This device among the others. Its methods are safe in any thread.

    `me` is this device, or None where no folder is shared; whoever changes it holds `lock`. `now` is the time of day,
    in seconds since 1970.
    """

    def __init__(
        self,
        home: Path,
        store: Store,
        decisions: Decisions,
        own: OwnLog,
        others: OtherLogs,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._decisions = decisions
        self._own, self._others = own, others
        self._now = now
        self._place = place_of(home)
        self.lock = threading.RLock()
        self.me = ThisDevice.load(store.state)
        if self.me is not None:
            decisions.heed_settings(self.me.live_others)

    def join(self, path: Path, code: str | None, name: str | None) -> str | None:
        """Share the folder at `path`: an empty one from now on, with a code as answer that lets another device in; one
        that others share with a code of theirs.

        Raises AlreadySharingError, CodeNeededError, CodeError, DeviceNameError, and the folder's errors; then nothing
        was changed.
        """
        with self.lock:
            if self.me is not None:
                raise AlreadySharingError(
                    f"This profile shares the folder {self.me.path} already. `idiolect sync leave` ends that."
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
        me = ThisDevice(
            str(folder.path), folder.number, device, keys, members, self._place, former=code, voucher=voucher
        )
        me.renew_key()
        with self._store.shared.together():
            self._store.shared.begin(marks)
            me.save(self._store.state)
        self.me = me
        log.info("a folder is shared, %s", "as another device's" if sponsor else "anew")
        if sponsor is not None:
            with suppress(IdiolectError):
                self._own.publish(me, folder)

    def leave(self) -> bool:
        """Share no folder any more: what was learned stays here, and the others keep what they have.

        The last device takes its files with it. Whether the folder could be told: where it is gone or cannot be
        written, the others still count this device. Raises NotSharingError.
        """
        with self.lock:
            if self.me is None:
                raise NotSharingError
            told = True
            try:
                self._part(*self.required())
            except (IdiolectError, OSError) as error:
                told = False
                code = error.code if isinstance(error, IdiolectError) else type(error).__name__
                log.warning("the shared folder was left without a word to the others: %s", code)
            with self._store.shared.together():
                self._store.shared.end()
                self._store.orders.drop()
                ThisDevice.drop(self._store.state)
            self._decisions.heed_settings(())
            self.me = None
            return told

    def _part(self, me: ThisDevice, folder: SharedFolder) -> None:
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
        with self.lock:
            me, folder = self.required()
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
        with self.lock:
            me, folder = self.required()
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
            self.adopt(me, folder)
            self._own.send(me, folder)
            self.adopt(me, folder)
            me.save(self._store.state)
            return found[0]

    def devices(self) -> list[Device]:
        """The devices that share the folder, this one first. Raises NotSharingError."""
        me = self.me
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

    def required(self) -> tuple[ThisDevice, SharedFolder]:
        """This device as it is now: another one where a copy of its profile goes on as the one that it was."""
        me = self.me
        if me is None:
            raise NotSharingError
        folder = SharedFolder(Path(me.path), me.number)
        if me.place != self._place:
            self.me = me = self._own.move(me, self._place, alone=False)
            log.info("the profile was moved or copied, so it shares as another device")
        folder.require()
        if not self._own.look(me, folder):
            self.me = me = self._own.move(me, self._place, alone=True)
            log.info("the profile was restored or copied, so it shares as another device")
        return me, folder

    def end_old_invitations(self, me: ThisDevice) -> None:
        """Let codes in no more that are too old."""
        for id_, one in [*me.members.items()]:
            if one.gone is None and one.until is not None and one.until < self._now():
                me.end(id_, "used")
                me.renew_key()

    def adopt(self, me: ThisDevice, folder: SharedFolder) -> None:
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
