"""Export of everything stored: JSON lines, and safetensors for the adapters."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from idiolect.daemon.sources.documents import OWN_KEY
from idiolect.daemon.storage.store import Store
from idiolect.models.errors import IdiolectError
from idiolect.models.known_bases import find_known_base

EVERYTHING: Final = "everything"
"""The kind of export that this is."""

_README: Final = """This folder holds what idiolect knew of one person when it was written. None of it is encrypted:
whoever can read these files can read that person's text. Delete them when they are no longer needed.

entries.jsonl     the text, redacted as it was stored
adapters.jsonl    the adapters: parent, verdict, figures, how much they have seen
adapters/ID.safetensors    their weights (LoRA; A and B of each adapted matrix, by the served graph's input names)
seen.jsonl        which entries each adapter has seen, its ancestors included
rounds.jsonl      the training rounds, with their figures
feedback.jsonl    what became of suggestions, by day and kind, and by adapter
events.jsonl      what happened to the profile
words.jsonl       words and phrases that you have decided about
NOTICE            the terms of the base models that these adapters were trained on, where they have any
"""


def takeout(store: Store, folder: Path) -> None:
    """Write everything to the new `folder`. Raises OSError, and the store's errors."""
    folder.mkdir(mode=0o700)
    _file(folder / "README", _README.encode())
    entries = (
        {
            "id": entry.id,
            "ts": entry.at,
            "source": entry.source,
            "app": entry.app,
            "text": entry.text,
        }
        for entry in store.entries.select()
    )
    _lines(folder, "entries", "entry", entries)
    adapters = store.adapters.all()
    _lines(folder, "adapters", "adapter", map(asdict, adapters))
    _lines(folder, "seen", "seen", _seen(store, [row.id for row in adapters]))
    (folder / "adapters").mkdir(mode=0o700)
    notices: dict[str, None] = {}
    for row in adapters:
        try:
            blob = store.adapters.weights(row.id)
        except IdiolectError:  # damaged, or dropped to save space: its row tells of it
            continue
        _file(folder / "adapters" / f"{row.id}.safetensors", blob)
        known = find_known_base(row.metrics.get("base_sha256", ""))
        if known is not None and known.terms is not None:
            notices[known.terms.notice] = None
    if notices:
        _file(folder / "NOTICE", "".join(f"{notice}\n" for notice in notices).encode())
    _lines(folder, "rounds", "round", map(asdict, store.rounds.all()))
    _lines(folder, "feedback", "feedback", _feedback(store))
    _lines(folder, "events", "event", map(asdict, store.events.all()))
    _lines(folder, "words", "word", map(asdict, store.words.all()))


def _seen(store: Store, adapters: list[int]) -> Iterator[dict[str, Any]]:
    for adapter in adapters:
        yield {"adapter": adapter, "entries": sorted(store.adapters.seen(adapter))}


def _feedback(store: Store) -> Iterator[dict[str, Any]]:
    found = store.feedback.report(date.min)
    for (day, kind), savings in found.by_day.items():
        yield {"day": day, "kind": kind, **asdict(savings)}
    for adapter, savings in found.by_adapter.items():
        yield {"adapter": adapter, **asdict(savings)}


def _lines(folder: Path, name: str, holds: str, rows: Iterable[dict[str, Any]]) -> None:
    with open(folder / f"{name}.jsonl", "x", encoding="utf-8", opener=_private) as file:
        for row in rows:
            file.write(json.dumps({OWN_KEY: holds, **row}, ensure_ascii=False, default=_iso) + "\n")


def _iso(value: date | datetime) -> str:
    return value.isoformat()


def _file(path: Path, data: bytes) -> None:
    with open(path, "xb", opener=_private) as file:
        file.write(data)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
