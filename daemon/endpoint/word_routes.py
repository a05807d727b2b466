"""The addresses by which the user decides about words: never suggested, always theirs, never or always corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from idiolect.daemon.endpoint import shapes
from idiolect.daemon.endpoint.answers import answer, read_body
from idiolect.daemon.storage.records import WordRule

if TYPE_CHECKING:
    from idiolect.daemon.endpoint.application import Application
    from idiolect.daemon.privacy.word_choices import WordChange
    from idiolect.daemon.service import Service


class WordRules(TypedDict):
    """What was decided about words and phrases, oldest first."""

    rules: list[WordRule]


class WordChanged(TypedDict):
    """The rules that hold since the change, and those that no longer do."""

    added: list[WordRule]
    removed: list[WordRule]


def word_change(change: WordChange) -> WordChanged:
    """The answer to what decides about a word."""
    return {"added": list(change.added), "removed": list(change.removed)}


def register(app: Application, service: Service) -> None:
    """Have `app` answer them."""
    choices = service.words

    @app.get("/v1/words")
    async def word_rules(_request: Request) -> Response:
        """What was decided about words and phrases, oldest first."""
        return answer({"rules": await run_sync(choices.all)})

    @app.post("/v1/words/add", shapes.WordBody)
    async def decide(request: Request) -> Response:
        """Decide about a word or phrase; answers with what changed by that."""
        asked = await read_body(request, shapes.WordBody)
        change = await run_sync(choices.add, asked.kind, asked.text, asked.replacement)
        return answer(word_change(change))

    @app.post("/v1/words/remove", shapes.WordRemovalBody)
    async def take_back(request: Request) -> Response:
        """Take back what was decided about a word or phrase; answers with what changed by that."""
        asked = await read_body(request, shapes.WordRemovalBody)
        return answer(word_change(await run_sync(choices.remove, asked.text, asked.kind)))

    @app.post("/v1/words/undo")
    async def undo(_request: Request) -> Response:
        """Undo the newest change of words by hand; asked again, the one before."""
        return answer(word_change(await run_sync(choices.undo)))
