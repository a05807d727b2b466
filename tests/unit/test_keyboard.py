"""What the keyboard does for each key, without IBus: what is taken, asked, shown and learned."""

import asyncio

import pytest

from idiolect.daemon.key_names import parse_key
from idiolect.daemon.keyboard import ibus_objects, keysyms, service_requests
from idiolect.daemon.keyboard.field import Field
from idiolect.daemon.keyboard.field_authorship import FieldAuthorship
from idiolect.daemon.keyboard.key_handler import Bindings, KeyHandler
from idiolect.daemon.keyboard.key_outcomes import (
    AskService,
    FieldEmptied,
    InsertText,
    ShowSuggestions,
    SuggestionOutcome,
)
from idiolect.daemon.keyboard.left_fields import LeftFields
from idiolect.daemon.keyboard.suggest_answer import Offer, OfferedGhost, OfferedWord, read
from idiolect.daemon.keyboard.text_before_cursor import TextBeforeCursor
from idiolect.daemon.settings import Settings

TAB, BACKSPACE, ESCAPE, RETURN, UP, DOWN = 0xFF09, 0xFF08, 0xFF1B, 0xFF0D, 0xFF52, 0xFF54
ALT, CONTROL, RELEASE = 1 << 3, 1 << 2, 1 << 30


class Clock:
    now_s = 1000.0


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr("time.monotonic", lambda: Clock.now_s)


class Program:
    """A program that handles what is passed on, and tells what stands there, if it does."""

    def __init__(self, *, tells=True, **bindings):
        keysyms = {"take": "Tab", "take_word": "Control+Right", "hide": "Escape", "ask": "Alt+-"}
        keysyms = {name: parse_key(key) for name, key in keysyms.items()}
        self.typing = KeyHandler(Bindings(**{**keysyms, **bindings}), FieldAuthorship())
        self.text = ""
        self.tells = tells
        self.deletes = True
        self.asked, self.corrections = None, False
        self.shown = ShowSuggestions()
        self.fates = []
        self.emptied = 0
        self.tell()

    def tell(self):
        if self.tells:
            self.do(self.typing.report(self.text, len(self.text), len(self.text)))

    def do(self, actions):
        for action in actions:
            match action:
                case InsertText(text, replaced):
                    kept = len(self.text) - (replaced if self.deletes else 0)
                    self.text = self.text[:kept] + text
                case AskService(prefix, corrections):
                    self.asked, self.corrections = prefix, corrections
                case ShowSuggestions():
                    self.shown = action
                case SuggestionOutcome():
                    self.fates.append(action)
                case FieldEmptied():
                    self.emptied += 1

    def press(self, value, state=0):
        self.tell()
        used, actions = self.typing.key(value, state)
        self.do(actions)
        if not used:
            if value == BACKSPACE:
                self.text = self.text[:-1]
            elif value == RETURN:
                self.text += "\n"
            elif state == 0 and (char := keysyms.character(value)):
                self.text += char
        self.tell()
        return used

    def type(self, text):
        for char in text:
            self.press(ord(char))

    def answer(self, *words, ghost=None, prefix=None, listed=True):
        prefix = self.asked if prefix is None else prefix
        found = OfferedGhost(ghost, 0.9, True) if ghost else None
        offered = tuple(OfferedWord(word, 0.5) for word in words)
        self.do(self.typing.answered(Offer(prefix, offered, found, listed=listed)))
        Clock.now_s += 0.2  # it is read


def test_a_digit_takes_a_word_that_is_begun_and_its_space_comes_with_the_next():
    program = Program()
    program.type("see you tom")
    assert program.asked == "see you tom"
    program.answer("orrow", "atoes")
    assert program.shown == ShowSuggestions(("tomorrow", "tomatoes"))
    assert program.press(ord("1"), ALT)
    assert program.text == "see you tomorrow"
    assert program.asked == "see you tomorrow "
    program.type("at ten")
    assert program.text == "see you tomorrow at ten"


@pytest.mark.parametrize(
    ("typed", "text"),
    [(".", "tomorrow."), (" at", "tomorrow at"), ("(x)", "tomorrow (x)"), ("@noon", "tomorrow@noon")],
)
def test_behind_a_word_that_was_taken(typed, text):
    program = Program()
    program.type("tom")
    program.answer("orrow")
    program.press(ord("1"), ALT)
    program.type(typed)
    assert program.text == text


def test_on_a_new_line_words_are_offered_once_the_program_tells_of_it():
    program = Program()
    program.type("see you")
    program.press(RETURN)
    assert program.asked == "see you\n"
    program.answer("Thanks")
    assert program.press(ord("1"), ALT)
    assert program.text == "see you\nThanks"
    program.tells = False  # it is late
    program.press(RETURN)
    assert program.typing.before.text is None
    program.text, program.tells, program.asked = "", True, None  # and has sent the message
    program.tell()
    assert program.asked == ""
    program.answer("ok", "Thanks")
    assert not program.press(ord("1")), "a digit begins the line"
    assert program.asked == "1"


@pytest.mark.parametrize(
    ("before", "guess"), [("see you", ""), ("Dear all,\nsee you", "Dear all,\nsee you\n")]
)
@pytest.mark.parametrize("told", ["{}\n", ""])
@pytest.mark.parametrize("first", ["told", "moved"])
def test_a_cursor_that_moves_down_behind_return_stands_on_a_new_line(before, guess, told, first):
    program = Program()
    program.text = before[:-2]
    program.type(before[-2])
    program.tells = False  # of the new line only with the next key
    program.type(before[-1])
    program.press(RETURN)
    program.do(program.typing.reset())
    late = [lambda: program.do(program.typing.report(before, len(before), len(before)))]
    moved = [lambda: program.do(program.typing.moved_on(down=True))]
    for happens in late + moved if first == "told" else moved + late:  # only now of the last key before
        happens()
    assert program.asked == guess
    program.answer("Thanks")
    program.text, program.tells = told.format(before), True
    if program.text == guess:
        assert program.press(ord("1"), ALT)
        assert program.text == f"{guess}Thanks"
    program.type("at")
    assert program.asked == f"{program.text[:-2]}at"
    program.do(program.typing.moved_on(down=True))  # by the mouse, or as a line wraps
    assert program.asked == f"{program.text[:-2]}at"


@pytest.mark.parametrize(("before", "asked"), [("see you", ""), ("Dear all,\nsee you", None)])
def test_a_cursor_that_moves_to_the_left_behind_return_may_be_in_a_field_that_is_empty_now(before, asked):
    program = Program()
    program.text = before[:-1]
    program.type(before[-1])
    program.tells, program.asked = False, None
    program.press(RETURN)
    program.do(program.typing.moved_on(down=False))
    assert program.asked == asked


def on_a_new_line(before="see you"):
    """A program that tells late, in which words were offered on a new line, and something typed there."""
    program = Program()
    program.type(before)
    program.tells = False
    program.press(RETURN)
    program.do(program.typing.moved_on(down=True))
    program.text, program.tells = "", True
    program.type("hel")
    assert program.typing.before.text == "hel"
    return program


def test_a_click_right_behind_return_takes_away_what_was_offered_on_the_new_line():
    program = Program()
    program.type("see you")
    program.tells = False
    program.press(RETURN)
    program.do(program.typing.reset())  # by the program, for Return
    program.do(program.typing.moved_on(down=True))
    program.answer("Thanks")
    assert program.shown.words
    program.do(program.typing.reset())
    assert not program.shown.words
    assert program.typing.before.text is None


def test_a_line_that_was_told_is_a_line_like_others():
    program = on_a_new_line()
    program.do(program.typing.reset())  # a click
    assert program.typing.before.text is None
    program = on_a_new_line()
    program.text = ""  # sent by the mouse
    program.tell()
    assert program.typing.before.text is None


def test_a_return_that_changes_nothing_makes_no_new_line():
    program = Program()
    program.type("weather")
    program.tells = False  # what `press` does to the text does not happen
    program.press(RETURN)
    program.text, program.tells = "weather", True
    program.type(" in")
    program.text = ""
    program.tell()
    assert program.typing.before.text is None


def test_a_program_that_tells_of_another_field_is_not_believed_behind_return():
    program = Program(tells=False)

    def deaf():
        program.do(program.typing.report("", 0, 0))

    for char in "see you":
        deaf()
        program.type(char)
    deaf()
    assert program.typing.before.text == "see you"
    program.press(RETURN)
    deaf()
    program.type("ok")
    deaf()
    program.press(UP)
    program.type("so it ")
    assert program.typing.before.text is not None


def test_what_is_typed_before_the_program_tells_of_a_new_line_counts():
    program = Program()
    program.type("see you")
    program.tells = False
    program.press(RETURN)
    program.type("at t")
    program.tells, told = True, iter(("see you", "", "a", "at t"))
    for text in told:
        program.text = text
        program.tell()
    assert program.asked == "at t"


def test_nothing_is_offered_in_an_empty_field_before_a_key():
    program = Program()
    program.tell()
    assert program.asked is None
    program.type("a")
    program.press(BACKSPACE)
    assert program.asked == "a"


@pytest.mark.parametrize("ghost", [None, "Thanks a lot"])
def test_on_an_empty_line_tab_indents_unless_there_is_grey_text(ghost):
    program = Program()
    program.type("see you")
    program.press(RETURN)
    program.answer("Thanks", ghost=ghost)
    assert program.press(TAB) == (ghost is not None)
    assert program.text == f"see you\n{ghost or ''}"


@pytest.mark.parametrize("digits", ["alt", "bare"])
@pytest.mark.parametrize("form", ["mp3", "Q3", "B12", "H2O", "v2.0", "ipv6", "CO2", "at 12", "or 2"])
def test_a_digit_that_is_typed_is_a_digit(form, digits):
    program = Program(digits=digits)
    for char in form:
        program.type(char)
        if char.isalnum() and not char.isdigit():
            program.answer("one", "two", "three")
    assert program.text == form


def test_where_it_is_wished_a_bare_digit_takes_a_word_that_is_begun():
    for digits, text in (("bare", "see you tomorrow"), ("alt", "see you tom1")):
        program = Program(digits=digits)
        program.type("see you tom")
        program.answer("orrow")
        assert program.shown.bare == (digits == "bare")
        program.press(ord("1"))
        assert program.text == text


def test_words_that_are_not_worth_a_look_wait_until_they_are_or_their_user_asks():
    program = Program()
    program.type("see you to")
    program.answer("morrow", "night", ghost="morrow", listed=False)
    assert program.shown == ShowSuggestions(ghost="morrow")
    assert program.press(ord("-"), ALT)
    assert program.shown == ShowSuggestions(("tomorrow", "tonight"), "morrow")
    program.type("n")
    program.answer("ight", listed=False)
    assert program.shown == ShowSuggestions(("tonight",)), "they stay to the word's end"
    assert program.press(ord("1"), ALT)
    program.answer("at", listed=False)
    assert program.shown == ShowSuggestions(), "another word, of which nobody has asked"
    program.press(ord("1"), ALT)
    assert program.text == "see you tonight", "what is not shown cannot be taken"
    program.type(" a")
    program.answer("nd")
    program.type("n")
    program.answer("ts", listed=False)
    assert program.shown == ShowSuggestions(("ants",)), (
        "what a look was worth a letter ago does not go while it is looked at"
    )


def test_words_that_were_never_shown_are_not_passed_over():
    program = Program()
    program.type("see you to")
    program.answer("morrow", "night", listed=False)
    program.type("p ")
    assert program.fates == []
    program.type("se")
    program.answer("nd", listed=False)
    program.press(ord("-"), ALT)
    program.type("a ")
    assert [(fate.kind, fate.outcome) for fate in program.fates] == [("word", "dismissed")]


def test_words_are_asked_for_before_they_are_there_and_after_they_were_hidden():
    program = Program()
    assert not program.press(ord("-"), ALT), "in an empty field none can stand, so the key is the program's"
    program.type("see you to")
    assert program.press(ord("-"), ALT)
    program.answer("morrow", listed=False)
    assert program.shown == ShowSuggestions(("tomorrow",))
    program.press(ESCAPE)
    assert program.shown == ShowSuggestions()
    program.asked = None
    assert program.press(ord("-"), ALT)
    assert program.asked == "see you to"
    program.answer("morrow", listed=False)
    assert program.shown == ShowSuggestions(("tomorrow",))


def test_a_sure_correction_is_made_though_no_words_are_shown():
    program = Program()
    program.type("teh ")
    correction = OfferedWord("the ", 0.9, 4, ended=True, apply=True)
    program.do(program.typing.answered(Offer("teh ", (correction,), None, listed=False)))
    assert program.text == "the "


@pytest.mark.parametrize("digits", ["alt", "bare"])
def test_a_bare_digit_behind_a_whole_word_is_a_digit(digits):
    program = Program(digits=digits)
    program.type("step")
    answer = {
        "words": [{"text": "s", "p": 0.3}, {"text": "hen", "p": 0.1}],
        "ghost": {"text": "", "p": 0, "show": False},
        "list": {"show": True},
        "finished": 0.5,
    }
    program.do(program.typing.answered(read(answer, "step")))
    assert program.shown == ShowSuggestions()
    program.press(ord("1"))
    assert program.text == "step1"


@pytest.mark.parametrize(("finished", "words"), [(0.9, ()), (0.01, ("Friday's", "Fridays"))])
def test_behind_a_whole_word_there_are_words_only_if_one_is_likelier_than_its_end(finished, words):
    program = Program()
    program.type("Friday")
    answer = {
        "words": [{"text": "'s", "p": 0.04}, {"text": "s", "p": 0.02}],
        "ghost": {"text": "", "p": 0, "show": False},
        "list": {"show": True},
        "finished": finished,
    }
    program.do(program.typing.answered(read(answer, "Friday")))
    assert program.shown.words == words


def test_alt_with_a_digit_does_nothing_right_after_words_went_and_is_the_programs_later():
    program = Program()
    program.type("tom")
    assert not program.press(ord("1"), ALT)
    program.type(" toma")
    program.answer("to")
    assert program.press(ord("2"), ALT), "fewer words are shown"
    assert program.press(ord("1"), ALT)
    assert program.text == "tom tomato"
    Clock.now_s += 0.9
    assert program.press(ord("1"), ALT)
    Clock.now_s += 0.2
    assert not program.press(ord("1"), ALT)
    assert program.text == "tom tomato"


@pytest.mark.parametrize("text", ["tomor|ow", "don|'t", "a|b1"])
@pytest.mark.parametrize("key", [(TAB, 0), (ord("1"), 0), (ord("1"), ALT), (0xFF53, CONTROL)])
def test_within_a_word_nothing_is_asked_shown_or_taken(text, key):
    program = Program(digits="bare")
    before, after = text.split("|")
    for typed in (before[:-1], before):
        program.do(program.typing.report(f"{typed}{after}", len(typed), len(typed)))
        if typed != before:
            program.do(program.typing.key(ord(before[-1]), 0)[1])
    assert program.asked is None
    program.answer("row", ghost="row morning", prefix=before)
    assert program.shown == ShowSuggestions()
    assert not program.typing.key(*key)[0]


@pytest.mark.parametrize("after", ["", " and so on", ".", "' she said", ")"])
def test_before_a_space_or_mark_words_are_offered(after):
    program = Program()
    program.do(program.typing.report(f"to{after}", 2, 2))
    program.typing.key(ord("m"), 0)
    program.do(program.typing.report(f"tom{after}", 3, 3))
    assert program.asked == "tom"


def test_tab_takes_the_ghost_text_whole_and_another_key_a_word_of_it():
    for key, text in (
        (((TAB, 0),), "the keys are in the locker"),
        (((0xFF53, CONTROL),) * 2, "the keys are"),
    ):
        program = Program()
        program.type("the k")
        program.answer("eys", ghost="eys are in the locker")
        for one in key:
            assert program.press(*one)
        assert program.text == text


def test_the_rest_of_a_ghost_text_stays_though_the_next_answer_has_none():
    program = Program()
    program.type("the k")
    program.answer(ghost="eys are in the locker")
    program.press(0xFF53, CONTROL)
    program.answer("were", prefix="the keys")
    assert program.shown.ghost == " are in the locker"


def test_a_ghost_text_stays_while_its_letters_are_typed_and_none_comes_that_is_not_worth_a_look():
    program = Program()
    program.type("the k")
    ghost = {"text": "eys are in", "p": 0.4, "show": True}
    program.do(program.typing.answered(read({"words": [], "ghost": ghost, "list": {"show": True}}, "the k")))
    for letter in "eys":
        _, actions = program.typing.key(ord(letter), 0)
        program.do(actions)
        [shown] = [
            one.ghost for one in actions if isinstance(one, ShowSuggestions)
        ]  # so it is never gone between two
        assert shown == program.shown.ghost != ""
    assert program.shown.ghost == " are in"
    program.type(" a")
    ghost = {"text": "t noon", "p": 0.1, "show": False}
    program.do(
        program.typing.answered(read({"words": [], "ghost": ghost, "list": {"show": True}}, "the keys a"))
    )
    assert program.shown == ShowSuggestions()


def test_an_answer_that_comes_too_late_is_not_shown():
    program = Program()
    program.type("ab")
    program.answer("bot", prefix="a")
    assert program.shown == ShowSuggestions()
    assert not program.press(TAB)


def test_what_goes_on_as_typed_stays_and_the_rest_goes():
    program = Program()
    program.type("to")
    program.answer("morrow", "day", ghost="morrow at ten")
    program.press(ord("m"))
    assert program.shown == ShowSuggestions(("tomorrow",), "orrow at ten")
    program.press(ord("x"))
    assert program.shown == ShowSuggestions()


def test_escape_hides_until_the_next_word():
    program = Program()
    program.type("to")
    program.answer("morrow")
    assert program.press(ESCAPE)
    program.press(ord("d"))
    assert program.asked == "to"
    program.type("o t")
    assert program.asked == "todo t"


def test_arrows_and_return_belong_to_the_program():
    for key in (UP, DOWN, RETURN):
        program = Program()
        program.type("to")
        program.answer("morrow", "day")
        assert not program.press(key)


@pytest.mark.parametrize("first", ["Tom", "Anna", "flour"])
def test_tab_leaves_a_field_of_one_line_unless_grey_text_was_read_there(first):
    for typed, ghost in ((first, None), (first, " and Jerry"), (f"{first} ", "and Jerry")):
        program = Program()
        program.type(typed)
        program.answer("orrow", ghost=ghost)
        assert program.shown.ghost == ""
        assert not program.press(TAB)
        assert program.text == typed


def test_tab_is_the_programs_until_grey_text_can_have_been_read():
    def shown(typed, ghost):
        program = Program()
        program.type(typed)
        program.answer(ghost=ghost)
        return program

    program = shown("to", "morrow at ten")
    program.type("m")
    Clock.now_s += 0.1
    assert not program.press(TAB), "a letter was typed a moment ago"
    program = Program()
    program.type("tom")
    Clock.now_s += 0.2
    program.answer(ghost="orrow at ten")
    Clock.now_s -= 0.1
    assert not program.press(TAB), "it has only just come"
    program = shown("tom", "orrow at ten")
    program.answer("b", ghost="orrow at ten", prefix="tom")  # the same again
    Clock.now_s -= 0.2
    assert program.press(TAB)


@pytest.mark.parametrize("how", ["told", "moved", "wrapped"])
def test_in_a_field_of_several_lines_grey_text_stands_behind_whole_words_too(how):
    program = Program()
    program.type("Dear all,")
    if how == "wrapped":
        program.typing.wrapped()
    else:
        program.press(RETURN)
    if how == "moved":
        program.tells, program.text = False, ""
        program.do(program.typing.moved_on(down=True))
        program.tells = True
    program.type("thank you ")
    program.answer(ghost="for the keys")
    assert program.shown.ghost == "for the keys"
    assert program.press(TAB)


def test_shortcuts_and_moves_are_passed_on_and_nothing_is_offered_until_the_place_is_certain():
    program = Program()
    program.type("to")
    for key in ((ord("b"), CONTROL), (0xFF51, 0), (0xFF50, 0)):
        assert not program.press(*key)
    program.asked = None
    program.tell()
    assert program.asked is None
    program.press(ord("m"))
    assert program.asked == "tom"


def test_a_program_that_goes_on_telling_the_old_place_gets_nothing():
    before = TextBeforeCursor()
    before.report("", 0, 0)
    for end in range(1, 6):
        before.add("hello"[end - 1])
        before.report("hello"[:end], end, end)
    assert before.text == "hello"
    before.reset()  # a click
    before.report("hello", 5, 5)
    assert before.text is None
    before.add("x")
    before.report("hello", 5, 5)
    assert before.text is None
    before.report("xabc", 1, 1)
    assert before.text is None


def test_a_program_that_lags_is_believed_once_it_has_told_of_a_key():
    before = TextBeforeCursor()
    before.add("a")
    before.add("b")
    before.report("a", 1, 1)
    assert before.text == "ab"
    before.report("ab", 2, 2)
    assert (before.text, before.ahead) == ("ab", 0)


def test_a_program_that_is_late_and_changes_what_was_typed_is_believed_by_what_stands_behind_that():
    before = TextBeforeCursor()
    before.report("", 0, 0)
    typed = "q the teal"
    for end, char in enumerate(typed):
        before.add(char)
        told = typed[: max(end - 2, 0)].replace("q ", "Q ")
        before.report(told, len(told), len(told))
    assert (before.text, before.ahead) == ("Q the teal", 3)
    before.report("Q the te", 8, 8)
    assert (before.text, before.ahead) == ("Q the teal", 2)
    before.lose()
    before.report("Q the tea", 9, 9)
    assert before.text is None


def test_what_was_typed_over_and_over_does_not_say_how_late_a_program_is():
    before = TextBeforeCursor()
    before.report("x", 1, 1)
    for _ in range(12):
        before.add("a")
    before.report("yaaaaaaa", 8, 8)
    assert before.text is None


def test_a_program_that_tells_nothing_true_is_not_listened_to():
    before = TextBeforeCursor()
    before.report("", 0, 0)
    for char in "hello w":
        before.add(char)
        before.report("", 0, 0)
    assert before.text == "hello w"
    before.lose()
    before.add("x")
    assert before.text is None
    before.add(" ")
    before.add("y")
    assert before.text == "y"


def test_nothing_is_certain_while_text_is_selected():
    before = TextBeforeCursor()
    before.report("", 0, 0)
    before.add("a")
    before.report("a", 1, 0)
    assert before.text is None


def test_a_word_may_replace_what_was_typed():
    program = Program()
    program.type("I teh")
    answer = {
        "words": [{"text": "the", "p": 0.9, "replace": 3}, {"text": "x", "p": 0.1, "replace": 9}],
        "ghost": {"text": "", "p": 0, "show": False},
        "list": {"show": True},
    }
    program.do(program.typing.answered(read(answer, program.asked)))
    assert program.shown == ShowSuggestions(("the",))
    program.press(ord("1"), ALT)
    assert program.text == "I the"


def correct(program, text, replaced, *words, apply=False, prefix=None):
    """The service corrects the word that ended."""
    correction = {"text": text, "replace": replaced, "p": 0.9, "apply": apply}
    ghost = {"text": "", "p": 0, "show": False}
    answer = {
        "words": [{"text": word, "p": 0.1} for word in words],
        "ghost": ghost,
        "correction": correction,
        "list": {"show": True},
    }
    program.do(program.typing.answered(read(answer, program.asked if prefix is None else prefix)))


def corrected(program):
    return [(one.outcome, one.word) for one in program.fates if one.kind == "correction"]


def test_a_correction_of_the_word_that_ended_is_offered_first():
    program = Program()
    program.type("I will definatly ")
    assert program.corrections
    correct(program, "definitely ", 10, "go", "be")
    assert program.shown.words == ("definatly → definitely", "go", "be")
    assert not program.press(ord("1"))
    program.press(BACKSPACE)
    correct(program, "definitely ", 10, "go")
    assert program.press(ord("1"), ALT)
    assert (program.text, program.asked) == ("I will definitely ", "I will definitely ")
    program.type("go")
    assert program.text == "I will definitely go"
    assert corrected(program) == [("accepted", "definatly")]


def test_a_sure_correction_is_made_by_itself_and_the_next_backspace_takes_it_back_for_good():
    program = Program()
    program.type("I will definatly ")
    correct(program, "definitely ", 10, "go", apply=True)
    assert program.text == "I will definitely "
    assert "BackSpace" in program.shown.note
    program.answer("go")
    assert "BackSpace" in program.shown.note
    assert program.press(BACKSPACE)
    assert program.text == "I will definatly "
    assert program.shown.note == ""
    correct(program, "definitely ", 10, "go", apply=True)
    assert program.text == "I will definatly "
    assert program.shown.words == ("go",)
    assert corrected(program) == [("accepted", "definatly"), ("dismissed", "definatly")]


def test_another_key_than_backspace_leaves_a_correction_and_a_later_backspace_deletes_one_character():
    program = Program()
    program.type("thier.")
    correct(program, "their.", 6, apply=True)
    program.type(" x")
    assert program.shown.note == ""
    program.press(BACKSPACE)
    assert program.text == "their. "


def test_what_the_program_undoes_is_not_corrected_again():
    program = Program()
    program.type("thier ")
    correct(program, "their ", 6, apply=True)
    assert not program.press(ord("z"), CONTROL)
    assert corrected(program) == [("accepted", "thier"), ("dismissed", "thier")]


def test_nothing_is_corrected_by_itself_where_the_cursor_only_came_back():
    program = Program()
    program.type("thier x")
    program.press(BACKSPACE)
    correct(program, "their ", 6, apply=True)
    assert program.text == "thier "
    assert program.shown.words == ("thier → their",)


def test_a_correction_waits_until_the_program_has_told_of_all_that_was_typed():
    program = Program()
    program.type("thier")
    program.tells = False
    program.type(" ")
    correct(program, "their ", 6, apply=True)
    assert program.text == "thier "
    program.tells = True
    program.tell()
    assert program.text == "their "


def test_a_correction_is_taken_by_a_click_where_it_is_certain_what_stands_there():
    program = Program()
    program.type("thier")
    program.tells = False
    program.type(" ")
    correct(program, "their ", 6)
    program.do(program.typing.clicked(0))
    assert program.text == "thier "
    program.tells = True
    program.tell()
    program.do(program.typing.clicked(0))
    program.do(program.typing.clicked(5))
    assert program.text == "their "


def test_a_word_is_corrected_though_its_user_has_typed_on_and_backspace_takes_that_back():
    program = Program()
    program.type("so thier x")
    correct(program, "their ", 6, apply=True, prefix="so thier ")
    assert program.text == "so their x"
    assert "“thier” became “their”" in program.shown.note
    assert program.press(BACKSPACE)
    assert program.text == "so thier x"
    assert corrected(program) == [("accepted", "thier"), ("dismissed", "thier")]


def test_each_of_two_words_is_corrected_by_its_own_late_answer():
    program = Program()
    program.type("thier wich x")
    correct(program, "their ", 6, apply=True, prefix="thier ")
    program.tell()
    correct(program, "which ", 5, apply=True, prefix="thier wich ")
    assert program.text == "their which x"


def test_a_word_is_corrected_later_once_the_program_has_told_of_all_that_was_typed():
    program = Program()
    program.type("thier")
    program.tells = False
    program.type(" x")
    correct(program, "their ", 6, apply=True, prefix="thier ")
    assert program.text == "thier x"
    program.tells = True
    program.tell()
    assert program.text == "their x"


@pytest.mark.parametrize(
    "key", [BACKSPACE, RETURN, 0xFF51, ESCAPE], ids=["BackSpace", "Return", "Left", "Escape"]
)
def test_a_word_is_left_as_it_stands_where_another_key_came_before_the_answer(key):
    program = Program()
    program.type("thier xy")
    program.press(key)
    left = program.text
    correct(program, "their ", 6, apply=True, prefix="thier ")
    assert program.text == left
    assert corrected(program) == []


def test_a_word_is_left_as_it_stands_where_the_answer_comes_after_a_second(monkeypatch):
    program = Program()
    program.type("thier x")
    monkeypatch.setattr(Clock, "now_s", Clock.now_s + 1.1)
    correct(program, "their ", 6, apply=True, prefix="thier ")
    assert program.text == "thier x"


@pytest.mark.parametrize("prefix", ["it will accommodate ", "it will accomodate x ", "it will "])
def test_nothing_is_corrected_where_the_program_has_changed_the_text_itself(prefix):
    program = Program()
    program.type("it will accomodate")
    program.tells = False
    program.type(" ")
    correct(program, "accommodate ", 11, apply=True)
    program.tells = True
    program.text = prefix
    program.tell()
    assert program.text == prefix
    assert corrected(program) == []
    assert program.shown.note == ""


def test_a_program_that_tells_nothing_gets_no_corrections():
    program = Program(tells=False)
    program.type("thier ")
    assert not program.corrections
    correct(program, "their ", 6, "x", apply=True)
    assert program.text == "thier "
    assert program.shown.words == ("x",)


def test_a_program_that_does_not_delete_gets_no_more_corrections():
    program = Program()
    program.type("thier ")
    program.deletes = False
    correct(program, "their ", 6, apply=True)
    assert program.text == "thier their "
    program.tell()
    assert not program.typing.corrections.program_deletes
    program.type("teh ")
    assert not program.corrections


def test_a_space_that_does_not_stand_there_yet_is_not_replaced():
    program = Program()
    program.type("tom")
    program.answer("orrow")
    program.press(ord("1"), ALT)
    assert not program.corrections
    program.type(" ")
    assert program.asked == "tomorrow "
    assert program.corrections


@pytest.mark.parametrize(
    ("prefix", "replaced"), [("thier\n", 6), ("thier ", 9), ("thier \N{GRINNING FACE}", 7), ("", 1)]
)
def test_what_is_not_on_the_line_or_is_counted_differently_is_not_replaced(prefix, replaced):
    answer = {
        "words": [{"text": "their", "p": 0.9, "replace": replaced}],
        "ghost": {"text": "", "p": 0, "show": 0},
        "list": {"show": True},
    }
    assert not read(answer, prefix)


def test_words_that_were_torn_or_joined_are_mended():
    program = Program()
    program.type("see t he")
    ghost = {"text": "", "p": 0, "show": False}
    answer = {"words": [{"text": "the", "p": 0.9, "replace": 4}], "ghost": ghost, "list": {"show": True}}
    program.do(program.typing.answered(read(answer, program.asked)))
    assert program.shown.words == ("the",)
    program.press(ord("1"), ALT)
    assert program.text == "see the"
    assert program.press(BACKSPACE)
    assert program.text == "see t he"
    assert corrected(program) == [("accepted", "t he"), ("dismissed", "t he")]


def test_a_ghost_text_is_taken_by_the_pieces_that_the_service_tells():
    told = {"text": "eys of New York. ", "p": 0.9, "show": True}
    pieces = [{"text": text, "p": 0.9} for text in ("eys", " of", " New York", ". ")]
    ghost = read({"words": [], "ghost": {**told, "words": pieces}, "list": {"show": True}}, "the k").ghost
    assert ghost.words == ("eys", " of", " New York", ".")
    left = ghost.without(1)
    assert (left.text, left.words) == ("ys of New York.", ("ys", " of", " New York", "."))
    assert left.without(5).first_word == " New York"
    assert left.without(len(left.text)) is None
    assert (
        read(
            {"words": [], "ghost": {**told, "words": pieces[:2]}, "list": {"show": True}}, "the k"
        ).ghost.words
        == ()
    )


def test_what_became_of_suggestions_is_told():
    program = Program()
    program.type("to")
    program.answer("morrow", "day", ghost="morrow at ten")
    program.press(ord("2"), ALT)
    assert [(one.kind, one.outcome, one.characters) for one in program.fates] == [
        ("word", "accepted", 3),
        ("word", "dismissed", 0),
        ("ghost", "dismissed", 0),
    ]
    program.fates.clear()
    program.type(" an")
    program.answer("d")
    program.type("y ")
    assert [(one.kind, one.outcome) for one in program.fates] == [("word", "dismissed")]


def test_without_an_answer_every_key_is_passed_on():
    program = Program()
    text = "Nothing answers: 12 keys, b4 noon! "
    program.type(text)
    assert not any(map(program.press, (TAB, ESCAPE, UP, DOWN)))
    assert program.text.startswith(text)


def test_a_tab_too_many_stays_in_the_field_and_a_later_one_leaves_it():
    program = Program()
    program.type("to")
    program.answer(ghost="day")
    assert program.press(TAB)
    assert program.press(TAB)
    assert not program.press(TAB)
    program.type(" to")
    program.answer(ghost="day")
    assert program.press(TAB)
    Clock.now_s += 1
    assert not program.press(TAB)


def test_alt_with_0_takes_the_grey_text_too():
    for state, text in ((0, "tom0"), (ALT, "tomorrow")):
        program = Program()
        program.type("tom")
        program.answer(ghost="orrow")
        program.press(ord("0"), state)
        assert program.text == text


def test_a_note_is_shown_until_the_next_key():
    program = Program()
    program.do(program.typing.say("Something to know."))
    assert program.shown.note == "Something to know."
    program.type("a")
    assert program.shown == ShowSuggestions()


def test_the_program_does_not_see_an_alt_go_that_took_a_word_since_that_opens_its_menu():
    program = Program()
    program.type("to")
    assert not program.press(0xFFE9, RELEASE | ALT)
    program.answer("day")
    assert program.press(ord("1"), ALT)
    assert not program.press(ord("1"), RELEASE | ALT)
    assert program.press(0xFFE9, RELEASE | ALT)
    assert not program.press(0xFFE9, RELEASE | ALT)


def test_releases_and_modifiers_do_nothing():
    program = Program()
    program.type("to")
    program.answer("day")
    assert not program.press(TAB, RELEASE)
    assert not program.press(0xFFE1)
    assert program.shown == ShowSuggestions(("today",))


# --- what is learned -------------------------------------------------------------------------------------


def test_what_stands_there_in_the_end_is_learned():
    program = Program()
    program.type("we meet at nine")
    for _ in range(4):
        program.press(BACKSPACE)
    program.type("noon.")
    assert [entry.text for entry in program.typing.written.entries()] == ["we meet at noon."]


def test_what_others_wrote_is_not_learned():
    written = FieldAuthorship()
    written.report("Dear Ann, ", 10)
    for end in range(1, 9):
        written.add("thank you"[end])
        written.report("Dear Ann, " + "thank you"[1 : end + 1], 10 + end)
    assert "Dear" not in str([entry.text for entry in written.entries()])
    written.report("Dear Ann, hank you for this long pasted sentence", 48)
    assert "pasted" not in str([entry.text for entry in written.entries()])


def test_what_is_typed_in_a_quoted_line_is_not_learned():
    written = FieldAuthorship()
    written.report("> they said we meet at nine", 27)
    for end, char in enumerate(" or later then", 1):
        written.add(char)
        written.report("> they said we meet at nine" + " or later then"[:end], 27 + end)
    written.new_line()
    written.report("", 0)
    for end, char in enumerate("noon is better", 1):
        written.add(char)
        written.report("noon is better"[:end], end)
    assert [entry.text for entry in written.entries()] == ["noon is better"]
    silent = FieldAuthorship()
    silent.add("> we meet at nine\nnoon is better")
    assert [entry.text for entry in silent.entries()] == ["noon is better"]


@pytest.mark.parametrize(
    ("typed", "told", "learned"),
    [
        ("s", "so we met at sea.s", ["so we met at sea.s"]),
        ("s", "buy our vorpal now", []),  # no longer than one key makes it
        (" the tea", " buy corn", []),
        (" don't go", " don’t go", ["don’t go"]),
        (" (an aside", " (an aside)", ["(an aside)"]),
    ],
)
def test_what_a_program_writes_in_place_of_what_was_typed_is_not_learned(typed, told, learned):
    written = FieldAuthorship()
    written.report("", 0)
    begun = "so we met at sea." if typed == "s" else ""
    for end, letter in enumerate(begun, 1):
        written.add(letter)
        written.report(begun[:end], end)
    written.add(typed)
    written.report(told, len(told))
    assert [entry.text for entry in written.entries()] == learned


def test_a_letter_that_is_gone_before_the_program_tells_of_it_is_still_the_users():
    written = FieldAuthorship()
    written.report("", 0)
    for char in "go tow":
        written.add(char)
    written.take_back(1)
    written.add("!")
    for told in ("g", "go", "go ", "go t", "go to", "go tow", "go to", "go to!"):
        written.report(told, len(told))
    assert [entry.text for entry in written.entries()] == ["go to!"]


def test_a_letter_that_the_program_never_told_of_makes_no_other_line_the_users():
    written, theirs, own = FieldAuthorship(), "what somebody else wrote here", "my own words"
    written.report(f"{theirs}\n", len(theirs) + 1)
    for end in range(1, len(own) + 1):
        written.add(own[end - 1])
        written.report(f"{theirs}\n{own[:end]}", len(theirs) + 1 + end)
    written.add("x")
    written.take_back(1)
    written.lose()  # an arrow key
    written.report(f"{theirs}\n{own}", 5)
    assert [entry.text for entry in written.entries()] == [own]


def test_what_was_written_before_a_field_was_left_twice_is_learned_as_well():
    async def left():
        learned = []
        drafts = LeftFields(lambda entries, _field: learned.extend(entry.text for entry in entries))
        for text in ("the first text", "the second text"):
            written = FieldAuthorship()
            for char in text:
                written.add(char)
            drafts.leave(("context", Field()), written)
        drafts.finish()
        return learned

    assert asyncio.run(left()) == ["the first text", "the second text"]


@pytest.mark.parametrize(
    ("told", "learned"),
    [
        (["we met s", "we met so."], "we met so."),  # only behind the key that saves
        (["we met so.!"], "we met"),  # and something that was not typed
        (["we met", "", "we met so."], "we met"),
    ],
)
def test_what_a_program_tells_of_behind_a_shortcut_is_its_users_if_it_was_typed(told, learned):
    written = FieldAuthorship()
    written.report("", 0)
    written.add("we met ")
    written.report("we met ", 7)
    for char in "so.":
        written.add(char)
    written.lose()
    for text in told:
        written.report(text, len(text))
    assert [entry.text for entry in written.entries()] == [learned]


def test_lines_are_kept_as_the_cursor_comes_and_goes():
    written = FieldAuthorship()
    written.report("", 0)
    line = "one two three"
    for end in range(1, len(line) + 1):
        written.add(line[end - 1])
        written.report(line[:end], end)
    written.new_line()
    assert written.report("", 0)
    other = "four five"
    for end in range(1, len(other) + 1):
        written.add(other[end - 1])
        written.report(other[:end], end)
    written.lose()
    written.report(line, 13)
    written.take_back(1)
    written.report(line[:-1], 12)
    assert [entry.text for entry in written.entries()] == ["four five\none two thre"]


def write(written, above, text):
    """Type a text, as a program tells of it that shows what stands above it."""
    for end in range(1, len(text) + 1):
        written.add(text[end - 1])
        told = above + text[:end]
        written.report(told, len(told))


def test_what_stands_before_is_told_with_a_text():
    written = FieldAuthorship()
    written.report("Dear Ann,\nmy PIN is ", 20)
    write(written, "Dear Ann,\nmy PIN is ", "4471 8890")
    assert [entry[::2] for entry in written.entries()] == [("4471 8890", "Dear Ann,\nmy PIN is ")]


def test_what_stands_in_the_lines_above_is_told_with_a_text():
    written, label = FieldAuthorship(), "hello\nThe wifi password:\n"
    written.report(label, len(label))
    write(written, label, "Kirschbaum Regen 8")
    assert [entry[::2] for entry in written.entries()] == [("Kirschbaum Regen 8", label)]


def test_lines_of_others_between_part_what_is_told():
    written = FieldAuthorship()
    written.report("", 0)
    write(written, "", "Dear Ann, hello")
    written.lose()
    label = "Dear Ann, hello\nPIN:\n"
    written.report(label, len(label))
    write(written, label, "4471 8890")
    found = [entry[::2] for entry in written.entries()]
    assert found == [("Dear Ann, hello", ""), ("4471 8890", label)]


def test_lines_that_were_typed_one_after_the_other_are_one_text():
    written = FieldAuthorship()
    written.report("", 0)
    write(written, "", "Dear Ann,")
    written.new_line()
    written.report("Dear Ann,\n", 10)
    write(written, "Dear Ann,\n", "see you")
    assert [entry[::2] for entry in written.entries()] == [("Dear Ann,\nsee you", "")]


@pytest.mark.parametrize("tells", [True, False])
def test_what_a_field_is_gone_on_with_later_has_what_was_written_there_before_it(tells):
    def typed(written, text):
        if tells:
            written.report("", 0)
            return write(written, "", text)
        return list(map(written.add, text))

    async def left():
        learned = []
        drafts = LeftFields(lambda entries, _field: learned.extend(entries))
        for text in ("The wifi password:", "Kirschbaum Regen 8"):
            written = drafts.begin(("context", Field()))
            typed(written, text)
            drafts.leave(("context", Field()), written)
            drafts.finish()
        return learned

    assert [entry.before.strip() for entry in asyncio.run(left())] == ["", "The wifi password:"]


def test_a_message_has_the_one_before_it():
    written = FieldAuthorship()
    written.report("", 0)
    write(written, "", "The wifi password:")
    written.new_line()
    assert written.report("", 0)
    assert [entry.text for entry in written.sent()] == ["The wifi password:"]
    write(written, "", "Kirschbaum Regen 8")
    assert [entry[::2] for entry in written.entries()] == [("Kirschbaum Regen 8", "The wifi password:\n")]


@pytest.mark.parametrize(
    ("told", "learned", "with_letter"),
    [
        ("see you at the dock, buy now", "see you at the", "see you at the"),
        ("see you at the docket of ruin", "see you at the", "see you at the"),
        ("the boss says see you at the dock", "see you at the dock", ""),
        ("see you never at the dock", "see you\nat the dock", "see you"),
        ("we all lied to you", "see you at the dock", ""),
        ("See you at the dock", "you at the dock", "See you at the dock"),
    ],
)
def test_what_the_program_puts_there_beside_the_keys_is_not_its_users(told, learned, with_letter):
    typed = "see you at the dock"
    for letter_first, expected in ((True, learned), (False, with_letter)):
        written = FieldAuthorship()
        written.report("", 0)
        for end in range(1, len(typed) + 1):
            written.add(typed[end - 1])
            if end < len(typed) or letter_first:
                written.report(typed[:end], end)
        written.report(told, len(told))
        assert "\n".join(one.text for one in written.entries()) == expected


def test_all_that_is_selected_and_deleted_is_not_learned():
    program = Program()
    program.type("never mind this")
    program.press(ord("a"), CONTROL)
    program.text = " "
    program.press(BACKSPACE)
    assert program.typing.written.entries() == []


def test_a_program_that_tells_nothing_is_learned_from_as_long_as_it_can_be_followed():
    program = Program(tells=False)
    program.type("one two")
    assert [entry.text for entry in program.typing.written.entries()] == ["one two"]
    program.press(0xFF51)
    assert program.typing.written.entries() == []


# --- fields, keys, what goes over the bus ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "suggests", "learns"),
    [
        (Field("gtk3-im:gedit"), True, True),
        (Field("gtk3-im:gedit", purpose=8), False, False),
        (Field("gtk3-im:gedit", purpose=9), False, False),
        (Field("gtk3-im:gedit", purpose=5), False, False),
        (Field("gtk3-im:gedit", hints=1 << 11), False, False),
        (Field("gtk3-im:gedit", hints=1 << 12), False, False),
        (Field("gtk3-im:gnome-terminal", purpose=10), False, False),
        (Field("xim"), False, False),
        (Field("xim", window=""), True, False),
        (Field("xim", window="XTerm"), False, False),
        (Field("xim", window="Emacs"), True, True),
        (Field("QIBusInputContext"), False, False),  # as all programs of Qt say
        (Field("QIBusInputContext", window="featherpad"), True, True),
        (Field("gnome-shell", window="gnome-text-editor"), True, True),
        (Field("gnome-shell", window="gnome-shell"), True, False),  # an entry of its own
        (Field("gnome-shell", window="Firefox"), True, False),  # which may be a private window
        (Field("gnome-shell", window="org.gnome.Epiphany"), True, False),
    ],
)
def test_where_it_suggests_and_learns(field, suggests, learns):
    assert field.suggests(terminals=False, unknown="quiet") == suggests
    assert field.learns(unknown="quiet") == learns


def test_programs_without_a_name_have_a_rule_of_their_own():
    field = Field("xim", window="")
    assert not field.suggests(terminals=False, unknown="exclude")
    assert field.learns(unknown="allow")


def test_characters_of_keys():
    named = {
        0x61: "a",
        0xE9: "é",
        0x1B1: "ą",
        0x13BD: "œ",
        0x20AC: "€",
        0x010020AC: "€",
        0xFFB5: "5",
        0xAD2: "“",
    }
    assert {value: keysyms.character(value) for value in named} == named
    assert [keysyms.character(value) for value in (TAB, 0xFE51, 0x01000000 + 0xE000, 0x1A5 - 0x20)] == [
        None
    ] * 4


@pytest.mark.parametrize("name", ["Tab", "Control+Right", "Control+Alt+i", "F9", "Shift+Super+space"])
def test_names_of_keys(name):
    assert parse_key(name).value


@pytest.mark.parametrize("name", ["", "Tabulator", "Ctrl+x", "+"])
def test_names_of_no_keys(name):
    with pytest.raises(ValueError, match="no key"):
        parse_key(name if name != "+" else "Control+")


def test_objects_of_ibus_are_what_it_expects():
    kind, value = ibus_objects.text("word")
    assert (kind, value[0], value[2]) == ("(sa{sv}sv)", "IBusText", "word")
    kind, value = ibus_objects.lookup_table([[("Alt+1 ", True), ("a", False)], [("b", False)]])
    assert kind == "(sa{sv}uubbiavav)"
    assert value[2:7] == (2, 0, False, False, 0)
    assert [ibus_objects.content(entry) for entry in value[7]] == ["Alt+1 a", "b"]
    (_, (_, _, attributes)) = value[7][0][1][3]
    assert {one[1][4:] for one in attributes} == {(0, 6)}, "the key alone is grey"
    assert ibus_objects.content(ibus_objects.text("word", grey=True)) == "word"


class SlowService:
    """The way to a service that answers nothing until it `goes_on`."""

    def __init__(self, *_):
        self.goes_on = asyncio.Event()
        self.asked, self.taken = [], []

    async def ask(self, _method, _path, body):
        self.asked.append((body["prefix"], body["candidates"]))
        await self.goes_on.wait()
        return body

    async def send(self, _path, body):
        await self.goes_on.wait()
        self.taken.append(body["text"])
        return True

    async def close(self):
        pass


async def step(times=10):
    for _ in range(times):
        await asyncio.sleep(0)


@pytest.fixture
def slow_service(monkeypatch):
    service = SlowService()
    monkeypatch.setattr(service_requests, "ServiceLink", lambda *_: service)
    return service


def test_a_word_that_ended_is_asked_about_though_newer_questions_came(slow_service, tmp_path):
    answered = []

    async def typed():
        slow_service.goes_on = asyncio.Event()
        ask = service_requests.ServiceRequests(Settings(home=tmp_path))
        for prefix in ("t", "th", "thi", "thi ", "thi w", "thi wi"):
            body = {"prefix": prefix, "candidates": 3, "ghost_words": 8}
            ask.suggest(body, lambda answer: answered.append(answer["prefix"]), ended=prefix == "thi ")
            await step()
        slow_service.goes_on.set()
        await step()

    asyncio.run(typed())
    assert slow_service.asked == [("t", 3), ("th", 3), ("thi ", 0), ("thi wi", 3)]
    assert sorted(answered) == ["t", "th", "thi ", "thi wi"]


def test_at_the_end_a_text_that_is_being_sent_is_sent_and_then_those_that_wait(slow_service, tmp_path):
    async def written():
        slow_service.goes_on = asyncio.Event()
        ask = service_requests.ServiceRequests(Settings(home=tmp_path))
        for text in ("one", "two"):
            ask.send("/v1/history", {"text": text})
            await step()
        finishing = asyncio.ensure_future(ask.finish())
        await step()
        slow_service.goes_on.set()
        await finishing

    asyncio.run(written())
    assert slow_service.taken == ["one", "two"]
