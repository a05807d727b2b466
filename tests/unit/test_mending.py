"""What was meant by a mistyped word: the trie, the channel, the search, spaces; on lists small enough to read."""

from functools import partial
from typing import get_args

import numpy as np
import pytest

from idiolect.adapters.memory.vocabulary import WordVocabulary
from idiolect.adapters.memory.word_matching import least_letter_prob
from idiolect.adapters.mending.corrections import Corrector
from idiolect.adapters.mending.fuzzy_search import FuzzySearch
from idiolect.adapters.mending.general_words import GeneralWords
from idiolect.adapters.mending.hand import Hand
from idiolect.adapters.mending.keyboards import Layout, neighbours
from idiolect.adapters.mending.spacing import joined_words, single_space, spaced_words
from idiolect.adapters.mending.typing_channel import Costs, TypingChannel
from idiolect.models.letter_trie import ROOT, build_trie
from idiolect.models.lexicon import NONE, Lexicon

VOCAB = 128
FREQUENCIES = {
    "receive": 7e-5, "received": 1e-4, "recieve": 5e-7, "relieve": 3e-6, "definitely": 9e-5, "defiantly": 4e-7,
    "separate": 6e-5, "the": 5e-2, "then": 1e-3, "thank": 2e-4, "you": 2e-2, "lot": 4e-4, "a": 2e-2, "don't": 1e-3,
    "Monday": 1e-4, "monday": 1e-4, "café": 1e-5, "because": 1e-3, "friend": 2e-4, "same": 5e-4, "accommodate": 5e-6,
    "he": 5e-3, "naïve": 1e-6, "think": 1e-3, "of": 3e-2, "zoom": 1e-5, "year": 1e-3,
}  # fmt: skip # several words to a line


def encode(text):
    return [ord(c) % VOCAB for c in text]


def lexicon(frequencies=FREQUENCIES):
    forms = sorted(frequencies, key=str.encode)
    ids = [[[*encode(form), NONE] for form in forms]] * 2
    return Lexicon(
        np.array([form.encode() for form in forms]),
        np.array([frequencies[form] for form in forms], dtype=np.float32),
        np.array([[word[0] for word in row] for row in ids], dtype=np.int32),
        np.array([[word[1] for word in row] for row in ids], dtype=np.int32),
    )


@pytest.fixture(scope="module")
def general():
    return GeneralWords(lexicon())


@pytest.fixture
def words():
    return WordVocabulary(lexicon(), encode, VOCAB)


def uniform():
    return np.full(VOCAB, 1 / VOCAB, dtype=np.float32)


def meant(general, words, typed, *, finished=True):
    corrector = Corrector(words, general, TypingChannel())
    return [c.text for c in corrector.candidates(typed, True, uniform(), finished=finished)]


# The trie


def test_a_trie_finds_all_forms_that_begin_with_letters_in_any_capitals():
    forms = np.array(
        sorted(form.encode() for form in ["Ab", "ab", "abc", "Abd", "b", "ébc", "don’t", "x" * 40])
    )
    trie = build_trie(forms)

    def found(letters, *, whole=False):
        node = trie.descend(ROOT, letters)
        end = (trie.whole if whole else trie.high)[node]
        return sorted(forms[row].decode() for row in trie.rows[trie.low[node] : end]) if node >= 0 else []

    assert found("ab") == ["Ab", "Abd", "ab", "abc"]
    assert found("ab", whole=True) == ["Ab", "ab"]
    assert found("é") == ["ébc"]
    assert found("don't") == ["don’t"]
    assert found("abcd") == []
    assert found("x") == []  # too long to be typed by mistake


def test_a_trie_of_nothing_is_empty():
    trie = build_trie(np.zeros(0, "S1"))
    assert FuzzySearch(trie, TypingChannel()).column("word") == {}


# The channel


@pytest.mark.parametrize("layout", get_args(Layout))
def test_neighbours_are_mutual_and_never_the_letter_itself(layout):
    keys = neighbours(layout)
    assert {"a", "e", "t"} <= keys.keys()
    assert all(letter not in near for letter, near in keys.items())
    assert all(letter in keys[other] for letter, near in keys.items() for other in near)


def test_a_slip_is_likelier_where_the_keys_are_neighbours():
    assert TypingChannel("qwerty").replaced("z")[""] > TypingChannel("qwertz").replaced("z")["u"]
    assert TypingChannel("qwertz").replaced("y")["a"] < TypingChannel("qwerty").replaced("y")[""]
    assert TypingChannel().replaced("e")["é"] < TypingChannel().replaced("e")["r"]


@pytest.mark.parametrize("typed", ["tink", "thnk", "thik"])
def test_a_letter_left_out_costs_the_same_behind_the_first_one_as_later(general, typed):
    channel = TypingChannel()
    found = FuzzySearch(general.trie, channel).column(typed)
    assert found[general.trie.descend(ROOT, "think")] == channel.costs.missing


# What was meant


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("recieve", "receive"),  # spelling
        ("definately", "definitely"),
        ("seperate", "separate"),
        ("acomodate", "accommodate"),
        ("becuase", "because"),  # the hand
        ("freind", "friend"),
        ("thnk", "think"),
        ("thonk", "think"),
        ("thhe", "the"),
        ("dont", "don't"),  # apostrophes, accents, capitals
        ("cafe", "café"),
        ("naive", "naïve"),
        ("ebcause", "because"),  # the first letter
        ("Freind", "Friend"),
        ("FREIND", "FRIEND"),
    ],
)
def test_a_mistyped_word_is_mended(general, words, typed, right):
    assert meant(general, words, typed)[0] == right


def test_a_mended_beginning_is_completed(general, words):
    assert meant(general, words, "definat", finished=False)[0] == "definitely"
    assert meant(general, words, "recie", finished=False)[0] in ("receive", "received")


def test_a_continuation_is_no_correction(general, words):
    assert "received" not in meant(general, words, "rec", finished=False)


def test_a_finished_word_is_not_taken_for_the_beginning_of_another(general, words):
    assert "definitely" not in meant(general, words, "definat")


def test_words_of_the_users_are_mended_to(general, words):
    assert "Kwiaciarnia" not in meant(general, words, "Kwiacirnia")
    words.learn_many(["Kwiaciarnia is open. Kwiaciarnia has flowers."])
    assert meant(general, words, "Kwiacirnia")[0] == "Kwiaciarnia"
    assert meant(general, words, "kwiacairnia")[0] == "Kwiaciarnia"


def test_a_capital_beyond_ascii_is_one(general, words):
    words.learn_many(["Ägypten Monday Łódź ärger monday"] * 3)
    channel = TypingChannel()
    corrector = Corrector(words, general, channel)
    for typed, form in (("ägypten", "Ägypten"), ("łódź", "Łódź")):
        [found] = [c for c in corrector.candidates(typed, True, uniform(), finished=True) if c.text == form]
        assert found.cost == pytest.approx(channel.costs.capital_missing)
    assert words.tables[1].capitalized.tolist() == [
        form.decode()[0].isupper() for form in words.tables[1].forms.tolist()
    ]


def test_the_context_decides_between_two_words(general, words):
    probs = np.full(VOCAB, 1e-6, dtype=np.float32)
    probs[ord("f")] = 0.9
    corrector = Corrector(words, general, TypingChannel())
    assert corrector.candidates("thriend", True, probs, finished=True) == []
    assert corrector.candidates("griend", True, probs, finished=True)[0].text == "friend"


@pytest.mark.parametrize("typed", ["", "x" * 300, "😀😀", "пыщ", "ab😀", "\ud83d", "𝒜𝒷", "İ", "ß", "''''"])
def test_no_run_of_letters_breaks_it(general, words, typed):
    assert all(
        c.cost >= 0 for c in Corrector(words, general, TypingChannel()).candidates(typed, True, uniform())
    )


def test_a_letter_is_as_likely_as_the_words_that_go_on_with_it(words):
    least = partial(least_letter_prob, words)
    in_the, in_then = (FREQUENCIES[word] for word in ("the", "then"))
    assert least("t", True, uniform()) == 1.0
    assert least("th", True, uniform()) == pytest.approx(1.0)  # all that begin with t
    assert least("then", True, uniform()) == pytest.approx(in_then / (in_the + in_then), rel=0.01)
    assert least("then", True, uniform(), finished=True) == least("then", True, uniform())
    assert least("the", True, uniform()) > 10 * least("thi", True, uniform()) > 0
    assert least("teh", True, uniform()) == least("the ", True, uniform()) == 0.0
    words.learn_many(["tehran " * 100])
    assert least("teh", True, uniform()) > 0


def test_letter_by_letter_and_at_once_give_the_same(general, words):
    slowly, at_once = (Corrector(words, general, TypingChannel()) for _ in range(2))
    word = "definately"
    for end in range(1, len(word) + 1):
        one = slowly.candidates(word[:end], True, uniform())
    assert one == at_once.candidates(word, True, uniform())


# Spaces


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("thankyou", "thank you"),
        ("alot", "a lot"),
        ("thankzyou", "thank you"),  # a key above the space bar
        ("thankAna", "thank Ana"),
        ("thinkoftheyear", None),
        ("thinkofyou", "think of you"),
        ("thenI", None),  # "i" is in no list here
        ("xlot", None),
        ("thankqyou", None),
    ],
)
def test_a_space_that_was_not_hit_is_put_in(general, typed, text):
    uses = general.common | {"Ana": 1e-3}  # a name of the user's
    found = spaced_words(typed, lambda _word: 0.1, lambda word: uses.get(word, 0.0), Costs(), "zxcvbnm")
    assert (found[0].text if found else None) == text
    assert all(it.replaced == len(typed) for it in found)


@pytest.mark.parametrize(
    ("before", "typed", "text"),
    [
        ("see t ", "he", "the"),
        ("thes ", "ame", "the same"),
        ("tha ", "k", "thank"),
        ("the ", "same", None),
        ("a ", "lot", None),
    ],
)
def test_a_space_in_the_wrong_place_is_moved(general, before, typed, text):
    found = joined_words(before, typed, general.common, Costs(), "zxcvbnm")
    assert (found and found.text) == text
    if found:
        assert (before + typed).endswith(before.split()[-1] + " " + typed)
        assert found.replaced == len(before.split()[-1]) + 1 + len(typed)


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ("I saw the  dog ", "the dog "),
        ("We met.  Then I saw the  dog, ", "the dog, "),  # two spaces behind a sentence
        ("name  what it is\nHere it was  so ", None),  # columns above
        ("the  dog ", None),  # at the start of a line
        ("name  what it  is ", None),
        ("- I saw the  dog ", None),
        ("a) saw the  dog ", None),
        ("    I saw the  dog ", None),
        ("| I saw the  dog ", None),
        ("I saw the   dog ", None),
        ("I saw the  Dog ", None),
    ],
)
def test_a_doubled_space_is_one_but_where_it_stands_on_purpose(before, text):
    found = single_space(before)
    assert (found and found.text) == text
    assert not found or before[-found.replaced :].replace("  ", " ") == text


# --- the slips of one hand ---


def hand(*slips):
    """What was counted of slips: what was meant, what was typed, and how often."""
    counts = Hand()
    for meant, typed, times in slips:
        for _ in range(times):
            counts = counts.with_slip(meant, typed)
    return counts


def cost(general, words, counts, typed, meant):
    """Nats of a mistake for a hand."""
    corrector = Corrector(words, general, counts.channel(TypingChannel(), general))
    return next(
        c.cost for c in corrector.candidates(typed, True, uniform(), finished=True) if c.text == meant
    )


def test_what_a_hand_often_does_costs_less_from_fifty_slips_on_and_nothing_costs_more(general, words):
    usual = hand()
    few, swaps = hand(("en", "ne", 49)), hand(("en", "ne", 49), ("r", "t", 1))
    slips = {"thne": "then", "becuase": "because", "yesr": "year", "freind": "friend", "yeaf": "year"}
    costs = {
        typed: [cost(general, words, counts, typed, meant) for counts in (usual, few, swaps)]
        for typed, meant in slips.items()
    }
    assert all(before == some for before, some, _ in costs.values())
    assert all(after <= before for before, _, after in costs.values())
    less = {typed: before - after for typed, (before, _, after) in costs.items()}
    assert less["thne"] > less["becuase"] > less["yeaf"] == 0, "these letters, then their kind"


def test_one_key_for_another_costs_less_where_a_hand_hits_it_often(general, words):
    counts = hand(("r", "e", 30), ("a", "s", 2), ("th", "ht", 20))
    less = [
        cost(general, words, hand(), typed, "year") - cost(general, words, counts, typed, "year")
        for typed in ("yeae", "yeaf")
    ]
    assert less[0] > less[1] + 1


def test_counts_follow_the_hand_and_are_bounded():
    counts = hand(("r", "e", 900))
    for number in range(3000):
        counts = counts.with_slip("abcdefghij"[number % 10], "klmnopqrst"[number // 10 % 10])
    kept = {(meant, typed): count for meant, typed, count in counts.slips}
    assert sum(kept.values()) <= 1000
    assert kept.get(("r", "e"), 0) < 100


def test_counts_do_not_tell_in_which_order_slips_were_typed():
    assert hand(("b", "v", 1), ("a", "s", 1), ("x", "c", 2)).slips == [
        ("x", "c", 2),
        ("a", "s", 1),
        ("b", "v", 1),
    ]


@pytest.mark.parametrize("damaged", [{"a": 1}, [["r", "e"]], [["r", "e", "x"]], 7, [[1, None, None]]])
def test_damaged_counts_are_refused(damaged):
    with pytest.raises(ValueError, match="no counts"):
        Hand(damaged)
