"""A repository that came from a stranger is read without git: nothing of it runs, nothing is fetched, nothing hangs."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import zlib
from collections import Counter
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from idiolect.daemon.evaluation.evals import read_messages
from idiolect.daemon.ingest.folder_watch import Watcher
from idiolect.daemon.ingest.imports import Imports
from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.ingest.source_discovery import places
from idiolect.daemon.settings import NEVER_READ, Settings
from idiolect.daemon.sources import git, git_config
from idiolect.daemon.sources.commit_messages import head, read_git
from idiolect.daemon.sources.git_history import GitError, Repository
from idiolect.daemon.sources.items import Item, Skipped
from idiolect.daemon.sources.people import EVERYONE, AuthorFilter
from idiolect.daemon.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

ME = "me@example.org"
MESSAGES = ("The first message", "The second message", "The third message")
#: Settings with which git runs a command, or opens a connection or another file; {run} is the command.
HOSTILE = {
    "uploadpack": '[remote "origin"]\nuploadpack = {run}\n',
    "ext": '[remote "origin"]\nurl = ext::{run}\n[protocol "ext"]\nallow = always\n',
    "vcs": '[remote "origin"]\nvcs = marker\n',
    "sshCommand": '[core]\nsshCommand = {run}\n[remote "origin"]\nurl = ssh://localhost/x\n',
    "gitProxy": '[core]\ngitProxy = {run}\n[remote "origin"]\nurl = git://localhost/x\n',
    "fsmonitor": "[core]\nfsmonitor = {run}\n",
    "hooksPath": "[core]\nhooksPath = {folder}\n",
    "pager": "[core]\npager = {run}\n[pager]\nlog = {run}\nconfig = {run}\nrev-parse = {run}\n",
    "editor": "[core]\neditor = {run}\n[sequence]\neditor = {run}\n",
    "askPass": "[core]\naskPass = {run}\n",
    "alternateRefsCommand": "[core]\nalternateRefsCommand = {run}\n",
    "attributes": '[core]\nattributesFile = {folder}/attributes\n[merge "x"]\ndriver = {run}\n',
    "textconv": '[diff "x"]\ntextconv = {run}\ncommand = {run}\n',
    "external": "[diff]\nexternal = {run}\n[interactive]\ndiffFilter = {run}\n",
    "filter": '[filter "x"]\nsmudge = {run}\nclean = {run}\nprocess = {run}\nrequired = true\n',
    "credential": "[credential]\nhelper = !{run}\n",
    "alias": "[alias]\nlog = !{run}\nconfig = !{run}\nrev-parse = !{run}\n",
    "gpg": '[gpg]\nprogram = {run}\n[gpg "ssh"]\nprogram = {run}\n[log]\nshowSignature = true\n',
    "packObjectsHook": "[uploadpack]\npackObjectsHook = {run}\n",
    "trailer": '[trailer "x"]\ncommand = {run}\ncmd = {run}\n',
    "mailmap": "[mailmap]\nfile = {folder}/fifo\nblob = HEAD:mailmap\n",
    "include": "[include]\npath = {folder}/included\n",
    "includeIf": '[includeIf "gitdir:**"]\npath = {folder}/included\n',
}
PROMISOR = (
    '[core]\nrepositoryformatversion = 1\n[extensions]\npartialClone = origin\n[remote "origin"]\n'
    "url = {folder}/nowhere\npromisor = true\npartialclonefilter = blob:none\n"
)


def run_git(folder: Path, *arguments: str, author: str = ME) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=all", "-c", f"user.email={author}", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
    )
    return done.stdout.strip()


def made(folder: Path, *options: str, messages: tuple[str, ...] = MESSAGES) -> Path:
    """A repository with a commit for each message; its git folder."""
    folder.mkdir(parents=True)
    run_git(folder, "init", "-q", "--initial-branch=main", *options)
    run_git(folder, "config", "user.email", ME)
    for message in messages:
        run_git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return folder / ".git"


def loose(folder: Path, id_: str) -> Path:
    return folder / "objects" / id_[:2] / id_[2:]


def texts(folder: Path, **asked) -> list[str]:
    return [one.text for one in read_git(folder, **asked) if isinstance(one, Item)]


# Nothing runs


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command that leaves a file `ran` beside it, in all the forms that git looks for, git itself included."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    folder = tmp_path / "trap"
    folder.mkdir()
    run = folder / "run"
    run.write_text(f"#!/bin/sh\ntouch {folder}/ran\nexit 1\n")
    run.chmod(0o755)
    for name in ("git", "git-remote-marker", "post-checkout", "reference-transaction", "ssh"):
        (folder / name).symlink_to("run")
    (folder / "attributes").write_text("* diff=x filter=x merge=x\n")
    (folder / "included").write_text(f'[remote "origin"]\nuploadpack = {run}\n[user]\nemail = not-me@x.org\n')
    os.mkfifo(folder / "fifo")
    return folder


def hostile(home: Path, trap: Path, settings: str) -> Path:
    """A repository whose second commit is missing, with settings that git would obey.

    Beside it are a bare one, and one whose newest commit is missing too.
    """
    folder = made(home / "project")
    second = run_git(home / "project", "rev-parse", "HEAD~1")
    loose(folder, second).unlink()
    (folder.parent / ".gitattributes").write_text("* diff=x filter=x merge=x\n")
    with (folder / "config").open("a") as config:
        config.write((PROMISOR + settings).format(run=trap / "run", folder=trap))
    shutil.copytree(folder, home / "bare", symlinks=True)
    shutil.copytree(folder, home / "empty", symlinks=True)
    loose(home / "empty", run_git(home / "project", "rev-parse", "HEAD")).unlink()
    return folder


@contextmanager
def profile(home: Path) -> Iterator[tuple[Ingest, Imports]]:
    settings = Settings(home=home).prepare()
    store = Store.open(settings.store_path, "5a" * 32)
    ingest = Ingest(store, lambda text: list(text.encode()), lambda *_: None, settings)
    watcher = Watcher(ingest, store)
    yield ingest, Imports(ingest, watcher, nullcontext)
    watcher.stop()
    store.close()


def all_ways_in(home: Path, folder: Path, own: Path) -> None:
    """Read a repository in each way in which something of it can be read."""
    assert any(place.sort == "git" and place.path == folder for place in places(home, NEVER_READ))
    with profile(own) as (ingest, imports):
        for path in (folder, home / "bare"):
            list(ingest.add_paths([path]))
        list(imports.watch(home / "bare", confirmed=True))
        with pytest.raises(GitError):
            list(ingest.add_paths([home / "empty"]))
        with pytest.raises(GitError):
            list(imports.watch(home / "empty"))
    for read in (git.authors, read_git, partial(read_messages, ingest.reader, exclude=())):
        with pytest.raises(GitError):
            list(read(home / "empty"))
    for path in (folder, home / "bare"):
        assert head(path)
        assert git.guess(path) == (ME,)
        assert git.authors(path) == [(ME, 1)]
        assert [message.text for message in read_messages(ingest.reader, path, ())] == ["The third message"]


@contextmanager
def watched() -> Iterator[list[str]]:
    """The processes that are started and the connections that are opened within the block."""
    seen: list[str] = []
    _HOOKED.append(seen)
    try:
        yield seen
    finally:
        _HOOKED.remove(seen)


_HOOKED: list[list[str]] = []
_EVENTS = ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.fork", "os.forkpty", "os.spawn")


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen" and "idiolect.daemon.ingest.reader_child" in arguments[1]:
        return  # the process that reads files; what it would start is a trap that leaves a file
    if event in _EVENTS or event.startswith("socket.get") or event == "socket.connect":
        for seen in _HOOKED:
            seen.append(event)


sys.addaudithook(_hook)


@pytest.mark.parametrize("key", ["uploadpack", "include", "all"])
def test_no_setting_of_a_repository_has_an_effect(
    tmp_path: Path, trap: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    settings = "".join(HOSTILE.values()) if key == "all" else HOSTILE[key]
    folder = hostile(tmp_path / "home", trap, settings)
    monkeypatch.setenv("PATH", f"{trap}:{os.environ['PATH']}")
    with watched() as started:
        all_ways_in(tmp_path / "home", folder, tmp_path / "profile")
    assert started == []
    assert not (trap / "ran").exists()


def test_git_itself_would_run_the_trap(tmp_path: Path, trap: Path) -> None:
    hostile(tmp_path / "home", trap, HOSTILE["uploadpack"])
    subprocess.run(
        ["git", f"--git-dir={tmp_path}/home/empty", "rev-parse", "--verify", "HEAD^{commit}"],
        capture_output=True,
    )
    assert (trap / "ran").exists()


@pytest.mark.parametrize("scheme", ["git", "http", "ssh", "ftp"])
def test_a_partial_clone_opens_no_connection(tmp_path: Path, trap: Path, scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as remote:
        url = f"{scheme}://127.0.0.1:{remote.getsockname()[1]}/x"
        folder = hostile(tmp_path / "home", trap, f'[remote "origin"]\nurl = {url}\n')
        with watched() as opened:
            all_ways_in(tmp_path / "home", folder, tmp_path / "profile")
        assert opened == []
        remote.setblocking(False)
        with pytest.raises(BlockingIOError):
            remote.accept()


CLI = "from idiolect.daemon.commandline.command_table import main; main()"


def test_the_real_program_runs_nothing_of_a_repository(tmp_path: Path, trap: Path, base_dir: Path) -> None:
    home = tmp_path / "home"
    folder = hostile(home, trap, "".join(HOSTILE.values()))
    own = tmp_path / "profile"
    own.mkdir()
    (own / "config.toml").write_text("keyring = false\nauto_train = false\n")
    (own / "base").symlink_to(base_dir)

    def run(*arguments: object, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-c", CLI, *map(str, arguments)],
            env={**os.environ, "IDIOLECT_HOME": str(own), "PATH": f"{trap}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return done.stdout

    run("start")
    try:
        (found,) = json.loads(run("sources", "find", home, "--yes", "--json"))
        assert (found["path"], found["report"]["entries"]) == (str(folder), 1)
        assert found["report"]["skipped"]["missing commits"] == 1
        assert "missing commits" in json.loads(run("add", home / "bare", "--json"))["skipped"]
        run("watch", home / "bare", "--yes")
        run("add", home / "empty", code=GitError.exit_code)
        run("watch", home / "empty", "--yes", code=GitError.exit_code)
    finally:
        run("stop")
    assert not (trap / "ran").exists()


# What is not there


def test_missing_commits_are_told_and_read_once_they_are_there(tmp_path: Path) -> None:
    folder = made(tmp_path / "project")
    path = loose(folder, run_git(folder, "rev-parse", "HEAD~1"))
    path.rename(tmp_path / "aside")
    with profile(tmp_path / "profile") as (ingest, _):
        report = list(ingest.add_paths([folder]))[-1].report
        assert report is not None
        assert (report.entries, report.skipped["missing commits"]) == (1, 1)
        assert any("nothing was fetched" in note for note in report.notes)
        (tmp_path / "aside").rename(path)
        report = list(ingest.add_paths([folder]))[-1].report
        assert report is not None
        assert (report.entries, "missing commits" in report.skipped) == (2, False)
        report = list(ingest.add_paths([folder]))[-1].report
        assert report is not None
        assert report.skipped == {"unchanged": 1}


def test_a_repository_without_its_newest_commit_is_refused(tmp_path: Path) -> None:
    folder = made(tmp_path / "project")
    loose(folder, run_git(folder, "rev-parse", "HEAD")).unlink()
    with pytest.raises(GitError, match="Nothing is fetched"):
        list(read_git(folder))


def test_a_shallow_clone_ends_where_it_ends(tmp_path: Path) -> None:
    made(tmp_path / "project")
    run_git(tmp_path, "clone", "-q", "--depth=2", f"file://{tmp_path}/project", "clone")
    assert texts(tmp_path / "clone") == ["The third message", "The second message"]
    assert not any(isinstance(one, Skipped) for one in read_git(tmp_path / "clone"))


def test_objects_of_other_repositories_are_not_read(tmp_path: Path) -> None:
    made(tmp_path / "project")
    run_git(tmp_path, "clone", "-q", "--shared", "project", "clone")
    with pytest.raises(GitError, match="another repository's objects"):
        list(read_git(tmp_path / "clone"))


# What is read


def test_loose_and_packed_commits_are_read_as_git_reads_them(tmp_path: Path) -> None:
    messages = [f"Message {n} {'of the same words ' * 30}" for n in range(60)]
    folder = made(tmp_path / "project", messages=tuple(messages))
    run_git(folder.parent, "checkout", "-q", "-b", "side", "HEAD~20")
    run_git(folder.parent, "commit", "-q", "--allow-empty", "-m", "On the side")
    run_git(folder.parent, "checkout", "-q", "main")
    run_git(folder.parent, "merge", "-q", "--no-edit", "side")
    wanted = run_git(folder, "log", "--no-merges", "--format=%s").split("\n")
    assert texts(folder) == [line.strip() for line in wanted]
    run_git(folder, "gc", "-q", "--aggressive", "--prune=now")
    assert not any(len(path.name) == 2 for path in (folder / "objects").iterdir())
    run_git(folder, "pack-refs", "--all")
    assert texts(folder) == [line.strip() for line in wanted]
    since = run_git(folder, "rev-parse", "HEAD~1")
    new = run_git(folder, "log", "--no-merges", "--format=%s", f"{since}..HEAD").split("\n")
    assert texts(folder, since=since) == [line.strip() for line in new]


def test_a_repository_with_sha256(tmp_path: Path) -> None:
    folder = made(tmp_path / "project", "--object-format=sha256")
    assert texts(folder) == list(reversed(MESSAGES))
    run_git(folder, "gc", "-q", "--prune=now")
    assert texts(folder) == list(reversed(MESSAGES))
    assert len(head(folder) or "") == 64


def test_refs_in_tables_are_said_not_to_be_read(tmp_path: Path) -> None:
    folder = made(tmp_path / "project")
    (folder / "HEAD").write_text("ref: refs/heads/.invalid\n")
    with pytest.raises(GitError, match="reftable"):
        head(folder)


def test_names_are_those_of_the_mailmap(tmp_path: Path) -> None:
    folder = made(tmp_path / "project", messages=())
    mailmap = (
        "# comment\nno address\nProper One <one@x.org>\n<two@x.org> <old@x.org>\n"
        "Three <three@x.org> all <3@x.org>\nFour <four@x.org> other <4@X.org>\n"
    )
    (tmp_path / "project" / ".mailmap").write_text(mailmap)
    run_git(tmp_path / "project", "add", ".mailmap")
    for author in ("one@x.org", "OLD@x.org", "3@x.org", "4@x.org", "five@x.org"):
        run_git(folder.parent, "commit", "-q", "--allow-empty", "-m", "m", author=author)
    with Repository(folder) as repository:
        found = [f"{one.name} {one.address}" for one in repository.commits() if one]
    assert found == run_git(folder.parent, "log", "--use-mailmap", "--format=%aN %aE").split("\n")
    assert Counter(dict(git.authors(folder))) == Counter(
        run_git(folder.parent, "log", "--use-mailmap", "--format=%aE").split("\n")
    )


def test_encodings_that_commits_name(tmp_path: Path) -> None:
    folder = made(tmp_path / "project", messages=())
    for encoding, message in (("ISO-8859-1", "Größe".encode("latin-1")), ("punycode", b"plain")):
        (tmp_path / "message").write_bytes(message)
        run_git(
            folder.parent,
            *("-c", f"i18n.commitEncoding={encoding}", "commit", "-q"),
            *("--allow-empty", "-F", str(tmp_path / "message")),
        )
    run_git(folder.parent, "commit", "-q", "--allow-empty", "-m", "Größe in UTF-8")
    assert texts(folder) == ["Größe in UTF-8", "plain", "Größe"]


# What hangs, bursts, or is another user's

READ = """
import json, resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from idiolect.daemon.sources import git
from idiolect.daemon.sources.git_history import GitError
from idiolect.daemon.sources.people import EVERYONE, AuthorFilter
for path in map(Path, sys.argv[1:]):
    try:
        git.guess(path)
        print(len(list(git.read(path, AuthorFilter((EVERYONE,))))))
    except GitError as error:
        print(error.code)
"""


@pytest.mark.parametrize("sort", ["fifo", "endless"])
def test_no_file_of_a_repository_is_waited_for(tmp_path: Path, sort: str) -> None:
    whole = made(tmp_path / "loose" / "project")
    run_git(whole, "pack-refs", "--all")
    newest = loose(whole, head(whole) or "").relative_to(whole)
    shutil.copytree(tmp_path / "loose", tmp_path / "packed")
    packed = tmp_path / "packed" / "project" / ".git"
    run_git(packed, "gc", "-q")
    (pack,) = (packed / "objects" / "pack").glob("*.idx")
    pack.rename(pack.with_name("pack-1.idx"))
    pack.with_suffix(".pack").unlink()
    spoilt = []
    for number, (kind, name) in enumerate(
        [
            *(("loose", name) for name in ("HEAD", "config", "packed-refs", "shallow", "refs/heads/main")),
            *(("loose", name) for name in ("objects/info/alternates", "objects/pack/pack-1.idx")),
            *(("loose", "info/grafts"), ("loose", "../.mailmap"), ("loose", newest)),
            ("packed", "objects/pack/pack-1.pack"),
        ]
    ):
        shutil.copytree(tmp_path / kind, tmp_path / str(number))
        spoilt.append(tmp_path / str(number) / "project" / ".git")
        path = spoilt[-1] / name
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path) if sort == "fifo" else path.symlink_to("/dev/zero")
    done = subprocess.run(
        [sys.executable, "-c", READ, *spoilt], capture_output=True, text=True, timeout=120, check=True
    )
    assert set(done.stdout.split()) <= {"3", "git"}
    assert len(done.stdout.split()) == len(spoilt)


def test_links_in_a_git_folder_are_not_followed(tmp_path: Path) -> None:
    folder = made(tmp_path / "project")
    other = made(tmp_path / "other")
    for name in ("objects", "refs"):
        shutil.rmtree(folder / name)
        (folder / name).symlink_to(other / name)
        with pytest.raises(GitError):
            head(folder)
        (folder / name).unlink()
        shutil.copytree(other / name, folder / name)
    (folder / "HEAD").write_text("ref: refs/heads/../../../other/.git/refs/heads/main\n")
    with pytest.raises(GitError):
        head(folder)


def test_an_object_that_bursts_is_not_unpacked(tmp_path: Path) -> None:
    folder = made(tmp_path / "project")
    path = loose(folder, run_git(folder, "rev-parse", "HEAD~1"))
    path.chmod(0o600)
    path.write_bytes(zlib.compress(b"commit 300000000\0" + b"\n" * 300_000_000))
    assert texts(folder) == ["The third message"]
    large = made(tmp_path / "large", messages=("small",))
    (tmp_path / "message").write_text("word " * 400_000)
    run_git(large.parent, "commit", "-q", "--allow-empty", "-F", str(tmp_path / "message"))
    run_git(large.parent, "commit", "-q", "--allow-empty", "-m", "after it")
    run_git(large, "gc", "-q")
    assert texts(large) == ["after it"]
    with Repository(large) as repository:
        assert sum(one is not None for one in repository.commits()) == 1
        assert repository.missing == 1


def test_damaged_repositories_raise_nothing_else(tmp_path: Path) -> None:
    folder = made(tmp_path / "project", messages=tuple(f"Message {n} {'words ' * 40}" for n in range(30)))
    run_git(folder, "gc", "-q", "--aggressive")
    for message in ("loose", "more"):
        run_git(folder.parent, "commit", "-q", "--allow-empty", "-m", message)
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".sample"]
    files = [path for path in files if path.name not in ("description", "COMMIT_EDITMSG", "index", "exclude")]
    for number in range(200):
        path = chance.choice(files)
        whole = path.read_bytes()
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 1, 4, 50))):
            if damaged:
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        if chance.random() < 0.1:
            damaged = damaged[: chance.randrange(len(damaged) + 1)]
        path.chmod(0o600)
        path.write_bytes(damaged)
        try:
            with suppress(GitError):
                git.guess(folder)
                git.authors(folder)
                list(git.read(folder, AuthorFilter((EVERYONE,)), "f" * 40))
        except BaseException:
            print("number", number, path)
            raise
        finally:
            path.write_bytes(whole)
    assert len(texts(folder)) == 32


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_another_users_repository_is_read_only_where_git_was_told_to_trust_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path / "project")
    settings = tmp_path / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    os.chown(folder, 12345, 12345)
    with pytest.raises(GitError, match="another user"):
        list(read_git(folder))
    with (folder / "config").open("a") as config:
        config.write("[safe]\ndirectory = *\n")
    for said, trusted in (
        (str(tmp_path / "other"), False),
        (str(tmp_path / "project"), True),
        (f"{tmp_path}/*", True),
        ("*", True),
        ("*\ndirectory =", False),
    ):
        settings.write_text(f"[safe]\ndirectory = {said}\n")
        if trusted:
            assert texts(folder) == list(reversed(MESSAGES))
        else:
            with pytest.raises(GitError, match=r"safe\.directory"):
                head(folder)


def test_addresses_are_those_of_the_repository_and_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path / "work" / "project")
    settings = tmp_path / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    (tmp_path / "work.config").write_text("[user]\nemail = work@x.org\n")
    settings.write_text(
        "[user]\nemail = user@x.org\n"
        f'[includeIf "gitdir:{tmp_path}/work/"]\npath = work.config\n'
        f'[includeIf "gitdir:{tmp_path}/home/"]\npath = other.config\n'
    )
    (tmp_path / "other.config").write_text("[user]\nemail = other@x.org\n")
    assert set(git_config.addresses(folder)) == {ME, "user@x.org", "work@x.org"}
    (folder / "config").write_text("[user\nemail = ")
    assert set(git_config.addresses(folder)) == {"user@x.org", "work@x.org"}
    (folder / "config").write_text("[user]\nemail = a@x.org\n" + "#" * 65_536)
    assert "a@x.org" not in git_config.addresses(folder)
