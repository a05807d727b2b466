"""What is left when something is forgotten: near matches in other entries, and whether it can still be suggested."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from idiolect.daemon import nearly
from idiolect.daemon.storage.matching import words

if TYPE_CHECKING:
    from idiolect.adapters.predict import Suggestion
    from idiolect.daemon.nearly import Found, Near
    from idiolect.daemon.storage.records import Selector
    from idiolect.daemon.storage.store import Store

log = logging.getLogger("idiolect.remains")
Ask: TypeAlias = "Callable[[str], Iterable[Suggestion]]"

_WORDS: Final = 4  # of the text, that are asked for one after another
_LETTERS: Final = 6  # of a word, that are typed one after another


@dataclass(frozen=True)
class Remains:
    """What is left.

    `near` is what other entries hold that is nearly the text; where not `complete`, there was no time to look at all.
    `still_suggested` are words that the predictor still offers with a forgotten word in them, and `why` says in a
    sentence where they come from; both are None where it was not asked.
    """

    near: tuple[Near, ...] = ()
    complete: bool = True
    still_suggested: tuple[str, ...] | None = None
    why: str | None = None


def look(
    store: Store, selector: Selector, known: Callable[[str], bool], asking: Callable[[], Ask] | None
) -> Remains:
    """Look for what is left of the texts that a selector names; where it names none, nothing is looked for.

    `known` says of a word in lower case whether general English has it. `asking` makes what gives the suggestions for a
    prefix; None: they are not asked for. What goes wrong is logged and told as not complete: the forgetting is done
    then, and must not seem to have failed.
    """
    given = [text for text in (selector.text, selector.phrase, *(selector.phrases or ())) if text]
    if not given:
        return Remains()
    try:
        found = nearly.find(given, store.entries(), store.selected(selector), known)
        if asking is None:
            return Remains(found.near, found.complete)
        still = _still_suggested(given, known, asking())
        return Remains(found.near, found.complete, tuple(still), _why(still, found, known))
    except Exception as error:  # noqa: BLE001 (the text may be in its message)
        log.warning("what is left could not be told: %s", type(error).__name__)
        return Remains(complete=False)


def _still_suggested(given: Sequence[str], known: Callable[[str], bool], ask: Ask) -> list[str]:
    """Words that are offered with a forgotten one in them, for which the text before the cursor is no reason.

    Of a text with words of the user's own only these count.
    """
    forgotten = {word for text in given for word in words(text)}
    forgotten = {word for word in forgotten if not known(word)} or forgotten
    still: dict[str, None] = {}
    for text in given:
        for prefix in _prefixes(text):
            before, begun = prefix.rsplit(" ", 1)
            wanted = forgotten.difference(words(before))
            for suggestion in ask(prefix):
                offered = [word.text for word in suggestion.words] + [suggestion.ghost.text]
                there = [word for one in offered for word in words(begun + one)]
                found = (word for word in there if any(nearly.contains(word, each) for each in wanted))
                still.update(dict.fromkeys(found))
    return list(still)


def _prefixes(text: str) -> Iterator[str]:
    """Beginnings of a text as somebody types them: before each of its first words, and letter by letter in it."""
    typed = text.split()
    for number, word in enumerate(typed[:_WORDS]):
        before = "".join(f"{each} " for each in typed[:number]) or " "
        for letters in range(bool(not number), min(_LETTERS, len(word))):
            yield before + word[:letters]


def _why(still: Sequence[str], found: Found, known: Callable[[str], bool]) -> str | None:
    if not still:
        return None
    near = {word for form in found.near for word in form.text.split()}
    general = [word for word in still if known(word)]
    held = [word for word in still if word not in general and (word in near or word in found.holding)]
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
