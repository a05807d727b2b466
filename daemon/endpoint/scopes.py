"""Scopes: what a token or a session is good for, and which of them each address needs."""

from __future__ import annotations

from enum import IntEnum


class Scope(IntEnum):
    """What one may do who shows a token; each scope includes those before it."""

    NONE = 0
    SUGGEST = 1
    LEARN = 2
    ADMIN = 3


#: Whatever is not listed needs `Scope.ADMIN`, so that an address that is forgotten here is open to nobody.
NEEDED = {
    "/healthz": Scope.NONE,
    "/health": Scope.NONE,
    "/open": Scope.NONE,  # takes a code of its own
    "/": Scope.NONE,  # leads to the page
    "/openapi.json": Scope.SUGGEST,
    "/v1/suggest": Scope.SUGGEST,
    "/v1/explain": Scope.SUGGEST,
    "/v1/feedback": Scope.SUGGEST,
    "/v1/completions": Scope.SUGGEST,
    "/v1/chat/completions": Scope.SUGGEST,  # says what to ask instead
    "/v1/models": Scope.SUGGEST,
    "/infill": Scope.SUGGEST,
    "/completion": Scope.SUGGEST,
    "/props": Scope.SUGGEST,
    "/v1/history": Scope.LEARN,
    "/v1/pause": Scope.LEARN,
    "/v1/resume": Scope.LEARN,
    "/v1/status": Scope.LEARN,
    "/v1/words/add": Scope.LEARN,
    "/v1/words/remove": Scope.LEARN,
    "/v1/words/undo": Scope.LEARN,
}


def needed(path: str) -> Scope:
    """The scope that a request for `path` needs."""
    if path.startswith("/page/"):  # files that hold nothing of the user's
        return Scope.NONE
    if path.startswith("/v1/models/"):
        return NEEDED["/v1/models"]
    return NEEDED.get(path, Scope.ADMIN)
