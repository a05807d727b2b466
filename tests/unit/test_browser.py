"""The extension's packages, the host that browsers start, and where they find it."""

import asyncio
import json
import os
import struct
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from idiolect.daemon.browser import host, installing, manifests, package
from idiolect.daemon.browser.written import newly_written
from idiolect.daemon.commandline.cli import app
from idiolect.daemon.settings import Settings

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "daemon" / "browser" / "extension"
LENGTH = struct.Struct("=I")


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """A profile of a user who has a home of their own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    return Settings(home=tmp_path / "it's mine", keyring=False).prepare()


# --- the manifests ---


def test_each_browser_that_is_there_is_told_of_the_host_and_of_its_own_extension(settings, tmp_path):
    for folder in (".config/chromium", ".config/BraveSoftware/Brave-Browser", ".mozilla/firefox"):
        (tmp_path / folder).mkdir(parents=True)
    states = {state.browser: state for state in installing.install(settings)}
    assert states.keys() == {"Chromium", "Brave", "Firefox"}
    assert all(state.installed and state.current for state in states.values())
    about = manifests.about()
    chromium = json.loads(Path(states["Chromium"].path).read_text())
    assert chromium["allowed_origins"] == ["chrome-extension://ogioiejpocfkaninpekhlpbbagbgcppd/"]
    assert chromium["path"] == str(settings.browser_host_path)
    firefox = json.loads((tmp_path / ".mozilla/native-messaging-hosts/idiolect.json").read_text())
    assert firefox["allowed_extensions"] == [about["browser_specific_settings"]["gecko"]["id"]]
    assert settings.browser_host_path.stat().st_mode & 0o777 == 0o700
    assert settings.owns(settings.browser_host_path)


def test_without_a_browser_it_says_so(settings):
    assert installing.status(settings) == []
    with pytest.raises(installing.NoBrowserError, match="once"):
        installing.install(settings)


def test_removing_takes_what_is_ours_alone(settings, tmp_path):
    for folder in ("chromium", "google-chrome"):
        (tmp_path / ".config" / folder / "NativeMessagingHosts").mkdir(parents=True)
    theirs = tmp_path / ".config/chromium/NativeMessagingHosts/other.json"
    theirs.write_text("{}")
    installing.install(settings)
    elsewhere = Settings(home=tmp_path / "another", keyring=False)
    assert installing.remove(elsewhere) == []
    gone = installing.remove(settings)
    assert len(gone) == 3
    assert theirs.exists()
    assert not any(state.installed for state in installing.status(settings))
    assert installing.remove(settings) == []


def test_another_version_of_the_program_is_no_longer_current(settings, tmp_path):
    (tmp_path / ".config/chromium").mkdir(parents=True)
    installing.install(settings)
    settings.browser_host_path.write_text("#!/bin/sh\n")
    [state] = installing.status(settings)
    assert (state.installed, state.current) == (True, False)


def test_a_sandbox_is_said_to_keep_the_extension_from_its_host(settings, tmp_path):
    (tmp_path / ".var/app/org.chromium.Chromium/config/chromium").mkdir(parents=True)
    (tmp_path / "snap/firefox/common/.mozilla").mkdir(parents=True)
    states = {state.browser: state for state in installing.install(settings)}
    assert not states["Chromium (Flatpak)"].works
    assert not Path(states["Chromium (Flatpak)"].path).exists()
    assert "portal" in states["Firefox (Snap)"].limit
    assert states["Firefox (Snap)"].current


def test_a_folder_that_cannot_be_written_is_named(settings, tmp_path):
    (tmp_path / ".config/chromium").mkdir(parents=True)
    (tmp_path / ".config/chromium/NativeMessagingHosts").write_text("a file")
    with pytest.raises(installing.ManifestError, match="NativeMessagingHosts"):
        installing.install(settings)


# --- the packages ---


def test_a_package_holds_the_whole_extension_and_what_its_browser_needs(tmp_path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    built = {one.browser: one for one in package.build(tmp_path / "built")}
    sources = {path.relative_to(EXTENSION).as_posix() for path in EXTENSION.rglob("*") if path.is_file()}
    told = {}
    for browser, one in built.items():
        with zipfile.ZipFile(one.archive) as archive:
            assert set(archive.namelist()) == sources
            told[browser] = json.loads(archive.read("manifest.json"))
        assert told[browser] == json.loads((Path(one.folder) / "manifest.json").read_text())
        assert told[browser]["version"] == project["version"]
        assert told[browser]["incognito"] == "not_allowed"
        assert "host_permissions" not in told[browser]
    assert "service_worker" in told["chromium"]["background"]
    assert "browser_specific_settings" not in told["chromium"]
    assert "scripts" in told["firefox"]["background"]
    assert "key" not in told["firefox"]
    assert told["firefox"]["action"]["default_area"] == "navbar"  # else the button is in a menu
    assert "default_area" not in told["chromium"]["action"]


def test_it_is_said_what_each_browser_is_to_load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    chromium, firefox = (
        CliRunner().invoke(app, ["browser", "build"]).output.replace("\n", "").split("Firefox: ")
    )
    assert f"load {tmp_path}/idiolect-browser/chromium " in chromium
    assert f"load {tmp_path}/idiolect-browser/firefox/manifest.json" in firefox


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


@pytest.mark.parametrize(
    ("before", "after", "pasted", "new"),
    [
        ("", "See you at noon.", [], ["See you at noon."]),
        ("Theirs was here.", "Theirs was here.\nMine came after it.", [], ["Mine came after it."]),
        ("", "My own words.\n\nOn Monday, Ada wrote:\n> her words", [], ["My own words."]),
        ("", "Look at this:\nA line from another page.", ["A line from another page."], ["Look at this:"]),
        ("The same as before.", "The same as before.", [], []),
        ("", "   \n\n", [], []),
        ("", "x" * 300_000, [], []),
    ],
)
def test_only_what_is_new_and_typed_is_learned(before, after, pasted, new):
    assert [typed.text for typed in newly_written(before, after, pasted)] == new


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
        {"id": 2, "do": "suggest", "prefix": "See you tomo"},
        {"id": 3, "do": "state"},
        {"id": 4, "do": "forget"},
        {"id": 5},
    )
    assert told[0]["answer"]["protocol"] == host.PROTOCOL
    assert [one["problem"] for one in told[1:]] == ["stopped", "stopped", "unknown", "unknown"]
    assert {one["problem"] for one in told[1:]} <= set(host.PROBLEMS)


@pytest.mark.parametrize(
    "sent", [LENGTH.pack(2**30), LENGTH.pack(4) + b"{{{{", framed([1]), LENGTH.pack(2) + b"\xff\xfe"]
)
def test_what_is_no_message_ends_it(settings, sent):
    with pytest.raises(BaseExceptionGroup) as failed:
        answers(settings, sent)
    assert failed.group_contains(host.BrowserMessageError)


def test_the_program_that_browsers_start_speaks_for_its_profile(settings, tmp_path):
    (tmp_path / ".config/chromium").mkdir(parents=True)
    installing.install(settings)
    done = subprocess.run(
        [settings.browser_host_path, "chrome-extension://abc/"],
        input=framed({"id": 1, "do": "hello"}),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout[LENGTH.size :])["answer"]["protocol"] == host.PROTOCOL


@pytest.mark.parametrize("kind", ["file", "null"])
def test_the_host_says_that_it_is_for_browsers_where_no_program_talks_to_it(settings, tmp_path, kind):
    (tmp_path / "file").write_text("no message of the extension")
    command = "from idiolect.daemon.commandline.cli import main; main()"
    with Path(os.devnull if kind == "null" else tmp_path / "file").open("rb") as given:
        done = subprocess.run(
            [sys.executable, "-c", command, "browser", "host"],
            env={**os.environ, "IDIOLECT_HOME": str(settings.home)},
            stdin=given,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == host.BrowserMessageError.exit_code
    assert "for browsers" in done.stderr
