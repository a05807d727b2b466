"""Regular expressions that are compiled at their first use.

There are some hundred of them, and compiling all takes a third of a second. Most texts need a few.
"""

from __future__ import annotations

import re
from typing import Any, cast


class _LazyPattern:
    """Stands for a compiled pattern, and has each of its attributes once that is asked for."""

    def __init__(self, source: str) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:
        value = getattr(re.compile(self._source), name)
        setattr(self, name, value)  # from now on it costs no more than the pattern itself
        return value


def lazy(source: str) -> re.Pattern[str]:
    """Return what behaves as `re.compile(source)`, which raises re.error only where it is first used."""
    return cast("re.Pattern[str]", _LazyPattern(source))


def source(pattern: object) -> str | None:
    """What a pattern that `lazy` gave is made of; None for anything else."""
    return pattern._source if isinstance(pattern, _LazyPattern) else None
