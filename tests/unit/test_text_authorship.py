"""Whose characters a field of a page or a document holds, and what of them is learned."""

import time

import pytest

from idiolect.daemon.session import effects, events, keys, keysyms, text_authorship
from idiolect.daemon.session.document_engine import DocumentEngine, EditorHand
from idiolect.daemon.session.field import Document, PageField
from idiolect.daemon.session.field_authorship import Line, texts_of
from idiolect.daemon.session.page_engine import PageEngine
from idiolect.daemon.session.session import Session
from idiolect.daemon.text.typed_text import Pauses

NO_PAUSES = Pauses(())
#: When something was typed: before, in and after a pause from 1,000 to 2,000.
BEFORE_S, IN_S, AFTER_S = 900.0, 1500.0, 2100.0


class Page:
    """A page with one field, and the session behind it."""

    def __init__(self, text=""):
        self.now_s, self.text, self.learned = 1000.0, text, []
        self.session = Session(learns=True)
        self.engine = PageEngine(self.session, self)
        self.comes()

    def tell(self, event):
        for _, effect in self.session.handle(event, self.engine, now_s=self.now_s, unix_s=self.now_s):
            if isinstance(effect, effects.LearnLines):
                self.learned += [text.text for text in texts_of(effect.lines, NO_PAUSES)]

    def comes(self, number="1"):
        self.tell(events.FieldCame(number, PageField("browser:1", is_learned=True), self.text))

    def shows(self, text):
        """The field shows a text; what it was before is told as one edit."""
        start = 0
        while start < min(len(text), len(self.text)) and text[start] == self.text[start]:
            start += 1
        end = 0
        while end < min(len(text), len(self.text)) - start and text[-1 - end] == self.text[-1 - end]:
            end += 1
        edit = events.DocumentEdit(start, len(self.text) - end, text[start : len(text) - end])
        self.text = text
        self.tell(events.DocumentEdited((edit,)))

    def press(self, value, state=0):
        self.tell(events.KeyPressed(value, state=state))

    def type(self, text):
        """Its user types a text at the end, and the browser says so."""
        for char in text:
            self.press(keysyms.of_character(char))
            self.tell(events.InputCame("insertText", char))
            self.shows(self.text + char)

    def leave(self):
        self.tell(events.FocusGone())
        return self.learned


def learned_of(text, *steps):
    """What is learned of a field: what it shows step by step, what its user has put in, whether by a command."""
    page = Page(text)
    for shown, typed, removes in ((*step, "", False)[:3] for step in steps):
        if removes:
            page.press(keys.BACKSPACE)
        page.tell(events.InputCame("insertText", typed))
        page.shows(shown)
    return page.leave()


LONG = "\n".join(f"Line {number} of theirs" for number in range(400))
CASES = {
    "words": (["", ["Hi there", "Hi there"]], ["Hi there"]),
    "words among theirs": (["to  you", ["to all of you", "all of"]], ["all of"]),
    "letters in their word": (["we tosee", ["we to ally see", "to al"]], []),
    "theirs behind it": (["", ["Hi there", "Hi there"], ["Hi there and buy"]], ["Hi there"]),
    "theirs behind it, at once": (["", ["Hi there and buy", "Hi there"]], ["Hi there"]),
    "theirs around it": (["", ["Hello all", "Hello all"], ["We say: Hello all (buy)"]], ["Hello all"]),
    "theirs above and below it": (
        [LONG, [f"{LONG}\nmine is here", "mine is here"], [f"buy\n{LONG}\nmine is here\nbuy"]],
        ["mine is here"],
    ),
    "another text in its place": (["", ["Hello there", "Hello there"], ["Goodbye"]], []),
    "another case": (["", ["HELLO ALL", "hello all"]], []),
    "a word that theirs cut": (["", ["my password", "my password"], ["my pass"]], []),
    "a word that theirs parted": (["", ["it together", "it together"], ["it to gether"]], []),
    "a word that theirs parted while it was typed": (
        ["", ["to", "to"], ["to "], ["to gether", "gether"]],
        [],
    ),
    "words that theirs joined": (
        ["", ["do so not go on", "do so not go on"], ["do so go on"]],
        ["do so"],
    ),
    "letters that theirs left": (["", ["b it xuxy", "b it xuxy"], ["b it uxy"], ["b it uy"]], ["b it"]),
    "typed over what was selected": (["Theirs is old", ["Theirs is mine now", "mine now"]], ["mine now"]),
    "removed and brought back": (
        ["", ["own words", "own words"], ["", "", True], ["own words", "", True]],
        ["own words"],
    ),
    "brought in from elsewhere": (
        ["", ["my own", "my own"], ["my own and theirs", "", True]],
        ["my own"],
    ),
    "not removed by its user": (["", ["own words", "own words"], [""]], ["own words"]),
    "removed by its user": (["", ["own words", "own words"], ["", "", True]], []),
    "put in the place of a mistake": (
        ["", ["ok teh", "ok teh"], ["ok the ", "the ", True]],
        ["ok the"],
    ),
    "behind half a character": (["\ud83d" * 300, ["\ud83d" * 300 + "\nmy own", "my own"]], ["my own"]),
    "out of sight": ([LONG, [f"{LONG}\nmy own", "my own"], ["Another line\nand another"]], ["my own"]),
}


@pytest.mark.parametrize(("steps", "expected"), CASES.values(), ids=CASES)
def test_only_what_is_shown_just_as_it_was_typed_is_its_users(steps, expected):
    assert learned_of(*steps) == expected


def test_a_key_of_which_the_browser_tells_no_input_counts_where_the_field_shows_it():
    page = Page()
    for char in "an editor":
        page.press(keysyms.of_character(char))
        page.shows(page.text + char)
    page.press(keysyms.of_character("x"))
    page.shows(page.text + " buys")
    assert page.leave() == ["an editor"]


def test_what_the_page_shows_too_late_is_not_its_users():
    page = Page()
    page.tell(events.InputCame("insertText", "buy it"))
    page.now_s += 6
    page.shows("buy it")
    assert page.leave() == []


def test_what_the_door_puts_in_for_its_user_is_theirs():
    page = Page()
    page.type("we saw hte ")
    page.tell(events.TextPut("the ", replaces=True))
    page.shows("we saw the ")
    page.type("heron")
    assert page.leave() == ["we saw the heron"]


def test_what_is_sent_is_learned_when_it_goes_and_the_rest_once_the_field_is_left():
    page = Page()
    page.type("see you at noon")
    page.press(keys.RETURN)
    page.shows("")
    assert page.learned == ["see you at noon"]
    page.type("or later")
    assert page.leave() == ["see you at noon", "or later"]


def test_its_user_may_come_back_and_what_came_meanwhile_is_the_pages():
    page = Page()
    page.type("see you at noon")
    page.leave()
    page.text += " and buy"
    page.comes()
    page.type(" or later")
    assert page.leave() == ["see you at noon", "or later"]
    for number in range(2, 40):  # so many other fields
        page.comes(f"{number}")
    page.comes()
    page.type(" now, then")
    assert page.leave()[-1] == "now, then"


def test_nothing_is_learned_of_a_field_that_turns_out_to_hold_a_secret():
    page = Page()
    page.type("words of mine")
    page.tell(events.FieldForbidden())
    page.type(" and more")
    assert page.leave() == []


def test_a_pause_of_which_the_session_hears_late_takes_nothing_of_what_was_typed_before():
    page = Page()
    page.type("openly spoken")
    page.session.pause.set(paused=True)
    page.type(" and on")
    assert page.leave() == [
        "openly spoken and on"
    ]  # when it is sent, what was typed in the pause is left out


def line(*parts, above=""):
    """A line of texts and when they were typed."""
    marks = [mark for text, mark in parts for _ in text]
    return Line("".join(text for text, _ in parts), marks, above)


def learned(*lines, pauses=((1000, 2000),)):
    return [(one.text, one.before) for one in texts_of(lines, Pauses(pauses))]


def test_of_a_line_those_words_are_sent_that_are_wholly_its_users_and_new():
    assert learned(line(("See you at noon.", AFTER_S))) == [("See you at noon.", "")]
    assert learned(line(("Theirs ", 0), ("and mine", AFTER_S))) == [("and mine", "Theirs ")]
    parts = ("I like ", AFTER_S), ("cars ", 0), ("a lot", AFTER_S)
    assert learned(line(*parts)) == [("I like", ""), ("a lot", "I like cars ")]
    parts = ("So I wri", AFTER_S), ("tten", 0), (" it all", AFTER_S)
    assert learned(line(*parts)) == [("So I", ""), ("it all", "So I written ")]
    parts = ("So ", AFTER_S), ("then ", -AFTER_S), ("we go", AFTER_S)
    assert learned(line(*parts)) == [("So then we go", "")]
    parts = ("I rec", -AFTER_S), ("ei", AFTER_S), ("ve it", -AFTER_S), (" now", AFTER_S)
    assert learned(line(*parts)) == [("receive it now", "I ")]
    assert learned(line(("> a quoted line", AFTER_S))) == learned(line(("... ---", AFTER_S))) == []
    [(_, before)] = learned(line(("4471 8890 oh", AFTER_S), above="x" * 600 + "My PIN is "))
    assert before == "x" * 390 + "My PIN is "


def test_what_was_typed_in_a_pause_is_not_sent():
    parts = ("before it ", BEFORE_S), ("within it ", IN_S), ("after it", AFTER_S)
    assert learned(line(*parts)) == [("before it", ""), ("after it", "before it within it ")]
    assert learned(line(("its beginning", 1000)), line(("its end", 2000))) == []
    assert learned(line(*parts), pauses=[(1000, None)]) == [("before it", "")]


def test_of_a_long_text_whose_lines_all_move_each_edit_takes_little_time():
    lines = [f"A line of number {number}" for number in range(20_000)]
    page = Page("\n".join(lines))
    begun_s = time.process_time()
    page.shows("\n".join(reversed(lines)))
    page.shows("\n".join("x" for _ in lines))
    assert time.process_time() - begun_s < 2.0


OTHERS = "A line of others, which stood here from the first.\n"
OWN = "the harbour master waves at every boat"


class Editor:
    """An editor that tells of each key, with one open document."""

    def __init__(self):
        self.now_s, self.late_s, self.text, self.learned = 1000.0, 0.0, OTHERS, []
        self.session = Session(learns=True)
        self.engine = DocumentEngine(self.session, self, EditorHand())
        self.tell(events.DocumentOpened(Document(uri="file:///letter.txt"), self.text))

    def tell(self, event):
        self.now_s += 0.1
        engine = None if isinstance(event, events.Ticked) else self.engine
        unix_s = self.now_s + self.late_s
        for _, effect in self.session.handle(event, engine, now_s=self.now_s, unix_s=unix_s):
            if isinstance(effect, effects.LearnText):
                self.learned.append(effect.body["text"])

    def edit(self, start, end, text, **how):
        self.text = self.text[:start] + text + self.text[end:]
        self.tell(events.DocumentEdited((events.DocumentEdit(start, end, text),), **how))

    def type(self, text):
        for char in text:
            self.edit(len(self.text), len(self.text), char)

    def save(self):
        self.tell(events.DocumentSaved())
        self.now_s += 10
        self.tell(events.Ticked())
        learned, self.learned = self.learned, []
        return learned


def test_what_its_user_cuts_and_pastes_elsewhere_in_a_document_stays_theirs():
    editor = Editor()
    editor.type(OWN)
    editor.edit(len(OTHERS), len(editor.text), "")
    editor.edit(0, 0, f"{OWN}\n")
    editor.edit(0, 0, "A paragraph that was copied from elsewhere.\n")
    assert editor.save() == [OWN]
    assert editor.save() == []


def test_a_document_that_is_read_anew_keeps_whose_its_lines_are():
    editor = Editor()
    editor.type(f"{OWN}\n")
    changed = f"{OTHERS.upper()}{OWN}\nAnd a line that another program has added.\n"
    editor.edit(0, len(editor.text), changed, by_program=True)
    assert editor.save() == [OWN]


def test_what_is_typed_after_the_clock_was_put_back_is_learned_too():
    editor = Editor()
    editor.type(OWN)
    editor.tell(events.DocumentSaved())
    editor.late_s = -60
    editor.type("\nSecond line of mine.")
    editor.now_s += 10
    editor.tell(events.Ticked())
    assert editor.learned == [OWN]
    editor.learned = []
    assert editor.save() == ["Second line of mine."]
    assert editor.save() == []


def test_what_is_pasted_over_own_words_and_undone_leaves_them_their_users():
    editor = Editor()
    editor.type(OWN)
    end = len(editor.text)
    editor.edit(len(OTHERS), end, "A paragraph that was copied from elsewhere.")
    editor.edit(len(OTHERS), len(editor.text), OWN)
    assert editor.save() == [OWN]


def test_what_programs_rewrite_and_users_remove_is_kept_within_bounds():
    editor = Editor()
    block = "A line that a program writes.\n" * 2_000
    for _ in range(10):
        editor.edit(0, len(editor.text), block.upper() if editor.text == block else block, by_program=True)
    for _ in range(10):
        editor.edit(0, len(editor.text), "")
        editor.edit(0, 0, block)
    own = editor.engine._handler.text.written
    assert own._vanished == []
    assert sum(len(piece.text) for piece in own._removed) <= text_authorship._MAX_REMOVED_CHARS


def test_what_a_program_takes_out_of_a_document_is_not_learned():
    editor = Editor()
    editor.type(f"{OWN}\n")
    editor.edit(len(OTHERS), len(editor.text), "", by_program=True)
    assert editor.save() == []
