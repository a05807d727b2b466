"""A rule of redaction: what one kind of secret looks like, and what stands in its place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from idiolect.daemon.redaction.cards_and_ibans import Span

#: The kinds of what is taken out. `id`: a national identity number; `random`: what was drawn at random and has no
#: name; `data`: what no person types, and may hold a key.
KINDS: Final = ("key", "token", "password", "pin", "card", "iban", "id", "random", "data")
#: What stands in the place of a secret. It never counts as a secret itself, so that redacting twice
#: changes nothing.
PLACEHOLDER: Final = rf"\[(?:{'|'.join(KINDS)})\]"
#: For patterns: not here, where a secret was taken out already.
DONE: Final = rf"(?!{PLACEHOLDER})"


_SOON: Final = 120  # characters between a word such as "password" and the sign behind it


def _named(match: re.Match[str]) -> Span | None:
    return match.span("s")


@dataclass(frozen=True)
class Rule:
    """One kind of secret, beside examples of what it must and must not take.

    `pattern` has a group `s`, the secret itself; `locate` narrows a match to the secret's span, or
    refuses it with None. Where a pattern is not enough, `find` gives all spans in a text. `matches` are
    (text, text redacted) pairs; `misses` stay as they are. (A `¦` in a text, to be taken out, keeps scanners
    from taking these files for a leak.) To save time, a rule is tried only where one of the lower-case
    literals in `hints` occurs, and one of the characters in `signs` (with `near`, soon behind it), if there are
    any; where there is a `figure`, or `figures`, three of them close together, if it needs them; where a word has
    `long_word` characters; and where there are `words` words, or one that may be as many without a space.
    """

    kind: str
    pattern: re.Pattern[str] | None
    matches: tuple[tuple[str, str], ...]
    misses: tuple[str, ...] = ()
    hints: frozenset[str] = frozenset()
    signs: str = ""
    near: bool = False
    figure: bool = False
    figures: bool = False
    long_word: int = 0
    words: int = 0
    locate: Callable[[re.Match[str]], Span | None] = field(default=_named)
    find: Callable[[str], Iterable[Span]] | None = None

    @property
    def placeholder(self) -> str:
        """What stands in the text instead of the secret."""
        return f"[{self.kind}]"

    def spans(self, text: str) -> list[Span]:
        """Where the secrets are, in order, none within another."""
        if self.near and not self._near(text.lower()):
            return []
        if self.find is not None:
            found = self.find(text)
        elif self.pattern is not None:
            found = filter(None, map(self.locate, self.pattern.finditer(text)))
        spans: list[Span] = []
        for start, end in sorted(found):
            if not spans or start >= spans[-1][1]:
                spans.append((start, end))
        return spans

    def _near(self, folded: str) -> bool:
        """Whether one of the signs stands soon behind one of the hints."""
        for hint in self.hints:
            place = folded.find(hint)
            while place >= 0:
                behind = folded[place : place + len(hint) + _SOON]
                if any(map(behind.__contains__, self.signs)):
                    return True
                place = folded.find(hint, place + len(hint))
        return False
