"""Completions of text that nothing was learned from: the base's, the adapted ones, and what was really written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idiolect.adapters.prediction.predictor import Predictor

_FEWEST_WORDS = 8  # of a text that is cut
_BEFORE, _AFTER = 4, 6  # words before the cut, and behind it


def examples(
    held_out: Sequence[str], base: Predictor, adapted: Predictor, count: int
) -> list[dict[str, str]]:
    """Up to ``count`` of {"prefix", "base", "adapted", "truth"}, from texts that neither predictor has seen."""
    return [
        {
            "prefix": prefix,
            "base": base.complete(prefix, _AFTER),
            "adapted": adapted.complete(prefix, _AFTER),
            "truth": truth,
        }
        for prefix, truth in _cut_at_words(held_out, count)
    ]


def _cut_at_words(texts: Sequence[str], count: int) -> list[tuple[str, str]]:
    """(prefix, what followed) from evenly spread texts that are long enough, cut after a few words."""
    fitting = [words for words in (text.split() for text in texts) if len(words) >= _FEWEST_WORDS]
    chosen = fitting[:: max(1, len(fitting) // max(count, 1))][:count]
    return [(" ".join(words[:_BEFORE]), " ".join(words[_BEFORE : _BEFORE + _AFTER])) for words in chosen]
