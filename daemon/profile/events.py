"""Events of a profile, and their subscribers: the model, rounds, sync, the watcher, and the trial."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from idiolect.daemon.profile.decisions import Decision, Subject
from idiolect.daemon.storage.records import ForgetReceipt


@dataclass(frozen=True)
class Learned:
    """Entries were stored: their ids and token ids."""

    entries: Sequence[tuple[int, list[int]]]


@dataclass(frozen=True)
class Forgotten:
    """Text was deleted.

    ``receipt`` says how much; it is None where the text is gone but the file could not be rewritten, and where the
    text was too old to be kept, which ``expired`` says.
    """

    receipt: ForgetReceipt | None = None
    expired: bool = False


@dataclass(frozen=True)
class Decided:
    """The user decided something, here or on another device."""

    decision: Decision[Any]

    def is_about(self, subject: Subject) -> bool:
        """Whether it is about this."""
        return subject in self.decision.about


@dataclass(frozen=True)
class Published:
    """A training round ended; ``serves`` says whether another adapter is to be served now."""

    serves: bool


Event: TypeAlias = Learned | Forgotten | Decided | Published
E = TypeVar("E", Learned, Forgotten, Decided, Published)


class Events:
    """Calls the subscribers of a kind of event, in the order in which they subscribed, in the publisher's thread.

    So whoever has text learned knows that the model has learned it. Subscribe before the first event.
    """

    def __init__(self) -> None:
        """Nobody has subscribed."""
        self._subscribers: list[tuple[type[Event], Callable[[Any], object]]] = []

    def subscribe(self, kind: type[E], act: Callable[[E], object]) -> None:
        """Call `act` with each event of a kind."""
        self._subscribers.append((kind, act))

    def publish(self, event: Event) -> None:
        """Call the subscribers. The first error that one of them raises is raised once all were called."""
        error: BaseException | None = None
        for kind, act in self._subscribers:
            if isinstance(event, kind):
                try:
                    act(event)
                except Exception as raised:  # noqa: BLE001 (what has happened, the others must hear of)
                    error = error or raised
        if error is not None:
            raise error
