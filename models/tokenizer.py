"""Text to token ids and back: byte-level BPE, run by sentencepiece.

A GPT-2 style tokenizer cuts the text into words with one regular expression, writes each byte of a
word as a printable character, and merges neighbours in the order in which the merges were learned
(Sennrich et al. 2016). sentencepiece always merges the pair whose result scores highest, so a model
whose scores are minus the merge's rank does the same, exactly: see :func:`_check_order`.
"""

from __future__ import annotations

from functools import cached_property
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

DOCUMENT, BOS, EOS = "<|endoftext|>", "<|im_start|>", "<|im_end|>"

PRETOKEN = regex.compile(
    r"\p{N}|'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?![^\s\p{N}])|\s+",
)
"""GPT-2's words, with each digit a word of its own; it matches all of a text."""

_NORMAL = 1  # GGUF's token type of what text is made of; all others are marks that text cannot contain
_REMEMBERED_WORDS = 1 << 14
_REMEMBERED_CHARACTERS = 32  # longer words hardly come back, and would make the memory's size unbounded


_IN_WORD = regex.compile(r"[\p{L}\p{N}'’\ufffd]")


def _alphabet() -> list[str]:
    """Return the printable character that stands for each byte, as GPT-2's vocabulary spells them."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte if byte in printable else 256 + others.index(byte)) for byte in range(256)]


_ALPHABET = _alphabet()
_BYTE = {character: byte for byte, character in enumerate(_ALPHABET)}
_BYTES = str.maketrans({character: chr(byte) for character, byte in _BYTE.items()})


def build_tokenizer(
    tokens: Sequence[str], merges: Sequence[str], token_types: Sequence[int], path: Path
) -> None:
    """Write the sentencepiece model of a GGUF's vocabulary to ``path``, whole or not at all.

    Args:
        tokens: the vocabulary's V tokens, in the byte alphabet.
        merges: ``"left right"``, the earliest learned first.
        token_types: V GGUF token types (1: made of text, others: control marks).
        path: the file to write.

    Raises:
        UnsupportedModelError: not a byte-level BPE vocabulary of this family, or one that
            sentencepiece would not run exactly.
        OSError: the file cannot be written.
    """
    # protobuf comes with onnx, makes its classes at run time, and is needed only when a base is built
    from sentencepiece.sentencepiece_model_pb2 import ModelProto  # type: ignore[attr-defined] # made at run time

    pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in merges)]
    rank = {left + right: place for place, (left, right) in enumerate(pairs)}
    _check_vocabulary(tokens, token_types, rank)
    _check_order(pairs)
    kinds = ModelProto.SentencePiece
    model = ModelProto()
    for token, token_type in zip(tokens, token_types, strict=True):
        kind = kinds.NORMAL if token_type == _NORMAL else kinds.CONTROL
        if token == DOCUMENT:  # sentencepiece insists on an unknown token; ours is never needed
            kind = kinds.UNKNOWN
        model.pieces.add(piece=token, score=-rank.get(token, 0), type=kind)
    trainer = model.trainer_spec
    trainer.model_type = trainer.BPE
    trainer.vocab_size = len(tokens)
    trainer.unk_id, trainer.unk_piece = tokens.index(DOCUMENT), DOCUMENT
    trainer.bos_id = trainer.eos_id = trainer.pad_id = -1
    normalizer = model.normalizer_spec
    normalizer.add_dummy_prefix = normalizer.remove_extra_whitespaces = normalizer.escape_whitespaces = False
    durable.write(path, model.SerializeToString())


def _check_vocabulary(tokens: Sequence[str], token_types: Sequence[int], rank: dict[str, int]) -> None:
    known = set(tokens)
    missing = [name for name in (DOCUMENT, BOS, EOS) if name not in known]
    if missing:
        raise _unsupported(f"it lacks the tokens {' '.join(missing)}")
    if len(known) < len(tokens) or len(token_types) != len(tokens):
        raise _unsupported("its token list repeats itself, or does not match its token types")
    if not rank.keys() <= known:
        raise _unsupported("some merges make no token")
    for token, token_type in zip(tokens, token_types, strict=True):
        if token_type == _NORMAL and not (_BYTE.keys() >= set(token) and (len(token) == 1 or token in rank)):
            raise _unsupported("some tokens are not made of bytes by merging")


def _check_order(pairs: Sequence[tuple[str, str]]) -> None:
    """Raise unless merging the highest score first gives the same tokens as the merges in order.

    sentencepiece joins two neighbours when together they spell a token, whether or not this very pair was learned. As
    long as the merges before a token's own lead to its two halves, and to no other split of it, the learned pair is
    the only one that can come up.
    """
    rank = {pair: place for place, pair in enumerate(pairs)}
    never = len(pairs)
    for place, (left, right) in enumerate(pairs):
        parts = list(left + right)
        while len(parts) > 2:
            ranks = [rank.get(pair, never) for pair in pairwise(parts)]
            earliest = min(ranks)
            if earliest >= place:
                break
            at = ranks.index(earliest)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        if parts != [left, right]:
            raise _unsupported("its merges depend on more than their order")


def _unsupported(why: str) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"The model's vocabulary cannot be used: {why}. Give a GGUF of the SmolLM2 family, or none at all."
    )


class Tokenizer:
    """Encodes text with a file that :func:`build_tokenizer` wrote; safe to share between threads.

    Attributes:
        vocab_size: V; token ids are 0..V-1.
        document: the id that stands between two documents.
        bos: the id that opens a chat turn.
        eos: the id that closes a chat turn.
        ends: those three, with which a text is over.
        unspoken: the ids of all other marks, which no text holds.
    """

    def __init__(self, path: Path) -> None:
        """Read the model file.

        Raises:
            DamagedModelError: the file is missing or not a tokenizer of ours.
        """
        try:
            self._model = SentencePieceProcessor(model_file=str(path))
        except (OSError, RuntimeError) as error:
            raise DamagedModelError(
                f"The tokenizer file {path} is missing or damaged. Delete it and run `idiolect start`, "
                "which makes it again."
            ) from error
        self.vocab_size: int = self._model.get_piece_size()
        self.document, self.bos, self.eos = (self._model.piece_to_id(name) for name in (DOCUMENT, BOS, EOS))
        every = list(range(self.vocab_size))
        kinds = zip(self._model.is_control(every), self._model.is_unknown(every), strict=True)
        self._bytes = [
            b"" if control or unknown else piece.translate(_BYTES).encode("latin-1")
            for piece, (control, unknown) in zip(self._model.id_to_piece(every), kinds, strict=True)
        ]
        self.ends = frozenset((self.document, self.bos, self.eos))
        self.unspoken = [token for token, raw in enumerate(self._bytes) if not raw and token not in self.ends]
        single = {text[0] for text in self._bytes if len(text) == 1}
        # A few bytes (some control characters, and bytes that UTF-8 never uses) have no token.
        self._spelling = {byte: _ALPHABET[byte] if byte in single else None for byte in range(256)}
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
        for word in PRETOKEN.findall(text):
            ids += remembered.get(word) or self._encode_word(word)
        return ids

    def _encode_word(self, word: str) -> tuple[int, ...]:
        spelled = word.encode().decode("latin-1").translate(self._spelling)
        ids = tuple(self._model.encode(spelled))
        if len(word) <= _REMEMBERED_CHARACTERS:
            if len(self._remembered) >= _REMEMBERED_WORDS:
                self._remembered.clear()
            self._remembered[word] = ids
        return ids

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
        """Return True for a token of line ends alone, and for a mark."""
        return not self._bytes[token].strip(b"\n")

    def starting_with(self, raw: bytes) -> NDArray[np.intp]:
        """Return the ids of all tokens whose bytes begin with ``raw``; marks are left out."""
        spelled, ids = self._spelled
        if not raw:
            return ids
        low, high = np.searchsorted(spelled, [raw, raw + b"\xff"])
        return ids[low:high]

    @cached_property
    def _spelled(self) -> tuple[NDArray[np.bytes_], NDArray[np.intp]]:
        """All tokens' bytes in order, and their ids."""
        raw = np.array(self._bytes)
        order = np.argsort(raw, kind="stable")
        order = order[np.array([bool(self._bytes[token]) for token in order])]
        return raw[order], order

    @cached_property
    def continuing_word(self) -> NDArray[np.float32]:
        """(V,) 1 for each token that goes on in a word: with a letter, a digit, an apostrophe or a cut character."""
        of_ascii = [bool(_IN_WORD.match(chr(byte))) for byte in range(128)]  # most tokens begin with one
        goes_on = [
            of_ascii[raw[0]]
            if raw and raw[0] < 128
            else bool(_IN_WORD.match(raw[:4].decode("utf-8", "replace")))
            for raw in self._bytes
        ]
        return np.array(goes_on, np.float32)

    def all_token_bytes(self) -> list[bytes]:
        """Return the exact bytes of each of the V tokens, in order of their ids."""
        return list(self._bytes)
