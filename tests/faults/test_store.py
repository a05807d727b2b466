"""What happens to the store when the disk is full, another process holds it, or the file is not what it was."""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import textwrap
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from pages import plain_pages
from publishing import KEY, entry, execute, publish

from idiolect.daemon.storage.errors import (
    StoreBusyError,
    StoreNewerError,
    StorePermissionError,
    StoreUnreadableError,
)
from idiolect.daemon.storage.records import AdapterDamagedError, WeightsDroppedError
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store

# What each child process begins with.
CHILD = """
    import sys
    from pathlib import Path
    from idiolect.daemon.storage.store import Store

    path, key = Path(sys.argv[1]), sys.argv[2]
"""


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


def test_a_reader_in_another_process_delays_the_rewriting_and_is_told(path):
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
    ids = store.entries.add([entry(f"text number {number}", minute=number) for number in range(500)])
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


@pytest.mark.parametrize(
    "data", [b"SQLite format 3\0" + bytes(8176), *map(random.Random(1).randbytes, (10, 4095, 4096, 100_000))]
)
def test_an_unencrypted_file_and_random_bytes(path, data):
    path.write_bytes(data)
    path.chmod(0o600)
    refuses_and_keeps(path, StoreUnreadableError)


@pytest.mark.parametrize("size", [10, 100, 4096, 8192, 200_000])
def test_a_truncated_file(filled, size):
    os.truncate(filled, size)
    refuses_and_keeps(filled, StoreUnreadableError)


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
