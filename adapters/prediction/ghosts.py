"""Makes ghosts, keeps those that are on screen, and learns how often they are right.

A ghost begins with the likeliest word, or behind the word under the cursor where that may be finished. The n-gram
memory drafts its further words, and one forward pass verifies them. Such a word's probability is the product of its
tokens', times the probability that it ends there. A ghost ends with its sentence or clause. It never recites a passage
that was written once: a word that only one place of the user's text foretells must be the model's own choice too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import regex

from idiolect.adapters.memory.ngram_memory import FastMemory
from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.prediction.calibration import Calibration
from idiolect.adapters.prediction.cursor import Cursor, SplitPrefix
from idiolect.adapters.prediction.look_ahead import NextWord
from idiolect.adapters.prediction.look_value import USUAL_KEY_MS, LookValue, Show
from idiolect.adapters.prediction.next_token import DraftedToken, NextTokenModel
from idiolect.adapters.prediction.ranking import Ranked, WordRanker
from idiolect.adapters.prediction.standing_ghosts import (
    StandingGhosts,
    UnjudgedGhost,
    UnjudgedGhosts,
    extended,
)
from idiolect.adapters.prediction.suggestion import NO_GHOST, Ghost, GhostWord, Word, joined_text
from idiolect.models.tokenizer import Tokenizer

_MIN_FINISHED_PROB = 0.5  # that the word under the cursor is finished, for a ghost behind it
_MIN_UNSPACED_PROB = 0.5  # of a ghost that is shown where no words can be told apart
_UNSPACED_WORD_CHARS = 4  # count as a word in scripts without spaces
_MIN_OWN_PROB = 0.2  # of the model's own, for a token that the memory has seen there once
_RUN_TOKENS = 40  # before a ghost, in which it is seen whether it goes on with what is answered
_KEPT = 64  # beginnings of which the further words are remembered, while the ghost is typed into
_IN_WORD = regex.compile(r" ?[\p{L}\p{N}'’]|[\ufffd]")


class Ghosts:
    """Ghosts of one predictor. For one thread at a time.

    Args:
        next_token: next-token distributions.
        ranker: ranks the words that a ghost is made of.
        tokenizer: of the model.
        memory: the n-gram memory; what is found holds until it grows.
        calibration: how often ghosts of each probability were right; shared, and learns on.
        word_calibration: the same of words of which nothing was typed yet.

    Attributes:
        uptake: the share of right suggestions that the user really takes, 0 to 1.
        show: how much appears by itself.
        standing: the ghosts on screen.
    """

    def __init__(
        self,
        next_token: NextTokenModel,
        ranker: WordRanker,
        tokenizer: Tokenizer,
        memory: FastMemory,
        calibration: Calibration,
        word_calibration: Calibration,
    ) -> None:
        self._next_token = next_token
        self._ranker = ranker
        self._tokenizer = tokenizer
        self._memory = memory
        self._memory_tokens = -1  # of the memory when the next were found
        self._further: dict[tuple[int, ...], list[Word]] = {}
        self._calibration = calibration
        self._word_calibration = word_calibration
        self.standing = StandingGhosts()
        self._unjudged = UnjudgedGhosts()  # found while nothing was answered
        self._unjudged_of_answered = UnjudgedGhosts()  # and beside what is answered now, with words of it
        self.uptake = 1.0
        self.show: Show = "auto"

    def starts(self, ranked: Ranked) -> list[NextWord]:
        """Return the starts of a ghost that the two likeliest words at a cursor make."""
        split, encode = ranked.split, self._tokenizer.encode
        return [
            NextWord(it.text, it.p, split.head + encode(split.start + it.text)) for it in ranked.words[:2]
        ]

    def find(self, cursor: Cursor, ranked: Ranked) -> Ghost:
        """Return the best ghost: it begins with the likeliest of the ``ranked`` words, or behind the one at the cursor.

        What is on screen already stays where the prefix types into it.
        """
        question, must_hide = cursor.question, cursor.silence.must_hide
        value, ghost = self.value(question.key_ms), NO_GHOST
        start = self._best_start(cursor, ranked)
        if start is not None:
            alike = self._alike(ranked, start)
            ghost, unjudged = self._go_on(cursor, start, alike, value)
            if question.remember:
                is_answering = self._next_token.answered is not None
                (self._unjudged_of_answered if is_answering else self._unjudged).add(
                    question.prefix, unjudged
                )
            if must_hide(ghost.text):  # its tail would show too much
                ghost = Ghost.of(ghost.words[:1], show=value.pays(ghost.words[:1], alike))
        return self._keep_standing(cursor, ghost, value)

    def find_unspaced(self, split: SplitPrefix, max_words: int) -> Ghost:
        """Return a ghost in a script without spaces, where words can't be told apart, token by token."""
        drafted = self._next_token.verified_draft(
            split.head, lambda token: not self._tokenizer.ends_line(token)
        )
        text = self._tokenizer.decode(token.id for token in drafted)
        text = text.rstrip("\ufffd")  # a character's bytes may not be complete
        if not text:
            return NO_GHOST
        p = self._calibration(drafted[0].p)
        text = text[: _UNSPACED_WORD_CHARS * max_words]
        ends = [found.end() for found in WORD.finditer(text)]
        text = text[: ends[max_words - 1]] if len(ends) > max_words else text
        value = self.value(None)
        is_likely = p * value.uptake >= _MIN_UNSPACED_PROB
        return Ghost.of([GhostWord(text, p)], show=is_likely and not value.never_pays)

    def list_pays(
        self, words: Sequence[Word], ghost: Ghost, finished: float, key_ms: float | None, *, typed: bool
    ) -> bool:
        """Return True if a list of ``words`` is worth a look; who wants more than that sees all lists.

        Args:
            words: the words.
            ghost: what is shown beside them.
            finished: the probability that the word under the cursor ends there.
            key_ms: the typist's time between two letters.
            typed: True if a letter of the word is typed.
        """
        if self.show == "more" or not words or words[0].replace:  # a correction is worth a look
            return True
        if finished > max(word.p for word in words):  # none of them is meant, it seems
            return False
        calibrate = self._calibration if typed else self._word_calibration
        return self.value(key_ms).list_pays(words, ghost, calibrate)

    def judge(self, text: str) -> None:
        """Learn from a finished text which ghosts were right."""
        self.standing.forget()
        ghosts = self._unjudged.pop_along(text) + self._unjudged_of_answered.pop_along(text)
        judged = [one for ghost in ghosts for one in ghost.judged_in(text)]
        for whole, calibration in ((False, self._calibration), (True, self._word_calibration)):
            calibration.learn_many((p, came) for of_whole, p, came in judged if of_whole is whole)

    def forget_answered(self) -> None:
        """Forget what was found beside the text that was answered."""
        self.forget_shown()
        self._unjudged_of_answered.forget()

    def forget_shown(self) -> None:
        """Forget what is on screen, and the words that were found; what was remembered is judged later."""
        self.standing.forget()
        self._further.clear()

    def _best_start(self, cursor: Cursor, ranked: Ranked) -> NextWord | None:
        """Return the start that is expected to save most: the likeliest word, or the one behind that at the cursor."""
        starts = self.starts(ranked)[:1]
        if not ranked.split.spaced or ranked.split.typed:
            starts += [it for it in self._next_word(ranked) if not cursor.silence.must_hide(it.text)]
        return max(starts, key=lambda start: start.expected_saving, default=None)

    def _next_word(self, ranked: Ranked) -> list[NextWord]:
        """Return the likeliest word behind the one under the cursor, if that one is probably finished.

        As many words are looked for as will be once its space is typed.
        """
        split, finished = ranked.split, ranked.finished if ranked.split.typed else 1.0
        if finished < _MIN_FINISHED_PROB:
            return []
        behind = SplitPrefix(split.head + self._tokenizer.encode(split.start), True, "")
        starts = self.starts(self._ranker.rank(behind, ranked.count))[:1]
        return [replace(start, text=f" {start.text}", p=finished * start.p) for start in starts]

    def _alike(self, ranked: Ranked, start: NextWord) -> float:
        """Return the probability that another word comes that begins with the same letter."""
        calibrate = self._calibration if ranked.split.typed else self._word_calibration
        letter = start.text[:1]
        return sum(
            calibrate(word.p) for word in ranked.words if word.text[:1] == letter and word.text != start.text
        )

    def _go_on(
        self, cursor: Cursor, start: NextWord, alike: float, value: LookValue
    ) -> tuple[Ghost, UnjudgedGhost]:
        """Return the ghost with this first word, and what was looked at for it: one word more than it has, too."""
        question = cursor.question
        whole = not cursor.split.typed or start.text.startswith(" ")
        calibration = self._word_calibration if whole else self._calibration
        words, further = [GhostWord(start.text, calibration(start.p))], list[Word]()
        if value.may_pay(words[0], alike) and question.ghost_words > 1 and not question.given_up():
            for word in self._further_words(start.ids)[: question.ghost_words - 1]:
                further.append(word)
                next_word = GhostWord(word.text, words[-1].p * self._word_calibration(word.p))
                if not value.adds(next_word):
                    break
                words.append(next_word)
        ghost = Ghost.of(words, show=value.pays(words, alike))
        return ghost, UnjudgedGhost(len(question.prefix), start.text, start.p, whole, tuple(further))

    def _further_words(self, ids: list[int]) -> list[Word]:
        """Return the likeliest words behind ``ids``, as far as one pass tells, to the end of the clause.

        Each has the space before it, and the probability, as stated, that it comes if those before it did.
        """
        if self._memory.tokens != self._memory_tokens:
            self._memory_tokens = self._memory.tokens
            self._further.clear()
        key = tuple(ids)
        if key not in self._further:
            if len(self._further) >= _KEPT:
                self._further.clear()
            self._further[key] = self._unless_recited(ids, self._find_further(ids))
        return self._further[key]

    def _unless_recited(self, ids: list[int], words: list[Word]) -> list[Word]:
        """Return the words up to the first one that goes on too long with what is answered."""
        answered = self._next_token.answered
        if answered is None or not words:
            return words
        before = WORD.findall(self._tokenizer.decode(ids[-_RUN_TOKENS:]))
        for place, word in enumerate(words):
            before += WORD.findall(word.text)
            if answered.recites(before):
                return words[:place]
        return words

    def _find_further(self, ids: list[int]) -> list[Word]:
        drafted = self._next_token.verified_draft(ids, self._may_follow)
        words = list[Word]()
        if drafted and not self._starts_word(drafted[0]):  # then the word before it goes on
            return words
        end = 0  # tokens in words that are finished
        starts = [place for place, token in enumerate(drafted) if self._starts_word(token)]
        for start, stop in pairwise([*starts, len(drafted)]):
            tokens = drafted[start:stop]
            ends = tokens[-1].word_ends
            if ends is None:
                break
            if not all(map(_is_supported, tokens)):
                return words
            text = self._tokenizer.decode(token.id for token in tokens)
            words.append(Word(text, ends * float(np.prod([token.p for token in tokens]))))
            end = stop
        last = self._ranked_word(ids + [token.id for token in drafted[:end]])
        return words if last is None else [*words, last]

    def _ranked_word(self, ids: list[int]) -> Word | None:
        """Return the likeliest word behind ``ids``, of all that are known, where that needs no pass."""
        probs = self._next_token.cached_probs(ids)
        if probs is None:
            return None
        behind = SplitPrefix(ids, True, "")
        words = self._ranker.rank(behind, 1).words
        if not words:
            return None
        text = f" {words[0].text}"
        first = self._next_token.judged(ids, self._tokenizer.encode(text)[0], probs)
        return Word(text, words[0].p) if _is_supported(first) else None

    def _may_follow(self, token: int) -> bool:
        """Return True for a token that begins or continues a word: before any other one the clause ends."""
        return bool(_IN_WORD.match(self._tokenizer.token_bytes(token).decode("utf-8", "replace")))

    def _starts_word(self, token: DraftedToken) -> bool:
        return self._tokenizer.token_bytes(token.id).startswith(b" ")

    def _keep_standing(self, cursor: Cursor, ghost: Ghost, value: LookValue) -> Ghost:
        """Return the ghost that is on screen, where the user types into it; else ``ghost``, which is new."""
        question = cursor.question
        standing = self.standing.rest(question.prefix, value)[: question.ghost_words]
        if standing and not value.never_pays and not cursor.silence.must_hide(joined_text(standing)):
            ghost = Ghost.of(extended(standing, ghost.words), show=True)
        if ghost.show:
            self.standing.show(question.prefix, value.key_s, ghost.words)
        return ghost

    def value(self, key_ms: float | None) -> LookValue:
        """Return the judge for a typist with this time between two letters, None for the usual one."""
        return LookValue.of(self.show, (key_ms or USUAL_KEY_MS) / 1e3, self.uptake)


def _is_supported(token: DraftedToken) -> bool:
    return token.times_seen > 1 or token.own_p >= _MIN_OWN_PROB
