"""Passes that the likeliest next words will need, made before anybody waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from idiolect.adapters.memory.steps import Steps
from idiolect.adapters.prediction.next_token import NextTokenModel
from idiolect.models.session import Interrupt

# Of a word that is worth a forward pass before it is typed: once one letter of it is left, and before. Earlier passes
# are needed half as often, and most words that are that likely later can wait for it.
_MIN_PROB, _MIN_EARLY_PROB, _NEAR_END_CHARS = 0.3, 0.7, 1
_NO_KEY: Final = "\0"  # in place of the text of a pass that no key waits for
_NEAR_CHARS: Final = 64  # before a cursor, by which it is known where a text goes on


@dataclass(frozen=True)
class NextWord:
    """A word that may come next: ``text`` from the cursor to its end, ``ids`` all tokens up to there."""

    text: str
    p: float
    ids: list[int]

    @property
    def expected_saving(self) -> float:
        """Keystrokes that it saves on average."""
        return self.p * (len(self.text) - 1)


@dataclass(frozen=True)
class _Expected:
    """What may be typed next: the likeliest words behind ``near``, the end of the text; and texts to be compared."""

    near: str = ""
    words: Sequence[NextWord] = ()
    others: Sequence[list[int]] = ()
    wants_tail: bool = True


@dataclass(frozen=True)
class _Pass:
    """A pass under way that nobody waits for yet: it computes what is needed once ``text`` is typed behind ``near``."""

    near: str
    text: str
    interrupt: Interrupt

    def is_needed_at(self, prefix: str) -> bool:
        """Return True if it computes what a suggestion after ``prefix``, where the word has ended, needs."""
        whole, end = f"{self.near}{self.text} ", prefix[-_NEAR_CHARS:]
        least = len(self.near) + len(self.text)
        return any(whole[:length].endswith(end) for length in range(least, len(whole) + 1))


class LookAhead:
    """Makes passes ahead, for one thread; others may call :meth:`make_way` meanwhile."""

    def __init__(self, next_token: NextTokenModel) -> None:
        self._next_token = next_token
        self._expected = _Expected()
        self._pass: _Pass | None = None

    def expect(
        self, prefix: str, words: Sequence[NextWord], others: Sequence[list[int]] = (), *, wants_tail: bool
    ) -> None:
        """Expect one of ``words`` to be typed next.

        Args:
            prefix: the text before the cursor.
            words: the likeliest ones.
            others: tokens behind which distributions will be needed, too.
            wants_tail: ghosts of several words are asked for.
        """
        self._expected = _Expected(prefix[-_NEAR_CHARS:], words, others, wants_tail)

    def forget(self) -> None:
        """Expect nothing."""
        self._expected = _Expected()

    def make_passes(self, min_prob: float = _MIN_PROB) -> Steps[None]:
        """Make the passes for words of at least this probability; a pass a step, until something else is expected.

        Words of which several letters are left must be likelier.
        """
        expected = self._expected
        likely = [
            (word.text, word.ids)
            for word in expected.words
            if word.p >= (min_prob if len(word.text) <= _NEAR_END_CHARS else max(min_prob, _MIN_EARLY_PROB))
        ]
        for number, (text, ids) in enumerate([*likely, *((_NO_KEY, ids) for ids in expected.others)]):
            if self._expected is not expected:
                return
            drafts = expected.wants_tail and number < len(likely)
            self._pass = _Pass(expected.near, text, Interrupt())
            try:
                self._next_token.prefetch(ids, drafts=drafts, interrupt=self._pass.interrupt)
            finally:
                self._pass = None
            yield

    def make_way(self, prefix: str | None) -> None:
        """Interrupt a pass, unless it computes what a suggestion after ``prefix`` needs.

        Any thread may call this while another one makes the pass. None is other work, which needs no such pass.
        """
        under_way = self._pass
        if under_way is not None and not (prefix is not None and under_way.is_needed_at(prefix)):
            under_way.interrupt.stop()
