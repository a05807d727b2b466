"""Browsers: where each keeps its data, and where it looks for the manifest of a native-messaging host.

The places are those of Chromium's `chrome_paths_linux.cc` and Firefox's `nsXREDirProvider`, and of how Flatpak and
Snap lay out a home.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from base64 import b64decode
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import platformdirs

#: The extension, as it is part of the program: its manifest gets a version where it is written.
EXTENSION: Final = Path(__file__).with_name("extension")
#: The name that the extension asks for.
NAME: Final = "idiolect"
_DESCRIPTION: Final = "idiolect: suggestions from the service of this machine's user"
_SANDBOX: Final = (
    "Chromium's Flatpaks and Snaps start no program outside of their sandbox: the extension has nobody to ask"
)
_PORTAL: Final = (
    "a sandboxed Firefox asks the desktop's WebExtensions portal to start the program, which few desktops but "
    "Ubuntu's have; without it the extension has nobody to ask"
)


@dataclass(frozen=True)
class Browser:
    """A browser of this user.

    One of `folders` holds its data. It looks for manifests in `hosts`. `gecko`: it is a Firefox. `limit`: what its
    sandbox does not allow.
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
    """Every browser that the program knows, installed or not."""
    config, home = platformdirs.user_config_path(), Path.home()
    apps, snaps, hosts = home / ".var" / "app", home / "snap", home / ".mozilla" / "native-messaging-hosts"
    chromium = (
        ("Chromium", config / "chromium", None),
        ("Chrome", config / "google-chrome", None),
        ("Chrome Beta", config / "google-chrome-beta", None),
        ("Brave", config / "BraveSoftware" / "Brave-Browser", None),
        ("Edge", config / "microsoft-edge", None),
        ("Vivaldi", config / "vivaldi", None),
        ("Chromium (Flatpak)", apps / "org.chromium.Chromium" / "config" / "chromium", _SANDBOX),
        ("Chrome (Flatpak)", apps / "com.google.Chrome" / "config" / "google-chrome", _SANDBOX),
        (
            "Brave (Flatpak)",
            apps / "com.brave.Browser" / "config" / "BraveSoftware" / "Brave-Browser",
            _SANDBOX,
        ),
        ("Edge (Flatpak)", apps / "com.microsoft.Edge" / "config" / "microsoft-edge", _SANDBOX),
        ("Chromium (Snap)", snaps / "chromium" / "common" / "chromium", _SANDBOX),
    )
    firefox = (
        # Since 147 a new Firefox keeps its data in the second folder; its manifests stay where they were.
        ("Firefox", (home / ".mozilla" / "firefox", config / "mozilla" / "firefox"), None),
        ("Firefox (Snap)", (snaps / "firefox" / "common" / ".mozilla",), _PORTAL),
        ("Firefox (Flatpak)", (apps / "org.mozilla.firefox" / ".mozilla",), _PORTAL),
    )
    return [
        *(
            Browser(name, (folder,), folder / "NativeMessagingHosts", limit=limit)
            for name, folder, limit in chromium
        ),
        # The portal that starts the host for a Firefox in a sandbox looks where any other Firefox does.
        *(Browser(name, folders, hosts, gecko=True, limit=limit) for name, folders, limit in firefox),
    ]


def write_extension(folder: Path) -> None:
    """Write the extension to a folder, with the program's version. Raises OSError."""
    shutil.copytree(EXTENSION, folder, dirs_exist_ok=True)
    about = folder / "manifest.json"
    extension = {"version": version("idiolect"), **json.loads(about.read_text("utf-8"))}
    about.write_text(json.dumps(extension, indent=2, ensure_ascii=False) + "\n", "utf-8")


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
