"""What a process keeps to itself once it is shielded, asked in a process of its own."""

import stat
import subprocess
import sys
import textwrap

ASK = textwrap.dedent("""
    import ctypes, json, os, resource, sys
    from idiolect.models.hardening import shield

    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
    os.umask(0)
    shield()
    os.makedirs(os.path.join(sys.argv[1], "folder"))
    open(os.path.join(sys.argv[1], "folder", "file"), "w").close()
    dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
    print(json.dumps([resource.getrlimit(resource.RLIMIT_CORE), dumpable]))
    if len(sys.argv) > 2:
        ctypes.string_at(0)
""")


def test_files_are_private_and_there_are_no_cores(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[[0, 0], 0]\n"
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "folder" / "file").stat().st_mode) == 0o600


def test_a_crash_leaves_no_core(tmp_path):
    done = subprocess.run([sys.executable, "-c", ASK, str(tmp_path), "crash"], cwd=tmp_path, check=False)
    assert done.returncode < 0
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
