"""A git repository's commit messages: what its authors wrote, without what git and other tools did."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final

from idiolect.daemon.runtime.pipes import pipe
from idiolect.daemon.sources.items import Item, Skipped
from idiolect.daemon.sources.lines import unwrapped
from idiolect.models.errors import IdiolectError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import IO

_GENERATED_SUBJECT: Final = re.compile(
    r"^(?:Merge (?:branch|branches|commit|pull request|remote-tracking branch|tag|changes)\b"
    r"|(?:Revert|Reapply) \"|(?:fixup|squash|amend)! "
    r"|Bump \S+ from \S+ to \S+|vault backup\b|v?\d+(?:\.\d+)+$)"
)
_TRAILER: Final = re.compile(
    r"^(?:[A-Z][A-Za-z]*(?:-[A-Za-z]+)*-(?:by|to|id|url|link|text)|Closes|Fixes|Refs?|Bug|Cc|CC|Link|See-also"
    r"|Change-Id|BREAKING-CHANGE): \S|^\(cherry picked from commit ",
    re.IGNORECASE,
)
_REVERTS: Final = re.compile(r"^This reverts commit [0-9a-f]{7,}")


class GitError(IdiolectError):
    """A repository's history cannot be read."""

    code: ClassVar[str] = "git"
    exit_code: ClassVar[int] = 49
    http_status: ClassVar[int] = 422


def git_folder(path: Path) -> Path | None:
    """The git folder that `path` is (a `.git`, or a bare repository); None for any other path."""
    bare = all((path / name).exists() for name in ("HEAD", "objects", "refs"))
    return path if path.name == ".git" or bare else None


def head(folder: Path) -> str | None:
    """The id of the newest commit; None where there is none yet. Raises GitError."""
    _git(folder, "rev-parse", "--git-dir")
    found = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", allowed=(0, 1))
    return found.strip() or None


def read_git(
    path: Path, *, authors: Sequence[str] = (), since: str | None = None
) -> Iterator[Item | Skipped]:
    """The messages of the commits that HEAD reaches, newest first: subject and body, as one item each.

    `path` is a repository or its git folder; `authors` the names or addresses of the only authors wanted, in any
    letter case; `since` the id of a commit whose ancestors are already known. Merges, generated subjects and
    trailers are left out. Streamed. Raises GitError.
    """
    folder = path if git_folder(path) else path / ".git"
    command = ["log", "--no-merges", "--encoding=UTF-8", "--no-show-signature", "--use-mailmap"]
    command += ["--format=%aI%x00%aN%x00%aE%x00%B%x00"]
    command += [
        *(f"--author={_author(author)}" for author in authors),
        "--fixed-strings",
        "--regexp-ignore-case",
    ]
    command += ["HEAD", f"^{since}"] if since and _knows(folder, since) else ["HEAD"]
    offset = 0
    wanted = {author.casefold().strip() for author in authors}
    for ordinal, (at, name, address, message) in enumerate(_records(folder, command)):
        offset += len(message)
        if wanted.isdisjoint((name.casefold().strip(), address.casefold().strip())) and wanted:
            continue
        text = written(message)
        if text:
            yield Item(text, _time(at), ordinal, offset)
        else:
            yield Skipped(folder, "generated commit messages")


def _author(wanted: str) -> str:
    """An address or a name as `git log --author` finds it, which looks for a part of `NAME <ADDRESS>`.

    It saves us most of what others wrote, not all: a name is found at the end of a longer one, too.
    """
    return f"<{wanted}>" if "@" in wanted else f"{wanted} <"


def authors(folder: Path) -> list[tuple[str, int]]:
    """The addresses of those who wrote the commits that HEAD reaches, with how many each. Raises GitError."""
    if head(folder) is None:
        return []
    addresses = _git(folder, "log", "--no-merges", "--format=%aE", "HEAD").split("\n")
    return Counter(address for address in addresses if address).most_common()


def configured(folder: Path) -> tuple[str, ...]:
    """The addresses that git is configured to commit with in this repository, each once. Raises GitError."""
    found = _git(folder, "config", "--get-all", "user.email", allowed=(0, 1))
    return tuple(dict.fromkeys(line.strip() for line in found.splitlines() if line.strip()))


def written(message: str) -> str:
    """What a person wrote of a commit message, its wrapped lines joined; empty where it was generated."""
    if _GENERATED_SUBJECT.match(message):
        return ""
    paragraphs = [part.splitlines() for part in re.split(r"\n\s*\n", message.strip()) if part.strip()]
    while len(paragraphs) > 1 and any(map(_TRAILER.match, paragraphs[-1])):
        paragraphs[-1] = [line for line in paragraphs[-1] if not _TRAILER.match(line)]
        if paragraphs[-1]:
            break
        paragraphs.pop()
    kept = [
        unwrapped([line.strip() for line in lines]) for lines in paragraphs if not _REVERTS.match(lines[0])
    ]
    return "\n\n".join(kept)


def _time(at: str) -> datetime | None:
    try:
        return datetime.fromisoformat(at)
    except ValueError:  # a time zone that there is not, in a damaged commit
        return None


def _knows(folder: Path, commit: str) -> bool:
    return bool(_git(folder, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", allowed=(0, 1, 128)))


def _command(folder: Path, arguments: list[str]) -> list[str]:
    return ["git", "--no-pager", f"--git-dir={folder}", *arguments]


def _git(folder: Path, *arguments: str, allowed: tuple[int, ...] = (0,)) -> str:
    try:
        done = subprocess.run(
            _command(folder, list(arguments)),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        raise GitError("The program git is needed to read commit messages. Install it.") from None
    if done.returncode not in allowed:
        raise _failed(folder)
    return done.stdout.decode(errors="ignore")


def _failed(folder: Path) -> GitError:
    return GitError(f"git cannot read the history in {folder}. Is it a whole repository, and your own?")


def _records(folder: Path, arguments: list[str]) -> Iterator[tuple[str, str, str, str]]:
    with subprocess.Popen(
        _command(folder, arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            fields = _fields(pipe(process.stdout))
            for at, name, address, message in zip(fields, fields, fields, fields, strict=False):
                yield at.strip(), name, address, message
        except GeneratorExit:
            process.kill()
            raise
    if process.returncode:
        raise _failed(folder)


def _fields(stream: IO[bytes]) -> Iterator[str]:
    """What stands before each NUL of the stream."""
    rest = b""
    while block := stream.read(65_536):
        *whole, rest = (rest + block).split(b"\0")
        for part in whole:
            yield part.decode(errors="ignore")
