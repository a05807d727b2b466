"""Rules by cue: a word such as "code", up to some words, and a form of number; or the form first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from idiolect.daemon.text.redaction.rule import Span, lazy

_CHARS: Final = 130  # characters between a cue and its number, at most
_BEFORE: Final = 28  # characters before a number, in which its own name may stand
#: Right before the number of a telephone, an order, a page.
_ANOTHER: Final = lazy(
    r"(?:(?<![^\W_])(?:tel|telephone|phone|fon|telefon|t[eé]l[eé]phone|tel[eé]fono|telefone|mobil[e]?|handy|cell|fax|ext|extension|room|zimmer|order"
    r"|invoice|ticket|flight|parcel|tracking|version|isbn"
    r"|pages?|seiten?|p[áa]ginas?|pagin[ae]|line|build|bug|issue|pr|case|po|po box|lot|model"
    r"|bestellung|bestelling|bestelnummer|rechnung|kundennummer|sendungsnummer|aktenzeichen|commande|facture|pedido|factura|fatura|ordine|fattura|factuur"
    r"|kenmerk|postcode|zip|plz|cep|pincode|error|fehler|erreur|errore)"
    r"[ .:]{0,2}(?:number|nummer|no|nr|num|n[º°]|id|code)?|#|[€$£+])[ .:#]{0,3}\Z"
)


@dataclass(frozen=True)
class Form:
    """How a number is written.

    `right` says for a weak cue whether the number's check digits hold, or its form is rare enough. The number stands at
    most `behind` words behind its cue or `before` words before it, and never where `unless` matches the lower-case text
    before it.
    """

    pattern: str
    right: Callable[[str], bool] | None = None
    behind: int = 12
    before: int = 8
    unless: re.Pattern[str] | None = None


class Grammar:
    """Cues, and the forms of the numbers that they name.

    `cues` are (alternatives, names of forms): each alternative is a pattern in lower case that begins a word with two
    plain letters. For a name that ends in `?` the cue is weak: the form's own check must hold, too. Each form stands
    between `begin` and `end`. `worth` matches wherever one of the forms may match: cues are looked for around these
    places alone. Forms without spaces are looked for only in words of at least `shortest` characters.
    """

    def __init__(
        self,
        worth: str,
        cues: tuple[tuple[str, str], ...],
        forms: dict[str, Form],
        *,
        begin: str,
        end: str,
        shortest: int = 0,
    ) -> None:
        self._worth = lazy(worth)
        self._long = lazy(rf"(?<!\S)\S{{{shortest},}}") if shortest else None
        self._forms = {name: (lazy(f"{begin}(?:{form.pattern}){end}"), form) for name, form in forms.items()}
        self._cues: dict[str, list[tuple[re.Pattern[str], list[str]]]] = {}
        for pattern, names in cues:
            for alternative in _alternatives(pattern):
                cue = lazy(alternative), names.split()
                self._cues.setdefault(alternative[:2], []).append(cue)
        seconds: dict[str, str] = {}
        for letters in sorted(self._cues):
            seconds[letters[0]] = seconds.get(letters[0], "") + re.escape(letters[1])
        heads = "|".join(f"{first}[{second}]" for first, second in seconds.items())
        self._begin = lazy(f"(?<![^\\W_])(?:{heads})")

    def find(self, text: str) -> Iterator[Span]:
        """Where in `text` a form stands near its cue, each as [start, end)."""
        folded, end = "", 0
        for place in self._places(text):
            if not folded:
                folded = text.lower()
                if len(folded) != len(text):  # a letter whose small one is two
                    folded = "".join(char.lower()[0] for char in text)
            low, high = max(end, place.start() - _CHARS), min(len(text), place.end() + _CHARS)
            if high > low:
                yield from self._find_around(text, folded, low, high)
                end = high

    def _places(self, text: str) -> Iterator[re.Match[str]]:
        if self._long is None:
            yield from self._worth.finditer(text)
        else:
            for word in self._long.finditer(text):
                yield from self._worth.finditer(text, *word.span())

    def _find_around(self, text: str, folded: str, low: int, high: int) -> Iterator[Span]:
        """The numbers of the cues that begin in [low, high) of `text`."""
        for begin in self._begin.finditer(folded, low, high):
            for pattern, names in self._cues[begin[0]]:
                if (cue := pattern.match(folded, begin.start())) is not None:
                    yield from self._find_numbers(text, folded, cue, names)

    def _find_numbers(self, text: str, folded: str, cue: re.Match[str], names: list[str]) -> Iterator[Span]:
        low, high = max(0, cue.start() - _CHARS), min(len(text), cue.end() + _CHARS)
        for name in names:
            pattern, form = self._forms[name.rstrip("?")]
            for match in pattern.finditer(text, low, high):
                if (
                    _are_near(folded, cue, match, form)
                    and (match.end() < high or high == len(text))
                    and (name[-1] != "?" or (form.right is not None and form.right(match[0])))
                    and not _has_another_name(
                        folded[max(0, match.start() - _BEFORE) : match.start()], form.unless
                    )
                ):
                    yield match.span()


def _has_another_name(before: str, unless: re.Pattern[str] | None) -> bool:
    return bool(_ANOTHER.search(before) or (unless is not None and unless.search(before)))


def _alternatives(pattern: str) -> Iterator[str]:
    """The alternatives of a pattern, but not the alternatives within its brackets."""
    depth, start = 0, 0
    for place, char in enumerate(pattern):
        depth += (char in "([") - (char in ")]")
        if char == "|" and not depth:
            yield pattern[start:place]
            start = place + 1
    yield pattern[start:]


def _are_near(folded: str, cue: re.Match[str], match: re.Match[str], form: Form) -> bool:
    """Whether few enough words stand between a cue and a number, and no empty line."""
    if match.start() >= cue.end():
        between, most = folded[cue.end() : match.start()], form.behind
    elif match.end() <= cue.start():
        between, most = folded[match.end() : cue.start()], form.before
    else:
        return False
    return len(between.split()) <= most + 1 and "\n\n" not in between
