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
    words = Counter[str]()
    split = [WORD.findall(text[:_MAX_CHARS].lower()) for text in texts]
    known = sorted({word for found in split for word in found})
    if not known:
        return ENGLISH
    nats = np.log(np.maximum(other_frequencies(known), _UNLISTED))
    places = {word: place for place, word in enumerate(known)}
    for found in split:
        if found:
            by_language = nats[[places[word] for word in found]].sum(0)
            second, first = np.sort(by_language)[-2:]
            if first - second >= _SURELY:
                words[OTHER_LANGUAGES[int(np.argmax(by_language))]] += len(found)
    least = max(_MIN_WORDS, _MIN_SHARE * words.total())
    often = (language for language, times in words.most_common() if times >= least)
    return tuple(language for language in often if language in LANGUAGES) or ENGLISH


def sample(count: int, most: int) -> Sequence[int]:
    """Return places among ``count`` texts, at most ``most`` and evenly spread, the last text among them."""
    return [count - 1 - place * count // most for place in range(most)] if count > most else range(count)
