"""From a GGUF to what the program runs on: tokenizer, ONNX graph, general word list.

A base model is a folder that appears whole or not at all: everything is made in a temporary folder
beside it, listed with its hashes in ``manifest.json``, and moved into place last.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from idiolect.models import durable
from idiolect.models.architecture import Architecture
from idiolect.models.errors import DamagedModelError, ExitCode, IdiolectError
from idiolect.models.fetch import BASE, DiskFullError, fetch, sha256_of, shipped
from idiolect.models.gguf_file import Vocabulary, read_gguf

FORMAT = 3
"""Raised whenever the files change in a way that older files can't be used."""

Progress = Callable[[str, float], None]
"""Called with the phase ("fetch" or "build") and the share of it that is done, 0 to 1."""

_FOLDER = "model"


class MissingModelError(IdiolectError, code="missing-model", exit_code=ExitCode.BASE, http_status=503):
    """There is no base model yet."""


@dataclass(frozen=True)
class BasePaths:
    """A complete base model on disk."""

    folder: Path
    name: str
    source_sha256: str
    config: Architecture
    gguf: str | None = field(default=None, compare=False)  # the path of its source when it was built
    languages: tuple[str, ...] = field(default=(), compare=False)  # whose tokens were kept; () if all were

    @property
    def graph(self) -> Path:
        """The served ONNX graph; its weights lie beside it."""
        return self.folder / "graph.onnx"

    @property
    def tokenizer(self) -> Path:
        """The sentencepiece model."""
        return self.folder / "tokenizer.model"

    @property
    def lexicon(self) -> Path:
        """The general word list."""
        return self.folder / "lexicon.npz"

    @property
    def dictionary(self) -> Path:
        """The tables of a dictionary for the word list."""
        return self.folder / "dictionary.npz"


def ensure_base(
    folder: Path,
    gguf: Path | None = None,
    progress: Progress | None = None,
    *,
    name: str | None = None,
    languages: Sequence[str] = (),
) -> BasePaths:
    """Return the base model in ``folder``, made first if it is missing, damaged or of another GGUF.

    ``gguf`` is the user's own; without it the pinned file is the package's, or is fetched. ``name`` is by default the
    file's. Of a large vocabulary the tokens of ``languages`` and of English are kept, by default of all in
    `word_lists.LANGUAGES`.
    Raises what :func:`~idiolect.models.fetch.fetch` and :func:`~idiolect.models.gguf_file.read_gguf` raise.
    """
    report = progress or (lambda _phase, _done: None)
    wanted = BASE.member_sha256 if gguf is None else sha256_of(_readable(gguf))
    if (present := whole_base(folder, wanted)) is not None:
        return present
    folder.mkdir(parents=True, exist_ok=True)
    fetched = None
    if (source := gguf or shipped(BASE)) is None:
        source = fetched = fetch(folder, lambda done, total: report("fetch", done / total))
        report("fetch", 1.0)
    try:
        base = _build(folder, source, wanted, name or source.stem, languages, report)
    except OSError as error:
        raise DiskFullError(
            f"The base model can't be written to {folder} ({error.strerror}). Make room for 500 MB, "
            "or set IDIOLECT_HOME to another disk."
        ) from error
    if fetched is not None:
        fetched.unlink(missing_ok=True)  # the graph holds the same weights
    return base


def whole_base(folder: Path, wanted: str = BASE.member_sha256) -> BasePaths | None:
    """Return the base model in ``folder`` if it is complete and made from this GGUF (its SHA-256), else None."""
    try:
        present = find_base(folder, verify=True)
    except (MissingModelError, DamagedModelError):
        return None
    return present if present.source_sha256 == wanted else None


def find_base(folder: Path, *, verify: bool = False) -> BasePaths:
    """Return the complete base model in ``folder``; to ``verify`` its files' hashes takes a fifth of a second.

    Raises:
        MissingModelError: there is none.
        DamagedModelError: a file is missing or not as it was written.
    """
    base, files = _read_manifest(folder / _FOLDER)
    for name, (size_bytes, sha256) in files.items():
        path = base.folder / name
        if not path.is_file() or path.stat().st_size != size_bytes or (verify and sha256_of(path) != sha256):
            raise _damaged(base.folder, name)
    return base


def _read_manifest(home: Path) -> tuple[BasePaths, dict[str, tuple[int, str]]]:
    """Return the base model in ``home``, and the size and hash of each of its files."""
    try:
        manifest = json.loads((home / "manifest.json").read_bytes())
        if manifest["format"] == FORMAT:
            config = Architecture(**manifest["config"])
            files = {name: (known["bytes"], known["sha256"]) for name, known in manifest["files"].items()}
            languages = tuple(manifest.get("languages", ()))
            source = manifest["source_sha256"], config, manifest.get("gguf"), languages
            return BasePaths(home, manifest["name"], *source), files
    except FileNotFoundError as error:
        raise MissingModelError(
            "There is no base model yet. Run `idiolect start`, which fetches it."
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(home, "manifest.json") from error
    raise MissingModelError(
        "The base model was built by another version. Run `idiolect start`, which builds it again."
    )


def _build(
    folder: Path, source: Path, source_sha256: str, name: str, languages: Sequence[str], report: Progress
) -> BasePaths:
    with durable.workplace(folder, "build") as work:
        # What only building needs stays out of the serving process.
        from idiolect.models.graph import build_graph
        from idiolect.models.lexicon import ENGLISH, make_word_list
        from idiolect.models.shortlist import choose_tokens
        from idiolect.models.tokenizer import Tokenizer, build_tokenizer
        from idiolect.models.word_lists import LANGUAGES

        # As the time goes with the largest model; a smaller one skips to the third step.
        report("build", 0.0)

        written = [language for language in languages if language in LANGUAGES]
        if written:  # code and trades are English everywhere
            written = [*dict.fromkeys([*written, "en"])]

        def choose(every: Vocabulary) -> Vocabulary:
            chosen = written or LANGUAGES
            return choose_tokens(every, chosen, report=lambda done: report("build", 0.2 + 0.55 * done))

        weights, vocabulary = read_gguf(source, lambda done: report("build", 0.75 + 0.05 * done), choose)
        build_graph(weights, work / "graph.onnx")
        report("build", 0.82)
        build_tokenizer(vocabulary, work / "tokenizer.model")
        report("build", 0.84)
        tokenizer = Tokenizer(work / "tokenizer.model")
        make_word_list(tokenizer, ENGLISH, work / "lexicon.npz", work / "dictionary.npz")
        report("build", 0.95)
        manifest = {
            "format": FORMAT,
            "name": name,
            "gguf": str(source.absolute()),
            "source_sha256": source_sha256,
            "languages": [] if vocabulary.rows is None else written,
            "config": weights.config.to_json(),
            "files": {path.name: _describe(path) for path in sorted(work.iterdir())},
        }
        durable.write(work / "manifest.json", json.dumps(manifest, indent=1).encode())
        final = folder / _FOLDER
        if _is_built(final, work):
            shutil.rmtree(final)
        work.rename(final)  # which the system refuses where a folder is that somebody else has filled
    report("build", 1.0)
    return find_base(folder)


def _is_built(folder: Path, work: Path) -> bool:
    """Return True if a folder holds a base that was built before, or nothing but some of the files in ``work``."""
    if (folder / "manifest.json").exists():
        return True
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= {
        path.name for path in work.iterdir()
    }


def _describe(path: Path) -> dict[str, Any]:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    return {"bytes": path.stat().st_size, "sha256": sha256_of(path)}


def _readable(gguf: Path) -> Path:
    if not (gguf.is_file() and os.access(gguf, os.R_OK)):
        raise MissingModelError(f"There is no readable file {gguf}. Give the path of a GGUF.")
    return gguf


def _damaged(home: Path, name: str) -> DamagedModelError:
    return DamagedModelError(
        f"The base model's {name} in {home} is missing or damaged. Run `idiolect start`, which makes it again."
    )
