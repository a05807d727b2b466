"""Which words may stand at a cursor, and how probable each is.

One forward pass, at the last place where a token surely ends (before the word under the cursor),
gives a distribution over tokens; mixed with the memory's it ranks every word that begins as typed.
Typing on inside the word needs no other pass.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import regex

from idiolect.adapters.prediction.next_token import NextTokenModel
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.adapters.prediction.vocabulary import WORD, Continuation, Matches
from idiolect.models.tokenizer import Tokenizer

UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Scripts in which no spaces tell words apart."""

# Searched from the end: from the beginning it would try every letter of a long text.
_TYPED = regex.compile(rf"(?r)( ?)([[\p{{L}}\p{{N}}'’]--[{UNSPACED}]]*)\Z", regex.V1)
_TRUST = 0.8  # in what the memory knows of a word's second token
_SPELLED = 2  # tokens that a word which no list knows may still take, a pass for each
_NEW = 0.3  # a word that no list knows, as a share of the probability of the tokens that begin it ...
_LETTER = 0.2  # ... and of each letter behind them
_CUTS, _CUTS_S = 16, 2.0  # prefixes whose tokens are remembered, and for how long: somebody waits for them


@dataclass(frozen=True)
class Word:
    """A word to insert at the cursor, and its probability given what is typed of it."""

    text: str
    p: float


@dataclass(frozen=True)
class SplitPrefix:
    """A prefix, cut before the word under the cursor."""

    head: list[int]  # tokens of all that comes before, the last space left out
    spaced: bool  # whether that space is there, and so belongs to the word's first token
    typed: str

    @property
    def start(self) -> str:
        """What the word's tokens begin with."""
        return " " * self.spaced + self.typed


class WordRanker:
    """Words by what the model and the memory expect. For one thread at a time."""

    def __init__(self, tokenizer: Tokenizer, user_model: UserModel, next_token: NextTokenModel) -> None:
        self._tokenizer = tokenizer
        self._user_model = user_model
        self._next_token = next_token
        self._cuts = OrderedDict[str, tuple[SplitPrefix, float]]()

    def cut(self, prefix: str) -> SplitPrefix:
        """Cut a prefix before the word under the cursor."""
        text = self._next_token.tail(prefix)
        now = time.monotonic()
        while self._cuts and next(iter(self._cuts.values()))[1] < now - _CUTS_S:
            self._cuts.popitem(last=False)
        if text in self._cuts:  # it has just been read
            return self._cuts[text][0]
        match = _TYPED.search(text)
        assert match is not None  # noqa: S101 (the pattern matches the empty string)
        head = self._next_token.fit(self._tokenizer.encode(text[: match.start()]))
        cut = SplitPrefix(head, bool(match[1]), match[2])
        self._cuts[text] = cut, now
        if len(self._cuts) > _CUTS:
            self._cuts.popitem(last=False)
        return cut

    def forget(self, prefix: str) -> None:
        """Forget how a prefix was cut."""
        self._cuts.pop(self._next_token.tail(prefix), None)

    def match(
        self, cut: SplitPrefix, most: int, beside: Callable[[], Iterable[list[int]]] = tuple
    ) -> Matches:
        """Up to ``most`` words that begin as typed, with a look behind the first token if something is known of that.

        A pass that it needs is made for those ``beside``, too, see
        :meth:`~idiolect.adapters.prediction.next_token.NextTokenModel.next_probs`.
        """
        p, words = self._next_token.next_probs(cut.head, beside), self._user_model.words
        here = Counter(WORD.findall(self._tokenizer.decode(cut.head)))
        return words.match(
            cut.typed, cut.spaced, p, most, behind=lambda token: self._behind([*cut.head, token]), here=here
        )

    def _behind(self, entry: list[int]) -> Continuation | None:
        """What follows a word's first token, as the memory has it.

        Passes that were made earlier are not looked at: the same text must be answered alike, however it was typed.
        """
        known = self._user_model.memory.predict(entry)
        if known.order < 2:
            return None
        p = np.zeros(self._user_model.memory.vocab, np.float32)
        p[known.ids] = known.p
        return Continuation(p, _TRUST)

    def words(self, cut: SplitPrefix, found: Matches) -> list[Word]:
        """What was matched, with probabilities; where nothing was, a guess at a word that no list knows."""
        if not found.forms:
            unknown = cut.typed and not found.finished and not any(map(str.isdigit, cut.typed))
            return self._spell(cut) if unknown else []
        total = self.total(cut, found)
        return [
            Word(form[len(cut.typed) :], float(score / total))
            for form, score in zip(found.forms, found.scores, strict=True)
        ]

    def total(self, cut: SplitPrefix, found: Matches) -> float:
        """The score of all that may stand here."""
        if not cut.typed:  # words that stand before the cursor are raised without the others being lowered
            return max(1.0, found.mass)
        return found.mass + found.finished + self._unknown(cut)

    def _unknown(self, cut: SplitPrefix) -> float:
        """The score of all words that begin as typed and that no list knows."""
        p, start = self._next_token.next_probs(cut.head), cut.start.encode()
        score = 0.0
        for end in range(1 + cut.spaced, len(start) + 1):
            tokens = self._tokenizer.starting_with(start[:end])
            if len(tokens) and self._tokenizer.token_bytes(int(tokens[0])) == start[:end]:
                score += float(p[tokens[0]]) * _NEW * _LETTER ** (len(start) - end)
        return score

    def _spell(self, cut: SplitPrefix) -> list[Word]:
        """The likeliest continuation, token by token, of a word that no list knows."""
        whole = cut.head + self._tokenizer.encode(cut.start)
        back = self._tokenizer.token_bytes(whole[-1])
        entry = whole[:-1]
        text, probability = b"", 1.0
        for _ in range(_SPELLED):
            p = self._next_token.next_probs(entry)
            tokens = self._tokenizer.starting_with(back)
            token = int(tokens[np.argmax(p[tokens])])
            raw = self._tokenizer.token_bytes(token)[len(back) :]
            if not back and not _is_word(raw):
                break
            probability *= float(p[token] / p[tokens].sum())
            text, entry, back = text + raw, [*entry, token], b""
        word = text.decode("utf-8", "ignore")
        match = WORD.match(word)
        return [Word(match[0], probability)] if match else []


def _is_word(raw: bytes) -> bool:
    return bool(WORD.fullmatch(raw.decode("utf-8", "ignore")))
