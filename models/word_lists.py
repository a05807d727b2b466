"""The words of a language as they are written, with how often they are used.

wordfreq (Speer 2022) folds them: all are small, German has "strasse" for "straße", and its sources leave accents out.
A dictionary (pyspellchecker's) and the frequencies show how each is written. German nouns have a capital: a list made
from Wiktionary holds the words that are nothing but nouns.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import regex
from numpy.typing import NDArray

from idiolect.models.hashed_frequencies import other_frequencies

LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pt", "nl")
"""The languages that have a word list."""

NAMES_FILE: Final = Path(__file__).with_name("names.npz")
_NOUNS_FILE: Final = Path(__file__).with_name("german_nouns.npz")
_LEFT_OUT: Final = 8.0  # times that a word is used as often as the same word without its accents, a mistake
_SPELT: Final = 2e-6  # uses per word of text, from which on what no dictionary has is a word
# Times that another language uses a word as often that is foreign here, if the dictionary lacks it, or has it.
_FOREIGN, _FOREIGN_LISTED = 10.0, 60.0
# Of the uses of such a word, in a title or a quotation: the uses among words of this language.
_FOREIGN_SHARE: Final = 0.01
_WORD = regex.compile(r"\p{Latin}+(?:['’]\p{Latin}+)*")
# "ss" behind these is "ß" in all words that are made of them: "straßenbahnen", which no dictionary has.
_SHARP = regex.compile(
    r"(?<=stra|gro|grö|fu|fü|spa|spä|gru|grü|hei|wei|au|äu|schlie|flie|sto|stö|genie|gemä|mä|sü|rei|bei)ss"
)
_ONE_LETTER: Final = {"fr": "aàyô", "es": "aeouy", "it": "aeioèòà", "pt": "aeoàéó", "nl": "u"}  # such words
_READ: Final = 200_000  # of wordfreq's words, the most used


def dictionary_words(language: str) -> frozenset[str]:
    """Return the words of a dictionary in lower case; it takes half a second of a processor."""
    from spellchecker import SpellChecker  # takes a tenth of a second, so only where it is needed

    return frozenset(SpellChecker(language=language, distance=1).word_frequency.words())


def written_words(language: str, dictionary: frozenset[str]) -> dict[str, float]:
    """Return the words of a language but English, in lower case, with their uses per word of text.

    ``dictionary`` has its words, as :func:`dictionary_words` returns them.
    """
    from wordfreq import get_frequency_dict  # needed only where a list is made

    english = get_frequency_dict("en", wordlist="small")
    folded = get_frequency_dict(language, wordlist="large")
    found = defaultdict[str, float](float)
    for word in sorted(folded, key=folded.__getitem__, reverse=True)[:_READ]:
        # What else has a single letter is a mark of a list, a unit, a name cut short.
        if _WORD.fullmatch(word) and (len(word) > 1 or word in _ONE_LETTER.get(language, "")):
            forms = _with_sharp_s(word, dictionary) if language == "de" else [word]
            for form in forms:
                found[form] += folded[word] / len(forms)
    _drop_misspelt(found, dictionary)
    elsewhere = other_frequencies([*found], without=language).max(1)
    for word, other in zip([*found], elsewhere.tolist(), strict=True):
        times = _FOREIGN_LISTED if word in dictionary else _FOREIGN
        if max(other, english.get(word, 0.0)) >= times * found[word]:
            found[word] *= _FOREIGN_SHARE
    return dict(found)


def spelt_words(frequencies: Mapping[str, float], dictionary: frozenset[str]) -> frozenset[str]:
    """Return the words that are spelt right: the dictionary's, and what is used too often to be a mistake."""
    return dictionary | {word for word, frequency in frequencies.items() if frequency >= _SPELT}


@cache
def german_nouns() -> NDArray[np.bytes_]:
    """Return the German words that are nouns and nothing else, in small letters, UTF-8 and in order."""
    with np.load(_NOUNS_FILE) as stored:
        return np.array(stored["nouns"].tobytes().split(b"\n"))


@cache
def names_and_foreign() -> tuple[NDArray[np.bytes_], NDArray[np.bytes_]]:
    """Return names and foreign words among the general English ones, in small letters, UTF-8 and in order.

    The general list is in small letters, since it comes from the web. A dictionary (Hunspell's en_US, made from SCOWL)
    has "Derek" and no "derek"; of "italia" it has neither, and Italian uses it a hundred times as often as English.
    """
    with np.load(NAMES_FILE) as stored:
        return stored["names"], stored["foreign"]


@cache
def small_words() -> frozenset[str]:
    """Return German words that are written in small letters wherever no sentence begins."""
    return frozenset(_SMALL.split())


def _with_sharp_s(word: str, dictionary: frozenset[str]) -> list[str]:
    """Return the German words that wordfreq has as one, without its "ß": "masse" are "masse" and "maße"."""
    if "ss" not in word:
        return [word]
    first, *parts = word.split("ss")
    made = (
        first + "".join(itertools.chain(*zip(letters, parts, strict=True)))
        for letters in itertools.product(("ss", "ß"), repeat=len(parts))
    )
    return [form for form in made if form in dictionary] or [_SHARP.sub("ß", word)]


def _drop_misspelt(found: dict[str, float], dictionary: frozenset[str]) -> None:
    """Take out words without their accents, "fur" and "etait", which no dictionary has."""
    by_plain = defaultdict[str, list[str]](list)
    for word in found:
        by_plain[plain(word)].append(word)
    for bare, words in by_plain.items():
        if len(words) > 1 and bare in found and bare not in dictionary:
            with_accents = sum(found[word] for word in words if word != bare)
            if with_accents >= _LEFT_OUT * found[bare]:
                del found[bare]


def plain(word: str) -> str:
    """Return a word without its accents."""
    if word.isascii():
        return word
    return "".join(char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char))


_SMALL: Final = """
    die der das den dem des ein eine einer einem einen eines ich er es wir mich sich uns mir ihm ihn mein man
    wer was wen wem wessen dies diese dieser dieses diesem diesen jene jener jenes wie wo wann warum weil wenn
    als ob oder aber und denn doch dass falls sobald damit von für mit bei aus nach vor zu über unter an am auf
    in im um gegen ohne durch seit bis ab per anstatt zwischen hinter neben ist sind war bin bist sei seid
    habe hast hat haben hatte hatten werde wird werden wurde wurden würde würden kann können konnte muss müssen
    musste sollen wollen darf möchte nicht jetzt nun dann da hier dort her hin so sehr auch nur
    noch schon immer nie wieder
"""  # words with a capital at a sentence's start alone, but for titles
