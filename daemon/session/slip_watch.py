"""Slips of the hand: letters that were deleted and typed anew within three seconds, told as a pair of letters."""

from __future__ import annotations

from typing import Final

BACKSPACE: Final = "\b"
_MAX_S: Final = 3.0  # from the first letter deleted to the letter behind those typed anew
_KEPT: Final = 16  # characters before the cursor


class SlipWatch:
    """Hears the keys of a field. It holds the last letters alone, and tells a slip as a pair of letters."""

    def __init__(self) -> None:
        """Nothing is typed."""
        self._before = ""  # letters and spaces, typed in a row
        self._gone = ""  # deleted behind them
        self._anew = ""  # typed since
        self._deleted_s = 0.0

    def key(self, typed: str, at_s: float) -> dict[str, str] | None:
        """Hear of a key at a time in seconds: its character, BACKSPACE, or "" for any other key.

        Return a slip that is told by it, as the service is told: what was `meant` and what was `typed`.
        """
        if typed == BACKSPACE:
            self._delete(at_s)
            return None
        letter, found = typed.lower().replace("’", "'"), None
        self._anew += letter
        goes_on = len(letter) == 1 and (letter.isalpha() or letter in " '")
        if len(self._anew) > len(self._gone) or not goes_on:
            if self._gone and at_s - self._deleted_s <= _MAX_S:
                found = _find_slip(self._before, self._gone, self._anew)
            self._keep_anew()
        if not goes_on:
            self._before = self._gone = self._anew = ""
        return found and dict(zip(("meant", "typed"), found, strict=True))

    def _keep_anew(self) -> None:
        self._before, self._gone, self._anew = (self._before + self._anew)[-_KEPT:], "", ""

    def _delete(self, at_s: float) -> None:
        if self._anew:  # typed anew, and deleted once more
            self._keep_anew()
        if not self._gone:
            self._deleted_s = at_s
        self._gone = self._before[-1:] + self._gone if self._before else ""
        self._before = self._before[:-1]


def _find_slip(before: str, gone: str, anew: str) -> tuple[str, str] | None:
    """Return the one slip that made what is ``gone`` of what came ``anew``, with a character more; or None."""
    alike = [one == other for one, other in zip(gone, anew, strict=False)]
    same = [*alike, False].index(False)
    last, gone, anew = (before + gone[:same])[-1:], gone[same:], anew[same:]
    if not gone:
        return None
    size = len(gone)
    if size > 1 and anew[:2] == gone[1::-1] and anew[2:size] == gone[2:]:
        return anew[:2], gone[:2]
    if last and anew[1:] == gone:
        return last + anew[0], last
    if last and gone[1:] == anew[: size - 1] and (size > 1 or gone == last):
        return last, last + gone[0]
    return (anew[0], gone[0]) if anew and gone[1:] == anew[1:size] else None
