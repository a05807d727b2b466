"""The user's rules for words: the decisions that make them, and what holds by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from idiolect.adapters.mending.mistakes import WordDecisions, decisions
from idiolect.daemon.profile.decisions import Decision
from idiolect.daemon.storage.records import WordRule, WordRuleKind
from idiolect.daemon.storage.words import WordRefusedError, checked
from idiolect.daemon.text.redaction.redact import redact

if TYPE_CHECKING:
    from idiolect.daemon.profile.profile import Profile
    from idiolect.daemon.storage.store import Store


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


@dataclass(frozen=True)
class AddWord(Decision[WordChange], about="words"):
    """A word or phrase is never suggested, is the user's own, is no mistake, or is always corrected.

    Raises WordRefusedError, also for what redaction would take.
    """

    kind: WordRuleKind
    text: str
    replacement: str | None = None

    def apply(self, profile: Profile) -> WordChange:
        """Keep the rule."""
        if any(redact(given)[1] for given in (self.text, self.replacement) if given is not None):
            raise WordRefusedError(
                "It looks like a secret, such as a password or a card's number, and those are never kept."
            )
        rules = profile.store.words
        before = rules.all()
        rule = rules.add(self.kind, self.text, replacement=self.replacement)
        held = {each.id for each in rules.all()}
        gone = tuple(each for each in before if each.id not in held)
        return WordChange(() if rule in before else (rule,), gone)


@dataclass(frozen=True)
class RemoveWord(Decision[WordChange], about="words"):
    """What was decided about a word or phrase, of all kinds or of one, is taken back. Raises UnknownWordError."""

    text: str
    kind: WordRuleKind | None = None

    def apply(self, profile: Profile) -> WordChange:
        """Let the rules hold no more."""
        kinds = [self.kind] if self.kind else []
        return WordChange(removed=tuple(profile.store.words.remove(self.text, *kinds)))


@dataclass(frozen=True)
class UndoWord(Decision[WordChange], about="words"):
    """The newest change by hand is taken back; a second time, the change before. Raises NothingToUndoError."""

    def apply(self, profile: Profile) -> WordChange:
        """Let hold what held before it."""
        gone, back = profile.store.words.undo()
        return WordChange(tuple(back), tuple(gone))


@dataclass(frozen=True)
class TakeCorrectionBack(Decision[bool], about="words"):
    """The user took the correction of a word back: it is never corrected from now on, unless it always is.

    Raises WordRefusedError.
    """

    word: str

    def apply(self, profile: Profile) -> bool:
        """Keep that, and return whether it holds."""
        return profile.store.words.correction_taken_back(self.word)


@dataclass(frozen=True)
class ImportWords(Decision[WordImport], about="words"):
    """The words and phrases of a list become the user's own, in one change.

    What is `general`, secret, no word, or was decided about before is left out.
    """

    texts: Sequence[str]
    general: Collection[str]

    def apply(self, profile: Profile) -> WordImport:
        """Keep them."""
        return self.on(profile.store, dry_run=False)

    def on(self, store: Store, *, dry_run: bool) -> WordImport:
        """What becomes the user's own, or (`dry_run`) would, and what does not."""
        left_out, new = Counter[str](), list[str]()
        for text in dict.fromkeys(self.texts):
            try:
                kept = checked(text)
            except WordRefusedError:
                left_out["no word"] += 1
                continue
            if redact(kept)[1]:
                left_out["secret"] += 1
            elif text in self.general:
                left_out["in every dictionary"] += 1
            else:
                new.append(kept)
        added = store.words.add_own(new, dry_run=dry_run)
        left_out["decided"] = len(new) - len(added)
        return WordImport(tuple(added), dict(+left_out))


def read_word_rules(store: Store) -> tuple[list[str], list[str], WordDecisions]:
    """Return words that are never suggested, words that are the user's own, and what is decided about corrections."""
    rules = store.words.all()
    by_kind = {kind: [rule.text for rule in rules if rule.kind == kind] for kind in get_args(WordRuleKind)}
    decided = decisions(
        by_kind["mine"] + by_kind["never_correct"],
        [(rule.text, rule.replacement) for rule in rules if rule.replacement is not None],
    )
    return by_kind["never"], by_kind["mine"], decided
