"""The suggestions that one field shows, and the outcomes of the suggestions that its user has seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from idiolect.daemon.session.clock import Clock
from idiolect.daemon.session.effects import KeyEffect, MadeCorrection, ShowSuggestions, SuggestionOutcome
from idiolect.daemon.session.slipped_keys import SlippedKeys
from idiolect.daemon.session.suggest_answer import Offer, OfferedGhost
from idiolect.daemon.text.typed_text import begun

_MARKED_S: Final = 1.0  # for so long a note says what was mended, though its user types on


class ShownOffer:
    """What a field shows now; `slipped` is told when it appears and goes."""

    def __init__(self, clock: Clock, slipped: SlippedKeys) -> None:
        """Begin with nothing shown."""
        self._clock, self._slipped = clock, slipped
        self.offer = Offer("", (), None)
        self.note = ""  # shown until the next key
        self.is_shown = False
        self.is_open = False  # words are shown until the next word, worth a look or not
        self._mark, self._mended_s = "", float("-inf")  # the word that was mended last, and when it was
        self._is_rest = False  # the ghost text is the rest of a taken one
        self._grey = ""  # the text with the ghost text
        self._words_p: dict[str, float] = {}  # of seen words without an outcome, by label
        self._ghost_p: float | None = None  # of a seen ghost text without an outcome

    def say_mended(self, made: MadeCorrection | None) -> None:
        """Say what was mended for a second, and until the next key how that is taken back; None: say nothing."""
        self._mark, self._mended_s = "", self._clock.now_s
        self.note = ""
        if made is not None:
            self._mark = f"“{made.word}” became “{made.meant}”."
            self.note = f"{self._mark} BackSpace takes that back."

    def end_note(self) -> str:
        """End the note of the key before, but for what was mended within the last second; return that note."""
        is_marked = self._clock.now_s - self._mended_s < _MARKED_S
        ended, self.note = self.note, self._mark if is_marked else ""
        return ended

    def take_answer(self, offer: Offer) -> None:
        """Show an answer from now on, with the rest of a ghost text that was taken in part if it has none."""
        rest = self.offer.ghost if self._is_rest and self.offer.prefix == offer.prefix else None
        self._is_rest = rest is not None and offer.ghost is None
        self.offer = replace(offer, ghost=rest) if self._is_rest else offer
        self._see_words()
        if offer.ghost is not None and offer.ghost.word is None:
            self._ghost_p = offer.ghost.p

    def listed(self, offer: Offer, *, asks: bool = False) -> Offer:
        """Return an offer without words that are not worth a look: they wait until they are, or their user asks."""
        self.is_open = self.is_open or offer.listed or asks
        return offer if self.is_open else replace(offer, words=())

    def open(self, answer: Offer) -> None:
        """Show the words of an answer that were hidden."""
        self.offer = replace(answer, ghost=self.offer.ghost)
        self._see_words()

    def take_word(self, label: str) -> None:
        """Note that a word has its outcome."""
        self._words_p.pop(label, None)

    def take_ghost(self, ghost: OfferedGhost, text: str) -> list[KeyEffect]:
        """Go on to the rest of a ghost text, which has its outcome already; the words are dismissed."""
        self._ghost_p = None
        self.offer = Offer(self.offer.prefix + text, (), ghost.without(len(text)))
        self._is_rest = bool(self.offer)
        return self.dismiss()

    def type(self, char: str, *, spaced: bool) -> list[KeyEffect]:
        """Keep the suggestions that go on with a typed character."""
        left = self.offer.after(char)
        dismissed = [] if left.ghost is not None else self._dismiss_ghost()
        self.offer = left
        return [*dismissed, *(self.show(spaced=spaced) if left else self.hide())]

    def show(self, *, spaced: bool) -> list[KeyEffect]:
        """Show the offer and the note; with `spaced`, a space comes with what is taken."""
        offer = self.offer
        if not offer and not self.note:
            return self.hide()
        self.is_shown = True
        ghost = offer.ghost.text if offer.ghost is not None else ""
        grey = offer.prefix + ghost if ghost else ""
        if not self._grey.startswith(grey):
            self._slipped.note_grey()
        self._grey = grey
        labels = tuple(offer.label(word) for word in offer.words)
        return [
            ShowSuggestions(
                labels,
                f" {ghost}" if ghost and spaced else ghost,
                self.note,
                not begun(offer.prefix),
                offer=offer,
            )
        ]

    def hide(self) -> list[KeyEffect]:
        """Show nothing."""
        if self.offer.words:
            self._slipped.note_closed()
        self._is_rest, self._grey = False, ""
        self.offer = Offer("", (), None)
        was_shown, self.is_shown = self.is_shown, False
        return [ShowSuggestions()] if was_shown else []

    def dismiss(self) -> list[KeyEffect]:
        """Return the outcome of the suggestions that were seen last and not taken."""
        words = [SuggestionOutcome("word", "dismissed", p) for p in self._words_p.values()]
        self._words_p = {}
        return [*words, *self._dismiss_ghost()]

    def _dismiss_ghost(self) -> list[KeyEffect]:
        p, self._ghost_p = self._ghost_p, None
        return [] if p is None else [SuggestionOutcome("ghost", "dismissed", p)]

    def _see_words(self) -> None:
        # Without corrections: a correction that is seen and not taken says nothing.
        self._words_p = {self.offer.label(word): word.p for word in self.offer.words if not word.replace}

    @property
    def awaits_digit(self) -> bool:
        """Whether words are shown, or went a moment ago: Alt with a digit is meant for them."""
        return bool(self.offer.words) or self._slipped.words_just_went
