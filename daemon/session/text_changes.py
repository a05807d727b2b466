"""What a text became: the places in which another text differs from it, found line by line, then within lines."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from idiolect.daemon.text.typed_text import kept_ends

_MIN_KEPT_CHARS: Final = 4  # of a text that is looked for within another


class Change(NamedTuple):
    """What stood in [old_start, old_end) of a text gave way to [start, end) of the other."""

    old_start: int
    old_end: int
    start: int
    end: int

    def moved(self, old: int, new: int) -> Change:
        """Return the same change where so many characters stand before the two texts."""
        return Change(self.old_start + old, self.old_end + old, self.start + new, self.end + new)


def find_changes(old: str, new: str, edit: Change) -> list[Change]:
    """Return in which places two texts differ that are the same but for one edit, in their order."""
    begin = old.rfind("\n", 0, edit.old_start) + 1
    rest = old.find("\n", edit.old_end)
    rest = len(old) - rest if rest >= 0 else 0
    gone, come = old[begin : len(old) - rest], new[begin : len(new) - rest]
    is_in_line = "\n" not in gone and "\n" not in come
    same = edit.old_start - begin if is_in_line else 0  # by then the line is known to be the same
    found = _within(gone[same:], come[same:]) if is_in_line else _by_lines(gone, come)
    return [change.moved(begin + same, begin + same) for change in found]


def _within(old: str, new: str) -> list[Change]:
    """Return one change, or the two around what one of the texts holds of the other."""
    first, last = kept_ends(old, new)
    gone, come = old[first : len(old) - last], new[first : len(new) - last]
    around = [Change(0, len(gone), 0, len(come))]
    if len(gone) >= _MIN_KEPT_CHARS and (at := come.find(gone)) >= 0:
        around = [Change(0, 0, 0, at), Change(len(gone), len(gone), at + len(gone), len(come))]
    elif len(come) >= _MIN_KEPT_CHARS and (at := gone.find(come)) >= 0:
        around = [Change(0, at, 0, 0), Change(at + len(come), len(gone), len(come), len(come))]
    return [one.moved(first, first) for one in around if one.old_start < one.old_end or one.start < one.end]


def _by_lines(old: str, new: str) -> list[Change]:
    """Return the changes between lines that stand once in either text, and in the same order: these are the same."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    places = _once(after)
    pairs = [(place, places[line]) for line, place in _once(before).items() if line in places]
    found: list[Change] = []
    line = other = old_at = at = 0
    for here, there in [*_increasing(pairs), (len(before), len(after))]:
        gone, come = "".join(before[line:here]), "".join(after[other:there])
        found += [change.moved(old_at, at) for change in _within(gone, come)]
        same = len("".join(before[here : here + 1]))
        old_at, at = old_at + len(gone) + same, at + len(come) + same
        line, other = here + 1, there + 1
    return found


def _once(lines: Sequence[str]) -> dict[str, int]:
    """Return the lines that stand once among these, and where."""
    places: dict[str, int] = {}
    for place, line in enumerate(lines):
        places[line] = -1 if line in places or not line.strip() else place
    return {line: place for line, place in places.items() if place >= 0}


def _increasing(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest part of pairs in the order of their first that is in the order of their second, too."""
    ends: list[int] = []  # by length: the least second with which a part of that length ends
    lengths: list[int] = []
    for _, there in pairs:
        place = bisect_left(ends, there)
        ends[place : place + 1] = [there]
        lengths.append(place)

    def backwards() -> Iterator[tuple[int, int]]:
        wanted, below = len(ends) - 1, float("inf")
        for (here, there), length in zip(reversed(pairs), reversed(lengths), strict=True):
            if length == wanted and there < below:
                wanted, below = wanted - 1, there
                yield here, there

    return list(backwards())[::-1]
