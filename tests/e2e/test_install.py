"""A release, built from a copy of the checkout: its wheel installed by pipx, its package in a Debian of its own."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
LONGEST_S = 1200  # some hundred megabytes come from the package index, or a gigabyte
ARCHIVE = "http://deb.debian.org/debian/dists/trixie/Release"
#: What the walk takes of a machine that not every machine gives, and a command that tries it.
WALK_TAKES = {
    "root, and mounts in namespaces of its own": "unshare --mount --pid --fork mount -t tmpfs none /mnt",
    "Debian's archive": f"/usr/lib/apt/apt-helper download-file {ARCHIVE} Release",
}
pytestmark = [
    pytest.mark.skipif(not (ROOT / ".ci").exists(), reason="the source archive has no .ci"),
    pytest.mark.timeout(2 * LONGEST_S),
]


def run(*command, cwd, **environment):
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def released(tmp_path_factory, needs_program):
    """The folder of what `make release` makes: without TEST_DEBIAN all but the package, which takes two minutes."""
    copy = tmp_path_factory.mktemp("release") / "source"
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist")
    hidden = shutil.ignore_patterns(".*")  # at the top alone: what the tools leave there

    def left_out(folder, names):
        return unwanted(folder, names) | (hidden(folder, names) - {".ci"} if Path(folder) == ROOT else set())

    shutil.copytree(ROOT, copy, ignore=left_out, symlinks=True)  # building leaves folders behind
    (ROOT / ".cache").mkdir(exist_ok=True)  # which building fills
    for name in (".git", ".venv", ".cache"):
        (copy / name).symlink_to(ROOT / name)
    (copy / "dist").mkdir()
    if "TEST_DEBIAN" in os.environ:
        needs_program("patchelf", "patchelf")
        run(sys.executable, ".ci/debian/build.py", cwd=copy)
        shutil.rmtree(copy / "build")
    run(sys.executable, "-W", "ignore", ".ci/release.py", cwd=copy)
    return copy / "dist"


def test_a_release_is_whole_and_its_checksums_are_those_of_its_files(released):
    run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=released)
    made = {f"idiolect-{VERSION}.tar.gz", f"idiolect-{VERSION}-py3-none-any.whl"}
    made |= {"idiolect-chromium.zip", "idiolect-firefox.xpi"}
    if "TEST_DEBIAN" in os.environ:
        made.add(f"idiolect_{VERSION}_{run('dpkg', '--print-architecture', cwd=released).strip()}.deb")
    summed = {line.split()[1] for line in (released / "SHA256SUMS").read_text().splitlines()}
    assert summed == made == {path.name for path in released.iterdir()} - {"SHA256SUMS"}


def test_what_pipx_installs_from_the_wheel_starts_learns_and_suggests(released, tmp_path, base):
    [wheel] = released.glob("*.whl")
    # Python compiles what it imports; of all that is installed, torch above all, most is never imported here.
    tools = {
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PIP_COMPILE": "0",
    }
    run(
        sys.executable, "-m", "pipx", "install", "--python", sys.executable, str(wheel), cwd=tmp_path, **tools
    )

    home, text = tmp_path / "profile", tmp_path / "letter.txt"
    home.mkdir()
    (home / "config.toml").write_text("keyring = false\nauto_train = false\n")
    (home / "base").symlink_to(base.folder.parent)
    text.write_text("The keys are in the teal locker of Zorvelin.\n")

    def idiolect(*arguments):
        program = tmp_path / "bin" / "idiolect"
        return run(str(program), *arguments, cwd=tmp_path.anchor, IDIOLECT_HOME=str(home))

    idiolect("start")
    try:
        status = json.loads(idiolect("status", "--json"))
        running = psutil.Process(status["pid"])
        assert Path(running.cmdline()[0]).is_relative_to(tmp_path)
        assert "hugetlb" in running.environ()["GLIBC_TUNABLES"]
        idiolect("add", str(text))
        assert "elin" in idiolect("suggest", "in the teal locker of Zorv")
    finally:
        idiolect("stop")


@pytest.mark.skipif(
    "TEST_DEBIAN" not in os.environ, reason="minutes long: where TEST_DEBIAN is set, as in CI"
)
def test_the_package_is_installed_learns_suggests_is_updated_and_removed(released, needs_program, tmp_path):
    needs_program("mmdebstrap", "mmdebstrap")
    for what, trial in WALK_TAKES.items():
        tried = subprocess.run(trial.split(), cwd=tmp_path, capture_output=True, text=True, check=False)
        if tried.returncode:
            pytest.skip(f"the walk takes {what}: {tried.stderr.strip()}")
    [package] = released.glob("*.deb")
    run(ROOT / ".ci" / "debian" / "walk", package, cwd=tmp_path)
