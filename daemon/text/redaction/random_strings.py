"""What was drawn at random, such as generated passwords and keys: told from names, versions, hashes and paths.

Matches that may be keys are checked by what they are named, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from idiolect.daemon.text.redaction.rule import Span, lazy, named

_KEY_NAME: Final = lazy(
    r"(?i)(?:\w{1,20}[_-])?(?:app_?id|api_?key|key|k|tk|t|token|auth|sig|signature|secret|chiave|clave|cle|schluessel|chave"
    r"|sleutel|pw|pass|pwd|code|jwt|hash)"
)
#: What names a version, a thing, or where somebody came from.
_PUBLIC_NAME: Final = lazy(
    r"(?i)(?:v|ver|version|sha\d*|rev|ref|commit|id|\w{1,40}_?id|utm_\w{1,40}|fbclid|gclid|h|hash|list|q|query|url|u|s|h2"
    r"|integrity|share|si)"
)
_DIFFERENT: Final = 10  # characters; of 32 drawn at random 14 are
_NAMED: Final = lazy(
    r"(?<![^\W_])(?:md5|hash|checksum|digest|etag|[ug]uid|fingerprint|sum|commit|blob|tree|object|build|cache|version"
    r"|trace|request|session|span|transaction|block|prüfsumme|empreinte|huella|impronta)(?:[ _-]?id)?"
    r"\W{0,4}(?:\w{1,12}\W{1,3}){0,3}\Z"
)


def has_figures_and_letters(match: re.Match[str]) -> Span | None:
    """The span of the secret if it has figures and letters."""
    secret = match["s"]
    return named(match) if any(map(str.isdigit, secret)) and any(map(str.isalpha, secret)) else None


def is_key_in_query(match: re.Match[str]) -> Span | None:
    """The span of a query's value if its name is a key's, or if it is random and its name is no public one."""
    if _KEY_NAME.fullmatch(match["n"]):
        return has_figures_and_letters(match)
    public = _PUBLIC_NAME.fullmatch(match["n"]) or not is_random(match["s"])
    return None if public else named(match)


def is_long_hexadecimal(match: re.Match[str]) -> Span | None:
    """The span of hexadecimal as long as keys are, unless the words before it name a hash or a request."""
    before = match.string[max(0, match.start() - 40) : match.start()].lower()
    return None if len(set(match["s"].lower())) < _DIFFERENT or _NAMED.search(before) else named(match)


def is_base32(match: re.Match[str]) -> Span | None:
    """The span of the secret if it is base32 as keys have it."""
    return named(match) if is_long_base32(match["s"]) else None


#: The shortest word that is told from others, in characters.
SHORTEST: Final = 16
#: Pairs of letters that make up most of English and of the names in programs; of random pairs they are a third.
_PAIRS: Final = (
    "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me "
    "de hi ri ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot "
    "il tr ly nc et ut ss so rs un lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai "
    "sh ir su id os iv ia am fi ci vi pl ig tu ev ld ry mp fe bl ab gh ty op wo sa ay ex ke ui fr oo av "
    "ag if ap gr od bo sp rd do uc bu ei ov by rm ep tt oc fa ef "
)
_COMMON: Final = frozenset(_PAIRS.split())
_HEX: Final = re.compile(r"(?:0x)?[0-9a-fA-F-]+")
_PUBLIC: Final = re.compile(r"(?:sha(?:1|224|256|384|512)|md5)-|AAAA[BCE]3Nza|urn:|[A-Za-z]{1,20}://")
_FIGURE: Final = re.compile("[0-9]")
_LETTERS: Final = re.compile(r"[A-Za-z]{2,}")
_CHANGE: Final = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[a-z0-9])|(?<=[0-9])(?=[A-Za-z])")

# A run of characters that random strings are written with, in a word.
_WORD: Final = re.compile(rf"(?<!\S)\S{{{SHORTEST},}}")
_RUN: Final = re.compile(
    r"(?<![\w+/.:@$%&?#~-])(?P<s>[A-Za-z0-9+_-][A-Za-z0-9+/_-]{14,}[A-Za-z0-9+/_-]={0,2})(?![\w@+/=-]|[.:/]\w)"
)


def common_pairs(word: str) -> float:
    """The share of the letter pairs of `word` that are common in words: a third where they were drawn at random."""
    pairs = [
        run[place : place + 2].lower() for run in _LETTERS.findall(word) for place in range(len(run) - 1)
    ]
    return sum(pair in _COMMON for pair in pairs) / len(pairs) if pairs else 0.0


def is_random(word: str) -> bool:
    """Whether a word of letters, figures and `+/_-=` was drawn at random, by chance of error of a few in a hundred.

    Hashes in hexadecimal, UUIDs, digests that say so and public keys are none: they are no secrets. Random
    characters change between small letters, capitals and figures at six places in ten, and a third of their
    letter pairs are common in words; in names it is the other way round.
    """
    body = word.rstrip("=")
    figures = len(_FIGURE.findall(body))
    if len(body) < SHORTEST or (not figures and (len(body) < 24 or body.islower())):
        return False
    written = sum(map(str.isalnum, body))
    if (
        not written or _HEX.fullmatch(body) or _PUBLIC.match(body)
    ):  # nothing is written in a line of underscores
        return False
    changes = sum(1 for _ in _CHANGE.finditer(body)) / max(written - 1, 1)
    common = common_pairs(body)
    share = figures / written
    if body.upper() == body or body.lower() == body:  # one case of letters: figures must tell
        if len(body) < 20 or not 0.04 <= share <= 0.6:
            return False
        if share < 0.1:
            return common <= 0.3
        return (changes >= 0.25 and common <= 0.66) or (changes >= 0.2 and common <= 0.45)
    if not figures:
        return len(body) >= 24 and changes >= 0.4 and common <= 0.55
    if changes >= (0.4 if len(body) >= 20 else 0.5) and (common <= 0.66 or changes >= 0.55):
        return True
    # Fewer changes are enough where hardly a pair of letters is a word's.
    return (changes >= 0.3 and common <= 0.42) or (len(body) >= 20 and changes >= 0.33 and common <= 0.5)


#: What services put before the random part, as in "key_live_"; of hexadecimal only short ones, and none of these.
_BEFORE: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9]{0,11}[_-]){1,4}(?=[A-Za-z0-9])")
_MARK: Final = re.compile(
    r"(?!(?:img|tmp|sha|md|git|rev|ref|tag|hash|etag|blob|tree|job|run|pod|id|uid|obj|doc|log|file|page|css|js|svg|lib|bin|out"
    r"|build|cache|chunk|main|app|test|fig|pic|photo|video|audio|user|item|node)[_\d-])[a-z]{2,5}(?:_[a-z0-9]{1,6})?_"
)
_HEX_PART: Final = re.compile(r"(?=[0-9]{0,64}[a-f])(?=[a-f]{0,64}[0-9])[0-9a-f]{32,64}")
#: Groups that are typed by hand: of capitals and figures, and of small letters as for a single program.
_GROUPS: Final = re.compile(r"[A-Z0-9]{4}(?:-[A-Z0-9]{4}){3,7}|[A-Z0-9]{5}(?:-[A-Z0-9]{5}){3,7}")
_SMALL_GROUPS: Final = re.compile(r"[a-z]{4}(?:-[a-z]{4}){3}")
_FEW_COMMON: Final = 0.4  # of the pairs of small letters alone are common
_PARTS: Final = re.compile(r"[.:]")
_LONG_PART: Final = 20  # characters of a random part beside a dot or a colon


def is_marked(word: str) -> bool:
    """Whether a word is a mark, as services put it before their keys, and behind it what was drawn at random."""
    if _PUBLIC.match(word):
        return False
    before = _BEFORE.match(word)
    if before is not None and is_random(word[before.end() :]):
        return True
    mark = _MARK.match(word)
    return mark is not None and _HEX_PART.fullmatch(word, mark.end()) is not None


def is_grouped(word: str) -> bool:
    """Whether a word is groups of equal length that were drawn at random."""
    if _GROUPS.fullmatch(word):
        groups = word.split("-")
        mixed = sum(not group.isdigit() and not group.isalpha() for group in groups)
        return 2 * mixed > len(groups)
    return _SMALL_GROUPS.fullmatch(word) is not None and common_pairs(word) <= _FEW_COMMON


def find(text: str) -> Iterator[Span]:
    """Where random strings are in `text`, each as [start, end); of a web address, only whole parts of its path."""
    for word in _WORD.finditer(text):
        body = word[0]
        if "://" in body:
            for part in _PATH_PART.finditer(text, *word.span()):
                if is_random(part["s"]):
                    yield part.span("s")
            continue
        if _FIGURE.search(body) or (len(body) >= 24 and not body.islower()):
            for run in _RUN.finditer(text, *word.span()):
                if is_random(run["s"]) or is_marked(run["s"]) or is_grouped(run["s"]):
                    yield run.span("s")
            yield from _in_parts(text, *word.span())
        elif body.count("-") == _SMALL_DASHES:
            for run in _RUN.finditer(text, *word.span()):
                if is_grouped(run["s"]):
                    yield run.span("s")


#: Who has such an address gets in; what stands behind a question mark or a number sign is named, and told by names.
_PATH_PART: Final = re.compile(
    r"(?<=[a-z0-9]/)(?<!:/)(?P<s>[A-Za-z0-9_-]{20,200})(?=[/?#]|[\"'<>(),.;!\]}]*(?!\S))"
)
_SMALL_DASHES: Final = 3
_COMPOUND: Final = re.compile(
    r"(?<![\w./:@%-])[A-Za-z0-9_-]{4,64}(?:[.:][A-Za-z0-9_-]{4,64}){1,2}={0,2}(?![\w@/=:-]|\.\w)"
)


def _in_parts(text: str, start: int, end: int) -> Iterator[Span]:
    """Random parts on both sides of a dot or a colon; not the name of a file, whose last part is a word."""
    for match in _COMPOUND.finditer(text, start, end):
        parts = _PARTS.split(match[0].rstrip("="))
        if all(map(_FIGURE.search, parts)) and any(
            len(part) >= _LONG_PART and is_random(part) for part in parts
        ):
            yield match.span()


# --- what stands near a word for it: a weaker form is enough ---------------------------------------------

_MOSTLY: Final = 0.3  # changes a character
_RARE_PAIRS: Final = 0.5
_MANY: Final = 24  # characters of base32 that are more than enough
_BASE32_HEX: Final = re.compile(r"[a-fA-F2-7]+")
_GAPS: Final = re.compile("[ -]")


def is_drawn_key(written: str) -> bool:
    """Whether a word of fourteen characters and more was drawn at random, where something near speaks of a key."""
    body = written.rstrip("=")
    if is_random(body):
        return True
    if any(map(str.isdigit, body)) and body.upper() == body:
        return is_random(f"{body}{body}")
    changes = sum(1 for _ in _CHANGE.finditer(body)) / len(body)
    of_a_kind = body.lower() == body if any(map(str.isdigit, body)) else body.isalpha()
    return of_a_kind and changes >= _MOSTLY and common_pairs(body) <= _RARE_PAIRS


def is_drawn_base32(written: str) -> bool:
    """Whether base32 was drawn at random: its letters make no words, and figures stand among them."""
    body = _GAPS.sub("", written)
    figures = sum(map(str.isdigit, body))
    return (
        1 <= figures <= len(body) * 0.6
        and not _BASE32_HEX.fullmatch(body)
        and common_pairs(body) <= (0.5 if len(body) < _MANY else 0.6)
    )


def is_long_base32(written: str) -> bool:
    """The same of what stands alone: of a length that secrets have, and with figures enough."""
    whole = len(written) % 8 == 0 or len(written) in (26, 52)
    figures = sum(map(str.isdigit, written))
    return whole and (figures >= 2 or len(written) >= _MANY) and is_drawn_base32(written)


def is_grouped_by_hand(written: str) -> bool:
    """Whether groups hold letters and figures, as drawn ones do; not a model and its year."""
    groups = _GAPS.split(written)
    mixed = sum(any(map(str.isdigit, group)) and any(map(str.isalpha, group)) for group in groups)
    return 2 * mixed >= len(groups) or (mixed > 0 and all(map(_is_no_word, groups)))


def _is_no_word(group: str) -> bool:
    """Whether letters are capitals, or capitals in the middle of others, as no word has them."""
    return not group.isalpha() or group.isupper() or any(map(str.isupper, group[1:]))


_BESIDE: Final = re.compile(r"[2-7](?:(?=[A-Za-z])|(?<=[A-Za-z][2-7]))")
_MIXED: Final = re.compile(r"(?<![\w])(?=[A-Za-z]{0,3}[2-7])(?=[2-7]{0,3}[A-Za-z])[A-Za-z2-7]{4}(?!\w)")
_BASE32_GROUPS: Final = re.compile(
    r"(?<![\w-])(?P<s>(?:[A-Z2-7]{4}[ -]){3,15}[A-Z2-7]{4}|(?:[a-z2-7]{4}[ -]){3,15}[a-z2-7]{4})(?![\w-])"
)
_WIDEST: Final = 80  # characters of sixteen groups


def find_base32_groups(text: str) -> Iterator[Span]:
    """Where base32 in groups of four is, four of them and more, one of which has letters and figures."""
    end = 0
    for figure in _BESIDE.finditer(text):
        mixed = _MIXED.search(text, max(0, figure.start() - 3), figure.end() + 3)
        if mixed is not None and mixed.start() >= end:
            for match in _BASE32_GROUPS.finditer(
                text, max(end, mixed.start() - _WIDEST), mixed.end() + _WIDEST
            ):
                end = match.end()
                if _MIXED.search(match["s"]) and is_drawn_base32(match["s"]):
                    yield match.span("s")
