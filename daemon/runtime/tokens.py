"""Tokens: one for each scope, each in a file for the user alone. Another one in its place is good at once.

A scope is what a token or a session is good for. Each route says which it needs.
"""

from __future__ import annotations

import contextlib
import hmac
import secrets
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import Any

from idiolect.daemon.profile_paths import ProfilePaths
from idiolect.models import durable
from idiolect.models.regular_files import read_small


class Scope(IntEnum):
    """What a token allows; each scope includes the scopes before it."""

    NONE = 0
    SUGGEST = 1
    LEARN = 2
    ADMIN = 3


SCOPES = (Scope.SUGGEST, Scope.LEARN, Scope.ADMIN)
_LEAST_CHARS = 20


def path_of(settings: ProfilePaths, scope: Scope) -> Path:
    """The file that holds a scope's token."""
    return settings.token_path if scope is Scope.ADMIN else settings.scoped_token_path(scope.name.lower())


def files(settings: ProfilePaths) -> dict[str, Any]:
    """What the status tells of tokens: where they are."""
    return {
        "token_file": str(settings.token_path),
        "token_files": {scope.name.lower(): str(path_of(settings, scope)) for scope in SCOPES},
    }


def make(settings: ProfilePaths, scope: Scope, *, anew: bool = False) -> str:
    """A scope's token; a new token is made where there is no good token, or with `anew`."""
    path = path_of(settings, scope)
    if not anew and (kept := read(path)):
        path.chmod(0o600)
        return kept.decode()
    token = secrets.token_urlsafe(32)
    durable.write(path, f"{token}\n".encode())
    return token


class Tokens:
    """What a token that is shown is good for. A file that changes is read again before the next request."""

    def __init__(self, settings: ProfilePaths, replaced: Callable[[], None] = lambda: None) -> None:
        """`replaced` is called when the token of `Scope.ADMIN` has become another."""
        self._paths = {scope: path_of(settings, scope) for scope in SCOPES}
        self._replaced = replaced
        self._seen: dict[Scope, tuple[int, ...] | None] = dict.fromkeys(SCOPES)
        self._tokens: dict[Scope, bytes] = dict.fromkeys(SCOPES, b"")
        self.refresh()

    def refresh(self) -> None:
        """Read the files that have changed."""
        for scope, path in self._paths.items():
            try:
                found = path.stat()
                seen = (found.st_ino, found.st_mtime_ns, found.st_size)
            except OSError:
                seen = None
            if seen != self._seen[scope]:
                before, self._tokens[scope] = self._tokens[scope], read(path)
                self._seen[scope] = seen
                if scope is Scope.ADMIN and before not in (b"", self._tokens[scope]):
                    self._replaced()

    def scope_of(self, shown: bytes) -> Scope:
        """The scope of a token; in the same time for any that is wrong."""
        granted = Scope.NONE
        for scope, token in self._tokens.items():
            if hmac.compare_digest(shown, token) and token:
                granted = scope
        return granted


def read(path: Path) -> bytes:
    """The token in a file; nothing where there is none that nobody guesses."""
    with contextlib.suppress(OSError):
        token = read_small(path).strip()
        if len(token) >= _LEAST_CHARS and token.isascii():
            return token
    return b""
