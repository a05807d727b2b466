"""What a device does with the folder that it shares: it reads the logs of others, and writes its own.

Everything is done in `cycle`, which may be cut off anywhere and done again. Whatever arrives is joined with what is
known, so it does not matter in which order, in which parts or how often files arrive.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.profile.decisions import Decision
from idiolect.daemon.profile.journal import Exclude
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.settings import NEVER_READ, Settings
from idiolect.daemon.storage.sync_merge import OWN
from idiolect.daemon.sync.folder import MANIFEST, SharedFolder, SyncFolderError, new_number
from idiolect.daemon.sync.other_logs import PAUSED, OtherLogs
from idiolect.daemon.sync.own_log import OwnLog
from idiolect.daemon.sync.secret import FolderKeys, SyncWordsError, new_secret, secret_of, words_of
from idiolect.daemon.sync.this_device import ThisDevice
from idiolect.daemon.text.secret_apps import NEVER_HEARD
from idiolect.models.errors import ExitCode, IdiolectError, code_of

log = logging.getLogger("idiolect.sync")

_FAILED: Final = (
    "Not all of the shared folder could be read or written ({code}). Nothing is lost, and it is tried again."
)


_BEGUN: Final = "sync_begun"  # state: the number of a folder that is being shared


class SharingError(IdiolectError, code="sync-sharing", exit_code=ExitCode.CONFLICT, http_status=409):
    """No folder is shared, or a folder is shared already."""


@dataclass(frozen=True)
class Device:
    """A device that shares the folder: how many `entries` are here from its log, and what of it is still to come.

    `waiting` files of its log have not arrived whole; `seen_at` is when it last wrote (seconds since 1970), null for
    this device.
    """

    id: str
    name: str
    this: bool
    entries: int
    waiting: int
    seen_at: int | None


@dataclass(frozen=True)
class Sharing:
    """The state of sharing; `unsent` things wait to be sent, and `problem` says what stands in the way."""

    folder: str
    devices: tuple[Device, ...]
    unsent: int
    problem: str | None


@dataclass(frozen=True)
class _BeginSharing(Decision[None], about="sharing"):
    """This device shares a folder from now on, which is made one that is shared where it is to `create`."""

    me: ThisDevice
    create: SharedFolder | None

    def apply(self, profile: Profile) -> None:
        """Mark all that is here; what was decided before a device joins is earlier than what the others decided."""
        state = profile.store.state
        profile.store.shared.begin(self.me.keys.marks)
        profile.journal.record(profile.pause, joining=self.create is None)
        self.me.save(state)
        state.drop(_BEGUN)
        if self.create is not None:  # what fails here changes nothing of the store
            self.create.create(self.me.keys.check)


class _EndSharing(Decision[None], about="sharing"):
    """No folder is shared any more."""

    def apply(self, profile: Profile) -> None:
        """Drop all marks."""
        profile.store.shared.end()
        ThisDevice.drop(profile.store.state)


class Sync:
    """Shares a folder. Its methods are safe in any thread.

    Many entries are learned within `around`; `now` is the time of day, in seconds since 1970.
    """

    def __init__(
        self,
        settings: Settings,
        profile: Profile,
        ingest: Ingest,
        around: Callable[[], AbstractContextManager[None]] = nullcontext,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._profile = profile
        self._store = profile.store
        self._excluded = {
            "exclude": [pattern for pattern in settings.exclude if pattern not in NEVER_READ],
            "exclude_apps": [app for app in settings.exclude_apps if app not in NEVER_HEARD],
            "quiet_apps": [*settings.quiet_apps],
        }
        self._own = OwnLog(self._store, now)
        self._others = OtherLogs(profile, ingest, around)
        self._lock = threading.RLock()
        self._me = ThisDevice.load(self._store.state)
        self._problem: str | None = None
        if self._me is not None:  # an earlier version wrote no journal while it decided
            with self._store.together():
                profile.journal.record(None if self._me.head else profile.pause, joining=not self._me.head)

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

    def folders(self) -> list[str]:
        """The shared folder, and the subfolders of other devices, the known devices first."""
        me = self._me
        if me is None:
            return []
        there = sorted({*me.folder.devices()} - {me.device}, key=lambda device: device not in me.others)
        return [me.path, *(str(me.folder.path / device) for device in there)]

    def share(self, path: Path) -> str:
        """Share the empty folder at `path`; the twelve words by which other devices join.

        All of it is done or nothing; what a killed call left in the folder, the next one replaces. Raises SharingError,
        SyncFolderError and SyncFolderGoneError.
        """
        with self._lock:
            self._require_none()
            found = SharedFolder.find(path)
            if found is not None and found[0].number != self._store.state.get(_BEGUN):
                # Even where the files of no device have arrived yet.
                raise SyncFolderError(
                    f"The folder {path} is shared already. Join it with `idiolect sync join` and its words; if no "
                    f"device shares it, delete the file {MANIFEST} in it and try again."
                )
            folder, secret = SharedFolder(path, new_number()), new_secret()
            self._store.state.set(_BEGUN, folder.number)
            self._begin(folder, secret, create=True)
            return words_of(secret)

    def join(self, path: Path, words: str) -> None:
        """Share the folder at `path` that other devices share, by its words.

        Raises SharingError, SyncWordsError, SyncFolderError and SyncFolderGoneError; then nothing was changed.
        """
        with self._lock:
            self._require_none()
            secret, found = secret_of(words), SharedFolder.find(path)
            if found is None:
                raise SyncFolderError(
                    f"The folder {path} is empty: the files of the other devices have not arrived. Wait for the "
                    "synchroniser; `idiolect sync share` begins a new one."
                )
            folder, check = found
            if FolderKeys(secret, folder.number).check != check:
                raise SyncWordsError(
                    f"These are the words of another folder than {path}. Nothing was changed."
                )
            self._begin(folder, secret)

    def _require_none(self) -> None:
        if self._me is not None:
            raise SharingError(
                f"This profile shares the folder {self._me.path} already. `idiolect sync leave` ends that."
            )

    def _begin(self, folder: SharedFolder, secret: str, *, create: bool = False) -> None:
        name = "".join(filter(str.isprintable, socket.gethostname()))[:64] or "device"
        me = ThisDevice(str(folder.path), folder.number, secret, name)
        try:
            self._profile.decide(_BeginSharing(me, folder if create else None))
        except BaseException:
            self._store.shared.reload()
            raise
        self._me, self._problem = me, None
        log.info("a folder is shared")

    def leave(self) -> bool:
        """Share no folder any more: what was learned stays here, and the others keep what they have.

        The last device deletes its files. False where the folder is gone or cannot be written: then this device's
        log stays as it is. Raises SharingError.
        """
        with self._lock:
            me, announced = self._me, True
            if me is None:
                raise SharingError("No folder is shared yet. `idiolect sync share FOLDER` shares one.")
            try:
                me, folder = self._require_folder(me)
                self._own.send(me, folder)
                devices = folder.devices()
                if not {*devices} & {*me.live} - {me.device} and {*devices} <= {me.device, *me.others}:
                    for device in devices:
                        folder.remove(device)
                    folder.dissolve()
                else:
                    self._own.publish(me, folder, left=True)
            except (IdiolectError, OSError) as error:
                announced = False
                log.warning("the shared folder was left without a word to the others: %s", code_of(error))
            self._profile.decide(_EndSharing())
            self._me = None
            return announced

    def remove(self, device: str) -> None:
        """Have another device, by its number or its name, count as one that has left: it is lost or was purged.

        The others keep what they have of it, and one of them takes over its log. If it comes back with the words, it
        shares again. Raises SharingError, SyncFolderGoneError, and what `cycle` raises.
        """
        with self._lock:
            if self._me is None:
                raise SharingError("No folder is shared, so there is no device to remove.")
            me, folder = self._require_folder(self._me)
            live = {id_: other for id_, other in me.others.items() if id_ in me.live}
            found = [id_ for id_, other in live.items() if device in (id_, other.name)]
            if len(found) != 1:
                raise SharingError(
                    "Several devices have this name. `idiolect sync --json` shows their numbers: give one instead."
                    if found
                    else "No other device of this name shares the folder. `idiolect sync` lists those that do."
                )
            self._others.end_log(me, folder, found[0])
            log.info("a device was removed from the shared folder")
            self.cycle()

    def state(self) -> Sharing | None:
        """How far everybody is; None where no folder is shared."""
        me = self._me
        if me is None:
            return None
        counts = self._store.shared.counts()
        devices = [Device(me.device, me.name, True, counts.get(OWN, 0), 0, None)]
        devices += [
            Device(id_, other.name, False, counts.get(id_, 0), other.missing, other.at)
            for id_, other in sorted(me.others.items(), key=lambda item: (item[1].name, item[0]))
            if id_ in me.live
        ]
        return Sharing(me.path, tuple(devices), self._store.shared.waiting(), self._problem)

    def cycle(self, *, send: bool = True) -> bool:
        """Read what has arrived and, if `send`, write what is new here; whether anything was new on either side.

        What takes forgotten text out of the folder is written in any case. Raises SyncFolderGoneError and the store's
        errors; then it is to be tried again.
        """
        with self._lock:
            me = self._me
            if me is None:
                return False
            try:
                before = self._progress(me)
                me, folder = self._require_folder(me)
                self._others.read(me, folder)
                self._profile.journal.date_joined()
                self._share_exclusions(me)
                adopted = [self._store.shared.adopt(device) for device in me.inherited]
                if any(adopted) or send or self._own.is_urgent(me):
                    self._own.send(me, folder)
                if not self._store.shared.waiting():  # what was in an adopted log is in the own one
                    for device in me.inherited:
                        if self._others.may_remove(me, folder, device):
                            folder.remove(device)
                            del me.others[device]
                me.save(self._store.state)
                if self._others.failed is not None:
                    raise self._others.failed
            except Exception as error:
                known = isinstance(error, IdiolectError)
                self._problem = str(error) if known else _FAILED.format(code=type(error).__name__)
                raise
            self._problem = PAUSED if self._others.paused else None
            return self._progress(me) != before

    def _share_exclusions(self, me: ThisDevice) -> None:
        """Have the others know what the settings exclude here; what devices that have left excluded is taken back."""
        written = self._profile.journal.excluded()
        own = self._excluded if any(self._excluded.values()) else None
        for device, excluded in ((me.device, own), *((device, None) for device in me.inherited)):
            if written.get(device) != excluded:
                self._profile.decide(Exclude(device, excluded))

    def _progress(self, me: ThisDevice) -> object:
        return me.device, me.head, [(other.number, len(other.files)) for other in me.others.values()]

    def _require_folder(self, me: ThisDevice) -> tuple[ThisDevice, SharedFolder]:
        """This device as it is now, and its folder: another device where a copy of the profile goes on as this one."""
        folder = me.folder
        folder.require()
        now = self._own.check(me, folder)
        if now is not me:
            self._me = now
            log.info("the profile was restored or copied, so it shares as another device")
        return now, folder
