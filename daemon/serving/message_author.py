"""Who wrote a message, by the line above it, its header, what is said of a quotation, or its signature.

The header of a mail that is being written says to whom it goes, who is greeted in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email.utils import getaddresses
from typing import Final

import regex

from idiolect.adapters.prediction.answered import without_addresses
from idiolect.daemon.sources.replies import FIELD, FROM, WROTE

_HEAD_LINES: Final = 3  # that may say who wrote and when; below them it is the message
_HEAD_CHARS: Final = 120  # of such a line
_SIGNED_LINES: Final = 3  # at the end, among which a name that stands alone is a signature
_MOST_CHARS: Final = 32  # of a word of a name, or of a handle

# By language: the words for days, what else stands in a line that tells a time, and how one's own messages are signed.
_DAY_NAMES: Final = """
    now just today yesterday monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur
    thurs fri sat sun jetzt heute gestern montag dienstag mittwoch donnerstag freitag samstag sonntag mo mi
    maintenant aujourd'hui hier lundi mardi mercredi jeudi vendredi samedi dimanche ahora hoy ayer lunes martes
    miércoles jueves viernes sábado domingo adesso oggi ieri lunedì martedì mercoledì giovedì venerdì sabato
    domenica nu vandaag gisteren maandag dinsdag woensdag donderdag vrijdag zaterdag zondag agora hoje ontem
    segunda terça quarta quinta sexta
"""
_OF_TIMES: Final = """
    january february march april may june july august september october november december jan feb mar apr jun
    jul aug sep sept oct nov dec januar februar märz mai juni juli oktober dezember mär okt dez janvier février
    mars avril juin juillet août septembre octobre novembre décembre janv févr avr juil déc enero febrero marzo
    abril mayo junio julio agosto septiembre octubre noviembre diciembre ene abr ago dic gennaio febbraio aprile
    maggio giugno luglio settembre ottobre dicembre gen mag giu lug set ott januari februari maart mei augustus
    mrt janeiro fevereiro março maio junho julho setembro outubro novembro dezembro fev a an at on in about last
    the of and am um vor uhr le il el y h à às alle op om den dne em de del s sec secs second seconds sekunde
    sekunden seconde secondes segundos secondi secondo m min mins minute minutes minuten minuto minutos minuti
    hr hrs hour hours stunde stunden std heure heures hora horas ora ore uur d day days tag tage tagen jour
    jours día días dia dias giorno giorni dag dagen w wk week weeks woche wochen semaine semaines semana semanas
    settimana settimane weken mo month months monat monate monaten mois mes meses mese mesi maand maanden year
    years yr jahr jahre jahren ans año años ano anos anno anni jaar hace há fa geleden pm utc gmt cet cest est
    edt pst pdt t z st nd rd th edited bearbeitet modifié editado modificato bewerkt posted sent written updated
    gesendet
"""
_OWN_NAMES: Final = """
    you me i du ich vous toi moi je tú tu yo usted io jij ik eu você вы ты я 我 你 jag jeg minä
"""
# What begins a line as names do, and is none.
_LIKE_NAMES: Final = """
    hi hello hey dear hallo liebe lieber liebes bonjour salut hola ciao thanks thank regards cheers best
    sincerely yes no ok okay sent grüße he she it they we who someone somebody everyone nobody this that there
    er sie es wir guten moin servus sehr geehrte geehrter danke viele mit beste ja nein chère chers merci
    cordialement bien oui non bonsoir buenos buenas estimado estimada querido querida gracias saludos sí
    buongiorno buonasera gentile grazie saluti sì olá oi prezado prezada obrigado obrigada
    cumprimentos abraço sim não hoi geachte lieve bedankt groeten groetjes nee note ps edit update todo question
    answer example warning error tip hint reminder remember re
    fwd aw wg posts joined location commented said replied wrote reply quote hinweis frage antwort title author
    from http https fix feat chore docs test customer order due ticket status problem steps expected description
    summary version good great nice sure sorry please perfect agreed done what why how when where
"""
_ALSO_NAMES: Final = frozenset(("jan", "april", "may", "june", "jun", "august", "juli", "mai", "mars", "mo"))
_DAYS: Final = frozenset(_DAY_NAMES.split())
_TIME_WORDS: Final = _DAYS.union(_OF_TIMES.split())
_ONLY_TIMES: Final = _TIME_WORDS - _ALSO_NAMES
_OWN: Final = frozenset(_OWN_NAMES.split())
_NO_NAME: Final = frozenset(_LIKE_NAMES.split())

_WORD: Final = regex.compile(r"[\p{L}\p{M}'’]+")
_CAPITALISED: Final = rf"\p{{Lu}}[\p{{L}}\p{{M}}'’.-]{{0,{_MOST_CHARS - 1}}}+"
_NAME: Final = rf"{_CAPITALISED}(?: {_CAPITALISED}){{0,3}}"
_BEGINS: Final = regex.compile(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}'’_.-]*+")
_STAMP: Final = regex.compile(
    r"\[?(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4},? )?\d{1,2}[:.]\d\d(?:[:.]\d\d)?(?: ?[ap]\.?m\.?)?\]?[ \t–-]+",
    regex.IGNORECASE,
)
_IN_BRACKETS: Final = regex.compile(r"\([^()]{0,20}\)")
_SAYS: Final = regex.compile(
    rf"[ \t]+(?:{WROTE}|commented|said|says|replied|posted|answered|asked|opened(?: this)?|kommentierte|sagte"
    r"|antwortete|a commenté|a dit|a répondu|comentó|dijo|respondió|ha commentato|ha detto|ha risposto|reageerde|zei"
    r"|comentou)\b",
    regex.IGNORECASE,
)
_ENDS: Final = regex.compile(r":(?=\s|$)|\|")  # of what a line says of its message
_SENTENCE_ENDS: Final = regex.compile(r"[.!?…–—]\s")
_FROM: Final = regex.compile(rf"(?m)^[^\w\n]*(?i:{FROM})\s?[:：] *\"?({_NAME})")
_QUOTED: Final = regex.compile(
    rf"\b(?:(?i:{WROTE})[ \t]+(?P<behind>{_NAME})"
    rf"|(?P<before>{_NAME})\"?(?: *[<(][^>)\n]{{0,100}}[>)])?\s{{1,3}}(?i:{WROTE})(?![ \t]+\p{{Lu}}))"
    r"[^\n:]{0,120}:"
)
_DRAFT: Final = regex.compile(
    r"(?:(?:To|Cc|Subject):[^\n]*+(?:\n[ \t][^\n]*+)*+(?:\n|\Z))++", regex.IGNORECASE
)
_TO: Final = regex.compile(r"(?m)^To:((?>[^\n]{0,200})(?>\n[ \t][^\n]{0,200}){0,4})", regex.IGNORECASE)
_FIRST_AND_LAST: Final = regex.compile(r"\p{L}{2,32}\.\p{L}{2,32}@.+")
# In the name of a list or an office, which is nobody's first name.
_OF_MANY: Final = """
    list lists mailing team group users devel developers support service customer office info sales staff crew help
"""
_MANY: Final = frozenset(_OF_MANY.split())
_SIGNED: Final = regex.compile(rf"\W{{0,16}}({_NAME})\W{{0,16}}")


def author_of(texts: Sequence[str]) -> str:
    """Return the first name or handle of who wrote the newest text that says so and is not the user's own; else "".

    A text that is the header of a mail that is being written names to whom it goes.
    """
    for text in reversed(texts):
        name = _greeted(text) if _DRAFT.fullmatch(text) else _author(without_addresses(text))
        if name and name.casefold() not in _OWN:
            return name
    return ""


def _greeted(header: str) -> str:
    """Return the first name of the one to whom a mail goes first, by their name or an address such as first.last@…."""
    to = _TO.search(header)
    found = getaddresses([" ".join(to[1].split())])[:1] if to is not None else []
    for name, address in found:
        last, comma, first = name.partition(",")
        name = f"{first.strip()} {last}" if comma else name
        if not name and _FIRST_AND_LAST.fullmatch(address):
            name = address.partition("@")[0].replace(".", " ").title()
        words = {word.casefold() for word in _WORD.findall(name)}
        return _first(name) if name[:1].isupper() and words.isdisjoint(_MANY) else ""
    return ""


def _author(text: str) -> str:
    """Return who wrote one text, which may be "You"."""
    lines = [line.strip() for line in text.split("\n") if any(map(str.isalnum, line))]
    quoted = _QUOTED.search(text)
    above = text[: quoted.start()] if quoted is not None else text
    sent = _FROM.search(above)
    return (
        next(_heads(lines), "")
        or (_first(sent[1]) if sent is not None else "")
        or (_above(lines) if quoted is None or "\n" in above else "")
        or _signed(above)
        or (_first(quoted["behind"] or quoted["before"]) if quoted is not None else "")
    )


def _heads(lines: list[str]) -> Iterator[str]:
    """Who is named beside a time, or as one who wrote, in the first lines or at the end of the last."""
    for place, line in enumerate(lines[:_HEAD_LINES]):
        stamp = _STAMP.match(line)
        line = line[stamp.end() if stamp is not None else 0 :][:_HEAD_CHARS]
        name, said = _begun(line)
        end = _ENDS.search(said)
        if (
            not name
            or _tells_time(line)
            or (place + 1 == len(lines) and (end is None or not said[end.end() :].strip()))
        ):
            continue
        said = said[: end.start()] if end is not None else said
        says = _SAYS.match(said)
        said = said[says.end() :] if says is not None else said
        if _tells_time(said, or_nothing=says is not None or (stamp is not None and end is not None)):
            yield name
    for line in lines[-1:]:
        *before, last = _SENTENCE_ENDS.split(line[-_HEAD_CHARS:])
        name, said = _begun(last)
        if before and name and _tells_time(said):
            yield name


def _above(lines: list[str]) -> str:
    """Return a name that stands alone on the first line that is no time's, or before its colon."""
    for place, line in enumerate(lines[:_HEAD_LINES]):
        if _tells_time(line):
            continue
        name, said = _begun(line[:_HEAD_CHARS])
        said, below = _IN_BRACKETS.sub("", said).strip(), lines[place + 1 : place + 1 + _HEAD_LINES]
        is_alone = bool(below) and not said and (name[:1].isupper() or any(map(_tells_time, below)))
        is_before_colon = regex.match(r":\s+\S", said) or (said == ":" and below)
        return name if is_alone or (is_before_colon and not FIELD.match(line)) else ""
    return ""


def _signed(text: str) -> str:
    """Return the name that stands alone in one of the last lines, which is not the only one."""
    lines = [line for line in text.split("\n") if line.strip()]
    for line in reversed(lines[1:][-_SIGNED_LINES:]):
        signed = _SIGNED.fullmatch(line)
        if signed is not None and (name := _first(signed[1])):
            return name
    return ""


def _begun(line: str) -> tuple[str, str]:
    """Return the first name of the one to three capitalised words, or the handle, that a line begins with; the rest."""
    line = line.removeprefix("@")
    words: list[str] = []
    end = begins = 0
    while len(words) < 3 and (found := _BEGINS.match(line, begins)) is not None:
        word = _bare(found[0])
        if words and not (word[:1].isupper() and word.casefold() not in _TIME_WORDS):
            break
        words.append(word)
        end = begins + len(word)
        begins = end + 1
        if len(word) > _MOST_CHARS or not word[:1].isupper() or line[end:begins] != " ":
            break
    return (_first(" ".join(words)) if max(map(len, words), default=0) <= _MOST_CHARS else ""), line[end:]


def _first(name: str) -> str:
    """Return the first word of a name that may be one; "" where it is no name."""
    words = [word for word in map(_bare, name.split()) if word.casefold() not in _ONLY_TIMES]
    if not words or any(word.casefold() in _NO_NAME for word in words):
        return ""
    word = words[0]
    is_name = 1 < len(word) <= _MOST_CHARS and any(map(str.isalpha, word))
    return word if is_name or word.casefold() in _OWN else ""


def _bare(word: str) -> str:
    return word.rstrip(".-'’")


def _tells_time(said: str, *, or_nothing: bool = False) -> bool:
    """Return whether a part of a line tells a time and nothing else."""
    words = [word.casefold() for word in _WORD.findall(_IN_BRACKETS.sub("", said))]
    if len(said) > _HEAD_CHARS or any(word not in _TIME_WORDS for word in words):
        return False
    tells = any(map(str.isdigit, said)) or not _DAYS.isdisjoint(words)
    return tells or (or_nothing and not words)
