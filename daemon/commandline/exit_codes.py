"""Exit codes that belong to no error class; an error's own code stands in its class."""

from __future__ import annotations

from typing import Final

EXIT_USAGE: Final = 2
EXIT_FINDINGS: Final = 69
EXIT_UNEXPECTED: Final = 70
EXIT_INTERRUPTED: Final = 130
EXIT_PIPE_CLOSED: Final = 141
