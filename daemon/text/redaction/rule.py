"""A rule of redaction: what one kind of secret looks like, and what stands in its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias, cast

Span: TypeAlias = tuple[int, int]

#: The kinds of secrets. `id`: a national identity number; `random`: a random string without a name; `data`: text that
#: no person types and that may hold a key.
KINDS: Final = ("key", "token", "password", "pin", "card", "iban", "id", "random", "data")
#: Stands in the place of a secret. It is never taken for a secret itself, so that redacting twice changes nothing.
PLACEHOLDER: Final = rf"\[(?:{'|'.join(KINDS)})\]"
#: For patterns: no placeholder stands here.
DONE: Final = rf"(?!{PLACEHOLDER})"
_SOON: Final = 120  # characters between a word such as "password" and the sign behind it


class _LazyPattern:
    """Stands for a compiled pattern, and gets each of its attributes at its first use."""

    def __init__(self, source: str) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:
        value = getattr(re.compile(self._source), name)
        setattr(self, name, value)  # from now on it costs no more than the pattern itself
        return value


def lazy(source: str) -> re.Pattern[str]:
    """Return a pattern that is compiled at its first use: most texts need few patterns."""
    return cast("re.Pattern[str]", _LazyPattern(source))


def source(pattern: object) -> str | None:
    """The source of a pattern that `lazy` returned; None for anything else."""
    return pattern._source if isinstance(pattern, _LazyPattern) else None


def named(match: re.Match[str]) -> Span | None:
    """The span of a match's group `s`."""
    return match.span("s")


class Rule:
    """One row of the table: a kind of secret, its name in tests/redaction_examples.txt, and how it is found.

    `pattern` has a group `s`, the secret itself; `check` narrows a match to the secret's span, or returns None for no
    secret. Where a pattern is not enough, `find` returns all spans in a text instead. The other arguments save time and
    change no result. They say which texts the rule is tried on: with one of the lower-case `hints` (separated by `|`; a
    hint with a `^` begins a word); with one of the characters in `signs`, if there are any (if `near`, soon behind a
    hint); with `figures`: 1, or 3 close together; with a word of `long_word` characters; and with `words` words, or one
    word that may be as many without spaces.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        pattern: str = "",
        *,
        check: Callable[[re.Match[str]], Span | None] = named,
        find: Callable[[str], Iterable[Span]] | None = None,
        hints: str = "",
        signs: str = "",
        near: bool = False,
        figures: int = 0,
        long_word: int = 0,
        words: int = 0,
    ) -> None:
        self.name = name
        self.placeholder = f"[{kind}]"
        self.hints = frozenset(hints.split("|") if hints else ())
        self.signs = signs
        self.figures = figures
        self.long_word = long_word
        self.words = words
        self._near = near
        self._pattern = lazy(pattern)
        self._check = check
        self._find = find or self._matches

    def spans(self, text: str) -> list[Span]:
        """Where the secrets are, in order, none within another."""
        if self._near and not self._is_signed(text.lower()):
            return []
        spans: list[Span] = []
        for start, end in sorted(self._find(text)):
            if not spans or start >= spans[-1][1]:
                spans.append((start, end))
        return spans

    def _matches(self, text: str) -> Iterable[Span]:
        return filter(None, map(self._check, self._pattern.finditer(text)))

    def _is_signed(self, folded: str) -> bool:
        """Whether one of the signs stands soon behind one of the hints."""
        for hint in self.hints:
            place = folded.find(hint)
            while place >= 0:
                behind = folded[place : place + len(hint) + _SOON]
                if any(map(behind.__contains__, self.signs)):
                    return True
                place = folded.find(hint, place + len(hint))
        return False
