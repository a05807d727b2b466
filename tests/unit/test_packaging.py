"""What is built to be installed: every module and data file, the licences, and nothing else."""

import email
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("adapters", "daemon", "models")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def build(kind: str, source: Path, into: Path) -> Path:
    """The archive that pip would make of the folder `source`, with the setuptools that is here."""
    # In another process: setuptools changes where Python looks for distutils and pip.
    code = f"import sys, setuptools.build_meta as b; print(b.build_{kind}(sys.argv[1]), file=sys.stderr)"
    command = [sys.executable, "-c", code, str(into)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return into / done.stderr.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the checkout: building leaves folders behind."""
    copy = tmp_path_factory.mktemp("source") / "idiolect"
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist")
    hidden = shutil.ignore_patterns(".*")  # at the top alone: what the tools leave there

    def left_out(folder: str, names: list[str]) -> set[str]:
        return unwanted(folder, names) | (hidden(folder, names) if Path(folder) == ROOT else set())

    shutil.copytree(ROOT, copy, ignore=left_out, symlinks=True)
    return copy


@pytest.fixture(scope="module")
def sdist(source, tmp_path_factory):
    return build("sdist", source, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """The wheel, made from the sdist, as pip does where there is no wheel: what either leaves out is missing here."""
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    [unpacked] = folder.iterdir()
    with zipfile.ZipFile(build("wheel", unpacked, folder)) as archive:
        yield archive


def files(*folders: str) -> set[str]:
    """The files of the source tree in these folders."""
    found = {path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()}
    return {path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts}


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel):
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == {f"idiolect/{name}" for name in files(*FOLDERS)}


def test_the_wheel_says_what_it_is_and_needs(wheel):
    [home] = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    for name in ("LICENSE", "NOTICE"):
        assert wheel.read(f"{home}/licenses/{name}") == (ROOT / name).read_bytes()
    about = email.message_from_bytes(wheel.read(f"{home}/METADATA"))
    assert about["Requires-Python"] == PROJECT["requires-python"]
    needed = [line for line in about.get_all("Requires-Dist") if "extra ==" not in line]
    assert len(needed) == len(PROJECT["dependencies"])
    assert about.get_payload().startswith("# idiolect")


def test_the_sdist_holds_what_its_tests_and_documents_need(sdist):
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    wanted = files(*FOLDERS, "tests", "docs") | {
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Makefile",
        "NOTICE",
    }
    assert wanted <= held
    assert not {name for name in held if name.startswith((".", "build/", "dist/"))}
