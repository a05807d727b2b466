"""What tests of several folders share."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def needs_program() -> Callable[[str, str], str]:
    """`needs_program("xvfb-run", "xvfb")`: the program's path; without it the test is skipped.

    The second argument names the system package that holds it. Where CI is "true" nothing is skipped:
    a missing package is a failure there.
    """

    def need(program: str, package: str) -> str:
        if found := shutil.which(program):
            return found
        message = f"needs the program {program}, which is in the system package {package}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)

    return need


@pytest.fixture
def plain_pages() -> Callable[[Path, str], bytes]:
    """`plain_pages(path, key)`: every page of an encrypted store and its log, deciphered, unused space too.

    The layout is SQLCipher 4's: 4,096-byte pages that end in a 16-byte initialisation vector and a
    64-byte HMAC; page 1 begins with a 16-byte salt. The log has a header of 32 bytes and one of 24 before
    each page, the page's number first. Done here by hand so that nothing that SQLite considers free is
    left out.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    def decipher(path: Path, key: str) -> bytes:
        data, log = path.read_bytes(), path.with_name(f"{path.name}-wal")
        assert len(data) % 4096 == 0
        pages = [(start == 0, data[start : start + 4096]) for start in range(0, len(data), 4096)]
        if log.exists():
            data = log.read_bytes()
            frames = [data[start : start + 4120] for start in range(32, len(data), 4120)]
            pages += [(int.from_bytes(frame[:4], "big") == 1, frame[24:]) for frame in frames]
        plain = []
        for first, page in pages:
            body = page[16 if first else 0 : 4016]
            cipher = Cipher(algorithms.AES(bytes.fromhex(key)), modes.CBC(page[4016:4032])).decryptor()
            plain.append(cipher.update(body) + cipher.finalize())
        return b"".join(plain)

    return decipher
