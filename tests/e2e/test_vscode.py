"""VS Code itself, as a server for browsers, with the extension that the program writes, in a real Chromium."""

import contextlib
import json
import os
import socket
import subprocess
import time
import zipfile

import psutil
import pytest
from program import IDIOLECT
from waiting import DEADLINE_S, until


def free_port():
    with contextlib.closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def extension(tmp_path_factory):
    """The extension as a user has it written."""
    path = tmp_path_factory.mktemp("extension") / "idiolect.vsix"
    said = subprocess.run([*IDIOLECT, "vscode", str(path)], capture_output=True, text=True, check=True)
    assert said.stdout.rstrip().endswith(f"code --install-extension {path}")
    return path


@pytest.fixture
def editor(service, extension, needs_program, tmp_path):
    """`editor(**settings)`: VS Code with the extension and these settings; its address, and the folder it shows."""
    program = needs_program("code-server", "the npm registry (.ci/vscode)")
    needs_program("node", "nodejs")
    folder = tmp_path / "work"
    folder.mkdir()
    places = ["--user-data-dir", str(tmp_path / "user"), "--extensions-dir", str(tmp_path / "extensions")]
    surroundings = {**os.environ, "HOME": str(tmp_path), "IDIOLECT_HOME": str(service.settings.home)}
    running = []

    def start(**settings):
        subprocess.run(
            [program, *places, "--install-extension", str(extension)],
            env=surroundings,
            check=True,
            capture_output=True,
        )
        chosen = {f"idiolect.{name}": value for name, value in settings.items()}
        (tmp_path / "user" / "User" / "settings.json").write_text(json.dumps(chosen))
        address = f"127.0.0.1:{free_port()}"
        quiet = ["--disable-telemetry", "--disable-update-check", "--disable-workspace-trust"]
        running.append(
            subprocess.Popen(
                [program, *places, *quiet, "--auth", "none", "--bind-addr", address],
                env=surroundings,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        await_port(address)
        return address, folder

    yield start
    for one in running:
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [psutil.Process(one.pid), *psutil.Process(one.pid).children(recursive=True)]
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.terminate()
            for process in psutil.wait_procs(family, DEADLINE_S)[1]:
                process.kill()
        one.wait(DEADLINE_S)


def await_port(address):
    host, port = address.split(":")

    def listens():
        with contextlib.suppress(OSError):
            socket.create_connection((host, int(port)), DEADLINE_S).close()
            return True
        return False

    until(listens)


class Notes:
    """A file that is open in VS Code, in a tab of Chromium."""

    def __init__(self, tab, address, path):
        self.tab, self.path = tab, path
        path.touch()
        payload = json.dumps([["openFile", f"vscode-remote://{address}{path}"]])
        tab.go(f"http://{address}/?folder={path.parent}&payload={payload}")
        tab.until("!!document.querySelector('.editor-instance .view-line')")

    def lines(self, kind):
        shown = self.tab.js(f"[...document.querySelectorAll('{kind}')].map(one => one.innerText)")
        return [line.replace("\xa0", " ") for line in shown]

    def words(self):
        return self.lines(".suggest-widget.visible .monaco-list-row .label-name")

    def text(self):
        return self.lines(".editor-instance .view-line")

    def ghost(self):
        return "".join(self.lines(".ghost-text-decoration, .ghost-text"))

    def until(self, seen, again=lambda: None):
        until(seen, lambda: (self.text(), self.words(), self.ghost()), again=again)

    def clear(self):
        self.tab.press("Escape")
        self.tab.press("a", "Control")
        self.tab.press("Backspace")

    def save(self):
        self.tab.press("s", "Control")


@pytest.fixture
def notes(editor, tab):
    """`notes(name, **settings)`: a new file in it."""

    def opened(name, **settings):
        address, folder = editor(**settings)
        return Notes(tab, address, folder / name)

    yield opened
    tab.go("about:blank")


def typed(notes, seen):
    """Types until what is suggested can be seen: the language server may not be there at the first key."""

    def again():
        notes.clear()
        notes.tab.type("the teal lighthouse keeper Zorv")
        time.sleep(1)

    notes.until(seen, again)


def test_a_word_is_completed_and_what_was_saved_is_learned(service, notes):
    mine = notes("notes.md", learn=True)
    typed(mine, lambda: mine.words()[:1] == ["Zorvelin"])
    mine.tab.press("Enter")
    mine.until(lambda: mine.text() == ["the teal lighthouse keeper Zorvelin"])
    mine.tab.type(" by the loamy wrenthicket")
    mine.tab.press("Escape")
    mine.save()
    mine.until(lambda: "loamy wrenthicket" in mine.path.read_text())
    mine.until(lambda: service.knows("keeper Zorvelin by the loamy wren", "thicket"))


def test_a_ghost_text_is_shown_and_taken(notes):
    mine = notes("notes.txt", words=0)
    typed(mine, lambda: mine.ghost().startswith("elin hums"))
    whole = mine.text()
    mine.tab.press("Tab")
    mine.until(lambda: mine.text() == whole and not mine.ghost())
    mine.save()
    mine.until(lambda: mine.path.read_text().startswith("the teal lighthouse keeper Zorvelin hums"))


def test_the_extension_is_whole(extension):
    with zipfile.ZipFile(extension) as archive:
        about = json.loads(archive.read("extension/package.json"))
        assert archive.testzip() is None
        assert about["main"].removeprefix("./") in {
            name.removeprefix("extension/") for name in archive.namelist()
        }
        assert f'Version="{about["version"]}"' in archive.read("extension.vsixmanifest").decode()
    command = about["contributes"]["configuration"]["properties"]["idiolect.command"]["default"]
    assert command[1:] == ["lsp"]


@pytest.mark.parametrize("name", ["missing/idiolect.vsix", "thesis.md"])
def test_a_file_that_cannot_be_written_is_named_and_another_one_is_left_as_it_is(tmp_path, name):
    path, thesis = tmp_path / name, tmp_path / "thesis.md"
    thesis.write_text("all of it")
    failed = subprocess.run([*IDIOLECT, "vscode", str(path)], capture_output=True, text=True, check=False)
    assert failed.returncode == 51
    assert str(path) in failed.stderr
    assert "Traceback" not in failed.stderr
    assert thesis.read_text() == "all of it"
