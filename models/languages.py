"""Word lists of languages, for a base model: English comes with it, others are made when they are first needed.

A list of several languages is one, so that a word is looked up once. It is filed by the base model's tokens, and so it
stands in that model's folder, beside what a dictionary says of it.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from idiolect.models.build import BasePaths, find_base
from idiolect.models.errors import IdiolectError
from idiolect.models.fetch import DiskFullError
from idiolect.models.lexicon import ENGLISH

VERSION: Final = 2
"""Raised whenever lists are made in another way: present lists are then made anew."""


@dataclass(frozen=True)
class WordListPaths:
    """The files of a word list: the lexicon, and what a dictionary says of it."""

    lexicon: Path
    dictionary: Path


def has_word_list(base: BasePaths, languages: Sequence[str]) -> bool:
    """Return True if the word list of these languages was made."""
    paths = word_list_paths(base, languages)
    return tuple(languages) == ENGLISH or (paths.lexicon.is_file() and paths.dictionary.is_file())


def ensure_word_list(base: BasePaths, languages: Sequence[str]) -> WordListPaths:
    """Return the word list of these languages, made first if need be, which takes some seconds a language.

    Raises DiskFullError where it can't be written.
    """
    paths = word_list_paths(base, languages)
    if has_word_list(base, languages):
        return paths
    try:
        with tempfile.TemporaryDirectory(prefix=".words-", dir=base.folder) as work:
            made = WordListPaths(*(Path(work) / path.name for path in (paths.lexicon, paths.dictionary)))
            _make(base, sorted(languages), made)
            os.replace(made.dictionary, paths.dictionary)
            os.replace(made.lexicon, paths.lexicon)
        _remove_former(base, languages)
    except OSError as error:
        raise DiskFullError(
            f"The words of {', '.join(languages)} can't be written to {base.folder} ({error.strerror}). Make room for "
            "100 MB there."
        ) from error
    return paths


def word_list_paths(base: BasePaths, languages: Sequence[str]) -> WordListPaths:
    """Return where the word list of these languages is, or will be."""
    if tuple(languages) == ENGLISH:
        return WordListPaths(base.lexicon, base.dictionary)
    lexicon, dictionary = (f"{kind}-{_name(languages)}-{VERSION}.npz" for kind in ("lexicon", "dictionary"))
    return WordListPaths(base.folder / lexicon, base.folder / dictionary)


def _name(languages: Sequence[str]) -> str:
    return "-".join(sorted(languages))


def _remove_former(base: BasePaths, languages: Sequence[str]) -> None:
    """Remove the lists of these languages that another version made."""
    paths, name = word_list_paths(base, languages), _name(languages)
    for path in base.folder.glob("*.npz"):
        made = re.fullmatch(rf"(?:lexicon|dictionary)-{name}(?:-\d+)?\.npz", path.name)
        if made and path not in (paths.lexicon, paths.dictionary):
            path.unlink()


def _make(base: BasePaths, languages: Sequence[str], paths: WordListPaths) -> None:
    # What only making a list needs stays out of the serving process.
    from idiolect.models.dictionary import Spelling, make_tables, write_tables
    from idiolect.models.lexicon import english_words, read_lexicon, write_lexicon
    from idiolect.models.tokenizer import Tokenizer
    from idiolect.models.word_lists import dictionary_words, spelt_words, written_words

    words, spelt = dict[str, dict[str, float]](), set[str]()
    for language in languages:
        dictionary = dictionary_words(language)
        if language == "en":
            words[language] = english_words(Spelling.of(dictionary))
            spelt |= dictionary
        else:
            words[language] = written_words(language, dictionary)
            spelt |= spelt_words(words[language], dictionary)
    write_lexicon(Tokenizer(base.tokenizer), paths.lexicon, words)
    write_tables(make_tables(read_lexicon(paths.lexicon).forms, Spelling.of(spelt)), paths.dictionary)


def main() -> int:
    """Make the word list of the languages that are named behind the folder of base models; return the exit status."""
    folder, *languages = sys.argv[1:]
    try:
        ensure_word_list(find_base(Path(folder)), languages)
    except IdiolectError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
