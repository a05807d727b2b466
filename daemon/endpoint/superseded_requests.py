"""Requests for suggestions that a newer one of the same text supersedes: they need no ghost any more."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import NamedTuple


class _Question(NamedTuple):
    program: Hashable
    prefix: str


class Questions:
    """The open ones. Used in one event loop."""

    def __init__(self) -> None:
        self._open: dict[threading.Event, _Question] = {}

    def begin(self, program: Hashable, prefix: str) -> threading.Event:
        """A question arrives; what is returned is set once a newer one of the same program goes on from it, or back."""
        for overtaken, other in self._open.items():
            # A text that begins elsewhere goes on from none.
            related = prefix and (prefix.startswith(other.prefix) or other.prefix.startswith(prefix))
            if other.program == program and other.prefix != prefix and related:
                overtaken.set()
        overtaken = threading.Event()
        self._open[overtaken] = _Question(program, prefix)
        return overtaken

    def end(self, overtaken: threading.Event) -> None:
        """It is answered, or its client has gone."""
        del self._open[overtaken]
        overtaken.set()
