"""Completions of text that nothing was learned from: the base's, the adapted ones, and what was really written."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from idiolect.adapters.prediction.predictor import Predictor

_BEFORE: Final = (4, 6, 8)  # words before the cuts that are tried in each text
_AFTER: Final = 6  # words that are shown behind a cut, at the most
_SURE: Final = 0.5  # probability that all words of a completion are right, from which on it is shown
_TRIES: Final = 120  # cuts: each costs some passes of the model


def examples(
    held_out: Sequence[str], base: Predictor, adapted: Predictor, count: int
) -> list[dict[str, str]]:
    """Up to ``count`` of {"prefix", "base", "adapted", "truth"}, from texts that neither predictor has seen.

    They are chosen where ``adapted`` is at least half sure, whether or not it is right. So there may be fewer.
    """
    return list(islice(_find(held_out, base, adapted), count))


def _find(held_out: Sequence[str], base: Predictor, adapted: Predictor) -> Iterator[dict[str, str]]:
    shown = set[str]()
    for words, cut in islice(_cuts(held_out), _TRIES):
        prefix = " ".join(words[:cut])
        found = adapted.suggest(f"{prefix} ", candidates=1, ghost_words=_AFTER, remember=False).ghost
        sure = "".join(word.text for word in found.words if word.p >= _SURE)
        if not sure or sure in shown:
            continue
        shown.add(sure)
        length = len(sure.split())
        yield {
            "prefix": prefix,
            "base": base.complete(prefix, length).strip(),
            "adapted": sure,
            "truth": " ".join(words[cut : cut + length]),
        }


def _cuts(texts: Sequence[str]) -> Iterator[tuple[list[str], int]]:
    """The words of each text that is long enough, and how many stand before a cut: first one cut in each text."""
    longest = max(_BEFORE) + _AFTER
    fitting = [words for words in (text.split() for text in texts) if len(words) >= longest]
    for cut in _BEFORE:
        for words in fitting:
            yield words, cut
