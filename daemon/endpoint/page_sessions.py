"""Sessions of the local page: a one-time code in a link becomes a cookie that may do everything.

A link may end up in a browser's history, so what it carries works once and for a minute. Codes and cookies
live in this process alone, as hashes: they end with it. (A service that has rested is the same process.)
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterable
from typing import TypeAlias

CODE_S = 60.0
SESSION_S = 12 * 3600.0
#: Beyond these the oldest ends: whoever opens pages without end fills no memory.
_MAX_CODES, _MAX_SESSIONS = 8, 32


SessionHash: TypeAlias = tuple[str, float]  # a cookie's hash, and until when on the clock


class Sessions:
    """Codes of links, and sessions that began with a code. Used in one event loop.

    A code is good once within `CODE_S`; a session lasts `SESSION_S` from its last use.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, left: Iterable[SessionHash] = ()) -> None:
        """`clock` gives seconds that never go back; `left` are sessions that go on, from :meth:`leave`."""
        self._clock = clock
        self._codes: dict[bytes, float] = {}
        self._sessions = {bytes.fromhex(key): until for key, until in left}

    def begin(self) -> str:
        """A one-time code for a session: 43 characters that may stand in a URL."""
        code = secrets.token_urlsafe(32)
        self._keep(self._codes, code, CODE_S, _MAX_CODES)
        return code

    def redeem(self, code: str) -> str | None:
        """The value of a cookie for a good code; None for a code that is used up, too old or unknown."""
        if self._clock() >= self._codes.pop(_hash(code), 0.0):
            return None
        cookie = secrets.token_urlsafe(32)
        self._keep(self._sessions, cookie, SESSION_S, _MAX_SESSIONS)
        return cookie

    def goes_on(self, cookie: str) -> bool:
        """Whether this is the cookie of a session, which lasts longer by it."""
        if self._clock() >= self._sessions.pop(_hash(cookie), 0.0):
            return False
        self._keep(self._sessions, cookie, SESSION_S, _MAX_SESSIONS)
        return True

    def leave(self) -> list[SessionHash]:
        """The sessions, for the service that comes after this one on the same machine: hashes, and no cookie."""
        return [(key.hex(), until) for key, until in self._sessions.items()]

    def end(self) -> None:
        """End all sessions, and make all codes worthless."""
        self._codes.clear()
        self._sessions.clear()

    def _keep(self, where: dict[bytes, float], secret: str, for_s: float, most: int) -> None:
        while len(where) >= most:
            del where[next(iter(where))]
        where[_hash(secret)] = self._clock() + for_s


def cookie_name(port: int | None) -> str:
    """What the cookie is called that a session goes by: a browser has one of a name for all ports of an address."""
    return f"idiolect-{port}"


def _hash(secret: str) -> bytes:
    # Looked up by its hash, a guess tells nothing by how long it takes to be found wrong.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
