"""The prose of a document, by language: the text before the cursor, what that answers, and the paragraphs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from idiolect.daemon.sources import markdown
from idiolect.daemon.text.lines import paragraphs
from idiolect.daemon.text.replies import Reply, is_quoted, mail_body, near, own_words, split, split_mail

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


def in_commit_message(before: str, behind: str = "") -> Reply:
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


_FENCE: Final = re.compile(r"^(?:>|[^\S\n])*(?:`{3,}|~{3,})", re.MULTILINE)
_TEX_COMMAND: Final = re.compile(r"\\[A-Za-z@]*\*?$")


def _anywhere(before: str, _behind: str) -> Reply:
    return Reply(near(before))


def _in_markdown(before: str, behind: str) -> Reply:
    if len(_FENCE.findall(before)) % 2:
        return Reply(None)
    if is_quoted(before.rpartition("\n")[2]):  # Markdown has quotations of its own
        return Reply(near(before))
    return split(before, behind)


def _in_tex(before: str, _behind: str) -> Reply:
    return Reply(None if _TEX_COMMAND.search(before) else near(before))


def _text(lines: Iterable[str]) -> Iterator[str]:
    yield from paragraphs("" if is_quoted(line) else line for line in lines)


def _mail(lines: Iterable[str]) -> Iterator[str]:
    yield from filter(None, own_words(mail_body("\n".join(lines))).split("\n\n"))


_Prose: TypeAlias = Callable[[str, str], Reply]
_Read: TypeAlias = Callable[[Iterable[str]], Iterator[str]]

#: By the editors' names of languages: the prose around the cursor, and the reader of paragraphs. A language without a
#: reader is not learned: a commit message is read from its repository, and TeX is half code.
_LANGUAGES: Final[dict[str, tuple[_Prose, _Read | None]]] = {
    **dict.fromkeys(("markdown", "quarto", "rmd", "mdx"), (_in_markdown, markdown.read_paragraphs)),
    **dict.fromkeys(
        ("plaintext", "text", "fundamental", "normal", "rst", "restructuredtext", "org"), (split, _text)
    ),
    **dict.fromkeys(("mail", "message", "email"), (split_mail, _mail)),
    **dict.fromkeys(("gitcommit", "git-commit", "commit-message"), (in_commit_message, None)),
    **dict.fromkeys(("latex", "tex", "plaintex", "context"), (_in_tex, None)),
}
LANGUAGES: Final = frozenset(_LANGUAGES)


def reply(before: str, behind: str, language: str) -> Reply:
    """Return the prose that goes on at the cursor, and the text that the document answers.

    No prose: code in Markdown, comments of a commit message, a mail's header except its subject, quotations, the names
    of TeX's commands.
    """
    return _LANGUAGES.get(language, (_anywhere, None))[0](before, behind)


def is_learned(language: str) -> bool:
    """Return whether texts in a language are learned."""
    return _LANGUAGES.get(language, (_anywhere, None))[1] is not None


def read(text: str, language: str) -> list[str] | None:
    """Return the paragraphs of prose; None for a language that is not learned."""
    reader = _LANGUAGES.get(language, (_anywhere, None))[1]
    return None if reader is None else list(reader(text.splitlines()))
