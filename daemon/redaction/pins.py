"""Rules for PINs and codes: digits beside a word for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idiolect.daemon.redaction.lazy_pattern import lazy
from idiolect.daemon.redaction.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idiolect.daemon.redaction.cards_and_ibans import Span

_CODE: Final = r"(?P<s>\d{3}[ -]\d{3}|\d{4}[ -]\d{4}|\d{4,8})(?![\w-]|[.,:]\d)"
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
_NUMBER: Final = lazy(rf"(?<![\w.,-]){_CODE}")
_CODE_BEFORE: Final = lazy(
    rf"(?i:{_CODE_WORD}(?:[ \t]{{0,8}}[:=#：][ \t]{{0,8}}"
    r"|[ \t]{1,8}(?:is|was|ist|lautet|es|est)[ \t:]{1,8}|[ \t]{1,8})\Z)"
)


def _codes(text: str) -> Iterator[Span]:
    """Numbers right behind a word for a code."""
    for match in _NUMBER.finditer(text):
        before = text[max(0, match.start() - _BEFORE) : match.start()]
        if any(map(before.lower().__contains__, _CODE_HINTS)) and _CODE_BEFORE.search(before):
            yield match.span("s")


#: In the order in which they are tried.
PINS: Final[tuple[Rule, ...]] = (
    Rule(
        "pin",
        None,
        find=_codes,
        matches=(
            ("My PIN: 4821", "My PIN: [pin]"),
            ("Your verification code is 992817.", "Your verification code is [pin]."),
            ("Enter code 992 817 to go on", "Enter code [pin] to go on"),
            ("My PIN is 4471 8890, as ever", "My PIN is [pin], as ever"),
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
        lazy(
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
        lazy(
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
        lazy(
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
        lazy(
            r"(?<![A-Za-z])(?:CV[VC]2?|CSC|cv[vc]2?)(?:[ ](?:code|is"
            r"|number))?[ ]?[:=#]?[ ]?(?P<s>\d{3,4})(?![\w-])"
        ),
        matches=(("exp 04/29 CVV 482", "exp 04/29 CVV [pin]"),),
        misses=("CVE-2021-44228", "cvc 12"),
        hints=frozenset(("cvv", "cvc", "csc")),
        figures=True,
    ),
)
