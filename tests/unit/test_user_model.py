"""What is known of the user is not offered where it could give a secret away."""

import pytest
import regex

from idiolect.adapters.memory.secret_cues import Cue, CuesBefore, announces_secret, cues, folded
from idiolect.models.vulgar_words import is_vulgar, vulgar_words


@pytest.fixture
def user_model(knowing):
    return lambda *texts, least=3: knowing(*texts, least=least)


@pytest.mark.parametrize(
    "before",
    [
        "My password is ",
        "the wifi password for the garden house is ",
        "Das WLAN-Passwort lautet ",
        "ma clé : ",
        "PIN? ",
    ],
)
def test_a_word_that_was_typed_once_is_not_offered_behind_a_cue(user_model, before):
    known = user_model("Opens with tartiflette, all lower case.")
    assert known.must_hide(before, "tartiflette")
    assert known.must_hide(before + "tart", "iflette")
    assert known.must_hide("", before + "tartiflette")  # a ghost that brings its own cue
    assert not known.must_hide("For dinner we had ", "tartiflette")
    assert known.rare.min_count == 3
    assert not user_model(*["tartiflette"] * 3).must_hide(before, "tartiflette")
    assert not user_model("tartiflette", least=1).must_hide(before, "tartiflette")


def test_the_word_within_a_password_is_typed_too_seldom_as_well(user_model):
    known = user_model("Log in with hunter22 please")
    assert known.rare.count_within("Hunter") == 1
    assert known.must_hide("the password is ", "hunter")


def test_the_letters_before_a_digit_are_no_word_of_their_own(user_model):
    known = user_model("the mp3 is here", "an mp3 of the talk")
    assert known.must_hide("Where did you put the ", "mp")
    assert known.must_hide("Where did you put the m", "p")
    assert not user_model("the mp3 is here", "our mp is here").must_hide("Where is our ", "mp")
    assert not user_model("see you on may5").must_hide("You ", "may"), "everybody says that"


def test_vulgar_words_are_offered_to_who_writes_them(user_model):
    offered = (("Holy s", "hit"), ("Holy ", "shit"), ("what the f", "ucking hell"), ("Holy ", "Shit"))
    for before, word in offered:
        assert user_model("Holy shit, fucking").must_hide(before, word)
        assert not user_model("Holy shit, fucking. Shit, fucking.").must_hide(before, word)
    assert not user_model("hello").must_hide("the old ", "class")


@pytest.mark.parametrize("written", ["{}", "{}s"])
def test_no_beginning_of_a_vulgar_word_brings_it_to_who_has_not_written_it(user_model, written):
    fresh, listed = user_model("hello"), sorted(vulgar_words(("en",)))
    assert len(listed) > 1_000
    words = [written.format(word) for word in listed if written == "{}" or len(word) >= 4]
    hidden = [
        fresh.must_hide(context + begun, rest)
        for word in words
        for context in ("", "Good ", "He is such a ", "I said: “", "The rest of the ")
        for begun, rest in ((word[:end], word[end:]) for end in range(len(word)))
    ]
    assert all(hidden)
    assert len(hidden) > 30_000
    some = words[::20]
    known = user_model(*[". ".join(some)] * 2)
    assert not [word for word in some if known.must_hide("Good ", word)]


@pytest.mark.parametrize(
    ("word", "languages", "vulgar"),
    [
        ("scheiße", ("de",), True),
        ("Scheiße", ("en", "de"), True),
        ("scheiße", ("en",), False),
        ("merde", ("fr",), True),
        ("bitte", ("de", "fr"), False),
        ("puta", ("es",), True),
        ("venire", ("it",), False),
        ("caralho", ("pt",), True),
        ("nicht", ("de", "nl"), False),
        ("klootzak", ("nl",), True),
        ("fuckers", ("en",), True),
        ("assess", ("en",), False),
        ("butter", ("en",), False),
        ("spice", ("en",), False),
        ("pudding", ("en",), False),
        ("price", ("en",), False),
        ("Morons", ("en",), True),
        ("imbecile", ("en",), True),
        ("gypsies", ("en",), True),
        ("whore", ("en",), True),
        ("moron", ("de",), False),
        ("tarde", ("pt", "en"), False),
    ],
)
def test_a_word_is_vulgar_in_a_language(word, languages, vulgar):
    assert is_vulgar(word, languages) == vulgar


def test_what_general_english_says_behind_a_cue_is_offered(user_model):
    known = user_model("nothing of the sort")
    assert not known.must_hide(
        "the password is ", "required"
    )  # never typed by the user: it is nobody's secret
    assert not known.must_hide("the password is ", "the")
    assert known.must_hide("the password is ", "requir")  # no word: it may be half of one that was typed


def test_a_cue_is_known_in_each_language_and_however_it_is_written():
    for word in (
        "Password",
        "Kennwort",
        "mdp",
        "Contraseña",
        "contrasena",
        "SENHA",
        "wachtwoord",
        "Mac-Passwort",
    ):
        assert Cue.PASSWORD in cues(folded(word)), word
    assert Cue.KEY in cues("deploy_token")
    assert Cue.CODE in cues(folded("Türcode"))
    assert not cues("passage")
    assert announces_secret("My PIN for the card upstairs is")
    assert not announces_secret("My PIN is on a slip of paper in the drawer of my desk")


@pytest.mark.parametrize(
    "text",
    [
        "My PIN for the card upstairs is",
        "one two three four five six seven, my password",
        "the wifi-password's on it, one two three four five six seven eight",
        "code ",
        "  -- ",
        "",
    ],
)
def test_a_cue_counts_wherever_the_cursor_cuts_the_text(text):
    hints = [not cues(folded(word)).isdisjoint({Cue.PASSWORD, Cue.CODE, Cue.KEY}) for word in words_of(text)]
    for place in range(len(text) + 1):
        assert CuesBefore(text[:place]).announce(text[place:]) == any(hints[-8:]), text[:place]


def words_of(text):
    return regex.findall(r"[\p{L}\p{N}_'’-]+", text)
