"""GNOME under Wayland, without a screen: the real shell, with its own IBus, and a keyboard that mutter makes."""

import contextlib
import json
import time

from desktop import Desktop, wait_for
from jeepney import DBusAddress, MessageFlag, MessageType, new_method_call
from jeepney.io.blocking import open_dbus_connection
from waiting import DEADLINE_S

#: Keys of a US layout by what they type, as the kernel numbers them (input-event-codes.h): by the first of each row.
ROWS = {
    2: ("1234567890-=", "!@#$%^&*()_+"),
    16: ("qwertyuiop[]", "QWERTYUIOP{}"),
    30: ("asdfghjkl;'`", 'ASDFGHJKL:"~'),
    43: ("\\zxcvbnm,./", "|ZXCVBNM<>?"),
}
_NAMED = {
    "Escape": 1,
    "BackSpace": 14,
    "Tab": 15,
    "Return": 28,
    "space": 57,
    "Home": 102,
    "Up": 103,
    "Left": 105,
    "Right": 106,
    "End": 107,
    "Down": 108,
    "Delete": 111,
    "Control_L": 29,
}
_SHIFT = 42
_HELD = {"ctrl": 29, "shift": _SHIFT, "alt": 56, "super": 125}
_REMOTE = "org.gnome.Mutter.RemoteDesktop"
_SHELL = DBusAddress("/org/gnome/Shell", "org.gnome.Shell", "org.gnome.Shell")
_OPTIONS = {
    "org.gnome.desktop.interface": {"enable-animations": "false", "enable-hot-corners": "false"},
    "org.gnome.desktop.input-sources": {"sources": "[('xkb', 'us')]"},
    "org.gnome.shell": {"welcome-dialog-last-shown-version": "'4294967295'"},
}


def codes(key):
    """The keys that are pressed one after another, and let go, for a character or a name such as "ctrl+s"."""
    *held, last = key.split("+") if len(key) > 1 else [key]
    pressed = [_HELD[one] for one in held]
    if last in _NAMED or last == " ":
        return [*pressed, _NAMED.get(last, _NAMED["space"])]
    for first, (plain, shifted) in ROWS.items():
        if last in plain:
            return [*pressed, first + plain.index(last)]
        if last in shifted:
            return [*pressed, _SHIFT, first + shifted.index(last)]
    raise ValueError(key)


class Gnome(Desktop):
    """A session of GNOME Shell, in which the keyboard was installed and chosen as its documentation says."""

    def _begin(self):
        for name in (
            "GTK_IM_MODULE",
            "QT_IM_MODULE",
            "XMODIFIERS",
            "GSETTINGS_BACKEND",
            "NO_AT_BRIDGE",
            "DISPLAY",
        ):
            self.environment.pop(name, None)
        self._begin_bus("DBUS_SYSTEM_BUS_ADDRESS")
        self.environment |= {
            "XDG_CURRENT_DESKTOP": "GNOME",
            "XDG_SESSION_TYPE": "wayland",
            "WAYLAND_DISPLAY": "wayland-0",
            "QT_QPA_PLATFORM": "wayland",
        }
        self._begin_bus("DBUS_SESSION_BUS_ADDRESS")
        for schema, options in _OPTIONS.items():
            for name, value in options.items():
                self.output("gsettings", "set", schema, name, value)
        self.start(
            *("gnome-shell", "--headless", "--wayland", "--no-x11", "--unsafe-mode"),
            *("--wayland-display", "wayland-0", "--virtual-monitor", "1024x768"),
            log="shell.log",
        )
        wait_for((self.folder / "run" / "wayland-0").exists, "GNOME Shell")
        self._bus = open_dbus_connection(self.environment["DBUS_SESSION_BUS_ADDRESS"])
        wait_for(lambda: self._has("org.gnome.Shell") and self._has(_REMOTE), "GNOME Shell")
        session = self._ask("/org/gnome/Mutter/RemoteDesktop", _REMOTE, "CreateSession", to=_REMOTE)[0]
        self._remote = DBusAddress(session, _REMOTE, f"{_REMOTE}.Session")
        self._ask(session, f"{_REMOTE}.Session", "Start", to=_REMOTE)
        wait_for(lambda: (self.output("ibus", "address") or "").startswith("unix:"), "IBus")
        self.idiolect("setup", "keyboard", "--yes", "--learn")
        self.js("Main.overview.hide()")
        self.choose()
        self._tell("NotifyPointerMotionRelative", "dd", (1.0, 1.0))  # the first only makes the pointer

    def choose(self):
        """Choose the keyboard as its user does."""

        def chosen():
            self.press("super+space")
            with contextlib.suppress(AssertionError):
                return wait_for(lambda: self.output("ibus", "engine").strip() == "idiolect", "it", 10)

        wait_for(chosen, "the engine")

    # D-Bus

    def _has(self, name):
        bus = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
        return self._call(bus, "NameHasOwner", "s", (name,))[0]

    def _ask(self, path, interface, name, signature=None, body=(), *, to):
        return self._call(DBusAddress(path, to, interface), name, signature, body)

    def _call(self, where, name, signature=None, body=()):
        answer = self._bus.send_and_get_reply(
            new_method_call(where, name, signature, body), timeout=DEADLINE_S
        )
        assert answer.header.message_type is MessageType.method_return, (name, answer.body)
        return answer.body

    def _tell(self, name, signature, body):
        """Without an answer, so that nobody waits for the shell between two keys."""
        message = new_method_call(self._remote, name, signature, body)
        message.header.flags |= MessageFlag.no_reply_expected
        self._bus.send(message)

    def js(self, code):
        """What an expression is in the shell."""
        worked, value = self._call(_SHELL, "Eval", "s", (code,))
        assert worked, value
        return json.loads(value) if value else None

    # Windows and keys

    def window(self, name):
        """Wait until the window of a program has the focus."""
        wanted = name.replace("-", "").lower()
        wait_for(lambda: wanted in self._focused("get_wm_class").replace(".", "").lower(), name)
        return name

    def title(self):
        """Of the window that has the focus."""
        return self._focused("get_title")

    def _focused(self, what):
        return self.js(f"global.display.focus_window?.{what}() ?? ''")

    def offering(self):
        return self.js(
            "Main.panel.statusArea.keyboard._inputSourceManager._ibusManager._candidatePopup.visible"
        )

    def press(self, *keys, delay_ms=20):
        for key in keys:
            pressed = codes(key)
            for code in pressed:
                self._tell("NotifyKeyboardKeycode", "ub", (code, True))
            for code in reversed(pressed):
                self._tell("NotifyKeyboardKeycode", "ub", (code, False))
            time.sleep(delay_ms / 1000)

    def type(self, text, delay_ms=20):
        self.press(*("Return" if char == "\n" else char for char in text), delay_ms=delay_ms)

    def picture(self, path):
        self._ask(
            "/org/gnome/Shell/Screenshot",
            "org.gnome.Shell.Screenshot",
            "Screenshot",
            "bbs",
            (False, False, str(path)),
            to="org.gnome.Shell.Screenshot",
        )

    def close(self):
        with contextlib.suppress(OSError):
            self._bus.close()
        super().close()
