"""Routes for another base model: its terms, and going over to it."""

from __future__ import annotations

from functools import partial

from anyio.to_thread import run_sync

from idiolect.daemon.endpoint.routing import Application, JsonObject
from idiolect.daemon.endpoint.shapes import Body, Name
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.service import Service
from idiolect.daemon.serving.base_change import BaseTerms


class BaseBody(Body):
    """A known base model, by its name."""

    base: Name


class UseBaseBody(BaseBody):
    """The base model to go over to; `accept_terms`: its user has read its terms, and accepts them."""

    accept_terms: bool = False


def register(app: Application, service: Service) -> None:
    """Have `app` answer them."""
    change = service.base_change

    @app.post("/v1/bases/terms", Scope.ADMIN)
    async def terms(asked: BaseBody) -> BaseTerms:
        return await run_sync(change.terms, asked.base)

    @app.post("/v1/bases/use", Scope.ADMIN)
    async def use_base(asked: UseBaseBody) -> JsonObject:
        languages = await run_sync(lambda: service.certain_languages)
        begin = partial(change.begin, asked.base, languages, accepted=asked.accept_terms)
        return {"base": asked.base, "begun": await run_sync(begin)}
