"""A repository that came from a stranger is read without git: nothing of it runs, nothing is fetched, nothing hangs."""

import itertools
import os
import random
import shutil
import socket
import subprocess
import sys
import zlib
from collections import Counter
from contextlib import closing, contextmanager, nullcontext, suppress
from functools import partial

import forked
import pytest
from reading import ME, Profile

from idiolect.daemon.evaluation.evals import read_messages
from idiolect.daemon.ingest.folder_watch import Watcher
from idiolect.daemon.ingest.imports import Imports
from idiolect.daemon.settings import NEVER_READ
from idiolect.daemon.sources import git_config
from idiolect.daemon.sources.commit_messages import authors, head, is_repository, read, written
from idiolect.daemon.sources.git_history import Repository
from idiolect.daemon.sources.items import BEYOND_LIMIT, GitError, Item, Skipped
from idiolect.daemon.sources.people import EVERYONE, AuthorFilter
from idiolect.daemon.sources.reader import Reader
from idiolect.daemon.sources.source_discovery import places

MESSAGES = ("The first message", "The second message", "The third message")
#: Settings with which git runs a command, or opens a connection or another file; {run} is the command.
UPLOADPACK = '[remote "origin"]\nuploadpack = {run}\n'
HOSTILE = UPLOADPACK + (
    '[remote "other"]\nurl = ext::{run}\n[protocol "ext"]\nallow = always\n'
    "[core]\nsshCommand = {run}\nfsmonitor = {run}\nhooksPath = {folder}\npager = {run}\naskPass = {run}\n"
    "alternateRefsCommand = {run}\nattributesFile = {folder}/attributes\n"
    '[diff "x"]\ntextconv = {run}\ncommand = {run}\n[filter "x"]\nsmudge = {run}\nclean = {run}\n'
    "[credential]\nhelper = !{run}\n[alias]\nlog = !{run}\nconfig = !{run}\nrev-parse = !{run}\n"
    "[mailmap]\nfile = {folder}/fifo\nblob = HEAD:mailmap\n"
    '[include]\npath = {folder}/included\n[includeIf "gitdir:**"]\npath = {folder}/included\n'
)
EVERYBODY = AuthorFilter((EVERYONE,))
PROMISOR = (
    '[core]\nrepositoryformatversion = 1\n[extensions]\npartialClone = origin\n[remote "origin"]\n'
    "url = {folder}/nowhere\npromisor = true\npartialclonefilter = blob:none\n"
)


_SECONDS = itertools.count(1_714_557_600)


def run_git(folder, *arguments, author=ME, content=None):
    done = subprocess.run(
        ["git", "-c", "user.name=all", "-c", f"user.email={author}", *arguments],
        cwd=folder,
        check=True,
        input=content,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_COMMITTER_DATE": f"{next(_SECONDS)} +0000",  # of two commits of one second either may come first
        },
    )
    return done.stdout.strip()


def made(folder, *options, messages=MESSAGES):
    """A repository with a commit for each message; its git folder."""
    folder.mkdir(parents=True)
    run_git(folder, "init", "-q", "--initial-branch=main", *options)
    run_git(folder, "config", "user.email", ME)
    for message in messages:
        run_git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return folder / ".git"


def loose(folder, id_):
    return folder / "objects" / id_[:2] / id_[2:]


def texts(folder, *me, since=None):
    asked = AuthorFilter(me) if me else EVERYBODY
    return [one.text for one in read(folder, asked, since) if isinstance(one, Item)]


# Nothing runs


@pytest.fixture
def trap(tmp_path, monkeypatch):
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


def hostile(home, trap, settings):
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


def all_ways_in(home, folder, profile):
    """Read a repository in each way in which something of it can be read."""
    reader = profile.ingest.reader
    imports = Imports(profile.ingest, Watcher(profile.ingest, profile.profile), nullcontext)
    assert any(place.sort == "git" and place.path == folder for place in places(home, NEVER_READ))
    list(imports.watch(home / "bare", confirmed=True))
    for path in (folder, home / "bare"):
        profile.add(path)
        assert head(path)
        assert git_config.addresses(path) == (ME,)
        assert authors(path) == [(ME, 1)]
        assert [message.text for message in read_messages(reader, path, ())] == ["The third message"]
    for read_it in (profile.add, imports.watch, authors, texts, partial(read_messages, reader, exclude=())):
        with pytest.raises(GitError):
            list(read_it(home / "empty"))


@pytest.fixture
def profile(tmp_path, reader):
    with closing((found := Profile(tmp_path / "profile", reader)).store):
        yield found


@contextmanager
def watched():
    """The processes that are started and the connections that are opened within the block."""
    seen = []
    _HOOKED.append(seen)
    try:
        yield seen
    finally:
        _HOOKED.remove(seen)


_HOOKED: list[list[str]] = []
_EVENTS = ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.fork", "os.forkpty", "os.spawn")


def _hook(event, arguments):
    # The process that reads files, forked or new; what it would start is a trap that leaves a file.
    if event == "subprocess.Popen" and {forked.__file__, "idiolect.daemon.sources.reader_child"} & {
        *arguments[1]
    }:
        return
    if event == "socket.connect" and str(arguments[1]).endswith("/reader"):
        return
    if event in _EVENTS or event.startswith("socket.get") or event == "socket.connect":
        for seen in _HOOKED:
            seen.append(event)


sys.addaudithook(_hook)


def test_no_setting_of_a_repository_has_an_effect(tmp_path, trap, profile, monkeypatch):
    folder = hostile(tmp_path / "home", trap, HOSTILE)
    monkeypatch.setenv("PATH", f"{trap}:{os.environ['PATH']}")
    with watched() as started:
        all_ways_in(tmp_path / "home", folder, profile)
    assert started == []
    assert not (trap / "ran").exists()


def test_git_itself_would_run_the_trap(tmp_path, trap):
    hostile(tmp_path / "home", trap, UPLOADPACK)
    subprocess.run(
        ["git", f"--git-dir={tmp_path}/home/empty", "rev-parse", "--verify", "HEAD^{commit}"],
        capture_output=True,
    )
    assert (trap / "ran").exists()


def test_a_partial_clone_opens_no_connection(tmp_path, trap, profile):
    with socket.create_server(("127.0.0.1", 0)) as remote:
        url = f"git://127.0.0.1:{remote.getsockname()[1]}/x"
        folder = hostile(tmp_path / "home", trap, f'[remote "origin"]\nurl = {url}\n')
        with watched() as opened:
            all_ways_in(tmp_path / "home", folder, profile)
        assert opened == []
        remote.setblocking(False)
        with pytest.raises(BlockingIOError):
            remote.accept()


# What is not there


def test_missing_commits_are_told_and_read_once_they_are_there(tmp_path, profile):
    folder = made(tmp_path / "project")
    path = loose(folder, run_git(folder, "rev-parse", "HEAD~1"))
    path.rename(tmp_path / "aside")
    report = profile.add(folder)
    assert (report.entries, report.skipped["missing commits"]) == (1, 1)
    assert any("nothing was fetched" in note for note in report.notes)
    (tmp_path / "aside").rename(path)
    report = profile.add(folder)
    assert (report.entries, "missing commits" in report.skipped) == (2, False)
    assert profile.add(folder).skipped == {"unchanged": 1}


def test_a_shallow_clone_ends_where_it_ends(tmp_path):
    made(tmp_path / "project")
    run_git(tmp_path, "clone", "-q", "--depth=2", f"file://{tmp_path}/project", "clone")
    found = list(read(tmp_path / "clone" / ".git", EVERYBODY))
    assert [isinstance(one, Item) and one.text for one in found] == [
        "The third message",
        "The second message",
    ]


def test_objects_of_other_repositories_are_not_read(tmp_path):
    made(tmp_path / "project")
    run_git(tmp_path, "clone", "-q", "--shared", "project", "clone")
    with pytest.raises(GitError, match="another repository's objects"):
        texts(tmp_path / "clone" / ".git")


def test_a_repository_that_meets_a_limit_is_read_again(tmp_path):
    class Limited(Reader):
        most = 2  # the first says whose commits are read

        def pieces(self, path, *arguments, **options):
            found = list(super().pieces(path, *arguments, **options))
            yield from found[: self.most]
            if self.most < len(found):
                yield Skipped(path, BEYOND_LIMIT)

    folder = made(tmp_path / "project")
    with closing(Limited()) as limited, closing((profile := Profile(tmp_path / "profile", limited)).store):
        assert profile.add(folder).entries == 1
        limited.most = 9
        assert profile.add(folder).entries == 2


# What is read


def test_commits_that_lack_what_gits_have_are_read(tmp_path):
    folder = made(tmp_path / "project", messages=())
    tree, at = run_git(folder.parent, "write-tree"), f"all <{ME}> 1714557600 +0000"
    parent, wanted = "", []
    for number, headers in enumerate(
        (
            f"tree {tree}\nauthor {at}\ncommitter {at}",
            f"tree {tree}\nauthor all <{ME}>\ncommitter {at}",
            f"tree {tree}\nauthor all <{ME}> soon +0000\ncommitter",
            f"tree {tree}\nauthor all <{ME}> {'9' * 15} +0000\ncommitter {at}",
            f"tree {tree}\ncommitter {at}",
            f"tree {tree}\nauthor {at[:-6]}\ncommitter {at[:-6]}",
            f"tree {tree}\nauthor {at[:-5]}0000\ncommitter {at[:-5]}0000",
            f"tree aa/etc/passwd\nauthor {at}\ncommitter {at}\nparent /etc/passwd\nno-value",
            f"tree /etc/passwd\nauthor {at}\ncommitter {at}",
        )
    ):
        content = f"{headers}{parent}\n\nMessage {number}\n"
        id_ = run_git(
            folder.parent, "hash-object", "-t", "commit", "-w", "--literally", "--stdin", content=content
        )
        parent = f"\nparent {id_}"
        wanted.insert(0, f"Message {number}")
        (folder / "refs" / "heads" / "main").write_text(id_)
        assert texts(folder) == wanted
    assert len(texts(folder, ME)) == len(wanted) - 1
    ids = "\n".join(path.parent.name + path.name for path in (folder / "objects").glob("??/*"))
    run_git(folder, "pack-objects", "-q", "objects/pack/pack", content=ids)
    for path in (folder / "objects").glob("??"):
        shutil.rmtree(path)
    assert texts(folder) == wanted


def test_new_commits_come_one_by_one_and_known_ones_are_told(tmp_path):
    folder = made(tmp_path / "project", messages=tuple(f"Message {n}" for n in range(30)))
    ids = run_git(folder, "log", "--format=%H").split("\n")
    with Repository(folder) as repository:
        commits = repository.commits(ids[-1].encode())
        next(commits)
        loose(folder, ids[20]).unlink()
        assert len([commit for commit in commits if commit]) == 19
        assert repository.missing == 1
    (folder / "refs" / "heads" / "main").write_text(ids[19])
    with Repository(folder) as repository:
        assert list(repository.commits(ids[0].encode())) == [None] * 19


def test_what_is_no_pack_is_passed_over(tmp_path):
    folder = made(tmp_path / "project")
    run_git(folder, "gc", "-q")
    packs = folder / "objects" / "pack"
    (packs / "@eaDir").mkdir()
    (packs / "pack-1.idx").write_bytes(b"")
    (packs / "pack-1.pack").symlink_to("/dev/zero")
    for name in ("multi-pack-index", "pack-2.idx", "pack-2.pack"):
        os.mkfifo(packs / name)
    for name in ("._pack-3.idx", "._pack-3.pack"):
        (packs / name).write_bytes(b"no pack")
    assert texts(folder) == list(reversed(MESSAGES))


def test_loose_and_packed_commits_are_read_as_git_reads_them(tmp_path):
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


def test_a_repository_with_sha256(tmp_path):
    folder = made(tmp_path / "project", "--object-format=sha256")
    assert texts(folder) == list(reversed(MESSAGES))
    run_git(folder, "gc", "-q", "--prune=now")
    assert texts(folder) == list(reversed(MESSAGES))
    assert len(head(folder) or "") == 64


def test_refs_in_tables_are_said_not_to_be_read(tmp_path):
    folder = made(tmp_path / "project")
    (folder / "HEAD").write_text("ref: refs/heads/.invalid\n")
    with pytest.raises(GitError, match="reftable"):
        head(folder)


def test_names_are_those_of_the_mailmap(tmp_path):
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
        found = [f"{one.name} {one.address}" for one in repository.commits()]
    assert found == run_git(folder.parent, "log", "--use-mailmap", "--format=%aN %aE").split("\n")
    assert Counter(dict(authors(folder))) == Counter(
        run_git(folder.parent, "log", "--use-mailmap", "--format=%aE").split("\n")
    )


def test_encodings_that_commits_name(tmp_path):
    folder = made(tmp_path / "project", messages=())
    for encoding, message in (
        ("ISO-8859-1", "Größe".encode("latin-1")),
        ("punycode", b"plain\xff-a"),
        ("ISO-2022-JP", "日本語".encode("iso-2022-jp")),
    ):
        (tmp_path / "message").write_bytes(message)
        run_git(
            folder.parent,
            *("-c", f"i18n.commitEncoding={encoding}", "commit", "-q"),
            *("--allow-empty", "-F", str(tmp_path / "message")),
        )
    run_git(folder.parent, "commit", "-q", "--allow-empty", "-m", "Größe in UTF-8")
    assert texts(folder) == ["Größe in UTF-8", "日本語", "plain-a", "Größe"]


def test_only_the_users_commits_without_what_tools_wrote(tmp_path):
    folder = made(
        tmp_path / "project", messages=("reader: keep\n\nIt was lost.\n\nSigned-off-by: all <a@b.c>",)
    )
    for message in ("Merge branch 'x' into main", 'Revert "reader"\n\nThis reverts commit 0123456789.'):
        run_git(folder.parent, "commit", "-q", "--allow-empty", "-m", message)
    for author in ("Another Person <b@example.org>", f"Person <x{ME}>"):
        message = ("-m", f"by {author[:7]}", "--author", author)
        run_git(folder.parent, "commit", "-q", "--allow-empty", *message)
    mine = "reader: keep\n\nIt was lost."
    assert texts(folder, ME.upper()) == [mine]
    assert texts(folder, "b@example.org", ME) == ["by Another", mine]
    assert texts(folder, "Person") == ["by Person"]
    assert len([one for one in read(folder, EVERYBODY) if isinstance(one, Skipped)]) == 2


WRAPPED = "A body that was wrapped by hand " * 2


def test_no_repository_and_no_commit(tmp_path):
    assert not is_repository(tmp_path, b"")
    with pytest.raises(GitError):
        texts(tmp_path)
    folder = made(tmp_path / "project", messages=())
    assert is_repository(folder, b"")
    assert head(folder) is None


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        *(
            (message, "")
            for message in ("Bump httpx from 0.27.0 to 0.28.1", "fixup! keep the line", "v1.2.3")
        ),
        ("Merge the two readers", "Merge the two readers"),
        ("Subject\n\nBody: a colon\n\nCo-authored-by: T <t@b.c>\nChange-Id: I0", "Subject\n\nBody: a colon"),
        ("Subject\n\nLast words.\nFixes: #12", "Subject\n\nLast words."),
        (f"Subject\n\n{WRAPPED}as one does\nin git.", f"Subject\n\n{WRAPPED}as one does in git."),
    ],
)
def test_what_a_person_wrote_of_a_commit_message(message, wanted):
    assert written(message) == wanted


# What hangs, bursts, or is another user's

READ = """
import json, resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from idiolect.daemon.sources import commit_messages, git_config
from idiolect.daemon.sources.items import GitError
from idiolect.daemon.sources.people import EVERYONE, AuthorFilter
for path in map(Path, sys.argv[1:]):
    try:
        git_config.addresses(path)
        print(len(list(commit_messages.read(path, AuthorFilter((EVERYONE,))))))
    except GitError as error:
        print(error.code)
"""


@pytest.mark.parametrize("sort", ["fifo", "endless"])
def test_no_file_of_a_repository_is_waited_for(tmp_path, sort):
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
    done = subprocess.run([sys.executable, "-c", READ, *spoilt], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"3", "git"}
    assert len(done.stdout.split()) == len(spoilt)


def test_links_in_a_git_folder_are_not_followed(tmp_path):
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


def test_an_object_that_bursts_is_not_unpacked(tmp_path):
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
        assert len([commit for commit in repository.commits() if commit]) == 1
        assert repository.missing == 1


def test_damaged_repositories_raise_nothing_else(tmp_path):
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
                git_config.addresses(folder)
                authors(folder)
                texts(folder, since="f" * 40)
        except BaseException:
            print("number", number, path)
            raise
        finally:
            path.write_bytes(whole)
    assert len(texts(folder)) == 32


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_another_users_repository_is_read_only_where_git_was_told_to_trust_it(tmp_path, monkeypatch):
    folder = made(tmp_path / "project")
    settings = tmp_path / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    os.chown(folder, 12345, 12345)
    with pytest.raises(GitError, match="another user"):
        texts(folder)
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


def test_addresses_are_those_of_the_repository_and_of_the_user(tmp_path, monkeypatch):
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
