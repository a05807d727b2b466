"""The table of word rules: never suggested, always suggested, never or always corrected."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from typing import Final, cast, get_args

import regex
from sqlite_utils import Database

from idiolect.daemon.storage.connection import Table
from idiolect.daemon.storage.matching import folded, has_control, pattern
from idiolect.daemon.storage.records import NothingToUndoError, WordRule, WordRuleKind, WordRuleSource
from idiolect.daemon.storage.schema import moment, now_us
from idiolect.daemon.storage.selectors import Selector
from idiolect.models.errors import ExitCode, IdiolectError

#: Characters of a word or phrase, at most.
MAX_CHARS: Final = 100

#: Removed rules that can be brought back by `undo`, at most.
_REMOVED_KEPT: Final = 100

#: The kinds of rules about a word of which only one can hold.
_OPPOSITE: Final[dict[WordRuleKind, WordRuleKind]] = {
    "never": "mine",
    "mine": "never",
    "never_correct": "always_correct",
    "always_correct": "never_correct",
}
_SELECT: Final = "SELECT id, kind, text, replacement, source, at_us FROM word_rules"
_EMOJI: Final = regex.compile(r"\p{Extended_Pictographic}|\p{RI}")
_TIMES: Final = {"since", "until"}  # the conditions of a selector that speak of time alone


class WordRefusedError(IdiolectError, code="word-refused", exit_code=ExitCode.BAD_INPUT, http_status=422):
    """A text that cannot be a word or phrase to decide about."""


class UnknownWordError(IdiolectError, code="unknown-word", exit_code=ExitCode.BAD_INPUT, http_status=404):
    """Nothing was decided about this word."""


class WordRules(Table):
    """The table of what the user has decided about words and phrases.

    A word is known whatever its case, white space and apostrophes, as `matching.folded` compares. Each change by hand
    has a number, by which `undo` takes it back; what the service learned by itself has none.
    """

    def all(self, *kinds: WordRuleKind) -> list[WordRule]:
        """The rules that hold, of all kinds or of `kinds`, in the order in which they were made."""
        wanted = kinds or get_args(WordRuleKind)
        rows = self._connection.rows(f"{_SELECT} WHERE removed IS NULL ORDER BY at_us, id")
        return [rule for rule in map(_rule, rows) if rule.kind in wanted]

    def get(self, kind: WordRuleKind, text: str) -> WordRule | None:
        """The rule of `kind` that holds for a word or phrase."""
        row = self._connection.row(
            f"{_SELECT} WHERE removed IS NULL AND kind = ? AND folded = ?", (kind, folded(text))
        )
        return _rule(row) if row else None

    def add(
        self,
        kind: WordRuleKind,
        text: str,
        *,
        replacement: str | None = None,
        source: WordRuleSource = "hand",
    ) -> WordRule:
        """Decide about a word or phrase; the rule that holds then.

        `replacement` is what an `always_correct` puts in its place, and belongs to no other kind. A rule that says the
        opposite goes. What is learned changes nothing that was decided by hand: then that rule is returned.
        Raises WordRefusedError.
        """
        text = checked(text, emoji=kind == "never")
        if (replacement is None) is (kind == "always_correct"):
            raise WordRefusedError(
                "A replacement belongs to a word that is always corrected, and to no other."
            )
        put = None if replacement is None else checked(replacement, emoji=True)
        if put == text:
            raise WordRefusedError("The replacement is the word itself: give another spelling.")
        with self._connection.writing() as db:
            standing = [self.get(each, text) for each in (kind, _OPPOSITE[kind])]
            if source == "learned" and (by_hand := [r for r in standing if r and r.source == "hand"]):
                return by_hand[0]
            same = standing[0]
            if same and (same.text, same.replacement, same.source) == (text, put, source):
                return same
            number = _next_number(db) if source == "hand" else None
            _take_away(db, [rule.id for rule in standing if rule], number)
            new = {"kind": kind, "folded": folded(text), "text": text, "replacement": put, "source": source}
            db.table("word_rules").insert({**new, "at_us": now_us(), "added": number})
            return cast("WordRule", self.get(kind, text))

    def add_own(self, texts: Iterable[str], *, dry_run: bool = False) -> list[str]:
        """Make words and phrases the user's own, all in one change; those that were not decided about before.

        Raises WordRefusedError.
        """
        with self._connection.writing() as db:
            standing = {folded(rule.text) for rule in self.all("mine", "never")}
            new = {folded(text): text for text in map(checked, texts) if folded(text) not in standing}
            common = {"kind": "mine", "source": "hand", "at_us": now_us(), "added": _next_number(db)}
            if not dry_run:
                rows = ({**common, "folded": key, "text": text} for key, text in new.items())
                db.table("word_rules").insert_all(rows)
            return [*new.values()]

    def correction_taken_back(self, text: str) -> bool:
        """Never correct a word from now on, since its correction was taken back; whether that holds.

        It does unless the word is always corrected. Raises WordRefusedError.
        """
        return self.add("never_correct", text, source="learned").kind == "never_correct"

    def remove(self, text: str, *kinds: WordRuleKind) -> list[WordRule]:
        """Take back what was decided about a word or phrase, in all or in `kinds`; the rules that held.

        Raises UnknownWordError.
        """
        with self._connection.writing() as db:
            gone = [rule for rule in self.all(*kinds) if folded(rule.text) == folded(text)]
            if not gone:
                raise UnknownWordError(
                    "Nothing was decided about this word or phrase. `idiolect words list` shows what was."
                )
            _take_away(db, [rule.id for rule in gone], _next_number(db))
            return gone

    def undo(self) -> tuple[list[WordRule], list[WordRule]]:
        """Take back the newest change by hand: the rules that no longer hold, and the rules that hold again.

        A second call takes back the change before. Raises NothingToUndoError.
        """
        with self._connection.writing() as db:
            number = _next_number(db) - 1
            if not number:
                raise NothingToUndoError("There is nothing to undo: no word was added or removed.")
            added = db.execute(f"{_SELECT} WHERE added = ? AND removed IS NULL", [number]).fetchall()
            removed = db.execute(f"{_SELECT} WHERE removed = ?", [number]).fetchall()
            db.execute("DELETE FROM word_rules WHERE added = ?", [number])
            for row in removed:  # something learned since may stand in its place
                db.execute(
                    "DELETE FROM word_rules WHERE removed IS NULL AND source = 'learned' AND folded ="
                    " (SELECT folded FROM word_rules WHERE id = ?) AND kind IN (?, ?)",
                    (row[0], row[1], _OPPOSITE[cast("WordRuleKind", row[1])]),
                )
            db.execute("UPDATE word_rules SET removed = NULL WHERE removed = ?", [number])
            return [_rule(row) for row in added], [_rule(row) for row in removed]

    def kept(self) -> list[WordRule]:
        """All rules, also removed rules that can be brought back."""
        return [_rule(row) for row in self._connection.rows(_SELECT)]

    def forget(
        self, selector: Selector, alone: Collection[str] = (), *, dry_run: bool = False
    ) -> list[WordRule]:
        """Delete and return the rules that a selection reaches, removed rules too.

        A selection of text and of nothing else reaches each rule whose word, phrase or replacement holds that text; one
        of time alone reaches what was learned by itself in that time. Any selection reaches a rule with a word or
        phrase that stands `alone` (these, folded) in the entries that go.
        """
        with self._connection.writing() as db:
            gone = [
                rule
                for rule in self.kept()
                if _reached(rule, selector)
                or not {folded(text) for text in (rule.text, rule.replacement) if text}.isdisjoint(alone)
            ]
            if not dry_run:
                for rule in gone:
                    db.execute("DELETE FROM word_rules WHERE id = ?", [rule.id])
        return gone


def checked(text: str, *, emoji: bool = False) -> str:
    """A word, phrase or (`emoji`) emoji as it is kept: NFC, one space between words. Raises WordRefusedError."""
    if has_control(text):
        raise WordRefusedError("There are control characters in it. Give the word or phrase without them.")
    kept = unicodedata.normalize("NFC", " ".join(text.split()))
    if not (any(char.isalnum() for char in folded(kept)) or (emoji and _EMOJI.search(kept))):
        raise WordRefusedError("There is no letter and no digit in it. Give a word or a phrase.")
    if len(kept) > MAX_CHARS:
        raise WordRefusedError(f"A word or phrase has at most {MAX_CHARS} characters. Give a shorter one.")
    return kept


def _next_number(db: Database) -> int:
    row = db.execute(
        "SELECT max(coalesce(max(added), 0), coalesce(max(removed), 0)) FROM word_rules"
    ).fetchone()
    return int(row[0]) + 1


def _take_away(db: Database, ids: Collection[int], number: int | None) -> None:
    """Let rules hold no longer; with the number of a change they can be brought back, without they are deleted."""
    for id_ in ids:
        if number is None:
            db.execute("DELETE FROM word_rules WHERE id = ?", [id_])
        else:
            db.execute("UPDATE word_rules SET removed = ? WHERE id = ?", (number, id_))
    db.execute(
        "DELETE FROM word_rules WHERE removed IS NOT NULL AND id NOT IN"
        " (SELECT id FROM word_rules WHERE removed IS NOT NULL ORDER BY removed DESC, id DESC LIMIT ?)",
        [_REMOVED_KEPT],
    )


def _reached(rule: WordRule, selector: Selector) -> bool:
    conditions = set(selector.conditions)
    if conditions and conditions <= _TIMES:
        since, until = selector.since, selector.until
        learned = rule.source == "learned"
        return learned and (since is None or since <= rule.at) and (until is None or rule.at < until)
    if not selector.only_texts:
        return False
    ways = [pattern(text, whole=False) for text in (selector.text,) if text is not None]
    wholes = [pattern(text, whole=True) for text in selector.texts if text is not selector.text]
    return any(
        all(way.found(held) for way in ways) and (not wholes or any(way.found(held) for way in wholes))
        for held in (rule.text, rule.replacement or rule.text)
    )


def _rule(row: tuple[int, WordRuleKind, str, str | None, WordRuleSource, int]) -> WordRule:
    return WordRule(*row[:5], at=moment(row[5]))
