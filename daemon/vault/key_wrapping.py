"""A store's key, sealed with a passphrase: AES-256-GCM under a key that scrypt (RFC 7914) makes of the passphrase.

Both are the library `cryptography`'s. What scrypt was told is written beside the sealed key, so that its cost can grow
without shutting anybody out; it is authenticated with the key, and bounded when it is read.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from idiolect.models.errors import IdiolectError

_FORM: Final = "scrypt, AES-256-GCM"
_MAX_MEMORY_BYTES: Final = 2**30  # that a guess may cost, whoever wrote the mark


class WrongPassphraseError(IdiolectError):
    """The profile was locked with another passphrase, or with one where none was given."""

    code: ClassVar[str] = "wrong-passphrase"
    exit_code: ClassVar[int] = 81
    http_status: ClassVar[int] = 403

    def __init__(self) -> None:
        """Say that another one may be tried."""
        super().__init__("This is not the passphrase that the profile was locked with. Try again.")


@dataclass(frozen=True)
class _Sealed:
    """A sealed key, and what scrypt is told: 128 MiB and, on a slow core, half a second for each guess.

    `salt` (16 bytes), `nonce` (12) and `sealed` (32 and a tag of 16) are hexadecimal digits.
    """

    salt: str
    nonce: str
    sealed: str
    form: str = _FORM
    n: int = 2**17
    r: int = 8
    p: int = 1

    def cipher(self, passphrase: str) -> AESGCM:
        kdf = Scrypt(salt=bytes.fromhex(self.salt), length=32, n=self.n, r=self.r, p=self.p)
        return AESGCM(kdf.derive(passphrase.encode()))

    @property
    def authenticated(self) -> bytes:
        """What is sealed with the key without being secret."""
        told = {name: value for name, value in asdict(self).items() if name != "sealed"}
        return json.dumps(told, sort_keys=True).encode()

    @property
    def possible(self) -> bool:
        """Whether it can be a mark of this program's: of its form, and of a cost between mild and absurd."""
        digits = {"salt": 32, "nonce": 24, "sealed": 96}
        return (
            self.form == _FORM
            and all(_is_hex(getattr(self, name), count) for name, count in digits.items())
            and all(type(cost) is int and cost > 0 for cost in (self.n, self.r, self.p))
            and self.n & (self.n - 1) == 0
            and self.n >= 2**14
            and 128 * self.n * self.r <= _MAX_MEMORY_BYTES
            and self.p <= 16
        )


def seal(key: str, passphrase: str) -> dict[str, Any]:
    """A key of 64 hexadecimal digits, sealed: what to write down, ready for JSON."""
    made = _Sealed(secrets.token_hex(16), secrets.token_hex(12), "")
    sealed = made.cipher(passphrase).encrypt(
        bytes.fromhex(made.nonce), bytes.fromhex(key), made.authenticated
    )
    return asdict(made) | {"sealed": sealed.hex()}


def opened(mark: dict[str, Any], passphrase: str) -> str:
    """The key that was sealed, 64 hexadecimal digits.

    Raises WrongPassphraseError (also where something was changed in the mark), and ValueError where it is no mark.
    """
    try:
        kept = _Sealed(**{field.name: mark[field.name] for field in fields(_Sealed)})
    except KeyError:
        raise ValueError("something is missing") from None
    if not kept.possible:
        raise ValueError("something is not of its form")
    cipher = kept.cipher(passphrase)
    try:
        key = cipher.decrypt(bytes.fromhex(kept.nonce), bytes.fromhex(kept.sealed), kept.authenticated)
    except InvalidTag:
        raise WrongPassphraseError from None
    return key.hex()


def _is_hex(value: object, count: int) -> bool:
    return isinstance(value, str) and re.fullmatch(rf"[0-9a-f]{{{count}}}", value) is not None
