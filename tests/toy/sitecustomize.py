"""A service without a model, for tests of what is around the service: HTTP, processes, the command line.

Loaded by path it only defines `ToyService`. In a child process that finds this folder first on PYTHONPATH,
Python imports it by its name, and it takes the place of the real service and of the base model's build.
"""

import sys
import threading
import time
import types
from dataclasses import dataclass
from datetime import UTC, date, datetime

CANARY = "the purple canary sings at midnight"


@dataclass(frozen=True)
class Word:
    text: str
    p: float
    replace: int = 0


@dataclass(frozen=True)
class Ghost:
    text: str
    p: float
    show: bool
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Suggestion:
    words: tuple[Word, ...]
    ghost: Ghost
    adapter: int | None
    elapsed_ms: float
    correction: None = None
    finished: float = 0.0
    show_words: bool = True


@dataclass(frozen=True)
class Origin:
    text: str
    p: float
    base: float
    adapter: float | None

    memory = None
    part = "memory"


@dataclass(frozen=True)
class Attribution:
    words: tuple[Origin, ...]
    ghost: Origin | None


@dataclass(frozen=True)
class Learned:
    id: int | None
    stored: bool
    redactions: int
    reason: str | None


def error(name, code, exit_code, http_status, message):
    from idiolect.models.errors import IdiolectError

    return type(name, (IdiolectError,), {"code": code, "exit_code": exit_code, "http_status": http_status})(
        message
    )


def scores(perplexity, top3):
    return {"perplexity": perplexity, "top3": top3}


VERDICT = {
    "event": "verdict",
    "status": "promoted",
    "reason": "held-out text improves by 0.31 bits a token (p = 0.001)",
    "metrics": {
        "base": scores(61.5, 0.412),
        "memory": scores(40.25, 0.5),
        "adapter": scores(35.0, 0.52),
        "both": scores(28.125, 0.571),
        "serving": scores(40.25, 0.5),
        "general_before": 20.0,
        "general_after": 20.1,
        "held_out_tokens": 1234,
        "held_out_entries": 56,
        "gain_bits": 0.31,
        "p_value": 0.001,
    },
    "tokens_per_s": 310.0,
    "seconds": 125.0,
}


def share(value):
    return {"value": value, "low": value - 0.02, "high": value + 0.02}


def arm(name, saved):
    row = {
        "messages": 12,
        "characters": 800,
        "savings": {most: share(saved + bonus) for most, bonus in (("1", 0.0), ("3", 0.1), ("5", 0.15))},
        "ghost": {
            **{way: share(saved - 0.2) for way in ("whole", "words", "ungated", "net", "seconds")},
            "shown_rate": 0.25,
            "precision": None if name == "base" else 0.625,
            "wrong_per_100": 12.5,
            "wrong_new_per_100": 3.75,
        },
    }
    return {
        "name": name,
        "condition": "before" if name == "base" else "after",
        "all": row,
        "no_repeats": {**row, "messages": 9, "characters": 650},
        "latency_ms": {"p50": 1.25, "p90": 20.0, "p95": 30.5, "p99": 60.0, "queries": 790},
        "reliability": [{"predicted": 0.55, "actual": 0.5, "count": 8}],
    }


def evaluation(wanted):
    """The result for a request: without a path there is no adapter; on `refused` the gate refuses one."""
    about = None
    if wanted.path is not None and wanted.train:
        refused = wanted.path.name == "refused"
        status, reason = ("refused", "it may be chance (p = 0.18)") if refused else ("promoted", "it gains")
        about = {"id": None, "status": status, "reason": reason, "seconds": 98.0}
    if wanted.path is not None and wanted.path.name == "few":
        about |= {
            "status": "skipped",
            "reason": "the history has 12 tokens and a round needs 2,000",
            "seconds": 0.0,
        }
    arms = [arm("base", 0.2), arm("context", 0.25), arm("memory", 0.3)]
    if wanted.context is not None:
        arms = [arm("without", 0.3), arm("with", 0.4)]
    if about is not None and about["status"] != "skipped":
        arms += [arm("adapter", 0.35), arm("both", 0.4)]
    span = {"from": "2026-01-01T09:30:00+00:00", "to": "2026-01-31T09:30:00+00:00"}
    return {
        "event": "result",
        "made": "2026-02-01T12:00:00+00:00",
        "seed": wanted.seed,
        "key_ms": 240,
        "source": str(wanted.path or wanted.context or "your history"),
        "history": {"entries": 1234, "characters": 56_789, **span},
        "test": {"entries": 12, "characters": 800, "repeats": 0 if wanted.seed == 5 else 3, **span},
        "adapter": about,
        "arms": arms,
        "growth": [{"characters": size, "savings": share(0.4)} for size in (0, 1_700, 56_789)],
    }


class ToyGenerations:
    """Writes the same three words, whatever it is asked."""

    def models(self):
        from idiolect.daemon.serving.text_generation import NamedModel

        return [
            NamedModel("idiolect", 1, datetime(2026, 1, 31, tzinfo=UTC)),
            NamedModel("idiolect-base", None, None),
        ]

    def model(self, name):
        return next(model for model in self.models() if model.name == name)

    def generate(self, name, prompt, wanted):
        from idiolect.adapters.generation.requests import End, Piece

        yield Piece("just three words")
        yield End("eos", "", 5, 4, 3, 0.05, 0.02, False)


class ToyService:
    """Remembers what it was asked; certain texts make it slow or fail."""

    key = None

    def __init__(self, settings=None, key=None, _loading=None):
        self.entries = 0
        self.lines = set()
        self.given = []
        self.word_history = []
        self.training = False
        self.last_round = None
        self.settings = settings
        self.generations = ToyGenerations()
        # All that is asked of a part of the service is asked of this.
        from idiolect.daemon.serving.model_queue import ModelQueue
        from idiolect.daemon.serving.switches import Switches

        self.queue = ModelQueue()
        self.switches = Switches("offer", "auto")
        self.key_ms = None
        self.model = self.suggestions = self.ingest = self.imports = self.inventory = self.forgetting = self
        part = types.SimpleNamespace
        self.app_policy = part(
            rules=self.app_rules,
            give=self.give_app_rule,
            undo=self.undo_app_rule,
            remove=self.remove_app_rule,
        )
        self.rounds, self.evals = part(run=self.train), part(run=self.evaluate)
        self.keywords, self.exports = (
            part(find=self.learned, find_mistakes=self.mistakes),
            part(write=self.export),
        )
        self.stored_secrets = part(find=self.find_secrets)
        self.words = part(all=self.word_rules, add=self.decide, remove=self.take_back, undo=self.undo_word)
        self.store = part(
            audit=self.audit, adapters=part(all=self.adapters), receipts=part(all=self.receipts)
        )

        from idiolect.daemon.serving.speed_trial import Trial
        from idiolect.daemon.sync.membership import Device
        from idiolect.daemon.sync.sharing import Sharing

        devices = (
            Device("1f2e3d4c5b6a7988", "desktop", True, 1204, 0, None, False),
            Device("a0b1c2d3e4f5a6b7", "laptop", False, 873, 0, 1769850600, False),
        )
        sharing = Sharing("/home/you/Sync/idiolect", devices[0].id, "desktop", devices, 0, None, None)
        self.sync = part(
            state=lambda: sharing,
            carried_out=lambda _receipt: None,
            membership=part(
                join=lambda _path, _code, _name: None,
                invite=lambda: "legal winner thank year wave sausage worth useful legal winner thank yellow",
                revoke=lambda _device: None,
                leave=lambda: None,
            ),
        )
        self.following = part(joined=lambda: None)

        state = {}
        kept = part(get=state.get, set=state.__setitem__, drop=lambda name: state.pop(name, None))
        self.trial = Trial(part(state=kept), part(learning=self.withheld), part(active=False))

    paused = False
    adapter_id = None

    @property
    def served(self):
        return types.SimpleNamespace(switches=self.switches)

    def withheld(self, place):
        return "secret field" if place.input_purpose == "password" else None

    def sees_context(self, place, source=""):
        return place.app != "blind"

    def app_rules(self):
        from idiolect.daemon.privacy.app_policy import AppRuleRow

        given = [
            AppRuleRow(app, None, "you", rule) if rule in ("on", "off") else AppRuleRow(app, rule, "you")
            for app, rule in self.given
        ]
        return [*given, AppRuleRow("*terminal*", "quiet", "built in")]

    def give_app_rule(self, app, rule):
        self.given = [(app, rule)]

    def remove_app_rule(self, app):
        from idiolect.daemon.privacy.app_policy import NoSuchAppRuleError

        if app not in dict(self.given):
            raise NoSuchAppRuleError("You have given no rule for this pattern.")
        self.given = []

    def undo_app_rule(self):
        from idiolect.daemon.storage.records import NothingToUndoError

        if not self.given:
            raise NothingToUndoError("There is nothing to undo: no rule for an application was given yet.")
        self.given = []

    word_choices = ()

    def word_rules(self):
        return list(self.word_choices)

    def decide(self, kind, text, replacement=None):
        from idiolect.daemon.privacy.word_rules import WordChange
        from idiolect.daemon.storage.records import WordRule
        from idiolect.daemon.storage.words import WordRefusedError

        if not text.strip():
            raise WordRefusedError("There is no letter and no digit in it. Give a word or a phrase.")
        self.word_history.append(self.word_choices)
        self.word_choices = (WordRule(1, kind, text, replacement, "hand", datetime(2026, 1, 31, tzinfo=UTC)),)
        return WordChange(self.word_choices)

    def take_back(self, text, kind=None):
        from idiolect.daemon.privacy.word_rules import WordChange
        from idiolect.daemon.storage.words import UnknownWordError

        if not self.word_choices:
            raise UnknownWordError("Nothing was decided about this word or phrase.")
        self.word_history.append(self.word_choices)
        gone, self.word_choices = self.word_choices, ()
        return WordChange(removed=gone)

    def undo_word(self):
        from idiolect.daemon.privacy.word_rules import WordChange
        from idiolect.daemon.storage.records import NothingToUndoError

        if not self.word_history:
            raise NothingToUndoError("There is nothing to undo: no word was added or removed.")
        now, self.word_choices = self.word_choices, self.word_history.pop()
        return WordChange(self.word_choices, now)

    def suggest_in_steps(
        self,
        prefix,
        suffix="",
        candidates=3,
        ghost_words=8,
        given_up=lambda: False,
        place=None,
        source="",
        corrections=False,
        key_ms=None,
        context=(),
    ):
        self.context = context
        yield
        self.key_ms = key_ms or self.key_ms
        words = tuple(Word(text, 0.5) for text in ("one", "two\x1b[31m", "[bold]three")[:candidates])
        pieces = (Word("and", 0.25), Word(" so on", 0.125)) if ghost_words else ()
        ghost = Ghost("".join(piece.text for piece in pieces), 0.25, True, pieces)
        return Suggestion(words, ghost, None, 1.5)

    def explain(self, prefix, suffix, candidates, ghost_words, place, context):
        found = yield from self.suggest_in_steps(prefix, suffix, candidates, ghost_words)
        origins = tuple(Origin(word.text, word.p, 0.01, None) for word in found.words)
        return found, Attribution(origins, Origin("and", 0.25, 0.2, None) if ghost_words else None)

    def add_text(self, text, *, source, at, before, app, input_purpose, private):
        self.entries += 1
        return Learned(self.entries, True, 0, None)

    def add(self, paths, me=()):
        for path in paths:
            if not path.exists():
                raise error("NoSuchPathError", "no-such-path", 45, 404, f"{path} does not exist.")
        size = sum(path.stat().st_size for path in paths)
        progress = {"event": "progress", "path": str(paths[0]), "entries": 1, "words": 2}
        progress |= {"bytes_done": 1, "bytes_total": size}
        yield progress
        if paths[0].name == "wait":
            (self.settings.home / "import begun").touch()
            while True:
                time.sleep(0.01)
                yield progress
        before = len(self.lines)
        self.lines.update(line for path in paths if path.is_file() for line in path.read_text().splitlines())
        new = len(self.lines) - before
        self.entries += new
        yield {
            "event": "done",
            "files": 1,
            "entries": new,
            "words": 9,
            "redactions": 1,
            "skipped": {"binary": 3},
            "notes": ["a.jsonl line 12: not JSON"],
            "more_notes": 0,
        }

    def sources(self):
        from idiolect.daemon.storage.records import SourceRow

        return [
            SourceRow(1, "/a/read", "mbox", ("me@example.org",), datetime(2026, 1, 30, tzinfo=UTC), 12, 340)
        ]

    def unread(self, home):
        from idiolect.daemon.ingest.source_discovery import places

        return [*places(home, ())]

    def remove(self, path, dry_run=False, expect=None):
        from idiolect.daemon.storage.records import ForgetReceipt

        return ForgetReceipt(12, (1,), None, total=1091)

    def watch(self, path, confirmed=False):
        if path.name == "many" and not confirmed:
            raise error("ManyFilesError", "many-files", 110, 409, f"{path} holds more than 5,000 files.")
        yield from self.add([path])

    def unwatch(self, path):
        return path.name == "watched"

    def add_feedback(self, given, place):
        from idiolect.daemon.storage.records import FeedbackReceipt

        app = place.app
        return FeedbackReceipt(app != "keepass", "excluded app" if app == "keepass" else None)

    def report(self, days):
        from idiolect.daemon.storage.records import FeedbackReport, Savings, Tenth

        none, one, both = (
            Savings(0, 0, 0, 0, 0, 0),
            Savings(3, 1, 1234, 3, 3, 1231),
            Savings(4, 8, 40, 9, 6, 31),
        )
        tenths = (Tenth(0, 0),) * 10
        if days == 1:
            return FeedbackReport(none, {}, {}, {"word": tenths, "ghost": tenths})
        return FeedbackReport(
            Savings(7, 9, 1274, 12, 9, 1262),
            {(date(2026, 1, 30), "word"): one, (date(2026, 1, 31), "ghost"): both},
            {None: one, 3: both},
            {"word": (*tenths[:8], Tenth(3, 1), Tenth(0, 0)), "ghost": (Tenth(0, 7), *tenths[:9])},
        )

    def status(self):
        saved = {
            "accepted": 7,
            "dismissed": 9,
            "characters": 1274,
            "keystrokes": 12,
            "words": 9,
            "saved": 1262,
        }
        return {
            "savings": {**saved, "today": dict.fromkeys(saved, 0)},
            "entries": self.entries,
            "tokens": 10 * self.entries,
            "adapter": None,
            "languages": ["en"],
            "damaged": [],
            "base": "toy",
            "training": {"phase": "train", "done": 0.25} if self.training else None,
            "paused": self.paused,
            "paused_for_s": None,
            "show": self.switches.show,
            "grey_text": {"held_back": True, "shown": 111, "taken": 3},
            "key_ms": self.key_ms,
            "watches": [],
            "last_round": self.last_round,
        }

    def set_switches(self, corrections, show):
        from dataclasses import replace

        given = {"corrections": corrections, "show": show}
        self.switches = replace(self.switches, **{name: to for name, to in given.items() if to is not None})
        return self.switches

    def train(self, budget_s, reason):
        if budget_s == 1:
            raise error(
                "TooLittleTextError", "too-little-text", 21, 409, "There are 12 tokens; a round needs 2,000."
            )
        yield {"event": "progress", "phase": "training", "done": 0.25, "left_s": 90.0, "waits": None}
        if budget_s == 2:
            self.training = True
            threading.Event().wait(20)
        if budget_s == 3:
            raise error("TrainingFailedError", "training-failed", 22, 500, "The round failed. Try again.")
        if budget_s == 5:
            raise error("ForgottenMeanwhileError", "forgotten-meanwhile", 44, 409, "The round was ended.")
        if budget_s == 4:
            raise RuntimeError(CANARY)
        self.last_round = {name: value for name, value in VERDICT.items() if name != "event"}
        yield dict(VERDICT)

    def evaluate(self, wanted):
        try:
            if wanted.path is not None and wanted.path.name == "absent":
                raise error("NoSuchPathError", "no-such-path", 45, 404, f"There is no {wanted.path}.")
            yield {"event": "progress", "phase": "prepare", "arm": None, "done": 0.0, "left_s": None}
            yield {"event": "progress", "phase": "type", "arm": "base", "done": 0.1, "left_s": 90.0}
            while wanted.seed == 2:
                time.sleep(0.01)
                yield {"event": "progress", "phase": "type", "arm": "memory", "done": 0.5, "left_s": 60.0}
            if wanted.seed == 3:
                raise error("EvalFailedError", "eval-failed", 23, 500, "An evaluation was ended. Ask again.")
            if wanted.seed == 4:
                raise RuntimeError(CANARY)
            yield evaluation(wanted)
        finally:
            if self.settings is not None:
                (self.settings.home / "eval closed").touch()

    def adapters(self):
        from idiolect.daemon.storage.records import AdapterRow

        made = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
        return [AdapterRow(1, None, made, "active", VERDICT["metrics"], "better", 8, 1_000_000, 56)]

    def use(self, adapter_id):
        if adapter_id == 99:
            raise error("UnknownAdapterError", "unknown-adapter", 41, 404, "There is no adapter 99.")

    def forget(self, selector, dry_run, expect=None):
        from idiolect.daemon.storage.records import ForgetReceipt, OtherCountError

        if selector.text == "nothing":
            return ForgetReceipt(0, (), None, total=1091)
        entries = 1068 if selector.text == "e" else 3
        if expect is not None and expect != entries:
            raise OtherCountError(f"This would take {entries:,} of 1,091 entries now, not {expect:,}.")
        return ForgetReceipt(entries, (1, 2), None, 45, None if dry_run else 7, total=1091)

    def remains(self, selector):
        from idiolect.daemon.privacy.near_matches import NearMatch
        from idiolect.daemon.privacy.remaining_traces import RemainingTraces

        if selector.phrase is None:
            return RemainingTraces()
        return RemainingTraces((NearMatch("kind [red]regard", 2), NearMatch("regards kind", 1)))

    def still_suggested(self, selector, left):
        from dataclasses import replace

        yield replace(left, still_suggested=(), asked_all=False)
        if selector.phrase is None:
            yield replace(left, still_suggested=(), asked_all=True)
        else:
            why = "General English has “kind”."
            yield replace(left, complete=False, still_suggested=("kind",), why=why)

    def receipts(self):
        from idiolect.daemon.storage.records import Forgotten, Tombstone

        stone = Tombstone(2, 1, datetime(2026, 1, 31, 9, 30, tzinfo=UTC), "active")
        when = datetime(2026, 1, 31, 10, 30, tzinfo=UTC)
        return [Forgotten(7, when, ("text",), 3, 45, (stone,), None)]

    def audit(self, since):
        from datetime import UTC, datetime

        from idiolect.daemon.storage.audit_report import Audit, Seen, Taken
        from idiolect.daemon.storage.records import Event

        when = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
        if since is not None:
            return Audit((), {}, 0, {}, (), (), ())
        return Audit(
            taken=(
                Taken("2025-12-31", "file", None, 1200, 9000, 12000, 0),
                *(Taken(f"2026-01-{day:02d}", "http", "[red]mail", 3, 40, 50, 1) for day in range(1, 31)),
            ),
            redacted={"card": 2, "password": 28},
            files=13,
            folders={"/home/you/notes": 12, "/home/you": 1},
            watches=("/home/you/notes",),
            seen=(Seen(1, "file", 1100, when, when),),
            events=tuple(Event(when, "forget", {"entries": n, "adapters": 0}) for n in range(25)),
        )

    def find_secrets(self, since):
        from datetime import UTC, datetime

        from idiolect.daemon.profile.stored_secrets import SecretEntry, SecretsFound

        entry = SecretEntry(
            17, datetime(2026, 1, 30, 18, 5, tzinfo=UTC), "my-editor", "mail", {"password": 1}
        )
        yield SecretsFound(552, 4550, 1104, ())
        yield SecretsFound(1104, 9100, 1104, (entry,))

    def learned(self, limit, contains):
        from idiolect.adapters.keyness import Keyword

        found = [
            Keyword("[bold]Zorvelin", 1, 1094, 1089, 7669.4, 17411.9),
            Keyword("kind regards", 2, 12, 12, 4.25, 31.5),
        ]
        return [one for one in found if contains in one.text][:limit]

    def mistakes(self, limit, contains):
        from idiolect.adapters.mending.mistakes import Mistake

        return [one for one in [Mistake("teh", "the", 3, 900)] if contains in one.typed][:limit]

    def add_verdict(self, word, taken_back, place):
        from idiolect.daemon.storage.records import FeedbackReceipt

        return FeedbackReceipt(True, None)

    def examples(self, count):
        if self.last_round is None and self.settings is not None:
            raise error("NoAdapterError", "no-adapter", 24, 409, "Nothing has been learned yet.")
        from idiolect.adapters.steps import in_one_step

        return in_one_step(
            lambda: [
                {"prefix": f"Thanks [red]for {n}", "base": "the", "adapted": "your", "truth": "your mail"}
                for n in range(count)
            ]
        )

    def export(self, kind, path, adapter_id):
        return path

    def pause(self, for_s):
        self.paused = True

    def resume(self):
        self.paused = False

    def rest(self):
        from idiolect.daemon.runtime.resting import IdleState

        return IdleState()

    def close(self):
        self.queue.close()


def _ensure_base(folder, gguf, progress):
    progress("fetch", 0.5)
    progress("fetch", 1.0)
    (folder / "model.onnx").touch()
    return folder


def _find_base(folder, *, verify=False):
    return types.SimpleNamespace(name="toy", folder=folder, source_sha256="", graph=None, config=None)


if __name__ == "sitecustomize":
    service, build = types.ModuleType("idiolect.daemon.service"), types.ModuleType("idiolect.models.build")
    service.Service, build.ensure_base, build.find_base = ToyService, _ensure_base, _find_base
    build.MissingModelError, build.BasePaths, build.whole_base = FileNotFoundError, object, lambda *_: None
    session = types.ModuleType("idiolect.models.session")
    session.load_beside = lambda _path, _config, *, threads: None
    sys.modules.update({module.__name__: module for module in (service, build, session)})
