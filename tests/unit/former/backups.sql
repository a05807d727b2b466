BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'idiolect','first','2026-11-26 00:37:23.443420+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'idiolect','feedback','2026-11-26 00:37:23.443629+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'idiolect','taken','2026-11-26 00:37:23.444082+00:00');
INSERT INTO "_sqlite_migrations" VALUES(4,'idiolect','sources','2026-11-26 00:37:23.444642+00:00');
INSERT INTO "_sqlite_migrations" VALUES(5,'idiolect','backups','2026-11-26 00:37:23.444760+00:00');
CREATE TABLE adapter_blobs (
    adapter INTEGER PRIMARY KEY REFERENCES adapters (id) ON DELETE CASCADE,
    blob BLOB NOT NULL
) STRICT;
INSERT INTO "adapter_blobs" VALUES(1,X'77656967687473206F66207468652066697273742061646170746572');
CREATE TABLE adapter_entries (
    adapter INTEGER NOT NULL REFERENCES adapters (id) ON DELETE CASCADE,
    entry INTEGER NOT NULL REFERENCES entries (id),
    PRIMARY KEY (adapter, entry)
) STRICT, WITHOUT ROWID;
INSERT INTO "adapter_entries" VALUES(1,1);
INSERT INTO "adapter_entries" VALUES(1,2);
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
INSERT INTO "adapters" VALUES(1,NULL,1795653443480590,'active','{"base_sha256": "0000000000000000000000000000000000000000000000000000000000000000", "last_entry": 3, "base": {"perplexity": 60.5}}','it predicted better',4,28,X'F0FED2FA5BDC99F33AB1B0BF8C273477CF8E1338A969CC304FC82D9670A5D48D',2);
CREATE TABLE backups (
    path BLOB PRIMARY KEY,
    at_us INTEGER NOT NULL,
    last_entry INTEGER
) STRICT, WITHOUT ROWID
;
INSERT INTO "backups" VALUES(X'2F6D6E742F6261636B75702E6964696F6C656374',1767744000000000,3);
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
, taken_us INTEGER, redacted TEXT, origin INTEGER) STRICT;
INSERT INTO "entries" VALUES(1,X'677A2E1D5BD0A31F2E15388E477A4C07D17C45F2D78574A4F0D9486B6B90BBE3',1767603600000000,'file',NULL,8,4,0,'Thanks for the minutes of the harbour meeting.',X'14000000150000001600000017000000',1795653443460601,NULL,1);
INSERT INTO "entries" VALUES(2,X'A213FCC5AAD981F027940A67E15B459F61406CF682FAA9A5785191C17FC85AC4',1767690000000000,'http','mail',6,4,1,'Kind regards from the harbour office.',X'15000000150000001600000017000000',1795653443464417,'{}',NULL);
INSERT INTO "entries" VALUES(3,X'C1B3B142037C0E37C4491398ED6F47CFB659E9A608E4D19CA44FC8AFAEBBD569',1767776400000000,'http','mail',7,4,2,'The ferry to Vlieland leaves at eight.',X'16000000150000001600000017000000',1795653443464475,'{}',NULL);
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us INTEGER NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
INSERT INTO "events" VALUES(1,1795653443492228,'pause','{"seconds": 60}');
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
;
INSERT INTO "feedback" VALUES('2026-01-06','word',7,1,1,1,0,6,1,1);
CREATE TABLE files (
    path BLOB PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    paragraphs TEXT NOT NULL CHECK (json_valid(paragraphs))
) STRICT;
INSERT INTO "files" VALUES(X'2F686F6D652F796F752F6E6F7465732F6D696E757465732E6D64',47,1767603600000000000,'["abababababababab"]');
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
INSERT INTO "rounds" VALUES(1,NULL,1,1795653443472213,1795653443480884,'promoted','it predicted better','{"base_sha256": "0000000000000000000000000000000000000000000000000000000000000000", "last_entry": 3, "base": {"perplexity": 60.5}}',170.0,42.0);
INSERT INTO "rounds" VALUES(2,1,NULL,1795653443484283,NULL,'running','','{}',NULL,NULL);
CREATE TABLE sources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    me TEXT NOT NULL CHECK (json_valid(me)),
    read_us INTEGER NOT NULL
) STRICT;
INSERT INTO "sources" VALUES(1,X'2F686F6D652F796F752F6E6F746573','folder','[]',1795653443456656);
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO "state" VALUES('former','"kept"');
CREATE TABLE watches (path BLOB PRIMARY KEY) STRICT;
INSERT INTO "watches" VALUES(X'2F686F6D652F796F752F6E6F746573');
CREATE INDEX entries_in_time ON entries (at_us, id);
CREATE INDEX entries_totals ON entries (source, words, tokens);
CREATE INDEX adapter_entries_by_entry ON adapter_entries (entry);
CREATE INDEX entries_by_origin ON entries (origin, words) WHERE origin IS NOT NULL;
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE UNIQUE INDEX one_active_adapter ON adapters (status) WHERE status = 'active';
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('sources',1);
INSERT INTO "sqlite_sequence" VALUES('entries',3);
INSERT INTO "sqlite_sequence" VALUES('rounds',2);
INSERT INTO "sqlite_sequence" VALUES('adapters',1);
INSERT INTO "sqlite_sequence" VALUES('events',1);
COMMIT;
