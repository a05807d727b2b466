"""The question that is asked once: whether sure slips are mended as they are typed."""

from __future__ import annotations

from typing import Final

import numpy as np
from typing_extensions import TypedDict

from idiolect.adapters.memory.vocabulary import WordVocabulary
from idiolect.adapters.mending.general_words import GeneralWords

_MOST_WRITTEN: Final = 200  # words that are looked at
_MIN_LETTERS: Final = 5


class MendingQuestion(TypedDict):
    """A slip in a word that the user writes often, as an example to ask with."""

    typed: str
    meant: str


_USUAL: Final[MendingQuestion] = {"typed": "becuase", "meant": "because"}


def find_example(words: WordVocabulary, general: GeneralWords) -> MendingQuestion:
    """Return a known misspelling, two letters swapped, of the longer word that the user writes most."""
    written = np.argsort(-words.typed, kind="stable")[:_MOST_WRITTEN]
    for place in written[words.typed[written] > 0]:
        word = words.general.forms[place].decode()
        if len(word) < _MIN_LETTERS or not word.islower():
            continue
        for at in range(1, len(word) - 1):
            slip = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
            if slip != word and general.meant_by(slip) == word:
                return {"typed": slip, "meant": word}
    return _USUAL
