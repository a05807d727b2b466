"""What the user answers stands in front of what they type, for one suggestion alone; nothing of it is left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from idiolect.daemon.service import Service
from idiolect.daemon.serving.answered_text import read_answered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from idiolect.daemon.settings import Settings

CLOSE = 1e-3
"""Keys and values of about 1: the same products in batches of another size."""

MESSAGE = "The Xylographers of Querfurt meet on Thursday at the Kwiaciarnia, says Wolframiusz."
HISTORY = "Please send the quarterly figures to the harbour office before noon, thank you."


@pytest.fixture
def make(tiny_profile: Callable[[Path], Settings], tmp_path: Path) -> Iterator[Callable[[str], Service]]:
    made: list[Service] = []

    def make(name: str) -> Service:
        service = Service(tiny_profile(tmp_path / name))
        made.append(service)
        service.ingest.add_text(HISTORY, source="test")
        return service

    yield make
    for service in made:
        service.close()


def words(service: Service, prefix: str, *context: str) -> list[str]:
    return [word.text for word in service.suggestions.suggest(prefix, candidates=9, context=context).words]


def test_its_words_are_offered_and_then_they_are_not(make: Callable[[str], Service]) -> None:
    service = make("one")
    before = service.suggestions.suggest("I met Wol")
    assert "framiusz" not in words(service, "I met Wol")
    assert "framiusz" in words(service, "I met Wol", "Hello", MESSAGE)
    assert "framiusz" not in words(service, "I met Wol")
    after = service.suggestions.suggest("I met Wol")
    assert (after.words, after.ghost) == (before.words, before.ghost)


@pytest.mark.parametrize("then", [(), ("Something else.",)])
def test_nothing_is_left_in_the_cache_when_another_text_is_answered(
    make: Callable[[str], Service], then: tuple[str, ...]
) -> None:
    service, never = make("one"), make("never")
    for prefix in ("We ", "We will be ", "We will be there"):
        words(service, prefix, MESSAGE)
    session = service.model.served.predictor._next_token._session
    assert len(session.tokens) > len(service.model.loaded.tokenizer.encode(MESSAGE))
    service.model.served.predictor.answer("" if not then else then[0])
    assert not session._cache[..., len(session.tokens) :, :].any()
    assert not session._evicted._texts
    other = never.model.served.predictor._next_token._session
    for one in (service, never):
        words(one, "We will be there ", *then)
    read = min(len(session.tokens), len(other.tokens))  # a look-ahead may have read on in one of them
    assert session.tokens[:read] == other.tokens[:read]
    assert np.allclose(session._cache[..., :read, :], other._cache[..., :read, :], atol=CLOSE)


def test_the_newest_characters_count_and_secrets_are_taken_out() -> None:
    assert read_answered(["a" * 5_000, "the end"]) == "a" * 3_992 + "\nthe end"
    read = read_answered(["Hi", "The password is hunter2-Xq9. See you on Thursday."])
    assert "hunter2" not in read
    assert "[" not in read
    assert "See you on Thursday." in read
