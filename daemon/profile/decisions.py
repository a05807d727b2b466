"""Decisions: values that `Profile.decide` takes, applies, writes into the journal and publishes, in one transaction.

What is decided about words, programs, the pause and the switches is beside what each is about; here are the others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeAlias, TypeVar

if TYPE_CHECKING:
    from idiolect.daemon.profile.profile import Profile

#: What a decision is about; "sharing" is what is shared with other devices, and what their settings exclude.
Subject: TypeAlias = Literal["words", "apps", "pause", "quiet", "switches", "folders", "adapter", "sharing"]
T = TypeVar("T")


class Decision(ABC, Generic[T]):
    """Something that the user decides, here or on another device."""

    about: ClassVar[tuple[Subject, ...]]

    def __init_subclass__(cls, about: Subject | tuple[Subject, ...]) -> None:
        """Say in the head of a class what it is about."""
        cls.about = (about,) if isinstance(about, str) else about

    @abstractmethod
    def apply(self, profile: Profile) -> T:
        """Store it, within the transaction of `Profile.decide`, and return its answer. What it raises undoes it."""


@dataclass(frozen=True)
class FollowPath(Decision[bool], about="folders"):
    """A folder or file is followed from now on, or (`follow` false) no more; False where that was so already."""

    path: str
    follow: bool = True

    def apply(self, profile: Profile) -> bool:
        """Keep the path, or drop it."""
        watches = profile.store.watches
        return watches.add(self.path) if self.follow else watches.remove(self.path)


@dataclass(frozen=True)
class ServeAdapter(Decision[None], about="adapter"):
    """Another adapter (None: the base alone) is to serve.

    Raises UnknownAdapterError, AdapterDamagedError, WeightsDroppedError.
    """

    adapter: int | None

    def apply(self, profile: Profile) -> None:
        """Make it the active one."""
        profile.store.adapters.activate(self.adapter)


@dataclass(frozen=True)
class ServeNoMore(Decision[None], about="adapter"):
    """An adapter is damaged: its nearest sound ancestor serves in its place, else the base.

    Raises UnknownAdapterError.
    """

    adapter: int

    def apply(self, profile: Profile) -> None:
        """Mark it."""
        profile.store.adapters.mark_damaged(self.adapter)
