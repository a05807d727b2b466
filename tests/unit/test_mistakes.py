"""What is taken for a mistake in a person's text and what is not; and that none is learned or offered."""

from dataclasses import replace

import pytest

from idiolect.adapters.mending.general_words import GeneralWords
from idiolect.adapters.mending.mistakes import NO_DECISIONS, Mistakes, as_meant, decisions
from idiolect.adapters.mending.typing_channel import TypingChannel
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.question import Question
from idiolect.adapters.prediction.word_preferences import WordPreferences
from idiolect.models.lexicon import read_lexicon

RIGHT = "We receive the package because our friend was definitely there. " * 12
WRONG = "We recieve it becuase the freind came definately late."


@pytest.fixture(scope="module")
def serving(tiny):
    return LoadedModel(tiny, threads=1, context_tokens=64, recent_tokens=32, rare_min_count=1)


@pytest.fixture(scope="module")
def general(tiny):
    return GeneralWords(read_lexicon(tiny.lexicon))


def mistakes(general: GeneralWords, decided=NO_DECISIONS) -> Mistakes:
    return Mistakes(general, TypingChannel(), lambda: decided)


def test_a_word_outnumbered_by_its_right_form_is_a_mistake(general):
    known = mistakes(general)
    assert known.learn_many([RIGHT]) == [RIGHT]
    assert known.learn_many([WRONG]) == ["We receive it because the friend came definitely late."]


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("the compioer " * 4 + "a compiler " * 5, True),  # a rare word, mistyped nearly as often as not
        ("the settting, the settting " + "a setting " * 2, True),
        ("the compioer " * 5 + "a compiler " * 4, False),  # oftener: it is a word of the user's
        ("the compioer " + "a compiler " * 4, False),  # once: it may be anything
        ("the Compioer " * 4 + "a compiler " * 5, False),  # it may be a name
        ("some tries of the trie " * 4, False),
    ],
)
def test_a_slip_of_a_rare_word_is_a_mistake_if_the_user_writes_it_right_as_often(general, text, mended):
    assert (mistakes(general).learn_many([text]) != [text]) is mended


@pytest.mark.parametrize(
    "text",
    [
        "gonna gonna pls pls Thx Thx",  # slang and deliberate spellings
        "soooo yeahhh hmmm whooo",
        "Kwiaciarnia Xylographers Querfurt",  # names
        "malloc realloc stdin grep llvm",  # jargon
        "vielleicht morgen wieder zusammen",  # other languages
        "see https://example.org/recieve and recieve.txt or @recieve",  # no words of a text
        "the theatre colour neighbour realise",
        "😀 пыщ 漢字 \ud83d x' ''' a",
    ],
)
def test_words_of_the_users_stay(general, text):
    known = mistakes(general)
    known.learn_many([RIGHT])
    assert known.learn_many([text]) == [text]


def test_a_word_that_is_typed_again_and_again_is_the_users(general):
    known = mistakes(general)
    known.learn_many(["Our friend came. " * 5])
    assert not known.has_mistake("frienf")
    known.learn_many(["The frienf. "])
    known.learn_many(["The frienf. " * 9])
    assert not known.has_mistake("Frienf")


def test_the_user_decides(general):
    assert mistakes(general, decisions(["Freind"], [])).learn_many([RIGHT, "a freind"])[1] == "a freind"
    always = mistakes(general, decisions([], [("brb", "be right back")]))
    assert always.learn_many(["Brb, brb"]) == ["Be right back, be right back"]
    assert always.has_mistake("BRB")


def test_no_mistake_is_offered_or_trained_on_and_stored_text_is_untouched(serving):
    encode, decode = serving.tokenizer.encode, serving.tokenizer.decode
    texts = [*RIGHT.split(". "), WRONG]
    user_model = serving.build_user_model([encode(text) for text in texts if text])
    predictor = serving.build_predictor(user_model, None)
    offered = [
        "recieve"[: n - word.replace] + word.text
        for n in range(3, 8)
        for word in predictor.suggest(Question("We " + "recieve"[:n], candidates=5)).words
    ]
    assert "recieve" not in offered
    assert user_model.must_hide("We rec", "ieve")
    assert not user_model.must_hide("We rec", "eive")
    known = mistakes(serving.general)
    entries = [encode(RIGHT), encode(WRONG)]
    assert "recieve" not in decode(as_meant(known, entries, serving.tokenizer)[1])
    assert decode(entries[1]) == WRONG


def test_a_decision_holds_from_the_next_suggestion_on(serving):
    encode, preferences = serving.tokenizer.encode, WordPreferences()
    user_model = serving.build_user_model([encode(RIGHT), encode(WRONG)], preferences=preferences)
    assert user_model.must_hide("We rec", "ieve")
    preferences.set([], [], decisions(["recieve"], []))
    assert not user_model.must_hide("We rec", "ieve")


@pytest.mark.parametrize(("typed", "meant"), [("freindd", "friend"), ("septembrr", "september")])
def test_a_correction_comes_before_a_guess_at_an_unknown_word(serving, typed, meant):
    user_model = serving.build_user_model([serving.tokenizer.encode(RIGHT)] * 3)
    predictor = serving.build_predictor(user_model, None)
    guessed, [first, *_] = (
        predictor.suggest(Question(f"our {typed}", corrections=asked)).words for asked in (False, True)
    )
    assert guessed
    assert (first.text.lower(), first.replace) == (meant, len(typed))


@pytest.mark.parametrize(
    ("prefix", "meant", "replaced"), [("see t he", "the", 4), ("on thes ame", "the same", 8)]
)
def test_a_space_in_the_wrong_place_is_mended_under_the_cursor(serving, prefix, meant, replaced):
    user_model = serving.build_user_model([serving.tokenizer.encode(RIGHT)] * 3)
    [first, *_] = serving.build_predictor(user_model, None).suggest(Question(prefix, corrections=True)).words
    assert (first.text, first.replace) == (meant, replaced)


def test_a_correction_covers_the_word_and_never_more_than_the_prefix(serving):
    encode = serving.tokenizer.encode
    user_model = serving.build_user_model([encode(RIGHT)] * 3)
    predictor = serving.build_predictor(user_model, None)
    for prefix in (
        "freind",
        "t he",
        "a freind, ",
        "freind ",
        "😀freind",
        "x" * 300,
        "\ud83d",
        "é" * 40,
        "thankyou",
        " ",
    ):
        found = predictor.suggest(Question(prefix, candidates=5, corrections=True))
        for word in found.words:
            assert 0 <= word.replace <= len(prefix)
            assert 0 <= word.p <= 1
        if found.correction is not None:
            assert 0 < found.correction.replace <= len(prefix)
            assert prefix.endswith(found.correction.text[-1])
        plain = predictor.suggest(Question(prefix, candidates=5))
        assert plain.correction is None
        assert all(word.replace == 0 for word in plain.words)


def test_a_correction_that_was_taken_back_is_not_made_again(serving):
    encode, preferences = serving.tokenizer.encode, WordPreferences()
    preferences.set([], [], decisions([], [("freind", "friend")]))
    user_model = serving.build_user_model([encode(RIGHT)], preferences=preferences)
    predictor = serving.build_predictor(user_model, None)
    found = predictor.suggest(Question("our freind, ", corrections=True)).correction
    assert found is not None
    assert (found.text, found.replace, found.sure) == ("friend, ", 8, True)
    assert predictor.suggest(Question("our Freind", corrections=True)).words[0].text == "Friend"
    preferences.set([], [], decisions(["freind"], []))
    assert predictor.suggest(Question("our freind, ", corrections=True)).correction is None
    assert not any(word.replace for word in predictor.suggest(Question("our freind", corrections=True)).words)


def test_no_ghost_goes_on_from_a_mistyped_word(serving):
    user_model = serving.build_user_model([serving.tokenizer.encode(RIGHT)] * 3)
    predictor = serving.build_predictor(user_model, None)
    assert predictor.suggest(Question("our freindd")).ghost.text
    assert not predictor.suggest(Question("our freindd", corrections=True)).ghost.text
    right = Question("our frien")
    assert predictor.suggest(replace(right, corrections=True)).ghost == predictor.suggest(right).ghost
