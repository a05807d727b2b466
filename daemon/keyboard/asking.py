"""What the keyboard asks the service and tells it. It never waits: of what is asked only the newest counts."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from idiolect.daemon.editors.link import Link
from idiolect.daemon.endpoint.scopes import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from idiolect.daemon.settings import Settings

#: Requests under way at once: one that computes, and a newer one, at which the service gives the older one up.
_MOST_ASKED: Final = 2
#: What waits to be told, at most: texts to learn are few, and a lost count is no loss.
_MOST_TOLD: Final = 200
_AGAIN_S: Final = 20.0


class Asking:
    """The way to the service, for one event loop."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is looked for yet."""
        self._link = Link(settings, Scope.LEARN)
        self._newest: tuple[dict[str, Any], Callable[[dict[str, Any]], None]] | None = None
        self._asked = 0
        self._untold: deque[tuple[str, dict[str, Any]]] = deque(maxlen=_MOST_TOLD)
        self._telling: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """Start the service unless it runs; typing does not wait for it."""
        self._keep(self._link.start())

    def suggest(self, body: dict[str, Any], then: Callable[[dict[str, Any]], None]) -> None:
        """Ask for suggestions, and call `then` with an answer. An older question that waits is dropped."""
        self._newest = (body, then)
        if self._asked < _MOST_ASKED:
            self._asked += 1
            self._keep(self._suggest())

    async def _suggest(self) -> None:
        try:
            while self._newest is not None:
                (body, then), self._newest = self._newest, None
                answer = await self._link.ask("POST", "/v1/suggest", body)
                if answer is not None:
                    then(answer)
        finally:
            self._asked -= 1

    def forget(self) -> None:
        """Nothing that was asked and waits is wanted any more."""
        self._newest = None

    def tell(self, path: str, body: dict[str, Any]) -> None:
        """Tell the service something that it is to keep, now or once it is there."""
        self._untold.append((path, body))
        if self._telling is None or self._telling.done():
            self._telling = self._keep(self._tell())

    async def _tell(self) -> None:
        while self._untold:
            path, body = self._untold[0]
            if await self._link.tell(path, body):
                self._untold.popleft()
            else:
                await asyncio.sleep(_AGAIN_S)

    async def finish(self) -> None:
        """Tell what waits, if the service takes it at once, and close the connection."""
        if self._telling is not None:
            self._telling.cancel()
        while self._untold and await self._link.tell(*self._untold[0]):
            self._untold.popleft()
        await self._link.close()

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """The service's answer to something that is no suggestion; None where there is none."""
        return await self._link.ask(method, path, body)

    def soon(self, work: Coroutine[Any, Any, Any]) -> None:
        """Have something done that nobody waits for."""
        self._keep(work)

    def _keep(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
