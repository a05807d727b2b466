"""The table of scenarios in pages: real keys, the extension, and its host; the service answers as a scenario says."""

import asyncio
import json
import socket
import threading
import time

import pytest
from browsers import FIELDS
from typing_scenarios import Row, scenarios, text_of
from waiting import until

from idiolect.daemon.clients import outbox, service_requests, session_runner
from idiolect.daemon.clients.browser import host

CAN = {
    *("many lines", "type", "key", "puts", "report", "answer", "hidden answer", "corrects", "wait", "leaves"),
    *("comes back", "choose", "service", "keys", "undoes"),
    *(
        "stands",
        "shows",
        "note",
        "asked",
        "passed",
        "used",
        "menu",
        "no menu",
        "title",
        "told",
        "sent",
        "learns",
    ),
}
KEYS = {
    "BackSpace": "Backspace",
    "Return": "Enter",
    "Space": " ",
    **{name: f"Arrow{name}" for name in ("Left", "Right", "Up", "Down")},
}
ROWS = [
    row
    for row in scenarios(door="browser")
    if {verb for _, verb, _ in row.steps} <= CAN
    and not any("release" in rest or "Ctrl+Alt+i" in rest for _, _, rest in row.steps)
]
HELD = "[field.value, field.value.slice(0, field.selectionStart)]"
#: How many keys the page was told of, but for those that are held.
SEEN = "told.filter(([name, key]) => name === 'keydown' && !['Alt', 'Control', 'Shift'].includes(key)).length"
CARET = "(field.selectionStart === field.selectionEnd ? field.value.slice(0, field.selectionStart) : null)"


class Question:
    """A question that waits for what the scenario answers."""

    def __init__(self, body):
        self.prefix, self.answered = body["prefix"], asyncio.get_running_loop().create_future()


class ScriptedService:
    """Hosts in this process, whose service is the scenario that runs."""

    def __init__(self, path):
        self.row, self.hosts, self.loop = None, [], asyncio.new_event_loop()
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        for work in (self.loop.run_forever, self._accept):
            threading.Thread(target=work, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self._server.accept()
            asyncio.run_coroutine_threadsafe(self._serve(connection), self.loop)

    async def _serve(self, connection):
        read, write = await asyncio.open_connection(sock=connection)
        self.hosts.append(host.Host(self.settings, write.write))
        await self.hosts[-1].serve(read)
        write.close()

    def link(self, _settings, _scope):
        return self

    async def request(self, *_request):
        return None

    async def ask(self, _method, path, body=None):
        return await self.row.reply_to(path, body) if self.row is not None else None

    async def send(self, path, body):
        return await self.ask("POST", path, body) is not None

    async def start(self):
        pass

    async def close(self):
        pass

    def within(self, work):
        """What work in the loop of the hosts returns."""

        async def done():
            return work()

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result()


@pytest.fixture(scope="module")
def scripted(room, service):
    with pytest.MonkeyPatch.context() as patched:
        scripted = ScriptedService(room.relay)
        scripted.settings = service.settings
        for module in (host, session_runner, service_requests):
            patched.setattr(module, "ServiceLink", scripted.link)
        patched.setattr(service_requests, "_COUNTING_S", 0.05)
        patched.setattr(
            service_requests, "_MAX_ASKED", 1000
        )  # what is not answered keeps no question waiting
        patched.setattr(outbox, "_RETRY_S", 0.1)
        room.end_hosts()
        yield scripted
        room.relay.unlink()
        room.end_hosts()


class PageRow(Row):
    """Runs one scenario in a new page."""

    def __init__(self, scenario, browser, scripted):
        super().__init__(scenario)
        self.browser, self.tab, self.scripted = browser, browser.tab, scripted
        self.questions = []

    async def reply_to(self, path, body):
        if not self.hears:
            return None
        if path == "/v1/suggest":
            return await self._answer_to_question(body)
        if path == "/v1/history":
            self.learned.append(body["text"])
        elif path == "/v1/feedback":
            outcome = body["word"] if body["kind"] == "correction" else body["characters"]
            told = f"{body['kind']} {body['outcome']} {outcome}".removesuffix(" 0")
            self.told += [told] * body.get("count", 1)
        elif path.startswith("/v1/quiet"):
            self.quiet = path == "/v1/quiet"
        self.sent += [] if path in ("/v1/status", "/v1/history", "/v1/feedback") else [path]
        return {**self.told_always(), "pauses": []}

    async def _answer_to_question(self, body):
        question = Question(body)
        self.asked, self.asked_in_quiet = question, self.quiet
        self.questions.append(question)
        self.answer_known(question)
        return await question.answered

    def say(self, ask, *told, **more):
        answer = self.answer_to(ask.prefix, *told, **more)
        work = ask.answered.set_result
        self.scripted.loop.call_soon_threadsafe(lambda: ask.answered.done() or work(answer))

    def happen(self, *_event):
        """The page's events happen by themselves."""

    def begin(self):
        self.scripted.row, self.has_chosen = self, False
        for one in self.scripted.hosts:  # they outlive a scenario, and what it chose
            self.scripted.within(lambda session=one._typing.session: session._set_quiet(quiet=False))
        steps = self.scenario.steps
        has_lines = any(verb == "many lines" or "Return" in rest or "\n" in rest for _, verb, rest in steps)
        self.browser.open(FIELDS["textarea" if has_lines else "input"])
        if steps[0][1] in ("key", "choose") or steps[1][1] == "choose":  # the extension is loaded by then
            self.do_type("x")
            self.do_key("BackSpace")
            self.questions, self.asked = [], None

    def settle(self):
        """Until the session knows what stands before the cursor; nothing where something is selected."""

        def is_known():
            before, door = self.tab.js(CARET), self.scripted.hosts[-1]._typing._focused
            return door is not None and door.engine.text_before == (before or "")

        until(is_known, lambda: self.tab.js(CARET))

    # What happens

    def do_many_lines(self, _rest):
        pass

    def do_report(self, rest):
        before, caret, behind = rest.partition("|")
        if caret:
            self._put(before + behind, len(before))

    def do_puts(self, rest):
        self._put(text_of(rest), len(text_of(rest)))

    def _put(self, text, caret):
        self.tab.js(f"(field.value = {json.dumps(text)}, field.setSelectionRange({caret}, {caret}))")

    def do_type(self, rest):
        for char in text_of(rest):
            self.tab.press({"\n": "Enter"}.get(char, char))
            self.settle()

    def do_key(self, rest):
        for name in rest.split():
            *held, key = name.split("+") if name[-1] != "-" else [*name[:-2].split("+"), "-"]
            before = self.tab.js(SEEN)
            self.tab.press(KEYS.get(key, key), *({"Ctrl": "Control"}.get(one, one) for one in held))
            self.used = self.tab.js(SEEN) == before
            if key == "Tab":  # the page is always told of it
                self.used = self.tab.js("document.activeElement === field")
                self.tab.js("field.focus()")
            if key in ("BackSpace", "Return", "1", "2"):
                self.settle()
            elif key == "Left":
                until(lambda: self.scripted.hosts[-1]._typing._focused.engine.text_before == "")

    def do_undoes(self, rest):
        self.tab.press("z", "Control")
        self.has_stands(rest)
        self.settle()

    def do_wait(self, rest):
        time.sleep(float(rest))

    def do_leaves(self, _rest):
        self.tab.js("field.blur()")
        until(lambda: not self.scripted.hosts[-1]._typing._focused.engine._context)

    def do_comes_back(self, _rest):
        self.tab.js("field.focus()")

    def do_choose(self, rest):
        line = rest.split()[0]
        if self.has_chosen:  # nobody chooses again before the first choice is seen
            self.settle()
        self.has_chosen = True
        self.scripted.within(lambda: self.scripted.hosts[-1]._typing.choose(line))

    def do_answer(self, rest, *, listed=True):
        prefix = rest[1:].partition("] ")[0] if rest.startswith("[") else self.tab.js(CARET)
        found = until(
            lambda: next((one for one in self.open_questions() if one.prefix == prefix), None),
            lambda: (prefix, [one.prefix for one in self.open_questions()]),
        )
        self.asked, asked = found, self.asked
        super().do_answer(rest.partition("] ")[2] if rest.startswith("[") else rest, listed=listed)
        self.asked = asked
        time.sleep(0.25)  # what is shown can be read

    def open_questions(self):
        """Those that wait for their answer, the last first: the same may be asked again."""
        return [one for one in reversed(self.questions) if not one.answered.done()]

    # What holds, after a while

    def until_holds(self, holds, found):
        try:
            until(holds)
        except AssertionError:
            raise AssertionError(f"found {found()!r}") from None

    def has_stands(self, rest):
        """A word brings its space here, so that none before the cursor counts."""
        self.until_holds(
            lambda: text_of(rest).rstrip(" ") in [text.rstrip(" ") for text in self.tab.js(HELD)],
            lambda: self.tab.js("field.value"),
        )

    def has_shows(self, rest):
        words, _, grey = rest.partition("/")
        wanted = [word.strip() for word in words.split(",") if word.strip() not in ("", "nothing")]

        def shown():
            ghost, drawn = self.browser.shown()
            return drawn, ghost.strip("\xa0 ")

        self.until_holds(lambda: shown() == (wanted, grey.strip()), shown)

    def has_note(self, rest):
        """What is noted is said by a screen reader, which other tests hear."""

    def has_asked(self, rest):
        self.until_holds(
            lambda: (self.asked.prefix if self.asked else "nothing") == text_of(rest),
            lambda: self.asked and self.asked.prefix,
        )
        self.asked = None

    def has_title(self, rest):
        menu = self.scripted.hosts[-1]._typing.session.menu
        self.until_holds(lambda: self.scripted.within(menu).title == f"idiolect: {rest}", menu)

    def has_menu(self, rest):
        self.until_holds(lambda: rest in self._menu(), self._menu)

    def has_no_menu(self, rest):
        self.until_holds(lambda: not [one for one in self._menu() if rest in one], self._menu)

    def _menu(self):
        typing = self.scripted.hosts[-1]._typing
        return self.scripted.within(lambda: [line.label for line in typing.menu(typing._doors)])

    def has_told(self, rest):
        wanted = [one for one in rest.split(", ") if one != "nothing"]

        def told():
            kinds = {one.split()[0] for one in wanted or self.told}
            return sorted(one for one in self.told if one.split()[0] in kinds)

        self.until_holds(lambda: told() == sorted(wanted), told)
        self.told = []

    def has_sent(self, rest):
        self.until_holds(lambda: self.sent == rest.split(), lambda: self.sent)
        self.sent = []

    def has_learns(self, rest):
        self.tab.js("field.blur()")
        self.until_holds(lambda: self.learned == ([] if rest == "nothing" else [rest]), lambda: self.learned)


@pytest.mark.parametrize("scenario", ROWS, ids=str)
def test_what_follows_from_what_is_typed_in_a_page(scenario, browser, scripted, learning):
    PageRow(scenario, browser, scripted).run()
