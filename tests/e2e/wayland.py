"""Wayland without GNOME, without a screen: sway, labwc or KWin, IBus or Fcitx, and a keyboard of its own."""

import os
import shlex
import socket
import struct
import tempfile
import time

from desktop import Desktop, wait_for
from gnome import codes

_KEYMAP = b"""xkb_keymap {
xkb_keycodes { include "evdev+aliases(qwerty)" }; xkb_types { include "complete" };
xkb_compat { include "complete" }; xkb_symbols { include "pc+us+inet(evdev)" };
};\0"""
#: What is held, as the layout has it.
_MASKS = {29: 4, 42: 1, 56: 8, 125: 64}
#: What this client of Wayland calls the objects that it has made.
_DISPLAY, _REGISTRY, _DONE, _SEAT, _MANAGER, _KEYBOARD = range(1, 7)
_FAKE = 4  # numbers may have no gap


class Typist:
    """A keyboard of virtual-keyboard-v1, which tells its layout once: wtype tells another at each call."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._read = self._socket.makefile("rb")
        self._send(_DISPLAY, 1, struct.pack("<I", _REGISTRY))
        self._send(_DISPLAY, 0, struct.pack("<I", _DONE))
        self._names = {}
        while (event := self._received())[0] != _DONE:
            name, size = struct.unpack_from("<II", event[1])
            self._names[event[1][8 : 7 + size].decode()] = name
        self._begin()

    def _begin(self):
        self._bind("wl_seat", 1, _SEAT)
        self._bind("zwp_virtual_keyboard_manager_v1", 1, _MANAGER)
        self._send(_MANAGER, 0, struct.pack("<II", _SEAT, _KEYBOARD))
        with tempfile.TemporaryFile() as file:
            file.write(_KEYMAP)
            file.flush()
            self._send(_KEYBOARD, 0, struct.pack("<II", 1, len(_KEYMAP)), [file.fileno()])

    def _bind(self, interface, version, made):
        body = struct.pack("<I", self._names[interface]) + _string(interface)
        self._send(_REGISTRY, 0, body + struct.pack("<II", version, made))

    def _send(self, target, opcode, body, files=()):
        message = struct.pack("<II", target, (8 + len(body)) << 16 | opcode) + body
        socket.send_fds(self._socket, [message], files)

    def _received(self):
        """The object that says something, and what."""
        target, about = struct.unpack("<II", self._read.read(8))
        return target, self._read.read((about >> 16) - 8)

    def press(self, key):
        """Press a key, such as "ctrl+s", and let it go."""
        held, pressed = 0, codes(key)
        for code, down in [*((one, 1) for one in pressed), *((one, 0) for one in reversed(pressed))]:
            self._send(_KEYBOARD, 1, struct.pack("<III", int(time.monotonic() * 1000) % 2**32, code, down))
            if code in _MASKS:
                held ^= _MASKS[code]
                self._send(_KEYBOARD, 2, struct.pack("<IIII", held, 0, 0, 0))

    def close(self):
        self._read.close()
        self._socket.close()


class FakeInput(Typist):
    """A keyboard of fake-input, for KWin, which has no virtual-keyboard-v1; a person, too, holds modifiers a while."""

    def _begin(self):
        self._bind("org_kde_kwin_fake_input", 4, _FAKE)
        self._send(_FAKE, 0, _string("tests") + _string("typing"))

    def press(self, key):
        """Press a key, such as "ctrl+s", and let it go."""
        pressed = codes(key)
        for code, down in [*((one, 1) for one in pressed), *((one, 0) for one in reversed(pressed))]:
            self._send(_FAKE, 10, struct.pack("<II", code, down))
            if len(pressed) > 1:
                time.sleep(0.05)


def _string(text):
    """A string as Wayland sends it."""
    raw = text.encode() + b"\0"
    return struct.pack("<I", len(raw)) + raw.ljust(-(-len(raw) // 4) * 4, b"\0")


class Wayland(Desktop):
    """A session of "sway", "labwc" or "kwin", with IBus as `ibus start --type wayland` starts it, or `through_x`.

    Fcitx 5 needs no switch for it. KWin starts its input method by itself.
    """

    def __init__(self, folder, profile, compositor="sway", door="ibus", *, through_x=False):
        self._compositor, self._through_x = compositor, through_x
        super().__init__(folder, profile, door)

    def _begin(self):
        modules = {name: self.environment.pop(name) for name in ("GTK_IM_MODULE", "QT_IM_MODULE")}
        self.environment |= {
            "WLR_BACKENDS": "headless",
            "WLR_LIBINPUT_NO_DEVICES": "1",
            "WLR_RENDERER": "pixman",
            "KWIN_WAYLAND_NO_PERMISSION_CHECKS": "1",
            "XDG_CURRENT_DESKTOP": {"kwin": "KDE"}.get(self._compositor, self._compositor),
            "XDG_SESSION_TYPE": "wayland",
        }
        self._begin_bus("DBUS_SESSION_BUS_ADDRESS")
        self._begin_screen()
        if self._through_x:
            del self.environment["WAYLAND_DISPLAY"]
            self.environment |= modules
        {"ibus": self._begin_ibus, "fcitx": self._begin_fcitx}[self.door]()

    def _begin_ibus(self):
        self.idiolect("setup", "keyboard", "--yes", "--learn")
        if self._through_x:
            self.start("ibus-daemon", "--xim", log="ibus.log")
        else:
            panel = ("/usr/libexec/ibus-ui-gtk3", "--enable-wayland-im", "--exec-daemon")
            self.start(*panel, "--daemon-args", "--xim --panel disable", log="ibus.log")
        # IBus chooses the one keyboard that it has been told of; to choose another meanwhile crashes its window later.
        wait_for(lambda: "idiolect" in self.output("ibus", "engine"), "the engine")

    def start(self, *command, log=None, **more):
        """Start a program; in KWin, the input method through the script that waits for it."""
        if self._compositor != "kwin" or log not in ("ibus.log", "fcitx.log") or self._through_x:
            return super().start(*command, log=log, **more)
        return (self.folder / "input-method").write_text(
            f"exec {shlex.join(command)} >{self.folder / log} 2>&1"
        )

    def _begin_screen(self):
        told = self.folder / "displays"
        tell = f"echo $WAYLAND_DISPLAY $DISPLAY > {told}"
        if self._compositor == "sway":
            config = self.folder / "sway.config"
            config.write_text(f"output HEADLESS-1 resolution 1024x768\nexec sh -c '{tell}'\n")
            command = ["sway", "-c", str(config)]
        elif self._compositor == "labwc":
            command = ["labwc", "-s", f"sh -c '{tell}'"]
        else:
            os.mkfifo(self.folder / "input-method")
            script = self.folder / "begin"
            script.write_text(f"#!/bin/sh\n{tell}\n. {self.folder / 'input-method'}\n")
            script.chmod(0o700)
            command = [
                "kwin_wayland",
                "--virtual",
                "--no-lockscreen",
                "--xwayland",
                "--inputmethod",
                str(script),
            ]
        self.start(*command, log="compositor.log")
        wait_for(lambda: told.exists() and told.read_text().endswith("\n"), self._compositor)
        screen, *of_x = told.read_text().split()
        self.environment["WAYLAND_DISPLAY"] = screen
        if of_x:
            self.environment["DISPLAY"] = of_x[0]
        self._typist = {"kwin": FakeInput}.get(self._compositor, Typist)(self.folder / "run" / screen)

    def window(self, name):
        """Of a new window, which has the focus; whether it takes keys is seen by its text."""
        return name

    def press(self, *keys, delay_ms=20):
        for key in keys:
            self._typist.press(key)
            time.sleep(delay_ms / 1000)

    def type(self, text, delay_ms=20):
        self.press(*("Return" if char == "\n" else char for char in text), delay_ms=delay_ms)

    def picture(self, path):
        self.output("grim", str(path))

    def close(self):
        self._typist.close()
        if self.door == "ibus":
            self.output("ibus", "exit")
        super().close()
