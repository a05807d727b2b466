"""From a prefix to words and ghost text; and whether the ghost is worth showing.

Words are ranked by :class:`~idiolect.adapters.prediction.ranking.WordRanker`. A ghost begins with the likeliest word,
or behind the word under the cursor where that may be finished, and goes on for as long as what comes is likely.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import regex

from idiolect.adapters.mending.spelling import GeneralWords
from idiolect.adapters.mending.typing_channel import TypingChannel
from idiolect.adapters.prediction.calibration import WHOLE_WORDS, Calibration
from idiolect.adapters.prediction.ghost import NO_GHOST, Ghost, GhostWord, cut_before, of_words
from idiolect.adapters.prediction.ghost_tail import MIN_TOKEN_PROB, FurtherWord, GhostTails
from idiolect.adapters.prediction.ghost_value import USUAL_KEY_MS, GhostValue, Show
from idiolect.adapters.prediction.language import Languages
from idiolect.adapters.prediction.letter_case import without_twins
from idiolect.adapters.prediction.mending import Mender
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.prediction.next_token import NextTokenModel
from idiolect.adapters.prediction.ranking import UNSPACED, SplitPrefix, Word, WordRanker
from idiolect.adapters.prediction.standing_ghosts import StandingGhosts, extended
from idiolect.adapters.prediction.suggestion import Suggestion
from idiolect.adapters.prediction.unjudged_ghosts import LookedAt, UnjudgedGhosts
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.adapters.steps import Steps
from idiolect.adapters.vocabulary import MAX_WORD_CHARS, WORD, Matches
from idiolect.models.session import Adapter, Interrupt, Model
from idiolect.models.tokenizer import Tokenizer

_ENDS_UNSPACED = regex.compile(rf"[{UNSPACED}]\Z")
_MIN_TOKEN_PROB = 0.35  # of each token of a ghost where no words can be told apart
_MIN_FINISHED_PROB = 0.5  # that the word under the cursor is finished, for a ghost behind it
_MIN_UNSPACED_PROB = 0.5  # of a ghost that is shown where no words can be told apart
_SPARE_TOKENS = 2 * (4 * MAX_WORD_CHARS + 1)  # two words, the one under the cursor too, four bytes a letter
_UNSPACED_WORD_CHARS = 4  # count as a word in scripts without spaces
_RANKED_WORDS = 5_000  # among which a word is looked for, to say how probable it is
MIN_WORD_PROB = 0.005
"""Of a word that is offered beside one that is more likely than not."""
_MIN_NEXT_WORD_SHARE = 0.2  # of that, for a word of which nothing is typed
_LIKELY_WORD_PROB = 0.5  # of a word beside which unlikely ones are noise
_SPARE_MATCHES = 3  # words looked for beyond those asked for: some are left out
_SPARE_FOREIGN = 40  # the same in a language that is not known, where most are left out
_MIN_PREFETCH_PROB = 0.3  # of a next word that is worth a forward pass before it is typed
_JUST_NOW_S = 10.0  # after it was asked, a question is likely to go on
_MISTYPED: Final = "teh"
_NEAR_CHARS: Final = 64  # before a cursor, by which it is known where a text goes on


@dataclass(frozen=True)
class _GhostStart:
    """The first word of a ghost: ``text`` from the cursor to the word's end, ``ids`` all tokens up to there."""

    text: str
    p: float
    ids: list[int]

    @property
    def expected_saving(self) -> float:
        """Keystrokes that it saves on average."""
        return self.p * (len(self.text) - 1)


@dataclass(frozen=True)
class _Prefetch:
    """A pass under way that nobody waits for yet: what it needs to be typed behind ``near``, the end of the text."""

    near: str
    text: str
    interrupt: Interrupt

    def is_needed_at(self, prefix: str) -> bool:
        """Return True if it computes what a suggestion after ``prefix``, where the word has ended, needs."""
        whole, end = f"{self.near}{self.text} ", prefix[-_NEAR_CHARS:]
        least = len(self.near) + len(self.text)
        return any(whole[:length].endswith(end) for length in range(least, len(whole) + 1))


class Predictor:
    """Suggestions from one model, one adapter and what is known of the user. For one thread, but :meth:`make_way`.

    Args:
        model: the loaded graph.
        tokenizer: its tokenizer.
        user_model: shared with other predictors; not owned.
        mixture: the weights of the model and the n-gram memory; learns on.
        adapter: the LoRA tensors, or None for the base.
        adapter_id: the adapter's number, for answers.
        context_tokens: the most tokens of the prefix that are read.
        calibration: how often ghosts of each probability were right; shared, and learns on.
        word_calibration: the same of words of which nothing was typed yet, those behind a ghost's first one too.
        min_word_prob: the least probability, 0 to 1, of a word that is offered beside one that is more likely than not.
        general: the general words, for corrections; shared. None makes no corrections, and takes all text to be in a
            language that is known.
        channel: what mistakes cost on the user's keyboard.

    Attributes:
        acceptance_rate: the share of right suggestions that the user really takes, 0 to 1.
        show: how much appears by itself.
    """

    def __init__(
        self,
        model: Model,
        tokenizer: Tokenizer,
        user_model: UserModel,
        mixture: Mixture,
        *,
        adapter: Adapter | None = None,
        adapter_id: int | None = None,
        context_tokens: int = 512,
        calibration: Calibration | None = None,
        word_calibration: Calibration | None = None,
        min_word_prob: float = MIN_WORD_PROB,
        general: GeneralWords | None = None,
        channel: TypingChannel | None = None,
    ) -> None:
        self._min_word_prob = min_word_prob
        self.adapter_id = adapter_id
        self.adapter = adapter
        self._tokenizer = tokenizer
        self._user_model = user_model
        self._next_token = NextTokenModel(
            model,
            user_model,
            mixture,
            adapter=adapter,
            window=context_tokens,
            spare=_SPARE_TOKENS,
            continues_word=tokenizer.continuing_word,
        )
        self._calibration = calibration or Calibration()
        self._word_calibration = word_calibration or Calibration(prior=WHOLE_WORDS)
        self.acceptance_rate = 1.0
        self.show: Show = "auto"
        self._unjudged_ghosts = UnjudgedGhosts()
        self._standing_ghosts = StandingGhosts()
        self._answered = ""
        self._ranker = WordRanker(tokenizer, user_model, self._next_token)
        self._languages = None if general is None else Languages(user_model.words)
        self._tails = GhostTails(self._next_token, self._ranker, tokenizer, user_model.memory)
        self._mender = None
        if general is not None:
            self._mender = Mender(
                self._ranker, self._next_token, user_model, general, channel or TypingChannel()
            )
        # Of the last answer, for prefetching: its best words, and whether a ghost of several words was asked for.
        self._likely_next: Sequence[_GhostStart] = ()
        self._wants_tail, self._near = True, ""
        self._prefetching: _Prefetch | None = None
        self._asked_last: tuple[float, str, int] | None = None  # when, the prefix, and words of the ghost

    def warm(self, former: Predictor | None = None) -> Steps[None]:
        """Read the recent entries, so that the first keystroke finds them in the KV cache; a few tokens a step.

        Args:
            former: a predictor over the same user model, whose place this one takes: the texts that are being written
                with it are read too, and what it was asked just now is answered.
        """
        yield from self._read([])
        if self._mender is not None:
            self._make_tables()
            yield
        # Another user model may lack what was forgotten, and the former predictor's drafts still hold it.
        if former is None or former._user_model is not self._user_model:
            return
        for ids in former._next_token.active_texts():
            yield from self._read(ids)
        asked_last = former._asked_last
        if asked_last is not None and time.monotonic() - asked_last[0] < _JUST_NOW_S:
            self.suggest(asked_last[1], ghost_words=asked_last[2], remember=False)

    def _make_tables(self) -> None:
        """Make what the first key with corrections needs and later ones find made: it takes a tenth of a second."""
        split = self._ranker.split(_MISTYPED)
        matches = self._ranker.match(split, 1)
        words = self._offered(split, matches, lambda _word: False, small_names=False)
        if self._mender is not None and self._languages is not None:
            is_known = self._languages.knows(_MISTYPED)
            self._mender.words(_MISTYPED, split, matches, words, 1, is_known=is_known)

    def _read(self, ids: list[int]) -> Steps[None]:
        yield from self._next_token.prefill_in_pieces(ids)
        self._next_token.next_probs(ids)
        yield

    def answer(self, text: str) -> None:
        """From now on suggest for who answers ``text``; of what was answered before nothing is left."""
        if text == self._answered:
            return
        self._answered = text
        self._next_token.answer(self._tokenizer.encode(text + "\n") if text else [])
        self._ranker.answer(text)
        self._tails.forget()
        self._standing_ghosts.forget()
        self._unjudged_ghosts.forget()
        self._likely_next, self._near = (), ""

    def prefill_in_pieces(self, prefix: str, answered: str = "") -> Steps[None]:
        """Read most of what a suggestion after a long ``prefix`` needs, one forward pass a step.

        Other suggestions can be made between two passes. There is no step where little is to be read.
        """
        self.answer(answered)
        for _ in self._next_token.prefill_in_pieces(self._ranker.split(prefix).head):
            yield
            self.answer(answered)

    def suggest(
        self,
        prefix: str,
        suffix: str = "",
        candidates: int = 3,
        ghost_words: int = 8,
        *,
        given_up: Callable[[], bool] = lambda: False,
        remember: bool = True,
        corrections: bool = False,
        key_ms: float = USUAL_KEY_MS,
        answered: str = "",
    ) -> Suggestion:
        """Return words that finish the one under the cursor or come next, and a continuation.

        Args:
            prefix: text before the cursor; only its end counts.
            suffix: text after the cursor. Inside a word nothing is suggested, nor what stands there already.
            candidates: words wanted, the most probable first.
            ghost_words: the longest continuation, in words; 0 for none.
            given_up: called before each pass that only a ghost needs; True if nobody waits for it any more.
            remember: keep the ghost for :meth:`observe`. Without it nothing of the prefix is kept but what saves
                reading it again, until :meth:`forget_texts`.
            corrections: also offer what may have been meant in place of the word under the cursor, and say what was
                meant by the word that just ended. Where a correction comes first among the words there is no
                continuation.
            key_ms: the typist's time between two letters, for which a ghost is judged.
            answered: what the user is answering.
        """
        started = time.perf_counter()
        self.answer(answered)
        words: list[Word] = []
        ghost, correction, finished = NO_GHOST, None, 0.0
        mender = self._mender if corrections and not WORD.match(suffix) else None
        split, must_hide = self._ranker.split(prefix), self._user_model.guard(prefix)
        before = prefix[: len(prefix) - len(split.typed)]
        is_known = self._languages is None or self._languages.knows(before)
        if self._languages is not None and not is_known:
            follows = self._ranker.expected_by_memory(split)
            must_hide = _either(must_hide, self._languages.only_own(before, split.typed, follows))
        if mender is not None:  # first: what stands before the word is read before what stands behind it
            correction = mender.ended(prefix, is_known=is_known)
        if remember:
            self._asked_last = time.monotonic(), self._next_token.truncate_text(prefix), ghost_words
        if WORD.match(suffix) or len(split.typed) > MAX_WORD_CHARS:
            pass
        elif _ENDS_UNSPACED.search(prefix):
            if ghost_words and not given_up():
                ghost = self._unspaced_ghost(split, ghost_words)
                ghost = NO_GHOST if must_hide(ghost.text) else ghost
        elif candidates or ghost_words or split.typed:  # else the correction is all that is asked for
            spare = self._user_model.preferences.more + (_SPARE_MATCHES if is_known else _SPARE_FOREIGN)
            count = max(candidates, 1) + spare
            matches = self._ranker.match(split, count)
            words = self._offered(split, matches, must_hide, small_names=mender is None)
            finished = self._ranker.finished_prob(split, matches)
            starts = [self._start_with(split, word) for word in words[:2]]
            ranked = words
            self._likely_next, self._wants_tail = starts, ghost_words > 1
            self._near = prefix[-_NEAR_CHARS:]
            words = self._ranker.keep_models_word(split, words, candidates)
            if mender is not None:
                words = mender.words(prefix, split, matches, words, candidates + 1, is_known=is_known)
            if self._languages is not None and words:
                words = words if words[0].p >= self._languages.least_prob(before, split.typed) else []
            mistyped = bool(words) and words[0].replace > 0  # a ghost would go on from the mistake
            if ghost_words and not mistyped and not given_up():
                start = self._best_start(split, matches, starts[:1], must_hide, count)
                value = self._ghost_value(key_ms)
                if start is not None:
                    alike = self._alike(start.text, ranked, typed=bool(split.typed))
                    ghost, pending = self._complete_ghost(split, start, alike, ghost_words, value, given_up)
                    if remember:
                        self._unjudged_ghosts.add(prefix, pending)
                    if must_hide(ghost.text):  # its tail would show too much
                        ghost = of_words(ghost.words[:1], value.pays(ghost.words[:1], alike))
                ghost = self._keep_standing(prefix, ghost, ghost_words, value, must_hide)
        behind = WORD.search(suffix)
        if behind is not None:
            words = [
                word
                for word in words
                if split.typed[: len(split.typed) - word.replace] + word.text != behind[0]
            ]
            ghost = cut_before(ghost, split.typed, behind[0])
        shown = words[:candidates]
        show_words = self.show != "asked" and (
            correction is not None or self._words_pay(shown, ghost, finished, key_ms, typed=bool(split.typed))
        )
        elapsed_ms = (time.perf_counter() - started) * 1e3
        return Suggestion(
            tuple(shown), ghost, self.adapter_id, elapsed_ms, correction, finished, show_words=show_words
        )

    def _words_pay(
        self, words: Sequence[Word], ghost: Ghost, finished: float, key_ms: float, *, typed: bool
    ) -> bool:
        """Return True if a list of ``words`` is worth a look; who wants more than that sees all lists."""
        if self.show == "more" or not words or words[0].replace:  # a correction is worth a look
            return True
        if finished > max(word.p for word in words):  # none of them is meant, it seems
            return False
        calibrate = self._calibration if typed else self._word_calibration
        return self._ghost_value(key_ms).list_pays(words, ghost, calibrate)

    def _offered(
        self, split: SplitPrefix, matches: Matches, must_hide: Callable[[str], bool], *, small_names: bool
    ) -> list[Word]:
        """Return the words that may be shown, the likeliest first, each in one form.

        With ``small_names`` names may stand behind small letters, for who can't take those back.
        """
        words = self._ranker.rank(split, matches)
        if not split.typed:  # once the first letter is there, either form may be meant
            words, least = without_twins(words), _MIN_NEXT_WORD_SHARE * self._min_word_prob
        else:
            least = self._min_word_prob if words and words[0].p >= _LIKELY_WORD_PROB else 0.0
        return [
            word
            for word in words
            if word.p >= least
            and not must_hide(word.text)
            and (small_names or not self._user_model.words.is_name_written_small(split.typed + word.text))
        ]

    def prefetch(self, min_prob: float = _MIN_PREFETCH_PROB) -> Steps[None]:
        """Make the passes that the likeliest next words will need, while nobody waits for a suggestion; a pass a step.

        Args:
            min_prob: the least probability of a word that a pass is made for.
        """
        likely_next = self._likely_next
        for start in likely_next:
            if start.p < min_prob or self._likely_next is not likely_next:
                return
            prefetch = _Prefetch(self._near, start.text, Interrupt())
            self._prefetching = prefetch
            try:
                self._next_token.prefetch(
                    start.ids, MIN_TOKEN_PROB if self._wants_tail else None, prefetch.interrupt
                )
            finally:
                self._prefetching = None
            yield

    def make_way(self, prefix: str | None) -> None:
        """Interrupt a pass of :meth:`prefetch`, unless it computes what a suggestion after ``prefix`` needs.

        Any thread may call this while another one makes the pass. None is other work, which needs no such pass.
        """
        prefetch = self._prefetching
        if prefetch is not None and not (prefix is not None and prefetch.is_needed_at(prefix)):
            prefetch.interrupt.stop()

    def precompute(self, text: str) -> None:
        """Make most of the passes that typing ``text`` will need, many positions in one pass.

        For an evaluation, which knows what will be typed. Suggestions are the same but for the rounding of larger
        products.
        """
        self._next_token.precompute(self._tokenizer.encode(text))

    def word_probs(self, prefix: str, texts: Sequence[str]) -> list[float]:
        """Return the probability of each of these words at the cursor, as in :class:`Word`; 0 for negligible ones."""
        if not texts:
            return []
        split = self._ranker.split(prefix)
        matches = self._ranker.match(split, _RANKED_WORDS)
        probs = {word.text: word.p for word in self._ranker.rank(split, matches)}
        return [probs.get(text, 0.0) for text in texts]

    @property
    def mixture(self) -> Mixture:
        """The weights of the model and the n-gram memory, as learned by now."""
        return self._next_token.mixture

    def observe(self, text: str, ids: Sequence[int]) -> None:
        """Learn from a new entry how far predictions can be trusted. Call it before the user model learns the entry.

        Args:
            text: the entry.
            ids: its tokens.
        """
        self._asked_last = None
        self._next_token.observe(ids)
        self._standing_ghosts.forget()
        self._ranker.finish(text)
        ghosts = self._unjudged_ghosts.pop_along(text)
        for whole, calibration in ((False, self._calibration), (True, self._word_calibration)):
            calibration.learn_many(
                judged for ghost in ghosts for judged in ghost.judged_in(text, whole=whole)
            )

    def forget_texts(self) -> None:
        """Forget all text that was asked about: the next question about it reads it again."""
        self.answer("")
        self._asked_last, self._likely_next, self._near = None, (), ""
        self._standing_ghosts.forget()
        self._tails.forget()
        self._ranker.forget_texts()
        self._next_token.forget_texts()
        if self._mender is not None:
            self._mender.forget_typed()

    def complete(self, prefix: str, words: int) -> Steps[str]:
        """Return the likeliest continuation by up to ``words`` words, however unsure: to show, not to type.

        A step makes one token.
        """
        ids = self._next_token.truncate_ids(self._tokenizer.encode(prefix))
        start = len(ids)
        while len(ids) - start < 3 * words:
            ids.append(int(np.argmax(self._next_token.next_probs(ids))))
            if self._ends_line(ids[-1]):
                break
            yield
        text = self._tokenizer.decode(ids[start:])
        ends = [match.end() for match in regex.finditer(r"\S+", text)]
        return text[: ends[min(words, len(ends)) - 1]] if ends else ""

    # Ghost text

    def _start_with(self, split: SplitPrefix, word: Word) -> _GhostStart:
        ids = split.head + self._tokenizer.encode(split.start + word.text)
        return _GhostStart(word.text, word.p, ids)

    def _best_start(
        self,
        split: SplitPrefix,
        matches: Matches,
        starts: list[_GhostStart],
        must_hide: Callable[[str], bool],
        count: int,
    ) -> _GhostStart | None:
        """Return the start that is expected to save most: one of these, or the word behind the one under the cursor."""
        if not split.spaced or split.typed:
            behind = self._next_word(split, matches, count)
            starts = starts + [start for start in behind if not must_hide(start.text)]
        return max(starts, key=lambda start: start.expected_saving, default=None)

    def _next_word(self, split: SplitPrefix, matches: Matches, count: int) -> list[_GhostStart]:
        """Return the likeliest word behind the one under the cursor, if that one is probably finished.

        ``count`` words are looked for, as they will be once its space is typed.
        """
        finished = self._ranker.finished_prob(split, matches) if split.typed else 1.0
        if finished < _MIN_FINISHED_PROB:
            return []
        behind = SplitPrefix(split.head + self._tokenizer.encode(split.start), True, "")
        ranked = self._ranker.rank(behind, self._ranker.match(behind, count))[:1]
        starts = [self._start_with(behind, word) for word in ranked]
        return [replace(start, text=f" {start.text}", p=finished * start.p) for start in starts]

    def _complete_ghost(
        self,
        split: SplitPrefix,
        start: _GhostStart,
        alike: float,
        max_words: int,
        value: GhostValue,
        given_up: Callable[[], bool],
    ) -> tuple[Ghost, LookedAt]:
        """Return the ghost with this first word, and what was looked at for it: one word more than it has, too."""
        whole = not split.typed or start.text.startswith(" ")
        calibration = self._word_calibration if whole else self._calibration
        words, further = [GhostWord(start.text, calibration(start.p))], list[FurtherWord]()
        if value.may_pay(words[0], alike) and max_words > 1 and not given_up():
            for word in self._tails.further_words(start.ids)[: max_words - 1]:
                further.append(word)
                next_word = GhostWord(word.text, words[-1].p * self._word_calibration(word.p))
                if not value.adds(next_word):
                    break
                words.append(next_word)
        return of_words(words, value.pays(words, alike)), LookedAt(start.text, start.p, whole, tuple(further))

    def _alike(self, text: str, ranked: Sequence[Word], *, typed: bool) -> float:
        """Return the probability that another word comes that begins with the same letter as ``text``."""
        calibrate = self._calibration if typed else self._word_calibration
        return sum(calibrate(word.p) for word in ranked if word.text[:1] == text[:1] and word.text != text)

    def _ghost_value(self, key_ms: float) -> GhostValue:
        return GhostValue.of(self.show, key_ms / 1e3, self.acceptance_rate)

    def _keep_standing(
        self, prefix: str, ghost: Ghost, max_words: int, value: GhostValue, must_hide: Callable[[str], bool]
    ) -> Ghost:
        """Return the ghost that is on screen, where the user types into it; else ``ghost``, which is new."""
        standing = self._standing_ghosts.rest(prefix, value.key_s)[:max_words]
        if standing and not value.never_pays and not must_hide("".join(word.text for word in standing)):
            ghost = of_words(extended(standing, ghost.words), show=True)
        if ghost.show:
            self._standing_ghosts.show(prefix, value.key_s, ghost.words)
        return ghost

    def _unspaced_ghost(self, split: SplitPrefix, max_words: int) -> Ghost:
        """Return a ghost in a script without spaces, where words can't be told apart, token by token."""
        tokens = self._next_token.greedy_draft(
            split.head, _MIN_TOKEN_PROB, self._continues_line, force_pass=True
        )
        text = self._tokenizer.decode(tokens).rstrip("\ufffd")  # a character's bytes may not be complete
        if not text:
            return NO_GHOST
        p = self._calibration(float(self._next_token.next_probs(split.head)[tokens[0]]))
        text = text[: _UNSPACED_WORD_CHARS * max_words]
        ends = [found.end() for found in WORD.finditer(text)]
        text = text[: ends[max_words - 1]] if len(ends) > max_words else text
        value = self._ghost_value(USUAL_KEY_MS)
        is_likely = p * value.uptake >= _MIN_UNSPACED_PROB
        return of_words([GhostWord(text, p)], is_likely and not value.never_pays)

    def _continues_line(self, token: int) -> bool:
        return not self._ends_line(token)

    def _ends_line(self, token: int) -> bool:
        return not self._tokenizer.token_bytes(token).strip(b"\n")


def _either(hides: Callable[[str], bool], also: Callable[[str], bool]) -> Callable[[str], bool]:
    """Return a function that says whether one of two hides something."""
    return lambda offered: hides(offered) or also(offered)
