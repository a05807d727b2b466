"""The system's package: the program in its place, and what it set up for the usual profile of every user."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from idiolect.daemon.profile_paths import default_home

HOME: Final = Path("/usr/lib/idiolect")
#: What others read of it: the component of IBus, the addon of Fcitx, the unit of systemd, the browsers' extension.
COMPONENT = Path("/usr/share/ibus/component/idiolect.xml")
ADDON: Final = Path("/usr/share/fcitx5/addon/idiolect.conf")
UNIT: Final = Path("/usr/lib/systemd/user/idiolect.service")
EXTENSION: Final = Path("/usr/share/idiolect/extension")


def serves(home: Path) -> bool:
    """Return whether this is the package's program, and `home` the profile that the package set up."""
    return Path(sys.prefix) == HOME and home == default_home()
