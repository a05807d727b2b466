"""Generates text after a prompt, token by token: for programs that ask for completions rather than suggestions.

A completion comes from what suggestions come from: the model with its adapter, the user's latest entries before the
prompt, and the n-gram memory mixed in. What no suggestion would show is not generated either
(:mod:`~idiolect.adapters.generation.generated_text`). The work is done in short steps, so that suggestions can be made
between them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Generator as GeneratorType
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.generation.generated_text import GeneratedText
from idiolect.adapters.generation.requests import WINDOW, End, Piece, Prompt, SamplingParams
from idiolect.adapters.memory.steps import Steps
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.prediction.probs_cache import softmax
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.models.session import Adapter, Model, Session
from idiolect.models.tokenizer import Tokenizer

_EXTRA_TOKENS = 256  # of texts from elsewhere, before a prompt
# A long prompt is cut at multiples of this, so that its KV cache stays valid for a while.
_WINDOW_STEP_TOKENS = 128
_GROUP_TOKENS = 8  # of a prompt, read in one pass, which takes twice as long as one of a single token
_MAX_TYPED_TOKENS = 6  # of the word under the cursor that is predicted again from its beginning
# Of the tokens that begin as typed; below, only the last typed token is predicted again.
_MIN_TYPED_PROB = 0.02


@dataclass(frozen=True)
class GenerationSource:
    """The source of generated text: an adapter, or None for the base; the mixture; a user model, or None."""

    adapter: Adapter | None
    mixture: Mixture
    user_model: UserModel | None


class Generator:
    """Generates from one source, one text at a time. What was read stays in the KV cache for the next text.

    ``must_hide`` returns True if some text, after another, must not be shown; the user model hides more.
    """

    def __init__(
        self,
        model: Model,
        tokenizer: Tokenizer,
        source: GenerationSource,
        must_hide: Callable[[str, str], bool],
    ) -> None:
        self._tokenizer = tokenizer
        self._source = source
        self._also_hides = must_hide
        self._breaks = tokenizer.encode("\n")
        others = _EXTRA_TOKENS + 2 * len(self._breaks)
        if source.user_model is not None:
            others += 2 * source.user_model.recent.limit
        self._window = min(WINDOW, model.config.context - others)
        self._session = Session(model, length=others + self._window, adapter=source.adapter)
        self._grouped_tokens = 0  # tokens at its beginning that were read in groups

    def generate(
        self, prompt: Prompt, params: SamplingParams
    ) -> GeneratorType[Piece | End | None, None, None]:
        """Yield pieces of the text after ``prompt``, and at last how it ended; None after a pass without a piece.

        One forward pass is made between two of these. Of a long prompt the end is read. The same text comes from the
        same user model if the temperature is 0, or from the same seed.
        """
        asked = time.perf_counter()
        context, size, truncated = self._context(prompt, params.tokens)
        cached = max(0, self._cached_prefix_length(context) - (len(context) - size))
        most = min(params.tokens, self._window - size)
        start, typed, p = yield from self._begin(context, size if most else 0)
        draft = GeneratedText(
            self._tokenizer, prompt.text, self._must_hide, ids=context[:start], typed=typed, params=params
        )
        began = time.perf_counter()
        reason: Literal["eos", "word", "limit"] = "limit"
        word = ""
        while draft.count < most and time.perf_counter() - began <= params.seconds:
            token = draft.choose(p)
            if token is None or token in self._tokenizer.ends:
                reason = "eos"
                break
            piece, stop = draft.ready() if draft.add(token) else (None, None)
            yield piece
            if stop is not None:
                reason, word = "word", stop
                break
            if draft.count < most:
                p = self._next_probs(draft.ids)
        if reason != "word" and (rest := draft.rest()) is not None:
            yield rest
        took_s = time.perf_counter() - began
        yield End(reason, word, size, cached, draft.count, began - asked, took_s, truncated)

    def _must_hide(self, before: str, offered: str) -> bool:
        """Return True if ``offered``, after ``before``, must not be shown."""
        user_model = self._source.user_model
        return self._also_hides(before, offered) or (
            user_model is not None and user_model.must_hide(before, offered, goes_on=True)
        )

    # What is read

    def _context(self, prompt: Prompt, tokens: int) -> tuple[list[int], int, bool]:
        """Return all tokens that are read, how many of them are the prompt's, and if its beginning was left out."""
        text = prompt.text[-16 * self._window :]
        whole = self._tokenizer.encode(text)
        excess = max(0, len(whole) - (self._window - min(tokens, self._window // 2)))
        ids = whole[-(-excess // _WINDOW_STEP_TOKENS) * _WINDOW_STEP_TOKENS :]
        extra: list[int] = []
        for other in reversed(prompt.extra):
            if len(extra) >= _EXTRA_TOKENS:
                break
            extra = self._tokenizer.encode(other[-16 * _EXTRA_TOKENS :]) + extra
        line = [*extra[-_EXTRA_TOKENS:], *self._breaks, *ids] if extra else ids
        user_model = self._source.user_model
        context = [*self._breaks, *line] if user_model is None else user_model.recent.context(line)
        return context, len(ids), excess > 0 or len(text) < len(prompt.text)

    def _begin(self, context: list[int], typing: int) -> Steps[tuple[int, bytes, NDArray[np.float32]]]:
        """Find where to continue ``context``; yields None after each pass.

        The last ``typing`` tokens may end within a word. The typed part of that word may be the beginning of one
        token, though it is encoded as others. So the word's first token is predicted again, or else the last token of
        the typed part.

        Returns:
            The place in ``context``, the bytes to begin with, and the distribution (vocab,) over the token there.
        """
        end = len(context)
        for start in dict.fromkeys((self._typed_word_start(context, typing), end - 1)) if typing else ():
            typed = b"".join(self._tokenizer.token_bytes(token) for token in context[start:])
            fitting = self._tokenizer.starting_with(typed)
            if len(fitting):
                p = yield from self._prefill(context[:start])
                if start == end - 1 or float(p[fitting].sum()) >= _MIN_TYPED_PROB:
                    return start, typed, p
                yield None
        return end, b"", (yield from self._prefill(context))

    def _typed_word_start(self, context: list[int], typing: int) -> int:
        """Return where the first token of the word under the cursor stands; of a long word, its last token."""
        end = len(context)
        for start in range(end - 1, end - 1 - min(typing, _MAX_TYPED_TOKENS), -1):
            if self._tokenizer.token_bytes(context[start])[:1].isspace():
                return start
        return end - (typing if typing <= _MAX_TYPED_TOKENS else 1)

    def _cached_prefix_length(self, context: list[int]) -> int:
        """Return how many tokens of ``context`` are cached and can be kept.

        A token that is read alone comes out a little different from a token that is read in a group. So that a text is
        always answered alike, generated tokens are read again once they are part of a prompt.
        """
        most = min(self._grouped_tokens, len(self._session.tokens), max(0, len(context) - 3))
        pairs = zip(self._session.tokens[:most], context, strict=False)
        return next((place for place, (cached, read) in enumerate(pairs) if cached != read), most)

    def _prefill(self, context: list[int]) -> Steps[NDArray[np.float32]]:
        """Read ``context`` in groups of tokens; yields None after each pass.

        Returns the distribution (vocab,) over the token after it.
        """
        session = self._session
        session.truncate(self._cached_prefix_length(context))
        while left := context[len(session.tokens) : -1]:
            some = left if len(left) <= _GROUP_TOKENS + 1 else left[:_GROUP_TOKENS]  # never one alone
            session.feed(some, "none")
            self._grouped_tokens = len(session.tokens)
            yield None
        return self._next_probs(context)

    def _next_probs(self, context: list[int]) -> NDArray[np.float32]:
        """Return the distribution (vocab,) after ``context``, whose tokens but the last are cached."""
        self._session.truncate(len(context) - 1)
        user_model, p = self._source.user_model, softmax(self._session.feed(context[-1:])[0])
        if user_model is None:
            return p
        return self._source.mixture.mix(p, user_model.memory, user_model.memory.predict(context))
