"""What serves now: the user model and the predictor, made from the store and kept up to date with it.

Nothing here is kept for good: all of it can be made from the store again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, get_args

import numpy as np

from idiolect.adapters.generation.generator import GenerationSource
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.mistakes import Mistake, decisions
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.prediction.preferences import WordPreferences
from idiolect.daemon.runtime.debounce import Debounced
from idiolect.daemon.runtime.heap import give_back_memory
from idiolect.daemon.runtime.power import PowerSource
from idiolect.daemon.serving.servable_adapters import ServableAdapters
from idiolect.daemon.serving.shell_commands import ShellCommands
from idiolect.daemon.serving.suggestion_stats import SuggestionStats, judged_mixture
from idiolect.daemon.serving.switches import read_switches, set_switches
from idiolect.daemon.serving.text_generation import TextGeneration
from idiolect.daemon.storage.records import WordRuleKind

if TYPE_CHECKING:
    from concurrent.futures import Future

    from idiolect.adapters.lora import Lora
    from idiolect.adapters.prediction.ghost_value import Show
    from idiolect.adapters.prediction.predictor import Predictor
    from idiolect.adapters.prediction.user_model import UserModel
    from idiolect.daemon.serving.switches import Corrections, Switches
    from idiolect.daemon.settings import Settings
    from idiolect.daemon.storage.store import Store
    from idiolect.models.build import BasePaths
    from idiolect.models.session import Model

_PREFETCH_AFTER_S: Final = 0.01  # after a suggestion: a typist's pause, not a program's
# On battery a pass is made ahead only if its word is likely to come two times of three.
_MIN_PREFETCH_PROB_ON_BATTERY: Final = 2 / 3
_WARM_AFTER_S: Final = 0.2  # without a new entry, before recent text is read again
_TYPED: Final = 8  # entries in one transaction, at the most, that may have been typed with suggestions


class LiveModel:
    """The loaded base model, the user model and the predictor that serves. Safe to use from several threads.

    Args:
        settings: the profile's.
        store: where text and adapters are.
        base: the base model's files.
        loading: its graph, if it is being loaded already.

    Raises:
        IdiolectError: of the base model or the store, where one cannot be read.
    """

    def __init__(
        self, settings: Settings, store: Store, base: BasePaths, loading: Future[Model] | None = None
    ) -> None:
        self._store = store
        self._settings = settings
        self.switches = read_switches(store, settings)
        self._keep_adapters = settings.keep_adapters
        self.base = base
        self.loaded = LoadedModel(
            base,
            threads=settings.threads,
            context_tokens=settings.context_tokens,
            recent_tokens=settings.recent_tokens,
            rare_min_count=settings.rare_min_count,
            keyboard=settings.keyboard,
            loading=loading,
        )
        self.servable = ServableAdapters(store, base)
        self.trust = SuggestionStats(store)
        self.preferences = WordPreferences()
        self.read_preferences()
        self.commands = ShellCommands(store, self.loaded, self.preferences)
        self._power = PowerSource()
        self._learning = threading.Lock()
        self._switching = threading.Lock()
        self._reading = 0  # imports that go on
        # Nobody waits for it: who asks for a suggestion meanwhile gets it once the recent text is read.
        self._warming = Debounced("warm", lambda: self.predictor.warm(), quiet_s=_WARM_AFTER_S)
        try:
            self._rebuild(self._begin)
        except BaseException:
            self._warming.stop()  # a pass that is under way when Python ends ends it with a crash
            raise
        self.generations = TextGeneration(self)
        self._prefetching = Debounced("ahead", self._prefetch, quiet_s=_PREFETCH_AFTER_S)

    def close(self) -> None:
        """Compute nothing any more, and keep what was learned while the user typed."""
        self._warming.stop()
        self._prefetching.stop()
        self.generations.close()
        self.trust.keep(self.predictor, least=1)

    @property
    def adapter_id(self) -> int | None:
        """The adapter that serves; None: the base model alone."""
        return self.predictor.adapter_id

    def set_switches(self, corrections: Corrections | None, show: Show | None) -> Switches:
        """Set switches, but for those that are None, from the next question on; what they stand at then."""
        with self._switching:
            self.switches = set_switches(self._store, self._settings, corrections, show)
            self.predictor.show = self.switches.show
            return self.switches

    def prefetch_soon(self) -> None:
        """Compute what may be asked for next in the background, once nothing is asked for."""
        self._prefetching.ask()

    def _prefetch(self) -> None:
        if self._power.is_battery:
            self.predictor.prefetch(_MIN_PREFETCH_PROB_ON_BATTERY)
        else:
            self.predictor.prefetch()

    # What is learned and forgotten

    def learn(self, entries: Sequence[tuple[int, list[int]]]) -> None:
        """Know entries (ids and token ids) that were committed: few as just typed, many as a history that was read."""
        with self._learning:
            decode = self.loaded.tokenizer.decode
            new = [(decode(ids), ids) for entry, ids in entries if entry > self._newest]
            if len(new) > _TYPED:
                self.user_model.learn_many(new)
            else:
                for text, ids in new:
                    self.predictor.observe(text, ids)
                    self.user_model.learn(text, ids)
                self.trust.keep(self.predictor)
        if not self._reading:
            self._warming.ask()

    def read_preferences(self) -> None:
        """Heed what the store says was decided about words, from the next suggestion on."""
        rules = self._store.words.all()
        by_kind = {
            kind: [rule.text for rule in rules if rule.kind == kind] for kind in get_args(WordRuleKind)
        }
        self.preferences.set(
            by_kind["never"],
            by_kind["mine"],
            decisions(
                by_kind["mine"] + by_kind["never_correct"],
                [(rule.text, rule.replacement) for rule in rules if rule.replacement is not None],
            ),
        )

    @contextmanager
    def reading_much(self) -> Iterator[None]:
        """In the block much text is learned, and recent text is read again after it, once and not all the time."""
        self._reading += 1
        try:
            yield
        finally:
            self._reading -= 1
            self._warming.ask()

    def rebuild(self) -> None:
        """Know what the store still holds, and nothing else; serve what it says is active."""
        self.read_preferences()
        self._rebuild()
        self.generations.forget()
        self.switch()

    def _rebuild(self, meanwhile: Callable[[UserModel], None] = lambda _begun: None) -> None:
        """Make the user model anew from the store; an entry that arrives meanwhile counts once."""
        with self._learning:
            self._newest = self._store.entries.last_id()
            self.commands.forget()
            self.user_model = self._user_model(lambda entry: entry <= self._newest, meanwhile)

    def _begin(self, user_model: UserModel) -> None:
        self.predictor = self._build(user_model, self.servable.active())
        self._warming.ask(at_once=True)

    def mistakes(self) -> list[Mistake]:
        """The words of the user's that are taken for mistakes, the most frequent first."""
        found = self.user_model.mistakes
        return [] if found is None else found.all()

    # Which adapter serves

    def use(self, adapter_id: int | None) -> None:
        """Serve another adapter (None: the base) from the next request on.

        Raises AdapterDamagedError, AdapterFormatError, UnknownAdapterError, WeightsDroppedError.
        """
        if adapter_id is not None:
            self.servable.lora(adapter_id)  # raises where it can't be served
        self._store.adapters.activate(adapter_id)
        self.switch()

    def switch(self) -> None:
        """Serve what the store says is active. Requests under way end with what they began with."""
        with self._switching:
            predictor = self._build(self.user_model, self.servable.active())
            predictor.warm(self.predictor)
            self.predictor = predictor
        self.generations.let_go()
        give_back_memory()

    def end_round(self, another: bool) -> None:
        """Serve what a training round made if that is `another` adapter than before, and let old weights go."""
        if another:
            self.switch()
        else:
            give_back_memory()  # a round's result has just passed through this process
        self._store.adapters.prune(self._keep_adapters)

    # Others like it

    def private_predictor(self) -> Predictor:
        """A predictor that suggests as the one that serves does, with caches of its own."""
        return self._build(self.user_model, self.servable.active())

    def predictor_of(self, wanted: Callable[[int], object], *, adapted: bool) -> Predictor:
        """A predictor that knows only the entries whose id is `wanted`, with the active adapter or with none."""
        return self._build(self._user_model(wanted), self.servable.active() if adapted else None)

    def voice(self, adapter_id: int | None, knowing: bool) -> GenerationSource:
        """What text is written from: as suggestions, with this adapter; or the base model that knows nothing."""
        if not knowing:
            return GenerationSource(None, Mixture(), None)
        predictor = self.predictor
        if adapter_id == predictor.adapter_id:
            return GenerationSource(predictor.adapter, predictor.mixture, self.user_model)
        tensors = None if adapter_id is None else self.servable.lora(adapter_id).tensors()
        mixture = self._mixture(adapter_id)
        return GenerationSource(
            tensors, Mixture() if mixture is None else Mixture.from_json(mixture), self.user_model
        )

    def _user_model(
        self, wanted: Callable[[int], object], meanwhile: Callable[[UserModel], None] = lambda _begun: None
    ) -> UserModel:
        known: Iterator[Any] = (
            np.frombuffer(ids, "<u4") for entry, ids in self._store.entries.token_ids() if wanted(entry)
        )
        return self.loaded.build_user_model(known, meanwhile, self.preferences)

    def _build(self, user_model: UserModel, chosen: tuple[int, Lora] | None) -> Predictor:
        adapter_id, lora = chosen or (None, None)
        predictor = self.loaded.build_predictor(
            user_model,
            self._mixture(adapter_id),
            adapter=None if lora is None else lora.tensors(),
            adapter_id=adapter_id,
            calibration=self.trust.calibration,
            word_calibration=self.trust.word_calibration,
        )
        predictor.acceptance_rate = self.trust.uptake()
        predictor.show = self.switches.show
        return predictor

    def _mixture(self, adapter_id: int | None) -> list[Any] | None:
        """How far the memory is trusted beside this adapter, as far as that is known."""
        return self.trust.mixture(adapter_id) or judged_mixture(self._store, adapter_id)
