"""What grey text and mending are worth together, in seconds: a hand types that slips, takes grey text, and is mended.

``python tests/bench/slips.py``, or with the names of people. The newest fifth of a person's text is typed behind the
rest of it, at three speeds, by a typist who reads in the usual way or with care. Three slips in 100 keys fall on
letters that are typed; what is taken has none. A slip is noticed within three keys and mended by hand, or left to be
mended where the word ends: the habit that costs less counts. Each row says what of the time by hand is saved by grey
text alone, by mending alone, by both, and what the sum of the two would be.
"""

import argparse
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from common import BASE, PEOPLE, entries, show

from idiolect.adapters.evaluation.eval_split import EvalMessage, split_corpus
from idiolect.adapters.evaluation.mistyping import mistype
from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.mending.keyboards import neighbours
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.suggestion import Suggestion
from idiolect.models.build import find_base

SEED = 1
WORDS_A_MINUTE = (30, 60, 100)
#: Seconds to see new grey text, and for each further word of it.
READERS = {"usual": (0.17, 0.10), "careful": (0.30, 0.15)}
TAKE_S, REACT_S, LIST_S = 0.07, 0.25, 0.54
SLIPS = 0.03  # of the keys
NOTICED = (0.5, 0.25, 0.15, 0.1)  # after so many further keys
HANDS = 3  # that type each text, each with slips of its own
BEHIND = 4  # characters behind a word, within which a slip in it is noticed
PREFIX_CHARS = 2000

Ask = Callable[[str], Suggestion]


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
        return self.start + len(self.word)


@dataclass
class Page:
    """A message, the slips of each hand by place, and the answers at each key by speed and whether words are mended."""

    text: str
    hands: list[dict[int, Slip]]
    right: dict[tuple[int, bool], list[Suggestion]] = field(default_factory=dict)
    wrong: dict[tuple[int, bool, Slip], list[Suggestion]] = field(default_factory=dict)

    def fits(self, at: int, text: str) -> bool:
        """Whether ``text`` is what comes next, and ends where a word does."""
        goes_on = WORD.match(text[-1:]) and WORD.match(self.text, at + len(text))
        return self.text.startswith(text, at) and not goes_on

    def runs(self, at: int, words: Sequence[str]) -> Iterator[tuple[int, int]]:
        """How many characters and how many words may be taken of a ghost."""
        for count in range(1, len(words) + 1):
            text = "".join(words[:count])
            if not self.fits(at, text):
                return
            yield len(text), count


def draw_slips(text: str, rng: random.Random, near: dict[str, frozenset[str]]) -> dict[int, Slip]:
    """At most one slip a word, by the place of its first wrong key."""
    words = [(m.start(), m[0]) for m in WORD.finditer(text) if len(m[0]) > 1 and m[0].strip("'’").isalpha()]
    letters = sum(len(word) for _, word in words)
    found = dict[int, Slip]()
    for start, word in words:
        if rng.random() < SLIPS * len(text) / letters * len(word):
            typed = mistype(word, rng.randrange(len(word)), rng, near)
            slip = Slip(start, word, typed, rng.choices(range(4), NOTICED)[0])
            if typed.strip("'’") and typed != word and slip.end < len(text):
                found[slip.at] = slip
    return found


def answer(predictor: Predictor, page: Page) -> None:
    """Ask at each key of a message, typed right and with each of the slips."""
    for wpm in WORDS_A_MINUTE:
        for mends in (False, True):

            def ask(
                prefix: str, *, remember: bool = False, wpm: int = wpm, mends: bool = mends
            ) -> Suggestion:
                about = {"key_ms": 12000 / wpm, "corrections": mends, "remember": remember}
                return predictor.suggest(prefix[-PREFIX_CHARS:], candidates=3, **about)

            predictor.ghosts.forget_shown()
            once = wpm == WORDS_A_MINUTE[1] and not mends
            page.right[wpm, mends] = [
                ask(page.text[:end], remember=once) for end in range(len(page.text) + 1)
            ]
            for slip in {slip for hand in page.hands for slip in hand.values()}:
                predictor.ghosts.forget_shown()
                for end in range(slip.start, slip.at + 1):  # what stood there before the slip
                    ask(page.text[:end])
                before, behind = page.text[: slip.start], page.text[slip.end : slip.end + BEHIND]
                whole, first = before + slip.typed + behind, slip.at + 1
                page.wrong[wpm, mends, slip] = [ask(whole[:end]) for end in range(first, len(whole) + 1)]


class Typist:
    """Types pages; ``takes`` grey text, has what is sure ``mended``, ``waits`` for it when a slip was noticed."""

    def __init__(self, wpm: int, reader: str, *, takes: bool, mended: bool, waits: bool) -> None:
        self.wpm, self.key_s = wpm, 12 / wpm
        self.see_s, self.more_s = READERS[reader]
        self.takes, self.mended, self.waits = takes, mended, waits

    def seconds(self, page: Page, slips: dict[int, Slip]) -> float:
        """The time that a page takes."""
        at, spent, seen, done = 0, 0.0, "", set[int]()
        while at < len(page.text):
            found = page.right[self.wpm, self.mended][at]
            look_s, seen, words = self.look(found, seen, page.text[:at])
            step, cost = 1, self.key_s
            if found.ghost.show and self.takes:
                for length, count in page.runs(at, words):
                    if length * self.key_s > count * self.key_s + TAKE_S:
                        step, cost = length, count * self.key_s + TAKE_S
            spent += look_s
            if step == 1 and at in slips and at not in done:
                done.add(at)
                at, cost = self.slip(page, slips[at])
                spent, seen = spent + cost, ""
                continue
            if self.mended and found.correction is not None and found.correction.sure:  # it was right
                cost += self.see_s + REACT_S + self.key_s
            at, spent = at + step, spent + cost
        return spent

    def look(self, found: Suggestion, seen: str, prefix: str) -> tuple[float, str, list[str]]:
        """Seconds that reading grey text takes, what it makes of the text, and its words; nothing is read twice."""
        words, kept = [word.text for word in found.ghost.words] if found.ghost.show else [], prefix
        for word in found.words:
            if word.grey:
                words, kept = [word.text], prefix[: len(prefix) - word.replace]
        if not words or not self.takes:
            return 0.0, "", []
        text = kept + "".join(words)
        is_rest = bool(seen) and (text.startswith(seen) or seen.startswith(text))
        return 0.0 if is_rest else self.see_s + self.more_s * (len(words) - 1), text, words

    def slip(self, page: Page, slip: Slip) -> tuple[int, float]:
        """Where a slip is over, and the seconds that it took."""
        before = page.text[: slip.start]
        whole = before + slip.typed + page.text[slip.end : slip.end + BEHIND]
        end, spent, seen = len(before + slip.typed), 0.0, ""
        answers = page.wrong[self.wpm, self.mended, slip]
        for keys, found in enumerate(answers):
            typed, spent = whole[: slip.at + keys + 1], spent + self.key_s
            look_s, seen, words = self.look(found, seen, typed)
            spent += look_s
            is_right = words == [slip.word] and any(word.grey for word in found.words)
            if is_right and self.key_s + TAKE_S < (end - len(typed)) * self.key_s + self.see_s:
                return slip.end, spent + self.key_s + TAKE_S
            if len(typed) > end and self.mended:
                return slip.end + 1, spent + self.ended(page, slip, found, answers[keys - 1])
            may_wait = self.mended and (self.waits or len(typed) == end)
            if keys == slip.notices and not may_wait:
                return slip.at, spent + REACT_S + (keys + 1) * self.key_s
        return slip.at, spent + REACT_S + len(answers) * self.key_s

    def ended(self, page: Page, slip: Slip, found: Suggestion, offered: Suggestion) -> float:
        """Seconds from the end of a mistyped word until it is right."""
        again_s = REACT_S + (len(slip.word) + 3) * self.key_s
        if any(
            slip.typed[: len(slip.typed) - word.replace] + word.text == slip.word for word in offered.words
        ):
            again_s = REACT_S + 2 * self.key_s + LIST_S
        made = found.correction
        if made is None or not made.sure:
            return again_s
        typed = page.text[: slip.start] + slip.typed + page.text[slip.end]
        if typed[: len(typed) - made.replace] + made.text == page.text[: slip.end + 1]:
            return self.see_s
        return self.see_s + self.key_s + again_s


def measure(loaded: LoadedModel, person: str, chars: int) -> list[dict[str, float | str]]:
    """The rows of one person: memory and recent text, no adapter."""
    texts = [(entry["text"].strip(), entry["ts"]) for entry in entries(person) if entry["text"].strip()]
    split = split_corpus(
        [EvalMessage(text, at, text) for text, at in texts], name=person, seed=SEED, chars=chars
    )
    encode, near, rng = loaded.tokenizer.encode, neighbours(loaded.channel.layout), random.Random(person)
    known = loaded.build_user_model([encode(message.kept) for message in split.history])
    predictor, pages = loaded.build_predictor(known, None), list[Page]()
    for message in split.test:
        page = Page(message.text, [draw_slips(message.text, rng, near) for _ in range(HANDS)])
        predictor.forget_texts()
        predictor.precompute(message.text)
        answer(predictor, page)
        predictor.observe(message.kept, ids := encode(message.kept))
        known.learn(message.kept, ids)
        pages.append(page)

    def took_s(wpm: int, reader: str, *, takes: bool, mended: bool) -> float:
        habits = (False, True) if mended else (False,)
        typists = [Typist(wpm, reader, takes=takes, mended=mended, waits=waits) for waits in habits]
        return min(sum(one.seconds(page, hand) for page in pages for hand in page.hands) for one in typists)

    rows = list[dict[str, float | str]]()
    for reader in READERS:
        for wpm in WORDS_A_MINUTE:
            by_hand = took_s(wpm, reader, takes=False, mended=False)
            ways = {"grey": (True, False), "mended": (False, True), "both": (True, True)}
            saved = {
                name: 100 * (1 - took_s(wpm, reader, takes=takes, mended=mended) / by_hand)
                for name, (takes, mended) in ways.items()
            }
            rows.append({"reader": reader, "wpm": wpm, **saved, "sum": saved["grey"] + saved["mended"]})
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("people", nargs="*", default=PEOPLE, metavar="PERSON", help=f"of {', '.join(PEOPLE)}")
    parser.add_argument("--chars", type=int, default=900, help="about how many characters to type (900)")
    wanted = parser.parse_args()
    loaded = LoadedModel(find_base(BASE), threads=1)
    found = {person: measure(loaded, person, wanted.chars) for person in wanted.people}
    if len(found) > 1:
        found["mean"] = [
            {
                name: value if name in ("reader", "wpm") else sum(one[name] for one in rows) / len(rows)
                for name, value in rows[0].items()
            }
            for rows in zip(*found.values(), strict=True)
        ]
    show(
        "of 100 seconds by hand, saved",
        (
            {
                "text": person,
                **{name: f"{it:.1f}" if isinstance(it, float) else it for name, it in row.items()},
            }
            for person, rows in found.items()
            for row in rows
        ),
    )


if __name__ == "__main__":
    main()
