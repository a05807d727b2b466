"""The keyboard's addon of Fcitx 5: built on this machine, kept in this user's folders, added to the input methods."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import platformdirs
from jeepney import DBusAddress, MessageFlag, MessageType, new_method_call
from jeepney.io.blocking import open_dbus_connection

from idiolect.daemon.clients.keyboard import component
from idiolect.daemon.clients.keyboard.component import ADDON, ENGINE, addon_version
from idiolect.daemon.clients.setup.place import SetupRefusedError, remove_own, write_own
from idiolect.daemon.runtime import package
from idiolect.daemon.settings import Settings

_COMPILERS: Final = ("c++", "g++", "clang++")
_FLAGS: Final = ("-std=c++20", "-O2", "-fPIC", "-shared")
_CONTROLLER: Final = DBusAddress("/controller", "org.fcitx.Fcitx5", "org.fcitx.Fcitx.Controller1")
_ANSWER_S: Final = 5.0
_BUILD_S: Final = 300.0
_POLL_S: Final = 0.1
_SILENT: Final = "Fcitx does not tell or take its input methods, so they stay as they are. Try again."
_ADDON: Final = """\
[Addon]
Name=idiolect
Comment=Suggests words and how the sentence goes on, as you write it
Category=InputMethod
Type=SharedLibrary
Library={library}
OnDemand=True
Configurable=False
"""
_INPUT_METHOD: Final = """\
[InputMethod]
Name=idiolect
Icon=input-keyboard
Label=id
Addon=idiolect
Configurable=False
"""


def version() -> str | None:
    """Return Fcitx's version; None where it is not installed, or another than 5."""
    try:
        asked = subprocess.run(
            ["fcitx5", "--version"], capture_output=True, text=True, timeout=_ANSWER_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"5(\.\d+)+", asked.stdout)
    return found[0] if found else None


def runs() -> bool:
    """Return whether Fcitx 5 runs in this session."""
    return _call("CurrentInputMethodGroup") is not None


def is_known() -> bool:
    """Return whether Fcitx lists the keyboard."""
    (methods,) = _call("AvailableInputMethods") or ((),)
    return any(one[0] == ENGINE for one in methods)


def is_listed() -> bool:
    """Return whether the keyboard is one of the user's input methods."""
    try:
        return any(name == ENGINE for name, _ in _group()[2])
    except SetupRefusedError:
        return False


def path() -> Path:
    """Return the file by which Fcitx knows the addon."""
    return _folder() / "addon" / "idiolect.conf"


def files(settings: Settings) -> dict[Path, bytes]:
    """Return all that Fcitx reads, but for the library."""
    return describe(settings, _folder(), _library(), _command())


def describe(settings: Settings | None, folder: Path, library: Path, command: Path) -> dict[Path, bytes]:
    """Return what is in Fcitx's `folder`, and in the file `command` that the addon's `library` reads."""
    return {
        folder / "addon" / "idiolect.conf": _ADDON.format(library=library.with_suffix("")).encode(),
        folder / "inputmethod" / "idiolect.conf": _INPUT_METHOD.encode(),
        command: "\n".join(component.command(settings, "--fcitx", addon_version())).encode(),
    }


def is_current(settings: Settings) -> bool:
    """Return whether the addon is there as it would be built now."""
    if package.serves(settings.home):
        return not path().exists()
    try:
        written = all(where.read_bytes() == content for where, content in files(settings).items())
    except OSError:
        return False
    return written and _library().exists()


def install(settings: Settings) -> list[str]:
    """Build the addon, and add the keyboard to the input methods in use. Raises SetupRefusedError.

    Where the package has built it, what was built for this user before is removed.
    """
    packaged, library, was_there = package.serves(settings.home), _library(), path().exists()
    if not packaged and not library.exists():
        build(library, _command())
    name, layout, methods = _group()  # as Fcitx has them that runs now: the next may not answer yet
    if packaged:
        done = [f"Removed {gone}." for gone in _remove_files()]
    else:
        for where, content in files(settings).items():
            write_own(where, content)
        for old in set(library.parent.glob("*.so")) - {library}:
            old.unlink()
        done = [f"Built {library}."]
    _call("Restart" if was_there else "Refresh")  # an addon that is loaded stays as it was until then
    if not _wait_until(is_known):
        raise SetupRefusedError("Fcitx does not list the keyboard. Log out and in, then try again.")
    if _without_keyboard(methods) == methods:
        methods = [*methods, (ENGINE, "")]
    if not _wait_until(lambda: is_listed() or (_set_group(name, layout, methods) and is_listed())):
        raise SetupRefusedError("Fcitx does not take the keyboard as an input method. Try again.")
    return [*done, f"Added to Fcitx's input methods ({name})."]


def remove() -> list[str]:
    """Take the keyboard out of the input methods, and its addon away; return the paths that are gone.

    Raises SetupRefusedError.
    """
    if runs():
        name, layout, methods = _group()
        if (rest := _without_keyboard(methods)) != methods and not _set_group(name, layout, rest):
            raise SetupRefusedError(_SILENT)
    if gone := _remove_files():
        _call("Restart")
    return gone


def _remove_files() -> list[str]:
    there = [path(), _folder() / "inputmethod" / "idiolect.conf", _command(), *_command().parent.glob("*.so")]
    gone = remove_own(there)
    if gone:
        shutil.rmtree(_command().parent, ignore_errors=True)
    return gone


def _folder() -> Path:
    return Path(platformdirs.user_data_dir("fcitx5", appauthor=False))


def _command() -> Path:
    """Return the file that says how the addon starts the keyboard's process."""
    return _folder() / "idiolect" / "command"


def _library() -> Path:
    """Return where the library is, by a name of its own for each source and each version of Fcitx."""
    built_of = f"{version()} {_command()} {addon_version()}".encode()
    return _command().with_name(f"libidiolect-{hashlib.sha256(built_of).hexdigest()[:12]}.so")


def build(library: Path, command: Path) -> None:
    """Compile the addon, which reads in the file `command` what to start. Raises SetupRefusedError."""
    again = "then run `idiolect setup keyboard` again."
    compiler = next(filter(None, map(shutil.which, _COMPILERS)), None)
    if compiler is None:
        raise SetupRefusedError(f"The addon of Fcitx is compiled here: install a C++ compiler (g++), {again}")
    include = Path(shutil.which("fcitx5") or "/usr/bin/fcitx5").resolve().parent.parent / "include" / "Fcitx5"
    if not (include / "Core" / "fcitx" / "instance.h").exists():
        raise SetupRefusedError(
            "Fcitx's headers are missing: install libfcitx5core-dev (Debian, Ubuntu) or fcitx5-devel (Fedora), "
            + again
        )
    headers = [f"-I{include / name}" for name in ("Core", "Config", "Utils")]
    library.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = library.with_suffix(".new")
    try:
        built = subprocess.run(
            [
                *(compiler, *_FLAGS, *headers, f'-DIDIOLECT_COMMAND="{command}"'),
                *(str(ADDON), "-o", str(made), "-lFcitx5Core", "-lFcitx5Utils"),
            ],
            capture_output=True,
            timeout=_BUILD_S,
            check=False,
        ).returncode
        if built != 0:
            raise SetupRefusedError(
                f"The addon does not compile with Fcitx {version()}: update Fcitx, its headers and the compiler, "
                + again
            )
        made.rename(library)
    except subprocess.TimeoutExpired:
        raise SetupRefusedError(f"The compiler did not end. See why it is slow, {again}") from None
    finally:
        made.unlink(missing_ok=True)


def _group() -> tuple[str, str, list[tuple[str, str]]]:
    """Return the name, the layout and the input methods of the group in use. Raises SetupRefusedError."""
    current = _call("CurrentInputMethodGroup")
    info = current and _call("InputMethodGroupInfo", "s", current)
    if not info:
        raise SetupRefusedError(_SILENT)
    return (*current, *info)


def _set_group(name: str, layout: str, methods: list[tuple[str, str]]) -> bool:
    """Set the input methods of a group. Return whether Fcitx took them."""
    return _call("SetInputMethodGroupInfo", "ssa(ss)", (name, layout, methods)) is not None


def _without_keyboard(methods: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [one for one in methods if one[0] != ENGINE]


def _wait_until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 3 * _ANSWER_S
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _call(member: str, signature: str | None = None, body: tuple[Any, ...] = ()) -> Any:
    """Call Fcitx, and return its results; None where it does not run, or does not answer."""
    message = new_method_call(_CONTROLLER, member, signature, body)
    message.header.flags |= MessageFlag.no_auto_start
    try:
        with open_dbus_connection("SESSION") as bus:
            answer = bus.send_and_get_reply(message, timeout=_ANSWER_S)
    except (OSError, KeyError, ValueError, RuntimeError):
        return None
    return answer.body if answer.header.message_type is MessageType.method_return else None
