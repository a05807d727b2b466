"""Replays the typing of a text by a person who uses the suggestions, and counts the keystrokes.

The measure is the field's keystroke savings (Trnka & McCoy 2008): 1 - keystrokes / characters, with an ideal user who
takes a right suggestion as soon as it is there. The suggestion at each position is asked for once, and every way to
use it is counted on the same answers. With ghosts the seconds are counted, too: a key takes its time, and so does a
look at a ghost, right or wrong (see :mod:`idiolect.adapters.prediction.look_value`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import regex

from idiolect.adapters.evaluation.slipping_typist import seconds_with_ghosts
from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.prediction.suggestion import Suggestion

BARS = (1, 3, 5)
"""How many words the user sees."""

PREFIX_CHARS = 2000
"""The most text before the cursor that is asked with."""

WRONG_SHOW = 0.5
"""Keystrokes that reading a wrong ghost costs, in the net savings."""

_LEAST_SAVING = 2  # keystrokes that taking a ghost word by word must save
_PIECE = regex.compile(r"[^\p{L}\p{N}'’]*[\p{L}\p{N}'’]+|[^\p{L}\p{N}'’]+")

Ask = Callable[[str], Suggestion]


@dataclass
class GhostCounts:
    """Ghosts on the screen at the positions that a user passes who takes them word by word."""

    positions: int = 0
    shown: int = 0
    right: int = 0  # the first word is
    wrong_new: int = 0  # it is not, and the ghost is no rest of that shown a character before


@dataclass
class TypedText:
    """One text, typed: ``keys`` by way of typing (``bar1``, ``bar3``, ``bar5``, ``whole``, ``words``)."""

    characters: int
    keys: dict[str, int] = field(default_factory=dict)
    shown: GhostCounts = field(default_factory=GhostCounts)
    milliseconds: list[float] = field(default_factory=list)  # of each question
    ghost_s: float = 0.0  # seconds with ghosts, each looked at once


def type_text(text: str, ask: Ask, *, ghosts: bool = True, key_s: float = 0.0) -> TypedText:
    """Type ``text`` in every way, or, without ``ghosts``, only with the words suggested; a key takes ``key_s``."""
    page = _Page(text, ask)
    typed = page.typed
    for most in BARS:
        typed.keys[f"bar{most}"] = _with_words(page, most)
    if ghosts:
        typed.keys["words"] = _with_ghosts_by_word(page)
        typed.keys["whole"] = _with_whole_ghosts(page)
        typed.ghost_s = seconds_with_ghosts(text, [page.suggestion(at) for at in range(len(text))], key_s)
    return typed


class _Page:
    """A text with its word ends, and the suggestions at each position."""

    def __init__(self, text: str, ask: Ask) -> None:
        self.text = text
        self.typed = TypedText(len(text))
        self.word_end = {at: found.end() for found in WORD.finditer(text) for at in range(*found.span())}
        self._ask = ask
        self._asked: dict[int, Suggestion] = {}

    def suggestion(self, at: int) -> Suggestion:
        if at not in self._asked:
            started = time.perf_counter()
            self._asked[at] = self._ask(self.text[max(0, at - PREFIX_CHARS) : at])
            self.typed.milliseconds.append(1e3 * (time.perf_counter() - started))
        return self._asked[at]

    def right(self, at: int, offered: str) -> bool:
        """Return True if ``offered`` is what comes next, and ends where a word does."""
        end = at + len(offered)
        return bool(offered) and self.text.startswith(offered, at) and self.word_end.get(end - 1, end) == end


def _with_words(page: _Page, most: int) -> int:
    """Return the keystrokes with ``most`` words to choose from."""
    at = keys = 0
    while at < len(page.text):
        keys += 1
        end = page.word_end.get(at)
        if end is None:
            at += 1
            continue
        offered = [word.text for word in page.suggestion(at).words[:most]]
        taken = max((len(text) for text in offered if page.right(at, text)), default=0)
        if taken < end - at:
            at += 1
            continue
        at += taken
        at += page.text.startswith(" ", at)  # a word that is taken brings its space
    return keys


def _with_whole_ghosts(page: _Page) -> int:
    """Return the keystrokes of a user who takes a ghost where all of it is right."""
    at = keys = 0
    while at < len(page.text):
        ghost = page.suggestion(at).ghost
        takes = ghost.show and len(ghost.text) > 1 and page.right(at, ghost.text)
        at += len(ghost.text) if takes else 1
        keys += 1
    return keys


def _with_ghosts_by_word(page: _Page) -> int:
    """Return the keystrokes of a user who takes ghosts word by word, and count what is shown."""
    at = keys = 0
    left = ""  # of the ghost that was shown last, once its first character was typed
    seen = page.typed.shown
    while at < len(page.text):
        ghost = page.suggestion(at).ghost
        shown = ghost.text if ghost.show else ""
        ends = _right_ends(page, at, shown)
        worth = [(end, words) for words, end in enumerate(ends, 1) if end - words >= _LEAST_SAVING]
        step, cost = worth[-1] if worth else (1, 1)
        seen.positions += 1
        if shown:
            seen.shown += 1
            seen.right += bool(ends)
            seen.wrong_new += not ends and not (left and shown.startswith(left))
        left = shown[1:] if step == 1 and shown[:1] == page.text[at] else ""
        at += step
        keys += cost
    return keys


def _right_ends(page: _Page, at: int, ghost: str) -> list[int]:
    """Return where the ghost's first word, first two words, ... end, as long as they are right."""
    ends = []
    for piece in _PIECE.finditer(ghost):
        if not page.right(at, ghost[: piece.end()]):
            break
        ends.append(piece.end())
    return ends
