"""From a question to an answer: words and ghost text, and whether they are worth showing.

A question goes through stages: it is read (:mod:`~idiolect.adapters.prediction.cursor`), the word that just ended is
mended, words are ranked (:mod:`~idiolect.adapters.prediction.ranking`), corrections of the word under the cursor go
among them (:mod:`~idiolect.adapters.prediction.mender`), a ghost continues them
(:mod:`~idiolect.adapters.prediction.ghosts`), and what is worth a look is chosen.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from idiolect.adapters.memory.letter_case import in_one_form
from idiolect.adapters.memory.steps import Steps
from idiolect.adapters.memory.vocabulary import MAX_WORD_CHARS, WORD
from idiolect.adapters.mending.hand import Hand
from idiolect.adapters.mending.typing_channel import TypingChannel
from idiolect.adapters.prediction.answered import NOTHING, Answered, AnsweredText
from idiolect.adapters.prediction.calibration import WHOLE_WORDS, Calibration
from idiolect.adapters.prediction.cursor import Cursor, CursorReader
from idiolect.adapters.prediction.emoji import EmojiFinder
from idiolect.adapters.prediction.ghosts import Ghosts
from idiolect.adapters.prediction.look_ahead import LookAhead
from idiolect.adapters.prediction.meant_words import MeantWords
from idiolect.adapters.prediction.mender import Mender
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.prediction.next_token import NextTokenModel
from idiolect.adapters.prediction.question import Question
from idiolect.adapters.prediction.ranking import Ranked, WordRanker
from idiolect.adapters.prediction.reasons import Reason
from idiolect.adapters.prediction.suggestion import NO_GHOST, Correction, Ghost, Suggestion, Word
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.models.session import Adapter, Model
from idiolect.models.tokenizer import Tokenizer

_SPARE_TOKENS = 2 * (4 * MAX_WORD_CHARS + 1)  # two words, the one under the cursor too, four bytes a letter
_RANKED_WORDS = 5_000  # among which a word is looked for, to say how probable it is
MIN_WORD_PROB = 0.005
"""Of a word that is offered beside one that is more likely than not."""
_MIN_SHARE = 0.2  # of that, for any word: below 0.1 % nothing is offered
_LIKELY_WORD_PROB = 0.5  # of a word beside which unlikely ones are noise
_SPARE_MATCHES = 3  # words looked for beyond those asked for: some are left out
_SPARE_FOREIGN = 40  # the same in a language that is not known, where most are left out
_JUST_NOW_S = 60.0  # after it was asked about, a text is likely to go on
_MISTYPED: Final = Question("teh", corrections=True)
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
        reader: reads questions.
        ranker: ranks the words.
        answered: the text that the user answers.
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
        self._min_word_prob, self._least_prob = min_word_prob, _MIN_SHARE * min_word_prob
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
        self.reader = CursorReader(tokenizer, user_model, self.next_token)
        self.ranker = WordRanker(self.reader, tokenizer, user_model, self.next_token)
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
            self.mender = Mender(self.tokenizer, self.reader, self.ranker, self.next_token, meant)

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
            for _ in self._read(self.reader.split(asked_last[1]).head):
                if self._asked_last is not asked_last:  # it went on, or was forgotten
                    return
                yield

    def make_tables(self) -> None:
        """Make what the first key with corrections needs and later ones find made: it takes a tenth of a second."""
        cursor = self.reader.read(_MISTYPED)
        ranked = self._rank(cursor)
        if (mender := self._mender_of(_MISTYPED)) is not None:
            mender.words(_MISTYPED.prefix, ranked.split, ranked.matches, ranked.words, ranked.count)
            mender.autocorrection.mend(f"{_MISTYPED.prefix} ")

    def _read(self, ids: list[int]) -> Steps[None]:
        yield from self.next_token.prefill_in_pieces(ids)
        self.next_token.next_probs(ids)
        yield

    def set_answered(self, given: AnsweredText) -> None:
        """From now on suggest for who answers what is ``given``; of what was answered before nothing is left."""
        if given == self.answered:
            return
        self.answered = given
        answered = None
        if given.text:
            words = self.user_model.words
            answered = Answered(given, self.tokenizer.encode, self.user_model.memory.vocab, words)
        self.next_token.set_answered(answered)
        self.ranker.forget_ranked()
        self.ghosts.forget_answered()
        self.look_ahead.forget()

    def prefill_in_pieces(self, question: Question) -> Steps[None]:
        """Read most of what the answer to a question with a long prefix needs, one forward pass a step.

        Other questions can be answered between two passes. There is no step where little is to be read.
        """
        self.set_answered(question.answered)
        for _ in self.next_token.prefill_in_pieces(self.reader.split(question.prefix).head):
            yield
            self.set_answered(question.answered)

    def suggest(self, question: Question) -> Suggestion:
        """Return words that finish the one under the cursor or come next, and a continuation."""
        started = time.perf_counter()
        self.set_answered(question.answered)
        if question.remember:
            self._asked_last = time.monotonic(), self.next_token.truncate_text(question.prefix)
        cursor = self.reader.read(question)
        # First: what stands before the word is read before what stands behind it.
        found = Suggestion((), NO_GHOST, self.adapter_id, 0.0, self._mend_ended(cursor))
        if cursor.silence.reasons:  # within a word, or behind what is none
            pass
        elif cursor.is_unspaced:
            found = replace(found, ghost=self._continue_unspaced(cursor))
        elif question.candidates or question.ghost_words or cursor.split.typed:  # else a correction is all
            ranked = self._rank(cursor)
            self._look_ahead(cursor, ranked)
            words = self._mend(cursor, ranked)
            found = self._continue(cursor, ranked, replace(found, words=words, finished=ranked.finished))
        found = self._choose(cursor, found)
        return replace(found, elapsed_ms=(time.perf_counter() - started) * 1e3)

    def _mender_of(self, question: Question) -> Mender | None:
        return self.mender if question.corrections and not WORD.match(question.suffix) else None

    def _mend_ended(self, cursor: Cursor) -> Correction | None:
        """Return what was meant by the word that just ended."""
        question, language = cursor.question, cursor.language
        if (mender := self._mender_of(question)) is None:
            return None
        ended, respaces = mender.autocorrection, question.correct_before
        correction = ended.mend(question.prefix, is_known=language.may_mend, may_respace=respaces)
        if correction is None and question.correct_before and language.is_known:
            correction = ended.mend_before(question.prefix)
        if correction is None or not question.ghost_words:
            return correction
        return replace(correction, grey=self.ghosts.value(question.key_ms).mends_ended(correction))

    def _continue_unspaced(self, cursor: Cursor) -> Ghost:
        """Return the ghost in a script without spaces."""
        question = cursor.question
        if not question.ghost_words or question.given_up():
            return NO_GHOST
        ghost = self.ghosts.find_unspaced(cursor.split, question.ghost_words)
        return NO_GHOST if cursor.silence.must_hide(ghost.text) else ghost

    def _rank(self, cursor: Cursor) -> Ranked:
        """Rank the words that may be shown, each in one form."""
        question, split = cursor.question, cursor.split
        spare = _SPARE_MATCHES if cursor.language.is_known else _SPARE_FOREIGN
        count = max(question.candidates, 1) + self.user_model.preferences.more + spare
        ranked, least = self.ranker.rank(split, count), self._least_prob
        words = ranked.words
        if not split.typed:  # once the first letter is there, either form may be meant
            words = in_one_form(words)
        elif words and words[0].p >= _LIKELY_WORD_PROB:
            least = self._min_word_prob
        # Names may stand behind small letters for who can't take those back.
        small_names = self._mender_of(question) is None
        shown = [
            word
            for word in words
            if word.p >= least
            and not cursor.silence.must_hide(word.text)
            and (small_names or not self.user_model.words.is_name_written_small(split.typed + word.text))
        ]
        return replace(ranked, words=shown)

    def _look_ahead(self, cursor: Cursor, ranked: Ranked) -> None:
        """Have the passes made ahead that the likeliest next words will need."""
        question, mender = cursor.question, self._mender_of(cursor.question)
        may_turn = mender is not None and question.correct_before and cursor.language.is_known
        unsure = mender.autocorrection.alternatives(question.prefix) if mender and may_turn else []
        starts = self.ghosts.starts(ranked)
        self.look_ahead.expect(question.prefix, starts, unsure, wants_tail=question.ghost_words > 1)

    def _mend(self, cursor: Cursor, ranked: Ranked) -> tuple[Word, ...]:
        """Return the words to offer, with corrections of the one under the cursor among them."""
        question, split, language = cursor.question, cursor.split, cursor.language
        words = self.ranker.keep_models_word(split, ranked.words, question.candidates)
        if (mender := self._mender_of(question)) is not None:
            count, known = question.candidates + 1, language.is_known
            words = mender.words(question.prefix, split, ranked.matches, words, count, is_known=known)
        if words and words[0].p < language.least_prob:
            cursor.silence.add(Reason.ANOTHER_LANGUAGE)
            return ()
        return tuple(word for word in words if word.p >= self._least_prob)

    def _continue(self, cursor: Cursor, ranked: Ranked, found: Suggestion) -> Suggestion:
        """Add emoji, and the ghost; none goes on from a mistake, whose correction may be shown in its place."""
        question, silence, words = cursor.question, cursor.silence, [*found.words]
        is_mistyped = bool(words) and words[0].replace > 0
        if question.candidates:
            words = self._emoji.add(words, cursor.split, ranked.finished, silence.must_hide)
        correction, ghost, value = found.correction, NO_GHOST, self.ghosts.value(question.key_ms)
        if not question.ghost_words:
            pass
        elif is_mistyped and words[0].replace == len(cursor.split.typed) and value.mends(words[0]):
            words[0] = replace(words[0], grey=True)
        elif is_mistyped or (correction is not None and correction.grey and not correction.sure):
            silence.add(Reason.MISTYPED)
        elif question.given_up():
            silence.add(Reason.ASKED_AGAIN)
        else:
            ghost = self.ghosts.find(cursor, ranked)
        return replace(found, words=tuple(words), ghost=ghost)

    def _choose(self, cursor: Cursor, found: Suggestion) -> Suggestion:
        """Choose what is shown, and collect the reasons for what is not."""
        question, silence, ghost, words = cursor.question, cursor.silence, found.ghost, found.words
        typed, key_ms, show = cursor.split.typed, question.key_ms, self.ghosts.show
        if (behind := WORD.search(question.suffix)) is not None:
            words = tuple(it for it in words if typed[: len(typed) - it.replace] + it.text != behind[0])
            ghost = ghost.before(behind[0], typed)
        shown = words[: question.candidates]
        show_words = show != "asked" and (
            found.correction is not None
            or self.ghosts.list_pays(shown, ghost, found.finished, key_ms, typed=bool(typed))
        )
        if question.candidates and not shown and not silence.reasons:
            silence.add(Reason.NOTHING_LIKELY)
        if shown and not show_words:
            silence.add(Reason.SHOWN_WHEN_ASKED if show == "asked" else Reason.NOT_WORTH_A_LOOK)
        is_grey = ghost.show or any(word.grey for word in shown)
        if question.ghost_words and not is_grey and _UNFOUND.isdisjoint(silence.reasons):
            silence.add(self.ghosts.value(key_ms).why_hidden(ghost))
        return replace(found, words=shown, ghost=ghost, show_words=show_words, reasons=silence.reasons)

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
        words = self.ranker.rank(self.reader.split(prefix), _RANKED_WORDS).words
        probs = {word.text: word.p for word in words}
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
        self.reader.finish(text)
        self.ranker.forget_ranked()
        self.ghosts.judge(text)

    def forget_texts(self) -> None:
        """Forget all text that was asked about: the next question about it reads it again."""
        self.set_answered(NOTHING)
        self._asked_last = None
        self.look_ahead.forget()
        self.ghosts.forget_shown()
        self.reader.forget_texts()
        self.ranker.forget_ranked()
        self.next_token.forget_texts()
        if self.mender is not None:
            self.mender.autocorrection.forget_typed()
