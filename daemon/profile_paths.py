"""Paths of all files in a profile's folder, and the check that the folder is the user's alone."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final, Self

import platformdirs

from idiolect.models.errors import ExitCode, IdiolectError

ENV_PREFIX: Final = "IDIOLECT_"
"""What the names of environment variables begin with that set something."""

_FILES: Final = r"store\.json|store\.key|store\.key\.next|locked|config\.toml|keyboard\.json|browser-host"
_RUNNING: Final = (
    r"lock|base-lock|service\.json|starting|port|port-meanwhile|idiolect\.sock|token|token-[a-z]+"
)
_DRAFT: Final = r"-[a-z0-9_]{8}"  # how the name ends of a file that `durable.write` has not finished
_BASE: Final = r"base(?:/others/[\w.-]+)?"  # a base model's folder
#: How the name ends of what a new store, or a restored one, has put aside.
_ASIDE: Final = r"\.(?:lost|before)-\d{8}T\d{6}-[0-9a-f]{4}"

#: All that the program ever makes in a profile's folder, by path: nothing else is removed with a profile.
_OWN: Final = re.compile(
    "|".join(
        (
            rf"store\.db(?:\.restoring|{_ASIDE})?(?:-wal|-shm|-journal)?",
            _FILES,
            rf"\.(?:{_FILES}){_DRAFT}",
            rf"store\.key(?:\.next)?(?:\.[0-9a-f]{{8}}|{_ASIDE})",
            r"base|run|log",
            rf"run/(?:{_RUNNING})",
            rf"run/\.(?:{_RUNNING}){_DRAFT}",
            r"log/idiolect\.log(?:\.1)?",
            rf"base/(?:chosen\.json|others|\.chosen\.json{_DRAFT})",
            rf"{_BASE}/model",
            rf"{_BASE}/model/(?:graph\.onnx(?:\.data)?|tokenizer\.model|[\w-]+\.npz|manifest\.json)",
            rf"{_BASE}/model/\.words-[a-z0-9_]{{8}}(?:/.*)?",
            rf"{_BASE}/(?:[\w.-]+\.gguf(?:\.part\d\d)?|speed\.json|GEMMA_TERMS\.html|accepted-terms)",
            rf"{_BASE}/\.(?:speed\.json|accepted-terms|[\w.-]+\.gguf){_DRAFT}",
            rf"{_BASE}/\.(?:build|fetch)-\d+-[a-z0-9_]{{8}}(?:/.*)?",
            r"base/others/[\w.-]+",
            r"browser-extension(?:/.*)?",
        )
    )
)


class HomeError(IdiolectError, code="home-not-writable", exit_code=ExitCode.NO_ROOM, http_status=500):
    """The profile's folder cannot be made, entered or written."""


def default_home() -> Path:
    """Where the profile is unless `IDIOLECT_HOME` says otherwise."""
    return Path(platformdirs.user_data_dir("idiolect", appauthor=False))


class ProfilePaths:
    """The files and folders of the profile in `home`."""

    home: Path

    @property
    def config_path(self) -> Path:
        """The settings file."""
        return config_path(self.home)

    @property
    def store_path(self) -> Path:
        """The encrypted store."""
        return self.home / "store.db"

    @property
    def marker_path(self) -> Path:
        """That there is a store, for when there is none."""
        return self.home / "store.json"

    @property
    def former_store_paths(self) -> list[Path]:
        """The stores that restored backups replaced, the newest last, until the user deletes them."""
        found = sorted(self.home.glob("store.db.before-*"))
        return [path for path in found if not path.name.endswith(("-wal", "-shm"))]

    @property
    def key_path(self) -> Path:
        """The store's key, where no keyring holds it."""
        return self.home / "store.key"

    @property
    def locked_path(self) -> Path:
        """There while the profile is locked; with a passphrase, it holds the key, encrypted with that."""
        return self.home / "locked"

    @property
    def locked(self) -> bool:
        """Whether the profile is locked: a service starts without key, text and adapter."""
        return self.locked_path.exists()

    @property
    def base_dir(self) -> Path:
        """The base model: what was fetched and what was built from it."""
        return self.home / "base"

    @property
    def run_dir(self) -> Path:
        """What exists for the running service only."""
        return self.home / "run"

    @property
    def lock_path(self) -> Path:
        """Locked by the one service that runs this profile."""
        return self.run_dir / "lock"

    @property
    def base_lock_path(self) -> Path:
        """Locked by the one command that fetches or builds a base model."""
        return self.run_dir / "base-lock"

    @property
    def socket_path(self) -> Path:
        """The Unix socket, where `unix_socket` is set."""
        return self.run_dir / "idiolect.sock"

    @property
    def token_path(self) -> Path:
        """The bearer token that a client shows."""
        return self.run_dir / "token"

    def scoped_token_path(self, scope: str) -> Path:
        """The bearer token for a smaller scope."""
        return self.run_dir / f"token-{scope}"

    @property
    def log_path(self) -> Path:
        """The service's log."""
        return self.home / "log" / "idiolect.log"

    @property
    def keyboard_path(self) -> Path:
        """What the user chose for the keyboard."""
        return self.home / "keyboard.json"

    @property
    def browser_host_path(self) -> Path:
        """What browsers start for their extension, once `idiolect setup browser` has written it."""
        return self.home / "browser-host"

    @property
    def browser_extension_path(self) -> Path:
        """The folder of the browsers' extension, once `idiolect setup browser` has written it."""
        return self.home / "browser-extension"

    def owns(self, path: Path) -> bool:
        """Whether what is at `path`, in the profile's folder or below it, has a name that only the program gives."""
        return _OWN.fullmatch(path.relative_to(self.home).as_posix()) is not None

    def prepare(self) -> Self:
        """Create the profile's folders, for the user alone (0700), and return self.

        An existing folder of the profile is closed to others too, unless it holds files of somebody
        else's (a shared folder such as `/tmp` is left as it is). Raises HomeError.
        """
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            if all(map(self.owns, self.home.iterdir())):
                _close_to_others(self.home)
            for folder in (self.base_dir, self.run_dir, self.log_path.parent):
                folder.mkdir(mode=0o700, exist_ok=True)
                _close_to_others(folder)
        except OSError as error:
            raise HomeError(
                f"The profile's folder {self.home} cannot be used: {error.strerror}. "
                f"Make it writable, or name another folder in {ENV_PREFIX}HOME."
            ) from None
        self.require_writable()
        return self

    def require_writable(self) -> None:
        """Raise HomeError where the profile's folder cannot be written, as on a disk that is read-only."""
        if not os.access(self.home, os.W_OK | os.X_OK):
            raise HomeError(
                f"The profile's folder {self.home} is not writable. "
                f"Make it writable, or name another folder in {ENV_PREFIX}HOME."
            )


def config_path(home: Path) -> Path:
    """The settings file of the profile in `home`."""
    return home / "config.toml"


def real_path(path: Path) -> Path:
    """The full path without symbolic links, as far as it is there; it never fails.

    Where links lead in a circle, the path keeps a link, and opening it raises an `OSError`; `Path.resolve` would raise
    a `RuntimeError`.
    """
    return Path(os.path.realpath(path))


def absolute_path(path: Path) -> Path:
    """:func:`real_path` of a path in which `~` may stand for a home."""
    return real_path(Path(os.path.expanduser(path)))


def _close_to_others(folder: Path) -> None:
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        folder.chmod(0o700)
