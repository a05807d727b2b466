"""The words that can be suggested: general ones, and every word the user has typed, capitals as typed.

Where the user writes several languages, a word has its uses in each, and weighs what the language at hand makes of
them: with a belief ``b`` in each language, a word's share of what begins with its first token is ``Σ b·uses`` by
``Σ b·total``, and the chance that the text is in the word's language, once it stands there, is ``Σ b²·uses`` by
``Σ b·uses``. The product of both leaves little to words of the other language, and lets one through that nothing else
explains.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import regex
from numpy.typing import NDArray

from idiolect.adapters.memory.compounds import second_part_starts
from idiolect.adapters.memory.elisions import elided_chars
from idiolect.adapters.memory.steps import Steps, finish
from idiolect.adapters.memory.word_table import Continuation, PrefixMatch, WordTable, best_indices
from idiolect.models.lexicon import NONE, Lexicon
from idiolect.models.word_lists import small_words

WORD = regex.compile(r"[\p{L}\p{N}'’]+")
"""A word: a run of letters, digits and apostrophes, as keystroke savings count them."""

_GENERAL_USES = 50_000.0  # how many words of the user's own text the general frequencies count for
_USES_PER_OCCURRENCE = 4.0  # what a word in the text before the cursor counts for, in uses
_SMALL_NAME = 0.03  # of the uses of a name, "december": those in small letters
_NO_NOUN = 0.3  # of the score of a word that may be none, as the second part of a noun
_FOREIGN = 0.01  # of the uses of a foreign word, "italia": those in text that is English
_HABIT = 5  # names in small letters that the user typed
_NO_WORDS = 20.0  # of all that begins with a space as a token of its own, as a multiple of the words that do
_MAX_NEW = 200  # of the user's words that are filed apart from those that are settled
_TEXTS_A_STEP, _FORMS_A_STEP = 256, 64
# Of the uses of a word that no language lists, a name: what it counts for in another language.
_ELSEWHERE: Final = 0.1
_LEAST_BELIEF: Final = 0.004  # that the text goes on in another language
_BELIEF_STEPS: Final = 6.0  # to a power of e, by which two beliefs are told apart
_SENTENCE: Final = regex.compile(r"[^.!?…\n]+")
_SAME_LANGUAGE: Final = 0.3  # what a text's other sentences count for in the language of one
# A word: what was written in each language is told by the last few hundred words.
_WRITTEN_FADES: Final = 0.998
UNLISTED: Final = 2e-7
"""Uses per word of text that a word has at least, in each language."""
_OTHERS_WORD: Final = 20.0  # times that another language uses a word as often as that at hand
# Shares of the words of a text that are one token. Below, the model has hardly seen the language, and its second tokens
# say little; above, words of several tokens are rare.
_CUT_WELL: Final = 0.6, 0.85
_MAX_FORM_BYTES = 64  # bytes of a form that is kept: an array has the width of its widest
_SECOND_TOKENS_KEPT = 64  # first tokens of which the weights by second token are kept
# The least probability of a word's first token, as a share of the highest one: at first, and if too few words are left.
_MIN_SHARES = (0.02, 3e-4)
MAX_WORD_CHARS = 40
"""Characters; longer runs are not words that anyone wants offered."""


@dataclass(frozen=True)
class Matches:
    """Words that begin with what is typed and are longer.

    ``scores[i]``, unnormalized, belongs to ``forms[i]``. ``total`` is the score of all matching words, also of those
    that are not listed. ``finished`` is the score of what is typed as a whole word, and ``unknown`` that of all words
    that begin so and that no list knows.
    """

    forms: list[str]
    scores: NDArray[np.float32]
    total: float
    finished: float
    unknown: float = 0.0


class WordVocabulary:
    """Word forms with weights, filed by the tokens that begin them, alone and after a space.

    Args:
        lexicon: general words with their frequencies.
        encode: text to token ids.
        vocab: tokens in the vocabulary.
    """

    def __init__(self, lexicon: Lexicon, encode: Callable[[str], list[int]], vocab: int) -> None:
        self._lexicon = lexicon
        self._encode = encode
        self._vocab = vocab
        self.languages = lexicon.languages
        """The languages of the general words."""
        self.at_hand = 0
        """The place of the language that the text is probably in."""
        self.belief: tuple[float, ...] = ()
        """How probable each language is; what words weigh is made of it."""
        self.written = np.ones(len(self.languages))
        """Words that the user wrote in each language lately."""
        whole = lexicon.second[1] == NONE
        self._whole = [float(row[whole].sum() / max(row.sum(), 1e-30)) for row in lexicon.by_language]
        self._writes_small = [False] * len(self.languages)
        uses = lexicon.by_language * np.float32(_GENERAL_USES)
        for row, names in zip(uses, lexicon.names, strict=True):
            row[names[1]] *= _SMALL_NAME
        if "en" in self.languages:
            uses[self.languages.index("en"), lexicon.foreign] *= _FOREIGN
        self._general = WordTable.of(lexicon.forms, uses, lexicon.first, lexicon.second)
        self._typed = np.zeros(len(lexicon.forms), np.float32)  # how often the user typed general words
        self._general_first = [np.unique(row) for row in lexicon.first]
        # Weight of all words that begin with a token: (languages, alone or after a space, vocab)
        self._totals = np.stack(
            [np.stack([np.bincount(row, weights, vocab) for row in lexicon.first]) for weights in uses]
        ).astype(np.float32)
        if (
            len(space := encode(" ")) == 1
        ):  # a token of its own: digits and code follow it far more often than words
            self._totals[:, 1, space[0]] *= _NO_WORDS
        # (2, vocab), for the language at hand
        self._total = self._totals[0] if len(uses) == 1 else np.empty_like(self._totals[0])
        # The user's own, settled and new: after an entry with a new word only the few new ones are filed again.
        none = np.zeros(0, "S1"), np.zeros((len(uses), 0), np.float32)
        self._no_table = WordTable.of(*none, np.zeros((2, 0), np.int32), np.zeros((2, 0), np.int32))
        self._own = self._no_table, self._no_table
        self._by_second: dict[tuple[int, int], tuple[NDArray[np.intp], NDArray[np.float32]]] = {}
        self._weigh((1 / len(uses),) * len(uses))

    def learn(self, text: str) -> None:
        """Count the words of an entry."""
        self.learn_many([text])

    def learn_many(self, texts: Iterable[str]) -> None:
        """Count the words of many entries at once."""
        finish(self.learn_in_steps(texts))

    def learn_in_steps(self, texts: Iterable[str]) -> Steps[None]:
        """Count the words of many entries in short steps; between the last ones some of them are known."""
        counted = [Counter[str]() for _ in self.languages]
        for number, text in enumerate(texts):
            if len(counted) == 1:
                counted[0].update(WORD.findall(text))
            else:
                for language, words in self._sentences(text):
                    counted[language].update(words)
            if number % _TEXTS_A_STEP == _TEXTS_A_STEP - 1:
                yield
        new = dict[bytes, list[float]]()
        for language, words_there in enumerate(counted):
            for form, times in words_there.items():
                if len(form) <= MAX_WORD_CHARS and len(raw := form.encode()) <= _MAX_FORM_BYTES:
                    new.setdefault(raw, [0.0] * len(counted))[language] += times
        tokens = dict[bytes, tuple[int, int, int, int]]()
        forms = [*new]
        for start in range(0, len(forms), _FORMS_A_STEP):
            unknown = self._unknown(forms[start : start + _FORMS_A_STEP])
            tokens |= {form: self._tokens_of(form) for form in unknown}
            yield
        new = self._count(self._general, new)
        yield
        if len(counted) > 1:  # what no list has may be a name, which is one in other languages, too
            new = {form: [_ELSEWHERE * sum(u) + (1 - _ELSEWHERE) * n for n in u] for form, u in new.items()}
        for table in self.tables[1:]:
            new = self._count(table, new)
        if new:
            forms = sorted(new)
            rows = np.array([tokens[form] for form in forms], np.int32).T
            first, second = np.ascontiguousarray(rows[:2]), np.ascontiguousarray(rows[2:])
            uses = np.ascontiguousarray(np.array([new[form] for form in forms], np.float32).T)
            yield
            for total, weights in zip(self._totals, uses, strict=True):
                for row in (0, 1):
                    np.add.at(total[row], first[row], weights)
            self._file(WordTable.of(np.array(forms), uses, first, second))
            yield
        self._weigh_small_names()
        self._weigh()
        self._by_second = {}

    def _file(self, added: WordTable) -> None:
        """Add the user's words, and file them by their letters now, so that no keystroke has to."""
        settled, new = self._own
        new = new.with_words(added)
        if len(new.forms) > _MAX_NEW:
            settled, new = settled.with_words(new), self._no_table
        for table in (settled, new):
            table.prepare()
        self._own = settled, new

    def _sentences(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """Yield the words of each sentence with the place of the language that it is in, as far as its words tell."""
        sentences = [found for part in _SENTENCE.findall(text) if (found := WORD.findall(part))]
        told = [np.log(self.frequencies(words)).sum(0) for words in sentences]
        whole = _SAME_LANGUAGE * sum(told)
        for words, by_language in zip(sentences, told, strict=True):
            language = int(np.argmax(by_language + whole))
            self.written *= _WRITTEN_FADES ** len(words)
            self.written[language] += len(words)
            yield language, [word[elided_chars(word, self.languages[language]) :] or word for word in words]

    def frequencies(self, words: Sequence[str]) -> NDArray[np.float64]:
        """Return how often each language uses words, in any capitals: (words, languages), uses per word of text.

        Of what a language does not list it is some less than of its rarest word.
        """
        found = np.full((len(words), len(self.languages)), UNLISTED)
        for place, word in enumerate(words):
            if (index := self._general.index(word.lower().replace("’", "'").encode())) is not None:
                np.maximum(found[place], self._lexicon.by_language[:, index], out=found[place])
        return found

    def begun_frequencies(self, typed: str) -> NDArray[np.float64]:
        """Return how often each language uses words that begin so: (languages,), per word of text."""
        start, end = self._general.prefix_range(typed.encode())
        uses = self._general.uses[:, start:end].sum(1) / _GENERAL_USES
        found: NDArray[np.float64] = np.maximum(uses.astype(np.float64), UNLISTED)
        return found

    def is_capitalized_in(self, language: int, word: str) -> bool:
        """Return True if a language, by its place, writes a word with a capital."""
        return self._lexicon.is_name(word, language)

    def weigh_by_language(self, belief: Sequence[float]) -> None:
        """Weigh the words from now on by how probable each language is (languages,)."""
        steps = np.round(_BELIEF_STEPS * np.log(np.maximum(belief, _LEAST_BELIEF))) / _BELIEF_STEPS
        rounded = np.exp(steps)
        self._weigh(tuple((rounded / rounded.sum()).tolist()))

    def _weigh(self, belief: tuple[float, ...] | None = None) -> None:
        """Make the weights of the words anew for a belief in each language; None: for that of now, after learning."""
        if len(self.languages) == 1 or belief == self.belief:
            return
        self.belief = belief = belief or self.belief
        self.at_hand = int(np.argmax(belief))
        some = np.array(belief, np.float32)
        for table in self.tables:
            np.dot(some**2 / (some**2).sum(), table.uses, out=table.weights)
        np.einsum("l,lrv->rv", some, self._totals, out=self._total)
        self._by_second = {}

    def is_of_another_language(self, word: str) -> bool:
        """Return True if another language uses a word, in these capitals or small, far more than that at hand does."""
        if len(self.languages) == 1:
            return False
        uses = np.zeros(len(self.languages))
        for form in {word, word.lower()}:
            for table in self.tables:
                if (index := table.index(form.encode())) is not None:
                    uses += table.uses[:, index]
        return float(uses.max()) > _OTHERS_WORD * float(uses[self.at_hand])

    @property
    def language_at_hand(self) -> str:
        """The language that the text is probably in."""
        return self.languages[self.at_hand]

    @property
    def are_cut_well(self) -> bool:
        """Whether the model knows the language at hand but cuts many of its words, so that second tokens tell them."""
        return _CUT_WELL[0] <= self._whole[self.at_hand] < _CUT_WELL[1]

    @property
    def writes_names_small(self) -> bool:
        """Whether the user writes names in small letters more often than not, in the language at hand."""
        return self._writes_small[self.at_hand]

    def _weigh_small_names(self) -> None:
        """Give names in small letters their full weight where the user writes names so, and little where not."""
        for language, (large, small) in enumerate(self._lexicon.names):
            times_large, times_small = float(self._typed[large].sum()), float(self._typed[small].sum())
            writes_small = times_small >= _HABIT and times_small > times_large
            if writes_small == self._writes_small[language]:
                continue
            full = self._lexicon.by_language[language, small] * np.float32(_GENERAL_USES)
            more = full * np.float32(1 - _SMALL_NAME if writes_small else _SMALL_NAME - 1)
            for row in (0, 1):
                np.add.at(self._totals[language, row], self._general.first[row, small], more)
            self._general.uses[language, small] += more
            self._writes_small[language] = writes_small

    def is_name(self, form: str) -> bool:
        """Return True if a word is written with a capital, by everybody or by the user, and never small by the user."""
        small, large = form[:1].lower() + form[1:], form[:1].upper() + form[1:]
        if self._lexicon.is_name(small, self.at_hand):
            return not self.count_form(small)
        # Of the words that are no names in general only those that the general list lacks may be one.
        is_own = any(table.index(large.encode()) is not None for table in self._own)
        return is_own and not self.count_form(small) and self._general.index(small.encode()) is None

    def names(self, begun: str, spaced: bool, p: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """Return names that begin so and are longer, the likeliest first, with scores as in :class:`Matches`.

        Args:
            begun: the letters of the name that are there, with its capital.
            spaced: True if a space stands before it.
            p: distribution (vocab,) over the tokens that may begin it.
            limit: the most names to return.
        """
        row, raw, found = int(spaced), begun.encode(), list[tuple[str, float]]()
        large, small = self._lexicon.names[self.at_hand]
        for table in self.tables:
            start, end = table.prefix_range(raw)
            rows: NDArray[np.intp] | slice = slice(start, end)
            if table is self._general:
                first, last = np.searchsorted(large, (start, end))
                pairs = small[first:last]
                rows = large[first:last][self._typed[pairs] < 0.5]
            tokens = table.first[row, rows]
            scores = p[tokens] * table.weights[rows] / self._total[row, tokens]
            for index in best_indices(scores, limit):
                form = table.forms[rows][index].decode()
                if len(form) > len(begun) and (table is self._general or self.is_name(form)):
                    found.append((form, float(scores[index])))
        return sorted(found, key=lambda name: -name[1])[:limit]

    def second_part_starts(self, typed: str) -> list[int]:
        """Return after how many letters the second part of a compound may begin, as the language at hand makes them."""
        return second_part_starts(
            typed, self.language_at_hand, lambda word: self.weight(word) > 0, self._begins_word
        )

    def _begins_word(self, letters: str) -> bool:
        start, end = self._general.prefix_range(letters.encode())
        return start < end

    def second_parts(
        self,
        begun: str,
        p: NDArray[np.float32],
        limit: int,
        continuation: Callable[[int, float], Continuation | None],
        *,
        of_noun: bool,
    ) -> dict[str, float]:
        """Return words that may be the second part of a compound, with scores as in :class:`Matches`.

        Args:
            begun: the letters of it that are there.
            p: distribution (vocab,) over the tokens behind the first part.
            limit: the most words to look at.
            continuation: as in :meth:`match`.
            of_noun: True if the compound is a noun.
        """
        found = self.match(begun, False, p, limit, continuation=continuation)
        return {
            form: score
            * (
                1.0
                if not of_noun
                else 1 / _SMALL_NAME
                if self._lexicon.is_name(form, self.at_hand)
                else _NO_NOUN
            )
            for form, score in zip(found.forms, found.scores.tolist(), strict=True)
            if form == form.lower()
        }

    @property
    def small_words(self) -> frozenset[str]:
        """Words that the language at hand writes small wherever no sentence begins, as far as that is known."""
        return small_words() if self.language_at_hand == "de" else frozenset()

    def is_name_written_small(self, form: str) -> bool:
        """Return True for a name in small letters, unless the user writes names so."""
        return not self.writes_names_small and form[:1].islower() and self.is_name(form)

    def count(self, word: str) -> int:
        """Return how often the user typed a word, in any capitals."""
        return sum(map(self.count_form, {word, word.lower(), word.capitalize(), word.upper()}))

    def count_form(self, form: str) -> int:
        """Return how often the user typed a word in just these capitals."""
        raw = form.encode()
        for table in self._own:
            if (index := table.index(raw)) is not None:
                return round(float(table.uses[:, index].sum() / (1 + _ELSEWHERE * (len(self.languages) - 1))))
        if (index := self._general.index(raw)) is not None:
            return round(float(self._typed[index]))
        return 0

    def general_frequency(self, word: str) -> float:
        """Return how often a language uses a word, the one that uses it most; per word of text, 0 if no list has it."""
        index = self._general.index(word.lower().encode())
        return 0.0 if index is None else float(self._lexicon.frequency[index])

    @property
    def tables(self) -> tuple[WordTable, ...]:
        """The general words, and the user's own, settled and new; other tables stand here once the user has more."""
        return self._general, *(table for table in self._own if len(table.forms))

    def score(self, word: str, spaced: bool, p: NDArray[np.float32]) -> float:
        """Return a whole word's score, as in :class:`Matches`, by its first token alone; 0 if it is in no list."""
        row, raw = int(spaced), word.encode()
        for table in self.tables:
            if (index := table.index(raw)) is not None:
                token = table.first[row, index]
                return float(p[token] * table.weights[index] / self._total[row, token])
        return 0.0

    def least_letter_prob(
        self, typed: str, spaced: bool, p: NDArray[np.float32], *, finished: bool = False
    ) -> float:
        """Return the probability of the least likely letter behind the first one, each by the letters before it.

        Args:
            typed: the letters of the word that are there.
            spaced: True if a space stands before the word.
            p: distribution (vocab,) over the tokens that may begin the word.
            finished: the word's end counts as a letter.
        """
        row = int(spaced)
        scores = [self.score(typed, spaced, p)] if finished else []
        for end in range(len(typed), 0, -1):
            score, raw = 0.0, typed[:end].encode()
            for table in self.tables:
                run = slice(*table.prefix_range(raw))
                first = table.first[row, run]
                score += float((p[first] * table.weights[run] / self._total[row, first]).sum())
            scores.append(score)
            if not scores[0]:
                return 0.0
        return min((longer / shorter for longer, shorter in pairwise(scores)), default=1.0)

    def total_of(self, row: int) -> NDArray[np.float32]:
        """Return the weight (vocab,) of all words that begin with a token, alone (0) or after a space (1)."""
        weights: NDArray[np.float32] = self._total[row]
        return weights

    def _tokens_of(self, form: bytes) -> tuple[int, int, int, int]:
        """Return a form's first token alone and after a space, and its second token alone and after a space."""
        alone, spaced = self._encode(form.decode()), self._encode(f" {form.decode()}")
        second, spaced_second = (ids[1] if len(ids) > 1 else NONE for ids in (alone, spaced))
        return alone[0], spaced[0], second, spaced_second

    def _unknown(self, forms: Sequence[bytes]) -> Sequence[bytes]:
        """Return the forms that no table has."""
        for table in self.tables:
            if len(forms) and len(table.forms):
                looked_up = np.array(forms)
                indices = np.minimum(np.searchsorted(table.forms, looked_up), len(table.forms) - 1)
                forms = looked_up[table.forms[indices] != looked_up].tolist()
        return forms

    def _count(self, table: WordTable, used: dict[bytes, list[float]]) -> dict[bytes, list[float]]:
        """Count the words in ``used`` (times in each language by form) that a table has; return the others."""
        if not used or not len(table.forms):
            return used
        forms, times = np.array([*used]), np.array([*used.values()], np.float32).T
        indices = np.minimum(np.searchsorted(table.forms, forms), len(table.forms) - 1)
        known = table.forms[indices] == forms
        at, times = indices[known], times[:, known]
        table.uses[:, at] += times
        if table is self._general:
            self._typed[at] += times.sum(0)
        for total, more in zip(self._totals, times, strict=True):
            for row in (0, 1):
                np.add.at(total[row], table.first[row, at], more)
        return {form: used[form] for form in forms[~known].tolist()}

    def match(
        self,
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
            typed: the letters of the word that are there.
            spaced: True if a space stands before the word.
            p: distribution (vocab,) over the tokens that may begin the word.
            limit: the most words to list.
            continuation: returns what is known of the second token, called with a first one where that may matter, and
                with the share of its words of several tokens in the score of all matching words, or 0 where a second
                token would tell little (:attr:`are_cut_well`).
            in_text: words that stand before the cursor, with how often.
        """
        row, raw = int(spaced), typed.encode()
        if raw:
            return self._match(typed, row, p, limit, 0.0, continuation, in_text or {})
        # At a word's start, words that can't be among the best are left out: none is likelier than its first token.
        highest = float(p[self._general_first[row]].max(initial=0.0))
        for share in _MIN_SHARES:
            found = self._match(typed, row, p, limit, share * highest, continuation, in_text or {})
            if len(found.scores) == limit and found.scores[-1] > share * highest:
                break
        return found

    def _match(
        self,
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
        looked_up = (PrefixMatch(table, row, raw, p, self._total[row], tokens) for table in self.tables)
        runs = [run for run in looked_up if len(run.scores)]
        ambiguous = {token for run in runs for token in run.ambiguous_tokens()}
        shares = dict.fromkeys(ambiguous, 0.0)
        if ambiguous and self.are_cut_well:  # before any score is changed
            whole = sum(float(run.scores.sum()) for run in runs)
            shares = {token: sum(run.score_of_longer(token) for run in runs) / whole for token in ambiguous}
        for token, share in shares.items():
            known = continuation(token, share)
            if known is not None:
                seconds, weights = self._second_token_weights(row, token)
                for run in runs:
                    run.apply_continuation(token, float(p[token]), known, seconds, weights)
        finished = sum(run.take_finished(raw) for run in runs)
        total = sum(float(run.scores.sum()) for run in runs)
        found = dict(pair for run in runs for pair in run.best(limit))
        total += self._raise_words_in_text(found, runs, in_text, typed, row, p, min_prob)
        best = sorted(((score, form) for form, score in found.items()), reverse=True)[:limit]
        scores = np.array([score for score, _ in best], np.float32)
        return Matches([form for _, form in best], scores, total, finished)

    def _second_token_weights(self, row: int, token: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Return the second tokens of the words that begin with a token, in order, and the weight of those words."""
        if (row, token) not in self._by_second:
            total = np.zeros(self._vocab, np.float32)
            for table in self.tables:
                indices = table.with_first_token(row, np.array([token]))
                indices = indices[table.second[row, indices] != NONE]
                np.add.at(total, table.second[row, indices], table.weights[indices])
            if len(self._by_second) >= _SECOND_TOKENS_KEPT:
                self._by_second.clear()
            tokens = np.flatnonzero(total)
            self._by_second[row, token] = tokens, total[tokens]
        return self._by_second[row, token]

    def _raise_words_in_text(
        self,
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
                token = self._encode(" " * row + form)[0]
                if p[token] <= min_prob:
                    continue
                raw, more = form.encode(), _USES_PER_OCCURRENCE * times
                old = sum(run.score(raw) for run in runs)
                new = (
                    float(p[token]) * (self._weight_of(raw) + more) / (float(self._total[row, token]) + more)
                )
                if new > old:
                    added += new - old
                    found[form] = new
        return added

    def weight(self, form: str) -> float:
        """Return how much a form weighs among the words that can be suggested, in uses; 0 if it is none of them."""
        return self._weight_of(form.encode())

    def _weight_of(self, raw: bytes) -> float:
        for table in self.tables:
            index = table.index(raw)
            if index is not None:
                return float(table.weights[index])
        return 0.0
