"""An adapter in a store, as a round leaves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from idiolect.daemon.storage.store import Store


def publish(
    store: Store,
    *,
    parent: int | None = None,
    seen: Iterable[int] = (),
    status: str = "active",
    blob: bytes = b"weights",
    rank: int = 4,
    reason: str = "better",
    metrics: dict[str, Any] | None = None,
    tokens_per_s: float | None = None,
    seconds: float | None = None,
) -> int:
    """Begin a round on `parent` and end it with an adapter, which serves unless `status` is another; its number."""
    return store.publish(
        store.rounds.begin(parent),
        blob=blob,
        rank=rank,
        parent=parent,
        seen=seen,
        status=status,
        reason=reason,
        metrics=metrics or {},
        tokens_per_s=tokens_per_s,
        seconds=seconds,
    )
