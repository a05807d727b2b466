"""Entries in the store, the files that they came from, and the folders that are followed.

Functions over an open transaction; `Store` is the only caller. Paths are kept as bytes: a file name need not be
valid UTF-8.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from idiolect.daemon.redaction.redact import kinds
from idiolect.daemon.storage.paragraphs import blurred, decoded
from idiolect.daemon.storage.records import COMMANDS, Counts, FileState, NewEntry, SourceRow
from idiolect.daemon.storage.schema import microseconds, moment, now_us
from idiolect.daemon.storage.selectors import Selector

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from sqlite_utils import Database

#: Before the first row of `page`.
START: Final = (-(2**63), 0)

_BATCH = 256
_TEXT = "CAST(text AS BLOB)"  # all of it: to a function a string ends at its first NUL
_LISTED = "SELECT value FROM json_each(?)"


def add(db: Database, new: Sequence[NewEntry], file: FileState | None) -> list[int | None]:
    """Keep entries and their file's state.

    Returns an id for each of `new`, None where its key is known already or is that of a forgotten entry.
    """
    insert = (
        "INSERT INTO entries"
        " (key, at_us, source, app, words, tokens, redactions, text, token_ids, taken_us, redacted, origin)"
        " SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
        " WHERE NOT EXISTS (SELECT 1 FROM passed_over WHERE mark = ?) ON CONFLICT (key) DO NOTHING"
    )
    ids: list[int | None] = []
    for entry in new:
        cursor = db.execute(insert, [*_values(entry), _mark(bytes.fromhex(entry.key))])
        ids.append(cursor.lastrowid if cursor.rowcount else None)
    if file is not None:
        file = replace(file, paragraphs=_without_gone(db, file.paragraphs))
        db.execute(
            "INSERT OR REPLACE INTO files (path, size_bytes, mtime_ns, paragraphs) VALUES (?, ?, ?, ?)",
            (os.fsencode(file.path), file.size_bytes, file.mtime_ns, json.dumps(file.paragraphs)),
        )
    return ids


def _values(entry: NewEntry) -> tuple[object, ...]:
    if len(entry.token_ids) % 4:
        raise ValueError("token ids are uint32")
    words, tokens = len(entry.text.split()), len(entry.token_ids) // 4
    key, at_us = bytes.fromhex(entry.key), microseconds(entry.at)
    kept = (entry.source, entry.app, words, tokens, entry.redactions, entry.text, entry.token_ids)
    redacted = json.dumps(kinds(entry.text), sort_keys=True) if entry.redactions else None
    return key, at_us, *kept, now_us(), redacted, entry.origin


def forget(db: Database, ids: Collection[int], *, for_good: bool) -> None:
    """Delete entries, and what files' states tell of their text; if `for_good`, they do not come back by themselves."""
    wanted = json.dumps(sorted(ids))
    keys = db.execute(f"SELECT id, key FROM entries WHERE id IN ({_LISTED})", [wanted]).fetchall()  # noqa: S608
    db.execute(f"DELETE FROM entries WHERE id IN ({_LISTED})", [wanted])  # noqa: S608 (our constant)
    told = set[int]()
    for path, held in db.execute("SELECT path, paragraphs FROM files").fetchall():
        paragraphs = tuple(json.loads(held))
        told.update(*_entries_of(paragraphs))
        kept = _without_gone(db, paragraphs)
        if kept != paragraphs:
            db.execute("UPDATE files SET paragraphs = ? WHERE path = ?", [json.dumps(kept), path])
    for id_, key in keys:
        if for_good and id_ not in told:
            db.execute("INSERT OR IGNORE INTO passed_over (mark) VALUES (?)", [_mark(key)])


def _mark(key: bytes) -> int:
    """24 bits of an entry's key: enough to know it again, and so few that they belong to many texts."""
    return int.from_bytes(key[:3])


def _entries_of(paragraphs: Iterable[str]) -> Iterable[tuple[int, ...]]:
    return (decoded(coded).entries for coded in paragraphs if ":" in coded)


def _without_gone(db: Database, paragraphs: tuple[str, ...]) -> tuple[str, ...]:
    """A file's paragraphs without the whole hash of any whose entries are not all there."""
    told = json.dumps(sorted(set().union(*_entries_of(paragraphs))))
    missing = "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM entries)"
    gone = frozenset(row[0] for row in db.execute(missing, [told]))
    return tuple(blurred(coded, gone) for coded in paragraphs) if gone else paragraphs


def tokens(db: Database, ids: Collection[int]) -> int:
    """How many tokens these entries have."""
    sum_of = f"SELECT coalesce(sum(tokens), 0) FROM entries WHERE id IN ({_LISTED})"  # noqa: S608
    return int(db.execute(sum_of, [json.dumps(sorted(ids))]).fetchone()[0])


def page(
    db: Database, columns: str, selector: Selector | None, after: tuple[int, int], *, prose: bool = False
) -> list[tuple[Any, ...]]:
    """The next rows of entries (all, or those selected) in order of time and then id; none: that was all.

    `columns` begin with at_us and id; `after` is these two of the last row before, or START. `prose`: no commands.
    """
    where, values = _where(selector) if selector else ("true", [])
    if prose:
        where, values = f"{where} AND source <> ?", [*values, COMMANDS]
    sql = (
        f"SELECT {columns} FROM entries WHERE (at_us, id) > (?, ?) AND expired_us IS NULL AND {where}"  # noqa: S608 (our columns)
        f" ORDER BY at_us, id LIMIT {_BATCH}"
    )
    return db.execute(sql, [*after, *values]).fetchall()


def selected(db: Database, selector: Selector, after: int, last: int) -> tuple[list[int], int | None]:
    """The ids of the selected among the next entries `after` an id, up to `last`, in order of their ids.

    So many that it takes milliseconds, and the id to go on after; None: that was all.
    """
    upto = "SELECT max(id) FROM (SELECT id FROM entries WHERE id > ? AND id <= ? ORDER BY id LIMIT ?)"
    reached = db.execute(upto, [after, last, _BATCH]).fetchone()[0]
    if reached is None:
        return [], None
    where, values = _where(selector)
    sql = f"SELECT id FROM entries WHERE id > ? AND id <= ? AND {where}"  # noqa: S608
    return [row[0] for row in db.execute(sql, [after, reached, *values])], reached


def still_selected(db: Database, selector: Selector, found: Collection[int], last: int) -> list[int]:
    """The ids of all that are selected now, where `found` are those that were among the entries up to the id `last`.

    Of these only the ones are left out that have gone or lost their text since: nothing else of an entry ever changes.
    """
    where, values = _where(selector)
    kept = "expired_us IS NULL" if selector.texts else "true"
    sql = f"SELECT id FROM entries WHERE (id IN ({_LISTED}) AND {kept}) OR (id > ? AND {where})"  # noqa: S608
    return [row[0] for row in db.execute(sql, [json.dumps(sorted(found)), last, *values])]


def total(db: Database) -> int:
    """How many entries there are, those without their text included."""
    return int(db.execute("SELECT count(*) FROM entries").fetchone()[0])


def _where(selector: Selector) -> tuple[str, list[object]]:
    """A selector as a condition on entries and its values."""
    given = {
        f"found({_TEXT}, ?, 0)": None if selector.text is None else selector.text.encode(),
        f"found({_TEXT}, ?, 1)": None if selector.phrase is None else selector.phrase.encode(),
        f"EXISTS ({_LISTED} WHERE found({_TEXT}, CAST(value AS BLOB), 1))": (
            None if selector.phrases is None else json.dumps(selector.phrases)
        ),
        "id IN (SELECT value FROM json_each(?))": None if selector.ids is None else json.dumps(selector.ids),
        "source = ?": selector.source,
        "app = ?": selector.app,
        "at_us >= ?": None if selector.since is None else microseconds(selector.since),
        "at_us < ?": None if selector.until is None else microseconds(selector.until),
        "origin = ?": selector.origin,
    }
    kept = {condition: value for condition, value in given.items() if value is not None}
    return " AND ".join(kept), list(kept.values())


def sources(db: Database) -> list[SourceRow]:
    """What was read, by path, with what each brought."""
    rows = db.execute(
        "SELECT id, path, kind, me, read_us, count(origin), coalesce(sum(words), 0) FROM sources"
        " LEFT JOIN (SELECT origin, words FROM entries WHERE origin IS NOT NULL) ON origin = id"
        " GROUP BY id ORDER BY path"
    )
    return [
        SourceRow(row[0], os.fsdecode(row[1]), row[2], tuple(json.loads(row[3])), moment(row[4]), *row[5:])
        for row in rows
    ]


def add_source(db: Database, path: str, kind: str, me: Sequence[str]) -> int:
    """Note that a source is read now; its number. Without `me` the names that were given before stay."""
    db.execute(
        "INSERT INTO sources (path, kind, me, read_us) VALUES (?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET"
        " kind = excluded.kind, read_us = excluded.read_us,"
        " me = CASE WHEN excluded.me = '[]' THEN me ELSE excluded.me END",
        (os.fsencode(path), kind, json.dumps(me), now_us()),
    )
    return int(db.execute("SELECT id FROM sources WHERE path = ?", [os.fsencode(path)]).fetchone()[0])


def source(db: Database, path: str) -> tuple[int, tuple[str, ...]] | None:
    """The number of the source at `path`, and the names that were given for it; None for one that is not known."""
    row = db.execute("SELECT id, me FROM sources WHERE path = ?", [os.fsencode(path)]).fetchone()
    return (int(row[0]), tuple(json.loads(row[1]))) if row else None


def drop_source(db: Database, path: str, keep: Callable[[str], bool]) -> None:
    """Drop a source, and the states of the file or files there but those that are to be kept.

    Without its state, a file would be read as if for the first time.
    """
    at = os.fsencode(path)
    below = at.rstrip(b"/") + b"/"
    db.execute("DELETE FROM sources WHERE path = ?", [at])
    there = "SELECT path FROM files WHERE path = ? OR substr(path, 1, ?) = ?"
    for (file,) in db.execute(there, [at, len(below), below]).fetchall():
        if not keep(os.fsdecode(file)):
            db.execute("DELETE FROM files WHERE path = ?", [file])


def expire(db: Database, before_us: int | None, most_bytes: int | None) -> int:
    """Empty the entries taken before a time, and the oldest beyond so many bytes of text; how many that were.

    An emptied entry stays, so that what was taken is not taken again, and that forgetting finds who has seen it.
    """
    gone: list[int] = []
    if before_us is not None:
        gone += [
            row[0]
            for row in db.execute(
                "SELECT id FROM entries WHERE expired_us IS NULL AND coalesce(taken_us, at_us) < ?",
                (before_us,),
            )
        ]
    if most_bytes is not None:
        rows = db.execute(
            "SELECT id FROM (SELECT id, sum(octet_length(text)) OVER (ORDER BY at_us DESC, id DESC) AS held"
            " FROM entries WHERE expired_us IS NULL AND id NOT IN (SELECT value FROM json_each(?))) WHERE held > ?",
            (json.dumps(gone), most_bytes),
        )
        gone += [row[0] for row in rows]
    db.execute(
        "UPDATE entries SET text = '', token_ids = x'', words = 0, tokens = 0, expired_us = ?"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (now_us(), json.dumps(gone)),
    )
    return len(gone)


def last_id(db: Database) -> int:
    """The highest id that an entry ever had; 0 before the first."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entries'").fetchone()
    return int(row[0]) if row else 0


def counts(db: Database) -> Counts:
    """How much text is kept."""
    rows = db.execute(
        "SELECT source, count(*), sum(words), sum(tokens) FROM entries WHERE expired_us IS NULL"
        " GROUP BY source ORDER BY source"
    ).fetchall()
    return Counts(
        entries=sum(row[1] for row in rows),
        words=sum(row[2] for row in rows),
        tokens=sum(row[3] for row in rows),
        sources={row[0]: row[1] for row in rows},
        prose_tokens=sum(row[3] for row in rows if row[0] != COMMANDS),
    )


def file_states(db: Database, path: str | None = None) -> list[FileState]:
    """All files read, by path, or the one at `path`."""
    where, values = ("", []) if path is None else ("WHERE path = ?", [os.fsencode(path)])
    rows = db.execute(
        f"SELECT path, size_bytes, mtime_ns, paragraphs FROM files {where} ORDER BY path",  # noqa: S608
        values,
    )
    return [FileState(os.fsdecode(row[0]), row[1], row[2], tuple(json.loads(row[3]))) for row in rows]


def move_file(db: Database, old: str, new: str) -> None:
    """Give a file's state another path; what was known of the file there before is dropped."""
    db.execute("UPDATE OR REPLACE files SET path = ? WHERE path = ?", (os.fsencode(new), os.fsencode(old)))


def drop_file(db: Database, path: str) -> None:
    """Drop a file's state."""
    db.execute("DELETE FROM files WHERE path = ?", (os.fsencode(path),))


def watches(db: Database) -> list[str]:
    """The watched folders and files, by path."""
    return [os.fsdecode(path) for (path,) in db.execute("SELECT path FROM watches ORDER BY path")]


def add_watch(db: Database, path: str) -> bool:
    """Remember a watched path; False where it was watched already."""
    return db.execute("INSERT OR IGNORE INTO watches (path) VALUES (?)", (os.fsencode(path),)).rowcount == 1


def remove_watch(db: Database, path: str) -> bool:
    """Watch a path no more; False where it was not watched."""
    return db.execute("DELETE FROM watches WHERE path = ?", (os.fsencode(path),)).rowcount == 1
