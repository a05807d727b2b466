"""Suggestions for clients: words, ghost texts, and feedback on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from idiolect.adapters.memory.steps import Steps, in_one_step
from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.prediction.answered import NOTHING, AnsweredText
from idiolect.adapters.prediction.question import Question
from idiolect.adapters.prediction.reasons import Reason
from idiolect.adapters.prediction.suggestion import NO_GHOST, Suggestion, Word
from idiolect.daemon.profile.app_policy import NOWHERE, AppPolicy, InputContext
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.profile.quiet import Quiet
from idiolect.daemon.profile.words.word_rules import TakeCorrectionBack
from idiolect.daemon.serving import user_stats
from idiolect.daemon.serving.answered_text import KEPT_S, read_answered
from idiolect.daemon.serving.live_model import LiveModel, Served
from idiolect.daemon.serving.model_queue import Priority
from idiolect.daemon.storage.records import Feedback, FeedbackReceipt, FeedbackReport
from idiolect.daemon.text.redaction.redact import forget_words, hides, redact


class Suggestions:
    """What is suggested at a place, unless its application is off limits. Safe to use from several threads.

    Args:
        profile: where feedback is counted, unless learning is paused.
        model: what serves.
        app_policy: what may be looked at, learned and suggested in which application.
        on_typing: called whenever the user types.

    Attributes:
        quiet: until when nothing is suggested.
    """

    def __init__(
        self,
        profile: Profile,
        model: LiveModel,
        app_policy: AppPolicy,
        on_typing: Callable[[], None],
    ) -> None:
        self._profile = profile
        self._store = profile.store
        self._model = model
        self._app_policy = app_policy
        self._on_typing = on_typing
        self.quiet = Quiet(profile)
        # As it was sent last, and as it is read.
        self._answered: tuple[tuple[str, ...], AnsweredText] = (), NOTHING
        self._letting_go = model.queue.delayed(
            "answered", lambda: in_one_step(self.forget_answered), Priority.REST, KEPT_S
        )

    def suggest_in_steps(
        self,
        question: Question,
        place: InputContext = NOWHERE,
        context: Sequence[str] = (),
        letter_ms: float | None = None,
    ) -> Steps[Suggestion]:
        """Answer a question, unless its ghost is given up.

        Ask `AppPolicy.suggesting` first whether anything may be suggested at ``place``, and `AppPolicy.sees_context`
        whether ``context`` may be read. The last step makes all of the answer; those before it read a long prefix, a
        piece each.

        Args:
            question: what is asked, but for what is answered and whether it is remembered, which are decided here. Its
                key_ms is the profile's where it has none.
            place: where it is asked.
            context: what the user answers, the newest last. It is for this answer alone, and let go as soon as another
                question comes without it, unless that asks for nothing.
            letter_ms: what a program has measured of the time between two letters: the profile learns its own from it.
        """
        self._on_typing()
        if self.quiet.left_s:
            return Suggestion.silent(self._model.adapter_id, Reason.QUIET)
        wants_correction = question.corrections
        if not (question.candidates or question.ghost_words or (question.prefix and wants_correction)):
            return Suggestion((), NO_GHOST, self._model.adapter_id, 0.0)
        self._model.learning.learn_postponed()
        texts = tuple(context)
        question = replace(question, answered=self._read_answered(texts))
        yield from self._model.served.predictor.prefill_in_pieces(question)
        self._read_answered(texts)  # another question may have come between two pieces
        served = self._model.served
        switch = served.switches.corrections
        remember = self._app_policy.keeping(place) is None
        if not remember:
            self._model.forget_typed_later()
        question = replace(
            question,
            remember=remember,
            corrections=wants_correction and switch != "off",
            key_ms=question.key_ms or self._model.stats.key_ms,
        )
        found = served.predictor.suggest(question)
        if letter_ms is not None and remember:
            self._model.stats.learn_letter_ms(letter_ms)
        if wants_correction:
            found = _by_switch(found, switch)
        self._model.passes_ahead.expect_key()
        found = self._with_own(served, question, found)
        found = without_secrets(question.prefix, found)
        return replace(found, words=found.words[: question.candidates])

    def _read_answered(self, texts: tuple[str, ...]) -> AnsweredText:
        """Return what is answered as it is read; what was answered before is gone where it is another."""
        if texts != self._answered[0]:
            if not texts:
                self.forget_answered()
            self._answered = texts, read_answered(texts) if texts else NOTHING
        if texts:
            self._letting_go.ask()
        return self._answered[1]

    def forget_answered(self) -> None:
        """Have nothing left of what was answered, whichever question put it into the predictor last."""
        self._answered = (), NOTHING
        self._model.served.predictor.set_answered(NOTHING)
        self._model.loaded.tokenizer.forget_words()
        forget_words()

    def _with_own(self, served: Served, question: Question, found: Suggestion) -> Suggestion:
        """A suggestion in which words of the user's own that may stand here have a place, the last ones if need be."""
        prefix, wanted = question.prefix, question.candidates
        may_stand = wanted and not WORD.match(question.suffix)
        own = self._model.preferences.rest_of_own(prefix) if may_stand else []
        shown = {word.text for word in found.words[:wanted]}
        missing = [text for text in own if text not in shown]
        if not missing or len(own) > wanted:  # of many that begin so, typing on leaves a few
            return found
        probs = served.predictor.word_probs(prefix, missing)
        added = [Word(text, p) for text, p in zip(missing, probs, strict=True)]
        kept = [word for word in found.words if word.text not in missing][: wanted - len(added)]
        words = tuple(sorted([*kept, *added], key=lambda word: -word.p))
        # Its user wants to see these, however rare they are.
        return replace(found, words=words, show_words=served.switches.show != "asked")

    def add_feedback(self, feedback: Feedback, place: InputContext) -> FeedbackReceipt:
        """Count what became of a suggestion, unless learning is paused or ``place`` is off limits."""
        if (reason := self._app_policy.keeping(place)) is not None:
            return FeedbackReceipt(False, reason)
        self._store.feedback.add(feedback, self._model.adapter_id, user_stats.today())
        self._model.set_uptake(self._model.stats.uptake())
        return FeedbackReceipt(True, None)

    def add_verdict(self, word: str, taken_back: bool, place: InputContext) -> FeedbackReceipt:
        """Note that the correction of a `word` was `taken_back`, unless learning is paused or off limits there.

        A word whose correction was taken back is not corrected any more. Nothing is kept of an accepted correction.
        """
        if (reason := self._app_policy.keeping(place)) is not None:
            return FeedbackReceipt(False, reason)
        if redact(word)[1]:
            return FeedbackReceipt(False, Reason.SECRET)
        if not taken_back:
            return FeedbackReceipt(False, Reason.NOT_KEPT)
        never = self._profile.decide(TakeCorrectionBack(word))
        return FeedbackReceipt(True, None, never_corrected=never)

    def add_slip(self, meant: str, typed: str, place: InputContext) -> bool:
        """Count a slip of the hand, unless learning is paused or off limits there. Return whether it was counted."""
        if self._app_policy.keeping(place) is not None:
            return False
        if self._model.stats.add_slip(meant, typed):
            self._model.use_hand()
        return True

    def grey_text(self) -> dict[str, Any]:
        """How grey text fares: whether it is `held_back`, and how many were `shown` and `taken`."""
        tenths = self._model.stats.shown_ghosts()
        taken = sum(tenth.accepted for tenth in tenths)
        return {
            "held_back": self._model.stats.holds_ghosts_back(self._model.served.switches.show),
            "shown": taken + sum(tenth.dismissed for tenth in tenths),
            "taken": taken,
        }

    def report(self, days: int) -> FeedbackReport:
        """What became of the suggestions of the last ``days`` days, today included; days are UTC's."""
        return self._store.feedback.report(user_stats.today() - timedelta(days=days - 1))


def _by_switch(found: Suggestion, switch: str) -> Suggestion:
    """A suggestion whose correction is made, offered or left out as the user has chosen, with the reason for it."""
    mended = found.correction
    if switch == "off":
        return found.because(Reason.CORRECTIONS_OFF)
    if mended is None or (mended.sure and switch == "apply"):
        return found
    found = replace(found, correction=replace(mended, sure=False))
    return found.because(Reason.CORRECTION_OFFERED if mended.sure else Reason.CORRECTION_UNSURE)


def without_secrets(prefix: str, found: Suggestion) -> Suggestion:
    """A suggestion without what would make a secret of what is typed."""
    mended = found.correction
    if mended is not None and hides(prefix[: len(prefix) - mended.replace], mended.text):
        mended = None
    words = tuple(word for word in found.words if not hides(prefix[: len(prefix) - word.replace], word.text))
    ghost = NO_GHOST if hides(prefix, found.ghost.text) else found.ghost
    if (words, ghost, mended) == (found.words, found.ghost, found.correction):
        return found
    return replace(found, words=words, correction=mended, ghost=ghost).because(Reason.COMPLETES_SECRET)
