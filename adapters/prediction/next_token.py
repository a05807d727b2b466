"""What token comes next: the base model's distribution, with recent entries as context, mixed with the n-gram memory's.

One forward pass reads as much as it can: a draft from the memory is verified together with the text (speculative
decoding, Leviathan et al. 2023), and what was read stays in the KV cache. Distributions that were computed are kept in
a :class:`~idiolect.adapters.prediction.probs_cache.ProbsCache`.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.memory.ngram_memory import ORDER, FastMemory, Prediction
from idiolect.adapters.prediction.answered import Answered
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.prediction.probs_cache import ProbsCache
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.models.session import Adapter, Interrupt, InterruptedPassError, Model, Session

ACTIVE_S = 10.0
"""A text is being written for so long after it was last continued, in seconds."""

_MIN_DRAFT_PROB = 0.35  # of each token of a draft
_MAX_DRAFT_TOKENS = 12
_LIKELY_DRAFT_TOKENS = 3  # the first ones need only be likely; a longer draft is an expensive pass
_MIN_LONG_DRAFT_PROB = 0.8  # so each further token must be almost certain
_EVICTED_TOKENS = 1024  # of other texts that are being written, 45 KB each: a long text and eight short ones
_PREFILL_TOKENS = 32  # read in one pass of a long text: 80 ms beside a training round, where 64 take 150 ms
_PRECOMPUTE_TOKENS = 32  # read in one pass of a text that is known beforehand
_MAX_PREFETCH_TEXTS, _CONCURRENT_S = 2, 2.0  # with more texts continued in this time, somebody always waits
# Tokens in a row that what is answered has, too: one says that it is there, not where.
_MIN_ANSWERED_ORDER = 2
_ANSWERED_TOKENS = 320  # of what is answered; each takes 45 KB of the KV cache
_LEAST_P, _LEAST_END = 1e-12, 1e-6  # of a token, and of a word's end, where the logarithm is taken
_PREDICTIONS_KEPT = 128  # of the n-gram memory: each key asks for the same ones as the key before


@dataclass(frozen=True)
class DraftedToken:
    """A token that a draft has and the model confirms.

    Attributes:
        id: the token.
        p: its probability.
        own_p: what the model alone gives it.
        times_seen: how often the n-gram memory saw the longest context that it knows of what stands before; 0 for none.
        word_ends: the probability that no further part of the word follows; None where no pass has told.
    """

    id: int
    p: float
    own_p: float
    times_seen: int
    word_ends: float | None


class NextTokenModel:
    """Next-token distributions after any text; the latest are cached.

    What is learned while texts are being written becomes context in a pause: all of them have to be read again behind
    it. The n-gram memory counts at once.

    Args:
        model: the loaded graph.
        user_model: shared; what it learns shows in the next distribution.
        mixture: the weights of the model and the n-gram memory; learns on.
        adapter: the LoRA tensors, or None for the base.
        window: the most tokens of a text that are read.
        spare: tokens that callers append to what :meth:`truncate_ids` returned.
        continues_word: (vocab,) 1 for each token that goes on in a word, else 0.

    Attributes:
        session: reads the texts, and holds their keys and values.
        window: the most tokens of a text that are read, as far as the model's context allows.
        keeps_recent: returns True while newer entries wait until the texts that are being written pause.
    """

    def __init__(
        self,
        model: Model,
        user_model: UserModel,
        mixture: Mixture,
        *,
        adapter: Adapter | None,
        window: int,
        spare: int,
        continues_word: NDArray[np.float32],
    ) -> None:
        self.user_model = user_model
        self._continues_word = continues_word
        self.mixture = mixture
        self.answered_mixture = Mixture()
        self.answered: Answered | None = None
        recent = user_model.recent
        others = 2 * recent.limit + len(recent.separator) + spare + _MAX_DRAFT_TOKENS
        self.window = max(1, min(window, model.config.context - others))
        self._answered_ids: list[int] = []
        self._answered_limit = max(0, min(_ANSWERED_TOKENS, model.config.context - others - self.window))
        self.session = Session(
            model,
            length=others + self.window + self._answered_limit,
            adapter=adapter,
            evicted_tokens=_EVICTED_TOKENS,
        )
        self._predictions: dict[tuple[int, ...], Prediction] = {}
        self._memory_tokens = -1  # of the memory when these were made
        # A cycle would keep the session's memory, and texts that were forgotten, until the garbage collector comes.
        this = weakref.proxy(self)
        self._cache = ProbsCache(
            user_model,
            lambda ids, probs: this._mix(ids, probs),
            lambda: any(this.session.active_texts(ACTIVE_S)),
        )
        self.keeps_recent = self._cache.keeps_recent

    def truncate_text(self, text: str) -> str:
        """Return the end of ``text``, surely more than the window holds.

        The cut moves in large steps, so that a text that grows is tokenized alike for a while.
        """
        step = 8 * self.window
        return text[max(0, len(text) // step - 1) * step :]

    def truncate_ids(self, ids: list[int]) -> list[int]:
        """Return the last tokens, as many as the window holds.

        The cut moves by half a window at a time: behind each cut all that is left is read again.
        """
        step, excess = max(self.window // 2, 1), max(0, len(ids) - self.window)
        return ids[-(-excess // step) * step :]

    def set_answered(self, answered: Answered | None) -> None:
        """From now on have the end of what the user answers stand in front of every text.

        Of what stood there before nothing is left: the keys and values behind it are overwritten with zeros.
        """
        if self._answered_ids:
            self.session.wipe(self._common())
        self._cache.set_answered(something=answered is not None)
        self._predictions.clear()
        ids = answered.ids if answered is not None else []
        self.answered, self._answered_ids = answered, ids[max(0, len(ids) - self._answered_limit) :]

    def next_probs(self, ids: list[int]) -> NDArray[np.float32]:
        """Return the distribution (vocab,) over the token after ``ids``, at most the window and the spare tokens."""
        return self._probs_along_draft(ids, [])[0]

    def cached_probs(self, ids: list[int]) -> NDArray[np.float32] | None:
        """Return the distribution (vocab,) over the token after ``ids`` if it needs no forward pass, else None."""
        return self._cache.get(ids)

    def word_log_prob(self, ids: list[int], word: list[int]) -> float:
        """Return the log probability that the tokens of ``word`` come after ``ids``, and that no word goes on there.

        One pass reads all of the word that is not cached.
        """
        rows = [self.next_probs(ids), *self._probs_along_draft([*ids, word[0]], word[1:])]
        ends = max(self._word_ends(rows.pop()), _LEAST_END)
        return math.log(ends) + sum(
            math.log(max(float(probs[token]), _LEAST_P)) for probs, token in zip(rows, word, strict=True)
        )

    def _word_ends(self, probs: NDArray[np.float32]) -> float:
        return max(1.0 - float(probs @ self._continues_word), 0.0)

    def verified_draft(self, ids: list[int], accepts: Callable[[int], bool]) -> list[DraftedToken]:
        """Return the likeliest tokens after ``ids``, as long as each is likely enough.

        The n-gram memory drafts them and one forward pass verifies them, with one token more behind the accepted ones:
        the only one where the memory has no draft.

        Args:
            ids: tokens of the text.
            accepts: the continuation ends before a token for which this is False.
        """
        draft, tokens = self._draft(ids), list[DraftedToken]()
        for probs in self._probs_along_draft(ids, draft):
            if tokens:
                tokens[-1] = replace(tokens[-1], word_ends=self._word_ends(probs))
            token = int(np.argmax(probs))
            if probs[token] < _MIN_DRAFT_PROB or not accepts(token):
                break
            tokens.append(self.judged(ids + draft[: len(tokens)], token, probs))
            if draft[len(tokens) - 1 : len(tokens)] != [token]:
                break
        return tokens

    def predict(self, ids: Sequence[int]) -> Prediction:
        """Return what the n-gram memory expects after ``ids``; the latest predictions are kept."""
        memory, key = self.user_model.memory, tuple(ids[-ORDER:])
        if memory.tokens != self._memory_tokens or len(self._predictions) >= _PREDICTIONS_KEPT:
            self._predictions.clear()
            self._memory_tokens = memory.tokens
        if key not in self._predictions:
            self._predictions[key] = memory.predict(key)
        return self._predictions[key]

    def judged(self, ids: list[int], token: int, probs: NDArray[np.float32]) -> DraftedToken:
        """Return what model and memory say of ``token`` after ``ids``, where ``probs`` (vocab,) is their mixture."""
        prediction = self.predict(ids)
        [own_p] = self._own_probs(ids, [token], probs)
        return DraftedToken(token, float(probs[token]), own_p, prediction.total, None)

    def own_shares(self, ids: list[int], tokens: Sequence[int], probs: NDArray[np.float32]) -> list[float]:
        """Return what the model alone gives each of ``tokens`` after ``ids``, by what it has in their mixture.

        ``probs`` (vocab,) is the mixture of model and memory. More than 1 is a token that the memory speaks against.
        """
        own = self._own_probs(ids, tokens, probs)
        return [p / float(probs[token]) for token, p in zip(tokens, own, strict=True)]

    def _memories(
        self, ids: Sequence[int], *, answering: bool = True
    ) -> Iterator[tuple[FastMemory, Mixture, Prediction]]:
        """Yield what is mixed with the model's distribution after ``ids``, in this order.

        Not ``answering``: only what is mixed where nothing is answered.
        """
        memory = self.user_model.memory
        yield memory, self.mixture, self.predict(ids)
        if answering and self.answered is not None:
            memory = self.answered.memory
            prediction = memory.predict(self.answered.predict_context(ids))
            if prediction.order >= _MIN_ANSWERED_ORDER:
                yield memory, self.answered_mixture, prediction

    def _mix(self, ids: list[int], probs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the model's distribution ``probs`` (vocab,) after ``ids``, mixed with what memories say."""
        for memory, mixture, prediction in self._memories(ids):
            probs = mixture.mix(probs, memory, prediction)
        return probs

    def _own_probs(
        self, ids: Sequence[int], tokens: Sequence[int], probs: NDArray[np.float32]
    ) -> list[float]:
        own = [float(probs[token]) for token in tokens]
        for memory, mixture, prediction in reversed([*self._memories(ids)]):
            share = mixture.weight(prediction) if memory.tokens else 0.0
            remembered = (memory.token_prob(prediction, token) for token in tokens)
            own = [
                max((both - share * p) / (1 - share), 0.0) for both, p in zip(own, remembered, strict=True)
            ]
        return own

    def prefetch(self, ids: list[int], *, drafts: bool, interrupt: Interrupt | None = None) -> None:
        """Make the pass that ``next_probs(ids)`` and, if it ``drafts``, :meth:`verified_draft` will need.

        It is not made while several texts are being written, since somebody always waits then. Stopping ``interrupt``
        ends it.
        """
        if sum(1 for _ in self.session.active_texts(_CONCURRENT_S)) > _MAX_PREFETCH_TEXTS:
            return
        draft = self._draft(ids) if drafts else []
        if not self._cache.has_model_probs(ids, draft):
            with suppress(InterruptedPassError):
                self._forward(ids, draft, interrupt)

    def precompute(self, ids: list[int]) -> None:
        """Make the passes that all prefixes of ``ids`` will need, many prefixes in one pass.

        For an evaluation, which knows what will be typed. The distributions are kept beside the others until something
        is learned or another text is precomputed.
        """
        self._cache.begin_precomputing()
        ids = ids[: self.window]
        for start in range(0, len(ids), _PRECOMPUTE_TOKENS):
            prefix, rest = ids[:start], ids[start : start + _PRECOMPUTE_TOKENS - 1]
            self._cache.add_precomputed(prefix, rest, self._feed(prefix, rest))

    def prefill_in_pieces(self, ids: list[int]) -> Iterator[None]:
        """Read most of what :meth:`next_probs` needs for ``ids``; yields None after each forward pass.

        Yields nothing where little is to be read. Between two passes another text may be asked about: what was read is
        evicted from the KV cache and restored, unless too much is. The distributions are the same but for the rounding
        of products of other sizes.
        """
        left_before, times_lost = self.session.length + 1, 0
        while self._cache.get(ids) is None:
            left = self._rewind(ids, 1)
            times_lost += len(left) >= left_before
            # Lost twice: others need so much room that it would be read for ever.
            if len(left) <= _PREFILL_TOKENS or times_lost > 1:
                return
            left_before = len(left)
            self.session.feed(left[:_PREFILL_TOKENS], "none")
            yield

    def active_texts(self) -> list[list[int]]:
        """Return the tokens of the texts that are being written, with what is drafted there; the latest is the last."""
        return [[*text] for text in self.session.active_texts(ACTIVE_S)]

    def observe(self, ids: Sequence[int]) -> None:
        """Learn from a new entry how far the n-gram memory can be trusted. Call it before the memory learns the entry.

        No pass is needed: the distributions that were computed while the entry was typed are cached, and count once.
        """
        self.session.forget_text(ids)
        for prefix, probs, answering in self._cache.pop_along(ids):
            token = ids[len(prefix)]
            p = float(probs[token])
            for memory, mixture, prediction in self._memories(prefix, answering=answering):
                share, remembered = mixture.weight(prediction), memory.token_prob(prediction, token)
                mixture.learn(prediction, remembered, p)
                p = share * remembered + (1 - share) * p if memory.tokens else p

    def forget_texts(self) -> None:
        """Forget all that was read but recent entries: each text is read again when it is asked about."""
        self.session.forget_all_texts(self._common())
        self._cache.clear()
        self._predictions.clear()
        self._cache.set_answered(something=False)
        self.answered, self._answered_ids = None, []

    def _draft(self, ids: list[int]) -> list[int]:
        """Return the tokens that the n-gram memory expects after ``ids``, as long as it is sure enough."""
        tokens = list(ids)
        for _ in range(_MAX_DRAFT_TOKENS):
            prediction = self.predict(tokens)
            needed = (
                _MIN_DRAFT_PROB if len(tokens) - len(ids) < _LIKELY_DRAFT_TOKENS else _MIN_LONG_DRAFT_PROB
            )
            if prediction.order < 2 or prediction.p.max() < needed:
                break
            tokens.append(int(prediction.ids[np.argmax(prediction.p)]))
        return tokens[len(ids) :]

    def _probs_along_draft(self, ids: list[int], draft: list[int]) -> list[NDArray[np.float32]]:
        """Return the distributions after ``ids`` and after each token of ``draft``, with one pass if one is needed."""
        found = self._cache.get_along_draft(ids, draft)
        return self._forward(ids, draft) if found is None else found

    def _forward(
        self, ids: list[int], draft: list[int], interrupt: Interrupt | None = None
    ) -> list[NDArray[np.float32]]:
        """Make a pass, cache what it returns, and return the distributions after ``ids`` and along ``draft``."""
        logits = self._feed(ids, draft, interrupt)
        return [self._cache.add(ids, draft[:place], row) for place, row in enumerate(logits)]

    def _feed(
        self, ids: list[int], draft: list[int], interrupt: Interrupt | None = None
    ) -> NDArray[np.float32]:
        """Read what is not cached; return the logits (len(draft) + 1, vocab) after ``ids`` and along ``draft``."""
        rows = len(draft) + 1
        left = self._rewind(ids + draft, rows)
        if rows == 1:
            return self.session.feed(left, "last", interrupt)
        if len(left) > rows:  # the logits of what only has to be read would take 200 KB a token
            self.session.feed(left[:-rows], "none", interrupt)
        return self.session.feed(left[-rows:], "all", interrupt)

    def _rewind(self, ids: list[int], rows: int) -> list[int]:
        """Rewind the session for ``ids`` behind recent entries; return what to feed for the last ``rows`` logits."""
        context = [*self._common(), *self._answered_ids, *ids]
        private = bool(self._answered_ids)
        return self.session.rewind_to_common_prefix(context, len(ids), rows, private=private)

    def _common(self) -> list[int]:
        """Return the tokens that stand before every text."""
        return [*self._cache.recent(), *self.user_model.recent.separator]
