"""The key in a real keyring: gnome-keyring-daemon on a D-Bus session of its own."""

import json
import os
import subprocess
import sys
import textwrap

import pytest
from waiting import DEADLINE_S

OBTAIN = textwrap.dedent("""
    import json, sys
    from idiolect.daemon.vault import store_key
    from idiolect.daemon.settings import Settings
    from idiolect.daemon.storage.store import Store

    settings = Settings(home=sys.argv[1]).prepare()
    try:
        key = store_key.obtain(settings)
        Store.open(settings.store_path, key.hex).close()
        said = {"hex": key.hex, "origin": key.origin}
    except store_key.IdiolectError as error:
        said = {"error": error.code}
    print(json.dumps(said))
""")

# Locks, unlocks and removes the profile; says what the keyring holds on the way.
REMOVE = textwrap.dedent("""
    import json, sys
    import keyring
    from idiolect.daemon.vault import store_key
    from idiolect.daemon.vault import purge
    from idiolect.daemon.vault import lock
    from idiolect.daemon.runtime import process
    from idiolect.daemon.settings import Settings
    from idiolect.daemon.storage.store import Store

    settings = Settings(home=sys.argv[1]).prepare()
    held = lambda: keyring.get_password("idiolect", sys.argv[1])
    with process.locked(settings):
        before = store_key.obtain(settings)
        Store.open(settings.store_path, before.hex).close()
    said = {"files": sorted(path.name for path in settings.home.glob("store.key*"))}
    with process.locked(settings):
        lock.lock(settings, "four plain old words")
        said["while locked"] = held()
        lock.unlock(settings, "four plain old words")
    said["unlocked"] = held() == before.hex
    purge.purge(settings)
    print(json.dumps(said | {"purged": held(), "folder": settings.home.exists()}))
""")

# The daemon is given up with the D-Bus session; the password reaches it over stdin. Until it is on the bus, whoever
# asks for the keyring starts another one, which is locked.
_ON_THE_BUS = (
    "dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner "
    "string:org.freedesktop.secrets | grep -q true"
)
UNLOCKED = (
    "printf secret | gnome-keyring-daemon --unlock --components=secrets --daemonize >/dev/null && "
    f"timeout 60 sh -c 'until {_ON_THE_BUS}; do sleep 0.02; done' && exec \"$@\""
)
LOCKED = 'gnome-keyring-daemon --start --components=secrets >/dev/null && exec "$@"'


@pytest.fixture
def obtain(tmp_path, needs_program):
    """`obtain(prelude, script)`: what a process tells of the profile, in a session that `prelude` prepares."""
    session = needs_program("dbus-run-session", "dbus-daemon")
    needs_program("gnome-keyring-daemon", "gnome-keyring")
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    kept_out = ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "GNOME_KEYRING_CONTROL")
    environment = {name: value for name, value in os.environ.items() if name not in kept_out}
    environment |= {
        "HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "XDG_RUNTIME_DIR": str(runtime),
    }

    def run(prelude, script=OBTAIN):
        start = [session, "--", "sh", "-c", prelude, "sh"] if prelude else []
        done = subprocess.run(
            [*start, sys.executable, "-c", script, str(tmp_path / "profile")],
            env=environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_the_key_is_in_the_keyring_and_in_no_file(obtain, tmp_path):
    made = obtain(UNLOCKED)
    assert made["origin"] == "keyring"
    found = obtain(UNLOCKED)
    assert (found["origin"], found["hex"]) == ("keyring", made["hex"])
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert tmp_path / "profile" / "store.db" in files
    assert tmp_path / "profile" / "store.key" not in files
    for path in files:
        assert made["hex"].encode() not in path.read_bytes()
        assert bytes.fromhex(made["hex"]) not in path.read_bytes()


def test_a_store_whose_keyring_is_gone_or_locked_says_so(obtain, tmp_path):
    obtain(UNLOCKED)
    before = sorted((tmp_path / "profile").rglob("*"))
    without_bus, locked = obtain(None), obtain(LOCKED)
    assert without_bus["error"] == "key-missing"
    assert locked["error"] == "keyring-locked"
    assert sorted((tmp_path / "profile").rglob("*")) == before


def test_a_new_profile_without_a_session_gets_a_key_file(obtain, tmp_path):
    assert obtain(None)["origin"] == "file"
    assert obtain(UNLOCKED)["origin"] == "file"


def test_a_lock_and_a_purge_take_the_key_out_of_the_keyring(obtain):
    assert obtain(UNLOCKED, REMOVE) == {
        "files": [],
        "while locked": None,
        "unlocked": True,
        "purged": None,
        "folder": False,
    }
