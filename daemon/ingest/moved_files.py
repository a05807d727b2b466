"""Moved, renamed and copied files: their text is recognised and not learned a second time."""

from __future__ import annotations

import os
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from idiolect.daemon.storage.paragraphs import digests_of, found_again
from idiolect.daemon.storage.records import FileState
from idiolect.daemon.storage.store import Store

_KEPT: Final = 500  # states of files that are gone, the newest, kept in case that they come back
_ALIKE: Final = 0.5  # of a lost file's paragraphs, for a new file to be that one under another name


class MovedFiles:
    """Knows the files that were read, by size, and those of them that are gone, by what they held."""

    def __init__(self, store: Store) -> None:
        """Nothing is looked up before `refresh`."""
        self._store = store
        self._lock = threading.Lock()
        self._by_size: defaultdict[int, set[str]] = defaultdict(set)
        self._gone: dict[str, frozenset[str]] = {}

    def refresh(self) -> None:
        """Look again at which files are still there; forget those that have been gone for long."""
        by_size: defaultdict[int, set[str]] = defaultdict(set)
        gone = []
        for state in self._store.file_states.all():
            by_size[state.size_bytes].add(state.path)
            if not os.path.lexists(state.path):
                gone.append(state)
        gone.sort(key=lambda state: -state.mtime_ns)
        for state in gone[_KEPT:]:
            self._store.file_states.drop(state.path)
            by_size[state.size_bytes].discard(state.path)
        with self._lock:
            self._by_size = by_size
            self._gone = {state.path: digests_of(state.paragraphs) for state in gone[:_KEPT]}

    def lost(self, path: str) -> None:
        """The file at `path` is gone."""
        state = self._store.file_states.get(path)
        if state is not None:
            with self._lock:
                self._gone[path] = digests_of(state.paragraphs)

    def saved(self, state: FileState) -> None:
        """The state of a file was saved."""
        with self._lock:
            self._by_size[state.size_bytes].add(state.path)
            self._gone.pop(state.path, None)

    def of(self, path: str, status: os.stat_result, digests: Callable[[], list[str]]) -> FileState | None:
        """The state of the file that the new one at `path` was made from, or None.

        If that file is gone, its state now belongs to `path`. `digests` reads the new file and gives its
        paragraphs' hashes, in order; it is called only where some file comes into question.
        """
        with self._lock:
            twins = sorted(self._by_size[status.st_size] - {path})
            gone = dict(self._gone)
        renamed = self._renamed(twins, status)
        if renamed is None and (twins or gone):
            held = digests()
            renamed = self._copied(twins, held) or self._edited(gone, held)
        if renamed is None or os.path.lexists(renamed.path):
            return renamed
        self._store.file_states.move(renamed.path, path)
        with self._lock:
            self._by_size[renamed.size_bytes].discard(renamed.path)
            self._gone.pop(renamed.path, None)
        return renamed

    def _renamed(self, twins: Iterable[str], status: os.stat_result) -> FileState | None:
        for twin in twins:
            state = self._store.file_states.get(twin)
            if state and state.mtime_ns == status.st_mtime_ns and not os.path.lexists(twin):
                return state
        return None

    def _copied(self, twins: Iterable[str], held: list[str]) -> FileState | None:
        for twin in twins:
            state = self._store.file_states.get(twin)
            if state and held:
                known = digests_of(state.paragraphs)
                if found_again(known, held) == known and all(found_again(known, [name]) for name in held):
                    return state
        return None

    def _edited(self, gone: dict[str, frozenset[str]], held: list[str]) -> FileState | None:
        shared = Counter({path: len(found_again(digests, held)) for path, digests in gone.items()})
        for path, count in shared.most_common(1):
            if count and count >= _ALIKE * len(gone[path]):
                return self._store.file_states.get(path)
        return None
