"""A number is told by a word near it: a cue, up to some words, and a form; or the form first, and the cue behind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from idiolect.daemon.redaction.numbers import Span

_CHARS: Final = 110  # characters between a cue and what it tells, at most
_BEFORE: Final = 28  # characters before a number that say that it is another one
#: Right before a number: it is a telephone's, an order's, a page's.
_ANOTHER: Final = re.compile(
    r"(?:(?<![^\W_])(?:tel|telephone|phone|fon|telefon|t[eé]l[eé]phone|tel[eé]fono|telefone|mobil[e]?|handy|cell|fax|ext|extension|room|zimmer|order"
    r"|invoice|ticket|flight|parcel|tracking|version|isbn|page|seite|line|build|bug|issue|pr|case|po|po box|lot|model"
    r"|bestellung|bestelling|bestelnummer|rechnung|kundennummer|sendungsnummer|aktenzeichen|commande|facture|pedido|factura|fatura|ordine|fattura|factuur"
    r"|kenmerk|postcode|zip|plz|cep|pincode|error|fehler|erreur|errore)"
    r"[ .:]{0,2}(?:number|nummer|no|nr|num|n[º°]|id|code)?|#|[€$£+])[ .:#]{0,3}\Z"
)


@dataclass(frozen=True)
class Form:
    """How a number is written, and what tells it from another of the same form.

    `right` says whether check digits hold, or the form is rare enough, where a cue is weak. The number stands at most
    `behind` words behind its cue, or `before` words before it.
    """

    pattern: re.Pattern[str]
    right: Callable[[str], bool] | None = None
    behind: int = 12
    before: int = 8


class Grammar:
    """Cues and the forms that they tell.

    `cues` are (pattern of lower-case words, names of forms); a name that ends in `?` is told only weakly: the form's
    own check must hold too.
    """

    def __init__(self, cues: tuple[tuple[str, str], ...], forms: dict[str, Form]) -> None:
        self._cues = re.compile(
            "|".join(f"(?P<c{place}>{pattern})" for place, (pattern, _) in enumerate(cues))
        )
        self._names = {f"c{place}": names.split() for place, (_, names) in enumerate(cues)}
        self._forms = forms

    def find(self, text: str) -> Iterator[Span]:
        """Where in `text` a form stands near its cue, each as [start, end)."""
        folded = text.lower()
        if len(folded) != len(text):  # a letter whose small one is two
            folded = "".join(char.lower()[0] for char in text)
        for cue in self._cues.finditer(folded):
            low, high = max(0, cue.start() - _CHARS), min(len(text), cue.end() + _CHARS)
            for name in self._names[cue.lastgroup or ""]:
                form = self._forms[name.rstrip("?")]
                for match in form.pattern.finditer(text, low, high):
                    if (
                        _together(folded, cue, match, form)
                        and (match.end() < high or high == len(text))
                        and (name[-1] != "?" or (form.right is not None and form.right(match[0])))
                        and not _ANOTHER.search(folded[max(0, match.start() - _BEFORE) : match.start()])
                    ):
                        yield match.span()


def _together(folded: str, cue: re.Match[str], match: re.Match[str], form: Form) -> bool:
    """Whether few enough words stand between, and no empty line."""
    if match.start() >= cue.end():
        between, most = folded[cue.end() : match.start()], form.behind
    elif match.end() <= cue.start():
        between, most = folded[match.end() : cue.start()], form.before
    else:
        return False
    return len(between.split()) <= most + 1 and "\n\n" not in between
