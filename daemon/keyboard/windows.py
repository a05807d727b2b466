"""Which program's window has the focus, for those that IBus has no name for. X alone tells; Wayland tells nobody."""

from __future__ import annotations

import asyncio
import re
from typing import Final

_ANSWER_S: Final = 2.0


async def focused_program() -> str:
    """The class of the focused window, such as "XTerm"; "" where that cannot be known."""
    found = re.search(
        r"0x[0-9a-f]+", await _run("-root", "-f", "_NET_ACTIVE_WINDOW", "0x", "_NET_ACTIVE_WINDOW")
    )
    if found is None:
        return ""
    names = re.findall(r'"([^"]*)"', await _run("-id", found[0], "WM_CLASS"))
    return names[-1] if names else ""


async def _run(*words: str) -> str:
    try:
        asked = await asyncio.create_subprocess_exec(
            "xprop", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        said, _ = await asyncio.wait_for(asked.communicate(), _ANSWER_S)
    except (OSError, TimeoutError):
        return ""
    return said.decode(errors="replace")
