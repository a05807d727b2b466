"""The link to the service: what it makes of each way in which an answer can come, or not come."""

import asyncio
import os

import pytest

from idiolect.daemon.clients.service_link import ServiceLink
from idiolect.daemon.runtime import process, tokens
from idiolect.daemon.runtime.process import Running
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.settings import Settings

GOOD = b'HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{"n": "\xc3\xa9"}'
LAST = GOOD.replace(b"\r\ncontent", b"\r\nConnection: close\r\ncontent")
BUSY = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\n{}"
STALE = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture
def talk(tmp_path, monkeypatch):
    """`talk(*answers, ask=...)`: what `ask` makes of a service that answers so, and how many connections there were.

    An answer None closes the connection in its place; a service that has given the last of them says nothing more.
    """
    settings = Settings(home=tmp_path / "profile").prepare()
    token = tokens.make(settings, Scope.LEARN).encode()
    monkeypatch.setattr(process, "lives", lambda *_: True)

    async def run(answers, ask):
        left, connections = list(answers), []

        async def serve(reader, writer):
            connections.append(writer)
            while left and (head := await reader.read(4096)):
                assert b"\r\nAuthorization: Bearer " + token + b"\r\n" in head
                answer = left.pop(0)
                if answer is None:
                    break
                writer.write(answer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        running = Running(os.getpid(), f"http://127.0.0.1:{port}", port, None, "now")
        monkeypatch.setattr(process, "find", lambda _: running)
        link = ServiceLink(settings, Scope.LEARN)
        try:
            return await ask(link), len(connections)
        finally:
            await link.close()
            server.close()
            for writer in connections:
                writer.close()
            await asyncio.gather(*(one.wait_closed() for one in connections), return_exceptions=True)

    return lambda *answers, ask: asyncio.run(run(answers, ask))


async def ask_once(link):
    return await link.ask("POST", "/v1/suggest", {"prefix": "é"})


async def ask_twice(link):
    return [await ask_once(link), await ask_once(link)]


def test_one_connection_carries_the_requests(talk):
    assert talk(GOOD, GOOD, b"", ask=ask_twice) == ([{"n": "é"}] * 2, 1)


def test_requests_at_once_go_over_connections_of_their_own(talk):
    async def both(link):
        return await asyncio.gather(ask_once(link), ask_once(link))

    assert talk(GOOD, GOOD, b"", ask=both) == ([{"n": "é"}] * 2, 2)


@pytest.mark.parametrize(
    "answers",
    [(LAST, GOOD), (GOOD, None, GOOD), (GOOD, STALE, GOOD), (GOOD, GOOD[:-3], GOOD)],
    ids=["told to be the last", "closed", "another token", "broken off"],
)
def test_a_connection_of_no_more_use_is_replaced(talk, answers):
    async def ask(link):
        if GOOD[:-3] not in answers:
            return await ask_twice(link)
        first, second = await ask_once(link), asyncio.ensure_future(ask_once(link))
        await asyncio.sleep(0.05)
        second.cancel()  # the rest of its answer must not stand for the next one's
        await asyncio.gather(second, return_exceptions=True)
        return [first, await ask_once(link)]

    assert talk(*answers, b"", ask=ask) == ([{"n": "é"}] * 2, 2)


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-OpenSSH_9.9\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 100_000],
    ids=["another protocol", "without a length", "a head without end"],
)
def test_what_is_no_answer_of_the_services_is_none(talk, answer):
    found, connections = talk(answer, answer, ask=ask_once)
    assert (found, connections) == (None, 2)


def test_a_refusal_is_told_from_what_is_worth_a_retry(talk):
    async def send(link):
        return await link.send("/v1/history", {"text": "Hi"}), await link.send("/v1/history", {"text": "Hi"})

    assert talk(GOOD.replace(b"200", b"422"), BUSY, b"", ask=send)[0] == (True, False)
