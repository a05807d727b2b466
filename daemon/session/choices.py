"""What its user has chosen for all programs, as the service says it with each answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from idiolect.daemon.session.effects import ShowSuggestions
from idiolect.daemon.session.key_table import USUAL, KeyTable, draw_key

QUIET_MINUTES: Final = 30  # unless its user says how long
MAX_QUIET_MINUTES: Final = 1440  # a day


@dataclass
class Choices:
    """Which key does what; `quiet`: nothing is shown for a while, though what is written is learned."""

    keys: KeyTable = USUAL
    quiet: bool = False

    def name_keys(self, show: ShowSuggestions) -> ShowSuggestions:
        """Return what is shown with the keys that take it, as hints name them."""
        keys = (draw_key(self.keys.of_word(number)) for number, _ in enumerate(show.words, 1))
        return replace(show, word_keys=tuple(keys), ghost_key=draw_key(self.keys.grey) if show.ghost else "")
