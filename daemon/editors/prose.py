"""Where an editor's cursor stands in prose, and which paragraphs a document has, by the language it is written in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from idiolect.daemon.sources import markdown, org, rst
from idiolect.daemon.sources.lines import paragraphs
from idiolect.daemon.sources.replies import own_words

_LOOKED_AT_CHARS: Final = 16_000  # before the cursor, which is more than a model reads
_FENCE: Final = re.compile(r"^[>\s]*(?:`{3,}|~{3,})", re.MULTILINE)
_HEADER_END: Final = re.compile(r"^(?:--text follows this line--)?\n", re.MULTILINE)  # or as Emacs has it
_HEADER: Final = re.compile(r"[\w-]+:")
_SUBJECT: Final = re.compile(r"Subject:[ \t]*", re.IGNORECASE)
_TEX_COMMAND: Final = re.compile(r"\\[A-Za-z@]*\*?$")


def _anywhere(before: str) -> str | None:
    return before


def _in_markdown(before: str) -> str | None:
    return None if len(_FENCE.findall(before)) % 2 else before


def _in_commit(before: str) -> str | None:
    lines = before.split("\n")
    if lines[-1].startswith("#"):
        return None
    return "\n".join(line for line in lines if not line.startswith("#"))


def _in_mail(before: str) -> str | None:
    line = before.rpartition("\n")[2]
    if _HEADER.match(before):
        end = _HEADER_END.search(before)
        if end is None:
            subject = _SUBJECT.match(line)
            return line[subject.end() :] if subject else None
        before = before[end.end() :]
    return None if line.startswith(">") else before


def _in_tex(before: str) -> str | None:
    return None if _TEX_COMMAND.search(before) else before


def _mail(lines: Iterable[str]) -> Iterator[str]:
    text = "\n".join(lines)
    if _HEADER.match(text):
        end = _HEADER_END.search(text)
        text = text[end.end() :] if end else ""
    yield from filter(None, own_words(text).split("\n\n"))


_Prose: TypeAlias = Callable[[str], str | None]
_Read: TypeAlias = Callable[[Iterable[str]], Iterator[str]]

#: By the identifiers that editors give: what of the text before the cursor counts, and what its paragraphs are.
#: Without the latter it is not learned: of a commit message its repository knows the end, and TeX is half code.
_LANGUAGES: Final[dict[str, tuple[_Prose, _Read | None]]] = {
    **dict.fromkeys(("markdown", "quarto", "rmd", "mdx"), (_in_markdown, markdown.prose)),
    **dict.fromkeys(("plaintext", "text", "fundamental", "normal"), (_anywhere, paragraphs)),
    **dict.fromkeys(("rst", "restructuredtext"), (_anywhere, rst.prose)),
    "org": (_anywhere, org.prose),
    **dict.fromkeys(("mail", "message", "email"), (_in_mail, _mail)),
    **dict.fromkeys(("gitcommit", "git-commit", "commit-message"), (_in_commit, None)),
    **dict.fromkeys(("latex", "tex", "plaintex", "context"), (_in_tex, None)),
}
LANGUAGES: Final = frozenset(_LANGUAGES)


def before(text: str, language: str) -> str | None:
    """What of `text`, which ends at the cursor, is prose that goes on there; None where no prose is written.

    No prose: code in Markdown, comments of a commit message, a mail's header except its subject, what it quotes, the
    names of TeX's commands.
    """
    found = _LANGUAGES.get(language, (_anywhere, None))[0](text)
    if found is not None and len(found) > _LOOKED_AT_CHARS:
        # From the start of a line, so that it begins at the same place at the next key.
        cut = found.find("\n", len(found) - _LOOKED_AT_CHARS) + 1
        found = found[cut or len(found) - _LOOKED_AT_CHARS :]
    return found


def is_learned(language: str) -> bool:
    """Whether what is written in a language is learned."""
    return _LANGUAGES.get(language, (_anywhere, None))[1] is not None


def read(text: str, language: str) -> list[str] | None:
    """The paragraphs that are prose; None for a language that is not learned."""
    reader = _LANGUAGES.get(language, (_anywhere, None))[1]
    return None if reader is None else list(reader(text.splitlines()))
