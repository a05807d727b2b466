"""What happens when the user presses Ctrl-C while a command waits for the service."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator


def is_interrupt(error: BaseException | None) -> bool:
    """Return True if Ctrl-C caused an error: closing a stream that it broke off may raise another one on top."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


@contextlib.contextmanager
def explain_interrupt(explain: Callable[[], None]) -> Iterator[None]:
    """Call `explain` if Ctrl-C ends the block, so that the user learns what became of their wish.

    Raises KeyboardInterrupt then, whatever error Ctrl-C caused; other errors pass unchanged.
    """
    try:
        yield
    except BaseException as error:
        if is_interrupt(error):
            explain()
            raise KeyboardInterrupt from error
        raise
