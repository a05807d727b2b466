"""The general word list: filed by the token that begins each word, and refused when damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from idiolect.models.lexicon import SIZE, Lexicon, read_lexicon
from idiolect.models.llama import DamagedModelError

if TYPE_CHECKING:
    from pathlib import Path

    from idiolect.models.build import BasePaths
    from idiolect.models.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def lexicon(tiny: BasePaths) -> Lexicon:
    return read_lexicon(tiny.lexicon)


def test_words_are_sorted_and_each_is_there_once(lexicon: Lexicon) -> None:
    forms = lexicon.forms.tolist()
    assert forms == sorted({*forms})
    assert len(forms) == len(lexicon.frequency) == lexicon.first.shape[1]
    assert SIZE < len(forms) < 2 * SIZE + 1
    assert (lexicon.frequency > 0).all()


def test_common_words_are_there_in_both_spellings(lexicon: Lexicon) -> None:
    words = {form.decode(): float(f) for form, f in zip(lexicon.forms, lexicon.frequency, strict=True)}
    for word in ("the", "The", "I", "don't", "Don't", "people", "café", "naïve"):
        assert word in words
    assert words["the"] == words["The"] > words["people"] > words["naïve"]
    assert not [word for word in words if not word or word.strip("'’") != word or " " in word]


def test_words_are_filed_by_their_first_token(lexicon: Lexicon, tiny_tokenizer: Tokenizer) -> None:
    for place in range(0, len(lexicon.forms), 997):
        form = lexicon.forms[place].decode()
        alone, spaced = lexicon.first[:, place].tolist()
        assert alone == tiny_tokenizer.encode(form)[0]
        assert spaced == tiny_tokenizer.encode(f" {form}")[0]
        assert f" {form}".encode().startswith(tiny_tokenizer.token_bytes(spaced))


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
def test_a_damaged_list_is_called_damaged(tiny: BasePaths, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "lexicon.npz"
    data = damaged(tiny.lexicon.read_bytes(), kind)
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(DamagedModelError) as raised:
        read_lexicon(path)
    assert str(path) in str(raised.value)


def test_a_list_without_its_arrays_is_called_damaged(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", forms=np.array([b"a"]))
    with pytest.raises(DamagedModelError):
        read_lexicon(tmp_path / "other.npz")
