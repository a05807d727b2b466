"""The schema of the store: its tables, and how times are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlite_utils import Database, Migrations

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

#: Never edit a released migration: add another.
migrations = Migrations("idiolect")

# Ids are never used twice (AUTOINCREMENT), so a number that somebody noted keeps its meaning.
_TABLES = """
-- `taken_us`: when it was taken in. `redacted`: what was redacted in it, a JSON object of kinds and how many; null:
-- nothing. `origin`: the source that it was read from; null: a program sent it. `expired_us`: when its text was let go;
-- null: it is kept. The entry without its text tells which adapters saw it.
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
    token_ids BLOB NOT NULL,
    taken_us INTEGER NOT NULL,
    redacted TEXT,
    origin INTEGER,
    expired_us INTEGER
) STRICT;
CREATE INDEX entries_in_time ON entries (at_us, id);
CREATE INDEX entries_totals ON entries (source, words, tokens, expired_us);
CREATE INDEX entries_by_origin ON entries (origin, words) WHERE origin IS NOT NULL;
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
-- An adapter that has seen an entry keeps that entry from being deleted without it: no cascade on that side.
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
-- What became of suggestions: a row a day (UTC, ISO), kind, tenth of the predicted probability, adapter that served (0:
-- the base; no reference, since the counts outlive it) and judgement whether to show.
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
) STRICT, WITHOUT ROWID;
CREATE TABLE sources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    me TEXT NOT NULL CHECK (json_valid(me)),
    read_us INTEGER NOT NULL
) STRICT;
-- Where backups were written, so that forgetting can say which of them still hold the text. `last_entry` is the highest
-- id that an entry had then; null where any text may be inside.
CREATE TABLE backups (
    path BLOB PRIMARY KEY,
    at_us INTEGER NOT NULL,
    last_entry INTEGER
) STRICT, WITHOUT ROWID;
-- What was forgotten, in figures: names of conditions, and of each adapter its number, parent, day and verdict.
CREATE TABLE receipts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us INTEGER NOT NULL,
    conditions TEXT NOT NULL CHECK (json_valid(conditions)),
    entries INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    adapters TEXT NOT NULL CHECK (json_valid(adapters)),
    active INTEGER
) STRICT;
-- 24 bits of the key of each forgotten entry that no file's state tells of (a git history, a program that sends its
-- history again), by which the same text from the same place is known again.
CREATE TABLE passed_over (mark INTEGER PRIMARY KEY) STRICT;
-- What a round goes on from: a row while it runs or is cut off; with `parts`, a whole one is in `slot`.
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
-- What was decided about words and phrases. `folded` is the text as it is compared. `added` and `removed` are the
-- numbers of the changes by hand; `added` is null for what was learned, and a rule holds while `removed` is null.
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
-- Words whose correction was taken back on one day; on another day a rule takes their place.
CREATE TABLE corrections_taken_back (folded TEXT PRIMARY KEY, text TEXT NOT NULL, at_us INTEGER NOT NULL) STRICT;
"""


# The name is the last of those that made these tables step by step.
@migrations(name="corrections_taken_back")
def tables(db: Database) -> None:
    """Everything that is kept."""
    db.executescript(_TABLES)


_SHARED_TABLES = """
-- What is shared with other devices. `mark`: a keyed hash by which it is known on all of them. `owner`: the device
-- whose log has it, '' for this one. `segment`: the file of this device's log that has it; null: none yet. Of a
-- decision, `value` is JSON, and `clock` says which of two holds.
CREATE TABLE shared (
    mark BLOB PRIMARY KEY CHECK (length(mark) = 12),
    kind TEXT NOT NULL CHECK (kind IN ('entry', 'gone', 'decision')),
    owner TEXT NOT NULL,
    segment TEXT,
    value TEXT,
    clock TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX shared_by_segment ON shared (owner, segment);
-- The files of this device's log; `of`: those that a file was made of, a JSON list.
CREATE TABLE shared_segments (
    name TEXT NOT NULL UNIQUE,
    size_bytes INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    of TEXT NOT NULL CHECK (json_valid(of)),
    stale INTEGER NOT NULL CHECK (stale IN (0, 1))
) STRICT;
-- The mark of an entry, while anything is shared.
ALTER TABLE entries ADD COLUMN shared BLOB;
CREATE INDEX entries_shared ON entries (shared) WHERE shared IS NOT NULL;
"""


@migrations(name="shared")
def shared_tables(db: Database) -> None:
    """What is shared with other devices."""
    db.executescript(_SHARED_TABLES)


#: The base model that an adapter belongs to, by the SHA-256 of its source; '' where it is not known.
BASE_OF_ADAPTER: Final = "coalesce(json_extract(metrics, '$.base_sha256'), '')"


@migrations(name="one_active_adapter_per_base")
def one_active_adapter_per_base(db: Database) -> None:
    """Each base model has an adapter of its own that is active."""
    db.executescript(
        "DROP INDEX one_active_adapter;"
        f" CREATE UNIQUE INDEX one_active_adapter ON adapters ({BASE_OF_ADAPTER}) WHERE status = 'active';"
    )


_SHARED_ANEW = """
-- Sharing is begun anew: a folder of the former form is shared no more.
DROP TABLE shared;
DROP TABLE shared_segments;
-- What is shared with other devices: entries, what was forgotten, and decisions. `mark`: a keyed hash by which it is
-- known on all of them; of an entry, that of its text. `at_us`: when an entry was written, or the clock of a decision;
-- `gone_before` means all entries of the mark up to it. `owner`: the device whose log has it, '' for this one.
-- `segment`: the file of this device's log that has it; null: none yet. Of a decision, `value` is JSON.
CREATE TABLE shared (
    mark BLOB NOT NULL CHECK (length(mark) = 12),
    kind TEXT NOT NULL CHECK (kind IN ('entry', 'gone', 'gone_before', 'decision')),
    at_us INTEGER NOT NULL,
    owner TEXT NOT NULL,
    segment TEXT,
    value TEXT,
    PRIMARY KEY (mark, kind, at_us)
) STRICT, WITHOUT ROWID;
CREATE INDEX shared_by_segment ON shared (owner, segment);
-- The files of this device's log.
CREATE TABLE shared_segments (name TEXT NOT NULL UNIQUE, size_bytes INTEGER NOT NULL) STRICT;
-- `entries.shared` is the mark of an entry's text, while anything is shared.
UPDATE entries SET shared = NULL WHERE shared IS NOT NULL;
DELETE FROM state WHERE name IN
    ('sync', 'shared_key', 'shared_pause', 'shared_orders', 'shared_orders_heard', 'offers_judged');
"""


@migrations(name="shared_by_secret")
def shared_by_secret(db: Database) -> None:
    """What is shared is known by one secret of the folder."""
    db.executescript(_SHARED_ANEW)


_FORGOTTEN_PARAGRAPHS = """
-- 40 bits of the hash of each forgotten paragraph that a file's state had, by which it is known in other files.
CREATE TABLE forgotten_paragraphs (mark INTEGER PRIMARY KEY) STRICT;
CREATE INDEX files_by_save ON files (size_bytes, mtime_ns);
"""


@migrations(name="forgotten_paragraphs")
def forgotten_paragraphs(db: Database) -> None:
    """Forgotten paragraphs are known wherever they stand, and files are found where they were renamed."""
    db.executescript(_FORGOTTEN_PARAGRAPHS)


_TRAINING_STATES = """
-- What the training of an adapter goes on from; of the newest few.
CREATE TABLE training_states (
    adapter INTEGER PRIMARY KEY REFERENCES adapters (id) ON DELETE CASCADE,
    state BLOB NOT NULL
) STRICT;
"""


@migrations(name="training_states")
def training_states(db: Database) -> None:
    """A round goes on from where the training of the one before it was."""
    db.executescript(_TRAINING_STATES)


_TAKEN_BACK_ONCE = """
-- Once is enough for a rule.
INSERT OR IGNORE INTO word_rules (kind, folded, text, source, at_us)
    SELECT 'never_correct', folded, text, 'learned', at_us FROM corrections_taken_back WHERE folded NOT IN
    (SELECT folded FROM word_rules WHERE removed IS NULL AND kind IN ('never_correct', 'always_correct'));
DROP TABLE corrections_taken_back;
"""


@migrations(name="taken_back_once")
def taken_back_once(db: Database) -> None:
    """A word whose correction was taken back is never corrected again."""
    db.executescript(_TAKEN_BACK_ONCE)


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
