"""The switches for corrections, for how much is shown and for how fast its user types, set while the service runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, TypeAlias

from idiolect.adapters.prediction.ghost_value import Show
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.store import Store

#: What is done about mistyped words: nothing; corrections are offered; sure ones are made by themselves, too.
Corrections: TypeAlias = Literal["off", "offer", "apply"]

_SWITCHES: Final = "switches"  # state: by the switch's name, what the user set it to


@dataclass(frozen=True)
class Switches:
    """What the switches stand at."""

    corrections: Corrections
    show: Show
    speed: int = 0  # how fast its user types, in words a minute; 0: as measured


def read_switches(store: Store, settings: Settings) -> Switches:
    """What the switches stand at: what the user set them to, else what the settings say."""
    kept: dict[str, Any] = store.state.get(_SWITCHES, {})
    known = {field.name for field in fields(Switches)}
    given = {name: value for name, value in kept.items() if name in known}
    return replace(Switches(settings.autocorrect, settings.show), **given)


def set_switches(store: Store, settings: Settings, changed: Mapping[str, Any]) -> Switches:
    """Set switches, by name, and keep that; what all of them stand at then."""
    store.state.set(_SWITCHES, {**store.state.get(_SWITCHES, {}), **changed})
    return read_switches(store, settings)
