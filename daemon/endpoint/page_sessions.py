"""Sessions of the local page: a one-time code in a link becomes a cookie that stands for a scope.

A link may end up in a browser's history, so what it carries works once and for a minute. Codes and cookies
live in this process alone, as hashes: they end with it. (A service that has rested is the same process.)
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from typing import TYPE_CHECKING, TypeAlias

from idiolect.daemon.endpoint.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CODE_S = 60.0
SESSION_S = 12 * 3600.0
#: Beyond these the oldest ends: whoever opens pages without end fills no memory.
_MAX_CODES, _MAX_SESSIONS = 8, 32


Left: TypeAlias = tuple[str, int, float]  # a cookie's hash, its scope, and until when on the clock


class Sessions:
    """Codes that were given out and sessions that began. May be used from any thread.

    A code is good once within `CODE_S`; a session lasts `SESSION_S` from its last use.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, left: Iterable[Left] = ()) -> None:
        """`clock` gives seconds that never go back; `left` are sessions that go on, from :meth:`leave`."""
        self._clock = clock
        self._lock = threading.Lock()
        self._codes: dict[bytes, tuple[Scope, float]] = {}
        self._sessions = {bytes.fromhex(key): (Scope(scope), until) for key, scope, until in left}

    def begin(self, scope: Scope = Scope.ADMIN) -> str:
        """A one-time code for a session with `scope`: 43 characters that may stand in a URL."""
        code = secrets.token_urlsafe(32)
        with self._lock:
            self._keep(self._codes, code, scope, CODE_S, _MAX_CODES)
        return code

    def redeem(self, code: str) -> str | None:
        """The value of a cookie for a code that is good; None for one that is used up, too old or unknown."""
        cookie = secrets.token_urlsafe(32)
        with self._lock:
            scope, until = self._codes.pop(_hash(code), (Scope.NONE, 0.0))
            if scope is Scope.NONE or self._clock() >= until:
                return None
            self._keep(self._sessions, cookie, scope, SESSION_S, _MAX_SESSIONS)
        return cookie

    def scope_of(self, cookie: str) -> Scope | None:
        """The scope of the session whose cookie this is, which goes on by it; None if there is none."""
        key = _hash(cookie)
        with self._lock:
            scope, until = self._sessions.pop(key, (Scope.NONE, 0.0))
            if scope is Scope.NONE or self._clock() >= until:
                return None
            self._sessions[key] = scope, self._clock() + SESSION_S
        return scope

    def leave(self) -> list[Left]:
        """The sessions, for the service that comes after this one on the same machine: hashes, and no cookie."""
        with self._lock:
            return [(key.hex(), int(scope), until) for key, (scope, until) in self._sessions.items()]

    def end(self, cookie: str | None = None) -> None:
        """End one session; without a cookie all of them, and every code that was given out."""
        with self._lock:
            if cookie is not None:
                self._sessions.pop(_hash(cookie), None)
            else:
                self._codes.clear()
                self._sessions.clear()

    def _keep(
        self, where: dict[bytes, tuple[Scope, float]], secret: str, scope: Scope, for_s: float, most: int
    ) -> None:
        while len(where) >= most:
            del where[next(iter(where))]
        where[_hash(secret)] = scope, self._clock() + for_s


def cookie_name(port: int | None) -> str:
    """What the cookie is called that a session goes by: a browser has one of a name for all ports of an address."""
    return f"idiolect-{port}"


def _hash(secret: str) -> bytes:
    # Looked up by its hash, a guess tells nothing by how long it takes to be found wrong.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
