"""The table of all rules, in the order in which they are tried: one engine (`redact.py`) runs them.

tests/redaction_examples.txt says of each, by its name, what it must and must not take.
"""

from __future__ import annotations

import re
from typing import Final

from idiolect.daemon.text.redaction import (
    check_digits,
    labels,
    near_words,
    random_strings,
    recovery_seeds,
    service_tokens,
    told_answers,
    typed_codes,
)
from idiolect.daemon.text.redaction.rule import DONE, Rule, Span, lazy, named

# --- parts of patterns, and what a pattern cannot tell ---------------------------------------------------

_KEY_END: Final = r"-----END (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----"
_GAP: Final = r"(?:\s|\\[nrt]|[>|\"',])"
# Possessive, for there is one way to read them: giving lines back would try all that follows again for each.
_KEY_LINES: Final = rf"(?:{_GAP}{{1,20}}[A-Za-z0-9+/=]{{12,}})*+"
_SHORT_LINES: Final = rf"(?:{_GAP}{{1,20}}[A-Za-z0-9+/=]{{1,64}}){{0,1000}}?"

_BEFORE: Final = 60  # characters before a number that may say what it is
_CODE_BEFORE: Final = lazy(
    rf"(?i:{labels.SENT_CODE}(?:[ \t]{{0,8}}[:=#：][ \t]{{0,8}}"
    r"|[ \t]{1,8}(?:is|was|ist|lautet|es|est)[ \t:]{1,8}|[ \t]{1,8})\Z)"
)
_CODE_HINTS: Final = labels.SENT_CODE_HINTS.split("|")


def _behind_a_word(match: re.Match[str]) -> Span | None:
    """Figures right behind a word for a code."""
    before = match.string[max(0, match.start() - _BEFORE) : match.start()]
    hinted = any(map(before.lower().__contains__, _CODE_HINTS))
    return named(match) if hinted and _CODE_BEFORE.search(before) else None


# --- the table -------------------------------------------------------------------------------------------

RULES: Final[tuple[Rule, ...]] = (
    # What has a form of its own, whatever stands around it.
    Rule(
        "key",
        "private keys",
        r"(?P<s>-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----(?:\s*[A-Z][\w-]{2,20}: [^\n]{0,200}\n)*"
        rf"(?:{_KEY_LINES}{_SHORT_LINES}{_GAP}{{0,20}}{_KEY_END}|{_KEY_LINES})"
        rf"|(?:(?<!\S)[A-Za-z0-9+/=\\]{{16,100}}+\s{{1,20}}+){{0,80}}(?:(?<!\S)[A-Za-z0-9+/=\\]{{1,100}}+\s{{0,20}}+)?{_KEY_END}"
        r"|PuTTY-User-Key-File-\d:[\s\S]{0,20000}?Private-MAC: [0-9a-f]{40,64})",
        hints="private key|private-mac",
        signs="-",
    ),
    Rule("token", "tokens of services", find=service_tokens.find, long_word=service_tokens.SHORTEST),
    Rule(  # the middle of a key, an attachment; or one line that no person typed
        "data",
        "lines of base64",
        r"(?<![\w+/=])(?P<s>(?=[+/]{0,76}[A-Za-z0-9])(?:[A-Za-z0-9+/]{60,76}={0,2}\s+)+(?:[A-Za-z0-9+/]{60,76}={0,2}"
        r"|[A-Za-z0-9+/]{1,75}={1,2})(?![\w+/=])"
        r"|(?=[A-Za-z+/=_%\\-]{0,80}[0-9])(?=[0-9+/=_%\\-]{0,80}[A-Za-z])[A-Za-z0-9+/=_%\\-]{160,})",
        long_word=60,
    ),
    Rule(
        "token",
        "bearer tokens and links",
        r"(?i:\b(?:bearer|basic)[ \t]{1,8}"
        r"|[?&;](?:[a-z]+[_-])?(?:token|api_?key|key|sig|signature|auth|secret|jwt|code)="
        r"|/(?:reset|invite|verify|confirm|activate|magic|unsubscribe|password)[a-z_-]{0,20}[/?=])"
        rf"(?P<s>{DONE}(?=[^\s&]{{0,200}}\d)[^\s&#\"'<>,;)]{{8,}})",
        hints="bearer|basic|://",
    ),
    # Keys.
    Rule(
        "token",
        "named in a URL",
        rf"[?&;](?P<n>[\w-]{{1,30}})=(?P<s>{DONE}[A-Za-z0-9_~.+/-]{{12,300}}={{0,2}})(?![^\s&#;\"'<>),\]}}])",
        check=random_strings.is_key_in_query,
        hints="?",
        signs="=",
    ),
    Rule(  # whoever has it may post
        "token",
        "a webhook's address",
        r"https?://(?=[^\s]{0,150}hook)[^\s?]{3,200}/(?P<s>[A-Za-z0-9_-]{16,200})(?![\w/-])",
        check=random_strings.has_figures_and_letters,
        hints="hook",
        signs="/",
        long_word=32,
    ),
    Rule(  # whatever its name, but of no version
        "key",
        "a setting in hexadecimal",
        r"(?<![\w-])(?![A-Z0-9_]{0,40}(?:SHA|MD5|HASH|SUM|COMMIT|REV|DIGEST|UUID|GUID|BUILD|TAG|REF|_ID[ =]|VERSION))"
        rf"[A-Z][A-Z0-9]{{0,20}}_[A-Z0-9_]{{1,30}}[ ]?[=:][ ]?[\"']?(?P<s>{DONE}{near_words.HEX})(?![\w-])",
        signs="=:",
        figures=3,
        long_word=32,
    ),
    Rule("key", "a key beside a word for one", find=near_words.KEYS.find, long_word=14),
    Rule(
        "key",
        "hexadecimal as long as a key",
        r"(?<![\w/.:=@+-])(?P<s>(?=[0-9]{0,47}[a-fA-F])(?=[a-fA-F]{0,47}[0-9])"
        r"(?:[0-9a-f]{32}|[0-9A-F]{32}|[0-9a-f]{48}|[0-9A-F]{48}))(?![\w/@+=-]|[.:]\w)",
        check=random_strings.is_long_hexadecimal,
        figures=1,
        long_word=32,
    ),
    Rule(
        "key",
        "a key typed in groups",
        find=near_words.TYPED_KEYS.find,
        hints="app|anwendungs|licen|lizenz|serial|activ|aktiv|ativa|attiva|key|clave|clé|chave",
    ),
    Rule("key", "a wallet's words", find=recovery_seeds.find, words=recovery_seeds.FEWEST),
    Rule("key", "base32 in groups", find=random_strings.find_base32_groups, figures=1),
    Rule(
        "key",
        "base32 in one",
        r"(?<![\w/+.-])(?P<s>[A-Z2-7]{16,64}|[a-z2-7]{16,64})(?=={0,6}(?![\w/+=-]))",
        check=random_strings.is_base32,
        figures=1,
        long_word=16,
    ),
    Rule("key", "base32 beside a word", find=near_words.BASE32.find, figures=1, long_word=16),
    # Passwords, by the words, signs and commands around them.
    Rule(
        "password",
        "in a URL",
        rf"(?i:\b[a-z][a-z0-9+.-]{{0,20}})://[^\s:/@]{{0,200}}:(?P<s>{DONE}[^\s/]{{1,300}})(?=@)",
        hints="://",
        signs=":",
    ),
    Rule(
        "password",
        "in quotes behind a label",
        rf"(?i:{labels.NAME})\s{{0,8}}(?::=|=>|[:=])\s{{0,8}}"
        rf"(?P<q>[\"'`])(?P<s>{labels.ORDINARY}{DONE}[^\"'`\n]{{3,200}})(?P=q)",
        hints=labels.NAME_HINTS,
        signs=labels.SIGNS,
        near=True,
    ),
    Rule(
        "password",
        "no word behind a label",
        rf"(?i:{labels.NAME}){labels.SEPARATOR}"
        rf"(?P<s>(?![\"'`]){labels.ORDINARY}{DONE}(?=\S{{0,200}}[\d!#$%&*+@^_~]|[^\W\d_]{{1,40}}-[^\W\d_])"
        rf"\S{{4}}{labels.CHARS}*)",
        check=labels.value,
        hints=labels.NAME_HINTS,
        signs=labels.SIGNS,
        near=True,
    ),
    Rule(  # that ends the line or stands before the next label
        "password",
        "one word behind a label",
        rf"(?i:{labels.WORD}){labels.SEPARATOR}"
        rf"(?P<s>{labels.ORDINARY}{DONE}(?:{labels.NO_TAG}[^\s\"'`]){{3,}}+)"
        r"(?m:(?=[ \t]{0,80}$|[ \t]{1,8}[\w-]{1,40}[ \t]{0,8}[:=]))",
        check=labels.value,
        hints=labels.WORD_HINTS,
        signs=labels.SIGNS,
        near=True,
    ),
    Rule(
        "password",
        'no word behind "is"',
        rf"(?i:{labels.WORD}{labels.WHOSE}[ \t]{{0,8}},?[ \t]{{1,8}}{labels.IS_NOW}[ \t:]{{1,8}})"
        rf"[\"'`]?(?P<s>{DONE}(?:{labels.NO_TAG}[^\s\"'`]){{5,}})",
        check=labels.no_word,
        hints=labels.WORD_HINTS,
    ),
    Rule(
        "password",
        'figures behind "password"',
        rf"(?i:(?<![^\W_])(?:password|passwd|passwort|pass|pwd|pw)[ \t]{{1,8}})(?P<s>{DONE}"
        rf"(?=\S{{0,80}}\d)(?=\S{{0,80}}[A-Za-z])(?:{labels.NO_TAG}[^\s\"'`>()]){{6,}})",
        check=labels.no_word,
        hints="passw|pass |pw",
    ),
    Rule(
        "password",
        "between tags",
        r"(?i:<(?:[a-z]+:)?(?:\w{0,20}password|passwd|pwd|secret|api-?key)>)"
        rf"(?P<s>{DONE}[^<\n]{{3,200}})(?=</)",
        hints=labels.NAME_HINTS,
        signs="<",
    ),
    Rule(
        "password",
        "groups behind a label",
        r"(?i:(?:recovery|backup|activation|licen[cs]e|product|unlock)[ -](?:code|key)s?(?:[ ]is)?[ :=]{1,3})"
        r"(?P<s>[A-Za-z0-9]{4,8}(?:-[A-Za-z0-9]{4,8}){2,12})(?![\w-])",
        hints="recovery|backup|activation|licen|product|unlock",
        signs="-",
    ),
    Rule(  # to the end of the line
        "password",
        "a passphrase",
        r"(?im:(?<![a-z])(?:pass ?phrase|(?:seed|recovery|mnemonic)[ _-](?:phrase|words))"
        rf"[ \t]{{0,8}}[:=][ \t]{{0,8}}(?P<s>{DONE}\S.{{2,}}))",
        check=labels.value,
        hints="phrase|recovery|seed|mnemonic",
        signs=labels.SIGNS,
    ),
    Rule(
        "password",
        "an option",
        r"(?<!\S)--?(?:[a-z]+-)?(?:password|passwd|passphrase|pass|token|secret|api-key)"
        rf"(?:=[\"']?|[ \t]{{1,8}}[\"']|[ \t]{{1,8}}(?=[^\s-]{{0,80}}\d))(?P<s>(?![\"'$<{{-]){DONE}[^\s\"']{{3,}})",
        check=labels.value,
        hints="passw|passp|pass=|pass |token|secret|key",
        signs="-",
    ),
    Rule(
        "password",
        "an option of some commands",
        r"(?<![\w-])(?:(?:mysql\w*|mariadb[\w-]*|7za?|sshpass|unrar|rar|zip|docker login|helm registry login|ldap\w+)"
        r"[ ](?:[^\n|;]{0,80} )?-[pPw][ ]?|redis-cli[ ](?:[^\n|;]{0,80} )?-a "
        r"|htpasswd -\w{0,20}b\w{0,20} \S{1,80} \S{1,80} "
        rf"|echo (?=\S{{1,80}} ?\| ?sudo -S))[\"']?(?P<s>(?![$<{{/-]){DONE}[^\s\"'|]{{3,}})",
        hints="mysql|mariadb|7z|sshpass|rar |zip -|docker login|registry login|ldap|redis-cli|htpasswd|sudo -s",
        signs="-",
    ),
    Rule(
        "password",
        "behind the user's name",
        r"(?:(?<!\S)-(?:u|-user)[ =][\"']?[^\s:\"']{1,64}:(?!\d+(?!\S))|/[Uu][Ss][Ee][Rr]:\S{1,60} )"
        rf"(?P<s>(?![$<{{/-]){DONE}[^\s\"'|]{{3,}})",
        hints=" -u | -u=|-user|/user:",
        signs=":",
    ),
    # With check digits: before what takes some figures of a longer number.
    Rule("iban", "IBAN", check_digits.IBAN, check=check_digits.iban, figures=3),
    Rule("card", "card", check_digits.CARD, check=check_digits.card, figures=3),
    # PINs and codes: figures beside a word for one.
    Rule(
        "pin",
        "behind a word for a code",
        r"(?<![\w.,-])(?P<s>\d{3}[ -]\d{3}|\d{4}[ -]\d{4}|\d{4,8})(?![\w-]|[.,:]\d)",
        check=_behind_a_word,
        hints=labels.SENT_CODE_HINTS,
        figures=3,
    ),
    Rule(
        "pin",
        'six figures behind "code"',
        r"(?i:(?<![a-z])(?<!zip )(?<!area )(?<!error )(?<!postal )(?<!exit )(?<!status )code[ ]?[:#]?[ ]?)"
        r"(?P<s>\d{6})(?![\w-]|[.,:]\d)",
        hints="code",
        figures=3,
    ),
    Rule(
        "pin",
        "to be entered",
        r"(?i:(?<![a-z])(?:use|enter|type|using) (?P<s>\d{3}[ -]\d{3}|\d{4,8}) (?:to|as|for) "
        r"(?:log|sign|verif|confirm|reset|your))",
        hints="use|using|enter|type",
        figures=3,
    ),
    Rule(
        "pin",
        "on the back of a card",
        r"(?<![A-Za-z])(?:CV[VC]2?|CSC|cv[vc]2?|(?i:cryptogramme(?: visuel)?|kartenprüf(?:nummer|ziffer)))"
        r"(?:[ ](?:code|is|number|est|ist))?[ ]?[:=#]?[ ]?(?P<s>\d{3,4})(?![\w-])",
        hints="cvv|cvc|csc|cryptogramme|kartenprüf",
        figures=3,
    ),
    # What may be anything, behind a label.
    Rule(
        "pin",
        "behind a label",
        rf"(?i:(?<![^\W_])(?:{labels.CODE})(?![^\W_]){labels.WHOSE}{labels.LINK}(?:{labels.LINE}|[ \t]{{0,8}})"
        r"(?:(?:the|die|der|le|la|el|il|o|a|de)[ ])?(?P<s>\d(?:[ -]?\d){3,18}[#*A-Z]?)(?![\w-]|[.,:]\d))",
        hints=labels.LABEL_HINTS,
        figures=1,
    ),
    Rule(
        "password",
        "said in quotes",
        rf"(?i:{labels.LABEL}{labels.WHOSE}{labels.LINK}(?:{labels.LINE}|[ \t]{{0,8}}){labels.OPENS}{labels.QUOTED})",
        check=labels.in_quotes,
        hints=labels.LABEL_HINTS,
        signs="\"'`“„«‹‘‚",
    ),
    Rule(
        "password",
        "in a line of its own",
        rf"(?i:{labels.LABEL}{labels.WHOSE}{labels.LINK}{labels.LINE}"
        rf"(?P<s>(?![\"'`“„«‹‘‚]){labels.NOTHING}{DONE}(?:(?!</|<[A-Za-z])\S){{4,100}})(?=[ \t]{{0,8}}(?:\n|\Z)))",
        check=labels.in_a_line,
        hints=labels.LABEL_HINTS,
        signs="\n",
    ),
    Rule(
        "password",
        'one word behind "is"',
        rf"(?i:(?:{labels.LABEL}){labels.WHOSE}[ \t]{{0,8}},?[ \t]{{1,8}}{labels.IS}[ \t]{{1,4}}"
        rf"(?P<s>{labels.NOTHING}{DONE}[^\W_](?:[\w+&!*#]|-(?=[^\W_])){{3,40}})"
        r"(?=[,;]|[.!?]?[ \t]{0,8}(?:\n|\Z)|[.!] |[ \t][-–(]))",
        check=labels.no_sentence,
        hints=labels.LABEL_HINTS,
    ),
    Rule(
        "key",
        "words that restore something",
        rf"(?i:(?:{labels.RECOVERY}){labels.WHOSE}{labels.LINK}(?:{labels.LINE}|[ \t]{{0,8}})"
        rf"(?P<s>{DONE}{labels.ROW_OF_WORDS}))",
        check=labels.row_of_words,
        hints=labels.RECOVERY_HINTS,
    ),
    Rule("password", "an answer to a security question", find=told_answers.find, hints=told_answers.HINTS),
    Rule("password", "a network's key", find=typed_codes.network_keys, hints=typed_codes.NETWORK_HINTS),
    Rule("pin", "the turns of a safe", typed_codes.TURNS, hints=typed_codes.TURNS_HINTS, figures=1),
    Rule("pin", "a lock's row", find=typed_codes.rows, hints=typed_codes.LOCK_HINTS),
    Rule("pin", "typed at a door", find=typed_codes.typed, figures=1),
    # Numbers that a word or a number near them tells.
    Rule("pin", "behind a card's number", check_digits.BACK, hints="[card]"),
    Rule("id", "national numbers", find=check_digits.national_numbers, figures=3),
    Rule("id", "papers and accounts", find=near_words.papers, figures=3),
    # Codes.
    Rule("key", "BitLocker", r"(?<![\w-])(?P<s>\d{6}(?:[ -]\d{6}){7})(?![\w-])", figures=3),
    Rule(  # hexadecimal, as one of a list
        "password",
        "five and five",
        r"(?<![\w/.-])(?P<s>(?=[0-9-]{0,10}[a-f])(?=[a-f-]{0,10}[0-9])[0-9a-f]{5}-[0-9a-f]{5})(?![\w-])",
        signs="-",
        figures=1,
        long_word=11,
    ),
    Rule("pin", "with a G", r"(?<![\w-])(?P<s>G-\d{6})(?![\w-])", hints="g-", figures=3),
    Rule("pin", "sent once", find=near_words.sent_codes, figures=3),
    Rule("random", "drawn at random", find=random_strings.find, long_word=random_strings.SHORTEST),
)
