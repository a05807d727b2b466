"""Reading texts with what each answers, from a file that the user names for an evaluation. Nothing of it is stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from idiolect.adapters.evaluation.eval_split import EvalMessage
from idiolect.daemon.ingest.file_import import saved_at
from idiolect.daemon.serving.answered_text import MAX_ANSWERED_TEXTS, read_answered
from idiolect.daemon.sources.items import NothingToReadError, opened, status
from idiolect.daemon.text.cleaning import cleaned
from idiolect.daemon.text.normalise import normalise
from idiolect.models.errors import ExitCode, IdiolectError

_MAX_BYTES: Final = 32 << 20


class AnswersFileError(IdiolectError, code="answers-file", exit_code=ExitCode.BAD_INPUT, http_status=422):
    """A file is no list of texts with what each of them answers."""


def read_answers(path: Path) -> list[EvalMessage]:
    """Return the texts of the JSON Lines file at ``path`` that answer others, in its order, as old as the file.

    Each line is ``{"text": …, "context": [str, …]}``; other fields are passed over. The texts may hold secrets:
    :func:`without_secrets` takes them out of the texts that are typed. Raises AnswersFileError for another line or a
    file that is too large, NothingToReadError where no text answers another, and the errors of the path.
    """
    at = saved_at(status(path)).astimezone(UTC).isoformat()
    with opened(path) as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise AnswersFileError(
            f"{path} is larger than {_MAX_BYTES >> 20} MB. Give the newest part of it: some hundred texts are enough."
        )
    found = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if line.strip():
            if (pair := _parsed(line)) is None:
                raise AnswersFileError(
                    f'Line {number} of {path} is not like {{"text": "…", "context": ["…"]}}: a text that you wrote, '
                    "and the texts that it answers, the newest last. Mend it, or take it out."
                )
            text, context = pair
            if text and any(context):
                found.append(EvalMessage(text, at, normalise(text), context))
    if not found:
        raise NothingToReadError(
            f"No text in {path} answers another. Give each line its text and its context."
        )
    return found


def without_secrets(messages: Sequence[EvalMessage]) -> list[EvalMessage]:
    """Return ``messages`` with what a suggestion reads of what they answer, and what is learned of them."""
    return [
        EvalMessage(one.text, one.at, cleaned(one.text)[0], (), *read_answered(one.context))
        for one in messages
    ]


class _Line(BaseModel):
    model_config = ConfigDict(strict=True)

    text: str
    context: list[str]


def _parsed(line: bytes) -> tuple[str, tuple[str, ...]] | None:
    """Return a line's text and the texts that it answers; None where it has not both."""
    try:  # the JSON library takes half characters, which pydantic's does not
        found = _Line.model_validate(json.loads(line))
    except (ValueError, RecursionError):
        return None
    return _characters(found.text), tuple(map(_characters, found.context[-MAX_ANSWERED_TEXTS:]))


def _characters(text: str) -> str:
    """Return a text without half characters, which JSON can name and no text has, nor space around it."""
    return text.encode(errors="ignore").decode().strip()
