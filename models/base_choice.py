"""The base models of a profile: which ones are built, and which one serves.

The default is in the profile's folder for base models itself; each other one has a folder of its own in `others`, under
its name. Which one serves stands in `chosen.json`, which is replaced as a whole; without it the default serves.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Final

from idiolect.models import durable
from idiolect.models.build import BasePaths, MissingModelError, ensure_base, find_base, whole_base
from idiolect.models.errors import DamagedModelError, ExitCode, IdiolectError
from idiolect.models.fetch import fetch, sha256_of
from idiolect.models.known_bases import DEFAULT, KnownBase, by_name, by_source, fetch_parts

Progress = Callable[[str, float], None]
"""Called with the phase ("fetch" or "build") and the share of it that is done, 0 to 1."""

_CHOSEN: Final = "chosen.json"
_OTHERS: Final = "others"
_ACCEPTED: Final = "accepted-terms"  # holds the SHA-256 of the terms
_MAX_NAME_CHARS: Final = 40
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class UnknownBaseError(IdiolectError):
    """There is no base model of this name."""

    code: ClassVar[str] = "unknown-base"
    exit_code: ClassVar[ExitCode] = ExitCode.BAD_INPUT
    http_status: ClassVar[int] = 404


class TermsNotAcceptedError(IdiolectError):
    """The terms of a base model were not accepted."""

    code: ClassVar[str] = "terms-not-accepted"
    exit_code: ClassVar[ExitCode] = ExitCode.CONFLICT
    http_status: ClassVar[int] = 409


class BaseInUseError(IdiolectError):
    """The base model that serves can't be removed."""

    code: ClassVar[str] = "base-in-use"
    exit_code: ClassVar[ExitCode] = ExitCode.CONFLICT
    http_status: ClassVar[int] = 409


@dataclass(frozen=True)
class Choice:
    """A base model of a profile: its name, the SHA-256 of the GGUF that it is made from, and that file where the user
    gave it."""

    name: str
    sha256: str
    gguf: str | None = None

    @property
    def known(self) -> KnownBase | None:
        """What is known of it, or None: the user gave it."""
        return by_source(self.sha256)


_DEFAULT_CHOICE: Final = Choice(DEFAULT.name, DEFAULT.sha256)


def chosen(folder: Path) -> Choice:
    """The base model that serves, or will once it is built.

    Args:
        folder: where the profile's base models are.

    Raises:
        DamagedModelError: what says so cannot be read.
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


def choose(folder: Path, choice: Choice) -> None:
    """Have another base model serve from the next start of the service on."""
    if choice.name == DEFAULT.name:
        (folder / _CHOSEN).unlink(missing_ok=True)
        durable.sync_folder(folder)
    else:
        durable.write(folder / _CHOSEN, json.dumps(asdict(choice)).encode())


def folder_of(folder: Path, name: str) -> Path:
    """The folder of one base model, where :func:`~idiolect.models.build.find_base` finds it."""
    return folder if name == DEFAULT.name else folder / _OTHERS / name


def serving_folder(folder: Path) -> Path:
    """The folder of the base model that serves. Raises DamagedModelError."""
    return folder_of(folder, chosen(folder).name)


def built(folder: Path) -> dict[str, BasePaths]:
    """The base models that are built here, by name, the default first."""
    found = {}
    for name in here(folder):
        with contextlib.suppress(MissingModelError, DamagedModelError):
            found[name] = find_base(folder_of(folder, name))
    return found


def here(folder: Path) -> tuple[str, ...]:
    """The names of the base models of which anything is here, built or not, the default first."""
    default = (DEFAULT.name,) if (folder / "model").is_dir() else ()
    others = folder / _OTHERS
    names = [path.name for path in others.iterdir() if path.is_dir()] if others.is_dir() else []
    return (*default, *sorted(filter(_NAME.fullmatch, names)))


def name_of(base: BasePaths) -> str:
    """The name by which a base model is listed."""
    known = by_source(base.source_sha256)
    return base.name if known is None else known.name


def resolve(folder: Path, given: str) -> Choice:
    """The base model that is meant: by its name, or by the path of a GGUF.

    Raises:
        UnknownBaseError: there is neither.
    """
    if (known := by_name().get(given)) is not None:
        return Choice(known.name, known.sha256)
    if (there := built(folder).get(given)) is not None:
        return Choice(given, there.source_sha256, there.gguf)
    path = Path(os.path.expanduser(given))
    if os.path.isfile(path):
        sha256 = _sha256(path)
        if (known := by_source(sha256)) is not None:
            return Choice(known.name, sha256, str(path.absolute()))
        return Choice(_name_for(folder, path, sha256), sha256, str(path.absolute()))
    if given in here(folder):
        raise DamagedModelError(
            f"The base model {given} is damaged. Give the path of its GGUF, from which it is built anew."
        )
    import difflib

    names = [*dict.fromkeys([*by_name(), *built(folder)])]
    near = difflib.get_close_matches(given, names, 1)
    raise UnknownBaseError(
        f"There is no base model {given}, and no file of that name."
        + (f" Did you mean {near[0]}?" if near else "")
        + " `idiolect base` lists those that there are; a GGUF is given by its path."
    )


def _name_for(folder: Path, path: Path, sha256: str) -> str:
    """The name for a GGUF of the user's own: its file's, with a part of its hash where another one has that name."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", path.stem).strip(".-")[:_MAX_NAME_CHARS].rstrip(".-") or "own"
    there = built(folder).get(name)
    taken = name in by_name() or (there is not None and there.source_sha256 != sha256)
    return f"{name}-{sha256[:8]}" if taken else name


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise UnknownBaseError(f"{path} cannot be read: {error.strerror}. Make it readable first.") from error


def whole(folder: Path, choice: Choice | None = None) -> BasePaths | None:
    """A base model, by default the one that serves, if it is complete, each file compared with its hash; else None."""
    choice = choice or chosen(folder)
    return whole_base(folder_of(folder, choice.name), choice.sha256)


def fetch_terms(folder: Path, known: KnownBase) -> Path | None:
    """The terms of a base model as HTML, fetched unless they are here; None where it has none of its own.

    Raises:
        IdiolectError: what :func:`~idiolect.models.fetch.fetch` raises.
    """
    if known.terms is None:
        return None
    place = folder_of(folder, known.name)
    place.mkdir(parents=True, exist_ok=True)
    return fetch(place, pin=known.terms.document)


def accept_terms(folder: Path, known: KnownBase) -> None:
    """Remember that the terms of a base model were accepted, as they are today. Raises OSError."""
    if known.terms is not None:
        durable.write(folder_of(folder, known.name) / _ACCEPTED, known.terms.document.member_sha256.encode())


def has_accepted_terms(folder: Path, known: KnownBase) -> bool:
    """Return True if the terms of a base model were accepted as they are today, or it has none of its own."""
    try:
        accepted = (folder_of(folder, known.name) / _ACCEPTED).read_bytes()
    except OSError:
        accepted = b""
    return known.terms is None or accepted == known.terms.document.member_sha256.encode()


def make(
    folder: Path, choice: Choice, progress: Progress | None = None, languages: Sequence[str] = ()
) -> BasePaths:
    """Make a base model of the profile that is missing or damaged. What serves goes on serving.

    Args:
        folder: where the profile's base models are.
        choice: which one.
        progress: see :data:`Progress`.
        languages: see :func:`~idiolect.models.build.ensure_base`.

    Raises:
        IdiolectError: what :func:`~idiolect.models.fetch.fetch` and :func:`~idiolect.models.build.ensure_base` raise.
    """
    place = folder_of(folder, choice.name)
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
    """Return the GGUF of the user's that a base model is made from, or None: it is fetched.

    Raises:
        MissingModelError: that file is gone, or is another one now, and no package holds it.
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
