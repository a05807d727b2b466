"""The user's own phrases by their initials, "lmk" for "let me know", found in the n-gram memory alone."""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np
import regex
from numpy.typing import NDArray

from idiolect.adapters.memory.ngram_memory import ORDER, FastMemory
from idiolect.models.architecture import DOCUMENT
from idiolect.models.tokenizer import Tokenizer

_MIN_LETTERS: Final = 3
_MIN_TIMES: Final = 3  # that a phrase was written
_MOST: Final = 4  # phrases that are returned
_MOST_KEPT: Final = 64  # letters whose words are kept, 64 KB each: whoever asks may ask with any letter
_WORD: Final = regex.compile(r" ?\p{L}[\p{L}'’]*")
_MIN_WHOLE: Final = 0.5  # of a phrase's uses, those in which its last word does not go on


class Initials:
    """Finds phrases of three to five words, of one token each. For one thread at a time."""

    def __init__(self, memory: FastMemory, tokenizer: Tokenizer) -> None:
        self._memory, self._tokenizer = memory, tokenizer
        self._words = dict[tuple[str, str], NDArray[np.bool_]]()

    def phrases(self, typed: str) -> list[str]:
        """Return the phrases with these initials that were written three times or more, the most written first.

        Its first word has a capital if ``typed`` has or if all of the phrase's words have.
        """
        if not self._may_be(typed):
            return []
        first, *others = (self._words_with(letter, " ") for letter in typed.lower())
        runs = Counter(self._memory.count_runs([first, *others]))
        if len(typed) <= ORDER:  # with what stands before it: in the beginning of an entry nothing
            begin = np.arange(1 << 16) == DOCUMENT
            begun = self._memory.count_runs([begin, self._words_with(typed[0].lower(), ""), *others])
            runs.update({run[1:]: times for run, times in begun.items()})
        forms = dict[str, Counter[str]]()
        for run, times in runs.items():
            text = self._tokenizer.decode(run).lstrip()
            if text[-2] != " ":  # "I talked w" and "this is a" are no phrases
                forms.setdefault(text.lower(), Counter())[text] += times
        often = sorted((-f.total(), f.most_common(1)[0][0]) for f in forms.values())[:_MOST]
        return [_written(text, typed) for times, text in often if self._is_whole(text, -times)]

    def first_word_prob(self, typed: str, probs: NDArray[np.float32], *, spaced: bool) -> float:
        """Return how likely the likeliest first token of phrases with these initials is, by ``probs`` (vocab,)."""
        if not self._may_be(typed):
            return 0.0
        return float(probs[self._words_with(typed[0].lower(), " " * spaced)[: len(probs)]].max(initial=0.0))

    def _may_be(self, typed: str) -> bool:
        return _MIN_LETTERS <= len(typed) <= ORDER + 1 and typed.isalpha()

    def _is_whole(self, text: str, times: int) -> bool:
        """Return True where the last word ended three times or more, and seldom went on in another token."""
        after = self._memory.predict(self._tokenizer.encode(f" {text}"))
        cut = float(after.p @ self._tokenizer.continuing_word[after.ids]) / max(float(after.p.sum()), 1e-9)
        return round(times - cut * after.total) >= max(_MIN_TIMES, _MIN_WHOLE * times)

    def _words_with(self, letter: str, space: str) -> NDArray[np.bool_]:
        """Return which tokens (1 << 16,) are words with this first letter, in either case, behind ``space``."""
        if (letter, space) not in self._words:
            if len(self._words) == _MOST_KEPT:
                self._words.clear()
            self._words[letter, space] = found = np.zeros(1 << 16, np.bool_)
            for begun in {space + letter, space + letter.upper()}:
                for token in self._tokenizer.starting_with(begun.encode()).tolist():
                    raw = self._tokenizer.token_bytes(token)
                    found[token] = _WORD.fullmatch(raw.decode("utf-8", "replace")) is not None
        return self._words[letter, space]


def _written(text: str, typed: str) -> str:
    """Return a phrase with the capital that its first word has here; "I" and a name in capitals keep theirs."""
    first = text.split(" ", 1)[0]
    if typed[0].isupper():
        return text[0].upper() + text[1:]
    return (
        text
        if first == "I" or text[len(first) :] != text[len(first) :].lower()
        else text[0].lower() + text[1:]
    )
