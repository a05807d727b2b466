"""Makes ghosts, keeps those that are on screen, and learns how often they are right.

A ghost begins with the likeliest word, or behind the word under the cursor where that may be finished, and goes on for
as long as what comes is likely.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from idiolect.adapters.ngram_memory import FastMemory
from idiolect.adapters.prediction.answered import Answered
from idiolect.adapters.prediction.calibration import Calibration
from idiolect.adapters.prediction.ghost_history import LookedAt, StandingGhosts, UnjudgedGhosts, extended
from idiolect.adapters.prediction.ghost_tail import FurtherWord, GhostTails
from idiolect.adapters.prediction.ghost_value import USUAL_KEY_MS, GhostValue, Show
from idiolect.adapters.prediction.next_token import NextTokenModel
from idiolect.adapters.prediction.ranking import SplitPrefix, WordRanker
from idiolect.adapters.prediction.suggestion import NO_GHOST, Ghost, GhostWord, Word, joined_text
from idiolect.adapters.vocabulary import WORD, Matches
from idiolect.models.tokenizer import Tokenizer

_MIN_TOKEN_PROB = 0.35  # of each token of a ghost where no words can be told apart
_MIN_FINISHED_PROB = 0.5  # that the word under the cursor is finished, for a ghost behind it
_MIN_UNSPACED_PROB = 0.5  # of a ghost that is shown where no words can be told apart
_UNSPACED_WORD_CHARS = 4  # count as a word in scripts without spaces


@dataclass(frozen=True)
class GhostStart:
    """The first word of a ghost: ``text`` from the cursor to the word's end, ``ids`` all tokens up to there."""

    text: str
    p: float
    ids: list[int]

    @property
    def expected_saving(self) -> float:
        """Keystrokes that it saves on average."""
        return self.p * (len(self.text) - 1)


@dataclass(frozen=True)
class GhostQuestion:
    """What is asked of a ghost.

    Attributes:
        prefix: the text before the cursor.
        split: the same, split.
        matches: the words that begin as typed.
        words: the same, as they are offered.
        count: how many words were looked for.
        max_words: the longest ghost, in words.
        key_ms: the typist's time between two letters.
        must_hide: whether a text must not be shown.
        given_up: True if nobody waits for it any more; asked before each pass that only a ghost needs.
        remember: whether it is kept until the finished text shows whether it was right.
    """

    prefix: str
    split: SplitPrefix
    matches: Matches
    words: Sequence[Word]
    count: int
    max_words: int
    key_ms: float
    must_hide: Callable[[str], bool]
    given_up: Callable[[], bool]
    remember: bool


class Ghosts:
    """Ghosts of one predictor. For one thread at a time.

    Args:
        next_token: next-token distributions.
        ranker: ranks the words that a ghost is made of.
        tokenizer: of the model.
        memory: the n-gram memory, which drafts.
        calibration: how often ghosts of each probability were right; shared, and learns on.
        word_calibration: the same of words of which nothing was typed yet.

    Attributes:
        acceptance_rate: the share of right suggestions that the user really takes, 0 to 1.
        show: how much appears by itself.
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
        self._tails = GhostTails(next_token, ranker, tokenizer, memory)
        self._calibration = calibration
        self._word_calibration = word_calibration
        self._standing = StandingGhosts()
        self._unjudged = UnjudgedGhosts()  # found while nothing was answered
        self._unjudged_of_answered = UnjudgedGhosts()  # and beside what is answered now, with words of it
        self._answers = False
        self.acceptance_rate = 1.0
        self.show: Show = "auto"

    def start_with(self, split: SplitPrefix, word: Word) -> GhostStart:
        """Return the ghost's start that a word at the cursor makes."""
        return GhostStart(word.text, word.p, split.head + self._tokenizer.encode(split.start + word.text))

    def find(self, asked: GhostQuestion, likeliest: Sequence[GhostStart]) -> Ghost:
        """Return the best ghost: it begins with one of the ``likeliest`` words, or behind the one under the cursor.

        What is on screen already stays where the prefix types into it.
        """
        value, ghost = self._value(asked.key_ms), NO_GHOST
        start = self._best_start(asked, likeliest)
        if start is not None:
            alike = self._alike(asked, start)
            ghost, looked_at = self._go_on(asked, start, alike, value)
            if asked.remember:
                unjudged = self._unjudged_of_answered if self._answers else self._unjudged
                unjudged.add(asked.prefix, looked_at)
            if asked.must_hide(ghost.text):  # its tail would show too much
                ghost = Ghost.of(ghost.words[:1], show=value.pays(ghost.words[:1], alike))
        return self._keep_standing(asked, ghost, value)

    def find_unspaced(self, split: SplitPrefix, max_words: int) -> Ghost:
        """Return a ghost in a script without spaces, where words can't be told apart, token by token."""
        tokens = self._next_token.greedy_draft(
            split.head,
            _MIN_TOKEN_PROB,
            lambda token: not self._tokenizer.ends_line(token),
            force_pass=True,
        )
        text = self._tokenizer.decode(tokens).rstrip("\ufffd")  # a character's bytes may not be complete
        if not text:
            return NO_GHOST
        p = self._calibration(float(self._next_token.next_probs(split.head)[tokens[0]]))
        text = text[: _UNSPACED_WORD_CHARS * max_words]
        ends = [found.end() for found in WORD.finditer(text)]
        text = text[: ends[max_words - 1]] if len(ends) > max_words else text
        value = self._value(USUAL_KEY_MS)
        is_likely = p * value.uptake >= _MIN_UNSPACED_PROB
        return Ghost.of([GhostWord(text, p)], show=is_likely and not value.never_pays)

    def list_pays(
        self, words: Sequence[Word], ghost: Ghost, finished: float, key_ms: float, *, typed: bool
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
        return self._value(key_ms).list_pays(words, ghost, calibrate)

    def judge(self, text: str) -> None:
        """Learn from a finished text which ghosts were right."""
        self._standing.forget()
        ghosts = self._unjudged.pop_along(text) + self._unjudged_of_answered.pop_along(text)
        for whole, calibration in ((False, self._calibration), (True, self._word_calibration)):
            calibration.learn_many(
                judged for ghost in ghosts for judged in ghost.judged_in(text, whole=whole)
            )

    def answer(self, answered: Answered | None) -> None:
        """From now on recite no whole sentence of what the user answers; forget what was found beside another text."""
        self.forget_shown()
        self._unjudged_of_answered.forget()
        self._answers = answered is not None
        self._tails.answer(answered)

    def forget_shown(self) -> None:
        """Forget what is on screen, and the words that were found; what was remembered is judged later."""
        self._standing.forget()
        self._tails.forget()

    def _best_start(self, asked: GhostQuestion, likeliest: Sequence[GhostStart]) -> GhostStart | None:
        """Return the start that is expected to save most: one of these, or the word behind the one under the cursor."""
        starts = [*likeliest]
        if not asked.split.spaced or asked.split.typed:
            starts += [start for start in self._next_word(asked) if not asked.must_hide(start.text)]
        return max(starts, key=lambda start: start.expected_saving, default=None)

    def _next_word(self, asked: GhostQuestion) -> list[GhostStart]:
        """Return the likeliest word behind the one under the cursor, if that one is probably finished.

        As many words are looked for as will be once its space is typed.
        """
        split = asked.split
        finished = self._ranker.finished_prob(split, asked.matches) if split.typed else 1.0
        if finished < _MIN_FINISHED_PROB:
            return []
        behind = SplitPrefix(split.head + self._tokenizer.encode(split.start), True, "")
        ranked = self._ranker.rank(behind, self._ranker.match(behind, asked.count))[:1]
        starts = [self.start_with(behind, word) for word in ranked]
        return [replace(start, text=f" {start.text}", p=finished * start.p) for start in starts]

    def _alike(self, asked: GhostQuestion, start: GhostStart) -> float:
        """Return the probability that another word comes that begins with the same letter."""
        calibrate = self._calibration if asked.split.typed else self._word_calibration
        letter = start.text[:1]
        return sum(
            calibrate(word.p) for word in asked.words if word.text[:1] == letter and word.text != start.text
        )

    def _go_on(
        self, asked: GhostQuestion, start: GhostStart, alike: float, value: GhostValue
    ) -> tuple[Ghost, LookedAt]:
        """Return the ghost with this first word, and what was looked at for it: one word more than it has, too."""
        whole = not asked.split.typed or start.text.startswith(" ")
        calibration = self._word_calibration if whole else self._calibration
        words, further = [GhostWord(start.text, calibration(start.p))], list[FurtherWord]()
        if value.may_pay(words[0], alike) and asked.max_words > 1 and not asked.given_up():
            for word in self._tails.further_words(start.ids)[: asked.max_words - 1]:
                further.append(word)
                next_word = GhostWord(word.text, words[-1].p * self._word_calibration(word.p))
                if not value.adds(next_word):
                    break
                words.append(next_word)
        ghost = Ghost.of(words, show=value.pays(words, alike))
        return ghost, LookedAt(start.text, start.p, whole, tuple(further))

    def _keep_standing(self, asked: GhostQuestion, ghost: Ghost, value: GhostValue) -> Ghost:
        """Return the ghost that is on screen, where the user types into it; else ``ghost``, which is new."""
        standing = self._standing.rest(asked.prefix, value)[: asked.max_words]
        if standing and not value.never_pays and not asked.must_hide(joined_text(standing)):
            ghost = Ghost.of(extended(standing, ghost.words), show=True)
        if ghost.show:
            self._standing.show(asked.prefix, value.key_s, ghost.words)
        return ghost

    def _value(self, key_ms: float) -> GhostValue:
        return GhostValue.of(self.show, key_ms / 1e3, self.acceptance_rate)
