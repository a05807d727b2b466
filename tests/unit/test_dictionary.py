"""What a dictionary says of the general words is stored with the base model, and made where it is not."""

import subprocess
import sys
from dataclasses import fields

import numpy as np
import pytest

from idiolect.models.dictionary import DictionaryTables, Spelling, make_tables, read_tables, write_tables
from idiolect.models.letter_trie import LetterTrie, build_trie
from idiolect.models.lexicon import read_lexicon


def same(tables: DictionaryTables, others: DictionaryTables) -> bool:
    return (
        np.array_equal(tables.spelling.hashes, others.spelling.hashes)
        and np.array_equal(tables.spelt, others.spelt)
        and all(
            np.array_equal(getattr(tables.trie, field.name), getattr(others.trie, field.name))
            for field in fields(LetterTrie)
        )
    )


@pytest.fixture(scope="module")
def few():
    forms = np.array([word.encode() for word in ("Zoë", "friend", "naïve", "recieve", "the")])
    return make_tables(forms, Spelling.of_languages(["en"]))


def test_a_base_model_is_built_with_its_tables(tiny):
    forms = read_lexicon(tiny.lexicon).forms
    stored = read_tables(tiny.dictionary, forms)
    assert same(stored, make_tables(forms, Spelling.of_languages(["en"])))
    assert 0.5 < stored.spelt.mean() < 1


def test_written_tables_are_read_back(few, tmp_path):
    path = tmp_path / "dictionary.npz"
    write_tables(few, path)
    read = read_tables(path, np.zeros(5, "S1"))
    assert same(read, few)
    assert read.trie.descend(0, "zoë") > 0
    assert read.spelt.tolist() == [False, True, False, False, True]


@pytest.mark.parametrize("data", [None, b"", b"a list of words\n" * 100, "cut", "changed", "of another list"])
def test_where_they_are_not_whole_they_are_made(few, tmp_path, monkeypatch, data):
    forms = np.array([b"friend", b"recieve"])
    path = tmp_path / "dictionary.npz"
    write_tables(few, path)
    whole = path.read_bytes()
    if data is None:
        path.unlink()
    elif isinstance(data, bytes):
        path.write_bytes(data)
    elif data == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif data == "changed":
        middle = len(whole) // 2
        path.write_bytes(
            whole[:middle] + bytes(byte ^ 1 for byte in whole[middle : middle + 100]) + whole[middle + 100 :]
        )
    monkeypatch.setattr(Spelling, "of_languages", lambda _languages: few.spelling)
    made = read_tables(path, forms)
    assert made.spelt.tolist() == [True, False]
    assert made.trie.letters == build_trie(forms).letters


def test_another_process_reads_the_same(tiny):
    """Python's own hashes of words differ from one process to the next."""
    code = (
        "import sys, pathlib, numpy; from idiolect.models.dictionary import read_tables;"
        "tables = read_tables(pathlib.Path(sys.argv[1]), numpy.zeros(int(sys.argv[2]), 'S1'));"
        "print('receive' in tables.spelling, 'recieve' in tables.spelling, 'spellchecker' in sys.modules)"
    )
    count = len(read_lexicon(tiny.lexicon).forms)
    command = [sys.executable, "-P", "-c", code, str(tiny.dictionary), str(count)]
    assert subprocess.check_output(command, text=True).split() == ["True", "False", "False"]
