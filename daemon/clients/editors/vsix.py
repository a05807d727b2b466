"""Build the extension for VS Code: one .vsix file, which is a zip archive."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shutil
import sys
import zipfile
from importlib import resources
from importlib.metadata import version
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

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


def write(path: Path) -> None:
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
