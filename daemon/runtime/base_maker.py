"""Makes a base model in a process of its own: the service goes on meanwhile, and keeps none of the memory it takes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idiolect.adapters.training.child import Emit, work
from idiolect.daemon.runtime.process import making_base
from idiolect.daemon.settings import Settings
from idiolect.models.base_choice import Choice, make_base


@dataclass(frozen=True)
class BaseOrder:
    """The base model to make, for the profile at `home`; of a large vocabulary the tokens of `languages` are kept."""

    home: str
    name: str
    sha256: str
    languages: tuple[str, ...]


def main() -> int:
    """Make a base model as the order on stdin says; each event has a phase and the share of it that is done."""
    return work(
        _make, "There is not enough memory to build the base model. Close other programs, and try again."
    )


def _make(order: dict[str, Any], _entries: list[Any], emit: Emit) -> None:
    def progress(phase: str, done: float) -> None:
        emit({"event": "progress", "phase": phase, "done": done})

    settings = Settings(home=Path(order["home"]))
    with making_base(settings):
        make_base(settings.base_dir, Choice(order["name"], order["sha256"]), progress, order["languages"])
    emit({"event": "result"})


if __name__ == "__main__":
    sys.exit(main())
