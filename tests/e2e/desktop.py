"""A desktop of its own: a screen, a session bus, a window manager, IBus or Fcitx with the keyboard, and programs."""

import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import psutil
from program import Program, run_idiolect
from waiting import DEADLINE_S, until

from idiolect.daemon.runtime import process

_STILL = 8  # looks at which nothing works: more than 150 ms, before which Tab takes no grey text
DROPPED = ("DBUS_SESSION_BUS_ADDRESS", "WAYLAND_DISPLAY", "XAUTHORITY", "GTK_IM_MODULE", "QT_IM_MODULE")
#: The class of the window of words, by framework.
WINDOWS = {"ibus": "ibus-ui-gtk3", "fcitx": "fcitx"}


def wait_for(condition, what):
    """The first true value of `condition`; `what` is told where it does not come."""
    return until(condition, what if callable(what) else lambda: what)


def works(pid):
    """Whether a thread of a process runs, or waits for its turn on a busy machine."""
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            if stat.read_text().rpartition(") ")[2][0] in "RD":
                return True
    return False


class Desktop:
    """One session. `environment` is what its programs get; `door` is the input method framework, ibus or fcitx."""

    def __init__(self, folder, profile, door="ibus"):
        self.door = door
        self.folder = Path(folder)
        self._profile = Program(profile)
        self.settings = self._profile.settings
        self._running, self._engine = [], None
        home, runtime = self.folder / "home", self.folder / "run"
        for one in (home, runtime):
            one.mkdir(mode=0o700)
        self.home = home
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in DROPPED},
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(runtime),
            **{f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "CACHE", "DATA", "STATE")},
            "IDIOLECT_HOME": str(profile),
            "GTK_IM_MODULE": door,
            "QT_IM_MODULE": door,
            "XMODIFIERS": f"@im={door}",
            "GSETTINGS_BACKEND": "keyfile",
            "XDG_CURRENT_DESKTOP": "Test",
            "NO_AT_BRIDGE": "1",
            "LC_ALL": "C.UTF-8",
            "G_MESSAGES_DEBUG": "",
        }
        self._begin()

    def _begin(self):
        self._begin_screen()
        self._begin_bus("DBUS_SESSION_BUS_ADDRESS")
        self.start("openbox")
        {"ibus": self._begin_ibus, "fcitx": self._begin_fcitx}[self.door]()

    def _begin_ibus(self):
        self.idiolect("setup", "keyboard", "--yes", "--learn")
        self.start("ibus-daemon", "--replace", "--xim", "--verbose", log="ibus.log")
        self._choose()

    def _choose(self):
        """Choose the keyboard, once IBus knows it."""
        wait_for(lambda: "idiolect" in self.output("ibus", "list-engine", "--name-only").split(), "IBus")
        wait_for(
            lambda: (
                self.output("ibus", "engine", "idiolect") is not None
                and "idiolect" in self.output("ibus", "engine")
            ),
            "the engine",
        )

    def _begin_fcitx(self):
        behaviour = self.home / "config" / "fcitx5" / "config"
        behaviour.parent.mkdir(parents=True)
        behaviour.write_text("[Behavior]\nActiveByDefault=True\nShowInputMethodInformation=False\n")
        # On a busy machine a key that takes something may be answered later than its user would wait for it.
        times = "-DIDIOLECT_WAIT_MS=2000 -DIDIOLECT_PAUSE_MS=50"
        compiler = self.home / "c++"
        compiler.write_text(f'#!/bin/sh\nexec {shutil.which("c++")} {times} "$@"\n')
        compiler.chmod(0o700)
        self.environment["PATH"] = f"{self.home}:{self.environment['PATH']}"
        self.start("fcitx5", "--disable", "clipboard,emoji,unicode,spell", log="fcitx.log")
        owned = (
            "dbus-send",
            "--print-reply",
            "--dest=org.freedesktop.DBus",
            "/",
        )  # a call of Fcitx would start another
        asked = ("org.freedesktop.DBus.NameHasOwner", "string:org.fcitx.Fcitx5")
        wait_for(lambda: "true" in self.output(*owned, *asked), "Fcitx")
        self.idiolect("setup", "keyboard", "--yes", "--learn")

    def _begin_screen(self):
        ours, theirs = os.pipe()
        self.start(
            "Xvfb",
            "-displayfd",
            str(theirs),
            "-screen",
            "0",
            "1024x768x24",
            "-nolisten",
            "tcp",
            pass_fds=(theirs,),
        )
        os.close(theirs)
        with os.fdopen(ours) as told:
            self.environment["DISPLAY"] = f":{told.readline().strip()}"

    def _begin_bus(self, name):
        ours, theirs = os.pipe()
        self.start("dbus-daemon", "--session", "--nofork", f"--print-address={theirs}", pass_fds=(theirs,))
        os.close(theirs)
        with os.fdopen(ours) as told:
            self.environment[name] = told.readline().strip()

    def start(self, *command, log=None, pass_fds=(), environment=None):
        """A program of this session, which ends with it."""
        with contextlib.ExitStack() as held:
            out = held.enter_context((self.folder / log).open("wb")) if log else subprocess.DEVNULL
            started = subprocess.Popen(
                command,
                env=environment or self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=pass_fds,
                cwd=self.home,
            )
        self._running.append(started)
        return started

    def output(self, *command):
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        ).stdout

    def idiolect(self, *arguments):
        return run_idiolect(self.environment, *arguments)[0]

    def learned(self, text, **more):
        """How many entries of the keyboard's hold a text."""
        told = {"text": text, "source": "keyboard", "dry_run": True, **more}
        return self._profile.post("/v1/forget", **told).raise_for_status().json()["entries"]

    def until_learned(self, text, **more):
        wait_for(lambda: self.learned(text, **more), text)

    # Windows and keys

    def window(self, name):
        """The window of a program, once it is there and has the focus."""
        found = wait_for(
            lambda: self.output("xdotool", "search", "--onlyvisible", "--class", name).split(), name
        )
        self.output("xdotool", "windowactivate", "--sync", found[-1])
        return found[-1]

    def engine(self):
        """The keyboard's process."""
        if self._engine is None or not self._engine.is_running() or self._engine.status() == "zombie":
            self._engine = next(filter(self._is_engine, psutil.process_iter(["cmdline"])), None)
        return self._engine

    def _is_engine(self, one):
        with contextlib.suppress(psutil.Error):
            return "idiolect.daemon.clients.keyboard.serve" in (
                one.info["cmdline"] or ()
            ) and one.environ().get("HOME") == str(self.home)
        return False

    def offers(self):
        """Wait until words are on offer, the newest: the window of them is there, and nothing more is being done."""
        wait_for(self.offering, "words on offer")
        self.rest()

    def offering(self):
        return bool(self.output("xdotool", "search", "--onlyvisible", "--class", WINDOWS[self.door]).split())

    def rest(self, *programs):
        """Wait until neither this session nor the service, nor any of `programs` (process ids), has anything to do."""
        self._wait_until_idle(programs)
        # What was told may lie between two of them; the service answers this behind what it was asked before.
        self._profile.post("/v1/suggest", prefix="and", ghost_words=0).raise_for_status()
        if (
            self.door == "fcitx"
        ):  # programs of GTK report their text with a key's release: here that came too soon
            self.press("Control_L")
        self._wait_until_idle(programs)

    def _wait_until_idle(self, programs):
        engine = self.engine()
        own = [one.pid for one in self._running if one.poll() is None]
        these = [*own, *programs, process.holder(self.settings), *([engine.pid] if engine else [])]
        looks = []

        def still():
            looks.append(any(map(works, these)))
            return len(looks) >= _STILL and not any(looks[-_STILL:])

        wait_for(still, "an end of all work")

    def press(self, *keys, delay_ms=20):
        subprocess.run(["xdotool", "key", "--delay", str(delay_ms), *keys], env=self.environment, check=True)

    def type(self, text, delay_ms=20):
        """Type a text; ends of lines are pressed by their key, since xdotool's own are lost now and then."""
        delay = ["--delay", str(delay_ms)]
        for place, line in enumerate(text.split("\n")):
            if place:
                self.press("Return", delay_ms=delay_ms)
            if line:
                subprocess.run(["xdotool", "type", *delay, "--", line], env=self.environment, check=True)

    def take(self, begin, rest):
        """Type it three times, and take a ghost text, a word and a word of a ghost text; the pattern of what is there.

        `rest` is what is left of the last word.
        """
        self.type(begin)
        self.offers()
        self.press("Tab")
        self.type(f" {begin}")
        self.offers()
        self.press("alt+1")
        self.type(begin)  # the space before it comes by itself
        self.offers()
        self.press("ctrl+Right")
        self.type("!")
        return rf"{begin}{rest}( hums( quietly.*)?)? {begin}{rest} {begin}{rest}!"

    def line(self):
        """Where the window of words is: left, top, width and height, in pixels; None where it is not shown."""
        shown = self.output("xdotool", "search", "--onlyvisible", "--class", WINDOWS[self.door]).split()
        if not shown:
            return None
        told = self.output("xdotool", "getwindowgeometry", "--shell", shown[-1])
        named = dict(one.split("=") for one in told.split())
        return tuple(int(named[name]) for name in ("X", "Y", "WIDTH", "HEIGHT"))

    def picture(self, path):
        subprocess.run(["import", "-window", "root", str(path)], env=self.environment, check=True)

    def close(self):
        for one in reversed(self._running):
            if one.poll() is None:
                one.terminate()
        for one in reversed(self._running):
            try:
                one.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()


class Editor:
    """A program that is typed into, and how its text is read.

    `slow`: it has a window long before a key goes where it should.
    """

    def __init__(self, desktop, name, command, read, environment=None, *, slow=False):
        self.desktop, self.name = desktop, name
        self.process = desktop.start(*command, environment={**desktop.environment, **(environment or {})})
        self.window = desktop.window(name)
        self._read = read
        if slow:
            self.rest()
        pressed = []

        def takes_keys():
            if len(pressed) % 50 == 0:  # a program's window is there before it takes keys
                desktop.window(name)
                desktop.press("q")
            pressed.append(1)
            return "q" in self.text

        wait_for(takes_keys, f"{name} to take keys")
        wait_for(desktop.engine, "the keyboard's process")  # Fcitx starts it for the first field
        desktop.rest()
        desktop.press("space")

    @property
    def text(self):
        return self._read(self).removesuffix("\n")

    def rest(self):
        """Wait until the program, too, has nothing to do."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.desktop.rest(self.process.pid, *(one.pid for one in family))

    def shows(self, pattern):
        wait_for(lambda: re.fullmatch(pattern, self.text), lambda: f"{pattern!r}, not {self.text!r}")

    def close(self):
        self.process.terminate()
        self.process.wait()


def saved(path):
    def read(editor):
        editor.desktop.press("ctrl+s")
        return path.read_text()

    return read
