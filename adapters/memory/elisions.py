"""Words that stand before another one with an apostrophe, in French and Italian: "l'arbre", "qu'il", "dell'anno"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import regex

_ELIDED: Final[Mapping[str, regex.Pattern[str]]] = {
    "fr": regex.compile(r"(?i)(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)['’]"),
    "it": regex.compile(
        r"(?i)(?:[cdlmnstv]|un|a(?:ll|nch)|d(?:all|ell|ov)|nell|sull|coll|que(?:ll|st)|bell|co[sm]|sant|tutt|mezz|senz"
        r"|nient)['’]"
    ),
}


def elided_chars(word: str, language: str) -> int:
    """Return how many characters of a word, or of its beginning, are another word with its apostrophe, or 0."""
    pattern = _ELIDED.get(language)
    found = None if pattern is None else pattern.match(word)
    return 0 if found is None else found.end()
