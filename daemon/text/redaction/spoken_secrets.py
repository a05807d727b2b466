"""Secrets that a sentence tells: the turns of a safe, a password that was changed or is still the same."""

from __future__ import annotations

import re
from typing import Final

from idiolect.adapters.memory.secret_cues import Cue, cues, folded
from idiolect.daemon.text.redaction.labels import frequency, is_said_of_a_field
from idiolect.daemon.text.redaction.rule import DONE, Span, named
from idiolect.daemon.text.redaction.word_features import STATE

_RARE: Final = 3.5  # on Zipf's scale: hardly any sentence has a rarer word
_COMMON: Final = 4.6
_VERY_COMMON: Final = 5.2
_WORD: Final = r"[^\W\d_](?:[\w&!*#]|[-'’](?=[^\W_])){1,40}"
_QUOTE: Final = r"[\"'“„«‹‘‚]{0,2}[ ]?"
_CLOSES: Final = r"[\"'”“»›’]{0,2}"

# --- the turns of a safe

_SIDE: Final = (
    r"(?:left|right|clockwise|anti-?clockwise|counter-?clockwise|links|rechts|(?:à )?(?:gauche|droite)"
    r"|(?:a la )?(?:izquierda|derecha)"
    r"|(?:a )?(?:sinistra|destra)|(?:à )?(?:esquerda|direita))"
)
_FILLED: Final = (
    r"(?:[ \t:]{1,2}(?:to|on|at|past|stop|auf|bis|zur|zu|die|sur|jusqu['’]?(?:à|au)|hasta|el|al|a|su"
    r"|fino|até|o|tot|op|naar)){0,2}"
)
_TURN: Final = rf"(?:{_SIDE}{_FILLED}[ \t:]{{1,3}}\d{{1,2}}|\d{{1,2}}[ \t]{{1,2}}{_SIDE})(?![\w])(?!\.\d|,\d)"
_NEXT: Final = (
    r"[ \t]{0,3}[,;.·–/-]?[ \t\n]{1,3}(?:(?:then|and|und|dann|wieder|again|back|turn|puis|ensuite|et"
    r"|luego|después|y|poi|e|depois|dan|en|twice|zweimal)[ \t]{1,2}){0,3}"
)
TURNS: Final = rf"(?i:(?<![^\W_])(?P<s>{_TURN}(?:{_NEXT}{_TURN}){{2,9}}))"
TURNS_HINTS: Final = (
    "left|right|clockwise|links|gauche|droite|izquierda|derecha|sinistra|destra|esquerda|direita"
)

# --- passwords

_LABEL: Final = (
    r"passw(?:or)?d|passwort|kennwort|passphrase|wachtwoord|contrase[ñn]a|palavra-passe|mot de passe"
    r"|mdp|senha|clave"
)
_CHANGED: Final = (
    r"chang\w{1,3}|set|reset|updated?|(?:um)?(?:ge)?(?:änder|aender|stell|wechsel)t?e?|gesetzt|setz(?:e|te)"
    r"|changée?|modifiée?|mise?"
    r"|remplacée?|cambiado|cambié|cambiamos|puesto|puse|cambiato|impostat[oa]|messo|mud(?:ei|ou|ado)|alter(?:ei"
    r"|ado)|troquei"
    r"|gewijzigd|veranderd|gezet|ingesteld|aangepast|wijzig|verander"
)
_INTO: Final = r"(?:to|auf|in|zu|sur|en|par|a|con|para|naar|op)"
_FEW: Final = r"(?:[ \t]{1,4}[\w.@'’-]{1,20}){0,7}?"
_WHEN: Final = (
    r"(?:[ ](?:yesterday|today|now|gestern|heute|jetzt|hier|aujourd'hui|maintenant|ayer|hoy|ahora|ieri"
    r"|oggi|ontem|hoje|gisteren|vandaag))?"
)
#: A word that a password was changed to, at the end of what is said.
CHANGED: Final = (
    rf"(?i:(?<![^\W_])(?:(?:\w{{1,20}}-?)?(?:{_LABEL}){_FEW}[ \t]{{1,4}}(?:{_CHANGED}){_FEW}"
    rf"|(?:{_CHANGED}){_FEW}[ \t]{{1,4}}(?:\w{{1,20}}-?)?(?:{_LABEL}){_FEW}"
    rf"|(?:{_LABEL}){_FEW}(?=[ \t]{{1,4}}{_INTO}[ \t]{{1,4}}\S{{2,42}}[ \t]{{1,4}}(?:{_CHANGED})(?![^\W_])))"
    rf"[ \t]{{1,4}}{_INTO}[ \t]{{1,4}}{_QUOTE}(?P<s>{DONE}{_WORD}){_CLOSES}(?:[ ](?:{_CHANGED}))?{_WHEN}"
    r"[.!]?(?=[ \t]{0,8}(?:\n|\Z)|[.!,;)][ \n]|[ ][-–(]))"
)
#: A user's name, and the word that is named as the password beside it.
BESIDE_NAME: Final = (
    r"(?i:(?<![^\W_])(?:user(?:name)?|login|benutzer(?:name)?n?|nutzer|utilisateur|identifiant|usuario|utente"
    r"|utilizador|usuário"
    rf"|gebruiker(?:snaam)?)[ :]{{1,3}}\S{{2,40}},?[ ](?:and|und|et|y|e|en|with|mit|avec|con|com"
    rf"|met)(?:[ ][^\W\d_]{{1,4}})?[ ]"
    rf"(?:{_LABEL})[ :]{{1,3}}{_QUOTE}(?P<s>{DONE}{_WORD}))"
)
#: Several words, of which no sentence is made.
SEVERAL: Final = (
    rf"(?i:(?<![^\W_])(?:{_LABEL}){_FEW}[ \t]{{1,4}}(?:is|ist|lautet|est|es|è|é)[ \t:]{{1,4}}"
    rf"(?P<s>{DONE}[^\W\d_]{{3,20}}(?:[ ][^\W\d_]{{3,20}}){{2,6}})(?=[.!]?[ \t]{{0,8}}(?:\n|\Z)))"
)
#: What may stand between "is" and a password that has long been the same.
_STILL: Final = (
    r"(?:still|always|just|simply|actually|btw|by the way|now|again|of course|currently|basically|literally"
    r"|probably|i think|apparently|obviously|embarrassingly"
    r"|as ever|as of (?:today|now)|since \w{4,10}|once more|for years|i['’]m pretty sure|pretty sure|i guess"
    r"|if i remember right|übrigens|immer|noch"
    r"|nach wie vor|weiterhin|einfach|nur|jetzt|jahrelang|seit (?:gestern|heute|montag|kurzem|neuestem"
    r"|letzter woche)|ab (?:heute|sofort)|seit (?:jahren|ewigkeiten|immer|jeher)|ich glaube"
    r"|denke ich|gerade|zurzeit|glaub(?:e)? ich|natürlich|halt|eben|eigentlich|ja|doch|wieder"
    r"|leider|tatsächlich|wohl|aktuell|momentan|derzeit|bloß|mittlerweile|inzwischen|toujours|encore|juste"
    r"|simplement|d['’]ailleurs|maintenant|en fait|bêtement"
    r"|tout|depuis (?:toujours|des années)|je pense|depuis (?:hier|peu)|redevenu|à nouveau|de nouveau"
    r"|si je me souviens bien|actuellement|je crois|du coup|au fait"
    r"|évidemment|siempre|todavía|aún|por cierto|ahora|simplemente|solo|creo|actualmente|sigue siendo|de momento|pues"
    r"|claro|desde siempre|desde (?:ayer|hoy|ontem|hoje)|otra vez|outra vez|de nuevo|de novo|di nuovo|da ieri"
    r"|da oggi|weer|sinds \w{4,10}|desde hace años|si no recuerdo mal|da sempre|da anni|se non sbaglio|desde sempre"
    r"|há anos"
    r"|se não me engano|al jaren|ancora|sempre|solo|semplicemente|tra l['’]altro|comunque|ora|adesso|credo"
    r"|attualmente|per ora|ovviamente|tuttora|ainda|só|simplesmente|aliás|agora"
    r"|acho|atualmente|por acaso|já agora|nog|steeds|altijd|gewoon|trouwens|nu|eigenlijk|namelijk|nog altijd"
    r"|momenteel|denk ik|natuurlijk|overigens|gewoonweg)"
)
#: What is said of a password there, folded, by no ending that tells it.
_STATE_WORDS: Final = """
    broken wrong weak strong secret hidden invalid unknown missing lost gone blank garbage trash rubbish crap shit shite nonsense
    bullshit pants bollocks insane crazy ridiculous stupid dumb silly weird fine ok okay good bad easy hard simple safe secure correct
    stuck dead void useless mine yours ours default pending overdue unclear intact unsafe insecure awful terrible lousy clunky daft
    kaputt geheim weg falsch schwach stark lang kurz sicher unsicher gleich unbekannt dasselbe futsch leer mist mull schrott
    scheisse murks schlecht gut blod doof simpel bloed leicht schwer richtig pflicht geheimsache standard chefsache quatsch unsinn korrekt
    perdu faux fausse nul nulle bon bonne mauvais correct incorrect secret faible fort simple pourri bidon vide absent merde inconnu bete debile
    caduca malo mala buena bueno falsa falso debil fuerte secreta secreto igual mierda basura vacia larga corta facil dificil absurda ridicula
    segreta segreto debole forte lunga corta uguale merda spazzatura vuota giusta facile difficile banale ridicola assurda pessima scaduta
    fraca fraco forte lixo vazia longa curta igual ridicula parva pessima segreda
    fout kwijt weg zwak sterk lang kort geheim onveilig veilig hetzelfde gelijk troep rotzooi leeg makkelijk moeilijk stom slecht goed klote
    verlopen vergeten ruk waardeloos belachelijk
"""
_STATES: Final = frozenset(_STATE_WORDS.split())
#: A password behind such words, at the end of what is said.
STILL: Final = (
    rf"(?i:(?<![^\W_])(?:\w{{1,20}}-?)?(?:{_LABEL})(?![ -](?:polic|manag|reset|field|prompt|generat|protect|hash"
    rf"|rule|gestion|gestor|beheer)){_FEW}(?:,[ ][^,.!?\n]{{2,30}},)?,?[ \t]{{1,4}}(?:(?:is|was|ist|war|lautet"
    rf"|heißt|est"
    rf"|c['’]est|es|era|è|é|foi"
    rf"|blijft|heet)(?:,?[ ]{_STILL}){{1,5}}|(?:{_STILL})[ ](?:is|es|è|é|era|c['’]est|est)|remains|stays|bleibt"
    rf"|reste|sigue siendo|continúa siendo|rimane|resta|continua a ser|continua|blijft"
    rf"|(?:is|ist|lautet|est|c['’]est|es|è|é),[ ][^,.!?\n]{{2,30}},"
    rf"|(?<=,[ ])(?:is|ist|est|c['’]est|es|è|é)"
    rf"|(?:has(?: not|n['’]t) changed|n['’]a pas (?:changé|bougé)|hat sich nicht geändert|no ha cambiado"
    rf"|non è cambiata|não mudou|is niet veranderd"
    rf"|changed|geändert|changé|cambiad[oa]|cambiat[oa]|mudei|mudada|gewijzigd|veranderd)[,:](?: jetzt| now"
    rf"| maintenant| ahora| ora| adesso| agora| nu)?"
    rf"(?: it['’]s| it is| c['’]est| es ist| es| è| é| het is)?)"
    rf"(?:,?[ ]{_STILL}){{0,2}},?[ :]{{1,2}}{_QUOTE}(?P<s>{DONE}{_WORD}){_CLOSES}"
    r"(?=[.!]?[ \t]{0,8}(?:\n|\Z)|[.!,;)][ \n]|[ ][-–(]|[ ](?:if|in case|falls|wenn|si|por si|se|caso|als|mocht|and"
    r"|und|but|aber|mais|pero|ma|mas|maar)[ ]))"
)
LABEL_HINTS: Final = "passw|passp|kennwort|wachtwoord|contrase|palavra-p|mot de p|mdp|senha|clave"


def rare_word(match: re.Match[str]) -> Span | None:
    """The value, unless it is a word that such a sentence would have anyway: "to expire", "auf Wunsch"."""
    word = match["s"]
    infinitive = word.islower() and word.endswith(("ar", "er", "ir", "re", "en"))
    plain = STATE.match(word) or infinitive or frequency(word) >= _RARE
    return None if plain else named(match)


def still(match: re.Match[str]) -> Span | None:
    """The word, unless it says how a password is: "broken", "abgelaufen"."""
    word = match["s"]
    common, small = frequency(word), folded(word)
    if (
        small in _STATES
        or is_said_of_a_field(word)
        or common >= _COMMON
        or (word.islower() and word.endswith(("ar", "er", "ir", "re")) and common)
    ):
        return None
    made_small = not common and small.endswith(("chen", "lein", "ito", "ita"))
    return named(match) if made_small or word.istitle() or not STATE.match(word) else None


def row_of_rare_words(match: re.Match[str]) -> Span | None:
    """The words, where each has a meaning of its own and none says how something is."""
    words = match["s"].split()
    rare = all(
        0 < frequency(word) < _VERY_COMMON
        and not STATE.match(word)
        and cues(folded(word)).isdisjoint((Cue.PASSWORD, Cue.CODE, Cue.SPELLING))
        for word in words
    )
    return named(match) if rare else None
