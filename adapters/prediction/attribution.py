"""Which part a suggestion comes from: its words are scored by the base, with the adapter, and so on up to everything.

Nothing is guessed: parts are left out as in an evaluation, and what each step adds is its contribution. "Memory" is
all that is known without training: the n-gram memory, the user's own words, and the recent entries before the prefix.
"Context" is what the user answers.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.suggestion import Suggestion
from idiolect.adapters.steps import Steps
from idiolect.adapters.vocabulary import WORD

Part = Literal["base", "adapter", "memory", "context"]

_ENOUGH = 0.5  # a part that gives a word so much of its probability would have brought it by itself
_LEAST = 1e-4  # below this, probabilities are all the same


@dataclass(frozen=True)
class WordOrigin:
    """A word's probability ``p`` as it is served, and as far as each part brings it.

    Attributes:
        base: by the base alone.
        adapter: with the adapter; None where none is served.
        memory: with all but what the user answers; None where they answer nothing.
    """

    text: str
    p: float
    base: float
    adapter: float | None
    memory: float | None = None

    @property
    def part(self) -> Part:
        """The part that brings the word: the base if it would do, else the step that raises it by the larger factor."""
        if self.base >= _ENOUGH * self.p:
            return "base"
        steps: list[tuple[Part, float | None]] = [("adapter", self.adapter), ("memory", self.memory)]
        steps.append(("memory" if self.memory is None else "context", self.p))
        found, most, before = steps[-1][0], 0.0, max(self.base, _LEAST)
        for part, p in steps:
            if p is None:
                continue
            after = max(p, _LEAST)
            if after / before >= most:
                found, most = part, after / before
            before = after
        return found


@dataclass(frozen=True)
class Attribution:
    """Where the words of a suggestion and the first word of its ghost come from (None: there is no ghost)."""

    words: tuple[WordOrigin, ...]
    ghost: WordOrigin | None


class Attributor:
    """Scores words by each part alone. Holds a KV cache for each until :meth:`release`."""

    def __init__(self, serving: LoadedModel) -> None:
        self._serving = serving
        # By what it was made beside, weakly: what knows a text that was forgotten must not be kept.
        self._alone: tuple[weakref.ref[Predictor], Predictor, Predictor | None] | None = None

    def explain(
        self, served: Predictor, prefix: str, found: Suggestion, unanswering: Predictor | None = None
    ) -> Steps[Attribution]:
        """Return where ``found`` comes from, which ``served`` suggested just now after ``prefix``; a part a step.

        ``unanswering`` suggests as ``served`` does to who answers nothing; None: nothing is answered.
        """
        spaced = found.ghost.text.startswith(" ")
        first = WORD.match(found.ghost.text, int(spaced))
        before, ghost = prefix + " " * spaced, [first[0]] if first else []
        words = [word.text for word in found.words]
        words_p, ghost_p = [word.p for word in found.words], served.word_probs(before, ghost)
        yield
        base, adapted = self._parts(served)
        yield
        parts = base, adapted, unanswering
        origins = yield from _origins(prefix, words, words_p, *parts)
        of_ghost = yield from _origins(before, ghost, ghost_p, *parts)
        return Attribution(origins, next(iter(of_ghost), None))

    def release(self) -> None:
        """Free the KV caches; the next call builds them again."""
        self._alone = None

    def _parts(self, served: Predictor) -> tuple[Predictor, Predictor | None]:
        """Return predictors of the base and of the served adapter that know nothing of the user."""
        if self._alone is None or self._alone[0]() is not served:
            nothing = self._serving.build_user_model([])
            base = self._serving.build_predictor(nothing, None)
            adapted = served.adapter and self._serving.build_predictor(nothing, None, adapter=served.adapter)
            self._alone = weakref.ref(served), base, adapted or None
        return self._alone[1:]


def _origins(
    prefix: str, words: list[str], p: list[float], *parts: Predictor | None
) -> Steps[tuple[WordOrigin, ...]]:
    """Score words by the base, by the adapter and by all but what is answered, as far as there is one of them."""
    scored = list[Sequence[float | None]]()
    for part in parts:
        scored.append([None] * len(words) if part is None else part.word_probs(prefix, words))
        yield
    return tuple(WordOrigin(*of) for of in zip(words, p, *scored, strict=True))
