"""Routes for word rules: never suggested, always suggested, never or always corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio.to_thread import run_sync
from typing_extensions import TypedDict

from idiolect.daemon.endpoint.shapes import Body, Name
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.privacy.word_rules import WordChange
from idiolect.daemon.storage.records import NothingToUndoError, WordRule, WordRuleKind
from idiolect.daemon.storage.words import UnknownWordError, WordRefusedError

if TYPE_CHECKING:
    from idiolect.daemon.endpoint.routing import Application
    from idiolect.daemon.service import Service


class WordRuleList(TypedDict):
    """What was decided about words and phrases, oldest first."""

    rules: list[WordRule]


class WordBody(Body):
    """What to decide about a word or phrase; `replacement` belongs to `always_correct` alone."""

    text: Name
    kind: WordRuleKind
    replacement: Name | None = None


class WordRemovalBody(Body):
    """Of which word or phrase to take back what was decided, in all or of one kind."""

    text: Name
    kind: WordRuleKind | None = None


def register(app: Application, service: Service) -> None:
    """Have `app` answer them."""
    choices = service.words

    @app.get("/v1/words", Scope.ADMIN)
    async def word_rules() -> WordRuleList:
        """What was decided about words and phrases, oldest first."""
        return {"rules": await run_sync(choices.all)}

    @app.post("/v1/words/add", Scope.LEARN, errors=(WordRefusedError,))
    async def decide(asked: WordBody) -> WordChange:
        """Decide about a word or phrase; answers with what changed by that."""
        return await run_sync(choices.add, asked.kind, asked.text, asked.replacement)

    @app.post("/v1/words/remove", Scope.LEARN, errors=(WordRefusedError, UnknownWordError))
    async def take_back(asked: WordRemovalBody) -> WordChange:
        """Take back what was decided about a word or phrase; answers with what changed by that."""
        return await run_sync(choices.remove, asked.text, asked.kind)

    @app.post("/v1/words/undo", Scope.LEARN, errors=(NothingToUndoError,))
    async def undo() -> WordChange:
        """Undo the newest change of words by hand; asked again, the one before."""
        return await run_sync(choices.undo)
