"""The base models of a profile: which are built, and which serves.

The default is in the profile's folder for base models itself; every other has a folder in `others`, under its
name. `chosen.json` names the serving one and is replaced as a whole; without it the default serves.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from idiolect.models import durable
from idiolect.models.build import BasePaths, MissingModelError, Progress, ensure_base, find_base, whole_base
from idiolect.models.errors import DamagedModelError, ExitCode, IdiolectError
from idiolect.models.fetch import fetch, sha256_of
from idiolect.models.known_bases import DEFAULT, KnownBase, bases_by_name, fetch_parts, find_known_base

_CHOSEN: Final = "chosen.json"
_OTHERS: Final = "others"
_ACCEPTED: Final = "accepted-terms"  # holds the SHA-256 of the terms
_MAX_NAME_CHARS: Final = 40
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_AROUND_TERMS: Final = "style, script, .nocontent, [role=navigation], devsite-toc, devsite-thumb-rating"


class UnknownBaseError(IdiolectError, code="unknown-base", exit_code=ExitCode.BAD_INPUT, http_status=404):
    """There is no base model of this name."""


class TermsNotAcceptedError(
    IdiolectError, code="terms-not-accepted", exit_code=ExitCode.CONFLICT, http_status=409
):
    """The terms of a base model were not accepted."""


class BaseInUseError(IdiolectError, code="base-in-use", exit_code=ExitCode.CONFLICT, http_status=409):
    """The base model that serves can't be removed."""


@dataclass(frozen=True)
class Choice:
    """A base model of a profile: its name, the SHA-256 of its GGUF, and the path of a GGUF of the user's own."""

    name: str
    sha256: str
    gguf: str | None = None

    @property
    def known(self) -> KnownBase | None:
        """The known base model that this is, or None."""
        return find_known_base(self.sha256)


_DEFAULT_CHOICE: Final = Choice(DEFAULT.name, DEFAULT.sha256)


def read_choice(folder: Path) -> Choice:
    """Return the base model that serves, or will once it is built; ``folder`` has the profile's base models.

    Raises DamagedModelError where the choice cannot be read.
    """
    try:
        choice = Choice(**json.loads((folder / _CHOSEN).read_bytes()))
        if not (isinstance(choice.name, str) and _NAME.fullmatch(choice.name)):
            raise ValueError("it is no name of a base model")
        return choice
    except (FileNotFoundError, NotADirectoryError):
        return _DEFAULT_CHOICE
    except (OSError, ValueError, TypeError) as error:
        raise DamagedModelError(
            f"Which base model serves cannot be read from {folder / _CHOSEN}. Choose it again: "
            f"`idiolect base use {DEFAULT.name}`, or another one that `idiolect base` lists."
        ) from error


def write_choice(folder: Path, choice: Choice) -> None:
    """Make a base model serve from the next start of the service on."""
    if choice.name == DEFAULT.name:
        (folder / _CHOSEN).unlink(missing_ok=True)
        durable.sync_folder(folder)
    else:
        durable.write(folder / _CHOSEN, json.dumps(asdict(choice)).encode())


def base_folder(folder: Path, name: str) -> Path:
    """Return the folder of one base model, as :func:`~idiolect.models.build.find_base` takes it."""
    return folder if name == DEFAULT.name else folder / _OTHERS / name


def serving_folder(folder: Path) -> Path:
    """Return the folder of the base model that serves. Raises DamagedModelError."""
    return base_folder(folder, read_choice(folder).name)


def find_built_bases(folder: Path) -> dict[str, BasePaths]:
    """Return the built base models by name, the default first."""
    found = {}
    for name in list_base_names(folder):
        with contextlib.suppress(MissingModelError, DamagedModelError):
            found[name] = find_base(base_folder(folder, name))
    return found


def list_base_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the base models that have a folder, built or not, the default first."""
    default = (DEFAULT.name,) if (folder / "model").is_dir() else ()
    others = folder / _OTHERS
    names = [path.name for path in others.iterdir() if path.is_dir()] if others.is_dir() else []
    return (*default, *sorted(filter(_NAME.fullmatch, names)))


def name_of(base: BasePaths) -> str:
    """Return the name by which a base model is listed."""
    known = find_known_base(base.source_sha256)
    return base.name if known is None else known.name


def resolve_base(folder: Path, name_or_path: str) -> Choice:
    """Return the base model that has this name, or is made from the GGUF at this path. Raises UnknownBaseError."""
    if (known := bases_by_name().get(name_or_path)) is not None:
        return Choice(known.name, known.sha256)
    if (there := find_built_bases(folder).get(name_or_path)) is not None:
        return Choice(name_or_path, there.source_sha256, there.gguf)
    path = Path(os.path.expanduser(name_or_path))
    if os.path.isfile(path):
        sha256 = _sha256(path)
        if (known := find_known_base(sha256)) is not None:
            return Choice(known.name, sha256, str(path.absolute()))
        return Choice(_name_for(folder, path, sha256), sha256, str(path.absolute()))
    if name_or_path in list_base_names(folder):
        raise DamagedModelError(
            f"The base model {name_or_path} is damaged. Give the path of its GGUF, from which it is built anew."
        )
    other = "that is a folder" if path.is_dir() else "no file of that name"
    near = difflib.get_close_matches(name_or_path, {**bases_by_name(), **find_built_bases(folder)}, 1)
    raise UnknownBaseError(
        f"There is no base model “{name_or_path}”, and {other}."
        + (f" Did you mean {near[0]}?" if near else "")
        + " `idiolect base` lists those that there are; a GGUF is given by its path."
    )


def _name_for(folder: Path, path: Path, sha256: str) -> str:
    """Return a name for a GGUF of the user's own: that of its file, with a part of its hash if the name is taken."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", path.stem).strip(".-")[:_MAX_NAME_CHARS].rstrip(".-") or "own"
    there = find_built_bases(folder).get(name)
    taken = name in bases_by_name() or (there is not None and there.source_sha256 != sha256)
    return f"{name}-{sha256[:8]}" if taken else name


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise UnknownBaseError(f"{path} cannot be read: {error.strerror}. Make it readable first.") from error


def find_whole_base(folder: Path, choice: Choice | None = None) -> BasePaths | None:
    """Return a base model, or None unless each of its files has the right hash."""
    choice = choice or read_choice(folder)
    return whole_base(base_folder(folder, choice.name), choice.sha256)


def fetch_terms(folder: Path, known: KnownBase) -> Path | None:
    """Return the file of a base model's terms (HTML), fetched unless it is here; None if it has no terms of its own.

    Raises what :func:`~idiolect.models.fetch.fetch` raises.
    """
    if known.terms is None:
        return None
    place = base_folder(folder, known.name)
    place.mkdir(parents=True, exist_ok=True)
    return fetch(place, pin=known.terms.document)


def read_terms(document: Path) -> str:
    """Return the terms as text, without what stands around them on their page."""
    from selectolax.lexbor import LexborHTMLParser  # no service needs it before somebody asks for them

    article = LexborHTMLParser(document.read_bytes()).css_first("article")
    for hidden in article.css(_AROUND_TERMS) if article is not None else ():
        hidden.decompose()
    lines = article.text(separator="").splitlines() if article is not None else []
    return "\n".join(line.strip() for line in lines if line.strip())


def accept_terms(folder: Path, known: KnownBase) -> None:
    """Remember that the terms of a base model were accepted, as they are today. Raises OSError."""
    if known.terms is not None:
        place = base_folder(folder, known.name) / _ACCEPTED
        durable.write(place, known.terms.document.member_sha256.encode())


def has_accepted_terms(folder: Path, known: KnownBase) -> bool:
    """Return True if the terms of a base model were accepted as they are today, or it has none of its own."""
    try:
        accepted = (base_folder(folder, known.name) / _ACCEPTED).read_bytes()
    except OSError:
        accepted = b""
    return known.terms is None or accepted == known.terms.document.member_sha256.encode()


def make_base(
    folder: Path, choice: Choice, progress: Progress | None = None, languages: Sequence[str] = ()
) -> BasePaths:
    """Make a base model of the profile that is missing or damaged, while another one may serve.

    ``languages`` and the errors are those of :func:`~idiolect.models.build.ensure_base`.
    """
    place = base_folder(folder, choice.name)
    report = progress or (lambda _phase, _done: None)
    gguf, known = require_source(choice), choice.known
    if gguf is None and choice.name == DEFAULT.name:
        return ensure_base(place, None, report)
    place.mkdir(parents=True, exist_ok=True)
    try:
        if gguf is not None or known is None:
            return ensure_base(place, gguf, report, name=choice.name, languages=languages)
        fetched = fetch_parts(place, known, lambda done, total: report("fetch", done / total))
        base = ensure_base(place, fetched, report, name=choice.name, languages=languages)
        fetched.unlink(missing_ok=True)  # the graph holds the same weights
        return base
    except IdiolectError:
        with contextlib.suppress(OSError):
            place.rmdir()  # what is not empty stays
        raise


def require_source(choice: Choice) -> Path | None:
    """Return the user's GGUF that a base model is made from, or None if it is fetched.

    Raises MissingModelError where that file is gone or was replaced, and no package holds it.
    """
    path = None if choice.gguf is None else Path(choice.gguf)
    why = f"its GGUF {path} is not there any more"
    if path is None:
        why = "it is not known which GGUF it was made from"
    elif path.is_file():
        if _sha256(path) == choice.sha256:
            return path
        why = f"its GGUF {path} is another file now"
    if choice.known is not None:
        return None
    raise MissingModelError(
        f"The base model {choice.name} has to be made anew, and {why}. Give the path of its GGUF with "
        f"`idiolect base use PATH`, or go back with `idiolect base use {DEFAULT.name}`."
    )
