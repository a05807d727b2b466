"""The gate: an adapter is served only if it predicts what its user wrote next better than what is served now.

*Test, then train*: the newest entries are held out. Neither adapter has seen them, nor has the memory that judges with
them. They are predicted in order, each token before it is learned from, with recent text as context and the n-gram
memory mixed in, as in service.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.memory.corpus import RecentText
from idiolect.adapters.memory.ngram_memory import FastMemory, Prediction
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.prediction.probs_cache import softmax
from idiolect.adapters.training.permutation_test import RESAMPLES, p_value
from idiolect.models.session import Adapter, Model, Session

_PIECE_TOKENS = 192  # tokens scored in one pass
_STRETCH_TOKENS = 64  # tokens of a long entry that are compared as one; divides _PIECE_TOKENS
_TOP_K = 3
_LEVEL = 0.05  # the nominal rate of promotions by chance
_DOUBT = 1 / 3  # how often chance must bring a successor's loss, for it to count as none
_TOLERANCE = 0.02  # the rise of general perplexity that is allowed, as a share


@dataclass
class Tally:
    """Scores by stretch of held-out text: tokens, negative log-likelihood in nats, hits among the three likeliest.

    A stretch is an entry, or 64 tokens of a longer entry; adapters are compared stretch by stretch.
    """

    tokens: list[int] = field(default_factory=list)
    nats: list[float] = field(default_factory=list)
    hits: list[int] = field(default_factory=list)

    def add(self, probability: NDArray[np.float32], target: int) -> None:
        """Score one token of the open stretch, from the distribution (vocab,) over it."""
        p = probability[target]
        self.tokens[-1] += 1
        self.nats[-1] -= float(np.log(max(p, 1e-12)))
        self.hits[-1] += int(np.count_nonzero(probability > p) < _TOP_K)

    def open(self) -> None:
        """Open the next stretch."""
        self.tokens.append(0)
        self.nats.append(0.0)
        self.hits.append(0)

    @property
    def perplexity(self) -> float:
        """Exponential of the mean negative log-likelihood a token."""
        return float(np.exp(sum(self.nats) / max(sum(self.tokens), 1)))

    def summary(self) -> dict[str, float]:
        """Return perplexity and top-3 accuracy as plain numbers."""
        return {
            "perplexity": round(self.perplexity, 3),
            "top3": round(sum(self.hits) / max(sum(self.tokens), 1), 4),
        }


@dataclass(frozen=True)
class AdapterScores:
    """One adapter's scores without and with the n-gram memory, and the mixture weights learned on the way."""

    alone: Tally
    mixed: Tally
    mixture: Mixture


@dataclass(frozen=True)
class Verdict:
    """The decision on an adapter, and the paired comparison behind it."""

    promoted: bool  # it is served from now on
    promising: bool  # it is not, and yet does not seem worse: the next round goes on from it
    reason: str  # a sentence for the user
    gain_bits: float  # mean gain a token over what is served now
    p_value: float  # how often chance alone would bring as much


def judge(
    model: Model,
    adapters: Mapping[str, Adapter | None],
    entries: Sequence[Sequence[int]],
    *,
    recent: RecentText,
    memory: FastMemory,
    mixtures: Mapping[str, Mixture],
    report: Callable[[float], None],
) -> dict[str, AdapterScores]:
    """Score every adapter (tensors by name; None is the base) on the same held-out entries (token ids), in order.

    ``recent`` and ``memory`` know the text before the entries, and learn each entry once it is judged. ``mixtures`` are
    the weights to start from, by name. ``report`` gets the share that is done, 0 to 1.
    """
    length = 2 * recent.limit + _PIECE_TOKENS + 2 * len(recent.separator)
    sessions = {name: Session(model, length=length, adapter=tensors) for name, tensors in adapters.items()}
    judged = {name: AdapterScores(Tally(), Tally(), mixtures[name].copy()) for name in adapters}
    for index, entry in enumerate(entries):
        for start in range(0, len(entry), _PIECE_TOKENS):
            # The pieces of a long entry keep their own beginning in view like entries before them.
            piece = entry[start : start + _PIECE_TOKENS]
            known = [memory.predict(entry[: start + place]) for place in range(len(piece))]
            for name, session in sessions.items():
                rows = _distributions(session, recent.context([]), piece)
                _score(judged[name], rows, piece, known, memory)
            recent.add(piece)
        memory.add(entry)
        report((index + 1) / len(entries))
    return judged


def _distributions(session: Session, before: list[int], piece: Sequence[int]) -> NDArray[np.float32]:
    """Return the distributions (len(piece), vocab) over each token of ``piece`` after all before it."""
    left = session.rewind_to_common_prefix([*before, *piece[:-1]], rows=len(piece))
    return softmax(session.feed(left, "all")[-len(piece) :])


def _score(
    judged: AdapterScores,
    rows: NDArray[np.float32],
    piece: Sequence[int],
    known: list[Prediction],
    memory: FastMemory,
) -> None:
    """Score the distributions (``rows``) over the tokens of ``piece``, alone and mixed with the memory."""
    for place, (row, target, prediction) in enumerate(zip(rows, piece, known, strict=True)):
        if place % _STRETCH_TOKENS == 0:
            judged.alone.open()
            judged.mixed.open()
        judged.alone.add(row, target)
        judged.mixed.add(judged.mixture.mix(row, memory, prediction), target)
        if memory.tokens:
            judged.mixture.learn(prediction, memory.token_prob(prediction, target), float(row[target]))


def general_perplexity(
    model: Model, adapter: Adapter | None, passages: Sequence[Sequence[int]], breaks: Sequence[int]
) -> float:
    """Return the perplexity of general text, each passage behind ``breaks`` alone, without memory or recent text."""
    tally = Tally()
    session = Session(model, length=_PIECE_TOKENS + len(breaks), adapter=adapter)
    for passage in passages:
        for start in range(0, len(passage), _PIECE_TOKENS):
            piece = passage[start : start + _PIECE_TOKENS]
            tally.open()
            for row, target in zip(_distributions(session, list(breaks), piece), piece, strict=True):
                tally.add(row, target)
    return tally.perplexity


def decide(
    candidate: Tally,
    serving: Tally,
    memory: Tally | None = None,
    *,
    general_before: float,
    general_after: float,
    judged: int = 0,
    seed: int,
) -> Verdict:
    """Promote the candidate only for a gain beyond chance that general text does not pay for.

    A paired sign-flip test (Fisher 1935) over stretches of text: if neither adapter were better, each stretch's gain
    could as well be a loss, so the whole gain must be larger than 95 % of the gains with random signs.

    A successor is what the training of the serving adapter has gone on to. One round adds less than some hundred
    held-out tokens can tell from chance, and so the gain that must be beyond chance is the one over the memory alone
    (``memory``); beside what is served, a successor must be better in the mean, or so little worse that chance alone
    would often make it look so: it has learned more, and was refused what the next text showed to be a gain.

    ``candidate``, ``serving`` (what is served now) and, for a successor, ``memory`` are scores on the same text, with
    the memory; ``general_before`` and ``general_after`` are the base's and the candidate's perplexity on general text.
    Text that has ``judged`` so many ancestors of the candidate before asks for as much more certainty (Bonferroni),
    beside what is served.
    """
    gains = np.array(serving.nats) - np.array(candidate.nats)  # nats, per stretch
    tokens = np.array(candidate.tokens)
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), (RESAMPLES, len(gains)))
    chance, worse = p_value(gains.sum(), signs @ gains), p_value(-gains.sum(), signs @ gains)
    proof, doubt = chance, 1.0
    if memory is not None and not judged:
        over_memory = np.array(memory.nats) - np.array(candidate.nats)
        proof, doubt = p_value(over_memory.sum(), signs @ over_memory), _DOUBT
    gain_bits = float(gains.sum() / tokens.sum() / np.log(2))
    rise = general_after / general_before - 1
    better = 100 * (1 - candidate.perplexity / serving.perplexity)
    promoted = promising = False
    if rise > _TOLERANCE:
        reason = (
            f"general text became {100 * rise:.1f} % harder for it, more than the "
            f"{100 * _TOLERANCE:.0f} % allowed"
        )
    elif gain_bits <= 0 and worse <= doubt:
        promising = worse > _LEVEL
        reason = f"it predicts your newest text {-better:.1f} % worse than what is served now"
    elif proof > _LEVEL / (1 + judged):
        promising = True
        reason = f"its gain of {better:.1f} % on your newest text may be chance (p = {proof:.2f})"
        if gain_bits <= 0:
            reason = f"its gain over the memory alone on your newest text may be chance (p = {proof:.2f})"
    else:
        promoted = True
        general = f"{abs(100 * rise):.1f} % {'worse, which is allowed' if rise > 0 else 'better'}"
        beyond = (
            f"{', which may be chance' * (gain_bits <= 0)}, and better than the memory alone beyond chance"
        )
        reason = (
            f"it predicts your newest text {abs(better):.1f} % {'better' if gain_bits > 0 else 'worse'} than what "
            f"was served{', beyond chance' if chance <= _LEVEL else beyond}, and general text {general}"
        )
    return Verdict(promoted, promising, reason, round(gain_bits, 4), round(chance, 4))
