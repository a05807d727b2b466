"""Endings by which one word has several forms: no list has all of them, and one is no slip for another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from idiolect.models.dictionary import Spelling

_ENDINGS: Final[Mapping[str, frozenset[str]]] = {
    language: frozenset(("", *endings.split()))
    for language, endings in {
        "de": "e en em er es n s t st te ten tes et",
        "fr": "e s es x r nt ent",
        "es": "a o e s as os es n an en r",
        "it": "a e i o",
        "pt": "a o e s as os es m r",
        "nl": "e en n s t te ten de den",
    }.items()
}
_STEM: Final = 4  # letters that both words begin with, at least


def are_forms_of_one(word: str, other: str, language: str) -> bool:
    """Return True if two words in lower case differ in nothing but endings that the language has.

    English is left out: its list holds the forms of its words.
    """
    endings = _ENDINGS.get(language)
    pairs = enumerate(zip(word, other, strict=False))
    stem = next((place for place, (one, two) in pairs if one != two), min(len(word), len(other)))
    if endings is None or stem < _STEM or word == other:
        return False
    return any(
        word[start:] in endings and other[start:] in endings
        for start in range(max(_STEM, stem - 2), stem + 1)
    )


def is_unlisted_form(typed: str, meant: str, spelling: Spelling) -> bool:
    """Return True if ``typed`` may be a form of the English word ``meant`` that the ``spelling`` lacks.

    Such are "usernames", "customizes" beside "customized", and "comin" for "coming".
    """
    longer, shorter = (typed, meant) if len(typed) > len(meant) else (meant, typed)
    if longer[:-1] == shorter:
        added = longer[-1]
        is_form = added in "dr" and shorter[-1] == "e" and (shorter == meant or shorter[:-1] not in spelling)
        return added == "s" or is_form or (added == "g" and shorter.endswith("in"))
    stem = typed[:-1]
    return stem == meant[:-1] and stem.endswith("e") and {typed[-1], meant[-1]} <= {"d", "r", "s"}
