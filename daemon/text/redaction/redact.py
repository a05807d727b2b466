"""Redaction: replaces the secrets of a text by placeholders before anything is stored.

Every secret has a figure, a long word or one of some literals. A text without them costs one look; in other texts the
rules that may fit are tried. Then the tagger finds the secrets that have no form of their own.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Final

import re2

from idiolect.adapters.memory import secret_cues
from idiolect.daemon.text.redaction import word_features
from idiolect.daemon.text.redaction.harmless_numbers import counts_something
from idiolect.daemon.text.redaction.labels import is_said_of_a_field, is_said_of_a_matter
from idiolect.daemon.text.redaction.patterns import RULES
from idiolect.daemon.text.redaction.rule import PLACEHOLDER, Rule, Span
from idiolect.daemon.text.redaction.tagger import Tagger

_SPACES: Final = "\u00a0\u2002-\u200a\u202f\u3000"
_HYPHENS: Final = "\u2010-\u2012\u2212"
# Full-width signs, letters in mathematical styles, and the digits of scripts that many people write figures in.
_OTHER: Final = re.compile(
    rf"[{_SPACES}{_HYPHENS}\uff01-\uff5e\U0001d400-\U0001d7ff\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef\u0e50-\u0e59]"
)


def plain(text: str) -> str:
    """`text` in which each digit, letter, space and hyphen of another width is the ASCII one; as long as before.

    The form NFKC of the whole text would move what stands behind such a character; here each stays in its place.
    """
    return text if text.isascii() else _OTHER.sub(_ascii, text)


def _ascii(match: re.Match[str]) -> str:
    char = match[0]
    folded = unicodedata.normalize("NFKC", char)
    if folded.isascii() and len(folded) == 1:
        return folded
    digit = unicodedata.decimal(char, None)
    return str(digit) if digit is not None else "-" if unicodedata.category(char) in ("Pd", "Sm") else char


_CAPITALS: Final = r"[^\W\d_a-zß-öø-ÿ]++(?!\w)"
_SHOUTED: Final = re.compile(rf"(?<![\w-]){_CAPITALS}(?:[ \t'’]{_CAPITALS})++")
_LABEL_END: Final = re.compile(r"(?<=[:：])[ \t]{0,8}\n(?:[ \t]{0,8}\n)?")


def unadorned(text: str) -> str:
    """`text` with spaces for line ends behind a colon, and with rows of capitals in small letters."""
    return _SHOUTED.sub(_quiet, _LABEL_END.sub(_spaces, text))


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _quiet(match: re.Match[str]) -> str:
    words = match[0]
    return words.lower() if words.isupper() and len(words.lower()) == len(words) else words


_ANY_PLACEHOLDER: Final = re.compile(PLACEHOLDER)
# Three close together, or two as an IBAN has them before a bank's letters.
_FIGURES: Final = re.compile(r"[0-9](?:[^0-9]?[0-9][^0-9]?[0-9]|[0-9] ?[A-Z]{4})")
_FIGURE: Final = re.compile("[0-9]")
_LOOKED_AT: Final = 200  # characters before the cursor that a secret may have begun in
_MAX_PASSES: Final = 20
_LINE_ENDS: Final = 20  # characters of white space between a label and the line of its value
_REST, _REST_WORDS = 80, 1  # what may follow a value in its line, in characters and words
_SIGNS: Final = "".join(sorted({sign for rule in RULES for sign in rule.signs}))
_LONG_WORDS: Final = tuple(sorted({rule.long_word for rule in RULES}))
_WORDS: Final = max(rule.words for rule in RULES)


def redact(
    text: str, *, prose: bool = True, tagger: Tagger | None = None, before: str = ""
) -> tuple[str, int]:
    """`text` with each secret replaced by a placeholder such as `[token]`, and how many were replaced.

    In `prose`, a `tagger` (without an argument the shipped tagger) also finds secrets by the words around them.
    `before` stands in front of the text and is read with it, since a secret may have its label there, or begin there;
    it is not returned, and its own secrets are not counted.
    Idempotent: redacted text goes through unchanged. Takes time linear in the text's length.
    """
    reading = _Reading(before, text)
    reading.redact_by_rules()
    for _ in range(_MAX_PASSES if prose else 0):  # a placeholder changes the words around the other secrets
        spans = _find_by_tagger(tagger or _tagger(), reading.plain)
        if not spans:
            break
        reading.replace(spans, [_kind(reading.text[start:end]) for start, end in spans])
        reading.redact_by_rules()
    return reading.text[reading.begin :], reading.count


def _find_by_tagger(tagger: Tagger, text: str) -> list[Span]:
    """The spans that the tagger finds in a text, as it stands and without its capitals and line ends."""
    bare = unadorned(text)
    found = {*tagger.find(text), *(tagger.find(bare) if bare != text else ())}
    spans: list[Span] = []
    for start, end in sorted(
        span
        for span in found
        if not (
            _goes_on(text, *span)
            or is_said_of_a_field(text[slice(*span)])
            or is_said_of_a_matter(text, *span)
            or counts_something(text, *span)
        )
    ):
        if spans and start < spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((start, end))
    return spans


def _goes_on(text: str, start: int, end: int) -> bool:
    """Whether plain words begin a line behind a label's, and more words follow: that is a sentence, and no value."""
    above = text[max(start - _LINE_ENDS, 0) : start].rstrip(" \t")
    if not above.endswith("\n") or not above.rstrip().endswith((":", "：")):
        return False
    plain_words = text[start:end].replace(" ", "").isalpha()
    return plain_words and len(text[end : end + _REST].partition("\n")[0].split()) > _REST_WORDS


def _kind(secret: str) -> str:
    return "[pin]" if not any(map(str.isalpha, secret)) else "[password]"


@cache
def _tagger() -> Tagger:
    return Tagger.load()


class _Reading:
    """A text and the text before it, while the secrets of both are replaced."""

    def __init__(self, before: str, text: str) -> None:
        self.text = before + text
        self.plain = plain(self.text)  # the same places in both
        self.begin = len(before)
        self.count = 0

    def redact_by_rules(self) -> None:
        """Replace the secrets that the rules find."""
        rules = _worth_trying(self.plain)
        for _ in range(_MAX_PASSES):  # a secret beside another is sometimes seen only once that one is gone
            changed = False
            for rule in rules:
                if spans := rule.spans(self.plain):
                    self.replace(spans, [rule.placeholder] * len(spans))
                    changed = True
            if not changed:
                break
            rules = _worth_trying(self.plain)

    def replace(self, spans: list[Span], placeholders: list[str]) -> None:
        """Put the placeholders in the place of the spans. A secret that begins before the text is now the text's."""
        begin = self.begin
        for (start, end), placeholder in zip(spans, placeholders, strict=True):
            if end > self.begin:
                self.count += 1
                begin -= max(self.begin - start, 0)
            else:
                begin += len(placeholder) - (end - start)
        self.begin = begin
        self.text = _replaced(self.text, spans, placeholders)
        self.plain = _replaced(self.plain, spans, placeholders)


def forget_words() -> None:
    """Forget the words that were read: they are remembered beyond their text, since most of them come again."""
    word_features.forget_words()
    secret_cues.forget_words()


def placeholders(text: str) -> int:
    """How many placeholders are in `text`."""
    return sum(1 for _ in _ANY_PLACEHOLDER.finditer(text)) if "[" in text else 0


def kinds(text: str) -> dict[str, int]:
    """How many placeholders of each kind are in `text`."""
    return Counter(found.group()[1:-1] for found in _ANY_PLACEHOLDER.finditer(text))


def kinds_found(text: str) -> dict[str, int]:
    """How many secrets of each kind `redact` would replace in `text`; placeholders in it do not count."""
    return dict(Counter(kinds(redact(text)[0])) - Counter(kinds(text)))


def without_placeholders(text: str) -> str:
    """`text` without its placeholders: the part that somebody wrote."""
    return _ANY_PLACEHOLDER.sub("", text) if "[" in text else text


def hides(before: str, offered: str) -> bool:
    """Whether `offered` holds a part of a secret if it stands after `before`, or a part of a placeholder."""
    before = before[-_LOOKED_AT:]
    whole = before + offered
    # A suggestion may end within a placeholder, or begin in one.
    if "[" in whole and any(found.end() > len(before) for found in _ANY_PLACEHOLDER.finditer(f"{whole}]")):
        return True
    read = plain(whole)
    if not any(rule.spans(read) for rule in _worth_trying(read)):
        return False
    kept, count = redact(whole, prose=False)
    # A secret that is complete without the offer is the prefix's alone.
    return bool(count) and not kept.endswith(offered)


def _worth_trying(text: str) -> tuple[Rule, ...]:
    """The rules whose cheap conditions hold: most texts meet none, and patterns are slow."""
    figures = 0 if _FIGURE.search(text) is None else 1 if _FIGURES.search(text) is None else 3
    words = text.split()
    longest = max(map(len, words), default=0)
    signs = "".join(filter(text.__contains__, _SIGNS))
    rules, always = _fitting(
        figures,
        _LONG_WORDS[bisect_right(_LONG_WORDS, longest) - 1],
        signs,
        len(words) >= _WORDS or longest >= 3 * _WORDS,
    )
    folded = text.lower()
    hints = _hints_in(folded)
    if not hints:
        return always
    return tuple(rule for rule in rules if not rule.hints or not rule.hints.isdisjoint(hints))


def _hints_in(folded: str) -> list[str]:
    """The rules' hints that occur in a text in lower case."""
    literals, search = _all_hints()
    found = search.Match(folded.encode("utf-8", "surrogatepass")) or ()
    return [literals[place] for place in found if _begins_word(literals[place], folded)]


def _begins_word(hint: str, folded: str) -> bool:
    """Whether a hint that occurs in a text begins a word there, if it has to."""
    if hint[0] != "^":
        return True
    place = folded.find(hint[1:])
    while place > 0 and folded[place - 1].isalnum():
        place = folded.find(hint[1:], place + 1)
    return place >= 0


@cache
def _all_hints() -> tuple[tuple[str, ...], re2.Set]:
    """The hints of all rules, and a search for all of them at once."""
    hints = tuple(sorted(frozenset[str]().union(*(rule.hints for rule in RULES))))
    search = re2.Set.SearchSet()
    for hint in hints:
        search.Add(re2.escape(hint.removeprefix("^")))
    search.Compile()
    return hints, search


@cache
def _fitting(
    figures: int, long_word: int, signs: str, many: bool
) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """The rules for texts of one sort, and those of them that need no hint."""
    rules = tuple(
        rule
        for rule in RULES
        if figures >= rule.figures
        and long_word >= rule.long_word
        and (many or not rule.words)
        and (not rule.signs or any(sign in rule.signs for sign in signs))
    )
    return rules, tuple(rule for rule in rules if not rule.hints)


def _replaced(text: str, spans: list[Span], placeholders: Iterable[str]) -> str:
    """`text` with a placeholder in the place of each span."""
    parts: list[str] = []
    end = 0
    for (start, stop), placeholder in zip(spans, placeholders, strict=True):
        parts += (text[end:start], placeholder)
        end = stop
    return "".join([*parts, text[end:]])
