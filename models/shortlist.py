"""Chooses the tokens that a base model keeps of a large vocabulary: for the words of some languages, and for any text.

Gemma's 262,144 tokens and Granite's 100,352 cover the world's languages, and the output matrix over all of them is much
of the model's work. One person writes in a few. A token that is left out is never needed: the tokenizer then stops one
merge earlier, so its two halves stand for it, down to single bytes. With each token the tokens that it is merged from
are kept, so that text of kept tokens alone is cut exactly as with the whole vocabulary.

The rows of the embedding are taken over as they are, so adapters fit whatever tokens are kept.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import regex

from idiolect.models.gguf_file import Vocabulary
from idiolect.models.tokenizer import BYTE, NORMAL, SPACE, USER_DEFINED, check_tokens, sentencepiece_model
from idiolect.models.word_lists import LANGUAGES, general_words, german_nouns

MAX_TOKENS = 1 << 16
"""Tokens that are kept of a larger vocabulary."""

_WORDS = 80_000  # of each language, the most used first
_WORDS_SHARE = (
    0.95  # of the tokens, at most, once the words' are kept; the most frequent in all text fill the rest
)
_ENGLISH = 1.5  # times that its words count: writers of other languages, and of code, use them too
_FORMS = ((" {}", 1.0), (" {}", 0.5), ("{}", 0.1), ("{}", 0.1))  # in small letters and capitalized, in turn
_NOUN_FORMS = ((" {}", 0.02), (" {}", 1.0), ("{}", 0.0), ("{}", 0.2))  # of a German noun
_CHARACTER = regex.compile(r"[\p{Latin}\p{Greek}\p{Cyrillic}\p{Common}\p{Inherited}]")  # or a part, U+FFFD
_LATIN = regex.compile(r" ?\p{Latin}+")
_NO_LETTERS = regex.compile(r"[\p{Common}\p{Inherited}--\p{L}]+", regex.V1)  # punctuation, code, emoji
_IN_TEXT = regex.compile(r"\s+|</?[a-z0-9]+>")  # user-defined tokens that are text and not a mark


def choose_tokens(
    vocabulary: Vocabulary,
    languages: Sequence[str] = LANGUAGES,
    size: int = MAX_TOKENS,
    report: Callable[[float], None] = lambda _done: None,
) -> Vocabulary:
    """Return the tokens that are kept, in the order that the tokenizer and the program rely on.

    A vocabulary that begins with its marks and has no more than ``size`` tokens is kept as it is. ``languages`` are ISO
    639-1 codes, and ``report`` gets the share of them that was read, 0 to 1: all take half a minute. Raises
    UnsupportedModelError where a mark of this kind of vocabulary is missing, or a token is there twice.
    """
    check_tokens(vocabulary)
    kind = vocabulary.kind
    if tuple(vocabulary.tokens[: len(kind.marks)]) == kind.marks and len(vocabulary.tokens) <= size:
        return vocabulary
    places = {token: place for place, token in enumerate(vocabulary.tokens)}
    kept = dict.fromkeys(places[mark] for mark in kind.marks)
    normal, last = [], []
    for place, (token, token_type) in enumerate(zip(vocabulary.tokens, vocabulary.types, strict=True)):
        if token_type == USER_DEFINED and kind.words is None and _IN_TEXT.fullmatch(token):
            kept[place] = None
        elif token_type == NORMAL and SPACE not in token[1:]:
            normal.append(place)
        elif token_type == BYTE:
            last.append(place)
    scores = {vocabulary.tokens[place]: vocabulary.scores[place] for place in normal}
    limit = size - len(last)

    def keep(tokens: Iterable[str], most: int) -> None:
        for token in tokens:
            if token in scores:
                parts = [part for part in _merged_from(token, scores) if places[part] not in kept]
                if len(kept) + len(parts) > most:
                    return
                kept.update(dict.fromkeys(places[part] for part in parts))

    ranked = sorted(scores, key=scores.__getitem__, reverse=True)
    if len(kept) + len(ranked) > limit:
        texts = {token: kind.read(token).decode("utf-8", "replace") for token in ranked}
        keep((token for token in ranked if _CHARACTER.fullmatch(texts[token])), limit)
        keep((token for token in ranked if _NO_LETTERS.fullmatch(texts[token])), limit)
        keep(_of_words(vocabulary, languages, report), int(_WORDS_SHARE * limit))
        keep((token for token in ranked if _LATIN.fullmatch(texts[token])), limit)
    keep(ranked, limit)
    order = [*kept, *last]
    rows = np.array(order, np.intp)
    tokens = [vocabulary.tokens[place] for place in order]
    known = set(tokens)
    merges = [
        merge for merge in vocabulary.merges if known.issuperset([*merge.split(" "), merge.replace(" ", "")])
    ]
    return replace(
        vocabulary,
        tokens=tokens,
        types=[vocabulary.types[place] for place in order],
        scores=[vocabulary.scores[place] for place in order],
        merges=merges,
        rows=rows,
    )


def _of_words(
    vocabulary: Vocabulary, languages: Sequence[str], report: Callable[[float], None]
) -> Iterator[str]:
    """Yield the tokens of the languages' words, first the tokens that stand for most of any one language."""
    from sentencepiece import SentencePieceProcessor

    whole = SentencePieceProcessor(model_proto=sentencepiece_model(vocabulary))
    most: dict[int, float] = {}
    cut = vocabulary.kind.cut
    for number, language in enumerate(languages, 1):
        counted: defaultdict[int, float] = defaultdict(float)
        words = [(word, uses) for form, uses in _forms(language) for word in cut(form)]
        for (_, uses), ids in zip(words, whole.encode([word for word, _ in words]), strict=True):
            for token in ids:
                counted[token] += uses
        for token, share in counted.items():
            most[token] = max(most.get(token, 0.0), share * (_ENGLISH if language == "en" else 1.0))
        report(number / len(languages))
    yield from (vocabulary.tokens[token] for token in sorted(most, key=most.__getitem__, reverse=True))


def _forms(language: str) -> Iterator[tuple[str, float]]:
    """Yield the words of a language as they are written, with their uses, each word in several forms."""
    nouns = {noun.decode() for noun in german_nouns().tolist()} if language == "de" else set[str]()
    uses = general_words(language)
    for word in heapq.nlargest(_WORDS, uses, key=uses.__getitem__):
        written = (word, word[:1].upper() + word[1:]) * 2
        for (form, weight), letters in zip(_NOUN_FORMS if word in nouns else _FORMS, written, strict=True):
            yield form.format(letters), weight * uses[word]


def _merged_from(token: str, scores: dict[str, float]) -> list[str]:
    """Return a token and all that it is merged from, one character at a time."""
    parts = [*token]
    found = [*parts]
    while len(parts) > 1:
        merged = [
            (scores.get(left + right, -np.inf), -place) for place, (left, right) in enumerate(pairwise(parts))
        ]
        score, place = max(merged)
        if score == -np.inf:  # a token that no merges lead to
            break
        parts[-place : 2 - place] = [parts[-place] + parts[1 - place]]
        found.append(parts[-place])
    return [part for part in dict.fromkeys([*found, token]) if part in scores]
