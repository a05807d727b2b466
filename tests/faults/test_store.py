"""What happens to the store when the process dies, the disk is full, or the file is not what it was."""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlcipher3.dbapi2 as sqlcipher

from idiolect.daemon.storage.errors import (
    StoreBusyError,
    StoreFullError,
    StoreNewerError,
    StorePermissionError,
    StoreUnreadableError,
)
from idiolect.daemon.storage.records import (
    AdapterDamagedError,
    Feedback,
    FileState,
    NewEntry,
    WeightsDroppedError,
)
from idiolect.daemon.storage.schema import migrations
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store

KEY = "5a" * 32
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)

# What each child process begins with.
CHILD = """
    import hashlib, os, signal, sys
    from datetime import UTC, datetime, timedelta
    from pathlib import Path
    from idiolect.daemon.storage.records import FileState, NewEntry
    from idiolect.daemon.storage.selectors import Selector
    from idiolect.daemon.storage.errors import StoreFullError
    from idiolect.daemon.storage.store import Store

    path, key = Path(sys.argv[1]), sys.argv[2]

    def entry(text, minute=0):
        at = datetime(2024, 3, 1, 12, tzinfo=UTC) + timedelta(minutes=minute)
        return NewEntry(text, "file", None, at, b"", 0, hashlib.sha256(text.encode()).hexdigest())

    def publish(store, seen, blob):
        parent = store.adapters.active()
        return store.publish(
            store.rounds.begin(parent), blob=blob, rank=8, parent=parent, seen=seen, status="active",
            reason="", metrics={}, tokens_per_s=None, seconds=None,
        )
"""


def entry(text, minute=0):
    at = NOON + timedelta(minutes=minute)
    return NewEntry(text, "file", None, at, b"", 0, hashlib.sha256(text.encode()).hexdigest())


def publish(store, *, parent=None, seen=(), blob=b"weights"):
    return store.publish(
        store.rounds.begin(parent),
        blob=blob,
        rank=8,
        parent=parent,
        seen=seen,
        status="active",
        reason="",
        metrics={},
        tokens_per_s=None,
        seconds=None,
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.db"


@contextmanager
def child(path, script):
    """A process that runs `script` on the store at `path`; killed at the end."""
    code = textwrap.dedent(CHILD) + textwrap.dedent(script)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path), KEY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def execute(path, sql, *values):
    """Run a statement on the encrypted file, past the store."""
    connection = sqlcipher.connect(str(path), isolation_level=None)
    connection.execute(f"PRAGMA key = \"x'{KEY}'\"")
    connection.execute(sql, values)
    connection.close()


# kill -9


@pytest.mark.parametrize("lines", [1, 2, 5, 17])
def test_killed_while_adding_nothing_that_was_reported_is_lost_or_doubled(path, lines):
    script = """
        store = Store.open(path, key)
        for batch in range(10**6):
            texts = [f"batch {batch} text {number}" for number in range(20)]
            store.entries.add([entry(text, batch) for text in texts], FileState("/f", batch, 0, ()))
            print(batch, flush=True)
    """
    with child(path, script) as process:
        reported = [int(process.stdout.readline()) for _ in range(lines)][-1]
        process.kill()
        rest = process.stdout.read().split()
        reported = int(rest[-1]) if rest else reported
    store = Store.open(path, KEY)
    texts = [kept.text for kept in store.entries.select()]
    whole = len(texts) // 20
    assert texts == [f"batch {batch} text {number}" for batch in range(whole) for number in range(20)]
    assert whole in (reported + 1, reported + 2), "at most the batch that was being added is unreported"
    assert store.file_states.get("/f").size_bytes == whole - 1
    assert store.entries.add([entry("batch 0 text 0"), entry("new")])[0] is None
    store.close()


@pytest.mark.parametrize("lines", [1, 3, 8])
def test_killed_while_publishing_every_adapter_is_whole(path, lines):
    script = """
        store = Store.open(path, key)
        (seen,) = store.entries.add([entry("text")])
        while True:
            print(publish(store, [seen], os.urandom(300_000)), flush=True)
    """
    with child(path, script) as process:
        reported = [int(process.stdout.readline()) for _ in range(lines)]
        process.kill()
        reported += [int(line) for line in process.stdout.read().split()]
    store = Store.open(path, KEY)
    adapters = store.adapters.all()
    assert set(reported) <= {row.id for row in adapters}
    assert [row.status for row in adapters] == ["retired"] * (len(adapters) - 1) + ["active"]
    for row in adapters:
        assert len(store.adapters.weights(row.id)) == 300_000
    unfinished = [row for row in store.rounds.all() if row.status == "running"]
    assert store.rounds.interrupt() == len(unfinished) <= 1
    assert len(store.rounds.all()) == len(adapters) + len(unfinished)
    store.close()


def test_killed_before_forgotten_text_left_the_pages_the_next_start_finishes_it(path, plain_pages):
    script = """
        store = Store.open(path, key)
        ids = store.entries.add([entry(f"The heron keeps its appointments {n}.") for n in range(100)])
        store.entries.add([entry("Something else.")])
        publish(store, ids, b"heron" * 1000)
        store._scrub = lambda: os.kill(os.getpid(), signal.SIGKILL)
        store.forget(Selector(text="heron"))
    """
    with child(path, script) as process:
        assert process.wait(60) == -signal.SIGKILL, process.stderr.read()
    assert b"heron" in plain_pages(path, KEY)
    store = Store.open(path, KEY)
    assert [kept.text for kept in store.entries.select()] == ["Something else."]
    assert b"heron" not in plain_pages(path, KEY)
    store.close()


# No room


def test_a_full_disk_is_one_clear_error_and_changes_nothing(path):
    Store.open(path, KEY).close()
    script = """
        import resource
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        store = Store.open(path, key)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
        added = 0
        try:
            while True:
                store.entries.add([entry(f"{added} {number} " + "x" * 500) for number in range(10)])
                added += 10
        except StoreFullError as error:
            assert error.exit_code == 38 and "make room" in str(error) and "xxx" not in str(error)
        assert store.entries.counts().entries == added
        try:
            publish(store, [], b"y" * 10**6)
        except StoreFullError:
            assert store.adapters.all() == [] and store.adapters.active() is None
            print(added)
    """
    with child(path, script) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert int(out) > 0
    store = Store.open(path, KEY)
    assert store.entries.counts().entries == int(out)
    assert None not in store.entries.add([entry("room again")])
    store.close()


def test_a_disk_that_is_really_full(path, needs_program):
    """A file system of 1 MB, which a process may mount for itself where the kernel lets it."""
    unshare = [needs_program("unshare", "util-linux"), "--user", "--map-root-user", "--mount"]
    mount = ["sh", "-c", 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"', str(path.parent)]
    if subprocess.run([*unshare, *mount, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this kernel lets nobody mount a small file system of their own")
    script = """
        store = Store.open(path, key)
        added = 0
        try:
            while True:
                added += len(store.entries.add([entry(f"{added} " + "x" * 3000)]))
        except StoreFullError:
            assert store.entries.counts().entries == added > 0
            assert len(list(store.entries.select())) == added
            store.close()
        store = Store.open(path, key)
        assert store.entries.counts().entries == added
        print("whole")
    """
    code = textwrap.dedent(CHILD) + textwrap.dedent(script)
    command = [*unshare, *mount, sys.executable, "-c", code, str(path), KEY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "whole\n"), done.stderr


def test_a_store_at_its_largest_size(path):
    """The other of SQLite's two errors for this: SQLITE_FULL, as a full disk gives it."""
    store = Store.open(path, KEY)
    store.entries.add([entry("before")])
    store._connection._db.execute("PRAGMA max_page_count = 40").fetchall()
    with pytest.raises(StoreFullError, match=r"store\.db"):
        publish(store, blob=b"x" * 10**6)
    with pytest.raises(StoreFullError):
        store.entries.add([entry("x" * 10**6)])
    assert store.adapters.all() == []
    assert [row.status for row in store.rounds.all()] == ["running"]
    store._connection._db.execute("PRAGMA max_page_count = 1000000").fetchall()
    assert store.entries.add([entry("after")]) == [2]
    store.close()


def test_no_room_to_rewrite_the_file_after_forgetting(path, plain_pages):
    store = Store.open(path, KEY)
    store.entries.add([entry(f"heron {number} " * 300) for number in range(20)])
    store.close()
    script = """
        import resource
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        store = Store.open(path, key)
        store.entries.add([entry("kept " * 3000)])
        limit = path.with_name("store.db-wal").stat().st_size + 120_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            store.forget(Selector(ids=(1,)))
        except StoreFullError as error:
            assert "is forgotten" in str(error)
            assert store.entries.counts().entries == 20
            os.kill(os.getpid(), signal.SIGKILL)
    """
    with child(path, script) as process:
        assert process.wait(60) == -signal.SIGKILL, process.stderr.read()
    store = Store.open(path, KEY)
    assert store.entries.counts().entries == 20
    assert b"heron 0" not in plain_pages(path, KEY)
    store.close()


# Another process


def test_a_store_that_another_process_writes_to(path):
    store = Store.open(path, KEY, busy_timeout_s=0.05)
    store.entries.add([entry("before")])
    script = """
        store = Store.open(path, key)
        store._connection._db.execute("BEGIN EXCLUSIVE")
        print("locked", flush=True)
        sys.stdin.read()
    """
    with child(path, script) as process:
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(StoreBusyError, match="another process"):
            store.entries.add([entry("during")])
        assert [kept.text for kept in store.entries.select()] == ["before"]
    assert store.entries.add([entry("after")]) == [2]
    store.close()


def test_a_new_store_that_another_process_holds(path):
    script = """
        import sqlcipher3.dbapi2 as sqlcipher
        connection = sqlcipher.connect(str(path), isolation_level=None)
        connection.execute(f"PRAGMA key = \\"x'{key}'\\"")
        connection.execute("BEGIN EXCLUSIVE")
        print("locked", flush=True)
        sys.stdin.read()
    """
    with child(path, script) as process:
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(StoreBusyError):
            Store.open(path, KEY, busy_timeout_s=0.05)
    Store.open(path, KEY).close()


def test_a_reader_in_another_process_delays_the_rewriting_and_is_told(path, plain_pages):
    store = Store.open(path, KEY, busy_timeout_s=0.05)
    store.entries.add([entry("heron")])
    script = """
        store = Store.open(path, key)
        store._connection._db.execute("BEGIN")
        store._connection._db.execute("SELECT count(*) FROM entries").fetchall()
        print("reading", flush=True)
        sys.stdin.read()
    """
    with child(path, script) as process:
        assert process.stdout.readline() == "reading\n"
        with pytest.raises(StoreBusyError, match="is forgotten"):
            store.forget(Selector(text="heron"))
        assert store.entries.counts().entries == 0
        Store.open(path, KEY, busy_timeout_s=0.05).close()
    store.close()
    Store.open(path, KEY).close()
    assert b"heron" not in plain_pages(path, KEY)


# Not what it was


@pytest.fixture
def filled(path):
    """A closed store with text and one adapter of 400 kB; the path."""
    store = Store.open(path, KEY)
    ids = store.entries.add([entry(f"text number {number}", number) for number in range(500)])
    publish(store, seen=ids, blob=random.Random(1).randbytes(400_000))
    store.close()
    return path


def refuses_and_keeps(path, error, key=KEY):
    before = path.read_bytes()
    with pytest.raises(error) as caught:
        Store.open(path, key)
    assert path.read_bytes() == before
    assert str(path) in str(caught.value)
    assert key not in str(caught.value)


def test_the_wrong_key(filled, capfd):
    refuses_and_keeps(filled, StoreUnreadableError, "a5" * 32)
    assert capfd.readouterr() == ("", "")
    Store.open(filled, KEY).close()


@pytest.mark.parametrize("size", [10, 4095, 4096, 100_000])
def test_random_bytes(path, size):
    path.write_bytes(random.Random(size).randbytes(size))
    path.chmod(0o600)
    refuses_and_keeps(path, StoreUnreadableError)


@pytest.mark.parametrize("size", [10, 100, 4096, 8192, 200_000])
def test_a_truncated_file(filled, size):
    os.truncate(filled, size)
    refuses_and_keeps(filled, StoreUnreadableError)


def test_an_unencrypted_file(path):
    path.write_bytes(b"SQLite format 3\0" + bytes(8176))
    refuses_and_keeps(path, StoreUnreadableError)


def test_damage_in_one_place_leaves_the_rest_usable(filled):
    """An adapter's weights fail their check; SQLCipher then refuses all writes until it opens anew."""
    with filled.open("r+b") as file:
        file.seek(filled.stat().st_size // 2)
        file.write(bytes(64))
    store = Store.open(filled, KEY)
    with pytest.raises(AdapterDamagedError, match="Adapter 1"):
        store.adapters.weights(1)
    store.adapters.mark_damaged(1)
    assert store.adapters.active() is None
    assert len(list(store.entries.select())) == 500
    assert store.entries.add([entry("new")]) == [501]
    with pytest.raises(StoreUnreadableError):
        store.forget(Selector(ids=(1,)))
    assert store.entries.counts().entries == 501
    store.close()


def test_weights_that_are_not_those_that_were_stored(filled):
    execute(filled, "UPDATE adapter_blobs SET blob = zeroblob(400000)")
    store = Store.open(filled, KEY)
    with pytest.raises(AdapterDamagedError):
        store.adapters.weights(1)
    store.close()
    execute(filled, "DELETE FROM adapter_blobs")
    store = Store.open(filled, KEY)
    with pytest.raises(WeightsDroppedError):
        store.adapters.weights(1)
    store.close()


def test_damaged_text(filled):
    """Every page but the first two, which hold the schema's root."""
    with filled.open("r+b") as file:
        for page in range(2, filled.stat().st_size // 4096):
            file.seek(page * 4096 + 100)
            file.write(bytes(16))
    with pytest.raises(StoreUnreadableError), closing(Store.open(filled, KEY)) as store:
        list(store.entries.select())


def test_a_store_from_a_newer_version(filled):
    execute(
        filled,
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('idiolect', 'fts', '')",
    )
    refuses_and_keeps(filled, StoreNewerError)


# Written before


@pytest.fixture
def before_feedback(path, monkeypatch):
    """A filled store as the first version laid it out; the path, and what `contents` is to give."""
    now = path.with_name("now.db")
    with closing(Store.open(now, KEY)) as store:
        ids = store.entries.add([entry(f"text {n}", n) for n in range(3)], FileState("/f", 1, 2, ("ab",)))
        publish(store, seen=ids, blob=b"weights")
        store.watches.add("/notes")
        store.state.set("paused", True)
        store.events.add("forget", entries=2)
        written = contents(store)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_migrations", migrations._migrations[:1])
        Store.open(path, KEY).close()
    with closing(connected(path)) as old:
        kept = {
            "entries",
            "files",
            "watches",
            "adapters",
            "adapter_blobs",
            "adapter_entries",
            "rounds",
            "events",
        }
        assert tables(path) == kept | {"state"}
        old.execute(f"ATTACH DATABASE '{now}' AS now KEY \"x'{KEY}'\"")
        for table in tables(path):
            columns = ", ".join(row[1] for row in old.execute(f"PRAGMA table_info({table})"))
            old.execute(f"DELETE FROM {table}")
            old.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM now.{table}")
        old.commit()
    return path, written


def contents(store):
    """All that the first version kept, as it reads."""
    adapters = [
        (row, store.adapters.weights(row.id), store.adapters.seen(row.id)) for row in store.adapters.all()
    ]
    kept = (
        list(store.entries.select()),
        list(store.entries.token_ids()),
        store.file_states.all(),
        store.watches.all(),
    )
    return (
        *kept,
        adapters,
        store.adapters.active(),
        store.rounds.all(),
        store.events.all(),
        store.state.get("paused"),
    )


def connected(path):
    connection = sqlcipher.connect(str(path))
    connection.execute(f"PRAGMA key = \"x'{KEY}'\"")
    return connection


def tables(path):
    with closing(connected(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {name for (name,) in names if not name.startswith(("sqlite_", "_sqlite"))}


def test_a_store_of_the_first_version_gains_the_counts_and_keeps_the_rest(before_feedback):
    path, written = before_feedback
    with closing(Store.open(path, KEY)) as store:
        assert contents(store) == written
        store.feedback.add(Feedback("word", "accepted", 0.5, characters=7), None, NOON.date())
    assert "feedback" in tables(path)
    with closing(Store.open(path, KEY)) as store:
        assert contents(store) == written
        assert store.feedback.savings().saved == 6


def test_killed_in_the_middle_of_a_migration_the_next_start_begins_it_anew(before_feedback):
    path, written = before_feedback
    script = """
        from idiolect.daemon.storage.schema import migrations
        migrations._record_applied = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        Store.open(path, key)
    """
    with child(path, script) as process:
        assert process.wait(60) == -signal.SIGKILL, process.stderr.read()
    assert "feedback" not in tables(path)
    with closing(Store.open(path, KEY)) as store:
        assert contents(store) == written
        assert store.feedback.savings().accepted == 0


def test_no_room_for_a_migration_changes_nothing(before_feedback):
    path, written = before_feedback
    script = """
        import resource
        from idiolect.daemon.storage.schema import migrations
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        apply = migrations.apply
        def apply_without_room(db):
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
            apply(db)
        migrations.apply = apply_without_room
        try:
            Store.open(path, key)
        except StoreFullError as error:
            print(error.exit_code)
    """
    with child(path, script) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "38\n"), err
    with closing(Store.open(path, KEY)) as store:
        assert contents(store) == written


# Not ours to write


@pytest.fixture
def unprivileged():
    """A folder outside the user's own, and no rights beyond an ordinary user's while the test runs."""
    folder = Path(tempfile.mkdtemp(prefix="idiolect-test-"))
    folder.chmod(0o755)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_folder_that_cannot_be_written(unprivileged):
    if os.getuid() != 0:
        unprivileged.chmod(0o555)
    with pytest.raises(StorePermissionError, match="Permission denied"):
        Store.open(unprivileged / "store.db", KEY)


def test_a_store_in_a_folder_that_cannot_be_written(filled, unprivileged):
    """The file is ours, yet there is no room for its log beside it."""
    folder, ours = unprivileged, os.geteuid()
    if os.getuid() == 0:
        os.seteuid(0)
    shutil.copy(filled, folder / "store.db")
    os.chown(folder / "store.db", ours, -1)
    folder.chmod(0o555)
    os.seteuid(ours)
    with pytest.raises(StorePermissionError, match="writable"):
        Store.open(folder / "store.db", KEY)


def test_a_folder_in_the_place_of_the_file(path):
    path.mkdir()
    with pytest.raises(StorePermissionError, match="directory"):
        Store.open(path, KEY)


def test_no_folder_for_the_file(tmp_path):
    with pytest.raises(StorePermissionError, match="No such file"):
        Store.open(tmp_path / "nowhere" / "store.db", KEY)


def test_errors_carry_distinct_exit_codes():
    errors = [
        StoreNewerError,
        StoreUnreadableError,
        StoreBusyError,
        StoreFullError,
        StorePermissionError,
        AdapterDamagedError,
    ]
    assert len({error.exit_code for error in errors}) == len(errors)
    assert len({error.code for error in errors}) == len(errors)


def test_a_file_state_is_not_saved_without_its_entries(path):
    store = Store.open(path, KEY)
    store._connection._db.execute("PRAGMA max_page_count = 40").fetchall()
    with pytest.raises(StoreFullError):
        store.entries.add([entry("x" * 10**6)], FileState("/f", 1, 1, ("a",)))
    assert store.file_states.all() == []
    store.close()
