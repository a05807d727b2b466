"""The answer to one keystroke: words, a ghost, and what was meant by the word that just ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.prediction.reasons import Reason


@dataclass(frozen=True)
class Word:
    """A word to insert at the cursor, and its probability given what is typed of it.

    ``replace`` characters before the cursor go away before ``text`` is put there: a correction. ``grey`` says that it
    is worth a look as grey text.
    Behind a mark such as "!" the text begins with the space that is missing there.
    """

    text: str
    p: float
    replace: int = 0
    grey: bool = False


@dataclass(frozen=True)
class Correction:
    """What was meant by the word that just ended.

    ``text`` takes the place of the ``replace`` characters before the cursor, which hold the word and what stands
    behind it; ``p`` is its probability; ``sure`` says that it may be put there without being asked for, ``grey`` that
    it is worth a look as grey text where it is not.
    """

    text: str
    replace: int
    p: float
    sure: bool
    grey: bool = False


@dataclass(frozen=True)
class GhostWord:
    """A piece of a ghost up to the end of a word, and the probability that all up to there is right."""

    text: str
    p: float


@dataclass(frozen=True)
class Ghost:
    """A continuation of the text, the grey text behind the cursor.

    ``p`` is the probability that its first word is right; ``show`` says to show it. ``words`` are its pieces, each with
    the probability that all up to it is right; together they are the text.
    """

    text: str
    p: float
    show: bool
    words: tuple[GhostWord, ...] = ()

    @classmethod
    def of(cls, words: Sequence[GhostWord], *, show: bool) -> Ghost:
        """Return the ghost that these words make."""
        return cls(joined_text(words), words[0].p, show, tuple(words))

    def before(self, word: str, typed: str) -> Ghost:
        """Return it up to where it would repeat ``word``, which stands behind the cursor; ``typed`` stands before."""
        end = 0  # of what is kept
        for found in WORD.finditer(typed + self.text):
            if found.end() > len(typed):
                if found[0] == word:
                    return self._first(end)
                end = found.end() - len(typed)
        return self

    def _first(self, length: int) -> Ghost:
        """Return its first ``length`` characters."""
        words, left = list[GhostWord](), length
        for piece in self.words:
            if left > 0:
                words.append(replace(piece, text=piece.text[:left]))
                left -= len(piece.text)
        return Ghost.of(words, show=self.show) if words else NO_GHOST


NO_GHOST = Ghost("", 0.0, False)


def joined_text(words: Sequence[GhostWord]) -> str:
    """Return the text that these words make."""
    return "".join(word.text for word in words)


@dataclass(frozen=True)
class Suggestion:
    """The answer to one keystroke.

    ``finished`` is the probability that the word under the cursor ends there. ``show_words`` says to show the words by
    themselves, in a place where nobody has asked for them. ``reasons`` say why words, the ghost or a correction are not
    shown.
    """

    words: tuple[Word, ...]
    ghost: Ghost
    adapter: int | None
    elapsed_ms: float
    correction: Correction | None = None
    finished: float = 0.0
    show_words: bool = True
    reasons: tuple[Reason, ...] = ()

    @classmethod
    def silent(cls, adapter: int | None, reason: Reason) -> Suggestion:
        """Return the answer where nothing is suggested, for this reason."""
        return cls((), NO_GHOST, adapter, 0.0, show_words=False, reasons=(reason,))

    def because(self, reason: Reason) -> Suggestion:
        """Return it with another reason."""
        return replace(self, reasons=(*self.reasons, reason))
