"""Which languages a user writes, found from their text.

Naive Bayes over the most used words of 27 languages (wordfreq's). On runs of one to six words it is right more often
than lingua's models of runs of letters, which take 96 MB: docs/experiments.md has the figures.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from idiolect.adapters.memory.vocabulary import WORD
from idiolect.models.hashed_frequencies import OTHER_LANGUAGES, other_frequencies
from idiolect.models.lexicon import ENGLISH
from idiolect.models.word_lists import LANGUAGES

_UNLISTED: Final = 1e-6  # uses per word of text of a word that is not among a language's most used
_SURELY: Final = math.log(20.0)  # nats by which a text is likelier in one language than in any other
_MIN_WORDS, _MIN_SHARE = 40, 0.05  # of a language that somebody writes
_MAX_CHARS: Final = 400  # of a text that are read


def found_languages(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the languages that texts are in, by their number of words; English where there is too little text."""
    split = [found for text in texts if (found := WORD.findall(text[:_MAX_CHARS].lower()))]
    if not split:
        return ENGLISH
    places = {word: place for place, word in enumerate({word for found in split for word in found})}
    nats = np.log(np.maximum(other_frequencies([*places]), _UNLISTED))
    lengths = [len(found) for found in split]
    by_language = np.add.reduceat(
        nats[[places[word] for found in split for word in found]], np.cumsum([0, *lengths[:-1]])
    )  # (texts, languages)
    second, first = np.sort(by_language)[:, -2:].T
    words = Counter[str]()
    for language, is_sure, length in zip(
        by_language.argmax(1).tolist(), (first - second >= _SURELY).tolist(), lengths, strict=True
    ):
        words[OTHER_LANGUAGES[language]] += is_sure * length
    least = max(_MIN_WORDS, _MIN_SHARE * words.total())
    often = (language for language, times in words.most_common() if times >= least)
    return tuple(language for language in often if language in LANGUAGES) or ENGLISH


def sample(count: int, most: int) -> Sequence[int]:
    """Return places among ``count`` texts, at most ``most`` and evenly spread, the last text among them."""
    return [count - 1 - place * count // most for place in range(most)] if count > most else range(count)
