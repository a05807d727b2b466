"""A sample of the matrix: of each operation every other fault, once; `make bench ARGS=faults` runs all of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
OPERATIONS = {
    "import",
    "watch",
    "text sent",
    "training round",
    "promotion",
    "forget",
    "first start",
    "backup",
    "export",
    "restore",
    "restore of a lost store",
    "beginning anew",
    "sharing",
    "forgetting shared text",
}

#: What makes the store worse in one way each, and the operation and fault that must show it.
WORSE = {
    "no transactions": ("connection.immediate = contextlib.nullcontext", "forget", "kill"),
    "nothing is synced": (
        "connected = lambda db: db.execute('PRAGMA synchronous = OFF')",
        "text sent",
        "power after",
    ),
    "two transactions": (
        "publish = store.Store.publish\n"
        "def apart(self, number, made, state=None):\n"
        "    publish(self, number, made)\n"
        "    for _ in range(30): self.events.add('something in between')\n"
        "    for item in (state or {}).items(): self.state.set(*item)\n"
        "store.Store.publish = apart",
        "training round",
        "kill",
    ),
    "raw errors": ("connection.translated = lambda *_, **__: contextlib.nullcontext()", "text sent", "full"),
    "the text stays in the pages": (
        "store.Store._scrub = lambda self: None\n"
        "connected = lambda db: db.execute('PRAGMA secure_delete = OFF').fetchall()",
        "forget",
        "kill",
    ),
}


def matrix(*arguments, code=None):
    command = [sys.executable, str(HERE / "matrix.py")] if code is None else [sys.executable, "-c", code]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done.returncode


def test_a_sample_of_all_operations_and_faults():
    rows, code = matrix("--half", "--sample", "1")
    assert {row["operation"] for row in rows} == OPERATIONS
    assert len({row["fault"] for row in rows}) == 11
    assert [problem for row in rows for problem in row["problems"]] == []
    assert code == 0
    assert all(row["cases"] == min(row["steps"], 1) for row in rows)
    assert all(row["cases"] for row in rows)
    ended = {
        fault: {how for row in rows if row["fault"] == fault for how in row["ended"]}
        for fault in ("kill", "full")
    }
    assert ended["kill"] == {"killed"}
    assert "refused, then done" in ended["full"]


@pytest.mark.parametrize("worse", WORSE)
def test_a_worse_store_is_found_out(worse):
    change, operation, fault = WORSE[worse]
    code = f"""
import contextlib, sys
sys.path.insert(0, {str(HERE)!r})
import matrix
from idiolect.daemon.storage import connection, store
connect, connected = connection.connect, lambda db: None
{change}
def changed(*given, **named):
    db = connect(*given, **named)
    connected(db)
    return db
connection.connect = changed
sys.exit(matrix.main())
"""
    rows, status = matrix("--sample", "40", "--first", "--fault", fault, operation, code=code)
    assert [problem for row in rows for problem in row["problems"]]
    assert status == 1
