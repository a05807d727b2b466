"""Rules for passwords: by the words, signs and commands around them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from idiolect.daemon.redaction.lazy_pattern import lazy
from idiolect.daemon.redaction.rule import DONE, Rule

if TYPE_CHECKING:
    from idiolect.daemon.redaction.cards_and_ibans import Span


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
_SIGN: Final = lazy(r"\S[#$%&*+@^_~!?]\S|[a-z][A-Z]|^[#$%*^~!]\w")


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
# What it opens.
_FOR: Final = r"(?:[ \t]{1,8}(?:for|to|of|für|zum|pour|de|para|del)(?:[ \t]{1,8}[\w.@'-]{1,20}){1,4}?)?"
_WHOSE: Final = r"(?:[ \t]{1,8}[^\W\d_][\w.@'’-]{0,20}){0,6}?"  # of what it is, in a few words
_IS: Final = r"(?:is|was|ist|war|lautet|heißt|es|est|c[’']est|è|é|sono|now|jetzt|ahora|ora|agora|nu|-)"
_SEPARATOR: Final = _FOR + r"[ \t]{0,8}(?::=|=>|->|[:=：])[ \t]{0,8}"
_ORDINARY: Final = (  # what documents and forms say in the place of a value
    r"(?!(?:required|optional|none|null|true|false|string|str|text|yes|no|unknown|changed|reset|hidden"
    r"|redacted|tbd|here|below|above|see|empty|invalid|incorrect|wrong|expired|forgotten|protected|missing"
    r"|(?-i:[A-Z]{2,}(?:_[A-Z]+)+)|\*{1,40}|\.{1,40}|<[^>\s]{0,80}>|\$\{?[A-Z_]+\}?|\{{1,3}[^}\s]{0,80}\}{1,3})(?![^\s.,;:!?)\"'`]))"
)
_NO_TAG: Final = r"(?!</|<[A-Za-z][^<>\n]{0,200}>)"  # a mere < may be a sign of the value
_CHARS: Final = (
    rf"(?:(?![;&]\w+=){_NO_TAG}\S)"  # of a value, up to the next one of a connection string or a tag
)
#: In the order in which they are tried.
PASSWORDS: Final[tuple[Rule, ...]] = (
    Rule(
        "password",  # in a URL
        lazy(rf"(?i:\b[a-z][a-z0-9+.-]{{0,20}})://[^\s:/@]{{0,200}}:(?P<s>{DONE}[^\s/]{{1,300}})(?=@)"),
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
        lazy(
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
        lazy(
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
        lazy(
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
        lazy(
            rf"(?i:{_WORD}{_WHOSE}[ \t]{{0,8}},?[ \t]{{1,8}}{_IS}[ \t:]{{1,8}})"
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
        lazy(
            rf"(?i:(?<![^\W_])(?:password|passwd|passwort|pass|pwd|pw)[ \t]{{1,8}})(?P<s>{DONE}"
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
        lazy(
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
        lazy(
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
        lazy(
            r"(?im:(?<![a-z])(?:pass ?phrase|(?:seed|recovery|mnemonic)[ _-](?:phrase|words))"
            rf"[ \t]{{0,8}}[:=][ \t]{{0,8}}(?P<s>{DONE}\S.{{2,}}))"
        ),
        matches=(("Passphrase: correct horse battery staple\nok", "Passphrase: [password]\nok"),),
        misses=("a passphrase is longer than a password", "recovery phrase:"),
        hints=frozenset(("phrase", "recovery", "seed", "mnemonic")),
        signs=_SIGNS,
        locate=_value,
    ),
    Rule(
        "password",  # an option of a command
        lazy(
            r"(?<!\S)--?(?:[a-z]+-)?(?:password|passwd|passphrase|pass|token|secret|api-key)"
            rf"(?:=[\"']?|[ \t]{{1,8}}[\"']|[ \t]{{1,8}}(?=[^\s-]{{0,80}}\d))(?P<s>(?![\"'$<{{-]){DONE}[^\s\"']{{3,}})"
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
        lazy(
            r"(?<![\w-])(?:(?:mysql\w*|mariadb[\w-]*|7za?|sshpass|unrar|rar|zip|docker login"
            r"|helm registry login|ldap\w+)"
            r"[ ](?:[^\n|;]{0,80} )?-[pPw][ ]?|redis-cli[ ](?:[^\n|;]{0,80} )?-a "
            r"|htpasswd -\w{0,20}b\w{0,20} \S{1,80} \S{1,80} "
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
        lazy(
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
)
