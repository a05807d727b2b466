"""The extension, the host that browsers start, and where they find it."""

import asyncio
import json
import os
import shutil
import struct
import subprocess
import sys
import tomllib
import zipfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from serving import serving

from idiolect.daemon.clients.browser import host
from idiolect.daemon.clients.browser.manifests import write_extension
from idiolect.daemon.clients.browser.page_door import source_of
from idiolect.daemon.clients.setup.browser_place import Browsers
from idiolect.daemon.clients.setup.place import SetupRefusedError, Target
from idiolect.daemon.settings import Settings

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "daemon" / "clients" / "browser" / "extension"
LENGTH = struct.Struct("=I")
#: As deep as it can be read.
DEEP = b'{"id": 1, "do": "suggest", "prefix": ' + b"[" * 950 + b"]" * 950 + b"}"


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """A profile of a user who has a home of their own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    return Settings(home=tmp_path / "it's mine", keyring=False).prepare()


# --- the manifests ---


def install(settings):
    """Set the browsers up; how they stand then."""
    target = Target(settings)
    Browsers().install(target)
    return Browsers().states(target)


def test_each_browser_that_is_there_is_told_of_the_host_and_of_its_own_extension(settings, tmp_path):
    for folder in (".config/chromium", ".config/BraveSoftware/Brave-Browser", ".mozilla/firefox"):
        (tmp_path / folder).mkdir(parents=True)
    states = {state.browser: state for state in install(settings)}
    assert states.keys() == {"Chromium", "Brave", "Firefox"}
    assert all(state.installed and state.current for state in states.values())
    about = json.loads((EXTENSION / "manifest.json").read_text("utf-8"))
    chromium = json.loads(Path(states["Chromium"].path).read_text())
    assert chromium["allowed_origins"] == ["chrome-extension://ogioiejpocfkaninpekhlpbbagbgcppd/"]
    assert chromium["path"] == str(settings.browser_host_path)
    firefox = json.loads((tmp_path / ".mozilla/native-messaging-hosts/idiolect.json").read_text())
    assert firefox["allowed_extensions"] == [about["browser_specific_settings"]["gecko"]["id"]]
    assert settings.browser_host_path.stat().st_mode & 0o777 == 0o700
    assert settings.owns(settings.browser_host_path)


def test_without_a_browser_it_says_so(settings):
    assert Browsers().states(Target(settings)) == []
    with pytest.raises(SetupRefusedError, match="once"):
        install(settings)


def test_removing_takes_what_is_ours_alone(settings, tmp_path):
    for folder in ("chromium", "google-chrome"):
        (tmp_path / ".config" / folder / "NativeMessagingHosts").mkdir(parents=True)
    theirs = tmp_path / ".config/chromium/NativeMessagingHosts/other.json"
    theirs.write_text("{}")
    install(settings)
    elsewhere = Settings(home=tmp_path / "another", keyring=False)
    assert Browsers().remove(Target(elsewhere)) == []
    gone = Browsers().remove(Target(settings))
    assert len(gone) == 4
    assert theirs.exists()
    assert not any(state.installed for state in Browsers().states(Target(settings)))
    assert Browsers().remove(Target(settings)) == []


def test_another_version_of_the_program_is_no_longer_current(settings, tmp_path):
    (tmp_path / ".config/chromium").mkdir(parents=True)
    install(settings)
    settings.browser_host_path.write_text("#!/bin/sh\n")
    [state] = Browsers().states(Target(settings))
    assert (state.installed, state.current) == (True, False)


def test_a_sandbox_is_said_to_keep_the_extension_from_its_host(settings, tmp_path):
    (tmp_path / ".var/app/org.chromium.Chromium/config/chromium").mkdir(parents=True)
    (tmp_path / "snap/firefox/common/.mozilla").mkdir(parents=True)
    states = {state.browser: state for state in install(settings)}
    assert not states["Chromium (Flatpak)"].works
    assert not Path(states["Chromium (Flatpak)"].path).exists()
    assert "portal" in states["Firefox (Snap)"].limit
    assert states["Firefox (Snap)"].current


# --- the extension ---


def test_the_whole_extension_is_written_and_it_is_said_how_each_browser_loads_it(settings, tmp_path):
    for place in (".config/chromium", ".mozilla/firefox"):
        (tmp_path / place).mkdir(parents=True)
    chromium, firefox = "\n".join(Browsers().install(Target(settings, into=tmp_path / "built"))).split(
        "Add the extension to "
    )[1:]
    folder, archive = tmp_path / "built/extension", tmp_path / "built/idiolect.xpi"
    assert chromium.startswith("Chromium:\n1. Open `chrome://extensions`.")
    assert f"choose the folder `{folder}`." in chromium
    assert firefox.startswith("Firefox, anew each time that it starts:\n1. Open `about:debugging")
    assert f"choose the file `{folder}/manifest.json`." in firefox
    files = {path.relative_to(EXTENSION).as_posix() for path in EXTENSION.rglob("*") if path.is_file()}
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == files
    with zipfile.ZipFile(archive) as packed:
        assert {name for name in packed.namelist() if not name.endswith("/")} == files


def test_the_extension_is_of_the_program_s_version_and_asks_for_no_page_at_first(tmp_path):
    write_extension(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text("utf-8"))
    assert (
        manifest["version"]
        == tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    )
    assert manifest["incognito"] == "not_allowed"
    assert "host_permissions" not in manifest
    assert manifest["action"]["default_area"] == "navbar"  # else Firefox puts the button into a menu


def test_the_extension_reaches_nothing_but_its_host():
    for path in (*EXTENSION.rglob("*.js"), *EXTENSION.rglob("*.html")):
        text = path.read_text("utf-8")
        for word in ("fetch(", "XMLHttpRequest", "WebSocket", "sendBeacon", "innerHTML", "eval("):
            assert word not in text, f"{path.name}: {word}"


def node(code, needs_program):
    program = needs_program("node", "nodejs")
    done = subprocess.run(
        [program, "--input-type=module", "-e", code], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_banks_and_password_managers_are_never_asked_for(needs_program, tmp_path):
    never = [
        *("chase.com", "secure.chase.com", "www.sparkasse-koelnbonn.de", "my-bank.example"),
        *("vault.bitwarden.com", "onlinebanking.example", "netbank.example.dk"),
    ]
    others = [
        "purchase.com",
        "foodbanks.example",
        "databank-notes.example",
        "mail.example.org",
        "banksy.example",
    ]
    copy = tmp_path / "never_sites.mjs"
    copy.write_text((EXTENSION / "never_sites.js").read_text("utf-8"))
    code = f"import {{ isNever }} from {json.dumps(copy.as_uri())};"
    code += f"console.log(JSON.stringify({json.dumps([never, others])}.map((all) => all.filter(isNever))))"
    assert node(code, needs_program) == [never, []]


# --- the host ---


def answers(settings, *messages):
    """What the host says to these messages, each an object or bytes as they are."""
    said = []

    async def talk():
        read = asyncio.StreamReader()
        for message in messages:
            body = message if isinstance(message, bytes) else framed(message)
            read.feed_data(body)
        read.feed_eof()
        await host.Host(settings, said.append).serve(read)

    asyncio.run(talk())
    found = [json.loads(data[LENGTH.size :]) for data in said]
    return sorted(found, key=lambda one: one["id"])


def framed(message):
    body = json.dumps(message).encode()
    return LENGTH.pack(len(body)) + body


def test_it_greets_and_says_that_no_service_runs(settings):
    told = answers(
        settings,
        {"id": 1, "do": "hello"},
        {"id": 3, "do": "state"},
        {"id": 4, "do": "forget"},
        {"id": 5},
        {"id": 6, "do": "menu", "frames": [1]},
    )
    assert told[0]["answer"]["protocol"] == host.PROTOCOL
    assert [one["problem"] for one in told[1:4]] == ["stopped", *["unknown"] * 2]
    assert {one["problem"] for one in told[1:4]} <= set(host.PROBLEMS)
    assert told[4]["answer"] == {"lines": []}


#: A field of a page in which something is typed, and which is left; with a character that JavaScript counts as two.
TYPED = "😀 See you at the dock 😀 then"
TOLD = {
    "do": "typed",
    "frame": 1,
    "site": "notes.test",
    "events": [
        ["field", 1, "", True, True, "😀 "],
        ["input", "insertText", "See you at the dock 😀 then"],
        ["holds", 3, 3, "See you at the dock 😀 then"],
        ["away"],
    ],
}


@pytest.fixture
def learned_in_page(tiny_profile, tmp_path, monkeypatch):
    """`learned_in_page(*messages)`: what is learned of them by a service that starts behind them, and what was said."""
    monkeypatch.setattr("idiolect.daemon.clients.service_link._RECONNECT_S", 0.0)
    settings, said = tiny_profile(tmp_path / "profile"), []

    async def talk(messages):
        read = asyncio.StreamReader()
        serving_browser = asyncio.ensure_future(host.Host(settings, said.append).serve(read))
        for message in (*messages, {"do": "rest", "id": 9}):
            read.feed_data(framed(message))
        while not any(b'"waits"' in data for data in said):
            await asyncio.sleep(0.01)
        with ExitStack() as ends:  # the service is another process's, and not of this loop's thread
            site = await asyncio.to_thread(ends.enter_context, serving(settings))
            read.feed_eof()
            await serving_browser
            entries = await asyncio.to_thread(lambda: list(site.service.store.entries.select()))
            await asyncio.to_thread(ends.pop_all().close)
            return entries

    return lambda *messages: (asyncio.run(talk(messages)), [json.loads(data[LENGTH.size :]) for data in said])


def test_what_the_service_did_not_take_waits_in_the_host_and_is_learned_once(learned_in_page):
    [entry], said = learned_in_page(TOLD)
    assert (entry.text, entry.source) == (TYPED[2:], "notes.test")
    assert said[-1]["answer"] == {"waits": True}


def test_of_a_site_that_is_not_learned_any_more_nothing_is(learned_in_page):
    field, *typed, away = TOLD["events"]
    told = [{**TOLD, "events": [field, *typed]}, {**TOLD, "events": [], "site": None}]
    assert learned_in_page(*told, {**TOLD, "events": [away]})[0] == []


#: A browser that rejects each of its calls once, and what is registered in it.
SITES = """
import {{ Sites }} from {path};
const failed = new Set(), kept = {{}}, registered = new Map();
const call = (name, work) => async (about) => {{
  if (!failed.has(name)) throw failed.add(name);
  return work(about);
}};
const event = {{ addListener() {{}} }};
const put = ([script]) => void registered.set(script.id, script.matches);
const api = {{
  storage: {{
    local: {{
      get: call("get", async (name) => ({{ [name]: kept[name] }})),
      set: call("keep", async (more) => Object.assign(kept, more)),
    }},
    session: {{ remove: async () => {{}} }},
  }},
  permissions: {{ onAdded: event, onRemoved: event, contains: call("contains", async () => true) }},
  runtime: {{ onInstalled: event, onStartup: event }},
  scripting: {{
    getRegisteredContentScripts: call("which", async () => [...registered.keys()].map((id) => ({{ id }}))),
    registerContentScripts: call("register", async (all) => put(all)),
    updateContentScripts: call("update", async (all) => put(all)),
  }},
  tabs: {{ query: call("tabs", async () => []) }},
}};
globalThis.setTimeout = (work) => void queueMicrotask(work); // what is tried again later is tried now
const sites = new Sites(api), rejected = [];
for (const site of ["a.test", "a.test", "a.test", "b.test"])
  await sites.set(site, "learn").catch(() => rejected.push(site));
const settled = () => new Promise((then) => setImmediate(then));
for (let turn = 0; turn < 20; turn++) await settled();
const modes = [await sites.modeOf("a.test"), await sites.modeOf("b.test")];
console.log(JSON.stringify({{ registered: [...registered], modes, rejected }}));
"""


@pytest.fixture
def background(needs_program, tmp_path):
    """`background(script, file)`: what a script says that imports this file of the extension as `path`."""

    def run(script, file):
        copy = tmp_path / "extension"
        shutil.copytree(EXTENSION, copy)
        (copy / "package.json").write_text('{"type": "module"}')
        return node(script.format(path=json.dumps((copy / file).as_uri())), needs_program)

    return run


def test_a_call_that_the_browser_rejects_leaves_the_next_ones_to_be_made(background):
    found = background(SITES, "background/sites.js")
    assert found == {
        "registered": [["fields", ["*://a.test/*", "*://b.test/*"]]],
        "modes": ["learn", "learn"],
        "rejected": ["a.test", "a.test"],
    }


@pytest.mark.parametrize(
    "sent",
    [
        *(LENGTH.pack(2**30), LENGTH.pack(4) + b"{{{{", framed([1]), LENGTH.pack(2) + b"\xff\xfe"),
        LENGTH.pack(200_000) + b"[" * 100_000 + b"]" * 100_000,
        framed({"id": 1, "do": ["learn"]}),
        framed({"id": {"deep": 1}, "do": "hello"}),
        framed({"do": "typed", "frame": 1, "site": "notes.test", "events": [["key", "a"]]}),
        framed({"do": "typed", "frame": 1, "site": "notes.test", "events": [["holds", 0, "0", "a"]]}),
        framed({"do": "typed", "frame": 1, "site": None, "events": [["text", 0, "a", 5]]}),
        framed({"do": "typed", "frame": 1, "site": 5, "events": []}),
        framed({"do": "typed", "frame": "1"}),
        LENGTH.pack(len(DEEP)) + DEEP,
    ],
    ids=range(13),
)
def test_what_is_no_message_ends_it(settings, sent):
    with pytest.raises(BaseExceptionGroup) as failed:
        answers(settings, sent)
    assert failed.group_contains(host.BrowserMessageError)


@pytest.mark.parametrize(("site", "source"), [("mail.example.org", "mail.example.org"), ("mail", "mail.")])
def test_no_site_is_filed_as_a_source_of_the_programs_own(site, source):
    assert source_of(site) == source


@pytest.mark.parametrize("sent", [b"[" * 100_000, b'{"do": "typed", "frame": 1, "events": 5}'])
def test_what_no_extension_sends_ends_the_program_with_its_own_number(settings, sent):
    done = subprocess.run(
        [sys.executable, "-m", "idiolect.daemon.clients.browser"],
        env={**os.environ, "IDIOLECT_HOME": str(settings.home)},
        input=LENGTH.pack(len(sent)) + sent,
        capture_output=True,
        check=False,
    )
    assert done.returncode == host.BrowserMessageError.exit_code
    assert b"Traceback" not in done.stderr


def test_the_program_that_browsers_start_speaks_for_its_profile(settings, tmp_path):
    (tmp_path / ".config/chromium").mkdir(parents=True)
    install(settings)
    done = subprocess.run(
        [settings.browser_host_path, "chrome-extension://abc/"],
        input=framed({"id": 1, "do": "hello"}),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout[LENGTH.size :])["answer"]["protocol"] == host.PROTOCOL


@pytest.mark.parametrize("kind", ["file", "null"])
def test_the_host_says_that_it_is_for_browsers_where_no_program_talks_to_it(settings, tmp_path, kind):
    (tmp_path / "file").write_text("no message of the extension")
    with Path(os.devnull if kind == "null" else tmp_path / "file").open("rb") as given:
        done = subprocess.run(
            [sys.executable, "-m", "idiolect.daemon.clients.browser"],
            env={**os.environ, "IDIOLECT_HOME": str(settings.home)},
            stdin=given,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == host.BrowserMessageError.exit_code
    assert "for browsers" in done.stderr
