"""Rules for secrets behind a label: in quotes, on a line of their own, or as the words of a wallet.

A label names a secret ("the wifi password", "die PIN der Karte", "les mots de récupération"), and something ties the
value to it: a colon, "is", the end of the line. What may then be anything, and not only what looks like no word, is
what stands in quotes, and what has a line to itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from idiolect.adapters.secret_cues import folded
from idiolect.daemon.redaction.lazy_pattern import lazy
from idiolect.daemon.redaction.rule import DONE, Rule
from idiolect.daemon.redaction.word_features import STATE
from idiolect.models.word_frequencies import zipf

if TYPE_CHECKING:
    from idiolect.daemon.redaction.cards_and_ibans import Span

#: Words for a password, wherever they stand, and those that stand by themselves.
_WORDS: Final = (
    r"passw(?:or)?d|passwort|kennwort|wachtwoord|contrase[ñn]a|palavra-passe|salasana|mot de passe|passphrasen?"
    r"|passwortsatz|wachtzin|phrase de passe|frase de (?:paso|acceso)|frase-passe|frase segreta"
)
_ALONE: Final = r"pass ?phrase|passcode|passwd|pwd|pw|mdp|clave|senha|parola d'ordine"
_OPENED: Final = r"door|gate|garage|alarm|safe|locker|lockbox|lock|entry|access|voucher|wi-?fi"
_CODE: Final = (
    r"(?:(?:handy|sim|karten)-)?(?:pin|nip|puk)(?:[ -]?(?:code|number|nummer))?"
    rf"|(?:{_OPENED})(?: [a-z]{{2,10}})? (?:code|combination|combo)|digicode|combination|combinaci[oó]n|zahlencode"
    r"|(?:tür|tor|haus|zugangs|toegangs)code|code (?:für|vom|van de|du|de la|de l'|of the|for the)"
    r"|c[oó]digo d[aeo]l?|codice de[il]l?"
    r"|(?:wi-?fi|wlan|network|netzwerk)[ _-]?(?:key|code|schlüssel)|wifi-?sleutel"
    r"|cl[ée] (?:du )?wi-?fi|chiave (?:del )?wi-?fi|chave (?:do )?wi-?fi"
)
_RECOVERY: Final = (
    r"(?:recovery|seed|backup|mnemonic) (?:words|phrase)|(?:words|phrase) (?:for|of) (?:the|my|our)"
    r" (?:[a-z]{1,12} ){0,2}wallet"
    r"|wiederherstellungs(?:wörter|phrase)|wörter (?:für die|der) wallet|herstel(?:woorden|zin)"
    r"|(?:mots|phrase) de récupération|(?:palabras|frase) de recuperaci[oó]n|(?:parole|frase) di recupero"
    r"|(?:palavras|frase) de recuperação"
)
_LABEL: Final = (
    rf"(?:(?:{_WORDS})s?|(?<![^\W_])(?:{_ALONE})s?(?![^\W_])"
    rf"|(?<![^\W_])(?:{_CODE})(?![^\W_])|(?:{_RECOVERY}))"
)
_WHOSE: Final = r"(?:[ \t]{1,8}[^\W\d_][\w.@'’-]{0,20}){0,6}?"
_IS: Final = r"(?:is|are|was|ist|sind|war|lautet|heißt|est|sont|es|son|c[’']est|è|é|são|sono|zijn)"
_LINE: Final = r"(?:[ \t]{0,8}\n){1,2}[ \t]{0,8}"
_LINK: Final = rf"(?:[ \t]{{0,4}}(?::=|=>|->|→|[:=：])|[ \t]{{0,8}},?[ \t]{{1,8}}{_IS}[ \t]{{0,4}}:?)"
#: What forms and sentences say in the place of a value.
_NOTHING: Final = (
    r"(?!(?:required|optional|none|null|true|false|string|yes|no|n/a|unknown|changed|reset|hidden|redacted|tbd|here"
    r"|below|above|see|empty|invalid|incorrect|wrong|expired|forgotten|missing|obligatoire|erforderlich|obligatoria"
    r"|oubliée?|falsch|vergessen|thanks?|thx|cheers|regards|danke|merci|gracias|grazie|obrigado|obrigada|groetjes?"
    r"|\*{1,40}|\.{1,40}|…|<[^>\s]{0,80}>)(?![^\s.,;:!?)\"'`”“»’]))"
)
_QUOTED: Final = (
    r"(?:\"(?P<a>[^\"\n]{2,100})\"|'(?P<b>[^'\n]{2,100})'(?!\w)|`{1,3}(?P<c>[^`\n]{2,100})`|[“„](?P<d>[^“”„\n]{2,100})[”“]"
    r"|[«‹][ \u00a0]?(?P<e>[^«»‹›\n]{2,100}?)[ \u00a0]?[»›]|[‘‚](?P<f>[^‘’‚\n]{2,100})[’‘])"
)
_OPENS: Final = rf"(?=[\"'`“„«‹‘‚]{{1,3}}+[ \u00a0]?+{_NOTHING}{DONE})"
_HINTS: Final = frozenset(
    (
        *(
            "passw",
            "passp",
            "pass p",
            "kennwort",
            "wachtwoord",
            "wachtzin",
            "contrase",
            "palavra-p",
            "salasana",
        ),
        *(
            "mot de p",
            "phrase",
            "frase",
            "passc",
            "pwd",
            "pw",
            "mdp",
            "clave",
            "senha",
            "parola",
            "pin",
            "nip",
        ),
        *("puk", "code", "combo", "combina", "digo ", "codice", "key", "schlüssel", "sleutel", "clé", "cle "),
        *(
            "chiave",
            "chave",
            "words",
            "wörter",
            "woorden",
            "herstelzin",
            "mots",
            "palabras",
            "parole",
            "palavras",
        ),
    )
)
_WORD: Final = r"[^\W\d_]{3,12}(?![^\W_])"
_COMMON: Final = 4.2  # on Zipf's scale: a plain word that is used more often is a word of a sentence
_FEWEST: Final = 4  # words of a phrase that restores something
_MORE: Final = rf"{{{_FEWEST - 1},23}}+"
_MAX_COMMON: Final = 0.34  # of its words, at most, are of the commonest
_VERY_COMMON: Final = 5.0


def _in_quotes(match: re.Match[str]) -> Span | None:
    group = match.lastgroup
    return match.span(group) if group else None


def _frequency(word: str) -> float:
    return max(zipf(folded(word).strip("'!*")))


def _in_a_line(match: re.Match[str]) -> Span | None:
    """What has a line to itself, less the stop behind it; a plain word only if it is a rare one."""
    value = match["s"].rstrip(".,;:!?)")
    if not value or (value.isalpha() and _frequency(value) >= _COMMON):
        return None
    return match.start("s"), match.start("s") + len(value)


def _no_sentence(match: re.Match[str]) -> Span | None:
    """One word behind "is" that ends its clause: with figures, of several words, or one that nobody uses."""
    value, figures = match["s"], any(map(str.isdigit, match["s"]))
    if not figures and (STATE.match(value) or (value.isalpha() and _frequency(value) > 0)):
        return None
    return match.span("s")


def _row(match: re.Match[str]) -> Span | None:
    """A row of words that make no sentence: few of them are very common."""
    words = re.findall(r"[^\W\d_]+", match["s"])
    common = sum(_frequency(word) >= _VERY_COMMON for word in words)
    return match.span("s") if len(words) >= _FEWEST and common <= _MAX_COMMON * len(words) else None


#: In the order in which they are tried.
LABELS: Final[tuple[Rule, ...]] = (
    Rule(
        "pin",  # figures behind a label
        lazy(
            rf"(?i:(?<![^\W_])(?:{_CODE})(?![^\W_]){_WHOSE}{_LINK}(?:{_LINE}|[ \t]{{0,8}})"
            r"(?P<s>\d(?:[ -]?\d){3,9}[#*]?)(?![\w-]|[.,:]\d))"
        ),
        matches=(
            ("Die Handy-PIN von Oma ist 1937", "Die Handy-PIN von Oma ist [pin]"),
            ("the alarm code: 30 51 77, then", "the alarm code: [pin], then"),
            ("PIN:\n4471\nsee you", "PIN:\n[pin]\nsee you"),
        ),
        misses=("the door code is 90 years old", "the PIN is 4 digits", "code for the year 2019"),
        hints=_HINTS,
        figure=True,
    ),
    Rule(
        "password",  # in quotes
        lazy(rf"(?i:{_LABEL}{_WHOSE}{_LINK}(?:{_LINE}|[ \t]{{0,8}}){_OPENS}{_QUOTED})"),
        matches=(
            ("the kiosk password is `turnstile`, ask", "the kiosk password is `[password]`, ask"),
            ('My PIN is "4471 8890" for the safe', 'My PIN is "[password]" for the safe'),
            ("Die Passphrase lautet „sieben alte Igel“.", "Die Passphrase lautet „[password]“."),
            ("le mot de passe est « tournesol », oui", "le mot de passe est « [password] », oui"),
            ("MY PASSWORD IS 'swordfish'", "MY PASSWORD IS '[password]'"),
        ),
        misses=(
            'the password is "required" here',
            'the word "password" is in the title',
            'she said the password is easy, "really easy"',
            'the password field is called "pw"',
        ),
        hints=_HINTS,
        signs="\"'`“„«‹‘‚",
        locate=_in_quotes,
    ),
    Rule(
        "password",  # in a line of its own
        lazy(
            rf"(?i:{_LABEL}{_WHOSE}{_LINK}{_LINE}"
            rf"(?P<s>(?![\"'`“„«‹‘‚]){_NOTHING}{DONE}(?:(?!</|<[A-Za-z])\S){{4,100}})(?=[ \t]{{0,8}}(?:\n|\Z)))"
        ),
        matches=(
            ("The wifi password:\nKirschbaum-Regen\nsee you", "The wifi password:\n[password]\nsee you"),
            ("Password:\n\nswordfish", "Password:\n\n[password]"),
            (
                "Das Kennwort für den Drucker ist:\ntintenklecks.",
                "Das Kennwort für den Drucker ist:\n[password].",
            ),
        ),
        misses=(
            "Password:\nrequired",
            "send me the password:\n\nThanks\nAnn",
            "Passwords:\nsee the vault",
            "The password is in\nRome",
        ),
        hints=_HINTS,
        signs="\n",
        locate=_in_a_line,
    ),
    Rule(
        "password",  # one word behind "is" that ends its clause
        lazy(
            rf"(?i:(?:{_LABEL}){_WHOSE}[ \t]{{0,8}},?[ \t]{{1,8}}{_IS}[ \t]{{1,4}}"
            rf"(?P<s>{_NOTHING}{DONE}[^\W_](?:[\w+&!*#]|-(?=[^\W_])){{3,40}})"
            r"(?=[,;]|[.!?]?[ \t]{0,8}(?:\n|\Z)|[.!] |[ \t][-–(]))"
        ),
        matches=(
            ("the safe code is A49-B12, in the office", "the safe code is [password], in the office"),
            ("The staging password is quiet-meadow, ha", "The staging password is [password], ha"),
            (
                "Das Kennwort für den Drucker ist tintenklecks.",
                "Das Kennwort für den Drucker ist [password].",
            ),
        ),
        misses=(
            "The password is case-sensitive, says the form",
            "Das Passwort ist abgelaufen.",
            "The password is unsalted.",
            "Das Passwort ist falsch.",
            "The wifi password is Friday, no, wait",
            "the access code is unreadable, sorry",
        ),
        hints=_HINTS,
        locate=_no_sentence,
    ),
    Rule(
        "key",  # words that restore something
        lazy(
            rf"(?i:(?:{_RECOVERY}){_WHOSE}{_LINK}(?:{_LINE}|[ \t]{{0,8}})"
            rf"(?P<s>{DONE}{_WORD}(?:(?:[ \t]{{1,2}}{_WORD}){_MORE}|(?:,[ \t]{{0,2}}{_WORD}){_MORE})))"
        ),
        matches=(
            ("The seed words are: cabbage lunar mixture pony rescue", "The seed words are: [key]"),
            (
                "Les mots de récupération sont abricot canal falaise neige.",
                "Les mots de récupération sont [key].",
            ),
        ),
        misses=(
            "The recovery words are kept with the bank for us",
            "The recovery phrase is what they asked about then",
        ),
        hints=frozenset(
            ("recovery", "seed", "backup", "mnemonic", "wallet", "wiederherst", "herstel", "récup", "recup")
        ),
        locate=_row,
    ),
)
