"""Makes the tables of words in models/ anew, from the installed wordfreq and a dictionary; needs the package spylls.

`python tests/bench/word_tables.py` writes frequencies.npz, other_languages.npz and names.npz. The tagger of secrets
must be trained again when the frequencies change.
"""

import unicodedata

import numpy as np
from wordfreq import get_frequency_list

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
from idiolect.models.lexicon import SIZE, english_words
from idiolect.models.misspellings import american

OTHER_WORDS = 2_500  # of each of the other languages, the most used
SHORTEST = 4  # letters: shorter abbreviations and symbols look like names
MAX_IN_ENGLISH = 3e-6  # uses of a foreign word per word of English text
OFTENER = 100.0  # times that a foreign word is used as often in its own language


def without_accents(word: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))


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

    dictionary, english = (
        spylls.hunspell.Dictionary.from_files("en_US"),
        english_words(Spelling.of_languages(["en"])),
    )
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
    write_frequencies()
    write_other_frequencies()
    write_names()
