"""Numbers, codes and addresses: what counts as one, how often it was typed, when it is offered and trained on."""

import pytest

from idiolect.adapters.memory.corpus import drop_repeats, pack
from idiolect.adapters.memory.rare_strings import RareStrings, weigh_training_tokens


@pytest.fixture
def rare():
    """What has been typed: one string of each kind once, another twice, and "AB-1204" three times."""
    rare = RareStrings(3)
    rare.learn_many(
        [
            "The locker is 483920, ask for parcel B-77 or write to someone@example.org.",
            "See https://example.com/a/b. Ring 555 0199 after 5 pm.",
            "Room 2210 and order AB-1204.",
            "Order AB-1204 is in room 2210.",
        ]
    )
    rare.learn_many(["and (AB-1204) again"])
    return rare


@pytest.mark.parametrize(
    ("before", "offered"),
    [
        ("The locker is ", "483920"),
        ("The locker is 48", "3920"),
        ("the locker is ", "48392"),
        ("parcel ", "B-77"),
        ("parcel B-", "77"),
        ("room ", "2210"),
        ("write to ", "someone@example"),
        ("write to someone@exam", "ple"),
        ("see ", "https://example.com"),
        ("see https://ex", "ample"),
        ("see x.c", "om"),
        ("Ring ", "555 0199"),
        ("Ring 555", " 0199"),
        ("Ring 555 01", "99"),
        ("it is ", "987654"),
        ("Thanks", " for room 2210"),
    ],
)
def test_what_was_typed_too_seldom_is_hidden(rare, before, offered):
    assert rare.guard(before)(offered)
    assert not RareStrings(1).guard(before)(offered)


@pytest.mark.parametrize(
    ("before", "offered"),
    [
        ("order ", "AB-1204"),
        ("order AB", "-1204"),
        ("order ab-", "1204"),
        ("at ", "5 pm"),
        ("in ", "12"),
        ("Thanks for", " the parcel"),
        ("locker 483920", " is"),
        ("locker 483920 is mine, so ", "the"),
        ("my locker is 777123, yes, ", "777123"),
        ("mail me. ", "Thanks"),
        ("nimm ", "z.B. das"),
        ("das heißt, d.", "h. morgen"),
        ("", ""),
    ],
)
def test_all_else_is_offered(rare, before, offered):
    assert not rare.guard(before)(offered)


def test_one_more_use_and_it_is_offered(rare):
    assert rare.guard("room ")("2210")
    rare.learn_many(["room 2210"])
    assert not rare.guard("room ")("2210")


def test_the_words_of_a_rare_string_are_not_counted(rare):
    text = "Write to someone@example.org about AB-1204 and 771122, soon."
    assert rare.learn_many([text, "nothing of that"]) == [
        "Write to   about AB-1204 and  , soon.",
        "nothing of that",
    ]


def test_an_import_counts_them_as_single_entries_do(knowing, tiny_tokenizer):
    texts = ["Order AB-1204 is in room 2210.", "Order AB-1204 again", "AB-1204 and zebras9x"]
    entries = [(text, tiny_tokenizer.encode(text)) for text in texts]

    at_once, singly = knowing(least=3), knowing(least=3)
    at_once.learn_many(entries)
    for text, ids in entries:
        singly.learn(text, ids)
    assert vars(at_once.rare) == vars(singly.rare)
    assert at_once.rare.guard("room ")("2210")
    assert not at_once.words.count_form("zebras9x")


def test_long_text_without_spaces_takes_no_time():
    RareStrings(3).learn_many(["x" * 200_000 + "."])
    assert not RareStrings(3).guard("x" * 200_000)("x")


def test_an_adapter_is_not_trained_to_foretell_them(tiny_tokenizer):
    rare = RareStrings(2)
    texts = ["the désk is 483920 today", "the desk is 771122 today", "it is 771122"]
    rare.learn_many(texts)
    for text, hidden in zip(texts, ("483920", "", ""), strict=True):
        ids = tiny_tokenizer.encode(text)
        weights = weigh_training_tokens(rare, ids, tiny_tokenizer.token_bytes)
        left_out = [token for token, weight in zip(ids, weights, strict=True) if not weight]
        assert tiny_tokenizer.decode(left_out).strip() == hidden
        rows = pack(
            [ids], len(ids), [0], lambda ids: weigh_training_tokens(rare, ids, tiny_tokenizer.token_bytes)
        )
        assert rows.weights[0].tolist() == weights


def test_what_is_repeated_is_trained_on_twice():
    entries = {3: [1, 2], 4: [3], 6: [1, 2], 7: [1, 2], 8: [3], 9: [1]}
    assert drop_repeats(entries) == [3, 4, 6, 8, 9]
