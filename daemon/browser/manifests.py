"""Browsers, and where each of them looks for the manifest of a native-messaging host.

The places are those of Chromium's `chrome_paths_linux.cc` and Firefox's `nsXREDirProvider`, and of how Flatpak and
Snap lay out a home.
"""

from __future__ import annotations

import hashlib
import json
import sys
from base64 import b64decode
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import platformdirs

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

#: The name that the extension asks for.
NAME: Final = "idiolect"
_DESCRIPTION: Final = "idiolect: suggestions from the service of this machine's user"
_NO_FLATPAK: Final = "Chromium's Flatpaks start no program outside of their sandbox, so that the extension has nobody to ask in them"
_NO_SNAP: Final = (
    "Chromium's Snap starts no program outside of its sandbox, so that the extension has nobody to ask in it"
)
_PORTAL: Final = (
    "a sandboxed Firefox asks the desktop's WebExtensions portal to start the program, which few desktops but "
    "Ubuntu's have; without it the extension has nobody to ask"
)


@dataclass(frozen=True)
class Browser:
    """A browser as it is installed for this user.

    `folder` is where its data are, `hosts` where it looks for manifests; `gecko` whether it is a Firefox. `limit` says
    what a sandbox leaves of it; where `works` is false nothing is written for it.
    """

    name: str
    folder: Path
    hosts: Path
    gecko: bool = False
    limit: str | None = None
    works: bool = True

    @property
    def present(self) -> bool:
        """Whether it has been started by this user."""
        return self.folder.is_dir()

    @property
    def path(self) -> Path:
        """Where its manifest belongs."""
        return self.hosts / f"{NAME}.json"


def browsers() -> list[Browser]:
    """Every browser that the program knows, there or not."""
    return _mac() if sys.platform == "darwin" else [*_linux(), *_boxed()]


def _linux() -> list[Browser]:
    config = platformdirs.user_config_path()
    return [
        *(
            Browser(name, config / folder, config / folder / "NativeMessagingHosts")
            for name, folder in (
                ("Chromium", "chromium"),
                ("Chrome", "google-chrome"),
                ("Chrome Beta", "google-chrome-beta"),
                ("Brave", "BraveSoftware/Brave-Browser"),
                ("Edge", "microsoft-edge"),
                ("Vivaldi", "vivaldi"),
            )
        ),
        # Where both are there, Firefox takes the first; since 147 the second is what it makes.
        *(
            Browser("Firefox", folder, folder / "native-messaging-hosts", gecko=True)
            for folder in (Path.home() / ".mozilla", config / "mozilla")
        ),
    ]


def _boxed() -> list[Browser]:
    """Those in a Flatpak or a Snap."""
    apps, snaps = Path.home() / ".var" / "app", Path.home() / "snap"
    found = [
        Browser(
            f"{name} (Flatpak)",
            apps / app,
            apps / app / "config" / folder / "NativeMessagingHosts",
            limit=_NO_FLATPAK,
            works=False,
        )
        for name, app, folder in (
            ("Chromium", "org.chromium.Chromium", "chromium"),
            ("Chrome", "com.google.Chrome", "google-chrome"),
            ("Brave", "com.brave.Browser", "BraveSoftware/Brave-Browser"),
            ("Edge", "com.microsoft.Edge", "microsoft-edge"),
        )
    ]
    snap = snaps / "chromium" / "common" / "chromium"
    firefox = snaps / "firefox" / "common" / ".mozilla"
    flatpak = apps / "org.mozilla.firefox" / ".mozilla"
    return [
        *found,
        Browser("Chromium (Snap)", snap, snap / "NativeMessagingHosts", limit=_NO_SNAP, works=False),
        # The portal looks where a Firefox outside of a sandbox would.
        Browser(
            "Firefox (Snap)",
            firefox,
            Path.home() / ".mozilla" / "native-messaging-hosts",
            gecko=True,
            limit=_PORTAL,
        ),
        Browser(
            "Firefox (Flatpak)",
            flatpak,
            Path.home() / ".mozilla" / "native-messaging-hosts",
            gecko=True,
            limit=_PORTAL,
        ),
    ]


def _mac() -> list[Browser]:
    support = Path.home() / "Library" / "Application Support"
    return [
        *(
            Browser(name, support / folder, support / folder / "NativeMessagingHosts")
            for name, folder in (
                ("Chromium", "Chromium"),
                ("Chrome", "Google/Chrome"),
                ("Brave", "BraveSoftware/Brave-Browser"),
                ("Edge", "Microsoft Edge"),
                ("Vivaldi", "Vivaldi"),
            )
        ),
        Browser("Firefox", support / "Firefox", support / "Mozilla" / "NativeMessagingHosts", gecko=True),
    ]


def extension() -> Traversable:
    """The extension's folder, as it is part of the program."""
    return resources.files("idiolect.daemon.browser").joinpath("extension")


def about() -> dict[str, Any]:
    """The extension's manifest."""
    found: dict[str, Any] = json.loads(extension().joinpath("manifest.json").read_text("utf-8"))
    return found


def chromium_id(key: str) -> str:
    """The identity that Chromium gives to an extension with this public key (base64 of its DER form).

    It is the first 128 bits of the key's SHA-256, in the letters from a to p.
    """
    digits = hashlib.sha256(b64decode(key)).hexdigest()[:32]
    return digits.translate(str.maketrans("0123456789abcdef", "abcdefghijklmnop"))


def manifest(browser: Browser, program: Path) -> bytes:
    """What the browser reads: which program it may start, and for which extension alone."""
    extension = about()
    allowed: dict[str, list[str]] = (
        {"allowed_extensions": [extension["browser_specific_settings"]["gecko"]["id"]]}
        if browser.gecko
        else {"allowed_origins": [f"chrome-extension://{chromium_id(extension['key'])}/"]}
    )
    told = {
        "name": NAME,
        "description": _DESCRIPTION,
        "path": str(program),
        "type": "stdio",
        **allowed,
    }
    return json.dumps(told, indent=2).encode() + b"\n"
