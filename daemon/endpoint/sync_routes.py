"""The routes by which a folder is shared with the user's other devices."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pydantic
from anyio.to_thread import run_sync
from typing_extensions import TypedDict

from idiolect.daemon.endpoint.routing import Application
from idiolect.daemon.endpoint.shapes import Body, Name
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.profile_paths import absolute_path
from idiolect.daemon.service import Service
from idiolect.daemon.sync.folder import SyncFolderError, SyncFolderGoneError, SyncNewerError
from idiolect.daemon.sync.membership import (
    AlreadySharingError,
    CodeNeededError,
    DeviceNameError,
    NotSharingError,
)
from idiolect.daemon.sync.sharing import Sharing
from idiolect.daemon.vault.device_keys import CodeError


class SyncBody(Body):
    """What to do: `join` shares a `folder`, with a `code` where others share it; `revoke` shares nothing with `device`.

    `name` is what this device is called; without it, as its machine is.
    """

    action: Literal["join", "invite", "revoke", "leave"]
    folder: Name | None = None
    code: Name | None = None
    name: Name | None = None
    device: Name | None = None

    @pydantic.model_validator(mode="after")
    def _what_is_needed(self) -> SyncBody:
        if (self.action == "join") != (self.folder is not None) or (self.action == "revoke") != bool(
            self.device
        ):
            raise ValueError("give folder with join, and device with revoke")
        return self


class SyncState(TypedDict):
    """How far sharing is; null: no folder is shared."""

    sharing: Sharing | None


class SyncChange(TypedDict):
    """How sharing is after a change, and the code that lets another device in, where one was made; it is shown once.

    `told` is false where a device left a folder that is gone, so that the others still count it.
    """

    sharing: Sharing | None
    code: str | None
    told: bool


def register(app: Application, service: Service) -> None:
    """Have `app` answer them."""
    sync = service.sync

    @app.get("/v1/sync", Scope.ADMIN)
    async def sync_state() -> SyncState:
        """Which folder is shared, with which devices, and how far each is."""
        return {"sharing": await run_sync(sync.state)}

    @app.post(
        "/v1/sync",
        Scope.ADMIN,
        errors=(
            SyncFolderError,
            SyncFolderGoneError,
            SyncNewerError,
            CodeError,
            NotSharingError,
            DeviceNameError,
            AlreadySharingError,
            CodeNeededError,
        ),
    )
    async def change_sync(asked: SyncBody) -> SyncChange:
        """Share a folder, let another device in, share nothing more with one, or share the folder no more."""
        return await run_sync(_change, asked)

    def _change(asked: SyncBody) -> SyncChange:
        code, told = None, True
        if asked.action == "join":
            code = sync.membership.join(absolute_path(Path(asked.folder or "")), asked.code, asked.name)
            service.following.start()
        elif asked.action == "invite":
            code = sync.membership.invite()
        elif asked.action == "revoke":
            sync.membership.revoke(asked.device or "")
        else:
            told = sync.membership.leave()
        return {"sharing": sync.state(), "code": code, "told": told}
