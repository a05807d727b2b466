"""From a prefix to words and ghost text.

Words are ranked by :class:`~idiolect.adapters.prediction.ranking.WordRanker`. A ghost begins as they do, or behind the
word under the cursor where that may be finished, and goes on for as long as what comes is likely.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import regex

from idiolect.adapters.prediction.calibration import Calibration
from idiolect.adapters.prediction.ghost_penalty import GhostPenalty
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.prediction.next_token import NextTokenModel
from idiolect.adapters.prediction.pending_ghosts import PendingGhosts, count_wrong
from idiolect.adapters.prediction.ranking import UNSPACED, SplitPrefix, Word, WordRanker
from idiolect.adapters.prediction.speculation import SpeculatedText, SpeculatedWords
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.adapters.prediction.vocabulary import LONGEST, WORD, Matches
from idiolect.models.session import Adapter, Model
from idiolect.models.tokenizer import Tokenizer

_WITHOUT_SPACES = regex.compile(rf"[{UNSPACED}]\Z")
_LIKELY = 0.35  # a ghost's next token must be at least this probable
_FINISHED = 0.5  # behind a word that is finished with at least this probability a ghost looks
_SURE = 0.5  # a ghost is shown only from this probability on, whatever it would save
_CERTAIN = 0.86  # from here on it is shown however short: the rest of one must not vanish while it is typed
_SHORTEST = 3  # characters of a ghost; fewer are typed faster than read
_SPARE = 2 * (4 * LONGEST + 1)  # tokens of the word under the cursor and of the next one, four bytes a letter
_WORD_LENGTH = 4  # characters that count as a word where no spaces tell
_CONSIDERED = 5_000  # words among which one is looked for, to say how probable it is
_WAITING = 8  # prefixes of others that are looked at
_FORESEEN = 0.15  # a word that is at least this probable is worth a pass before it is typed


@dataclass(frozen=True)
class Ghost:
    """A continuation; ``p`` is the probability that its first word is what comes, ``show`` whether to show it."""

    text: str
    p: float
    show: bool


NO_GHOST = Ghost("", 0.0, False)
_READ: Final = object()


@dataclass(frozen=True)
class Suggestion:
    """The answer to one keystroke."""

    words: tuple[Word, ...]
    ghost: Ghost
    adapter: int | None
    elapsed_ms: float


@dataclass(frozen=True)
class _Piece:
    """A ghost's beginning: ``text`` behind the cursor up to a word's end, ``entry`` its and all earlier tokens."""

    text: str
    p: float
    entry: list[int]

    @property
    def saving(self) -> float:
        """Keystrokes that it is expected to save."""
        return self.p * (len(self.text) - 1)


class Predictor:
    """Suggestions from one model, one adapter and the user's knowledge. Calls may come from any thread.

    Args:
        model: the loaded graph.
        tokenizer: its tokenizer.
        knowledge: shared with other predictors; not owned.
        mixture: how far the memory is trusted beside this adapter.
        adapter: its tensors, or None for the base.
        adapter_id: what to name in answers.
        context_tokens: tokens of the prefix that are looked at.
        calibration: how far a ghost's probability has been right; shared and kept up to date.
        restraint: how dear a wrong ghost is held; the same.
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
        ghost_penalty: GhostPenalty | None = None,
    ) -> None:
        self.adapter_id = adapter_id
        self.adapter = adapter
        self._tokenizer = tokenizer
        self._user_model = user_model
        self._next_token = NextTokenModel(
            model, user_model, mixture, adapter=adapter, window=context_tokens, spare=_SPARE
        )
        self._calibration = calibration or Calibration()
        self._ghost_penalty = ghost_penalty or GhostPenalty()
        self.acceptance_rate = 1.0  # how much of what is right is really taken
        self._lock = threading.Lock()
        self._offered = PendingGhosts()
        self._ranking = WordRanker(tokenizer, user_model, self._next_token)
        self._foreseen = SpeculatedWords()

    def warm(self, former: Predictor | None = None) -> None:
        """Read the recent entries, so that the first keystroke finds them cached; and the texts that are being
        written with a ``former`` predictor over the same knowledge, whose place this one takes.
        """
        with self._lock:
            self._next_token.next_probs([])
            # Another knowledge may lack what was forgotten, and the former one's drafts still hold it.
            if former is not None and former._user_model is self._user_model:
                for entry in former._next_token.active_texts():
                    self._next_token.next_probs(entry)

    def prefill_in_pieces(self, prefix: str) -> Iterator[None]:
        """Read what a suggestion after a long ``prefix`` needs, a piece before each None, so that others can be made
        between them; ends at once where little is to be read.
        """
        with self._lock:
            entry = self._ranking.cut(prefix).head
        pieces = self._next_token.prefill_in_pieces(entry)
        while True:
            with self._lock:
                if next(pieces, _READ) is _READ:
                    return
            yield

    def suggest(
        self,
        prefix: str,
        suffix: str = "",
        candidates: int = 3,
        ghost_words: int = 8,
        *,
        given_up: Callable[[], bool] = lambda: False,
        waiting: Callable[[], Sequence[str]] = tuple,
        remember: bool = True,
    ) -> Suggestion:
        """Words that finish the one under the cursor or come next, and a continuation.

        Args:
            prefix: text before the cursor; its end counts.
            suffix: text after the cursor; nothing is offered in the middle of a word, nor what stands there.
            candidates: words wanted, most probable first.
            ghost_words: the longest continuation, in words; 0 for none.
            given_up: asked before each pass that only a ghost needs: whether nobody waits for it any more.
            waiting: asked before a pass: prefixes for which somebody waits, too. They are read in the same pass, and so
                is what other texts will probably be.
            remember: keep what was offered for :meth:`observe`; off the record nothing is kept.
        """
        started = time.perf_counter()
        words: list[Word] = []
        ghost = NO_GHOST
        with self._lock:
            cut = self._ranking.cut(prefix)
            if WORD.match(suffix) or len(cut.typed) > LONGEST:
                pass
            elif _WITHOUT_SPACES.search(prefix):
                if ghost_words and not given_up():
                    ghost = self._run_on(cut, ghost_words)
                    ghost = NO_GHOST if self._must_hide(prefix, ghost.text) else ghost
            else:

                def beside() -> list[list[int]]:
                    others = [self._ranking.cut(other).head for other in waiting()[:_WAITING]]
                    return others + self._foreseen.beside(cut.head)

                found = self._ranking.match(cut, max(candidates, 1) + 1, beside)
                words = [
                    word for word in self._ranking.words(cut, found) if not self._must_hide(prefix, word.text)
                ]
                pieces = [_Piece(word.text, word.p, self._with(cut, word)) for word in words[:2]]
                following = [SpeculatedText(piece.entry, piece.p) for piece in pieces]
                self._foreseen.note(cut.head, following, keep=remember)
                if ghost_words and not given_up():
                    piece = self._piece(prefix, cut, found, pieces[:1], beside)
                    if piece is not None:
                        ghost = self._shown(piece, ghost_words, given_up)
                        if remember:
                            self._offered.note(prefix, piece.text, piece.p, shown=ghost.show)
                        if self._must_hide(prefix, ghost.text):  # its tail would show too much
                            ghost = replace(ghost, text=piece.text)
            if not remember:
                self._ranking.forget(prefix)
        behind = WORD.search(suffix)
        if behind is not None:
            words = [word for word in words if cut.typed + word.text != behind[0]]
            ghost = _before(ghost, cut.typed, behind[0])
        elapsed_ms = (time.perf_counter() - started) * 1e3
        return Suggestion(tuple(words[:candidates]), ghost, self.adapter_id, elapsed_ms)

    def prefetch(self) -> None:
        """Make the passes that the likeliest next words will need, while nobody waits for a suggestion.

        May be called from a thread of its own: a suggestion that is asked for meanwhile comes first.
        """
        foreseen = self._foreseen.latest
        for word in foreseen:
            if word.p < _FORESEEN or self._foreseen.latest is not foreseen:
                return
            self._next_token.prefetch(word.entry, _LIKELY)

    def precompute(self, text: str) -> None:
        """Make most of the passes that typing ``text`` will need at once, for who knows that it will be typed.

        What is suggested is the same, but for the rounding of larger products.
        """
        with self._lock:
            self._next_token.precompute(self._tokenizer.encode(text))

    def word_probs(self, prefix: str, texts: Sequence[str]) -> list[float]:
        """The probability of each of these words at the cursor, as a :class:`Word` has it; 0 for what is negligible."""
        if not texts:
            return []
        with self._lock:
            cut = self._ranking.cut(prefix)
            found = {
                word.text: word.p for word in self._ranking.words(cut, self._ranking.match(cut, _CONSIDERED))
            }
        return [found.get(text, 0.0) for text in texts]

    @property
    def mixture(self) -> Mixture:
        """How far the memory is trusted by now."""
        return self._next_token.mixture

    def observe(self, text: str, ids: Sequence[int]) -> None:
        """Learn from an entry, before the knowledge does, how far what was foretold on the way could be trusted."""
        with self._lock:
            self._foreseen.end(ids)
            self._next_token.observe(ids)
            offers = self._offered.take(text)
            if offers:
                self._ghost_penalty.learn(offers[-1].at - offers[0].at + 1, count_wrong(text, offers))
            self._calibration.learn_many((offer.p, offer.is_right_in(text)) for offer in offers)

    def complete(self, prefix: str, words: int) -> str:
        """The likeliest continuation by up to ``words`` words, however unsure: to show, not to type."""
        with self._lock:
            entry = self._next_token.fit(self._tokenizer.encode(prefix))
            start = len(entry)
            while len(entry) - start < 3 * words:
                entry.append(int(np.argmax(self._next_token.next_probs(entry))))
                if not self._tokenizer.token_bytes(entry[-1]).strip(b"\n"):
                    break
        text = self._tokenizer.decode(entry[start:])
        ends = [match.end() for match in regex.finditer(r"\S+", text)]
        return text[: ends[min(words, len(ends)) - 1]] if ends else ""

    # Ghost text

    def _must_hide(self, prefix: str, offered: str) -> bool:
        """The one place through which all that is offered goes, words and ghosts."""
        return self._user_model.must_hide(prefix, offered)

    def _with(self, cut: SplitPrefix, word: Word) -> list[int]:
        """The tokens of a text with the word at the cursor."""
        return cut.head + self._tokenizer.encode(cut.start + word.text)

    def _piece(
        self,
        prefix: str,
        cut: SplitPrefix,
        found: Matches,
        pieces: list[_Piece],
        beside: Callable[[], Iterable[list[int]]],
    ) -> _Piece | None:
        """The beginning of a ghost that is expected to save most: one of these, or the word behind."""
        if not cut.spaced or cut.typed:
            behind = self._next(cut, found, beside)
            pieces = pieces + [piece for piece in behind if not self._must_hide(prefix, piece.text)]
        return max(pieces, key=lambda piece: piece.saving, default=None)

    def _shown(self, piece: _Piece, most: int, given_up: Callable[[], bool]) -> Ghost:
        p = self._calibration(piece.p)
        if not self._worth(piece.text, p):
            return Ghost(piece.text, p, False)
        return Ghost(piece.text + ("" if given_up() else self._tail(piece.entry, most - 1)), p, True)

    def _run_on(self, cut: SplitPrefix, most: int) -> Ghost:
        """A ghost in a script that has no spaces, where no words can be told apart: what is likely, token by token."""
        tokens = self._next_token.greedy_draft(cut.head, _LIKELY, self._goes_on, undrafted=True)
        text = self._tokenizer.decode(tokens).rstrip("\ufffd")  # a character's bytes may not be complete
        if not text:
            return NO_GHOST
        p = self._calibration(float(self._next_token.next_probs(cut.head)[tokens[0]]))
        text = text[: _WORD_LENGTH * most]
        ends = [found.end() for found in WORD.finditer(text)]
        return Ghost(
            text[: ends[most - 1]] if len(ends) > most else text, p, p * self.acceptance_rate >= _SURE
        )

    def _worth(self, text: str, p: float) -> bool:
        """Whether a ghost is expected to save more than it distracts."""
        taken = p * self.acceptance_rate
        saved, lost = taken * (len(text) - 1), (1 - taken) * self._ghost_penalty.cost
        return taken >= _CERTAIN or (p >= _SURE and len(text) >= _SHORTEST and saved > lost)

    def _next(
        self, cut: SplitPrefix, found: Matches, beside: Callable[[], Iterable[list[int]]]
    ) -> list[_Piece]:
        """The word behind the one under the cursor, which may be finished."""
        finished = found.finished / max(self._ranking.total(cut, found), 1e-30) if cut.typed else 1.0
        if finished < _FINISHED:
            return []
        behind = SplitPrefix(cut.head + self._tokenizer.encode(cut.start), True, "")
        return [
            _Piece(f" {word.text}", finished * word.p, self._with(behind, word))
            for word in self._ranking.words(behind, self._ranking.match(behind, 1, beside))
        ]

    def _tail(self, entry: list[int], most: int) -> str:
        """What comes after a ghost's first word, by up to ``most`` words, as long as it is likely."""
        if most < 1:
            return ""
        tail = self._tokenizer.decode(self._next_token.greedy_draft(entry, _LIKELY, self._goes_on))
        if WORD.match(tail):  # the first word would be another one
            return ""
        return _whole_words(tail, most)

    def _goes_on(self, token: int) -> bool:
        return bool(self._tokenizer.token_bytes(token).strip(b"\n"))


def _before(ghost: Ghost, typed: str, word: str) -> Ghost:
    """A ghost up to where it would say what stands behind the cursor already."""
    end = 0  # of what is kept
    for found in WORD.finditer(typed + ghost.text):
        if found.end() > len(typed):
            if found[0] == word:
                return Ghost(ghost.text[:end], ghost.p, ghost.show) if end else NO_GHOST
            end = found.end() - len(typed)
    return ghost


def _whole_words(text: str, most: int) -> str:
    """The beginning of ``text`` that ends where a word ends, of at most ``most`` words.

    The last word is left out if it reaches the end: it may not be finished.
    """
    ends = [match.end() for match in WORD.finditer(text) if match.end() < len(text)]
    return text[: ends[min(most, len(ends)) - 1]] if ends and most > 0 else ""
