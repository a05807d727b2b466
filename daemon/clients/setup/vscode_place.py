"""Setting up VS Code: its own command installs the extension, one .vsix file, which is a zip archive."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib import resources
from importlib.metadata import version
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

from typing_extensions import override

from idiolect.daemon.clients.setup.place import Change, Place, SetupRefusedError, Target
from idiolect.daemon.profile_paths import default_home
from idiolect.models import durable

_TYPES: Final = """<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension=".js" ContentType="application/javascript"/>
  <Default Extension=".json" ContentType="application/json"/>
  <Default Extension=".vsixmanifest" ContentType="text/xml"/>
</Types>
"""
_MANIFEST: Final = """<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="{name}" Version="{version}" Publisher="{publisher}"/>
    <DisplayName>{displayName}</DisplayName>
    <Description xml:space="preserve">{description}</Description>
    <Categories>Other</Categories>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value="{engine}"/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="workspace"/>
    </Properties>
  </Metadata>
  <Installation>
    <InstallationTarget Id="Microsoft.VisualStudio.Code"/>
  </Installation>
  <Dependencies/>
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
  </Assets>
</PackageManifest>
"""


def _write(path: Path) -> None:
    """Write the extension for this installation to `path`. Raises OSError; FileExistsError where other than one is."""
    if path.exists() and path.suffix != ".vsix":
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    folder = resources.files("idiolect.daemon.clients.editors").joinpath("vscode")
    about = _about(folder)
    texts = {name: escape(text) for name, text in about.items() if isinstance(text, str)}
    parts = {
        "[Content_Types].xml": _TYPES,
        "extension.vsixmanifest": _MANIFEST.format(**texts, engine=about["engines"]["vscode"]),
        "extension/package.json": json.dumps(about, indent=2),
        "extension/extension.js": folder.joinpath("extension.js").read_text("utf-8"),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    durable.write(path, packed.getvalue())


def _about(folder: Traversable) -> dict[str, Any]:
    """Its `package.json`: of this version, and with this installation's program, which need not be on the path."""
    about: dict[str, Any] = json.loads(folder.joinpath("package.json").read_text("utf-8"))
    about["version"] = ".".join(re.findall(r"\d+", version("idiolect"))[:3])
    command = about["contributes"]["configuration"]["properties"]["idiolect.command"]
    program = shutil.which("idiolect", path=str(Path(sys.executable).parent))
    if program is not None:
        command["default"] = [program, "lsp"]
    return about


_PROGRAMS: Final = ("code", "codium", "code-oss")
_EXTENSION: Final = "idiolect.idiolect"
_ANSWER_S: Final = 120.0


class VSCode(Place):
    """The extension for VS Code."""

    name, title = "vscode", "VS Code"
    first = "Open a text and type: the menu comes by itself, and Return takes a word."

    @override
    def found(self, target: Target) -> str | None:
        """Where its program is; or the folder that the extension is to be written to."""
        if target.into is not None:
            return str(target.into)
        return next((path for program in _PROGRAMS if (path := shutil.which(program))), None)

    def installed(self, target: Target) -> bool:
        """Whether the extension is installed."""
        program = self.found(target)
        return program is not None and _EXTENSION in _run(program, "--list-extensions").split()

    @override
    def is_of_profile(self, target: Target) -> bool:
        """Whether it is installed, for the usual profile: the extension names none."""
        return target.settings.home == default_home() and self.installed(target)

    def changes(self, target: Target) -> list[Change]:
        """The extension."""
        where = f"the extension {_EXTENSION}" if target.into is None else str(_file(target.into))
        return [Change(where, f"It starts: {' '.join(target.command)}\n")]

    def install(self, target: Target) -> list[str]:
        """Have VS Code install the extension, or write its file. Raises SetupRefusedError, OSError."""
        if target.into is not None:
            target.into.mkdir(parents=True, exist_ok=True)
            path = _file(target.into)
            _write(path)
            return [f"Wrote {path}. Install it: code --install-extension {path}"]
        with tempfile.TemporaryDirectory() as folder:
            _write(_file(Path(folder)))
            _run(self.found(target) or "code", "--install-extension", str(_file(Path(folder))), "--force")
        return [f"VS Code has the extension {_EXTENSION}."]

    def remove(self, target: Target) -> list[str]:
        """Have VS Code uninstall the extension."""
        if not self.installed(target):
            return []
        _run(self.found(target) or "code", "--uninstall-extension", _EXTENSION)
        return [f"Uninstalled the extension {_EXTENSION} of VS Code."]


def _file(folder: Path) -> Path:
    return folder / "idiolect.vsix"


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_ANSWER_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        raise SetupRefusedError(
            f"`{command[0]}` cannot be run, or does not end. Nothing was changed."
        ) from None
    if done.returncode:
        raise SetupRefusedError(f"`{' '.join(command[:2])}` failed with exit code {done.returncode}.")
    return done.stdout
