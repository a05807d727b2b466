"""The languages that the user writes: as they have chosen them, or found in their text.

Naive Bayes over the most used words of 27 languages (wordfreq's). On runs of one to six words it is right more often
than lingua's models of runs of letters, which take 96 MB: docs/experiments.md has the figures.

Until their text says enough, the language of the system's locale counts, and English.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.daemon.settings import Settings, locale_languages
from idiolect.models.fetch import DiskFullError
from idiolect.models.hashed_frequencies import OTHER_LANGUAGES, other_frequencies
from idiolect.models.lexicon import ENGLISH
from idiolect.models.tokenizer import Tokenizer
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


log = logging.getLogger("idiolect.languages")

_SAMPLE: Final = 150  # entries of which the language is looked at
_ENOUGH: Final = 200  # words that say which languages somebody writes


class UserLanguages:
    """Decides which languages are in force.

    Attributes:
        chosen: the languages that the user has chosen, the most written first; empty: they are found.
    """

    def __init__(self, settings: Settings) -> None:
        self.chosen: tuple[str, ...] = settings.languages

    def wanted(self, entries: Sequence[NDArray[np.uint32]], tokenizer: Tokenizer) -> tuple[str, ...]:
        """Return the languages that are chosen, or those of a sample of the entries (token ids)."""
        if self.chosen:
            return self.chosen
        texts = [tokenizer.decode(entries[place].tolist()) for place in sample(len(entries), _SAMPLE)]
        found = found_languages(texts)
        if sum(len(WORD.findall(text)) for text in texts) >= _ENOUGH:
            return found
        return tuple(dict.fromkeys((*(found if found != ENGLISH else ()), *locale_languages())))

    def use(self, loaded: LoadedModel, entries: Sequence[NDArray[np.uint32]]) -> None:
        """Build the next user model for the languages of these entries, or those that were chosen.

        Where the disk has no room for their word list, the languages stay as they are. Raises DamagedModelError.
        """
        wanted = self.wanted(entries, loaded.tokenizer)
        try:
            loaded.use_languages(wanted)
        except DiskFullError:
            log.warning("no room for the words of %s", ", ".join(wanted))
