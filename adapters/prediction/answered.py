"""What the user answers, as suggestions use it: what the model reads of it, what of it is offered, who wrote it.

It is a stranger's text. Nothing of it is learned; a word that it repeats counts as often as one that it says a few
times, and an address in it is neither read nor offered: one with a letter changed looks like one that the user knows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import regex
from numpy.typing import NDArray

from idiolect.adapters.memory.ngram_memory import FastMemory
from idiolect.adapters.memory.rare_strings import units
from idiolect.adapters.memory.vocabulary import MAX_WORD_CHARS, WORD, WordVocabulary

_MOST_TIMES = 2  # that a word counts as often
_USES = 4.0  # what a word that stands there counts for, in uses
_MOST_REPEATS, _MOST_SHARE = 8, 0.1  # of a word that is read: so many times, or this share of all words
_MOST_RUN = 6  # words of the text, in their order, that grey text goes on with
_CHAIN_TRUST = 0.8  # in what stands behind the same words there, 0 to 1
_MIN_CHAIN_PROB = 0.01  # of a form's first token, for the others to be looked up
_GREETED, _THANKED = 1.0, 0.25  # the sender's name, as a multiple of the score of all that may stand there

# A host's last label has letters alone; IPv4 addresses are hosts, too.
_HOST = (
    r"(?<=[\p{L}\p{N}_-])\.(?:\p{L}{2,63}+|xn--[\p{L}\p{N}-]{1,59}+)(?![\p{L}\p{N}_-]|\.[\p{L}\p{N}])"
    r"|(?<![\p{N}.])(?:\p{N}{1,3}\.){3}\p{N}{1,3}(?!\.?\p{N})"
)
_ADDRESS = regex.compile(rf"(?<!\S)\S*?(?:@|://|\bwww\.|{_HOST})\S*")
# What begins with an @ and has no other: a person's name in a chat, though it may have a point in it.
_HANDLE = regex.compile(
    r"(?=\S*\p{L})[^\p{L}\p{N}@/]*@(?P<name>[\p{L}\p{N}_]+(?:[.-][\p{L}\p{N}_]+)*)[^\p{L}\p{N}@/]*"
)
_NUMBER = regex.compile(
    r"(?<![\p{L}\p{N}])[\p{L}\p{N}]+(?:(?:[:/-]|(?<=\p{N})\.(?=\p{N}))[\p{L}\p{N}]+)+(?![\p{L}\p{N}])"
)
_DIGIT = regex.compile(r"\p{N}")
# In English, German, French, Spanish, Italian, Portuguese and Dutch.
_GREETS = (
    r"hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|liebe[rs]?|guten (?:morgen|tag|abend)|moin|servus"
    r"|bonjour|bonsoir|salut|ch(?:er|ère)|hola|buen[oa]s (?:días|tardes|noches)|querid[oa]|estimad[oa]"
    r"|ciao|buon(?:giorno|asera)|car[oa]|gentile|olá|oi|bo(?:m dia|a tarde|a noite)|prezad[oa]"
    r"|hoi|beste|geachte|lieve|goede(?:morgen|middag|navond)"
)
_THANKS = (
    r"thanks|thank you|danke|(?:vielen |besten )?dank|merci|(?:muchas )?gracias|grazie|(?:muito )?obrigad[oa]"
    r"|bedankt|dank (?:je|u)(?: wel)?"
)
_SALUTATION = regex.compile(rf"(?i)(?:^|\n)[ \t]*(?:(?P<greets>{_GREETS})|{_THANKS})\Z|(?P<calls>(?<!\S)@\Z)")


class AnsweredText(NamedTuple):
    """What is answered, as it is given: its newest characters, and the first name of who wrote it, "" if not known."""

    text: str
    sender: str = ""


NOTHING = AnsweredText("")
"""Nothing is answered."""


class Answered:
    """A text that is answered.

    Args:
        given: the text and its sender.
        encode: text to token ids.
        vocab: tokens in the vocabulary.
        words: the words that can be suggested.

    Attributes:
        ids: its tokens, with a line end behind them.
        memory: what follows what in it; a text of the user's is looked up behind a line end.
        sender: the first name of who wrote it, "" where that is not known.
        units: its numbers, which give nothing away, and its sender, who may be called.
    """

    def __init__(
        self, given: AnsweredText, encode: Callable[[str], list[int]], vocab: int, words: WordVocabulary
    ) -> None:
        text = with_few_repeats(without_addresses(given.text))
        self.text = text
        self.ids = encode(f"{text}\n")
        self.memory = FastMemory(vocab)
        self.memory.add(self.ids)
        self.sender = given.sender
        self.units = units(f"{without_addresses(given.text)} @{given.sender}")
        self._line_end = encode("\n")
        found = Counter(word for word in WORD.findall(text) if 1 < len(word) <= MAX_WORD_CHARS)
        handles = (_HANDLE.fullmatch(one) for one in text.split() if "@" in one)
        found += Counter(
            handle["name"] for handle in handles if handle and len(handle["name"]) <= MAX_WORD_CHARS
        )
        found += Counter(number for number in _NUMBER.findall(text) if _DIGIT.search(number))
        self._forms = sorted(found)
        self._uses = np.array([_USES * min(found[form], _MOST_TIMES) for form in self._forms], np.float32)
        self._tokens = [[encode(" " * row + form) for form in self._forms] for row in (0, 1)]
        self._first = [np.array([ids[0] for ids in row], np.intp) for row in self._tokens]
        self._weights = np.array([words.weight(form) for form in self._forms], np.float32)
        self._words = words
        order = [word.casefold() for word in WORD.findall(text)]
        self._runs = {tuple(order[at : at + _MOST_RUN + 1]) for at in range(len(order) - _MOST_RUN)}

    def predict_context(self, ids: Sequence[int]) -> list[int]:
        """Return what :attr:`memory` is asked with for a text of the user's."""
        return [*self._line_end, *ids]

    def scores(
        self, head: Sequence[int], typed: str, spaced: bool, p: NDArray[np.float32]
    ) -> list[tuple[str, float]]:
        """Return the words and numbers that stand there and begin with ``typed``, with scores as in `Matches`.

        What is typed may be a whole one of them.

        Args:
            head: the tokens before the word under the cursor.
            typed: the letters of the word that are there.
            spaced: True if a space stands before the word.
            p: distribution (vocab,) over the tokens that may begin it.
        """
        row, total = int(spaced), self._words.total_of(int(spaced))
        at: Sequence[int] | NDArray[np.intp]
        at = (
            [place for place, form in enumerate(self._forms) if form.startswith(typed)]
            if typed
            else range(len(self._forms))
        )
        if not len(at):
            return []
        at = np.asarray(at)
        tokens, uses = self._first[row][at], self._uses[at]
        likely = p[tokens]
        shares = (self._weights[at] + uses) / (total[tokens] + uses)
        for place in np.flatnonzero(likely > _MIN_CHAIN_PROB):
            ids = self._tokens[row][int(at[place])]
            if len(ids) > 1:
                shares[place] = max(shares[place], _CHAIN_TRUST * self._chain(head, ids))
        return [
            (self._forms[int(place)], float(score)) for place, score in zip(at, likely * shares, strict=True)
        ]

    def _chain(self, head: Sequence[int], ids: list[int]) -> float:
        """Return the probability of ``ids`` behind ``head`` and the first of them, as far as they stand so there."""
        before, probability = [*self.predict_context(head[-8:])], 1.0
        for place in range(1, len(ids)):
            prediction = self.memory.predict(before + ids[:place])
            if prediction.order < 2:
                return 0.0
            probability *= self.memory.token_prob(prediction, ids[place])
        return probability

    def recites(self, words: Sequence[str]) -> bool:
        """Return True if the last of ``words`` stand there in the same order, more of them than may be gone on with."""
        return tuple(word.casefold() for word in words[-_MOST_RUN - 1 :]) in self._runs


def sender_share(text: str) -> float:
    """Return the score of the sender's name behind ``text``, as a multiple of that of all that may stand there.

    It is 0 where ``text`` does not end in a salutation, a thank or an ``@``.
    """
    found = _SALUTATION.search(text[-40:])
    if found is None:
        return 0.0
    return _GREETED if found["greets"] or found["calls"] else _THANKED


def without_addresses(text: str) -> str:
    """Return a text without what is, or looks like, an address; what an ``@`` makes a handle is none."""
    return _ADDRESS.sub(lambda found: found[0] if _HANDLE.fullmatch(found[0]) else "", text)


def with_few_repeats(text: str) -> str:
    """Return a text without the words that it has repeated too often, and without lines that were there before."""
    lines = dict.fromkeys(text.split("\n"))
    words = Counter(word.casefold() for line in lines for word in WORD.findall(line))
    most = max(_MOST_REPEATS, _MOST_SHARE * sum(words.values()))
    if all(times <= most for times in words.values()):
        return "\n".join(lines)
    seen = Counter[str]()

    def kept(found: regex.Match[str]) -> str:
        word = found[0].casefold()
        seen[word] += 1
        return found[0] if words[word] <= most or seen[word] <= _MOST_TIMES else ""

    left = WORD.sub(kept, "\n".join(lines))
    return "\n".join(" ".join(line.split()) for line in left.split("\n") if line.strip())
