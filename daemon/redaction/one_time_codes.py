"""Rules for one-time and recovery codes: by their form, or by a word some words away."""

from __future__ import annotations

import re
from typing import Final

from idiolect.daemon.redaction.cue_grammar import Form, Grammar
from idiolect.daemon.redaction.lazy_pattern import lazy
from idiolect.daemon.redaction.rule import DONE, Rule

_AT, _TO = r"(?<![\w.,/:+#-])(?<!\d )(?<![€$£] )", r"(?![\w#-])(?!\.\d|,\d|/\d|:\d| ?[€$£%°]| \d)"
#: Right before a number, or right behind it: it counts or names something.
_ANOTHER: Final = lazy(
    r"(?:(?<![^\W_])(?:gas|meter|reading|stand|zähler|flat|unit|house|nummer ist|konto|account|rank|article"
    r"|artikel|artículo"
    r"|user|job|run|hotel|seat|platz|gleis|gate|channel|model|paint|colour|color|serial|seriennummer|plate|since|seit|from"
    r"|of|the|road|exit|flight|train|bus|version|error|master|type"
    r"|typ|no\.|nr\.|ref\.|code is on the)\W{1,3})\Z"
)


def _drawn(written: str) -> bool:
    """Whether groups are figures alone, or one of them has letters as well; not a word and a year."""
    groups = re.split("[ -]", written)
    mixed = any(not group.isdigit() and not group.isalpha() for group in groups)
    return mixed or (written[:2] not in ("19", "20") and all(map(str.isdigit, groups)))


_ONCE: Final = Grammar(
    r"[A-Z0-9](?<![\w.,/+].)(?:\d{2}[ -]?\d{3}(?!\d)|\d{2}(?<=[A-Z]\d\d)|\d{1,5}[A-Z*]|(?:-\d){3})",
    (
        (
            r"sms\b|texted\b|mtan\b|m-tan\b|tan\b|push-?tan|photo-?tan|otp\b|2fa\b|mfa\b|one[- ]time|einmal|eenmalig"
            r"|usage unique|solo uso|uso [úu]nico|usa e getta|verif|bestätig|bevestig|whatsapp|digid\b|authenti"
            r"|log(?:ged)? ?(?:you |me )?in\b|log-?in|anmeld|einlogg|inlogg|iniciar sesi|expires?\b|expir|runs out"
            r"|caduca|scade|läuft ab|verloopt|verlopen|sicherheitscode|prüfcode|sechs (?:ziffern|stellen)"
            r"|six (?:digits|figures|numbers)|seis (?:cifras|d[íi]gitos)|sei cifre|six chiffres|zes cijfers"
            r"|beveiligingscode|security code|código|codigo|codice|code\b|freigabe|minut[eoi]|hurry\b|quick\b|be quick"
            r"|text from|from your app|schnell\b|token do banco|jeton\b|autoriza|autorizza|autoris|banking|móvil|movil"
            r"|telem[óo]vel|celular",
            "code",
        ),
        (
            r"doors?\b|gates?\b|barrier|keypad|key ?box|keysafe|key safe|padlock|lockbox|shed\b|locker\b|entrance"
            r"|keycode|digicode|portail|grille\b|porche|boîte à clés|interphone|portone|cancello|cassetta delle chiavi"
            r"|cassettina|portão|porta\b|portal\b|cofrinho|cofre|verja|candado|cajita|teclado|tastiera|tastenfeld|haustür"
            r"|hoftor|tor\b|eingang|schlüsselkasten|schlüsseltresor|tiefgarage|voordeur|deur\b|poort|sleutelkast"
            r"|sleutelkluis|kluisje"
            r"|slagboom|hek\b",
            "door",
        ),
    ),
    {
        "code": Form(
            lazy(rf"{_AT}(?:G-)?{DONE}(?:\d{{3}}[ -]\d{{3}}|\d{{6}}){_TO}"),
            behind=20,
            unless=_ANOTHER,
            before=12,
        ),
        "door": Form(
            lazy(
                rf"{_AT}{DONE}(?:[A-Z]\d{{4,5}}[A-Z]?|\d{{4,6}}[A-Z]|\d{{2}}[A-Z]\d{{2}}|[A-Z]\d{{2}}[A-Z]\d|\d{{4,6}}\*"
                rf"|\d(?:-\d){{3,5}}){_TO}"
            ),
            unless=_ANOTHER,
        ),
    },
)
_FIVE: Final = r"[a-z0-9]{4,5}"
_CAPITAL_FIVE: Final = r"[A-Z0-9]{4,5}"
_KEPT: Final = Grammar(
    "[0-9]",
    (
        (
            r"backup|back-up|recovery|rescue codes?|emergency codes?|scratch codes?|respaldo|recuperaci[óo]n"
            r"|recupera[çc][ãa]o|recupero|riserva|secours|récupération|herstel|reservecode|wiederherstell|ersatzcode"
            r"|notfallcode|notfall-code|reserva\b|second factor|noodcode|codes? d.urgence|codes for\b",
            "reserve?",
        ),
        (
            r"recovery (?:codes?|one)\b|backup[ -]codes?|herstelcode|wiederherstellungscode|code de secours"
            r"|codice di (?:recupero|riserva)",
            "single",
        ),
    ),
    {
        "reserve": Form(
            lazy(
                rf"{_AT}{DONE}(?:(?=[a-z]{{0,5}}\d){_FIVE}(?:[ -]{_FIVE}(?!\w)){{1,5}}"
                rf"|(?=[a-z]{{4,5}}[ -][a-z]{{0,5}}\d){_FIVE}[ -](?=[a-z]{{0,5}}\d[a-z]|[a-z]{{1,5}}\d){_FIVE}"
                rf"|(?=[A-Z]{{0,5}}\d|[A-Z]{{4,5}}[ -][A-Z]{{0,5}}\d){_CAPITAL_FIVE}"
                rf"(?:[ -]{_CAPITAL_FIVE}(?!\w)){{1,5}}|\d{{2}}(?: \d{{2}}){{2,4}}|\d{{8}}){_TO}"
            ),
            _drawn,
            behind=14,
            before=8,
            unless=_ANOTHER,
        ),
        "single": Form(
            lazy(rf"{_AT}{DONE}(?=[A-Z]{{0,9}}\d)(?=\d{{0,9}}[A-Z])[A-Z0-9]{{5,10}}{_TO}"),
            behind=10,
            before=6,
            unless=_ANOTHER,
        ),
    },
)
_KEPT_HINTS: Final = frozenset(
    [
        "backup",
        "back-up",
        "recover",
        "rescue",
        "emergency",
        "scratch",
        "respaldo",
        "recupera",
        "recuper",
        "riserva",
        "secours",
        "récup",
        "herstel",
        "reserve",
        "wiederherstell",
        "ersatzcode",
        "notfall",
        "reserva",
        "factor",
        "noodcode",
        "urgence",
        "codes",
    ]
)

#: In the order in which they are tried.
CODES: Final[tuple[Rule, ...]] = (
    Rule(
        "key",  # BitLocker: eight groups of six figures
        lazy(r"(?<![\w-])(?P<s>\d{6}(?:[ -]\d{6}){7})(?![\w-])"),
        matches=(("recovery: 483912-116204-297143-550231-¦067463-427647-662310-214588", "recovery: [key]"),),
        misses=("483912-116204-297143", "100000 200000 300000 400000 500000 600000 700000"),
        figures=True,
    ),
    Rule(
        "password",  # five and five of hexadecimal, as one of a list
        lazy(
            r"(?<![\w/.-])(?P<s>(?=[0-9-]{0,10}[a-f])(?=[a-f-]{0,10}[0-9])[0-9a-f]{5}-[0-9a-f]{5})(?![\w-])"
        ),
        matches=(
            ("one is left:\n3d9fe-7¦0412\n", "one is left:\n[password]\n"),
            ("use 80359-d¦0b62 to get in", "use [password] to get in"),
        ),
        misses=("order 50821-88230", "faced-faded", "a12b3-c4d5e6"),
        signs="-",
        figure=True,
        long_word=11,
    ),
    Rule(
        "pin",  # as one service sends them
        lazy(r"(?<![\w-])(?P<s>G-\d{6})(?![\w-])"),
        matches=(("they sent G-508¦316 to my phone", "they sent [pin] to my phone"),),
        misses=("CG-508316 and G-5083",),
        hints=frozenset(("g-",)),
        figures=True,
    ),
    Rule(
        "pin",  # what is typed at a door, with the key that ends it
        lazy(r"(?<![\w.,/:+&#-])(?P<s>[A-Z]?\d{4,6}#)(?![\w#-])"),
        matches=(("gate 258¦0#, then left", "gate [pin], then left"), ("C194¦7# and pull", "[pin] and pull")),
        misses=("issue #2580", "C# and 12#", "&#2580;", "1234##"),
        signs="#",
        figures=True,
    ),
    Rule(
        "pin",  # a word near it tells
        None,
        find=_ONCE.find,
        matches=(
            (
                "Ihre mTAN für die Überweisung über 340,00 EUR lautet 9976¦25.",
                "Ihre mTAN für die Überweisung über 340,00 EUR lautet [pin].",
            ),
            ("mTAN war 771 0¦48, ist raus", "mTAN war [pin], ist raus"),
            ("reçu par sms 630 2¦95, trop tard", "reçu par sms [pin], trop tard"),
            ("the keybox by the pipe, C71¦93. put it back", "the keybox by the pipe, [pin]. put it back"),
            ("in de voordeur tik je A557¦0 in", "in de voordeur tik je [pin] in"),
            ("DigiD stuurde 839 2¦06.", "DigiD stuurde [pin]."),
        ),
        misses=(
            "order 123456 was texted to me",
            "text me at 555-0134-2231",
            "Backup finished 02:14, 418,220 files, 0 errors.",
            "the code is 200 lines long",
            "the gate is on the A4471, exit 12",
            "gate K74, door 4021, shed no. 12",
            "the backup of 20190203 is gone",
            "recovery plan 2020 and code 2019",
        ),
        figures=True,
    ),
    Rule(
        "pin",  # kept for a lost phone: a word near it tells
        None,
        find=_KEPT.find,
        matches=(
            ("burned backup 8kqz m2¦vt, 7 left", "burned backup [pin], 7 left"),
            (
                "codice di recupero usato oggi 7731 04¦58, ne restano nove",
                "codice di recupero usato oggi [pin], ne restano nove",
            ),
        ),
        misses=(
            "Backup finished 02:14, 418,220 files, 0 errors.",
            "the backup of 20190203 is gone",
            "recovery plan 2020",
        ),
        hints=_KEPT_HINTS,
        figure=True,
    ),
)
