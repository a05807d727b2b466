"""Text to token ids and back: BPE over bytes or over characters, run by sentencepiece.

A GPT-2 style tokenizer cuts the text into words with one regular expression, writes each byte of a
word as a printable character, and merges neighbours in the order in which the merges were learned
(Sennrich et al. 2016). sentencepiece always merges the pair whose result scores highest, so a model
whose scores are minus the merge's rank does the same, exactly: see :func:`_check_order`.

Gemma's is sentencepiece's own: characters are merged by the tokens' scores, runs of white space are tokens, and a
character without a token becomes its bytes. :data:`KINDS` lists the tokenizers that are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import regex
from sentencepiece import SentencePieceProcessor

from idiolect.models import durable
from idiolect.models.errors import DamagedModelError, UnsupportedModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from idiolect.models.gguf_file import Vocabulary

# GGUF's token types of what text is made of, which are sentencepiece's too; others are marks that no text contains
NORMAL, USER_DEFINED, BYTE = 1, 4, 6
SPACE = "\u2581"  # stands for a space in vocabularies of characters
_CHUNK = r"\n+|\t+| {{2,{}}}| ?[^ \n\t]+| "
"""The pieces of text that no token of a vocabulary of characters crosses: a run of white space, with at most the spaces
of one token, or a word and a space before it."""
_REMEMBERED_WORDS = 1 << 14
_REMEMBERED_CHARACTERS = 32  # longer words hardly come back, and would make the memory's size unbounded
_LONGEST_TOKEN = 256  # characters, of which checking how it is made takes the square; SmolLM's has 81
_IN_WORD = regex.compile(r"[\p{L}\p{N}'’\ufffd]")


def _alphabet() -> list[str]:
    """Return the printable character that stands for each byte, as GPT-2's vocabulary spells them."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte if byte in printable else 256 + others.index(byte)) for byte in range(256)]


_LETTERS = dict(enumerate(_alphabet()))
_BYTES = {ord(letter): byte for byte, letter in _LETTERS.items()}
_SPELLED_BYTES = 16  # of each token, by which it is looked up: the longest tokens are rows of one sign


@dataclass(frozen=True)
class TokenizerKind:
    """How a family of models writes its tokens, and cuts text into words before they are merged.

    ``marks`` are the first tokens that are kept: what stands between two documents, and others that end a text.
    ``words`` matches all of a text, word by word, beyond which no token reaches; tokens are then written in GPT-2's
    alphabet of bytes. Without it they are written in characters, with U+2581 for a space, as sentencepiece does.
    """

    marks: tuple[str, ...]
    words: regex.Pattern[str] | None

    def cut(self, text: str) -> list[str]:
        """Return the words of a text as the tokens are written; of characters the whole text."""
        return [text] if self.words is None else [self.spell(word) for word in self.words.findall(text)]

    def spell(self, word: str) -> str:
        """Return a word in the alphabet of bytes."""
        return word.encode().decode("latin-1").translate(_LETTERS)

    def read(self, token: str) -> bytes:
        """Return the bytes that a token stands for, which is no mark and not of the type for single bytes."""
        if self.words is None:
            return token.replace(SPACE, " ").encode()
        return token.translate(_BYTES).encode("latin-1")


KINDS = {
    # GPT-2's words, with each digit a word of its own
    "smollm": TokenizerKind(
        ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        regex.compile(r"\p{N}|'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?![^\s\p{N}])|\s+"),
    ),
    # GPT-4's: one mark before the letters and line ends behind marks belong to a word, and up to three digits are one
    "dbrx": TokenizerKind(
        ("<|end_of_text|>", "<|start_of_role|>", "<|end_of_role|>"),
        regex.compile(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
            r"|\s*[\r\n]+|\s+(?!\S)|\s+"
        ),
    ),
    "llama": TokenizerKind(("<bos>", "<start_of_turn>", "<end_of_turn>", "<eos>"), None),
}
"""The tokenizers of SmolLM, of Granite 4 and of Gemma, by what a GGUF calls the way that they cut text."""


def build_tokenizer(vocabulary: Vocabulary, path: Path) -> None:
    """Write the sentencepiece model of a GGUF's vocabulary to ``path``, whole or not at all. Raises OSError.

    Raises UnsupportedModelError for a vocabulary of another family, or one that sentencepiece would not run exactly.
    """
    _check_vocabulary(vocabulary)
    durable.write(path, sentencepiece_model(vocabulary))


def sentencepiece_model(vocabulary: Vocabulary) -> bytes:
    """Return the sentencepiece model of a vocabulary, as a file holds it."""
    # protobuf comes with onnx, makes its classes at run time, and is needed only when a base is built
    from sentencepiece.sentencepiece_model_pb2 import ModelProto  # type: ignore[attr-defined] # made at run time

    kinds = ModelProto.SentencePiece
    of_bytes = vocabulary.kind.words is not None
    text_types = (NORMAL,) if of_bytes else (NORMAL, USER_DEFINED, BYTE)
    unknown = vocabulary.tokens.index(vocabulary.kind.marks[0])
    model = ModelProto()
    rows = zip(vocabulary.tokens, vocabulary.types, vocabulary.scores, strict=True)
    for place, (token, token_type, score) in enumerate(rows):
        kind = token_type if token_type in text_types else kinds.CONTROL
        if place == unknown:  # sentencepiece insists on an unknown token; ours is never needed
            kind = kinds.UNKNOWN
        piece = token.replace(" ", SPACE) if kind == USER_DEFINED else token
        model.pieces.add(piece=piece, score=score, type=kind)
    trainer = model.trainer_spec
    trainer.model_type = trainer.BPE
    trainer.vocab_size = len(vocabulary.tokens)
    trainer.unk_id, trainer.unk_piece = unknown, vocabulary.tokens[unknown]
    trainer.bos_id = trainer.eos_id = trainer.pad_id = -1
    trainer.byte_fallback = not of_bytes
    normalizer = model.normalizer_spec
    normalizer.add_dummy_prefix = normalizer.remove_extra_whitespaces = False
    normalizer.escape_whitespaces = not of_bytes
    written: bytes = model.SerializeToString()
    return written


def check_tokens(vocabulary: Vocabulary) -> None:
    """Raise UnsupportedModelError where one of the marks of its kind is missing, or the lists do not match."""
    tokens, known = vocabulary.tokens, set(vocabulary.tokens)
    if missing := [name for name in vocabulary.kind.marks if name not in known]:
        raise _unsupported(f"it lacks the tokens {' '.join(missing)}")
    if not len(known) == len(tokens) == len(vocabulary.types) == len(vocabulary.scores):
        raise _unsupported("its token list repeats itself, or does not match its token types or scores")
    if "" in known or max(map(len, known)) > _LONGEST_TOKEN:
        raise _unsupported("it has a token of no character, or of far too many")


def _check_vocabulary(vocabulary: Vocabulary) -> None:
    check_tokens(vocabulary)
    tokens, types, marks = vocabulary.tokens, vocabulary.types, vocabulary.kind.marks
    if tuple(tokens[: len(marks)]) != marks:
        raise _unsupported(f"it does not begin with the tokens {' '.join(marks)}")
    if vocabulary.kind.words is None:
        if types.count(BYTE) != 256:
            raise _unsupported("it lacks tokens for single bytes")
        return
    pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in vocabulary.merges)]
    made = {left + right for left, right in pairs}
    if not made.issubset(tokens):
        raise _unsupported("some merges make no token")
    letters = set(_LETTERS.values())
    for token, token_type in zip(tokens, types, strict=True):
        if token_type == NORMAL and not (letters >= set(token) and (len(token) == 1 or token in made)):
            raise _unsupported("some tokens are not made of bytes by merging")
    _check_order(pairs)


def _check_order(pairs: Sequence[tuple[str, str]]) -> None:
    """Raise unless merging the highest score first gives the same tokens as the merges in order.

    sentencepiece joins two neighbours when together they spell a token, whether or not this very pair was learned. As
    long as the merges before a token's own lead to two halves that are a pair of its own, that pair is the only one
    that can come up. Some vocabularies list all pairs that spell a token, one behind the other, not the learned one
    alone: they count as one merge.
    """
    pairs_of: dict[str, set[tuple[str, str]]] = {}
    before = ""
    for left, right in pairs:
        if (token := left + right) != before and token in pairs_of:
            raise _unsupported("its merges depend on more than their order")
        pairs_of.setdefault(token, set()).add((left, right))
        before = token
    rank = {pair: place for place, of_token in enumerate(pairs_of.values()) for pair in of_token}
    never = len(pairs_of)
    for place, (token, of_token) in enumerate(pairs_of.items()):
        parts = list(token)
        while len(parts) > 2:
            ranks = [rank.get(pair, never) for pair in pairwise(parts)]
            earliest = min(ranks)
            if earliest >= place:
                break
            at = ranks.index(earliest)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        if tuple(parts) not in of_token:
            raise _unsupported("its merges depend on more than their order")


def _unsupported(why: str) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"The model's vocabulary cannot be used: {why}. Give a GGUF with the tokenizer of SmolLM, Granite 4 or Gemma."
    )


def _damaged(path: Path) -> DamagedModelError:
    return DamagedModelError(
        f"The tokenizer file {path} is missing or damaged. Delete it and run `idiolect start`, which makes it again."
    )


class Tokenizer:
    """Encodes text with a file that :func:`build_tokenizer` wrote; safe to share between threads.

    Raises DamagedModelError where the file is missing or no such tokenizer.

    Attributes:
        vocab_size: V; token ids are 0..V-1.
        ends: the ids with which a text is over.
        unspoken: the ids of all other marks, which no text holds.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._model = SentencePieceProcessor(model_file=str(path))
        except (OSError, RuntimeError) as error:
            raise _damaged(path) from error
        self.vocab_size: int = self._model.get_piece_size()
        every = list(range(self.vocab_size))
        pieces = self._model.id_to_piece(every)
        kind = next((kind for kind in KINDS.values() if pieces[: len(kind.marks)] == [*kind.marks]), None)
        if kind is None:
            raise _damaged(path)
        self._kind = kind
        self.ends = frozenset(range(len(kind.marks)))
        marks = np.array(self._model.is_control(every)) | self._model.is_unknown(every)
        single_bytes = self._model.is_byte(every)
        self._bytes = [b"" if mark else kind.read(piece) for piece, mark in zip(pieces, marks, strict=True)]
        if any(single_bytes):
            of_text = {raw for raw, is_byte in zip(self._bytes, single_bytes, strict=True) if not is_byte}
            for token in np.flatnonzero(single_bytes).tolist():
                raw = bytes([int(pieces[token][1:-1], 16)])
                self._bytes[token] = b"" if raw in of_text else raw  # no text becomes such a token
        self.unspoken = [token for token, raw in enumerate(self._bytes) if not raw and token not in self.ends]
        single = {text[0] for text in self._bytes if len(text) == 1}
        # A few bytes (some control characters, and bytes that UTF-8 never uses) have no token.
        self._left_out = {letter: None for letter, byte in _BYTES.items() if byte not in single}
        spaces = max((len(raw) for raw in self._bytes if raw and not raw.strip(b" ")), default=1)
        self._words = kind.words or regex.compile(_CHUNK.format(max(spaces, 2)))
        self._remembered: dict[str, tuple[int, ...]] = {}

    def encode(self, text: str) -> list[int]:
        """Return the token ids of ``text``, any number from none to one a byte.

        Text is only ever text: ``<|im_start|>`` typed by a user becomes the tokens of its letters. Surrogates that
        came in as a pair are joined, lone ones become U+FFFD. Bytes without a token (in SmolLM2: six control
        characters) are left out, as in the model's own training.
        """
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        ids: list[int] = []
        remembered = self._remembered
        for word in self._words.findall(text):
            ids += remembered.get(word) or self._encode_word(word)
        return ids

    def _encode_word(self, word: str) -> tuple[int, ...]:
        if self._kind.words is None:
            ids = self._encode_characters(word)
        else:
            ids = tuple(self._model.encode(self._kind.spell(word).translate(self._left_out)))
        if len(word) <= _REMEMBERED_CHARACTERS:
            if len(self._remembered) >= _REMEMBERED_WORDS:
                self._remembered.clear()
            self._remembered[word] = ids
        return ids

    def _encode_characters(self, word: str) -> tuple[int, ...]:
        """Return a word's tokens. The character that stands for a space becomes its bytes, or it would be one."""
        first, *others = (self._model.encode(part) for part in word.split(SPACE))
        for ids in others:
            first += [self._model.piece_to_id(f"<0x{byte:02X}>") for byte in SPACE.encode()] + ids
        return tuple(first)

    def forget_words(self) -> None:
        """Forget the words that were encoded, which are remembered since most come again."""
        self._remembered.clear()

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of any run of token ids; marks are skipped, cut characters become U+FFFD."""
        return b"".join([self._bytes[token] for token in ids]).decode("utf-8", "replace")

    def token_bytes(self, token: int) -> bytes:
        """Return the exact bytes that a token stands for; none for a mark."""
        return self._bytes[token]

    def ends_line(self, token: int) -> bool:
        """Return True for a token that holds the end of a line, and for a mark."""
        raw = self._bytes[token]
        return not raw or b"\n" in raw

    def starting_with(self, raw: bytes) -> NDArray[np.intp]:
        """Return the ids of all tokens whose bytes begin with ``raw``; marks are left out."""
        spelled, ids = self._spelled
        if not raw:
            return ids
        begun = raw[:_SPELLED_BYTES]
        low, high = np.searchsorted(spelled, [begun, begun + b"\xff"])
        if begun == raw:
            return ids[low:high]
        return np.array([id_ for id_ in ids[low:high].tolist() if self._bytes[id_].startswith(raw)], np.intp)

    @cached_property
    def _spelled(self) -> tuple[NDArray[np.bytes_], NDArray[np.intp]]:
        """The first bytes of all tokens in order, and their ids."""
        raw = np.array(self._bytes)
        order = np.argsort(raw, kind="stable")
        order = order[np.array([bool(self._bytes[token]) for token in order])]
        return raw[order].astype(f"S{_SPELLED_BYTES}"), order

    @cached_property
    def continuing_word(self) -> NDArray[np.float32]:
        """(V,) 1 for each token that goes on in a word: with a letter, a digit, an apostrophe or a cut character."""
        goes_on = cache(lambda raw: bool(_IN_WORD.match(raw.decode("utf-8", "replace"))))
        first = (raw[: 1 if raw[:1] < b"\x80" else 4] for raw in self._bytes)
        return np.array([goes_on(raw) for raw in first], np.float32)
