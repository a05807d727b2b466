"""From a prefix to words and ghost text; and whether they are worth showing.

Words are ranked by :class:`~idiolect.adapters.prediction.ranking.WordRanker`, mended by
:class:`~idiolect.adapters.prediction.autocorrection.Mender`, and continued by
:class:`~idiolect.adapters.prediction.ghosts.Ghosts`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Final

import regex

from idiolect.adapters.memory.capitals import in_one_form
from idiolect.adapters.memory.rare_strings import units
from idiolect.adapters.memory.steps import Steps
from idiolect.adapters.memory.vocabulary import MAX_WORD_CHARS, WORD
from idiolect.adapters.memory.word_matching import Matches
from idiolect.adapters.mending.hand import Hand
from idiolect.adapters.mending.typing_channel import TypingChannel
from idiolect.adapters.prediction.answered import NOTHING, Answered, AnsweredText, without_addresses
from idiolect.adapters.prediction.autocorrection import Mender
from idiolect.adapters.prediction.calibration import WHOLE_WORDS, Calibration
from idiolect.adapters.prediction.emoji import EmojiFinder
from idiolect.adapters.prediction.ghost_value import USUAL_KEY_MS
from idiolect.adapters.prediction.ghosts import GhostQuestion, Ghosts
from idiolect.adapters.prediction.language import Languages
from idiolect.adapters.prediction.look_ahead import LookAhead
from idiolect.adapters.prediction.meant_words import MeantWords
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.prediction.next_token import NextTokenModel
from idiolect.adapters.prediction.ranking import UNSPACED, SplitPrefix, WordRanker
from idiolect.adapters.prediction.reasons import Reason
from idiolect.adapters.prediction.suggestion import NO_GHOST, Suggestion, Word
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.models.session import Adapter, Model
from idiolect.models.tokenizer import Tokenizer

_ENDS_UNSPACED = regex.compile(rf"[{UNSPACED}]\Z")
_SPARE_TOKENS = 2 * (4 * MAX_WORD_CHARS + 1)  # two words, the one under the cursor too, four bytes a letter
_RANKED_WORDS = 5_000  # among which a word is looked for, to say how probable it is
MIN_WORD_PROB = 0.005
"""Of a word that is offered beside one that is more likely than not."""
_MIN_SHARE = 0.2  # of that, for any word: below 0.1 % nothing is offered
_LIKELY_WORD_PROB = 0.5  # of a word beside which unlikely ones are noise
_SPARE_MATCHES = 3  # words looked for beyond those asked for: some are left out
_SPARE_FOREIGN = 40  # the same in a language that is not known, where most are left out
_JUST_NOW_S = 60.0  # after it was asked about, a text is likely to go on
_MISTYPED: Final = "teh"
# With these no grey text was looked for.
_UNFOUND: Final = frozenset((Reason.INSIDE_WORD, Reason.LONG_WORD, Reason.MISTYPED, Reason.ASKED_AGAIN))


class Predictor:
    """Suggestions from one model, one adapter and what is known of the user. For one thread at a time.

    Args:
        model: the loaded graph.
        tokenizer: its tokenizer.
        user_model: shared with other predictors. Without general words in it there are no corrections, and all text
            is taken to be in a known language.
        mixture: the weights of the model and the n-gram memory; learns on.
        adapter: the LoRA tensors, or None for the base.
        adapter_id: the adapter's number, for answers.
        context_tokens: the most tokens of the prefix that are read.
        calibration: how often ghosts of each probability were right; shared, and learns on.
        word_calibration: the same of words of which nothing was typed yet, those behind a ghost's first one too.
        min_word_prob: the least probability, 0 to 1, of a word that is offered beside one that is more likely than not.

    Attributes:
        next_token: the next-token distributions.
        ranker: ranks the words.
        answered: the text that the user answers.
        answered_units: the numbers of that text, which give nothing away.
        ghosts: makes ghosts, and learns how many are right.
        look_ahead: makes passes before anybody waits for them.
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
    ) -> None:
        self._min_word_prob = min_word_prob
        self.adapter_id = adapter_id
        self.adapter = adapter
        self.tokenizer = tokenizer
        self.user_model = user_model
        self.next_token = NextTokenModel(
            model,
            user_model,
            mixture,
            adapter=adapter,
            window=context_tokens,
            spare=_SPARE_TOKENS,
            continues_word=tokenizer.continuing_word,
        )
        self.answered = NOTHING
        self.answered_units: Collection[str] = ()
        self.ranker = WordRanker(tokenizer, user_model, self.next_token)
        self._languages = None if user_model.general is None else Languages(user_model.words)
        self.ghosts = Ghosts(
            self.next_token,
            self.ranker,
            tokenizer,
            user_model.memory,
            calibration or Calibration(),
            word_calibration or Calibration(prior=WHOLE_WORDS),
        )
        self._emoji = EmojiFinder(self.next_token, tokenizer)
        self.look_ahead = LookAhead(self.next_token)
        self.mender: Mender | None = None
        self.use_hand(Hand())
        self._asked_last: tuple[float, str] | None = None  # when, and the prefix

    def use_hand(self, hand: Hand) -> None:
        """Mend from now on for a hand that slips as it has slipped."""
        if (general := self.user_model.general) is not None:
            channel = hand.channel(self.user_model.channel or TypingChannel(), general)
            meant = MeantWords(self.user_model, general, channel)
            self.mender = Mender(self.tokenizer, self.ranker, self.next_token, meant)

    def warm(self, former: Predictor | None = None) -> Steps[None]:
        """Read the recent entries, so that the next keystroke finds them in the KV cache; a few tokens a step.

        The text that was written just now is read behind them.

        Args:
            former: a predictor whose place this one takes: the texts that are being written with it are read, too,
                where its user model is the same.
        """
        yield from self._read([])
        if self.mender is not None:
            self.make_tables()
            yield
        # Another user model may lack what was forgotten, and the former predictor's drafts still hold it.
        if former is not None and former.user_model is self.user_model:
            for ids in former.next_token.active_texts():
                yield from self._read(ids)
        asked_last = self._asked_last
        if asked_last is not None and time.monotonic() - asked_last[0] < _JUST_NOW_S:
            for _ in self._read(self.ranker.split(asked_last[1]).head):
                if self._asked_last is not asked_last:  # it went on, or was forgotten
                    return
                yield

    def make_tables(self) -> None:
        """Make what the first key with corrections needs and later ones find made: it takes a tenth of a second."""
        split = self.ranker.split(_MISTYPED)
        matches = self.ranker.match(split, 1)
        words = self._offered(split, matches, lambda _word: False, small_names=False)
        if self.mender is not None and self._languages is not None:
            is_known = self._languages.knows(_MISTYPED)
            self.mender.words(_MISTYPED, split, matches, words, 1, is_known=is_known)
            self.mender.ended_words.mend(f"{_MISTYPED} ")

    def _read(self, ids: list[int]) -> Steps[None]:
        yield from self.next_token.prefill_in_pieces(ids)
        self.next_token.next_probs(ids)
        yield

    def answer(self, given: AnsweredText) -> None:
        """From now on suggest for who answers what is ``given``; of what was answered before nothing is left."""
        if given == self.answered:
            return
        self.answered = given
        # Who wrote may be called.
        self.answered_units = units(f"{without_addresses(given.text)} @{given.sender}")
        answered = None
        if given.text:
            words = self.user_model.words
            answered = Answered(given, self.tokenizer.encode, self.user_model.memory.vocab, words)
        self.next_token.answer(answered)
        self.ranker.answer(answered)
        self.ghosts.answer(answered)
        self.look_ahead.forget()

    def prefill_in_pieces(self, prefix: str, answered: AnsweredText = NOTHING) -> Steps[None]:
        """Read most of what a suggestion after a long ``prefix`` needs, one forward pass a step.

        Other suggestions can be made between two passes. There is no step where little is to be read.
        """
        self.answer(answered)
        for _ in self.next_token.prefill_in_pieces(self.ranker.split(prefix).head):
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
        correct_before: bool = False,
        key_ms: float = USUAL_KEY_MS,
        answered: AnsweredText = NOTHING,
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
            correct_before: the correction may also be of the word before the last, where the last one makes it sure.
            key_ms: the typist's time between two letters, for which a ghost is judged.
            answered: what the user is answering.
        """
        started = time.perf_counter()
        self.answer(answered)
        words: list[Word] = []
        ghost, correction, finished = NO_GHOST, None, 0.0
        mender = self.mender if corrections and not WORD.match(suffix) else None
        self._weigh_by_language(prefix)
        split = self.ranker.split(prefix)
        reasons = dict[Reason, None]()  # in the order in which they were found
        before = prefix[: len(prefix) - len(split.typed)]
        is_known = self._languages is None or self._languages.knows(before)
        hides = {Reason.TYPED_TOO_SELDOM: self.user_model.guard(prefix, self.answered_units)}
        if self._languages is not None and is_known:
            hides[Reason.WORD_OF_ANOTHER_LANGUAGE] = self._languages.of_another_known(split.typed)
        elif self._languages is not None:
            follows = self.ranker.expected_by_memory(split)
            hides[Reason.ANOTHER_LANGUAGE] = self._languages.only_own(before, split.typed, follows)

        def must_hide(offered: str) -> bool:
            reason = next((reason for reason, is_hidden in hides.items() if is_hidden(offered)), None)
            if reason is not None:
                reasons[reason] = None
            return reason is not None

        if mender is not None:  # first: what stands before the word is read before what stands behind it
            # A slip may make a word of another language.
            earlier = before.rstrip().rpartition(" ")[0]
            may_mend = is_known or self._languages is None or self._languages.knows(earlier)
            correction = mender.ended_words.mend(prefix, is_known=may_mend, may_respace=correct_before)
            if correction is None and correct_before and is_known:
                correction = mender.ended_words.mend_before(prefix)
            if correction is not None and ghost_words and self.ghosts.mends_ended(correction, key_ms):
                correction = replace(correction, grey=True)
        if remember:
            self._asked_last = time.monotonic(), self.next_token.truncate_text(prefix)
        if WORD.match(suffix):
            reasons[Reason.INSIDE_WORD] = None
        elif len(split.typed) > MAX_WORD_CHARS:
            reasons[Reason.LONG_WORD] = None
        elif _ENDS_UNSPACED.search(prefix):
            if ghost_words and not given_up():
                ghost = self.ghosts.find_unspaced(split, ghost_words)
                ghost = NO_GHOST if must_hide(ghost.text) else ghost
        elif candidates or ghost_words or split.typed:  # else the correction is all that is asked for
            spare = self.user_model.preferences.more + (_SPARE_MATCHES if is_known else _SPARE_FOREIGN)
            count = max(candidates, 1) + spare
            matches = self.ranker.match(split, count)
            words = self._offered(split, matches, must_hide, small_names=mender is None)
            finished = self.ranker.finished_prob(split, matches)
            starts = [self.ghosts.start_with(split, word) for word in words[:2]]
            ranked = words
            unsure = mender.ended_words.alternatives(prefix) if mender and correct_before and is_known else []
            self.look_ahead.expect(prefix, starts, unsure, wants_tail=ghost_words > 1)
            words = self.ranker.keep_models_word(split, words, candidates)
            if mender is not None:
                words = mender.words(prefix, split, matches, words, candidates + 1, is_known=is_known)
            if self._languages is not None and words:
                least = self._languages.least_prob(before, split.typed)
                if words[0].p < least:
                    reasons[Reason.ANOTHER_LANGUAGE] = None
                    words = []
            words = [word for word in words if word.p >= _MIN_SHARE * self._min_word_prob]
            mistyped = bool(words) and words[0].replace > 0  # a ghost would go on from the mistake
            if candidates:
                words = self._emoji.add(words, split, finished, must_hide)
            if not ghost_words:
                pass
            elif mistyped and words[0].replace == len(split.typed) and self.ghosts.mends(words[0], key_ms):
                words[0] = replace(words[0], grey=True)
            elif mistyped or (correction is not None and correction.grey and not correction.sure):
                reasons[Reason.MISTYPED] = None
            elif given_up():
                reasons[Reason.ASKED_AGAIN] = None
            else:
                asked = GhostQuestion(
                    prefix, split, matches, ranked, count, ghost_words, key_ms, must_hide, given_up, remember
                )
                ghost = self.ghosts.find(asked, starts[:1])
        if (behind := WORD.search(suffix)) is not None:
            typed = split.typed
            words = [it for it in words if typed[: len(typed) - it.replace] + it.text != behind[0]]
            ghost = ghost.before(behind[0], split.typed)
        shown = words[:candidates]
        show_words = self.ghosts.show != "asked" and (
            correction is not None
            or self.ghosts.list_pays(shown, ghost, finished, key_ms, typed=bool(split.typed))
        )
        if candidates and not shown and not reasons:
            reasons[Reason.NOTHING_LIKELY] = None
        if shown and not show_words:
            is_asked = self.ghosts.show == "asked"
            reasons[Reason.SHOWN_WHEN_ASKED if is_asked else Reason.NOT_WORTH_A_LOOK] = None
        is_grey = ghost.show or any(word.grey for word in shown)
        if ghost_words and not is_grey and not _UNFOUND.intersection(reasons):
            reasons[self.ghosts.why_hidden(ghost, key_ms)] = None
        elapsed_ms = (time.perf_counter() - started) * 1e3
        return Suggestion(
            tuple(shown), ghost, self.adapter_id, elapsed_ms, correction, finished, show_words, tuple(reasons)
        )

    def _weigh_by_language(self, prefix: str) -> None:
        """Weigh words by the language that the text before the cursor is in, where the user writes several."""
        words = self.user_model.words
        if self._languages is not None and len(words.languages) > 1:
            words.weigh_by_language(self._languages.belief(*self.ranker.split_typed(prefix)).tolist())

    def _offered(
        self, split: SplitPrefix, matches: Matches, must_hide: Callable[[str], bool], *, small_names: bool
    ) -> list[Word]:
        """Return the words that may be shown, the likeliest first, each in one form.

        With ``small_names`` names may stand behind small letters, for who can't take those back.
        """
        words, least = self.ranker.rank(split, matches), _MIN_SHARE * self._min_word_prob
        if not split.typed:  # once the first letter is there, either form may be meant
            words = in_one_form(words)
        elif words and words[0].p >= _LIKELY_WORD_PROB:
            least = self._min_word_prob
        return [
            word
            for word in words
            if word.p >= least
            and not must_hide(word.text)
            and (small_names or not self.user_model.words.is_name_written_small(split.typed + word.text))
        ]

    def precompute(self, text: str) -> None:
        """Make most of the passes that typing ``text`` will need, many positions in one pass.

        For an evaluation, which knows what will be typed. Suggestions are the same but for the rounding of larger
        products.
        """
        self.next_token.precompute(self.tokenizer.encode(text))

    def word_probs(self, prefix: str, texts: Sequence[str]) -> list[float]:
        """Return the probability of each of these words at the cursor, as in :class:`Word`; 0 for negligible ones."""
        if not texts:
            return []
        split = self.ranker.split(prefix)
        matches = self.ranker.match(split, _RANKED_WORDS)
        probs = {word.text: word.p for word in self.ranker.rank(split, matches)}
        return [probs.get(text, 0.0) for text in texts]

    @property
    def mixture(self) -> Mixture:
        """The weights of the model and the n-gram memory, as learned by now."""
        return self.next_token.mixture

    def observe(self, text: str, ids: Sequence[int]) -> None:
        """Learn from a new entry how far predictions can be trusted. Call it before the user model learns the entry.

        Args:
            text: the entry.
            ids: its tokens.
        """
        self._asked_last = None
        self.next_token.observe(ids)
        self.ranker.finish(text)
        self.ghosts.judge(text)

    def forget_texts(self) -> None:
        """Forget all text that was asked about: the next question about it reads it again."""
        self.answer(NOTHING)
        self._asked_last = None
        self.look_ahead.forget()
        self.ghosts.forget_shown()
        self.ranker.forget_texts()
        self.next_token.forget_texts()
        if self.mender is not None:
            self.mender.ended_words.forget_typed()
