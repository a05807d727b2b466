"""The check after a setup: it asks the service through the language server, as the editor will."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Sequence
from typing import Any

from idiolect.daemon.runtime.pipes import pipe

_TEXT = "Thanks for the "
_DOCUMENT = "untitled:idiolect"


def words_from(
    command: Sequence[str], environment: dict[str, str], timeout_s: float = 60.0
) -> list[str] | None:
    """The words that the language server offers behind a common beginning; None where it does not answer."""
    place = {"textDocument": {"uri": _DOCUMENT}, "position": {"line": 0, "character": len(_TEXT)}}
    opened = {"uri": _DOCUMENT, "languageId": "plaintext", "version": 1, "text": _TEXT}
    messages: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": {"processId": os.getpid(), "capabilities": {}}},
        {"method": "initialized", "params": {}},
        {"method": "textDocument/didOpen", "params": {"textDocument": opened}},
        {"id": 2, "method": "textDocument/completion", "params": place},
    ]
    try:
        server = subprocess.Popen(
            ["env", *(f"{name}={value}" for name, value in environment.items()), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None
    end = threading.Timer(timeout_s, server.kill)
    end.start()
    try:
        for message in messages:
            _send(server, message)
        found = _answer(server, 2)
        _send(server, {"id": 3, "method": "shutdown", "params": None})
        _answer(server, 3)
        _send(server, {"method": "exit", "params": None})
        server.wait()
    except (OSError, ValueError, EOFError):
        return None
    finally:
        end.cancel()
        server.kill()
        server.wait()
    return [item["label"] for item in (found or {}).get("items", [])] or None


def _send(server: subprocess.Popen[bytes], message: dict[str, Any]) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    stdin = pipe(server.stdin)
    stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    stdin.flush()


def _answer(server: subprocess.Popen[bytes], number: int) -> dict[str, Any] | None:
    """The result of the request with this number. Raises EOFError, ValueError."""
    stdout = pipe(server.stdout)
    while True:
        length = 0
        while (head := stdout.readline()).strip():
            name, _, value = head.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        if not head:
            raise EOFError
        message = json.loads(stdout.read(length))
        if message.get("id") == number and "method" not in message:
            result: dict[str, Any] | None = message.get("result")
            return result
