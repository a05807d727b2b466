"""Word lists of languages, for a base model: English comes with it, others are filed when they are first needed.

Several languages have one list, so that a word is looked up once. It is filed by the base model's tokens, and so it
stands in that model's folder, beside what a dictionary says of it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from idiolect.models.build import BasePaths
from idiolect.models.errors import DamagedModelError
from idiolect.models.fetch import DiskFullError
from idiolect.models.lexicon import ENGLISH, Lexicon, make_word_list, read_lexicon
from idiolect.models.tokenizer import Tokenizer

VERSION: Final = 2
"""Raised whenever lists are filed in another way: present lists are then filed anew."""


@dataclass(frozen=True)
class WordListPaths:
    """The files of a word list: the lexicon, and what a dictionary says of it."""

    lexicon: Path
    dictionary: Path


def open_word_list(
    base: BasePaths, languages: Sequence[str], tokenizer: Tokenizer
) -> tuple[Lexicon, WordListPaths]:
    """Return the word list of these languages, and its files.

    Where one but the base model's own is missing or damaged, it is filed first, which takes some seconds of a
    processor. ``tokenizer`` is the base model's.

    Raises:
        DamagedModelError: the base model's own is damaged.
        DiskFullError: it can't be written.
    """
    paths = word_list_paths(base, languages)
    try:
        return read_lexicon(paths.lexicon), paths
    except DamagedModelError:
        if tuple(languages) == ENGLISH:
            raise
    try:
        with tempfile.TemporaryDirectory(prefix=".words-", dir=base.folder) as work:
            lexicon, dictionary = (Path(work) / path.name for path in (paths.lexicon, paths.dictionary))
            make_word_list(tokenizer, sorted(languages), lexicon, dictionary)
            os.replace(dictionary, paths.dictionary)
            os.replace(lexicon, paths.lexicon)
    except OSError as error:
        raise DiskFullError(
            f"The words of {', '.join(languages)} can't be written to {base.folder} ({error.strerror}). Make room for "
            "100 MB there."
        ) from error
    return read_lexicon(paths.lexicon), paths


def word_list_paths(base: BasePaths, languages: Sequence[str]) -> WordListPaths:
    """Return where the word list of these languages is, or will be."""
    if tuple(languages) == ENGLISH:
        return WordListPaths(base.lexicon, base.dictionary)
    name = f"{'-'.join(sorted(languages))}-{VERSION}.npz"
    return WordListPaths(base.folder / f"lexicon-{name}", base.folder / f"dictionary-{name}")
