"""Distributions over the next token are the same, whether remembered, drafted, stepped to or made anew."""

import gc
import weakref

import numpy as np
import pytest
from knowledge import convinced, trusting

from idiolect.adapters.prediction.next_token import NextTokenModel
from idiolect.adapters.prediction.probs_cache import softmax
from idiolect.models.session import Session

HISTORY = [
    "The boat left the harbour at noon and came back late.",
    "Kind regards from all of us at the harbour office.",
]
SENTENCE = "The boat left the old town at noon, quick as ever."
TEXT = "The boat left the old harbour, and Kwiaciarnia came back. Kind regards from all of us"


@pytest.fixture(scope="module")
def make(tiny_float):
    """`make(knowledge)`: a new one; its products are in float."""

    def new(user_model, *, window=256, spare=40, **more):
        given = {"adapter": None, "continues_word": np.zeros(tiny_float.config.vocab, np.float32), **more}
        mixture = given.pop("mixture", None) or trusting()
        return NextTokenModel(tiny_float, user_model, mixture, window=window, spare=spare, **given)

    return new


def close(first, second):
    assert first is not None
    np.testing.assert_allclose(first, second, rtol=2e-3, atol=1e-6)


def drafted(model, ids, accepts=lambda _token: True):
    return [token.id for token in model.verified_draft(ids, accepts)]


@pytest.fixture
def least(monkeypatch):
    """`least(p)`: each token of a draft must have this probability."""
    return lambda p: monkeypatch.setattr("idiolect.adapters.prediction.next_token._MIN_DRAFT_PROB", p)


def by_hand(model, user_model, entry):
    """All in one pass of a new session."""
    context = user_model.recent.context(entry)
    logits = Session(model, length=len(context)).feed(context)[0]
    return trusting().mix(softmax(logits), user_model.memory, user_model.memory.predict(entry))


def test_the_memory_is_trusted_as_far_as_it_was_right(make, knowing, tiny_tokenizer):
    for written, rises in ((HISTORY[1], True), ("24 68 13 57 99", False)):
        ours = make(knowing(*HISTORY * 3))
        ours.mixture = convinced(0.5, 0.5)
        ids = tiny_tokenizer.encode(written)
        places = range(1, len(ids))
        before = {at: ours.mixture.weight(ours.user_model.memory.predict(ids[:at])) for at in places}
        for at in places:
            ours.next_probs(ids[:at])
        ours.observe(ids)
        after = {at: ours.mixture.weight(ours.user_model.memory.predict(ids[:at])) for at in places}
        assert (sum(after.values()) > sum(before.values())) is rises
        ours.user_model.learn(written, ids)
        now = ours.mixture.to_json()
        ours.observe(ids)
        assert ours.mixture.to_json() == now, "what was foretold counts once"


# One distribution


@pytest.mark.parametrize("texts", [[], HISTORY], ids=["nothing known", "a history"])
def test_it_is_the_model_after_recent_entries_mixed_with_the_memory(
    tiny_float, tiny_tokenizer, knowing, make, texts
):
    user_model = knowing(*texts)
    model = make(user_model)
    for text in ("", "T", "The boat", TEXT):
        entry = tiny_tokenizer.encode(text)
        found = model.next_probs(entry)
        assert found.shape == (tiny_float.config.vocab,)
        assert found.sum() == pytest.approx(1, abs=1e-5)
        assert (found >= 0).all()
        close(found, by_hand(tiny_float, user_model, entry))


# What is made ahead


def test_what_was_foreseen_is_the_same_and_needs_no_pass(make, knowing, tiny_tokenizer, passes):
    model, anew = make(knowing(*HISTORY)), make(knowing(*HISTORY))
    ids = tiny_tokenizer.encode(
        "The boat left the harbour before noon, and we all went to see it once more. " * 2
    )
    assert len(ids) > 40
    model.precompute(ids)
    calls = passes(model.session)
    for end in range(0, len(ids), 3):
        close(model.next_probs(ids[:end]), anew.next_probs(ids[:end]))
    assert passes(model.session) == calls
    model.observe(ids)
    model.user_model.learn("A ferry", tiny_tokenizer.encode("A ferry"))
    assert model.cached_probs(ids[:3]) is None


def test_a_long_entry_is_read_in_pieces_and_others_between_them_cost_it_nothing(
    tiny_tokenizer, knowing, make, monkeypatch
):
    monkeypatch.setattr("idiolect.adapters.prediction.next_token._PREFILL_TOKENS", 16)
    model, anew = make(knowing(*HISTORY)), make(knowing(*HISTORY))
    long, short = (
        tiny_tokenizer.encode(TEXT * 3),
        tiny_tokenizer.encode("Kind regards from all of us, and")[:10],
    )
    model.next_probs([])
    fed = list[int]()
    feed = model.session.feed

    def noted(ids, logits, interrupt=None):
        fed.append(len(ids))
        return feed(ids, logits, interrupt)

    model.session.feed = noted
    for count, _ in enumerate(model.prefill_in_pieces(long), 1):
        model.next_probs([*short, *range(count)])
    assert len(short) >= 8
    assert 2 < count < len(long) / 10
    assert max(fed) == 16
    assert sum(fed) < len(long) + len(short) + count, "nothing is read again"
    close(model.next_probs(long), anew.next_probs(long))
    assert max(fed) == 16, "a piece was left, at the most"
    assert [*model.prefill_in_pieces(long)] == [], "it is known"
    assert [*model.prefill_in_pieces([*long, *short[:3]])] == [], "little is to be read"


def test_what_others_push_out_again_and_again_is_not_read_in_pieces_for_ever(
    tiny_tokenizer, knowing, make, monkeypatch
):
    monkeypatch.setattr("idiolect.adapters.prediction.next_token._PREFILL_TOKENS", 16)
    monkeypatch.setattr("idiolect.adapters.prediction.next_token._EVICTED_TOKENS", 0)
    model, anew = make(knowing(*HISTORY)), make(knowing(*HISTORY))
    long, other = tiny_tokenizer.encode(TEXT * 4), tiny_tokenizer.encode("Kind regards from us, and")
    model.next_probs([])
    for count, _ in enumerate(model.prefill_in_pieces(long), 1):
        model.next_probs([*other, count])
        assert count < 10
    close(model.next_probs(long), anew.next_probs(long))


# What is learned in between


def test_a_likely_continuation_is_thought_anew_while_its_text_is_written(tiny_tokenizer, knowing, make):
    """What was learned is no context yet, and counts in the memory all the same."""
    user_model, sentence = knowing(), "Kind regards from all of us at the harbour office"
    model, entry = make(user_model), tiny_tokenizer.encode("Kind regards from all of us at the")
    model.next_probs(entry)
    assert len(drafted(model, entry)) <= 1, "the memory has no draft"
    for _ in range(4):
        user_model.learn(sentence, tiny_tokenizer.encode(sentence))
    assert model.active_texts()
    assert tiny_tokenizer.decode(drafted(model, entry)).startswith(" harbour")


# Continuations


@pytest.mark.parametrize(
    ("start", "p"),
    [("Kind", 0.3), ("Kind regards from", 0.8), ("The boat left", 0.3), ("The old", 0.02), ("", 0.02)],
)
def test_a_verified_draft_is_what_single_steps_make(tiny_tokenizer, knowing, make, least, start, p):
    user_model, entry = knowing(*HISTORY * 3), tiny_tokenizer.encode(start)
    model = make(user_model)
    least(p)
    found = drafted(model, entry)
    assert found
    for end in range(len(found)):
        before = entry + found[:end]
        probs = make(user_model).next_probs(before)
        close(model.cached_probs(before), probs)
        assert found[end] == int(np.argmax(probs))
        assert probs[found[end]] >= p * 0.999


def test_a_continuation_ends_before_a_token_that_is_not_wanted(tiny_tokenizer, knowing, make):
    user_model, entry = knowing(*HISTORY * 3), tiny_tokenizer.encode("The boat left the")
    found = drafted(make(user_model), entry)
    assert len({*found}) > 1
    for end, token in enumerate(found):
        if token not in found[:end]:
            assert drafted(make(user_model), entry, lambda other, token=token: other != token) == found[:end]


def test_where_the_memory_is_not_trusted_its_draft_is_not_followed(tiny_tokenizer, knowing, make, least):
    user_model, entry = knowing(SENTENCE), tiny_tokenizer.encode("The boat left the")
    least(1e-4)
    doubting = make(user_model, mixture=convinced(0.001, 0.9))
    found = drafted(doubting, entry)
    for end, token in enumerate(found):
        assert token == int(np.argmax(doubting.next_probs(entry + found[:end])))
    by_heart = drafted(make(user_model), entry)
    assert found[0] != by_heart[0]
    assert 0 < len(found) < len(by_heart)
    least(0.9)
    assert drafted(make(knowing()), entry) == [], "nor is what is not likely enough"


@pytest.mark.parametrize("word", [" harbour", " Kwiaciarnia", " a"])
def test_a_word_is_as_likely_as_its_tokens_and_its_end_and_one_pass_tells(
    tiny_float, tiny_tokenizer, knowing, make, passes, word
):
    continues = np.random.default_rng(1).integers(0, 2, tiny_float.config.vocab).astype(np.float32)
    user_model = knowing(*HISTORY * 3)
    model, anew = make(user_model, continues_word=continues), make(user_model)
    entry, ids = tiny_tokenizer.encode("The boat left the old"), tiny_tokenizer.encode(word)
    model.next_probs(entry)
    calls = passes(model.session)
    found = model.word_log_prob(entry, ids)
    model.next_probs(entry + ids)
    assert passes(model.session) == calls + 1, "what comes next needs the same one"
    each = [np.log(anew.next_probs(entry + ids[:at])[token]) for at, token in enumerate(ids)]
    ends = np.log(1 - anew.next_probs(entry + ids) @ continues)
    assert found == pytest.approx(sum(each) + ends, rel=2e-3)


# The window


def test_of_a_long_text_the_end_is_kept(knowing, make):
    model = make(knowing(), window=50)
    text = "".join(chr(0x4E00 + place) for place in range(5_000))
    starts = set()
    for end in range(0, 5_000, 7):
        tail = model.truncate_text(text[:end])
        assert text[:end].endswith(tail)
        assert len(tail) >= min(end, 400), "more than the window can hold"
        assert len(tail) <= 800
        starts.add(end - len(tail))
    assert len(starts) < 15


def test_whatever_fits_can_be_read_with_all_that_is_appended(tiny_tokenizer, knowing, make, least):
    """The longest recent text, the fullest window, and as much behind it as was asked for."""
    least(1e-4)
    user_model = knowing(*HISTORY * 3, limit=40)
    while len(user_model.recent.context([])) < 78:
        user_model.recent.add([1])
    model = make(user_model, window=130, spare=33)
    entry = model.truncate_ids(tiny_tokenizer.encode(TEXT * 20)[:130])
    assert len(entry) == 130
    tokens = tiny_tokenizer.encode(" The boat left the harbour at noon" * 9)[:33]
    for appended in range(34):
        drafted(model, entry + tokens[:appended])


def test_a_window_larger_than_the_model_is_made_to_fit(tiny_float, tiny_tokenizer, knowing, make):
    model = make(knowing(*HISTORY), window=1_000_000)
    entry = model.truncate_ids(tiny_tokenizer.encode(TEXT * 200))
    assert tiny_float.config.context // 3 < len(entry) < tiny_float.config.context
    assert model.next_probs(entry).sum() == pytest.approx(1, abs=1e-4)


def test_texts_under_way_keep_recent_text_as_it_was_when_others_end(
    tiny_tokenizer, knowing, make, monkeypatch
):
    user_model = knowing(*HISTORY)
    model = make(user_model)
    texts = [tiny_tokenizer.encode(f"{TEXT} {n} {TEXT}")[n:] for n in range(3)]
    learned = [*tiny_tokenizer.encode("Something else that was written elsewhere "), *texts[0][15:25]]
    fed = list[int]()
    feed = Session.feed
    monkeypatch.setattr(
        Session, "feed", lambda session, ids, *more: fed.append(len(ids)) or feed(session, ids, *more)
    )
    for text in texts:
        model.next_probs(text[:20])
    fed.clear()
    before = user_model.recent.tokens
    model.observe(learned)
    user_model.learn("", learned)
    for typed in (20, 21):
        for text in texts:
            model.next_probs(text[:typed])
    assert fed == [1] * 3, "what was said is remembered, and nothing is read again"
    line = [*before, *user_model.recent.separator, *texts[0][:20]]
    logits = Session(model.session.model, length=len(line)).feed(line)[0]
    known = user_model.memory.predict(texts[0][:20])
    assert known.order > 0, "the memory knows it at once"
    mixed = model.mixture.mix(softmax(logits), user_model.memory, known)
    close(model.cached_probs(texts[0][:20]), mixed)

    for text in texts:
        model.observe(text)  # as it ends
        user_model.learn("", text)
    model.mixture = trusting()
    close(model.next_probs(learned[:5]), by_hand(model.session.model, user_model, learned[:5]))


def test_softmax_is_a_distribution_for_any_logits():
    for logits in (np.array([1e4, 0, -1e4]), np.array([[1.0, 2.0], [500.0, 500.0]]), np.zeros(3)):
        p = softmax(logits.astype(np.float32))
        assert p.sum(axis=-1) == pytest.approx(1)
        assert np.isfinite(p).all()
    assert softmax(np.log(np.array([1.0, 3.0], dtype=np.float32))) == pytest.approx([0.25, 0.75])


def test_what_the_model_alone_says_is_found_in_the_mixture(make, knowing, tiny_tokenizer):
    ids, tokens = tiny_tokenizer.encode("The boat left the"), tiny_tokenizer.encode(" harbour old")
    known = knowing(*HISTORY, limit=0)  # the same text before both
    ours = make(known)
    ours.mixture = convinced(0.5, 0.5)
    mixed = ours.next_probs(ids)
    alone = make(knowing(limit=0)).next_probs(ids)
    shares = ours.own_shares(ids, tokens, mixed)
    assert np.allclose(np.array(shares) * mixed[tokens], alone[tokens], rtol=0.02, atol=1e-7)
    assert shares[0] < 0.1 < 1 < max(ours.own_shares(ids, [*range(50)], mixed))  # the memory speaks for one


def test_a_model_that_is_let_go_takes_its_texts_with_it(make, knowing, tiny_tokenizer):
    ours = make(knowing(*HISTORY))
    ours.next_probs(tiny_tokenizer.encode(TEXT))
    session = weakref.ref(ours.session)
    gc.disable()
    try:
        del ours
        assert session() is None
    finally:
        gc.enable()
