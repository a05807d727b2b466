"""Which keys take what is on offer: settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from idiolect.daemon.key_names import Key

#: Whether a digit takes a word with Alt alone, or also bare, behind the letters of a word that is begun.
Digits: TypeAlias = Literal["alt", "bare"]


@dataclass(frozen=True)
class Bindings:
    """Which keys do what."""

    take: Key
    take_word: Key
    hide: Key
    ask: Key
    digits: Digits = "alt"
