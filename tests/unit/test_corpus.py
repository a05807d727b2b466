"""Entries as training rows, the choice of held-out text, and the recent text in view."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idiolect.adapters.memory.corpus import (
    HELD_OUT_LEAST,
    MAX_HELD_OUT,
    RecentText,
    hold_out,
    pack,
    read_general_passages,
)

BREAK = [9]


def test_rows_overlap_by_one_token_and_count_only_what_was_written():
    rows = pack([[1, 2, 3], [4, 5]], 3, BREAK)
    assert rows.entries.tolist() == [[0, 1], [0, 2]], "the second one begins with the end of the first entry"
    assert rows.ids.tolist() == [[9, 1, 2, 3], [3, 9, 4, 5]]
    assert rows.weights.tolist() == [[1, 1, 1], [0, 1, 1]]


def test_the_end_is_filled_up_and_the_filling_does_not_count():
    rows = pack([[1, 2, 3]], 5, BREAK, lambda ids: [0.25] * len(ids))
    assert rows.ids.tolist() == [[9, 1, 2, 3, 9, 9]]
    assert rows.weights.tolist() == [[0.25, 0.25, 0.25, 0, 0]]
    assert len(rows) == 1
    rows = pack([], 5, BREAK)
    assert (len(rows), rows.ids.shape, rows.weights.shape) == (0, (0, 6), (0, 5))


@given(
    st.lists(st.lists(st.integers(1, 8), min_size=1, max_size=20), min_size=1, max_size=12),
    st.integers(1, 16),
    st.lists(st.just(9), min_size=1, max_size=3),
)
def test_every_token_is_a_target_once(entries, length, breaks):
    rows = pack(entries, length, breaks)
    assert rows.ids.shape == (len(rows), length + 1)
    assert rows.weights.shape == (len(rows), rows.length) == (len(rows), length)
    assert np.array_equal(rows.ids[1:, 0], rows.ids[:-1, -1]), "a row goes on where the row before it ends"
    targets = rows.ids[:, 1:].ravel()
    assert targets[rows.weights.ravel() > 0].tolist() == [token for entry in entries for token in entry]
    for row, (first, after) in enumerate(rows.entries):
        near = [token for entry in entries[first:after] for token in entry]
        assert after > first
        seen = [token for token in rows.ids[row].tolist() if token != 9]
        assert str(seen)[1:-1] in str(near), "of these entries, and of no other"
    line = [token for entry in entries for token in (*breaks, *entry)]
    assert [int(rows.ids[0, 0]), *targets.tolist()][: len(line)] == line


lengths = st.lists(st.integers(1, 600), min_size=1, max_size=60)


@given(lengths, st.data())
def test_text_that_the_parent_has_seen_is_never_held_out(entries, data):
    seen = frozenset(data.draw(st.sets(st.integers(0, len(entries) - 1))))
    places = hold_out(entries, seen)
    assert not seen & {*places}
    assert places == sorted(places)
    unseen = [place for place in range(len(entries)) if place not in seen]
    assert places == unseen[len(unseen) - len(places) :], "the newest of what is left, without a gap"
    if unseen:
        assert places


def test_little_text_gives_its_least_and_much_text_its_most():
    assert hold_out([100] * 100, frozenset()) == [*range(90, 100)], "else it is about a tenth"
    assert hold_out([50] * 10, frozenset(range(10))) == []
    assert 10 * len(hold_out([10] * 200, frozenset())) == HELD_OUT_LEAST
    assert 10 * len(hold_out([10] * 20_000, frozenset())) == MAX_HELD_OUT
    assert 10 * len(hold_out([10] * 60, frozenset())) == 200, "but never more than a third"


def test_general_text_to_replay_is_not_that_to_judge_by():
    replay, judged = read_general_passages()
    assert not {*replay} & {*judged}
    assert abs(len(replay) - len(judged)) <= 1
    words = [len(passage.split()) for passage in replay + judged]
    assert min(words) >= 5
    assert sum(words) > 5_000
    assert all("\n" not in passage for passage in replay)


def test_general_text_is_of_the_languages_in_turn():
    for language in ("de", "fr", "es", "it", "pt", "nl"):
        alone, mixed = read_general_passages([language]), read_general_passages([language, "en"])
        for side, both, english in zip(alone, mixed, read_general_passages(), strict=True):
            assert len(side) == 9
            assert both[: 2 * len(side)] == [p for pair in zip(side, english, strict=False) for p in pair]
            assert both[2 * len(side) :] == english[len(side) :]


def test_recent_text_grows_at_its_end_until_it_is_cut():
    recent = RecentText(10, BREAK)
    cuts = 0
    for place in range(100):
        earlier = recent.context([])[:-1]
        recent.add([place, place])
        line = recent.context([])[:-1]
        assert len(line) <= 20
        assert line[-3:] == [9, place, place]
        if line[: len(earlier)] != earlier:
            cuts += 1
            assert len(line) == 10
            assert line == [*earlier, 9, place, place][-10:]
    assert 0 < cuts <= 300 / 10, "between two cuts at least ten tokens are added, and a cache holds"


@pytest.mark.parametrize("limit", [0, 1])
def test_a_small_limit_holds_too(limit):
    recent = RecentText(limit, BREAK)
    for place in range(50):
        recent.add([place, place])
        assert len(recent.context([])) <= 2 * limit + 1


def test_a_copy_of_recent_text_goes_its_own_way():
    recent = RecentText(10, BREAK)
    recent.add([1])
    other = recent.copy()
    other.add([2])
    assert recent.context([]) == [9, 1, 9]
    assert other.context([]) == [9, 1, 9, 2, 9]
