"""Vulgar words of the languages that have a word list, as glin-profanity lists them, and what insults in English.

``insults.txt`` has the words that cuss is sure of: insults to people's mind, origin, sex and body. Those that mean
something else far more often are left out of it.
"""

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
#: What the lists have, also with an ending, and what means something else far more often.
_EVERYDAY: Final = """
    butte butter buttered buttering butters cocker dicke dicken dicker hoe pervers spice spiced spicer
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
#: What insults somebody's mind, and is in none of these lists.
_FOOLS: Final = """
    airhead birdbrain blockhead bonehead cretin dimwit dolt dullard dumbo dunce fathead halfwit imbecile knucklehead
    lunkhead nincompoop ninny nitwit numbskull numskull pinhead simpleton
"""
_ENDINGS: Final = ("s", "ed", "er", "ers", "ing", "e", "en", "n")
_SHORTEST: Final = 4  # letters of a word that may have an ending


@cache
def _everyday() -> frozenset[str]:
    return frozenset(_EVERYDAY.split())


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
    if "en" in languages:
        found.update(_FOOLS.split(), Path(__file__).with_name("insults.txt").read_text("utf-8").split())
    return frozenset(word for word in found if word.isalpha()) - _everyday()


def is_vulgar(word: str, languages: tuple[str, ...]) -> bool:
    """Return True for a vulgar word of one of the languages, in any capitals and with a usual ending."""
    listed, folded = vulgar_words(languages), word.lower()
    if folded in listed or folded in _everyday():
        return folded in listed
    stems = (folded.removesuffix(ending) for ending in _ENDINGS if folded.endswith(ending))
    return any(len(stem) >= _SHORTEST and stem in listed for stem in stems)
