"""Backups: all that the store holds comes back, anywhere, and nothing else is touched on the way."""

import json
import os
import pty
import re
import subprocess
import sys
import textwrap
from contextlib import closing, contextmanager
from datetime import date, datetime
from pathlib import Path

import pytest
import sqlcipher3.dbapi2 as sqlcipher
from publishing import NOON, entry, publish

from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage import audit_trail, store_copies
from idiolect.daemon.storage.errors import (
    StoreBusyError,
    StoreNewerError,
    StoreUnreadableError,
)
from idiolect.daemon.storage.records import BackupRow, Feedback, FileState
from idiolect.daemon.storage.schema import moment
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import backup, opening, purge, store_key
from idiolect.models import durable

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
def usb(tmp_path):
    """A folder for backups."""
    (tmp_path / "usb").mkdir()
    return tmp_path / "usb"


def test_all_of_it_comes_back_after_a_purge_under_a_new_key(mine, usb):
    made = backup.make(mine, usb, "several words are best")
    assert (made.path.parent, made.size_bytes) == (usb, made.path.stat().st_size)
    assert re.fullmatch(r"idiolect-\d{4}-\d\d-\d\d-\d{4}\.backup", made.path.name)
    assert made.holds == backup.BackupContents(entries=60, adapters=3, rounds=3)
    then, key = contents(mine), store_key.obtain(mine).hex
    purge.purge(mine)
    done = backup.restore(profile(mine.home), made.path, "several words are best")
    assert done == backup.Restored(made.holds, None)
    assert contents(mine) == then
    assert store_key.obtain(mine).hex != key
    assert {path.stat().st_mode & 0o777 for path in (made.path, mine.store_path)} == {0o600}
    assert held(mine.home) == OWN
    assert held(usb) == [made.path.name]


def test_each_backup_is_a_file_of_its_own(mine, usb):
    first = backup.make(mine, usb, KEY).path
    bytes_first = first.read_bytes()
    later = [backup.make(mine, usb, KEY).path for _ in range(2)]
    assert len({first, *later}) == len(held(usb)) == 3
    assert first.read_bytes() == bytes_first
    assert known(mine) == dict.fromkeys(held(usb), 60)


def test_a_name_that_is_taken_meanwhile_is_not_written_over(mine, usb, monkeypatch):
    """Another program's file, a link to nowhere, and another backup that is being written."""
    for number, take in enumerate((Path.touch, lambda path: path.symlink_to("nowhere"))):
        for minute in range(2):
            ending = "" if number == 0 else "-2"
            take(usb / f"idiolect-2026-01-31-093{minute}{ending}.backup")
    (usb / "idiolect-2026-01-31-0930-3.backup.part").write_text("another's")
    monkeypatch.setattr(backup, "datetime", Clock)
    assert backup.make(mine, usb, KEY).path.name == "idiolect-2026-01-31-0930-4.backup"
    assert (usb / "idiolect-2026-01-31-0930-3.backup.part").read_text() == "another's"


class Clock(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz=None):
        return cls(2026, 1, 31, 9, 30, tzinfo=tz)


def test_the_audit_tells_of_a_backup(mine, usb):
    made = backup.make(mine, usb, KEY)
    with store_of(mine) as store:
        event = store.events.all()[-1]
    assert (event.kind, event.detail) == ("backup", {"path": str(made.path)})


def test_what_is_written_meanwhile_is_in_it_wholly_or_not_at_all(tmp_path, usb):
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
            made = backup.make(settings, usb, KEY)
            with store_copies.opened(made.path, KEY) as db:
                [(count, size)] = db.execute("SELECT (SELECT count(*) FROM entries), size_bytes FROM files")
            found.append((count, size))
        assert writer.poll() is None, "the writer was not disturbed"
        writer.kill()
    assert [count for count, _ in found] == [20 * (size + 1) for _, size in found]
    assert found[0] < found[-1]


@pytest.fixture
def target(mine, usb):
    """A backup of it."""
    return backup.make(mine, usb, KEY).path


@pytest.mark.parametrize("damage", ["byte", "half", "page", "other", "empty"])
def test_a_damaged_backup_is_refused_and_changes_nothing(mine, target, damage):
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
        with pytest.raises(store_copies.CopyUnreadableError, match=target.name):
            try_(target, KEY)
    assert (contents(mine), mine.store_path.read_bytes()) == before
    assert mine.former_store_paths == []


def test_a_wrong_passphrase_and_what_is_no_file(target, tmp_path, capfd):
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
def test_a_backup_that_fails_leaves_nothing(mine, target, monkeypatch, wrong):
    before = known(mine)
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
        monkeypatch.setattr(backup.durable, "publish", refuse)
    with pytest.raises(store_copies.CopyFailedError, match="No copy was made"):
        backup.make(mine, target.parent, KEY)
    assert held(target.parent) == [target.name]
    assert known(mine) == before


def fail_at(step, wrong, monkeypatch):
    """Have one step of a backup fail."""
    note, notes = audit_trail.Backups.note, []

    def fail(*_given, **_named):
        raise wrong

    def fail_at_second(*given):
        notes.append(given)
        return note(*given) if len(notes) == 1 else fail()

    owner, name, instead = {
        "fsync": (durable.os, "fsync", fail),
        "rename": (Path, "replace", fail),
        "sync of the folder": (durable, "sync_folder", fail),
        "note": (audit_trail.Backups, "note", fail_at_second),
        "event": (audit_trail.EventLog, "add", fail),
    }[step]
    monkeypatch.setattr(owner, name, instead)


@pytest.mark.parametrize("interrupted", [True, False])
@pytest.mark.parametrize("step", ["fsync", "rename", "sync of the folder", "note", "event"])
def test_a_backup_that_is_there_is_known_whichever_step_fails(mine, usb, monkeypatch, step, interrupted):
    opening.open_store(mine).close()  # what the first opening writes is no step of a backup
    of_store = step in ("note", "event")
    wrong = OSError(5, "Input/output error") if not of_store else StoreUnreadableError("A page is damaged.")
    fail_at(step, KeyboardInterrupt() if interrupted else wrong, monkeypatch)
    if of_store and not interrupted:
        backup.make(mine, usb, KEY)
    else:
        with pytest.raises(KeyboardInterrupt if interrupted else store_copies.CopyFailedError) as told:
            backup.make(mine, usb, KEY)
        assert ("Nothing was written" in str(told.value)) is (not interrupted and step in ("fsync", "rename"))
    monkeypatch.undo()
    there = [str(path) for path in usb.glob("*.backup")]
    assert bool(there) is (step not in ("fsync", "rename"))
    with store_of(mine) as store:
        assert [row.path for row in store.backups.all()] == there
        receipt = store.forget(Selector(text="canary"))
        assert [path for path in receipt.backups if path.startswith(str(usb))] == there


def test_a_backup_that_another_process_is_making_stays_known(mine, usb, monkeypatch):
    copy_to, dropped = Store.copy_to, []

    def beside(store, *given):
        monkeypatch.setattr(Store, "copy_to", copy_to)
        backup.make(mine, usb, KEY)
        dropped.append(not [row for row in store.backups.all() if row.last_entry is None])
        return copy_to(store, *given)

    monkeypatch.setattr(Store, "copy_to", beside)
    backup.make(mine, usb, KEY)
    assert dropped == [False]


def test_a_file_that_another_program_holds(mine, tmp_path):
    target = tmp_path / "held"
    target.touch()
    with closing(sqlcipher.connect(str(target), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        key = store_key.obtain(mine).hex
        with closing(Store.open(mine.store_path, key, busy_timeout_s=0.05)) as store:
            with pytest.raises(store_copies.CopyFailedError, match="locked"):
                store.copy_to(target, KEY)
            assert store.entries.counts().entries == 60


def test_places_where_no_backup_can_be(mine, usb, tmp_path, run):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "to home").symlink_to(mine.home)
    (tmp_path / "file").write_text("a diary")
    for place, why in (
        (tmp_path / "loop", "no folder"),
        (tmp_path / "to home", "inside the profile"),
        (mine.home / "run", "inside the profile"),
        (tmp_path / "file", "no folder"),
        (tmp_path / "nowhere", "no folder"),
    ):
        with pytest.raises(store_copies.CopyFailedError, match=why):
            backup.make(mine, place, KEY)
        code, _, said = run(mine, "backup", place)
        assert (code, why in said) == (store_copies.CopyFailedError.exit_code, True), "nothing is asked for"
    with pytest.raises(opening.ProfileStateError, match="There is no store in"):
        backup.make(profile(tmp_path / "empty"), usb, KEY)
    assert not (tmp_path / "empty" / "store.db").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from idiolect.daemon.vault import backup, purge
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage import store_copies
from idiolect.models import durable
def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[3] == "copied":
    store_copies.check = kill
else:
    publish = durable.publish
    def publish_and_die(draft, final):
        publish(draft, final)
        if final.name.endswith(".backup"): kill()
    durable.publish = publish_and_die
backup.make(Settings(home=Path(sys.argv[1]), keyring=False), Path(sys.argv[2]), store_copies.raw("c3" * 32))
"""


@pytest.mark.parametrize("when", ["copied", "published"])
def test_what_a_killed_backup_has_left_is_told_of_and_goes_a_day_later(mine, usb, when):
    subprocess.run([sys.executable, "-c", KILLED, mine.home, usb, when], check=False, capture_output=True)
    [left] = usb.iterdir()
    assert left.name.endswith(".part" if when == "copied" else ".backup")
    assert [*known(mine).values()] == [None], "it is told of as one that may hold anything"
    backup.make(mine, usb, KEY)
    assert left.exists(), "another one may be writing it"
    os.utime(left, (1, 1))
    (usb / "idiolect-2020-01-01-0000.backup.part").symlink_to(usb / "diary")
    backup.make(mine, usb, KEY)
    assert left.exists() == (when == "published")
    assert (usb / "idiolect-2020-01-01-0000.backup.part").is_symlink()
    if when == "published":
        assert backup.examine(left, KEY).entries == 60


def test_a_damaged_store_is_blamed_and_not_the_copy(mine, usb):
    """Whichever page is damaged: either it is not needed for a copy, or the store is what is wrong."""
    store = mine.store_path.read_bytes()
    said = []
    for page in range(1, len(store) // 4096):
        damaged = bytearray(store)
        damaged[page * 4096 + 2000] ^= 1
        mine.store_path.write_bytes(damaged)
        before = held(usb)
        try:
            backup.make(mine, usb, KEY)
        except StoreUnreadableError as error:  # and nothing else
            said.append(str(error))
            assert held(usb) == before
        for log in mine.home.glob("store.db-*"):
            log.unlink()
    assert any("No copy was made." in sentence for sentence in said)
    assert all(str(mine.store_path) in sentence and "idiolect restore" in sentence for sentence in said)


# Going back


def changed(settings):
    with store_of(settings) as store:
        store.entries.add([entry("written after the backup")])
        store.forget(Selector(ids=(1,)))


def test_the_store_before_is_kept_and_is_the_store_again_where_it_is_moved_back(mine, target):
    then = contents(mine)
    changed(mine)
    now, key = contents(mine), store_key.obtain(mine)
    done = backup.restore(mine, target, KEY)
    assert [done.former] == mine.former_store_paths
    assert contents(mine) == then
    assert store_key.obtain(mine) == key
    done.former.replace(mine.store_path)
    assert contents(mine) == now
    assert held(mine.home) == OWN


@pytest.mark.parametrize("crashed", [False, True])
def test_a_store_that_cannot_be_read_gives_way_and_stays_as_it_is(mine, target, crashed):
    then = contents(mine)
    mine.store_path.write_bytes(b"damaged" * 1000)
    if crashed:
        mine.store_path.with_name("store.db-wal").write_bytes(os.urandom(5000))
    done = backup.restore(mine, target, KEY)
    assert contents(mine) == then
    assert done.former.read_bytes() == b"damaged" * 1000


def test_what_a_killed_service_left_in_the_log_is_kept_with_the_store_before(mine, target):
    with store_of(mine) as store:
        store.watches.add("/last")
        left = {path: path.read_bytes() for path in mine.home.glob("store.db*")}
    for path, data in left.items():  # as a kill leaves them
        path.write_bytes(data)
    backup.restore(mine, target, KEY).former.replace(mine.store_path)
    with store_of(mine) as store:
        assert store.watches.all() == ["/last", "/notes"]


def test_a_second_name_that_a_killed_restore_has_left_goes_with_the_next(mine, target):
    os.link(mine.store_path, mine.home / "store.db.before-20260131T093000-1a2b")
    assert mine.former_store_paths != [(done := backup.restore(mine, target, KEY)).former]
    assert mine.former_store_paths == [done.former]


def test_a_newer_version_is_refused(mine, target, tmp_path):
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
    with process.locked(mine), pytest.raises(process.AlreadyRunningError, match="idiolect stop"):
        backup.restore(mine, target, KEY)


def test_a_store_that_is_being_read_elsewhere_is_not_replaced(mine, target):
    with store_of(mine) as reader:
        reader._connection._db.execute("BEGIN")
        reader._connection._db.execute("SELECT count(*) FROM entries").fetchall()
        with pytest.raises(StoreBusyError):
            backup.restore(mine, target, KEY)
        reader._connection._db.execute("COMMIT")
    assert mine.former_store_paths == []
    backup.restore(mine, target, KEY)


# What is known of backups


def test_what_is_added_until_the_copy_begins_is_known_to_be_in_it(mine, usb, monkeypatch):
    copy, noted = store_copies.write, []

    def late(db, *given):
        with store_of(mine) as other:
            noted.extend(other.backups.all())
            other.entries.add([entry("between the note and the copy")])
        return copy(db, *given)

    monkeypatch.setattr(store_copies, "write", late)
    target = backup.make(mine, usb, KEY).path
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


def test_a_deleted_backup_is_not_told_of_but_one_on_a_disk_that_is_away_is(mine, usb, tmp_path):
    with store_of(mine) as store:
        for path in (usb / "deleted", tmp_path / "other" / "away"):
            store.backups.note(BackupRow(str(path), NOON, 5))
    made = backup.make(mine, usb, KEY)
    assert known(mine).keys() == {"away", made.path.name}


def test_a_receipt_names_the_backups_and_the_stores_that_hold_the_text(mine, target):
    changed(mine)
    later = backup.make(mine, target.parent, KEY).path
    former = backup.restore(mine, target, KEY).former
    assert known(mine) == {target.name: 60, later.name: None}, "other entries may have the numbers of its own"
    with store_of(mine) as store:
        assert store.forget(Selector(ids=(9,))).backups == (str(target), str(later), str(former))
        assert store.forget(Selector(text="nowhere")).backups == ()


# As a user runs it


def test_in_a_script(mine, usb, tmp_path, run):
    phrase = tmp_path / "phrase"
    phrase.write_text("several words are best\n")
    code, out, err = run(mine, "backup", usb, "--passphrase-file", phrase, "--json")
    assert code == 0, err
    [target] = usb.iterdir()
    about = {"path": str(target), "size_bytes": target.stat().st_size}
    assert json.loads(out) == {**about, "entries": 60, "adapters": 3, "rounds": 3}
    code, _, err = run(mine, "restore", target, "--passphrase-file", phrase)
    assert (code, "--yes" in err) == (2, True)
    code, _, err = run(tmp_path / "fresh", "restore", target)
    assert (code, "--passphrase-file" in err) == (2, True)
    asked = ("restore", target, "--passphrase-file", "-")
    code, out, err = run(tmp_path / "fresh", *asked, typed="several words are best\n")
    assert code == 0, err
    assert "Restored 60 entries, 3 adapters, 3 rounds" in out
    code, _, _ = run(mine, "backup", usb, "--passphrase-file", "-", typed="short\n")
    assert (code, held(usb)) == (2, [target.name])


@pytest.mark.parametrize("again", ["several words are best", "several words are worse"])
def test_on_a_terminal_the_passphrase_is_asked_for_twice_and_not_shown(mine, usb, again):
    child, terminal = pty.fork()
    if child == 0:
        os.environ |= {"IDIOLECT_HOME": str(mine.home), "IDIOLECT_KEYRING": "false"}
        program = str(Path(sys.executable).with_name("idiolect"))
        os.execv(program, [program, "backup", str(usb)])
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
    found = [*usb.iterdir()]
    assert len(found) == same
    for target in found:
        assert backup.examine(target, "several words are best").entries == 60


def _rest(terminal):
    try:
        return os.read(terminal, 1024)
    except OSError:  # Linux's way to say that the other side is closed
        return b""


def test_nothing_of_the_text_is_ever_written_in_clear(mine, usb, tmp_path, needs_program):
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
    for home, name in ((mine.home, "backup"), (tmp_path / "fresh", "restore")):
        [place] = [usb] if name == "backup" else usb.iterdir()
        command = [*watch, idiolect, name, str(place), "--passphrase-file", str(phrase)]
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
