"""The keyboard's engine at IBus's bus: what goes out, and when, as a program tells of its keys or does not."""

import asyncio
import itertools

import pytest
from jeepney import DBusAddress, HeaderFields, Parser, new_method_call

from idiolect.daemon.keyboard import engine, ibus_objects, serve, service_requests
from idiolect.daemon.keyboard.bus import Bus
from idiolect.daemon.keyboard.desktop_session import DesktopSession
from idiolect.daemon.keyboard.engine import INTERFACE, Engine
from idiolect.daemon.keyboard.field import Field
from idiolect.daemon.keyboard.key_outcomes import SuggestionOutcome
from idiolect.daemon.keyboard.learning_choice import LearningChoice
from idiolect.daemon.keyboard.suggest_answer import Offer, OfferedWord
from idiolect.daemon.settings import Settings

SURROUNDING = 1 << 5
CONTROL, ALT = 1 << 2, 1 << 3
RELEASE = 1 << 30


class Wire:
    """The end of a connection to IBus that takes what is sent."""

    def __init__(self):
        self.outgoing_serial = itertools.count(1)
        self.writer = self
        self._parser = Parser()

    def write(self, data):
        self._parser.add_data(data)

    def sent(self, *names):
        """The signals of these names that were sent since, in their order, with what they hold."""
        found = []
        while (message := self._parser.get_next_message()) is not None:
            name = message.header.fields.get(HeaderFields.member, "answer")
            if name in names:
                held = (ibus_objects.content(message.body[0]),) if name == "CommitText" else message.body
                found.append((name, *held))
        return found


class Program:
    """A program whose field has the focus."""

    def __init__(self, folder, client="gtk3-im:editor", capabilities=SURROUNDING, **settings):
        self.wire = Wire()
        self.engine = Engine(
            Bus(self.wire), "/engine", DesktopSession(Settings(home=folder, **settings).prepare())
        )
        self._serials = itertools.count(1)
        self.call("SetCapabilities", "u", capabilities)
        self.call("FocusInId", "ss", "/context", client)
        if capabilities:
            self.tell("")

    def call(self, name, signature, *body):
        call = new_method_call(DBusAddress("/engine", "org.idiolect", INTERFACE), name, signature, body)
        call.header.serial = next(self._serials)
        call.header.fields[HeaderFields.sender] = "org.ibus"
        self.engine.handle(call)

    def tell(self, text):
        self.call("SetSurroundingText", "vuu", ibus_objects.text(text), len(text), len(text))

    def press(self, char, state=0, code=0):
        self.call("ProcessKeyEvent", "uuu", ord(char), code, state)

    def type(self, text):
        for end, char in enumerate(text, 1):
            self.press(char)
            self.tell(text[:end])

    def answer(self, prefix, *words):
        typing = self.engine._handler
        self.engine._do(typing.answered(Offer(prefix, words, None)))

    def changes(self):
        return self.wire.sent("DeleteSurroundingText", "CommitText")


def test_a_word_that_replaces_waits_for_the_program_to_tell_of_the_last_key(tmp_path):
    async def typed():
        program = Program(tmp_path)
        program.type("I teh")
        program.press("h")
        program.answer("I tehh", OfferedWord("the", 0.9, 4))
        program.press("1", ALT)
        assert program.changes() == []
        program.tell("I tehh")
        return program.changes()

    assert asyncio.run(typed()) == [("DeleteSurroundingText", -4, 4), ("CommitText", "the")]


def test_nothing_is_deleted_where_the_program_does_not_tell_or_tells_something_else(tmp_path):
    async def typed(told):
        program = Program(tmp_path)
        program.type("I teh")
        program.press("h")
        program.answer("I tehh", OfferedWord("the", 0.9, 4))
        program.press("1", ALT)
        if told is not None:
            program.tell(told)
        while program.engine._held is not None:
            await asyncio.sleep(0.01)
        return program.changes()

    for told in (None, "I teh", "elsewhere"):
        assert asyncio.run(typed(told)) == []


def test_nothing_is_deleted_where_the_field_is_left_meanwhile(tmp_path):
    async def typed():
        program = Program(tmp_path)
        program.type("I teh")
        program.press("h")
        program.answer("I tehh", OfferedWord("the", 0.9, 4))
        program.press("1", ALT)
        program.call("FocusOut", "")
        return program.changes()

    assert asyncio.run(typed()) == []


def test_a_sure_correction_is_made_once_the_program_has_told_of_the_space(tmp_path):
    async def typed():
        program = Program(tmp_path)
        program.type("thier")
        program.press(" ")
        program.answer("thier ", OfferedWord("their ", 1.0, 6, ended=True, apply=True))
        assert program.changes() == []
        program.tell("thier ")
        return program.changes()

    assert asyncio.run(typed()) == [("DeleteSurroundingText", -6, 6), ("CommitText", "their ")]


def test_a_program_that_deletes_no_more_gets_no_correction(tmp_path):
    async def typed():
        program = Program(tmp_path)
        program.type("thier")
        program.press(" ")
        program.answer("thier ", OfferedWord("their ", 1.0, 6, ended=True, apply=True))
        program.call("SetCapabilities", "u", 0)
        program.tell("thier ")
        return program.changes()

    assert asyncio.run(typed()) == []


def test_no_key_overtakes_a_word_in_a_program_of_the_old_protocol(tmp_path):
    async def typed():
        program = Program(tmp_path, "xim", 0, keyboard_terminals=True, keyboard_unknown="allow")
        while program.engine._field.window is None:  # which program it is has to be found out
            await asyncio.sleep(0.001)
        for char in "tom":
            program.press(char)
        program.answer("tom", OfferedWord("orrow", 0.9))
        program.wire.sent()
        program.press("1", ALT)
        for char in ".ab":
            program.press(char)
        releases = []
        while sum(map(len, releases)) < 5:
            await asyncio.sleep(0.001)
            if sent := [name for name, *_ in program.wire.sent("CommitText", "answer")]:
                releases.append(sent)
        return releases

    first, second, *_ = asyncio.run(asyncio.wait_for(typed(), 30))
    assert first == ["answer", "CommitText"] or (first, second) == (["answer"], ["CommitText"])


def test_what_is_typed_while_the_name_of_the_program_is_looked_for_counts(tmp_path, monkeypatch):
    async def typed(*, learns):
        named, asked = asyncio.Event(), []

        async def focused_program():
            await named.wait()
            return "editor"

        monkeypatch.setattr(engine, "focused_program", focused_program)
        LearningChoice(Settings(home=tmp_path).prepare()).set(learn=learns)
        program = Program(tmp_path, "gnome-shell")
        program.engine._session.suggest = lambda ask, *_: asked.append(ask.prefix)
        program.type("I go to the")
        assert asked == []
        await asyncio.sleep(0)
        named.set()
        while program.engine._field.window is None:
            await asyncio.sleep(0)
        program.press(" ")
        program.tell("I go to the ")
        written = program.engine._handler.written
        assert asked == ["I go to the", "I go to the "]
        return written.entries()[0].text if written is not None else None

    assert asyncio.run(typed(learns=True)) == "I go to the"
    assert asyncio.run(typed(learns=False)) is None


def test_a_name_that_comes_when_another_program_has_the_focus_is_not_its_name(tmp_path, monkeypatch):
    async def typed():
        names = [asyncio.get_running_loop().create_future() for _ in range(2)]
        asked = iter(names)

        async def focused_program():
            return await next(asked)

        monkeypatch.setattr(engine, "focused_program", focused_program)
        program = Program(tmp_path, "gnome-shell")
        await asyncio.sleep(0)
        program.call("FocusOutId", "s", "/context")
        program.call("FocusInId", "ss", "/context", "gnome-shell")
        await asyncio.sleep(0)
        names[0].set_result("first")
        for _ in range(10):  # rounds of the loop, of which it needs two
            await asyncio.sleep(0)
        assert program.engine._field.window is None
        names[1].set_result("second")
        while program.engine._field.window is None:
            await asyncio.sleep(0)
        return program.engine._field.app

    assert asyncio.run(typed()) == "second"


def test_alt_counts_by_the_place_of_the_digit_where_a_layout_types_digits_with_shift(tmp_path):
    async def typed():
        program = Program(tmp_path)
        program.type("tom")
        program.answer("tom", OfferedWord("orrow", 0.9))
        program.press("&", ALT, code=2)
        return program.changes()

    assert asyncio.run(typed()) == [("CommitText", "orrow")]


def test_the_window_keeps_its_width_while_a_word_is_typed_and_says_what_takes(tmp_path):
    def width(entries):  # in DejaVu Sans, with what IBus puts around each entry
        return 1.2 * len(entries) + sum(
            {" ": 0.318, "i": 0.278, "l": 0.278, "t": 0.392, "r": 0.411, "m": 0.974, "w": 0.818}.get(
                char, 0.62
            )
            for char in "".join(entries)
        )

    async def typed():
        program = Program(tmp_path)
        found = []
        for prefix, words in (
            ("t", ("omorrow", "errible", "he")),
            ("to", ("morrow",)),
            ("tom", ("orrow", "b")),
        ):
            program.press(prefix[-1])
            program.tell(prefix)
            program.answer(prefix, *(OfferedWord(word, 0.3) for word in words))
            (_, table, shown) = program.wire.sent("UpdateLookupTable")[-1]
            assert shown
            found.append([ibus_objects.content(entry) for entry in table[1][7]])
        return found

    first, second, third = asyncio.run(typed())
    assert first == ["Alt+1 tomorrow", "Alt+2 terrible", "Alt+3 the"]
    assert second[0].rstrip() == "Alt+1 tomorrow"
    assert max(map(width, (first, second, third))) < 1.05 * min(map(width, (first, second, third)))


def test_the_window_stays_a_moment_after_its_words_went(tmp_path):
    async def typed():
        program = Program(tmp_path)
        program.type("tom")
        program.answer("tom", OfferedWord("orrow", 0.9))
        program.press("x")
        at_once = [shown for _, _, shown in program.wire.sent("UpdateLookupTable")]
        while program.engine._hiding is not None:
            await asyncio.sleep(0.01)
        return at_once, [shown for _, _, shown in program.wire.sent("UpdateLookupTable")]

    assert asyncio.run(typed()) == ([True, True], [False]), "IBus draws the first one right the second time"


def test_how_fast_letters_follow_one_another_is_asked_with(tmp_path):
    """Not keys that take or command, nor those of a field in which nothing is followed."""

    async def typed():
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        loop.time = lambda: now_s
        program = Program(tmp_path)
        told = Service(program.engine._session).told

        async def press(text, apart_s, state=0):
            nonlocal now_s
            for end, char in enumerate(text, 1):
                now_s += apart_s
                program.press(char, state)
                program.press(char, state | RELEASE)
                program.tell("" if state else text[:end])
                await asyncio.sleep(0)
            while program.engine._session.asking._asked:
                await asyncio.sleep(0)
            return [body["key_ms"] for path, body in told if path == "/v1/suggest"][-1:]

        found = [await press("harbour" * 2, 0.15)]
        await press("lantern" * 10, 0.02, CONTROL)
        found.append(await press("harbour" * 2, 0.15))
        program.call("FocusOut", "")
        await press("lantern" * 10, 0.02)
        program.call("FocusInId", "ss", "/context", "gtk3-im:editor")
        program.tell("")
        found.append(await press("we", 0.15))
        return found

    assert asyncio.run(typed()) == [[None], [150], [150]]


@pytest.mark.parametrize("without", [True, False])
def test_in_a_trial_a_field_goes_without_suggestions_or_not_and_its_counts_are_told(
    tmp_path, monkeypatch, without
):
    monkeypatch.setattr("secrets.randbelow", lambda _: int(not without))

    async def typed():
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        loop.time = lambda: now_s
        program = Program(tmp_path)
        session = program.engine._session
        answer = {"words": [], "ghost": {"text": "", "p": 0.0, "show": False}, "list": {"show": False}}
        told = Service(
            session, suggest={**answer, "paused": False, "sees_context": False, "trial": True}
        ).told

        async def write(text, apart_s=0.2):
            nonlocal now_s
            for end, char in enumerate(text, 1):
                now_s += apart_s
                program.press(char)
                program.tell(text[:end])
                await asyncio.sleep(0)
            program.call("FocusOut", "")
            while session.asking._tasks:
                await asyncio.sleep(0)
            found = [body for path, body in told if path == "/v1/suggest"]
            stretches = [body for path, body in told if path == "/v1/trial/stretch"]
            told.clear()
            program.call("FocusInId", "ss", "/context", "gtk3-im:editor")
            program.tell("")
            return found, stretches

        before = await write("no trial runs that anybody knows of")
        during = await write("it is known by the last answer")
        session.asking._link.answers["suggest"]["trial"] = False
        await write("it ends")
        return before, during, session.trial

    (asked_before, none), (asked, stretches), runs = asyncio.run(typed())
    assert (bool(asked_before), none, runs) == (True, [], False)
    nothing = {"prefix": "", "candidates": 0, "ghost_words": 0}
    assert asked, "the service knows that somebody types"
    assert all((nothing.items() <= one.items()) is without for one in asked)
    place = {"app": "editor", "input_purpose": None, "private": False}
    assert [{**one, **dict.fromkeys(place)} for one in stretches] == [
        {"suggestions": not without, "characters": 30, "seconds": 5.8, "keys": 30, **dict.fromkeys(place)}
    ]


def test_stretches_push_no_text_out_that_waits_to_be_learned(tmp_path):
    async def waiting():
        session = DesktopSession(Settings(home=tmp_path).prepare())
        Service(session).fails = 1000
        session.asking.send("/v1/history", {"text": "to be learned"})
        for _ in range(300):
            session.send_stretch({}, Field())
        return [path for path, _ in session.asking._texts]

    assert asyncio.run(waiting()) == ["/v1/history"]


class Service:
    """Stands where requests go out, and keeps them; answers by path."""

    def __init__(self, session, **answers):
        self.told, self.answers, self.fails = [], answers, 0
        session.asking._link = self

    async def answer(self, path, body):
        self.told.append((path, body))
        return self.answers.get(path.rsplit("/", 1)[-1])

    async def ask(self, _method, path, body=None):
        return await self.answer(path, body)

    async def send(self, path, body):
        await self.answer(path, body)
        self.fails -= 1
        return self.fails < 0

    async def close(self):
        pass


def dismissed(word):
    return SuggestionOutcome("correction", "dismissed", 0.0, word=word)


def test_what_is_dismissed_is_counted_together_and_what_waits_is_never_pushed_out(tmp_path, monkeypatch):
    monkeypatch.setattr(service_requests, "_COUNTING_S", 0.0)
    monkeypatch.setattr(service_requests, "_RETRY_S", 0.0)

    async def counted():
        session = DesktopSession(Settings(home=tmp_path).prepare())
        service = Service(session)
        service.fails = 3
        for number in range(300):
            session.asking.send("/v1/history", {"text": str(number)})
            for p in (0.31, 0.39, 0.7):
                session.count(SuggestionOutcome("word", "dismissed", p), Field("gtk3-im:editor"))
        session.count(SuggestionOutcome("word", "accepted", 0.31, 4), Field("gtk3-im:editor"))
        while session.asking._texts or session.asking._counts:
            await asyncio.sleep(0)
        return service.told

    told = asyncio.run(asyncio.wait_for(counted(), 30))
    texts = [body["text"] for path, body in told if path == "/v1/history"]
    assert list(dict.fromkeys(texts)) == [str(number) for number in range(100, 300)], (
        "the newest, in their order"
    )
    counts = [body for path, body in told if path == "/v1/feedback"]
    assert [(one["outcome"], one["count"]) for one in counts] == [
        ("dismissed", 600),
        ("dismissed", 300),
        ("accepted", 1),
    ]


def menu(program):
    """The lines below the indicator."""
    (top,) = program.engine._session.menu()
    return {line.key: line.label for line in top.below}


QUOTED = "On Monday, Anna Berg <a@b.example> wrote:\n> Can you come on Thursday?\n\n"
ANSWER = {
    "words": [],
    "ghost": {"text": "", "p": 0.0, "show": False},
    "list": {"show": False},
    "paused": False,
}


def questions(tmp_path, sees, keys="Yes", below="", before=QUOTED, then=None, **program_settings):
    """What is asked in a mail that is typed, key by key, below or above a quotation."""

    async def typed():
        program = Program(tmp_path, **program_settings)
        service = Service(program.engine._session, suggest={**ANSWER, "sees_context": sees})
        for end, char in enumerate(keys, 1):
            text = f"{before}{keys[:end]}"
            program.press(char)
            told = ibus_objects.text(text + below)
            program.call("SetSurroundingText", "vuu", told, len(text), len(text))
            while program.engine._session.asking._tasks:
                await asyncio.sleep(0)
        if then is not None:
            await then(program, service)
        return [body for path, body in service.told if path == "/v1/suggest"], program

    return asyncio.run(typed())


def test_what_is_quoted_around_the_cursor_is_what_is_answered_and_not_what_its_user_writes(tmp_path):
    said = "On Monday, Anna Berg <a@b.example> wrote:\nCan you come on Thursday?"
    asked, _ = questions(tmp_path / "below", True)
    assert {one["prefix"] for one in asked} <= {"Y", "Ye", "Yes"}
    assert "context" not in asked[0]
    assert [one["context"] for one in asked[1:]] == [[said]] * (len(asked) - 1) != []
    asked, _ = questions(tmp_path / "above", True, before="", below=f"\n\n{QUOTED}")
    assert (asked[-1]["prefix"], asked[-1]["context"]) == ("Yes", [said])
    asked, _ = questions(tmp_path / "in a quotation", True, before=QUOTED.rstrip(), keys="\u00a0now")
    assert asked == []


def test_of_a_long_text_no_half_line_counts(tmp_path):
    asked, _ = questions(tmp_path, True, before="> The quoted heron waits.\n" * 400)
    assert {one["prefix"] for one in asked} <= {"Y", "Ye", "Yes"}


def test_nothing_of_what_is_answered_is_told_where_the_service_said_that_it_is_not_used(tmp_path):
    asked, program = questions(tmp_path, False, keys="Yes, we will")
    assert asked
    assert not [one for one in asked if "context" in one]
    (top,) = program.engine._session.menu()
    assert [line.checked for line in top.below if line.key == "context"] == [False]


def test_what_stands_in_a_terminal_is_not_answered(tmp_path):
    asked, _ = questions(tmp_path, True, client="gtk3-im:gnome-terminal-server", keyboard_terminals=True)
    assert len(asked) > 1
    assert not [one for one in asked if "context" in one]


def test_in_the_next_field_the_first_question_has_no_context(tmp_path):
    async def elsewhere(program, service):
        service.told.clear()
        program.call("FocusOut", "")
        program.call("FocusInId", "ss", "/other", "gtk3-im:editor")
        program.tell(QUOTED)
        for end, char in enumerate("No", 1):
            program.press(char)
            program.tell(QUOTED + "No"[:end])
            while program.engine._session.asking._tasks:
                await asyncio.sleep(0)

    asked, _ = questions(tmp_path, True, then=elsewhere)
    assert ["context" in one for one in asked] == [False] + [True] * (len(asked) - 1)
    assert len(asked) > 1


def test_the_menu_says_whether_it_sees_what_is_answered_and_switches_that_for_the_program(
    tmp_path, monkeypatch
):
    rules = []

    async def ask(link, _method, path, body=None):
        rules.append((link._scope.name, path, body))
        return {"rules": []}

    async def switched(program, service):
        assert menu(program)["context"] == "Sees what you answer in editor"
        service.answers["suggest"]["sees_context"] = False
        program.call("PropertyActivate", "su", "context", 0)
        while program.engine._session.asking._tasks:
            await asyncio.sleep(0)

    monkeypatch.setattr("idiolect.daemon.editors.service_link.ServiceLink.ask", ask)
    asked, program = questions(tmp_path, True, then=switched)
    assert rules == [("ADMIN", "/v1/apps", {"app": "editor", "context": "off"})]
    assert "context" not in asked[-1]
    (top,) = program.engine._session.menu()
    assert [line.checked for line in top.below if line.key == "context"] == [False]


def notes(program):
    tables = program.wire.sent("UpdateLookupTable")
    return [
        *dict.fromkeys(ibus_objects.content(table[1][7][-1]).strip() for _, table, shown in tables if shown)
    ]


def test_a_correction_that_was_taken_back_may_be_forbidden_in_the_menu_and_allowed_again(tmp_path):
    async def chosen():
        LearningChoice(Settings(home=tmp_path).prepare()).set(learn=True)
        program = Program(tmp_path)
        service = Service(program.engine._session, add={}, remove={}, feedback={})
        session = program.engine._session
        session.count(dismissed("thier"), Field("gtk3-im:editor"))
        await asyncio.sleep(0.01)
        assert menu(program)["never"] == "Never correct “thier”"
        program.call("PropertyActivate", "su", "never", 0)
        await asyncio.sleep(0.01)
        assert notes(program) == ["“thier” is not corrected any more."]
        assert menu(program)["correct"] == "Correct “thier” again"
        program.call("PropertyActivate", "su", "correct", 0)
        await asyncio.sleep(0.01)
        assert notes(program) == ["“thier” is corrected again."]
        return [(path, body.get("kind")) for path, body in service.told if body and "status" not in path]

    assert asyncio.run(chosen()) == [
        ("/v1/feedback", "correction"),
        ("/v1/words/add", "never_correct"),
        ("/v1/words/remove", "never_correct"),
    ]


def test_it_is_said_where_one_types_that_a_word_is_not_corrected_any_more(tmp_path):
    async def judged(*, learns):
        LearningChoice(Settings(home=tmp_path).prepare()).set(learn=learns)
        program = Program(tmp_path)
        service = Service(program.engine._session, feedback={"never_corrected": True})
        program.engine._session.count(dismissed("thier"), Field("gtk3-im:editor"))
        await asyncio.sleep(0.01)
        return notes(program), [path for path, _ in service.told if path == "/v1/feedback"]

    assert asyncio.run(judged(learns=True)) == (["“thier” is not corrected any more."], ["/v1/feedback"])
    assert asyncio.run(judged(learns=False)) == ([], []), "with learning off nothing is written"


def test_a_full_disk_keeps_nobody_from_typing(tmp_path, monkeypatch):
    async def chosen():
        program = Program(tmp_path)

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("idiolect.models.durable.write", full)
        program.call("PropertyActivate", "su", "learn", 1)
        return notes(program), program.engine._session.learns(Field("gtk3-im:editor"))

    said, learns = asyncio.run(chosen())
    assert "until you log out" in said[0]
    assert learns


def test_a_call_that_fails_is_refused_and_the_next_is_answered(tmp_path, caplog):
    async def called():
        wire_ = Wire()
        bus = Bus(wire_)
        session = DesktopSession(Settings(home=tmp_path).prepare())
        factory = serve._Factory(bus, session)
        broken = Engine(bus, "/engine", session)
        factory._engines["/engine"] = broken
        broken._calls["ProcessKeyEvent"] = lambda *_: 1 / 0
        for serial in (1, 2):
            call = new_method_call(
                DBusAddress("/engine", "org.idiolect", INTERFACE), "ProcessKeyEvent", "uuu", (1, 1, 0)
            )
            call.header.serial = serial
            call.header.fields[HeaderFields.sender] = "org.ibus"
            factory.handle(call)
        return len(wire_.sent("answer"))

    assert asyncio.run(called()) == 2
    assert "a call of IBus failed" in caplog.text


def test_a_task_that_fails_is_in_the_log(tmp_path, caplog):
    async def failed():
        async def fails():
            raise ValueError

        DesktopSession(Settings(home=tmp_path).prepare()).asking.soon(fails())
        await asyncio.sleep(0.01)

    asyncio.run(failed())
    assert "something that was asked or sent failed" in caplog.text


def test_what_is_typed_while_learning_is_paused_counts_for_nothing_later(tmp_path):
    async def typed():
        LearningChoice(Settings(home=tmp_path).prepare()).set(learn=True)
        program = Program(tmp_path)
        session = program.engine._session
        program.type("before that")
        session.heard(paused=True)  # by whoever paused it, as an answer says
        assert program.engine._handler.written is None
        program.tell("before that nothing of this ")
        session.heard(paused=False)
        program.tell("before that nothing of this ")
        for end, char in enumerate("is learned", 1):
            program.press(char)
            program.tell("before that nothing of this " + "is learned"[:end])
        return [one.text for one in program.engine._handler.written.entries()]

    assert asyncio.run(typed()) == ["is learned"]
