"""The general word list: filed by the tokens that begin each word, and refused when damaged."""

from dataclasses import fields

import numpy as np
import pytest

from idiolect.models.errors import DamagedModelError
from idiolect.models.lexicon import NONE, SIZE, read_lexicon


@pytest.fixture(scope="module")
def lexicon(tiny):
    return read_lexicon(tiny.lexicon)


def test_words_are_sorted_and_each_is_there_once(lexicon):
    forms = lexicon.forms.tolist()
    assert forms == sorted({*forms})
    assert lexicon.frequency.shape == (len(forms),)
    assert lexicon.first.shape == lexicon.second.shape == (2, len(forms))
    assert SIZE < len(forms) < 2 * SIZE + 1
    assert (lexicon.frequency > 0).all()


def test_common_words_are_there_in_both_spellings(lexicon):
    words = {form.decode(): float(f) for form, f in zip(lexicon.forms, lexicon.frequency, strict=True)}
    for word in ("the", "The", "I", "don't", "Don't", "people", "café", "naïve"):
        assert word in words
    assert words["the"] == words["The"] > words["people"] > words["naïve"]
    assert not [word for word in words if not word or word.strip("'’") != word or " " in word]


def test_known_misspellings_are_not_there(lexicon):
    misspelt = "definately recieve recieved seperate becuase thier wich untill teh didnt tommorow wierd"
    assert [word for word in misspelt.split() if word in lexicon or word.title() in lexicon] == []
    right = "definitely receive received separate because their which until the didn't tomorrow weird"
    names_and_speech = "Johan talkin gonna kinda ok lol"
    assert [word for word in f"{right} {names_and_speech}".split() if word not in lexicon] == []


def test_names_are_distinguished_from_words_and_from_other_languages(lexicon):
    names = "rotterdam reykjavik derek bernie englishman africa's shakespeare"
    words = "dungeon jerk hugs shenanigans colour organise may turkey gonna lol brexit"
    assert [word for word in names.split() if not lexicon.is_name(word)] == []
    assert [word for word in words.split() if lexicon.is_name(word)] == ["brexit"]
    foreign = {lexicon.forms[place].decode() for place in lexicon.foreign}
    assert {"italia", "Italia", "milano", "vous"} <= foreign
    assert foreign.isdisjoint(words.split())


def test_words_are_filed_by_their_first_tokens(lexicon, tiny_tokenizer):
    places = range(0, len(lexicon.forms), 199)
    for place in places:
        form = lexicon.forms[place].decode()
        for row, space in enumerate(("", " ")):
            first, *more = tiny_tokenizer.encode(space + form)
            assert lexicon.first[row, place] == first
            assert lexicon.second[row, place] == (more[0] if more else NONE)
    assert NONE not in lexicon.first
    assert NONE not in range(tiny_tokenizer.vocab_size)
    for row in (0, 1):
        alone = lexicon.forms[lexicon.second[row] == NONE]
        assert 0 < len(alone) < 0.1 * len(lexicon.forms), "few words of so small a vocabulary are one token"
        assert all(len(tiny_tokenizer.encode(" " * row + form.decode())) == 1 for form in alone)


def damaged(whole: bytes, kind: str) -> bytes | None:
    middle = len(whole) // 2
    return {
        "missing": None,
        "empty": b"",
        "text": b"a list of words\n" * 100,
        "cut": whole[:middle],
        "changed": whole[:middle]
        + bytes(byte ^ 1 for byte in whole[middle : middle + 100])
        + whole[middle + 100 :],
    }[kind]


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "cut", "changed"])
def test_a_damaged_list_is_called_damaged(tiny, tmp_path, kind):
    path = tmp_path / "lexicon.npz"
    data = damaged(tiny.lexicon.read_bytes(), kind)
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(DamagedModelError) as raised:
        read_lexicon(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("missing", ["forms", "frequency", "first", "second"])
def test_a_list_without_its_arrays_is_called_damaged(lexicon, tmp_path, missing):
    whole = {field.name: getattr(lexicon, field.name) for field in fields(lexicon)[:4]}
    arrays = {name: array for name, array in whole.items() if name != missing}
    assert len(arrays) == 3
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(DamagedModelError):
        read_lexicon(tmp_path / "other.npz")
    np.savez(tmp_path / "whole.npz", **whole)
    assert np.array_equal(read_lexicon(tmp_path / "whole.npz").second, lexicon.second)
