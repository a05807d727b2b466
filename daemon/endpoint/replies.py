"""The answers of the service's own addresses: one type for each, and how it is made from what the service returns.

The same types describe the answers in the OpenAPI document; see `schema.ANSWERS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Literal, NotRequired

from typing_extensions import TypedDict

from idiolect.adapters.keyness import Keyword
from idiolect.adapters.prediction.mistakes import Mistake
from idiolect.daemon.endpoint import offers
from idiolect.daemon.privacy.app_policy import AppRuleRow
from idiolect.daemon.storage.records import AdapterRow, Forgotten, Savings, SourceRow, public_metrics

if TYPE_CHECKING:
    from idiolect.adapters.prediction import attribution
    from idiolect.adapters.prediction.suggestion import Suggestion
    from idiolect.daemon.ingest import ingest
    from idiolect.daemon.privacy.after_forgetting import AfterForgetting
    from idiolect.daemon.profile.stored_secrets import SecretsFound
    from idiolect.daemon.storage.records import FeedbackReceipt, FeedbackReport, ForgetReceipt, Tenth


class Health(TypedDict):
    """That the service answers."""

    status: Literal["ok"]


class Suggested(TypedDict):
    """Suggestions; where there are none, `reason` may say why.

    `list`: whether to show the words by themselves; grey text says so in `ghost`. `finished`: the probability that the
    word under the cursor ends there; absent where it cannot.
    """

    words: list[offers.Word]
    ghost: offers.Ghost
    list: offers.List
    adapter: int | None
    elapsed_ms: float
    reason: str | None
    paused: bool
    correction: NotRequired[offers.Correction]
    finished: NotRequired[float]


class Origin(TypedDict):
    """A word's probability: as it is served, to the base alone, with the adapter; and which part it is owed to."""

    text: str
    p: float
    base: float
    adapter: float | None
    part: Literal["base", "adapter", "memory"]


class Explained(TypedDict):
    """Where suggestions come from, and the first word of the ghost text."""

    words: list[Origin]
    ghost: Origin | None
    adapter: int | None
    reason: str | None
    paused: bool


class Link(TypedDict):
    """A link to the page that works once, and for how many seconds."""

    url: str
    expires_s: float


class Kept(TypedDict):
    """Whether the text was taken, under which number, how much of it was redacted, and else why not."""

    id: int | None
    stored: bool
    redactions: int
    reason: str | None
    paused: bool


class Counted(TypedDict):
    """Whether feedback was counted, and else why not. `never_corrected`: the word is not corrected any more."""

    stored: bool
    reason: str | None
    paused: bool
    never_corrected: NotRequired[bool]


class Report(TypedDict):
    """What became of the suggestions of some days."""

    days: int
    savings: Savings
    by_day: list[dict[str, Any]]
    by_adapter: list[dict[str, Any]]
    reliability: dict[str, list[dict[str, Any]]]


class Status(TypedDict):
    """What the service knows, serves and does."""

    running: Literal[True]
    pid: int
    started_at: str
    url: str
    socket: str | None
    moved_from: int | None
    token_file: str
    token_files: dict[str, str]
    home: str
    base: str
    adapter: int | None
    entries: int
    tokens: int
    paused: bool
    training: dict[str, Any] | None


class Line(TypedDict):
    """One line of an answer that takes long; what else is in it depends on `event`."""

    event: Literal["progress", "done", "verdict", "result", "error"]


class Started(TypedDict):
    """A training round has begun."""

    started: Literal[True]


class Verdict(TypedDict):
    """What a training round came to."""

    status: str
    reason: str
    adapter: int | None
    tokens_per_s: float | None
    seconds: float | None
    metrics: dict[str, Any]


class Adapters(TypedDict):
    """All adapters, oldest first."""

    adapters: list[AdapterRow]


class Sources(TypedDict):
    """What was read."""

    sources: list[SourceRow]


class Receipt(TypedDict):
    """What forgetting took, or would take."""

    entries: int
    tokens: int
    adapters_dropped: list[int]
    active: int | None
    dry_run: bool
    receipt: int | None
    backups: list[str]
    round_queued: bool
    total: int
    large: bool
    words: int


class Near(TypedDict):
    """What is nearly the text that is forgotten, and how many other entries hold it."""

    text: str
    entries: int


class ForgetAnswer(Receipt):
    """What forgetting took, or would take, and what is left."""

    near: list[Near]
    near_complete: bool
    still_suggested: list[str] | None
    still_suggested_why: str | None
    still_suggested_complete: bool


class Receipts(TypedDict):
    """What was forgotten so far."""

    receipts: list[Forgotten]


class Learned(TypedDict):
    """Words and phrases, the most characteristic first; words that are taken for mistakes, the most frequent first."""

    words: list[Keyword]
    mistakes: list[Mistake]


class Example(TypedDict):
    """A prefix, how the base and what is served go on from it, and how the user did."""

    prefix: str
    base: str
    adapted: str
    truth: str


class Examples(TypedDict):
    """Completions of held-out text."""

    examples: list[Example]


class Serves(TypedDict):
    """The adapter that serves; null is the base model alone."""

    adapter: int | None


class Written(TypedDict):
    """Where it was written."""

    path: str


class Removed(TypedDict):
    """Whether the folder was followed."""

    removed: bool


class Rules(TypedDict):
    """What is done in which applications."""

    rules: list[AppRuleRow]


class Paused(TypedDict):
    """That nothing is learned, and for how many seconds; null is until resumed."""

    paused: Literal[True]
    for_s: float | None


class Resumed(TypedDict):
    """That learning goes on."""

    paused: Literal[False]


def suggestion(found: Suggestion, *, paused: bool) -> Suggested:
    """The answer to `/v1/suggest`."""
    mended = found.correction
    answer: Suggested = {
        "words": [offers.word(word) for word in found.words],
        "ghost": offers.ghost(found.ghost),
        "list": {"show": found.show_words},
        "adapter": found.adapter,
        "elapsed_ms": found.elapsed_ms,
        "reason": None,
        "paused": paused,
    }
    if mended is not None:
        answer["correction"] = offers.correction(mended)
    if found.finished:
        answer["finished"] = found.finished
    return answer


def withheld(reason: str, adapter: int | None, *, paused: bool) -> Suggested:
    """The answer to `/v1/suggest` where nothing may be suggested."""
    return {
        "words": [],
        "ghost": {"text": "", "p": 0.0, "show": False, "words": []},
        "list": {"show": False},
        "adapter": adapter,
        "elapsed_ms": 0.0,
        "reason": reason,
        "paused": paused,
    }


def explained(found: Suggestion, origins: attribution.Attribution, *, paused: bool) -> Explained:
    """The answer to `/v1/explain`."""
    return {
        "words": [_origin(word) for word in origins.words],
        "ghost": None if origins.ghost is None else _origin(origins.ghost),
        "adapter": found.adapter,
        "reason": None,
        "paused": paused,
    }


def unexplained(reason: str, adapter: int | None, *, paused: bool) -> Explained:
    """The answer to `/v1/explain` where nothing may be suggested."""
    return {"words": [], "ghost": None, "adapter": adapter, "reason": reason, "paused": paused}


def _origin(of: attribution.WordOrigin) -> Origin:
    return {"text": of.text, "p": of.p, "base": of.base, "adapter": of.adapter, "part": of.part}


def kept(result: ingest.AddedText, *, paused: bool) -> Kept:
    """The answer to `/v1/history`."""
    return {
        "id": result.id,
        "stored": result.stored,
        "redactions": result.redactions,
        "reason": result.reason,
        "paused": paused,
    }


def counted(result: FeedbackReceipt, *, paused: bool) -> Counted:
    """The answer to `/v1/feedback`."""
    answer: Counted = {"stored": result.stored, "reason": result.reason, "paused": paused}
    if result.never_corrected:
        answer["never_corrected"] = True
    return answer


def report(found: FeedbackReport, days: int) -> Report:
    """The answer to `/v1/report`."""
    return {
        "days": days,
        "savings": found.savings,
        "by_day": [
            {"day": day.isoformat(), "kind": kind, **asdict(savings)}
            for (day, kind), savings in found.by_day.items()
        ],
        "by_adapter": [
            {"adapter": adapter, **asdict(savings)} for adapter, savings in found.by_adapter.items()
        ],
        "reliability": {
            kind: [_tenth(place, tenth) for place, tenth in enumerate(tenths)]
            for kind, tenths in found.reliability.items()
        },
    }


def _tenth(place: int, tenth: Tenth) -> dict[str, Any]:
    shown = tenth.accepted + tenth.dismissed
    rate = tenth.accepted / shown if shown else None
    return {"from": place / 10, "to": (place + 1) / 10, **asdict(tenth), "rate": rate}


def verdict(event: dict[str, Any]) -> dict[str, Any]:
    """The answer to `/v1/train` for one who waited, a `Verdict`: the round's last event."""
    return {name: value for name, value in event.items() if name != "event"}


def secrets(steps: Iterable[SecretsFound]) -> Iterator[dict[str, Any]]:
    """The events of `/v1/audit/secrets`: how far it has come, and in the end what was found."""
    for step in steps:
        share = step.entries / step.total if step.total else 1.0
        yield {"event": "progress", "phase": "Looking for secrets", "done": share}
    yield {"event": "result", "entries": step.entries, "words": step.words, "found": step.found}


def adapters(rows: Sequence[AdapterRow]) -> Adapters:
    """The answer to `/v1/adapters`."""
    return {"adapters": [replace(row, metrics=public_metrics(row.metrics)) for row in rows]}


def receipt(result: ForgetReceipt, *, dry_run: bool) -> Receipt:
    """The answer to `/v1/sources/remove`."""
    return {
        "entries": result.entries,
        "tokens": result.tokens,
        "adapters_dropped": list(result.adapters_dropped),
        "active": result.active,
        "dry_run": dry_run,
        "receipt": result.id,
        "backups": list(result.backups),
        "round_queued": bool(result.adapters_dropped) and not dry_run,
        "total": result.total,
        "large": result.large,
        "words": result.words,
    }


def forgotten(result: ForgetReceipt, left: AfterForgetting, *, dry_run: bool) -> ForgetAnswer:
    """The answer to `/v1/forget`."""
    still = left.still_suggested
    return {
        **receipt(result, dry_run=dry_run),
        "near": [{"text": one.text, "entries": one.entries} for one in left.near],
        "near_complete": left.complete,
        "still_suggested": None if still is None else list(still),
        "still_suggested_why": left.why,
        "still_suggested_complete": left.asked_all,
    }
