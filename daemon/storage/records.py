"""The records of the store, and the errors of a request to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from idiolect.adapters.prediction.reasons import Reason
from idiolect.models.errors import ExitCode, IdiolectError

#: The name of the state that says that a training round is wanted, whatever new text there is.
ROUND_DUE: Final = "round_due"

#: The name of the state that holds the last round before something was forgotten; refusals up to it no longer count.
FORGOTTEN_AFTER: Final = "forgotten_after_round"

#: The name of the state that holds the share of keystrokes saved, as it was measured last on the own history.
MEASURED: Final = "measured_savings"

#: The name of the state that holds the base model that the store is at: the SHA-256 of its source and of its tokenizer.
BASE: Final = "base"

#: State: how far ghosts' probabilities have been right.
GHOST_CALIBRATION: Final = "ghost_calibration"
#: State: the same of words of which nothing was typed.
GHOST_WORD_CALIBRATION: Final = "ghost_word_calibration"
#: State: how far the memory has been trusted beside which adapter, since its round.
MIXTURE: Final = "mixture"
#: State: the memory's weights that the base alone was judged with in the last round.
BASE_MIXTURE: Final = "base_mixture"
#: State: counts of slips of the hand, by the letters that were meant and typed; until no text is left.
SYNC: Final = "sync"  # state: what this device knows of the folder that it shares
SLIPS: Final = "slips"

#: The states of one base model, which are nothing to another: what was learned or measured with it, and its round.
OF_ONE_BASE: Final = (GHOST_CALIBRATION, GHOST_WORD_CALIBRATION, MIXTURE, BASE_MIXTURE, MEASURED, ROUND_DUE)

#: "waiting": it is active as soon as its base model serves again.
AdapterStatus: TypeAlias = Literal["active", "waiting", "retired", "refused", "damaged"]
SuggestionKind: TypeAlias = Literal["word", "ghost"]

WordRuleKind: TypeAlias = Literal["never", "mine", "never_correct", "always_correct"]
WordRuleSource: TypeAlias = Literal["hand", "learned"]

RoundStatus: TypeAlias = Literal["running", "promoted", "refused", "failed", "interrupted", "skipped"]


class AdapterDamagedError(
    IdiolectError, code="adapter-damaged", exit_code=ExitCode.TRAINING, http_status=409
):
    """An adapter's weights are not what was stored."""


class UnknownAdapterError(
    IdiolectError, code="unknown-adapter", exit_code=ExitCode.BAD_INPUT, http_status=404
):
    """There is no adapter with this number."""


class RoundNotRunningError(
    IdiolectError, code="round-not-running", exit_code=ExitCode.TRAINING, http_status=409
):
    """A training round is ended that is not running."""


class OtherCountError(IdiolectError, code="other-count", exit_code=ExitCode.CONFLICT, http_status=409):
    """What is to be forgotten is not as much as was expected."""


class NothingToUndoError(IdiolectError, code="nothing-to-undo", exit_code=ExitCode.CONFLICT, http_status=409):
    """There is no change that could be taken back."""


class WeightsDroppedError(
    IdiolectError, code="weights-dropped", exit_code=ExitCode.TRAINING, http_status=409
):
    """An adapter's weights were dropped to save space; its history is kept."""


class ForgottenMeanwhileError(
    IdiolectError, code="forgotten-meanwhile", exit_code=ExitCode.CONFLICT, http_status=409
):
    """Text was forgotten, or its source removed, while a round, an evaluation or an import worked with it."""


@dataclass(frozen=True)
class NewEntry:
    """Text to keep. `at` is aware; `token_ids`: little-endian uint32; `key`: a SHA-256 in hexadecimal.

    `origin` is the number of the source that it was read from; None where a program sent it. `shared` is the mark by
    which other devices know it, and the device whose log has brought it; None where it is this one's.
    """

    text: str
    source: str
    app: str | None
    at: datetime
    token_ids: bytes
    redactions: int
    key: str
    origin: int | None = None
    shared: tuple[bytes, str] | None = None


@dataclass(frozen=True)
class Entry:
    """Text that is kept; `at` is UTC."""

    id: int
    text: str
    source: str
    app: str | None
    at: datetime
    tokens: int


@dataclass(frozen=True)
class FileState:
    """A file as it was when last read; `paragraphs` are the hashes of its paragraphs, in order."""

    path: str
    size_bytes: int
    mtime_ns: int
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class SourceRow:
    """A file, folder or repository that was read: whose text it holds by which names, and what it brought."""

    id: int
    path: str
    kind: str
    me: tuple[str, ...]
    read_at: datetime
    entries: int
    words: int


@dataclass(frozen=True)
class Counts:
    """How much text is kept; `sources` counts the entries of each source."""

    entries: int
    words: int
    tokens: int
    sources: dict[str, int]


@dataclass(frozen=True)
class AdapterRow:
    """An adapter without its weights. `entries_seen` includes what its ancestors have seen.

    `kept` is whether the store still has its weights.
    """

    id: int
    parent: int | None
    created_at: datetime
    status: AdapterStatus
    metrics: dict[str, Any]
    reason: str
    rank: int
    size_bytes: int
    entries_seen: int
    kept: bool = True


@dataclass(frozen=True)
class NewAdapter:
    """The adapter that a round made, and the verdict: whether it `serves`, and the `reason`.

    `seen` are the ids of the entries that the round trained on; what `parent` has seen is added.
    """

    blob: bytes
    rank: int
    parent: int | None
    seen: Collection[int]
    serves: bool
    reason: str
    metrics: dict[str, Any]
    tokens_per_s: float | None = None
    seconds: float | None = None
    state: bytes | None = None  # from which its training goes on


@dataclass(frozen=True)
class RoundRow:
    """A training round. `parent` and `adapter` are None too when that adapter was forgotten since."""

    id: int
    parent: int | None
    adapter: int | None
    started_at: datetime
    ended_at: datetime | None
    status: RoundStatus
    reason: str
    metrics: dict[str, Any]
    tokens_per_s: float | None
    seconds: float | None


def public_metrics(metrics: dict[str, Any]) -> dict[str, Any]:
    """A round's metrics without what only the program needs."""
    return {name: value for name, value in metrics.items() if name != "mixture"}


@dataclass(frozen=True)
class Checkpoint:
    """What an unfinished round goes on from: `about` is what it was asked to do, `spent_s` of its budget are used."""

    round: int
    about: dict[str, Any]
    parts: int
    spent_s: float


@dataclass(frozen=True)
class Event:
    """Something that happened to the service; never text of the user's."""

    at: datetime
    kind: str
    detail: dict[str, int | float | str]


@dataclass(frozen=True)
class BackupRow:
    """A backup that was written to `path`.

    `last_entry` is the highest number that an entry had then; None where any text may be inside.
    """

    path: str
    at: datetime
    last_entry: int | None

    def holds(self, entry_ids: Collection[int]) -> bool:
        """Whether any of these entries, which are in the store now, is in the backup too."""
        return any(self.last_entry is None or id_ <= self.last_entry for id_ in entry_ids)


@dataclass(frozen=True)
class WordRule:
    """What was decided about a word or phrase, by hand or learned by the service; `at` is UTC.

    `never`: it is never suggested. `mine`: it is suggested although it is rare, and never hidden.
    `never_correct`: it is no mistake. `always_correct`: `replacement` takes its place.
    """

    id: int
    kind: WordRuleKind
    text: str
    replacement: str | None
    source: WordRuleSource
    at: datetime


_MANY: Final = 10  # entries: so many and no more are never thought too many at once


@dataclass(frozen=True)
class ForgetReceipt:
    """What forgetting took (or would take): entries, the adapters that saw any, and who serves now.

    `id` is the receipt's own number in the store; None where nothing was taken. `round_queued`: an adapter of the base
    model that serves fell, so a training round without the text is queued. `backups` are the paths of backups that hold
    some of the text. `total` is how many entries there were before. `words` is how many words and phrases go that the
    user, or the service, had decided about.
    """

    entries: int
    adapters_dropped: tuple[int, ...]
    active: int | None
    tokens: int = 0
    id: int | None = None
    backups: tuple[str, ...] = ()
    total: int = 0
    words: int = 0
    round_queued: bool = False

    @property
    def large(self) -> bool:
        """Whether it is so much that a slip is likely: more than ten entries, and more than a tenth of all."""
        return self.entries > _MANY and self.entries * 10 > self.total


@dataclass(frozen=True)
class Tombstone:
    """What is left of an adapter that had learned from forgotten text."""

    id: int
    parent: int | None
    created_at: datetime
    status: AdapterStatus


@dataclass(frozen=True)
class KeptReceipt:
    """A kept receipt: when, by which conditions (their names alone), what went, and who served then."""

    id: int
    at: datetime
    conditions: tuple[str, ...]
    entries: int
    tokens: int
    adapters: tuple[Tombstone, ...]
    active: int | None


@dataclass(frozen=True)
class Feedback:
    """What became of a suggestion that was shown, or of `count` dismissed suggestions that are alike.

    `p` (0 to 1) and `show` are what the service gave with it. Where it was accepted, it brought `words` words and
    `characters` characters for `keystrokes` keystrokes; where it was dismissed, these three do not count.
    """

    kind: SuggestionKind
    outcome: Literal["accepted", "dismissed"]
    p: float
    show: bool = True
    characters: int = 0
    keystrokes: int = 1
    words: int = 1
    count: int = 1


@dataclass(frozen=True)
class FeedbackReceipt:
    """Whether feedback was counted, else the reason why not; whether it has a word never corrected from now on."""

    stored: bool
    reason: Reason | None
    never_corrected: bool = False


@dataclass(frozen=True)
class Savings:
    """How many suggestions were accepted or dismissed, and what the accepted suggestions brought.

    `saved` is the keystrokes saved: the `characters` inserted less the `keystrokes` that this took.
    """

    accepted: int
    dismissed: int
    characters: int
    keystrokes: int
    words: int
    saved: int


@dataclass(frozen=True)
class Tenth:
    """Suggestions whose predicted probability lies in one tenth of 0 to 1: how many were accepted, how many not."""

    accepted: int
    dismissed: int


@dataclass(frozen=True)
class FeedbackReport:
    """The feedback of some days: in all, by day (UTC) and kind, and by adapter (None: the base)."""

    savings: Savings
    by_day: dict[tuple[date, SuggestionKind], Savings]
    by_adapter: dict[int | None, Savings]


@dataclass(frozen=True)
class EvalRequest:
    """What to evaluate.

    `path` is a corpus, None the user's own history; about `chars` characters are typed, drawn with `seed`. On a corpus
    an adapter is trained for at most `budget_s` seconds (None: as long as usual), unless `train` is false. With
    `mistakes` words are mistyped, too. With `context`, a file of texts with what they answer, those are typed, by what
    is served alone: without what they answer, and with it.
    """

    path: Path | None = None
    chars: int = 8000
    seed: int = 1
    train: bool = True
    budget_s: float | None = None
    mistakes: bool = False
    context: Path | None = None
