"""The child process that reads files for the service: ``python -m idiolect.daemon.sources.reader_child BYTES``.

A line of JSON on standard input is an order; lines of JSON on standard output are what was found, cleaned, in batches.
A file may be made to take much memory, much time, or to run into a mistake of a library: all of it happens here, at
the lowest priority, in at most BYTES of memory, without a network where the system lets a process give it up, and the
service ends the process when a file takes too long. It ends by itself when the service does.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import math
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

from idiolect.adapters.training.child import give_way, orders
from idiolect.daemon.sources import commit_messages, git_config, kinds
from idiolect.daemon.sources.file_discovery import NOT_FINISHED, OTHER_TYPE, find, said_of_others
from idiolect.daemon.sources.items import (
    BEYOND_LIMIT,
    FoundFile,
    Item,
    LimitError,
    Skipped,
    refuse_large,
    status,
)
from idiolect.daemon.sources.people import AuthorFilter
from idiolect.daemon.sources.reader_messages import Found, packed
from idiolect.daemon.sources.source_discovery import places
from idiolect.daemon.text.cleaning import cleaned
from idiolect.daemon.text.redaction.redact import kinds_found
from idiolect.models.errors import IdiolectError
from idiolect.models.hardening import shield

_CLONE_NEWUSER: Final = 0x1000_0000  # <linux/sched.h>
_CLONE_NEWNET: Final = 0x4000_0000
_BATCH_CHARS: Final = 1 << 16
_BATCH_S: Final = 0.25
_BEFORE_CHARS: Final = 160  # of the paragraph before one that are read with it: a label
_MAX_ITEM_CHARS: Final = 1_000_000


def main(most_bytes: int) -> int:
    """Carry out orders until standard input ends; the exit status."""
    _leave_network()
    shield()
    give_way()
    sys.excepthook = lambda _kind, _error, _trace: None
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not end up among the answers
    _limit_memory(most_bytes)
    _say(answers, {"ready": True})
    for order in orders(0):
        with _ending_with_the_service():
            last = _answer(json.loads(order), answers)
        _say(answers, last)  # the service may send the next order as soon as it has read this
        if "memory" in last:
            return 1
    return 0


def _say(answers: IO[bytes], what: dict[str, Any]) -> None:
    answers.write(json.dumps(what).encode() + b"\n")
    answers.flush()


def _answer(order: dict[str, Any], answers: IO[bytes]) -> dict[str, Any]:
    """Send what an order finds; how it ended."""
    batches = _Batches(answers, order.get("from", 0), each=order.get("each", False))
    value: Any = None
    try:
        if order["do"] == "look":
            value = _look(Path(order["path"]))
        elif order["do"] == "clean":
            value = [cleaned(*text) for text in order["texts"]]
        elif order["do"] == "secrets":
            value = [kinds_found(text) for text in order["texts"]]
        else:
            try:
                for found in _found(order):
                    batches.add(found)
            finally:  # what came before a fault was read
                batches.send()
    except MemoryError:
        return {"memory": True}
    except IdiolectError as error:
        return {"error": [error.code, str(error)]}
    except Exception as error:  # noqa: BLE001 (a reader that meets what nobody has thought of; the next file is read)
        [*_, last] = traceback.extract_tb(error.__traceback__, limit=-1) or [None]
        where = f" at {os.path.basename(last.filename)}:{last.lineno} in {last.name}" if last else ""
        return {"broken": f"{type(error).__name__}{where}"}
    return {"end": value}


def _found(order: dict[str, Any]) -> Iterator[Found]:
    path = Path(order["path"])
    if order["do"] == "find":
        yield from _files(path, order["exclude"], order["most"], order["within_s"])
    elif order["do"] == "places":
        yield from places(path, order["exclude"])
    else:
        try:
            yield from islice(_pieces(path, order), order["most"])
        except LimitError as error:
            yield Skipped(path, BEYOND_LIMIT, f"{path.name}: {error}")


def _files(path: Path, exclude: list[str], most: int | None, within_s: float | None) -> Iterator[Found]:
    ends_at = math.inf if within_s is None else time.monotonic() + within_s
    count = 0
    others: Counter[str] = Counter()
    for found in find(path, exclude, until=lambda: time.monotonic() >= ends_at):
        if isinstance(found, Skipped):
            if found.reason == OTHER_TYPE:
                others[found.path.suffix.lower()] += 1
            yield found
            continue
        count += 1
        if most is not None and count > most:
            return
        try:
            about = status(found)
        except IdiolectError:
            yield Skipped(found, "unreadable")
            continue
        yield FoundFile(found, 0 if found.is_dir() else about.st_size)
    if others:
        yield Skipped(path, "", said_of_others(others), 0)
    if time.monotonic() >= ends_at:
        yield Skipped(path, NOT_FINISHED, count=0)


def _pieces(path: Path, order: dict[str, Any]) -> Iterator[Found]:
    """What a source holds, each text as it would be stored; with `raw`, as it stands there, too."""
    kind = kinds.BY_NAME[order["kind"]]
    asked = AuthorFilter(tuple(order["me"]))
    if not path.is_dir():
        refuse_large(path)
    since = order["since"]
    clean = _Cleaner()
    for found in kind.pieces(path, asked) if since is None else commit_messages.read(path, asked, since):
        if isinstance(found, Skipped):
            yield found
        elif len(found.text) > _MAX_ITEM_CHARS:
            note = (
                f"{path.name}: a text of more than {_MAX_ITEM_CHARS:,} characters; cut it into shorter ones"
            )
            yield Skipped(path, "texts too long", note, offset_bytes=found.offset_bytes)
        else:
            text, redactions = cleaned(found.text) if kind.name == "git" else clean(found)
            raw = found.text.encode("utf-8", "ignore").decode() if order["raw"] else ""
            yield replace(found, text=text, redactions=redactions, raw=raw)


class _Cleaner:
    """Takes the secrets out of a file's pieces, each read with the one before it: a label may stand there."""

    def __init__(self) -> None:
        """Begin a file."""
        self._before = ""

    def __call__(self, item: Item) -> tuple[str, int]:
        """What :func:`cleaned` gives of the next piece."""
        text, redactions = cleaned(item.text, self._before)
        self._before = f"{(text or item.text)[-_BEFORE_CHARS:]}\n\n"
        return text, redactions


def _look(path: Path) -> dict[str, Any]:
    """Which kind of source is at a path; of a repository, its newest commit and whose text it would be."""
    kind = kinds.kind_of(path)
    if kind is None:
        return {"kind": None}
    if kind is not kinds.BY_NAME["git"]:
        return {"kind": kind.name}
    return {"kind": kind.name, "newest": commit_messages.head(path), "me": git_config.addresses(path)}


class _Batches:
    """What was found, in lines of some tens of kilobytes; what was skipped without a note is counted together."""

    def __init__(self, answers: IO[bytes], begin: int, *, each: bool = False) -> None:
        """The first `begin` that are added are known to the service, which hears only that it comes on.

        With `each` none waits for others.
        """
        self._each = each
        self._answers = answers
        self._begin = begin
        self._count = 0
        self._rows: list[Any] = []
        self._skipped: dict[str, Skipped] = {}
        self._chars = 0
        self._sent_s = time.monotonic()

    def add(self, found: Found) -> None:
        """Send it, now or with others."""
        self._count += 1
        if self._count <= self._begin:
            pass
        elif isinstance(found, Skipped) and found.note is None:
            known = self._skipped.get(found.reason)
            self._skipped[found.reason] = replace(found, count=found.count + (known.count if known else 0))
        else:
            self._rows.append(packed(found))
            self._chars += len(found.text) + len(found.raw) if isinstance(found, Item) else 200
        if self._each or self._chars >= _BATCH_CHARS or time.monotonic() > self._sent_s + _BATCH_S:
            self.send()

    def send(self) -> None:
        """Send what waits."""
        rows = [*map(packed, self._skipped.values()), *self._rows]
        _say(self._answers, {"upto": max(self._count, self._begin), "found": rows})
        self._rows, self._skipped, self._chars, self._sent_s = [], {}, 0, time.monotonic()


def _limit_memory(most_bytes: int) -> None:
    """Refuse this process more memory than that."""
    with contextlib.suppress(OSError, ValueError):  # a lower limit holds already
        resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))


def _leave_network() -> None:
    """Go where there is no network, not even this machine's own, if the system has such a place for everybody."""
    with contextlib.suppress(AttributeError, OSError):  # another C library, or a kernel that refuses
        libc = ctypes.CDLL(None)
        if libc.unshare(_CLONE_NEWNET) == 0:
            return
        user, group = os.getuid(), os.getgid()
        if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0:  # files are to be the same user's there
            Path("/proc/self/setgroups").write_text("deny", "ascii")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1", "ascii")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1", "ascii")


@contextlib.contextmanager
def _ending_with_the_service() -> Iterator[None]:
    """In the block the process ends when the service does, whatever it is busy with.

    The service holds the other end of standard input, and sends nothing meanwhile: what the system tells of then is
    that this end has closed. It tells the whole group of processes, git's too, and a signal that nobody handles ends
    them even where a library computes for minutes.
    """
    flags = fcntl.fcntl(0, fcntl.F_GETFL)
    fcntl.fcntl(0, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(0, fcntl.F_SETFL, flags | fcntl.FASYNC)
    if select.select([0], [], [], 0)[0]:  # it has ended already
        os.killpg(os.getpgrp(), signal.SIGKILL)
    try:
        yield
    finally:
        fcntl.fcntl(0, fcntl.F_SETFL, flags)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
