"""What the benches import of the program is there: nothing else runs them but `make bench`, by hand."""

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

BENCHES = sorted((Path(__file__).parents[1] / "bench").glob("*.py"))


@pytest.mark.parametrize("bench", BENCHES, ids=lambda path: path.stem)
def test_what_a_bench_imports_is_there(bench):
    files = {
        path.stem for folder in ("bench", "e2e", ".") for path in (bench.parents[1] / folder).glob("*.py")
    }
    for node in ast.walk(ast.parse(bench.read_text("utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.module.startswith("idiolect."):
            module = import_module(node.module)
            for name in (alias.name for alias in node.names):
                assert hasattr(module, name) or find_spec(f"{node.module}.{name}")
        else:
            assert node.module in {*files, "measurements"} or find_spec(node.module)
