"""Long work in short steps: a generator that yields between them, so that whoever runs it can do something else."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeAlias, TypeVar

T = TypeVar("T")

Steps: TypeAlias = Generator[None, None, T]
"""Yields between two steps, and returns the result."""


def finish(steps: Steps[T]) -> T:
    """Make all steps, one after another, and return their result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result


def reporting(steps: Steps[T], report: Callable[[], None]) -> Steps[T]:
    """Make the same steps, and call ``report`` after each."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        report()
        yield


def in_one_step(work: Callable[[], T]) -> Steps[T]:
    """Return what is done in one step."""
    return work()
    yield
