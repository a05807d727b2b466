"""Texts of which a client sends only the end: where the window that it sends lies in what was asked before.

Many clients send the last 2,000 characters before the cursor. With each key such a window begins one character later.
Read from its beginning it would be another text each time, and no key of the KV cache would hold.
"""

from __future__ import annotations

import time

MIN_WINDOW_CHARS = 200
"""A shorter prefix is no window: it is read again in the time of few passes."""

_HEAD_CHARS = 64  # of a window's beginning, by which it is found
_MAX_EDIT_CHARS = 200  # that may have changed at the end of a text, for it to be the same one still
_KEPT, _MAX_AGE_S = 8, 60.0  # texts, and seconds since each was asked about: as the KV cache keeps them


class ClientWindows:
    """The latest long texts that were asked about. For one thread at a time."""

    def __init__(self) -> None:
        self._texts: list[tuple[float, str]] = []  # when each was asked about last; the latest one last

    def whole(self, window: str) -> str:
        """Return ``window`` behind what stood before it in an earlier question, as far as that is known."""
        now = time.monotonic()
        self._texts = [(at, text) for at, text in self._texts if at > now - _MAX_AGE_S]
        if len(window) < MIN_WINDOW_CHARS:
            return window
        whole = window
        for place in reversed(range(len(self._texts))):
            start = _find(window, self._texts[place][1])
            if start is not None:
                whole = self._texts.pop(place)[1][:start] + window
                break
        self._texts = [*self._texts[1 - _KEPT :], (now, whole)]
        return whole

    def keep_end(self, whole: str, end: str) -> None:
        """Keep of a text that :meth:`whole` returned only its ``end``."""
        self._texts = [(at, end if text == whole else text) for at, text in self._texts]

    def clear(self) -> None:
        """Forget all texts."""
        self._texts = []

    def forget(self, text: str) -> None:
        """Forget the texts that are contained in ``text``, which is finished, and those that it continues."""
        self._texts = [(at, known) for at, known in self._texts if known not in text]


def _find(window: str, text: str) -> int | None:
    """Return where ``window`` begins in ``text``, but for an edit at the end of either; None if it does not."""
    head = window[:_HEAD_CHARS]
    start = text.find(head)
    while start >= 0:
        rest = text[start : start + len(window)]
        shorter = min(len(rest), len(window))
        same = max(shorter - _MAX_EDIT_CHARS, shorter // 2, _HEAD_CHARS)
        if rest[:same] == window[:same]:
            return start
        start = text.find(head, start + 1)
    return None
