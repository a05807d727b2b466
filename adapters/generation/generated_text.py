"""The text that is being generated: which token comes next, what of it may be shown already, and what is taken back.

Text is shown once its last word is whole, and once it can't be the beginning of a stop. A word that would reveal what
must be hidden is taken back before any of it is shown, and its first token is not chosen there again.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.generation.requests import Piece, SamplingParams
from idiolect.models.tokenizer import Tokenizer

_MAX_HELD_CHARS = 160  # characters without a space that are held back
_MIN_TEMPERATURE = 1e-6  # a temperature below is as good as none
_MAX_TAKEN_BACK = 40  # words that may be taken back at one place


class GeneratedText:
    """One text, from its first token to its last.

    It continues the text ``before``, whose tokens are ``ids``. Its first token must begin with the bytes ``typed``,
    which stand before the cursor already. ``must_hide`` returns True if some text, after another, must not be shown.

    Attributes:
        ids: all tokens by now.
        count: how many of them are new.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        before: str,
        must_hide: Callable[[str, str], bool],
        *,
        ids: list[int],
        typed: bytes,
        params: SamplingParams,
    ) -> None:
        self.ids = ids
        self.count = 0
        self._tokenizer = tokenizer
        self._before = before
        self._must_hide = must_hide
        self._start = len(ids)
        self._typed = typed
        self._fitting = tokenizer.starting_with(typed) if typed else None
        self._params = params
        self._random = np.random.default_rng(None if params.seed is None else params.seed % 2**64)
        self._held: list[bytes] = []  # of each new token that was not shown yet
        self._taken_back: dict[int, list[int]] = {}  # by place: tokens that are not chosen there again

    def choose(self, p: NDArray[np.float32]) -> int | None:
        """Return a token from the distribution (vocab,) over the next one; None where none may come."""
        params, here = self._params, self._taken_back.get(len(self.ids), [])
        scores = p.astype(np.float64)
        if (fitting := self._fitting_tokens()) is not None:
            scores = np.zeros_like(scores)
            scores[fitting] = p[fitting]
        scores[[*self._tokenizer.unspoken, *here]] = 0
        if len(here) > _MAX_TAKEN_BACK or not scores.max() > 0:
            return None
        return int(np.argmax(scores)) if params.temperature == 0 else self._draw(scores)

    def _draw(self, scores: NDArray[np.float64]) -> int:
        """Sample a token by temperature, top-k and top-p (nucleus sampling, Holtzman et al. 2020)."""
        params = self._params
        tokens = np.flatnonzero(scores)
        weights = np.log(scores[tokens])
        weights = np.exp((weights - weights.max()) / max(params.temperature, _MIN_TEMPERATURE))
        if params.top_k or params.top_p < 1:
            order = np.argsort(-weights, kind="stable")[: params.top_k or None]
            tokens, weights = tokens[order], weights[order]
            before = np.cumsum(weights) - weights  # what is likelier than each; the first always stays
            kept = before < params.top_p * weights.sum()
            tokens, weights = tokens[kept], weights[kept]
        sums = np.cumsum(weights)
        return int(tokens[np.searchsorted(sums, self._random.random() * sums[-1], side="right")])

    def add(self, token: int) -> bool:
        """Append a token that was chosen; return False if its word was taken back because of it."""
        raw = self._tokenizer.token_bytes(token)
        if self._fitting_tokens() is not None:
            raw = raw[len(self._typed) :]
        self.ids.append(token)
        if not raw:  # it was typed already
            return True
        self._held.append(raw)
        self.count += 1
        if self._must_hide(self._before, _text(self._held)):
            self._take_back()
            return False
        return True

    def _take_back(self) -> None:
        """Remove the last word, of which nothing was shown."""
        word = self._last_word_start()
        gone = len(self._held) - word
        first = self.ids[-gone]
        del self.ids[-gone:], self._held[word:]
        self.count -= gone
        place = len(self.ids)
        self._taken_back = {at: tokens for at, tokens in self._taken_back.items() if at <= place}
        self._taken_back.setdefault(place, []).append(first)

    def _fitting_tokens(self) -> NDArray[np.intp] | None:
        """Return the tokens that begin with what is typed, if the next token must."""
        return self._fitting if len(self.ids) == self._start else None

    def _last_word_start(self) -> int:
        """Return the index among the held tokens of the last one that begins a word."""
        places = range(len(self._held) - 1, 0, -1)
        return next((place for place in places if self._held[place][:1].isspace()), 0)

    def ready(self) -> tuple[Piece | None, str | None]:
        """Return what may be shown now, if anything, and the stop that the text has reached, if it has."""
        text = _text(self._held)
        found = None if self._params.stop is None else self._params.stop.search(text, partial=True)
        if found is not None and not found.partial:
            return self._show(len(self._held), text[: found.start()]), found[0]
        safe = len(text) if found is None else found.start()
        shown = self._complete_tokens() if len(text) > _MAX_HELD_CHARS else self._last_word_start()
        while shown and len(_text(self._held[:shown])) > safe:
            shown -= 1
        return (self._show(shown, _text(self._held[:shown])) if shown else None), None

    def rest(self) -> Piece | None:
        """Return what was held back, once nothing more comes."""
        return self._show(len(self._held), _text(self._held)) if self._held else None

    def _show(self, tokens: int, text: str) -> Piece | None:
        del self._held[:tokens]
        self._before += text
        return Piece(text) if text else None

    def _complete_tokens(self) -> int:
        """Return how many of the held tokens come before a character that is incomplete."""
        for tokens in range(len(self._held), 0, -1):
            try:
                b"".join(self._held[:tokens]).decode()
            except UnicodeDecodeError:
                continue
            return tokens
        return 0


def _text(tokens: list[bytes]) -> str:
    """Return the text of tokens; an incomplete or invalid character is left out."""
    return b"".join(tokens).decode("utf-8", "ignore")
