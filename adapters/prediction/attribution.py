"""Which part a suggestion comes from: its words are scored by the base, with the adapter, and with everything.

Nothing is guessed: parts are left out as in an evaluation, and what each step adds is its contribution. "Memory" is
all that is known without training: the n-gram memory, the user's own words, and the recent entries before the prefix.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Literal

from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.suggestion import Suggestion
from idiolect.adapters.steps import Steps
from idiolect.adapters.vocabulary import WORD

Part = Literal["base", "adapter", "memory"]

_ENOUGH = 0.5  # a part that gives a word so much of its probability would have brought it by itself
_LEAST = 1e-4  # below this, probabilities are all the same


@dataclass(frozen=True)
class WordOrigin:
    """A word's probability ``p`` as it is served, by the ``base`` alone, and with the ``adapter`` if one is served."""

    text: str
    p: float
    base: float
    adapter: float | None

    @property
    def part(self) -> Part:
        """The part that brings the word: the base if it would do, else the step that raises it by the larger factor."""
        if self.base >= _ENOUGH * self.p:
            return "base"
        base = max(self.base, _LEAST)
        trained = base if self.adapter is None else max(self.adapter, _LEAST)
        return "adapter" if trained / base > self.p / trained else "memory"


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

    def explain(self, served: Predictor, prefix: str, found: Suggestion) -> Steps[Attribution]:
        """Return where ``found`` comes from, which ``served`` suggested just now after ``prefix``; a part a step."""
        spaced = found.ghost.text.startswith(" ")
        first = WORD.match(found.ghost.text, int(spaced))
        before, ghost = prefix + " " * spaced, [first[0]] if first else []
        words = [word.text for word in found.words]
        words_p, ghost_p = [word.p for word in found.words], served.word_probs(before, ghost)
        yield
        base, adapted = self._parts(served)
        yield
        origins = yield from _origins(prefix, words, words_p, base, adapted)
        of_ghost = yield from _origins(before, ghost, ghost_p, base, adapted)
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
    prefix: str, words: list[str], p: list[float], base: Predictor, adapted: Predictor | None
) -> Steps[tuple[WordOrigin, ...]]:
    alone = base.word_probs(prefix, words)
    yield
    trained = [None] * len(words) if adapted is None else adapted.word_probs(prefix, words)
    yield
    return tuple(WordOrigin(*of) for of in zip(words, p, alone, trained, strict=True))
