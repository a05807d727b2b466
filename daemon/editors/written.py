"""What its user has written in a document since an editor opened it."""

from __future__ import annotations

from bisect import bisect
from typing import TYPE_CHECKING, Final

from idiolect.daemon.edits import Originals
from idiolect.daemon.normalise import has_words, normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

_PASTED_KEPT: Final = 500  # paragraphs, the newest
#: A change that brings more than this at once was not typed: it was pasted, or read again from the disk. An
#: editor may report some seconds of typing as one change, and a ghost text is one, too.
_TYPED_CHARS: Final = 200
_TYPED_LINES: Final = 3


def is_typed(inserted: str) -> bool:
    """Whether a change of a document that brings this text may come from a keyboard."""
    lines = inserted.split("\n")
    return len(inserted.strip()) <= _TYPED_CHARS and sum(1 for line in lines if line.strip()) <= _TYPED_LINES


def inserted(old: str, new: str) -> str:
    """What of a whole text is new: all between what it shares with the old one at its beginning and its end."""
    before = _shared(old, new)
    after = _shared(old[before:][::-1], new[before:][::-1])
    return new[before : len(new) - after]


def _shared(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    lengths = range(1, min(len(one), len(other)) + 1)
    return bisect(lengths, False, key=lambda length: one[:length] != other[:length])


class Written:
    """A document's paragraphs: which of them, and which words of them, are new and typed."""

    def __init__(self, paragraphs: Sequence[str]) -> None:
        """What the document holds when it is opened is not new."""
        self._held = [normalise(text) for text in paragraphs]
        self._known = set(self._held)
        self._pasted: list[str] = []

    def not_typed(self, paragraphs: Sequence[str]) -> None:
        """These were put into the document by other means than a keyboard."""
        fresh = [normalise(text) for text in paragraphs]
        self._known.update(fresh)
        self._pasted = [*self._pasted, *fresh][-_PASTED_KEPT:]

    def saved(self, paragraphs: Sequence[str]) -> list[str]:
        """The document now holds these: what of them was typed since the last time. Of an edited one, its new words.

        What was there once counts no more, so that undoing brings nothing new.
        """
        now = [normalise(text) for text in paragraphs]
        there = set(now)
        originals = Originals(
            [[text] for text in (*(old for old in self._held if old not in there), *self._pasted)]
        )
        found: list[str] = []
        for text in now:
            if text in self._known:
                continue
            self._known.add(text)
            edit = originals.compare(text)
            found += [text] if edit is None else edit.runs
        self._held = now
        return [text for text in found if has_words(text)]
