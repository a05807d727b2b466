"""Words within words.

German and Dutch make compounds of two, "Sicherheitsabstand", and no list can have them all. In French and Italian short
words stand before another one with an apostrophe: "l'arbre", "qu'il", "dell'anno".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


# What may stand between the two parts, and the "e" that the first one may lose: "Schul|weg".
_LINKS: Final[Mapping[str, tuple[str, ...]]] = {
    "de": ("", "s", "es", "n", "en", "er", "e"),
    "nl": ("", "s", "e", "en", "n"),
}
_LOST: Final = "e"
_MIN_LETTERS: Final = 3  # of the first part
_MAX_LETTERS: Final = 50  # of what is typed: each place is looked up, and more letters are no word
_MOST: Final = 2  # places: each costs a pass


def second_part_starts(
    typed: str, language: str, is_word: Callable[[str], bool], begins_word: Callable[[str], bool]
) -> list[int]:
    """Return after how many letters of what is typed the second part of a compound may begin, the last place first.

    ``is_word`` says whether letters are a known word of the language, ``begins_word`` whether such a word begins so.
    """
    links = _LINKS.get(language)
    if links is None or len(typed) > _MAX_LETTERS:
        return []

    def is_first_part(letters: str) -> bool:
        stems = (letters.removesuffix(link) for link in links if letters.endswith(link))
        return is_word(letters + _LOST) or any(len(stem) >= _MIN_LETTERS and is_word(stem) for stem in stems)

    places = range(len(typed) - 1, _MIN_LETTERS - 1, -1)
    return [place for place in places if begins_word(typed[place:]) and is_first_part(typed[:place])][:_MOST]
