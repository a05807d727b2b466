"""Makes the tables of words in models/ anew, from the packages wordfreq and spylls (`pip install '.[words]'`).

`python tests/bench/word_tables.py` writes word_lists.npz, frequencies.npz, other_languages.npz and names.npz. The
tagger of secrets must be trained again when the frequencies change.

wordfreq (Speer 2022) folds words: all are small, German has "strasse" for "straße", and its sources leave accents out.
A dictionary (pyspellchecker's) and the frequencies show how each is written. Words that people misspell there in the
known ways ("definately") are left out: codespell lists them.
"""

import itertools
import lzma
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from importlib.resources import files

import numpy as np
import regex
from wordfreq import get_frequency_dict, get_frequency_list

from idiolect.models import hashed_frequencies, word_lists
from idiolect.models.dictionary import Spelling
from idiolect.models.hashed_frequencies import (
    LANGUAGES,
    OTHER_LANGUAGES,
    STEP,
    UNKNOWN,
    hash_word,
    other_frequencies,
)
from idiolect.models.lexicon import SIZE
from idiolect.models.misspellings import american
from idiolect.models.word_lists import dictionary_words, general_words

OTHER_WORDS = 2_500  # of each of the other languages, the most used
SHORTEST = 4  # letters: shorter abbreviations and symbols look like names
MAX_IN_ENGLISH = 3e-6  # uses of a foreign word per word of English text
OFTENER = 100.0  # times that a foreign word is used as often in its own language

WORDS = {"en": 80_000}  # in the list of a language, the most used
OTHERS_WORDS = 160_000
LEFT_OUT = 8.0  # times that a word is used as often as the same word without its accents, a mistake
MIN_RATIO = (
    5.0  # how much more often a word is used than its misspelling: what is used nearly as often may be a name
)
# Times that another language uses a word as often that is foreign here, if the dictionary lacks it, or has it.
FOREIGN, FOREIGN_LISTED = 10.0, 60.0
# Of the uses of such a word, in a title or a quotation: the uses among words of this language.
FOREIGN_SHARE = 0.01
WORD = regex.compile(r"\p{Latin}+(?:['’]\p{Latin}+)*")
# "ss" behind these is "ß" in all words that are made of them: "straßenbahnen", which no dictionary has.
SHARP = regex.compile(
    r"(?<=stra|gro|grö|fu|fü|spa|spä|gru|grü|hei|wei|au|äu|schlie|flie|sto|stö|genie|gemä|mä|sü|rei|bei)ss"
)
ONE_LETTER = {"fr": "aàyô", "es": "aeouy", "it": "aeioèòà", "pt": "aeoàéó", "nl": "u"}  # such words
READ = 200_000  # of wordfreq's words, the most used


def without_accents(word: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))


def english_words(spelling: Spelling) -> dict[str, float]:
    """Return the English words but for known misspellings, in lower case, with their uses per word of text."""
    frequencies = get_frequency_dict("en", wordlist="large")
    misspelt = misspellings(frequencies, spelling)
    return {
        word: frequency
        for word, frequency in frequencies.items()
        if WORD.fullmatch(word) and word not in misspelt
    }


def misspellings(frequencies: Mapping[str, float], spelling: Spelling) -> set[str]:
    """Return the words that codespell knows as misspellings, each of one word that is used far more often."""
    found = []
    for line in (files("codespell_lib") / "data" / "dictionary.txt").read_text("utf-8").splitlines():
        word, _, meant = line.partition("->")
        spoken = meant == f"{word}g"  # "talkin" is how it is said, and meant
        often = frequencies.get(meant, 0.0) >= MIN_RATIO * frequencies.get(word, 0.0)
        if word in frequencies and often and not spoken:
            found.append(word)
    spelt = spelling.contain(found)
    return {word for word, known in zip(found, spelt.tolist(), strict=True) if not known}


def written_words(language: str, dictionary: frozenset[str]) -> dict[str, float]:
    """Return the words of a language but English, in lower case, with their uses per word of text."""
    english = get_frequency_dict("en", wordlist="small")
    folded = get_frequency_dict(language, wordlist="large")
    found = defaultdict[str, float](float)
    for word in sorted(folded, key=folded.__getitem__, reverse=True)[:READ]:
        # What else has a single letter is a mark of a list, a unit, a name cut short.
        if WORD.fullmatch(word) and (len(word) > 1 or word in ONE_LETTER.get(language, "")):
            forms = with_sharp_s(word, dictionary) if language == "de" else [word]
            for form in forms:
                found[form] += folded[word] / len(forms)
    drop_misspelt(found, dictionary)
    elsewhere = other_frequencies([*found], without=language).max(1)
    for word, other in zip([*found], elsewhere.tolist(), strict=True):
        times = FOREIGN_LISTED if word in dictionary else FOREIGN
        if max(other, english.get(word, 0.0)) >= times * found[word]:
            found[word] *= FOREIGN_SHARE
    return dict(found)


def with_sharp_s(word: str, dictionary: frozenset[str]) -> list[str]:
    """Return the German words that wordfreq has as one, without its "ß": "masse" are "masse" and "maße"."""
    if "ss" not in word:
        return [word]
    first, *parts = word.split("ss")
    made = (
        first + "".join(itertools.chain(*zip(letters, parts, strict=True)))
        for letters in itertools.product(("ss", "ß"), repeat=len(parts))
    )
    return [form for form in made if form in dictionary] or [SHARP.sub("ß", word)]


def drop_misspelt(found: dict[str, float], dictionary: frozenset[str]) -> None:
    """Take out words without their accents, "fur" and "etait", which no dictionary has."""
    by_plain = defaultdict[str, list[str]](list)
    for word in found:
        by_plain[without_accents(word)].append(word)
    for bare, words in by_plain.items():
        if len(words) > 1 and bare in found and bare not in dictionary:
            with_accents = sum(found[word] for word in words if word != bare)
            if with_accents >= LEFT_OUT * found[bare]:
                del found[bare]


def write_word_lists() -> None:
    rows = {}
    for language in word_lists.LANGUAGES:
        dictionary = dictionary_words(language)
        uses = (
            english_words(Spelling.of(dictionary))
            if language == "en"
            else written_words(language, dictionary)
        )
        words = sorted(sorted(uses, key=uses.__getitem__, reverse=True)[: WORDS.get(language, OTHERS_WORDS)])
        rarity = np.array([round(-100 * np.log10(uses[word])) for word in words], "<u2")
        for name, raw in ((language, "\n".join(words).encode()), (f"{language}_rarity", rarity.tobytes())):
            rows[name] = np.frombuffer(lzma.compress(raw, preset=9), np.uint8)
    np.savez(word_lists.FILE, **rows)


def write_frequencies() -> None:
    hashes, places, rarity = [], [], []
    for language in LANGUAGES:
        for centibels, words in enumerate(get_frequency_list(language, "small")):
            hashes += [hash_word(without_accents(word)) for word in words]
            places += [language != "en"] * len(words)
            rarity += [centibels // STEP] * len(words)
    known, which = np.unique(np.array(hashes, np.uint32), return_inverse=True)
    rarest = np.full((2, len(known)), UNKNOWN, np.uint8)
    np.minimum.at(rarest, (np.array(places, np.intp), which), np.array(rarity, np.uint8))
    np.savez_compressed(hashed_frequencies.FILE, hashes=known, english=rarest[0], elsewhere=rarest[1])


def write_other_frequencies() -> None:
    rows = []
    for place, language in enumerate(OTHER_LANGUAGES):
        listed = [
            (centibels, word)
            for centibels, words in enumerate(get_frequency_list(language, "small"))
            for word in sorted(words)
            if word.isalpha()
        ]
        rows += [(hash_word(word), place, centibels // STEP) for centibels, word in listed[:OTHER_WORDS]]
    hashes, languages, rarity = (np.array(column) for column in zip(*sorted(rows), strict=True))
    np.savez_compressed(
        hashed_frequencies.OTHERS_FILE,
        hashes=hashes.astype(np.uint32),
        languages=languages.astype(np.uint8),
        rarity=rarity.astype(np.uint8),
    )


def write_names() -> None:
    import spylls.hunspell

    dictionary, english = spylls.hunspell.Dictionary.from_files("en_US"), general_words("en")
    words = sorted(english, key=english.__getitem__, reverse=True)[:SIZE]
    elsewhere = other_frequencies(words, without="en").max(1)
    found, foreign = list[bytes](), list[bytes]()
    for word, oftenest in zip(words, elsewhere.tolist(), strict=True):
        base = word.removesuffix("'s")
        if len(base) < SHORTEST or not word[0].isascii() or "'" in base:
            continue
        if dictionary.lookup(word) or american(word) != word:
            continue
        if dictionary.lookup(word[:1].upper() + word[1:]):
            found.append(word.encode())
        elif oftenest >= OFTENER * english[word] and english[word] < MAX_IN_ENGLISH:
            foreign.append(word.encode())
    np.savez_compressed(
        word_lists.NAMES_FILE, names=np.array(sorted(found)), foreign=np.array(sorted(foreign))
    )


if __name__ == "__main__":
    write_word_lists()
    write_frequencies()
    write_other_frequencies()
    write_names()
