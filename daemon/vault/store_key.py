"""The store's key: in the system's keyring where there is one, else in a file of the profile."""

from __future__ import annotations

import logging
import os
import re
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import keyring
from keyring.backend import KeyringBackend

from idiolect.daemon.settings import Settings
from idiolect.daemon.vault import marker
from idiolect.models import durable
from idiolect.models.errors import ExitCode, IdiolectError
from idiolect.models.regular_files import read_small

log = logging.getLogger("idiolect.keys")

SERVICE = "idiolect"

# keyring gives backends of the operating system 1 and more; lower backends ask on a terminal, keep the key in
# a readable file, or do nothing.
_LEAST_PRIORITY = 1.0

_PATIENCE_S = 30.0  # that a locked keyring may take to be unlocked by the user


class KeyMissingError(IdiolectError, code="key-missing", exit_code=ExitCode.STORE, http_status=500):
    """There is a store, but its key is nowhere to be found."""


class KeyDamagedError(IdiolectError, code="key-damaged", exit_code=ExitCode.STORE, http_status=500):
    """What is kept as the key is not a key, or cannot be read or written."""


class KeyringLockedError(IdiolectError, code="keyring-locked", exit_code=ExitCode.STORE, http_status=503):
    """The keyring that may hold the key does not give an answer."""


class LockedError(IdiolectError, code="locked", exit_code=ExitCode.STORE, http_status=423):
    """The profile is locked: the service runs without its key."""

    def __init__(self) -> None:
        """Say how to unlock it."""
        super().__init__("The profile is locked. Run `idiolect unlock`, then ask again.")


@dataclass(frozen=True)
class StoreKey:
    """The key, 64 hexadecimal digits (32 random bytes), and where it is kept."""

    hex: str = field(repr=False)
    origin: Literal["keyring", "file"]


def obtain(settings: Settings, *, new: bool = True) -> StoreKey:
    """Load the profile's key; for a new profile, if `new`, make one, in the keyring if possible, else in a 0600 file.

    The key file wins over the keyring, so that a key put there by hand opens a copied store. Raises LockedError,
    KeyMissingError, KeyDamagedError, KeyringLockedError; then nothing was created. A new profile's key is made by the
    holder of the lock alone.
    """
    if settings.locked:
        raise LockedError
    ring = _Keyring(on=settings.keyring)
    if (kept := _kept(settings, ring)) is not None:
        return kept
    if not new or _exists(settings.store_path):
        raise _missing(settings, ring)
    marker.begin(settings)  # killed between key and store, the next start goes on
    fresh = secrets.token_hex(32)
    if ring.put(str(settings.home), fresh):
        return StoreKey(fresh, "keyring")
    _to_file(settings.key_path, fresh)
    return StoreKey(fresh, "file")


def remove(settings: Settings, origin: Literal["keyring", "file"] | None) -> bool | None:
    """Delete the key wherever it may be; `origin` is where it is kept, None: nowhere, as far as is known.

    Returns whether it is gone: False where the keyring keeps it, None where it may be in a keyring that gives no
    answer here. The caller holds the profile's lock.
    """
    settings.key_path.unlink(missing_ok=True)
    ring = _Keyring(on=True)
    gone = ring.drop(str(settings.home))
    return gone if ring.state == "answers" else None if origin == "keyring" else True


def put_back(settings: Settings, key: str) -> StoreKey:
    """Keep a key that was taken away, in the keyring if possible, else in a file."""
    if _Keyring(on=settings.keyring).put(str(settings.home), key):
        settings.key_path.unlink(missing_ok=True)  # it would win over the keyring
        return StoreKey(key, "keyring")
    durable.write(settings.key_path, f"{key}\n".encode())
    return StoreKey(key, "file")


def _kept(settings: Settings, ring: _Keyring) -> StoreKey | None:
    if (kept := _from_file(settings.key_path)) is not None:
        return StoreKey(kept, "file")
    if (kept := ring.get(str(settings.home))) is not None:
        return StoreKey(_checked(kept, "the keyring"), "keyring")
    return None


class _Keyring:
    """The keyring, at arm's length: it may be switched off, absent, broken, locked, or never answer.

    `state` says what came of the last question.
    """

    def __init__(self, *, on: bool) -> None:
        self.state: Literal["answers", "absent", "silent", "off"] = "answers" if on else "off"

    def get(self, account: str) -> str | None:
        return self._ask(lambda backend: backend.get_password(SERVICE, account))

    def put(self, account: str, key: str) -> bool:
        """Keep the key and see that it is kept: some backends take it and drop it."""

        def put(backend: KeyringBackend) -> str | None:
            backend.set_password(SERVICE, account, key)
            return backend.get_password(SERVICE, account)

        return self.state == "answers" and self._ask(put) == key

    def drop(self, account: str) -> bool:
        """Delete a key; whether there is none afterwards."""

        def drop(backend: KeyringBackend) -> str | None:
            if backend.get_password(SERVICE, account) is not None:
                backend.delete_password(SERVICE, account)
            return backend.get_password(SERVICE, account)

        return self._ask(drop) is None and self.state == "answers"

    def _ask(self, question: Callable[[KeyringBackend], str | None]) -> str | None:
        """The answer; None too when there is no keyring or it does not answer in time.

        In a thread of its own, because a keyring that waits for the user cannot be interrupted.
        """
        if self.state == "off":
            return None
        answers: list[str | None] = []

        def ask() -> None:
            backend = _backend()
            if backend is None:
                self.state = "absent"
                return
            with suppress(Exception):  # D-Bus's, the keychain's, a plug-in's own: all mean "no"
                answers.append(question(backend))

        thread = threading.Thread(target=ask, name="keyring", daemon=True)
        thread.start()
        thread.join(_PATIENCE_S)
        if not answers:
            self.state = "absent" if self.state == "absent" else "silent"
            return None
        self.state = "answers"
        return answers[0]


def _backend() -> KeyringBackend | None:
    with suppress(Exception):  # a backend that cannot even say its priority
        backend = keyring.get_keyring()
        if float(backend.priority) >= _LEAST_PRIORITY:
            return backend
    return None


def _exists(store: Path) -> bool:
    return store.exists() and store.stat().st_size > 0


def _missing(settings: Settings, ring: _Keyring) -> IdiolectError:
    if ring.state == "silent":
        return KeyringLockedError(
            f"The keyring does not give the key of the profile {settings.home}. Nothing was changed: "
            "unlock the keyring (log in to the desktop) and try again."
        )
    if ring.state == "off":
        where = "the keyring is switched off in the settings"
    elif ring.state == "absent":
        where = "no keyring can be reached from here (it belongs to the desktop's session)"
    else:
        where = "the keyring has none for this folder (a profile that was moved must go back)"
    store = _exists(settings.store_path)
    what = f"There is a store {settings.store_path}, but no key for it" if store else "The profile has no key"
    return KeyMissingError(
        f"{what}: {where}, and there is no file {settings.key_path}. Nothing was changed: put the key back"
        f"{'. `idiolect start --new-store` begins anew and keeps that store aside' if store else ''}."
    )


def _checked(kept: str, where: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", kept):
        raise KeyDamagedError(
            f"What {where} holds is not a key. Put the right one back. `idiolect start --new-store` begins anew "
            "without it and keeps aside what is left."
        )
    return kept


def _from_file(path: Path) -> str | None:
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
            log.warning(
                "the key file was open to other users and was closed; `idiolect doctor` says how to get another key"
            )
        kept = read_small(path).decode("ascii").strip()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        kept = ""
    except OSError as error:
        raise KeyDamagedError(
            f"The key file {path} cannot be read: {error.strerror}. Make it readable for you alone."
        ) from None
    return _checked(kept, f"the file {path}")


def _to_file(path: Path, key: str) -> None:
    """Write a new key file, whole or not at all, and never over another one."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(key + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename, fails where a file exists
        durable.sync_folder(path.parent)
    except OSError as error:
        raise KeyDamagedError(
            f"The key file {path} cannot be written: {error.strerror}. Make its folder writable or make room."
        ) from None
    finally:
        with suppress(OSError):
            draft.unlink()
