"""The tagger finds secrets by the words around them, and leaves talk about secrets alone."""

import itertools
import runpy
from pathlib import Path

import numpy as np
import pytest
from redaction_examples import told

from idiolect.adapters.memory.corpus import read_general_passages
from idiolect.daemon.text.redaction.redact import redact
from idiolect.daemon.text.redaction.tagger import Tagger
from idiolect.daemon.text.redaction.word_features import WIDTH, features, words

TRAINING = runpy.run_path(str(Path(__file__).parents[1] / "bench" / "secret_tagger.py"))


@pytest.fixture(scope="module")
def tagger():
    return Tagger.load()


FOUND = (
    ("What was the wifi again?\nBergamot77, capital B", "Bergamot77"),
    ("Got into the old laptop at last, Walrus_1987 worked.", "Walrus_1987"),
    ("the side gate is 4471# now, they changed it on Monday", "4471#"),
    ("take my card to the cash machine, it's 6093, and get forty pounds", "6093"),
    ("alarm is set to 1450, tell nobody", "1450"),
    ("alarm is set for 1450, tell nobody", "1450"),
    ("my safe opens to 1905 since the alarm", "1905"),
    ("Das WLAN-Passwort im Ferienhaus ist Leuchtturm!88", "Leuchtturm!88"),
    ("le mot de passe de la box, c'est Moutarde2019", "Moutarde2019"),
    ("la contraseña del portátil es Aguacate_77", "Aguacate_77"),
    ("per entrare nel router usa Gabbiano!12", "Gabbiano!12"),
    ("a senha do wifi é Abacaxi2020", "Abacaxi2020"),
    ("het wachtwoord van de wifi is Fietspomp44", "Fietspomp44"),
)


@pytest.mark.parametrize(("text", "secret"), [*FOUND, *told()])
def test_secrets_in_sentences_are_taken_and_the_rest_is_kept(text, secret):
    left, count = redact(text)
    assert count >= 1
    assert secret not in left
    before, behind = text.split(secret)
    assert left.startswith(before.rstrip(" ")[:10])
    assert left.endswith(behind[-8:])
    assert redact(left) == (left, 0)


@pytest.mark.parametrize(
    "text",
    [
        "I forgot my password again and had to reset it.",
        "The wifi is slow in here, try the room on the second floor.",
        "Flight BA2490 lands at 17:45, gate B22; the train leaves at 1430 from platform 4.",
        "See version 2.14.1 of log4j for Python3 and Windows11; the parser of http2 frames in lib/http2.c",
        "My card is the blue one, the code is on the fridge.",
        "Meine PIN habe ich vergessen, ich rufe morgen die Bank an.",
        "Die Hotline ist chronisch überbelastet und teilweise kaum zu erreichen, also schreibe mir eine Nachricht.",
        "Viele Kolleg*innen und Influencer*innen lesen die Markdown-Dokumente auf der Webseite.",
        "Les utilisateur·ices et chacun⋅e trouvent une place, finalement, sur cette plateforme.",
        "¿Sabías que la consola vendió menos de 12000 unidades? ¡Es una característica increíble!",
        "La piattaforma è praticamente identica, nonostante le caratteristiche della tastiera.",
        "A plataforma é praticamente idêntica, apesar das características do teclado.",
        "De gebruikersomgeving is grotendeels hetzelfde, ondanks het toetsenbord van de laptop.",
    ],
)
def test_talk_about_secrets_and_words_that_are_long_or_odd_stay(text):
    assert redact(text) == (text, 0)


def test_plain_text_in_other_languages_stays():
    lost = [
        passage
        for language in ("de", "fr", "es", "it", "pt", "nl")
        for passage in itertools.chain(*read_general_passages([language]))
        if redact(passage) != (passage, 0)
    ]
    assert len(lost) <= 1  # of 108


def test_common_words_at_the_ends_of_a_passphrase_go_with_it():
    left, count = redact("The encrypted disk opens with my left knee predicts rain better, spaces and all.")
    assert count == 1
    assert "knee" not in left
    assert "left" not in left
    assert left.startswith("The encrypted disk opens with")


def test_a_secret_goes_wherever_else_it_stands_in_a_text():
    left, count = redact(
        "The wifi password is Bergamot77. I was drinking tea when I chose it: Bergamot77, of all things!"
    )
    assert count == 2
    assert "Bergamot77" not in left


def test_a_long_text_is_looked_at_in_parts_and_spans_hold(tagger):
    filler = "We walked along the river and had tea in the garden. " * 60
    text = f"{filler}\nWhat was the wifi again?\nBergamot77, capital B\n{filler}"
    [(start, end)] = tagger.find(text)
    assert text[start:end] == "Bergamot77"


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "…", "a", "\ud800", "x" * 50_000, "😀 " * 300, "[password]"]
)
def test_any_text_is_looked_at(tagger, text):
    assert tagger.find(text) == []


def test_words_stand_where_they_are_said_to_stand():
    text = 'pass:blue7, "quoted" 4 4 1 9 und (Klammer)→x'
    found = words(text)
    spans = [text[word.start : word.end] for word in found]
    assert "|".join(spans) == "pass|:|blue7|quoted|4 4 1 9|und|Klammer|→|x"
    vectors, buckets = features(text, found)
    assert vectors.shape == (len(found), WIDTH)
    assert buckets.shape == (len(found), 2)


def test_the_network_at_work_is_the_one_that_was_trained():
    """Weights are kept in half precision, so that probabilities differ in the third digit."""
    import torch  # in this test alone: it takes seconds

    torch.manual_seed(3)
    net = TRAINING["network"]().eval()
    texts = ["my card, 6093, is in the hall", "a", "the wifi is Bergamot77 " * 20]
    examples = [TRAINING["example"](TRAINING["Sentence"]("none", "en", text)) for text in texts]
    vectors, buckets, there, _, _ = TRAINING["collated"](examples)
    expected = torch.sigmoid(net(vectors, buckets, there)).detach().numpy()
    tagger = Tagger({**net.weights(), "thresholds": np.ones(2)})
    for row, one in enumerate(examples):
        got = tagger.probabilities(one.vectors, one.buckets)
        np.testing.assert_allclose(got, expected[row, : len(got)], atol=2e-3)
