"""The other clients of a soak: an editor, llama.cpp's and OpenAI's plug-ins, and the page, each as itself.

Each takes what it types from ``texts``, counts in a :class:`~load.Caller` what was answered and what went wrong, and
goes on until ``ended`` is set.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from itertools import count, cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
from common import IDIOLECT
from lsprotocol import types
from pygls.lsp.client import LanguageClient

if TYPE_CHECKING:
    from load import Caller

_BEGUN = 24  # paragraphs that a document has when it is opened: more than is looked at
_KEY_S, _LINE_S, _INFILL_S, _COMPLETION_S, _PAGE_S = 0.25, 2.0, 4.0, 10.0, 3.0


def edit(caller: Caller, home: Path, texts: list[str], ended: threading.Event) -> None:
    """Type in an editor with a language server, a completion for each letter; each line is saved and learned."""
    asyncio.run(_edit(caller, home, texts, ended))


async def _edit(caller: Caller, home: Path, texts: list[str], ended: threading.Event) -> None:
    editor = LanguageClient("editor", "1")
    editor.feature(types.WINDOW_SHOW_MESSAGE)(lambda _message: caller.errors.update(["editor"]))
    await editor.start_io(*IDIOLECT, "lsp", env={**os.environ, "IDIOLECT_HOME": str(home)})
    await editor.initialize_async(
        types.InitializeParams(types.ClientCapabilities(), initialization_options={"learn": True})
    )
    editor.initialized(types.InitializedParams())
    uri, versions = (home.parent / "letter.md").as_uri(), count(2)
    begun = [" ".join(text.split()) for text in texts[:_BEGUN]]
    whole = "".join(f"{text}\n\n" for text in begun)
    here = types.TextDocumentIdentifier(uri)
    editor.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "markdown", 1, whole))
    )
    for line, letter, text in _letters(texts[_BEGUN:], _BEGUN):
        if ended.is_set():
            break
        at = types.Position(2 * line, len(text) - 1)
        change = types.TextDocumentContentChangePartial(types.Range(at, at), letter)
        place = types.VersionedTextDocumentIdentifier(next(versions), uri)
        editor.text_document_did_change(types.DidChangeTextDocumentParams(place, [change]))
        whole += letter
        if letter.endswith("\n"):
            editor.text_document_did_save(types.DidSaveTextDocumentParams(here, whole))
            continue
        at = types.Position(2 * line, len(text))
        answer = await editor.text_document_completion_async(types.CompletionParams(here, at))
        caller.done += 1
        caller.errors.update(["no completion"] * (answer is None))
        await asyncio.sleep(_KEY_S)
    await editor.shutdown_async(None)
    editor.exit(None)
    await editor.stop()


def _letters(texts: list[str], first: int) -> Iterator[tuple[int, str, str]]:
    """Paragraph, letter and the paragraph with it, from the ``first`` on; behind each an empty line."""
    for line, text in enumerate(texts, first):
        flat = " ".join(text.split())
        for end in range(1, len(flat) + 1):
            yield line, flat[end - 1], flat[:end]
        yield line, "\n\n", flat + " "


def infill(caller: Caller, texts: list[str], ended: threading.Event) -> None:
    """Ask for what goes in between, as llama.cpp's plug-ins do."""
    for text in cycle(texts):
        if ended.wait(_INFILL_S):
            return
        caller.ask("/infill", {"input_prefix": text[:40], "input_suffix": "", "n_predict": 8})


def complete(caller: Caller, texts: list[str], ended: threading.Event) -> None:
    """Go on from texts with OpenAI's own client, in pieces as they come."""
    with openai.OpenAI(base_url=f"{caller.url}/v1", api_key=caller.token, timeout=120) as client:
        for text in cycle(texts):
            if ended.wait(_COMPLETION_S):
                return
            try:
                for _piece in client.completions.create(
                    model="idiolect", prompt=text, max_tokens=16, stream=True
                ):
                    pass
            except openai.OpenAIError as error:
                caller.errors[type(error).__name__] += 1
            else:
                caller.done += 1


def look(caller: Caller, get: Any, ended: threading.Event) -> None:
    """Look at what the page shows."""
    for path in cycle(["/v1/status", "/v1/report", "/v1/adapters", "/v1/audit"]):
        if ended.wait(_PAGE_S):
            return
        status = get(path).status_code
        caller.done += status == 200
        caller.errors.update([f"{path} {status}"] * (status != 200))
