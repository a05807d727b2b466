"""The component file by which IBus knows the keyboard, the variable by which IBus finds it, and the addon of Fcitx."""

from __future__ import annotations

import hashlib
import shlex
from importlib.metadata import version
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import platformdirs

from idiolect.daemon.settings import Settings
from idiolect.models.hardening import module_command

#: The name of the engine, and of its process on IBus's bus.
ENGINE: Final = "idiolect"
BUS_NAME: Final = "org.freedesktop.IBus.Idiolect"

#: The source of Fcitx's addon.
ADDON: Final = Path(__file__).parent / "fcitx" / "idiolect.cpp"

_XML: Final = """\
<?xml version="1.0" encoding="utf-8"?>
<component>
  <name>{bus_name}</name>
  <description>idiolect: text prediction that learns from its user, on this machine</description>
  <exec>{command}</exec>
  <version>{version}</version>
  <license>Apache-2.0</license>
  <textdomain>idiolect</textdomain>
  <engines>
    <engine>
      <name>{engine}</name>
      <longname>idiolect</longname>
      <description>Suggests words and how the sentence goes on, as you write it</description>
      <language>other</language>
      <license>Apache-2.0</license>
      <icon>input-keyboard</icon>
      <layout>{layout}</layout>
      <layout_variant>{variant}</layout_variant>
      <icon_prop_key>idiolect</icon_prop_key>
      <symbol>id</symbol>
      <rank>0</rank>
    </engine>
  </engines>
</component>
"""
_ENVIRONMENT: Final = """\
# Written by `idiolect setup keyboard`: IBus then also finds its keyboard when it looks for input methods anew.
IBUS_COMPONENT_PATH={system}:{own}
"""


def addon_version() -> str:
    """The version of Fcitx's addon that this program speaks with."""
    return hashlib.sha256(ADDON.read_bytes()).hexdigest()[:12]


def folder() -> Path:
    """Where the component is."""
    return Path(platformdirs.user_data_dir("ibus", appauthor=False)) / "component"


def path() -> Path:
    """The component's file."""
    return folder() / "idiolect.xml"


def environment_path() -> Path:
    """The file by which systemd gives the variable to the programs of each later session."""
    return Path(platformdirs.user_config_dir()) / "environment.d" / "60-idiolect-keyboard.conf"


def environment(system: Path) -> bytes:
    """Its contents: IBus's own folder `system` first."""
    return _ENVIRONMENT.format(system=system, own=folder()).encode()


def xml(settings: Settings | None, layout: str, variant: str) -> bytes:
    """The component, for a profile (None: the usual one of whoever reads it), this Python and a layout of keys.

    "default" is the layout that is set.
    """
    return _XML.format(
        bus_name=BUS_NAME,
        command=_command(settings),
        version=escape(version("idiolect")),
        engine=ENGINE,
        layout=escape(layout),
        variant=escape(variant),
    ).encode()


def is_of(settings: Settings) -> bool:
    """Whether the component that is there starts the keyboard of this profile; False where there is none."""
    try:
        return _command(settings).encode() in path().read_bytes()
    except OSError:
        return False


def command(settings: Settings | None, *arguments: str) -> list[str]:
    """What starts the keyboard's process for a profile; None: for the usual one of whoever starts it."""
    home = () if settings is None else ("--home", str(settings.home))
    return module_command("idiolect.daemon.clients.keyboard.serve", *arguments, *home)


def _command(settings: Settings | None) -> str:
    return escape(shlex.join(command(settings)))
