"""What this device knows of the folder that it shares: kept in the store, as one value."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from idiolect.daemon.storage.state import State
from idiolect.daemon.sync.log_files import Member
from idiolect.daemon.vault.device_keys import KEY_BYTES, DeviceKeys

_STATE: Final = "sync"  # state: all of it
_HEADS_KEPT: Final = 200


@dataclass
class Read:
    """How far another device's log was read.

    `head` is the number and `name` the file of its last head; `adapter` the file of the one that it offers, with its
    key; `files` are those that were read. `log` and `done` are the numbers of its log and of its orders that all was
    read and carried out for; `ordered` is the last order that was carried out, and `orders` those that are not over.
    `done_there` and `read_there` say which orders that device has carried out, and how far it has read others' logs.
    """

    head: int = 0
    name: str = ""
    at: int = 0
    files: list[str] = field(default_factory=list)
    missing: int = 0
    adapter: tuple[str, str] | None = None
    log: int = 0
    done: int = 0
    ordered: int = 0
    orders: list[list[Any]] = field(default_factory=list)
    done_there: dict[str, int] = field(default_factory=dict)
    read_there: dict[str, int] = field(default_factory=dict)


@dataclass
class ThisDevice:
    """This device among those that share a folder.

    `path` and `number` are the folder's; `keys` the device's own, and `former` those of the invitation that let it in,
    or of the device that it was before: files are sealed for them until all know this one. `log_keys` are those of its
    log, the newest of which is `generation`. `head` and `log` count what it has published, up to the order `ordered`;
    `heads` are the names of its last heads by number. `adapter` is the number of the one that is offered to others, its
    file and the number of its key. `place` is the machine and folder that the profile is on.
    """

    path: str
    number: str
    device: str
    keys: DeviceKeys
    members: dict[str, Member]
    place: str
    former: DeviceKeys | None = None
    voucher: tuple[str, str] | None = None
    log_keys: dict[str, str] = field(default_factory=dict)
    generation: int = 0
    head: int = 0
    log: int = 0
    ordered: int = 0
    clock: int = 0
    heads: dict[str, str] = field(default_factory=dict)
    published: bool = False
    adapter: tuple[int, str, int] | None = None
    others: dict[str, Read] = field(default_factory=dict)

    @classmethod
    def load(cls, state: State) -> ThisDevice | None:
        """What the store says; None where no folder is shared."""
        told = state.get(_STATE)
        if told is None:
            return None
        told["keys"] = DeviceKeys(**told["keys"])
        told["former"] = DeviceKeys(**told["former"]) if told["former"] else None
        told["members"] = {id_: Member(**member) for id_, member in told["members"].items()}
        told["others"] = {id_: Read(**read) for id_, read in told["others"].items()}
        told["voucher"] = tuple(told["voucher"]) if told["voucher"] else None
        return cls(**told)

    def save(self, state: State) -> None:
        """Keep it in the store."""
        while len(self.heads) > _HEADS_KEPT:
            del self.heads[min(self.heads, key=int)]
        state.set(_STATE, asdict(self))

    @staticmethod
    def drop(state: State) -> None:
        """Share no folder any more."""
        state.drop(_STATE)

    @property
    def openers(self) -> list[DeviceKeys]:
        """The keys for which others may have sealed something."""
        return [self.keys] if self.former is None else [self.keys, self.former]

    @property
    def name(self) -> str:
        """What this device is called."""
        return self.members[self.device].name

    def live(self) -> dict[str, Member]:
        """The devices that share the folder, this one too."""
        return {id_: one for id_, one in self.members.items() if one.gone is None and not one.invitation}

    @property
    def live_others(self) -> list[str]:
        """The devices that share the folder but this one."""
        return [id_ for id_ in self.live() if id_ != self.device]

    def other(self, device: str) -> Read:
        """How far a device's log was read."""
        return self.others.setdefault(device, Read())

    def end(self, device: str, why: str, heir: str | None = None) -> None:
        """Count a member no longer."""
        self.members[device] = replace(self.members[device], gone=why, heir=heir)
        self.published = False

    def merge(self, told: dict[str, Member]) -> set[str]:
        """Hear of members from one of them: those that are gone are, whoever says so. Why some went is returned.

        A revoked device may have made an invitation. So whoever hears of a revocation ends all that are open, and
        takes over none from one who has not heard of it yet.
        """
        why = set()
        late = any(
            one.gone == "revoked" and id_ in told and told[id_].gone is None
            for id_, one in self.members.items()
        )
        for id_, theirs in told.items():
            ours = self.members.get(id_)
            if ours is None and late and theirs.invitation and theirs.gone is None:
                theirs = replace(theirs, gone="used")
            if ours is None:
                self.members[id_] = theirs
                self.published = False
            elif ours.gone is None and theirs.gone is not None:
                self.members[id_] = replace(ours, gone=theirs.gone, heir=theirs.heir)
                self.published = False
                why.add(theirs.gone)
        if "revoked" in why:
            self.end_invitations()
        return why

    def end_invitations(self) -> None:
        """Let no code that was shown before let a device in."""
        for id_, one in [*self.members.items()]:
            if one.invitation and one.gone is None:
                self.end(id_, "used")

    def renew_key(self) -> None:
        """Write what comes now under a key that only those get who are members now."""
        self.generation += 1
        self.log_keys[str(self.generation)] = secrets.token_hex(KEY_BYTES)
        self.published = False


def new_device() -> str:
    """A number for a device."""
    return secrets.token_hex(8)


def place_of(home: Path) -> str:
    """What tells this machine and this profile's folder from others, as far as the system can say; a hash."""
    try:
        machine = Path("/etc/machine-id").read_text("ascii").strip()
    except (OSError, ValueError):
        node = uuid.getnode()
        machine = "" if node >> 40 & 1 else str(node)  # with that bit it was made up for this process
    return hmac.digest(b"idiolect place", f"{machine} {home}".encode(), hashlib.sha256).hex()[:32]
