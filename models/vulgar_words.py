"""Vulgar words of the languages that have a word list, as glin-profanity lists them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_FILES: Final = {
    "en": "english",
    "de": "german",
    "fr": "french",
    "es": "spanish",
    "it": "italian",
    "pt": "portuguese",
    "nl": "dutch",
}
#: What the lists have, and what means something else far more often.
_EVERYDAY: Final = """
    bs domination escort hardcore hooker intercourse mf playboy rape raping rapist sex snatch xx
    bonze fratze lümmel mufti möpse nackt orgasmus popel rosette vollpfosten
    baiser bander bitte bosser bourré bourrée caca cailler chatte drague folle gerbe gerber jouir meuf pipi pédale péter
    ramoner tanche teuf trique veuve
    asesinato asno bastardo caca concha drogas esperma heroína infierno maciza martillo nazi orina pervertido pezón pis
    prostituta racista semen sexo sádico travesti trio vulva
    bagnarsi balle battere cadavere cammello cappella carciofo carità checca cornuto cozza duro fava finocchio grilletto
    guanto lumaca manico mona monta montare nudo palle pesce pipa pisello pistola pompa quaglia regina sbattere sega
    spagnola tirare topa uccello vacca venire
    aborto amador aranha ariano bissexual burro camisinha cerveja cocaína comer consolo corno fecal heroína heterosexual
    homosexual inferno lésbica lolita mama pau pinto saco torneira vibrador
    aftrekken anita asbak aso balen beurt bekken belazeren del dombo engerd gat griet hol johny kloten knor lummel matje
    mof muts naaien naakt nicht opzouten paal palen poot pot schatje standje stootje toeter tongzoen vingeren watje
    wippen zuigen zaadje
"""
_ENDINGS: Final = ("s", "ed", "er", "ers", "ing", "e", "en", "n")
_SHORTEST: Final = 4  # letters of a word that may have an ending


@cache
def vulgar_words(languages: Iterable[str]) -> frozenset[str]:
    """Return the vulgar words of the languages (a tuple), in lower case."""
    package = find_spec("glin_profanity")  # the package itself is not run
    folder = Path(str(package and package.origin)).parent / "data" / "dictionaries"
    found = {
        word.lower()
        for language in languages
        for word in json.loads((folder / f"{_FILES[language]}.json").read_text("utf-8"))["words"]
    }
    return frozenset(word for word in found if word.isalpha()) - set(_EVERYDAY.split())


def is_vulgar(word: str, languages: tuple[str, ...]) -> bool:
    """Return True for a vulgar word of one of the languages, in any capitals and with a usual ending."""
    listed, folded = vulgar_words(languages), word.lower()
    if folded in listed:
        return True
    stems = (folded.removesuffix(ending) for ending in _ENDINGS if folded.endswith(ending))
    return any(len(stem) >= _SHORTEST and stem in listed for stem in stems)
