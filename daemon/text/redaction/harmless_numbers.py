"""Numbers that are no secret, whatever stands before them: with a unit or a noun that they count, a time, a year."""

from __future__ import annotations

from typing import Final

import regex

from idiolect.adapters.memory.secret_cues import Cue, cues, folded
from idiolect.daemon.text.redaction.rule import lazy
from idiolect.models.hashed_frequencies import zipf

#: Units, and nouns that people count, folded; English, German, French, Spanish, Italian, Portuguese, Dutch.
_COUNTED_WORDS: Final = """
    € $ £ ¥ % ‰ ° °c °f euro euros eur dollar dollars usd pound pounds gbp cent cents bucks francs franken chf kronen
    kroner yen yuan peso pesos reais livres libras lire rupees percent prozent procent
    km kilometer kilometers kilometre kilometres kilometern kilometros chilometri quilometros m meter meters metre
    metres metern metros metri mile miles meilen milles millas miglia milhas mijl feet foot ft fuss yards inches cm mm
    centimeter centimeters centimetres zentimeter hectares hektar hectareas ettari acres quadratmeter m2 qm
    kg kilo kilos kilogram kilograms kilogramm gram grams gramm grammes gramos grammi gramas tons tonnes tonnen
    toneladas tonnellate ton lbs liter liters litre litres litern litros litri ml
    kb mb gb tb bytes watt watts kwh kcal calories kalorien calorias calorie volt grad degrees degres grados gradi
    year years jahr jahre jahren ans annees anos anni jaar jaren month months monate monaten mois meses mesi maanden
    week weeks wochen semaines semanas settimane weken day days tag tage tagen jours dias giorni dagen
    hour hours stunden heures horas ore uren minute minutes minuten minutos minuti second seconds sekunden secondes
    segundos secondi seconden
    inhabitant inhabitants resident residents people persons souls einwohner einwohnern einwohnerinnen menschen personen
    leute leuten bewohner bewohnern seelen habitants personnes gens ames habitantes personas almas vecinos abitanti
    persone anime pessoas inwoners mensen zielen
    step steps schritte schritten pas pasos passi passos stappen times mal fois veces volte vezes keer
    page pages seiten paginas pagine bladzijden word words worter wortern mots palabras palavras woorden
    vote votes stimmen voix votos voti stemmen points punkte punkten puntos punti pontos punten
    guests visitors gaste gasten besucher besuchern members mitglieder mitgliedern mitarbeiter employees membres
    miembros
    tickets karten billets entradas biglietti bilhetes kaartjes copies exemplare exemplaires ejemplares copie
    lines zeilen lignes lineas righe linhas regels pieces stuck stucke stuks
"""
#: What stands before a year.
_IN_YEAR_WORDS: Final = """
    in since of from year until till before after circa around by summer winter spring autumn
    im jahr jahre anno seit von aus bis um vor nach ab sommer fruhjahr herbst
    en de depuis an annee des vers ete hiver del desde ano hacia hasta nel dal al em ate uit van sinds jaar tot
"""
#: What stands before the number of a telephone in a house, and what may stand between.
_TELEPHONE_WORDS: Final = """
    ext extension durchwahl nebenstelle anschluss poste anexo interno ramal extensao toestel doorkiesnummer
"""
_NUMBER_WORDS: Final = "number no nummer nr numero num is ist es est e the"
_TELEPHONES: Final = frozenset(_TELEPHONE_WORDS.split())
_NUMBERS: Final = frozenset(_NUMBER_WORDS.split())
_COUNTED: Final = frozenset(_COUNTED_WORDS.split())
_IN_YEAR: Final = frozenset(_IN_YEAR_WORDS.split())
#: What stands before a time of day, behind a verb of it; and where a clock is set to it.
_AT: Final = frozenset(["at", "um", "om", "alle", "las"])
_SET_TO: Final = _AT | frozenset(
    ["as", "to", "for", "on", "auf", "fur", "pour", "sur", "para", "per", "op", "voor"]
)
_AT_A_TIME_WORDS: Final = """
    off ring rings rang sounds beeps opens closes starts klingelt lautet offnet suena suona toca abre apre
"""
_AT_A_TIME: Final = frozenset(_AT_A_TIME_WORDS.split())
_CLOCKS: Final = frozenset(["wecker", "reveil", "despertador", "sveglia", "wekker"])
#: Said beside a code, whatever clock is spoken of.
_GUARDED: Final = lazy(
    r"(?i)safe|(?<!c)lock|panel|keypad|vault|burglar|intruder|disarm|\barm(?:ed|ing)?\b|nobody|no one|anyone|anybody"
    r"|tresor|schloss|schlöss|niemand|coffre|cadenas|personne|caja|candado|nadie|cassaforte|lucchetto|nessuno"
    r"|cofre|cadeado|ningu[ée]m|kluis|slot"
)
_TIME: Final = lazy(r"(?:[01][0-9]|2[0-3])[0-5][05]")
_YEAR: Final = lazy(r"1[0-9]{3}|20[0-9]{2}")
_SECRET: Final = frozenset((Cue.PASSWORD, Cue.CODE, Cue.KEY))
_SPEAKING: Final = _SECRET | {Cue.PLACE, Cue.SPELLING}
_ACTING: Final = frozenset((Cue.ENTRY, Cue.LINK))
_BEFORE, _BEHIND = 120, 60  # characters of a number's sentence that are looked at
_ENDS: Final = lazy(r"[.!?;:…](?=\s)|\n")
_WORD: Final = regex.compile(r"[\p{L}\p{N}'’-]+|[€$£¥%‰°][cf]?", regex.IGNORECASE)
_PLURAL: Final = lazy(r"[^\W\d_]{3,30}s\Z")
_NOUN: Final = lazy(r"[^\W\d_a-zäöü][^\W\d_A-Z]{3,30}\Z")  # as German writes all of them
_COMMON: Final = 5.3  # on Zipf's scale: "always", "does"


def counts_something(text: str, start: int, end: int) -> bool:
    """Whether the figures at [start, end) have a unit, count a noun, or are a time or a year, and no code is named."""
    number = text[start:end]
    if not number.replace(" ", "").isdigit():
        return False
    before = _ENDS.split(text[max(0, start - _BEFORE) : start])[-1]
    behind = _ENDS.split(text[end : end + _BEHIND])[0]
    words_before, words_behind = (list(map(folded, _WORD.findall(part))) for part in (before, behind))
    named = [word for word in words_before[-3:] if word not in _NUMBERS]
    if not _COUNTED.isdisjoint(words_behind[:1]) or not _TELEPHONES.isdisjoint(named[-1:]):
        return True
    said = frozenset[Cue]().union(*map(cues, (*words_before, *words_behind)))
    if not _SECRET.isdisjoint(said):
        return False
    if not _COUNTED.isdisjoint(words_behind[1:2]):
        return True
    if _TIME.fullmatch(number) and _is_time(words_before):
        return _GUARDED.search(text, max(0, start - _BEFORE), end + _BEHIND) is None
    if _YEAR.fullmatch(number) and not _IN_YEAR.isdisjoint(words_before[-1:]):
        return _ACTING.isdisjoint(cues(words_before[-2])) if len(words_before) > 1 else True
    return (
        _SPEAKING.isdisjoint(said) and behind[:1] == " " and _is_noun("".join(behind.split(maxsplit=1)[:1]))
    )


def _is_time(before: list[str]) -> bool:
    """Whether the words before four figures say when a clock or a house rings, opens or is set to do so."""
    verbs, clock = before[-4:-1], not _CLOCKS.isdisjoint(before[-6:])
    if before[-1:] == ["for"] and "set" in before[-5:-1]:
        return any(word.startswith("alarm") for word in before[-6:])
    return not (_SET_TO if clock else _AT).isdisjoint(before[-1:]) and (
        clock or not _AT_A_TIME.isdisjoint(verbs)
    )


def _is_noun(word: str) -> bool:
    """Whether a word is a plural or, by its capital, a German noun, and no word such as "opens" or "always"."""
    word = word.strip(".,!?;)\"'")
    may_be_one = (_PLURAL.match(word) or _NOUN.match(word)) and _ACTING.isdisjoint(cues(folded(word)))
    return bool(may_be_one) and 0 < max(zipf(folded(word))) < _COMMON
