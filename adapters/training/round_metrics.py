"""The figures of a training round, as they are stored and shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class RoundMetrics:
    """What a round measured, on held-out text unless another one is named.

    ``base``, ``memory``, ``adapter`` and ``both`` are the perplexity and the top-3 accuracy of the base model alone,
    with the n-gram memory, with the new adapter, and with both; ``serving`` is what was served before, with the memory.
    ``general_before`` and ``general_after`` are perplexities of general text without and with the adapter.
    ``gain_bits`` is the gain a token over what was served, ``p_value`` how often chance alone would bring as much.
    ``products`` is the type of the matrix products, ``peak_mb`` the most memory that training took.
    """

    base: dict[str, float]
    memory: dict[str, float]
    adapter: dict[str, float]
    both: dict[str, float]
    serving: dict[str, float]
    general_before: float
    general_after: float
    held_out_tokens: int
    held_out_entries: int
    gain_bits: float
    p_value: float
    trained_tokens: int
    epochs: float
    tokens_per_s: float
    train_seconds: float
    products: str
    peak_mb: float

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class RoundRecord:
    """What later rounds need to know of a judged round; stored beside its :class:`RoundMetrics`.

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
        return cls(**{one.name: metrics[one.name] for one in fields(cls) if one.name in metrics})
