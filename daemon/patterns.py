"""What a secret looks like: one rule a kind, each beside examples of what it must and must not take."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    Span = tuple[int, int]

#: What stands in the place of a secret. It never counts as a secret itself, so that redacting twice
#: changes nothing.
PLACEHOLDER: Final = r"\[(?:key|token|password|pin|card|iban|data)\]"
_DONE: Final = rf"(?!{PLACEHOLDER})"


@dataclass(frozen=True)
class Rule:
    """One kind of secret, beside examples of what it must and must not take.

    `pattern` has a group `s`, the secret itself; `locate` narrows a match to the secret's span, or
    refuses it with None. `matches` are (text, text redacted) pairs; `misses` stay as they are. (A `¦` in
    a text, to be taken out, keeps scanners from taking this file for a leak.) To save time, a rule is
    tried only where one of the lower-case literals in `hints` occurs, if there are any, and where there
    is a digit or a word of 60 characters, if it `needs` one.
    """

    kind: str
    pattern: re.Pattern[str]
    matches: tuple[tuple[str, str], ...]
    misses: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    needs: Literal["", "digit", "long word"] = ""
    locate: Callable[[re.Match[str]], Span | None] = field(default=lambda match: match.span("s"))

    @property
    def placeholder(self) -> str:
        """What stands in the text instead of the secret."""
        return f"[{self.kind}]"


def _value(match: re.Match[str]) -> Span | None:
    """The secret less the punctuation of the sentence that it stands in; None where that is all."""
    value = match["s"].rstrip(" \t.,;:!?)]}>\"'`")
    start = match.start("s")
    return (start, start + len(value)) if value else None


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


# Lengths by the issuers' prefixes (ISO/IEC 7812 ranges of the large networks).
_CARD_RANGES: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|4[4-9]\d|5\d\d)\d{12}(?:\d{3})?|35\d{14}|62\d{14,17}"
)


def _card(match: re.Match[str]) -> Span | None:
    digits = re.sub(r"\D", "", match["s"])
    return match.span("s") if _CARD_RANGES.fullmatch(digits) and _luhn(digits) else None


# Length of an IBAN by country (ISO 13616 registry).
_IBAN_LENGTHS: Final = {
    code: length
    for length, codes in {
        15: "NO",
        16: "BE",
        18: "DK FK FI FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG YE",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for code in codes.split()
}


def _iban(match: re.Match[str]) -> Span | None:
    """The first characters of the match that make a whole IBAN (ISO 7064 MOD 97-10)."""
    length = _IBAN_LENGTHS.get(match["s"][:2].upper())
    if length is None:
        return None
    places = [place for place, char in enumerate(match["s"]) if char.isalnum()][:length]
    rest = match["s"][places[-1] + 1 :]
    if len(places) < length or (rest and rest[0].isalnum()):
        return None
    letters = "".join(match["s"][place] for place in places)
    number = "".join(str(int(char, 36)) for char in letters[4:] + letters[:4])
    start = match.start("s")
    return (start, start + places[-1] + 1) if int(number) % 97 == 1 else None


_WORD_FOR_IT: Final = (
    r"(?:(?<![A-Za-z])(?:pass(?:word|wd|code|wort)|kennwort|pwd|mot de passe|contraseña|wachtwoord)s?[\"']?)"
)
_LABEL: Final = (
    rf"(?:{_WORD_FOR_IT}|(?<![A-Za-z])(?:"
    r"(?:(?:client|api|app|shared|signing)[ _-]?)?secret(?:[ _-]?(?:access[ _-]?)?key)?"
    r"|(?:api|access|private|encryption|account|auth)[ _-]?key"
    r"|(?:api|access|auth|refresh|bearer|session|bot)[ _-]?token)s?[\"']?)"
)
_WORD_HINTS: Final = ("passw", "passcode", "pwd", "kennwort", "mot de passe", "contraseña", "wachtwoord")
_LABEL_HINTS: Final = (*_WORD_HINTS, "secret", "key", "token")
_ORDINARY: Final = (  # what documents and forms say in the place of a value
    r"(?!(?:required|optional|none|null|true|false|string|str|text|yes|no|unknown|changed|reset|hidden"
    r"|redacted|tbd|here|below|above|see|empty|invalid|incorrect|wrong|expired|forgotten|protected|missing"
    r"|(?-i:[A-Z]{2,}(?:_[A-Z]+)+)|\*+|\.+|<[^>]*>|\$\{?[A-Z_]+\}?|\{+[^}]*\}+)(?![^\s.,;:!?)\"'`]))"
)
_KEY_END: Final = r"-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"

_SERVICE_TOKENS: Final = "|".join(
    (
        r"gh[pousr]_[A-Za-z0-9]{36,}",  # GitHub
        r"github_pat_[A-Za-z0-9_]{22,}",
        r"glpat-[\w-]{20,}",  # GitLab
        r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])",  # AWS access key id
        r"xox[abeoprs]-[A-Za-z0-9-]{10,}",  # Slack
        r"xapp-\d-[A-Za-z0-9-]{10,}",
        r"https://hooks\.slack\.com/services/[A-Za-z0-9/]{20,}",
        r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}",  # Stripe
        r"whsec_[A-Za-z0-9+/]{24,}",
        r"AIza[\w-]{35}",  # Google
        r"ya29\.[\w-]{20,}",
        r"GOCSPX-[\w-]{20,}",
        r"sk-(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{20,}",  # OpenAI and services that copied its form
        r"hf_[A-Za-z0-9]{30,}",  # Hugging Face
        r"npm_[A-Za-z0-9]{36}",
        r"pypi-[\w-]{50,}",
        r"SG\.[\w-]{16,}\.[\w-]{16,}",  # SendGrid
        r"do[por]_v1_[a-f0-9]{64}",  # DigitalOcean
        r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",  # Shopify
        r"\d{8,10}:AA[\w-]{33}(?![\w-])",  # Telegram bot
        r"AGE-SECRET-KEY-1[0-9A-Z]{50,}",
        r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*",  # JSON web token (RFC 7519)
    )
)
_SERVICE_HINTS: Final = (
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "akia", "asia", "abia", "acca"),
    *("xox", "xapp-", "hooks.slack", "_live_", "_test_", "whsec_", "aiza", "ya29.", "gocspx-", "sk-", "hf_"),
    *("npm_", "pypi-", "sg.", "_v1_", "shpat_", "shpca_", "shppa_", "shpss_", ":aa", "age-secret", "eyj"),
)

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "key",
        re.compile(
            r"(?P<s>-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
            rf"(?:[\s\S]*?{_KEY_END}|[\s\S]*)"  # a key cut off before its end is a key all the same
            rf"|(?:(?<!\S)[A-Za-z0-9+/=\\]{{16,}}\s+){{0,80}}(?:(?<!\S)[A-Za-z0-9+/=\\]+\s*)?{_KEY_END})"
        ),
        matches=(
            (
                "mine:\n-----BEGIN RSA PRIV¦ATE KEY-----\nMIIEow\nx8Q=\n-----END RSA PRIVATE KEY-----\nok",
                "mine:\n[key]\nok",
            ),
            ("-----BEGIN PRIV¦ATE KEY----- MIIEvQIBADANBg cut off", "[key]"),
            ("9vXwK2mPq7RtYu31Zs8=\n-----END EC PRIV¦ATE KEY-----", "[key]"),
            ("-----BEGIN PGP PRIV¦ATE KEY BLOCK-----\nlQ\n-----END PGP PRIVATE KEY BLOCK-----.", "[key]."),
        ),
        misses=(
            "-----BEGIN PUBLIC KEY-----\nMFww\n-----END PUBLIC KEY-----",
            "BEGIN PRIVATE KEY is a marker",
        ),
        hints=("private key",),
    ),
    Rule(
        "data",  # lines of base64 (the middle of a key, an attachment), or one that no person typed
        re.compile(
            r"(?<![\w+/=])(?P<s>(?:[A-Za-z0-9+/]{60,76}={0,2}\s+)+(?:[A-Za-z0-9+/]{60,76}={0,2}"
            r"|[A-Za-z0-9+/]{1,75}={1,2})(?![\w+/=])|[A-Za-z0-9+/=_%\\-]{160,})"
        ),
        matches=(
            (f"see\n{'aB3/' * 16}\n{'cD4+' * 16}\nZm9v=\nend", "see\n[data]\nend"),
            ("img " + "iVBORw0KGgo" * 20, "img [data]"),
        ),
        misses=(
            "the tree is at 4b825dc642cb6eb9a060e54bf8d69288fbee4904 now",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        ),
        needs="long word",
    ),
    Rule(
        "token",
        re.compile(rf"(?<![\w-])(?P<s>{_SERVICE_TOKENS})"),
        matches=(
            ("use ghp¦_16C7e42F292c6912E7710c838347Ae178B4a ok", "use [token] ok"),
            ("git¦hub_pat_11ABCDEFG0aBcDeFgHiJkL_xyz", "[token]"),
            ("glp¦at-aB3dE5fG7hJ9kL1mN3pQ", "[token]"),
            ("AWS: AKI¦AIOSFODNN7EXAMPLE.", "AWS: [token]."),
            ("xox¦b-2444333222-abcdefGHIJ", "[token]"),
            ("post to https://hoo¦ks.slack.com/services/T0000/B0000/XXXXyyyyZZZZ", "post to [token]"),
            ("sk_¦live_4eC39HqLyjWDarjtT1zdp7dc", "[token]"),
            ("AIz¦aSyD3x9aB_cDeFgHiJkLmNoPqRsTuVwXyZ01", "[token]"),
            ("sk-¦proj-aB3dE5fG7hJ9kL1mN3pQ5rS7", "[token]"),
            ("hf_¦aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH", "[token]"),
            ("npm¦_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5", "[token]"),
            ("SG.¦aB3dE5fG7hJ9kL1mN3pQ5r.aB3dE5fG7hJ9kL1mN3pQ5r", "[token]"),
            ("110201543:AA¦HdqTcvCH1vGWJxfSeofSAs0K5PALDsawA", "[token]"),
            ("eyJ¦hbGciOiJIUzI1NiJ9.eyJ¦zdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N", "[token]"),
        ),
        misses=(
            "sk-learn-compatible-estimators-and-pipelines",
            "the task-force-of-1998-AND-its-many-members met",
            "ghp_short",
            "AKIAHBARA station",
            "run test_live_stream_of_the_long_function_name",
            "a 12345678:AAA battery",
        ),
        hints=_SERVICE_HINTS,
    ),
    Rule(
        "token",
        re.compile(
            rf"(?i:\b(?:bearer|basic)[ \t]+|[?&](?:access_token|token|api_?key|key|sig|signature|auth)=)"
            rf"(?P<s>{_DONE}(?=[^\s&]*\d)[A-Za-z0-9+/=._~%-]{{12,}})"
        ),
        matches=(
            ("Authorization: Bea¦rer mF_9.B5f-4.1JqM", "Authorization: Bearer [token]"),
            (
                "https://x.example/a?id=7&access_token=a1b2c3d4e5f6g7",
                "https://x.example/a?id=7&access_token=[token]",
            ),
        ),
        misses=("the bearer responsibilities", "https://x.example/?key=value", "basic understanding"),
        hints=("bearer", "basic", "token=", "key=", "sig=", "signature=", "auth="),
        needs="digit",
    ),
    Rule(
        "password",  # in a URL
        re.compile(rf"(?i:\b[a-z][a-z0-9+.-]{{0,20}})://[^\s:/@]*:(?P<s>{_DONE}[^\s/]+)(?=@)"),
        matches=(
            ("postgres://ann:hunter2@db.example/x", "postgres://ann:[password]@db.example/x"),
            ("https://ann:p@ss@x.example", "https://ann:[password]@x.example"),
        ),
        misses=("http://localhost:8080/@ann", "mail ann@example.org: see https://example.org"),
        hints=("://",),
    ),
    Rule(
        "password",  # a label and a value in quotes
        re.compile(
            rf"(?i:{_LABEL})\s*(?::=|=>|[:=])\s*(?P<q>[\"'`])(?P<s>{_ORDINARY}{_DONE}[^\"'`\n]{{3,200}})(?P=q)"
        ),
        matches=(
            ('{"password": "correct horse"}', '{"password": "[password]"}'),
            ("API_KEY = 'abc-def'", "API_KEY = '[password]'"),
        ),
        misses=('password: ""', 'password = "required"', "the secret: 'x'", "secrets: `GH_TOKEN`"),
        hints=_LABEL_HINTS,
    ),
    Rule(
        "password",  # a label and a value that is no word
        re.compile(
            rf"(?i:{_LABEL})[ \t]*(?::=|=>|[:=])[ \t]*"
            rf"(?P<s>(?![\"'`]){_ORDINARY}{_DONE}(?=\S*[\d!#$%&*+@^_~])\S{{4,}})"
        ),
        matches=(
            ("Password: hunter2", "Password: [password]"),
            ("the wifi password: blue9Sky, as ever", "the wifi password: [password], as ever"),
            ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=[password]"),
            ("Passwort: Geheim!", "Passwort: [password]!"),
        ),
        misses=(
            "password: please reset it today",
            "no api key: see the docs for how to get one",
            "export PASSWORD=$DB_PASSWORD",
            "the key: be kind",
            "tokens: 512 per second",
        ),
        hints=_LABEL_HINTS,
        locate=_value,
    ),
    Rule(
        "password",  # any one word that ends the line or stands before the next label
        re.compile(
            rf"(?i:{_WORD_FOR_IT})[ \t]*(?::=|=>|[:=])[ \t]*(?P<s>{_ORDINARY}{_DONE}[^\s\"'`]{{3,}})"
            r"(?m:(?=[ \t]*$|[ \t]+[\w-]+[ \t]*[:=]))"
        ),
        matches=(
            ("user: ann password: swordfish host: db1", "user: ann password: [password] host: db1"),
            ("password = swordfish\nok", "password = [password]\nok"),
        ),
        misses=("Password: required", "password: please reset it today", "The secret: patience."),
        hints=_WORD_HINTS,
        locate=_value,
    ),
    Rule(
        "password",  # "the password is ...": only for what can be no word
        re.compile(
            rf"(?i:\b(?:password|passwort|passcode)[ \t]+(?:is|was|ist|war)[ \t:]+)"
            rf"[\"'`]?(?P<s>{_DONE}(?=\S*\d)(?=\S*[A-Za-z])\S{{6,}})"
        ),
        matches=(("The password is hunter2.", "The password is [password]."),),
        misses=(
            "the password is required",
            "the password is 8 characters long",
            "password was changed in 2019",
        ),
        hints=("passw", "passcode"),
        needs="digit",
        locate=_value,
    ),
    Rule(
        "password",  # several words: to the end of the line
        re.compile(
            r"(?im:(?<![a-z])(?:pass ?phrase|(?:seed|recovery|mnemonic)[ _-](?:phrase|words))"
            rf"[ \t]*[:=][ \t]*(?P<s>{_DONE}\S.{{2,}}))"
        ),
        matches=(("Passphrase: correct horse battery staple\nok", "Passphrase: [password]\nok"),),
        misses=("a passphrase is longer than a password", "recovery phrase:"),
        hints=("phrase", "words"),
        locate=_value,
    ),
    Rule(
        "password",  # an option of a command
        re.compile(
            r"(?<!\S)--?(?:password|passwd|passphrase|token|secret|api-key)"
            rf"(?:=|[ \t]+(?=\S*\d))(?P<s>(?![\"'$<{{-]){_DONE}\S{{3,}})"
        ),
        matches=(
            ("mysql --password=swordfish db", "mysql --password=[password] db"),
            ("tool --token abc123def", "tool --token [password]"),
        ),
        misses=("give it --password and then the file", "--token $TOKEN", "--password=<yours>"),
        hints=("-password", "-passwd", "-passphrase", "-token", "-secret", "-api-key"),
        locate=_value,
    ),
    Rule(
        "pin",
        re.compile(
            r"(?i:\bpin(?:[ -]?(?:code|number))?"
            r"|\b(?:verification|security|one[- ]time|log-?in|access|otp|2fa)[ -](?:code|password|pin))"
            r"(?i:[ \t]*[:=][ \t]*|[ \t]+(?:is|ist)[ \t:]+)(?P<s>\d{4,8})(?!\w)"
        ),
        matches=(
            ("My PIN: 4821", "My PIN: [pin]"),
            ("Your verification code is 992817.", "Your verification code is [pin]."),
        ),
        misses=("pin 4 is ground", "the zip code is 90210", "pin: done", "spin: 2000"),
        hints=("pin", "code", "password"),
        needs="digit",
    ),
    Rule(
        "card",
        re.compile(
            r"(?<![\w.-])(?P<s>[2-6]\d{12,18}"
            r"|[2-6]\d{3}(?P<c>[ -])\d{4}(?P=c)\d{4}(?P=c)\d{4}(?:(?P=c)\d{3})?"
            r"|3\d{3}(?P<d>[ -])\d{6}(?P=d)\d{4,5})(?![\w-])"
        ),
        matches=(
            ("4111 1111 1111 1111", "[card]"),
            ("Amex 3782-822463-10005.", "Amex [card]."),
            ("5555555555554444 exp 04/27", "[card] exp 04/27"),
        ),
        misses=(
            "4111 1111 1111 1112",
            "call +44 20 7946 0958 or 555-0134-2231",
            "2019 2020 2021 2022",
            "at 1700000000000 ms",
            "order 4000000000000000000001",
        ),
        needs="digit",
        locate=_card,
    ),
    Rule(
        "iban",
        re.compile(r"(?<![A-Za-z0-9])(?P<s>[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,40})"),
        matches=(
            ("DE89 3704 0044 0532 0130 00 AND more", "[iban] AND more"),
            ("to GB82WEST12345698765432, please", "to [iban], please"),
        ),
        misses=("DE89 3704 0044 0532 0130 01", "at10 we all went to the big old house there"),
        needs="digit",
        locate=_iban,
    ),
)
