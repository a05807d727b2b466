"""Suggestions: the word under the cursor is found wherever it is cut, and costs one forward pass; ghosts."""

import gc
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from knowledge import know, trusting

from idiolect.adapters.memory.steps import finish
from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.memory.word_matching import match_words
from idiolect.adapters.mending.general_words import GeneralWords
from idiolect.adapters.prediction.calibration import WHOLE_WORDS, Calibration
from idiolect.adapters.prediction.emoji import EmojiFinder
from idiolect.adapters.prediction.next_token import DraftedToken
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.question import Question
from idiolect.adapters.prediction.reasons import Reason
from idiolect.adapters.prediction.suggestion import NO_GHOST, Word
from idiolect.models.lexicon import Lexicon, read_lexicon

HISTORY = [
    "We met the Xylographers of Querfurt-Nord again, and Kwiaciarnia brought 24 maps.",
    "Please send the quarterly figures to Kwiaciarnia before noon, thank you.",
    "The Xylographers don't mind waiting; Ærøskøbing isn't far, Łódź’s boat is there.",
]
BOILERPLATE = "Kind regards from all of us at the harbour office and see you soon."


@pytest.fixture(scope="module")
def lexicon(tiny):
    """The general words, rarer than they are, so that a few sentences of one's own outweigh them."""
    general = read_lexicon(tiny.lexicon)
    return Lexicon(general.forms, general.frequency / 2_000, general.first, general.second)


@pytest.fixture(scope="module")
def knowing(lexicon, tiny_tokenizer):
    """`knowing(*texts)`: what is known after these entries."""
    return lambda *texts: know(lexicon, tiny_tokenizer, texts, limit=60)


def believing():
    """As after many ghosts that came as often as was said."""
    return Calibration.from_json([[1e5 * p, 1e5, 1e5 * p] for p in np.arange(0.05, 1, 0.1)])


@pytest.fixture(scope="module")
def predictor(tiny_float, tiny_tokenizer, knowing):
    """`predictor(*texts)`: a new one that has learned these entries; its products are in float."""

    def make(*texts, context_tokens=256, known=None, **more):
        known = known or knowing(*texts)
        more.setdefault("calibration", believing())
        more.setdefault("min_word_prob", 0.0)  # the tiny model, which is random, is sure of nothing
        return Predictor(tiny_float, tiny_tokenizer, known, trusting(), context_tokens=context_tokens, **more)

    return make


def texts(suggestion):
    return [word.text for word in suggestion.words]


# Words


def test_others_take_the_places_of_words_that_are_never_to_be_suggested(predictor, knowing):
    known = knowing(*HISTORY)
    ours = predictor(known=known)
    ranked = texts(ours.suggest(Question("We met the ", candidates=12)))
    known.preferences.set(ranked[:5], [])
    offered = texts(ours.suggest(Question("We met the ", candidates=3)))
    assert len(offered) == 3
    assert not {*offered} & {*ranked[:5]}


@pytest.mark.parametrize(
    ("before", "emoji"),
    [("that is so ", "😂"), ("to you", "👍🏽"), ("they said! ", "👩\u200d🚀"), ("they said!", " 👩\u200d🚀")],
)
def test_emoji_are_offered_behind_the_words_where_the_user_puts_them(predictor, knowing, before, emoji):
    written = ["that is so 😂", "that is so 😂😂", "to you👍🏽", "they said! 👩\u200d🚀", "it is 👩"] * 4
    known = knowing(*written)
    ours = predictor(known=known)
    [first, *others] = (
        text for text in texts(ours.suggest(Question(before, candidates=3))) if not WORD.search(text)
    )
    assert first == emoji
    assert all(any(other.strip() in text for text in written) for other in others)
    assert not any(emoji in text for text in texts(ours.suggest(Question("only by water ", candidates=3))))
    assert not any(
        emoji in text for text in texts(predictor(*HISTORY).suggest(Question(before, candidates=3)))
    )
    known.preferences.set([emoji.strip()], [])
    assert emoji not in texts(ours.suggest(Question(before, candidates=3)))


def test_initials_are_offered_as_the_phrase_where_corrections_are_wanted(predictor, knowing, lexicon):
    history = ["it is as you said", "again as you said, they will", "not so, as you said"] * 4

    def offered(typed, *, history=history, corrections=True):
        known = replace(knowing(*history), general=GeneralWords(lexicon))
        found = predictor(known=known).suggest(
            Question(f"it is {typed}", ghost_words=0, corrections=corrections)
        )
        return [(word.text, word.replace) for word in found.words]

    assert offered("ays")[0] == ("as you said", 3)
    assert ("as you said", 3) not in offered("ays", history=["it is as you see"] * 4)
    assert all(replaced == 0 for _, replaced in offered("ays", corrections=False))
    assert all(" " not in text for text, _ in offered("the", history=["to have eaten", *history] * 3))


def test_no_ghost_goes_on_from_a_slip_where_an_emoji_comes_before_its_correction(
    predictor, knowing, lexicon, monkeypatch
):
    history = ["it is as you said", "again as you said, they will", "not so, as you said"] * 4
    ours = predictor(known=replace(knowing(*history), general=GeneralWords(lexicon)))

    def suggest(*first):
        monkeypatch.setattr(EmojiFinder, "add", lambda _, words, *_others: [*first, *words])
        found = ours.suggest(Question("it is ays", corrections=True))
        return (
            found.words[0].text,
            found.words[len(first)].replace,
            found.ghost,
            Reason.MISTYPED in found.reasons,
        )

    assert suggest()[:3] == ("as you said", 3, NO_GHOST)
    assert suggest(Word("😂", 1.0)) == ("😂", 3, NO_GHOST, True)


def test_the_models_own_word_keeps_the_last_of_three_places(predictor, monkeypatch):
    ours = predictor(*HISTORY)
    ranked = texts(ours.suggest(Question("We met the ", candidates=6)))

    def speaks_against(word):
        shares = [1e9 if place == word else 0.0 for place in range(6)]
        monkeypatch.setattr(ours.next_token, "own_shares", lambda *_: shares)
        return texts(ours.suggest(Question("We met the ", candidates=3)))

    for word in range(3):
        assert speaks_against(word) == ranked[:3]
    for word in range(3, 6):
        assert speaks_against(word) == [*ranked[:2], ranked[word]]
    assert texts(ours.suggest(Question("We met the ", candidates=2))) == ranked[:2]
    assert texts(ours.suggest(Question("We met the X", candidates=3)))[0] == "ylographers"
    monkeypatch.setattr(ours.next_token, "own_shares", lambda *_: [1e-9] * 6)  # nothing is likely
    assert texts(ours.suggest(Question("We met the ", candidates=3))) == ranked[:3]


def test_what_was_written_once_in_this_place_comes_first(predictor):
    ours = predictor(*HISTORY)
    assert texts(ours.suggest(Question("We met the X", candidates=1))) == ["ylographers"]
    assert texts(ours.suggest(Question("Please send the quarterly figures to Kw", candidates=1))) == [
        "iaciarnia"
    ]
    assert texts(predictor().suggest(Question("We met the X", candidates=1))) != ["ylographers"]


def test_after_a_space_the_next_word_is_offered(predictor):
    ours = predictor(*[BOILERPLATE] * 5)
    assert texts(ours.suggest(Question("Kind regards from all of us at the ")))[0] == "harbour"
    assert texts(ours.suggest(Question("Kind regards from ")))[0] == "all"


def test_a_finished_word_is_not_offered_again(predictor, lexicon):
    found = texts(predictor(*HISTORY).suggest(Question("over the", candidates=50)))
    assert found
    assert "" not in found
    known = {form.decode() for form in lexicon.forms}
    assert all(f"the{text}" in known for text in found)


def test_a_word_that_no_list_knows_is_spelled_on(predictor, tiny_tokenizer):
    ours = predictor(*HISTORY)
    seen = 0
    for typed in ("zzqx", "Qqqzzkj", "HELLOTHERE", "x9x9x9", "Ωμεγα", "日本", "éàü", "’’", "7"):
        found = ours.suggest(Question(f"so {typed}")).words
        assert len(found) <= 1
        for word in found:
            seen += 1
            assert word.text.isprintable()
            assert not set(word.text) & set(" \n.,")
            assert "\ufffd" not in word.text
            assert 0 < word.p <= 1
    assert seen >= 3
    for whole in ("We met the Xylographers", "It was Łódź’s", "Some photographers"):
        assert texts(ours.suggest(Question(whole, candidates=50))) == [], "a list knows it"


def test_a_word_is_ranked_by_what_followed_its_beginning_here(predictor, tiny_tokenizer):
    rare, frequent = "thornby", "thurlow"
    first, second = (tiny_tokenizer.encode(f" {word}") for word in (rare, frequent))
    assert first[0] == second[0]
    assert first[1] != second[1], "or the second token would not tell them apart"
    ours = predictor(*["They drove to thurlow and back."] * 20, "Please ask our thornby today.")
    chances = np.zeros(tiny_tokenizer.vocab_size, dtype=np.float32)
    chances[first[0]] = 1
    by_use = match_words(ours.user_model.words, "th", True, chances, 100).forms
    assert by_use.index(frequent) < by_use.index(rare)
    for typed in ("", "t", "th"):
        assert texts(ours.suggest(Question(f"Please ask our {typed}")))[0] == rare[len(typed) :]
        assert texts(ours.suggest(Question(f"They drove to {typed}")))[0] == frequent[len(typed) :]


@pytest.mark.parametrize("prefix", ["", " ", "A line.\n", "...\n", "👩‍💻 "])
def test_where_nothing_is_typed_words_are_offered(predictor, prefix):
    for ours in (predictor(), predictor(*HISTORY)):
        assert len(ours.suggest(Question(prefix)).words) == 3


def test_in_the_middle_of_a_word_nothing_is_offered(predictor):
    ours = predictor(*HISTORY)
    for suffix in ("ylographers are here", "’s", "4", "é"):
        found = ours.suggest(Question("We met the X", suffix))
        assert found.words == ()
        assert (found.ghost.text, found.ghost.show) == ("", False)
    for suffix in ("", " are here", ", then", "\nA line", ")"):
        assert texts(ours.suggest(Question("We met the X", suffix)))[0] == "ylographers"


@pytest.mark.parametrize(
    ("suffix", "offered"),
    [
        ("", ["Xylographers", "Xylophone"]),
        (" Xylographers", ["Xylophone"]),
        (" (Xylographers) are", ["Xylophone"]),
        ("\nXylophone", ["Xylographers"]),
        (" Xylo", ["Xylographers", "Xylophone"]),
        (" Xylographers’", ["Xylographers", "Xylophone"]),
        (" xylophone", ["Xylographers", "Xylophone"]),
        (" are Xylophone", ["Xylographers", "Xylophone"]),
        ("... 😀", ["Xylographers", "Xylophone"]),
    ],
)
def test_the_word_that_stands_behind_the_cursor_is_not_offered(predictor, suffix, offered):
    ours = predictor(*HISTORY, *["The Xylophone, the Xylographers."] * 3)
    for typed in ("", "X", "Xylo"):
        found = texts(ours.suggest(Question(f"We met the {typed}", suffix, candidates=2)))
        assert len(found) == (len(offered) if typed == "Xylo" else 2), "the next best comes in its place"
        words = {typed + text for text in found}
        assert words & {"Xylographers", "Xylophone"} == {*offered}


def test_forms_that_differ_in_capitals_alone_share_one_place(predictor):
    ours = predictor(*["FYI the boat is late."] * 4, *["Fyi the boat is late."] * 3, "See the boat.")
    found = texts(ours.suggest(Question("", candidates=20)))
    assert len({text.casefold() for text in found}) == len(found)
    assert "FYI" in found
    assert {"YI", "yi"} <= {*texts(ours.suggest(Question("F", candidates=20)))}, (
        "once a letter is typed, either may come"
    )


@pytest.mark.parametrize(
    ("prefix", "first"),
    [
        ("so pHo", "tograph"),  # as the lists write it, behind what is typed
        ("so PHOT", "OGRAPH"),
        ("WE MET P", "HOTOGRAPH"),
        ("Kw", "iaciarnia"),
        ("so KWIA", "CIARNIA"),  # typed as Kwiaciarnia
        ("so kwIa", "ciarnia"),
    ],
)
def test_mixed_case_and_capitals_are_finished_by_known_words(predictor, prefix, first):
    ours = predictor(*HISTORY, *["A photograph, one more photograph."] * 9)
    assert first in texts(ours.suggest(Question(prefix, candidates=100_000)))


def test_what_is_hardly_likely_is_not_offered(predictor):
    def found(prefix, least, learned=BOILERPLATE):
        return [
            *predictor(*[learned] * 6, min_word_prob=least).suggest(Question(prefix, candidates=50)).words
        ]

    likely, unlikely = "Kind regards from all of us at the h", ("Some t", "so")
    everything = found(likely, 0.0)
    assert everything[0].p > 0.5
    assert found(likely, 0.01) == [word for word in everything if word.p >= 0.01] != everything
    everything = found(unlikely[0], 0.0, unlikely[1])
    assert everything[0].p < 0.5
    assert found(unlikely[0], 0.01, unlikely[1]) == [word for word in everything if word.p >= 0.002], (
        "where nothing is likely, what is less so may come, but no noise"
    )
    everything = found("Some ", 0.0)
    assert found("Some ", 0.02) == [word for word in everything if word.p >= 0.004] != everything


@pytest.mark.parametrize("mark", ["!", ".", "?", ",", ")", "”", "?!"])
def test_behind_a_mark_the_next_word_brings_its_space(predictor, mark):
    ours = predictor(*[f"Thanks{mark} Hermione is here. The 3.5 and 2.7 mm"] * 6)
    found = ours.suggest(Question(f"Thanks{mark}")).words
    assert found[0].text == " Hermione"
    assert found[0].p == pytest.approx(ours.suggest(Question(f"Thanks{mark} ")).words[0].p, rel=0.05)
    assert texts(ours.suggest(Question(f"Thanks{mark} ")))[0] == "Hermione"
    assert texts(ours.suggest(Question("The 3.")))[0] == "5", (
        "what is written without a space comes without one"
    )


def test_grey_text_that_is_passed_over_comes_back_by_the_switch(predictor):
    ours = predictor(*[BOILERPLATE] * 6)
    asked = "Kind rega"
    assert ours.suggest(Question(asked)).ghost.show
    ours.ghosts.uptake = 0.2  # of what is right, the user takes a fifth
    assert not ours.suggest(Question(asked)).ghost.show
    ours.ghosts.show = "more"
    assert ours.suggest(Question(asked)).ghost.show
    ours.ghosts.show = "asked"
    found = ours.suggest(Question(asked))
    assert (found.ghost.show, found.show_words, bool(found.words)) == (False, False, True)


# What it costs


def test_inside_a_word_no_further_pass_is_needed(predictor, passes):
    ours = predictor(*HISTORY)
    ours.suggest(Question("We met the ", ghost_words=0))
    calls = passes(ours.next_token.session)
    for cut in range(1, len("Xylographers")):
        ours.suggest(Question("We met the " + "Xylographers"[:cut], ghost_words=0))
    for cut in range(1, len("international")):
        ours.suggest(Question("We met the " + "international"[:cut], ghost_words=0))
    assert passes(ours.next_token.session) == calls


def test_the_likely_next_word_costs_no_pass_where_somebody_looked_ahead(predictor, passes):
    told, untold = predictor(*[BOILERPLATE] * 6), predictor(*[BOILERPLATE] * 6)
    finish(untold.look_ahead.make_passes())  # nothing was asked about: nothing to do
    assert passes(untold.next_token.session) == 0
    for ours in (told, untold):
        assert ours.suggest(Question("Kind rega", ghost_words=0)).words[0].text == "rds"
    before = passes(told.next_token.session)
    finish(told.look_ahead.make_passes(min_prob=1.0))  # no word is as likely as that
    assert passes(told.next_token.session) == before
    finish(told.look_ahead.make_passes())
    calls = [passes(ours.next_token.session) for ours in (told, untold)]
    answers = [ours.suggest(Question("Kind regards ", ghost_words=0)) for ours in (told, untold)]
    assert texts(answers[0]) == texts(answers[1])
    assert [passes(ours.next_token.session) for ours in (told, untold)] == [calls[0], calls[1] + 1]


def test_a_word_that_is_likely_but_not_sure_is_looked_ahead_for_once_a_letter_of_it_is_left(
    predictor, passes
):
    ours = predictor(*[BOILERPLATE, BOILERPLATE.replace("regards", "regarde")] * 6)
    for typed, more in (("Kind reg", 0), ("Kind regar", 0), ("Kind regard", 2)):
        first = ours.suggest(Question(typed, ghost_words=0)).words[0]
        assert first.p > 0.3
        before = passes(ours.next_token.session)
        finish(ours.look_ahead.make_passes())
        assert passes(ours.next_token.session) == before + more, (typed, first)


@pytest.mark.parametrize(
    ("typed", "stopped"),
    [("Kind regards ", False), ("Kind regards", False), ("Kind regar", True), ("We", True), (None, True)],
)
def test_a_pass_that_is_made_ahead_makes_way_for_all_but_what_it_computes(predictor, typed, stopped):
    ours, told = predictor(*[BOILERPLATE] * 6), list[bool]()
    ours.look_ahead.make_way("nothing is made ahead")
    ours.suggest(Question("Kind rega", ghost_words=0))
    feed = ours.next_token.session.feed

    def meanwhile(ids, logits, interrupt):
        ours.look_ahead.make_way(typed)
        told.append(interrupt.options.terminate)
        return feed(ids, logits, interrupt)

    ours.next_token.session.feed = meanwhile
    finish(ours.look_ahead.make_passes())
    assert told
    assert told[0] is stopped
    ours.next_token.session.feed = feed
    same_words = [
        word.text for word in predictor(*[BOILERPLATE] * 6).suggest(Question("Kind regards ")).words
    ]
    assert texts(ours.suggest(Question("Kind regards "))) == same_words


def test_off_the_record_nothing_is_kept_of_what_stands_before_the_cursor(
    predictor, knowing, lexicon, tiny_tokenizer
):
    known = replace(knowing(*[BOILERPLATE] * 6), general=GeneralWords(lexicon))
    ours = predictor(known=known)
    ours.ghosts.show = "more"
    secret, ids = "Wombles frobnicate", tiny_tokenizer.encode("Wombles frobnicate")
    whole = f"{secret} " * 20
    for prefix in (
        f"{whole}Kind regards from all ",
        f"{whole}frobinca",
        "Another text of some length is written now, no zekr",
    ):
        ours.suggest(Question(prefix, remember=False, corrections=True, key_ms=400.0))
        finish(ours.look_ahead.make_passes())
    assert holding(ours, secret, ids), "what saves reading it again"
    assert holding(ours, "frobinca", ids)
    ours.forget_texts()
    assert not holding(ours, secret, ids)
    assert not holding(ours, "frobinca", ids)
    assert not holding(ours, "no zekr", tiny_tokenizer.encode(" now, no zekr"))


def holding(root, text, ids):
    """What can be reached from an object and holds a text, or its tokens."""
    found, seen, left = list[object](), set[int](), [root]
    while left:
        one = left.pop()
        if id(one) in seen or isinstance(one, ModuleType | type):
            continue
        seen.add(id(one))
        left += gc.get_referents(one)
        if isinstance(one, str) and text in one:
            found.append(one)
        numbers = isinstance(one, tuple | list) and all(isinstance(part, int) for part in one)
        if numbers and any([*one[at : at + len(ids)]] == ids for at in range(len(one))):
            found.append(one)
    return found


def spy_on_feeding(ours):
    """How many tokens each further pass reads."""
    fed = []
    feed = ours.next_token.session.feed

    def count(ids, *more):
        fed.append(len(ids))
        return feed(ids, *more)

    ours.next_token.session.feed = count
    return fed


@pytest.mark.parametrize("already", [0, 1_000, 20_000])
def test_typing_on_reads_only_what_is_new(predictor, already):
    """However long the text before the cursor is: its window moves in steps, not with every key."""
    ours = predictor(*HISTORY, context_tokens=128)
    before = ("The boat left the harbour at noon and came back late. " * 400)[:already]
    ours.suggest(Question(before, ghost_words=0))
    fed = spy_on_feeding(ours)
    typed = " Then we walked along the old wall"
    for end in range(1, len(typed) + 1):
        ours.suggest(Question(before + typed[:end], ghost_words=0))
    assert sum(fed) < 100, "a window of 128 tokens, read anew at each of 34 keys, would be thousands"


@pytest.mark.parametrize("remember", [True, False])
def test_a_window_that_slides_over_a_long_text_reads_only_what_is_new(predictor, remember):
    """As of a client that sends the last characters of a long text: they begin elsewhere with each key."""
    ours = predictor(*HISTORY, context_tokens=128)
    text = "".join(f"The boat number {number} left the harbour at noon. " for number in range(60))
    window = 800
    ours.suggest(Question(text[:window], ghost_words=0, remember=remember))
    fed = spy_on_feeding(ours)
    for end in range(window + 1, window + 200):
        ours.suggest(Question(text[end - window : end], ghost_words=0, remember=remember))
    assert sum(fed) < 500, "a window of 128 tokens, read anew at each of 200 keys, would be 25,000"


def test_warming_reads_recent_text_ahead(predictor):
    ours = predictor(*HISTORY)
    finish(ours.warm())
    fed = spy_on_feeding(ours)
    ours.suggest(Question("", ghost_words=0))
    assert sum(fed) == 0
    ours.suggest(Question("We", ghost_words=0))
    assert sum(fed) == 0
    ours.suggest(Question("We ", ghost_words=0))
    assert sum(fed) < 6


def test_in_a_pause_a_text_is_read_behind_what_was_learned_meanwhile(predictor, monkeypatch):
    monkeypatch.setattr("idiolect.adapters.prediction.next_token.ACTIVE_S", float("inf"))
    ours, prefix = predictor(*HISTORY), f"{HISTORY[0]} We"
    ours.suggest(Question(prefix, ghost_words=0))
    former = [*ours.next_token.session.tokens]
    text = "Something else that was written elsewhere"
    ours.user_model.learn(text, ours.tokenizer.encode(text))
    assert ours.next_token.keeps_recent()
    ours.suggest(Question(f"{prefix} ", ghost_words=0))
    assert ours.next_token.session.tokens[: len(former)] == former
    monkeypatch.setattr("idiolect.adapters.prediction.next_token.ACTIVE_S", 0.0)
    assert not ours.next_token.keeps_recent()
    finish(ours.warm())
    recent = ours.user_model.recent.tokens
    assert ours.next_token.session.tokens[: len(recent)] == recent
    fed = spy_on_feeding(ours)
    ours.suggest(Question(f"{prefix} ", ghost_words=0))
    assert sum(fed) == 0


def test_who_takes_anothers_place_has_read_what_is_being_written(predictor, make_lora, tiny, monkeypatch):
    monkeypatch.setattr("idiolect.adapters.prediction.next_token.ACTIVE_S", float("inf"))
    adapter = make_lora(tiny.config).tensors()
    former, other = predictor(*HISTORY), predictor()
    ours = predictor(known=former.user_model, adapter=adapter, adapter_id=7)
    written = [f"{line} We" for line in HISTORY]
    for prefix in written:
        former.suggest(Question(prefix, ghost_words=0))
    finish(other.warm(former))
    assert other.next_token.active_texts() == [], "it may lack what was forgotten"
    finish(ours.warm(former))
    fed = spy_on_feeding(ours)
    for prefix in written:
        assert ours.suggest(Question(prefix, ghost_words=0)).adapter == 7
    assert sum(fed) == 0


# The adapter


def test_the_adapter_answers_and_is_named(predictor, tiny, make_lora):
    lora = make_lora(tiny.config)
    base, adapted = predictor(*HISTORY), predictor(*HISTORY, adapter=lora.tensors(), adapter_id=7)
    one, other = base.suggest(Question("The ")), adapted.suggest(Question("The "))
    assert (one.adapter, other.adapter) == (None, 7)
    assert [word.p for word in one.words] != [word.p for word in other.words]
    assert one.elapsed_ms > 0


def test_it_says_how_probable_it_is_that_the_word_under_the_cursor_ends_there(predictor):
    ours = predictor(*[BOILERPLATE] * 6)
    whole, begun = ours.suggest(Question("Kind regards from")), ours.suggest(Question("Kind regards fr"))
    assert whole.finished > max(word.p for word in whole.words)
    assert begun.finished < begun.words[0].p
    assert ours.suggest(Question("Kind regards ")).finished == 0.0


# Ghost text


def test_a_ghost_has_as_many_words_as_asked_for(predictor):
    for words in range(1, 7):
        found = predictor(*[BOILERPLATE] * 6).suggest(
            Question("Kind regards from all of us at the h", ghost_words=words)
        )
        expected = " ".join(["arbour", "office", "and", "see", "you", "soon"][:words])
        assert found.ghost.text == expected
    assert predictor(*[BOILERPLATE] * 6).suggest(Question("Kind regards", ghost_words=0)).ghost == NO_GHOST


def test_behind_a_word_that_may_be_finished_a_ghost_begins_with_a_space(predictor):
    ours = predictor(*[BOILERPLATE] * 6)
    for end, expected in [
        ("Kind regards", " from all of us"),  # no list has a longer word
        ("Kind regards from all of us", " at the harbour"),  # there are: usual, used
        ("Kind regards from all of us at the", " harbour office"),
        ("Kind regards from all of us at the harbour office", " and see you"),
    ]:
        found = ours.suggest(Question(end))
        assert found.ghost.show
        assert found.ghost.text.startswith(expected), end
        assert found.words == () or found.words[0].text != "", end
    assert not ours.suggest(Question("Kind regards from all of us at t")).ghost.text.startswith(" ")
    assert not ours.suggest(Question("Kind regards ")).ghost.text.startswith(" "), "there is one already"


def test_how_sure_it_is_that_a_word_is_finished_counts(predictor):
    """Both the word's end and the next word must come: the ghost is no surer than that."""
    ours = predictor(*["We read the news today."] * 3, *["We read the newspaper again."] * 2)
    behind = ours.suggest(Question("We read the news ", ghost_words=1)).words[0]
    ghost = ours.suggest(Question("We read the news", ghost_words=1)).ghost
    longer = ours.suggest(Question("We read the news", ghost_words=0)).words
    assert behind.text == "today"
    assert ghost.text == " today"
    assert "paper" in [word.text for word in longer]
    assert ghost.p <= behind.p * (1 - sum(word.p for word in longer)) + 0.01
    assert ghost.p < behind.p - 0.02


def test_what_follows_does_not_make_the_first_word_another_one(predictor):
    """The tail's first token could go on in the word, and the ghost would say what nobody reckoned with."""
    ours = predictor(*["so we dont's mind it."] * 2, *["so we dont mind it."] * 200)
    likely = ours.next_token.verified_draft
    ours.next_token.verified_draft = lambda *asked, **more: [  # as if the model had it so
        *(DraftedToken(token, 0.9, 0.9, 2, 0.9) for token in ours.tokenizer.encode("'s mind it.")),
        *likely(*asked, **more),
    ]
    found = ours.suggest(Question("so we d")).ghost
    assert found.show
    assert found.text == "ont"


def test_each_word_of_a_ghost_has_its_probability(predictor):
    ours = predictor(*[BOILERPLATE] * 6)
    for prefix in ("Kind regards from all of us at the h", "Kind regards", "Some "):
        ghost = ours.suggest(Question(prefix)).ghost
        assert "".join(word.text for word in ghost.words) == ghost.text
        assert all(len(WORD.findall(word.text)) == 1 for word in ghost.words)
        assert ghost.words[0].p == ghost.p
        chances = [word.p for word in ghost.words]
        assert chances == sorted(chances, reverse=True), "a word comes only if those before it do"
        assert all(p >= 0.5 for p in chances[1:])
    assert [word.text for word in ours.suggest(Question("Kind regards f")).ghost.words[:3]] == [
        "rom",
        " all",
        " of",
    ]


def test_words_that_do_not_come_are_left_out_of_later_ghosts(predictor):
    known, prefix = [BOILERPLATE] * 6, "Kind regards from all of us at the h"
    learning = Calibration(prior=WHOLE_WORDS)
    ours = predictor(*known, word_calibration=learning)
    first = ours.suggest(Question(prefix)).ghost
    ours.observe(f"{prefix}arbour and back.", [])
    assert learning.events == 1, "words behind one that did not come tell nothing"
    assert learning(0.97) < Calibration(prior=WHOLE_WORDS)(0.97)
    never = Calibration.of_whole_words([[1e4 * p, 1e4, 0] for p in np.arange(0.05, 1, 0.1)])
    last = predictor(*known, word_calibration=never).suggest(Question(prefix)).ghost
    assert len(first.words) > 1
    assert (last.text, last.p, last.show) == ("arbour", first.p, True), "its first word is believed as ever"


@pytest.mark.parametrize("mark", [",", ".", ";", ":", "?", "!", " –", ")"])
def test_a_ghost_ends_with_its_clause(predictor, mark):
    ours = predictor(*[f"Kind regards from the harbour office{mark} and see you soon."] * 6)
    assert ours.suggest(Question("Kind regards from the h")).ghost.text == "arbour office"


def test_what_was_written_once_is_not_recited(predictor):
    """The memory of the test's user is trusted blindly, and the model, which is random, agrees with nothing."""
    said = "We met the quarterly harbour master again"
    once, twice = (
        predictor(*[f"{said}."] * times).suggest(Question("We met the q")).ghost for times in (1, 2)
    )
    assert (once.text, once.show) == ("uarterly", True)
    assert twice.text == "uarterly harbour master again"


def test_nothing_unlikely_is_shown(predictor):
    found = predictor().suggest(Question("Some "))
    assert not found.ghost.show
    assert found.ghost.text == found.words[0].text


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (" and so on", "our office"),
        (", and so on", "our office"),
        (" office", "our"),
        (" harbour", ""),
        (" our", "our office and see you soon"),  # which is not the word that would be inserted
        (" fice, nd", "our office and see you soon"),
        (" soon", "our office and see you"),
        (" later", "our office and see you soon"),
        ("\n\n", "our office and see you soon"),
    ],
)
def test_a_ghost_stops_before_what_stands_behind_the_cursor(predictor, suffix, text):
    ours = predictor(*[BOILERPLATE] * 6)
    found = ours.suggest(Question("Kind regards from all of us at the harb", suffix)).ghost
    assert found.text == text
    assert found.show == bool(text)
    assert found.p == (
        0 if not text else ours.suggest(Question("Kind regards from all of us at the harb")).ghost.p
    )


def test_scripts_without_spaces_get_ghosts_but_no_words(predictor):
    ours = predictor(*["今天天气很好，我们去公园散步。"] * 8)
    for prefix in ("今天天气", "今天天气很好，我们"):
        found = ours.suggest(Question(prefix))
        assert found.words == ()
        assert found.ghost.text
        assert "今天天气很好，我们去公园散步。".startswith(prefix + found.ghost.text)
    assert ours.suggest(Question("今天天气", ghost_words=0)).ghost == NO_GHOST


# Learning how far ghosts can be believed


def test_a_ghost_that_never_comes_is_believed_less_and_less(predictor):
    calibration = Calibration(prior=WHOLE_WORDS)
    ours = predictor(*[BOILERPLATE] * 6, word_calibration=calibration)
    prefix = "Kind regards from all of us at the "
    first = ours.suggest(Question(prefix, key_ms=200.0))
    chances = []
    for _ in range(400):
        chances.append(ours.suggest(Question(prefix, key_ms=200.0)).ghost.p)
        ours.observe(prefix + "hard rock.", [])
    assert first.ghost.show
    assert chances == sorted(chances, reverse=True)
    last = ours.suggest(Question(prefix, key_ms=200.0))
    assert last.ghost.p < 0.5
    assert not last.ghost.show
    assert last.words == first.words, "words are not touched by it"
    assert calibration.events == 400, "once for each time that it was typed, however often it was asked for"


@pytest.mark.parametrize(
    ("entry", "right"),
    [
        ("Kind regards from all of us at the harbour", 1),
        ("Kind regards from all of us at the harbour, as ever", 1),
        ("Kind regards from all of us at the harbours", 0),
        ("Kind regards from all of us at the harbour's", 0),
        ("Kind regards from all of us at the har", 0),
        ("Kind regards from all of us at the harvest", 0),
        ("Kind regards from all of us at th", None),
        ("We send kind regards from all of us at the harbour", None),
        ("", None),
    ],
)
def test_an_entry_tells_of_the_ghosts_that_were_offered_on_the_way(predictor, entry, right):
    calibration = Calibration()
    ours = predictor(*[BOILERPLATE] * 6, calibration=calibration)
    ours.suggest(Question("Kind regards from all of us at the har"))
    ours.observe(entry, [])
    assert calibration.events == (0 if right is None else 1)
    assert sum(row[2] for row in calibration.to_json()) == (right or 0)
    ours.observe("Kind regards from all of us at the harbour", [])
    assert calibration.events == 1, (
        "it counts once, and an entry that it does not belong to leaves it waiting"
    )


# A look costs time


def shown_along(ours, text, key_ms):
    """The ghost that a typist of this speed sees before each letter; None where there is none."""
    found = [ours.suggest(Question(text[:end], key_ms=key_ms)).ghost for end in range(len(text))]
    return [ghost.text if ghost.show else None for ghost in found]


def test_a_ghost_is_shown_to_whom_it_saves_time(predictor):
    """The slower a typist, the more ghosts are worth a look; what a fast one sees, a slow one sees, too."""
    ours = [predictor(*HISTORY) for _ in range(3)]
    counts = []
    for key_ms, one in zip((60.0, 200.0, 1000.0), ours, strict=True):
        counts.append(sum(ghost is not None for text in HISTORY for ghost in shown_along(one, text, key_ms)))
    assert counts[0] < counts[1] < counts[2]


def test_a_ghost_stays_until_a_letter_contradicts_it(predictor):
    ours = predictor(*[BOILERPLATE] * 6)
    start = "Kind regards from all of us at the "
    ghost = ours.suggest(Question(start)).ghost
    assert ghost.show
    for typed in range(1, len(ghost.text)):
        found = ours.suggest(Question(start + ghost.text[:typed])).ghost
        assert found.show
        assert found.text.startswith(ghost.text[typed:])
    assert not ours.suggest(Question(f"{start}{ghost.text[:3]}q")).ghost.text.startswith(ghost.text[4:])


def test_off_the_record_a_ghost_stands_and_no_text_is_kept_for_it(predictor, tiny_tokenizer):
    ours = predictor(*[BOILERPLATE] * 6)
    start = "Kind regards from all of us at the "
    ghost = ours.suggest(Question(start, remember=False)).ghost
    assert ghost.show
    for typed in range(1, len(ghost.text)):
        assert ours.suggest(Question(start + ghost.text[:typed], remember=False)).ghost.show
    assert not holding(ours.ghosts.standing, start, tiny_tokenizer.encode(start))


# Odd text


@pytest.mark.parametrize(
    "prefix",
    [
        "so 😀👩‍💻",
        "\x00\x1b[0m",
        "a" * 100_000,
        "so " + "x1" * 300,
        "so it is. " * 60 + "日" * 700,
        " " * 100_000,
        "\n" * 100_000,
        "😀" * 50_000,
        "The boat left the harbour at noon. " * 2_858,
        "The boat left the harbour at noon. " * 2_858 + "We m",
    ],
    ids=lambda prefix: repr(prefix[:20]) + f" {len(prefix)}",
)
def test_any_prefix_is_answered(predictor, prefix):
    ours = predictor(*HISTORY, context_tokens=64)
    for suffix in ("", " so it is", "\n", "😀", "我们", "x" * 100_000, " " * 100_000 + "so"):
        found = ours.suggest(Question(prefix, suffix))
        assert len(found.words) <= 3
        assert all(WORD.fullmatch(word.text) for word in found.words)
        if suffix[:1] in ("我", "x"):
            assert (found.words, found.ghost) == ((), NO_GHOST)
    assert texts(ours.suggest(Question("We met the X")))[0] == "ylographers", "and the next one as ever"


def test_the_longest_words_of_the_widest_letters_fit(predictor, tiny_tokenizer):
    """Behind a full window and all the recent text that is kept: three and four bytes a letter, a token each."""
    first, second = "𝒜" * 14 + "𝒞𝒟", "ꙮ" * 21
    assert len(tiny_tokenizer.encode(f" {first} {second}")) > 120
    ours = predictor(*[f"{first} {second}."] * 8, *["so"] * 60)
    assert len(ours.user_model.recent.context([])) > 100
    full = "".join(" ;" if place % 2 else "," for place in range(ours.next_token.window))
    cut = ours.reader.split(f"{full} {first}")
    assert len(cut.head) == ours.next_token.window
    found = ours.suggest(Question(f"{full} {first}"))
    assert found.words == ()
    assert found.ghost.text == f" {second}"
    assert found.ghost.show, "so that what comes behind it was thought of"
