"""Word lists of languages, for a base model: English comes with it, others are made when they are first needed.

Several languages have one list, so that a word is looked up once. It is filed by the base model's tokens, and so it
stands in that model's folder, beside what a dictionary says of it.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from idiolect.models.build import BasePaths, find_base
from idiolect.models.errors import IdiolectError
from idiolect.models.fetch import DiskFullError
from idiolect.models.lexicon import ENGLISH, make_word_list

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
    from idiolect.models.tokenizer import Tokenizer  # needed only where a list is made

    try:
        with tempfile.TemporaryDirectory(prefix=".words-", dir=base.folder) as work:
            lexicon, dictionary = (Path(work) / path.name for path in (paths.lexicon, paths.dictionary))
            make_word_list(Tokenizer(base.tokenizer), sorted(languages), lexicon, dictionary)
            os.replace(dictionary, paths.dictionary)
            os.replace(lexicon, paths.lexicon)
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
    name = f"{'-'.join(sorted(languages))}-{VERSION}.npz"
    return WordListPaths(base.folder / f"lexicon-{name}", base.folder / f"dictionary-{name}")


def main() -> int:
    """Make the word list of the languages that are named behind the folder of base models; return the exit status."""
    folder, *languages = sys.argv[1:]
    try:
        ensure_word_list(find_base(Path(folder)), languages)
    except IdiolectError:
        return 1
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what is half made goes, too
    sys.exit(main())
