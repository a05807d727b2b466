"""The user's rules for words in effect: kept in the store, and applied from the next suggestion on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from idiolect.daemon.redaction.redact import redact
from idiolect.daemon.storage.records import WordRule, WordRuleKind
from idiolect.daemon.storage.store import Store
from idiolect.daemon.storage.words import WordRefusedError


@dataclass(frozen=True)
class WordChange:
    """The rules that hold since a change, and those that no longer do."""

    added: tuple[WordRule, ...] = ()
    removed: tuple[WordRule, ...] = ()


class ActiveWordRules:
    """Decisions about words. Safe to use from several threads. `changed` is called after each change."""

    def __init__(self, store: Store, changed: Callable[[], None]) -> None:
        self._store = store
        self._changed = changed

    def all(self) -> list[WordRule]:
        """All rules that hold, oldest first."""
        return self._store.words.all()

    def add(self, kind: WordRuleKind, text: str, replacement: str | None = None) -> WordChange:
        """Decide about a word or phrase. Raises WordRefusedError, also for what redaction would take."""
        if any(redact(given)[1] for given in (text, replacement) if given is not None):
            raise WordRefusedError(
                "It looks like a secret, such as a password or a card's number, and those are never kept."
            )
        before = self._store.words.all()
        rule = self._store.words.add(kind, text, replacement=replacement)
        self._changed()
        held = {each.id for each in self._store.words.all()}
        gone = tuple(each for each in before if each.id not in held)
        return WordChange(() if rule in before else (rule,), gone)

    def remove(self, text: str, kind: WordRuleKind | None = None) -> WordChange:
        """Take back what was decided about a word or phrase. Raises UnknownWordError."""
        gone = self._store.words.remove(text, *([kind] if kind else []))
        self._changed()
        return WordChange(removed=tuple(gone))

    def undo(self) -> WordChange:
        """Take back the newest change; said again, the one before. Raises NothingToUndoError."""
        gone, back = self._store.words.undo()
        self._changed()
        return WordChange(tuple(back), tuple(gone))
