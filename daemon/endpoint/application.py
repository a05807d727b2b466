"""The application: its addresses, and what each of them takes.

The document that tells of them is made only when somebody asks for it (`schema.py`): most services never are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from pydantic import BaseModel

Handler = Callable[[Request], Awaitable[Response]]


class Address(Route):
    """An address with one method: the shapes of its request's body and query; `listed`: the document tells of it."""

    def __init__(
        self,
        path: str,
        handler: Handler,
        method: str,
        *,
        body: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
        listed: bool = True,
    ) -> None:
        super().__init__(path, handler, methods=[method], include_in_schema=listed)
        self.methods = {method}  # Route adds HEAD to GET
        self.method = method
        self.body = body
        self.query = query


class Application(Starlette):
    """The addresses that are answered, and by which functions; `described` in the document, once that is made."""

    described: dict[str, Any] | None = None

    @property
    def addresses(self) -> list[Address]:
        """All addresses, in the order in which they are looked through."""
        return [route for route in self.routes if isinstance(route, Address)]

    def get(
        self, path: str, *, query: type[BaseModel] | None = None, listed: bool = True
    ) -> Callable[[Handler], Handler]:
        """Register what answers a GET with such a query."""

        def register(handler: Handler) -> Handler:
            self.routes.append(Address(path, handler, "GET", query=query, listed=listed))
            return handler

        return register

    def post(
        self, path: str, body: type[BaseModel] | None = None, *, listed: bool = True
    ) -> Callable[[Handler], Handler]:
        """Register what answers a POST with such a body."""

        def register(handler: Handler) -> Handler:
            self.routes.append(Address(path, handler, "POST", body=body, listed=listed))
            return handler

        return register
