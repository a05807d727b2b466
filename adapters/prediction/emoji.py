"""Emoji as words: those that the user has put behind the words before the cursor, from the n-gram memory alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import regex

from idiolect.adapters.prediction.cursor import SplitPrefix
from idiolect.adapters.prediction.next_token import NextTokenModel
from idiolect.adapters.prediction.suggestion import Word
from idiolect.models.tokenizer import Tokenizer

_ONE: Final = r"[\p{Extended_Pictographic}--[©®™]]\ufe0f?\p{EMod}?"
_EMOJI: Final = regex.compile(rf" ?(?:\p{{RI}}{{2}}|{_ONE}(?:\u200d{_ONE})*)", regex.V1)
_UNFINISHED: Final = "\ufffd\u200d"  # the end of the tokens of a part of one
_FIRST_BYTES: Final = (b"\xe2", b"\xe3", b"\xf0")
_LEAST_PROB: Final = 2e-3
_LEAST_SHARE: Final = 0.05  # of what followed the first tokens of one; what is rarer may be of another's
_MAX_TOKENS, _MAX_BRANCHES = 16, 4  # of one emoji; that are looked at behind the same tokens


class EmojiFinder:
    """Finds emoji to offer. For one thread at a time."""

    def __init__(self, next_token: NextTokenModel, tokenizer: Tokenizer) -> None:
        self._next_token, self._tokenizer = next_token, tokenizer
        self._begins = np.zeros((2, 1 << 16), np.bool_)  # alone, and after a space
        for spaced, space in enumerate((b"", b" ")):
            for first in _FIRST_BYTES:
                self._begins[spaced, tokenizer.starting_with(space + first)] = True
        space_alone = tokenizer.starting_with(b" ")[
            :1
        ]  # some vocabularies have no token of a space and an emoji
        self._begins[1, space_alone] = [tokenizer.token_bytes(int(token)) == b" " for token in space_alone]

    def add(
        self, words: Sequence[Word], split: SplitPrefix, finished: float, must_hide: Callable[[str], bool]
    ) -> list[Word]:
        """Return words with emoji among them, each before the first word that is less probable; see :meth:`_find`."""
        found = [*words]
        for other in self._find(split, finished):
            if not must_hide(other.text):
                place = next((at for at, word in enumerate(found) if word.p < other.p), len(found))
                found.insert(place, other)
        return found

    def _find(self, split: SplitPrefix, finished: float) -> list[Word]:
        """Return emoji that may stand at the cursor, behind a word that ends there with probability ``finished``."""
        head, spaced = split.head, split.spaced
        if split.typed:
            head, spaced = [*head, *self._tokenizer.encode(split.start)], False
        after = self._next_token.predict(head)
        begins = self._begins[int(spaced), after.ids] | (self._begins[1, after.ids] & split.behind_mark)
        ids = after.ids[begins]
        if not len(ids):
            return []
        probs = (
            self._next_token.next_probs(head)[ids]
            if not split.typed
            else after.p[begins] * np.float32(finished * self._next_token.mixture.weight(after))
        )
        begun = [([token], p) for token, p in zip(ids.tolist(), probs.tolist(), strict=True)]
        found = dict[str, float]()
        while begun:
            tokens, p = begun.pop()
            text = self._tokenizer.decode(tokens)
            if _EMOJI.fullmatch(text):
                for shorter in found.keys() & {text[:end] for end in range(len(text))}:
                    found[shorter] -= p  # 👩 is no part of 👩‍💻
                found[text] = p
            elif text.strip(f" {_UNFINISHED}") and not _EMOJI.fullmatch(text.rstrip(_UNFINISHED)):
                continue
            if p >= _LEAST_PROB and len(tokens) < _MAX_TOKENS:
                after = self._next_token.predict([*head, *tokens])
                for place in np.argsort(-after.p)[:_MAX_BRANCHES].tolist():
                    if (share := float(after.p[place])) >= _LEAST_SHARE:
                        begun.append(([*tokens, int(after.ids[place])], p * share))
        return [Word(text[spaced:], p) for text, p in found.items() if p >= _LEAST_PROB]
