"""Objects at given places of a JSON file of any size, one in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import IO, Any, Final

import ijson

from idiolect.daemon.sources.items import Skipped

#: What says that a file is no JSON, or none that a program exports.
JSONError = ijson.JSONError

_DEEPEST: Final = 64
_MAX_VALUES: Final = 200_000  # of one object


def places(file: IO[bytes]) -> Iterator[tuple[str, str, Any]]:
    """The events of a JSON file as `ijson.parse` gives them, each with its place: `chats.list.item`.

    Raises JSONError where the file is damaged, or values lie deeper in each other than any export has them.
    """
    path: list[str] = []
    for event, value in ijson.basic_parse(file, use_float=True):
        if event == "map_key":
            path[-1] = value
            yield ".".join(path[:-1]), event, value
        elif event in ("end_map", "end_array"):
            path.pop()
            yield ".".join(path), event, value
        else:
            yield ".".join(path), event, value
            if event in ("start_map", "start_array"):
                path.append("item" if event == "start_array" else "")
                if len(path) > _DEEPEST:
                    raise JSONError("values are nested too deep")


def objects(file: IO[bytes], wanted: AbstractSet[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects at the places `wanted`, each with its place. Raises as `places` does."""
    events = places(file)
    for place, event, value in events:
        if event != "start_map" or place not in wanted:
            continue
        builder = ijson.ObjectBuilder()
        builder.event(event, value)
        depth = 1
        for _, (_, inner, part) in zip(range(_MAX_VALUES), events, strict=False):
            depth += (inner in ("start_map", "start_array")) - (inner in ("end_map", "end_array"))
            builder.event(inner, part)
            if not depth:
                break
        else:
            raise JSONError("an object holds more values than any message")
        yield place, builder.value


def damaged(path: Path) -> Skipped:
    """That a file was read as far as its JSON goes."""
    note = f"{path.name}: the JSON breaks off or is damaged; what came before was read"
    return Skipped(path, "damaged JSON", note)
