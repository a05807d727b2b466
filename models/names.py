"""Words that are written with a capital, and words of other languages, as a dictionary tells them from general words.

The general list is in small letters, since it comes from the web. A dictionary (Hunspell's en_US, made from SCOWL) has
"Derek" and no "derek"; of "italia" it has neither, and Italian uses it a hundred times as often as English.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

FILE: Final = Path(__file__).with_name("names.npz")


@cache
def names_and_foreign() -> tuple[NDArray[np.bytes_], NDArray[np.bytes_]]:
    """Return the names and the foreign words, in small letters, UTF-8 and in order."""
    with np.load(FILE) as stored:
        return stored["names"], stored["foreign"]
