"""What may be opened of what a stranger can put at a path: a regular file, up to a limit, at once."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from reading import letter

from idiolect.daemon.sources.items import UnreadableError, opened
from idiolect.models.regular_files import open_regular, read_regular


def test_a_regular_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 2048)
    assert read_regular(path, 2048) == b"x" * 2048
    with pytest.raises(OSError, match="larger than 1 KB"):
        read_regular(path, 1024)


def test_a_link_is_followed_only_where_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(OSError, match="symbolic link"):
        open_regular(tmp_path / "link")
    assert read_regular(tmp_path / "link", 10, follow=True) == b"text"


def odd(folder: Path) -> dict[str, Path]:
    """A path of each kind that is no regular file."""
    os.mkfifo(folder / "fifo")
    (folder / "folder").mkdir()
    (folder / "zero").symlink_to("/dev/zero")
    (folder / "to fifo").symlink_to("fifo")
    (folder / "circle").symlink_to("circle")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(folder / "socket"))
    return {name: folder / name for name in ("fifo", "folder", "zero", "to fifo", "circle", "socket")}


@pytest.mark.parametrize("follow", [False, True])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, follow: bool
) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    for path in odd(Path()).values():
        with pytest.raises(OSError, match=r"regular|link"):
            read_regular(path, 10, follow=follow)


def test_the_size_that_the_system_tells_is_not_believed(tmp_path: Path) -> None:
    assert not Path("/proc/self/status").stat().st_size
    with pytest.raises(OSError, match="larger than 10 bytes"):
        read_regular(Path("/proc/self/status"), 10)


def test_readers_of_sources_do_not_wait_for_a_fifo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "chat.txt")
    with pytest.raises(UnreadableError, match="not a regular file"):
        opened(tmp_path / "chat.txt")


@pytest.mark.parametrize("bad", ["fifo", "zero"])
def test_fifos_and_links_among_mails_are_passed_over(tmp_path: Path, bad: str) -> None:
    maildir = tmp_path / "Sent"
    for part in ("new", "cur"):
        (maildir / part).mkdir(parents=True)
    (maildir / "cur" / "2").write_bytes(letter("Two words.").as_bytes())
    for path in (maildir / "cur" / "1", tmp_path / "prefs.js"):
        os.mkfifo(path) if bad == "fifo" else path.symlink_to("/dev/zero")
    # In a process of its own: what waits for a FIFO cannot be interrupted here.
    done = subprocess.run([sys.executable, "-c", READ, maildir], capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == (["1"], "")


READ = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from idiolect.daemon.sources.kinds import BY_NAME
from idiolect.daemon.sources.people import AuthorFilter
print(len(list(BY_NAME["maildir"].pieces(Path(sys.argv[1]), AuthorFilter()))) - 1)
"""


OWN = """
import json, os, sys
from pathlib import Path
from idiolect.daemon.runtime import tokens
from idiolect.daemon.clients.learning_choice import LearningChoice
from idiolect.daemon.vault import lock
from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings
from idiolect.daemon.vault import marker, store_key
from idiolect.models.errors import IdiolectError
settings = Settings(home=Path(sys.argv[1]), keyring=False).prepare()
run = process.run_file(settings)
for path in (settings.key_path, settings.marker_path, settings.token_path, settings.locked_path,
             settings.keyboard_path, run):
    os.mkfifo(path)
said = []
with process.locked(settings):
    said.append(process.find(settings))
def unlock(settings):
    try:
        lock.unlock(settings, None)
    finally:
        settings.locked_path.unlink()
for ask in (unlock, store_key.obtain, process.read_token):
    try:
        ask(settings)
        said.append("nothing")
    except IdiolectError as error:
        said.append(error.code)
said += [marker.stands(settings)]
said += [tokens.read(settings.token_path).decode(), LearningChoice(settings).learn]
print(json.dumps(said))
"""


def test_no_file_of_a_profile_is_waited_for(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", OWN, tmp_path / "home"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        None,
        "key-damaged",
        "key-damaged",
        "unauthorized",
        False,
        "",
        False,
    ]
