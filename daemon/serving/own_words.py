"""The words that the user wrote, to be taken along, and what is general in a list of words, to be left out."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from idiolect.adapters.memory.steps import Steps, in_one_step
from idiolect.daemon.serving.live_model import LiveModel
from idiolect.daemon.serving.model_queue import Priority

_WORDS_A_STEP: Final = 256


def find_general(model: LiveModel, texts: Collection[str]) -> frozenset[str]:
    """Return those of some words that the general word list has."""
    frequency = model.served.user_model.words.general_frequency
    found = in_one_step(lambda: frozenset(text for text in texts if frequency(text)))
    return model.queue.run(Priority.REST, found)


def count_own_words(model: LiveModel) -> list[tuple[str, int]]:
    """Return the words that the user wrote and how often, the most written first; without what is never suggested."""
    counted = model.queue.run(Priority.REST, _count(model))
    return sorted(counted, key=lambda word: (-word[1], word[0]))


def _count(model: LiveModel) -> Steps[list[tuple[str, int]]]:
    model.learning.learn_postponed()
    user_model = model.served.user_model
    must_hide, found = user_model.guard(""), list[tuple[str, int]]()
    for number, word in enumerate(user_model.words.typed_forms()):
        if not must_hide(word):
            found.append((word, user_model.words.count_form(word)))
        if number % _WORDS_A_STEP == _WORDS_A_STEP - 1:
            yield
    return found
