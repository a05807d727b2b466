"""The extension, the host that browsers start, and where they find it."""

import asyncio
import json
import os
import shutil
import struct
import subprocess
import sys
import tomllib
import tracemalloc
import zipfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from serving import serving

from idiolect.daemon.clients.browser import host
from idiolect.daemon.clients.browser.manifests import write_extension
from idiolect.daemon.clients.browser.typed_lines import Learn, newly_typed
from idiolect.daemon.clients.setup.browser_place import Browsers
from idiolect.daemon.clients.setup.place import SetupRefusedError, Target
from idiolect.daemon.settings import Settings
from idiolect.daemon.text.typed_text import Pauses

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
    (tmp_path / ".config/chromium").mkdir(parents=True)
    *_, chromium, firefox = Browsers().install(Target(settings, into=tmp_path / "built"))
    folder, archive = tmp_path / "built/extension", tmp_path / "built/idiolect.xpi"
    assert f"load {folder}." in chromium
    assert f"load {folder}/manifest.json, or install {archive}." in firefox
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


# --- what was written ---


#: When something was typed: before, in and after a pause from 1,000 to 2,000.
BEFORE_S, IN_S, AFTER_S = 900, 1500, 2100


def line(*parts, before=""):
    """A line as the extension tells it, of texts and their marks."""
    marks = [[len(text.encode("utf-16-le")) // 2, mark] for text, mark in parts]
    return {"text": "".join(text for text, _ in parts), "marks": marks, "before": before}


def typed(*lines, pauses=((1000, 2000),)):
    """What is sent to be learned of these lines: texts, and what stood before each."""
    told = Learn.model_validate({"lines": lines, "site": "notes.test"})
    return [(one.text, one.before) for one in newly_typed(told.lines, Pauses(pauses))]


def test_of_a_line_those_words_are_sent_that_are_wholly_its_users_and_new():
    assert typed(line(("See you at noon.\n", AFTER_S))) == [("See you at noon.", "")]
    assert typed(line(("Theirs ", 0), ("and mine", AFTER_S))) == [("and mine", "Theirs ")]
    assert typed(line(("I like ", AFTER_S), ("cars ", 0), ("a lot", AFTER_S))) == [
        ("I like", ""),
        ("a lot", "I like cars "),
    ]
    assert typed(line(("I wri", AFTER_S), ("tten", 0), (" it", AFTER_S))) == [("I", ""), ("it", "I written ")]
    assert typed(line(("So ", AFTER_S), ("then ", -AFTER_S), ("we go", AFTER_S))) == [("So then we go", "")]
    assert typed(line(("rec", -AFTER_S), ("ei", AFTER_S), ("ve it now", -AFTER_S))) == [("receive", "")]
    assert typed(line(("> a quoted line", AFTER_S))) == typed(line(("...", AFTER_S))) == []
    assert typed(line(("4471", AFTER_S), before="x" * 600 + "My PIN is "))[0][1] == "x" * 390 + "My PIN is "


def test_of_characters_of_two_units_each_mark_is_of_its_own():
    assert typed(line(("😀 ", 0), ("mine 😀 here", AFTER_S))) == [("mine 😀 here", "😀 ")]
    assert typed({"text": "mine", "marks": [[3, AFTER_S]]}) == []  # of another length: whose is what?


def test_marks_of_more_characters_than_a_line_has_take_no_memory():
    told = Learn.model_validate(
        {"lines": [{"text": "mine", "marks": [[200_000, AFTER_S]] * 10}], "site": "notes.test"}
    )
    tracemalloc.start()
    try:
        assert newly_typed(told.lines, Pauses(())) == []
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_what_was_typed_in_a_pause_is_not_sent():
    mixed = line(("before it ", BEFORE_S), ("within it ", IN_S), ("after it", AFTER_S))
    assert typed(mixed) == [("before it", ""), ("after it", "before it within it ")]
    assert typed(line(("its beginning", 1000)), line(("its end", 2000))) == []
    assert typed(
        line(("so ", AFTER_S), ("secret", -IN_S), (" it is", AFTER_S), (" secre", -IN_S), ("t", AFTER_S))
    ) == [
        ("so", ""),
        ("it is", "so secret "),
    ]
    assert typed(mixed, pauses=[(1000, None)]) == [("before it", "")]


#: What becomes of a field, step by step: what it holds, what its user has typed, whether they gave a command.
AUTHORSHIP = """
import {{ readFileSync }} from "node:fs";
globalThis.idiolect = {{}};
(0, eval)(readFileSync({path}, "utf-8"));
const told = {cases}.map(([text, ...steps]) => {{
  const own = new idiolect.authorship.Authorship(text);
  for (const [found, typed = "", command = false] of steps) own.become(found, {{ typed, command, atMs: 5000000 }});
  return own.take(true);
}});
console.log(JSON.stringify(told));
"""


def of_its_user(needs_program, *cases):
    """Of each field that changes in steps, the runs of words that are its user's."""
    path = json.dumps(str(EXTENSION / "content" / "authorship.js"))
    told = node(AUTHORSHIP.format(path=path, cases=json.dumps(cases)), needs_program)
    return [[text for text, _ in typed(*lines, pauses=())] for lines in told]


def test_only_what_is_shown_just_as_it_was_typed_is_its_users(needs_program):
    long = "\n".join(f"Line {number} of theirs" for number in range(400))
    cases = {
        "a word": (["", ["Hi", "Hi"]], ["Hi"]),
        "a word in theirs": (["to  you", ["to all you", "all"]], ["all"]),
        "letters in their word": (["tosee", ["to ally see", "x"]], []),
        "theirs behind it": (["", ["Hi", "Hi"], ["Hi and buy"]], ["Hi"]),
        "theirs behind it, at once": (["", ["Hi and buy", "Hi"]], ["Hi"]),
        "theirs around it": (["", ["Hello", "Hello"], ["We say: Hello (buy)"]], ["Hello"]),
        "theirs above and below it": (
            [long, [f"{long}\nmine is here", "mine is here"], [f"buy\n{long}\nmine is here\nbuy"]],
            ["mine is here"],
        ),
        "another text in its place": (["", ["Hello", "Hello"], ["Goodbye"]], []),
        "another case": (["", ["HELLO", "hello"]], []),
        "a word that theirs cut": (["", ["password", "password"], ["pass"]], []),
        "a word that theirs parted": (["", ["together", "together"], ["to gether"]], []),
        "a word that theirs parted while it was typed": (
            ["", ["to", "to"], ["to "], ["to gether", "gether"]],
            [],
        ),
        "words that theirs joined": (["", ["do not go on", "do not go on"], ["do go on"]], ["do", "on"]),
        "letters that theirs left": (["", ["bxuxy", "bxuxy"], ["buxy"], ["buy"]], []),
        "typed over what was selected": (["Theirs is old", ["Theirs is mine", "mine"]], ["mine"]),
        "removed and brought back": (
            ["", ["own words", "own words"], ["", "", True], ["own words", "", True]],
            ["own words"],
        ),
        "brought in from elsewhere": (["", ["own", "own"], ["own and theirs", "", True]], ["own"]),
        "not removed by its user": (["", ["own words", "own words"], [""]], ["own words"]),
        "removed by its user": (["", ["own words", "own words"], ["", "", True]], []),
        "put in the place of a mistake": (["", ["ok teh", "ok teh"], ["ok the ", "the "]], ["ok the"]),
        "behind half a character": (["😀" * 300, ["😀" * 300 + "\nmine", "mine"]], ["mine"]),
        "out of sight": ([long, [f"{long}\nmine", "mine"], ["Another line\nand another"]], ["mine"]),
    }
    found = of_its_user(needs_program, *(steps for steps, _ in cases.values()))
    assert dict(zip(cases, found, strict=True)) == {name: expected for name, (_, expected) in cases.items()}


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
        {"id": 2, "do": "learn", "site": "notes.test", "lines": []},
        {"id": 3, "do": "state"},
        {"id": 4, "do": "forget"},
        {"id": 5},
        {"id": 6, "do": "menu", "frames": [1]},
    )
    assert told[0]["answer"]["protocol"] == host.PROTOCOL
    assert [one["problem"] for one in told[1:5]] == [*["stopped"] * 2, *["unknown"] * 2]
    assert {one["problem"] for one in told[1:5]} <= set(host.PROBLEMS)
    assert told[5]["answer"] == {"lines": []}


LINE = {"text": "See you at the dock", "marks": [[19, 1_000_000_000]], "before": "Hi. "}
TOLD = {"do": "learn", "site": "notes.test", "lines": [LINE]}


def test_what_the_service_did_not_take_waits_in_the_host_and_is_learned_once(
    tiny_profile, tmp_path, monkeypatch
):
    monkeypatch.setattr("idiolect.daemon.clients.link._RECONNECT_S", 0.0)
    settings, said = tiny_profile(tmp_path / "profile"), []

    async def talk():
        read = asyncio.StreamReader()
        serving_browser = asyncio.ensure_future(host.Host(settings, said.append).serve(read))
        for message in (TOLD, {"do": "rest"}):
            count = len(said)
            read.feed_data(framed({**message, "id": count}))
            while len(said) == count:
                await asyncio.sleep(0.01)
        with ExitStack() as ends:  # the service is another process's, and not of this loop's thread
            site = await asyncio.to_thread(ends.enter_context, serving(settings))
            read.feed_eof()
            await serving_browser
            entries = await asyncio.to_thread(lambda: list(site.service.store.entries.select()))
            await asyncio.to_thread(ends.pop_all().close)
            return entries

    [entry] = asyncio.run(talk())
    assert (entry.text, entry.source, entry.at.year) == (LINE["text"], "notes.test", 2001)
    stopped, waits = (json.loads(data[LENGTH.size :]) for data in said)
    assert stopped["problem"] == "stopped"
    assert waits["answer"] == {"waits": True}


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
        framed({"id": 1, "do": "learn", "site": "notes.test", "lines": 5}),
        framed({"id": 1, "do": "learn", "site": "notes.test", "lines": [{"text": 5, "marks": []}]}),
        framed({"id": 1, "do": ["learn"]}),
        framed({"id": {"deep": 1}, "do": "hello"}),
        framed({"do": "typed", "frame": 1, "learns": True, "events": [["key", "a"]]}),
        framed({"do": "typed", "frame": "1"}),
        LENGTH.pack(len(DEEP)) + DEEP,
    ],
    ids=range(12),
)
def test_what_is_no_message_ends_it(settings, sent):
    with pytest.raises(BaseExceptionGroup) as failed:
        answers(settings, sent)
    assert failed.group_contains(host.BrowserMessageError)


@pytest.mark.parametrize(("site", "source"), [("mail.example.org", "mail.example.org"), ("mail", "mail.")])
def test_no_site_is_filed_as_a_source_of_the_programs_own(site, source):
    assert host.source_of(site) == source


@pytest.mark.parametrize("sent", [b"[" * 100_000, b'{"id": 1, "do": "learn", "lines": 5, "site": "a.test"}'])
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
