"""The likeliest words that begin with some letters, given a distribution over the token that comes next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.memory.vocabulary import MAX_WORD_CHARS, SMALL_NAME, WordVocabulary
from idiolect.adapters.memory.word_table import Continuation, PrefixMatch, best_indices

_USES_PER_OCCURRENCE = 4.0  # uses that a word in the text before the cursor counts for
_NO_NOUN = 0.3  # of the score of a word that may be none, as the second part of a noun
# The least probability of a word's first token, as a share of the highest one: at first, and if too few words are left.
_MIN_SHARES = (0.02, 3e-4)


@dataclass(frozen=True)
class Matches:
    """Words that begin with what is typed and are longer. Scores are not normalized."""

    forms: list[str]
    scores: NDArray[np.float32]  # of each form
    total: float  # the score of all matching words, listed or not
    finished: float  # the score of what is typed as a whole word
    unknown: float = 0.0  # the score of all words that begin so and that no list knows


def match_words(
    words: WordVocabulary,
    typed: str,
    spaced: bool,
    p: NDArray[np.float32],
    limit: int,
    *,
    continuation: Callable[[int, float], Continuation | None] = lambda _token, _share: None,
    in_text: Mapping[str, int] | None = None,
) -> Matches:
    """Return the likeliest words that begin with ``typed`` and are longer.

    A word's score is its first token's probability times the word's share among the words that begin with that
    token. The share follows the second token where ``continuation`` knows about it, and else how often the words
    are used.

    Args:
        words: the words that can be suggested.
        typed: the letters of the word that are there.
        spaced: True if a space stands before the word.
        p: distribution (vocab,) over the tokens that may begin the word.
        limit: the most words to list.
        continuation: returns what is known of the second token, called with a first one where that may matter, and
            with the share of its words of several tokens in the score of all matching words, or 0 where a second
            token would tell little (:attr:`are_cut_well`).
        in_text: words that stand before the cursor, with how often.
    """
    row = int(spaced)
    if typed:
        return _match(words, typed, row, p, limit, 0.0, continuation, in_text or {})
    # At a word's start, words that can't be among the best are left out: none is likelier than its first token.
    highest = float(p[words.first_tokens[row]].max(initial=0.0))
    for share in _MIN_SHARES:
        found = _match(words, typed, row, p, limit, share * highest, continuation, in_text or {})
        if len(found.scores) == limit and found.scores[-1] > share * highest:
            break
    return found


def _match(
    words: WordVocabulary,
    typed: str,
    row: int,
    p: NDArray[np.float32],
    limit: int,
    min_prob: float,
    continuation: Callable[[int, float], Continuation | None],
    in_text: Mapping[str, int],
) -> Matches:
    raw = typed.encode()
    tokens = np.flatnonzero(p > min_prob) if min_prob > 0 else None
    looked_up = (PrefixMatch(table, row, raw, p, words.total_of(row), tokens) for table in words.tables)
    runs = [run for run in looked_up if len(run.scores)]
    ambiguous = {token for run in runs for token in run.ambiguous_tokens()}
    shares = dict.fromkeys(ambiguous, 0.0)
    if ambiguous and words.are_cut_well:  # before any score is changed
        whole = sum(float(run.scores.sum()) for run in runs)
        shares = {token: sum(run.score_of_longer(token) for run in runs) / whole for token in ambiguous}
    for token, share in shares.items():
        known = continuation(token, share)
        if known is not None:
            seconds, weights = words.second_token_weights(row, token)
            for run in runs:
                run.apply_continuation(token, float(p[token]), known, seconds, weights)
    finished = sum(run.take_finished(raw) for run in runs)
    total = sum(float(run.scores.sum()) for run in runs)
    found = dict(pair for run in runs for pair in run.best(limit))
    total += _raise_words_in_text(words, found, runs, in_text, typed, row, p, min_prob)
    best = sorted(((score, form) for form, score in found.items()), reverse=True)[:limit]
    scores = np.array([score for score, _ in best], np.float32)
    return Matches([form for _, form in best], scores, total, finished)


def _raise_words_in_text(
    words: WordVocabulary,
    found: dict[str, float],
    runs: list[PrefixMatch],
    in_text: Mapping[str, int],
    typed: str,
    row: int,
    p: NDArray[np.float32],
    min_prob: float,
) -> float:
    """Give words that stand before the cursor more weight; return the score that this adds."""
    added = 0.0
    for form, times in in_text.items():
        if len(typed) < len(form) <= MAX_WORD_CHARS and form.startswith(typed):
            token = words.encode(" " * row + form)[0]
            if p[token] <= min_prob:
                continue
            raw, more = form.encode(), _USES_PER_OCCURRENCE * times
            old = sum(run.score(raw) for run in runs)
            new = float(p[token]) * (words.weight(form) + more) / (float(words.total_of(row)[token]) + more)
            if new > old:
                added += new - old
                found[form] = new
    return added


def match_names(
    words: WordVocabulary, begun: str, spaced: bool, p: NDArray[np.float32], limit: int
) -> list[tuple[str, float]]:
    """Return the likeliest names that begin with ``begun``, a capital first, and are longer; as :func:`match_words`."""
    row, raw, found = int(spaced), begun.encode(), list[tuple[str, float]]()
    large, small = words.lexicon.names[words.at_hand]
    for table in words.tables:
        start, end = table.prefix_range(raw)
        rows: NDArray[np.intp] | slice = slice(start, end)
        if table is words.general:
            first, last = np.searchsorted(large, (start, end))
            pairs = small[first:last]
            rows = large[first:last][words.typed[pairs] < 0.5]
        tokens = table.first[row, rows]
        scores = p[tokens] * table.weights[rows] / words.total_of(row)[tokens]
        for index in best_indices(scores, limit):
            form = table.forms[rows][index].decode()
            if len(form) > len(begun) and (table is words.general or words.is_name(form)):
                found.append((form, float(scores[index])))
    return sorted(found, key=lambda name: -name[1])[:limit]


def match_second_parts(
    words: WordVocabulary,
    begun: str,
    p: NDArray[np.float32],
    limit: int,
    continuation: Callable[[int, float], Continuation | None],
    *,
    of_noun: bool,
) -> dict[str, float]:
    """Return words that may be the second part of a compound, perhaps ``of_noun``, as :func:`match_words` does."""
    found = match_words(words, begun, False, p, limit, continuation=continuation)

    def factor(form: str) -> float:
        if not of_noun:
            return 1.0
        return 1 / SMALL_NAME if words.lexicon.is_name(form, words.at_hand) else _NO_NOUN

    scored = zip(found.forms, found.scores.tolist(), strict=True)
    return {form: score * factor(form) for form, score in scored if form == form.lower()}


def score_word(words: WordVocabulary, word: str, spaced: bool, p: NDArray[np.float32]) -> float:
    """Return a whole word's score, as in :class:`Matches`, by its first token alone; 0 if it is in no list."""
    row, raw = int(spaced), word.encode()
    for table in words.tables:
        if (index := table.index(raw)) is not None:
            token = table.first[row, index]
            return float(p[token] * table.weights[index] / words.total_of(row)[token])
    return 0.0


def least_letter_prob(
    words: WordVocabulary, typed: str, spaced: bool, p: NDArray[np.float32], *, finished: bool = False
) -> float:
    """Return the probability of the least likely letter behind the first one, each by the letters before it.

    The arguments are those of :func:`match_words`; with ``finished`` the word's end counts as a letter.
    """
    row = int(spaced)
    scores = [score_word(words, typed, spaced, p)] if finished else []
    for end in range(len(typed), 0, -1):
        score, raw = 0.0, typed[:end].encode()
        for table in words.tables:
            run = slice(*table.prefix_range(raw))
            first = table.first[row, run]
            score += float((p[first] * table.weights[run] / words.total_of(row)[first]).sum())
        scores.append(score)
        if not scores[0]:
            return 0.0
    return min((longer / shorter for longer, shorter in pairwise(scores)), default=1.0)
