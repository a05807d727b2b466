"""The service: the parts of one profile, built, started and stopped.

Whoever wants something done asks the part for it; HTTP is in `endpoint/`. Everything learned lives in the store; what
else is held in memory can be made from it again.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import psutil

from idiolect.daemon.evaluation.evals import Evaluations
from idiolect.daemon.ingest.folder_watch import Watcher
from idiolect.daemon.ingest.imports import Imports
from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.ingest.source_inventory import SourceInventory
from idiolect.daemon.ingest.stored_secrets import StoredSecrets
from idiolect.daemon.profile.events import Forgotten
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.profile.retention import Retention
from idiolect.daemon.rounds.round_runner import Trainer
from idiolect.daemon.rounds.round_scheduler import RoundScheduler
from idiolect.daemon.rounds.round_tuning import USUAL, RoundTuning
from idiolect.daemon.runtime.child_processes import ChildProcesses
from idiolect.daemon.runtime.heap import give_back_memory
from idiolect.daemon.runtime.resting import IdleState
from idiolect.daemon.serving import user_stats
from idiolect.daemon.serving.base_change import BaseChange
from idiolect.daemon.serving.exports import Exports
from idiolect.daemon.serving.live_model import LiveModel
from idiolect.daemon.serving.speed_trial import Trial
from idiolect.daemon.serving.suggestions import Suggestions
from idiolect.daemon.settings import Settings
from idiolect.daemon.sources.kinds import SUFFIXES
from idiolect.daemon.sources.reader import Reader
from idiolect.daemon.storage.records import MEASURED, ForgottenMeanwhileError, public_metrics
from idiolect.daemon.sync.folder import SUFFIX
from idiolect.daemon.sync.sharing import Sync
from idiolect.daemon.sync.sync_schedule import SyncSchedule
from idiolect.daemon.vault.marker import standing
from idiolect.daemon.vault.opening import damage_explained, open_store
from idiolect.models.base_choice import name_of, serving_folder
from idiolect.models.build import BasePaths, find_base
from idiolect.models.known_bases import find_better_base, find_known_base
from idiolect.models.session import Model

log = logging.getLogger("idiolect")

_PAUSES_TOLD = 100  # the newest
_LOOK_EVERY_S = 3600.0  # while the service rests
_END_S = 5.0  # for a child that was killed to be gone
_WORDS_TELL = 2000  # in so many words a language that the user writes has come up


class Service:
    """One profile being served. Its parts may be asked from any thread.

    `key` opens the store (None: it is looked for where it is kept), and `loading` is the base model's graph, where it
    is being loaded already. `report` is called with the phase of a long start, and the share of it that is done.
    Raises the errors of the base model, the key and the store.
    """

    def __init__(
        self,
        settings: Settings,
        key: str | None = None,
        loading: Future[Model] | None = None,
        report: Callable[[str, float | None], None] = lambda _phase, _done: None,
        tuning: RoundTuning = USUAL,
    ) -> None:
        self._settings = settings
        self._tuning = tuning
        base = find_base(serving_folder(settings.base_dir))
        self.store = open_store(settings, key)
        try:
            with damage_explained(settings):
                self._adopt_base(base, lambda done: report("encode", done))
                if interrupted := self.store.rounds.interrupt():
                    log.info(
                        "%d training round(s) had been cut off; their text waits for the next one",
                        interrupted,
                    )
                with ExitStack() as failed:
                    self.profile = Profile(self.store)
                    self._children = ChildProcesses()
                    self.profile.events.subscribe(Forgotten, self._end_children)
                    model = LiveModel(settings, self.profile, base, loading, lambda: report("learn", None))
                    failed.callback(model.close)
                    self._start(model)
                    failed.pop_all()
        except BaseException:
            self.store.close()
            raise

    def _adopt_base(self, base: BasePaths, report: Callable[[float], None]) -> None:
        """Bring the store to the base model; where its tokenizer is another, all text is encoded anew."""

        def encoder() -> Callable[[str], list[int]]:
            from idiolect.models.tokenizer import Tokenizer

            log.info("the text is encoded for the base model %s", name_of(base))
            return Tokenizer(base.tokenizer).encode

        with base.tokenizer.open("rb") as file:
            tokenizer = hashlib.file_digest(file, "sha256").hexdigest()
        if self.store.use_base(base.source_sha256, tokenizer, encoder, report):
            log.info("another base model serves now: %s", name_of(base))

    def _start(self, model: LiveModel) -> None:
        settings, store, profile, children = self._settings, self.store, self.profile, self._children
        self.model = model
        self.base_change = BaseChange(settings)
        self._trainer = Trainer(settings, profile, model, children, self._tuning)
        self.rounds = RoundScheduler(settings, profile, self._trainer, children)
        reader = Reader()
        self.evals = Evaluations(settings, store, self._trainer, children, model, reader)
        self.ingest = Ingest(profile, model.loaded.tokenizer.encode, settings, reader)
        self.suggestions = Suggestions(
            profile,
            model,
            self.ingest.app_policy,
            on_typing=self.rounds.user_is_typing,
        )
        self.trial = Trial(profile, self.ingest.app_policy)
        self._watcher = Watcher(self.ingest, profile)
        self.imports = Imports(self.ingest, self._watcher, model.reading_much)
        self.stored_secrets = StoredSecrets(store, reader)
        self.inventory = SourceInventory(
            profile, self._watcher.removing, settings.exclude, self.ingest.reader
        )
        self.exports = Exports(store, model)
        self._retention = Retention(settings, profile)
        self.sync = Sync(settings, profile, self.ingest, model.reading_much)
        self.following = SyncSchedule(self.sync, profile)
        self._watcher.start()
        self.following.start()
        store.adapters.prune()
        self.rounds.start()
        self._retention.start()
        give_back_memory()

    def close(self) -> None:
        """Stop following folders, end a round or an evaluation that runs, and close the store."""
        self._retention.stop()
        self.base_change.close()
        self._watcher.stop(interrupt=self.ingest.reader.close)
        self.following.stop()
        self._children.stop()
        self.rounds.stop()
        self.model.close()
        self.store.close()

    def _end_children(self, event: Forgotten) -> None:
        """End a round or an evaluation that holds forgotten text."""
        if not event.expired and (event.receipt is None or event.receipt.entries):
            self._children.cancel("text was forgotten while it ran", ForgottenMeanwhileError)
            self._children.has_ended(_END_S)  # so that what is next is known

    def rest(self) -> IdleState | None:
        """What to look out for while the service rests, or None: there is something to do."""
        goes_over = self.base_change.progress is not None and self.base_change.progress.error is None
        busy = self._children.doing or self.imports.running or goes_over
        if busy or not (self._watcher.quiet and self.following.quiet):
            return None
        shared = () if self.sync.path is None else (self.sync.path,)
        paths, suffixes = (*self.store.watches.all(), *shared), (*SUFFIXES, SUFFIX)
        # No notice comes of mains power, of a drive that comes back, and of files on a drive of the network.
        noticed = self._watcher.noticed and not shared and not self.rounds.due
        rest = IdleState(paths, suffixes) if noticed else IdleState(paths, suffixes, wake_in_s=_LOOK_EVERY_S)
        return rest if rest.possible else None

    def _better_base(self) -> dict[str, Any] | None:
        """The base model that knows the user's languages, where the one that serves does not, and those it lacks."""
        serving, languages = self.model.base.source_sha256, self.model.languages
        better, known = find_better_base(serving, languages), find_known_base(serving)
        if better is None or known is None:
            return None
        return {
            "name": better.name,
            "title": better.title,
            "download_mb": round(better.download_bytes / 1e6),
            "licence": better.licence,
            "languages": [language for language in languages if language not in known.languages],
        }

    @property
    def certain_languages(self) -> tuple[str, ...]:
        """The languages that the user writes, where they chose them, or much text says so; else none."""
        told = self.model.served.switches.languages or self.store.entries.counts().words >= _WORDS_TELL
        return self.model.languages if told else ()

    def status(self) -> dict[str, Any]:
        """What the profile knows, serves and does."""
        store, serving = self.store, self.model.adapter_id
        counts = store.entries.counts()
        last = store.rounds.all()[-1:]
        savings = asdict(store.feedback.savings())
        savings["today"] = asdict(store.feedback.savings(user_stats.today()))
        return {
            "home": str(self._settings.home),
            "base": name_of(self.model.base),
            "adapter": serving,
            "languages": list(self.model.languages),
            "languages_certain": bool(self.certain_languages),
            "better_base": self._better_base(),
            "base_change": self.base_change.progress,
            "store": asdict(standing(self._settings)),
            "damaged": self.model.servable.damaged(serving),
            "entries": counts.entries,
            "words": counts.words,
            "tokens": counts.tokens,
            "sources": counts.sources,
            "watches": store.watches.all(),
            "paused": self.profile.pause.active,
            "paused_for_s": self.profile.pause.left_s,
            "pauses": [
                [start, None if end == float("inf") else end]
                for start, end in self.profile.pause.spans()[-_PAUSES_TOLD:]
            ],
            "quiet": self.suggestions.quiet.left_s > 0,
            "quiet_for_s": self.suggestions.quiet.left_s or None,
            "keys": dict(self.model.served.switches.keys),
            "training": self.rounds.progress(),
            "next_round": self.rounds.outlook(),
            **self.rounds.learning_curve(),
            "rounds_today": self.rounds.today(),
            "savings": savings,
            "show": self.model.served.switches.show,
            "grey_text": self.suggestions.grey_text(),
            "key_ms": None if (key_ms := self.model.stats.known_key_ms) is None else round(key_ms),
            "measured": store.state.get(MEASURED),
            "last_round": asdict(last[0]) | {"metrics": public_metrics(last[0].metrics)} if last else None,
            "memory_mb": round(psutil.Process().memory_info().rss / 2**20),
        }
