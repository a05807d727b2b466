"""What a whole life of a profile leaves behind and whom it talks to: the real program, with the tiny model."""

import itertools
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import textwrap

import pytest

from idiolect.adapters.memory.corpus import read_general_passages

CANARY = "the teal lighthouse keeper hums quietly at noon"
OTHER = "my sister's parrot recites the tide tables"

# A child whose first import of torch fails, with the user's words in the message, while the file `crash` exists.
CRASHING = f"""
import os, sys

def crash(event, args):
    if event == "import" and args[0] == "torch" and os.path.exists(os.environ["HOME"] + "/crash"):
        raise ValueError("{CANARY}\\n{CANARY.replace(" ", "")}: {OTHER}")

if "idiolect.adapters.training.round" in sys.orig_argv:
    sys.addaudithook(crash)
"""

# One life, told as JSON: what was printed, and what /proc showed of each process on the way.
LIFE = textwrap.dedent(r"""
    import fcntl, json, os, signal, socket, struct, subprocess, sys, time
    from pathlib import Path
    import httpx, psutil

    home, text, here = Path(os.environ["IDIOLECT_HOME"]), sys.argv[1], Path(os.environ["HOME"])
    canary, other = sys.argv[2:4]
    said, shown = [], {}

    def lo_up():
        with socket.socket() as sock:  # <linux/sockios.h>: SIOCSIFFLAGS with IFF_UP | IFF_RUNNING
            fcntl.ioctl(sock, 0x8914, struct.pack("16sh14x", b"lo", 0x41))

    def look():
        status = home / "run" / "service.json"
        if status.exists():
            service = psutil.Process(json.loads(status.read_text())["pid"])
            for process in (service, *service.children(recursive=True)):
                try:
                    command = process.cmdline()
                    core = Path(f"/proc/{process.pid}/limits").read_text().split("core file size")[1].split()[:2]
                    name = next((part for part in command if part.startswith("idiolect.")), "?")
                    shown[name] = {"command": command, "environment": str(process.environ()), "core": core}
                except (psutil.Error, OSError, IndexError):
                    pass

    def idiolect(*arguments, typed="", code=0):
        main = "from idiolect.daemon.clients.commandline.command_table import main; main()"
        with subprocess.Popen([sys.executable, "-c", main, *arguments], text=True, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
            command.stdin.write(typed)
            command.stdin.close()
            while command.poll() is None:
                look()
                time.sleep(0.2)
            out, err = command.stdout.read(), command.stderr.read()
        assert command.returncode == code, (arguments, command.returncode, out, err)
        said.append({"did": arguments[0], "out": out, "err": err})
        return out

    os.umask(0)
    if sys.argv[4] == "alone":
        lo_up()
    try:
        idiolect("start")
        idiolect("add", text)
        now = json.loads(idiolect("status", "--json"))
        headers = {"Authorization": f"Bearer {Path(now['token_file']).read_text().strip()}"}
        with httpx.Client(base_url=now["url"], headers=headers, trust_env=False, timeout=180) as client:
            for words in (canary, other):
                client.post("/v1/history", json={"text": words, "source": "test"}).raise_for_status()
            client.post("/v1/suggest", json={"prefix": canary[:-4]}).raise_for_status()
            client.post("/v1/suggest", json={"prefix": canary, "wrong": 1})
        idiolect("suggest", "-", typed=canary[:20])
        (here / "crash").touch()
        idiolect("train", "--wait", code=9)  # the child fails with the words in its exception
        (here / "crash").unlink()
        killed = json.loads(idiolect("train", "--json"))
        service = psutil.Process(now["pid"])
        round_ = "idiolect.adapters.training.round"
        while not (training := [child for child in service.children() if round_ in child.cmdline()]):
            time.sleep(0.01)
        look()
        training[0].send_signal(signal.SIGABRT)  # as by a failed assertion in a library
        while training[0].is_running():
            time.sleep(0.01)
        idiolect("train", "--wait", "--json", "--budget", "5")
        idiolect("eval", "--chars", "500", "--json")
        idiolect("forget", "--text", "-", "--yes", typed=other)
    finally:
        idiolect("stop")
    print(json.dumps({"said": said, "shown": shown}))
""")


class Life:
    """What is left of a life: its folder, what was told, and, where it was watched, the calls of `connect`."""

    def __init__(self, folder, told, trace):
        self.folder = folder
        self.said = told["said"]
        self.shown = told["shown"]
        self.trace = trace

    def files(self):
        for path in self.folder.rglob("*"):
            if path.is_file() and not path.is_symlink() and path.name not in ("mine.txt", "sitecustomize.py"):
                yield path


@pytest.fixture(scope="module")
def life(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("life")
    for name in ("here", "temporary", "runtime", "profile", "crashing"):
        (folder / name).mkdir(mode=0o700)
    (folder / "profile" / "config.toml").write_text("keyring = false\nauto_train = false\n")
    (folder / "profile" / "base").symlink_to(tiny.folder.parent)
    (folder / "crashing" / "sitecustomize.py").write_text(CRASHING)
    text = folder / "mine.txt"
    text.write_text("\n\n".join(itertools.chain(*read_general_passages())))
    environment = {
        **os.environ,
        "HOME": str(folder / "here"),
        "TMPDIR": str(folder / "temporary"),
        "XDG_RUNTIME_DIR": str(folder / "runtime"),
        "IDIOLECT_HOME": str(folder / "profile"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(folder / "crashing"), os.environ.get("PYTHONPATH", "")]),
        "PYTHONFAULTHANDLER": "1",  # even so, a crash tells places only
    }
    trace = tmp_path_factory.mktemp("watched") / "trace"
    alone = _alone(trace)
    done = subprocess.run(
        [*alone, sys.executable, "-c", LIFE, text, CANARY, OTHER, "alone" if alone else "beside others"],
        env=environment,
        cwd=folder / "here",
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Life(folder, json.loads(done.stdout), trace.read_text() if alone else None)


def _alone(trace):
    """What makes a command run without any network but loopback, and writes down whom it calls; [] if not allowed."""
    if shutil.which("unshare") is None or shutil.which("strace") is None:
        return []
    command = ["unshare", "--map-root-user", "--net", "strace", "-f", "-qq", "-o", str(trace)]
    command += ["--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg,sendmmsg"]
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if tried.returncode == 0 else []


def test_no_connection_leaves_the_machine(life):
    if life.trace is None:
        pytest.skip("needs unshare and strace, and leave to make a network namespace (`unshare -rn true`)")
    called = re.findall(r"(?:connect|sendto|sendmsg|sendmmsg)\(.*", life.trace)
    named = [call for call in called if "sa_family=" in call]
    assert any("AF_INET" in call for call in named)  # the commands' own calls of the service are among them
    for call in named:
        local = "sa_family=AF_UNIX" in call or "sa_family=AF_NETLINK" in call
        assert local or 'inet_addr("127.' in call or '"::1"' in call, call


def test_no_text_is_in_any_file(life):
    assert {"store.db", "idiolect.log"} <= {path.name for path in life.files()}
    for path in life.files():
        data = path.read_bytes()
        for words in (CANARY, OTHER):
            for form in (words, words.replace(" ", "")):
                assert form[:20].encode() not in data, path
                assert form[:20].encode("utf-16-le") not in data, path


def test_no_text_is_in_what_is_printed_or_in_a_list_of_processes(life):
    assert {
        "idiolect.daemon",
        "idiolect.adapters.training.round",
        "idiolect.adapters.evaluation.run",
    } <= life.shown.keys()
    for words in (CANARY, OTHER):
        assert words[:20] not in json.dumps(life.shown)
        assert [step for step in life.said if words[:20] in step["out"] + step["err"]] == []


def test_a_crash_is_told_by_kind_and_place(life):
    log = (life.folder / "profile" / "log" / "idiolect.log").read_text()
    assert re.search(r"a training round: the process ended with 1: ValueError at \S+:\d+ in \S+", log)
    assert re.search(r"a training round: the process ended with -6: ", log)


def test_nothing_is_written_outside_the_profile(life):
    outside = [path for path in life.files() if not path.is_relative_to(life.folder / "profile")]
    assert outside == []


def test_every_file_is_for_its_user_alone_whatever_the_umask(life):
    profile = life.folder / "profile"
    assert (profile / "store.db").exists()
    for path in (profile, *profile.rglob("*")):
        if path.name not in ("config.toml", "base"):  # the test's own
            assert not stat.S_IMODE(path.lstat().st_mode) & 0o077, path


def test_no_process_that_holds_text_leaves_a_core(life):
    assert {name: shown["core"] for name, shown in life.shown.items()} == {
        name: ["0", "0"] for name in life.shown
    }
    assert [path for path in life.folder.rglob("core*") if path.is_file()] == []
