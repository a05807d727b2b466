"""What token comes next: the model's distribution, in which recent entries count, mixed with the memory's."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.models.session import Adapter, Interrupt, InterruptedPassError, Model, Session

_DRAFT = 12  # tokens that are drafted with the memory and verified in one pass, at the most
_SHORT = (
    3  # tokens of a draft that need only be likely; a longer one is a dear pass, and must be nearly certain
)
_CERTAIN = 0.8
_SAID, _DRAFTED, _REMEMBERED = 32, 16, 16  # distributions, of 200 KB each
_ASIDE = 1024  # tokens of texts that are written beside the present one, of 45 KB each: a long one and eight short ones
_PIECE = 32  # tokens that are read in one pass of a long text: 80 ms beside a round, where 64 take 150
_BESIDE = 12  # tokens of others that are read in the pass for one text: 2 ms each, alone 14
_AT_ONCE = 32  # tokens of an entry that is known beforehand are read in one pass
_ALONE, _ALONE_S = 2, 2.0  # texts gone on with so lately among which there is time to look ahead
_UNDER_WAY_S = 10.0  # since somebody last went on with a text
_IN_VIEW_S = 300.0  # that recent text stays as it is, at the most, before texts that are under way
_WINDOW_STEP = 128  # a long prefix is cut at multiples of this, so that its cache stays valid for a while


@dataclass(frozen=True)
class _Looking:
    """A pass that is made ahead: for all beginnings of ``tokens`` that have ``first`` tokens or more."""

    first: int
    tokens: tuple[int, ...]
    interrupt: Interrupt

    def covers(self, entry: list[int], draft: list[int]) -> bool:
        """Whether it brings what is wanted."""
        wanted = tuple(entry + draft)
        return len(entry) >= self.first and self.tokens[: len(wanted)] == wanted


class NextTokenModel:
    """Next-token distributions after any entry; the last few are remembered.

    What is learned while texts are being written comes into view between them, or after five minutes: all of them
    would have to be read again behind it. The memory knows it at once.

    For one thread at a time, and beside it another that calls :meth:`prefetch`.

    Args:
        model: the loaded graph.
        knowledge: shared; what the memory learns shows at the next call.
        mixture: how far the memory is trusted beside this adapter.
        adapter: its tensors, or None for the base.
        window: tokens of an entry that are looked at.
        spare: tokens that callers append to what :meth:`fit` returned.
    """

    def __init__(
        self,
        model: Model,
        user_model: UserModel,
        mixture: Mixture,
        *,
        adapter: Adapter | None,
        window: int,
        spare: int,
    ) -> None:
        self._user_model = user_model
        self.mixture = mixture
        others = 2 * user_model.recent.limit + len(user_model.recent.breaks) + spare + _DRAFT
        self._window = max(1, min(window, model.config.context - others))
        self._session = Session(model, length=others + self._window, adapter=adapter, evicted_tokens=_ASIDE)
        self._turn = threading.Lock()  # for the session, and recent text as it sees it
        self._in_view, self._newest_at = user_model.recent.line, time.monotonic()
        self._read_behind = self._in_view  # by the latest pass
        self._looking: _Looking | None = None  # what is made ahead now
        self._noting = threading.Lock()  # for what follows
        self._said = _Few(_SAID)  # the model's distributions, with recent text as it is in view
        # Behind what was asked for: those of one text must not oust all others.
        self._drafted = _Few(_DRAFTED)
        # And those of a text that is known beforehand, of which nobody has asked for any yet.
        self._foreseen: dict[tuple[int, ...], NDArray[np.float32]] = {}
        self._known = -1  # the memory's size when what follows was made
        self._remembered = _Few(_REMEMBERED)  # mixed distributions
        self._likely: dict[tuple[int, ...], list[int]] = {}

    def tail(self, text: str) -> str:
        """The end of a text that is surely more than the window holds, cut where the cut stays the same for a while."""
        step = 8 * self._window
        return text[max(0, len(text) // step - 1) * step :]

    def fit(self, ids: list[int]) -> list[int]:
        """The last tokens, as many as the window holds, cut where the cut stays the same for a while."""
        excess = max(0, len(ids) - self._window)
        return ids[-(-excess // _WINDOW_STEP) * _WINDOW_STEP :]

    def next_probs(
        self, entry: list[int], beside: Callable[[], Iterable[list[int]]] = tuple
    ) -> NDArray[np.float32]:
        """The distribution (vocab,) over the token after ``entry``.

        Where that needs a pass, ``beside`` is asked for other entries that will be asked about; as many as fit are read
        in the same pass.
        """
        return self._through(entry, [], beside)[0]

    def active_texts(self) -> list[list[int]]:
        """The texts that are being written, the one that was gone on with last at the end, with what is drafted there.

        May be called from any thread; waits for a pass that is made.
        """
        with self._turn:
            return [[*text] for text in self._session.active_texts(_UNDER_WAY_S)]

    def prefill_in_pieces(self, entry: list[int]) -> Iterator[None]:
        """Read most of what :meth:`next_probs` needs, a piece before each None; no pass where little is to be read.

        Between two pieces another entry may be asked about: what was read is set aside and comes back, unless too much
        is. What is said in the end is the same, but for the rounding of products of other sizes.
        """
        before, lost = self._session.length + 1, 0
        while self.cached_probs(entry) is None:
            with self._undisturbed(entry, []):
                if self.cached_probs(entry) is not None:  # it has been made ahead meanwhile
                    return
                left = self._left(entry, 1)
                lost += len(left) >= before
                # Twice lost: others need so much room that it would be read for ever.
                if len(left) <= _PIECE or lost > 1:
                    return
                before = len(left)
                self._session.feed(left[:_PIECE], "none")
            yield

    def prefetch(self, entry: list[int], least: float) -> None:
        """Make the pass that ``entry``, and what is :meth:`greedy_draft` behind it, will need.

        It is not made, or stopped, where :meth:`next_probs` or :meth:`greedy_draft` need another one meanwhile;
        nor where several         texts are being written, since there somebody always waits.
        """
        if sum(1 for _ in self._session.active_texts(_ALONE_S)) > _ALONE:
            return
        draft = self._draft(entry, least)
        if self._foretold(entry, draft):
            return
        looking = _Looking(len(entry), tuple(entry + draft), Interrupt())
        self._looking = looking
        if self._turn.acquire(blocking=False):
            try:
                with contextlib.suppress(InterruptedPassError):
                    self._pass(entry, draft, looking.interrupt)
            finally:
                self._turn.release()
        self._looking = None

    def _foretold(self, entry: list[int], draft: list[int]) -> bool:
        """Whether the model's word on all of these is remembered."""
        with self._noting:
            self._look()
            whole = tuple(entry + draft)
            return all(
                self._word_of_the_model(whole[:end]) is not None for end in range(len(entry), len(whole) + 1)
            )

    def precompute(self, ids: list[int]) -> None:
        """Make the passes that the beginnings of an entry will need, many at once, for who knows what will be typed.

        They are remembered beside the others, until something is learned or another entry foreseen.
        """
        self.cached_probs([])
        self._foreseen.clear()
        ids = ids[: self._window]
        for start in range(0, len(ids), _AT_ONCE):
            entry, rest = ids[:start], ids[start : start + _AT_ONCE - 1]
            rows = self._read(entry, rest)
            self._foreseen |= {tuple(entry + rest[:place]): softmax(row) for place, row in enumerate(rows)}

    def cached_probs(self, entry: list[int]) -> NDArray[np.float32] | None:
        """The same as :meth:`after`, if it needs no pass."""
        key, memory = tuple(entry), self._user_model.memory
        with self._noting:
            if memory.tokens != self._known:  # something was learned since
                self._known = memory.tokens
                self._remembered.clear()
            self._look()
            p = self._mixed(entry)
            if p is not None:
                self._remembered.note(key, p)
            if (said := self._word_of_the_model(key)) is not None:
                self._said.note(key, said)
            return p

    def _mixed(self, entry: list[int]) -> NDArray[np.float32] | None:
        """The same, where nothing becomes more likely to be remembered by it."""
        p = self._remembered.get(tuple(entry))
        if p is not None:
            return p
        said, memory = self._word_of_the_model(tuple(entry)), self._user_model.memory
        return None if said is None else self.mixture.mix(said, memory, memory.predict(entry))

    def _word_of_the_model(self, key: tuple[int, ...]) -> NDArray[np.float32] | None:
        found = (known.get(key) for known in (self._said, self._drafted, self._foreseen))
        return next((said for said in found if said is not None), None)

    def observe(self, ids: Sequence[int]) -> None:
        """Learn from an entry, before the memory does, how far the memory could be trusted on the way.

        No pass is needed: what the model said while it was typed is remembered, and counts once.
        """
        self._end(ids)
        memory = self._user_model.memory
        with self._noting:
            beginnings = [at for at in self._said if len(at) < len(ids) and tuple(ids[: len(at)]) == at]
            foretold = [(entry, self._said.pop(entry)) for entry in beginnings]
        for entry, p in foretold:
            token, known = ids[len(entry)], memory.predict(entry)
            from_memory = known.backoff * memory.unigram(token) + float(known.p[known.ids == token].sum())
            self.mixture.learn(known, from_memory, float(p[token]))

    def _end(self, ids: Sequence[int]) -> None:
        """The text that was written is whole, and no longer under way."""
        if self._looking is not None:
            self._looking.interrupt.stop()
        with self._turn:
            self._session.end(ids)

    def greedy_draft(
        self, entry: list[int], least: float, goes_on: Callable[[int], bool], *, undrafted: bool = False
    ) -> list[int]:
        """Tokens that most probably follow, each with at least the probability ``least``.

        Drafted with the memory and verified in one pass, with one token more behind what was right, for as long
        as ``goes_on`` holds of the token. Where the memory has no draft there is no pass, and nothing is found,
        unless ``undrafted`` asks for the one token that a pass gives.
        """
        self.cached_probs(entry)
        key = tuple(entry)
        found = self._likely.get(key)
        if found is None:
            if len(self._likely) >= 256:
                self._likely.clear()
            self._likely[key] = found = self._think(entry, least, goes_on, undrafted)
        return found

    def _think(
        self, entry: list[int], least: float, goes_on: Callable[[int], bool], undrafted: bool
    ) -> list[int]:
        draft = self._draft(entry, least)
        if not draft and not undrafted:
            return []
        tokens = list[int]()
        for row in self._through(entry, draft):
            token = int(np.argmax(row))
            if row[token] < least or not goes_on(token):
                break
            tokens.append(token)
            if draft[len(tokens) - 1 : len(tokens)] != [token]:
                break
        return tokens

    def _draft(self, entry: list[int], least: float) -> list[int]:
        tokens = list(entry)
        for _ in range(_DRAFT):
            known = self._user_model.memory.predict(tokens)
            sure = least if len(tokens) - len(entry) < _SHORT else _CERTAIN
            if known.order < 2 or known.p.max() < sure:
                break
            tokens.append(int(known.ids[np.argmax(known.p)]))
        return tokens[len(entry) :]

    def _through(
        self, entry: list[int], draft: list[int], beside: Callable[[], Iterable[list[int]]] = tuple
    ) -> list[NDArray[np.float32]]:
        """The distributions after ``entry`` and after each token of ``draft``, in one pass where one is needed."""
        found = self._kept(entry, draft)
        if found is None:
            with self._undisturbed(entry, draft):
                found = self._kept(entry, draft)  # it may have been made ahead meanwhile
                return self._pass(entry, draft, beside=beside()) if found is None else found
        return found

    @contextlib.contextmanager
    def _undisturbed(self, entry: list[int], draft: list[int]) -> Iterator[None]:
        """Hold the session, once a pass made ahead is over; one that does not bring what is wanted is stopped."""
        looking = self._looking
        if looking is not None and not looking.covers(entry, draft):
            looking.interrupt.stop()
        with self._turn:
            yield

    def _kept(self, entry: list[int], draft: list[int]) -> list[NDArray[np.float32]] | None:
        """The same, if all of them are remembered."""
        rows = [self.cached_probs(entry)]
        with self._noting:
            rows += [self._mixed(entry + draft[:end]) for end in range(1, len(draft) + 1)]
        found = [row for row in rows if row is not None]
        return found if len(found) == len(rows) else None

    def _pass(
        self,
        entry: list[int],
        draft: list[int],
        interrupt: Interrupt | None = None,
        beside: Iterable[list[int]] = (),
    ) -> list[NDArray[np.float32]]:
        wanted = {tuple(other): other for other in beside if other != entry}
        others = [other for other in wanted.values() if not self._foretold(other, [])]
        rows = self._read_with(entry, others) if others else self._read(entry, draft, interrupt)
        return [self._remember(entry, draft[:place], row) for place, row in enumerate(rows)]

    def _read_with(self, entry: list[int], others: list[list[int]]) -> NDArray[np.float32]:
        """Logits (1, vocab) after ``entry``; what the model says after some of the others is noted on the way."""
        left = self._left(entry, 1)
        if len(left) > _PIECE:
            return self._session.feed(left)
        before = self._before()
        found = self._session.feed_beside(
            left, [([*before, *other], len(other)) for other in others], _BESIDE
        )
        row = found.pop(-1)
        with self._noting:
            if self._read_behind is self._in_view:
                for place, said in found.items():
                    self._said.note(tuple(others[place]), softmax(said))
        return row[None]

    def _read(
        self, entry: list[int], draft: list[int], interrupt: Interrupt | None = None
    ) -> NDArray[np.float32]:
        """Logits (len(draft) + 1, vocab) after ``entry`` and after each token of ``draft``."""
        wanted = len(draft) + 1
        left = self._left(entry + draft, wanted)
        if wanted == 1:
            return self._session.feed(left, "last", interrupt)
        if len(left) > wanted:  # logits of what only has to be read would take 200 KB a token
            self._session.feed(left[:-wanted], "none", interrupt)
        return self._session.feed(left[-wanted:], "all", interrupt)

    def _left(self, entry: list[int], rows: int) -> list[int]:
        """What must be fed for the logits of the last ``rows`` tokens of ``entry``, recent text before it."""
        with self._noting:
            self._look()
            self._read_behind = self._in_view
        left = self._session.rewind_to_common_prefix([*self._before(), *entry], len(entry))
        if len(left) < rows:  # all of it is cached, but logits are not: feed the end again
            keep = len(self._session.tokens) - (rows - len(left))
            left = self._session.tokens[keep:] + left
            self._session.truncate(keep)
        return left

    def _before(self) -> list[int]:
        """What stands before each entry: recent text, as the latest pass saw it."""
        return [*self._read_behind, *self._user_model.recent.breaks]

    def _look(self) -> None:
        """Bring recent text into view, unless texts are under way that would have to be read again."""
        recent, now = self._user_model.recent.line, time.monotonic()
        if recent is self._in_view:
            self._newest_at = now
        elif now - self._newest_at > _IN_VIEW_S or not any(self._session.active_texts(_UNDER_WAY_S)):
            self._in_view, self._newest_at = recent, now
            for known in (self._said, self._drafted, self._foreseen, self._remembered, self._likely):
                known.clear()

    def _remember(
        self, entry: list[int], draft: list[int], logits: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Mix what the model says with the memory."""
        said, memory = softmax(logits), self._user_model.memory
        known, whole = memory.tokens, entry + draft
        p = self.mixture.mix(said, memory, memory.predict(whole))
        with self._noting:
            if self._read_behind is not self._in_view:  # something was learned on the way
                return p
            (self._drafted if draft else self._said).note(tuple(whole), said)
            if known == self._known and not draft:
                self._remembered.note(tuple(whole), p)
        return p


class _Few(OrderedDict[tuple[int, ...], NDArray[np.float32]]):
    """Distributions by what they follow: the ``most`` that were noted last."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def note(self, key: tuple[int, ...], p: NDArray[np.float32]) -> None:
        """Keep one more, and let the oldest go."""
        self[key] = p
        self.move_to_end(key)
        while len(self) > self._most:
            self.popitem(last=False)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: NDArray[np.float32] = shifted / shifted.sum(axis=-1, keepdims=True)
    return result
