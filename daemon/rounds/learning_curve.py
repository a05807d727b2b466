"""The gain of rounds over time: how much better what serves predicts the newest text than the memory alone does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idiolect.daemon.storage.records import RoundRow

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
    last = gains[-_LAST:]
    promoted = sum(gain.promoted for gain in last)
    now = f"your newest text is {abs(last[-1].gain):.0%} {'easier' if last[-1].gain >= 0 else 'harder'} to predict"
    if len(last) == 1:
        return (
            f"{now} than with the memory alone; {'the' if promoted else 'no'} adapter of the one round serves"
        )
    return (
        f"{now} than with the memory alone ({last[0].gain:.0%} after the first of the last {len(last)} rounds, of "
        f"which {promoted} brought an adapter that serves)"
    )
