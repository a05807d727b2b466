"""The learning of text that was committed: a history in parts, and typed texts that come one after another together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from idiolect.adapters.memory.steps import Steps, finish, in_one_step
from idiolect.daemon.serving.model_queue import ModelQueue, Priority

if TYPE_CHECKING:
    from idiolect.daemon.serving.live_model import Served  # which makes a `TextLearning`

_TYPED: Final = 8  # entries in one transaction, at the most, that may have been typed with suggestions
# Typed entries are learned together: so long after the last one, or so many at the most, or before the next question.
_TOGETHER_S: Final = 0.03
_TOGETHER: Final = 32
# That are learned together, before another text has its turn. Whoever brings more while the model is busy waits for it:
# the next question has all that waits learned first, in one step.
_PART_TOKENS: Final = 4096

Entry = tuple[int, list[int]]
"""An entry's id and token ids."""


class TextLearning:
    """Has what is served learn entries. Any thread may call :meth:`learn`.

    Args:
        queue: the model's queue.
        serving: returns what is served.
        decode: token ids to text.

    Attributes:
        arrived: where entries that are learned are also put, while a user model is built.
    """

    def __init__(
        self, queue: ModelQueue, serving: Callable[[], Served], decode: Callable[[Sequence[int]], str]
    ) -> None:
        self._queue, self._serving, self._decode = queue, serving, decode
        self.arrived: list[Entry] | None = None
        self._is_learning = False
        self._postponed: list[Entry] = []  # typed entries that are yet to be learned
        self._postponing = threading.Lock()  # nothing is postponed while something is learned
        self._soon = queue.delayed(
            "learn", lambda: in_one_step(self.learn_postponed), Priority.LEARNING, _TOGETHER_S
        )

    def learn(self, entries: Sequence[Entry]) -> None:
        """Learn entries: few as just typed, many as a history that was read.

        Typed ones are known to whoever calls :meth:`learn_postponed` before they read what is known.
        """
        is_typed = len(entries) <= _TYPED
        with self._postponing:
            waiting = sum(len(ids) for _, ids in (*self._postponed, *entries))
            is_postponed = is_typed and not self._is_learning and waiting <= _PART_TOKENS
            if is_postponed:
                self._postponed += entries
        if is_postponed:
            self._soon.ask(0.0 if len(self._postponed) >= _TOGETHER else None)
        else:
            self._queue.run(Priority.LEARNING, self._learn(entries, is_typed=is_typed))

    def learn_postponed(self) -> None:
        """Learn the entries that were postponed, in one step of work."""
        with self._postponing:
            entries, self._postponed = self._postponed, []
        if entries:
            finish(self._learn_part(entries, is_typed=True))

    def _learn(self, entries: Sequence[Entry], *, is_typed: bool) -> Steps[None]:
        for part in split_entries(entries):
            while self._is_learning:  # a part of what another thread has brought
                yield
            with self._postponing:
                self._is_learning = True
            try:
                self.learn_postponed()
                yield from self._learn_part(part, is_typed=is_typed)
            finally:
                self._is_learning = False
            yield

    def _learn_part(self, entries: Sequence[Entry], *, is_typed: bool) -> Steps[None]:
        served = self._serving()
        if self.arrived is not None:
            self.arrived += entries
        new = [(self._decode(ids), ids) for entry, ids in entries if entry > served.newest]
        if is_typed:
            for text, ids in new:
                served.predictor.observe(text, ids)
        yield from served.user_model.learn_in_steps(new)


def split_entries(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Yield entries in runs of at most so many tokens as are learned together, or of one entry."""
    begin, tokens = 0, 0
    for place, (_, ids) in enumerate(entries):
        tokens += len(ids)
        if tokens > _PART_TOKENS and place > begin:
            yield entries[begin:place]
            begin, tokens = place, len(ids)
    if begin < len(entries):
        yield entries[begin:]
