"""What is kept of judged rounds, and their gain: how much better than the memory alone what serves predicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Final

from idiolect.daemon.storage.records import RoundRow


@dataclass(frozen=True)
class RoundRecord:
    """The facts of a judged round that later rounds need, stored beside its metrics.

    ``tokens`` is the size of the history, ``last_entry`` the highest number of its entries. ``mixture`` are the weights
    that the adapter was judged with (:meth:`Mixture.to_json`), ``against`` is the adapter that it was judged against
    (None: the base). ``promising`` says that it was refused and yet is worth going on from.
    """

    tokens: int = 0
    last_entry: int = 0
    base_sha256: str | None = None
    mixture: list[Any] = field(default_factory=list)
    against: int | None = None
    promising: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, metrics: dict[str, Any]) -> RoundRecord:
        """Read the record from a round's stored metrics; what they lack has its default."""
        return cls(**{field.name: metrics[field.name] for field in fields(cls) if field.name in metrics})


_LAST: Final = 5  # rounds that the sentence speaks of


@dataclass(frozen=True)
class RoundGain:
    """What served after a judged round was worth on the text that was newest then.

    `gain` is the share by which perplexity was lower than with the memory alone; below 0 it was higher.
    """

    round: int
    at: datetime
    promoted: bool
    gain: float


def find_gains(rounds: Sequence[RoundRow], base: str | None) -> list[RoundGain]:
    """Return the gains of the judged rounds of a base model (the SHA-256 of its source), the oldest first."""
    gains = list[RoundGain]()
    for row in rounds:
        promoted = row.status == "promoted"
        memory, serves = (row.metrics.get(kind) for kind in ("memory", "both" if promoted else "serving"))
        if (
            row.status in ("promoted", "refused")
            and row.metrics.get("base_sha256") == base
            and memory
            and serves
        ):
            gain = 1 - serves["perplexity"] / memory["perplexity"]
            gains.append(RoundGain(row.id, row.ended_at or row.started_at, promoted, round(gain, 4)))
    return gains


def describe_gains(gains: Sequence[RoundGain]) -> str | None:
    """Return a sentence on what the last rounds added; None where no round was judged."""
    if not gains:
        return None
    if not any(gain.promoted for gain in gains):
        rounds = (
            "the one round so far was refused" if len(gains) == 1 else f"all {len(gains)} rounds were refused"
        )
        return f"{rounds}, so no adapter serves; `idiolect adapters` says why"
    last = gains[-_LAST:]
    promoted = sum(gain.promoted for gain in last)
    now = f"your newest text is {abs(last[-1].gain):.0%} {'easier' if last[-1].gain >= 0 else 'harder'} to predict"
    if len(last) == 1:
        return f"{now} than with the memory alone; the adapter of the one round serves"
    return (
        f"{now} than with the memory alone ({last[0].gain:.0%} after the first of the last {len(last)} rounds, of "
        f"which {promoted} brought an adapter that serves)"
    )
