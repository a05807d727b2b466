"""Whether a ghost or a list is worth its look: the seconds it is expected to save against those that reading takes.

A key that is not pressed saves the time of a key, and a ghost that appears is looked at, right or wrong. So the same
ghost helps somebody who types slowly and holds up somebody who types fast (Quinn & Zhai, CHI 2016; Roy et al., CHI
2021). The times of a look and of an action are those of the Model Human Processor (Card, Moran & Newell 1983).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from idiolect.adapters.prediction.reasons import Reason
from idiolect.adapters.prediction.suggestion import Correction, Ghost, GhostWord, Word

#: What appears by itself: what saves time; more or less than that; or nothing, until it is asked for.
Show: TypeAlias = Literal["auto", "more", "less", "asked"]

USUAL_KEY_MS = 240.0
"""Between two letters, where nobody has told: 50 words a minute."""

MIN_FURTHER_PROB = 0.25
"""That a further word and all before it come, for it to be shown."""

LOOK_S = 0.24
"""To notice a ghost and judge its first word: between a practised reader (0.17) and a careful one (0.30)."""

FURTHER_LOOK_S = 0.12
"""To read each further word."""

TAKE_S = 0.07
"""To decide that it is taken."""

MEND_S = 0.4
"""That a slip takes which no grey text mends: to see it, or what was mended by itself."""

_MIN_MEANT_CHARS = 2  # that are left to type of a word that was meant
_LIST_LOOK_S = 0.33  # for the eye to go to a list and back
_LIST_WORD_S = 0.07  # to read each of its words
_MIN_LIST_GAIN = 2.0  # of a list, in the time that reading it takes: a better one may come a letter later
_LOOK_WEIGHTS: Final[dict[Show, float]] = {"auto": 1.0, "more": 0.5, "less": 2.0, "asked": math.inf}

_MIN_GAIN = 1.5  # of a further word, in the time that reading it takes: what is left of a ghost is read again
# Of wrong words that begin with the same letter: another letter later they are told apart, too.
_TOLD_LATER = 0.5
_MIN_FIRST_SHARE = 0.5  # of the look that the first word must earn, for further words to be looked for
_MIN_NEW_CHARS = 3  # of a ghost that was not there before: fewer are typed faster than read


@dataclass(frozen=True)
class LookValue:
    """Judges ghosts for one typist.

    Attributes:
        key_s: the typist's time between two letters, in seconds.
        uptake: the share of right ghosts that the typist really takes, 0 to 1.
        look_weight: how dear a look is to the typist, as a multiple of the usual.
    """

    key_s: float = USUAL_KEY_MS / 1e3
    uptake: float = 1.0
    look_weight: float = 1.0

    @classmethod
    def of(cls, show: Show, key_s: float, uptake: float) -> LookValue:
        """Return the judge for a typist who wants to see so much; who wants more is taken to take all that is right."""
        return cls(key_s, 1.0 if show == "more" else uptake, _LOOK_WEIGHTS[show])

    @property
    def never_pays(self) -> bool:
        """True if nothing appears by itself."""
        return self.look_weight == math.inf

    def may_pay(self, first: GhostWord, alike: float = 0.0) -> bool:
        """Return True if a ghost with this first word may be worth showing, so that further words are worth a pass.

        To wait for one more letter costs a key where the ghost is right, and spares the look where that letter shows
        that it is wrong.

        Args:
            first: the word.
            alike: the probability of another word with the same first letter, which does not tell them apart.
        """
        taken = first.p * self.uptake
        told_apart = max(1 - taken - _TOLD_LATER * alike, 0.0)
        waiting_costs = taken * self.key_s > told_apart * self.look_weight * LOOK_S
        return waiting_costs and self._first_gain_s(first) > _MIN_FIRST_SHARE * self.look_weight * LOOK_S

    def adds(self, word: GhostWord) -> bool:
        """Return True if this further word, with the probability that all up to it comes, is worth reading."""
        gain_s = word.p * self.uptake * (len(word.text) - 1) * self.key_s
        return word.p >= MIN_FURTHER_PROB and gain_s > _MIN_GAIN * self.look_weight * FURTHER_LOOK_S

    def pays(self, words: Sequence[GhostWord], alike: float = 0.0) -> bool:
        """Return True if a new ghost of these words saves more time on average than looking at it takes.

        ``alike`` as in :meth:`may_pay`.
        """
        first, *further = words
        if (
            not self.may_pay(first, alike)
            or len("".join(word.text for word in words).strip()) < _MIN_NEW_CHARS
        ):
            return False
        gain_s = self._first_gain_s(first) + sum(
            word.p * self.uptake * (len(word.text) - 1) * self.key_s for word in further
        )
        return gain_s > self.look_weight * (LOOK_S + len(further) * FURTHER_LOOK_S)

    def mends(self, word: Word) -> bool:
        """Return True if a correction of the word under the cursor is worth a look as grey text."""
        left = len(word.text) - word.replace
        gain_s = word.p * self.uptake * (left * self.key_s - TAKE_S + MEND_S)
        return left >= _MIN_MEANT_CHARS and gain_s > self.look_weight * LOOK_S

    def mends_ended(self, correction: Correction) -> bool:
        """Return True if a look at the correction of a word that just ended costs less than typing that anew."""
        anew_s = MEND_S + len(correction.text) * self.key_s
        return correction.p * self.uptake * anew_s > self.look_weight * LOOK_S

    @property
    def holds_back(self) -> bool:
        """True if the typist has passed over so much that a ghost which usually pays is not shown."""
        usual = [GhostWord("a word", 0.9)]
        return replace(self, uptake=1.0).pays(usual) and not self.pays(usual)

    def why_hidden(self, ghost: Ghost) -> Reason:
        """Return the reason for which a ghost is not shown."""
        if self.never_pays:
            return Reason.SHOWN_WHEN_ASKED
        if not ghost.text:
            return Reason.NOTHING_LIKELY
        return Reason.PASSED_OVER if self.holds_back else Reason.NOT_WORTH_A_LOOK

    def list_pays(self, words: Sequence[Word], ghost: Ghost, calibrate: Callable[[float], float]) -> bool:
        """Return True if a new list of these words saves more time on average than looking at it takes.

        What the ghost shows already is not counted. ``calibrate`` makes of a word's probability how often it is right.
        """
        gain_s, left = 0.0, 1.0
        for word in words:
            p = min(calibrate(word.p), left)
            left -= p
            if not (ghost.show and ghost.text.startswith(word.text)):
                # One key takes it with the space behind it, so that as many keys are saved as it has letters.
                gain_s += p * (len(word.text) * self.key_s - TAKE_S)
        return gain_s > _MIN_LIST_GAIN * self.look_weight * (_LIST_LOOK_S + len(words) * _LIST_WORD_S)

    def _first_gain_s(self, first: GhostWord) -> float:
        return first.p * self.uptake * ((len(first.text) - 1) * self.key_s - TAKE_S)
