"""The folders: imports point one way, and what belongs to one folder is in no other."""

import ast
import functools
import itertools
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SQL = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE TABLE")


def modules() -> dict[str, Path]:
    """Every module by its dotted name, such as "daemon.storage.store"."""
    found = {}
    for package in ("models", "adapters", "daemon"):
        for path in (ROOT / package).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


MODULES = modules()


@functools.cache
def trees() -> dict[str, ast.Module]:
    """Every module, parsed."""
    return {name: ast.parse(path.read_text("utf-8")) for name, path in MODULES.items()}


def folder(module: str) -> str:
    """The folder of a module; what lies in `daemon` itself is a place of its own, above or below the others."""
    parent, _, name = module.rpartition(".")
    return f"{parent}/{name}" if parent == "daemon" else parent or module


def imported(tree: ast.Module) -> set[str]:
    """What a module imports of the three packages, for types too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("idiolect."):
            name = node.module.removeprefix("idiolect.")
            found |= {f"{name}.{one.name}" if f"{name}.{one.name}" in MODULES else name for one in node.names}
    return found


@functools.cache
def imports() -> dict[str, set[str]]:
    """What every module imports."""
    return {name: imported(tree) for name, tree in trees().items()}


def test_rooms_import_as_the_contracts_say():
    """The contracts are in `pyproject.toml`, and name every room."""
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_these_rules_name_is_there():
    assert not {*CALLS_READERS} - {*MODULES}
    defined = {
        node.name for tree in trees().values() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    }
    changes = {change.removesuffix("(").rpartition(".")[2] for change in CHANGES}
    assert not {*changes, *itertools.chain(*READERS.values())} - defined


def test_the_typing_session_has_no_io_and_no_clock_of_its_own():
    allowed = {
        "__future__",
        "bisect",
        "collections",
        "dataclasses",
        "datetime",
        "fnmatch",
        "functools",
        "glob",
        "idiolect",
        "re",
    }
    allowed |= {"copy", "itertools", "secrets", "typing", "typing_extensions", "unicodedata"}
    for name, tree in trees().items():
        if name.startswith("daemon.session"):
            nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
            taken = {getattr(node, "module", None) or node.names[0].name for node in nodes}
            roots = {one.partition(".")[0] for one in taken}
            assert roots <= allowed, f"{name} imports {roots - allowed}"
            inside = {one for one in imports()[name] if not one.startswith(("daemon.session", "daemon.text"))}
            assert not inside, f"{name} imports {inside}"


def test_only_the_links_open_connections_to_the_service():
    links = ("daemon.clients.link", "daemon.clients.service_link")
    opening = (
        "httpx.Client",
        "httpx.AsyncClient",
        "urllib.request",
        "http.client",
        "asyncio.open_connection",
    )
    for name, path in MODULES.items():
        if name.startswith("daemon.clients.") and name not in links:
            text = path.read_text("utf-8")
            assert not [one for one in opening if one in text], name


def test_every_folder_says_what_it_is_for():
    for name, path in MODULES.items():
        if path.name != "__init__.py":
            continue
        sentences = ast.get_docstring(trees()[name]) or ""
        for begins in ("In come", "Out "):
            assert begins in " ".join(sentences.split()), f"{path} does not say what comes in and goes out"


def test_only_the_storage_folder_speaks_sql():
    for name, tree in trees().items():
        if name.startswith("daemon.storage"):
            continue
        texts = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        assert not [text for text in texts if text.lstrip().startswith(SQL)], name


def test_only_the_command_line_prints():
    for name, tree in trees().items():
        calls = [
            node.func.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        ]
        assert name.startswith("daemon.clients.commandline") or "print" not in calls, name


def test_serving_never_imports_torch():
    code = (
        "import sys, idiolect.daemon.service, idiolect.daemon.endpoint.server; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_taken_port_is_told_before_what_is_slow_to_import():
    code = "import sys, idiolect.daemon.__main__; print({'starlette', 'onnxruntime', 'uvicorn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_only_the_ingest_folder_makes_entries():
    makers = {
        name
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "NewEntry"
    }
    assert {folder(name) for name in makers} == {"daemon.ingest"}


#: What reads a stranger's file, or searches for some, by its module.
READERS = {
    "ingest.file_discovery": {"find"},
    "ingest.source_discovery": {"places"},
    "sources.kinds": {"kind_of", "pieces"},
}
CALLS_READERS = {
    "daemon.sources.reader_child",
    "daemon.sources.file_discovery",  # which the child calls
    "daemon.sources.source_discovery",  # which the child calls
    "daemon.clients.commandline.commands.add",  # in the user's own command, to ask who they are
}


def test_only_the_child_process_reads_sources():
    """What reads a stranger's file, or searches for some, is called in the child process alone."""
    for name, tree in trees().items():
        if name.startswith("daemon.sources") or name in CALLS_READERS:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(tuple(READERS)):
                taken = {*itertools.chain(*READERS.values())} & {one.name for one in node.names}
                assert not taken, f"{name} takes {taken} for itself"
            if isinstance(node, ast.Attribute) and node.attr in {"kind_of", "pieces"}:
                whose = ast.unparse(node.value)
                assert "reader" in whose or (node.attr == "pieces" and "kind" not in whose), (
                    f"{name}: {whose}"
                )


#: What changes entries, decisions or adapters.
CHANGES = (
    *(f"store.{name}(" for name in ("forget", "expire", "publish")),
    *(f"entries.{name}(" for name in ("add", "delete", "expire")),
    *(f"words.{name}(" for name in ("add", "add_own", "remove", "undo", "forget", "correction_taken_back")),
    *(f"adapters.{name}(" for name in ("add", "activate", "delete_tainted")),
    *("watches.add(", "watches.remove(", "pause.begin(", "pause.end(", "put_app_rules("),
)


def test_only_the_profile_changes_what_it_knows():
    for name, path in MODULES.items():
        if not name.startswith(("daemon.storage.", "daemon.profile.")):
            found = [change for change in CHANGES if change in path.read_text("utf-8")]
            assert not found, f"{name}: {found}; decide, learn, forget or publish it through the profile"
