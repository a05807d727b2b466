"""The cursor of a question: what stands before it, in which language, and what must not be shown there."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import regex

from idiolect.adapters.memory.vocabulary import MAX_WORD_CHARS, WORD
from idiolect.adapters.memory.word_parts import elided_chars
from idiolect.adapters.prediction.client_windows import ClientWindows
from idiolect.adapters.prediction.language import LanguageAtCursor, Languages
from idiolect.adapters.prediction.next_token import NextTokenModel
from idiolect.adapters.prediction.question import Question
from idiolect.adapters.prediction.reasons import Reason, Silence
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.models.tokenizer import Tokenizer

UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Scripts in which no spaces tell words apart."""

# Searched from the end: from the beginning it would try every letter of a long text.
_TYPED = regex.compile(rf"(?r)( ?)([[\p{{L}}\p{{N}}'’]--[{UNSPACED}]]*)\Z", regex.V1)
_ENDS_PHRASE = regex.compile(r"""[.,;:!?…)\]}"”’]\Z""")  # behind these the next word needs a space before it
_ENDS_UNSPACED = regex.compile(rf"[{UNSPACED}]\Z")
_MIN_ORDER, _MIN_SEEN_PROB = 2, 0.1  # tokens that the memory knows in their order, and of what follows them
_HEADS_KEPT, _HEAD_AGE_S = 16, 2.0  # texts before a word whose tokens are remembered, and for how long


@dataclass(frozen=True)
class SplitPrefix:
    """A prefix, split before the word under the cursor.

    ``head`` are the tokens of what comes before, without the last space; ``spaced`` is True if that space is there and
    so belongs to the word's first token; ``typed`` are the letters of the word. ``behind_mark`` is True if a mark ends
    what comes before, so that the next word may want a space first.
    """

    head: list[int]
    spaced: bool
    typed: str
    behind_mark: bool = False

    @property
    def start(self) -> str:
        """The text that the word's tokens begin with."""
        return " " * self.spaced + self.typed


@dataclass(frozen=True)
class Cursor:
    """A question, read.

    Attributes:
        question: what is asked.
        split: its prefix, split.
        language: what the language there means for what is offered.
        silence: what must not be shown, and why nothing is.
    """

    question: Question
    split: SplitPrefix
    language: LanguageAtCursor
    silence: Silence

    @property
    def is_unspaced(self) -> bool:
        """True if a script ends there in which no spaces tell words apart."""
        return _ENDS_UNSPACED.search(self.question.prefix) is not None


class CursorReader:
    """Reads questions. For one thread at a time.

    Args:
        tokenizer: of the model.
        user_model: the user's words. Without general words in it all text is taken to be in a known language.
        next_token: next-token distributions.
    """

    def __init__(self, tokenizer: Tokenizer, user_model: UserModel, next_token: NextTokenModel) -> None:
        self._tokenizer = tokenizer
        self._user_model = user_model
        self._next_token = next_token
        self._languages = None if user_model.general is None else Languages(user_model.words)
        self._heads = OrderedDict[str, tuple[list[int], float]]()
        self._windows = ClientWindows()
        # Of the text before the word that was asked about last.
        self._before: tuple[list[int], list[str], Counter[str]] | None = None

    def read(self, question: Question) -> Cursor:
        """Read a question; words are weighed from now on by the language that its prefix is in."""
        prefix, answered = question.prefix, self._next_token.answered
        self._weigh_by_language(prefix)
        split = self.split(prefix)
        language = LanguageAtCursor()
        if self._languages is not None:
            before = prefix[: len(prefix) - len(split.typed)]
            language = self._languages.read(before, split.typed, lambda: self._expected_by_memory(split))
        guard = self._user_model.guard(prefix, () if answered is None else answered.units)
        silence = Silence({Reason.TYPED_TOO_SELDOM: guard, **language.hides})
        if WORD.match(question.suffix):
            silence.add(Reason.INSIDE_WORD)
        elif len(split.typed) > MAX_WORD_CHARS:
            silence.add(Reason.LONG_WORD)
        return Cursor(question, split, language, silence)

    def split(self, prefix: str) -> SplitPrefix:
        """Split a prefix before the word under the cursor, and tokenize what comes before."""
        text = self._whole_text(prefix)
        language = self._user_model.words.language_at_hand
        match = next(_TYPED.finditer(text))  # there is one: the pattern matches the empty string, too
        space, typed, start = bool(match[1]), match[2], match.start()
        if (elided := elided_chars(typed, language)) > 0:
            space, typed, start = False, typed[elided:], match.start(2) + elided
        behind_mark = not match[0] and _ENDS_PHRASE.search(text) is not None
        return SplitPrefix(self._encode_head(text[:start]), space, typed, behind_mark)

    def words_before(self, head: list[int]) -> tuple[list[str], Counter[str]]:
        """Return the words before the one under the cursor, in order and with how often each stands there."""
        if self._before is None or self._before[0] != head:
            words = WORD.findall(self._tokenizer.decode(head))
            self._before = head, words, Counter(words)
        return self._before[1:]

    def finish(self, text: str) -> None:
        """Forget what was asked about in ``text``, which is finished."""
        self._windows.forget(text)
        self._before = None

    def forget_texts(self) -> None:
        """Forget all that was asked about."""
        self._windows.clear()
        self._heads.clear()
        self._before = None

    def _weigh_by_language(self, prefix: str) -> None:
        """Weigh words by the language that the text before the cursor is in, where the user writes several."""
        words = self._user_model.words
        if self._languages is not None and len(words.languages) > 1:
            text = self._whole_text(prefix)
            match = next(_TYPED.finditer(text))
            words.weigh_by_language(self._languages.belief(text[: match.start(2)], match[2]).tolist())

    def _encode_head(self, text: str) -> list[int]:
        """Return the last tokens of what stands before a word: the same while letters of the word are typed.

        They are remembered for a short time, so that a key in a word encodes nothing.
        """
        now = time.monotonic()
        while self._heads and next(iter(self._heads.values()))[1] < now - _HEAD_AGE_S:
            self._heads.popitem(last=False)
        known = self._heads.pop(text, None)
        head = self._next_token.truncate_ids(self._tokenizer.encode(text)) if known is None else known[0]
        self._heads[text] = head, now
        if len(self._heads) > _HEADS_KEPT:
            self._heads.popitem(last=False)
        return head

    def _whole_text(self, prefix: str) -> str:
        """Return the end of the text that ``prefix`` is a window on, surely more of it than is read."""
        truncate = self._next_token.truncate_text
        whole = self._windows.whole(truncate(prefix))
        text = truncate(whole)
        if text is not whole:
            self._windows.keep_end(whole, text)
        return text

    def _expected_by_memory(self, split: SplitPrefix) -> Callable[[str], bool]:
        """Return a function that says whether the n-gram memory has seen a word begin behind what comes before."""
        prediction = self._next_token.predict(split.head)
        seen: set[int] = set()
        if prediction.order >= _MIN_ORDER:
            seen = set(prediction.ids[prediction.p >= _MIN_SEEN_PROB].tolist())
        return lambda word: bool(seen) and self._tokenizer.encode(" " * split.spaced + word)[0] in seen
