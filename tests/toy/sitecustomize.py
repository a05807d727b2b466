"""A service without a model, for tests of what is around the service: HTTP, processes, the command line.

Loaded by path it only defines `ToyService`. In a child process that finds this folder first on PYTHONPATH,
Python imports it by its name, and it takes the place of the real service and of the base model's build.
"""

import sys
import threading
import time
import types
from dataclasses import dataclass

CANARY = "the purple canary sings at midnight"


@dataclass(frozen=True)
class Word:
    text: str
    p: float


@dataclass(frozen=True)
class Ghost:
    text: str
    p: float
    show: bool


@dataclass(frozen=True)
class Suggestion:
    words: tuple[Word, ...]
    ghost: Ghost
    adapter: int | None
    elapsed_ms: float


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


class ToyService:
    """Remembers what it was asked; certain texts make it slow or fail."""

    def __init__(self, settings=None):
        if settings is not None and settings.context_tokens == 17:
            raise error(
                "DamagedModelError", "damaged-model", 12, 500, "The base model is damaged. Build it again."
            )
        if settings is not None and settings.context_tokens == 18:
            raise RuntimeError(CANARY)
        if settings is not None and settings.context_tokens == 19:
            (settings.home / "loading").touch()
            time.sleep(60)
        self.calls = []
        self.entries = 0
        self.lines = set()
        self.training = False
        self.last_round = None
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.closed = threading.Event()
        self.round_ended = threading.Event()
        self.import_closed = threading.Event()
        self.settings = settings

    def suggest(self, prefix, suffix="", candidates=3, ghost_words=8):
        self.calls.append(("suggest", prefix, suffix, candidates, ghost_words))
        if prefix == "wait":
            self.entered.set()
            assert self.gate.wait(20)
        if prefix == "fail":
            raise RuntimeError(CANARY)
        words = tuple(Word(text, 0.5) for text in ("one", "two\x1b[31m", "[bold]three")[:candidates])
        return Suggestion(words, Ghost("and so on" if ghost_words else "", 0.25, True), None, 1.5)

    def learn(self, text, source, app, at):
        self.calls.append(("learn", text, source, app, at))
        self.entries += 1
        return Learned(self.entries, True, 0, None)

    def add(self, paths):
        try:
            for path in paths:
                if not path.exists():
                    raise error("NoSuchPathError", "no-such-path", 45, 404, f"{path} does not exist.")
            size = sum(path.stat().st_size for path in paths)
            yield {
                "event": "progress",
                "path": str(paths[0]),
                "entries": 1,
                "words": 2,
                "bytes_done": 1,
                "bytes_total": size,
            }
            if paths[0].name == "wait":
                while not self.gate.wait(0.01):
                    yield {
                        "event": "progress",
                        "path": "wait",
                        "entries": 1,
                        "words": 2,
                        "bytes_done": 1,
                        "bytes_total": size,
                    }
            if paths[0].name == "broken":
                raise RuntimeError(CANARY)
            before = len(self.lines)
            self.lines.update(line for path in paths if path.is_file() for line in path.open())
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
        finally:
            self.import_closed.set()

    def watch(self, path):
        yield from self.add([path])

    def unwatch(self, path):
        return path.name == "watched"

    def status(self):
        return {
            "entries": self.entries,
            "tokens": 10 * self.entries,
            "adapter": None,
            "base": "toy",
            "training": {"phase": "train", "done": 0.25} if self.training else None,
            "paused": False,
            "watches": [],
            "last_round": self.last_round,
        }

    def train(self, budget_s, reason):
        self.calls.append(("train", budget_s, reason))
        if budget_s == 1:
            raise error(
                "TooLittleTextError", "too-little-text", 21, 409, "There are 12 tokens; a round needs 2,000."
            )
        yield {"event": "progress", "phase": "training", "done": 0.25, "left_s": 90.0}
        if budget_s == 2:
            self.training = True
            self.entered.set()
            assert self.gate.wait(20)
        if budget_s == 3:
            raise error("TrainingFailedError", "training-failed", 22, 500, "The round failed. Try again.")
        if budget_s == 4:
            raise RuntimeError(CANARY)
        self.last_round = {name: value for name, value in VERDICT.items() if name != "event"}
        self.round_ended.set()
        yield dict(VERDICT)

    def adapters(self):
        return [
            {
                "id": 1,
                "parent": None,
                "created_at": "2026-01-31T09:30:00+00:00",
                "status": "active",
                "metrics": VERDICT["metrics"],
                "reason": "better",
            }
        ]

    def use(self, adapter_id):
        self.calls.append(("use", adapter_id))
        if adapter_id == 99:
            raise error("UnknownAdapterError", "unknown-adapter", 41, 404, "There is no adapter 99.")

    def forget(self, selector, dry_run):
        from idiolect.daemon.records import ForgetReceipt

        self.calls.append(("forget", selector, dry_run))
        return ForgetReceipt(0, (), None) if selector.text == "nothing" else ForgetReceipt(3, (1, 2), None)

    def examples(self, count):
        if self.last_round is None and self.settings is not None:
            raise error("NoAdapterError", "no-adapter", 24, 409, "Nothing has been learned yet.")
        return [
            {"prefix": f"Thanks [red]for {n}", "base": "the", "adapted": "your", "truth": "your mail"}
            for n in range(count)
        ]

    def export(self, kind, path, adapter_id):
        self.calls.append(("export", kind, path, adapter_id))
        return path

    def pause(self, for_s):
        self.calls.append(("pause", for_s))

    def resume(self):
        self.calls.append(("resume",))

    def close(self):
        self.closed.set()
        if self.settings is not None:
            (self.settings.home / "closing").touch()
            time.sleep(0.5 if self.settings.context_tokens == 20 else 0)
            (self.settings.home / "closed").touch()


def _ensure_base(folder, gguf, progress):
    progress("fetch", 0.5)
    progress("fetch", 1.0)
    (folder / "model.onnx").touch()
    return folder


def _find_base(folder, *, verify=False):
    return types.SimpleNamespace(name="toy", folder=folder)


if __name__ == "sitecustomize":
    service, build = types.ModuleType("idiolect.daemon.service"), types.ModuleType("idiolect.models.build")
    service.Service, build.ensure_base, build.find_base = ToyService, _ensure_base, _find_base
    build.MissingModelError = FileNotFoundError
    sys.modules[service.__name__], sys.modules[build.__name__] = service, build
