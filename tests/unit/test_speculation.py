"""What is foreseen of other texts: of those that somebody writes, and where it is likely."""

from __future__ import annotations

import pytest

from idiolect.adapters.prediction import speculation
from idiolect.adapters.prediction.speculation import SpeculatedText, SpeculatedWords


def test_of_other_texts_the_likeliest_word_is_told_the_latest_first() -> None:
    ours = SpeculatedWords()
    assert ours.latest == ()
    mine = [SpeculatedText([1, 2, 3], 0.9), SpeculatedText([1, 2, 4], 0.05)]
    ours.note([5], [SpeculatedText([5, 6], 0.7), SpeculatedText([5, 9], 0.2)])
    ours.note([7], [SpeculatedText([7, 8], 0.6)])
    ours.note([8], [SpeculatedText([8, 8], 0.59)])  # too unlikely
    ours.note([9], [])
    ours.note([1, 2], mine)
    assert ours.latest is mine
    assert ours.beside([1, 2]) == [[7, 8], [5, 6]]
    assert ours.beside([5]) == [[1, 2, 3], [7, 8]]
    assert ours.beside([5, 1, 1]) == [[1, 2, 3], [7, 8]], "it has gone on from there"
    assert ours.beside([1]) == [[7, 8], [5, 6]], "and back"
    ours.end([7, 8, 9])
    assert ours.beside([1]) == [[5, 6]], "it is whole"
    ours.note([4], mine, keep=False)
    assert ours.latest is mine
    assert ours.beside([1]) == [[5, 6]]


def test_a_text_that_goes_on_is_the_same_and_one_that_is_left_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = SpeculatedWords()
    ours.note([5], [SpeculatedText([5, 6], 0.7)])
    ours.note([5, 6], [SpeculatedText([5, 6, 7], 0.7)])
    assert ours.beside([1]) == [[5, 6, 7]]
    ours.note([5, 6, *range(9)], [SpeculatedText([*range(9)], 0.9)])
    assert len(ours.beside([1])) == 2, "that is too far for one word"
    for text in range(20, 40):
        ours.note([text], [SpeculatedText([text, text], 0.9)])
    assert [entry[0] for entry in ours.beside([1])] == [*range(39, 29, -1)]
    now = speculation.time.monotonic()
    monkeypatch.setattr(speculation.time, "monotonic", lambda: now + 2.1)
    assert ours.beside([1]) == []
