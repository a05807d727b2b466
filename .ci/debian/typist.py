"""Asks the service for words at each key of a fast hand, until another version answers; says what had no answer."""

import asyncio
import time

from idiolect.daemon.clients.service_link import ServiceLink
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.settings import Settings

KEY_S = 0.1


async def _type_on() -> None:
    link, versions, waits_s, lost = ServiceLink(Settings(), Scope.LEARN), [], [], 0
    while len(versions) < 2:
        began_s = time.monotonic()
        answer = await link.ask("POST", "/v1/suggest", {"prefix": "in the teal locker of Zorv"})
        waits_s.append(time.monotonic() - began_s)
        lost += not (answer and answer["words"])
        await asyncio.sleep(KEY_S)
        status = await link.ask("GET", "/v1/status") or {}
        if (version := status.get("version")) and version not in versions:
            versions.append(version)
            print(f"version {version} answers", flush=True)
    print(f"{len(waits_s)} requests, {lost} without an answer; the longest took {max(waits_s):.1f} s")
    assert not lost


asyncio.run(_type_on())
