"""Keys of devices that share a folder: each has its own, and what is written there is sealed for those of the others.

All of it is the library `cryptography`'s: HPKE (RFC 9180) seals a key for a device, AES-256-GCM encrypts with it,
Ed25519 signs. The keys of an invitation are made from a code of twelve words (BIP 39), 128 random bits, so that
whoever has the code can do what the invited device may.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from idiolect.models.errors import IdiolectError

#: Of a key that was sealed for one device.
SEALED_BYTES: Final = 80
SIGNATURE_BYTES: Final = 64
KEY_BYTES: Final = 32

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_NONCE_BYTES: Final = 12
_CODE_BITS: Final = 128
_LEAST_BYTES: Final = 4096  # of what is padded


class CodeError(IdiolectError):
    """What was given is not the code of an invitation to a shared folder."""

    code: ClassVar[str] = "sync-code"
    exit_code: ClassVar[int] = 135
    http_status: ClassVar[int] = 403


@dataclass(frozen=True)
class PublicKeys:
    """What others know of a device, in hexadecimal digits: the key to seal for it, and that to verify it by."""

    seal: str
    sign: str

    def sealed(self, key: bytes, about: bytes) -> bytes:
        """A key that this device alone can open, where it is told the same `about`."""
        return _SUITE.encrypt(key, X25519PublicKey.from_public_bytes(bytes.fromhex(self.seal)), about)

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether the device has signed this."""
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.sign)).verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class DeviceKeys:
    """A device's own keys, in hexadecimal digits: 32 bytes each."""

    seal: str = field(repr=False)
    sign: str = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        """Keys that nobody else has."""
        return cls(secrets.token_hex(KEY_BYTES), secrets.token_hex(KEY_BYTES))

    @classmethod
    def of_code(cls, words: str) -> Self:
        """The keys of an invitation. Raises CodeError where a word is mistyped or missing."""
        from mnemonic import Mnemonic  # its lists are large, and seldom needed

        mnemonic = Mnemonic("english")
        given = " ".join(words.lower().split())
        if len(given.split()) * 32 != _CODE_BITS * 3 or not mnemonic.check(given):
            raise CodeError(
                "That is not the code: it is twelve English words, in their order, and one of them is wrong or "
                "missing. Nothing was changed. Read it again; `idiolect sync invite` on a device that shares the "
                "folder makes another."
            )
        entropy = bytes(mnemonic.to_entropy(given))
        both = HKDF(hashes.SHA256(), 2 * KEY_BYTES, None, b"idiolect invitation").derive(entropy)
        return cls(both[:KEY_BYTES].hex(), both[KEY_BYTES:].hex())

    @property
    def public(self) -> PublicKeys:
        """What others may know."""
        seal = X25519PrivateKey.from_private_bytes(bytes.fromhex(self.seal)).public_key()
        return PublicKeys(
            seal.public_bytes_raw().hex(), self._signing().public_key().public_bytes_raw().hex()
        )

    def opened(self, sealed: bytes, about: bytes) -> bytes | None:
        """The key that was sealed for this device; None where it was for another one."""
        private = X25519PrivateKey.from_private_bytes(bytes.fromhex(self.seal))
        try:
            return _SUITE.decrypt(sealed, private, about)
        except (InvalidTag, ValueError):
            return None

    def signature(self, data: bytes) -> bytes:
        """This device's signature of something."""
        return self._signing().sign(data)

    def _signing(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self.sign))


def new_code() -> str:
    """A code of twelve words."""
    from mnemonic import Mnemonic

    return str(Mnemonic("english").generate(_CODE_BITS))


def encrypted(key: bytes, data: bytes, about: bytes) -> bytes:
    """`data`, padded so that its size tells little, under a key of 32 bytes; `about` is authenticated with it."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    whole = len(data).to_bytes(8) + data
    return nonce + AESGCM(key).encrypt(nonce, whole + bytes(_padded(len(whole)) - len(whole)), about)


def decrypted(key: bytes, box: bytes, about: bytes) -> bytes | None:
    """The opposite of `encrypted`; None where the key is another one, or anything was changed."""
    try:
        whole = AESGCM(key).decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], about)
    except (InvalidTag, ValueError):
        return None
    return whole[8 : 8 + int.from_bytes(whole[:8])]


def _padded(size: int) -> int:
    """The next size of few: at most 12 % more, 4 KiB at least (Padmé, Nikitin et al. 2019, section 4)."""
    if size <= _LEAST_BYTES:
        return _LEAST_BYTES
    exponent = size.bit_length() - 1
    zeros = exponent - exponent.bit_length()
    return (size + (1 << zeros) - 1) >> zeros << zeros
