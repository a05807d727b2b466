"""Which messages are typed: a draw that can be repeated, of nothing that was learned from."""

from datetime import UTC, datetime, timedelta

import pytest

from idiolect.adapters.evaluation.eval_split import (
    HISTORY_BYTES,
    LEAST_CHARS,
    EvalMessage,
    TooLittleToTypeError,
    split_corpus,
    split_history,
)


def messages(*texts):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        EvalMessage(text, (start + timedelta(hours=hour)).isoformat(), text)
        for hour, text in enumerate(texts)
    ]


def numbered(count, chars=50):
    return messages(*(f"{place:04d} ".ljust(chars, "x") for place in range(count)))


def places(drawn):
    return [int(message.text[:4]) for message in drawn]


def test_of_a_corpus_the_last_fifth_is_typed():
    split = split_corpus(numbered(100), name="x", seed=1, chars=500)
    assert places(split.history) == [*range(80)]
    assert 10 <= len(split.test) <= 11
    assert min(places(split.test)) >= 80
    assert places(split.test) == sorted(places(split.test))
    assert split.repeats == [False] * len(split.test)


def test_of_a_long_history_the_newest_part_is_learned_from():
    split = split_corpus(numbered(1000, 1000), name="x", seed=1, chars=5000)
    assert places(split.history) == [*range(800 - HISTORY_BYTES // 1000, 800)]
    wide = messages(*["é" * 500] * 1000)  # two bytes each
    assert len(split_corpus(wide, name="x", seed=1, chars=5000).history) == HISTORY_BYTES // 1000


def test_seed_and_name_make_the_draw():
    def drawn(seed, name):
        return places(split_corpus(numbered(200), name=name, seed=seed, chars=500).test)

    assert drawn(1, "x") == drawn(1, "x")
    assert drawn(1, "x") != drawn(2, "x")
    assert drawn(1, "x") != drawn(1, "y")


def test_messages_that_would_be_too_much_are_passed_over():
    texts = ["short " * 20] * 90 + ["long " * 1000] * 2 + ["short " * 20] * 8
    split = split_corpus(messages(*texts), name="x", seed=3, chars=600)
    assert {len(message.text) for message in split.test} == {120}
    assert 0.95 * 600 <= sum(len(message.text) for message in split.test) <= 1.1 * 600


def test_repeats_are_equal_but_for_white_space():
    history = ["See you   at noon."] + [
        f"Number {place} is on its way to you by post." for place in range(79)
    ]
    test = ["See you\nat noon.", "see you at noon.", "Thanks for it all!", " Thanks  for it all!"]
    test += [f"Parcel {place} is still here, and so it goes." for place in range(16)]
    split = split_corpus(messages(*history, *test), name="x", seed=1, chars=100_000)
    assert len(split.test) == 20
    assert split.repeats == [True, False, False, True] + [False] * 16


# --- the user's own history ---


def test_without_an_adapter_the_newest_fifth_can_be_typed():
    split = split_history(numbered(100), (), seed=1, chars=500)
    assert min(places(split.test)) >= 80
    assert places(split.history) == [*range(min(places(split.test)))], (
        "all that is older than the first typed"
    )


def test_messages_that_the_adapter_has_seen_are_not_typed():
    seen = {*range(90)} | {95}
    for seed in range(20):
        split = split_history(numbered(100), seen, seed=seed, chars=400)
        assert not seen & {*places(split.test)}
        assert max(places(split.history)) < min(places(split.test))


def test_old_text_is_not_typed_though_no_adapter_has_seen_it():
    with pytest.raises(TooLittleToTypeError):
        split_history(numbered(100), {*range(80, 100)}, seed=1, chars=500)


def test_a_message_equal_to_one_that_the_adapter_has_seen_is_a_repeat():
    texts = [f"{place:04d} ".ljust(50, "x") for place in range(100)]
    texts[95] = texts[85]
    split = split_history(messages(*texts), {95}, seed=1, chars=100_000)
    assert dict(zip(places(split.test), split.repeats, strict=True))[85]
    assert sum(split.repeats) == 1


def test_the_first_of_two_equal_messages_is_no_repeat():
    """The history ends before the first message that is typed; what is newer than that counts only once typed."""
    texts = [f"{place:04d} ".ljust(50, "x") for place in range(100)]
    texts[99] = texts[80]
    split = split_history(messages(*texts), (), seed=1, chars=100_000)
    assert split.repeats == [False] * 19 + [True]


# --- too little ---


@pytest.mark.parametrize("count", [0, 1, 4, 10])
def test_too_little_text_is_an_error_with_numbers(count):
    for split in (
        lambda: split_corpus(numbered(count), name="x", seed=1, chars=8000),
        lambda: split_history(numbered(count), (), seed=1, chars=8000),
    ):
        with pytest.raises(TooLittleToTypeError) as error:
            split()
        assert f"{LEAST_CHARS}" in str(error.value)
        assert "xxx" not in str(error.value)


def test_enough_to_type_without_a_history_is_too_little():
    with pytest.raises(TooLittleToTypeError):
        split_corpus(messages("x" * 1000), name="x", seed=1, chars=1000)
