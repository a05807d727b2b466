"""The switches for corrections and for how much is shown, set while the service runs."""

from __future__ import annotations

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


def read_switches(store: Store, settings: Settings) -> Switches:
    """What the switches stand at: what the user set them to, else what the settings say."""
    kept: dict[str, Any] = store.state.get(_SWITCHES, {})
    known = {field.name for field in fields(Switches)}
    given = {name: value for name, value in kept.items() if name in known}
    return replace(Switches(settings.autocorrect, settings.show), **given)


def set_switches(
    store: Store, settings: Settings, corrections: Corrections | None, show: Show | None
) -> Switches:
    """Set switches, but for those that are None, and keep that; what they stand at then."""
    given = {"corrections": corrections, "show": show}
    changed = {name: value for name, value in given.items() if value is not None}
    store.state.set(_SWITCHES, {**store.state.get(_SWITCHES, {}), **changed})
    return read_switches(store, settings)
