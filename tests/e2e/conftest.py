"""What tests share that drive other programs: a real browser, and a service of the tiny model.

The service knows a sentence about a lighthouse keeper.
Chromium is driven over its DevTools protocol by a pipe.
"""

import base64
import contextlib
import itertools
import json
import os
import queue
import re
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from program import Program
from waiting import DEADLINE_S, until

from idiolect.adapters.prediction.mixture import Mixture
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.profile.switches import SetSwitches
from idiolect.daemon.runtime import process
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import store_key
from idiolect.daemon.vault.opening import open_store

KNOWN = "the teal lighthouse keeper Zorvelin hums quietly at noon"
# Chromium reads commands from file descriptor 3 and answers on 4.
PIPED = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 10) for fd in sys.argv[1:3]]
for fd, end in zip((3, 4), ends):
    os.dup2(end, fd)
os.execv(sys.argv[3], sys.argv[3:])
"""
MODIFIERS = {"Alt": 1, "Control": 2, "Shift": 8}


_KEY_CODES = {
    "Backspace": 8,
    "Tab": 9,
    "Enter": 13,
    "Escape": 27,
    " ": 32,
    "ArrowLeft": 37,
    "Home": 36,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
    **{f"F{number}": 111 + number for number in range(1, 13)},
    "\\": 220,
}


class NavigatedError(AssertionError):
    """The page was left before an expression in it had its value."""


class Tab:
    """A page in Chromium. What it complains of (errors, warnings of the policy) is in `problems`."""

    def __init__(self, program, folder, more=(), environment=None):
        """`more` are further arguments of Chromium; `environment` is the one that it runs in."""
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        arguments = [
            *("--headless", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run"),
            *(["--no-sandbox"] if os.geteuid() == 0 else []),  # Chromium's sandbox refuses root
            *("--disable-background-networking", "--disable-component-update", "--lang=en"),
            *(f"--user-data-dir={folder}", "--window-size=1280,900", *more, "about:blank"),
        ]
        self._process = subprocess.Popen(
            [sys.executable, "-c", PIPED, str(theirs_in), str(theirs_out), program, *arguments],
            pass_fds=(theirs_in, theirs_out),
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._out, self._in = os.fdopen(ours_out, "wb", buffering=0), os.fdopen(ours_in, "rb")
        self._numbers = itertools.count(1)
        self._answers = queue.Queue()
        self._session = {}
        self.problems = []
        self.pressed_s = 0.0  # when the last key was
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        found = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": found["sessionId"]}
        for domain in ("Page", "Runtime", "Log", "Audits"):
            self.send(f"{domain}.enable")

    def close(self):
        self._session = {}
        self.send("Browser.close")
        self._process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        self._out.close()
        self._in.close()

    def whole(self):
        """Within this, `send` speaks to the browser, not to its page."""
        return self.within({})

    @contextlib.contextmanager
    def within(self, page):
        """Within this, it is another page that is driven."""
        session, self._session = self._session, page
        try:
            yield
        finally:
            self._session = session

    @contextlib.contextmanager
    def another(self, url, **about):
        """Another page of this browser, for `within`, which is closed afterwards."""
        with self.whole():
            target = self.send("Target.createTarget", url=url, **about)["targetId"]
            found = self.send("Target.attachToTarget", targetId=target, flatten=True)
        try:
            yield {"sessionId": found["sessionId"]}
        finally:
            with self.whole():
                self.send("Target.closeTarget", targetId=target)

    def _read(self):
        message = bytearray()
        while chunk := self._in.read1():
            *whole, rest = (message + chunk).split(b"\0")
            message = rest
            for text in whole:
                self._take(json.loads(text))

    def _take(self, told):
        about = told.get("params", {})
        if "id" in told:
            self._answers.put(told)
        elif told["method"] == "Page.javascriptDialogOpening":  # whether a page with unsaved text may be left
            self._ask("Page.handleJavaScriptDialog", accept=True)
        elif told["method"] == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            self.problems.append(about["entry"]["text"])
        elif told["method"] == "Runtime.exceptionThrown":
            self.problems.append(about["exceptionDetails"]["exception"].get("description"))
        elif told["method"] == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning"):
            self.problems.append(str(about["args"]))
        elif told["method"] == "Audits.issueAdded":
            self.problems.append(about["issue"]["code"])

    def _ask(self, method, **params):
        number = next(self._numbers)
        asked = {"id": number, "method": method, "params": params, **self._session}
        self._out.write(json.dumps(asked).encode() + b"\0")
        return number

    def send(self, method, **params):
        return self._answer(self._ask(method, **params))

    def _answer(self, number):
        """What is answered to the question of this number; what is answered to those before it tells nothing."""
        while True:
            answer = self._answers.get(timeout=DEADLINE_S)
            if answer["id"] == number:
                if "navigated" in answer.get("error", {}).get("message", ""):
                    raise NavigatedError
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def js(self, expression):
        """The value of an expression, awaited."""
        done = self.send(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def _js_or_none(self, expression):
        with contextlib.suppress(NavigatedError):
            return self.js(expression)

    def until(self, expression, again=str):
        """Waits for an expression to be true; its value."""
        return until(
            lambda: self._js_or_none(expression),
            lambda: (expression, self.js("document.body.innerText"), self.problems),
            again=again,
        )

    def text(self, selector):
        return self.js(f"document.querySelector({json.dumps(selector)}).innerText")

    def go(self, url):
        self.send("Page.navigate", url=url)

    def look(self, *, dark=False, width=1280, height=900):
        """From now on this theme, and a window of this size in CSS pixels."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.send("Emulation.setEmulatedMedia", features=[scheme, still])
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **size)

    def press(self, key, *modifiers, at_s=None):
        """One key, such as "Tab", or "1" with "Alt"; the browser is told that it came at `at_s`, if not now."""
        self._answer(self._press(key, modifiers, at_s))
        self.pressed_s = time.monotonic()

    def _press(self, key, modifiers=(), at_s=None):
        """The number of what is asked last for this."""
        key = {"\r": "Enter", "\t": "Tab"}.get(key, key)
        code = "Backslash" if key == "\\" else key
        if re.fullmatch("[A-Za-z0-9]", key):
            code = f"{'Digit' if key.isdigit() else 'Key'}{key.upper()}"
        virtual = _KEY_CODES.get(key, ord(key.upper()) if key.isalnum() and len(key) == 1 else 0)
        what = {"key": key, "code": code, "windowsVirtualKeyCode": virtual}
        what["modifiers"] = sum(MODIFIERS[name] for name in modifiers)
        what |= {} if at_s is None else {"timestamp": at_s}
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        typed = {"text": text} if text and what["modifiers"] in (0, MODIFIERS["Shift"]) else {}
        self._ask("Input.dispatchKeyEvent", type="keyDown", **what, **typed)
        return self._ask("Input.dispatchKeyEvent", type="keyUp", **what)

    def type(self, text):
        """Type as a program does: all keys but the last at once by their time, so that no speed is told of them."""
        began_s = time.time()
        for letter in text[:-1]:
            self._press(letter, at_s=began_s)
        self.press(text[-1])

    def click(self, selector):
        """A click of its user's, once the element is there."""
        box = "({ left, top, width, height }) => [left + width / 2, top + height / 2]"
        there = f"((one) => one && ({box})(one.getBoundingClientRect()))"
        self.click_at(*self.until(f"{there}(document.querySelector({json.dumps(selector)}))"))

    def push(self, selector):
        """A click of a script's, once the element is there."""
        self.until(f"((one) => one && (one.click(), true))(document.querySelector({json.dumps(selector)}))")

    def click_at(self, x, y):
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def picture(self):
        """The window as a PNG."""
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])


#: Keys as WebDriver names them.
_FIREFOX_KEYS = {
    "Tab": "\ue004",
    "\t": "\ue004",
    "Escape": "\ue00c",
    "Backspace": "\ue003",
    "Enter": "\ue007",
    "\r": "\ue007",
    "ArrowRight": "\ue014",
    "ArrowLeft": "\ue012",
    "ArrowUp": "\ue013",
    "ArrowDown": "\ue015",
    "Home": "\ue011",
    **{f"F{number}": chr(0xE030 + number) for number in range(1, 13)},
    "Control": "\ue009",
    "Alt": "\ue00a",
    "Shift": "\ue008",
}
_FIREFOX_SETTINGS = {
    "marionette.port": 0,
    "extensions.webextOptionalPermissionPrompts": False,  # a site is switched on without a question
    "network.dns.localDomains": "notes.test,other.test,bank.test",
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    # What a new profile does at first is a quarter of the time that it takes to start.
    "browser.aboutwelcome.enabled": False,
    "browser.newtab.preload": False,
    "browser.newtabpage.enabled": False,
    "browser.startup.page": 0,
    "dom.ipc.processPrelaunch.enabled": False,
}


class Firefox:
    """A page in Firefox, driven by its own protocol, Marionette, in which `Tab` is named alike."""

    def __init__(self, program, folder, environment):
        folder.mkdir(parents=True)
        settings = (
            f"user_pref({json.dumps(name)}, {json.dumps(value)});"
            for name, value in _FIREFOX_SETTINGS.items()
        )
        (folder / "user.js").write_text("\n".join(settings))
        arguments = ["--marionette", "-remote-allow-system-access", "--headless", "--no-remote"]
        self._process = subprocess.Popen(
            [program, *arguments, "--profile", str(folder)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port = folder / "MarionetteActivePort"
        until(lambda: self._process.poll() is not None or (port.exists() and port.read_text()))
        assert self._process.poll() is None, "Firefox has ended"
        self._socket = socket.create_connection(("127.0.0.1", int(port.read_text())), DEADLINE_S)
        self._read = self._socket.makefile("rb")
        self._numbers = itertools.count(1)
        self._received()
        self.send("WebDriver:NewSession", capabilities={"alwaysMatch": {"unhandledPromptBehavior": "accept"}})
        self.send("WebDriver:SetTimeouts", script=DEADLINE_S * 1000)
        self.problems = []
        self.pressed_s = 0.0  # when the last key was

    def close(self):
        self.send("Marionette:Quit", flags=["eForceQuit"])
        self._read.close()
        self._socket.close()
        self._process.wait(DEADLINE_S)

    def _received(self):
        size = b""
        while (digit := self._read.read(1)) != b":":
            assert digit, "Firefox has gone"
            size += digit
        return json.loads(self._read.read(int(size)))

    def send(self, command, **params):
        told = json.dumps([0, next(self._numbers), command, params]).encode()
        self._socket.sendall(b"%d:%b" % (len(told), told))
        _, _, error, result = self._received()
        assert error is None, (command, error)
        return result

    def _run(self, expression, sandbox=None):
        code = f"const [done] = arguments; (async () => ({expression}))().then(done, (e) => done(`${{e}}`));"
        about = {} if sandbox is None else {"sandbox": sandbox, "newSandbox": False}
        return self.send("WebDriver:ExecuteAsyncScript", script=code, args=[], **about)["value"]

    def js(self, expression):
        """The value of an expression, awaited."""
        return self._run(expression)

    def privileged(self, expression):
        """The same, with all rights, in the page's process."""
        return self._run(expression, "system")

    def in_browser(self, expression):
        """The same, in the browser itself."""
        self.send("Marionette:SetContext", value="chrome")
        try:
            return self._run(expression)
        finally:
            self.send("Marionette:SetContext", value="content")

    def until(self, expression, again=str):
        """Waits for an expression to be true; its value."""
        return until(
            lambda: self.js(expression),
            lambda: (expression, self.js("document.body.innerText")),
            again=again,
        )

    def go(self, url):
        self.send("WebDriver:Navigate", url=url)

    def _keys(self, *steps):
        actions = [{"type": kind, "value": _FIREFOX_KEYS.get(key, key)} for kind, key in steps]
        self.send("WebDriver:PerformActions", actions=[{"type": "key", "id": "keys", "actions": actions}])
        self.pressed_s = time.monotonic()

    def press(self, key, *modifiers):
        down = [("keyDown", one) for one in (*modifiers, key)]
        self._keys(*down, *(("keyUp", one) for one in (key, *reversed(modifiers))))

    def type(self, text):
        self._keys(*((kind, key) for key in text for kind in ("keyDown", "keyUp")))

    def click(self, selector):
        """A click of its user's."""
        found = self.send("WebDriver:FindElement", using="css selector", value=selector)["value"]
        self.send("WebDriver:ElementClick", id=next(iter(found.values())))

    def click_at(self, x, y):
        move = {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0}
        steps = [move, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self.send("WebDriver:PerformActions", actions=[{"type": "pointer", "id": "mouse", "actions": steps}])

    def picture(self):
        """The page as a PNG."""
        return base64.b64decode(self.send("WebDriver:TakeScreenshot", full=False)["value"])


@pytest.fixture(scope="session")
def new_firefox(needs_program):
    """`with new_firefox(folder, environment) as tab`: a page in a Firefox of its own."""
    return lambda *given: contextlib.closing(Firefox(needs_program("firefox-esr", "firefox-esr"), *given))


@pytest.fixture(scope="session")
def new_tab(needs_program):
    """`with new_tab(folder, more, environment) as tab`: a page in a Chromium of its own, as `Tab` takes these."""
    return lambda *given: contextlib.closing(Tab(needs_program("chromium", "chromium"), *given))


@pytest.fixture(scope="module")
def tab(new_tab, tmp_path_factory):
    with new_tab(tmp_path_factory.mktemp("chromium")) as tab:
        yield tab


class Service(Program):
    """A profile, and its endpoint once its service runs."""

    def ask(self, path, /, **body):
        with self.client() as client:
            answer = client.post(path, json=body) if body else client.get(path)
            return json.loads(answer.raise_for_status().text.splitlines()[-1])  # of events the last

    def knows(self, prefix, word):
        return word in [found["text"] for found in self.ask("/v1/suggest", prefix=prefix)["words"]]


@pytest.fixture(scope="session")
def new_service(tiny_profile):
    """`new_service(home, **switches)`: a profile of the tiny model, whose service does not run yet."""

    def make(home, **switches):
        settings = tiny_profile(home)
        with contextlib.closing(open_store(settings)) as store:
            Profile(store).decide(SetSwitches({"show": "more", **switches}))
        return Service(settings.home)

    return make


@pytest.fixture(scope="session")
def trust_memory():
    """`trust_memory(settings, adapter)`: have the profile believe what its user wrote, and not the random model.

    So ghost texts have several words, as they have for a user whose memory has often been right.
    """

    def seed(settings, adapter=None):
        weights = np.ones_like(Mixture().to_json())
        weights[..., 0] = 2000.0
        with contextlib.closing(Store.open(settings.store_path, store_key.obtain(settings).hex)) as store:
            store.state.set("mixture", {"adapter": adapter, "weights": weights.tolist()})

    return seed


@pytest.fixture(scope="session")
def knowing_service(new_service, trust_memory):
    """`with knowing_service(home, **switches)`: a running service that has read :data:`KNOWN` five times."""

    @contextlib.contextmanager
    def run(home, **switches):
        service = new_service(home, **switches)
        trust_memory(service.settings.prepare())
        process.start(service.settings)
        for _ in range(5):
            service.ask("/v1/history", text=KNOWN, source="test")
        yield service
        process.stop(service.settings)

    return run


@pytest.fixture(scope="module")
def service(knowing_service, tmp_path_factory):
    with knowing_service(tmp_path_factory.mktemp("service") / "profile") as service:
        yield service
