"""What is known of the user is not offered where it could give a secret away."""

from __future__ import annotations

import pytest

from idiolect.adapters.corpus import Recent
from idiolect.adapters.ngram_memory import FastMemory
from idiolect.adapters.prediction.rare_strings import Rare
from idiolect.adapters.prediction.user_model import Knowledge
from idiolect.adapters.prediction.vocabulary import Words
from idiolect.adapters.secret_cues import Cue, announces_secret, cues, folded
from idiolect.models.lexicon import read_lexicon


@pytest.fixture
def knowledge(tiny, tiny_tokenizer):
    def learned(*texts, least=3):
        words = Words(read_lexicon(tiny.lexicon), tiny_tokenizer.encode, tiny.config.vocab)
        recent = Recent(40, tiny_tokenizer.encode("\n"))
        known = Knowledge(FastMemory(tiny.config.vocab), words, recent, Rare(least))
        for text in texts:
            known.learn(text, tiny_tokenizer.encode(text))
        return known

    return learned


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
def test_a_word_that_was_typed_once_is_not_offered_behind_a_cue(knowledge, before):
    known = knowledge("Opens with tartiflette, all lower case.")
    assert known.hides(before, "tartiflette")
    assert known.hides(before + "tart", "iflette")
    assert known.hides("", before + "tartiflette")  # a ghost that brings its own cue
    assert not known.hides("For dinner we had ", "tartiflette")
    assert known.rare.least == 3
    assert not knowledge(*["tartiflette"] * 3).hides(before, "tartiflette")
    assert not knowledge("tartiflette", least=1).hides(before, "tartiflette")


def test_the_word_within_a_password_is_typed_too_seldom_as_well(knowledge):
    known = knowledge("Log in with hunter22 please")
    assert known.rare.times_within("Hunter") == 1
    assert known.hides("the password is ", "hunter")


def test_what_general_english_says_behind_a_cue_is_offered(knowledge):
    known = knowledge("nothing of the sort")
    assert not known.hides("the password is ", "required")  # never typed by the user: it is nobody's secret
    assert not known.hides("the password is ", "the")
    assert known.hides("the password is ", "requir")  # no word: it may be half of one that was typed


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
