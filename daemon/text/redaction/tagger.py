"""The tagger: a small neural network that finds secrets without a form of their own by the words around them.

A small convolutional network looks at each word and at fourteen on either side: the word's form, how common it is in
general language, and which neighbours speak of passwords, codes, devices or of typing something in. It was trained on
sentences that were written for it (tests/bench/secrets), and on text without secrets that people wrote.
`tests/bench/secret_tagger.py` trains and measures it.

A word is a secret if its probability is above a threshold; plain words have a higher one than others. From
there a secret of several words goes on to both sides, as long as the next words are likely enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.memory.secret_cues import Cue, cues, folded
from idiolect.daemon.text.redaction.word_features import (
    COLON_AT,
    COMMON_AT,
    CUES_AT,
    STATE,
    FormedWord,
    features,
    words,
)
from idiolect.models.hashed_frequencies import zipf

WEIGHTS: Final = Path(__file__).with_name("tagger.npz")
KERNEL: Final = 5  # words that a convolution looks at
DILATIONS: Final = (1, 2, 4)
_GOES_ON: Final = (
    0.2  # the least probability of a further word, where a plain word begins a secret of several ...
)
_GAP: Final = 2  # ... and how many words within it may be less likely
_GOES_ON_BESIDE: Final = 0.6  # the same beside a word that is not plain, and so may be the whole secret
_SPOKEN_OF: Final = 15  # words around a plain word, one of which must speak of secrets
_SPEAKING: Final = (Cue.PASSWORD, Cue.CODE, Cue.KEY, Cue.PLACE, Cue.SPELLING)
_SPOKEN: Final = [CUES_AT + cue for cue in _SPEAKING]
_WINDOW: Final = 160  # words that are looked at together
_PLAIN: Final = frozenset(("lower", "cap", "hyphen", "upper"))
#: What is told by its form and its check digits elsewhere, or is no secret however it stands.
_NEVER: Final = frozenset(
    (
        "placeholder",
        "url",
        "mail",
        "at",
        "hashtag",
        "unit",
        "time",
        "parts",
        "digits1",
        "digits9",
        "path",
        "punctuation",
    )
)
_DIGITS: Final = frozenset(
    ("digits3", "digits4", "digits5", "digits6", "digits7", "digits9", "groups", "dialled", "year")
)
#: So much of the usual probability is enough with signs, or behind a cue and a link ("the password for it is ...").
_TOLD: Final = 0.4
_SAID: Final = 10  # words before, one of which is the cue
#: The least probability of a common word at either end of a passphrase; less likely ones are the sentence's.
_ENDS: Final = 0.6
#: Letters with such a sign among them: hardly anybody writes them so, but for passwords.
_MADE_UP: Final = re.compile(r"(?=.{0,60}[^\W\d_])(?=.{0,60}\w[!@#$%&*^~]).{6,60}", re.DOTALL)
_MAX_DIGITS: Final = 8  # of a code in groups; longer ones are telephone numbers
_PREFIX: Final = 5  # letters in front of the digits of a flight, a train, a number plate
_ENDINGS: Final = (
    "py md txt json jsonl html htm css js ts c h cc cpp rs go sh toml yaml yml xml pdf doc docx xls xlsx ppt pptx"
    " kt kts swift vue scss lua pl hs ex dart vb"
    " png jpg jpeg gif svg zip gz tar db csv log cfg ini conf lock in am ac m4 rst sql exe dll so whl jar java rb php"
    " mp3 mp4 mov bat ps1 bak com org net io dev"
)
# File names, names in programs, parts of addresses, options, sizes, numbers of issues, times.
_NO_SECRET: Final = re.compile(
    rf"[\w.-]*\.(?i:{'|'.join(_ENDINGS.split())})\Z"
    r"|[a-z]+(?:_[a-z]+)+\Z|--?\w|\$|_|[\w.]*\(|.*(?:[<>{}\[\]`\\]|\(\)|//|[?&]\w+=|%[0-9a-f]{2})"
    r"|(?i:0x[0-9a-f]+|\d+x\d+|(?:at)?\d{1,2}(?:[:.]\d\d)?[ap]m?|ipv[46]|sha-?\d{1,3})\Z"
    r"|[\w./]*/[\w./]+\Z|[\w.-]*\w@[\w.-]+\Z|#\d+\Z|\d{4}-\d\d-\d\dT\d|[\w-]+\.\d\Z|\d+&",
    re.DOTALL,
)
_HASH: Final = re.compile(r"(?=.{0,60}[a-fA-F])[0-9a-fA-F-]{7,60}\Z")
_REPEATED: Final = 5  # characters of a secret, at least, that goes wherever it stands in a text
_BEGINNING: Final = re.compile(r"(?<!\w)\S")
_WITHIN_WORD: Final = re.compile(r"\w")
_SURE: Final = 30.0  # beyond it a logit's exponential is too large for single precision
_LONGEST: Final = 40  # characters


class Tagger:
    """The network with its weights, by name, as `tests/bench/secret_tagger.py` writes them."""

    def __init__(self, weights: Mapping[str, NDArray[np.generic]]) -> None:
        self._weights = {name: np.asarray(array, dtype=np.float32) for name, array in weights.items()}
        plain, other = self._weights["thresholds"]
        self._least = {True: float(plain), False: float(other)}
        self._lowest = _TOLD * min(self._least.values())

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> Tagger:
        """The tagger that the program is shipped with."""
        with np.load(path) as stored:
            return cls({name: stored[name] for name in stored.files})

    def find(self, text: str) -> list[tuple[int, int]]:
        """Where secrets are in ``text``, each as [start, end), in order. Takes time linear in the text's length."""
        spans = [span for window in self._looked_at(text) for span in self._spans(window)]
        found: list[tuple[int, int]] = []
        for start, end in sorted(spans + said(text, (text[start:end] for start, end in spans))):
            if not found or start >= found[-1][1]:
                found.append((start, end))
        return found

    def candidates(self, text: str) -> list[tuple[bool, float]]:
        """For each word that may be a secret: whether it is a plain word, and how likely it is one."""
        return [
            (window.is_plain(place), float(window.likely[place]))
            for window in self._looked_at(text)
            for place in range(len(window.words))
            if window.may_be_secret(place)
        ]

    def _looked_at(self, text: str) -> Iterator[_Window]:
        known: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}  # lines that a text repeats
        for found in _parts(text, words(text)):
            if may_hold_one(text, found):
                part = text[found[0].start : found[-1].end]
                if part not in known:
                    vectors, buckets = features(text, found)
                    known[part] = vectors, self.probabilities(vectors, buckets)
                yield _Window(text, found, *known[part])

    def _spans(self, window: _Window) -> list[tuple[int, int]]:
        taken: set[int] = set()
        for place in map(int, np.flatnonzero(window.likely >= self._lowest)):
            is_plain = window.is_plain(place)
            least = self._least[is_plain] * (
                _TOLD if window.is_told(place) or window.is_made_up(place) else 1
            )
            if window.likely[place] >= least and window.may_be_secret(place):
                taken |= window.without_common_ends(_whole(window.likely, place, plain=is_plain))
        joined: list[tuple[int, int]] = []
        for place in sorted(taken):
            word = window.words[place]
            if place - 1 in taken:
                joined[-1] = joined[-1][0], word.end
            else:
                joined.append((word.start, word.end))
        return joined

    def probabilities(self, vectors: NDArray[np.float32], buckets: NDArray[np.int64]) -> NDArray[np.float32]:
        """How likely each of N words is a secret, (N,), by its features (N, width) and buckets (N, 2)."""
        weights = self._weights
        embedded = weights["embedding"][buckets].reshape(len(buckets), -1)
        alone = _gelu(
            np.concatenate([vectors, embedded], axis=1) @ weights["in"] + weights["in_bias"]
        )  # (N, hidden)
        seen = alone
        for layer, dilation in enumerate(DILATIONS):
            beside = _convolved(seen, weights[f"conv{layer}"], dilation)
            seen = seen + _gelu(beside + weights[f"conv{layer}_bias"])
        whole = _gelu(seen.max(axis=0) @ weights["text"] + weights["text_bias"])  # (hidden,): the text's
        both = np.concatenate([seen, alone, np.broadcast_to(whole, seen.shape)], axis=1)
        hidden = _gelu(both @ weights["mix"] + weights["mix_bias"])
        logits = np.clip(hidden @ weights["out"] + weights["out_bias"], -_SURE, _SURE)
        result: NDArray[np.float32] = 1 / (1 + np.exp(-logits))
        return result


@dataclass(frozen=True)
class _Window:
    """A part of a text: its N words, their features (N, width), and how likely each is a secret (N,)."""

    text: str
    words: list[FormedWord]
    vectors: NDArray[np.float32]
    likely: NDArray[np.float32]

    def is_plain(self, place: int) -> bool:
        return self.words[place].form in _PLAIN

    def may_be_secret(self, place: int) -> bool:
        """False for what has another meaning by its form, and for a plain word where nothing near speaks of secrets."""
        start, end, form = self.words[place]
        word = self.text[start:end]
        if form in _NEVER or not 1 < len(word) <= _LONGEST or _NO_SECRET.match(word):
            return False
        if form == "hex" and _HASH.match(word):
            return False
        if form in ("lower", "hyphen") and self._says_how_it_is(place, word):
            return False
        if self.is_common(place) or (form == "groups" and sum(map(str.isdigit, word)) > _MAX_DIGITS):
            return False
        if form in _DIGITS and self._belongs_to_number(place):
            return False
        near = self.vectors[max(0, place - _SPOKEN_OF) : place + _SPOKEN_OF + 1, _SPOKEN]
        return not self.is_plain(place) or bool(near.any())

    def _says_how_it_is(self, place: int, word: str) -> bool:
        """True for "expired" in "the password is expired", and the like, where no further word may be the secret's."""
        if (
            not place
            or STATE.match(word) is None
            or self.likely[place + 1 : place + 2 + _GAP].max(initial=0) >= _GOES_ON
        ):
            return False
        if self.is_plain(place) and not any(zipf(folded(word))) and "-" not in word:
            return False
        start, end, form = self.words[place - 1]
        return form == "lower" and Cue.LINK in cues(folded(self.text[start:end]))

    def is_told(self, place: int) -> bool:
        """True behind a word for a password or a code, some words, and a word such as "is" or a sign such as ":"."""
        linked = (
            self.vectors[max(0, place - 2) : place, CUES_AT + Cue.LINK].any() or self.vectors[place, COLON_AT]
        )
        said = self.vectors[max(0, place - _SAID) : place, [CUES_AT + Cue.PASSWORD, CUES_AT + Cue.CODE]]
        return bool(linked and said.any())

    def is_made_up(self, place: int) -> bool:
        """True for what hardly anybody writes but in passwords."""
        start, end, form = self.words[place]
        return form == "symbols" and _MADE_UP.match(self.text, start, end) is not None

    def is_common(self, place: int) -> bool:
        """True for a word that everybody uses all the time; it may stand within a passphrase, but is none."""
        return self.is_plain(place) and bool(self.vectors[place, COMMON_AT])

    def without_common_ends(self, places: set[int]) -> set[int]:
        """The places of a secret's words, less common words at its ends if unlikely: these belong to the sentence."""
        kept = [place for place in sorted(places) if not self.is_common(place) or self.likely[place] >= _ENDS]
        return {place for place in places if kept[0] <= place <= kept[-1]}

    def _belongs_to_number(self, place: int) -> bool:
        """True for digits beside others, as in phone numbers, or behind a few capitals, as in "BA 2490"."""
        for other, between in ((place - 1, place), (place + 1, place + 1)):
            if not 0 <= other < len(self.words):
                continue
            gap = self.text[self.words[between - 1].end : self.words[between].start]
            if gap not in (" ", "-", "/"):
                continue
            start, end, form = self.words[other]
            if form in _DIGITS or form in ("parts", "digits1"):
                return True
            if other < place and form in ("upper", "caphyphen") and end - start <= _PREFIX:
                return cues(folded(self.text[start:end])).isdisjoint(_SPEAKING)
        return False


def said(text: str, secrets: Iterable[str]) -> list[tuple[int, int]]:
    """Where secrets of at least five characters stand in `text` as whole words, in order, none within another."""
    by_beginning: dict[str, set[str]] = {}
    for secret in secrets:
        if len(secret) >= _REPEATED:
            by_beginning.setdefault(secret[:_REPEATED], set()).add(secret)
    # The longest comes first; one length is looked at once, however many secrets have it.
    lengths = {
        beginning: sorted(set(map(len, those)), reverse=True) for beginning, those in by_beginning.items()
    }
    found: list[tuple[int, int]] = []
    past = 0
    for place in map(re.Match.start, _BEGINNING.finditer(text) if by_beginning else ()):
        if place < past:
            continue
        beginning = text[place : place + _REPEATED]
        for length in lengths.get(beginning, ()):
            end = place + length
            if text[place:end] in by_beginning[beginning] and not _WITHIN_WORD.match(text, end):
                found.append((place, end))
                past = end
                break
    return found


def _parts(text: str, found: list[FormedWord]) -> Iterator[list[FormedWord]]:
    """The words of a text in parts that are as long as those it was trained on, cut behind lines or sentences."""
    start = 0
    while start < len(found):
        end = min(start + _WINDOW, len(found))
        if end < len(found):
            ends = (place for place in range(end, start + _WINDOW // 2, -1) if _ends(text, found, place))
            end = next(ends, end)
        yield found[start:end]
        start = end


def _ends(text: str, found: list[FormedWord], place: int) -> bool:
    between = text[found[place - 1].end : found[place].start]
    return "\n" in between or between[:1] in (".", "!", "?")


def may_hold_one(text: str, found: list[FormedWord]) -> bool:
    """False where nothing has the form of a secret and nothing speaks of one: most texts, and they cost little."""
    return any(word.form not in _PLAIN and word.form not in _NEVER for word in found) or any(
        not cues(folded(text[word.start : word.end])).isdisjoint(_SPEAKING) for word in found
    )


def _whole(likely: NDArray[np.float32], place: int, *, plain: bool) -> set[int]:
    """The words of the secret that the word at ``place`` belongs to."""
    least, gap = (_GOES_ON, _GAP) if plain else (_GOES_ON_BESIDE, 0)
    whole = {place}
    for step in (-1, 1):
        last = place
        while True:
            ahead = [last + step * far for far in range(1, 2 + gap)]
            further = [at for at in ahead if 0 <= at < len(likely) and likely[at] >= least]
            if not further:
                break
            whole |= set(range(min(last, further[0]), max(last, further[0]) + 1))
            last = further[0]
    return whole


def _convolved(x: NDArray[np.float32], kernel: NDArray[np.float32], dilation: int) -> NDArray[np.float32]:
    """Convolution of (N, hidden) along the words; ``kernel`` is (KERNEL, hidden, hidden)."""
    reach = dilation * (KERNEL // 2)
    padded = np.zeros((len(x) + 2 * reach, x.shape[1]), dtype=np.float32)
    padded[reach : reach + len(x)] = x
    beside = [padded[tap * dilation : tap * dilation + len(x)] for tap in range(KERNEL)]
    result: NDArray[np.float32] = np.concatenate(beside, axis=1) @ kernel.reshape(-1, kernel.shape[2])
    return result


def _gelu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Hendrycks and Gimpel 2016, in its approximation by the hyperbolic tangent."""
    inner: NDArray[np.float32] = np.tanh(0.7978846 * (x + 0.044715 * x * x * x))
    return x * (0.5 + 0.5 * inner)
