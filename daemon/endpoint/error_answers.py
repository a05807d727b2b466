"""Errors as HTTP answers: in idiolect's own form, or in that of OpenAI's or llama.cpp's endpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from idiolect.daemon.endpoint.routing import Application, GoneError, SlowBodyError
from idiolect.daemon.endpoint.shapes import encode, error_body
from idiolect.daemon.runtime.os_errors import refusal
from idiolect.daemon.runtime.process import UnauthorizedError
from idiolect.daemon.serving.model_queue import BusyError
from idiolect.models.errors import ExitCode, IdiolectError

_OPENAI = ("/v1/completions", "/v1/chat/", "/v1/models")
_LLAMACPP = ("/infill", "/completion", "/props", "/health")

#: What OpenAI's own service calls it; other errors keep the name that they have here.
_OPENAI_CODES = {
    "unauthorized": "invalid_api_key",
    "unknown-model": "model_not_found",
    "busy": "rate_limit_exceeded",
}
_OPENAI_TYPES = {429: "rate_limit_error", 403: "permission_error"}
_LLAMACPP_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "unavailable_error",
    503: "unavailable_error",
}


class NoRouteError(IdiolectError, code="no-route", exit_code=ExitCode.BAD_INPUT, http_status=404):
    """There is no such address, or it does not take this method."""


class InternalError(IdiolectError, code="internal", exit_code=ExitCode.UNEXPECTED, http_status=500):
    """A mistake in the program; what happened is in the log."""


def status(path: str, own: int) -> int:
    """The status of an error at the address `path`: OpenAI answers 400 where other addresses answer 422.

    By it, clients of OpenAI know that the request is bad (`BadRequestError`).
    """
    return 400 if own == 422 and path.startswith(_OPENAI) else own


def described(path: str, error: IdiolectError, status: int) -> dict[str, Any]:
    """The error as clients of the address `path` read it; in all forms it stands under "error"."""
    if path.startswith(_OPENAI):
        kind = "server_error" if status >= 500 else _OPENAI_TYPES.get(status, "invalid_request_error")
        field = getattr(error, "field", None) or ("model" if error.code == "unknown-model" else None)
        code = _OPENAI_CODES.get(error.code, error.code)
        return {"message": str(error), "type": kind, "param": field, "code": code}
    if path in _LLAMACPP:
        kind = "server_error" if status >= 500 else "invalid_request_error"
        return {"code": status, "message": str(error), "type": _LLAMACPP_TYPES.get(status, kind)}
    return error_body(error)


def refuse(error: IdiolectError, path: str, own: int | None = None) -> Response:
    """An error as an answer, as clients of the address `path` read it; `own` takes the place of its status."""
    code = status(path, own or error.http_status)
    answer = Response(encode({"error": described(path, error, code)}), code, media_type="application/json")
    if isinstance(error, UnauthorizedError):
        answer.headers["www-authenticate"] = "Bearer"
    elif isinstance(error, BusyError):
        answer.headers["retry-after"] = str(error.retry_after_s)
    elif isinstance(error, SlowBodyError):
        answer.headers["connection"] = "close"  # the rest of the body is not waited for
    return answer


def internal(log_path: Path) -> InternalError:
    """The error of a client that meets a mistake in the program."""
    return InternalError(f"Something went wrong inside the service. Where it was is in {log_path}.")


def handle_errors(app: Application, home: Path) -> None:
    """Have `app` answer with JSON also where a request fails; `home` is the profile's folder."""

    async def refused(request: Request, error: Exception) -> Response:
        if (known := refusal(error, home)) is None:
            raise error
        return refuse(known, request.scope["path"])

    async def known(request: Request, error: Exception) -> Response:
        return refuse(cast("IdiolectError", error), request.scope["path"])

    async def gone(_request: Request, _error: Exception) -> Response:
        return Response(status_code=499)  # as other servers note it; it goes nowhere

    async def no_route(request: Request, error: Exception) -> Response:
        unrouted = cast("HTTPException", error)
        message = "There is no such address or method; docs/endpoint.md lists all."
        if request.url.path.startswith("/v1/chat/"):
            message = "This service goes on with a text and does not chat. Ask `/v1/completions`."
        refusal = refuse(NoRouteError(message), request.scope["path"], unrouted.status_code)
        refusal.headers.update(unrouted.headers or {})
        if unrouted.status_code == 405:
            # Starlette names the methods of one route, and an address may have two.
            fitting = [route for route in app.answered if route.matches(request.scope)[0] is not Match.NONE]
            refusal.headers["allow"] = ", ".join(sorted({route.method for route in fitting}))
        return refusal

    app.add_exception_handler(OSError, refused)
    app.add_exception_handler(IdiolectError, known)
    app.add_exception_handler(GoneError, gone)
    app.add_exception_handler(HTTPException, no_route)
