"""How rounds train and when they may start by themselves: what was measured once, and is no setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from idiolect.daemon.settings import ROUND_S


@dataclass(frozen=True)
class RoundTuning:
    """Limits of a round, and how it trains.

    `learning_rate` None is what suits the base model; `products` is the type of matrix products, "fastest" as timed at
    each round.
    """

    min_tokens: int = 2_000  # least text for a round
    train_every_tokens: int = 5_000  # new text that makes a round due
    round_s: float = ROUND_S
    quiet_s: float = 120.0  # without input before a round starts by itself
    rest_s: float = 10.0  # without input or load before a round that waited goes on
    max_load: float = 0.3  # share of the processors' time that other programs may use beside a round
    min_free_mb: int = 2_000  # memory that must be free for a round to start
    on_battery: bool = False
    rank: int = 16
    epochs: float = 1.0
    learning_rate: float | None = None
    products: str = "fastest"
    checkpoint_s: float = 90.0


USUAL: Final = RoundTuning()
