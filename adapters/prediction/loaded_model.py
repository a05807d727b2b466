"""A loaded base model, and the user models and predictors that are built on it.

The service and the evaluation both build them here, so that what is measured is what is served.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.memory.corpus import RECENT_TOKENS, RecentText
from idiolect.adapters.memory.ngram_memory import FastMemory
from idiolect.adapters.memory.rare_strings import RARE_MIN_COUNT, RareStrings
from idiolect.adapters.memory.steps import Steps, finish
from idiolect.adapters.memory.vocabulary import WordVocabulary
from idiolect.adapters.mending.general_words import GeneralWords
from idiolect.adapters.mending.keyboards import Layout, usual_layout
from idiolect.adapters.mending.mistakes import Mistakes
from idiolect.adapters.mending.typing_channel import TypingChannel
from idiolect.adapters.prediction.calibration import Calibration
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.adapters.prediction.word_preferences import WordPreferences
from idiolect.models.build import BasePaths
from idiolect.models.languages import open_word_list
from idiolect.models.lexicon import ENGLISH
from idiolect.models.session import Adapter, Model, load_beside
from idiolect.models.tokenizer import Tokenizer

_ENTRIES_A_STEP: Final = 512
_CONTEXT_TOKENS: Final = 384  # before the cursor that a suggestion reads


class LoadedModel:
    """The base model. Its graph is loaded in the background, while user models are built.

    Args:
        base: its files.
        threads: that compute one forward pass.
        context_tokens: the most tokens of a prefix that are read.
        recent_tokens: tokens of the latest entries that stand before the prefix.
        rare_min_count: how often a number or an address must have been typed before it is suggested.
        keyboard: the user's layout, which says what is mistyped for what; None: that of their first language.
        languages: those that the user writes.
        loading: the graph, if it is being loaded already.

    Attributes:
        languages: the languages that the user writes, the most written first.
        lexicon: the general words of these languages.
        general: the general words for corrections.
        channel: what mistakes cost on the user's keyboard.

    Raises:
        DamagedModelError: a file can't be loaded. If it is the graph, :attr:`model` and :meth:`build_predictor` raise
            it.
        DiskFullError: the languages' word list can't be written.
    """

    def __init__(
        self,
        base: BasePaths,
        *,
        threads: int,
        context_tokens: int = _CONTEXT_TOKENS,
        recent_tokens: int = RECENT_TOKENS,
        rare_min_count: int = RARE_MIN_COUNT,
        keyboard: Layout | None = None,
        languages: Sequence[str] = ENGLISH,
        loading: Future[Model] | None = None,
    ) -> None:
        self._loading = loading or load_beside(base.graph, base.config, threads=threads)
        self.tokenizer = Tokenizer(base.tokenizer)
        self._vocab = base.config.vocab
        self._base = base
        self._keyboard = keyboard
        self.languages: tuple[str, ...] = ()
        self.use_languages(languages)
        self._context_tokens = context_tokens
        self._recent_tokens = recent_tokens
        self._rare_min_count = rare_min_count

    def use_languages(self, languages: Sequence[str]) -> None:
        """Build user models from now on for who writes these languages. Raises DamagedModelError, DiskFullError."""
        if tuple(languages) == self.languages:
            return
        self.lexicon, paths = open_word_list(self._base, languages, self.tokenizer)
        self.languages = tuple(languages)
        self.general = GeneralWords(self.lexicon, paths.dictionary)
        self.channel = TypingChannel(self._keyboard or usual_layout(languages[0]), languages=languages)

    @property
    def model(self) -> Model:
        """The loaded graph; waits until it is loaded."""
        return self._loading.result()

    def build_user_model(
        self,
        entries: Iterable[Sequence[int] | NDArray[np.integer]],
        preferences: WordPreferences | None = None,
    ) -> UserModel:
        """Build a user model of its own from entries, the token ids of each, in order of time.

        ``preferences`` are what the user has decided about words; shared.
        """
        return finish(self.build_user_model_in_steps(entries, preferences))

    def build_user_model_in_steps(
        self,
        entries: Iterable[Sequence[int] | NDArray[np.integer]],
        preferences: WordPreferences | None = None,
    ) -> Steps[UserModel]:
        """Build as :meth:`build_user_model` in short steps."""
        memory = FastMemory(self._vocab)
        words = WordVocabulary(self.lexicon, self.tokenizer.encode, self._vocab)
        known, rare = [np.asarray(ids) for ids in entries], RareStrings(self._rare_min_count)
        preferences = preferences or WordPreferences()
        general, channel = self.general, self.channel
        mistakes = Mistakes(general, channel, lambda: preferences.corrections)
        recent, encode = self.build_recent_text(known), self.tokenizer.encode
        yield
        texts = list[str]()
        for start in range(0, len(known), _ENTRIES_A_STEP):
            texts += [self.tokenizer.decode(ids.tolist()) for ids in known[start : start + _ENTRIES_A_STEP]]
            yield
        meant = yield from mistakes.learn_in_steps(texts)
        yield from memory.add_in_steps(
            ids if text == mended else encode(mended)
            for ids, text, mended in zip(known, texts, meant, strict=True)
        )
        yield
        without_rare = yield from rare.learn_in_steps(meant)
        yield
        yield from words.learn_in_steps(without_rare)
        return UserModel(memory, words, recent, rare, preferences, mistakes, encode, general, channel)

    def build_recent_text(self, entries: Sequence[Sequence[int] | NDArray[np.integer]]) -> RecentText:
        """Return the latest of these entries as the text that stands before a prefix."""
        recent = RecentText(self._recent_tokens, self.tokenizer.encode("\n"))
        first = len(entries)
        while first > 0 and sum(map(len, entries[first:])) < self._recent_tokens:
            first -= 1
        for ids in entries[first:]:
            recent.add(np.asarray(ids).tolist())
        return recent

    def build_predictor(
        self,
        user_model: UserModel,
        mixture: list[Any] | None,
        *,
        adapter: Adapter | None = None,
        adapter_id: int | None = None,
        calibration: Calibration | None = None,
        word_calibration: Calibration | None = None,
    ) -> Predictor:
        """Build a predictor with an adapter or the base alone.

        Args:
            user_model: what is known of the user; shared.
            mixture: the weights that the adapter was judged with (:meth:`Mixture.to_json`), or None for the usual
                ones.
            adapter: the LoRA tensors, or None for the base.
            adapter_id: its number, for answers.
            calibration: how often ghosts of each probability were right; shared, and learns on.
            word_calibration: the calibration of words of which nothing was typed yet; shared, and learns on.
        """
        return Predictor(
            self.model,
            self.tokenizer,
            user_model,
            Mixture() if mixture is None else Mixture.from_json(mixture),
            adapter=adapter,
            adapter_id=adapter_id,
            context_tokens=self._context_tokens,
            calibration=calibration,
            word_calibration=word_calibration,
        )
