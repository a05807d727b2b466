"""Backups: all that the store holds comes back, anywhere, and nothing else is touched on the way."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import textwrap
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import pytest
import sqlcipher3.dbapi2 as sqlcipher
from publishing import NOON, entry, publish

from idiolect.daemon.profile import backup, backup_target
from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage import store_copies
from idiolect.daemon.storage.errors import (
    StoreBusyError,
    StoreNewerError,
    StoreUnreadableError,
)
from idiolect.daemon.storage.records import BackupRow, Feedback, FileState
from idiolect.daemon.storage.schema import moment
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import marker, opening, store_key

KEY = store_copies.raw("c3" * 32)  # as good as a passphrase, and quicker to try
OWN = ["base", "log", "run", "store.db", "store.json", "store.key"]  # all that is in a profile at rest
CANARY = "the purple canary sings at midnight"


def profile(home):
    return Settings(home=home, keyring=False).prepare()


def held(folder):
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def store_of(settings):
    with closing(Store.open(settings.store_path, store_key.obtain(settings).hex)) as store:
        yield store


def fill(settings, count=60):
    """Something in every table."""
    with store_of(settings) as store:
        new = [entry(f"{CANARY} {n}", minute=n) for n in range(count)]
        ids = store.entries.add(new, FileState("/notes/a.md", 1, 2, ("ab",)))
        for number, status in enumerate(("active", "refused", "active")):
            active, seen = store.adapters.active(), ids[: 10 * number + 10]
            publish(store, parent=active, seen=seen, status=status, blob=bytes([number]) * 5000, seconds=2.0)
        store.state.set("base_mixture", [1, 2])
        store.watches.add("/notes")
        store.feedback.add(Feedback("word", "accepted", 0.5, characters=7), 1, date(2024, 3, 1))
        store.events.add("forget", entries=2)
    return settings


def contents(settings):
    """All that a store keeps, as it reads; of backups, what is told about them is another matter."""
    with store_of(settings) as store:
        adapters = [
            (row, store.adapters.weights(row.id), store.adapters.seen(row.id)) for row in store.adapters.all()
        ]
        return (
            list(store.entries.select()),
            list(store.entries.token_ids()),
            store.entries.last_id(),
            store.file_states.all(),
            store.watches.all(),
            adapters,
            store.adapters.active(),
            store.rounds.all(),
            store.feedback.report(date.min),
            [event for event in store.events.all() if event.kind != "backup"],
            store.state.get("base_mixture"),
        )


def known(settings):
    """The backups that the store tells of: the name of each, and the last entry in it."""
    with store_of(settings) as store:
        return {Path(row.path).name: row.last_entry for row in store.backups.all()}


@pytest.fixture
def mine(tmp_path, monkeypatch):
    monkeypatch.setenv("IDIOLECT_KEYRING", "false")
    return fill(profile(tmp_path / "home"))


@pytest.fixture
def target(tmp_path):
    return tmp_path / "my.backup"


def test_all_of_it_comes_back_on_a_fresh_machine_under_a_new_key(mine, target, tmp_path):
    made = backup.make(mine, target, "several words are best")
    assert (made.path, made.size_bytes) == (target, target.stat().st_size)
    assert made.holds == backup.BackupContents(entries=60, adapters=3, rounds=3)
    fresh = profile(tmp_path / "fresh")
    done = backup.restore(fresh, target, "several words are best")
    assert done == backup.Restored(made.holds, None)
    assert contents(fresh) == contents(mine)
    assert store_key.obtain(fresh).hex != store_key.obtain(mine).hex
    assert {path.stat().st_mode & 0o777 for path in (target, fresh.store_path)} == {0o600}
    assert held(fresh.home) == OWN
    assert held(target.parent) == ["fresh", "home", "my.backup"]


def test_the_audit_tells_of_a_backup(mine, target):
    backup.make(mine, target, KEY)
    with store_of(mine) as store:
        event = store.events.all()[-1]
    assert (event.kind, event.detail) == ("backup", {"path": str(target)})


def test_the_profiles_own_key_brings_a_lost_store_back(mine, target, tmp_path, run):
    then = contents(mine)
    assert run(mine, "backup", target, "--profile-key")[0] == 0
    mine.store_path.unlink()
    code, _, said = run(mine, "backup", target, "--profile-key")
    assert (code, str(target) in said) == (marker.StoreLostError.exit_code, True)
    code, _, said = run(mine, "restore", target, "--profile-key")
    assert code == 0, said
    assert contents(mine) == then
    other = profile(tmp_path / "other")
    assert run(other, "restore", target, "--profile-key")[0] == store_key.KeyMissingError.exit_code
    assert not other.key_path.exists()


def test_what_is_written_meanwhile_is_in_it_wholly_or_not_at_all(tmp_path, target):
    """Another process adds batches, each with the state of its file, while backups are made."""
    settings = profile(tmp_path / "home")
    key = store_key.obtain(settings).hex
    Store.open(settings.store_path, key).close()
    script = f"""
        import itertools
        from pathlib import Path
        from publishing import entry
        from idiolect.daemon.storage.records import FileState
        from idiolect.daemon.storage.store import Store
        store = Store.open(Path({str(settings.store_path)!r}), {key!r})
        for batch in itertools.count():
            store.entries.add([entry(f"{{batch}} {{n}}") for n in range(20)], FileState("/f", batch, 0, ()))
            print(batch, flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    found = []
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
        for _ in range(4):
            writer.stdout.readline()
            backup.make(settings, target, KEY)
            with store_copies.opened(target, KEY) as db:
                [(count, size)] = db.execute("SELECT (SELECT count(*) FROM entries), size_bytes FROM files")
            found.append((count, size))
        assert writer.poll() is None, "the writer was not disturbed"
        writer.kill()
    assert [count for count, _ in found] == [20 * (size + 1) for _, size in found]
    assert found[0] < found[-1]


@pytest.mark.parametrize("damage", ["byte", "half", "page", "other", "empty"])
def test_a_damaged_backup_is_refused_and_changes_nothing(mine, target, damage):
    backup.make(mine, target, KEY)
    data = target.read_bytes()
    data = {
        "byte": data[:20487] + bytes([data[20487] ^ 1]) + data[20488:],
        "half": data[: len(data) // 2],
        "page": data[:-4096],
        "other": b"SQLite format 3\0" + bytes(9000),
        "empty": b"",
    }[damage]
    target.write_bytes(data)
    before = (contents(mine), mine.store_path.read_bytes())
    for try_ in (backup.examine, lambda *given: backup.restore(mine, *given)):
        with pytest.raises(store_copies.CopyUnreadableError, match=r"my\.backup"):
            try_(target, KEY)
    assert (contents(mine), mine.store_path.read_bytes()) == before
    assert mine.former_store_paths == []


def test_a_wrong_passphrase_and_what_is_no_file(mine, target, tmp_path, capfd):
    backup.make(mine, target, "several words are best")
    with pytest.raises(store_copies.CopyUnreadableError) as caught:
        backup.examine(target, "several words")
    assert "several" not in str(caught.value)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "nothing", tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(store_copies.CopyUnreadableError, match=r"not a backup|no file|cannot be opened"):
            backup.examine(path, KEY)
    assert not (tmp_path / "nothing").exists()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("wrong", ["torn", "less", "no name"])
def test_a_backup_that_fails_leaves_the_one_before(mine, target, monkeypatch, wrong):
    backup.make(mine, target, KEY)
    before, was = target.read_bytes(), known(mine)
    with store_of(mine) as store:
        store.entries.add([entry("more")])
    copy = store_copies.write

    def wrongly(db, draft, *more):
        found = copy(db, draft, *more)
        if wrong == "torn":
            os.truncate(draft, draft.stat().st_size - 4096)
        return found | {"entries": 1000} if wrong == "less" else found

    def refuse(*_):
        raise OSError(5, "no")

    monkeypatch.setattr(store_copies, "write", wrongly)
    if wrong == "no name":
        monkeypatch.setattr(backup_target.durable, "publish", refuse)
    with pytest.raises(store_copies.CopyFailedError, match="No copy was made"):
        backup.make(mine, target, KEY)
    assert target.read_bytes() == before
    assert [path.name for path in target.parent.iterdir() if path.is_file()] == ["my.backup"]
    assert known(mine) == was


def test_a_file_that_another_program_holds(mine, target):
    target.touch()
    with closing(sqlcipher.connect(str(target), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        key = store_key.obtain(mine).hex
        with closing(Store.open(mine.store_path, key, busy_timeout_s=0.05)) as store:
            with pytest.raises(store_copies.CopyFailedError, match="locked"):
                store.copy_to(target, KEY)
            assert store.entries.counts().entries == 60


def test_places_where_no_backup_can_be(mine, tmp_path):
    store = mine.store_path.read_bytes()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path / "loop", tmp_path / "loop" / "my.backup"):
        for asked in (backup.replaces, backup.make):
            with pytest.raises(store_copies.CopyFailedError, match="symbolic links"):
                asked(mine, path, KEY)
    for place in (mine.store_path, mine.home / "new", tmp_path, tmp_path / "nowhere" / "file"):
        with pytest.raises(store_copies.CopyFailedError, match=str(place)):
            backup.make(mine, place, KEY)
    assert mine.store_path.read_bytes() == store
    with pytest.raises(opening.ProfileStateError, match="There is no store in"):
        backup.make(profile(tmp_path / "empty"), tmp_path / "x", KEY)
    assert not (tmp_path / "empty" / "store.db").exists()


def test_nothing_but_a_backup_is_replaced(mine, tmp_path, run):
    diary, phrase = tmp_path / "diary.txt", tmp_path / "phrase"
    diary.write_text("a diary")
    phrase.write_text("several words are best\n")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/null")
    (tmp_path / "to diary").symlink_to(diary)
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "to folder").symlink_to(tmp_path / "folder")
    (tmp_path / "to store").symlink_to(mine.store_path)
    other = sqlcipher.connect(str(tmp_path / "other.db"), isolation_level=None)
    other.set_key(KEY)
    other.execute("CREATE TABLE entries (id)")
    other.close()
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    for name in ("diary.txt", "phrase", "to diary", "empty", "other.db"):
        with pytest.raises(backup_target.NotABackupError, match="delete that one first"):
            backup.make(mine, tmp_path / name, KEY)
    for path in ("/dev/null", *(tmp_path / name for name in ("pipe", "link", "folder", "to folder"))):
        with pytest.raises(store_copies.CopyFailedError, match=r"device|folder"):
            backup.make(mine, Path(path), KEY)
    with pytest.raises(store_copies.CopyFailedError, match="inside the profile"):
        backup.make(mine, tmp_path / "to store", KEY)
    code, out, _ = run(mine, "backup", phrase, "--yes", "--passphrase-file", phrase)
    assert (code, out) == (backup_target.NotABackupError.exit_code, "")
    assert {path: path.read_bytes() for path in before} == before
    assert not [*tmp_path.glob(".*")], "not even a draft"
    assert known(mine) == {}


def test_an_earlier_backup_is_known_by_its_key_or_by_its_first_bytes(mine, target, tmp_path):
    backup.make(mine, target, KEY)
    another = store_copies.raw("d4" * 32)
    backup.make(mine, target, another)  # the profile remembers it
    assert backup.examine(target, another).entries == 60
    moved = target.rename(tmp_path / "moved")
    backup.make(mine, moved, KEY)
    mine.marker_path.unlink()  # it remembers nothing
    with pytest.raises(backup_target.NotABackupError):
        backup.make(mine, moved, another)
    backup.make(mine, moved, KEY)
    data = bytearray(moved.read_bytes())
    data[5000] ^= 1
    moved.write_bytes(data)  # a damaged one may be replaced, too
    backup.make(mine, moved, another)


def test_a_lost_store_does_not_take_the_place_of_its_backup(mine, target, tmp_path):
    opening.open_store(mine).close()
    backup.make(mine, target, KEY)
    mine.store_path.unlink()
    opening.begin_anew(mine)
    opening.open_store(mine).close()
    held = target.read_bytes()
    for key in (KEY, store_copies.raw("d4" * 32)):
        with pytest.raises(backup_target.HoldsMoreError, match=r"60 entries|does not open"):
            backup.make(mine, target, key)
        assert target.read_bytes() == held
    assert known(mine) == {"my.backup": None}  # so that forgetting tells of it


def test_another_profile_does_not_take_the_place_of_a_backup(mine, target, tmp_path):
    opening.open_store(mine).close()
    other = fill(profile(tmp_path / "other"), 90)
    opening.open_store(other).close()
    backup.make(mine, target, KEY)
    with pytest.raises(backup_target.HoldsMoreError, match="another profile's"):
        backup.make(other, target, KEY)
    assert backup.examine(target, KEY).entries == 60


def test_a_store_that_went_back_does_not_take_the_place_of_a_backup_of_what_came_later(
    mine, target, tmp_path
):
    opening.open_store(mine).close()
    backup.make(mine, tmp_path / "old.backup", KEY)
    with store_of(mine) as store:
        store.entries.add([entry("written later")])
    backup.make(mine, target, KEY)
    backup.restore(mine, tmp_path / "old.backup", KEY)
    with pytest.raises(backup_target.HoldsMoreError, match="61 entries"):
        backup.make(mine, target, KEY)


@pytest.mark.parametrize("lost", [False, True])
def test_a_store_that_went_back_and_has_grown_since_does_not_either(mine, target, tmp_path, lost):
    opening.open_store(mine).close()
    backup.make(mine, tmp_path / "old.backup", KEY)
    with store_of(mine) as store:
        store.entries.add([entry("written later")])
    backup.make(mine, target, KEY)
    if lost:
        mine.store_path.unlink()
    backup.restore(mine, tmp_path / "old.backup", KEY)
    with store_of(mine) as store:
        store.entries.add([entry("written instead"), entry("and after it")])
    with pytest.raises(backup_target.HoldsMoreError, match="61 entries"):
        backup.make(mine, target, KEY)


def test_after_forgetting_the_backup_is_made_anew_over_the_old_one(mine, target):
    opening.open_store(mine).close()
    backup.make(mine, target, KEY)
    with store_of(mine) as store:
        assert store.forget(Selector(text=f"{CANARY} 7")).entries
    assert backup.make(mine, target, KEY).holds.entries == 59


def test_through_a_link_the_file_that_it_names_is_written(mine, target, tmp_path):
    link = tmp_path / "latest"
    link.symlink_to(target)
    assert backup.make(mine, link, KEY).path == target
    assert link.is_symlink()
    assert backup.make(mine, link, KEY).path == target
    assert backup.examine(target, KEY).entries == 60


@pytest.mark.parametrize("there", [False, True])
def test_a_file_that_appears_or_changes_meanwhile_stays(mine, target, monkeypatch, there):
    if there:
        backup.make(mine, target, KEY)
    copy = store_copies.write

    def late(*given):
        target.write_text("a diary")
        return copy(*given)

    monkeypatch.setattr(store_copies, "write", late)
    with pytest.raises(store_copies.CopyFailedError, match="meanwhile"):
        backup.make(mine, target, KEY)
    assert target.read_text() == "a diary"


KILLED = """
import os, signal, sys
from pathlib import Path
from idiolect.daemon.profile import backup
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage import store_copies
from idiolect.models import durable
def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)
when = sys.argv[3]
if when == "copied":
    store_copies.check = kill
elif when == "published":
    publish = durable.publish
    def publish_and_die(draft, final):
        publish(draft, final)
        if final.name == "my.backup": kill()
    durable.publish = publish_and_die
backup.make(Settings(home=Path(sys.argv[1]), keyring=False), Path(sys.argv[2]), store_copies.raw("c3" * 32))
"""


@pytest.mark.parametrize("when", ["copied", "published"])
def test_a_backup_that_was_killed_leaves_nothing_once_the_next_has_looked(mine, target, when):
    backup.make(mine, target, KEY)
    before, bytes_before = known(mine), target.read_bytes()
    subprocess.run([sys.executable, "-c", KILLED, mine.home, target, when], check=False, capture_output=True)
    drafts = [*target.parent.glob(".my.backup-*.part")]
    assert len(drafts) == (when != "published")
    assert known(mine) == {"my.backup": None}, "it is told of as long as it may hold text"
    with store_of(mine) as store:
        backup_target.clear_drafts(store)
        store.forget(Selector(ids=(1,)))
    assert not [*target.parent.glob(".my.backup-*.part")]
    assert (target.read_bytes() == bytes_before) == (when != "published")
    assert backup.examine(target, KEY).entries == 60
    assert known(mine) == {"my.backup": None}
    backup.make(mine, target, KEY)  # as the next one always may
    assert known(mine) == before


def test_a_backup_that_is_being_written_is_left_alone(mine, target, monkeypatch):
    copy, drafts = store_copies.write, []

    def meanwhile(db, draft, *more):
        with store_of(mine) as other:  # as at a start of the service
            backup_target.clear_drafts(other)
        drafts.append(draft.exists())
        return copy(db, draft, *more)

    monkeypatch.setattr(store_copies, "write", meanwhile)
    backup.make(mine, target, KEY)
    assert drafts == [True]


def test_of_two_at_once_the_one_that_fails_takes_back_only_its_own_note(mine, target, monkeypatch):
    def meanwhile(*_):
        with store_of(mine) as other:
            other.backups.note(BackupRow(str(target), NOON, None))
        raise store_copies.failed(target, "no")

    monkeypatch.setattr(store_copies, "write", meanwhile)
    with pytest.raises(store_copies.CopyFailedError):
        backup.make(mine, target, KEY)
    assert known(mine) == {"my.backup": None}, "the other one is still writing"


def test_a_damaged_store_is_blamed_and_not_the_copy(mine, target):
    """Whichever page is damaged: either it is not needed for a copy, or the store is what is wrong."""
    backup.make(mine, target, KEY)
    store, before = mine.store_path.read_bytes(), target.read_bytes()
    said = []
    for page in range(1, len(store) // 4096):
        damaged = bytearray(store)
        damaged[page * 4096 + 2000] ^= 1
        mine.store_path.write_bytes(damaged)
        target.write_bytes(before)
        try:
            backup.make(mine, target, KEY)
        except StoreUnreadableError as error:  # and nothing else
            said.append(str(error))
            assert target.read_bytes() == before
        for log in mine.home.glob("store.db-*"):
            log.unlink()
    mine.store_path.write_bytes(store)
    assert any("No copy was made, because the store" in sentence for sentence in said)
    assert all(str(mine.store_path) in sentence and "idiolect restore" in sentence for sentence in said)
    assert known(mine) == {"my.backup": 60}


def test_only_drafts_that_were_left_behind_are_removed(mine, target):
    left = target.with_name(".my.backup-abcdef01.part")
    diary = target.with_name(".my.backup-2020")
    letters = target.with_name(".my.backup-letters.part")
    link = target.with_name(".my.backup-abcdef03.part")
    folder = target.with_name(".my.backup-abcdef04.part")
    for path in (left, diary, letters):
        path.write_text("old")
    folder.mkdir()
    link.symlink_to(diary)
    for path in (left, diary, letters, link, folder):
        os.utime(path, (1, 1), follow_symlinks=False)
    fresh = target.with_name(".my.backup-abcdef02.part")
    with backup_target.created(fresh):
        backup.make(mine, target, KEY)
        assert fresh.exists(), "another backup is writing it"
    assert not left.exists()
    assert diary.read_text() == letters.read_text() == "old"
    assert link.is_symlink()
    assert folder.is_dir()


# Going back


def changed(settings):
    with store_of(settings) as store:
        store.entries.add([entry("written after the backup")])
        store.forget(Selector(ids=(1,)))


def put_back(settings, former):
    return backup.restore(settings, former, store_copies.raw(store_key.obtain(settings).hex))


def test_the_store_before_is_kept_and_put_back_like_any_backup(mine, target):
    then = contents(mine)
    backup.make(mine, target, KEY)
    changed(mine)
    now = contents(mine)
    first = backup.restore(mine, target, KEY)
    assert [first.former] == mine.former_store_paths
    assert contents(mine) == then
    second = put_back(mine, first.former)
    assert contents(mine) == now
    assert {*mine.former_store_paths} == {first.former, second.former}
    put_back(mine, second.former)
    assert contents(mine) == then
    for former in mine.former_store_paths:
        former.unlink()
    assert held(mine.home) == OWN


@pytest.mark.parametrize("crashed", [False, True])
def test_a_store_that_cannot_be_read_gives_way_and_stays_as_it_is(mine, target, crashed):
    backup.make(mine, target, KEY)
    then = contents(mine)
    mine.store_path.write_bytes(b"damaged" * 1000)
    if crashed:
        mine.store_path.with_name("store.db-wal").write_bytes(os.urandom(5000))
    done = backup.restore(mine, target, KEY)
    assert contents(mine) == then
    assert done.former.read_bytes() == b"damaged" * 1000


def test_what_a_killed_service_left_in_the_log_is_kept_with_the_store_before(mine, target):
    backup.make(mine, target, KEY)
    with store_of(mine) as store:
        store.watches.add("/last")
        left = {path: path.read_bytes() for path in mine.home.glob("store.db*")}
    for path, data in left.items():  # as a kill leaves them
        path.write_bytes(data)
    put_back(mine, backup.restore(mine, target, KEY).former)
    with store_of(mine) as store:
        assert store.watches.all() == ["/last", "/notes"]


def test_a_second_name_that_a_killed_restore_has_left_goes_with_the_next(mine, target):
    backup.make(mine, target, KEY)
    os.link(mine.store_path, mine.home / "store.db.before-20260131T093000-1a2b")
    assert mine.former_store_paths != [(done := backup.restore(mine, target, KEY)).former]
    assert mine.former_store_paths == [done.former]


def test_a_newer_version_is_refused(mine, target, tmp_path):
    backup.make(mine, target, KEY)
    with store_copies.opened(target, KEY) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",), "it is one file"
    newer = tmp_path / "newer.backup"
    newer.touch()
    with store_of(mine) as store:
        store._connection._db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('idiolect', 'fts')"
        )
        store.copy_to(newer, KEY)
        store._connection._db.execute("DELETE FROM _sqlite_migrations WHERE name = 'fts'")
    before = contents(mine)
    with pytest.raises(StoreNewerError):
        backup.restore(mine, newer, KEY)
    assert contents(mine) == before
    assert mine.former_store_paths == []


def test_a_running_service_keeps_its_store(mine, target):
    backup.make(mine, target, KEY)
    with process.locked(mine), pytest.raises(process.AlreadyRunningError, match="idiolect stop"):
        backup.restore(mine, target, KEY)


def test_a_store_that_is_being_read_elsewhere_is_not_replaced(mine, target):
    backup.make(mine, target, KEY)
    with store_of(mine) as reader:
        reader._connection._db.execute("BEGIN")
        reader._connection._db.execute("SELECT count(*) FROM entries").fetchall()
        with pytest.raises(StoreBusyError):
            backup.restore(mine, target, KEY)
        reader._connection._db.execute("COMMIT")
    assert mine.former_store_paths == []
    backup.restore(mine, target, KEY)


# What is known of backups


def test_what_is_added_until_the_copy_begins_is_known_to_be_in_it(mine, target, monkeypatch):
    copy, noted = store_copies.write, []

    def late(db, *given):
        with store_of(mine) as other:
            noted.extend(other.backups.all())
            other.entries.add([entry("between the note and the copy")])
        return copy(db, *given)

    monkeypatch.setattr(store_copies, "write", late)
    backup.make(mine, target, KEY)
    [before] = noted
    assert before.last_entry is None, "killed here, it would be said to hold anything"
    with store_of(mine) as store:
        [row] = store.backups.all()
    with store_copies.opened(target, KEY) as db:
        [(path, at_us, last_entry)] = db.execute("SELECT path, at_us, last_entry FROM backups")
        [(last,)] = db.execute("SELECT max(id) FROM entries")
    assert last == 61
    assert row.last_entry == last
    assert BackupRow(os.fsdecode(path), moment(at_us), last_entry) == row


def test_a_deleted_backup_is_not_told_of_but_one_on_a_disk_that_is_away_is(mine, target, tmp_path):
    with store_of(mine) as store:
        for path in (tmp_path / "deleted", tmp_path / "usb" / "away"):
            store.backups.note(BackupRow(str(path), NOON, 5))
    backup.make(mine, target, KEY)
    assert known(mine).keys() == {"away", "my.backup"}


def test_a_backup_that_was_made_again_holds_other_entries_than_the_restored_store_knew(
    mine, target, tmp_path
):
    backup.make(mine, target, KEY)
    second = tmp_path / "second.backup"
    backup.make(mine, second, KEY)
    assert known(mine) == {"my.backup": 60, "second.backup": 60}
    changed(mine)
    backup.make(mine, target, KEY)
    backup.make(mine, tmp_path / "later.backup", KEY)
    former = backup.restore(mine, second, KEY).former
    later = {"my.backup": None, "second.backup": 60, "later.backup": None}
    assert known(mine) == later | {former.name: None}
    former.unlink()
    backup.make(mine, second, KEY)
    assert former.name not in known(mine)


def test_where_the_store_is_lost_the_restored_one_knows_the_backups_that_came_later(mine, target, tmp_path):
    opening.open_store(mine).close()
    backup.make(mine, tmp_path / "old.backup", KEY)
    changed(mine)
    backup.make(mine, target, KEY)
    mine.store_path.unlink()
    backup.restore(mine, tmp_path / "old.backup", KEY)
    assert known(mine) == {"old.backup": 60, "my.backup": None}


def test_a_store_that_is_put_back_knows_the_backups_of_the_restored_one(mine, target, tmp_path):
    backup.make(mine, target, KEY)
    changed(mine)
    first = backup.restore(mine, target, KEY)
    backup.make(mine, tmp_path / "since.backup", KEY)
    second = put_back(mine, first.former)
    told = {first.former.name: None, second.former.name: None}
    assert known(mine) == {"my.backup": 60, "since.backup": None} | told
    put_back(mine, second.former)
    assert known(mine).items() >= {"my.backup": 60, "since.backup": 60}.items()


# As a user runs it


def test_in_a_script(mine, target, tmp_path, run):
    phrase = tmp_path / "phrase"
    phrase.write_text("several words are best\n")
    code, out, err = run(mine, "backup", target, "--passphrase-file", phrase, "--json")
    assert code == 0, err
    about = {"path": str(target), "size_bytes": target.stat().st_size}
    assert json.loads(out) == {**about, "entries": 60, "adapters": 3, "rounds": 3}
    for command in (("backup", target), ("restore", target)):
        code, _, err = run(mine, *command, "--passphrase-file", phrase)
        assert (code, "--yes" in err) == (2, True)
    code, _, err = run(tmp_path / "fresh", "restore", target)
    assert (code, "--passphrase-file" in err) == (2, True)
    asked = ("restore", target, "--passphrase-file", "-")
    code, out, err = run(tmp_path / "fresh", *asked, typed="several words are best\n")
    assert code == 0, err
    assert "Restored 60 entries, 3 adapters, 3 rounds" in out
    code, _, _ = run(mine, "backup", tmp_path / "b", "--passphrase-file", "-", typed="short\n")
    assert (code, (tmp_path / "b").exists()) == (2, False)


@pytest.mark.parametrize("again", ["several words are best", "several words are worse"])
def test_on_a_terminal_the_passphrase_is_asked_for_twice_and_not_shown(mine, target, again):
    child, terminal = pty.fork()
    if child == 0:
        os.environ |= {"IDIOLECT_HOME": str(mine.home), "IDIOLECT_KEYRING": "false"}
        program = str(Path(sys.executable).with_name("idiolect"))
        os.execv(program, [program, "backup", str(target)])
    shown = b""
    try:
        for prompt, answer in ((b"Passphrase", "several words are best"), (b"again", again)):
            while prompt not in shown:
                shown += os.read(terminal, 1024)
            os.write(terminal, answer.encode() + b"\n")
        while piece := _rest(terminal):
            shown += piece
    finally:
        _, status = os.waitpid(child, 0)
        os.close(terminal)
    assert b"several" not in shown
    same = again == "several words are best"
    assert os.waitstatus_to_exitcode(status) == (0 if same else 2), shown.decode()
    assert target.exists() == same
    if same:
        assert backup.examine(target, "several words are best").entries == 60


def _rest(terminal):
    try:
        return os.read(terminal, 1024)
    except OSError:  # Linux's way to say that the other side is closed
        return b""


def test_nothing_of_the_text_is_ever_written_in_clear(mine, target, tmp_path, needs_program):
    """Every write of the two commands is watched, also to files that are gone afterwards."""
    strace = needs_program("strace", "strace")
    phrase = tmp_path / "phrase"
    phrase.write_text("several words are best\n")
    trace = tmp_path / "trace"
    calls = "trace=write,pwrite64,writev,pwritev,pwritev2,sendto,mmap"
    watch = [strace, "-f", "-s", "9999", "-e", calls, "-o", str(trace)]
    control = [*watch, sys.executable, "-c", f"import os; os.write(1, {CANARY.encode()!r})"]
    if subprocess.run(control, capture_output=True, check=False).returncode != 0:
        pytest.skip("this kernel lets nobody watch a process")
    assert CANARY in trace.read_text("latin-1")
    environment = {**os.environ, "IDIOLECT_KEYRING": "false", "TMPDIR": str(tmp_path)}
    idiolect = str(Path(sys.executable).with_name("idiolect"))
    for home, arguments in ((mine.home, ["backup"]), (tmp_path / "fresh", ["restore"])):
        command = [*watch, idiolect, *arguments, str(target), "--passphrase-file", str(phrase)]
        subprocess.run(
            command, env={**environment, "IDIOLECT_HOME": str(home)}, check=True, capture_output=True
        )
        said = trace.read_text("latin-1")
        assert said.count("pwrite64(") > 10
        assert "canary" not in said
        assert "several words" not in said
    for path in tmp_path.rglob("*"):
        if path.is_file() and path != trace:
            assert CANARY.encode() not in path.read_bytes(), path
