"""What its user has written in a document since an editor opened it."""

from __future__ import annotations

from bisect import bisect
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final, NamedTuple

from idiolect.daemon.ingest.normalise import has_words, normalise
from idiolect.daemon.storage.paragraphs import Originals

if TYPE_CHECKING:
    from collections.abc import Sequence

_PASTED_KEPT: Final = 500  # paragraphs, the newest
#: A change that brings more than this at once was not typed: it was pasted, or read again from the disk. An
#: editor may report some seconds of typing as one change, and a ghost text is one, too.
_TYPED_CHARS: Final = 200
_TYPED_LINES: Final = 3
#: As much of what stands before it is told with a text, in characters.
_BEFORE_CHARS: Final = 400


class Typed(NamedTuple):
    """A text that was typed in a document, and what stands before it there."""

    text: str
    before: str


def is_typed(inserted: str) -> bool:
    """Whether a change of a document that brings this text may come from a keyboard."""
    lines = inserted.split("\n")
    return len(inserted.strip()) <= _TYPED_CHARS and sum(1 for line in lines if line.strip()) <= _TYPED_LINES


def inserted(old: str, new: str) -> list[str]:
    """What is new in a whole text, place by place: lines that came, and of lines that changed what is new in them."""
    before, after = old.splitlines(), new.splitlines()
    first = shared(before, after)
    last = shared(before[first:][::-1], after[first:][::-1])
    before, after = before[first : len(before) - last], after[first : len(after) - last]
    places = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return [new for kind, i, j, k, m in places if kind != "equal" for new in _new_in(before[i:j], after[k:m])]


def _new_in(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """What is new where some lines took the place of others: in each, or, where most of them is new, as a whole."""
    if len(before) == len(after):
        each = [_new_within(*lines) for lines in zip(before, after, strict=True)]
        if 2 * sum(map(len, each)) < sum(map(len, after)):
            return each
    return [_new_within("\n".join(before), "\n".join(after))]


def _new_within(old: str, new: str) -> str:
    """All between what two texts share at the beginning and at the end."""
    first = shared(old, new)
    last = shared(old[first:][::-1], new[first:][::-1])
    return new[first : len(new) - last]


def shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many characters two texts, or lines two lists, begin with alike."""
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

    def saved(self, paragraphs: Sequence[str]) -> list[Typed]:
        """The document now holds these: what of them was typed since the last time. Of an edited one, its new words.

        What was there once counts no more, so that undoing brings nothing new.
        """
        now = [normalise(text) for text in paragraphs]
        there = set(now)
        originals = Originals(
            [[text] for text in (*(old for old in self._held if old not in there), *self._pasted)]
        )
        found: list[Typed] = []
        above = ""
        for text in now:
            if text not in self._known:
                self._known.add(text)
                edit = originals.compare(text)
                for start, end in [(0, len(text))] if edit is None else edit.runs:
                    found.append(Typed(text[start:end], (above + text[:start])[-_BEFORE_CHARS:]))
            above = f"{above}{text}\n\n"[-_BEFORE_CHARS:]
        self._held = now
        return [typed for typed in found if has_words(typed.text)]
