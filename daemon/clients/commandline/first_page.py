"""The page that a browser shows while the first start goes on, where it was begun from a menu: nobody sees a terminal.

It is served by the command itself, to whoever asks for it first, and leads on to the page of the service. What starts
a browser is told the address, and other users of the machine can read that; so it opens nothing a second time.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from idiolect.daemon.clients.commandline.terminal import Terminal

_WAIT_S: Final = 30.0  # for the browser, which asks each second
_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>idiolect</title>
<style nonce="@">
body { font: 100%/1.5 system-ui, sans-serif; max-width: 40rem; margin: 15vh auto; padding: 0 1rem; }
</style>
</head>
<body><main><h1>idiolect is being set up</h1><p role="status"></p></main>
<script nonce="@">
const [title, says] = document.querySelectorAll("h1, p");
async function look() {
  const now = await (await fetch(`${location.pathname}/now`, { cache: "no-store" })).json();
  if (now.leads_to) return location.replace(now.leads_to);
  title.textContent = now.title;
  if (says.textContent !== now.says) says.textContent = now.says;
  if (!now.ended) setTimeout(look, 1000);
}
look();
</script>
</body>
</html>
"""
_ONCE: Final = "This is done once, and takes about a minute. Then idiolect opens here by itself."


@dataclass(frozen=True)
class _Now:
    """What the page shows: a heading, a sentence, the address that it leads on to, and whether no more is to come."""

    title: str = "idiolect is being set up"
    says: str = _ONCE
    leads_to: str | None = None
    ended: bool = False


class FirstPage(Terminal):
    """Shows in a browser what a command says while it sets the program up.

    Attributes:
        url: where the page is.
    """

    def __init__(self) -> None:
        """Serve the page from now on."""
        super().__init__()
        self._now, self._phase, self._told = _Now(), "", threading.Event()
        self._is_open = False  # a browser has it
        path, nonce, cookie = (f"{before}{secrets.token_urlsafe()}" for before in ("/", "", "first="))
        policy = (
            f"default-src 'none'; connect-src 'self'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'"
        )
        html, page = _PAGE.replace('"@"', f'"{nonce}"').encode(), self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                now = page._now
                answers = {path: ("text/html", html), f"{path}/now": ("application/json", _json(now))}
                is_first = not page._is_open and self.path == path
                if self.path not in answers or not (
                    is_first or cookie in self.headers.get("Cookie", "").split("; ")
                ):
                    return self.send_error(404)
                page._is_open = True
                kind, body = answers[self.path]
                self.send_response(200)
                if is_first:
                    self.send_header("Set-Cookie", f"{cookie}; Path={path}; HttpOnly; SameSite=Strict")
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Security-Policy", policy)
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)
                if now.ended and body is not html:
                    page._told.set()
                return None

            def log_message(self, *_: object) -> None:
                """Log nothing: the address is secret."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}{path}"

    def note(self, sentence: str) -> None:
        """Show a phase of the work, or, where the line is indented, how much of it is done."""
        super().note(sentence)
        done = sentence.strip() if sentence.startswith(" ") else ""
        if not done:
            self._phase = sentence.replace("base model", "language model")
        self._now = replace(self._now, says=f"{_ONCE} {self._phase} {done}".strip())

    @contextlib.contextmanager
    def waiting(self, what: str) -> Iterator[Callable[[str], None]]:
        """Show that something is under way."""
        self.note(f"{what} …")
        yield lambda now: self.note(f"{now} …")

    def lead_to(self, url: str) -> bool:
        """Send the browser to another address; returns whether it has heard of that."""
        return self._end(replace(self._now, leads_to=url, ended=True))

    def fail(self, sentence: str) -> None:
        """Show why it ended."""
        self._end(_Now("idiolect could not be set up", sentence, ended=True))

    def _end(self, last: _Now) -> bool:
        self._now = last
        told = self._told.wait(_WAIT_S)
        self._server.shutdown()
        self._server.server_close()
        return told


def _json(now: _Now) -> bytes:
    return json.dumps(asdict(now)).encode()
