"""What is known of the user without any training: their n-grams, their words, their latest and their rare strings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from idiolect.adapters.corpus import Recent
from idiolect.adapters.memory import FastMemory
from idiolect.adapters.rare import Rare
from idiolect.adapters.words import Words


@dataclass(frozen=True)
class Knowledge:
    """Grows with every entry, at once."""

    memory: FastMemory
    words: Words
    recent: Recent
    rare: Rare

    def learn(self, text: str, ids: Sequence[int]) -> None:
        """Learn one entry, at once."""
        self.rare.learn(text)
        self.words.learn(self.rare.without(text))
        self.recent.add(ids)
        self.memory.add(ids)  # last: its size tells that what was remembered is out of date

    def learn_many(self, entries: Sequence[tuple[str, Sequence[int]]]) -> None:
        """Learn entries, each a text and its tokens, in order of time; far quicker than one by one."""
        self.words.learn_many(self.rare.learn_many(text for text, _ in entries))
        for _, ids in entries:
            self.recent.add(ids)
        self.memory.add_many(ids for _, ids in entries)
