"""Which keys take what is on offer: settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from idiolect.daemon.key_names import Key

#: Where a bare digit takes a word: behind letters, also behind a space, or nowhere (then with Alt alone).
Digits: TypeAlias = Literal["word", "always", "alt"]


@dataclass(frozen=True)
class Bindings:
    """Which keys do what."""

    take: Key
    take_word: Key
    hide: Key
    digits: Digits = "word"
    arrows: bool = True
