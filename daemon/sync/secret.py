"""The secret of a shared folder, and what is encrypted with it.

Whoever has the secret may read the folder and write into it. Each device's files have a key of their own, made from the
secret (HKDF-SHA256, RFC 5869), so that no file of one device passes for another's; files are AES-256-GCM.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from idiolect.models.errors import ExitCode, IdiolectError

if TYPE_CHECKING:  # the library takes 6 MB, and most profiles share nothing
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SECRET_BYTES: Final = 16
WORDS: Final = 12

_NONCE_BYTES: Final = 12
_LEAST_BYTES: Final = 4096  # of what is padded


class SyncWordsError(IdiolectError, code="sync-words", exit_code=ExitCode.BAD_INPUT, http_status=403):
    """The words belong to no shared folder, or to another one."""


class FolderKeys:
    """The keys that are made from the `secret` (hexadecimal) of the shared folder with this `number`."""

    def __init__(self, secret: str, number: str) -> None:
        self._secret = bytes.fromhex(secret)
        self._number = number

    def _cipher(self, device: str) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._derive(f"device {device}"))

    def _derive(self, purpose: str) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        info = f"idiolect sync {purpose}".encode()
        return HKDF(hashes.SHA256(), 32, self._number.encode(), info).derive(self._secret)

    @property
    def marks(self) -> str:
        """The key of all marks, in hexadecimal digits."""
        return self._derive("marks").hex()

    @property
    def check(self) -> str:
        """What the folder's manifest says, so that mistyped words are found at once."""
        return self._derive("check").hex()

    def seal(self, device: str, about: str, data: bytes) -> bytes:
        """Encrypt `data`, padded so that its size tells little, as a file of a device; `about` says which."""
        nonce, whole = secrets.token_bytes(_NONCE_BYTES), len(data).to_bytes(8) + data
        padding = bytes(_padded(len(whole)) - len(whole))
        sealed: bytes = self._cipher(device).encrypt(nonce, whole + padding, about.encode())
        return nonce + sealed

    def open(self, device: str, about: str, box: bytes) -> bytes | None:
        """The opposite of `seal`; None where the file is another one, or anything in it was changed."""
        from cryptography.exceptions import InvalidTag

        try:
            whole = self._cipher(device).decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], about.encode())
        except (InvalidTag, ValueError):
            return None
        return bytes(whole[8 : 8 + int.from_bytes(whole[:8])])


def new_secret() -> str:
    """A secret for a folder: 128 random bits, in hexadecimal digits."""
    return secrets.token_hex(SECRET_BYTES)


def words_of(secret: str) -> str:
    """A secret as twelve English words (BIP 39)."""
    from mnemonic import Mnemonic  # its lists are large, and seldom needed

    return str(Mnemonic("english").to_mnemonic(bytes.fromhex(secret)))


def secret_of(words: str) -> str:
    """The secret that twelve words stand for. Raises SyncWordsError where a word is mistyped or missing."""
    from mnemonic import Mnemonic

    mnemonic, given = Mnemonic("english"), " ".join(words.lower().split())
    if len(given.split()) != WORDS or not mnemonic.check(given):
        raise SyncWordsError(
            "These are not the words of a shared folder: there are twelve, in their order, and one is wrong or "
            "missing. Nothing was changed. Read them again."
        )
    return bytes(mnemonic.to_entropy(given)).hex()


def _padded(size: int) -> int:
    """The next size of few: at most 12 % more, 4 KiB at least (Padmé, Nikitin et al. 2019, section 4)."""
    if size <= _LEAST_BYTES:
        return _LEAST_BYTES
    exponent = size.bit_length() - 1
    zeros = exponent - exponent.bit_length()
    return (size + (1 << zeros) - 1) >> zeros << zeros
