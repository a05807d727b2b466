"""The words that the user wrote: all, to be taken along, the characteristic ones; and what is general in a list."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from idiolect.adapters.memory.keyness import Keyword, keywords
from idiolect.adapters.memory.steps import Steps
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.daemon.storage.matching import folded
from idiolect.daemon.storage.store import Store
from idiolect.daemon.text.redaction.redact import without_placeholders
from idiolect.models.lexicon import Lexicon

_WORDS_A_STEP: Final = 256


def find_general(user_model: UserModel, texts: Iterable[str]) -> Steps[frozenset[str]]:
    """Return those of some words that the general word list has."""
    found, rest = set[str](), iter(texts)
    while some := [*islice(rest, _WORDS_A_STEP)]:
        found.update(filter(user_model.words.general_frequency, some))
        yield
    return frozenset(found)


def find_keywords(store: Store, lexicon: Lexicon, limit: int, contains: str) -> list[Keyword]:
    """Return the `limit` most characteristic words and phrases in the entries that have `contains` in them."""
    texts = (without_placeholders(entry.text) for entry in store.entries.select())
    found = keywords(texts, lexicon)
    return [keyword for keyword in found if folded(contains) in folded(keyword.text)][:limit]


def count_own_words(user_model: UserModel) -> Steps[list[tuple[str, int]]]:
    """Return the words that the user wrote and how often, the most written first; without what is never suggested."""
    must_hide, found = user_model.guard(""), list[tuple[str, int]]()
    for number, word in enumerate(user_model.words.typed_forms()):
        if not must_hide(word):
            found.append((word, user_model.words.count_form(word)))
        if number % _WORDS_A_STEP == _WORDS_A_STEP - 1:
            yield
    return sorted(found, key=lambda word: (-word[1], word[0]))
