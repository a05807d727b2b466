"""VS Code itself, as a server for browsers, with the extension that the program writes, in a real Chromium."""

import contextlib
import json
import os
import re
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
    folder = tmp_path_factory.mktemp("extension")
    path, write = folder / "idiolect.vsix", ["setup", "vscode", "--into", str(folder), "--yes"]
    said = subprocess.run([*IDIOLECT, *write], capture_output=True, text=True, check=True)
    assert f"code --install-extension {path}" in said.stdout
    return path


@pytest.fixture(scope="module")
def editor(service, extension, needs_program, tmp_path_factory):
    """The address of a VS Code that has the extension, which learns."""
    program = needs_program("code-server", "the npm registry (.ci/vscode)")
    needs_program("node", "nodejs")
    home = tmp_path_factory.mktemp("home")
    surroundings = {**os.environ, "HOME": str(home), "IDIOLECT_HOME": str(service.settings.home)}
    places = ["--user-data-dir", str(home / "user"), "--extensions-dir", str(home / "extensions")]
    install = [program, *places, "--install-extension", str(extension)]
    subprocess.run(install, env=surroundings, check=True, capture_output=True)
    (home / "user" / "User" / "settings.json").write_text('{"idiolect.learn": true}')
    address = f"127.0.0.1:{free_port()}"
    quiet = ["--disable-telemetry", "--disable-update-check", "--disable-workspace-trust"]
    running = subprocess.Popen(
        [program, *places, *quiet, "--auth", "none", "--bind-addr", address],
        env=surroundings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    await_port(address)
    yield address
    family = [*psutil.Process(running.pid).children(recursive=True), running]
    for one in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.terminate()
    for one in psutil.wait_procs(family[:-1], DEADLINE_S)[1]:
        one.kill()
    running.wait(DEADLINE_S)


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


def count_mended(tab, mine, record_property):
    """How many of three sure slips are mended at each speed; all else must stand as it was typed."""
    for delay_ms in (120, 15):
        tab.press("End", "Control")
        tab.press("Enter")
        for letter in "so hte then " * 3:
            tab.press(letter)
            time.sleep(delay_ms / 1000)  # as fast as a hand types, whatever the machine does
    mine.until(lambda: all(re.fullmatch("(so (hte|the) then ?){3}", line) for line in mine.text()[-2:]))
    record_property("VS Code, of 3 mended", [line.count("the ") for line in mine.text()[-2:]])


def mend_and_undo(service, tab, mine, record_property):
    """Have a sure slip mended as it is typed; undoing takes back the mending alone."""
    service.ask("/v1/words/add", kind="always_correct", text="hte", replacement="the")
    service.ask("/v1/switches", corrections="apply")

    def typed():
        """Type it, once more where nothing comes, in a line of its own: what was undone would stay."""
        tab.press("Escape")
        tab.press("End", "Control")
        tab.press("Enter")
        tab.type("we saw hte ")

    try:
        typed()
        mine.until(lambda: mine.text()[-1].rstrip() == "we saw the", typed)
        tab.press("z", "Control")
        mine.until(lambda: mine.text()[-1].rstrip() == "we saw hte")
        tab.type("cat ")
        mine.until(lambda: mine.text()[-1].rstrip() == "we saw hte cat")
        count_mended(tab, mine, record_property)
    finally:
        service.ask("/v1/switches", corrections="offer")
        service.ask("/v1/words/remove", text="hte")
        mine.save()
        tab.go("about:blank")


def test_a_word_is_completed_a_ghost_text_is_taken_what_was_saved_is_learned_and_a_slip_mended(
    service, editor, tab, tmp_path, record_property
):
    mine = Notes(tab, editor, tmp_path / "notes.md")

    def typed():
        """Type it, once more where nothing comes: the language server may not be there at the first key."""
        mine.clear()
        tab.type("the teal lighthouse keeper Zorv")

    typed()
    mine.until(lambda: mine.words()[:1] == ["Zorvelin"], typed)
    tab.press("Enter")
    mine.until(lambda: mine.text() == ["the teal lighthouse keeper Zorvelin"])
    tab.type(" by the loamy wrenthicket")
    tab.press("Escape")
    mine.save()
    mine.until(lambda: "loamy wrenthicket" in mine.path.read_text())
    mine.until(lambda: service.knows("keeper Zorvelin by the loamy wren", "thicket"))

    def asked():
        """Close the menu, in whose place grey text stands, and ask for it by its key."""
        typed()
        mine.until(mine.words, typed)
        tab.press("Escape")
        tab.press("\\", "Alt")

    asked()
    mine.until(lambda: mine.ghost().startswith("elin hums"), asked)
    whole = mine.text()
    tab.press("Tab")
    mine.until(lambda: mine.text() == whole and not mine.ghost())
    mine.save()
    mine.until(lambda: mine.path.read_text().startswith("the teal lighthouse keeper Zorvelin hums"))
    mend_and_undo(service, tab, mine, record_property)
    mine.save()
    tab.go("about:blank")


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
