"""The Debian package: what it puts in the system's places, made from the commands, as those who read it want it."""

import _ssl
import ast
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from idiolect.daemon.clients.commandline.command_table import COMMANDS, app, load
from idiolect.daemon.runtime import service_unit

DEBIAN = Path(__file__).parents[2] / ".ci" / "debian"
pytestmark = pytest.mark.skipif(not DEBIAN.exists(), reason="the source archive has no .ci")


def test_the_manual_has_every_command_and_option_and_is_well_formed(needs_program, tmp_path):
    manual = runpy.run_path(str(DEBIAN / "manual.py"))["manual"]("1.0", "2020-01-01")
    for name in (name for names in COMMANDS.values() for name in names):
        command = load(name)
        for one in (command, *getattr(command, "commands", {}).values()):
            options = [
                option for param in one.params if param.param_type_name == "option" for option in param.opts
            ]
            assert all(option.replace("-", "\\-") in manual for option in options)
        assert f".SS idiolect {name}\n" in manual
    assert get_command(app).params
    page = tmp_path / "idiolect.1"
    page.write_text(manual)
    lint = [needs_program("mandoc", "mandoc"), "-T", "lint", "-W", "warning", str(page)]
    done = subprocess.run(lint, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_software_centres_understand_what_they_are_told(needs_program, tmp_path):
    about = tmp_path / "org.freedesktop.IBus.Idiolect.metainfo.xml"
    text = (DEBIAN / "idiolect.metainfo.xml").read_text("utf-8")
    about.write_text(text.replace("@VERSION@", "1.0").replace("@DATE@", "2020-01-01"))
    # The project has no page of its own on the web.
    command = [needs_program("appstreamcli", "appstream"), "validate", "--no-net"]
    command += ["--override=url-homepage-missing=info", str(about)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_unit_for_every_user_names_no_one(needs_program, tmp_path, monkeypatch):
    (tmp_path / "systemd").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    unit = tmp_path / "idiolect.service"
    unit.write_bytes(service_unit.packaged_text())
    assert str(Path.home()) not in unit.read_text().replace("ExecStart=", "", 1).split("ReadWritePaths")[1]
    command = [needs_program("systemd-analyze", "systemd"), "verify", "--user", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_module_that_has_left_the_source_leaves_the_package(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(DEBIAN))
    former = tmp_path / "build" / "lib" / "idiolect" / "former.py"
    former.parent.mkdir(parents=True)
    former.touch()
    assert runpy.run_path(str(DEBIAN / "build.py"))["begin_anew"](tmp_path) == tmp_path / "build" / "deb"
    assert not former.exists()


def test_programs_are_run_texts_are_read_and_all_is_of_one_time_whatever_a_checkout_says(
    tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(str(DEBIAN))
    root, scripts = tmp_path / "root", ("preinst", "postinst", "prerm", "postrm", "signal-services")
    (root / "DEBIAN").mkdir(parents=True)
    for name in (*scripts, "control", "build.py"):
        shutil.copy(DEBIAN / name, root / "DEBIAN")
        (root / "DEBIAN" / name).chmod(0o600 if name in scripts else 0o777)
    shutil.copy(sys.executable, root / "python3")
    shutil.copy(_ssl.__file__, root / "_ssl.so")
    (root / "linked").symlink_to("nowhere")
    runpy.run_path(str(DEBIAN / "build.py"))["forget_the_checkout"](root, 1_000_000_000)
    modes = {path.name: path.stat().st_mode & 0o777 for path in root.rglob("*") if not path.is_symlink()}
    assert {path.lstat().st_mtime for path in [root, *root.rglob("*")]} == {1_000_000_000}
    programs = dict.fromkeys((*scripts, "python3", "DEBIAN"), 0o755)
    assert modes == {**programs, **dict.fromkeys(("control", "build.py", "_ssl.so"), 0o644)}


def test_what_builds_and_walks_finds_the_parts_of_the_program_that_it_uses():
    for path in DEBIAN.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("idiolect."):
                exec(ast.unparse(node), {})


def test_what_is_done_before_and_after_is_shell(needs_program):
    for name in ("preinst", "postinst", "prerm", "postrm", "signal-services"):
        assert subprocess.run(["sh", "-n", DEBIAN / name], check=False).returncode == 0
