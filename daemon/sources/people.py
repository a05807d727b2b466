"""Authors of a source: messages of several people, and which of them is the user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from idiolect.daemon.sources.items import Item, Skipped

#: In place of the user's name: everybody's text is taken.
EVERYONE: Final = "*"

#: Messages that are looked at to see who writes.
LOOKED_AT: Final = 5000


@dataclass(frozen=True)
class AuthorFilter:
    """What the user said about a source: `me` are the names and addresses that are theirs; none: to be guessed."""

    me: tuple[str, ...] = ()

    def mine(self, *names: str) -> bool:
        """Whether one of these names for a writer is the user's, in any letter case."""
        wanted = {name.casefold().strip() for name in self.me}
        return EVERYONE in wanted or any(name.casefold().strip() in wanted for name in names if name)


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """What `writer` wrote in a chat; `also` are other names of theirs: a number, an account, an address.

    `stamp` is as in `Item`.
    """

    writer: str
    text: str
    at: datetime | None
    also: tuple[str, ...] = ()
    stamp: str = ""


def own(messages: Iterable[ChatMessage | Skipped], asked: AuthorFilter) -> Iterator[Item | Skipped]:
    """The user's messages as items."""
    mine: dict[tuple[str, ...], bool] = {}
    for ordinal, message in enumerate(messages):
        if isinstance(message, Skipped):
            yield message
            continue
        names = (message.writer, *message.also)
        if names not in mine:
            mine[names] = asked.mine(*names)
        if mine[names]:
            yield Item(message.text, message.at, ordinal, stamp=message.stamp)


def writers(messages: Iterable[ChatMessage | Skipped]) -> list[tuple[str, int]]:
    """Who writes in the first messages, with how many each, the busiest first."""
    counted = Counter(
        message.writer for message in islice(messages, LOOKED_AT) if isinstance(message, ChatMessage)
    )
    return counted.most_common()


def called(path: Path) -> str:
    """The name of a source: its file's or folder's, of a `.git` the repository's."""
    return path.parent.name if path.name == ".git" else path.name


def not_known(path: Path) -> Skipped:
    """Note that nothing of a file was read, since it is not known which of its people is the user."""
    note = f"{called(path)}: say which of its people you are, with --me and the name as it stands there"
    return Skipped(path, "whose text it is, is not known", note)
