"""Some 400 keys at two speeds into each of many programs, under X and Wayland: which are lost, and which are too many.

`TEST_PROGRAMS=docs/typing.json` types into all that are installed, and writes this file, which docs/keyboard.md shows.
"""

import contextlib
import html
import http.server
import json
import mailbox
import os
import re
import threading
from collections import Counter
from pathlib import Path

import desktop as session
import pytest
import wayland
from gnome import ROWS
from rapidfuzz.distance import LCSseq
from test_vscode import await_port, free_port

#: What is typed at each speed; whether all spaces are there is seen, not how many are at the end of a line.
TEXT = """\
Every key of this line stands in its place, at 12 or b4 noon; nothing is lost, nothing doubled.
The teal lighthouse keeper Zorvelin hums quietly at noon, 1 or 2 times, and 3 at the most.
When the harbour wakes, 40 boats go out (each with a lamp), and the keeper counts them: 1, 2, 3.
It is a long way from here to there; so we sat down for a while, drank tea, and went on by bus 90.
"""
#: Milliseconds from one key to the next: as fast as a program pastes, and as a person types.
SPEEDS_MS = (10, 60)
KNOWN = Path(__file__).parents[2] / "docs" / "typing.json"
WRONG = ("lost", "added", "shifted")
PAGE = b"""<!doctype html><title>typing</title><textarea rows=20 cols=110 autofocus></textarea>
<script>document.querySelector("textarea").addEventListener("input", (event) => {
  fetch("/", { method: "POST", body: event.target.value }) })</script>"""


class Page(http.server.BaseHTTPRequestHandler):
    """A page with a text area, which tells what stands there."""

    text = ""

    def do_GET(self):
        self._answer(PAGE)

    def do_POST(self):
        # Two requests may overtake one another; what was typed later is longer.
        told = self.rfile.read(int(self.headers["Content-Length"])).decode()
        type(self).text = max(type(self).text, told, key=len)
        self._answer(b"")

    def _answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def page():
    """Its address, and how its text is read."""
    handler = type("Own", (Page,), {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", lambda _: handler.text
        server.shutdown()


def paragraphs(path):
    """What stands in an open document of LibreOffice, which is saved."""

    def read(editor):
        editor.desktop.press("ctrl+s")
        body = path.read_text().rpartition("<office:body>")[2]
        found = re.findall(r"<text:p[^>]*>(.*?)</text:p>", body, re.S)
        return html.unescape(re.sub(r"<[^>]*>", "", "\n".join(found)))

    return read


def draft(path):
    """What stands in an open message of Thunderbird, which is kept as a draft."""

    def read(editor):
        editor.desktop.press("ctrl+s")
        if not path.exists():
            return ""
        with contextlib.closing(mailbox.mbox(path)) as kept:
            texts = [one.get_payload(decode=True).decode() for one in kept]
        return texts[-1] if texts else ""

    return read


#: Of a user of Thunderbird who has one account, which is never asked for mail.
MAIL = {
    "mail.accountmanager.accounts": "account1,account2",
    "mail.accountmanager.defaultaccount": "account2",
    "mail.accountmanager.localfoldersserver": "server1",
    "mail.account.account1.server": "server1",
    "mail.account.account2.server": "server2",
    "mail.account.account2.identities": "id1",
    "mail.server.server1.type": "none",
    "mail.server.server1.hostname": "Local Folders",
    "mail.server.server1.userName": "nobody",
    "mail.server.server2.type": "pop3",
    "mail.server.server2.hostname": "127.0.0.1",
    "mail.server.server2.userName": "me",
    "mail.server.server2.login_at_startup": False,
    "mail.server.server2.check_new_mail": False,
    "mail.identity.id1.useremail": "me@example.org",
    "mail.identity.id1.valid": True,
    "mail.identity.id1.smtpServer": "smtp1",
    "mail.identity.id1.draft_folder": "mailbox://nobody@Local%20Folders/Drafts",
    "mail.smtpservers": "smtp1",
    "mail.smtpserver.smtp1.hostname": "127.0.0.1",
    "mailnews.send_plaintext_flowed": False,
    "mailnews.wraplength": 0,
    "mail.compose.autosave": False,
    "datareporting.policy.dataSubmissionEnabled": False,
}
#: No tip of the day, which would take the keys.
NO_TIP = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry"><item oor:path="/org.openoffice.Office.Common/Misc">
<prop oor:name="ShowTipOfTheDay" oor:op="fuse"><value>false</value></prop></item></oor:items>"""
#: VS Code types no brackets and words of its own.
PLAIN = {
    "editor.autoClosingBrackets": "never",
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
    "editor.autoIndent": "none",
    "workbench.startupEditor": "none",
}
#: From what a key types with Shift to what it types without.
PLAIN_KEYS = {ord(with_it): plain for row in ROWS.values() for plain, with_it in zip(*row, strict=True)}
CHROMIUM = ["--no-sandbox", "--no-first-run", "--password-store=basic", "--disable-gpu", "--lang=en"]
GTK = {"GSK_RENDERER": "cairo"}


class Programs:
    """How each program is started in a folder and a desktop: its window, command, reader and environment."""

    def __init__(self, desktop, folder, held):
        self._desktop, self._folder, self._held = desktop, folder, held
        self._text = folder / "text.txt"
        self._text.write_text("")

    def mousepad(self):
        return "mousepad", ["mousepad", "--disable-server", self._text], session.saved(self._text), GTK

    def gnome_text_editor(self):
        command = ["gnome-text-editor", "--standalone", self._text]
        return "gnome-text-editor", command, session.saved(self._text), GTK

    def featherpad(self):
        return "featherpad", ["featherpad", "--standalone", self._text], session.saved(self._text), {}

    def tea(self):
        # Qt 5 speaks no text-input-v3.
        return "tea", ["tea", self._text], session.saved(self._text), {"QT_IM_MODULE": self._desktop.door}

    def _office(self, kind, ending):
        user, path = self._folder / "profile", self._folder / f"text.{ending}"
        (user / "user").mkdir(parents=True)
        (user / "user" / "registrymodifications.xcu").write_text(NO_TIP)
        path.write_text("")
        command = [
            "soffice",
            f"-env:UserInstallation={user.as_uri()}",
            "--norestore",
            "--nologo",
            f"--{kind}",
        ]
        return "libreoffice", [*command, path], paragraphs(path), {"SAL_USE_VCLPLUGIN": "gtk3"}

    def libreoffice_writer(self):
        return self._office("writer", "fodt")

    def libreoffice_calc(self):
        return self._office("calc", "fods")

    def _terminal(self, name, *command):
        return name, [*command, f"stty -icanon; cat > {self._text}"], lambda _: self._text.read_text(), {}

    def xterm(self):
        return self._terminal("xterm", "xterm", "-e")

    def xfce4_terminal(self):
        return self._terminal("xfce4-terminal", "xfce4-terminal", "--disable-server", "-x", "sh", "-c")

    def thunderbird(self):
        mail = self._folder / "Mail" / "Local Folders"
        (self._folder / "user.js").write_text(_preferences(MAIL))
        written = "to='you@example.org',subject='typing',format=2"
        command = ["thunderbird", "--no-remote", "--profile", self._folder, "-compose", written]
        return "thunderbird", command, draft(mail / "Drafts"), self._mozilla

    @property
    def _mozilla(self):
        wayland = "WAYLAND_DISPLAY" in self._desktop.environment
        return {"MOZ_ENABLE_WAYLAND": str(int(wayland)), "IBUS_ENABLE_SYNC_MODE": "1"}

    def firefox_esr(self):
        address, read = self._held.enter_context(page())
        (self._folder / "user.js").write_text(_preferences({"browser.aboutwelcome.enabled": False}))
        command = ["firefox-esr", "--no-remote", "--profile", self._folder, "--kiosk", address]
        return "firefox", command, read, self._mozilla

    def _chromium(self, address, read):
        wayland = ["--ozone-platform=wayland", "--enable-wayland-ime", "--wayland-text-input-version=3"]
        kind = wayland if "WAYLAND_DISPLAY" in self._desktop.environment else ["--ozone-platform=x11"]
        command = ["chromium", *CHROMIUM, *kind, f"--user-data-dir={self._folder / 'chromium'}"]
        return "chromium", [*command, f"--app={address}"], read, {}

    def chromium(self):
        return self._chromium(*self._held.enter_context(page()))

    def code_server(self):
        """VS Code in Chromium, since its Electron is in no package."""
        home, address = self._folder / "code", f"127.0.0.1:{free_port()}"
        (home / "user" / "User").mkdir(parents=True)
        (home / "user" / "User" / "settings.json").write_text(json.dumps(PLAIN))
        places = ["--user-data-dir", home / "user", "--extensions-dir", home / "extensions"]
        quiet = ["--disable-telemetry", "--disable-update-check", "--disable-workspace-trust"]
        self._desktop.start("code-server", *places, *quiet, "--auth", "none", "--bind-addr", address)
        await_port(address)
        payload = json.dumps([["openFile", f"vscode-remote://{address}{self._text}"]])
        shown = f"http://{address}/?folder={self._folder}&payload={payload}"
        return self._chromium(shown, session.saved(self._text))


def _preferences(values):
    return "\n".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in values.items())


NAMES = {
    "mousepad": "Mousepad (GTK 3)",
    "gnome-text-editor": "GNOME Text Editor (GTK 4)",
    "featherpad": "FeatherPad (Qt 6)",
    "tea": "TEA (Qt 5)",
    "libreoffice-writer": "LibreOffice Writer",
    "libreoffice-calc": "LibreOffice Calc",
    "thunderbird": "Thunderbird, a message",
    "code-server": "VS Code in Chromium",
    "chromium": "Chromium",
    "firefox-esr": "Firefox",
    "xterm": "xterm",
    "xfce4-terminal": "Xfce Terminal (VTE)",
}
#: By the name of a session: what begins it.
SESSIONS = {
    "X": session.Desktop,
    "sway": wayland.Wayland,
    "XWayland": lambda *where: wayland.Wayland(*where, through_x=True),
    "labwc": lambda *where: wayland.Wayland(*where, "labwc"),
    "KWin": lambda *where: wayland.Wayland(*where, "kwin"),
    "Fcitx, X": lambda *where: session.Desktop(*where, "fcitx"),
    "Fcitx, sway": lambda *where: wayland.Wayland(*where, "sway", "fcitx"),
    "Fcitx, KWin": lambda *where: wayland.Wayland(*where, "kwin", "fcitx"),
    "Fcitx, labwc": lambda *where: wayland.Wayland(*where, "labwc", "fcitx"),
}


@pytest.fixture(scope="module", params=SESSIONS)
def desktop(request, service, needs_program, tmp_path_factory):
    if not os.environ.get("TEST_PROGRAMS"):
        pytest.skip(
            "types into twelve programs where TEST_PROGRAMS names a file for the counts: two hours and more"
        )
    screen = request.param.removeprefix("Fcitx, ")
    needs_program({"X": "Xvfb", "XWayland": "sway", "KWin": "kwin_wayland"}.get(screen, screen), screen)
    service.ask("/v1/switches", corrections="offer")
    made = SESSIONS[request.param](tmp_path_factory.mktemp("desktop"), service.settings.home)
    made.name = request.param
    yield made
    made.close()


def counted(typed, found):
    """How many keys are missing, are there though nobody typed them, and are there with the wrong Shift."""
    typed, found = (" ".join(text.split()) for text in (typed, found))
    same = LCSseq.similarity(*(text.translate(PLAIN_KEYS) for text in (typed, found)))
    shifted = same - LCSseq.similarity(typed, found)
    return {"keys": len(typed), "lost": len(typed) - same, "added": len(found) - same, "shifted": shifted}


def still(editor, expected):
    """What stands there once it is `expected`, or nothing more comes; without the keys that tried the program."""
    seen = []

    def ended():
        seen.append(" ".join(re.sub(r"^[qQ\s]+", "", editor.text).split()))
        editor.rest()  # it may be saving
        return seen[-1] == expected or (len(seen) > 8 and len(set(seen[-8:])) == 1)

    session.wait_for(ended, f"the end of {editor.name}")
    return seen[-1]


@pytest.mark.parametrize("name", NAMES)
def test_keys_stand_in_their_places(desktop, needs_program, tmp_path, name):
    needs_program(name.replace("libreoffice-", "lo"), name)
    if name == "xterm" and "WAYLAND_DISPLAY" in desktop.environment:
        pytest.skip("speaks X alone")
    with contextlib.ExitStack() as held:
        programs = Programs(desktop, tmp_path, held)
        window, command, read, environment = getattr(programs, name.replace("-", "_"))()
        editor = session.Editor(desktop, window, [*map(str, command)], read, environment, slow=True)
        held.callback(editor.close)
        row, before = Counter(), still(editor, "")
        for speed_ms in SPEEDS_MS:
            desktop.type(f"\n{TEXT}", delay_ms=speed_ms)
            whole = still(editor, " ".join([*before.split(), *TEXT.split()]))
            row.update(counted(TEXT, whole.removeprefix(before)))
            before = whole
    usual = known(name, desktop.name)  # before it is written anew
    record(name, desktop.name, row)
    assert not exceeding(row, usual), (row, usual)


def test_more_wrong_keys_than_are_known_are_found():
    usual = known("mousepad", "sway")
    assert usual["lost"] > 0, "docs/keyboard.md says that keys are lost there"
    assert not exceeding(usual, usual)
    for kind in WRONG:
        assert exceeding({**usual, kind: usual.get(kind, 0) + 1}, usual) == [kind]
    assert exceeding({"keys": 764, "lost": 1, "added": 0, "shifted": 0}, known("mousepad", "nowhere")) == [
        "lost"
    ]
    assert counted("12 boats go Out", "12 boats o out") == {"keys": 15, "lost": 1, "added": 0, "shifted": 1}
    assert counted("at noon", "at nooon") == {"keys": 7, "lost": 0, "added": 1, "shifted": 0}


def known(name, where):
    """The wrong keys that docs/typing.json counts in a program of a session; none where it has no count."""
    return json.loads(KNOWN.read_text()).get(NAMES[name], {}).get(where, {})


def exceeding(row, usual):
    """The kinds of wrong keys of which there are more than usual."""
    return [kind for kind in WRONG if row.get(kind, 0) > usual.get(kind, 0)]


def record(name, where, row):
    """Keep what was counted for docs/keyboard.md."""
    results = Path(os.environ["TEST_PROGRAMS"])
    rows = json.loads(results.read_text()) if results.exists() else {}
    rows.setdefault(NAMES[name], {})[where] = row
    results.write_text(json.dumps({one: rows[one] for one in NAMES.values() if one in rows}, indent=1) + "\n")
