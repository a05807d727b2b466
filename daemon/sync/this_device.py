"""What this device knows of the folder that it shares: kept in the store, as one value."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from idiolect.daemon.storage.named_values import State
from idiolect.daemon.storage.records import SYNC
from idiolect.daemon.sync.folder import SharedFolder
from idiolect.daemon.sync.secret import FolderKeys


def new_device() -> str:
    """A number for a device."""
    return secrets.token_hex(8)


@dataclass
class OtherDevice:
    """How far another device's log was read.

    `number` is that of its last head, `at` when that was written and `name` what the device is called in it; `files`
    are the files of the log that were read, and `missing` is how many have not arrived whole. A device that has `left`
    writes nothing more; `there` is whether it has a subfolder. `marks` is how many marks of forgotten text this device
    knew when it last looked whether the log of a device that has left can go.
    """

    number: int = 0
    name: str = ""
    at: int = 0
    files: list[str] = field(default_factory=list)
    missing: int = 0
    left: bool = False
    there: bool = True
    marks: int = -1


@dataclass
class ThisDevice:
    """This device among those that share the folder at `path`, which has this `number` and `secret`.

    `head` is the number of the last head that it has written, `sealed` the hash of that file, and `listed` the names in
    it. `clock` is the highest clock of a decision that it has made or read, `pause` the `Pause.last` that was shared or
    taken over last.
    """

    path: str
    number: str
    secret: str = field(repr=False)
    name: str
    device: str = field(default_factory=new_device)
    head: int = 0
    sealed: str = ""
    listed: list[str] | None = None
    others: dict[str, OtherDevice] = field(default_factory=dict)

    @classmethod
    def load(cls, state: State) -> ThisDevice | None:
        """What the store says; None where no folder is shared."""
        saved = state.get(SYNC)
        if saved is None:
            return None
        saved["others"] = {device: OtherDevice(**other) for device, other in saved["others"].items()}
        known = {one.name for one in fields(cls)}  # an earlier version kept more
        return cls(**{name: value for name, value in saved.items() if name in known})

    def save(self, state: State) -> None:
        """Keep it in the store, if it has changed."""
        if state.get(SYNC) != (new := asdict(self)):
            state.set(SYNC, new)

    @staticmethod
    def drop(state: State) -> None:
        """Share no folder any more."""
        state.drop(SYNC)

    @property
    def keys(self) -> FolderKeys:
        """The keys of its files and of the files of other devices."""
        return FolderKeys(self.secret, self.number)

    @property
    def folder(self) -> SharedFolder:
        """The folder on the disk."""
        return SharedFolder(Path(self.path), self.number)

    @property
    def live(self) -> list[str]:
        """The devices that share the folder, this one too."""
        others = self.others.items()
        return [self.device, *(device for device, other in others if other.there and not other.left)]

    @property
    def inherited(self) -> list[str]:
        """The devices that have left and whose logs this device takes over: the first of all devices does."""
        if self.device != min(self.live):
            return []
        return [device for device, other in self.others.items() if other.left and not other.missing]
