"""Check of who listens on the service's port: the profile's own service, or another program.

A port is free for any user of the machine the moment the service that had it is gone. So a client of ours looks, after
each connection is made and before anything is sent over it, whether the service that it wants still holds the
profile's lock. It listened from before it said so until its end, and no two programs listen at one address at a time:
if it lives after the connection was made, the connection leads to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx

from idiolect.daemon.runtime import process

#: What httpx's transport tells a request's `trace` extension when a connection has been made.
_MADE: Final = ("connection.connect_tcp.complete", "connection.connect_unix_socket.complete")


def only_to(located: process.Located, running: process.Running) -> Callable[[httpx.Request], None]:
    """A hook for the requests of an `httpx.Client`, which then sends nothing to anything but that service.

    Where it is gone, requests raise `httpx.ConnectError`.
    """

    def look(event: str, info: dict[str, Any]) -> None:
        if event in _MADE and not process.lives(located, running):
            info["return_value"].close()
            raise _gone()

    def hook(request: httpx.Request) -> None:
        request.extensions["trace"] = look

    return hook


def only_to_async(
    located: process.Located, running: process.Running
) -> Callable[[httpx.Request], Awaitable[None]]:
    """The same for an `httpx.AsyncClient`."""

    async def look(event: str, info: dict[str, Any]) -> None:
        if event in _MADE and not await asyncio.to_thread(process.lives, located, running):
            await info["return_value"].aclose()
            raise _gone()

    async def hook(request: httpx.Request) -> None:
        request.extensions["trace"] = look

    return hook


def _gone() -> httpx.ConnectError:
    return httpx.ConnectError("The service is gone, and another program may listen in its place.")
