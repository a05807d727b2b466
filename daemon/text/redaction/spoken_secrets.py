"""Secrets that a sentence tells: an answer to a security question, the turns of a safe, a password that was changed."""

from __future__ import annotations

import re
from typing import Final

from idiolect.adapters.memory.secret_cues import Cue, cues, folded
from idiolect.daemon.text.redaction.labels import frequency
from idiolect.daemon.text.redaction.rule import DONE, Span, named
from idiolect.daemon.text.redaction.word_features import STATE

_RARE: Final = 3.5  # on Zipf's scale: hardly any sentence has a rarer word
_COMMON: Final = 4.6
_VERY_COMMON: Final = 5.2
_WORD: Final = r"[^\W\d_](?:[\w&!*#]|[-'’](?=[^\W_])){1,40}"
_QUOTE: Final = r"[\"'“„«‹‘‚]{0,2}[ ]?"
_CLOSES: Final = r"[\"'”“»›’]{0,2}"

# --- answers to security questions

_QUESTION: Final = (
    r"(?:security|secret|recovery|challenge) question|sicherheitsfrage|geheimfrage|question (?:de sécurité|secrète)"
    r"|pregunta (?:de seguridad|secreta)|domanda (?:di sicurezza|segreta)|pergunta (?:de segurança|secreta)"
    r"|(?:beveiligings|controle)vraag|geheime vraag"
)
_ANSWER: Final = r"answer|antwort|réponse|respuesta|risposta|resposta|antwoord"
#: What such questions ask for.
_ASKED: Final = (
    r"maiden name|first (?:pet|school|car|teacher|street|dog|cat)|childhood (?:friend|pet|street|hero)|mädchenname|geburtsname"
    r"|erste[sn]? (?:haustier|auto|schule|lehrer|hund|katze|straße)|nom de jeune fille"
    r"|premi(?:er|ère) (?:animal|école|voiture|chien|chat|maître)|apellido de (?:soltera|mi madre)"
    r"|prim(?:er|era) (?:mascota|coche|escuela|perro|gato|colegio)|cognome da nubile"
    r"|prim[oa] (?:animale|auto|scuola|cane|gatto)|nome de solteira|primeir[oa] (?:animal|carro|escola|cão|gato)"
    r"|meisjesnaam|eerste (?:huisdier|auto|school|hond|kat)"
)
_QUESTION_CUE: Final = (
    rf"(?<![^\W_])(?:{_QUESTION}|(?:{_ANSWER})s?(?![^\W_])[^.!?\n]{{1,60}}?(?:{_ASKED})"
    rf"|(?:{_ASKED})[^.!?\n]{{1,60}}?(?<![^\W_])(?:{_ANSWER})(?![^\W_]))"
)
_TIES: Final = (
    r"(?:(?<![^\W_])(?:is|was|to|with|as|ist|war|lautet|mit|auf|est|était|sur|avec|par|es|era|con|è|com|é|foi|met|op"
    r"|with the answer)(?![^\W_]))"
)
_PARTICIPLE: Final = r"(?:[ ][^\W\d_]{0,20}(?:t|en|ed|é|ée|ado|ato|to|d)(?![^\W_]))?"
#: The last thing that a sentence about such a question says.
ANSWER: Final = (
    rf"(?i:{_QUESTION_CUE})[^.!?\n]{{0,120}}(?:[ \t]{_TIES}|[:=])[ \t]{{1,4}}{_QUOTE}"
    rf"(?P<s>{DONE}{_WORD}(?:[ ][A-ZÀ-Þ][\w'’-]{{1,30}}){{0,2}}){_CLOSES}{_PARTICIPLE}[.!]?(?=[ \t]{{0,8}}(?:\n|\Z)|[.!,;][ \n]|[ ][-–(])"
)
ANSWER_HINTS: Final = "question|frage|pregunta|domanda|pergunta|vraag|answer|antwort|réponse|respuesta|risposta|resposta|antwoord"


def answer(match: re.Match[str]) -> Span | None:
    """The answer, where it has a capital that German alone would not ask for, or is a rare word."""
    first = match["s"].split()[0]
    common = frequency(first)
    if common < _RARE:
        return named(match)
    return named(match) if first[:1].isupper() and common < _COMMON else None


# --- the turns of a safe

_SIDE: Final = (
    r"(?:left|right|clockwise|anti-?clockwise|counter-?clockwise|links|rechts|(?:à )?(?:gauche|droite)|(?:a la )?(?:izquierda|derecha)"
    r"|(?:a )?(?:sinistra|destra)|(?:à )?(?:esquerda|direita))"
)
_FILLED: Final = r"(?:[ \t:]{1,2}(?:to|on|at|past|stop|auf|bis|zur|zu|die|sur|jusqu['’]?(?:à|au)|hasta|el|al|a|su|fino|até|o|tot|op|naar)){0,2}"
_TURN: Final = rf"(?:{_SIDE}{_FILLED}[ \t:]{{1,3}}\d{{1,2}}|\d{{1,2}}[ \t]{{1,2}}{_SIDE})(?![\w])(?!\.\d|,\d)"
_NEXT: Final = r"[ \t]{0,3}[,;.·–/-]?[ \t\n]{1,3}(?:(?:then|and|und|dann|wieder|again|back|turn|puis|ensuite|et|luego|después|y|poi|e|depois|dan|en|twice|zweimal)[ \t]{1,2}){0,3}"
TURNS: Final = rf"(?i:(?<![^\W_])(?P<s>{_TURN}(?:{_NEXT}{_TURN}){{2,9}}))"
TURNS_HINTS: Final = (
    "left|right|clockwise|links|gauche|droite|izquierda|derecha|sinistra|destra|esquerda|direita"
)

# --- passwords

_LABEL: Final = r"passw(?:or)?d|passwort|kennwort|passphrase|wachtwoord|contrase[ñn]a|palavra-passe|mot de passe|mdp|senha|clave"
_CHANGED: Final = (
    r"chang\w{1,3}|set|reset|updated?|(?:um)?(?:ge)?(?:änder|aender|stell|wechsel)t?e?|gesetzt|setz(?:e|te)|changée?|modifiée?|mise?"
    r"|remplacée?|cambiado|cambié|cambiamos|puesto|puse|cambiato|impostat[oa]|messo|mud(?:ei|ou|ado)|alter(?:ei|ado)|troquei"
    r"|gewijzigd|veranderd|gezet|ingesteld|aangepast|wijzig|verander"
)
_INTO: Final = r"(?:to|auf|in|zu|sur|en|par|a|con|para|naar|op)"
_FEW: Final = r"(?:[ \t]{1,4}[\w.@'’-]{1,20}){0,7}?"
_WHEN: Final = r"(?:[ ](?:yesterday|today|now|gestern|heute|jetzt|hier|aujourd'hui|maintenant|ayer|hoy|ahora|ieri|oggi|ontem|hoje|gisteren|vandaag))?"
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
    r"(?i:(?<![^\W_])(?:user(?:name)?|login|benutzer(?:name)?n?|nutzer|utilisateur|identifiant|usuario|utente|utilizador|usuário"
    rf"|gebruiker(?:snaam)?)[ :]{{1,3}}\S{{2,40}},?[ ](?:and|und|et|y|e|en|with|mit|avec|con|com|met)(?:[ ][^\W\d_]{{1,4}})?[ ]"
    rf"(?:{_LABEL})[ :]{{1,3}}{_QUOTE}(?P<s>{DONE}{_WORD}))"
)
#: Several words, of which no sentence is made.
SEVERAL: Final = (
    rf"(?i:(?<![^\W_])(?:{_LABEL}){_FEW}[ \t]{{1,4}}(?:is|ist|lautet|est|es|è|é)[ \t:]{{1,4}}"
    rf"(?P<s>{DONE}[^\W\d_]{{3,20}}(?:[ ][^\W\d_]{{3,20}}){{2,6}})(?=[.!]?[ \t]{{0,8}}(?:\n|\Z)))"
)
LABEL_HINTS: Final = "passw|passp|kennwort|wachtwoord|contrase|palavra-p|mot de p|mdp|senha|clave"


def rare_word(match: re.Match[str]) -> Span | None:
    """The value, unless it is a word that such a sentence would have anyway: "to expire", "auf Wunsch"."""
    word = match["s"]
    infinitive = word.islower() and word.endswith(("ar", "er", "ir", "re", "en"))
    plain = STATE.match(word) or infinitive or frequency(word) >= _RARE
    return None if plain else named(match)


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
