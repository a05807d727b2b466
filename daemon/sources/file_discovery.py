"""Which files of a folder are read: all but those that a pattern or an `.idiolectignore` excludes."""

from __future__ import annotations

import fnmatch
import functools
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import re2
from pathspec import GitIgnoreSpec

from idiolect.daemon.runtime.os_errors import NoSuchPathError
from idiolect.daemon.sources import kinds
from idiolect.daemon.sources.items import Skipped, UnreadableError, explained
from idiolect.models.regular_files import read_regular

#: The name of the files that say what in their folder is not to be read, in the language of `.gitignore`.
IGNORE_FILE: Final = ".idiolectignore"

_MAX_BYTES: Final = 64 << 10  # of an `.idiolectignore`
_MAX_LINES: Final = 1000
_LONGEST_LINE: Final = 1024
_KEPT: Final = 64  # of these files' patterns, compiled: RE2 may take some megabytes for one

#: Why a file is skipped that is of no kind which can be read.
OTHER_TYPE: Final = "other file type"
NOT_FINISHED: Final = "not finished"  # the time was up before all was looked at

_NAMED_TYPES: Final = 5
#: Types whose programs can save what is written in them as one that is read.
_SAVED_ELSEWHERE: Final = frozenset(
    {
        ".doc",
        ".epub",
        ".fodt",
        ".htm",
        ".html",
        ".key",
        ".odp",
        ".pages",
        ".pdf",
        ".ppt",
        ".pptx",
        ".sxw",
        ".tex",
        ".wpd",
        ".wps",
    }
)
_HIDDEN: Final = ".*"  # of the patterns that are built in: hidden files and folders


#: Holds for all that is in a folder.
_EVERYTHING: Final = GitIgnoreSpec.from_lines(["*"])


class Exclusion:
    """Globs of paths that are never read, in any letter case.

    A pattern without a slash is meant for each part of a path below the root (`.git`, `*.key`); one
    with a slash for the whole path, or for the end of it if the pattern is relative; `*` stands for
    slashes too, and what is in an excluded folder is excluded.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        """Compile `patterns`; `~` at the start of one is the user's home folder."""
        names, paths = [], []
        for pattern in patterns:
            if "/" not in pattern.rstrip("/"):
                names.append(pattern.rstrip("/"))
                continue
            whole = os.path.expanduser(pattern).rstrip("/")
            whole = whole if whole.startswith("/") else f"*/{whole}"
            paths += [fnmatch.translate(whole), fnmatch.translate(f"{whole}/*")]
        self._names = _any_of(names)
        self._but_hidden = _any_of(name for name in names if name != _HIDDEN)
        self._paths = re.compile("|".join(paths) or r"(?!)", re.IGNORECASE)

    def covers(self, path: Path, root: Path, *, hidden: bool = True) -> bool:
        """Whether `path`, in `root` or equal to it, is excluded. The root's own folders do not matter.

        Without `hidden`, the pattern `.*`, which holds for whatever is hidden, does not count.
        """
        parts = path.relative_to(root).parts if path != root else (path.name,) if path.is_file() else ()
        names = self._names if hidden else self._but_hidden
        return any(map(names.match, parts)) or self._paths.match(path.as_posix()) is not None


def _any_of(globs: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(fnmatch.translate, globs)) or r"(?!)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Patterns:
    """What an `.idiolectignore` says; `problem`: why it cannot be used."""

    spec: GitIgnoreSpec
    problem: str | None = None


class IgnoreRules:
    """What the `.idiolectignore` files in a folder and the folders below it leave out, each for all below it.

    They are written as `.gitignore` files are; the nearest file that says something about a path decides. A folder
    may come from somebody else: such a file is read only if it is regular and small, and its patterns are matched by
    RE2, in a time that grows with the path alone. What cannot be used leaves out all that is in its folder, since
    its owner wanted something to be left out. Contents are kept as long as they do not change.
    """

    def __init__(self, *, lasting: bool = False) -> None:
        """`lasting`: the files may come and change while this is used."""
        self._lasting = lasting
        self._read = functools.lru_cache(_KEPT)(_read_patterns)
        self._absent: set[Path] = set()

    def covers(self, path: Path, root: Path, *, folder: bool = False) -> bool:
        """Whether `path`, below `root`, or a folder that it is in, is left out; `folder`: it is one itself."""
        below = path.relative_to(root).parts
        names = list(map(_matchable, below))
        specs: list[tuple[int, GitIgnoreSpec]] = []
        for depth in range(len(names)):
            if (patterns := self._patterns(root.joinpath(*below[:depth]))) is not None:
                specs.append((depth, patterns.spec))
            last = depth == len(names) - 1
            for base, known in reversed(specs):
                name = "/".join(names[base : depth + 1]) + ("/" if folder or not last else "")
                said = known.check_file(name).include
                if said:
                    return True
                if said is not None:
                    break
        return False

    def problem(self, folder: Path) -> str | None:
        """Why the `.idiolectignore` in a folder cannot be used; None where it can, or there is none."""
        patterns = self._patterns(folder)
        return None if patterns is None else patterns.problem

    def _patterns(self, folder: Path) -> _Patterns | None:
        if folder in self._absent:
            return None
        file = folder / IGNORE_FILE
        try:
            return self._read(file, file.lstat().st_mtime_ns)
        except OSError:
            if not self._lasting:
                self._absent.add(folder)
            return None


def _read_patterns(file: Path, _saved_ns: int) -> _Patterns:
    try:
        lines = read_regular(file, _MAX_BYTES).decode(errors="ignore").splitlines()
        if len(lines) > _MAX_LINES or any(len(line) > _LONGEST_LINE for line in lines):
            problem = f"it has more than {_MAX_LINES} lines, or one of more than {_LONGEST_LINE} characters"
        else:
            return _Patterns(GitIgnoreSpec.from_lines(lines, backend="re2"))
    except OSError as error:
        problem = error.strerror or "it cannot be read"
    except (ValueError, re.error, re2.error):
        problem = "its patterns cannot be understood, or are too many"
    return _Patterns(_EVERYTHING, problem)


def _matchable(name: str) -> str:
    """A file's name as patterns see it: RE2 takes only what is UTF-8, and `*` stands for no line break."""
    return name.encode(errors="replace").decode().replace("\n", "\ufffd")


def find(
    path: Path, exclude: Sequence[str], *, until: Callable[[], bool] = lambda: False
) -> Iterator[Path | Skipped]:
    """The documents to read at `path` (a file, or a folder with all in it), in order of name; or a source itself.

    A source is a file or folder of another kind in `kinds.KINDS`; it is read only where it is given itself, and so
    is a file without a suffix. Links are not followed. Once `until` is true, no more is looked for. Raises
    NoSuchPathError, UnreadableError (of `path` itself).
    """
    exclusion = Exclusion(exclude)
    with explained(path):
        mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        yield Skipped(path, "symbolic link")
    elif exclusion.covers(path, path):
        yield Skipped(path, "excluded")
    elif not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        yield Skipped(path, "not a regular file")
    elif kinds.kind_of(path) is not None:
        yield path
    elif stat.S_ISDIR(mode):
        yield from _walk(path, exclusion, IgnoreRules(), until)
    else:
        yield Skipped(path, OTHER_TYPE)


def said_of_others(types: Mapping[str, int]) -> str:
    """What is told of files of other types, by how their names end: how many of which, and what can be done."""
    ordered = sorted(types, key=lambda suffix: (-types[suffix], suffix))
    named = [f"{types[suffix]:,} {_printable(suffix)}" for suffix in ordered[:_NAMED_TYPES]]
    if rest := sum(types[suffix] for suffix in ordered[_NAMED_TYPES:]):
        named.append(f"{rest:,} others")
    said = f"Of other types: {', '.join(named)}."
    if written := [suffix for suffix in ordered if suffix in _SAVED_ELSEWHERE]:
        said += f" Save {' and '.join(written[:3])} as .docx or .txt to have them read."
    return said


def _printable(suffix: str) -> str:
    return suffix if 1 < len(suffix) <= 12 and suffix.isprintable() else "without a type"


def _walk(
    root: Path, exclusion: Exclusion, ignored: IgnoreRules, until: Callable[[], bool]
) -> Iterator[Path | Skipped]:
    folders = [root]
    while folders and not until():
        folder = folders.pop()
        try:
            with explained(folder), os.scandir(folder) as scan:
                found = sorted(scan, key=lambda entry: entry.name)
        except (NoSuchPathError, UnreadableError):
            if folder == root:
                raise
            yield Skipped(folder, "unreadable", f"{folder} cannot be read")
            continue
        if (problem := ignored.problem(folder)) is not None:
            note = f"{folder / IGNORE_FILE}: {problem}; nothing in its folder is read"
            yield Skipped(folder, "with an .idiolectignore that cannot be used", note)
            continue
        inner = []
        for entry in found:
            path = Path(entry.path)
            is_folder = entry.is_dir(follow_symlinks=False)
            if exclusion.covers(path, folder):
                yield Skipped(path, "excluded")
            elif entry.is_symlink():
                yield Skipped(path, "symbolic link")
            elif ignored.covers(path, root, folder=is_folder):
                yield Skipped(path, "left out by .idiolectignore")
            elif is_folder:
                inner.append(path)
            elif kinds.document_at(path) is None:
                yield Skipped(path, OTHER_TYPE)
            elif not entry.is_file(follow_symlinks=False):
                yield Skipped(path, "not a regular file")
            elif not _is_utf8(entry.name):
                yield Skipped(path, "file name is not UTF-8")
            else:
                yield path
        folders += reversed(inner)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
