"""What suggestions are made of: one loaded base model, and knowledge and predictors over it.

The service and the evaluation both build them here, so that what is measured is what is served.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.corpus import RecentText
from idiolect.adapters.ngram_memory import FastMemory
from idiolect.adapters.prediction.calibration import Calibration
from idiolect.adapters.prediction.ghost_penalty import GhostPenalty
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.rare_strings import RareStrings
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.adapters.prediction.vocabulary import WordVocabulary
from idiolect.models.build import BasePaths
from idiolect.models.lexicon import read_lexicon
from idiolect.models.session import Adapter, Model
from idiolect.models.tokenizer import Tokenizer


class LoadedModel:
    """The base model. The graph is loaded in the background, so that knowledge is made meanwhile.

    Args:
        base: its files.
        threads: for inference.
        context_tokens: tokens of the prefix that a suggestion looks at.
        recent_tokens: tokens of the latest entries that come before the prefix.
        rare_min_count: how often a number or an address must have been typed before it is offered.

    Raises:
        DamagedModelError: a file can't be loaded; where it is the graph, :attr:`model` and :meth:`predictor` raise it.
    """

    def __init__(
        self,
        base: BasePaths,
        *,
        threads: int,
        context_tokens: int,
        recent_tokens: int,
        rare_min_count: int,
    ) -> None:
        loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="load")
        self._loading = loader.submit(Model, base.graph, base.config, threads=threads)
        loader.shutdown(wait=False)
        self.tokenizer = Tokenizer(base.tokenizer)
        self._vocab = base.config.vocab
        self.lexicon = read_lexicon(base.lexicon)
        """General English."""
        self._context_tokens = context_tokens
        self._recent_tokens = recent_tokens
        self._rare_min_count = rare_min_count

    @property
    def model(self) -> Model:
        """The loaded graph."""
        return self._loading.result()

    def build_user_model(
        self,
        entries: Iterable[Sequence[int] | NDArray[np.integer]],
        meanwhile: Callable[[UserModel], None] = lambda _begun: None,
    ) -> UserModel:
        """What is known after these entries (token ids, in order of time); of its own, to grow by itself.

        ``meanwhile`` is called with it in another thread, as soon as the latest entries are in it: a predictor over it
        can be made there, and warmed, which takes as long as reading the others. Raises what that raises.
        """
        memory, words = (
            FastMemory(self._vocab),
            WordVocabulary(self.lexicon, self.tokenizer.encode, self._vocab),
        )
        known, rare = [np.asarray(ids) for ids in entries], RareStrings(self._rare_min_count)
        user_model = UserModel(memory, words, self.build_recent_text(known), rare)
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="meanwhile") as beside:
            begun = beside.submit(meanwhile, user_model)
            memory.add_many(known)
            words.learn_many(rare.learn_many(self.tokenizer.decode(ids.tolist()) for ids in known))
            begun.result()
        return user_model

    def build_recent_text(self, entries: Sequence[Sequence[int] | NDArray[np.integer]]) -> RecentText:
        """The latest of these entries, as they come before the prefix."""
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
        ghost_penalty: GhostPenalty | None = None,
    ) -> Predictor:
        """Suggestions from ``user_model``, with an adapter or the base alone.

        ``mixture`` are the weights that it was judged with (:meth:`Mixture.to_json`), None where it never was;
        ``calibration`` is what is known of how far ghosts can be believed, ``ghost_penalty`` of how many are wrong;
        both learn on.
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
            ghost_penalty=ghost_penalty,
        )
