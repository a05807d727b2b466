"""Labels: the words that name a secret, what ties its value to them, and what may be a value.

A label names a secret ("the wifi password", "die PIN der Karte", "les mots de récupération"), and something ties the
value to it: a colon, "is", the end of the line. What is then no word is a value; what may be anything must stand in
quotes, have a line to itself, or end its clause. Each constant is a pattern, or part of one.
"""

from __future__ import annotations

import re
from typing import Final

from idiolect.adapters.memory.secret_cues import Cue, cues, folded
from idiolect.daemon.text.redaction.rule import DONE, Span, lazy, named
from idiolect.daemon.text.redaction.word_features import STATE
from idiolect.models.hashed_frequencies import zipf

# --- words for a secret ----------------------------------------------------------------------------------

_ANYWHERE: Final = (
    *("passw(?:or)?d", "passwort", "kennwort", "wachtwoord", "contrase[ñn]a", "palavra-passe", "salasana"),
)
#: Words for a password, as patterns, where a sign follows: wherever they stand, and by themselves alone.
WORDS: Final = (*_ANYWHERE, "пароль", "密码", "密碼", "パスワード", "비밀번호")
WORDS_ALONE: Final = (
    *("passcode", "passwd", "pass", "pwd", "pw", "psw", "mot de passe", "mdp", "clave", "senha", "has[łl]o"),
    *("l[öo]senord", "passord", "adgangskode", "heslo", "jelsz[óo]", "parol[ae]", "[şs]ifre"),
    "(?:wpa|wi-?fi|wlan|network)[ _-]?(?:key|schlüssel)",
)
WORD: Final = rf"(?:(?:{'|'.join(WORDS)}|(?<![^\W_])(?:{'|'.join(WORDS_ALONE)}))s?[\"']?)"
WORD_HINTS: Final = (
    "pass|pw|psw|mdp|kennwort|wachtwoord|contrase|salasana|clave|senha|haslo|hasło|senord|adgangskode|heslo|jelsz|parol"
    "|sifre|şifre|şi̇fre|wpa|wifi|wi-fi|wlan|network|пароль|密码|密碼|パスワード|비밀번호"
)
#: The same, and what programs call a secret.
NAME: Final = (
    rf"(?:{WORD}|(?<![A-Za-z])(?:"
    r"(?:(?:client|api|app|shared|signing|webhook)[ _-]?)?secret(?:[ _-]?(?:access[ _-]?)?key)?"
    r"|(?:api|access|private|preshared|encryption|account|auth|license|licence|recovery)[ _-]?key"
    r"|(?:api|access|auth|refresh|bearer|session|bot|csrf|personal access)[ _-]?token)s?[\"']?"
    r"|(?-i:(?<![A-Za-z0-9_])[A-Z][A-Z0-9_]{0,40}(?:SECRET|TOKEN|API_?KEY|PASS)))"
)
NAME_HINTS: Final = f"{WORD_HINTS}|secret|key|token"
SIGNS: Final = ":=：>"

_OPENED: Final = r"door|gate|garage|alarm|safe|locker|lockbox|lock|entry|access|voucher|wi-?fi"
#: What is opened by figures.
CODE: Final = (
    r"(?:(?:handy|sim|karten)-)?(?:pin|nip|puk)(?:[ -]?(?:code|number|nummer))?"
    rf"|(?:{_OPENED})(?: [a-z]{{2,10}})? (?:code|combination|combo)|digicode|combination|combinaci[oó]n|zahlencode"
    r"|geheim(?:zahl|nummer)|geheime code|code secret|codice segreto|(?:c[oó]digo|n[uú]mero) secreto"
    r"|(?:tür|tor|haus|zugangs|entsperr|freischalt|toegangs|ontgrendel|deur|poort)-?code|code d['’]acc[èe]s"
    r"|code de (?:déverrouillage|d[ée]blocage)|code (?:für|vom|van de|du|de la|de l['’][^\W\d_]{3,15}|of the|for the)"
    r"|c[oó]digo d[aeo]l?|codice d[ei][il]?l?"
    r"|(?:wi-?fi|wlan|network|netzwerk)[ _-]?(?:key|code|schlüssel)|wifi-?sleutel"
    r"|cl[ée] (?:du )?wi-?fi|chiave (?:del )?wi-?fi|chave (?:do )?wi-?fi"
)
#: Words that restore something.
RECOVERY: Final = (
    r"(?:recovery|seed|backup|mnemonic) (?:words|phrase)|(?:words|phrase) (?:for|of) (?:the|my|our)"
    r" (?:[a-z]{1,12} ){0,2}wallet"
    r"|wiederherstellungs(?:wörter|phrase)|wörter (?:für die|der) wallet|herstel(?:woorden|zin)"
    r"|(?:mots|phrase) de récupération|(?:palabras|frase) de recuperaci[oó]n|(?:parole|frase) di recupero"
    r"|(?:palavras|frase) de recuperação"
)
RECOVERY_HINTS: Final = "recovery|seed|backup|mnemonic|wallet|wiederherst|herstel|récup|recup"
#: Whatever has a value that may be anything.
LABEL: Final = (
    rf"(?:(?:{'|'.join(_ANYWHERE)}|mot de passe|passphrasen?|passwortsatz|wachtzin|phrase de passe"
    r"|frase de (?:paso|acceso)|frase-passe|frase segreta)s?"
    r"|(?<![^\W_])(?:pass ?phrase|passcode|passwd|pwd|pw|mdp|clave|senha|parola d'ordine)s?(?![^\W_])"
    rf"|(?<![^\W_])(?:{CODE})(?![^\W_])|(?:{RECOVERY}))"
)
LABEL_HINTS: Final = (
    "passw|passphras|kennwort|wachtwoord|wachtzin|contrase|palavra-p|salasana|mot de p|phrase de |frase de "
    "|frase di |frase-p|frase s|^pass p|^passcode|^pwd|^pw|^mdp|^clave|^senha|^parola d|^pin|^nip|^puk|^code"
    "|^geheim|secreto|segreto|^combo|^combina|^código|^codigo|^codice|^key|^schlüssel|wifi|wi-fi|wlan|networkkey"
    "|networkcode|netzwerkschl|netzwerkcode|netzwerkkey|^netzwerk|^network|digicode|zahlencode|türcode|torcode"
    "|hauscode|zugangscode|entsperrcode|freischaltcode|toegangscode|ontgrendelcode|deurcode|poortcode|recovery"
    "|seed|backup|mnemonic|wallet|wiederherstell|herstel|mots de r|palabras de r|parole di r|palavras de r"
)

# --- codes that are sent, and PINs -----------------------------------------------------------------------

SENT_CODE: Final = (
    r"(?:(?<![a-z])(?:sim |card )?pin(?:[ -]?(?:code|number|nummer))?|(?<![a-z])(?:puk|otp|(?-i:TAN"
    r"|mTAN))(?: code)?|passcode"
    r"|(?:verification|security|one[- ]time|log-?in|sign-?in|access|authenti\w{3,8}|confirmation|otp|2fa"
    r"|mfa|sms|reset|activation"
    r"|unlock|door|gate|alarm|backup|pairing)[ -](?:code|passcode|password|pin|number)"
    r"|(?:bestätigungs|sicherheits|zugangs|prüf|freigabe|einmal|verifizierungs|entsperr|freischalt|aktivierungs|anmelde)"
    r"(?:code|nummer|passwort|kennwort)|(?<![^\W_])(?:puk|inlog|ontgrendel|verificatie|bevestigings|beveiligings)code"
    r"|code de (?:vérification|sécurité|confirmation)|c[óo]digo(?: de \w{4,14})?|codice(?: di \w{4,14})?"
    r"|код(?: подтверждения)?"
    r"|(?:your|enter|use|ihr|dein|votre|tu|su"
    r"|the)[ ](?:\w{2,12}[ ])?(?<!zip )(?<!area )(?<!error )(?<!postal )(?<!country )"
    r"(?<!dress )(?<!promo )(?<!source )(?<!status )(?<!exit )(?<!post )code)"
)
SENT_CODE_HINTS: Final = (
    "pin |pin:|pin=|pin#|pin-|pinc|pinn|code|password|puk|otp|tan |tan:|digo|codice|код|nummer|passwort"
)

# --- what ties a value to its label ----------------------------------------------------------------------

#: Of what it is, in a few words; and what it opens.
WHOSE: Final = r"(?:[ \t]{1,8}[^\W\d_][\w.@'’-]{0,20}){0,6}?"
_FOR: Final = r"(?:[ \t]{1,8}(?:for|to|of|für|zum|pour|de|para|del)(?:[ \t]{1,8}[\w.@'-]{1,20}){1,4}?)?"
SEPARATOR: Final = _FOR + r"[ \t]{0,8}(?::=|=>|->|[:=：])[ \t]{0,8}"
IS_NOW: Final = r"(?:is|was|ist|war|lautet|heißt|es|est|c[’']est|è|é|sono|now|jetzt|ahora|ora|agora|nu|-)"
IS: Final = r"(?:is|are|was|ist|sind|war|lautet|heißt|est|sont|es|son|c[’']est|è|é|são|sono|zijn)"
LINE: Final = r"(?:[ \t]{0,8}\n){1,2}[ \t]{0,8}"
LINK: Final = rf"(?:[ \t]{{0,4}}(?::=|=>|->|→|[:=：])|[ \t]{{0,8}},?[ \t]{{1,8}}{IS}[ \t]{{0,4}}:?)"

# --- values ----------------------------------------------------------------------------------------------

#: What forms and error messages say of a field, in seven languages.
_FIELD_STATE: Final = (
    r"(?i:required|optional|mandatory|compulsory|necessary|needed|unknown|changed|reset|hidden|redacted|empty"
    r"|(?:in)?valid|incorrect|wrong|expired|forgotten|missing"
    r"|erforderlich|notwendig|n[öo]tig|obligatorisch|pflicht|ung[üu]ltig|falsch|vergessen"
    r"|obligatoires?|requise?s?|n[ée]cessaires?|facultati(?:f|ve)s?|optionnel(?:le)?s?|invalides?|incorrecte?s?"
    r"|oubli[ée]e?s?|obligatori[oa]s?|requerid[oa]s?|necesari[oa]s?|opcional|inv[áa]lid[oa]s?|incorrect[oa]s?"
    r"|err[óo]ne[oa]s?|obbligatori[oae]?|richiest[oaie]|necessari[oae]?|facoltativ[oaie]|opzionale|errat[oaie]"
    r"|obrigat[óo]ri[oa]s?|necess[áa]ri[oa]s?|facultativ[oa]s?|incorret[oa]s?|errad[oa]s?"
    r"|verplicht|vereist|nodig|optioneel|ongeldig|onjuist|vergeten)"
)
_NO_VALUE: Final = (
    rf"{_FIELD_STATE}|none|null|true|false|string|yes|no|tbd|here|below|above|see|\*{{1,40}}|<[^>\s]{{0,80}}>"
)
#: Not what documents and forms say in the place of a value.
ORDINARY: Final = (
    rf"(?!(?:{_NO_VALUE}|str|text|protected|(?-i:[A-Z]{{2,}}(?:_[A-Z]+)+)|\.{{1,40}}|\$\{{?[A-Z_]+\}}?"
    r"|\{{1,3}[^}\s]{0,80}\}{1,3})(?![^\s.,;:!?)\"'`]))"
)
#: Not what sentences say there.
NOTHING: Final = (
    rf"(?!(?:{_NO_VALUE}|n/a|thanks?|thx|cheers|regards|danke|merci|gracias|grazie|obrigad[oa]|groetjes?|\.{{1,40}}|…)"
    r"(?![^\s.,;:!?)\"'`”“»’]))"
)
NO_TAG: Final = r"(?!</|<[A-Za-z][^<>\n]{0,200}>)"  # a mere < may be a sign of the value
#: Of a value, up to the next one of a connection string or a tag.
CHARS: Final = rf"(?:(?![;&]\w+=){NO_TAG}\S)"
OPENS: Final = rf"(?=[\"'`“„«‹‘‚]{{1,3}}+[ \u00a0]?+{NOTHING}{DONE})"
QUOTED: Final = (
    r"(?:\"(?P<a>[^\"\n]{2,100})\"|'(?P<b>[^'\n]{2,100})'(?!\w)|`{1,3}(?P<c>[^`\n]{2,100})`|[“„](?P<d>[^“”„\n]{2,100})[”“]"
    r"|[«‹][ \u00a0]?(?P<e>[^«»‹›\n]{2,100}?)[ \u00a0]?[»›]|[‘‚](?P<f>[^‘’‚\n]{2,100})[’‘])"
)
_RESTORING: Final = r"[^\W\d_]{3,12}(?![^\W_])"
_FEWEST: Final = 4  # words of a phrase that restores something
_MORE: Final = rf"{{{_FEWEST - 1},23}}+"
ROW_OF_WORDS: Final = (
    rf"{_RESTORING}(?:(?:[ \t]{{1,2}}{_RESTORING}){_MORE}|(?:,[ \t]{{0,2}}{_RESTORING}){_MORE})"
)

_FIELD: Final = lazy(rf"{_FIELD_STATE}[.,;:!?)]*")
_TAIL: Final = " \t.,;:!?)]}>\"'`"
_SIGN: Final = lazy(r"\S[#$%&*+@^_~!?]\S|[a-z][A-Z]|^[#$%*^~!]\w")
_SAID_CHARS: Final = 120  # characters before a value that its label is looked for in
_OWNED: Final = 8  # characters before a label that say whose it is
_COMMON: Final = 4.2  # on Zipf's scale: a plain word that is used more often is a word of a sentence
_VERY_COMMON: Final = 5.0
_RARE: Final = 3.4  # a rarer word is hardly ever said of a password
_MAX_COMMON: Final = 0.34  # of the words of a phrase, at most, are of the commonest


def value(match: re.Match[str]) -> Span | None:
    """The secret less the punctuation of the sentence that it stands in; None where that is all."""
    kept = match["s"].rstrip(_TAIL)
    start = match.start("s")
    return (start, start + len(kept)) if kept else None


def no_word(match: re.Match[str]) -> Span | None:
    """The same where it can be no word of a sentence: figures in it, or a sign, or a capital in its middle."""
    span = value(match)
    said = match.string[span[0] : span[1]] if span else ""
    figures, letters = any(map(str.isdigit, said)), any(map(str.isalpha, said))
    return span if (figures and (letters or len(said) >= 6)) or _SIGN.search(said) else None


#: "La clave del éxito es", up to a value.
_KEY_TO: Final = lazy(
    r"(?i:(?<![^\W_])(?<!-)clave(?!-)(?: [^\W\d_]+){0,6} (?:es|era|será|son|sea)(?: [^\W\d_]+,?){0,8} \Z)"
)


def is_said_of_a_matter(text: str, start: int, end: int) -> bool:
    """Whether plain words say what "la clave", which is also the key to a matter, is: "la clave es perseverar"."""
    before = text[max(0, start - _SAID_CHARS) : start]
    plain = all(map(_is_plain_word, text[start:end].rstrip("!").split()))
    return plain and bool(_KEY_TO.search(before)) and not _opens_something(before)


def is_said_of_a_field(value: str) -> bool:
    """Whether forms and error messages say this word of a password: "obligatoria"."""
    return _FIELD.fullmatch(value) is not None


def _is_plain_word(word: str) -> bool:
    """Whether a word is one that people use, or by its ending a Spanish verb: no list has "perseverar"."""
    return word.isalpha() and word.islower() and (frequency(word) > 0 or word.endswith(("ar", "er", "ir")))


def in_quotes(match: re.Match[str]) -> Span | None:
    """What stands in the quotes of `QUOTED`; behind "clave", which is also the key to a matter, one word alone.

    Several are a secret where it is said what they open, or whose it is: "la clave del wifi", "mi clave".
    """
    group = match.lastgroup
    if group is None or (" " in match[group] and _may_be_key_to_a_matter(match, match.start(group))):
        return None
    return match.span(group)


def _may_be_key_to_a_matter(match: re.Match[str], end: int) -> bool:
    """Whether the label is "clave", and nothing up to `end` says that it opens something or is somebody's."""
    if match[0][:5].lower() != "clave":
        return False
    return not _opens_something(match.string[max(match.start() - _OWNED, 0) : end])


def _opens_something(said: str) -> bool:
    """Whether a label and what stands around it says what it opens, or whose it is."""
    words = re.findall(r"[^\W_]+(?:-[^\W_]+)*", said.lower())
    return any(word in ("mi", "tu", "nuestra") or Cue.PLACE in cues(word) for word in words)


def in_a_line(match: re.Match[str]) -> Span | None:
    """What has a line to itself, less the stop behind it; a plain word only if it is a rare one."""
    said = match["s"].rstrip(".,;:!?)")
    if not said or (said.isalpha() and frequency(said) >= _COMMON):
        return None
    return match.start("s"), match.start("s") + len(said)


def no_sentence(match: re.Match[str]) -> Span | None:
    """One word behind "is" that ends its clause: with figures, of several words, or a rare one."""
    said = match["s"]
    if any(map(str.isdigit, said)):
        return named(match)
    plain = STATE.match(said) or (said.isalpha() and frequency(said) >= _RARE)
    return None if plain or is_said_of_a_matter(match.string, *match.span("s")) else named(match)


def row_of_words(match: re.Match[str]) -> Span | None:
    """A row of words that make no sentence: few of them are very common."""
    words = re.findall(r"[^\W\d_]+", match["s"])
    common = sum(frequency(word) >= _VERY_COMMON for word in words)
    return named(match) if len(words) >= _FEWEST and common <= _MAX_COMMON * len(words) else None


def frequency(word: str) -> float:
    """How often people use a word, on Zipf's scale, in the language that uses it most."""
    return max(zipf(folded(word).strip("'!*")))
