"""Builds the Debian package: `.venv/bin/python .ci/debian/build.py` writes dist/idiolect_VERSION_ARCH.deb.

The package carries the interpreter and the environment that build it, the base model, and the compiled addon of Fcitx:
neither a compiler nor an index is needed where it is installed. The same environment makes the same package, byte by
byte: each file is as old as the newest commit, and names are sorted.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import importlib.metadata
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import textwrap
import time
import tomllib
import zipfile
from collections.abc import Iterable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import manual
from pip._vendor.packaging.requirements import Requirement

from idiolect.daemon.clients.browser import manifests
from idiolect.daemon.clients.keyboard import component
from idiolect.daemon.clients.setup import fcitx
from idiolect.daemon.runtime import package, service_unit
from idiolect.models.fetch import BASE, fetch

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
HOME = package.HOME
PROGRAM = HOME / "bin" / "python3"
WHO = "idiolect's maintainers <maintainers@idiolect.example>"
#: Of the standard library and of the packages, what only their developers use.
LEFT_OUT = re.compile(
    r"(^|/)(__pycache__|tests?|idlelib|tkinter|turtledemo|lib2to3|ensurepip|pydoc_data|config-[^/]*)/"
    r"|^torch/(bin/(?!torch_shm)|include/|share/)|^(site|user)customize\.py$|^numpy/_core/include/|^onnx/backend/test/"
    r"|(^|/)lib-dynload/(_test|_tkinter|_crypt|_gdbm|_dbm|nis|xx|ossaudiodev|_ctypes_test)[^/]*$|^site-packages/"
    r"|\.(pyc|pyi|a|lib|h|hpp|cuh|cmake|pxd|pyx|c|cc|cpp|proto)$|^\.\./|/(RECORD|INSTALLER|REQUESTED|direct_url\.json)$"
)


def main() -> None:
    """Build the package in build/deb, and say how large it is."""
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    stamp = os.environ.get("SOURCE_DATE_EPOCH") or _run("git", "log", "-1", "--format=%ct").strip()
    os.environ.update(SOURCE_DATE_EPOCH=stamp, PYTHONHASHSEED="0", TZ="UTC", LC_ALL="C.UTF-8")
    work = begin_anew(CHECKOUT)
    root = work / "root"
    _interpreter(root)
    _packages(root)
    _program(root, work)
    _base(root)
    _compile(root)
    day = time.strftime("%Y-%m-%d", time.gmtime(int(stamp)))
    _desktop(root, version, day)
    _documents(root, version, int(stamp), day)
    _control(root, version)
    forget_the_checkout(root, int(stamp))
    arch = _run("dpkg", "--print-architecture").strip()
    made = CHECKOUT / "dist" / f"idiolect_{version}_{arch}.deb"
    made.parent.mkdir(exist_ok=True)
    _run(
        "dpkg-deb", "--root-owner-group", "-Zzstd", "-z9", "--threads-max=2", "--build", str(root), str(made)
    )
    installed = sum(path.lstat().st_size for path in root.rglob("*"))
    print(
        f"{made.relative_to(CHECKOUT)}: {made.stat().st_size / 1e6:.0f} MB, installed {installed / 1e6:.0f} MB"
    )


def begin_anew(checkout: Path) -> Path:
    """Return the folder to build in. What was built before goes: setuptools packs modules that have left the source."""
    shutil.rmtree(checkout / "build", ignore_errors=True)
    return checkout / "build" / "deb"


def _interpreter(root: Path) -> None:
    """Copy this interpreter: its program, its library, and its standard library."""
    home = _under(root, HOME)
    stdlib = Path(sysconfig.get_path("stdlib"))
    _copy(stdlib, (p.relative_to(stdlib).as_posix() for p in stdlib.rglob("*")), home / "lib" / stdlib.name)
    library = Path(sysconfig.get_config_var("LIBDIR")) / sysconfig.get_config_var("INSTSONAME")
    shutil.copy(library, home / "lib" / library.name)
    (home / "bin").mkdir()
    program = _under(root, PROGRAM)
    shutil.copy(Path(sys.executable).resolve(), program)
    # They name the folder where this interpreter lies, which is nowhere else.
    _run("patchelf", "--remove-rpath", *map(str, _binaries((home / "lib").rglob("*"))))
    _run("patchelf", "--set-rpath", "$ORIGIN/../lib", str(program))


def _packages(root: Path) -> None:
    """Copy the packages that the program needs from this environment."""
    target = _site(root)
    for name in _needed():
        found = importlib.metadata.distribution(name)
        _copy(Path(str(found.locate_file(""))), map(str, found.files or ()), target)
    _run("strip", "--strip-unneeded", *map(str, _binaries(_under(root, HOME).rglob("*"))))


def _needed() -> list[str]:
    """Return the names of the packages that the program needs, and of those that they need."""
    names, todo = set[str](), [("idiolect", ("",))]
    while todo:
        name, extras = todo.pop()
        for line in importlib.metadata.distribution(name).requires or ():
            need = Requirement(line)
            wanted = need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras)
            key = re.sub(r"[-_.]+", "-", need.name).lower()
            if wanted and key not in names:
                names.add(key)
                todo.append((key, ("", *need.extras)))
    return sorted(names)


def _copy(source: Path, names: Any, target: Path) -> None:
    for name in names:
        if not LEFT_OUT.search(name) and (source / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, target / name)
            # Nobody runs a module as a program, and its first line would name an interpreter that is not there.
            if name.endswith(".py") and (text := (source / name).read_bytes()).startswith(b"#!"):
                (target / name).write_bytes(b"#" + text[2:])


def _binaries(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.is_file() and path.open("rb").read(4) == b"\x7fELF"]


def _program(root: Path, work: Path) -> None:
    """Add the program itself, from its wheel, and the command."""
    _run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        f"--wheel-dir={work}",
        ".",
    )
    [wheel] = work.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(_site(root))
    command = _under(root, HOME / "bin" / "idiolect")
    command.write_text(
        f"#!{PROGRAM} -P\nfrom idiolect.daemon.clients.commandline.entry import main\n\nmain()\n"
    )
    (root / "usr" / "bin").mkdir()
    (root / "usr" / "bin" / "idiolect").symlink_to("../lib/idiolect/bin/idiolect")


def _base(root: Path) -> None:
    """Add the base model, as it is fetched, and verified by its hash."""
    cache = CHECKOUT / ".cache" / "gguf"
    cache.mkdir(parents=True, exist_ok=True)
    _copy(cache, [fetch(cache, pin=BASE).name], _under(root, HOME / "base"))


def _desktop(root: Path, version: str, day: str) -> None:
    """Add what a desktop, a browser and a shell look for, as `idiolect setup` writes it for one user."""
    share, host, fcitx_command = Path("/usr/share"), HOME / "browser-host", HOME / "fcitx" / "command"
    library = fcitx_command.with_name("libidiolect.so")
    sys.executable = str(PROGRAM)  # what they name starts the program in its place
    entry = (HERE / "idiolect.desktop").read_text("utf-8")
    hosts = {browser.name: browser for browser in manifests.browsers()}
    metainfo = (HERE / "idiolect.metainfo.xml").read_text("utf-8")
    pictures, icons = CHECKOUT / "daemon" / "endpoint" / "page", share / "icons" / "hicolor"
    written = {
        # With this file Python passes over a user's own packages. From here on the program starts only below /usr.
        HOME / "pyvenv.cfg": f"home = {PROGRAM.parent}\ninclude-system-site-packages = false\n",
        package.COMPONENT: component.xml(None, "default", "").decode(),
        package.UNIT: service_unit.packaged_text().decode(),
        host: f'#!/bin/sh\nexec {PROGRAM} -P -m idiolect.daemon.clients.browser "$@"\n',
        HOME / "hosts" / "chromium.json": manifests.manifest(hosts["Chromium"], host).decode(),
        Path("/usr/lib/mozilla/native-messaging-hosts/idiolect.json"): manifests.manifest(
            hosts["Firefox"], host
        ).decode(),
        share / "applications" / "idiolect.desktop": entry,
        # GNOME's settings open the preferences of an input method by this name.
        share / "applications" / "ibus-setup-idiolect.desktop": entry + "NoDisplay=true\n",
        share / "metainfo" / "org.freedesktop.IBus.Idiolect.metainfo.xml": metainfo.replace(
            "@VERSION@", version
        ).replace("@DATE@", day),
        icons / "scalable" / "apps" / "idiolect.svg": (pictures / "icon.svg").read_text("utf-8"),
    }
    described = fcitx.describe(None, package.ADDON.parents[1], library, fcitx_command)
    written |= {path: content.decode() for path, content in described.items()}
    for shell, path in (
        ("bash", "bash-completion/completions/idiolect"),
        ("zsh", "zsh/vendor-completions/_idiolect"),
        ("fish", "fish/vendor_completions.d/idiolect.fish"),
    ):
        asks = {"_IDIOLECT_COMPLETE": f"source_{shell}", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
        written[share / path] = _run(str(CHECKOUT / ".venv" / "bin" / "idiolect"), **asks).lstrip()
    for path, text in written.items():
        _under(root, path).parent.mkdir(parents=True, exist_ok=True)
        _under(root, path).write_text(text, "utf-8")
    shutil.copy(HERE / "signal-services", _under(root, HOME))
    fcitx.build(_under(root, library), fcitx_command)
    _run("strip", "--strip-unneeded", str(_under(root, library)))
    manifests.write_extension(_under(root, package.EXTENSION))


def _documents(root: Path, version: str, stamp: int, day: str) -> None:
    """Add the manual, the licences and the changes."""
    documents = root / "usr" / "share" / "doc" / "idiolect"
    documents.mkdir(parents=True)
    licences = "".join(
        f"  {name}: {about.get('License-Expression') or about.get('License') or 'see its folder'}"[:90] + "\n"
        for name in _needed()
        if (about := importlib.metadata.metadata(name).json)
    )
    shutil.copy(CHECKOUT / "NOTICE", documents)
    overrides = root / "usr" / "share" / "lintian" / "overrides"
    overrides.mkdir(parents=True)
    shutil.copy(HERE / "lintian-overrides", overrides / "idiolect")
    (documents / "copyright").write_text((HERE / "copyright").read_text("utf-8") + licences)
    changes = (CHECKOUT / "CHANGELOG.md").read_text("utf-8")
    wrap = functools.partial(textwrap.fill, width=78, initial_indent="  * ", subsequent_indent="    ")
    told = "\n".join(
        f"idiolect ({number}) stable; urgency=medium\n\n"
        + "".join(f"{wrap(line.lstrip('- '))}\n" for line in text.strip().splitlines() if line)
        + f"\n -- {WHO}  {formatdate(stamp)}\n"
        for number, text in re.findall(r"^## (\S+)\n\n(.*?)(?=\n## |\Z)", changes, re.M | re.S)
    )
    pages = root / "usr" / "share" / "man" / "man1"
    pages.mkdir(parents=True)
    for path, text in (
        (documents / "changelog.gz", told),
        (pages / "idiolect.1.gz", manual.manual(version, day)),
    ):
        path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def _compile(root: Path) -> None:
    """Compile what the program imports beforehand: nobody may write there later, and each start would do it again."""
    python, names = _under(root, PROGRAM), root.parent / "modules"
    imported = _run(str(python), "-s", "-B", "-P", str(HERE / "imported.py"))
    names.write_text(imported)
    options = ["-q", "-j1", "--invalidation-mode", "unchecked-hash"]
    _run(str(python), "-B", "-m", "compileall", *options, "-s", str(root), "-p", "/", "-i", str(names))


def _control(root: Path, version: str) -> None:
    """Write what dpkg reads: the fields, the sums, and what is done before and after."""
    control = root / "DEBIAN"
    control.mkdir()
    files = sorted(
        p for p in root.rglob("*") if p.is_file() and not p.is_symlink() and control not in p.parents
    )
    size = sum(path.stat().st_size for path in files) // 1024
    fields = {
        "@VERSION@": version,
        "@ARCH@": _run("dpkg", "--print-architecture").strip(),
        "@SIZE@": str(size),
        "@WHO@": WHO,
        **_libraries(files),
    }
    for name in ("control", "preinst", "postinst", "prerm", "postrm"):
        text = re.sub("@[A-Z]+@", lambda found: fields[found[0]], (HERE / name).read_text("utf-8"))
        (control / name).write_text(text)
    sums = (
        f"{hashlib.md5(p.read_bytes(), usedforsecurity=False).hexdigest()}  {p.relative_to(root)}\n"
        for p in files
    )
    (control / "md5sums").write_text("".join(sums))


def _libraries(files: list[Path]) -> dict[str, str]:
    """Return the packages whose libraries are used; of the C library, also the oldest version that will do."""
    held = {path.name for path in files}
    told = _run("objdump", "-p", *(str(path) for path in _binaries(files) if path.parent.name != "fcitx"))
    needed = set(re.findall(r"NEEDED +(\S+)", told)) - held
    folder = f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}"
    owners = _run("dpkg", "-S", *(f"{folder}/{name}" for name in sorted(needed)))
    libc = max(tuple(map(int, found.split("."))) for found in re.findall(r" GLIBC_(\d[.\d]*)", told))
    packages = sorted({line.split(":")[0] for line in owners.splitlines()} - {"libc6"})
    return {"@LIBC@": f"libc6 (>= {'.'.join(map(str, libc))})", "@DEPENDS@": ", ".join(packages)}


def forget_the_checkout(root: Path, stamp_s: int) -> None:
    """Let folders be entered, programs be run, and all be read and of one time, whatever a checkout or a wheel says."""
    for path in [root, *root.rglob("*")]:
        os.utime(path, (stamp_s, stamp_s), follow_symlinks=False)
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or _is_program(path) else 0o644)


def _is_program(path: Path) -> bool:
    with path.open("rb") as file:
        begins = file.read(4)
    return begins[:2] == b"#!" or (begins == b"\x7fELF" and ".so" not in path.name)


def _site(root: Path) -> Path:
    return _under(root, HOME / "lib") / Path(sysconfig.get_path("stdlib")).name / "site-packages"


def _under(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _run(*command: str, **environment: str) -> str:
    asks = {**os.environ, **environment}
    done = subprocess.run(command, cwd=CHECKOUT, env=asks, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"`{shlex.join(command)[:300]}` failed: {done.stderr[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    main()
