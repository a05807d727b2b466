"""A hand that slips, takes grey text and is mended: what grey text and mending save of its time, alone and together.

Three slips in 100 keys fall on letters that are typed, as in Dhakal et al. (CHI 2018, 136 million keystrokes); what is
taken has none. A slip is noticed within three keys and mended by hand, or left to be mended where the word ends: the
habit that costs less counts. The times are those of :mod:`~idiolect.adapters.prediction.look_value`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

from idiolect.adapters.evaluation.eval_split import EvalMessage
from idiolect.adapters.evaluation.mistyping import mistype
from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.mending.keyboards import Layout, neighbours
from idiolect.adapters.prediction.look_value import FURTHER_LOOK_S, LOOK_S, TAKE_S
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.question import Question
from idiolect.adapters.prediction.suggestion import Suggestion, Word

_REACT_S: Final = 0.25  # from seeing a slip to the first key that mends it
_LIST_S: Final = 0.54  # to look at a list of three words
_SLIPS: Final = 0.03  # of the keys
_NOTICED: Final = (0.5, 0.25, 0.15, 0.1)  # after so many further keys
_HANDS: Final = 3  # that type each text, each with slips of its own
_BEHIND: Final = 4  # characters behind a word, within which a slip in it is noticed
_PREFIX_CHARS: Final = 2000


@dataclass(frozen=True)
class Slip:
    """A word typed otherwise than it was meant; its typist notices after ``notices`` further keys."""

    start: int
    word: str
    typed: str
    notices: int

    @property
    def at(self) -> int:
        """The place of the first wrong key."""
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(self.word, self.typed, strict=False))
        return self.start + sum(1 for _ in alike)

    @property
    def end(self) -> int:
        """The place behind the word that was meant."""
        return self.start + len(self.word)


@dataclass
class Page:
    """A text, the slips of each hand by place, and the answers at each key by speed and whether words are mended."""

    text: str
    hands: list[dict[int, Slip]]
    right: dict[tuple[float, bool], list[Suggestion]] = field(default_factory=dict)
    wrong: dict[tuple[float, bool, Slip], list[Suggestion]] = field(default_factory=dict)

    def fits(self, at: int, text: str) -> bool:
        """Return True if ``text`` is what comes next, and ends where a word does."""
        goes_on = WORD.match(text[-1:]) and WORD.match(self.text, at + len(text))
        return self.text.startswith(text, at) and not goes_on

    def runs(self, at: int, words: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Yield how many characters and how many words may be taken of a ghost."""
        for count in range(1, len(words) + 1):
            text = "".join(words[:count])
            if not self.fits(at, text):
                return
            yield len(text), count

    def typed(self, slip: Slip) -> str:
        """Return the text up to a few characters behind a mistyped word."""
        return self.text[: slip.start] + slip.typed + self.text[slip.end : slip.end + _BEHIND]


def answer_pages(
    predictor: Predictor,
    messages: Sequence[EvalMessage],
    layout: Layout,
    seed: str,
    keys_s: Sequence[float],
    learn: Callable[[EvalMessage], None],
) -> list[Page]:
    """Ask at each key of messages, typed right and with slips, for typists who take these seconds for a key.

    ``learn`` is called with each message once it was typed.
    """
    pages, near, rng = list[Page](), neighbours(layout), random.Random(seed)  # noqa: S311 (no secret)
    for message in messages:
        page = Page(message.text, [_draw_slips(message.text, rng, near) for _ in range(_HANDS)])
        predictor.forget_texts()
        predictor.precompute(message.text)
        for key_s in keys_s:
            for mends in (False, True):
                is_usual = key_s == keys_s[len(keys_s) // 2] and not mends  # what is learned from
                _answer(predictor, page, key_s, mends=mends, remember=is_usual)
        learn(message)
        pages.append(page)
    return pages


def _draw_slips(text: str, rng: random.Random, near: dict[str, frozenset[str]]) -> dict[int, Slip]:
    """Return at most one slip a word, by the place of its first wrong key."""
    words = [(m.start(), m[0]) for m in WORD.finditer(text) if len(m[0]) > 1 and m[0].strip("'’").isalpha()]
    letters = sum(len(word) for _, word in words)
    found = dict[int, Slip]()
    for start, word in words:
        if rng.random() < _SLIPS * len(text) / letters * len(word):
            typed = mistype(word, rng.randrange(len(word)), rng, near)
            slip = Slip(start, word, typed, rng.choices(range(len(_NOTICED)), _NOTICED)[0])
            if typed.strip("'’") and typed != word and slip.end < len(text):
                found[slip.at] = slip
    return found


def _answer(predictor: Predictor, page: Page, key_s: float, *, mends: bool, remember: bool) -> None:
    def ask(prefix: str, *, is_right: bool = False) -> Suggestion:
        learns = remember and is_right
        prefix = prefix[-_PREFIX_CHARS:]
        return predictor.suggest(Question(prefix, key_ms=1e3 * key_s, corrections=mends, remember=learns))

    predictor.ghosts.forget_shown()
    page.right[key_s, mends] = [ask(page.text[:end], is_right=True) for end in range(len(page.text) + 1)]
    for slip in {slip for hand in page.hands for slip in hand.values()}:
        predictor.ghosts.forget_shown()
        for end in range(slip.start, slip.at + 1):  # what stood there before the slip
            ask(page.text[:end])
        typed = page.typed(slip)
        page.wrong[key_s, mends, slip] = [ask(typed[:end]) for end in range(slip.at + 1, len(typed) + 1)]


def share_saved(
    pages: Sequence[Page], key_s: float, look_s: float = LOOK_S, further_s: float = FURTHER_LOOK_S
) -> dict[str, float]:
    """Return the shares, 0 to 1, of the time by hand that ``grey`` text, ``mending`` and ``both`` save.

    ``look_s`` and ``further_s`` are the seconds to see new grey text, and for each further word of it.
    """

    def took_s(*, takes: bool, mended: bool) -> float:
        habits = (False, True) if mended else (False,)
        typists = [
            _Typist(key_s, look_s, further_s, takes=takes, mended=mended, waits=waits) for waits in habits
        ]
        return min(sum(one.seconds(page, hand) for page in pages for hand in page.hands) for one in typists)

    by_hand = took_s(takes=False, mended=False)
    ways = {"grey": (True, False), "mending": (False, True), "both": (True, True)}
    return {name: 1 - took_s(takes=takes, mended=mended) / by_hand for name, (takes, mended) in ways.items()}


def seconds_with_ghosts(text: str, answers: Sequence[Suggestion], key_s: float) -> float:
    """Return the seconds that a text takes whose typist does not slip and takes grey text; an answer for each key."""
    typist = _Typist(key_s, LOOK_S, FURTHER_LOOK_S, takes=True, mended=False, waits=False)
    return typist.seconds(Page(text, [], {(key_s, False): [*answers]}), {})


@dataclass(frozen=True)
class _Typist:
    """Types pages; ``takes`` grey text, has what is sure ``mended``, ``waits`` for it when a slip was noticed."""

    key_s: float
    look_s: float
    further_s: float
    takes: bool
    mended: bool
    waits: bool

    def seconds(self, page: Page, slips: Mapping[int, Slip]) -> float:
        """Return the time that a page takes."""
        at, spent, seen, done = 0, 0.0, "", set[int]()
        while at < len(page.text):
            found = page.right[self.key_s, self.mended][at]
            look_s, seen, words = self._look(found, seen, page.text[:at])
            step, cost = 1, self.key_s
            if found.ghost.show and self.takes and _grey(found) is None:
                for length, count in page.runs(at, words):
                    if length * self.key_s > count * self.key_s + TAKE_S:
                        step, cost = length, count * self.key_s + TAKE_S
            spent += look_s
            if step == 1 and at in slips and at not in done:
                done.add(at)
                at, cost = self._slip(page, slips[at])
                spent, seen = spent + cost, ""
                continue
            if self.mended and found.correction is not None and found.correction.sure:  # it was right
                cost += self.look_s + _REACT_S + self.key_s
            at, spent = at + step, spent + cost
        return spent

    def _look(self, found: Suggestion, seen: str, prefix: str) -> tuple[float, str, list[str]]:
        """Return the seconds to read grey text unless it was read before, what it makes of the text, and its words."""
        words, kept = [word.text for word in found.ghost.words] if found.ghost.show else [], prefix
        if (meant := _grey(found)) is not None:
            words, kept = [meant.text], prefix[: len(prefix) - meant.replace]
        if not words or not self.takes:
            return 0.0, "", []
        text = kept + "".join(words)
        is_rest = bool(seen) and (text.startswith(seen) or seen.startswith(text))
        return 0.0 if is_rest else self.look_s + self.further_s * (len(words) - 1), text, words

    def _slip(self, page: Page, slip: Slip) -> tuple[int, float]:
        """Return where a slip is over, and the seconds that it took."""
        whole, end = page.typed(slip), slip.start + len(slip.typed)
        spent, seen = 0.0, ""
        answers = page.wrong[self.key_s, self.mended, slip]
        for keys, found in enumerate(answers):
            typed, spent = whole[: slip.at + keys + 1], spent + self.key_s
            look_s, seen, words = self._look(found, seen, typed)
            spent += look_s
            is_right = words == [slip.word] and _grey(found) is not None
            if is_right and self.key_s + TAKE_S < (end - len(typed)) * self.key_s + self.look_s:
                return slip.end, spent + self.key_s + TAKE_S
            if len(typed) > end and self.mended:
                return slip.end + 1, spent + self._end(page, slip, found, answers[keys - 1])
            may_wait = self.mended and (self.waits or len(typed) == end)
            if keys == slip.notices and not may_wait:
                return slip.at, spent + _REACT_S + (keys + 1) * self.key_s
        return slip.at, spent + _REACT_S + len(answers) * self.key_s

    def _end(self, page: Page, slip: Slip, found: Suggestion, offered: Suggestion) -> float:
        """Return the seconds from the end of a mistyped word until it is right."""
        anew_s = _REACT_S + (len(slip.word) + 3) * self.key_s
        if any(
            slip.typed[: len(slip.typed) - word.replace] + word.text == slip.word for word in offered.words
        ):
            anew_s = _REACT_S + 2 * self.key_s + _LIST_S
        made, grey = found.correction, self.takes and _grey(found) is not None
        if made is None or not (made.sure or grey):
            return anew_s
        typed = page.text[: slip.start] + slip.typed + page.text[slip.end]
        if typed[: len(typed) - made.replace] + made.text != page.text[: slip.end + 1]:
            return anew_s + (self.look_s + self.key_s if made.sure else 0.0)
        return self.look_s if made.sure else self.key_s + TAKE_S  # grey text was looked at before


def _grey(found: Suggestion) -> Word | None:
    """Return what was meant that stands there as grey text."""
    made = found.correction
    if made is not None and made.grey and not made.sure:
        return Word(made.text, made.p, made.replace)
    return next((word for word in found.words if word.grey), None)
