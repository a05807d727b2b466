"""Text that goes on from a prompt, token by token: for programs that ask for completions rather than suggestions.

It comes from what suggestions come from: the model with its adapter, the user's latest entries before the prompt, the
fast memory mixed in. An answer in a conversation comes from the model with its adapter alone, since what the user wrote
says little of how an assistant answers. What no suggestion would show is not written either (``draft.py``). It is done
in short steps, so that suggestions can be made between them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from collections.abc import Generator as GeneratorType
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.generation.generated_text import GeneratedText
from idiolect.adapters.generation.requests import WINDOW, Chat, End, Piece, Prompt, SamplingParams
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.prediction.probs_cache import softmax
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.models.chat import chat_ids
from idiolect.models.errors import IdiolectError
from idiolect.models.session import Adapter, Model, Session
from idiolect.models.tokenizer import Tokenizer

_EXTRA = 256  # tokens of text from elsewhere that come before a prompt
_STEP = 128  # a long prompt is cut at multiples of this, so that its cache stays valid for a while
_GROUP = 8  # tokens of a prompt that are read in one pass, which takes two times as long as that of one token
_WORD = 6  # tokens of the word under the cursor that are looked at as a whole
_LIKELY = (
    0.02  # from this probability on that word is thought to begin with another token than its typed part does
)


_Result = TypeVar("_Result")
Steps = GeneratorType[None, None, _Result]
"""Passes, each followed by None, and what they lead to."""


class PromptTooLongError(IdiolectError):
    """A conversation is longer than what the model is given to read."""

    code: ClassVar[str] = "prompt-too-long"
    exit_code: ClassVar[int] = 92
    http_status: ClassVar[int] = 400


@dataclass(frozen=True)
class GenerationSource:
    """From what text is generated: an adapter, or None for the base; what is known of the user, or nothing."""

    adapter: Adapter | None
    mixture: Mixture
    user_model: UserModel | None


class Generator:
    """Writes in one voice, one text at a time; what was read stays cached for the next one.

    Args:
        model: the loaded graph.
        tokenizer: its tokenizer.
        voice: bound for its whole life.
        hides: whether some text, after another, must not be shown; beside what the voice knows of that.
    """

    def __init__(
        self,
        model: Model,
        tokenizer: Tokenizer,
        voice: GenerationSource,
        must_hide: Callable[[str, str], bool],
    ) -> None:
        self._tokenizer = tokenizer
        self._voice = voice
        self._redacts = must_hide
        self._breaks = tokenizer.encode("\n")
        others = _EXTRA + 2 * len(self._breaks)
        if voice.user_model is not None:
            others += 2 * voice.user_model.recent.limit
        self._window = min(WINDOW, model.config.context - others)
        self._session = Session(model, length=others + self._window, adapter=voice.adapter)
        self._grouped = 0  # tokens at its beginning that were read in groups
        self._mixed = False  # whether the memory has a say in this text

    def generate(self, prompt: Prompt | Chat, wanted: SamplingParams) -> Iterator[Piece | End | None]:
        """What comes after ``prompt``, as it is written, and at last how it ended; None after a pass that gave no text.

        Between two of these one pass is made. The same text comes from the same knowledge where ``temperature`` is 0,
        or the same ``seed`` is given.

        Raises:
            PromptTooLongError: a conversation does not fit. Of other text the end is read.
        """
        asked = time.perf_counter()
        self._mixed = isinstance(prompt, Prompt)
        context, size, truncated = self._context(prompt, wanted.tokens)
        cached = max(0, self._common(context) - (len(context) - size))
        most = min(wanted.tokens, self._window - size)
        before = (
            prompt.text if isinstance(prompt, Prompt) else "".join(f"{text}\n" for _, text in prompt.messages)
        )
        typing = 0 if isinstance(prompt, Chat) or most == 0 else size
        start, typed, p = yield from self._begin(context, typing)
        draft = GeneratedText(
            self._tokenizer, before, self._must_hide, ids=context[:start], typed=typed, wanted=wanted
        )
        began = time.perf_counter()
        reason: Literal["eos", "word", "limit"]
        word = ""
        while True:
            if draft.count >= most or time.perf_counter() - began > wanted.seconds:
                reason = "limit"
                break
            token = draft.choose(p)
            if token is None or token in self._tokenizer.ends:
                reason = "eos"
                break
            piece, stop = draft.ready() if draft.add(token, p) else (None, None)
            yield piece
            if stop is not None:
                reason, word = "word", stop
                break
            if draft.count < most:
                p = self._after(draft.ids)
        if reason != "word" and (rest := draft.rest()) is not None:
            yield rest
        took_s = time.perf_counter() - began
        yield End(reason, word, size, cached, draft.count, began - asked, took_s, truncated)

    def _must_hide(self, before: str, offered: str) -> bool:
        """Whether ``offered``, after ``before``, must not be shown."""
        user_model = self._voice.user_model
        return self._redacts(before, offered) or (
            user_model is not None and user_model.must_hide(before, offered)
        )

    # What is read

    def _context(self, prompt: Prompt | Chat, tokens: int) -> tuple[list[int], int, bool]:
        """All that is read, how many tokens of it are the prompt's own, and whether its beginning was left out."""
        if isinstance(prompt, Chat):
            ids = chat_ids(self._tokenizer, prompt.messages)
            if len(ids) >= self._window:
                raise PromptTooLongError(
                    f"The conversation has {len(ids):,} tokens, and no more than {self._window - 1:,} can be "
                    "read. Leave its beginning out."
                )
            return ids, len(ids), False
        text = prompt.text[-16 * self._window :]
        whole = self._tokenizer.encode(text)
        excess = max(0, len(whole) - (self._window - min(tokens, self._window // 2)))
        ids = whole[-(-excess // _STEP) * _STEP :]
        extra: list[int] = []
        for other in reversed(prompt.extra):
            if len(extra) >= _EXTRA:
                break
            extra = self._tokenizer.encode(other[-16 * _EXTRA :]) + extra
        line = [*extra[-_EXTRA:], *self._breaks, *ids] if extra else ids
        user_model = self._voice.user_model
        context = [*self._breaks, *line] if user_model is None else user_model.recent.context(line)
        return context, len(ids), excess > 0 or len(text) < len(prompt.text)

    def _begin(self, context: list[int], typing: int) -> Steps[tuple[int, bytes, NDArray[np.float32]]]:
        """From where in ``context`` to go on, with which bytes, and the distribution over the token there.

        The last ``typing`` tokens may end within a word. What is typed of it may be the beginning of one token, though
        alone it makes others: so its first token is foretold again, or else the last of the typed part.
        """
        end = len(context)
        for start in dict.fromkeys((self._word(context, typing), end - 1)) if typing else ():
            typed = b"".join(self._tokenizer.token_bytes(token) for token in context[start:])
            fitting = self._tokenizer.starting_with(typed)
            if len(fitting):
                p = yield from self._start(context[:start])
                if start == end - 1 or float(p[fitting].sum()) >= _LIKELY:
                    return start, typed, p
                yield None
        return end, b"", (yield from self._start(context))

    def _word(self, context: list[int], typing: int) -> int:
        """Where the first token of the word under the cursor stands; of a long one, the last."""
        end = len(context)
        for start in range(end - 1, end - 1 - min(typing, _WORD), -1):
            if self._tokenizer.token_bytes(context[start])[:1].isspace():
                return start
        return end - (typing if typing <= _WORD else 1)

    def _common(self, context: list[int]) -> int:
        """How many tokens of ``context`` are cached and can be kept.

        A token that is read alone comes out a little different from one that is read in a group. So that the same
        text is always answered alike, what was generated is read again once it is a part of a prompt.
        """
        most = min(self._grouped, len(self._session.tokens), max(0, len(context) - 3))
        pairs = zip(self._session.tokens[:most], context, strict=False)
        return next((place for place, (cached, read) in enumerate(pairs) if cached != read), most)

    def _start(self, context: list[int]) -> Steps[NDArray[np.float32]]:
        """The distribution (vocab,) over the token after ``context``, of which all but the last is read in groups."""
        session = self._session
        session.truncate(self._common(context))
        while left := context[len(session.tokens) : -1]:
            session.feed(left if len(left) <= _GROUP + 1 else left[:_GROUP], "none")  # never one alone
            self._grouped = len(session.tokens)
            yield None
        return self._after(context)

    def _after(self, context: list[int]) -> NDArray[np.float32]:
        """The same, after one token more than was read, or after a word less."""
        self._session.truncate(len(context) - 1)
        user_model, p = self._voice.user_model, softmax(self._session.feed(context[-1:])[0])
        if user_model is None or not self._mixed:
            return p
        return self._voice.mixture.mix(p, user_model.memory, user_model.memory.predict(context))
