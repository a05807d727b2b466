"""Reading requests and answering them: bodies with a limit, JSON, and errors in one form."""

from __future__ import annotations

from typing import ClassVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from idiolect.daemon.endpoint import shapes
from idiolect.daemon.process import UnauthorizedError
from idiolect.models.errors import IdiolectError


class NoRouteError(IdiolectError):
    """There is no such address, or it does not take this method."""

    code: ClassVar[str] = "no-route"
    exit_code: ClassVar[int] = 66
    http_status: ClassVar[int] = 404


async def read_body(request: Request, kind: type[shapes.AnyBody]) -> shapes.AnyBody:
    """The request's body, checked. Raises TooLargeError, MalformedError and InvalidRequestError."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > shapes.MAX_BODY_BYTES:
        raise shapes.too_large()
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > shapes.MAX_BODY_BYTES:
            raise shapes.too_large()
    return shapes.parse(bytes(raw), kind)


def answer(content: object, status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(shapes.encode(content), status, media_type="application/json")


def refuse(error: IdiolectError, status: int | None = None) -> Response:
    """An error as an answer; `status` in the place of its own."""
    refusal = answer({"error": shapes.error_body(error)}, status or error.http_status)
    if isinstance(error, UnauthorizedError):
        refusal.headers["www-authenticate"] = "Bearer"
    return refusal


def handle_errors(app: FastAPI) -> None:
    """Have `app` answer with JSON also where a request fails."""

    @app.exception_handler(IdiolectError)
    async def known(_request: Request, error: IdiolectError) -> Response:
        return refuse(error)

    @app.exception_handler(RequestValidationError)
    async def bad_query(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return refuse(shapes.InvalidRequestError(shapes.sentence(first["loc"][1:], first["msg"])))

    @app.exception_handler(HTTPException)
    async def no_route(_request: Request, error: HTTPException) -> Response:
        message = "There is no such address or method; `GET /openapi.json` lists all."
        refusal = refuse(NoRouteError(message), error.status_code)
        refusal.headers.update(error.headers or {})
        return refusal
