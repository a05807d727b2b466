"""Measures the cost of a base model on this machine, once: the time of a token, and the memory.

A process of its own measures, so that the memory is the model's alone. The figures are kept beside the model.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from idiolect.models import durable
from idiolect.models.build import BasePaths
from idiolect.models.hardening import module_command

_FILE: Final = "speed.json"
_CONTEXT_TOKENS: Final = 128
_PASSES: Final = 60
_DEADLINE_S: Final = 120.0


@dataclass(frozen=True)
class Speed:
    """The cost of a base model."""

    sha256: str  # of its GGUF
    token_ms: float  # of a pass of one token behind 128, the fastest of 60: other programs do not count
    memory_mb: int  # of the loaded model


def speed_of(base: BasePaths, threads: int) -> Speed | None:
    """Return the cost of a base model here, measured unless it is known; None where it cannot be measured."""
    place = base.folder.parent / _FILE
    with contextlib.suppress(OSError, ValueError, TypeError):
        known = Speed(**json.loads(place.read_bytes()))
        if known.sha256 == base.source_sha256:
            return known
    command = module_command("idiolect.models.base_speed", str(base.folder.parent), str(threads))
    try:
        done = subprocess.run(command, capture_output=True, input=b"", timeout=_DEADLINE_S, check=True)
        speed = Speed(**json.loads(done.stdout))
    except (OSError, ValueError, TypeError, subprocess.SubprocessError):
        return None
    with contextlib.suppress(OSError):
        durable.write(place, json.dumps(asdict(speed)).encode())
    return speed


def _measure(folder: Path, threads: int) -> Speed:
    import psutil

    from idiolect.models.build import find_base
    from idiolect.models.session import Model, Session

    base = find_base(folder)
    before_bytes = psutil.Process().memory_info().rss
    session = Session(Model(base.graph, base.config, threads=threads))
    session.feed([1] * _CONTEXT_TOKENS)
    times_s = []
    for _ in range(_PASSES):
        began = time.perf_counter()
        session.feed([1])
        times_s.append(time.perf_counter() - began)
    taken_bytes = psutil.Process().memory_info().rss - before_bytes
    return Speed(base.source_sha256, round(1e3 * min(times_s), 2), round(taken_bytes / 2**20))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(_measure(Path(sys.argv[1]), int(sys.argv[2])))))
