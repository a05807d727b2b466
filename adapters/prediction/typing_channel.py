"""How likely a person types one run of letters where they meant another: the channel of a noisy-channel corrector.

Costs are ``-ln p``, in nats, beside typing a letter as it was meant, which costs nothing (Kernighan, Church & Gale
1990; edits of several letters: Brill & Moore 2000). Slips of the hand follow the keyboard, misspellings the sound.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.prediction.keyboards import Layout, neighbours

LETTERS: Final = 0x250
"""Code points that have costs of their own: Latin with its accents. All others are alike."""


@dataclass(frozen=True)
class Costs:
    """What each kind of mistake costs, in nats."""

    near: float = 6.0  # a neighbouring key
    other: float = 9.0  # any other letter
    vowel: float = 5.5  # one vowel for another
    sound: float = 6.0  # a letter that may sound alike
    accent: float = 1.5  # an accent left out
    swapped: float = 5.5  # two letters in the other order
    missing: float = 6.5  # a letter left out
    missing_double: float = 4.5  # one of two like letters left out
    missing_apostrophe: float = 2.0
    added: float = 8.0  # a letter too many
    added_near: float = 7.0  # one whose key is next to that before it
    added_double: float = 5.5  # a letter typed twice
    spelled: float = 5.0  # letters that are often written for others
    first: float = 2.0  # more, for each of these at the first letter
    capital_missing: float = 3.0
    capital_added: float = 4.0
    longer: float = 2.5  # that somebody who made a mistake has not come to the word's end
    joined: float = 6.0  # a space left out
    torn: float = 6.0  # a space too many

    @property
    def limit(self) -> float:
        """The most that mistakes in one word may cost together."""
        return 13.0


_VOWELS: Final = "aeiouy"
_SOUNDS: Final = ("ckqs", "sz", "gj", "fv", "td", "mn", "iy", "uw", "bp", "xs")
#: Meant and typed, either way round: letters that sound alike, or whose order or doubling is not heard.
_SPELLED: Final = """
    able/ible ance/ence ancy/ency ant/ent sion/tion ssion/tion cian/tion cious/tious ceous/cious ery/ary
    ory/ary or/er our/or re/er le/el al/el ise/ize ei/ie ea/ee ee/ie ai/ay ai/a au/o ou/o ough/uff
    ough/ow oa/o oo/u ue/oo eu/u ieu/u ph/f gh/g gu/g gue/g que/k qu/kw ck/k ck/c ch/k ch/tch ge/dge
    sc/s sc/c sch/sk ps/s kn/n gn/n wr/r wh/w rh/r mb/m mn/m pt/t th/t st/s ght/t ll/l cc/c cc/s cq/q
    ss/c ss/s ce/se x/cs xc/x xc/ex ex/exs y/ie y/ey ies/ys ied/yed ely/ly ally/ly ally/aly fully/fuly
    ful/full eable/able ement/ment eing/ing ing/eing ery/ry iou/ou ious/ous eous/ous iage/age ia/a ui/i
    uous/ous ture/cher sure/sher per/pre ur/er ir/er ar/er uer/er nn/n tt/t pp/p rr/r mm/m ff/f gg/g
    dd/d bb/b zz/z 's/s you're/your 're/re 've/of
"""


@dataclass(frozen=True)
class Rule:
    """Letters that were meant, the letters that stand there in their place, and what that costs."""

    meant: str
    typed: str
    cost: float


class TypingChannel:
    """What mistakes cost on one keyboard.

    Args:
        layout: the user's keyboard.
        costs: of each kind of mistake.
    """

    def __init__(self, layout: Layout = "qwerty", costs: Costs | None = None) -> None:
        self.layout = layout
        self.costs = costs or Costs()
        self._near = neighbours(layout)
        self._replaced = dict[str, NDArray[np.float32]]()
        self._added = dict[str, NDArray[np.float32]]()

    def replaced(self, typed: str) -> NDArray[np.float32]:
        """Return what it costs (LETTERS,) to type this letter where another was meant; 0 for the letter itself."""
        if typed not in self._replaced:
            costs, table = self.costs, np.full(LETTERS, self.costs.other, np.float32)
            for letter in self._near.get(typed, ()):
                table[ord(letter)] = costs.near
            for group in _SOUNDS:
                if typed in group:
                    for letter in group:
                        table[ord(letter)] = min(costs.sound, table[ord(letter)])
            if typed in _VOWELS:
                for letter in _VOWELS:
                    table[ord(letter)] = min(costs.vowel, table[ord(letter)])
            for code in range(0xC0, LETTERS):
                if _BASE[code] == typed:
                    table[code] = costs.accent
            if ord(typed) < LETTERS:
                table[ord(typed)] = 0.0
                if _BASE[ord(typed)] != typed:
                    table[ord(_BASE[ord(typed)])] = costs.accent + 2.0
            self._replaced[typed] = table
        return self._replaced[typed]

    def added(self, typed: str) -> NDArray[np.float32]:
        """Return what it costs (LETTERS,) to type this letter behind each other one where it was not meant."""
        if typed not in self._added:
            table = np.full(LETTERS, self.costs.added, np.float32)
            for letter in self._near.get(typed, ()):
                table[ord(letter)] = self.costs.added_near
            if ord(typed) < LETTERS:
                table[ord(typed)] = self.costs.added_double
            self._added[typed] = table
        return self._added[typed]

    @cached_property
    def rules(self) -> dict[str, list[Rule]]:
        """The rules of spelling by the last letter that is typed."""
        found = dict[str, list[Rule]]()
        for one, other in (pair.split("/") for pair in _SPELLED.split()):
            for meant, typed in ((one, other), (other, one)):
                found.setdefault(typed[-1], []).append(Rule(meant, typed, self.costs.spelled))
        return found


def _base_letter(code: int) -> str:
    return unicodedata.normalize("NFD", chr(code))[0]


_BASE: Final = [_base_letter(code) for code in range(LETTERS)]
