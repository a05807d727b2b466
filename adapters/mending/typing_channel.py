"""The channel of a noisy-channel corrector: how likely a person types some letters where they meant others.

Costs are ``-ln p``, in nats, beside typing a letter as it was meant, which costs nothing (Kernighan, Church & Gale
1990; edits of several letters: Brill & Moore 2000). Slips of the hand follow the keyboard, misspellings the sound.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from idiolect.adapters.mending.keyboards import Layout, neighbours


@dataclass(frozen=True)
class Costs:
    """The cost of each kind of mistake, in nats."""

    near: float = 6.0  # a neighbouring key
    other: float = 9.0  # any other letter
    vowel: float = 5.0  # one vowel for another
    sound: float = 6.0  # a letter that may sound alike
    accent: float = 1.5  # an accent left out
    accent_added: float = 3.5
    swapped: float = 5.0  # two letters in the other order
    missing: float = 5.5  # a letter left out
    missing_double: float = 4.5  # one of two like letters left out
    missing_apostrophe: float = 2.0
    added: float = 9.0  # a letter too many
    added_near: float = 7.0  # one whose key is next to that before it
    added_double: float = 5.5  # a letter typed twice
    spelled: float = 5.0  # letters that are often written for others
    first: float = 1.0  # more, for each of these at the first letter
    capital_missing: float = 3.0
    longer: float = 3.0  # that somebody who made a mistake has not come to the word's end
    joined: float = 6.0  # a space left out
    space_missed: float = 7.5  # a key above the space bar for it
    torn: float = 6.0  # a space too many
    space_hit: float = 7.5  # the space bar for a key above it
    limit: float = 12.2  # of all mistakes in one word together


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


#: Meant and typed, in German: how its letters are written where a keyboard lacks them.
_GERMAN: Final = (("ß", "ss"), ("ä", "ae"), ("ö", "oe"), ("ü", "ue"))


@dataclass(frozen=True)
class SlipRule:
    """Letters that were meant, the letters that stand there in their place, and what that costs."""

    meant: str
    typed: str
    cost: float


class TypingChannel:
    """The cost of mistakes on one keyboard.

    Args:
        layout: the user's keyboard.
        costs: of each kind of mistake.
        languages: that the user writes.
        habits: what certain slips cost more (or less, below 0) for this hand, in nats, by what was meant and typed: a
            key for another, or two letters swapped.
    """

    def __init__(
        self,
        layout: Layout = "qwerty",
        costs: Costs | None = None,
        languages: Sequence[str] = (),
        habits: Mapping[tuple[str, str], float] | None = None,
    ) -> None:
        self.layout = layout
        self._habits = habits or {}
        self.costs = costs or Costs()
        self.languages = languages
        self.least = min(self.costs.vowel, self.costs.sound, self.costs.near, self.costs.added_double)
        """The least that a letter costs that was not meant, but for accents."""
        self._near = neighbours(layout)
        self._replaced = dict[str, dict[str, float]]()
        self._added = dict[str, dict[str, float]]()

    def replaced(self, typed: str) -> dict[str, float]:
        """Return what it costs to type this letter where another was meant, by letter; "" for all others."""
        if typed not in self._replaced:
            costs, found = self.costs, {"": self.costs.other}
            found |= {
                meant: costs.near + self._habits.get((meant, typed), 0.0)
                for meant in self._near.get(typed, ())
            }
            for group, cost in (*((sound, costs.sound) for sound in _SOUNDS), (_VOWELS, costs.vowel)):
                if typed in group:
                    found |= {letter: min(cost, found.get(letter, cost)) for letter in group}
            found |= dict.fromkeys(_ACCENTED.get(typed, ()), costs.accent)
            if (plain := _plain(typed)) != typed:
                found[plain] = costs.accent_added
            found[typed] = 0.0
            self._replaced[typed] = found
        return self._replaced[typed]

    def swapped(self, meant: str) -> float:
        """Return what it costs to type two letters in the other order."""
        return self.costs.swapped + self._habits.get((meant, meant[::-1]), 0.0)

    def added(self, typed: str) -> dict[str, float]:
        """Return what it costs to type this letter where none was meant, by the letter before; "" for all others."""
        if typed not in self._added:
            found = {"": self.costs.added}
            found |= dict.fromkeys(self._near.get(typed, ()), self.costs.added_near)
            self._added[typed] = found | {typed: self.costs.added_double}
        return self._added[typed]

    @cached_property
    def rules(self) -> dict[str, list[SlipRule]]:
        """The rules of spelling by the last letter that is typed."""
        found = dict[str, list[SlipRule]]()
        for one, other in (pair.split("/") for pair in _SPELLED.split()):
            for meant, typed in ((one, other), (other, one)):
                found.setdefault(typed[-1], []).append(SlipRule(meant, typed, self.costs.spelled))
        if "de" in self.languages:
            for meant, typed in _GERMAN:
                found.setdefault(typed[-1], []).append(SlipRule(meant, typed, self.costs.accent))
        return found


def _plain(letter: str) -> str:
    """Return a letter without its accent."""
    return unicodedata.normalize("NFD", letter)[0]


def _accented() -> dict[str, str]:
    """Return the Latin letters with accents by the letter beneath."""
    found = dict[str, str]()
    for letter in map(chr, range(0xC0, 0x250)):
        if (plain := _plain(letter)) != letter:
            found[plain] = found.get(plain, "") + letter
    return found


_ACCENTED: Final = _accented()
