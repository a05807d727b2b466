"""The keyboard's engine behind either door: what goes out, and when, as a program tells of its keys or does not."""

import asyncio
import itertools
import socket
import struct

import pytest
from jeepney import DBusAddress, HeaderFields, Parser, new_method_call
from waiting import DEADLINE_S

from idiolect.daemon.clients import outbox, service_requests, session_runner
from idiolect.daemon.clients.keyboard import component, desktop_session, ibus_objects, serve
from idiolect.daemon.clients.keyboard.bus import Bus
from idiolect.daemon.clients.keyboard.desktop_session import DesktopSession
from idiolect.daemon.clients.keyboard.fcitx_door import FcitxDoor
from idiolect.daemon.clients.keyboard.ibus_door import INTERFACE, IbusDoor
from idiolect.daemon.clients.learning_choice import LearningChoice
from idiolect.daemon.clients.service_requests import ServiceRequests
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.session import learning_pause
from idiolect.daemon.session.effects import SendRequest
from idiolect.daemon.session.events import Replied
from idiolect.daemon.session.field import Field
from idiolect.daemon.settings import Settings

SURROUNDING = 1 << 5
CONTROL, ALT = 1 << 2, 1 << 3
RELEASE = 1 << 30
EDITOR = "gtk3-im:editor"
NO_GHOST = {"text": "", "p": 0.0, "show": False, "words": []}


class Wire:
    """The end of a connection to IBus that takes what is sent."""

    def __init__(self):
        self.outgoing_serial = itertools.count(1)
        self.writer = self
        self.answers = 0
        self._parser = Parser()
        self._sent = []

    def write(self, data):
        self._parser.add_data(data)
        while (message := self._parser.get_next_message()) is not None:
            name = message.header.fields.get(HeaderFields.member, "answer")
            self.answers += name == "answer"
            held = (ibus_objects.content(message.body[0]),) if name == "CommitText" else message.body
            self._sent.append((name, *held))

    def sent(self, *names):
        """What was sent of these names since, in its order."""
        found = [one for one in self._sent if one[0] in names]
        self._sent.clear()
        return found


class Service:
    """Stands where requests go out, and keeps them: a suggestion is answered by its prefix, all else by its path."""

    def __init__(self):
        self.told, self.links, self.fails = [], [], 0
        self.answers = {"/v1/pause": {}, "/v1/resume": {}}
        self.busy = 0  # for so many questions
        self.words, self.corrections = {}, {}
        self.more = {"paused": False, "sees_context": False, "trial": False}
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    def link(self, _settings, scope):
        self.links.append(scope.name)
        return self

    async def ask(self, _method, path, body=None):
        self.told.append((path, body))
        await self.goes_on.wait()
        if path != "/v1/suggest":
            return self.answers.get(path)
        self.busy -= 1
        if self.busy >= 0:
            return None
        words = [{"text": text, "p": 0.9, "replace": n} for text, n in self.words.get(body["prefix"], ())]
        correction = self.corrections.get(body["prefix"])
        return {
            "words": words,
            "ghost": NO_GHOST,
            "correction": correction,
            "list": {"show": True},
            **self.more,
        }

    async def send(self, path, body):
        await self.goes_on.wait()
        self.fails -= 1
        self.told.append((path, body))
        return self.fails < 0

    async def start(self):
        pass

    async def close(self):
        pass

    def bodies(self, path):
        return [body for one, body in self.told if one == path]


@pytest.fixture
def service(monkeypatch):
    service = Service()
    for module in (service_requests, session_runner):
        monkeypatch.setattr(module, "ServiceLink", service.link)
    for name in ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return service


@pytest.fixture
def loop():
    loop = asyncio.new_event_loop()
    yield loop
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path).prepare()


class Program:
    """A program whose field has the focus, and the keyboard's session with it."""

    def __init__(self, loop, service, settings, client=EDITOR, capabilities=SURROUNDING):
        self.loop, self.service, self.wire = loop, service, Wire()
        self.session = DesktopSession(settings)
        self.door = IbusDoor(Bus(self.wire), "/engine", self.session)
        self.engine = self.door.engine
        self._calls = itertools.count(1)
        self._called = 0
        self.call("SetCapabilities", "u", capabilities)
        self.focus(client)

    def focus(self, client=EDITOR):
        self.call("FocusInId", "ss", "/context", client)
        self.tell("")

    def within(self, work, *arguments):
        """Do something in the event loop."""

        async def done():
            return work(*arguments)

        return self.loop.run_until_complete(done())

    def call(self, name, signature, *body):
        call = new_method_call(DBusAddress("/engine", "org.idiolect", INTERFACE), name, signature, body)
        call.header.serial = self._called = next(self._calls)
        call.header.fields[HeaderFields.sender] = "org.ibus"
        self.within(self.door.handle, call)

    def tell(self, text, behind=""):
        self.call("SetSurroundingText", "vuu", ibus_objects.text(text + behind), len(text), len(text))

    def press(self, char, state=0, code=0):
        self.call("ProcessKeyEvent", "uuu", ord(char), code, state)

    def type(self, text, before="", behind=""):
        """Type a text: the program tells of each key, and the service answers it."""
        for end, char in enumerate(text, 1):
            self.press(char)
            self.tell(before + text[:end], behind)
            self.settle()

    def settle(self):
        """Let all end that is under way."""
        self.until(lambda: len(asyncio.all_tasks(self.loop)) == 1)

    def until(self, holds):
        async def waited():
            async with asyncio.timeout(DEADLINE_S):
                while not holds():
                    await asyncio.sleep(0.001)

        self.loop.run_until_complete(waited())

    def changes(self):
        """What was typed and deleted, once each call is answered."""
        self.until(lambda: self.wire.answers == self._called)
        return self.wire.sent("DeleteSurroundingText", "CommitText")

    def hear_status(self, paused):
        status = SendRequest("/v1/status", method="GET")
        self.session.handle(Replied(status, {"paused": paused}))

    def menu(self):
        """The lines below the indicator: what each says, and whether it is checked."""
        lines = self.session.session.menu().lines
        return {line.key: (line.label, line.checked) for line in lines}

    def choose(self, line, checked=0):
        self.call("PropertyActivate", "su", line, checked)
        self.settle()

    def notes(self):
        tables = self.wire.sent("UpdateLookupTable")
        notes = (ibus_objects.content(table[1][7][-1]).strip() for _, table, shown in tables if shown)
        return list(dict.fromkeys(notes))

    def learned(self):
        """What is learned once the process ends."""
        self.loop.run_until_complete(self.session.finish())
        return [body["text"] for body in self.service.bodies("/v1/history")]


@pytest.fixture
def program(loop, service, settings):
    return Program(loop, service, settings)


# --- what waits until the program has caught up ---


@pytest.mark.parametrize(
    ("instead", "replaced"),
    [
        (lambda program: program.tell("I tehh"), True),
        (lambda _program: None, False),
        (lambda program: program.tell("I teh"), False),
        (lambda program: program.tell("elsewhere"), False),
        (lambda program: program.call("FocusOut", ""), False),
    ],
    ids=["the last key", "nothing", "the old text", "another text", "the field is left"],
)
def test_nothing_is_deleted_unless_the_program_tells_of_the_last_key(program, instead, replaced):
    program.service.words["I tehh"] = [("the", 4)]
    program.type("I teh")
    program.press("h")
    program.settle()
    program.press("1", ALT)
    assert program.wire.sent("DeleteSurroundingText", "CommitText") == []
    instead(program)
    made = [("DeleteSurroundingText", -4, 4), ("CommitText", "the")]
    assert program.changes() == (made if replaced else [])


@pytest.mark.parametrize(
    ("client", "reports", "deletes"), [(EDITOR, True, True), (EDITOR, False, False), ("wayland", True, False)]
)
def test_a_sure_correction_is_made_once_a_program_that_deletes_has_told_of_the_space(
    program, client, reports, deletes
):
    program.focus(client)
    program.service.corrections["so thier "] = {"text": "their ", "replace": 6, "p": 1.0, "apply": True}
    program.type("so thier")
    program.press(" ")
    program.settle()
    assert program.changes() == []
    if not reports:
        program.call("SetCapabilities", "u", 0)
    program.tell("so thier ")
    made = [("DeleteSurroundingText", -6, 6), ("CommitText", "their ")]
    assert program.changes() == (made if deletes else [])


@pytest.fixture
def mended(program):
    """A program in which `thier` became `their`, and words were typed behind it."""
    program.service.corrections["so thier "] = {"text": "their ", "replace": 6, "p": 1.0, "apply": True}
    program.type("so thier ")
    assert program.changes() == [("DeleteSurroundingText", -6, 6), ("CommitText", "their ")]
    program.tell("so their ")
    program.settle()
    program.type("own way", before="so their ")
    return program


@pytest.mark.parametrize(
    "instead",
    [
        lambda mended: mended.tell("so their own " + "way " * 100),
        lambda mended: mended.call("SetSurroundingText", "vuu", ibus_objects.text("so their own way"), 16, 3),
    ],
    ids=["far away", "a selection"],
)
def test_a_word_is_put_back_only_where_it_stands_close_before_the_cursor(mended, instead):
    mended.call("FocusOut", "")
    mended.call("FocusInId", "ss", "/context", EDITOR)
    mended.choose("put_back")
    instead(mended)
    assert mended.changes() == []


def test_no_key_overtakes_a_word_in_a_program_of_the_old_protocol(loop, service, tmp_path):
    settings = Settings(home=tmp_path, keyboard_terminals=True, keyboard_unknown="allow").prepare()
    program = Program(loop, service, settings, "xim", 0)
    program.until(lambda: program.engine.field.window is not None)  # which program it is is found out
    service.words["tom"] = [("orrow", 0)]
    for char in "tom":
        program.press(char)
    program.settle()
    program.wire.sent()
    program.press("1", ALT)
    for char in ".ab":
        program.press(char)
    sent = []
    program.until(
        lambda: sent.extend(program.wire.sent("CommitText", "answer")) or ("CommitText", "orrow") in sent
    )
    assert [name for name, *_ in sent] == ["answer", "CommitText"], "the keys behind it wait"


# --- fields ---


@pytest.mark.parametrize("learns", [True, False])
def test_what_is_typed_while_the_name_of_the_program_is_looked_for_counts(
    loop, service, settings, monkeypatch, learns
):
    named = asyncio.Event()

    async def find_focused_program():
        await named.wait()
        return "editor"

    monkeypatch.setattr(desktop_session, "find_focused_program", find_focused_program)
    LearningChoice(settings).set(learn=learns)
    program = Program(loop, service, settings, "gnome-shell")
    for end, char in enumerate(text := "I go to the", 1):
        program.press(char)
        program.tell(text[:end])
    assert service.bodies("/v1/suggest") == []
    program.within(named.set)
    program.settle()
    program.press(" ")
    program.tell("I go to the ")
    program.settle()
    assert [one["prefix"] for one in service.bodies("/v1/suggest")] == ["I go to the", "I go to the "]
    assert program.learned() == (["I go to the"] if learns else [])


def test_a_name_that_comes_when_another_program_has_the_focus_is_not_its_name(
    loop, service, settings, monkeypatch
):
    names = [loop.create_future() for _ in range(2)]
    asked = iter(names)

    async def find_focused_program():
        return await next(asked)

    monkeypatch.setattr(desktop_session, "find_focused_program", find_focused_program)
    program = Program(loop, service, settings, "gnome-shell")
    program.call("FocusOutId", "s", "/context")
    program.focus("gnome-shell")
    names[0].set_result("first")
    program.until(lambda: len(asyncio.all_tasks(loop)) == 2)
    assert program.engine.field.window is None
    names[1].set_result("second")
    program.settle()
    assert program.engine.field.app == "second"


def test_the_keys_that_pause_learning_do_so_once_though_each_is_released(program):
    for _ in range(2):
        paused = program.menu()["pause"][1]
        program.press("i", CONTROL | ALT)
        program.press("i", CONTROL | ALT | RELEASE)
        assert program.menu()["pause"][1] is not paused


@pytest.fixture
def unheard(loop, service, settings, monkeypatch):
    """A program whose text is learned, while the service does not answer."""
    monkeypatch.setattr(learning_pause, "_RETRY_S", 0.001)
    LearningChoice(settings).set(learn=True)
    service.answers.clear()
    return Program(loop, service, settings)


def toggle_pause(program):
    asked = len(program.service.told)
    program.press("i", CONTROL | ALT)
    paths = ("/v1/pause", "/v1/resume")
    program.until(lambda: sum(path in paths for path, _ in program.service.told[asked:]) > 2)


def type_on(program, text):
    """Type a text while a request is repeated; the service answers each key."""
    before = program.engine._handler.text.before.text
    for end, char in enumerate(text, 1):
        asked = len(program.service.bodies("/v1/suggest"))
        program.press(char)
        program.tell(before + text[:end])
        program.until(lambda asked=asked: len(program.service.bodies("/v1/suggest")) > asked)


def test_a_process_that_ends_before_the_service_has_heard_leaves_its_texts_unlearned(unheard, service):
    service.answers["/v1/pause"] = {}
    service.more["paused"] = True
    unheard.press("i", CONTROL | ALT)
    unheard.settle()
    toggle_pause(unheard)
    type_on(unheard, "nothing of this ")
    assert unheard.learned() == []


def test_a_pause_that_went_unheard_to_the_end_of_the_process_is_told_by_the_next(unheard, service, settings):
    toggle_pause(unheard)
    for task in asyncio.all_tasks(unheard.loop):
        task.cancel()
    unheard.settle()
    again = Program(unheard.loop, service, settings)
    assert again.menu()["pause"][1]
    again.within(again.session.start)
    service.answers["/v1/pause"] = {}
    again.until(lambda: LearningChoice(settings).unheard_pause_s is None)
    assert again.menu()["pause"][1]


# --- what is shown ---


def test_alt_counts_by_the_place_of_the_digit_where_a_layout_types_digits_with_shift(program):
    program.service.words["tom"] = [("orrow", 0)]
    program.type("tom")
    program.press("&", ALT, code=2)
    assert program.changes() == [("CommitText", "orrow")]


def test_the_window_keeps_its_width_while_a_word_is_typed_and_says_what_takes(program):
    def width(entries):  # in DejaVu Sans, with what IBus puts around each entry
        widths = {" ": 0.318, "i": 0.278, "l": 0.278, "t": 0.392, "r": 0.411, "m": 0.974, "w": 0.818}
        return 1.2 * len(entries) + sum(widths.get(char, 0.62) for char in "".join(entries))

    words = {"t": ("omorrow", "errible", "he"), "to": ("morrow",), "tom": ("orrow", "b")}
    found = []
    for prefix, offered in words.items():
        program.service.words[prefix] = [(word, 0) for word in offered]
        program.press(prefix[-1])
        program.tell(prefix)
        program.settle()
        (_, table, shown) = program.wire.sent("UpdateLookupTable")[-1]
        assert shown
        found.append([ibus_objects.content(entry) for entry in table[1][7]])
    assert found[0] == ["Alt+1 tomorrow", "Alt+2 terrible", "Alt+3 the"]
    assert found[1][0].rstrip() == "Alt+1 tomorrow"
    assert max(map(width, found)) < 1.05 * min(map(width, found))


def test_a_list_that_stands_there_is_not_sent_again(program):
    program.service.words |= {"t": [("om", 0)], "to": [("m", 0)]}
    for prefix in ("t", "to"):
        program.press(prefix[-1])
        program.tell(prefix)
        program.settle()
    assert len(program.service.bodies("/v1/suggest")) == 2
    assert len(program.wire.sent("UpdateLookupTable")) == 2, "the first list goes out twice"


def test_the_window_stays_a_moment_after_its_words_went(program):
    program.service.words["tom"] = [("orrow", 0)]
    program.type("tom")
    program.press("x")
    at_once = [shown for _, _, shown in program.wire.sent("UpdateLookupTable")]
    assert at_once == [True, True], "IBus draws the first one right the second time"
    later = []
    program.until(lambda: later.extend(program.wire.sent("UpdateLookupTable")) or later)
    assert [shown for _, _, shown in later] == [False]


def test_a_full_disk_keeps_nobody_from_typing(program, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("idiolect.models.durable.write", full)
    program.choose("learn", 1)
    assert "until you log out" in program.notes()[0]
    assert program.session.session.learns(Field(EDITOR))


# --- what is counted ---


class Hand:
    """Types at times of its own."""

    def __init__(self, program, monkeypatch):
        self.program, self.now_s = program, program.loop.time()
        monkeypatch.setattr(program.loop, "time", lambda: self.now_s)

    def type(self, text, apart_s, state=0):
        for end, char in enumerate(text, 1):
            self.now_s += apart_s
            self.program.press(char, state)
            self.program.press(char, state | RELEASE)
            self.program.tell("" if state else text[:end])


def test_how_fast_letters_follow_one_another_is_asked_with(program, monkeypatch):
    """Not keys that take or command, nor those of a field in which nothing is followed."""
    hand = Hand(program, monkeypatch)

    def median_ms(text):
        hand.type(text, 0.15)
        program.loop.run_until_complete(asyncio.sleep(0))
        return program.service.bodies("/v1/suggest")[-1]["letter_ms"]

    assert median_ms("harbour" * 2) is None
    hand.type("lantern" * 10, 0.02, CONTROL)
    assert median_ms("harbour" * 2) == 150
    program.call("FocusOut", "")
    hand.type("lantern" * 10, 0.02)
    program.focus()
    assert median_ms("we") == 150


BACKSPACE = "\uff08"


@pytest.mark.parametrize("learns", [True, False])
def test_a_slip_that_its_user_mends_is_told_as_a_pair_of_letters_where_text_is_learned(
    loop, service, settings, monkeypatch, learns
):
    LearningChoice(settings).set(learn=learns)
    program = Program(loop, service, settings)
    hand = Hand(program, monkeypatch)

    def told(text):
        service.told.clear()
        for char in text:
            hand.type(char, 0.2)
        program.loop.run_until_complete(asyncio.sleep(0))
        return service.bodies("/v1/slip")

    slip = {"meant": "he", "typed": "eh"}
    place = {"app": "editor", "input_purpose": "free-form", "private": False}
    assert told(f"teh{BACKSPACE * 2}he ") == ([{**slip, **place}] if learns else [])
    assert told(f"teh{BACKSPACE}") == []
    program.call("FocusOut", "")
    program.focus()
    assert told(f"{BACKSPACE}he ") == [], "it was another field"


@pytest.mark.parametrize("without", [True, False])
def test_in_a_trial_a_field_goes_without_suggestions_or_not_and_its_counts_are_told(
    program, monkeypatch, without
):
    monkeypatch.setattr("secrets.randbelow", lambda _: int(not without))
    hand, service = Hand(program, monkeypatch), program.service

    def write(text):
        service.told.clear()
        hand.type(text, 0.2)
        program.call("FocusOut", "")
        for _ in range(20):  # rounds of the loop: its clock stands still
            program.loop.run_until_complete(asyncio.sleep(0))
        program.focus()
        return service.bodies("/v1/suggest"), service.bodies("/v1/trial/stretch")

    service.more["trial"] = True
    asked, stretches = write("no trial runs that anybody knows of")
    assert asked
    assert stretches == []
    asked, stretches = write("it is known by the last answer")
    nothing = {"prefix": "", "candidates": 0, "ghost_words": 0}
    assert asked, "the service knows that somebody types"
    assert all((nothing.items() <= one.items()) is without for one in asked)
    place = {"app": "editor", "input_purpose": "free-form", "private": False}
    counts = {"suggestions": not without, "characters": 30, "seconds": 5.8, "keys": 30}
    assert stretches == [{**counts, **place}]
    service.more["trial"] = False
    write("it ends")
    assert not program.session.session.trial


def test_what_is_dismissed_is_counted_together_and_no_text_that_waits_is_pushed_out(program, monkeypatch):
    monkeypatch.setattr(service_requests, "_COUNTING_S", 0.0)
    monkeypatch.setattr(outbox, "_RETRY_S", 0.0)
    session, service = program.session, program.service
    service.fails = 3

    def counted():
        for number in range(300):
            session.requests.send("/v1/history", {"text": str(number)})
            for p in (0.31, 0.39, 0.7):
                session.requests.count({"kind": "word", "outcome": "dismissed", "p": p})
        session.requests.count({"kind": "word", "outcome": "accepted", "p": 0.31})

    service.goes_on.clear()
    program.within(session.requests.send, "/v1/history", {"text": "under way"})
    program.loop.run_until_complete(asyncio.sleep(0))
    program.within(counted)
    program.within(service.goes_on.set)
    program.until(lambda: len(service.bodies("/v1/feedback")) == 3)
    texts = [body["text"] for body in service.bodies("/v1/history")]
    newest = [str(number) for number in range(100, 300)]
    assert list(dict.fromkeys(texts)) == ["under way", *newest], "the newest, in their order"
    told = [(one["outcome"], one["count"]) for one in service.bodies("/v1/feedback")]
    assert told == [("dismissed", 600), ("dismissed", 300), ("accepted", 1)]


# --- what is asked ---


def test_a_word_that_ended_is_asked_about_though_newer_questions_came(program):
    ask, answered = ServiceRequests(Settings(home="/nowhere"), Scope.LEARN), []
    program.service.told.clear()
    program.service.goes_on.clear()
    for prefix in ("t", "th", "thi", "thi ", "thi w", "thi wi"):
        body = {"prefix": prefix, "candidates": 3, "ghost_words": 8}
        program.within(
            lambda body=body: ask.suggest(body, answered.append, ended=body["prefix"].endswith(" "))
        )
    program.within(program.service.goes_on.set)
    program.settle()
    asked = [(one["prefix"], one["candidates"]) for one in program.service.bodies("/v1/suggest")]
    assert asked == [("t", 3), ("th", 3), ("thi ", 0), ("thi wi", 3)]
    assert len(answered) == 4


def test_what_a_busy_service_does_not_answer_is_asked_once_more_unless_its_user_types_on(
    program, monkeypatch
):
    monkeypatch.setattr(service_requests, "_ONCE_MORE_S", 0.2)
    service = program.service
    service.words["to"], service.busy = [("morrow", 0)], 2
    service.told.clear()
    program.type("t")
    program.type("o", "t")
    program.until(lambda: len(service.bodies("/v1/suggest")) == 3)
    assert [one["prefix"] for one in service.bodies("/v1/suggest")] == ["t", "to", "to"]
    program.settle()
    program.press("1", ALT)
    assert program.changes() == [("CommitText", "morrow")]
    service.busy = 10
    service.told.clear()
    program.type("d", "tomorrow ")
    program.loop.run_until_complete(asyncio.sleep(0.5))
    assert len(service.bodies("/v1/suggest")) == 2, "and no more than once"


def test_at_the_end_a_text_that_is_being_sent_is_sent_and_then_those_that_wait(program):
    program.service.goes_on.clear()
    for text in ("one", "two"):
        program.within(program.session.requests.send, "/v1/history", {"text": text})
    program.loop.call_soon(program.service.goes_on.set)
    assert program.learned() == ["one", "two"]


QUOTED = "On Monday, Anna Berg <a@b.example> wrote:\n> Can you come on Thursday?\n\n"


def asked_in_reply(program, keys="Yes", before=QUOTED, behind=""):
    """What is asked in a mail that is typed, key by key, below or above a quotation."""
    program.service.told.clear()
    program.type(keys, before, behind)
    return program.service.bodies("/v1/suggest")


def test_what_is_quoted_around_the_cursor_is_what_is_answered_and_not_what_its_user_writes(program):
    said = "On Monday, Anna Berg <a@b.example> wrote:\nCan you come on Thursday?"
    program.service.more["sees_context"] = True
    asked = asked_in_reply(program)
    assert {one["prefix"] for one in asked} <= {"Y", "Ye", "Yes"}
    assert "context" not in asked[0], "the service has not said yet that it uses that here"
    assert [one["context"] for one in asked[1:]] == [[said]] * (len(asked) - 1) != []
    program.call("FocusOut", "")
    program.focus()
    asked = asked_in_reply(program, before="", behind=f"\n\n{QUOTED}")
    assert "context" not in asked[0], "nor in the next field"
    assert (asked[-1]["prefix"], asked[-1]["context"]) == ("Yes", [said])


@pytest.mark.parametrize(
    ("before", "keys", "prefixes"),
    [(QUOTED.rstrip(), "\u00a0now", set()), ("> The quoted heron waits.\n" * 400, "Yes", {"Y", "Ye", "Yes"})],
    ids=["in a quotation", "of a long text no half line counts"],
)
def test_what_is_quoted_is_never_what_suggestions_go_on_from(program, before, keys, prefixes):
    assert {one["prefix"] for one in asked_in_reply(program, keys, before)} <= prefixes


@pytest.mark.parametrize(("client", "sees"), [(EDITOR, False), ("gtk3-im:gnome-terminal-server", True)])
def test_nothing_of_what_is_answered_is_told_in_a_terminal_or_where_it_is_not_used(
    loop, service, tmp_path, client, sees
):
    settings = Settings(home=tmp_path, keyboard_terminals=True).prepare()
    service.more["sees_context"] = sees
    program = Program(loop, service, settings, client)
    asked = asked_in_reply(program)
    assert len(asked) > 1
    assert not [one for one in asked if "context" in one]
    assert program.menu()["context"][1] == sees


# --- the menu ---


def test_the_menu_says_whether_it_sees_what_is_answered_and_switches_that_for_the_program(program):
    service = program.service
    service.more["sees_context"], service.answers["/v1/apps"] = True, {}
    asked_in_reply(program)
    assert program.menu()["context"] == ("Sees what you answer in editor", True)
    service.more["sees_context"] = False
    program.choose("context", 0)
    assert service.bodies("/v1/apps") == [{"app": "editor", "context": "off"}]
    assert service.links[-1] == "ADMIN"
    assert "context" not in service.bodies("/v1/suggest")[-1]
    assert program.menu()["context"][1] is False


@pytest.mark.parametrize("learns", [True, False])
def test_a_note_says_that_a_word_is_not_corrected_any_more(loop, service, settings, learns):
    LearningChoice(settings).set(learn=learns)
    program = Program(loop, service, settings)
    service.answers["/v1/feedback"] = {"never_corrected": True}
    service.corrections["so thier "] = {"text": "their ", "replace": 6, "p": 1.0, "apply": True}
    program.type("so thier ")
    program.tell("so their ")
    program.settle()
    program.press(BACKSPACE)
    program.settle()
    assert ("“thier” is not corrected any more." in program.notes()) == learns
    assert len(service.bodies("/v1/feedback")) == 2 * learns, "with learning off nothing is written"


# --- what fails ---


def test_a_call_that_fails_is_refused_and_the_next_is_answered(program, caplog):
    factory = serve.Factory(Bus(program.wire), program.session)
    answered = program.wire.answers
    for serial, name in enumerate(("CreateEngine", "ProcessKeyEvent", "FocusOut"), 1):
        path = "/org/freedesktop/IBus/Factory" if serial == 1 else "/org/freedesktop/IBus/Engine/idiolect/1"
        call = new_method_call(DBusAddress(path, "org.idiolect", INTERFACE), name)
        call.header.serial = serial
        call.header.fields[HeaderFields.sender] = "org.ibus"
        program.within(factory.handle, call)  # a key without a body is none
    assert program.wire.answers == answered + 3
    assert "a call of IBus failed" in caplog.text


def test_a_task_that_fails_is_in_the_log(program, caplog):
    async def fails():
        raise ValueError

    program.within(program.session.requests.start_task, fails())
    program.settle()
    assert "a request to the service failed" in caplog.text


# --- the door of Fcitx: packets come in and go out ---

FCITX_SURROUNDING, PASSWORD, SENSITIVE, ORDERED, DIRECT = 1 << 6, 1 << 3, 1 << 36, 1 << 37, 1 << 63


class Addon:
    """The end of the socket that Fcitx's addon has."""

    def __init__(self, loop, settings, version=None):
        self.loop = loop
        self._end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._end.setblocking(False)
        self.session = DesktopSession(settings)
        self.door = FcitxDoor(theirs, self.session, version or component.addon_version())
        self.serving = loop.create_task(self.door.serve())

    def say(self, kind, *numbers, layout="", text=""):
        self.say_bytes(kind + struct.pack(f"={layout}", *numbers) + text.encode())

    def say_bytes(self, packet):
        self.loop.run_until_complete(self.loop.sock_sendall(self._end, packet))

    def focus(self, program="editor", flags=FCITX_SURROUNDING, focus=1):
        self.say(b"F", flags, focus, bytes([focus]) * 16, layout="QI16s", text=program)

    def report(self, text):
        self.say(b"R", len(text), len(text), layout="II", text=text)

    def press(self, number, char, state=0):
        """Press a key; what was inserted until its answer, and whether it was used."""
        self.say(b"K", number, ord(char), 0, state, layout="IIII")
        return [one for one in self.heard(b"A") if one[:1] in b"AI"]

    def heard(self, kind):
        """What comes until a packet of this kind."""
        found = []
        while not found or found[-1][:1] != kind:
            told = self.loop.sock_recv(self._end, 1 << 17)
            found.append(self.loop.run_until_complete(asyncio.wait_for(told, DEADLINE_S)))
        return found

    def has_ended(self):
        self.loop.run_until_complete(asyncio.wait_for(self.serving, DEADLINE_S))
        return self.serving.done()

    def end(self):
        self._end.close()
        assert self.has_ended()


@pytest.fixture
def addon(loop, service, settings):
    service.words |= {"so thier ": [("own", 0), ("house", 0)], "so thier h": [("ouse", 0)]}
    addon = Addon(loop, settings)
    yield addon
    addon.end()


def test_words_are_shown_and_taken_by_packets(addon):
    addon.focus()
    addon.report("so thier")
    assert addon.press(1, "x") == [struct.pack("=cI?", b"A", 1, False)]
    addon.focus(flags=FCITX_SURROUNDING | DIRECT, focus=2)
    for number, char in enumerate("so thier ", 2):
        assert addon.press(number, char)[-1] == struct.pack("=cI?", b"A", number, False)
    assert addon.heard(b"W")[-1] == struct.pack("=cI", b"W", 2) + b"Alt+1 \0own\0Alt+2 \0house\0"
    word, answer = struct.pack("=cII", b"I", 2, 0) + b"house", struct.pack("=cI?", b"A", 20, True)
    assert addon.press(20, "2", ALT) == [word, answer]


def test_keys_behind_a_word_that_waits_for_the_program_come_behind_it_in_their_order(
    loop, addon, monkeypatch
):
    addon.focus(flags=FCITX_SURROUNDING | ORDERED)
    addon.report("")
    for number, char in enumerate(text := "so thier ", 1):
        addon.press(number, char)
        addon.report(text[:number])
    addon.heard(b"W")
    now_s, came = loop.time(), []
    monkeypatch.setattr(loop, "time", lambda: now_s)
    for number, char, state in ((20, "h", 0), (21, "1", ALT), (22, ".", 0), (23, "\uff0d", 0)):
        came += addon.press(number, char, state)
    addon.report("so thier h")
    came += addon.heard(b"A") + addon.heard(b"A")
    before = [struct.pack("=cIB", b"A", *answer) for answer in ((20, 0), (21, 1), (22, 2), (23, 2))]
    behind = [struct.pack("=cIB", b"A", number, 0) for number in (22, 23)]
    word = struct.pack("=cII", b"I", 1, 0) + b"ouse"
    assert [one for one in came if one[:1] != b"W"] == [*before, word, *behind]


def test_an_addon_of_another_version_is_told_what_to_do_and_all_keys_are_passed_on(loop, service, settings):
    addon = Addon(loop, settings, "other")
    addon.focus()
    assert addon.heard(b"W")[-1].endswith(b"\0idiolect was updated: run `idiolect setup keyboard`.\0")
    addon.say_bytes(b"?")
    for number, char in enumerate("so thier ", 1):
        assert addon.press(number, char)[-1] == struct.pack("=cI?", b"A", number, False)
        assert addon.heard(b"W")[-1] == struct.pack("=cI", b"W", 1)
    assert not service.told
    addon.end()


def test_the_menu_is_shown_and_chosen_from_by_packets(addon, service):
    addon.focus()
    menu = addon.heard(b"N")[-1].decode()[5:].split("\0")
    assert [*zip(menu[::3], menu[1::3], menu[2::3], strict=False)] == [
        ("idiolect", "idiolect: suggests only", ""),
        ("learn", "Learn what I write", "0"),
        ("pause", "Pause learning everywhere", "0"),
        ("quiet", "Show nothing for 30 minutes (Ctrl+Alt+Q)", "0"),
    ]
    for line in ("learn", "nothing"):
        addon.say(b"P", text=line)
    while "learn\0Learn what I write\x001\0" not in addon.heard(b"N")[-1].decode():
        pass


def test_keys_that_went_unseen_are_not_learned_and_neither_is_a_private_window(loop, service, settings):
    LearningChoice(settings).set(learn=True)
    addon = Addon(loop, settings)
    programs = (
        ("editor", FCITX_SURROUNDING),
        ("firefox", FCITX_SURROUNDING),
        ("notes", FCITX_SURROUNDING | SENSITIVE),
    )
    for focus, (program, flags) in enumerate(programs, 1):
        addon.focus(program, flags, focus)
        addon.report("")
        for number, char in enumerate(text := f"said in {program}", 1):
            addon.press(number, char)
            addon.report(text[:number])
    addon.focus(focus=4)
    addon.report("")
    addon.say(b"S", 99, layout="I")
    assert addon.heard(b"A")[-1] == struct.pack("=cI?", b"A", 99, False)
    addon.focus(focus=4)
    addon.report("unseen")
    addon.say(b"U")
    addon.end()
    loop.run_until_complete(addon.session.finish())
    assert [body["text"] for body in service.bodies("/v1/history")] == ["said in editor"]


@pytest.mark.parametrize("flags", [PASSWORD, PASSWORD | FCITX_SURROUNDING, FCITX_SURROUNDING | SENSITIVE])
def test_in_a_password_field_nothing_is_asked(addon, service, flags):
    addon.focus(flags=flags)
    for number, char in enumerate("so thier ", 1):
        assert addon.press(number, char) == [struct.pack("=cI?", b"A", number, False)]
    assert not service.bodies("/v1/suggest")


@pytest.mark.parametrize(
    "packet", [b"?", b"K", b"K" + bytes(12), b"F" + bytes(27), b"R" + bytes(8) + b"x" * (1 << 16)]
)
def test_what_is_no_packet_or_too_long_ends_the_connection(addon, packet):
    addon.focus()
    addon.say_bytes(packet)
    assert addon.has_ended()


def test_a_key_whose_handling_fails_goes_to_the_program(addon, monkeypatch, caplog):
    addon.focus()
    monkeypatch.setattr(addon.door.engine, "handle", lambda *_: 1 / 0)
    assert addon.press(7, "s") == [struct.pack("=cI?", b"A", 7, False)]
    assert "an event of Fcitx failed" in caplog.text
