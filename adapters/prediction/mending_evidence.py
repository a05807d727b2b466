"""How sure it is that a word was mistyped: a logistic regression on what speaks for a correction and against it.

Its weights stand in a file beside this one, which ``tests/bench/mending.py --fit`` writes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from idiolect.adapters.memory.capitals import fold, is_capitalized
from idiolect.adapters.mending.corrections import Candidate
from idiolect.adapters.mending.mistakes import RUN_OF_THREE, is_swapped
from idiolect.adapters.prediction.meant_words import BEGINS, Known, MeantWords
from idiolect.models.hashed_frequencies import other_frequencies

FILE: Final = Path(__file__).with_name("mending_weights.txt")
"""The weights, one a line, behind its name."""
_ONE_SLIP: Final = 7.0  # nats; what costs more is more than one
_MOST_LEAD: Final = 6.0  # nats; more tells nothing more
_LEAST: Final = 1e-30


@dataclass(frozen=True)
class Judged:
    """What was typed behind ``before``, and the words that it most probably means.

    ``stands`` and ``others`` are the scores of what is typed, and of all that may be meant but the first; ``known`` is
    what a list of misspellings says of it.
    """

    before: str
    typed: str
    likely: list[Candidate]
    stands: float
    others: float
    known: Known

    @property
    def odds(self) -> float:
        """The log odds of the likeliest word."""
        return math.log(max(self.likely[0].score, _LEAST) / max(self.stands + self.others, _LEAST))


def evidence(judged: Judged, meant_words: MeantWords) -> dict[str, float]:
    """Return what the regression weighs of the likeliest word, by name."""
    words, general = meant_words.user_model.words, meant_words.general
    typed, best = fold(judged.typed), judged.likely[0]
    meant = fold(best.text)
    parts = best.text.split()
    is_apart = len(parts) > 1
    left_in = not is_apart and any(typed == meant[:at] + meant[at + 1 :] for at in range(len(meant)))
    run = RUN_OF_THREE.search(typed)
    return {
        "constant": 1.0,
        "odds": judged.odds,
        "lead": min(_MOST_LEAD, math.log(max(best.score, _LEAST) / max(judged.others, _LEAST))),
        "further slips": 0.0 if is_apart else max(0.0, best.cost - _ONE_SLIP),
        "meant was written": math.log1p(words.count_form(best.text)),
        "typed was written": float(words.count(typed) > 0),
        "listed": float(judged.known.listed),
        "how common": _log_uses(general.frequency(typed)),
        "how common elsewhere": _log_uses(uses_elsewhere(typed)),
        "capital within": float(is_capitalized(judged.typed) and not BEGINS.search(judged.before)),
        "apostrophe alone": float(typed == meant.replace("'", "") and typed in general.spelling),
        "last letter doubled": float(typed == meant + meant[-1]),
        "run of three": float(run is not None),
        # "willl": one letter too many
        "run of three for two": float(
            run is not None and typed[: run.end() - 1] + typed[run.end() :] == meant
        ),
        "another first letter": float(typed[0] != meant[0]),
        "swapped": float(is_swapped(typed, meant)),
        "a letter left out": float(left_in),
        "a first letter too many": float(typed[1:] == meant and typed[0] != typed[1]),  # "mtime"
        "two words": float(is_apart),
        "odds of two words": judged.odds * is_apart,
        "the rarer of two words": is_apart * min(_log_uses(meant_words.uses(part)) for part in parts),
    }


def uses_elsewhere(folded: str) -> float:
    """Return how often the language that uses a word most does so, per word of text; English is left out."""
    return float(other_frequencies([folded], without="en")[0].max())


def _log_uses(frequency: float) -> float:
    """Return how common a word is, in powers of ten; 0 where it is hardly used."""
    return max(0.0, 8 + math.log10(max(frequency, _LEAST)))


def surety(found: Mapping[str, float]) -> float:
    """Return the log odds that a correction is to be made unasked, by what speaks for it: from 0 on it is."""
    weights = _weights()
    return sum(weights[name] * value for name, value in found.items())


@cache
def _weights() -> dict[str, float]:
    lines = FILE.read_text("utf-8").splitlines()
    return {name: float(weight) for name, _, weight in (line.rpartition(" ") for line in lines)}
