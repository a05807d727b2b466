"""Splits messages into a history to learn from and a test to type; nothing that is typed was learned from.

Messages are in order of time. A seed and a name fix the draw.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from idiolect.models.errors import ExitCode, IdiolectError

HISTORY_SHARE = 0.8
"""Of a corpus, in messages; the rest is what can be typed."""

HISTORY_BYTES = 300_000
"""The newest part of a corpus's history that is learned from, in UTF-8."""

LEAST_CHARS = 400
"""Characters to type; fewer show nothing."""

_FEWEST, _MAX = 0.95, 1.1  # of the characters that are asked for


class TooLittleToTypeError(
    IdiolectError, code="too-little-to-type", exit_code=ExitCode.TRAINING, http_status=409
):
    """There is not enough held-out text to evaluate by."""


@dataclass(frozen=True)
class EvalMessage:
    """A message to type, or to learn from."""

    text: str  # as typed
    at: str  # ISO 8601
    kept: str  # what is learned of it, secrets left out
    context: Sequence[str] = ()  # the texts that it answers, where these are known
    answered: str = ""  # what a suggestion reads of them
    sender: str = ""


@dataclass(frozen=True)
class EvalSplit:
    """The history and the messages to type, both in order of time, and for each of the latter whether it is a repeat.

    A repeat equals, but for white space, a message of the history, an earlier one of the test, or a message that the
    adapter has seen.
    """

    history: list[EvalMessage]
    test: list[EvalMessage]
    repeats: list[bool]


def split_corpus(messages: Sequence[EvalMessage], *, name: str, seed: int, chars: int) -> EvalSplit:
    """Split a corpus: the history is the newest 300 KB of the first 80 %, the test is drawn from the other messages.

    About ``chars`` characters are drawn, by the seed and the corpus's name. Raises TooLittleToTypeError.
    """
    cut = int(len(messages) * HISTORY_SHARE)
    sizes = accumulate(len(message.text.encode()) for message in messages[:cut][::-1])
    first = cut - sum(size_bytes <= HISTORY_BYTES for size_bytes in sizes)
    drawn = _draw(messages, range(cut, len(messages)), name, seed, chars)
    test = [messages[place] for place in drawn]
    return _mark_repeats(messages[first:cut], test, (), "Give a larger file or folder.")


def split_history(
    messages: Sequence[EvalMessage], seen: Collection[int], *, seed: int, chars: int
) -> EvalSplit:
    """Split the user's own messages: the test is drawn from the newest 20 %, without what the adapter saw.

    The history is all that comes before the first message drawn. ``seen`` are the indices of the messages that the
    adapter was trained on. About ``chars`` characters are drawn. Raises TooLittleToTypeError.
    """
    newest = range(int(len(messages) * HISTORY_SHARE), len(messages))
    # Of a message that is there twice, once seen and once not, neither is new to the adapter.
    learned = {_key(messages[place].text) for place in seen}
    drawn = _draw(messages, [place for place in newest if place not in seen], "history", seed, chars)
    history = messages[: drawn[0]] if drawn else []
    mend = "Write more first, or name a file or folder: `idiolect eval PATH`."
    return _mark_repeats(history, [messages[place] for place in drawn], learned, mend)


def split_answers(
    answers: Sequence[EvalMessage],
    messages: Sequence[EvalMessage],
    seen: Collection[int],
    *,
    seed: int,
    chars: int,
) -> EvalSplit:
    """Split texts that answer others from the user's own messages: the test is drawn from ``answers``.

    The history is every message that is not typed. ``seen`` are the indices of the messages that the adapter was
    trained on; nothing equal to them is drawn. About ``chars`` characters are drawn. Raises TooLittleToTypeError.
    """
    learned = {_key(messages[place].text) for place in seen}
    places = [place for place, message in enumerate(answers) if _key(message.kept) not in learned]
    test = [answers[place] for place in _draw(answers, places, "answers", seed, chars)]
    typed = {_key(message.kept) for message in test}
    history = [message for message in messages if _key(message.text) not in typed]
    return _mark_repeats(history, test, learned, "Give a file with more texts that the adapter has not seen.")


def _draw(
    messages: Sequence[EvalMessage], places: Iterable[int], name: str, seed: int, chars: int
) -> list[int]:
    """Return indices drawn at random until their texts have about ``chars`` characters, in order."""
    shuffled = list(places)
    random.Random(f"{seed}:{name}").shuffle(shuffled)  # noqa: S311 (a draw to repeat, not a secret)
    drawn: list[int] = []
    total = 0
    for place in shuffled:
        size = len(messages[place].text)
        if total + size > _MAX * chars:
            continue
        drawn.append(place)
        total += size
        if total >= _FEWEST * chars:
            break
    return sorted(drawn)


def _mark_repeats(
    history: Sequence[EvalMessage], test: Sequence[EvalMessage], learned: Collection[str], mend: str
) -> EvalSplit:
    chars = sum(len(message.text) for message in test)
    if not history or chars < LEAST_CHARS:
        raise TooLittleToTypeError(
            f"An evaluation types at least {LEAST_CHARS:,} characters that nothing was learned from, after a history. "
            f"There are {chars:,} here, in messages that fit into what is asked for. {mend}"
        )
    known = {_key(message.text) for message in history} | set(learned)
    repeats = []
    for message in test:
        key = _key(message.text)
        repeats.append(key in known)
        known.add(key)
    return EvalSplit(list(history), list(test), repeats)


def _key(text: str) -> str:
    return " ".join(text.split())
