"""The record of a judged round that later rounds read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any


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
