"""Passwords, PINs and codes: secrets of any form, told by the words, signs and commands around them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from idiolect.daemon.redaction.rule import DONE, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idiolect.daemon.redaction.numbers import Span


def _value(match: re.Match[str]) -> Span | None:
    """The secret less the punctuation of the sentence that it stands in; None where that is all."""
    value = match["s"].rstrip(_TAIL)
    start = match.start("s")
    return (start, start + len(value)) if value else None


def _no_word(match: re.Match[str]) -> Span | None:
    """The same where it can be no word of a sentence: figures in it, or a sign, or a capital in its middle."""
    span = _value(match)
    value = match.string[span[0] : span[1]] if span else ""
    figures, letters = any(map(str.isdigit, value)), any(map(str.isalpha, value))
    return span if (figures and (letters or len(value) >= 6)) or _SIGN.search(value) else None


_TAIL: Final = " \t.,;:!?)]}>\"'`"
_SIGN: Final = re.compile(r"\S[#$%&*+@^_~!?]\S|[a-z][A-Z]|^[#$%*^~!]\w")


#: Words for a password, as patterns: wherever they stand, and by themselves alone.
WORDS: Final = (
    *("passw(?:or)?d", "passwort", "kennwort", "wachtwoord", "contrase[ñn]a", "palavra-passe", "salasana"),
    *("пароль", "密码", "密碼", "パスワード", "비밀번호"),
)
WORDS_ALONE: Final = (
    *("passcode", "passwd", "pass", "pwd", "pw", "psw", "mot de passe", "mdp", "clave", "senha", "has[łl]o"),
    *("l[öo]senord", "passord", "adgangskode", "heslo", "jelsz[óo]", "parol[ae]", "[şs]ifre"),
    "(?:wpa|wi-?fi|wlan|network)[ _-]?(?:key|schlüssel)",
)
_WORD: Final = rf"(?:(?:{'|'.join(WORDS)}|(?<![^\W_])(?:{'|'.join(WORDS_ALONE)}))s?[\"']?)"
_LABEL: Final = (
    rf"(?:{_WORD}|(?<![A-Za-z])(?:"
    r"(?:(?:client|api|app|shared|signing|webhook)[ _-]?)?secret(?:[ _-]?(?:access[ _-]?)?key)?"
    r"|(?:api|access|private|preshared|encryption|account|auth|license|licence|recovery)[ _-]?key"
    r"|(?:api|access|auth|refresh|bearer|session|bot|csrf|personal access)[ _-]?token)s?[\"']?"
    r"|(?-i:(?<![A-Za-z0-9_])[A-Z][A-Z0-9_]{0,40}(?:SECRET|TOKEN|API_?KEY|PASS)))"
)
_WORD_HINTS: Final = frozenset(
    (
        *(
            "pass",
            "pw",
            "psw",
            "mdp",
            "kennwort",
            "wachtwoord",
            "contrase",
            "salasana",
            "clave",
            "senha",
            "haslo",
        ),
        *(
            "hasło",
            "senord",
            "adgangskode",
            "heslo",
            "jelsz",
            "parol",
            "sifre",
            "şifre",
            "şi̇fre",
            "wpa",
            "wifi",
        ),
        *("wi-fi", "wlan", "network", "пароль", "密码", "密碼", "パスワード", "비밀번호"),
    )
)
_LABEL_HINTS: Final = _WORD_HINTS | {"secret", "key", "token"}
_SIGNS: Final = ":=：>"
_FOR: Final = (
    r"(?:[ \t]+(?:for|to|of|für|zum|pour|de|para|del)(?:[ \t]+[\w.@'-]{1,20}){1,4}?)?"  # what it opens
)
_WHOSE: Final = r"(?:[ \t]+[^\W\d_][\w.@'’-]{0,20}){0,6}?"  # of what it is, in a few words
_IS: Final = r"(?:is|was|ist|war|lautet|heißt|es|est|c[’']est|è|é|sono|now|jetzt|ahora|ora|agora|nu|-)"
_SEPARATOR: Final = _FOR + r"[ \t]*(?::=|=>|->|[:=：])[ \t]*"
_ORDINARY: Final = (  # what documents and forms say in the place of a value
    r"(?!(?:required|optional|none|null|true|false|string|str|text|yes|no|unknown|changed|reset|hidden"
    r"|redacted|tbd|here|below|above|see|empty|invalid|incorrect|wrong|expired|forgotten|protected|missing"
    r"|(?-i:[A-Z]{2,}(?:_[A-Z]+)+)|\*{1,40}|\.{1,40}|<[^>\s]{0,80}>|\$\{?[A-Z_]+\}?|\{{1,3}[^}\s]{0,80}\}{1,3})(?![^\s.,;:!?)\"'`]))"
)
_NO_TAG: Final = r"(?!</|<[A-Za-z][^<>\n]{0,200}>)"  # a mere < may be a sign of the value
_CHARS: Final = (
    rf"(?:(?![;&]\w+=){_NO_TAG}\S)"  # of a value, up to the next one of a connection string or a tag
)
_CODE: Final = r"(?P<s>\d{3}[ -]\d{3}|\d{4,8})(?![\w-]|[.,:]\d)"
_CODE_WORD: Final = (
    r"(?:(?<![a-z])(?:sim |card )?pin(?:[ -]?(?:code|number|nummer))?|(?<![a-z])(?:puk|otp|(?-i:TAN"
    r"|mTAN))(?: code)?|passcode"
    r"|(?:verification|security|one[- ]time|log-?in|sign-?in|access|authenti\w{3,8}|confirmation|otp|2fa"
    r"|mfa|sms|reset|activation"
    r"|unlock|door|gate|alarm|backup|pairing)[ -](?:code|passcode|password|pin|number)"
    r"|(?:bestätigungs|sicherheits|zugangs|prüf|freigabe|einmal|verifizierungs)(?:code|nummer|passwort"
    r"|kennwort)"
    r"|code de (?:vérification|sécurité|confirmation)|c[óo]digo(?: de \w{4,14})?|codice(?: di \w{4,14})?"
    r"|код(?: подтверждения)?"
    r"|(?:your|enter|use|ihr|dein|votre|tu|su"
    r"|the)[ ](?:\w{2,12}[ ])?(?<!zip )(?<!area )(?<!error )(?<!postal )(?<!country )"
    r"(?<!dress )(?<!promo )(?<!source )(?<!status )(?<!exit )(?<!post )code)"
)

_CODE_HINTS: Final = frozenset(
    (
        *("pin ", "pin:", "pin=", "pin#", "pin-", "pinc", "pinn", "code", "password", "puk", "otp"),
        *("tan ", "tan:", "digo", "codice", "код", "nummer", "passwort"),
    )
)
_BEFORE: Final = 60  # characters of the words before a code
_NUMBER: Final = re.compile(rf"(?<![\w.,-]){_CODE}")
_CODE_BEFORE: Final = re.compile(
    rf"(?i:{_CODE_WORD}(?:[ \t]*[:=#：][ \t]*|[ \t]+(?:is|was|ist|lautet|es|est)[ \t:]+|[ \t]+)\Z)"
)


def _codes(text: str) -> Iterator[Span]:
    """Numbers right behind a word for a code."""
    for match in _NUMBER.finditer(text):
        before = text[max(0, match.start() - _BEFORE) : match.start()]
        if any(map(before.lower().__contains__, _CODE_HINTS)) and _CODE_BEFORE.search(before):
            yield match.span("s")


#: In the order in which they are tried.
PASSWORDS: Final[tuple[Rule, ...]] = (
    Rule(
        "password",  # in a URL
        re.compile(rf"(?i:\b[a-z][a-z0-9+.-]{{0,20}})://[^\s:/@]{{0,200}}:(?P<s>{DONE}[^\s/]{{1,300}})(?=@)"),
        matches=(
            ("postgres://ann:hunter2@db.example/x", "postgres://ann:[password]@db.example/x"),
            ("https://ann:p@ss@x.example", "https://ann:[password]@x.example"),
        ),
        misses=("http://localhost:8080/@ann", "mail ann@example.org: see https://example.org"),
        hints=frozenset(("://",)),
        signs=":",
    ),
    Rule(
        "password",  # a label and a value in quotes
        re.compile(
            rf"(?i:{_LABEL})\s{{0,8}}(?::=|=>"
            rf"|[:=])\s{{0,8}}(?P<q>[\"'`])(?P<s>{_ORDINARY}{DONE}[^\"'`\n]{{3,200}})(?P=q)"
        ),
        matches=(
            ('{"password": "correct horse"}', '{"password": "[password]"}'),
            ("API_KEY = 'abc-def'", "API_KEY = '[password]'"),
        ),
        misses=('password: ""', 'password = "required"', "the secret: 'x'", "secrets: `GH_TOKEN`"),
        hints=_LABEL_HINTS,
        signs=_SIGNS,
        near=True,
    ),
    Rule(
        "password",  # a label and a value that is no word
        re.compile(
            rf"(?i:{_LABEL}){_SEPARATOR}"
            rf"(?P<s>(?![\"'`]){_ORDINARY}{DONE}(?=\S{{0,200}}[\d!#$%&*+@^_~]"
            rf"|[^\W\d_]{{1,40}}-[^\W\d_])\S{{4}}{_CHARS}*)"
        ),
        matches=(
            ("Password: hunter2", "Password: [password]"),
            ("the wifi password: blue9Sky, as ever", "the wifi password: [password], as ever"),
            ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=[password]"),
            ("Passwort: Geheim!", "Passwort: [password]!"),
            ("密码：blue9Sky", "密码：[password]"),
            ("Server=db;Pwd=blue9Sky;Port=1", "Server=db;Pwd=[password];Port=1"),
            ("Passord: hunter2", "Passord: [password]"),
            ("ŞİFRE: hunter2", "ŞİFRE: [password]"),
            ("Password: abcd<efg1", "Password: [password]"),
            ("Password: abcd1<br>Next", "Password: [password]<br>Next"),
        ),
        misses=(
            "password: please reset it today",
            "no api key: see the docs for how to get one",
            "export PASSWORD=$DB_PASSWORD",
            "the key: be kind",
            "tokens: 512 per second",
        ),
        hints=_LABEL_HINTS,
        signs=_SIGNS,
        near=True,
        locate=_value,
    ),
    Rule(
        "password",  # any one word that ends the line or stands before the next label
        re.compile(
            rf"(?i:{_WORD}){_SEPARATOR}(?P<s>{_ORDINARY}{DONE}(?:{_NO_TAG}[^\s\"'`]){{3,}}+)"
            r"(?m:(?=[ \t]{0,80}$|[ \t]{1,8}[\w-]{1,40}[ \t]{0,8}[:=]))"
        ),
        matches=(
            ("user: ann password: swordfish host: db1", "user: ann password: [password] host: db1"),
            ("password = swordfish\nok", "password = [password]\nok"),
            ("password: sword<fish", "password: [password]"),
        ),
        misses=("Password: required", "password: please reset it today", "The secret: patience."),
        hints=_WORD_HINTS,
        signs=_SIGNS,
        near=True,
        locate=_value,
    ),
    Rule(
        "password",  # "the password is ...", "password ...": only for what can be no word
        re.compile(
            rf"(?i:{_WORD}{_WHOSE}[ \t]*,?[ \t]+{_IS}[ \t:]+)"
            rf"[\"'`]?(?P<s>{DONE}(?:{_NO_TAG}[^\s\"'`]){{5,}})"
        ),
        matches=(
            ("The password is hunter2.", "The password is [password]."),
            ("the wifi password is blueSky", "the wifi password is [password]"),
            ("the pw for the shared drive is blue7", "the pw for the shared drive is [password]"),
            ("The password is abcd1<efg", "The password is [password]"),
            ("la clave es hunter2", "la clave es [password]"),
            (
                "Das WLAN-Passwort im Haus am See ist Turm!88",
                "Das WLAN-Passwort im Haus am See ist [password]",
            ),
            ("la password del computer è gabbiano22", "la password del computer è [password]"),
        ),
        misses=(
            "the password is required",
            "the password is 8 characters long",
            "password was changed in 2019",
        ),
        hints=_WORD_HINTS,
        locate=_no_word,
    ),
    Rule(
        "password",
        re.compile(
            rf"(?i:(?<![^\W_])(?:password|passwd|passwort|pass|pwd|pw)[ \t]+)(?P<s>{DONE}"
            rf"(?=\S{{0,80}}\d)(?=\S{{0,80}}[A-Za-z])(?:{_NO_TAG}[^\s\"'`>()]){{6,}})"
        ),
        matches=(
            ("user ann pw hunter2x", "user ann pw [password]"),
            ("user ann pw hunter2<x", "user ann pw [password]"),
        ),
        misses=("password abc", "passwords 8-20 long", "password (8chars)"),
        hints=frozenset(("passw", "pass ", "pw")),
        locate=_no_word,
    ),
    Rule(
        "password",  # between tags
        re.compile(
            rf"(?i:<(?:[a-z]+:)?(?:\w{{0,20}}password|passwd|pwd|secret"
            rf"|api-?key)>)(?P<s>{DONE}[^<\n]{{3,200}})(?=</)"
        ),
        matches=(("<password>swordfish</password>", "<password>[password]</password>"),),
        misses=("<password></password>", "<passwords>"),
        hints=_LABEL_HINTS,
        signs="<",
    ),
    Rule(
        "password",  # groups of letters and figures
        re.compile(
            r"(?i:(?:recovery|backup|activation|licen[cs]e|product|unlock)[ -](?:code|key)s?(?:[ ]is)?[ :=]{1,3})"
            r"(?P<s>[A-Za-z0-9]{4,8}(?:-[A-Za-z0-9]{4,8}){2,12})(?![\w-])"
        ),
        matches=(("recovery code d8f3-k2j4-x9m1-p0q7", "recovery code [password]"),),
        misses=("the recovery code is on paper", "product code: step-by-step"),
        hints=frozenset(("recovery", "backup", "activation", "licen", "product", "unlock")),
        signs="-",
    ),
    Rule(
        "password",  # several words: to the end of the line
        re.compile(
            r"(?im:(?<![a-z])(?:pass ?phrase|(?:seed|recovery|mnemonic)[ _-](?:phrase|words))"
            rf"[ \t]*[:=][ \t]*(?P<s>{DONE}\S.{{2,}}))"
        ),
        matches=(("Passphrase: correct horse battery staple\nok", "Passphrase: [password]\nok"),),
        misses=("a passphrase is longer than a password", "recovery phrase:"),
        hints=frozenset(("phrase", "recovery", "seed", "mnemonic")),
        signs=_SIGNS,
        locate=_value,
    ),
    Rule(
        "password",  # an option of a command
        re.compile(
            r"(?<!\S)--?(?:[a-z]+-)?(?:password|passwd|passphrase|pass|token|secret|api-key)"
            rf"(?:=[\"']?|[ \t]+[\"']|[ \t]+(?=[^\s-]{{0,80}}\d))(?P<s>(?![\"'$<{{-]){DONE}[^\s\"']{{3,}})"
        ),
        matches=(
            ("mysql --password=swordfish db", "mysql --password=[password] db"),
            ("tool --token abc123def", "tool --token [password]"),
            ("tool --token 'swordfish' x", "tool --token '[password]' x"),
        ),
        misses=("give it --password and then the file", "--token $TOKEN", "--password=<yours>"),
        hints=frozenset(("passw", "passp", "pass=", "pass ", "token", "secret", "key")),
        signs="-",
        locate=_value,
    ),
    Rule(
        "password",  # options of certain commands
        re.compile(
            r"(?<![\w-])(?:(?:mysql\w*|mariadb[\w-]*|7za?|sshpass|unrar|rar|zip|docker login"
            r"|helm registry login|ldap\w+)"
            r"[ ](?:[^\n|;]{0,80} )?-[pPw][ ]?|redis-cli[ ](?:[^\n|;]{0,80} )?-a "
            r"|htpasswd -\w*b\w* \S{1,80} \S{1,80} "
            rf"|echo (?=\S{{1,80}} ?\| ?sudo -S))[\"']?(?P<s>(?![$<{{/-]){DONE}[^\s\"'|]{{3,}})"
        ),
        matches=(
            ("mysql -u root -pswordfish shop", "mysql -u root -p[password] shop"),
            ("echo swordfish | sudo -S ls", "echo [password] | sudo -S ls"),
        ),
        misses=("mkdir -p some/folder", "ssh -p 2222 host", "mysql -p db", "rar and zip files"),
        hints=frozenset(
            (
                *(
                    "mysql",
                    "mariadb",
                    "7z",
                    "sshpass",
                    "rar ",
                    "zip -",
                    "docker login",
                    "registry login",
                    "ldap",
                ),
                *("redis-cli", "htpasswd", "sudo -s"),
            )
        ),
        signs="-",
    ),
    Rule(
        "password",  # behind the user's name
        re.compile(
            r"(?:(?<!\S)-(?:u|-user)[ =][\"']?[^\s:\"']{1,64}:(?!\d+(?!\S))|/[Uu][Ss][Ee][Rr]:\S{1,60} )"
            rf"(?P<s>(?![$<{{/-]){DONE}[^\s\"'|]{{3,}})"
        ),
        matches=(
            ("curl -u ann:swordfish https://x.example", "curl -u ann:[password] https://x.example"),
            ("net use z: /user:ann swordfish", "net use z: /user:ann [password]"),
        ),
        misses=("docker run -u 1000:1000 x", "cp -u a b"),
        hints=frozenset((" -u ", " -u=", "-user", "/user:")),
        signs=":",
    ),
    Rule(
        "pin",
        None,
        find=_codes,
        matches=(
            ("My PIN: 4821", "My PIN: [pin]"),
            ("Your verification code is 992817.", "Your verification code is [pin]."),
            ("Enter code 992 817 to go on", "Enter code [pin] to go on"),
        ),
        misses=(
            "pin 4 is ground",
            "the zip code is 90210",
            "pin: done",
            "spin: 2000",
            "a tan 2000 years old",
        ),
        hints=_CODE_HINTS,
        figures=True,
    ),
    Rule(
        "pin",  # six figures after the bare word
        re.compile(
            r"(?i:(?<![a-z])(?<!zip )(?<!area )(?<!error )(?<!postal )(?<!exit )(?<!status )code[ ]?[:#]?[ ]?)"
            r"(?P<s>\d{6})(?![\w-]|[.,:]\d)"
        ),
        matches=(("You can sign in with code 992817", "You can sign in with code [pin]"),),
        misses=("the error code 992817", "codes 123456", "code 1234567"),
        hints=frozenset(("code",)),
        figures=True,
    ),
    Rule(
        "pin",  # the figures first
        re.compile(
            r"(?i:(?<![\w.,-])(?:G-)?(?P<s>\d{3}[ -]\d{3}|\d{4,8}) (?:is|ist|est|es) (?:your|ihr|dein|votre"
            r"|tu|su) "
            r"(?:[\w-]{1,20} ){0,5}(?:code|pin|otp|passcode|password|\w{1,14}code))"
        ),
        matches=(
            ("992817 is your verification code.", "[pin] is your verification code."),
            ("G-992817 is your Example verification code", "G-[pin] is your Example verification code"),
        ),
        misses=("2019 is your year", "1560 is your test"),
        hints=frozenset(("code", "pin", "otp", "password")),
        figures=True,
    ),
    Rule(
        "pin",
        re.compile(
            r"(?i:(?<![a-z])(?:use|enter|type|using) (?P<s>\d{3}[ -]\d{3}|\d{4,8}) (?:to|as|for) (?:log"
            r"|sign|verif|confirm|reset|your))"
        ),
        matches=(("Use 992817 to log in", "Use [pin] to log in"),),
        misses=("Added test 1560 to verify", "use 4000 for now"),
        hints=frozenset(("use", "using", "enter", "type")),
        figures=True,
    ),
    Rule(
        "pin",  # the figures on the back of a card
        re.compile(
            r"(?<![A-Za-z])(?:CV[VC]2?|CSC|cv[vc]2?)(?:[ ](?:code|is"
            r"|number))?[ ]?[:=#]?[ ]?(?P<s>\d{3,4})(?![\w-])"
        ),
        matches=(("exp 04/29 CVV 482", "exp 04/29 CVV [pin]"),),
        misses=("CVE-2021-44228", "cvc 12"),
        hints=frozenset(("cvv", "cvc", "csc")),
        figures=True,
    ),
)
