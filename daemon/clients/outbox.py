"""A queue of what the service is to keep: while the service does not take it, it waits in memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

#: What waits at most while the service takes nothing; the oldest is dropped.
MAX_WAITING: Final = 200
#: What waits at most before the service was asked to take it.
_MAX_UNTRIED: Final = 10_000
_RETRY_S = 20.0
_T = TypeVar("_T")


class Outbox(Generic[_T]):
    """Sends items in their order, one at a time, for one event loop."""

    def __init__(self, send: Callable[[_T], Awaitable[bool]]) -> None:
        """`send` sends an item, and returns whether the service took or refused it; else there is a retry."""
        self._send = send
        self._waiting: deque[_T] = deque(maxlen=_MAX_UNTRIED)
        self._failed = False  # the last time
        self._sending = asyncio.Lock()
        self._sender: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """Return how many items wait."""
        return len(self._waiting)

    def put(self, *items: _T) -> None:
        """Queue items."""
        self._waiting.extend(items)
        if self._failed:
            self._drop_oldest()

    async def send(self) -> bool:
        """Send the queue. Return False if an item was not taken: it waits, with those behind it."""
        async with self._sending:
            while self._waiting:
                item = self._waiting[0]
                self._failed = not await self._send(item)
                if self._failed:
                    self._drop_oldest()
                    return False
                # Only now: if the sending is cut off, a text is sent twice, and stored once.
                if self._waiting and self._waiting[0] is item:  # else newer items have taken its place
                    self._waiting.popleft()
            return True

    def _drop_oldest(self) -> None:
        for _ in range(len(self._waiting) - MAX_WAITING):
            self._waiting.popleft()

    def start(self) -> None:
        """Send the queue in the background, with retries until it is empty."""
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_until_empty())

    async def _send_until_empty(self) -> None:
        while not await self.send():
            await asyncio.sleep(_RETRY_S)

    async def finish(self) -> None:
        """Send the queue if the service takes it now, and end the retries."""
        await self.send()
        if self._sender is not None:
            self._sender.cancel()
