"""What the benches import is there: nothing else runs them but `make bench`, by hand."""

import ast
import tomllib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHES = sorted((ROOT / "tests/bench").glob("*.py"))
# Some tables are made from packages that the tests do without.
_extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
NOT_INSTALLED = {requirement.partition(">")[0] for requirement in _extras["words"]}


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
            assert node.module in {*files, "measurements", *NOT_INSTALLED} or find_spec(node.module)
