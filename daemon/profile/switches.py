"""The switches for corrections, how much is shown, speed, languages and keys, set while the service runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from idiolect.adapters.prediction.look_value import Show
from idiolect.daemon.profile.decisions import Decision
from idiolect.daemon.settings import Language

if TYPE_CHECKING:
    from idiolect.daemon.profile.profile import Profile
    from idiolect.daemon.storage.store import Store

#: What is done about mistyped words: nothing; corrections are offered; sure ones are made by themselves, too.
Corrections: TypeAlias = Literal["off", "offer", "apply"]

_SWITCHES: Final = "switches"  # state: by the switch's name, what the user set it to


@dataclass(frozen=True)
class Switches:
    """What the switches stand at; without `languages` they are found in the user's text.

    `keys` are the user's own, by what they do; see `session.key_table`.
    """

    corrections: Corrections = "offer"
    show: Show = "auto"
    languages: tuple[Language, ...] = ()
    speed: int = 0  # how fast its user types, in words a minute; 0: as measured
    keys: Mapping[str, str] = field(default_factory=dict)


def read_switches(store: Store, languages: tuple[Language, ...] = ()) -> Switches:
    """What the switches stand at: what the user set them to, else the usual; `languages` are the setting's."""
    kept: dict[str, Any] = store.state.get(_SWITCHES, {})
    known = {one.name for one in fields(Switches)}
    given = {name: value for name, value in kept.items() if name in known}
    stands = replace(Switches(languages=languages), **given)
    return replace(stands, languages=tuple(stands.languages))


def is_set(store: Store, name: str) -> bool:
    """Whether the user has set a switch, by its name."""
    return name in store.state.get(_SWITCHES, {})


@dataclass(frozen=True)
class SetSwitches(Decision[None], about="switches"):
    """Switches stand, by name, at what is given here from the next question on; the others as they did."""

    changed: Mapping[str, Any]

    def apply(self, profile: Profile) -> None:
        """Keep that."""
        state = profile.store.state
        state.set(_SWITCHES, {**state.get(_SWITCHES, {}), **self.changed})
