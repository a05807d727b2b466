"""What the benches share: where things are, a profile with a service, people's text, and how a table is printed."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / ".cache" / "base"
#: Text of real people, beside the checkout; what needs it is skipped where it is absent.
CORPORA = ROOT.parent / "shared" / "corpora"
PEOPLE = sorted(path.stem for path in CORPORA.glob("*.jsonl"))

sys.path += [str(ROOT / "tests"), str(ROOT)]

from program import IDIOLECT as IDIOLECT  # noqa: E402 (it is in the folder above)
from program import Program  # noqa: E402


@contextmanager
def served(folder: Path, settings: str = "") -> Iterator[Program]:
    """A throw-away profile in a new folder, with the real base model and these lines of settings; its service runs."""
    program = Program(folder, BASE, settings)
    program.run("start")
    try:
        yield program
    finally:
        program.run("stop")


def entries(person: str) -> list[dict[str, Any]]:
    """What a person wrote, the oldest first."""
    return [json.loads(line) for line in (CORPORA / f"{person}.jsonl").read_text("utf-8").splitlines()]


def percentile(values: Sequence[float], share: float) -> float:
    """A percentile, to two places."""
    return round(float(np.percentile(values, share)), 2)


def processor_s(pid: int) -> float:
    """Seconds of the processor that a process has taken so far."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def show(title: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Print a table; each row has the names of the columns."""
    rows = [*rows]
    table = Table(*rows[0], title=title)
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)
