"""Which words may stand at a cursor, and how probable each is.

One forward pass, at the last place where a token surely ends (before the word under the cursor), gives a distribution
over tokens. Mixed with the n-gram memory's, it ranks every word that begins as typed. Typing on inside the word needs
no other pass.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.memory.letter_case import (
    best_matches,
    in_small_letters,
    is_in_capitals,
    other_case,
    with_other_case,
)
from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.memory.word_matching import Matches, match_names, match_second_parts, match_words
from idiolect.adapters.memory.word_table import Continuation
from idiolect.adapters.prediction.answered import Answered, sender_share
from idiolect.adapters.prediction.cursor import CursorReader, SplitPrefix
from idiolect.adapters.prediction.next_token import NextTokenModel
from idiolect.adapters.prediction.suggestion import Word
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.models.tokenizer import Tokenizer

_CONTINUATION_TRUST = 0.8  # in what the memory knows of a word's second token, 0 to 1
_MIN_SHARE_FOR_PASS = 0.1  # of the words that begin as typed: those of several tokens with one first token
_MAX_SPELLED_TOKENS = 2  # of a word that no list knows, a pass for each
_UNKNOWN_SHARE = 0.3  # unknown words, as a share of the probability of the tokens that begin them ...
_UNKNOWN_SHARE_PER_LETTER = 0.2  # ... and again for each letter behind those tokens
# Words in other capitals where none has these, as a multiple of the score of unknown words.
_OTHER_CASE_SHARE = 4.0
_MIN_PLACES_FOR_MODEL = 3  # words on offer, of which one is kept for the model's own likeliest ...
_MIN_MODELS_WORD_PROB = 0.05  # ... if the model gives it at least so much
# Letters that are typed small of a name; words with a capital that are looked at.
_MIN_LETTERS_OF_NAME, _NAMES = 2, 8
_FEW_LISTED = 5  # words that begin as typed, below which compounds are made, too ...
_SECOND_PARTS = 40  # ... of so many words
_LEAST_SCORE = 1e-9  # where no token begins as typed
_MATCHED_KEPT = 4  # results that are kept
_SALUTATION_TOKENS = 8  # before the cursor, which may be a salutation


@dataclass(frozen=True)
class Ranked:
    """The words that may stand at a cursor.

    Attributes:
        split: the prefix before it, split.
        count: how many words were looked for.
        matches: those that begin as typed, with unnormalized scores.
        words: the same with probabilities, the likeliest first; without any, a guess at a word that no list knows.
        finished: the probability that the word under the cursor ends there; 0 where no letter of one is typed.
    """

    split: SplitPrefix
    count: int
    matches: Matches
    words: list[Word]
    finished: float


class WordRanker:
    """Ranks words by what the model and the n-gram memory expect. For one thread at a time.

    Args:
        reader: knows the words before a cursor.
        tokenizer: of the model.
        user_model: the words to rank, and the n-gram memory.
        next_token: next-token distributions.
    """

    def __init__(
        self, reader: CursorReader, tokenizer: Tokenizer, user_model: UserModel, next_token: NextTokenModel
    ) -> None:
        self._reader = reader
        self._tokenizer = tokenizer
        self._user_model = user_model
        self._next_token = next_token
        # The latest matches: what may stand behind a word is asked for again once its space is typed.
        self._matched: list[tuple[tuple[object, ...], NDArray[np.float32], Matches]] = []

    def forget_ranked(self) -> None:
        """Forget which words were ranked."""
        self._matched.clear()

    def rank(self, split: SplitPrefix, count: int) -> Ranked:
        """Rank up to ``count`` words that may stand at a cursor."""
        matches = self._match(split, count)
        total = self.total_score(split, matches)
        finished = float(matches.finished / max(total, 1e-30)) if split.typed else 0.0
        if matches.forms:
            begun, scores = len(split.typed), zip(matches.forms, matches.scores, strict=True)
            words = [Word(form[begun:], float(score / total)) for form, score in scores]
        elif split.typed and not matches.finished and not any(map(str.isdigit, split.typed)):
            words = self._spell(split)
        else:
            words = []
        return Ranked(split, count, matches, words, finished)

    def _match(self, split: SplitPrefix, count: int) -> Matches:
        """Return up to ``count`` words that begin as typed, with unnormalized scores.

        Behind a mark they are words that stand there directly, and words with a space before them.
        """
        key = split, count, self._user_model.memory.tokens, self._user_model.words.belief
        probs = self._next_token.next_probs(split.head)
        for known, with_probs, matches in self._matched:
            if with_probs is probs and known == key:
                return matches
        unknown = self._unknown_score(split, probs) if split.typed else 0.0
        matches = replace(self._find(split, count, probs, unknown), unknown=unknown)
        self._matched = [(key, probs, matches), *self._matched[: _MATCHED_KEPT - 1]]
        return matches

    def _find(self, split: SplitPrefix, count: int, probs: NDArray[np.float32], unknown: float) -> Matches:
        words_before, in_text = self._reader.words_before(split.head)

        def match(some: SplitPrefix) -> Matches:
            return self._match_typed(some, count, probs, in_text)

        found = match(split)
        if split.behind_mark:
            return _joined(found, match(replace(split, spaced=True)), count)
        if not split.typed:
            small = self._user_model.words.small_words if self._is_within_sentence(split) else ()
            return in_small_letters(found, small, count) if small else found
        case = other_case(split.typed, in_capitals=is_in_capitals(words_before))
        if case is None:
            return found if len(found.forms) >= _FEW_LISTED else self._with_compounds(split, found, count)
        others = [match(replace(split, typed=lookup)) for lookup in case.lookups]
        if not any(other.forms for other in others):
            return found
        share = 1.0 if found.forms else _OTHER_CASE_SHARE
        mass = max(share * unknown, _LEAST_SCORE)
        return with_other_case(found, others, split.typed, case, mass, count)

    def _is_within_sentence(self, split: SplitPrefix) -> bool:
        before = self._tokenizer.decode(split.head[-1:])[-1:]
        return split.spaced and (before.isalpha() or before == ",")

    def _with_compounds(self, split: SplitPrefix, found: Matches, count: int) -> Matches:
        """Return the matches with words that no list has and that are made of two that one has.

        The model is asked for the second part behind the first one.
        """
        words, typed = self._user_model.words, split.typed
        if not (starts := words.second_part_starts(typed)):
            return found
        scores, total = dict(zip(found.forms, found.scores.tolist(), strict=True)), found.total
        for start in starts:
            ids, prob = [*split.head], 1.0
            tokens = self._tokenizer.encode(" " * split.spaced + typed[:start])
            if self._next_token.next_probs(ids)[tokens[0]] <= found.total + found.finished:
                continue  # a listed word is likelier than any compound can be: no pass is worth it
            for token in tokens:
                prob *= float(self._next_token.next_probs(ids)[token])
                ids.append(token)
            inner = SplitPrefix(ids, spaced=False, typed=typed[start:])
            parts = match_second_parts(
                words,
                inner.typed,
                self._next_token.next_probs(ids),
                _SECOND_PARTS,
                partial(self._continuation, inner),
                of_noun=typed[:1].isupper(),
            )
            for part, score in parts.items():
                whole = typed[:start] + part
                if whole not in scores:
                    scores[whole] = prob * score
                    total += prob * score
        return best_matches(scores, total, found.finished, count)

    def names(self, split: SplitPrefix) -> list[tuple[str, float]]:
        """Return names that begin as typed but for their capital, with scores on the scale of :class:`Matches`."""
        words, typed = self._user_model.words, split.typed
        if len(typed) < _MIN_LETTERS_OF_NAME or typed != typed.lower() or words.writes_names_small:
            return []
        capitalized = typed[:1].upper() + typed[1:]
        return match_names(words, capitalized, split.spaced, self._next_token.next_probs(split.head), _NAMES)

    def _match_typed(
        self, split: SplitPrefix, count: int, probs: NDArray[np.float32], in_text: Counter[str]
    ) -> Matches:
        found = match_words(
            self._user_model.words,
            split.typed,
            split.spaced,
            probs,
            count,
            continuation=lambda token, share: self._continuation(split, token, share),
            in_text=in_text,
        )
        answered = self._next_token.answered
        return found if answered is None else self._with_answered(found, answered, split, count, probs)

    def _with_answered(
        self,
        found: Matches,
        answered: Answered,
        split: SplitPrefix,
        count: int,
        probs: NDArray[np.float32],
    ) -> Matches:
        """Return the matches with the words of what is answered, where these are likelier so."""
        scores = dict(zip(found.forms, found.scores.tolist(), strict=True))
        total, finished = found.total, found.finished
        for form, score in answered.scores(split.head, split.typed, split.spaced, probs):
            if form == split.typed:
                finished = max(finished, score)
            elif score > (known := scores.get(form, 0.0)):
                total += score - known
                scores[form] = score
        name = answered.sender
        if name.startswith(split.typed) and name != split.typed:
            share = sender_share(self._tokenizer.decode(split.head[-_SALUTATION_TOKENS:]))
            if more := share * max(total, scores.get(name, 0.0)):
                scores[name] = scores.get(name, 0.0) + more
                total += more
        return best_matches(scores, total, finished, count)

    def _continuation(self, split: SplitPrefix, token: int, share: float) -> Continuation | None:
        """Return what is known of the token after a word's first one, None if it is nothing.

        Inside a word the model is asked where that may change what is offered; it costs a pass. Distributions that are
        cached are not used: the same text must be answered alike, however it was typed.
        """
        ids = [*split.head, token]
        if split.typed and share >= _MIN_SHARE_FOR_PASS:
            return Continuation(self._next_token.next_probs(ids), 1.0)
        prediction = self._next_token.predict(ids)
        if prediction.order < 2:
            return None
        probs = np.zeros(self._user_model.memory.vocab, np.float32)
        probs[prediction.ids] = prediction.p
        return Continuation(probs, _CONTINUATION_TRUST)

    def keep_models_word(self, split: SplitPrefix, words: list[Word], count: int) -> list[Word]:
        """Return ``words`` with the one that the model alone holds likeliest among the first ``count``.

        What the n-gram memory has seen a few times elsewhere is likely there, and would push out what everybody writes.
        Only the last place is given away, from the third on, and only before a letter is typed.
        """
        if split.typed or not _MIN_PLACES_FOR_MODEL <= count < len(words):
            return words
        tokens = [self._tokenizer.encode(split.start + word.text)[0] for word in words]
        shares = self._next_token.own_shares(split.head, tokens, self._next_token.next_probs(split.head))
        own = [word.p * share for word, share in zip(words, shares, strict=True)]
        best = int(np.argmax(own))
        if best < count or own[best] < _MIN_MODELS_WORD_PROB:
            return words
        return [*words[: count - 1], words[best], *words[count - 1 : best], *words[best + 1 :]]

    def total_score(self, split: SplitPrefix, matches: Matches) -> float:
        """Return the score of all words that may stand here, also of those that are not listed."""
        if not split.typed:  # words from the text before are raised without the others being lowered
            return max(1.0, matches.total)
        return matches.total + matches.finished + matches.unknown

    def _unknown_score(self, split: SplitPrefix, probs: NDArray[np.float32]) -> float:
        """Return the score of all words that begin as typed and that no list knows."""
        start = split.start.encode()
        score = 0.0
        for end in range(1 + split.spaced, len(start) + 1):
            tokens = self._tokenizer.starting_with(start[:end])
            if len(tokens) and self._tokenizer.token_bytes(int(tokens[0])) == start[:end]:
                letters = len(start) - end
                score += float(probs[tokens[0]]) * _UNKNOWN_SHARE * _UNKNOWN_SHARE_PER_LETTER**letters
        return score

    def _spell(self, split: SplitPrefix) -> list[Word]:
        """Return the likeliest continuation, token by token, of a word that no list knows."""
        whole = split.head + self._tokenizer.encode(split.start)
        typed = self._tokenizer.token_bytes(whole[-1])  # the last token may go on, so it is predicted again
        ids = whole[:-1]
        text, probability = b"", 1.0
        for _ in range(_MAX_SPELLED_TOKENS):
            probs = self._next_token.next_probs(ids)
            tokens = self._tokenizer.starting_with(typed)
            token = int(tokens[np.argmax(probs[tokens])])
            raw = self._tokenizer.token_bytes(token)[len(typed) :]
            if not typed and not _is_word(raw):
                break
            probability *= float(probs[token] / probs[tokens].sum())
            text, ids, typed = text + raw, [*ids, token], b""
        word = text.decode("utf-8", "ignore")
        match = WORD.match(word)
        return [Word(match[0], probability)] if match else []


def _joined(direct: Matches, spaced: Matches, count: int) -> Matches:
    """Return words that stand directly at the cursor together with words that have a space before them."""
    scores = dict(zip(direct.forms, direct.scores.tolist(), strict=True))
    scores |= {f" {form}": score for form, score in zip(spaced.forms, spaced.scores.tolist(), strict=True)}
    return best_matches(scores, direct.total + spaced.total, 0.0, count)


def _is_word(raw: bytes) -> bool:
    return bool(WORD.fullmatch(raw.decode("utf-8", "ignore")))
