"""The file in which git has an editor write a commit message: the message, and git's comments and diff below it."""

from __future__ import annotations

import itertools
import re
from typing import Final

from idiolect.daemon.text.replies import Reply, near

#: Git's line above a diff, behind the mark of its comments; what it says of a branch; a diff's file, and its hunks.
_SCISSORS: Final = re.compile(r"^([^\s-]{1,8}) -{10,40} >8 -{10,40}$", re.MULTILINE)
_BRANCH: Final = re.compile(
    r"^\S{1,8} (?:On branch|Auf Branch|Sur la branche|En la rama|Sul branch|Op branch|No ramo|På grenen) (\S+)$",
    re.MULTILINE,
)
_FILE: Final = re.compile(r"(?:\+\+\+ [a-z]/|--- [a-z]/)([^\t\n]+)")
_DEFINED: Final = (
    r"\b(?:def|class|function|fn|func|struct|enum|trait|interface|type|module|sub|proc)\s+([^\W\d]\w*)"
)
_IN_CHANGED: Final = re.compile(_DEFINED)
_IN_HUNK: Final = re.compile(rf"{_DEFINED}|\b([^\W\d]\w*)\(")  # of which git says in what function it is
_DIFF_CHARS: Final = 100_000
_LINE_CHARS: Final = 500  # of a diff's line


def split(before: str, behind: str = "") -> Reply:
    """Return the message before the cursor; it answers git's comments and diff."""
    scissors = _SCISSORS.search(behind, 0, _DIFF_CHARS)
    mark = scissors[1] if scissors else "#"
    lines = before.split("\n")
    if lines[-1].startswith(mark) or _SCISSORS.search(near(before)):
        return Reply(None)
    own = near("\n".join(line for line in lines if not line.startswith(mark)))
    start, end = scissors.span() if scissors else (_DIFF_CHARS, _DIFF_CHARS)
    return Reply(own, lambda: [_changes(near(before) + behind[:start], behind[end:_DIFF_CHARS], mark)])


def _changes(comments: str, diff: str, mark: str) -> str:
    """Return the branch and files that git's comments name, and the names that the diff defines or changes."""
    branch = _BRANCH.findall(comments)
    listed = itertools.groupby(comments.split("\n"), lambda line: line.startswith(f"{mark}\t"))
    # The first list has the staged files.
    staged = next(([*lines] for is_list, lines in listed if is_list), [])
    names: dict[str, dict[str, None]] = {line.rpartition(":")[2].strip(): {} for line in staged}
    here: dict[str, None] = {}
    for line in diff.split("\n"):
        if file := _FILE.match(line):
            here = names.setdefault(file[1], {})
        elif line.startswith(("@@ ", "+", "-")):
            pattern = _IN_HUNK if line.startswith("@@ ") else _IN_CHANGED
            here.update((found[found.lastindex or 0], None) for found in pattern.finditer(line[:_LINE_CHARS]))
    return "\n".join(
        [*branch[:1], *(f"{file} ({', '.join(of)})" if of else file for file, of in names.items())]
    )
