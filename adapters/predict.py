"""From a prefix to words and ghost text.

One forward pass, at the last place where a token surely ends (before the word under the cursor),
gives a distribution over tokens; mixed with the memory's it ranks every word that begins as typed.
Typing on inside the word needs no other pass.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import regex
from numpy.typing import NDArray

from idiolect.adapters.corpus import Recent
from idiolect.adapters.memory import FastMemory
from idiolect.adapters.mixture import Mixture
from idiolect.adapters.words import WORD, Words
from idiolect.models.session import Adapter, Model, Session
from idiolect.models.tokenizer import Tokenizer

_TYPED = regex.compile(r"( ?)([\p{L}\p{N}'’]*)\Z")
_GHOST_TOKENS = 16  # one batched pass
_STEPS = 1  # passes of one token after a draft has failed
_LIKELY = 0.35  # a ghost's next token must be at least this probable
_SHOW = 0.5  # a ghost is shown, and thought further, if its first word is at least this probable
_SPELLED = 2  # tokens that a word which no list knows may still take, a pass for each
_LONGEST = 40  # characters typed of a word; longer runs are no words
_REMEMBERED = 24  # distributions, of 200 KB each
_WINDOW_STEP = 128  # a long prefix is cut at multiples of this, so that its cache stays valid for a while


@dataclass(frozen=True)
class Word:
    """A word to insert at the cursor, and its probability given what is typed of it."""

    text: str
    p: float


@dataclass(frozen=True)
class Ghost:
    """A continuation; ``p`` is that of all of it, ``show`` whether it is likely enough to be seen."""

    text: str
    p: float
    show: bool


@dataclass(frozen=True)
class Suggestion:
    """The answer to one keystroke."""

    words: tuple[Word, ...]
    ghost: Ghost
    adapter: int | None
    elapsed_ms: float


@dataclass(frozen=True)
class Knowledge:
    """What is known of the user without any training; grows with every entry."""

    memory: FastMemory
    words: Words
    recent: Recent

    def learn(self, text: str, ids: Sequence[int]) -> None:
        """Learn one entry, at once."""
        self.words.learn(text)
        self.recent.add(ids)
        self.memory.add(ids)  # last: its size tells that what was remembered is out of date


@dataclass(frozen=True)
class _Cut:
    """A prefix, cut before the word under the cursor."""

    head: list[int]  # tokens of all that comes before, the last space left out
    spaced: bool  # whether that space is there, and so belongs to the word's first token
    typed: str

    @property
    def start(self) -> str:
        return " " * self.spaced + self.typed


class Predictor:
    """Suggestions from one model, one adapter and the user's knowledge. Calls may come from any thread.

    Args:
        model: the loaded graph.
        tokenizer: its tokenizer.
        knowledge: shared with other predictors; not owned.
        mixture: how far the memory is trusted beside this adapter.
        adapter: its tensors, or None for the base.
        adapter_id: what to name in answers.
        context_tokens: tokens of the prefix that are looked at.
    """

    def __init__(
        self,
        model: Model,
        tokenizer: Tokenizer,
        knowledge: Knowledge,
        mixture: Mixture,
        *,
        adapter: Adapter | None = None,
        adapter_id: int | None = None,
        context_tokens: int = 512,
    ) -> None:
        self.adapter_id = adapter_id
        self._tokenizer = tokenizer
        self._knowledge = knowledge
        self._mixture = mixture
        # Besides the window: recent text and a break, the word typed (up to four tokens a letter), a ghost.
        others = 2 * knowledge.recent.limit + len(knowledge.recent.breaks) + 4 * _LONGEST + 2 * _GHOST_TOKENS
        self._window = max(1, min(context_tokens, model.config.context - others))
        self._session = Session(model, length=others + self._window, adapter=adapter)
        self._lock = threading.Lock()
        self._known = -1  # the memory's size when what follows was made
        self._remembered: OrderedDict[tuple[int, ...], NDArray[np.float32]] = OrderedDict()
        self._tails: dict[tuple[tuple[int, ...], str, int], tuple[str, float]] = {}

    def warm(self) -> None:
        """Read the recent entries, so that the first keystroke finds them cached."""
        with self._lock:
            self._after([])

    def suggest(self, prefix: str, suffix: str = "", candidates: int = 3, ghost_words: int = 8) -> Suggestion:
        """Words that finish the one under the cursor or come next, and a continuation.

        Args:
            prefix: text before the cursor; its end counts.
            suffix: text after the cursor; nothing is offered in the middle of a word.
            candidates: words wanted, most probable first.
            ghost_words: the longest continuation, in words; 0 for none.
        """
        started = time.perf_counter()
        with self._lock:
            cut = self._cut(prefix)
            words: list[Word] = []
            ghost = Ghost("", 0.0, False)
            if len(cut.typed) <= _LONGEST and not WORD.match(suffix):
                words = self._words(cut, max(candidates, 1))
                if ghost_words and words:
                    ghost = self._ghost(cut, words[0], ghost_words)
        elapsed_ms = (time.perf_counter() - started) * 1e3
        return Suggestion(tuple(words[:candidates]), ghost, self.adapter_id, elapsed_ms)

    def complete(self, prefix: str, words: int) -> str:
        """The likeliest continuation by up to ``words`` words, however unsure: to show, not to type."""
        with self._lock:
            entry = self._fit(self._tokenizer.encode(prefix))
            start = len(entry)
            while len(entry) - start < 3 * words:
                entry.append(int(np.argmax(self._after(entry))))
                if not self._tokenizer.token_bytes(entry[-1]).strip(b"\n"):
                    break
        text = self._tokenizer.decode(entry[start:])
        ends = [match.end() for match in regex.finditer(r"\S+", text)]
        return text[: ends[min(words, len(ends)) - 1]] if ends else ""

    def _cut(self, prefix: str) -> _Cut:
        # Far more text than the window holds need not even be tokenized; where it is cut stays the same
        # for a while, so that the cache stays valid.
        step = 8 * self._window
        text = prefix[max(0, len(prefix) // step - 1) * step :]
        match = _TYPED.search(text)
        assert match is not None  # noqa: S101 (the pattern matches the empty string)
        head = self._fit(self._tokenizer.encode(text[: match.start()]))
        return _Cut(head, bool(match[1]), match[2])

    def _fit(self, ids: list[int]) -> list[int]:
        """The last tokens, as many as the window holds, cut where the cut stays the same for a while."""
        excess = max(0, len(ids) - self._window)
        return ids[-(-excess // _WINDOW_STEP) * _WINDOW_STEP :]

    def _after(self, entry: list[int]) -> NDArray[np.float32]:
        """The mixed next-token distribution (vocab,) after ``entry``; the last few are remembered."""
        if self._knowledge.memory.tokens != self._known:  # something was learned since
            self._known = self._knowledge.memory.tokens
            self._remembered.clear()
            self._tails.clear()
        key = tuple(entry)
        if key not in self._remembered:
            self._remember(entry, self._session.feed(self._left(entry, 1))[0])
        self._remembered.move_to_end(key)
        return self._remembered[key]

    def _left(self, entry: list[int], rows: int) -> list[int]:
        """What must be fed for the logits of the last ``rows`` tokens of ``entry``, recent text before it."""
        left = self._session.reuse(self._knowledge.recent.before(entry))
        if len(left) < rows:  # all of it is cached, but logits are not: feed the end again
            keep = len(self._session.tokens) - (rows - len(left))
            left = self._session.tokens[keep:] + left
            self._session.truncate(keep)
        return left

    def _remember(self, entry: list[int], logits: NDArray[np.float32]) -> NDArray[np.float32]:
        p = self._mix(logits, entry)
        self._remembered[tuple(entry)] = p
        while len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return p

    def _mix(self, logits: NDArray[np.float32], entry: list[int]) -> NDArray[np.float32]:
        memory = self._knowledge.memory
        return self._mixture.mix(softmax(logits), memory, memory.predict(entry))

    def _words(self, cut: _Cut, most: int) -> list[Word]:
        p = self._after(cut.head)
        found = self._knowledge.words.match(cut.typed, cut.spaced, p, most)
        typed = len(cut.typed)
        if found.forms:
            total = found.mass if cut.typed else 1.0
            return [
                Word(form[typed:], float(score / total))
                for form, score in zip(found.forms, found.scores, strict=True)
            ]
        return self._spell(cut) if cut.typed and not any(map(str.isdigit, cut.typed)) else []

    def _spell(self, cut: _Cut) -> list[Word]:
        """The likeliest continuation, token by token, of a word that no list knows."""
        whole = cut.head + self._tokenizer.encode(cut.start)
        back = self._tokenizer.token_bytes(whole[-1])
        entry = whole[:-1]
        text, probability = b"", 1.0
        for _ in range(_SPELLED):
            p = self._after(entry)
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

    def _ghost(self, cut: _Cut, word: Word, most: int) -> Ghost:
        if word.p < _SHOW:
            return Ghost(word.text, word.p, False)
        key = (tuple(cut.head), cut.start + word.text, most)
        if key not in self._tails:
            if len(self._tails) > 256:
                self._tails.clear()
            self._tails[key] = self._continue(cut, word, most)
        tail, p = self._tails[key]
        return Ghost(word.text + tail, word.p * p, True)

    def _continue(self, cut: _Cut, word: Word, most: int) -> tuple[str, float]:
        """What comes after ``word``, and its probability.

        Drafted with the memory, verified in one pass, and then thought on a token at a time.
        """
        entry = cut.head + self._tokenizer.encode(cut.start + word.text)
        base = len(entry)
        sure: list[float] = []  # probability of what has been added, token by token
        draft = self._draft(entry)
        expected = self._verify(entry, draft) if draft else [self._after(entry)]
        steps = _STEPS
        while len(entry) - base < _GHOST_TOKENS:
            if not expected:
                if steps == 0:
                    break
                steps -= 1
                expected = [self._after(entry)]
            row = expected.pop(0)
            token = int(np.argmax(row))
            if row[token] < _LIKELY or not self._tokenizer.token_bytes(token).strip(b"\n"):
                break
            if len(entry) - base >= len(draft) or draft[len(entry) - base] != token:
                expected = []
            entry.append(token)
            sure.append(float(row[token]))
        tail = _whole_words(self._tokenizer.decode(entry[base:]), most - 1)
        size, count = 0, 0
        while size < len(tail.encode()):
            size += len(self._tokenizer.token_bytes(entry[base + count]))
            count += 1
        return tail, math.prod(sure[:count])

    def _draft(self, entry: list[int]) -> list[int]:
        tokens = list(entry)
        for _ in range(_GHOST_TOKENS - 1):
            known = self._knowledge.memory.predict(tokens)
            if known.order < 2 or known.p.max() < _LIKELY:
                break
            tokens.append(int(known.ids[np.argmax(known.p)]))
        return tokens[len(entry) :]

    def _verify(self, entry: list[int], draft: list[int]) -> list[NDArray[np.float32]]:
        """The mixed distributions after ``entry`` and after each token of ``draft``, in one pass."""
        rows = self._session.feed(self._left(entry + draft, len(draft) + 1), "all")[-len(draft) - 1 :]
        return [self._remember(entry + draft[:place], row) for place, row in enumerate(rows)]


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: NDArray[np.float32] = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


def _is_word(raw: bytes) -> bool:
    return bool(WORD.fullmatch(raw.decode("utf-8", "ignore")))


def _whole_words(text: str, most: int) -> str:
    """The beginning of ``text`` that ends where a word ends, of at most ``most`` words.

    The last word is left out if it reaches the end: it may not be finished.
    """
    ends = [match.end() for match in WORD.finditer(text) if match.end() < len(text)]
    return text[: ends[min(most, len(ends)) - 1]] if ends and most > 0 else ""
