"""What is known of the user without training: their n-grams, their words, their latest text and their rare strings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import regex

from idiolect.adapters.memory.corpus import RecentText
from idiolect.adapters.memory.ngram_memory import FastMemory
from idiolect.adapters.memory.rare_strings import RareStrings
from idiolect.adapters.memory.secret_cues import CuesBefore, announces_secret
from idiolect.adapters.memory.steps import Steps, finish
from idiolect.adapters.memory.vocabulary import WORD, WordVocabulary
from idiolect.adapters.mending.general_words import GeneralWords
from idiolect.adapters.mending.mistakes import Mistakes
from idiolect.adapters.mending.typing_channel import TypingChannel
from idiolect.adapters.prediction.word_preferences import WordPreferences
from idiolect.models.vulgar_words import is_vulgar

_BEGUN = regex.compile(r"(?r)[\p{L}\p{N}'’]+\Z")
_CUE_CHARS = 200  # before the cursor, in which a word such as "password" is looked for
_VULGAR_TIMES = 2  # that a vulgar word is written before it is offered
_COMMON_FREQUENCY = 1e-4  # of all words; a word that is more frequent (the, my, for) gives nothing away


@dataclass(frozen=True)
class UserModel:
    """Learns from each entry at once, as it was meant. Predictors share it and read it while it learns.

    ``mistakes`` are the words that are learned as others, and never offered; ``encode`` turns a mended text into
    tokens. Without them all is learned as it was typed. ``general`` are the general words for corrections, and
    ``channel`` is what mistakes cost.
    """

    memory: FastMemory
    words: WordVocabulary
    recent: RecentText
    rare: RareStrings
    preferences: WordPreferences = field(default_factory=WordPreferences)
    mistakes: Mistakes | None = None
    encode: Callable[[str], list[int]] | None = None
    general: GeneralWords | None = None
    channel: TypingChannel | None = None

    def learn(self, text: str, ids: Sequence[int]) -> None:
        """Learn one entry, its text and its tokens."""
        self.learn_many([(text, ids)])

    def learn_many(self, entries: Sequence[tuple[str, Sequence[int]]]) -> None:
        """Learn entries, each a text and its tokens, in order of time; far quicker than one by one."""
        finish(self.learn_in_steps(entries))

    def learn_in_steps(self, entries: Sequence[tuple[str, Sequence[int]]]) -> Steps[None]:
        """Learn as :meth:`learn_many` in short steps; between them suggestions may be made, but nothing learned."""
        if self.mistakes is not None and self.encode is not None:
            meant = yield from self.mistakes.learn_in_steps(text for text, _ in entries)
            entries = [
                (text, ids) if mended == text else (mended, self.encode(mended))
                for (text, ids), mended in zip(entries, meant, strict=True)
            ]
        yield from self.words.learn_in_steps(
            (yield from self.rare.learn_in_steps(text for text, _ in entries))
        )
        for _, ids in entries:
            self.recent.add(ids)
        # Last: its size tells readers that what they cached is out of date.
        yield from self.memory.add_in_steps(ids for _, ids in entries)

    def must_hide(self, before: str, offered: str, *, goes_on: bool = False) -> bool:
        """Return True if ``offered``, shown after ``before``, is unwanted, a mistake or could give a secret away.

        Unwanted is what the user has said must never be suggested; what they have called their own is no secret.
        Vulgar words are offered to who writes them, and letters of a number such as "mp3" to who writes these alone.
        Numbers and addresses that were typed too seldom could (:class:`RareStrings`). After a word such as "password"
        every word that was typed too seldom could: redaction may have missed it.

        Where the last word ``goes_on``, its letters may yet become a number.
        """
        return self.guard(before, goes_on=goes_on)(offered)

    def guard(
        self, before: str, answered: Collection[str] = (), *, goes_on: bool = False
    ) -> Callable[[str], bool]:
        """Return :meth:`must_hide` for one ``before``, which is read once for all that may be offered there.

        Numbers in ``answered`` (:func:`~idiolect.adapters.memory.rare_strings.units`) give nothing away.
        """
        near = before[-_CUE_CHARS:]
        cues, is_rare = CuesBefore(near), self.rare.guard(before, answered)
        begun = found[0] if (found := _BEGUN.search(near)) else ""

        def must_hide(offered: str) -> bool:
            continues = offered[:1].isalpha() or offered[:1] in "'’"
            shown = begun + offered if continues else offered
            if self.preferences.forbids(before, offered):
                return True
            if self.mistakes is not None and self.mistakes.has_mistake(shown):
                return True
            if self.preferences.owns(before, offered):
                return False
            words = WORD.findall(shown)
            whole = words[:-1] if goes_on and words and shown.endswith(words[-1]) else words
            if (
                is_rare(offered)
                or any(map(self._is_vulgar, words))
                or any(map(self._is_part_of_number, whole))
            ):
                return True
            return self.rare.min_count > 1 and cues.announce(offered) and self._is_seldom_shown(near, offered)

        return must_hide

    def _is_vulgar(self, word: str) -> bool:
        """Return True for a vulgar word that the user has not written twice."""
        return is_vulgar(word, self.words.languages) and self.words.count(word) < _VULGAR_TIMES

    def _is_part_of_number(self, word: str) -> bool:
        """Return True for the letters of a number such as "mp3", unless the user writes them alone."""
        return (
            self.rare.count_within(word) > 0
            and self.words.general_frequency(word) < _COMMON_FREQUENCY
            and not self.words.count(word)
        )

    def _is_seldom_shown(self, near: str, offered: str) -> bool:
        """Return True if ``offered`` shows a seldom word behind a cue."""
        shown = near + offered
        return any(
            self._is_seldom(word[0]) and announces_secret(shown[: word.start()])
            for word in WORD.finditer(shown)
            if word.end() > len(near)
        )

    def _is_seldom(self, word: str) -> bool:
        """Return True for a word that was typed, but seldom, and for one that is unknown, such as half a word."""
        general = self.words.general_frequency(word)
        times = self.words.count(word) + self.rare.count_within(word)
        return general < _COMMON_FREQUENCY and times < self.rare.min_count and (times > 0 or general == 0)
