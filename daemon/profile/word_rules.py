"""The user's rules for words in effect: kept in the store, and applied from the next suggestion on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import get_args

from idiolect.adapters.mending.mistakes import WordDecisions, decisions
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.storage.records import WordRule, WordRuleKind
from idiolect.daemon.storage.store import Store
from idiolect.daemon.storage.words import WordRefusedError, checked
from idiolect.daemon.text.redaction.redact import redact


@dataclass(frozen=True)
class WordChange:
    """The rules that hold since a change, and the rules that no longer hold."""

    added: tuple[WordRule, ...] = ()
    removed: tuple[WordRule, ...] = ()


@dataclass(frozen=True)
class WordImport:
    """The words and phrases of a list that become the user's own, and how many do not, by the reason."""

    added: tuple[str, ...]
    left_out: dict[str, int]


class ActiveWordRules:
    """Decisions about words. Safe to use from several threads."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._rules = profile.store.words

    def all(self) -> list[WordRule]:
        """All rules that hold, oldest first."""
        return self._rules.all()

    def add(self, kind: WordRuleKind, text: str, replacement: str | None = None) -> WordChange:
        """Decide about a word or phrase. Raises WordRefusedError, also for what redaction would take."""
        if any(redact(given)[1] for given in (text, replacement) if given is not None):
            raise WordRefusedError(
                "It looks like a secret, such as a password or a card's number, and those are never kept."
            )

        def change() -> WordChange:
            before = self._rules.all()
            rule = self._rules.add(kind, text, replacement=replacement)
            held = {each.id for each in self._rules.all()}
            gone = tuple(each for each in before if each.id not in held)
            return WordChange(() if rule in before else (rule,), gone)

        return self._profile.decide("words", change)

    def add_own(self, texts: Sequence[str], general: Collection[str], *, dry_run: bool) -> WordImport:
        """Make words and phrases of a list the user's own in one change, or (`dry_run`) say which would become it.

        What is `general`, secret, no word, or was decided about before is left out.
        """
        left_out, new = Counter[str](), list[str]()
        for text in dict.fromkeys(texts):
            try:
                kept = checked(text)
            except WordRefusedError:
                left_out["no word"] += 1
                continue
            if redact(kept)[1]:
                left_out["secret"] += 1
            elif text in general:
                left_out["in every dictionary"] += 1
            else:
                new.append(kept)
        add = partial(self._rules.add_own, new, dry_run=dry_run)
        added = add() if dry_run else self._profile.decide("words", add)
        left_out["decided"] = len(new) - len(added)
        return WordImport(tuple(added), dict(+left_out))

    def remove(self, text: str, kind: WordRuleKind | None = None) -> WordChange:
        """Take back what was decided about a word or phrase. Raises UnknownWordError."""
        kinds = [kind] if kind else []
        gone = self._profile.decide("words", lambda: self._rules.remove(text, *kinds))
        return WordChange(removed=tuple(gone))

    def undo(self) -> WordChange:
        """Take back the newest change; the next call takes back the change before. Raises NothingToUndoError."""
        gone, back = self._profile.decide("words", self._rules.undo)
        return WordChange(tuple(back), tuple(gone))


def read_word_rules(store: Store) -> tuple[list[str], list[str], WordDecisions]:
    """Return words that are never suggested, words that are the user's own, and what is decided about corrections."""
    rules = store.words.all()
    by_kind = {kind: [rule.text for rule in rules if rule.kind == kind] for kind in get_args(WordRuleKind)}
    decided = decisions(
        by_kind["mine"] + by_kind["never_correct"],
        [(rule.text, rule.replacement) for rule in rules if rule.replacement is not None],
    )
    return by_kind["never"], by_kind["mine"], decided
