"""Checks of matches that may be keys: by what they are named, how long they are, how their characters are drawn."""

from __future__ import annotations

import re
from typing import Final

from idiolect.daemon.text.redaction.random_strings import is_long_base32, is_random
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
