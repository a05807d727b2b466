"""Examples for the page: completions by the base and the adapted model, beside what was written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.steps import Steps

_BEFORE: Final = (4, 6, 8)  # words before the cuts that are tried in each text
_AFTER: Final = 6  # words that are shown behind a cut, at the most
_SURE: Final = 0.5  # probability that all words of a completion are right, from which on it is shown
_TRIES: Final = 120  # cuts: each costs some passes of the model


def examples(
    held_out: Sequence[str], base: Predictor, adapted: Predictor, count: int
) -> Steps[list[dict[str, str]]]:
    """Up to ``count`` of {"prefix", "base", "adapted", "truth"}, from texts that neither predictor has seen.

    They are chosen where ``adapted`` is at least half sure, whether or not it is right. So there may be fewer.
    """
    yield from adapted.warm()
    shown, found = set[str](), list[dict[str, str]]()
    for words, cut in islice(_cuts(held_out), _TRIES):
        if len(found) == count:
            break
        prefix = " ".join(words[:cut])
        ghost = adapted.suggest(f"{prefix} ", candidates=1, ghost_words=_AFTER, remember=False).ghost
        yield
        sure = "".join(word.text for word in ghost.words if word.p >= _SURE)
        if not sure or sure in shown:
            continue
        shown.add(sure)
        length = len(sure.split())
        by_base = yield from base.complete(prefix, length)
        truth = " ".join(words[cut : cut + length])
        found.append({"prefix": prefix, "base": by_base.strip(), "adapted": sure, "truth": truth})
    return found


def _cuts(texts: Sequence[str]) -> Iterator[tuple[list[str], int]]:
    """The words of each text that is long enough, and how many stand before a cut: first one cut in each text."""
    longest = max(_BEFORE) + _AFTER
    fitting = [words for words in (text.split() for text in texts) if len(words) >= longest]
    for cut in _BEFORE:
        for words in fitting:
            yield words, cut
