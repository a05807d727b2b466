"""The words that can be suggested: general ones, and every word the user has typed, capitals as typed.

Where the user writes several languages, a word has its uses in each, and weighs what the language at hand makes of
them: with a belief ``b`` in each language, a word's share of what begins with its first token is ``Σ b·uses`` by
``Σ b·total``, and the chance that the text is in the word's language, once it stands there, is ``Σ b²·uses`` by
``Σ b·uses``. The product of both leaves little to words of the other language, and lets one through that nothing else
explains.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import regex
from numpy.typing import NDArray

from idiolect.adapters.memory.steps import Steps, finish
from idiolect.adapters.memory.word_parts import elided_chars, second_part_starts
from idiolect.adapters.memory.word_table import WordTable
from idiolect.models.lexicon import NONE, Lexicon
from idiolect.models.word_lists import small_words

WORD = regex.compile(r"[\p{L}\p{N}'’]+")
"""A word: a run of letters, digits and apostrophes, as keystroke savings count them."""

_GENERAL_USES = 50_000.0  # how many words of the user's own text the general frequencies count for
SMALL_NAME = 0.03
"""The share of a name's uses that are in small letters, "december"."""
_FOREIGN = 0.01  # the share of a foreign word's uses, "italia", that are in English text
_HABIT = 5  # names in small letters that the user typed
_NO_WORDS = 20.0  # of all that begins with a space as a token of its own, as a multiple of the words that do
_MAX_NEW = 200  # of the user's words that are filed apart from the settled ones
_TEXTS_A_STEP, _FORMS_A_STEP = 256, 64
# Of the uses of a word that no language lists, a name: what it counts for in another language.
_ELSEWHERE: Final = 0.1
_LEAST_BELIEF: Final = 0.004  # that the text goes on in another language
_BELIEF_STEPS: Final = 6.0  # to a power of e, to which beliefs are rounded
_SENTENCE: Final = regex.compile(r"[^.!?…\n]+")
RUN_OF_THREE: Final = regex.compile(r"(\p{L})\1\1")
"""A letter that stands there three times."""
_DRAWN_OUT: Final = 0.01  # words a sentence, from which on somebody draws words out on purpose
_BEGUN: Final = regex.compile(r"(?:\A|(?<=[\p{L}\p{N})][.!?…] ))(\p{L})")  # the first letter of a sentence
_SAME_LANGUAGE: Final = 0.3  # what a text's other sentences count for in the language of one
# A word: the last few hundred words count for what was written in each language.
_WRITTEN_FADES: Final = 0.998
UNLISTED: Final = 2e-7
"""Uses per word of text that a word has at least, in each language."""
_OTHERS_WORD: Final = 20.0  # times that another language uses a word as often as that at hand
# Shares of the words of a text that are one token. Below, the model has hardly seen the language, and its second tokens
# say little; above, words of several tokens are rare.
_CUT_WELL: Final = 0.6, 0.85
_MAX_FORM_BYTES = 64  # bytes of a form that is kept: an array has the width of its widest
_SECOND_TOKENS_KEPT = 64  # first tokens of which the weights by second token are kept
MAX_WORD_CHARS = 40
"""Characters; longer runs are not words that anyone wants offered."""


def _is_drawn_out(word: str) -> bool:
    """Whether a word has a letter three times on purpose: no address, number of a king or code has."""
    return word.isalpha() and word[1:].islower() and RUN_OF_THREE.search(word) is not None


class WordVocabulary:
    """Word forms with weights, filed by the tokens that begin them, alone and after a space.

    Attributes:
        general: the table of the general words, which the ``lexicon`` has.
        typed: (words,) how often the user typed each general word.
        first_tokens: the tokens that begin general words, alone and after a space.
        at_hand: the place of the language that the text is probably in.
        belief: how probable each language is; the weights of the words are made of it.
        written: (languages,) words that the user wrote in each language lately.
    """

    def __init__(self, lexicon: Lexicon, encode: Callable[[str], list[int]], vocab: int) -> None:
        self.lexicon = lexicon
        self.encode = encode
        self._vocab = vocab
        self.languages = lexicon.languages
        self.at_hand = 0
        self.belief: tuple[float, ...] = ()
        self.written = np.ones(len(self.languages))
        whole = lexicon.second[1] == NONE
        self._whole = [float(row[whole].sum() / max(row.sum(), 1e-30)) for row in lexicon.by_language]
        self._writes_small = [False] * len(self.languages)
        uses = lexicon.by_language * np.float32(_GENERAL_USES)
        for row, names in zip(uses, lexicon.names, strict=True):
            row[names[1]] *= SMALL_NAME
        if "en" in self.languages:
            uses[self.languages.index("en"), lexicon.foreign] *= _FOREIGN
        self.general = WordTable.of(lexicon.forms, uses, lexicon.first, lexicon.second)
        self.typed = np.zeros(len(lexicon.forms), np.float32)
        self._begun_large = self._begun_small = 0  # sentences, by their first letter
        self._drawn_out = 0  # words: "sooo"
        self.first_tokens = [np.flatnonzero(np.bincount(row)) for row in lexicon.first]
        # Weight of all words that begin with a token: (languages, alone or after a space, vocab)
        self._totals = np.stack(
            [np.stack([np.bincount(row, weights, vocab) for row in lexicon.first]) for weights in uses]
        ).astype(np.float32)
        if len(space := encode(" ")) == 1:  # far more digits and code follow this token than words
            self._totals[:, 1, space[0]] *= _NO_WORDS
        # (2, vocab), for the language at hand
        self._total = self._totals[0] if len(uses) == 1 else np.empty_like(self._totals[0])
        # The user's own, settled and new: after an entry with a new word only the few new ones are filed again.
        none = np.zeros(0, "S1"), np.zeros((len(uses), 0), np.float32)
        self._no_table = WordTable.of(*none, np.zeros((2, 0), np.int32), np.zeros((2, 0), np.int32))
        self._own = self._no_table, self._no_table
        self._by_second: dict[tuple[int, int], tuple[NDArray[np.intp], NDArray[np.float32]]] = {}
        self._weigh((1 / len(uses),) * len(uses))

    def learn_many(self, texts: Iterable[str]) -> None:
        """Count the words of many entries at once."""
        finish(self.learn_in_steps(texts))

    def learn_in_steps(self, texts: Iterable[str]) -> Steps[None]:
        """Count the words of many entries in short steps; between the last ones some of them are known."""
        counted = [Counter[str]() for _ in self.languages]
        for number, text in enumerate(texts):
            for letter in _BEGUN.findall(text):
                self._begun_large += letter.isupper()
                self._begun_small += letter.islower()
            if RUN_OF_THREE.search(text) is not None:
                self._drawn_out += sum(_is_drawn_out(word.strip(".,;:!?…\"'()")) for word in text.split())
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
        new = self._count(self.general, new)
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
        nats = [np.log(self.frequencies(words)).sum(0) for words in sentences]
        whole = _SAME_LANGUAGE * sum(nats)
        for words, by_language in zip(sentences, nats, strict=True):
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
            if (index := self.general.index(word.lower().replace("’", "'").encode())) is not None:
                np.maximum(found[place], self.lexicon.by_language[:, index], out=found[place])
        return found

    def begun_frequencies(self, typed: str) -> NDArray[np.float64]:
        """Return how often each language uses words that begin so: (languages,), per word of text."""
        start, end = self.general.prefix_range(typed.encode())
        uses = self.general.uses[:, start:end].sum(1) / _GENERAL_USES
        found: NDArray[np.float64] = np.maximum(uses.astype(np.float64), UNLISTED)
        return found

    def is_capitalized_in(self, language: int, word: str) -> bool:
        """Return True if a language, by its place, writes a word with a capital."""
        return self.lexicon.is_name(word, language)

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
    def begins_large(self) -> float:
        """How many sentences the user begins with a capital for each with a small letter; 1 where nothing is known."""
        return (self._begun_large + 1) / (self._begun_small + 1)

    @property
    def draws_out(self) -> bool:
        """Whether the user draws out words ("sooo"), or may do so, as far as is known."""
        return self._drawn_out + 1 > _DRAWN_OUT * (self._begun_large + self._begun_small)

    @property
    def writes_names_small(self) -> bool:
        """Whether the user writes names in small letters more often than not, in the language at hand."""
        return self._writes_small[self.at_hand]

    def _weigh_small_names(self) -> None:
        """Give names in small letters their full weight where the user writes names so, and little where not."""
        for language, (large, small) in enumerate(self.lexicon.names):
            times_large, times_small = float(self.typed[large].sum()), float(self.typed[small].sum())
            writes_small = times_small >= _HABIT and times_small > times_large
            if writes_small == self._writes_small[language]:
                continue
            full = self.lexicon.by_language[language, small] * np.float32(_GENERAL_USES)
            more = full * np.float32(1 - SMALL_NAME if writes_small else SMALL_NAME - 1)
            for row in (0, 1):
                np.add.at(self._totals[language, row], self.general.first[row, small], more)
            self.general.uses[language, small] += more
            self._writes_small[language] = writes_small

    def is_name(self, form: str) -> bool:
        """Return True if a word is written with a capital, by everybody or by the user, and never small by the user."""
        small, large = form[:1].lower() + form[1:], form[:1].upper() + form[1:]
        if self.lexicon.is_name(small, self.at_hand):
            return not self.count_form(small)
        # A word that is no name in general may be a name only if the general list lacks it.
        is_own = any(table.index(large.encode()) is not None for table in self._own)
        return is_own and not self.count_form(small) and self.general.index(small.encode()) is None

    def second_part_starts(self, typed: str) -> list[int]:
        """Return after how many letters the second part of a compound may begin, as the language at hand makes them."""
        return second_part_starts(
            typed, self.language_at_hand, lambda word: self.weight(word) > 0, self._begins_word
        )

    def _begins_word(self, letters: str) -> bool:
        start, end = self.general.prefix_range(letters.encode())
        return start < end

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
        if (index := self.general.index(raw)) is not None:
            return round(float(self.typed[index]))
        return 0

    def typed_forms(self) -> list[str]:
        """Return all words that the user typed, in just these capitals."""
        forms = [self.general.forms[self.typed > 0], *(table.forms for table in self._own)]
        return [form.decode() for form in np.concatenate(forms).tolist()]

    def general_frequency(self, word: str) -> float:
        """Return the most uses of a word, per word of text, that any of the languages has; 0 if no list has it."""
        index = self.general.index(word.lower().encode())
        return 0.0 if index is None else float(self.lexicon.frequency[index])

    @property
    def tables(self) -> tuple[WordTable, ...]:
        """The general words, and the user's own, settled and new; other tables stand here once the user has more."""
        return self.general, *(table for table in self._own if len(table.forms))

    def total_of(self, row: int) -> NDArray[np.float32]:
        """Return the weight (vocab,) of all words that begin with a token, alone (0) or after a space (1)."""
        weights: NDArray[np.float32] = self._total[row]
        return weights

    def _tokens_of(self, form: bytes) -> tuple[int, int, int, int]:
        """Return a form's first token alone and after a space, and its second token alone and after a space."""
        alone, spaced = self.encode(form.decode()), self.encode(f" {form.decode()}")
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
        if table is self.general:
            self.typed[at] += times.sum(0)
        for total, more in zip(self._totals, times, strict=True):
            for row in (0, 1):
                np.add.at(total[row], table.first[row, at], more)
        return {form: used[form] for form in forms[~known].tolist()}

    def second_token_weights(self, row: int, token: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Return the second tokens of the words that begin with a token, in order, and the weight behind each."""
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

    def weight(self, form: str) -> float:
        """Return how much a form weighs among the words that can be suggested, in uses; 0 if it is none of them."""
        raw = form.encode()
        for table in self.tables:
            if (index := table.index(raw)) is not None:
                return float(table.weights[index])
        return 0.0
