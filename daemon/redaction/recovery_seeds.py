"""Rules for recovery seeds: words of the BIP 39 list in a row, and base32 secrets of authenticators."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Final

from idiolect.daemon.redaction.cue_grammar import Form, Grammar
from idiolect.daemon.redaction.lazy_pattern import lazy
from idiolect.daemon.redaction.random_strings import common_pairs
from idiolect.daemon.redaction.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idiolect.daemon.redaction.cards_and_ibans import Span

#: The fewest words of a phrase (BIP 39 has 12, 15, 18, 21 and 24).
FEWEST: Final = 12
MAX: Final = 24
_WORD: Final = r"(?:[^\W\d_]{3,11}|[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]{1,8})"
# Between two words: white space, a comma, the end of a line, the number of the next.
_BETWEEN: Final = r"(?:[ \t]{0,2}[,;.|/·•-]?[\s]{1,3}[>*•-]?[ \t]{0,2}(?:\(?\d{1,2}[.):=]{0,2}[ \t]{0,2})?|,)"
_ROW: Final = lazy(rf"(?<![^\W\d_]){_WORD}(?:{_BETWEEN}{_WORD}(?![^\W\d_])){{{FEWEST - 1},}}+")
_EACH: Final = lazy(_WORD)


def _writings(word: str) -> set[str]:
    """A word as it is written, and without its accents."""
    if word.isascii():
        return {word}
    apart = unicodedata.normalize("NFKD", word)
    return {
        unicodedata.normalize("NFC", word),
        "".join(char for char in apart if not unicodedata.combining(char)),
    }


@cache
def _lists() -> dict[str, int]:
    """Each word of each list, as written and without its accents, with a bit for each language that has it."""
    from mnemonic import Mnemonic  # the lists are read where a text first has a row of words that may be one

    found: dict[str, int] = {}
    for place, language in enumerate(Mnemonic.list_languages()):
        for word in Mnemonic(language).wordlist:
            for written in _writings(word):
                found[written] = found.get(written, 0) | 1 << place
    found |= {str(number): 0 for number in range(1, MAX + 1)}  # what stands before words in lists
    return found


def find_words(text: str) -> Iterator[Span]:
    """Where seed phrases are in `text`, each as [start, end): words of one list in a row, with one slip at most."""
    if not _has_row(text):
        return
    known = _lists()
    for row in _ROW.finditer(text):
        words = [
            (match.span(), known.get(match[0].lower(), 0)) for match in _EACH.finditer(text, *row.span())
        ]
        place = 0
        while place < len(words):
            last, shared, slips = place, words[place][1], 0
            for following in range(place + 1, len(words)) if shared else ():
                if shared & words[following][1]:
                    shared &= words[following][1]
                    last = following
                elif slips or following - last > 1:
                    break
                else:
                    slips += 1
            start, end, count = words[place][0][0], words[last][0][1], last - place + 1
            # Drawn from 2,048, hardly a word comes twice; "word word word" is somebody's joke or padding.
            if count >= FEWEST and 3 * len(set(_EACH.findall(text, start, end))) >= 2 * count:
                yield start, end
            place = max(last, place) + 1


_STEP: Final = 3
_ROW_OF: Final = bytes([True]) * (FEWEST // _STEP)
_SIGNS: Final = ",.;:|()\"'"


def _has_row(text: str) -> bool:
    """Whether every third word is of some list, or a number, four times on end: in most texts none is."""
    text = text.lower()
    for sign in _SIGNS:
        text = text.replace(sign, " ")
    return _ROW_OF in bytes(map(_lists().__contains__, text.split()[::_STEP]))


_HEX: Final = lazy(r"[a-fA-F2-7]+")
_MANY: Final = 24


def _drawn(written: str) -> bool:
    """Whether base32 was drawn at random: its letters make no words, and figures stand among them."""
    body = re.sub(r"[ -]", "", written)
    figures = sum(map(str.isdigit, body))
    return (
        1 <= figures <= len(body) * 0.6
        and not _HEX.fullmatch(body)
        and common_pairs(body) <= (0.5 if len(body) < _MANY else 0.6)
    )


_BESIDE: Final = lazy(r"[2-7](?:(?=[A-Za-z])|(?<=[A-Za-z][2-7]))")
_MIXED: Final = lazy(r"(?<![\w])(?=[A-Za-z]{0,3}[2-7])(?=[2-7]{0,3}[A-Za-z])[A-Za-z2-7]{4}(?!\w)")
_GROUPS: Final = lazy(
    r"(?<![\w-])(?P<s>(?:[A-Z2-7]{4}[ -]){3,15}[A-Z2-7]{4}|(?:[a-z2-7]{4}[ -]){3,15}[a-z2-7]{4})(?![\w-])"
)
_WIDEST: Final = 80  # characters of sixteen groups


def _find_groups(text: str) -> Iterator[Span]:
    """Four groups of four and more, one of which has letters and figures."""
    end = 0
    for figure in _BESIDE.finditer(text):
        mixed = _MIXED.search(text, max(0, figure.start() - 3), figure.end() + 3)
        if mixed is not None and mixed.start() >= end:
            for match in _GROUPS.finditer(text, max(end, mixed.start() - _WIDEST), mixed.end() + _WIDEST):
                end = match.end()
                if _MIXED.search(match["s"]) and _drawn(match["s"]):
                    yield match.span("s")


def _bare(match: re.Match[str]) -> Span | None:
    body = match["s"]
    whole = len(body) % 8 == 0 or len(body) in (26, 52)
    figures = sum(map(str.isdigit, body))
    return match.span("s") if whole and (figures >= 2 or len(body) >= _MANY) and _drawn(body) else None


_GRAMMAR: Final = Grammar(
    r"(?<![\w/+.-])(?=[A-Za-z]{0,64}[2-7])(?:[A-Z2-7]{16}|[a-z2-7]{16})",
    (
        (
            r"authenti|totp|otp\b|2fa\b|mfa\b|two-?factor|zwei-?faktor|doble factor|double authent|twee-?staps|setup"
            r"|set-up|qr\b|aegis|authy|secret|schlüssel|clave|clé|sleutel|chave|chiave|manual|manuel|handmatig|a mano",
            "base32?",
        ),
    ),
    shortest=16,
    forms={"base32": Form(lazy(r"(?<![\w/+.-])(?:[A-Z2-7]{16,64}|[a-z2-7]{16,64})(?![\w/+-])"), _drawn)},
)

#: In the order in which they are tried.
SEEDS: Final[tuple[Rule, ...]] = (
    Rule(
        "key",  # the words of a wallet
        None,
        find=find_words,
        words=FEWEST,
        matches=(
            (
                "abandon ¦ability able about above absent absorb abstract absurd abuse access accident",
                "[key]",
            ),
            (
                "list: 1. abandon 2. ability 3. able 4. about 5. above 6. absent 7. absorb 8. abstract 9. absurd 10. "
                "abuse 11. access 12. accident, in a safe",
                "list: 1. [key], in a safe",
            ),
            (
                "mots :\nabaisser, abandon, abdiquer, abeille, abolir, aborder, aboutir, aboyer, abrasif, abreuver, "
                "abriter, abroger.",
                "mots :\n[key].",
            ),
            (
                "abdomen abeja abierto abogado abono aborto abrazo abrir abuelo abuso acabar academia y ya",
                "[key] y ya",
            ),
        ),
        misses=(
            "abandon ability able about above absent absorb abstract absurd",
            "word " * 20,
            "private key " * 9,
            "People often think that old houses have very thick walls because they were built with local stone",
        ),
    ),
    Rule(
        "key",  # base32 in groups of four
        None,
        find=_find_groups,
        matches=(
            ("type V6L7 CPF3¦ AUE6 OKTV NSGL AUKT by hand", "type [key] by hand"),
            ("enter gzrz zu6k¦ 46ld r3ay jqdr adio, time based", "enter [key], time based"),
            ("YU2R-IYXB¦-VAFS-S3FT", "[key]"),
        ),
        misses=(
            "they will have 2345 then",
            "HAVE THAT CO2E WITH",
            "from 2234 2345 3345 4452 here",
            "type WORD WITH THEM THEN",
        ),
        figure=True,
    ),
    Rule(
        "key",  # base32 in one
        lazy(r"(?<![\w/+.-])(?P<s>[A-Z2-7]{16,64}|[a-z2-7]{16,64})(?=={0,6}(?![\w/+=-]))"),
        matches=(
            ("jenkins: 3ZOM66BH¦5JVIMJX5", "jenkins: [key]"),
            ("DIGNLYNKRYHXL7BF¦7ADTYT4ZSHSWBWYT, for the app", "[key], for the app"),
        ),
        misses=(
            "INTERNATIONALIZATION",
            "WORLDCHAMPION234",
            "deadbeef22224444deadbeef22224444",
            "encyclopedia2345",
        ),
        locate=_bare,
        figure=True,
        long_word=16,
    ),
    Rule(
        "key",  # base32 beside a word for it
        None,
        find=_GRAMMAR.find,
        matches=(("authenticator, by hand: cuydxqpfi¦zibyou2", "authenticator, by hand: [key]"),),
        misses=("authenticator for INTERNATIONALIZATION", "the secret of encyclopedia2345"),
        figure=True,
        long_word=16,
    ),
)
