"""Imports that the user asks for: sources read once, and folders followed from then on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from idiolect.daemon.ingest.folder_watch import Watcher
from idiolect.daemon.ingest.ingest import ImportProgress, Ingest
from idiolect.daemon.sources.items import NothingToReadError, ReadReport
from idiolect.daemon.sources.people import AuthorFilter


class Imports:
    """Reads sources and tells how far it has come.

    Args:
        ingest: takes the text in.
        watcher: follows folders.
        reading_much: makes a context that each import goes on in.
    """

    def __init__(
        self, ingest: Ingest, watcher: Watcher, reading_much: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._ingest = ingest
        self._watcher = watcher
        self._reading_much = reading_much
        self._running = 0

    @property
    def running(self) -> bool:
        """True while an import goes on."""
        return self._running > 0

    def add(self, paths: Sequence[Path], me: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
        """Import sources once, of several people's text that of ``me``. Yields progress events, the last the report."""
        return self._read(self._ingest.add_paths(paths, AuthorFilter(tuple(me))))

    def _read(self, progress: Iterator[ImportProgress]) -> Iterator[dict[str, Any]]:
        self._running += 1
        try:
            with self._reading_much():
                yield from _events(progress)
        finally:
            self._running -= 1

    def watch(self, path: Path, *, confirmed: bool = False) -> Iterator[dict[str, Any]]:
        """Import a folder and follow it from now on. Yields the events of :meth:`add`.

        With the last event it is followed for good, after a restart as well. If the import fails or is broken off
        before, the folder is not followed, and what was read of it stays. Raises ManyFilesError unless `confirmed`.
        """
        if not confirmed:
            self._watcher.refuse_very_much(path)
        try:
            events = self._read(self._ingest.add_paths([path]))
        except NothingToReadError:  # a folder for what is still to be written
            events = iter(())
        return self._follow(path, events)

    def _follow(self, path: Path, events: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        done: dict[str, Any] = {"event": "done", **asdict(ReadReport())}
        with self._watcher.adding(path), suppress(NothingToReadError):
            for event in events:
                if event["event"] == "done":
                    done = event
                else:
                    yield event
        yield done

    def unwatch(self, path: Path) -> bool:
        """Follow a folder no longer; whether it was followed."""
        return self._watcher.remove(path)


def _events(progress: Iterator[ImportProgress]) -> Iterator[dict[str, Any]]:
    for step in progress:
        done = {"entries": step.entries, "words": step.words}
        if step.report is None:
            share = {"bytes_done": step.bytes_done, "bytes_total": step.bytes_total}
            yield {"event": "progress", "path": str(step.path), **done, **share}
        else:
            yield {"event": "done", **asdict(step.report)}
