"""Rules for keys by their label: hexadecimal, UUIDs and groups beside a word for a key, and keys in URLs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from idiolect.daemon.redaction.cue_grammar import Form, Grammar
from idiolect.daemon.redaction.lazy_pattern import lazy
from idiolect.daemon.redaction.random_strings import common_pairs, is_random
from idiolect.daemon.redaction.rule import DONE, Rule

if TYPE_CHECKING:
    from idiolect.daemon.redaction.cards_and_ibans import Span

_HEX: Final = r"(?=[0-9]{0,40}[a-fA-F])(?=[a-fA-F]{0,40}[0-9])[0-9a-fA-F]{32,128}"
_UUID: Final = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_AT, _TO = r"(?<![\w/.-])", r"(?![\w-])(?!\.\w)"
#: Right before it: it is the name of a version, a file or a thing.
_NAMES_A_THING: Final = lazy(
    r"(?<![^\W_])(?:commits?|git|sha-?\d*|md5|hash|checksum|digest|[ug]uid|revision|rev|tree|blob|etag|request|logs?|crash|disk|object"
    r"|(?:primary|foreign|public|cache|partition|row|session) key)\W{0,3}(?:\w{1,12}\W{1,3}){0,2}\Z"
)


def _grouped(written: str) -> bool:
    """Whether groups hold letters and figures, as drawn ones do; not a model and its year."""
    groups = re.split("[ -]", written)
    mixed = sum(any(map(str.isdigit, group)) and any(map(str.isalpha, group)) for group in groups)
    return 2 * mixed >= len(groups) or (mixed > 0 and all(map(_no_word, groups)))


def _no_word(group: str) -> bool:
    """Whether letters are capitals, or capitals in the middle of others, as no word has them."""
    return not group.isalpha() or group.isupper() or any(map(str.isupper, group[1:]))


def _drawn(written: str) -> bool:
    body = written.rstrip("=")
    if is_random(body):
        return True
    changes = sum(1 for _ in _CHANGE.finditer(body)) / len(body)
    if not any(map(str.isdigit, body)):
        return body.isalpha() and changes >= _MOSTLY and common_pairs(body) <= _RARE_PAIRS
    if body.upper() == body:
        return is_random(f"{body}{body}")
    return body.lower() == body and changes >= _MOSTLY and common_pairs(body) <= _RARE_PAIRS


_CHANGE: Final = lazy(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[a-z0-9])|(?<=[0-9])(?=[A-Za-z])")
_MOSTLY: Final = 0.3  # changes a character, in what is short but stands near a word for a key
_RARE_PAIRS: Final = 0.5

_GRAMMAR: Final = Grammar(
    r"(?<![\w/.])(?:[0-9a-fA-F]{8}(?:[0-9a-fA-F]{24}|(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
    r"|(?=[A-Za-z]{0,7}\d|[A-Za-z]{4,8}-[A-Za-z]{0,7}\d)[A-Za-z0-9]{4,8}-[A-Za-z0-9]{4,8}-[A-Za-z0-9]{4}"
    r"|(?=[A-Za-z]{0,15}\d)[A-Za-z0-9]{14}"
    r"|(?=[a-z]{1,9}[A-Z])[A-Za-z]{16}|(?=[A-Z]{1,9}[a-z])[A-Za-z]{16})",
    (
        (
            r"api\b|api[ _-]?keys?\b|api[ _-]?token|apikey|app[ _-]?id\b|app[ _-]?key|keys?\b|tokens?\b|secret|clés?\b|cle api|clave"
            r"|schlüssel|schluessel|chaves?\b|chiav[ei]\b|sleutel|bearer|credential|authenti|authori[sz]|auth\b|long-lived"
            r"|x-api|x-auth|x-token|zugang|webhook|jeton\b|segredo|segreto|secreto|geheim",
            "hex groups? run? short?",
        ),
        (
            r"revok|revoc|révoqu|rotat|regener|leaked|leak\b|vazou|widerruf|publieke commit|public (?:commit|repo)|commit p[uú]b"
            r"|repo público|dépôt public|intrekken|zurückzieh",
            "leaked",
        ),
        (
            r"licen[csz]|lizenz|serial|activat|aktivier|activer|activar|attiva|ativa|réactiv|reactiv|produktschl|product key",
            "hex groups? run?",
        ),
    ),
    shortest=14,
    forms={
        "hex": Form(lazy(f"{_AT}(?:{_HEX}|{_UUID}){_TO}"), unless=_NAMES_A_THING),
        "leaked": Form(lazy(f"{_AT}(?:{_HEX}){_TO}"), behind=10, before=10),
        "groups": Form(
            lazy(rf"{_AT}{DONE}[A-Za-z0-9]{{4,8}}(?:-[A-Za-z0-9]{{4,8}}){{2,7}}{_TO}"),
            _grouped,
            unless=_NAMES_A_THING,
        ),
        "run": Form(
            lazy(r"(?<![\w/.+-])[A-Za-z0-9+_-][A-Za-z0-9+/_-]{13,63}={0,2}(?![\w+/=-])(?!\.\w)"),
            _drawn,
            unless=_NAMES_A_THING,
        ),
        "short": Form(
            lazy(
                f"{_AT}(?=[0-9]{{0,30}}[a-fA-F])(?=[a-fA-F]{{0,30}}[0-9])(?:[0-9a-f]{{16,31}}|[0-9A-F]{{16,31}}){_TO}"
            ),
            lambda written: sum(map(str.isdigit, written)) > 2,
            behind=4,
            before=4,
            unless=_NAMES_A_THING,
        ),
    },
)
#: What is typed by hand in groups with spaces between.
_BY_HAND: Final = Grammar(
    r"(?<![\w-])(?:[A-Z0-9]{5}(?: [A-Z0-9]{5}){2}|[a-z]{4}(?:[ -][a-z]{4}){3}(?![^\W_]))",
    (
        (
            r"licen[csz]|lizenz|serial|activat|aktivier|activer|activar|attiva|ativa|product key|produktschl|keys?\b|clave|clé|chave",
            "spaced?",
        ),
        (
            r"app(?:lication)?[ -]?(?:specific )?passwor[dt]|app-?(?:kennwort|wachtwoord)|anwendungs(?:spezifisch|passwort|kennwort)"
            r"|mots? de passe d[’']app|contraseñas? de (?:la )?aplicaci|password (?:per|delle|dell[’'])\s?app|senha d[ea] app|palavra-passe d[ea] app",
            "small",
        ),
    ),
    {
        "spaced": Form(
            lazy(rf"{_AT}{DONE}[A-Z0-9]{{5}}(?: [A-Z0-9]{{5}}){{2,5}}{_TO}"),
            _grouped,
            unless=_NAMES_A_THING,
        ),
        "small": Form(lazy(f"{_AT}[a-z]{{4}}(?:[ -][a-z]{{4}}){{3}}{_TO}"), behind=14, before=6),
    },
)

_KEY_NAME: Final = lazy(
    r"(?i)(?:\w{1,20}[_-])?(?:app_?id|api_?key|key|k|tk|t|token|auth|sig|signature|secret|chiave|clave|cle|schluessel|chave|sleutel|pw|pass|pwd|code|jwt|hash)"
)
#: What names a version, a thing, or where somebody came from.
_PUBLIC_NAME: Final = lazy(
    r"(?i)(?:v|ver|version|sha\d*|rev|ref|commit|id|\w{1,40}_?id|utm_\w{1,40}|fbclid|gclid|h|hash|list|q|query|url|u|s|h2|integrity|share|si)"
)


def _queried(match: re.Match[str]) -> Span | None:
    """The value of a query that is named as a key, or drawn at random and named as nothing known."""
    value, name = match["s"], match["n"]
    figures = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    if _KEY_NAME.fullmatch(name):
        return match.span("s") if figures else None
    return match.span("s") if not _PUBLIC_NAME.fullmatch(name) and is_random(value) else None


_DIFFERENT: Final = 10  # characters; of 32 drawn at random 14 are
_BEFORE: Final = 40  # characters that may say what a number in hexadecimal names
_NAMED: Final = lazy(
    r"(?<![^\W_])(?:md5|hash|checksum|digest|etag|[ug]uid|fingerprint|sum|commit|blob|tree|object|build|cache|version|trace|request|session"
    r"|span|transaction|block|prüfsumme|empreinte|huella|impronta)(?:[ _-]?id)?\W{0,4}(?:\w{1,12}\W{1,3}){0,3}\Z"
)


def _of_key_length(match: re.Match[str]) -> Span | None:
    """Hexadecimal of a length that keys have and commits have not, unless it is said that it names something."""
    if len(set(match["s"].lower())) < _DIFFERENT:
        return None
    before = match.string[max(0, match.start() - _BEFORE) : match.start()].lower()
    return None if _NAMED.search(before) else match.span("s")


def _last_part(match: re.Match[str]) -> Span | None:
    value = match["s"]
    return match.span("s") if any(map(str.isdigit, value)) and any(map(str.isalpha, value)) else None


#: In the order in which they are tried.
KEYS: Final[tuple[Rule, ...]] = (
    Rule(
        "token",  # a value in a URL
        lazy(rf"[?&;](?P<n>[\w-]{{1,30}})=(?P<s>{DONE}[A-Za-z0-9_~.+/-]{{12,300}}={{0,2}})(?![^\s&#;\"'<>),\]}}])"),
        matches=(
            ("https://x.example/now?zip=24103&appid=51dc109f39f5fa7d¦5474f3604949c680", "https://x.example/now?zip=24103&appid=[token]"),
            ("https://x.example/push?tk=9PXO6Vr8HMs4¦MvsajJYR&int=60", "https://x.example/push?tk=[token]&int=60"),
            ("https://x.example/feed.xml?k=b005c3om50vs¦h0ecmx0lxj4m", "https://x.example/feed.xml?k=[token]"),
        ),
        misses=(
            "https://x.example/style.css?v=51dc109f39f5fa7d5474f3604949c680",
            "https://x.example/a?key=value&page=12",
            "https://x.example/watch?id=9PXO6Vr8HMs4MvsajJYR",
        ),
        hints=frozenset(("?",)),
        signs="=",
        locate=_queried,
    ),
    Rule(
        "token",  # whoever has a webhook's address may post
        lazy(
            r"https?://(?=[^\s]{0,150}hook)[^\s?]{3,200}/(?P<s>[A-Za-z0-9_-]{16,200})(?![\w/-])"
        ),
        matches=(
            ("post to https://hooks.x.example/T02K1/BCB3sIfN¦FjbrWhxMbyjBFhvi", "post to https://hooks.x.example/T02K1/[token]"),
        ),
        misses=("https://x.example/docs/webhooks/getting-started-with-them", "https://x.example/hooks/install"),
        hints=frozenset(("hook",)),
        signs="/",
        long_word=32,
        locate=_last_part,
    ),
    Rule(
        "key",  # a setting, whatever its name, but of no version
        lazy(
            r"(?<![\w-])(?![A-Z0-9_]{0,40}(?:SHA|MD5|HASH|SUM|COMMIT|REV|DIGEST|UUID|GUID|BUILD|TAG|REF|_ID[ =]|VERSION))"
            rf"[A-Z][A-Z0-9]{{0,20}}_[A-Z0-9_]{{1,30}}[ ]?[=:][ ]?[\"']?(?P<s>{DONE}{_HEX})(?![\w-])"
        ),
        matches=(
            ("DD_APP_KEY=720508e7fff755627c301abb¦cb2e0232326588aa", "DD_APP_KEY=[key]"),
            ("`X_ACCESS=fe569ba1ccf54cc178165ec5b¦7647dd3` works", "`X_ACCESS=[key]` works"),
        ),
        misses=("GIT_COMMIT=720508e7fff755627c301abbcb2e0232326588aa", "IMAGE_SHA256=720508e7fff755627c301abbcb2e0232"),
        signs="=:",
        figures=True,
        long_word=32,
    ),
    Rule(
        "key",  # a word near it tells
        None,
        find=_GRAMMAR.find,
        matches=(
            ("my api key is 8b8eb55d42bf7901¦37379d12d9df4773", "my api key is [key]"),
            ("welke sleutel is het?\n306097ff6f14e951¦b76e9390f16239c9\nok", "welke sleutel is het?\n[key]\nok"),
            ("61ce0415-b895-4642-32a4-¦a75ac95459bb goes in the X-Api-Key header", "[key] goes in the X-Api-Key header"),
            ("I pasted 720508e7fff755627c301abb¦cb2e0232326588aa, please revoke it", "I pasted [key], please revoke it"),
            ("the cloud key on the sticker is 5O6C-¦ubRP-7Kx2", "the cloud key on the sticker is [key]"),
            ("to activate it again: PHX4-¦99TL-C0WM-72VE", "to activate it again: [key]"),
            ("api_key: 3lARUsRJlNONwktN9ugkZeES¦G61she/QAqq0nv3Vth1", "api_key: [key]"),
            ("the token is 4sou9nj2xkq¦fsfh7, as ever", "the token is [key], as ever"),
            ("secret key 9f86d081884c¦7d659a2f", "secret key [key]"),
            ("the licence is e10adc3949ba59ab¦be56e057f20f883e", "the licence is [key]"),
        ),
        misses=(
            "the key change is in commit 720508e7fff755627c301abbcb2e0232326588aa",
            "token test fails, sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "the disk's UUID is 7c9e6679-7425-40de-944b-e07fc1f90ae7",
            "4b825dc642cb6eb9a060e54bf8d69288fbee4904 is the tree",
            "key features of the WH-1000XM4-2020 are here",
            "the key is in step-by-step-guide2",
            "the key event is keyboardInterrupt2, the token class TokenStreamReader",
            "the key was from 2019 to 2020 in 31 of them",
        ),
        long_word=14,
    ),
    Rule(
        "key",  # by its length alone
        lazy(
            r"(?<![\w/.:=@+-])(?P<s>(?=[0-9]{0,47}[a-fA-F])(?=[a-fA-F]{0,47}[0-9])(?:[0-9a-f]{32}|[0-9A-F]{32}|[0-9a-f]{48}|[0-9A-F]{48}))"
            r"(?![\w/@+=-]|[.:]\w)"
        ),
        matches=(
            ("they say that 118ef5b7ae7d5baa¦7c3231b83d8fefb5 goes in the second box", "they say that [key] goes in the second box"),
            ("8B8EB55D42BF790137379¦D12D9DF4773, from Monday on", "[key], from Monday on"),
        ),
        misses=(
            "md5 a9a4172053aadb3f09e0f28cd3af8fda",
            'etag "1430d0b4b0d563593219d75b775365ef"',
            "the file's checksum should be 1430d0b4b0d563593219d75b775365ef",
            "img/1430d0b4b0d563593219d75b775365ef.png and 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        ),
        figure=True,
        long_word=32,
        locate=_of_key_length,
    ),
    Rule(
        "key",  # the same for what is typed in groups
        None,
        find=_BY_HAND.find,
        matches=(
            ("license: VK7JG NPHTM¦ C97JM 9MPGT", "license: [key]"),
            ("my app password: qhzv wkjd¦ xpgm rtbc", "my app password: [key]"),
        ),
        misses=("an app password that you have made works", "the licence FOR THESE THREE"),
        hints=frozenset(("app", "anwendungs", "licen", "lizenz", "serial", "activ", "aktiv", "ativa", "attiva", "key", "clave", "clé", "chave")),
    ),
)  # fmt: skip # a text and what becomes of it to a line
