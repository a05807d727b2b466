"""A session: extended, cut back and rewound, its logits are those of its tokens, whatever came before."""

import sys
from pathlib import Path

import numpy as np
import pytest

from idiolect.daemon.runtime.heap import give_back_memory
from idiolect.models.session import Interrupt, InterruptedPassError, Model, Session

LENGTH = 200
CLOSE = 1e-4
"""Logits of about 5, in float32: the same products in batches of another size."""


@pytest.fixture(scope="module")
def ids(tiny):
    return np.random.default_rng(8).integers(0, tiny.config.vocab, LENGTH).tolist()


@pytest.fixture(scope="module")
def adapter(tiny, make_lora):
    return make_lora(tiny.config).tensors()


@pytest.fixture(scope="module")
def whole(tiny_float, ids, adapter):
    """Logits after each token, fed all at once."""
    return Session(tiny_float, length=LENGTH, adapter=adapter).feed(ids, "all")


@pytest.fixture
def session(tiny_float, adapter):
    return Session(tiny_float, length=LENGTH, adapter=adapter)


@pytest.mark.parametrize("size", [1, 16])
def test_piece_by_piece_is_as_all_at_once(session, ids, whole, size):
    rows = [session.feed(ids[start : start + size], "all").copy() for start in range(0, LENGTH, size)]
    assert np.abs(np.concatenate(rows) - whole).max() < CLOSE
    assert session.tokens == ids


def test_truncated_tokens_leave_no_trace(session, ids, whole):
    session.feed([*ids[:40], *ids[100:160]], "none")
    session.truncate(40)
    assert session.tokens == ids[:40]
    assert np.abs(session.feed(ids[40:90], "all") - whole[40:90]).max() < CLOSE
    session.truncate(0)
    assert np.abs(session.feed(ids[:9], "all") - whole[:9]).max() < CLOSE


def test_rewinding_keeps_the_common_beginning(session, ids, whole):
    other = (ids[20] + 1) % 512
    session.feed([*ids[:20], other, *ids[21:30]], "none")
    left = session.rewind_to_common_prefix(ids[:25])
    assert left == ids[20:25]
    assert session.tokens == ids[:20]
    assert np.abs(session.feed(left) - whole[24]).max() < CLOSE
    assert session.rewind_to_common_prefix(ids[:10]) == []
    assert session.tokens == ids[:10]
    assert session.rewind_to_common_prefix([other]) == [other]
    assert session.tokens == []


def test_texts_in_turn_are_not_read_again(tiny_float, ids, adapter, whole):
    session = Session(tiny_float, length=LENGTH, adapter=adapter, evicted_tokens=100)
    before, texts = ids[:40], [ids[40:], ids[100:], ids[150:]]
    last = [
        Session(tiny_float, length=LENGTH, adapter=adapter).feed([*before, *text[:32]], "all")
        for text in texts
    ]
    for typed in range(20, 33, 4):
        for text, rows in zip(texts, last, strict=True):
            left = session.rewind_to_common_prefix([*before, *text[:typed]], typed)
            assert len(left) == (4 if typed > 20 else 60 if text is texts[0] else 20)
            assert np.abs(session.feed(left) - rows[39 + typed]).max() < CLOSE
    assert session.rewind_to_common_prefix([*before, *texts[0][:10]], 10) == []
    assert session.tokens == [*before, *texts[0][:10]]


def test_a_text_that_begins_as_another_comes_back_whole(tiny_float, ids, adapter, whole):
    session = Session(tiny_float, length=LENGTH, adapter=adapter, evicted_tokens=100)
    session.feed(session.rewind_to_common_prefix(ids[:60], 20))
    session.feed(
        session.rewind_to_common_prefix([*ids[:45], *ids[100:115]], 20)
    )  # five of its own are the same
    session.feed(session.rewind_to_common_prefix([*ids[:40], *ids[160:180]], 20))
    left = session.rewind_to_common_prefix(ids[:61], 21)
    assert left == [ids[60]]
    assert np.abs(session.feed(left) - whole[60]).max() < CLOSE


def test_evicted_texts_are_bounded_and_only_restored_behind_their_own_beginning(tiny_float, ids, monkeypatch):
    session = Session(tiny_float, length=LENGTH, evicted_tokens=50)
    for start in range(40, 180, 20):
        session.feed(session.rewind_to_common_prefix([*ids[:10], *ids[start : start + 20]], 20))
    assert len(lately(session)) == 3, "the present one, and two that fit"
    assert len(session.rewind_to_common_prefix([*ids[:10], *ids[140:160]], 20)) == 0
    assert len(session.rewind_to_common_prefix([ids[11], *ids[1:10], *ids[120:140]], 20)) == 30
    monkeypatch.setattr("idiolect.models.evicted_kv._MAX_AGE_S", -1.0)
    session.rewind_to_common_prefix(ids[:10])
    assert lately(session) == []


def lately(session, within_s=60):
    return [[*text] for text in session.active_texts(within_s)]


def test_a_text_is_under_way_until_it_ends_or_nobody_has_gone_on_with_it(tiny_float, ids):
    session = Session(tiny_float, length=LENGTH, evicted_tokens=100)
    texts = [ids[40:60], ids[100:120]]
    assert not lately(session)
    session.feed(session.rewind_to_common_prefix([*ids[:10], *ids[30:37]], 7))
    assert not lately(session), "what is read again in no time"
    for text in texts:
        session.feed(session.rewind_to_common_prefix([*ids[:10], *text], 20))
    assert lately(session) == texts
    assert not lately(session, 0)
    session.forget_text([*ids[20:25], *texts[0], *ids[25:30]])
    assert lately(session) == [texts[1]]
    session.forget_text(ids[120:180])
    assert session.tokens == [*ids[:10], *texts[1]], "what was learned goes on from it, but does not hold it"
    session.forget_text(texts[1])
    assert not lately(session)
    assert session.tokens == ids[:10]


def test_sessions_of_one_model_do_not_mix(tiny_float, ids, adapter, whole):
    base = Session(tiny_float, length=LENGTH).feed(ids[:60], "all")
    assert np.abs(base - whole[:60]).max() > 1
    first, second = Session(tiny_float, length=60), Session(tiny_float, length=LENGTH, adapter=adapter)
    for place in range(0, 60, 6):
        part = slice(place, place + 6)
        assert np.abs(first.feed(ids[part], "all") - base[part]).max() < CLOSE
        assert np.abs(second.feed(ids[part], "all") - whole[part]).max() < CLOSE


def test_tensors_of_another_layout_are_taken_too(tiny_float, ids, adapter, whole):
    turned = {name: np.asfortranarray(array, dtype=np.float64) for name, array in adapter.items()}
    session = Session(tiny_float, length=LENGTH, adapter=turned)
    assert np.abs(session.feed(ids[:30], "all") - whole[:30]).max() < CLOSE


def test_too_many_tokens_are_refused_and_change_nothing(session, ids, whole):
    session.feed(ids[:198], "none")
    for wrong in ([], ids[:3]):
        with pytest.raises(ValueError, match="198 of 200"):
            session.feed(wrong)
    for count in (-1, 199):
        with pytest.raises(ValueError, match="198"):
            session.truncate(count)
    assert np.abs(session.feed(ids[198:], "all") - whole[198:]).max() < CLOSE


def test_an_interrupted_pass_leaves_the_session_as_it_was(tiny_model, ids):
    session = Session(tiny_model)
    session.feed(ids[:3], "none")
    interrupt = Interrupt()
    interrupt.stop()
    with pytest.raises(InterruptedPassError):
        session.feed(ids[3:], "all", interrupt)
    assert session.tokens == ids[:3]
    fresh = Session(tiny_model)
    fresh.feed(ids[:3], "none")
    np.testing.assert_array_equal(session.feed(ids[3:], "all", Interrupt()), fresh.feed(ids[3:], "all"))


@pytest.mark.skipif(sys.platform != "linux", reason="another system")
def test_weights_that_are_given_back_are_read_again_where_they_are_needed(tiny):
    model = Model(tiny.graph, tiny.config)
    before = Session(model).feed([5, 6, 7]).copy()
    assert _is_resident(f"{tiny.graph}.data")
    give_back_memory()
    assert not _is_resident(f"{tiny.graph}.data")
    np.testing.assert_array_equal(Session(model).feed([5, 6, 7]), before)


def _is_resident(path: str) -> bool:
    """Whether a page of a mapped file is in memory."""
    mappings = Path("/proc/self/smaps").read_text().split("VmFlags")
    return any(path in one and int(one.split("\nRss:")[1].split()[0]) > 0 for one in mappings)
