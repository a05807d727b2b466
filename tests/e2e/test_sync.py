"""Three services that share a folder, carried by real Syncthing processes between loopback addresses.

Syncthing finds nobody by itself here, reports nothing and uses no other network: all of that is switched off.
"""

import contextlib
import os
import socket
import subprocess
import time
import xml.etree.ElementTree as ET

import httpx
import psutil
import pytest
from waiting import DEADLINE_S, until

from idiolect.daemon.runtime import process

KNOWN = "the teal lighthouse keeper Zorvelin hums quietly at noon"
PREFIX, WORD = "the teal lighthouse keeper Zor", "velin"
OTHER = "a copper weathervane named Quastor points at the harbour"
OFF = {
    **dict.fromkeys(
        ("globalAnnounceEnabled", "localAnnounceEnabled", "relaysEnabled", "natEnabled"), "false"
    ),
    **dict.fromkeys(("crashReportingEnabled", "startBrowser", "announceLANAddresses"), "false"),
    "urAccepted": "-1",
    "autoUpgradeIntervalH": "0",
    "reconnectionIntervalS": "1",
    "stunServer": "",
}


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Syncthing:
    """One Syncthing process that shares one folder."""

    def __init__(self, program, home, folder):
        self._program, self._home, self.folder = program, home, folder
        folder.mkdir(parents=True)
        self._env = {**os.environ, "HOME": str(home), "STNOUPGRADE": "1", "no_proxy": "*"}
        self.run("generate", f"--home={home}", "--no-default-folder")
        self.id = self.run("serve", f"--home={home}", "--device-id").strip()
        self.port, self._gui = free_port(), free_port()

    def run(self, *arguments):
        done = subprocess.run(
            [self._program, *arguments],
            env=self._env,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=True,
        )
        return done.stdout

    def configure(self, everybody):
        path = self._home / "config.xml"
        tree = ET.parse(path)
        root = tree.getroot()
        options = root.find("options")
        for name, value in {**OFF, "listenAddress": f"tcp://127.0.0.1:{self.port}"}.items():
            for old in options.findall(name):
                options.remove(old)
            ET.SubElement(options, name).text = value
        root.find("gui/address").text = f"127.0.0.1:{self._gui}"
        self._key = root.find("gui/apikey").text
        for device in root.findall("device"):
            root.remove(device)
        shared = ET.SubElement(
            root,
            "folder",
            {
                "id": "idiolect",
                "path": str(self.folder),
                "type": "sendreceive",
                "rescanIntervalS": "5",
                "fsWatcherEnabled": "true",
                "fsWatcherDelayS": "1",
            },
        )
        for one in everybody:
            device = ET.SubElement(root, "device", {"id": one.id, "name": "x"})
            ET.SubElement(device, "address").text = f"tcp://127.0.0.1:{one.port}"
            ET.SubElement(shared, "device", {"id": one.id})
        tree.write(path)

    def start(self):
        self.process = subprocess.Popen(
            [self._program, "serve", f"--home={self._home}", "--no-browser", "--no-restart"],
            env=self._env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        url = f"http://127.0.0.1:{self._gui}/rest/system/ping"
        with httpx.Client(trust_env=False, headers={"X-API-Key": self._key}) as client:
            until(lambda: answers(client, url))

    def stop(self):
        self.process.terminate()
        self.process.wait(DEADLINE_S)


def answers(client, url):
    try:
        return client.get(url).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def machines(needs_program, new_service, trust_memory, tmp_path):
    """Three services, and the Syncthing process of each."""
    program = needs_program("syncthing", "syncthing")
    services, carriers = [], []
    for number in range(3):
        services.append(new_service(tmp_path / f"profile{number}"))
        carriers.append(Syncthing(program, tmp_path / f"syncthing{number}", tmp_path / f"shared{number}"))
    with contextlib.ExitStack() as running:
        for service, carrier in zip(services, carriers, strict=True):
            carrier.configure(carriers)
            carrier.start()
            running.callback(carrier.stop)
            trust_memory(service.settings.prepare())
            process.start(service.settings)
            running.callback(process.stop, service.settings)
        yield services, carriers


def arrived_s(carrier):
    """When the newest file came to a folder."""
    return max((path.stat().st_ctime for path in carrier.folder.rglob("*.idiolect")), default=0)


def share(services, carriers):
    """Have all share the folder, by the words that the first one shows."""
    words = services[0].ask("/v1/sync", action="share", folder=str(carriers[0].folder))["words"]
    for service, carrier in zip(services[1:], carriers[1:], strict=True):
        until(lambda carrier=carrier: (carrier.folder / "folder.idiolect").exists())
        service.ask("/v1/sync", action="join", folder=str(carrier.folder), words=words)


def seconds_until(condition, carrier):
    until(condition)
    return max(0.0, time.time() - arrived_s(carrier))


def test_what_is_typed_and_forgotten_on_one_is_known_and_forgotten_on_the_others(machines, record_property):
    services, carriers = machines
    first, last = services[0], services[-1]
    for _ in range(5):
        first.ask("/v1/history", text=KNOWN, source="test")
    share(services, carriers)
    for service in services[1:]:
        until(lambda service=service: service.knows(PREFIX, WORD))
    for _ in range(5):
        last.ask("/v1/history", text=OTHER, source="test")
    last.ask("/v1/history", text="a word that goes again", source="test")
    last.ask("/v1/forget", text="a word that goes again")  # that is written at once, and all else with it
    known_s = seconds_until(lambda: first.knows("a copper weathervane named Quas", "tor"), carriers[0])
    assert first.ask("/v1/forget", text="Zorvelin")["entries"] == 5
    forgotten_s = seconds_until(lambda: last.ask("/v1/status")["entries"] == 5, carriers[-1])
    for service in services:
        until(lambda service=service: service.ask("/v1/status")["entries"] == 5)
        until(lambda service=service: not service.knows(PREFIX, WORD))
    record_property("seconds until a text is suggested", round(known_s, 2))
    record_property("seconds until a text is forgotten", round(forgotten_s, 2))
    print(f"\nsuggested after {known_s:.2f} s, forgotten after {forgotten_s:.2f} s")
    for carrier in carriers:  # nothing had two writers, and no word is in the folder
        files = [path for path in carrier.folder.rglob("*") if path.is_file()]
        assert files
        assert not any("conflict" in path.name for path in files)
        assert not any(b"lighthouse" in path.read_bytes() for path in files)
    for service in services:  # it opened nothing but its own door
        pid = process.find(service.settings).pid
        ends = psutil.Process(pid).net_connections()
        assert {end.laddr.ip for end in ends if end.laddr} <= {"127.0.0.1"}
        assert {end.raddr.ip for end in ends if end.raddr} <= {"127.0.0.1"}
