"""What the service does, whoever asks for it: one profile, its knowledge, its adapters.

HTTP is in ``server.py``; this is the same without it. Everything learned lives in the store; what
is held here can be made from it again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from idiolect.adapters.export import export
from idiolect.adapters.generation.generator import Voice
from idiolect.adapters.keyness import Keyword, keywords
from idiolect.adapters.lora import Lora
from idiolect.adapters.prediction.attribution import Attribution, Attributor
from idiolect.adapters.prediction.loaded_model import Serving
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.prediction.predictor import NO_GHOST, Predictor, Suggestion
from idiolect.adapters.prediction.user_model import Knowledge
from idiolect.daemon.evaluation.evals import Evals
from idiolect.daemon.ingest.capture import Ingest, Learned, Progress
from idiolect.daemon.ingest.inventory import Inventory
from idiolect.daemon.ingest.watch import Watcher
from idiolect.daemon.privacy.after_forgetting import Remains, look, still_suggested
from idiolect.daemon.privacy.app_policy import NOWHERE, AppRule, AppRuleRow, Place
from idiolect.daemon.profile import unfinished_backups
from idiolect.daemon.profile.integrity_check import Checkup
from idiolect.daemon.profile.retention import Retention
from idiolect.daemon.profile.takeout import EVERYTHING, takeout
from idiolect.daemon.redaction.redact import hides, without_placeholders
from idiolect.daemon.rounds.rounds import Rounds
from idiolect.daemon.rounds.trainer import Trainer, told
from idiolect.daemon.runtime.child_processes import Children
from idiolect.daemon.runtime.debounce import Latest
from idiolect.daemon.runtime.heap import give_back_memory
from idiolect.daemon.runtime.idle_state import Rest
from idiolect.daemon.serving import suggestion_stats
from idiolect.daemon.serving.sample_completions import examples
from idiolect.daemon.serving.servable_adapters import NoAdapterError, Servable
from idiolect.daemon.serving.shell_commands import Commands
from idiolect.daemon.serving.text_generation import Generations
from idiolect.daemon.settings import Settings
from idiolect.daemon.sources.people import Asked
from idiolect.daemon.sources.readers import NothingToReadError, ReadReport
from idiolect.daemon.sources.table import SUFFIXES
from idiolect.daemon.storage.audit import Audit
from idiolect.daemon.storage.marker import standing
from idiolect.daemon.storage.opening import damage_noted, open_store
from idiolect.daemon.storage.records import (
    COMMANDS,
    EvalRequest,
    Feedback,
    FeedbackReceipt,
    FeedbackReport,
    ForgetReceipt,
)
from idiolect.daemon.storage.selectors import Selector
from idiolect.models.build import find_base
from idiolect.models.lexicon import read_lexicon

log = logging.getLogger("idiolect")

_REST_S = 0.01  # after a suggestion, before what may come next is looked at: a typist's rest, not a program's
_LOOK_EVERY_S = 3600.0  # while the service rests
_QUIET_S = 0.2  # without a new entry, before recent text is read again
_EXPLAINED_S = 60.0  # after the last question where suggestions come from, until what answers it is let go
_TYPED = 8  # entries in one transaction, at the most, that may have been typed with suggestions


class Service:
    """One profile being served. Its methods may be called from any thread.

    Args:
        settings: the profile's.
        key: of its store; None: it is looked for where it is kept.

    Raises:
        IdiolectError: of the base model, the key or the store, when one of them can't be opened.
    """

    def __init__(self, settings: Settings, key: str | None = None) -> None:
        self._settings = settings
        self._base = find_base(settings.base_dir)
        self._store = open_store(settings, key)
        unfinished_backups.clear(self._store)
        self.key = self._store.key
        """The store's."""
        try:
            with damage_noted(settings):
                self._open()
        except BaseException:
            self._store.close()
            raise

    def _open(self) -> None:
        self._serving = Serving(
            self._base,
            threads=self._settings.threads,
            context_tokens=self._settings.context_tokens,
            recent_tokens=self._settings.recent_tokens,
            rare_min_count=self._settings.rare_min_count,
        )
        self._tokenizer = self._serving.tokenizer
        self._servable = Servable(self._store, self._base)
        self._trust = suggestion_stats.Trust(self._store)
        self._attributor = Attributor(self._serving)
        self._learning = threading.Lock()
        self._commands = Commands(self._store, self._serving)
        self.generations = Generations(
            self._serving,
            voice=self._voice,
            served=lambda: self._predictor.adapter_id,
            adapters=self._servable.all,
        )
        if interrupted := self._store.rounds.interrupt():
            log.info("%d training round(s) had been cut off; their text waits for the next one", interrupted)
        self._children = Children()
        self._trainer = Trainer(
            self._settings,
            self._store,
            self._base,
            self._children,
            serving=lambda: self._predictor.adapter_id,
            published=self._published,
        )
        self._rounds = Rounds(
            self._settings, self._store, self._trainer, self._children, paused=lambda: self._ingest.paused
        )
        self._evals = Evals(
            self._settings,
            self._store,
            self._trainer,
            self._children,
            encode=self._tokenizer.encode,
            serving=lambda: self._predictor.adapter_id,
            trust=self._trust,
        )
        self._switching = threading.Lock()
        self._importing = 0
        self._know_everything(self._begin)
        self._warming = Latest("warm", lambda: self._predictor.warm(), quiet_s=_QUIET_S, first=True)
        self._explained = Latest("explained", self._attributor.rest, quiet_s=_EXPLAINED_S)
        self._looking = Latest("ahead", lambda: self._predictor.ahead(), quiet_s=_REST_S)
        self._ingest = Ingest(self._store, self._tokenizer.encode, self._learned, self._settings)
        self._watcher = Watcher(self._ingest, self._store)
        self.inventory = Inventory(self._store, self.forget, self._watcher.removing)
        self._watcher.start()
        self._store.adapters.prune(self._settings.keep_adapters)
        self._rounds.start()
        self._retention = Retention(self._settings, self._store, self._remade)
        self._retention.start()
        self._checkup = Checkup(self._settings, self._store, self._rounds.quiet_s)
        self._checkup.start()
        give_back_memory()

    def close(self) -> None:
        """Stop following folders, end a round or an evaluation that runs, and close the store."""
        self._retention.stop()
        self._checkup.stop()
        self._watcher.stop()
        self._children.stop()
        self._rounds.stop()
        self._warming.stop()
        self._looking.stop()
        self.generations.close()
        self._explained.stop()
        self._trust.keep(self._predictor, least=1)
        self._store.close()

    def rest(self) -> Rest | None:
        """What to look out for while the service rests, or None: there is something to do."""
        if self._children.doing or self._importing or not self._watcher.quiet:
            return None
        if self._checkup.hasten():  # the store is read through first
            return None
        # What is not told of, such as a drive that comes back or mains power, is looked for now and then.
        told = self._watcher.noticed and not self._rounds.due
        paths = tuple(self._store.watches.all())
        rest = Rest(paths, SUFFIXES) if told else Rest(paths, SUFFIXES, wake_in_s=_LOOK_EVERY_S)
        return rest if rest.possible else None

    # Suggestions

    def reading(self, prefix: str, source: str = "") -> Iterator[None]:
        """Read a long ``prefix`` for :meth:`suggest`, a piece before each None: others need not wait for all of it."""
        if source != COMMANDS:
            self._rounds.user_is_typing()
            yield from self._predictor.reading(prefix)

    def suggest(
        self,
        prefix: str,
        suffix: str = "",
        candidates: int = 3,
        ghost_words: int = 8,
        given_up: Callable[[], bool] = lambda: False,
        place: Place = NOWHERE,
        source: str = "",
        waiting: Callable[[], Sequence[str]] = tuple,
    ) -> Suggestion:
        """Words and a ghost text, unless that is ``given_up``, for the cursor between ``prefix`` and ``suffix``.

        A pass that it needs is made for those ``waiting``, too: other prefixes.

        Ask :meth:`withheld` first whether anything may be suggested at ``place``. Commands are suggested where
        ``source`` says that it is a shell that asks, and only there.
        """
        self._rounds.user_is_typing()
        remember = not self._ingest.paused and self._ingest.off_limits.learning(place) is None
        if source == COMMANDS:
            found = self._commands.suggest(prefix, suffix, candidates, ghost_words, given_up)
        else:
            found = self._predictor.suggest(
                prefix, suffix, candidates, ghost_words, given_up=given_up, waiting=waiting, remember=remember
            )
            self._looking.ask()
        return _without_secrets(prefix, found)

    def explain(
        self, prefix: str, suffix: str, candidates: int, ghost_words: int, place: Place
    ) -> tuple[Suggestion, Attribution]:
        """What :meth:`suggest` answers, and which part it comes from: some passes more, in their own caches."""
        served = self._predictor
        found = self.suggest(prefix, suffix, candidates, ghost_words, place=place)
        origins = self._attributor.explain(served, prefix, found)
        self._explained.ask()
        return found, origins

    def withheld(self, place: Place) -> str | None:
        """Why nothing is suggested there, and what is typed not looked at; None where all is well."""
        return self._ingest.off_limits.suggesting(place)

    @property
    def paused(self) -> bool:
        """Whether nothing is learned now."""
        return self._ingest.paused

    @property
    def serves(self) -> int | None:
        """The adapter that serves; None: the base model alone."""
        return self._predictor.adapter_id

    def feedback(self, given: Feedback, place: Place) -> FeedbackReceipt:
        """Count what became of a suggestion, unless learning is paused or ``place`` is off limits."""
        if self._ingest.paused:
            return FeedbackReceipt(False, "paused")
        if (reason := self._ingest.off_limits.learning(place)) is not None:
            return FeedbackReceipt(False, reason)
        self._store.feedback.add(given, self._predictor.adapter_id, suggestion_stats.today())
        self._predictor.uptake = self._trust.uptake()
        return FeedbackReceipt(True, None)

    def report(self, days: int) -> FeedbackReport:
        """What became of the suggestions of the last ``days`` days, today included; days are UTC's."""
        return self._store.feedback.report(suggestion_stats.today() - timedelta(days=days - 1))

    def examples(self, count: int) -> list[dict[str, str]]:
        """Completions of text that the newest adapter was judged by: {"prefix", "base", "adapted", "truth"}.

        Both sides know only what came before: the memory, too, is made without the held-out text.
        """
        adapters = self._store.adapters.all()
        if not adapters:
            raise NoAdapterError("Nothing has been learned yet. Run `idiolect train` first.")
        newest = adapters[-1]
        seen = self._store.adapters.seen(newest.id)
        if (active := self._predictor.adapter_id) is not None:
            seen |= self._store.adapters.seen(active)
        base = self._make(self._know(lambda _entry: False), None)
        adapted = self._make(self._know(seen.__contains__), self._servable.active())
        held_out = [entry.text for entry in self._store.entries.select(prose=True) if entry.id not in seen]
        return examples(held_out, base, adapted, count)

    # Text

    def learn(self, text: str, source: str, place: Place, at: datetime | None) -> Learned:
        """Take in something the user wrote; the fast memory knows it on return."""
        return self._ingest.add_text(text, source=source, at=at, **asdict(place))

    def add(self, paths: Sequence[Path], me: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
        """Import sources once, of several people's text that of ``me``. Yields progress events, the last the report."""
        return self._imported(self._ingest.add_paths(paths, Asked(tuple(me))))

    def _imported(self, progress: Iterator[Progress]) -> Iterator[dict[str, Any]]:
        self._importing += 1
        try:
            yield from _import_events(progress)
        finally:
            self._importing -= 1
            self._warming.ask()  # once: what is known changes with each transaction

    def watch(self, path: Path, *, confirmed: bool = False) -> Iterator[dict[str, Any]]:
        """Import a folder and follow it from now on. Yields the events of :meth:`add`.

        With the last event it is followed for good, after a restart as well. If the import fails or is broken off
        before, the folder is not followed, and what was read of it stays. Raises ManyFilesError unless `confirmed`.
        """
        if not confirmed:
            self._watcher.refuse_very_much(path)
        try:
            events = self.add([path])
        except NothingToReadError:  # a folder for what is still to be written
            events = iter(())
        return self._followed(path, events)

    def _followed(self, path: Path, events: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        done: dict[str, Any] = {"event": "done", **asdict(ReadReport())}
        with self._watcher.adding(path), suppress(NothingToReadError):
            for event in events:
                if event["event"] == "done":
                    done = event
                else:
                    yield event
        yield done

    def unwatch(self, path: Path) -> bool:
        """Follow a folder no longer; whether it was followed."""
        return self._watcher.remove(path)

    def forget(self, selector: Selector, dry_run: bool, expect: int | None = None) -> ForgetReceipt:
        """Delete entries and everything learned from them, or say what that would take.

        Raises OtherCountError, with nothing changed, where it would not be the ``expect``ed number of entries.
        """
        unfinished_backups.clear(self._store)  # so that no backup is told of that came to nothing
        would = self._store.forget(selector, dry_run=True, expect=expect)
        if dry_run:
            return would
        if would.entries:
            self._children.cancel("text was forgotten while it ran")
        try:
            receipt = self._store.forget(selector, expect=expect)
        finally:  # also where the text is deleted but the file could not be rewritten
            self._remade()
            self._ingest.refresh()  # it remembers hashes of what files held
        self._store.events.add("forget", entries=receipt.entries, adapters=len(receipt.adapters_dropped))
        return receipt

    def remains(self, selector: Selector) -> Remains:
        """What other entries hold that is nearly a text that was forgotten, or would be."""
        return look(self._store, selector, self._serving.lexicon.__contains__)

    def still_suggested(self, selector: Selector, left: Remains) -> Iterator[Remains]:
        """Ask whether what was forgotten is still suggested, a little at a time; the last piece is all that is left."""
        try:
            yield from still_suggested(selector, left, self._serving.lexicon.__contains__, self._asking)
        finally:
            self._commands.forget()  # it was asked with the text

    def _asking(self) -> Callable[[str], Iterator[Suggestion]]:
        """What suggests as the service does, with caches of its own: those must not hold what it is asked with."""
        predictor = self._make(self._knowledge, self._servable.active())
        commands = self._store.entries.counts().sources.get(COMMANDS)

        def ask(prefix: str) -> Iterator[Suggestion]:
            yield _without_secrets(prefix, predictor.suggest(prefix, remember=False))
            if commands:
                yield self._commands.suggest(prefix, "", 3, 8, lambda: False)

        return ask

    def audit(self, since: datetime | None) -> Audit:
        """What was taken and what happened, from ``since`` on, and what each adapter has seen; never text."""
        return self._store.audit(since)

    def learned(self, limit: int, contains: str) -> list[Keyword]:
        """The ``limit`` most characteristic words and phrases among those that ``contains`` is a part of."""
        texts = (without_placeholders(entry.text) for entry in self._store.entries.select(prose=True))
        found = keywords(texts, read_lexicon(self._base.lexicon))
        return [one for one in found if contains.casefold() in one.text.casefold()][:limit]

    def receipts(self) -> list[dict[str, Any]]:
        """What was forgotten so far, in figures, oldest first."""
        return [asdict(receipt) for receipt in self._store.receipts.all()]

    def pause(self, for_s: float | None) -> None:
        """Learn nothing, for a while or until resumed; suggestions go on."""
        self._ingest.pause(for_s)
        self._rounds.pause_changed()
        self._store.events.add("pause", **({} if for_s is None else {"seconds": for_s}))

    def resume(self) -> None:
        """Learn again."""
        self._ingest.resume()
        self._rounds.pause_changed()
        self._store.events.add("resume")

    # Applications

    def app_rules(self) -> list[AppRuleRow]:
        """What is done in which applications; the first rule that fits decides."""
        return self._ingest.off_limits.rules()

    def give_app_rule(self, app: str, rule: AppRule) -> None:
        """From now on do this in the applications that match the pattern ``app``."""
        self._ingest.off_limits.give(app, rule)

    def undo_app_rule(self) -> bool:
        """Take the last change of these rules back; whether there was one."""
        return self._ingest.off_limits.undo()

    # Adapters

    def train(self, budget_s: float | None, reason: str) -> Iterator[dict[str, Any]]:
        """Run one round now. Yields progress events, the last one the verdict."""
        return self._rounds.run(budget_s, reason)

    def adapters(self) -> list[dict[str, Any]]:
        """All adapters, oldest first."""
        return [asdict(row) | {"metrics": told(row.metrics)} for row in self._store.adapters.all()]

    def use(self, adapter_id: int | None) -> None:
        """Serve another adapter (None: the base) from the next request on."""
        if adapter_id is not None:
            self._servable.lora(adapter_id)  # raises where it can't be served
        self._store.adapters.activate(adapter_id)
        self._switch()

    def export(self, kind: str, path: Path, adapter_id: int | None) -> Path:
        """Write an adapter (None: the active one) for other programs, or everything; see the modules of these."""
        if kind == EVERYTHING:
            made = takeout(self._store, path)
            self._store.events.add("export", what=kind)
            return made
        chosen = adapter_id if adapter_id is not None else self._store.adapters.active()
        if chosen is None:
            raise NoAdapterError(
                "The base serves, so there is no active adapter to export. Name another one."
            )
        made = export(kind, self._servable.lora(chosen), self._base, path)
        self._store.events.add("export", what=kind, adapter=chosen)
        return made

    def status(self) -> dict[str, Any]:
        """What the profile knows, serves and does."""
        counts = self._store.entries.counts()
        last = self._store.rounds.all()[-1:]
        return {
            "home": str(self._settings.home),
            "base": self._base.name,
            "adapter": self._predictor.adapter_id,
            "store": asdict(standing(self._settings)),
            "damaged": self._servable.damaged(self._predictor.adapter_id),
            "entries": counts.entries,
            "words": counts.words,
            "tokens": counts.tokens,
            "sources": counts.sources,
            "watches": self._store.watches.all(),
            "paused": self._ingest.paused,
            "paused_for_s": self._ingest.off_record.left_s,
            "training": self._rounds.progress(),
            "next_round": self._rounds.outlook(),
            "rounds_today": self._rounds.today(),
            "savings": asdict(self._store.feedback.savings())
            | {"today": asdict(self._store.feedback.savings(suggestion_stats.today()))},
            "last_round": asdict(last[0]) | {"metrics": told(last[0].metrics)} if last else None,
            "memory_mb": round(psutil.Process().memory_info().rss / 2**20),
        }

    def evaluate(self, wanted: EvalRequest) -> Iterator[dict[str, Any]]:
        """Replay the typing of held-out text. Yields progress events, the last one the result."""
        return self._evals.run(wanted)

    # What is held in memory

    def _learned(self, entries: Sequence[tuple[int, list[int]]]) -> None:
        """Know entries that were committed: few of them as just typed, many as a history that was read."""
        with self._learning:
            new = [(self._tokenizer.decode(ids), ids) for entry, ids in entries if entry > self._newest]
            if len(new) > _TYPED:
                self._knowledge.learn_many(new)
            else:
                for text, ids in new:
                    self._predictor.observe(text, ids)
                    self._knowledge.learn(text, ids)
                self._trust.keep(self._predictor)
        self._rounds.new_text()
        if not self._importing:
            self._warming.ask()

    def _begin(self, knowledge: Knowledge) -> None:
        self._predictor = self._make(knowledge, self._servable.active())
        self._predictor.warm()

    def _know_everything(self, meanwhile: Callable[[Knowledge], None] = lambda _begun: None) -> None:
        """Make the knowledge anew from the store; an entry that arrives meanwhile counts once."""
        with self._learning:
            self._newest = self._store.entries.last_id()
            self._commands.forget()
            self._knowledge = self._know(lambda entry: entry <= self._newest, meanwhile)

    def _remade(self) -> None:
        """Know what the store still holds, and nothing else."""
        self._know_everything()
        self.generations.forget()
        self._switch()

    def _know(
        self, wanted: Callable[[int], object], meanwhile: Callable[[Knowledge], None] = lambda _begun: None
    ) -> Knowledge:
        """Knowledge of the entries whose id is ``wanted``."""
        known = (np.frombuffer(ids, "<u4") for entry, ids in self._store.entries.token_ids() if wanted(entry))
        return self._serving.knowledge(known, meanwhile)

    def _make(self, knowledge: Knowledge, chosen: tuple[int, Lora] | None) -> Predictor:
        adapter_id, lora = chosen or (None, None)
        tensors = None if lora is None else lora.tensors()
        mixture = self._mixture(adapter_id)
        predictor = self._serving.predictor(
            knowledge,
            mixture,
            adapter=tensors,
            adapter_id=adapter_id,
            calibration=self._trust.calibration,
            restraint=self._trust.restraint,
        )
        predictor.uptake = self._trust.uptake()
        return predictor

    def _mixture(self, adapter_id: int | None) -> list[Any] | None:
        """How far the memory is trusted beside this adapter, as far as that is known."""
        return self._trust.mixture(adapter_id) or self._trainer.mixture(adapter_id)

    def _voice(self, adapter_id: int | None, knowing: bool) -> Voice:
        """What text is written from: as suggestions, with this adapter; or the base model that knows nothing."""
        if not knowing:
            return Voice(None, Mixture(), None)
        predictor = self._predictor
        if adapter_id == predictor.adapter_id:
            return Voice(predictor.adapter, predictor.mixture, self._knowledge)
        tensors = None if adapter_id is None else self._servable.lora(adapter_id).tensors()
        mixture = self._mixture(adapter_id)
        return Voice(tensors, Mixture() if mixture is None else Mixture.from_json(mixture), self._knowledge)

    def _switch(self) -> None:
        """Serve what the store says is active. Requests under way end with what they began with."""
        with self._switching:
            predictor = self._make(self._knowledge, self._servable.active())
            predictor.warm(self._predictor)
            self._predictor = predictor
        self.generations.let_go()
        give_back_memory()

    def _published(self, another: bool) -> None:
        """A round has ended: serve what it made if that is ``another`` than before, and let old weights go."""
        if another:
            self._switch()
        else:
            give_back_memory()  # a round's result has just passed through this process
        self._store.adapters.prune(self._settings.keep_adapters)


def _without_secrets(prefix: str, found: Suggestion) -> Suggestion:
    """A suggestion without what would make a secret of what is typed."""
    return replace(
        found,
        words=tuple(word for word in found.words if not hides(prefix, word.text)),
        ghost=NO_GHOST if hides(prefix, found.ghost.text) else found.ghost,
    )


def _import_events(progress: Iterator[Progress]) -> Iterator[dict[str, Any]]:
    for step in progress:
        done = {"entries": step.entries, "words": step.words}
        if step.report is None:
            share = {"bytes_done": step.bytes_done, "bytes_total": step.bytes_total}
            yield {"event": "progress", "path": str(step.path), **done, **share}
        else:
            yield {"event": "done", **asdict(step.report)}
