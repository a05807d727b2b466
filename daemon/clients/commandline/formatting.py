"""How the command line writes figures, durations, times, ports and the user's text."""

from __future__ import annotations

from typing import Any, Final

#: What nobody sees and what is nevertheless part of words and of emoji.
_JOINERS: Final = "\u200c\u200d"

BRING_BACK: Final = "`idiolect switch show more` shows it again wherever it is likely."
"""What brings grey text back that is held back."""


def plain(text: str) -> str:
    """Return `text` fit for one line of a terminal: what would move the cursor or change colours becomes a space."""
    return "".join(char if char.isprintable() or char in _JOINERS else " " for char in text)


def plain_lines(text: str) -> str:
    """Return `text` fit for a terminal, its lines and tabs kept; see `plain`."""
    return text if text.isprintable() else "".join(char if char in "\n\t" else plain(char) for char in text)


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun, such as "1,068 entries"; the plural is `many`, or `one` with an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def number(value: float | None, digits: int = 0) -> str:
    """Return a figure with commas and `digits` decimals; a dash for None."""
    return "–" if value is None else f"{value:,.{digits}f}"


def percent(share: float | None) -> str:
    """Return a share (0 to 1) in percent; a dash for None."""
    return "–" if share is None else f"{share:.1%}"


def chance(p: float) -> str:
    """Return a probability in whole percent, five characters wide; of less than half a percent it says so."""
    return f"{p:>5.0%}" if p >= 0.005 else " <1 %"


def clock(seconds: float) -> str:
    """Return a duration in seconds as minutes and seconds, such as "2:05"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def duration(seconds: float) -> str:
    """Return a duration in words, such as "1 hour 30 minutes"; what is less than a second counts as one."""
    left, parts = max(1, round(seconds)), []
    for unit_s, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        count, left = divmod(left, unit_s)
        if count:
            parts.append(counted(count, unit))
    return " ".join(parts)


def minute(at: str) -> str:
    """Return a time of the service (ISO 8601) to the minute, such as "2026-01-31 09:30"."""
    return at[:16].replace("T", " ")


def describe_moved(port: int) -> str:
    """Return a sentence about another program at the port where this profile's service was."""
    return (
        f"Another program uses port {port}, where this profile's service was: programs that were given that address "
        "talk to that one."
    )


def describe_held_back(grey: dict[str, Any]) -> str:
    """Return why grey text is held back, in a clause."""
    return f"held back of late, since {grey['taken']:,} of {grey['shown']:,} were taken"
