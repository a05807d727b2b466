"""Browsers: where each keeps its data, and where it looks for the manifest of a native-messaging host.

The places are those of Chromium's `chrome_paths_linux.cc` and Firefox's `nsXREDirProvider`, and of how Flatpak and
Snap lay out a home.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

#: The extension, as it is part of the program.
EXTENSION: Final = Path(__file__).with_name("extension")
#: The name that the extension asks for.
NAME: Final = "idiolect"
_DESCRIPTION: Final = "idiolect: suggestions from the service of this machine's user"
_NO_FLATPAK: Final = (
    "Chromium's Flatpaks start no program outside of their sandbox, so the extension has nobody to ask"
)
_NO_SNAP: Final = (
    "Chromium's Snap starts no program outside of its sandbox, so the extension has nobody to ask"
)
_PORTAL: Final = (
    "a sandboxed Firefox asks the desktop's WebExtensions portal to start the program, which few desktops but "
    "Ubuntu's have; without it the extension has nobody to ask"
)


@dataclass(frozen=True)
class Browser:
    """A browser as it is installed for this user.

    Its data are in one of `folders`; `hosts` is where it looks for manifests; `gecko` whether it is a Firefox. `limit`
    says what a sandbox leaves of it.
    """

    name: str
    folders: tuple[Path, ...]
    hosts: Path
    gecko: bool = False
    limit: str | None = None

    @property
    def present(self) -> bool:
        """Whether it has been started by this user."""
        return any(folder.is_dir() for folder in self.folders)

    @property
    def works(self) -> bool:
        """Whether it can start a program; else nothing is written for it."""
        return self.gecko or self.limit is None

    @property
    def path(self) -> Path:
        """Where its manifest belongs."""
        return self.hosts / f"{NAME}.json"


def browsers() -> list[Browser]:
    """Every browser that the program knows, there or not."""
    return [*_unboxed(), *_boxed()]


def _unboxed() -> list[Browser]:
    config, home = platformdirs.user_config_path(), Path.home()
    return [
        *(
            _chromium(name, config / folder)
            for name, folder in (
                ("Chromium", "chromium"),
                ("Chrome", "google-chrome"),
                ("Chrome Beta", "google-chrome-beta"),
                ("Brave", "BraveSoftware/Brave-Browser"),
                ("Edge", "microsoft-edge"),
                ("Vivaldi", "vivaldi"),
            )
        ),
        # Since 147 a Firefox that is new keeps its data in the second; its manifests stay where they were.
        _firefox("Firefox", home / ".mozilla" / "firefox", config / "mozilla" / "firefox"),
    ]


def _chromium(name: str, folder: Path, limit: str | None = None) -> Browser:
    """One of Chromium's family; in a sandbox, whose `limit` is given, it cannot start the host."""
    return Browser(name, (folder,), folder / "NativeMessagingHosts", limit=limit)


def _firefox(name: str, *folders: Path, limit: str | None = None) -> Browser:
    """A Firefox; the portal that starts the host for one in a sandbox looks where any other Firefox does."""
    hosts = Path.home() / ".mozilla" / "native-messaging-hosts"
    return Browser(name, folders, hosts, gecko=True, limit=limit)


def _boxed() -> list[Browser]:
    """Those in a Flatpak or a Snap."""
    apps, snaps = Path.home() / ".var" / "app", Path.home() / "snap"
    return [
        *(
            _chromium(f"{name} (Flatpak)", apps / app / "config" / folder, _NO_FLATPAK)
            for name, app, folder in (
                ("Chromium", "org.chromium.Chromium", "chromium"),
                ("Chrome", "com.google.Chrome", "google-chrome"),
                ("Brave", "com.brave.Browser", "BraveSoftware/Brave-Browser"),
                ("Edge", "com.microsoft.Edge", "microsoft-edge"),
            )
        ),
        _chromium("Chromium (Snap)", snaps / "chromium" / "common" / "chromium", _NO_SNAP),
        _firefox("Firefox (Snap)", snaps / "firefox" / "common" / ".mozilla", limit=_PORTAL),
        _firefox("Firefox (Flatpak)", apps / "org.mozilla.firefox" / ".mozilla", limit=_PORTAL),
    ]


def chromium_id(key: str) -> str:
    """The identity that Chromium gives to an extension with this public key (base64 of its DER form).

    It is the first 128 bits of the key's SHA-256, in the letters from a to p.
    """
    digits = hashlib.sha256(b64decode(key)).hexdigest()[:32]
    return digits.translate(str.maketrans("0123456789abcdef", "abcdefghijklmnop"))


def manifest(browser: Browser, program: Path) -> bytes:
    """What the browser reads: which program it may start, and for which extension alone."""
    extension = json.loads((EXTENSION / "manifest.json").read_text("utf-8"))
    allowed: dict[str, list[str]] = (
        {"allowed_extensions": [extension["browser_specific_settings"]["gecko"]["id"]]}
        if browser.gecko
        else {"allowed_origins": [f"chrome-extension://{chromium_id(extension['key'])}/"]}
    )
    content = {"name": NAME, "description": _DESCRIPTION, "path": str(program), "type": "stdio", **allowed}
    return json.dumps(content, indent=2).encode() + b"\n"
