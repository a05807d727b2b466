"""The local page that `idiolect open` shows: its files, and the link that begins a session.

The files hold nothing of the user's and are given to anyone; what the page shows, its script asks of the
same addresses as other programs do, with the session's cookie in the place of the token.
"""

from __future__ import annotations

from importlib import resources
from pathlib import PurePath

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from idiolect.daemon.endpoint.page_sessions import CODE_S, Sessions, cookie_name
from idiolect.daemon.endpoint.routing import Application, JsonObject
from idiolect.daemon.runtime.process import Running
from idiolect.daemon.runtime.tokens import Scope
from idiolect.models.errors import ExitCode, IdiolectError

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


class NoPageError(IdiolectError, code="no-page", exit_code=ExitCode.CONFLICT, http_status=409):
    """A browser cannot reach the service, which listens on a Unix socket."""


def add_page(app: Application, sessions: Sessions, running: Running) -> None:
    """Add the page's addresses to `app`."""
    folder = resources.files("idiolect.daemon.endpoint") / "page"
    files = {file.name: file.read_bytes() for file in folder.iterdir()}

    def answer(name: str) -> Response:
        return Response(files[name], headers=_HEADERS, media_type=_TYPES[PurePath(name).suffix])

    @app.post("/v1/open", Scope.ADMIN)
    async def begin() -> JsonObject:
        """A link that opens the page in a browser, once and soon."""
        if running.socket is not None:
            raise NoPageError(
                "The service listens on a Unix socket, which a browser cannot reach. "
                "Set `unix_socket` to false and start it again to use the page."
            )
        return {"url": f"{running.url}/open?code={sessions.begin()}", "expires_s": CODE_S}

    @app.get("/open", Scope.NONE)  # it takes a code of its own
    async def enter(request: Request) -> Response:
        """Take the code for a cookie; with a code that is no good the page says how to get a link."""
        entered = RedirectResponse("/page/", 303, _HEADERS)
        if (cookie := sessions.redeem(request.query_params.get("code", ""))) is not None:
            name = cookie_name(running.port)
            entered.set_cookie(name, cookie, httponly=True, samesite="strict", path="/")
        return entered

    @app.get("/", Scope.NONE)
    async def root() -> Response:
        """Show the page, which says how to open it where there is no session."""
        return RedirectResponse("/page/", 303, _HEADERS)

    @app.get("/page/", Scope.NONE)
    async def index() -> Response:
        return answer("index.html")

    @app.get("/page/{name}", Scope.NONE)
    async def file(name: str) -> Response:
        if name not in files:
            raise HTTPException(404)
        return answer(name)
