"""What remains after forgetting: near matches in other entries, and whether it is still suggested."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from idiolect.adapters.prediction.suggestion import Suggestion
from idiolect.daemon.privacy import near_matches
from idiolect.daemon.privacy.near_matches import NearMatch
from idiolect.daemon.storage.matching import words
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store

log = logging.getLogger("idiolect.remains")
Ask: TypeAlias = "Callable[[str], Iterable[Suggestion]]"

_WORDS: Final = 4  # of the text, that are asked for one after another
_LETTERS: Final = 5  # of a word, that are typed
_PHRASES: Final = 5  # of several, that are asked for: each has some eight prefixes
_LONGEST_S: Final = 3.0  # of asking; then it is said that not all of it was asked for


@dataclass(frozen=True)
class RemainingTraces:
    """What is left.

    `near` is what other entries hold that is nearly the text; where not `complete`, there was no time to look at all.
    `still_suggested` are words that the predictor still offers with a forgotten word in them, and `why` says in a
    sentence where they come from; both are None where it was not asked. Where not `asked_all`, there was no time to ask
    for all of the text. `holding` is that of `near_matches.NearMatches`; None where nothing was looked for, or in vain.
    """

    near: tuple[NearMatch, ...] = ()
    complete: bool = True
    still_suggested: tuple[str, ...] | None = None
    why: str | None = None
    asked_all: bool = True
    holding: dict[str, int] | None = None


def look(store: Store, selector: Selector, known: Callable[[str], bool]) -> RemainingTraces:
    """Look for near matches of the texts that a selector names; where it names none, nothing is looked for.

    `known` says of a word in lower case whether general English has it. What goes wrong is logged and told as not
    complete: the forgetting is done then, and must not seem to have failed.
    """
    given = selector.texts
    if not given:
        return RemainingTraces()
    try:
        found = near_matches.find(given, store.entries.select(), store.entries.select_ids(selector), known)
    except Exception as error:  # noqa: BLE001 (the text may be in its message)
        log.warning("what is left could not be told: %s", type(error).__name__)
        return RemainingTraces(complete=False)
    return RemainingTraces(found.near, found.complete, holding=found.holding)


def still_suggested(
    selector: Selector,
    left: RemainingTraces,
    known: Callable[[str], bool],
    asking: Callable[[], Ask],
    longest_s: float = _LONGEST_S,
) -> Iterator[RemainingTraces]:
    """Ask whether the texts are still suggested; yields what is `left` as known so far, after each prefix.

    So what is more urgent can come between. `asking` makes what gives the suggestions for a prefix. Of the texts the
    first few are asked for, and `longest_s` seconds after the beginning it ends. Errors are logged, as in :func:`look`.
    """
    if left.holding is None:
        return
    given = selector.texts
    still: dict[str, None] = {}
    ends = time.monotonic() + longest_s
    try:
        for found in _offered(given[:_PHRASES], known, asking()):
            still.update(dict.fromkeys(found))
            left = replace(left, still_suggested=tuple(still), asked_all=False)
            yield left
            if time.monotonic() > ends:
                break
        else:
            left = replace(left, still_suggested=tuple(still), asked_all=len(given) <= _PHRASES)
        yield replace(left, why=_why([*still], left, known))
    except Exception as error:  # noqa: BLE001 (as above)
        log.warning("whether it is still suggested could not be told: %s", type(error).__name__)
        yield replace(left, still_suggested=None, asked_all=False)


def _offered(given: Sequence[str], known: Callable[[str], bool], ask: Ask) -> Iterator[list[str]]:
    """For each prefix: words that are offered with a forgotten one in them, for which the prefix is no reason.

    Of a text with words of the user's own only these count.
    """
    forgotten = {word for text in given for word in words(text)}
    forgotten = {word for word in forgotten if not known(word)} or forgotten
    for text in given:
        for prefix in _prefixes(text):
            before, begun = prefix.rsplit(" ", 1)
            wanted = forgotten.difference(words(before))
            found = []
            for suggestion in ask(prefix):
                offered = [word.text for word in suggestion.words] + [suggestion.ghost.text]
                there = [word for one in offered for word in words(begun + one)]
                found += [word for word in there if any(near_matches.contains(word, each) for each in wanted)]
            yield found


def _prefixes(text: str) -> Iterator[str]:
    """Beginnings of a text: before each of its first words, and behind the first letters of it.

    More letters leave fewer other words, so that what is offered behind fewer is offered behind these, too.
    """
    typed = text.split()
    for number, word in enumerate(typed[:_WORDS]):
        before = "".join(f"{each} " for each in typed[:number]) or " "
        if number:
            yield before
        if len(word) > 1:
            yield before + word[: min(_LETTERS, len(word) - 1)]


def _why(still: Sequence[str], left: RemainingTraces, known: Callable[[str], bool]) -> str | None:
    if not still:
        return None
    holding = left.holding or {}
    near = {word for form in left.near for word in form.text.split()}
    general = [word for word in still if known(word)]
    held = [word for word in still if word not in general and (word in near or word in holding)]
    other = [word for word in still if word not in general and word not in held]
    parts = []
    if general:
        parts.append(f"general English has {_listed(general)}")
    if held:
        parts.append(f"other entries hold {_listed(held)}")
    if other:
        parts.append(f"no entry holds {_listed(other)}, so that the model itself spells it")
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _listed(names: Sequence[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
