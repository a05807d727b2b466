"""A store's key sealed with a passphrase, as it lies in the mark of a locked profile.

It is sealed by AES-256-GCM under a key that scrypt (RFC 7914) makes of the passphrase. What scrypt was told is written
beside the sealed key and authenticated with it, so that any tool that knows both can open it. Nothing else is accepted
there: whoever can write the mark must not have the program take hours, or all memory.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Any, Final

from idiolect.models.errors import ExitCode, IdiolectError

if TYPE_CHECKING:  # the library takes 6 MB, and most profiles have no passphrase
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

#: 128 MiB and, on a slow core, half a second for each guess.
_COST: Final = {"n": 2**17, "r": 8, "p": 1}
_FIXED: Final = {"form": "scrypt, AES-256-GCM", **_COST}
_DIGITS: Final = {"salt": 32, "nonce": 24, "sealed": 96}  # hexadecimal: 16, 12, and 32 bytes with a tag of 16


class WrongPassphraseError(IdiolectError, code="wrong-passphrase", exit_code=ExitCode.STORE, http_status=403):
    """The profile was locked with another passphrase, or no passphrase was given."""

    def __init__(self) -> None:
        """Say that another passphrase may be tried."""
        super().__init__("This is not the passphrase that the profile was locked with. Try again.")


def seal(key: str, passphrase: str) -> dict[str, Any]:
    """A key of 64 hexadecimal digits, sealed: what to write down, ready for JSON."""
    mark: dict[str, Any] = {**_FIXED, "salt": secrets.token_hex(16), "nonce": secrets.token_hex(12)}
    sealed = _cipher(mark, passphrase).encrypt(
        bytes.fromhex(mark["nonce"]), bytes.fromhex(key), _authenticated(mark)
    )
    return mark | {"sealed": sealed.hex()}


def open_sealed(mark: dict[str, Any], passphrase: str) -> str:
    """The key that was sealed, 64 hexadecimal digits.

    Raises WrongPassphraseError (also where something was changed in the mark), and ValueError where it is no mark.
    """
    from cryptography.exceptions import InvalidTag

    if not all(_is_hex(mark.get(name), count) for name, count in _DIGITS.items()):
        raise ValueError("something is missing, or not of its form")
    if json.dumps({name: mark.get(name) for name in _FIXED}) != json.dumps(_FIXED):
        raise ValueError("something is not of its form")
    try:
        key = _cipher(mark, passphrase).decrypt(
            bytes.fromhex(mark["nonce"]), bytes.fromhex(mark["sealed"]), _authenticated(mark)
        )
    except InvalidTag:
        raise WrongPassphraseError from None
    return key.hex()


def _cipher(mark: dict[str, Any], passphrase: str) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return AESGCM(Scrypt(bytes.fromhex(mark["salt"]), 32, **_COST).derive(passphrase.encode()))


def _authenticated(mark: dict[str, Any]) -> bytes:
    """What is sealed with the key without being secret."""
    return json.dumps({name: mark[name] for name in (*_FIXED, "salt", "nonce")}, sort_keys=True).encode()


def _is_hex(value: object, count: int) -> bool:
    return isinstance(value, str) and re.fullmatch(rf"[0-9a-f]{{{count}}}", value) is not None
