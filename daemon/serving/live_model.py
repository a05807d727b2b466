"""The live model: the snapshot that is served, made from the store and kept up to date with it.

Nothing here is kept for good: all of it can be made from the store again. Every touch of it is a step of work in the
model's queue (:mod:`~idiolect.daemon.serving.model_queue`). For a change the store is read before, in the thread that
asks, so that no keystroke waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.memory.steps import Steps, in_one_step, reporting
from idiolect.adapters.mending.hand import Hand
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.adapters.prediction.word_preferences import WordPreferences
from idiolect.adapters.training.lora import Lora
from idiolect.daemon.profile.decisions import ServeAdapter
from idiolect.daemon.profile.events import Decided, Forgotten, Learned, Published
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.profile.switches import Switches, is_set, read_switches
from idiolect.daemon.profile.words.word_rules import read_word_rules
from idiolect.daemon.runtime.heap import give_back_memory
from idiolect.daemon.serving.mending_question import MendingQuestion, find_example
from idiolect.daemon.serving.model_queue import ModelQueue, Priority
from idiolect.daemon.serving.passes_ahead import PassesAhead
from idiolect.daemon.serving.servable_adapters import ServableAdapters
from idiolect.daemon.serving.text_generation import TextGeneration
from idiolect.daemon.serving.text_learning import Entry, TextLearning, split_entries
from idiolect.daemon.serving.user_languages import UserLanguages
from idiolect.daemon.serving.user_stats import UserStats
from idiolect.daemon.settings import Settings
from idiolect.models.build import BasePaths
from idiolect.models.session import Model

_OFF_RECORD_KEPT_S: Final = 60.0  # what saves reading a text again, after the last question off the record
# Entries after which it is looked whether the user writes another language, and the share of all that these must be:
# the whole history is read for it.
_LANGUAGES_AFTER: Final = 50
_LANGUAGES_SHARE: Final = 0.05

T = TypeVar("T")


@dataclass(frozen=True)
class Served:
    """What every suggestion comes from; it is replaced as a whole.

    ``newest`` is the last entry it was built from, and ``languages`` are those of its words, the most written first.
    """

    user_model: UserModel
    predictor: Predictor
    switches: Switches
    newest: int
    languages: tuple[str, ...]


@dataclass(frozen=True)
class _Chosen:
    """The adapter to serve, or None for the base; the memory's weights beside it; what is known of the user."""

    adapter_id: int | None
    lora: Lora | None
    mixture: list[Any] | None
    uptake: float
    hand: Hand


class LiveModel:
    """The loaded base model, and what is served with it. Any thread may use it except the model's.

    Args:
        settings: the profile's.
        profile: where text and adapters are; its events change what is served.
        base: the base model's files.
        loading: its graph, if it is being loaded already.
        report: called often while what is known of the user is built.

    Attributes:
        queue: the one way to what is served.
        served: what is served. Any thread may read it; steps of work in the queue touch what it holds.
        passes_ahead: computes what nobody waits for yet.
        learning: has what is served learn text that was committed.

    Raises:
        IdiolectError: of the base model or the store, where one cannot be read.
    """

    def __init__(
        self,
        settings: Settings,
        profile: Profile,
        base: BasePaths,
        loading: Future[Model] | None = None,
        report: Callable[[], None] = lambda: None,
    ) -> None:
        self._profile = profile
        self._store = store = profile.store
        self._settings = settings
        self._languages = UserLanguages(settings)
        self._since_found = 0  # entries learned since languages were looked for
        self.base = base
        self.loaded = LoadedModel(base, threads=settings.threads, keyboard=settings.keyboard, loading=loading)
        self.servable = ServableAdapters(store, base)
        self.stats = UserStats(store)
        self.preferences = WordPreferences()
        # Held by who changes what is served, from the reading of the store on: what was read first must not come last.
        self._changing = threading.RLock()
        self._reading = 0  # imports that go on
        self.queue = ModelQueue()
        try:
            self.preferences.set(*read_word_rules(store))
            newest, known = self._known()
            switches = read_switches(store, settings.languages)
            self.stats.speed = switches.speed
            self._languages.chosen = switches.languages
            self._languages.use(self.loaded, known)
            chosen = self._chosen(self.servable.active())
            beginning = reporting(self._begin(newest, known, switches, chosen), report)
            self.served = self.queue.run(Priority.REST, beginning)
        except BaseException:
            self.queue.close()  # a pass that is under way when Python ends ends it with a crash
            raise
        self.generations = TextGeneration(self)
        self.passes_ahead = PassesAhead(self.queue, lambda: self.served.predictor)
        self.learning = TextLearning(self.queue, lambda: self.served, self.loaded.tokenizer.decode)
        self._forgetting_typed = self.queue.delayed(
            "forget what is off the record",
            lambda: in_one_step(lambda: self.served.predictor.forget_texts()),
            Priority.LEARNING,
            _OFF_RECORD_KEPT_S,
        )
        profile.events.subscribe(Learned, lambda event: self.learn(event.entries))
        profile.events.subscribe(Forgotten, self._forget)
        profile.events.subscribe(Decided, self._follow_decision)
        profile.events.subscribe(Published, lambda event: self._end_round(event.serves))

    def close(self) -> None:
        """Compute nothing any more, and keep what was learned while the user typed."""
        self.queue.close()
        self.stats.keep(self.stats.learned(self.served.predictor))

    @property
    def adapter_id(self) -> int | None:
        """The adapter that serves; None: the base model alone."""
        return self.served.predictor.adapter_id

    def read_switches(self) -> None:
        """Serve by what the switches stand at, from the next question on."""
        with self._changing:
            switches = read_switches(self._store, self._settings.languages)
            self.queue.run(Priority.LEARNING, in_one_step(lambda: self._switch_to(switches)))
            if switches.languages != self._languages.chosen:
                self._languages.chosen = switches.languages
                self._follow_languages()

    def read_known(self, read: Callable[[UserModel], Steps[T]]) -> T:
        """Return what is read, a step at a time, of what is known of the user, once all that waits is learned."""

        def work() -> Steps[T]:
            self.learning.learn_postponed()
            return (yield from read(self.served.user_model))

        return self.queue.run(Priority.REST, work())

    def find_mending_question(self) -> MendingQuestion | None:
        """Return the question whether sure slips are mended; None once the user has switched corrections."""
        if is_set(self._store, "corrections"):
            return None
        words, general = self.served.user_model.words, self.loaded.general
        return self.queue.run(Priority.LEARNING, in_one_step(lambda: find_example(words, general)))

    def _switch_to(self, switches: Switches) -> None:
        self.served = replace(self.served, switches=switches)
        self.served.predictor.ghosts.show = switches.show
        self.stats.speed = switches.speed

    def set_uptake(self, uptake: float) -> None:
        """Judge ghosts from now on by this share of right ones that are taken."""

        def judge_by_uptake() -> None:
            self.served.predictor.ghosts.uptake = uptake

        self.queue.run(Priority.LEARNING, in_one_step(judge_by_uptake))

    def use_hand(self) -> None:
        """Mend from now on by the slips that were counted."""

        def use_hand() -> None:
            self.served.predictor.use_hand(hand)
            self.served.predictor.make_tables()

        with self._changing:
            hand = self.stats.read_hand()
            self.queue.run(Priority.LEARNING, in_one_step(use_hand))

    def forget_typed_later(self) -> None:
        """Forget in a minute the texts that suggestions were asked for: one was off the record."""
        self._forgetting_typed.ask()

    # What is learned and forgotten

    def learn(self, entries: Sequence[Entry]) -> None:
        """Know entries that were committed, as :meth:`TextLearning.learn` says."""
        self.learning.learn(entries)
        if self.stats.is_due:
            learned = in_one_step(lambda: self.stats.learned(self.served.predictor))
            self.stats.keep(self.queue.run(Priority.LEARNING, learned))
        self._since_found += len(entries)
        if self._reading:
            return
        self.passes_ahead.read_learned()
        if self._since_found >= max(_LANGUAGES_AFTER, _LANGUAGES_SHARE * entries[-1][0]):
            self._find_languages()

    def _find_languages(self) -> None:
        """Look for the user's languages in their text, where there is more of it and none are chosen."""
        if self._since_found and not self._languages.chosen:
            self._since_found = 0
            self._follow_languages()

    def _follow_languages(self) -> None:
        """Build what is served anew where the user writes other languages."""
        with self._changing:
            wanted = self._languages.wanted(self._known()[1], self.loaded.tokenizer)
            if {*wanted} != {*self.languages}:
                self.rebuild()

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the user writes, as far as their words can be served, the most written first."""
        return self.served.languages

    def read_preferences(self) -> None:
        """Heed what the store says was decided about words, from the next suggestion on."""
        with self._changing:
            rules = read_word_rules(self._store)
            self.queue.run(Priority.LEARNING, in_one_step(lambda: self.preferences.set(*rules)))

    @contextmanager
    def reading_much(self) -> Iterator[None]:
        """In the block much text is learned; recent text is read, and languages are looked for, once and after it."""
        self._reading += 1
        try:
            yield
        finally:
            self._reading -= 1
            self.passes_ahead.read_learned()
        if not self._reading:
            self._find_languages()

    def rebuild(self) -> None:
        """Know what the store still holds, and nothing else; serve what it says is active."""
        with self._changing:
            self.read_preferences()
            arrived: list[Entry] = []
            self.learning.arrived = arrived
            try:
                newest, known = self._known()
                self._languages.use(self.loaded, known)
                chosen = self._chosen(self.servable.active())
                self.queue.run(Priority.REST, self._rebuild(newest, known, chosen, arrived))
            finally:
                self.learning.arrived = None
        give_back_memory()

    def _known(self) -> tuple[int, list[NDArray[np.uint32]]]:
        """The id of the last entry, and the tokens of all prose up to it."""
        newest = self._store.entries.last_id()
        return newest, self._tokens(lambda entry: entry <= newest)

    def _tokens(self, wanted: Callable[[int], object]) -> list[NDArray[np.uint32]]:
        return [np.frombuffer(ids, "<u4") for entry, ids in self._store.entries.token_ids() if wanted(entry)]

    def _begin(
        self, newest: int, known: Sequence[NDArray[np.uint32]], switches: Switches, chosen: _Chosen
    ) -> Steps[Served]:
        user_model = yield from self.loaded.build_user_model_in_steps(known, self.preferences)
        yield
        predictor = self._build(user_model, chosen, switches)
        return Served(user_model, predictor, switches, newest, self.loaded.languages)

    def _rebuild(
        self,
        newest: int,
        known: Sequence[NDArray[np.uint32]],
        chosen: _Chosen,
        arrived: list[Entry],
    ) -> Steps[None]:
        served = yield from self._begin(newest, known, self.served.switches, chosen)
        yield from served.predictor.warm()
        while arrived:
            some = next(split_entries(arrived))
            del arrived[: len(some)]
            new = [(self.loaded.tokenizer.decode(ids), ids) for entry, ids in some if entry > newest]
            yield from served.user_model.learn_in_steps(new)
        self._serve(served)
        self.generations.end_after_forgetting()

    def _serve(self, served: Served) -> None:
        """Replace what is served, with the switches and the statistics of now."""
        former = self.served
        served.predictor.ghosts.uptake = former.predictor.ghosts.uptake
        self.served = served

    # Which adapter serves

    def use(self, adapter_id: int | None) -> None:
        """Serve another adapter (None: the base) from the next request on.

        Raises AdapterDamagedError, AdapterFormatError, UnknownAdapterError, WeightsDroppedError.
        """
        with self._changing:
            if adapter_id is not None:
                self.servable.lora(adapter_id)  # raises where it can't be served
            self._profile.decide(ServeAdapter(adapter_id))

    def switch(self) -> None:
        """Serve what the store says is active. Requests under way end with what they began with."""
        with self._changing:
            chosen = self._chosen(self.servable.active())
            self.queue.run(Priority.REST, self._switch(chosen))
        give_back_memory()

    def _switch(self, chosen: _Chosen) -> Steps[None]:
        served = self.served
        predictor = self._build(served.user_model, chosen, served.switches)
        yield
        yield from predictor.warm(served.predictor)
        self._serve(replace(served, predictor=predictor))
        self.generations.let_go()

    def _forget(self, event: Forgotten) -> None:
        """Know what the store still holds; where rules for words alone went, nothing else is built anew."""
        if event.receipt is not None and not event.receipt.entries:
            self.read_preferences()
        else:
            self.rebuild()

    def _follow_decision(self, event: Decided) -> None:
        if event.is_about("words"):
            self.read_preferences()
        elif event.is_about("switches"):
            self.read_switches()
        elif event.is_about("adapter"):
            self.switch()

    def _end_round(self, another: bool) -> None:
        """Serve what a training round made if that is `another` adapter than before, and let old weights go."""
        if another:
            self.switch()
        else:
            give_back_memory()  # a round's result has just passed through this process
        self._store.adapters.prune()

    def _build(self, user_model: UserModel, chosen: _Chosen, switches: Switches) -> Predictor:
        predictor = self.loaded.build_predictor(
            user_model,
            chosen.mixture,
            adapter=None if chosen.lora is None else chosen.lora.tensors(),
            adapter_id=chosen.adapter_id,
            calibration=self.stats.calibration,
            word_calibration=self.stats.word_calibration,
        )
        predictor.use_hand(chosen.hand)
        predictor.ghosts.uptake = chosen.uptake
        predictor.ghosts.show = switches.show
        return predictor

    def _chosen(self, active: tuple[int, Lora] | None) -> _Chosen:
        adapter_id, lora = active or (None, None)
        stats = self.stats
        return _Chosen(adapter_id, lora, stats.mixture(adapter_id), stats.uptake(), stats.read_hand())
