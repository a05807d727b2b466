"""The prose of a document, by language: the text before the cursor, and the paragraphs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from idiolect.daemon.clients.editors import commit_message_file
from idiolect.daemon.sources import markdown
from idiolect.daemon.text.lines import paragraphs
from idiolect.daemon.text.replies import Reply, is_quoted, mail_body, near, own_words, split, split_mail

_FENCE: Final = re.compile(r"^[>\s]*(?:`{3,}|~{3,})", re.MULTILINE)
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
    **dict.fromkeys(("gitcommit", "git-commit", "commit-message"), (commit_message_file.split, None)),
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
