"""How an error is told: in idiolect's own form, or in that of the program whose endpoint an address stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from idiolect.daemon.endpoint import shapes

if TYPE_CHECKING:
    from idiolect.models.errors import IdiolectError

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


class Problem(TypedDict):
    """What is wrong: for a program, for a person, and as the exit code of the command line."""

    code: str
    message: str
    exit_code: int


class Failed(TypedDict):
    """An error."""

    error: Problem


class OpenAIProblem(TypedDict):
    """What is wrong: for a person, of which kind, in which field, and for a program."""

    message: str
    type: str
    param: str | None
    code: str


class OpenAIFailed(TypedDict):
    """An error as OpenAI tells it."""

    error: OpenAIProblem


class LlamaProblem(TypedDict):
    """What is wrong: the status, for a person, and of which kind."""

    code: int
    message: str
    type: str


class LlamaFailed(TypedDict):
    """An error as llama.cpp tells it."""

    error: LlamaProblem


def failed(path: str) -> type:
    """How a whole answer looks that tells of an error at the address `path`."""
    return LlamaFailed if path in _LLAMACPP else OpenAIFailed if path.startswith(_OPENAI) else Failed


def status(path: str, own: int) -> int:
    """The status of an error at the address `path`: OpenAI tells 400 of what is told 422 elsewhere.

    By it, clients of OpenAI know that the request is bad (`BadRequestError`).
    """
    return 400 if own == 422 and path.startswith(_OPENAI) else own


def error(path: str, error: IdiolectError, status: int) -> dict[str, Any]:
    """The error as clients of the address `path` read it; in all forms it stands under "error"."""
    if path.startswith(_OPENAI):
        kind = "server_error" if status >= 500 else _OPENAI_TYPES.get(status, "invalid_request_error")
        field = getattr(error, "field", None) or ("model" if error.code == "unknown-model" else None)
        code = _OPENAI_CODES.get(error.code, error.code)
        return {"message": str(error), "type": kind, "param": field, "code": code}
    if path in _LLAMACPP:
        kind = "server_error" if status >= 500 else "invalid_request_error"
        return {"code": status, "message": str(error), "type": _LLAMACPP_TYPES.get(status, kind)}
    return shapes.error_body(error)
