"""The pages of an encrypted store, deciphered by hand, so that nothing that SQLite considers free is left out."""

from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def plain_pages(path: Path, key: str) -> bytes:
    """Every page of a store and its log, deciphered, unused space too.

    The layout is SQLCipher 4's: 4,096-byte pages that end in a 16-byte initialisation vector and a
    64-byte HMAC; page 1 begins with a 16-byte salt. The log has a header of 32 bytes and one of 24 before
    each page, the page's number first.
    """
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
