"""Whether a text is in English, in what its user writes, or in a language that is not known."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from idiolect.adapters.memory.vocabulary import WordVocabulary
from idiolect.adapters.prediction.language import Languages
from idiolect.adapters.prediction.reasons import Reason
from idiolect.models.hashed_frequencies import OTHER_LANGUAGES, other_frequencies
from idiolect.models.lexicon import read_lexicon

FOREIGN = [
    "Das ist doch ",
    "Vielen Dank für die ",
    "Je ne sais pas si ",
    "Merci beaucoup pour votre ",
    "Nos vemos delante de la ",
    "No sé si podré ",
    "Ik weet nog niet of ik ",
    "Non so ancora se ",
    "Jag vet inte om ",
    "Nie wiem, czy ",
    "Bilmiyorum ama bu ",
    "Я не знаю, ",
    "Δεν ξέρω αν ",
    "The order is confirmed. Ich habe gestern mit der ",
]
KNOWN = [
    "",
    "The ",
    "I don't know whether ",
    "Thanks for the quick reply, I will ",
    "We met Jean de la Fontaine and Karl von Habsburg at the ",
    "The schadenfreude of the zeitgeist is ",
    "TODO: ",
    "In der Küche, as they say, we never ",
    "yeah lol gonna be late tho sorry ",
    "kubectl apply the config and restart nginx, then ",
    "12 34 56 ",
]


@pytest.fixture
def languages(tiny, tiny_tokenizer):
    def know(*texts: str) -> Languages:
        words = WordVocabulary(read_lexicon(tiny.lexicon), tiny_tokenizer.encode, tiny.config.vocab)
        words.learn_many(texts)
        return Languages(words)

    return know


@pytest.mark.parametrize("text", FOREIGN)
def test_another_language_is_told_after_few_words(languages, text):
    assert not languages().knows(text)


@pytest.mark.parametrize("text", KNOWN)
def test_english_is_known_with_its_names_and_jargon(languages, text):
    assert languages().knows(text)


def test_what_the_user_writes_in_is_known(languages):
    assert not languages("Das ist doch gut.").knows("Das ist doch ")  # once is no habit
    assert languages(*["Das ist doch gut, und ich habe nichts dagegen."] * 3).knows("Das ist doch ")


def test_english_behind_another_language_is_known_again(languages):
    assert languages().knows("Das ist doch kein Problem. But I would like to ")


def hidden(languages: Languages, typed: str, *, follows: bool = False) -> Callable[[str], bool]:
    there = languages.read("Wir treffen uns ", typed, lambda: lambda _word: follows)
    assert not there.is_known
    return there.hides[Reason.ANOTHER_LANGUAGE]


def test_of_an_unknown_language_only_what_the_user_has_written_is_offered(languages):
    known = partial(hidden, languages(*["Morgen bin ich mit Kwiaciarnia im Büro, with the others."] * 2))
    hides = known("mor")
    assert not hides("gen")
    assert hides("e")  # "more" is English
    assert hides("row")
    assert not known("Kwi")("aciarnia")
    assert known("")("Morgen")
    assert not known("", follows=True)("Morgen")


def test_a_word_has_a_frequency_in_each_language_that_lists_it():
    found = other_frequencies(["nicht", "zzyzx"])
    assert found.shape == (2, len(OTHER_LANGUAGES))
    assert OTHER_LANGUAGES[int(np.argmax(found[0]))] == "de"
    assert 1e-3 < found[0].max() < 1e-1
    assert not found[1].any()
