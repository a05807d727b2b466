"""Every operation, with every fault, at every step: what is left of a profile, and whether it can go on.

`python tests/faults/matrix.py [--sample N] [--first] [--half] [OPERATION ...]` prints as JSON how many cases there were
and what was wrong. Each case is a process of its own on a fresh copy of the profile; whatever became of it, then:

- the store opens, each page has its checksum, no reference is broken, every adapter is what was stored;
- it is as before or as after, or half-way where that is allowed, and after where success was reported;
- no entry is there twice, none is lost, no file holds a word in clear, and forgotten text is in no page;
- where the process lives, it says what is wrong in one of the program's own errors, and the same call succeeds once
  there is room again; where it was killed, the next one finishes the work or does it anew.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from injection import FAULTS, Injector
from operations import CANARY, OPERATIONS, profile

sys.path.append(str(Path(__file__).parents[1]))

from pages import plain_pages

from idiolect.daemon.storage import store_copies
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import store_key
from idiolect.models.errors import IdiolectError

_VISITOR = """
import sys
from pathlib import Path
from idiolect.daemon.storage.store import Store
from idiolect.models.errors import IdiolectError
for line in sys.stdin:
    path, key = Path(line.strip()), Path(line.strip()).with_name("store.key")
    try:
        if path.exists() and path.stat().st_size and key.exists():
            store = Store.open(path, key.read_text().strip(), busy_timeout_s=0.01)
            store.entries.counts()
            store.events.add("visit")
            store.close()
    except IdiolectError:
        pass
    print(flush=True)
"""


@dataclass
class Row:
    """What came of one operation with one fault."""

    operation: str
    fault: str
    steps: int = 0
    cases: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


class Matrix:
    """Runs cases in `folder`; a context manager."""

    def __init__(self, folder):
        self._case, self._pristine = folder / "case", folder / "pristine"
        self._settings = profile(self._case / "home")
        self._injector = Injector()
        self._injector.install()
        self._visitor = subprocess.Popen(
            [sys.executable, "-c", _VISITOR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def close(self):
        """End the other process."""
        self._visitor.stdin.close()
        self._visitor.wait()

    def run(self, operation, faults, sample, first):
        """One operation with each fault, at all steps or `sample` of them; with `first` no further than a problem."""
        self._prepare(operation)
        before = self._read(operation)
        self._reset()
        totals = self._fork(operation, None, 0)
        assert totals["how"] == "done", (operation.name, totals)
        after = self._read(operation)
        names = self._names()
        rows = []
        for fault in faults:
            last = totals[{"torn": "writes", "locked": "locks", "power after": "ends"}.get(fault, "steps")]
            row = Row(operation.name, fault, last)
            # A clock is read a few times, whatever the number of writes.
            most = min(sample or 12, 12) if fault.startswith("clock") else sample
            for at in _spread(last, most, f"{operation.name} {fault}"):
                self._reset()
                outcome = self._fork(operation, fault, at)
                row.cases += 1
                row.ended[outcome["how"].partition(":")[0]] += 1
                problems = self._judge(operation, outcome, before, after, names)
                row.problems += [f"step {at}: {problem}" for problem in problems]
                if first and row.problems:
                    break
            rows.append(row)
        return rows

    def _prepare(self, operation):
        shutil.rmtree(self._case, ignore_errors=True)
        shutil.rmtree(self._pristine, ignore_errors=True)
        self._case.mkdir()
        self._settings.prepare()
        operation.prepare(self._settings)
        shutil.copytree(self._case, self._pristine)

    def _reset(self):
        """The same place each time: the store knows of paths."""
        shutil.rmtree(self._case)
        shutil.copytree(self._pristine, self._case)

    def _read(self, operation):
        return operation.seen(self._settings)

    def _names(self):
        return {path.name for path in (self._case / "home").iterdir()}

    def _fork(self, operation, fault, at):
        """Do it in a process of its own; how that ended."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            try:
                outcome = self._act(operation, fault, at, write)
            except IdiolectError as error:
                outcome = {"how": f"does not recover: {error.code}"}
            except BaseException as error:
                outcome = {"how": f"raised: {type(error).__name__}: {error}"}
            os.write(write, json.dumps(outcome).encode())
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and not said:
            return {"how": "killed" if os.WTERMSIG(status) == signal.SIGKILL else f"raised: signal {status}"}
        return json.loads(said)

    def _act(self, operation, fault, at, pipe):
        injector, refused = self._injector, False
        settings = self._settings
        injector.arm(self._case, fault, at, self._visit)

        def attempt(action):
            nonlocal refused
            try:
                action()
            except IdiolectError:
                if refused:
                    raise
                refused = True
                injector.clear()
                action()
            if fault == "power after":  # before anything is closed
                injector.lose()
                os.write(pipe, b'{"how": "done"}')
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            operation.act(settings, attempt)
        except IdiolectError:  # where the store was opened
            if refused:
                raise
            refused = True
            injector.clear()
            operation.act(settings, attempt)
        how = "refused, then done" if refused else "done"
        counted = {"steps": injector.steps, "writes": injector.writes, "locks": injector.locks}
        return {"how": how, "ends": 1, **counted}

    def _visit(self):
        self._visitor.stdin.write(f"{self._settings.store_path}\n")
        self._visitor.stdin.flush()
        self._visitor.stdout.readline()

    # --- what must hold ---

    def _judge(self, operation, outcome, before, after, names):
        how = outcome["how"]
        if how.startswith(("raised", "does not")):
            return [how]
        problems = [f"{path.name} holds text in clear" for path in self._files(operation) if _clear(path)]
        try:
            now = self._read(operation)
            problems += [] if _lost(now) else self._unsound()
            if how != "killed" and now != after:
                problems.append(f"{how}, but {_difference(now, after)}")
            elif (
                how == "killed"
                and now not in (before, after)
                and not (operation.between and operation.between(before, now, after))
            ):
                problems.append(
                    f"neither before nor after: {_difference(now, before)}; {_difference(now, after)}"
                )
            if now != after:
                operation.act(self._settings, lambda action: action())
                again = self._read(operation)
                if again != after:
                    problems.append(f"done again, but {_difference(again, after)}")
                problems += self._unsound()
            if left := self._names() - names - {"store.db-wal", "store.db-shm"}:
                # Of a key that was never used; of a marker, which the next that is written removes after a minute.
                # And what was put aside, which a second attempt may do again.
                meant = ("store.key.", ".store.json-", "store.db.lost-", "store.db.before-")
                drafts = {name for name in left if name.startswith(meant)}
                problems += [f"{name} is left behind" for name in left - drafts]
            problems += self._unforgotten(operation)
        except (IdiolectError, OSError) as error:
            problems.append(f"does not go on after {how}: {getattr(error, 'code', error)}")
        return problems

    def _unsound(self):
        settings = self._settings
        key = store_key.obtain(settings).hex
        store = Store.open(settings.store_path, key)
        ended = [row for row in store.rounds.all() if row.ended_at is not None]
        store.close()
        store_copies.check(settings.store_path, store_copies.raw(key))
        return [f"round {row.id} ended before it began" for row in ended if row.ended_at < row.started_at]

    def _unforgotten(self, operation):
        if operation.gone is None:
            return []
        settings = self._settings
        pages = plain_pages(settings.store_path, store_key.obtain(settings).hex)
        return ["forgotten text is in a page"] if operation.gone.encode() in pages else []

    def _files(self, operation):
        """All files but those of what was asked to be written in clear, and its drafts."""
        plain = operation.plain
        meant = [] if plain is None else [self._case / plain, *self._case.glob(f".{plain}-*")]
        found = (path for path in self._case.rglob("*") if path.is_file())
        return [path for path in found if not any(map(path.is_relative_to, meant))]


def _lost(state):
    """Whether the profile has no store to be looked at, as it may for an operation on one that is lost."""
    return isinstance(state, dict) and bool(state.get("lost"))


def _clear(path):
    return CANARY.encode() in path.read_bytes()


def _spread(last, sample, name):
    """All of 1 to `last`, or about `sample` of them, evenly; a single one is anywhere, as the name says."""
    if sample is None or sample >= last:
        return [*range(1, last + 1)]
    if sample == 1:
        return [1 + zlib.crc32(name.encode()) % last]
    return sorted({1 + round(n * (last - 1) / max(sample - 1, 1)) for n in range(sample)})


def _difference(now, wanted):
    """What is not as it should be."""
    names = [name for name in wanted if now.get(name) != wanted[name]]
    return "; ".join(f"{name} is {str(now.get(name))[:160]}, not {str(wanted[name])[:160]}" for name in names)


def run(wanted, faults, sample, *, first=False, half=False):
    """The matrix of these operations (none: all) and faults; with `half` each has every other fault."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="idiolect-faults-") as folder:
        matrix = Matrix(Path(folder))
        try:
            for number, operation in enumerate(OPERATIONS):
                if not wanted or operation.name in wanted:
                    rows += matrix.run(operation, faults[number % 2 :: 2] if half else faults, sample, first)
        finally:
            matrix.close()
    return rows


def main():
    """The command line; fails where something is wrong."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "operations", nargs="*", metavar="OPERATION", help=", ".join(o.name for o in OPERATIONS)
    )
    options.add_argument("--fault", action="append", choices=[*FAULTS], help="only this one; may be repeated")
    options.add_argument("--sample", type=int, help="so many steps of each, evenly spread, instead of all")
    options.add_argument("--first", action="store_true", help="go no further with a fault that went wrong")
    options.add_argument("--half", action="store_true", help="each operation with every other fault only")
    given = options.parse_args()
    rows = run(given.operations, given.fault or [*FAULTS], given.sample, first=given.first, half=given.half)
    print(json.dumps([vars(row) for row in rows], indent=1))
    return 1 if any(row.problems for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
