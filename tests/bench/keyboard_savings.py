"""Keystrokes that the keyboard saves in a real program, beside what `eval`'s typist saves of the same text.

`python tests/bench/keyboard_savings.py [CORPUS]` teaches a new profile the history of one person (a file of
``../shared/corpora`` beside the checkout) and types some of what they wrote later, a message a line, into Mousepad on a
screen of its own: key by key with xdotool, taking a word with its digit as soon as the right one is in the window. Then
`eval`'s typist types the same messages and asks the same service. Nothing is learned meanwhile. Needs what
`tests/e2e/test_keyboard.py` needs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx
from jeepney import DBusAddress, MatchRule, new_method_call
from jeepney.io.blocking import open_dbus_connection
from keyboard import compared, desktop_module, mousepad
from worth import BASE, CORPORA, SEED, messages

from idiolect.adapters.evaluation.eval_split import EvalMessage, split_corpus
from idiolect.adapters.evaluation.typing_simulator import type_text
from idiolect.adapters.prediction.ghost import Ghost
from idiolect.adapters.prediction.ranking import Word
from idiolect.adapters.prediction.suggestion import Suggestion
from idiolect.adapters.prediction.vocabulary import WORD
from idiolect.daemon.keyboard.offers import begun, read
from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings

ENGINE = "org.freedesktop.IBus.Engine"
LATE_S = 1.5  # words that are not there by then are not waited for


class Service:
    """The service that the keyboard asks, asked the same by others."""

    def __init__(self, settings: Settings, words: int) -> None:
        token = {"Authorization": f"Bearer {process.read_token(settings)}"}
        url = process.find(settings).url
        self.client = httpx.Client(base_url=url, headers=token, trust_env=False, timeout=60)
        self._words = words

    def answer(self, prefix: str) -> dict[str, Any]:
        """What the service has to offer behind a text."""
        body = {"prefix": prefix, "candidates": self._words, "ghost_words": 0}
        return self.client.post("/v1/suggest", json=body).raise_for_status().json()

    def suggestion(self, prefix: str) -> Suggestion:
        """The same, as `eval`'s typist takes it."""
        words = tuple(Word(word["text"], word["p"]) for word in self.answer(prefix)["words"])
        return Suggestion(words, Ghost("", 0.0, show=False), None, 0.0)


class Window:
    """What IBus's window of words shows, by the signals with which the keyboard fills it."""

    def __init__(self, address: str) -> None:
        self._bus = open_dbus_connection(address)
        rule = MatchRule(type="signal", interface=ENGINE, member="UpdateLookupTable")
        bus = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
        self._bus.send_and_get_reply(new_method_call(bus, "AddMatch", "s", (rule.serialise(),)))
        self.words: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                message = self._bus.receive()
                if len(message.body) == 2:
                    (_, table), visible = message.body
                    shown = [one[1][2] for one in table[7]] if visible else []
                    self.words = [one.partition(" ")[2].rstrip() for one in shown]  # behind its key


class Typist:
    """Types into the program that has the focus, and takes a word as soon as the right one is in the window."""

    def __init__(self, desktop: Any, window: Window, service: Service) -> None:
        self._desktop, self._window, self._service = desktop, window, service
        self.keys = self.late = self.asked = 0

    def type(self, text: str) -> None:
        """Type one line."""
        ends = {at: found.end() for found in WORD.finditer(text) for at in range(*found.span())}
        at = 0
        while at < len(text):
            self.keys += 1
            offered = self._offered(text[:at]) if at in ends else []
            right = [place for place, word in enumerate(offered) if _fits(text, at, word, ends)]
            if not right:
                self._desktop.type(text[at], delay_ms=5)
                at += 1
                continue
            best = max(right, key=lambda place: len(offered[place]))
            self._desktop.press(f"alt+{best + 1}", delay_ms=5)
            at += len(offered[best])
            # A word that is taken brings its space, which comes with the letter behind that.
            at += text.startswith(" ", at) and text[at + 1 : at + 2].isalnum()

    def _offered(self, before: str) -> list[str]:
        """What is to be put at the cursor for each word in the window, once that is as new as it gets."""
        self.asked += 1
        typed = begun(before)
        offer = read(self._service.answer(before), before)
        there = [offer.label(word) for word in offer.words]
        deadline = time.monotonic() + LATE_S
        while self._window.words != there:
            if time.monotonic() > deadline:
                self.late += 1
                break
            time.sleep(0.005)
        return [word.removeprefix(typed) for word in self._window.words]


def _fits(text: str, at: int, word: str, ends: dict[int, int]) -> bool:
    """Whether a word is what comes next, to the end of a word, and no letter stands right behind that."""
    end = at + len(word)
    whole = bool(word) and text.startswith(word, at) and ends.get(end - 1, end) == end and end >= ends[at]
    return whole and not text[end : end + 1].isalnum()


def on_the_keys(name: str) -> list[EvalMessage]:
    """The messages of one line that a US keyboard has the keys for."""
    return [one for one in messages(name) if one.text.isascii() and one.text.isprintable()]


def measured(desktop: Any, session: Any, service: Service, test: list[str], folder: Path) -> dict[str, Any]:
    editor, path = mousepad(desktop, session, folder)
    typist = Typist(desktop, Window(desktop.output("ibus", "address").strip()), service)
    for text in test:
        desktop.press("Return")
        typist.type(text)
    desktop.rest()
    desktop.press("ctrl+s")
    wanted = "\n".join(test)
    with contextlib.suppress(AssertionError):
        session.wait_for(lambda: path.read_text().partition("\n")[2].rstrip("\n") == wanted, "the text", 10)
    found = path.read_text().partition("\n")[2].rstrip("\n")
    editor.terminate()
    counts = {"keys": typist.keys, "late": typist.late, "asked": typist.asked}
    return {**compared(wanted, found), **counts}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", nargs="?", default="email_mills")
    parser.add_argument("--chars", type=int, default=1500)
    parser.add_argument("--words", type=int, default=3, help="in the window")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not (CORPORA / f"{given.corpus}.jsonl").exists():
        sys.exit(f"Skipped: {CORPORA} holds no {given.corpus}.jsonl.")
    split = split_corpus(on_the_keys(given.corpus), name=given.corpus, seed=SEED, chars=given.chars)
    test = [message.text for message in split.test]
    session = desktop_module()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "work"
        home = folder / "profile"
        home.mkdir(parents=True)
        words = f'keyboard_ghost = "off"\nkeyboard_words = {given.words}\n'
        (home / "config.toml").write_text(f'keyring = false\nauto_train = false\nshow = "more"\n{words}')
        (home / "base").symlink_to(BASE)
        settings = Settings(home=home).prepare()
        process.start(settings)
        (folder / "desktop").mkdir()
        desktop = session.Desktop(folder / "desktop", home)
        try:
            service = Service(settings, given.words)
            for message in split.history:
                body = {"text": message.text, "source": "import", "at": message.at}
                service.client.post("/v1/history", json=body).raise_for_status()
            desktop.idiolect("pause")
            figures = measured(desktop, session, service, test, folder)
            typed = [type_text(text, service.suggestion, ghosts=False) for text in test]
        finally:
            desktop.close()
            process.stop(settings)
    characters = sum(map(len, test))
    figures |= {
        "corpus": given.corpus,
        "characters": characters,
        "history": len(split.history),
        "saved": round(100 * (1 - figures["keys"] / characters), 2),
        "eval_saves": round(100 * (1 - sum(one.keys[f"bar{given.words}"] for one in typed) / characters), 2),
    }
    print(
        json.dumps(figures)
        if given.json
        else "\n".join(f"{name}: {value}" for name, value in figures.items())
    )


if __name__ == "__main__":
    main()
