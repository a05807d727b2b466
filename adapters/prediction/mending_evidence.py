"""How sure it is that a word was mistyped: a logistic regression on what speaks for a correction and against it.

Its weights stand in a file beside this one, which ``tests/bench/mending.py --fit`` writes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from idiolect.adapters.memory.letter_case import fold
from idiolect.adapters.memory.vocabulary import RUN_OF_THREE
from idiolect.adapters.mending.corrections import Candidate
from idiolect.adapters.mending.general_words import GeneralWords
from idiolect.adapters.prediction.cursor import SplitPrefix
from idiolect.adapters.prediction.meant_words import MeantWords, Misspelling
from idiolect.adapters.prediction.next_token import NextTokenModel
from idiolect.models.hashed_frequencies import other_frequencies

FILE: Final = Path(__file__).with_name("mending_weights.txt")
"""The weights, one a line, behind its name."""
_ONE_SLIP: Final = 7.0  # nats; what costs more is more than one
_MOST_LEAD: Final = 6.0  # nats; more tells nothing more
_LEAST: Final = 1e-30
_OFTEN: Final = 1e-5  # uses per word of text


@dataclass(frozen=True)
class JudgedWord:
    """What was typed behind ``before``, and the words that it most probably means.

    ``split`` is the text up to the end of the word. ``stands`` and ``others`` are the scores of what is typed, and of
    all that may be meant but the first; ``known`` is what a list of misspellings says of it. ``log_probs`` are those
    of whole words there, as far as they were asked for.
    """

    before: str
    split: SplitPrefix
    likely: list[Candidate]
    stands: float
    others: float
    known: Misspelling
    log_probs: dict[str, float] = field(default_factory=dict)

    @property
    def typed(self) -> str:
        """The word as it was typed."""
        return self.split.typed

    @property
    def odds(self) -> float:
        """The log odds of the likeliest word."""
        return math.log(max(self.likely[0].score, _LEAST) / max(self.stands + self.others, _LEAST))


def evidence(judged: JudgedWord, meant_words: MeantWords, next_token: NextTokenModel) -> dict[str, float]:
    """Return what the regression weighs of the likeliest word, by name.

    The model reads what was meant and what was typed, a pass each: the next word needs the second one, too.
    """
    words, general = meant_words.user_model.words, meant_words.general
    typed, best, space = fold(judged.typed), judged.likely[0], " " * judged.split.spaced
    meant = fold(best.text)
    parts = best.text.split()
    is_apart = len(parts) > 1
    left_in = not is_apart and any(typed == meant[:at] + meant[at + 1 :] for at in range(len(meant)))
    run = RUN_OF_THREE.search(typed)
    for text in (best.text, judged.typed):
        if text not in judged.log_probs:
            ids = words.encode(space + text)
            judged.log_probs[text] = next_token.word_log_prob(judged.split.head, ids)
    return {
        "constant": 1.0,
        "odds": judged.odds,
        "lead": min(_MOST_LEAD, math.log(max(best.score, _LEAST) / max(judged.others, _LEAST))),
        "further slips": 0.0 if is_apart else max(0.0, best.cost - _ONE_SLIP),
        "meant was written": float(words.count(best.text) > 0),
        "spelt": float(general.is_spelt(judged.typed)),
        "how common": general.is_spelt(judged.typed) * _log_uses(general.frequency(typed)),
        "how common elsewhere": _log_uses(uses_elsewhere(typed, general)),
        "how likely letters are": general.letters.log_prob(typed) / (len(typed) + 1),
        "tokens": float(len(words.encode(space + judged.typed))),
        "apostrophe alone": float(typed == meant.replace("'", "") and typed in general.spelling),
        "last letter doubled": float(words.draws_out and typed == meant + meant[-1]),
        "run of three": float(run is not None),
        # "willl": one letter too many
        "run of three for two": float(
            run is not None and typed[: run.end() - 1] + typed[run.end() :] == meant
        ),
        "another first letter": float(typed[0] != meant[0]),
        "a letter left out": float(left_in),
        "a first letter too many": float(typed[1:] == meant and typed[0] != typed[1]),  # "mtime"
        "two words": float(is_apart),
        "odds of two words": judged.odds * is_apart,
        "the rarer of two words": is_apart * min(_log_uses(meant_words.uses(part)) for part in parts),
        "how likely as typed": judged.log_probs[judged.typed],
        "how likely as meant": judged.log_probs[best.text],
    }


def uses_elsewhere(folded: str, general: GeneralWords) -> float:
    """Return how often the language that uses a word most does so, per word of text; English is left out.

    It is 0 for what the general words often have themselves, as a misspelling, too: "dont", "im".
    """
    if general.frequency(folded) >= _OFTEN:
        return 0.0
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
