"""Messages about grey text that is held back, and how to get it back."""

from __future__ import annotations

from typing import Any, Final

#: What brings grey text back.
BRING_BACK: Final = "`idiolect switch show more` shows it again wherever it is likely."


def describe_held_back(grey: dict[str, Any]) -> str:
    """Return why grey text is held back, in a clause."""
    return f"held back of late, since {grey['taken']:,} of {grey['shown']:,} were taken"
