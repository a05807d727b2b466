"""The store's tables and how they came about, and how times stand in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlite_utils import Database, Migrations

from idiolect.daemon.storage.matching import folded

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

#: Never edit a released migration: add another.
migrations = Migrations("idiolect")

_FIRST = """
CREATE TABLE entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key BLOB NOT NULL UNIQUE CHECK (length(key) = 32),
    at_us INTEGER NOT NULL,
    source TEXT NOT NULL,
    app TEXT,
    words INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    redactions INTEGER NOT NULL,
    text TEXT NOT NULL,
    token_ids BLOB NOT NULL
) STRICT;
CREATE INDEX entries_in_time ON entries (at_us, id);
CREATE INDEX entries_totals ON entries (source, words, tokens);
CREATE TABLE files (
    path BLOB PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    paragraphs TEXT NOT NULL CHECK (json_valid(paragraphs))
) STRICT;
CREATE TABLE watches (path BLOB PRIMARY KEY) STRICT;
CREATE TABLE adapters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    parent INTEGER REFERENCES adapters (id),
    created_us INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'retired', 'refused', 'damaged')),
    metrics TEXT NOT NULL,
    reason TEXT NOT NULL,
    rank INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    entries_seen INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_active_adapter ON adapters (status) WHERE status = 'active';
CREATE TABLE adapter_blobs (
    adapter INTEGER PRIMARY KEY REFERENCES adapters (id) ON DELETE CASCADE,
    blob BLOB NOT NULL
) STRICT;
CREATE TABLE adapter_entries (
    adapter INTEGER NOT NULL REFERENCES adapters (id) ON DELETE CASCADE,
    entry INTEGER NOT NULL REFERENCES entries (id),
    PRIMARY KEY (adapter, entry)
) STRICT, WITHOUT ROWID;
CREATE INDEX adapter_entries_by_entry ON adapter_entries (entry);
CREATE TABLE rounds (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    parent INTEGER REFERENCES adapters (id) ON DELETE SET NULL,
    adapter INTEGER REFERENCES adapters (id) ON DELETE SET NULL,
    started_us INTEGER NOT NULL,
    ended_us INTEGER,
    status TEXT NOT NULL
        CHECK (status IN ('running', 'promoted', 'refused', 'failed', 'interrupted', 'skipped')),
    reason TEXT NOT NULL,
    metrics TEXT NOT NULL,
    tokens_per_s REAL,
    seconds REAL
) STRICT;
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us INTEGER NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""

_FEEDBACK = """
CREATE TABLE feedback (
    day TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('word', 'ghost')),
    bucket INTEGER NOT NULL CHECK (bucket BETWEEN 0 AND 9),
    adapter INTEGER NOT NULL DEFAULT 0,
    show INTEGER NOT NULL DEFAULT 1 CHECK (show IN (0, 1)),
    accepted INTEGER NOT NULL DEFAULT 0,
    dismissed INTEGER NOT NULL DEFAULT 0,
    characters INTEGER NOT NULL DEFAULT 0,
    keystrokes INTEGER NOT NULL DEFAULT 0,
    words INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, kind, bucket, adapter, show)
) STRICT, WITHOUT ROWID
"""

_SOURCES = """
CREATE TABLE sources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    me TEXT NOT NULL CHECK (json_valid(me)),
    read_us INTEGER NOT NULL
) STRICT;
ALTER TABLE entries ADD COLUMN origin INTEGER;
CREATE INDEX entries_by_origin ON entries (origin, words) WHERE origin IS NOT NULL;
"""


_BACKUPS = """
CREATE TABLE backups (
    path BLOB PRIMARY KEY,
    at_us INTEGER NOT NULL,
    last_entry INTEGER
) STRICT, WITHOUT ROWID
"""

_RECEIPTS = """
CREATE TABLE receipts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us INTEGER NOT NULL,
    conditions TEXT NOT NULL CHECK (json_valid(conditions)),
    entries INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    adapters TEXT NOT NULL CHECK (json_valid(adapters)),
    active INTEGER
) STRICT;
CREATE TABLE passed_over (mark INTEGER PRIMARY KEY) STRICT;
"""

_CHECKPOINTS = """
CREATE TABLE checkpoints (
    round INTEGER PRIMARY KEY REFERENCES rounds (id) ON DELETE CASCADE,
    about TEXT NOT NULL CHECK (json_valid(about)),
    slot INTEGER NOT NULL DEFAULT 1 CHECK (slot IN (0, 1)),
    parts INTEGER NOT NULL,
    spent_s REAL NOT NULL
) STRICT;
CREATE TABLE checkpoint_parts (
    round INTEGER NOT NULL REFERENCES checkpoints (round) ON DELETE CASCADE,
    slot INTEGER NOT NULL CHECK (slot IN (0, 1)),
    part INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (round, slot, part)
) STRICT;
"""

_WORD_RULES = """
CREATE TABLE word_rules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('never', 'mine', 'never_correct', 'always_correct')),
    folded TEXT NOT NULL,
    text TEXT NOT NULL,
    replacement TEXT CHECK ((replacement IS NOT NULL) = (kind = 'always_correct')),
    source TEXT NOT NULL CHECK (source IN ('hand', 'learned')),
    at_us INTEGER NOT NULL,
    added INTEGER,
    removed INTEGER
) STRICT;
CREATE UNIQUE INDEX word_rules_that_hold ON word_rules (kind, folded) WHERE removed IS NULL;
"""


@migrations()
def first(db: Database) -> None:
    """Everything that the first version keeps.

    Ids are never used twice (AUTOINCREMENT), so a number that somebody noted keeps its meaning. An
    adapter that has seen an entry keeps that entry from being deleted without it (`adapter_entries`
    has no cascade on that side). At most one adapter is active, by index.
    """
    db.executescript(_FIRST)


@migrations()
def feedback(db: Database) -> None:
    """Counts of what became of suggestions.

    A row a day (UTC, ISO), kind, tenth of the predicted probability, adapter that served (0: the base; no
    reference, since the counts outlive it) and judgement whether to show.
    """
    db.execute(_FEEDBACK)


@migrations()
def taken(db: Database) -> None:
    """When an entry was taken in, and what was redacted in it: a JSON object of kinds and how many; null: nothing.

    Both are null in entries from before this was noted.
    """
    db.execute("ALTER TABLE entries ADD COLUMN taken_us INTEGER")
    db.execute("ALTER TABLE entries ADD COLUMN redacted TEXT")


@migrations()
def sources(db: Database) -> None:
    """What was read, and which entry came from where (`origin`; none for what programs sent, and for older ones)."""
    db.executescript(_SOURCES)


@migrations()
def backups(db: Database) -> None:
    """Where backups were written, so that forgetting can say which of them still hold the text.

    `last_entry` is the highest id that an entry had then; NULL where any text may be inside.
    """
    db.execute(_BACKUPS)


@migrations()
def receipts(db: Database) -> None:
    """What was forgotten, in figures: names of conditions, and of each adapter its number, parent, day and verdict.

    In `passed_over` are 24 bits of the key of each forgotten entry that no file's state tells of (a git history, a
    program that sends its history again), by which the same text from the same place is known again.
    """
    db.executescript(_RECEIPTS)


@migrations()
def checkpoints(db: Database) -> None:
    """What a round goes on from: a row while it runs or is cut off; with `parts`, a whole one is in `slot`."""
    db.executescript(_CHECKPOINTS)


@migrations()
def expiry(db: Database) -> None:
    """When an entry's text was let go; null: it is kept. The entry without its text tells which adapters saw it."""
    db.execute("ALTER TABLE entries ADD COLUMN expired_us INTEGER")
    db.execute("DROP INDEX entries_totals")
    db.execute("CREATE INDEX entries_totals ON entries (source, words, tokens, expired_us)")


@migrations()
def word_rules(db: Database) -> None:
    """What was decided about words and phrases.

    `folded` is the text as it is compared. `added` and `removed` are the numbers of the changes by hand; `added` is
    null for what was learned, and a rule holds while `removed` is null.
    """
    db.executescript(_WORD_RULES)


@migrations()
def words_folded_again(db: Database) -> None:
    """How texts are compared has changed, for Turkish letters and vowel signs: what was decided is found again."""
    for id_, text in db.execute("SELECT id, text FROM word_rules").fetchall():
        db.execute("UPDATE OR IGNORE word_rules SET folded = ? WHERE id = ?", (folded(text), id_))


@migrations()
def corrections_taken_back(db: Database) -> None:
    """Words whose correction was taken back on one day; on another day a rule takes their place."""
    db.execute(
        "CREATE TABLE corrections_taken_back (folded TEXT PRIMARY KEY, text TEXT NOT NULL, at_us INTEGER NOT NULL)"
        " STRICT"
    )


def microseconds(at: datetime) -> int:
    """An aware time as it is kept: whole microseconds since 1970, exactly."""
    if at.tzinfo is None:
        raise ValueError("a time in the store is aware of its zone")
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment(at_us: int) -> datetime:
    """A kept time, in UTC."""
    return _EPOCH + timedelta(microseconds=at_us)


def now_us() -> int:
    """The present as it is kept."""
    return microseconds(datetime.now(UTC))
