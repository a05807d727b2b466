"""What the keyboard does for each key, without IBus: what is taken, asked, shown and learned."""

import re

import pytest

from idiolect.daemon.session import keysyms
from idiolect.daemon.session.clock import Clock
from idiolect.daemon.session.effects import (
    AskService,
    InsertText,
    ShowSuggestions,
    SuggestionOutcome,
)
from idiolect.daemon.session.field import Field
from idiolect.daemon.session.field_authorship import FieldAuthorship
from idiolect.daemon.session.key_handler import KeyHandler
from idiolect.daemon.session.left_fields import LeftFields
from idiolect.daemon.session.suggest_answer import read
from idiolect.daemon.session.text_before_cursor import TextBeforeCursor

TAB, BACKSPACE, ESCAPE, RETURN, UP, DOWN, RIGHT = 0xFF09, 0xFF08, 0xFF1B, 0xFF0D, 0xFF52, 0xFF54, 0xFF53
LEFT, HOME, SHIFT_KEY, ALT_KEY = 0xFF51, 0xFF50, 0xFFE1, 0xFFE9
ALT, CONTROL, RELEASE = 1 << 3, 1 << 2, 1 << 30
NOTHING = ShowSuggestions()


CLOCK = Clock(1000.0)


def said(words=(), ghost="", *, show=True, listed=True, grey=False, **more):
    """An answer of the service; a word is a text, or a text and how many characters it replaces."""
    pairs = [(word, 0) if isinstance(word, str) else word for word in words]
    pieces = [{"text": text, "p": 0.9} for text in re.findall(r"\s*\S+", ghost)]
    return {
        "words": [{"text": text, "p": 0.3, "replace": replace, "grey": grey} for text, replace in pairs],
        "ghost": {"text": ghost, "p": 0.9, "show": show and ghost != "", "words": pieces},
        "list": {"show": listed},
        **more,
    }


class Program:
    """A program that handles what is passed on, and tells what stands there, if it does."""

    def __init__(self, text="", *, tells=True):
        self.typing = KeyHandler(CLOCK, FieldAuthorship(CLOCK))
        self.text = ""
        self.tells = tells
        self.deletes = True
        self.asked, self.corrections = None, False
        self.shown = NOTHING
        self.fates = []
        self.tell()
        self.type(text)

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
                    self.fates.append((action.kind, action.outcome, action.word or action.characters))

    def press(self, value, state=0):
        self.tell()
        used, actions = self.typing.key(ord(value) if isinstance(value, str) else value, state)
        self.do(actions)
        if not used:
            if value == BACKSPACE:
                self.text = self.text[:-1]
            elif value == RETURN:
                self.text += "\n"
            elif state == 0:
                self.text += value if isinstance(value, str) else keysyms.character(value) or ""
        self.tell()
        return used

    def type(self, text):
        for char in text:
            self.press(char)

    def answer(self, *words, ghost="", prefix=None, **more):
        prefix = self.asked if prefix is None else prefix
        self.do(self.typing.answered(read(said(words, ghost, **more), prefix)))
        CLOCK.now_s += 0.2  # it is read

    def correct(self, text, replaced, *words, apply=False, grey=False, **more):
        """The service corrects the word that ended."""
        correction = {"text": text, "replace": replaced, "p": 0.9, "apply": apply, "grey": grey}
        self.answer(*words, correction=correction, **more)

    @property
    def corrected(self):
        return [(outcome, word) for kind, outcome, word in self.fates if kind == "correction"]

    def late(self, text):
        """The program has told of nothing since its last key, and `text` is typed; it tells again with `tell`."""
        self.tells = False
        self.type(text)
        self.tells = True


# --- what is offered and taken ---


def test_a_digit_takes_a_word_that_is_begun_and_its_space_comes_with_the_next():
    program = Program("see you tom")
    assert program.asked == "see you tom"
    program.answer("orrow", "atoes")
    assert program.shown == ShowSuggestions(("tomorrow", "tomatoes"))
    assert program.press("1", ALT)
    assert program.text == "see you tomorrow"
    assert program.asked == "see you tomorrow "
    program.type("at ten")
    assert program.text == "see you tomorrow at ten"


@pytest.mark.parametrize(
    ("typed", "text"),
    [(".", "tomorrow."), (" at", "tomorrow at"), ("(x)", "tomorrow (x)"), ("@noon", "tomorrow@noon")],
)
def test_behind_a_word_that_was_taken(typed, text):
    program = Program("tom")
    program.answer("orrow")
    program.press("1", ALT)
    program.type(typed)
    assert program.text == text


def test_on_a_new_line_words_are_offered_once_the_program_tells_of_it():
    program = Program("see you")
    program.press(RETURN)
    assert program.asked == "see you\n"
    program.answer("Thanks")
    assert program.press("1", ALT)
    assert program.text == "see you\nThanks"
    program.tells = False  # it is late
    program.press(RETURN)
    assert program.typing.before.text is None
    program.text, program.tells, program.asked = "", True, None  # and has sent the message
    program.tell()
    assert program.asked == ""


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
        assert program.press("1", ALT)
        assert program.text == f"{guess}Thanks"
    program.type("at")
    assert program.asked == f"{program.text[:-2]}at"
    program.do(program.typing.moved_on(down=True))  # by the mouse, or as a line wraps
    assert program.asked == f"{program.text[:-2]}at"


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


@pytest.mark.parametrize(("before", "asked"), [("see you", ""), ("Dear all,\nsee you", None)])
def test_a_cursor_that_moves_to_the_left_behind_return_may_be_in_a_field_that_is_empty_now(before, asked):
    program = Program()
    program.text = before[:-1]
    program.type(before[-1])
    program.tells, program.asked = False, None
    program.press(RETURN)
    program.do(program.typing.moved_on(down=False))
    assert program.asked == asked


def test_nothing_is_offered_in_an_empty_field_before_a_key():
    program = Program()
    assert program.asked is None
    program.type("a")
    program.press(BACKSPACE)
    assert program.asked == "a"


@pytest.mark.parametrize("ghost", ["", "Thanks a lot"])
def test_on_an_empty_line_tab_indents_unless_there_is_grey_text(ghost):
    program = Program("see you")
    program.press(RETURN)
    program.answer("Thanks", ghost=ghost)
    assert program.press(TAB) == (ghost != "")
    assert program.text == f"see you\n{ghost}"


def test_words_that_are_not_worth_a_look_wait_until_they_are_or_their_user_asks():
    program = Program("see you to")
    program.answer("morrow", "night", ghost="morrow", listed=False)
    assert program.shown == ShowSuggestions(ghost="morrow")
    assert program.press("-", ALT)
    assert program.shown == ShowSuggestions(("tomorrow", "tonight"), "morrow")
    program.type("n")
    program.answer("ight", listed=False)
    assert program.shown == ShowSuggestions(("tonight",)), "they stay to the word's end"
    assert program.press("1", ALT)
    program.answer("at", listed=False)
    assert program.shown == NOTHING, "another word, of which nobody has asked"
    program.press("1", ALT)
    assert program.text == "see you tonight", "what is not shown cannot be taken"
    program.type(" a")
    program.answer("nd")
    program.type("n")
    program.answer("ts", listed=False)
    assert program.shown.words == ("ants",), "what a look was worth a letter ago does not go meanwhile"


def test_words_that_were_never_shown_are_not_passed_over():
    program = Program("see you to")
    program.answer("morrow", "night", listed=False)
    program.type("p ")
    assert program.fates == []
    program.type("se")
    program.answer("nd", listed=False)
    program.press("-", ALT)
    program.type("a ")
    assert program.fates == [("word", "dismissed", 0)]


def test_words_are_asked_for_before_they_are_there_and_after_they_were_hidden():
    program = Program()
    assert not program.press("-", ALT), "in an empty field none can stand, so the key is the program's"
    program.type("see you to")
    assert program.press("-", ALT)
    program.answer("morrow", listed=False)
    assert program.shown == ShowSuggestions(("tomorrow",))
    program.press(ESCAPE)
    assert program.shown == NOTHING
    program.asked = None
    assert program.press("-", ALT)
    assert program.asked == "see you to"
    program.answer("morrow", listed=False)
    assert program.shown == ShowSuggestions(("tomorrow",))


def test_joined_emoji_are_offered_and_no_control_characters():
    program = Program("at home ")
    program.answer("👩\u200d💻", "a\x1b", "❤️")
    assert program.shown.words == ("👩\u200d💻", "❤️")


@pytest.mark.parametrize(("finished", "words"), [(0.9, ()), (0.01, ("Friday's", "Fridays"))])
def test_behind_a_whole_word_there_are_words_only_if_one_is_likelier_than_its_end(finished, words):
    program = Program("Friday")
    program.answer("'s", "s", finished=finished)
    assert program.shown.words == words


def test_alt_with_a_digit_does_nothing_right_after_words_went_and_is_the_programs_later():
    program = Program("tom")
    assert not program.press("1", ALT)
    program.type(" toma")
    program.answer("to")
    assert program.press("2", ALT), "fewer words are shown"
    assert program.press("1", ALT)
    CLOCK.now_s += 0.9
    assert program.press("1", ALT)
    CLOCK.now_s += 0.2
    assert not program.press("1", ALT)
    assert program.text == "tom tomato"


@pytest.mark.parametrize("text", ["tomor|ow", "don|'t", "a|b1"])
@pytest.mark.parametrize("key", [(TAB, 0), (ord("1"), ALT), (RIGHT, CONTROL)])
def test_within_a_word_nothing_is_asked_shown_or_taken(text, key):
    program = Program()
    before, after = text.split("|")
    for typed in (before[:-1], before):
        program.do(program.typing.report(f"{typed}{after}", len(typed), len(typed)))
        if typed != before:
            program.do(program.typing.key(ord(before[-1]), 0)[1])
    assert program.asked is None
    program.answer("row", ghost="row morning", prefix=before)
    assert program.shown == NOTHING
    assert not program.typing.key(*key)[0]


@pytest.mark.parametrize("after", ["", " and so on", ".", "' she said", ")"])
def test_before_a_space_or_mark_words_are_offered(after):
    program = Program()
    program.do(program.typing.report(f"to{after}", 2, 2))
    program.typing.key(ord("m"), 0)
    program.do(program.typing.report(f"tom{after}", 3, 3))
    assert program.asked == "tom"


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ([(TAB, 0)], "the keys are in the locker"),
        ([(RIGHT, CONTROL)] * 2, "the keys are"),
        ([("0", ALT)], "the keys are in the locker"),
    ],
)
def test_a_key_takes_the_ghost_text_whole_and_another_a_word_of_it(keys, text):
    program = Program("the k")
    program.answer("eys", ghost="eys are in the locker")
    assert all(program.press(*key) for key in keys)
    assert program.text == text


@pytest.mark.parametrize("taken", [(TAB, 0), (RIGHT, CONTROL), ("h", 0)])
def test_behind_a_word_that_was_taken_grey_text_is_shown_with_the_space_that_comes_with_it(taken):
    program = Program("Dear all,")
    program.press(RETURN)
    program.type("thanks for yo")
    program.answer("ur")
    program.press("1", ALT)
    program.answer(ghost="help and for your time")
    before, shown = program.text, program.shown.ghost
    assert shown == " help and for your time"
    program.press(*taken)
    assert before + shown == program.text + program.shown.ghost, "what is shown is what is typed"


def test_the_rest_of_a_ghost_text_stays_though_the_next_answer_has_none():
    program = Program("the k")
    program.answer(ghost="eys are in the locker")
    program.press(RIGHT, CONTROL)
    program.answer("were", prefix="the keys")
    assert program.shown.ghost == " are in the locker"


def test_a_ghost_text_stays_while_its_letters_are_typed_and_none_comes_that_is_not_worth_a_look():
    program = Program("the k")
    program.answer(ghost="eys are in")
    for letter in "eys":
        _, actions = program.typing.key(ord(letter), 0)
        program.do(actions)
        [shown] = [one.ghost for one in actions if isinstance(one, ShowSuggestions)]  # never gone between two
        assert shown == program.shown.ghost != ""
    assert program.shown.ghost == " are in"
    program.type(" a")
    program.answer(ghost="t noon", show=False, prefix="the keys a")
    assert program.shown == NOTHING


def test_a_ghost_text_is_taken_by_the_pieces_that_the_service_tells():
    told = said(ghost="eys of New York. ")
    told["ghost"]["words"] = [{"text": text, "p": 0.9} for text in ("eys", " of", " New York", ". ")]
    ghost = read(told, "the k").ghost
    assert ghost.words == ("eys", " of", " New York", ".")
    left = ghost.without(1)
    assert (left.text, left.words) == ("ys of New York.", ("ys", " of", " New York", "."))
    assert left.without(5).first_word == " New York"
    assert left.without(len(left.text)) is None


def test_an_answer_that_comes_too_late_is_not_shown():
    program = Program("ab")
    program.answer("bot", prefix="a")
    assert program.shown == NOTHING
    assert not program.press(TAB)


def test_what_goes_on_as_typed_stays_and_the_rest_goes():
    program = Program("to")
    program.answer("morrow", "day", ghost="morrow at ten")
    program.press("m")
    assert program.shown == ShowSuggestions(("tomorrow",), "orrow at ten")
    program.press("x")
    assert program.shown == NOTHING


def test_escape_hides_until_the_next_word():
    program = Program("to")
    program.answer("morrow")
    assert program.press(ESCAPE)
    program.press("d")
    assert program.asked == "to"
    program.type("o t")
    assert program.asked == "todo t"


@pytest.mark.parametrize("first", ["Tom", "Anna", "flour"])
def test_tab_leaves_a_field_of_one_line_unless_grey_text_was_read_there(first):
    for typed, ghost in ((first, ""), (first, " and Jerry"), (f"{first} ", "and Jerry")):
        program = Program(typed)
        program.answer("orrow", ghost=ghost)
        assert program.shown.ghost == ""
        assert not program.press(TAB)
        assert program.text == typed


def test_tab_is_the_programs_until_grey_text_can_have_been_read():
    program = Program("to")
    program.answer(ghost="morrow at ten")
    program.type("m")
    CLOCK.now_s += 0.1
    assert not program.press(TAB), "a letter was typed a moment ago"
    program = Program("tom")
    CLOCK.now_s += 0.2
    program.answer(ghost="orrow at ten")
    CLOCK.now_s -= 0.1
    assert not program.press(TAB), "it has only just come"
    program = Program("tom")
    program.answer(ghost="orrow at ten")
    program.answer("b", ghost="orrow at ten", prefix="tom")  # the same again
    CLOCK.now_s -= 0.2
    assert program.press(TAB)


@pytest.mark.parametrize("how", ["told", "moved", "wrapped"])
def test_in_a_field_of_several_lines_grey_text_stands_behind_whole_words_too(how):
    program = Program("Dear all,")
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
    program = Program("to")
    for key in (("b", CONTROL), (LEFT, 0), (HOME, 0)):
        assert not program.press(*key)
    program.asked = None
    program.tell()
    assert program.asked is None
    program.press("m")
    assert program.asked == "tom"


def test_what_became_of_suggestions_is_told():
    program = Program("to")
    program.answer("morrow", "day", ghost="morrow at ten")
    program.press("2", ALT)
    assert program.fates == [("word", "accepted", 3), ("word", "dismissed", 0), ("ghost", "dismissed", 0)]
    program.fates.clear()
    program.type(" an")
    program.answer("d")
    program.type("y ")
    assert program.fates == [("word", "dismissed", 0)]


def test_keys_that_take_nothing_belong_to_the_program():
    program = Program(text := "Nothing answers: 12 keys, b4 noon! ")
    assert not any(map(program.press, (TAB, ESCAPE, UP, DOWN)))
    assert program.text.startswith(text)
    for key in (UP, DOWN, RETURN):
        program = Program("to")
        program.answer("morrow", "day")
        assert not program.press(key)


def test_a_tab_too_many_stays_in_the_field_and_a_later_one_leaves_it():
    program = Program("to")
    program.answer(ghost="day")
    assert program.press(TAB)
    assert program.press(TAB)
    assert not program.press(TAB)
    program.type(" to")
    program.answer(ghost="day")
    assert program.press(TAB)
    CLOCK.now_s += 1
    assert not program.press(TAB)


def test_a_note_is_shown_until_the_next_key():
    program = Program()
    program.do(program.typing.show_note("Something to know."))
    assert program.shown.note == "Something to know."
    program.type("a")
    assert program.shown == NOTHING


def test_the_program_does_not_see_an_alt_go_that_took_a_word_since_that_opens_its_menu():
    program = Program("to")
    assert not program.press(ALT_KEY, RELEASE | ALT)
    program.answer("day")
    assert program.press("1", ALT)
    assert not program.press("1", RELEASE | ALT)
    assert program.press(ALT_KEY, RELEASE | ALT)
    assert not program.press(ALT_KEY, RELEASE | ALT)


def test_releases_and_modifiers_do_nothing():
    program = Program("to")
    program.answer("day")
    assert not program.press(TAB, RELEASE)
    assert not program.press(SHIFT_KEY)
    assert program.shown == ShowSuggestions(("today",))


# --- corrections ---


def test_a_word_may_replace_what_was_typed():
    program = Program("I teh")
    program.answer(("the", 3), ("x", 9))
    assert program.shown == ShowSuggestions(("the",))
    program.press("1", ALT)
    assert program.text == "I the"


def test_a_correction_of_the_word_that_ended_is_offered_first():
    program = Program("I will definatly ")
    assert program.corrections
    program.correct("definitely ", 10, "go", "be")
    assert program.shown.words == ("definatly → definitely", "go", "be")
    assert not program.press("1")
    program.press(BACKSPACE)
    program.correct("definitely ", 10, "go")
    assert program.press("1", ALT)
    assert (program.text, program.asked) == ("I will definitely ", "I will definitely ")
    program.type("go")
    assert program.text == "I will definitely go"
    assert program.corrected == [("accepted", "definatly")]


def test_a_sure_correction_is_made_by_itself_and_the_next_backspace_takes_it_back_for_good():
    program = Program("I will definatly ")
    program.correct("definitely ", 10, "go", apply=True)
    assert program.text == "I will definitely "
    assert "BackSpace" in program.shown.note
    program.answer("go")
    assert "BackSpace" in program.shown.note
    assert program.press(BACKSPACE)
    assert program.text == "I will definatly "
    assert program.shown.note == ""
    program.correct("definitely ", 10, "go", apply=True)
    assert program.text == "I will definatly "
    assert program.shown.words == ("go",)
    assert program.corrected == [("accepted", "definatly"), ("dismissed", "definatly")]


def test_another_key_than_backspace_leaves_a_correction_and_a_later_backspace_deletes_one_character():
    program = Program("so thier.")
    program.correct("their.", 6, apply=True, listed=False)
    program.type(" x")
    assert program.shown.note == ""
    program.press(BACKSPACE)
    assert program.text == "so their. "


def test_what_was_mended_is_said_for_a_second_though_its_user_types_on(monkeypatch):
    program = Program("so thier ")
    program.correct("their ", 6, apply=True)
    program.type("o")
    program.answer("wn")
    assert program.shown.note == "“thier” became “their”."
    monkeypatch.setattr(CLOCK, "now_s", CLOCK.now_s + 1.1)
    program.type("w")
    program.answer("n")
    assert program.shown == ShowSuggestions(("own",))


def test_what_the_program_undoes_is_not_corrected_again():
    program = Program("so thier ")
    program.correct("their ", 6, apply=True)
    assert not program.press("z", CONTROL)
    assert program.corrected == [("accepted", "thier"), ("dismissed", "thier")]


def test_nothing_is_corrected_by_itself_where_the_cursor_only_came_back():
    program = Program("thier x")
    program.press(BACKSPACE)
    program.correct("their ", 6, apply=True)
    assert program.text == "thier "
    assert program.shown.words == ("thier → their",)


@pytest.mark.parametrize("behind", [" ", " x"])
def test_a_correction_waits_until_the_program_has_told_of_all_that_was_typed(behind):
    program = Program("so thier")
    program.late(behind)
    program.correct("their ", 6, apply=True, prefix="so thier ")
    assert program.text == f"so thier{behind}"
    program.tell()
    assert program.text == f"so their{behind}"


def test_a_correction_is_taken_by_a_click_where_it_is_certain_what_stands_there():
    program = Program("thier")
    program.late(" ")
    program.correct("their ", 6)
    program.do(program.typing.click(0))
    assert program.text == "thier "
    program.tell()
    program.do(program.typing.click(0))
    program.do(program.typing.click(5))
    assert program.text == "their "


def test_a_word_is_corrected_though_its_user_has_typed_on_and_backspace_takes_that_back():
    program = Program("so thier x")
    program.correct("their ", 6, apply=True, prefix="so thier ")
    assert program.text == "so their x"
    assert "“thier” became “their”" in program.shown.note
    assert program.press(BACKSPACE)
    assert program.text == "so thier x"
    assert program.corrected == [("accepted", "thier"), ("dismissed", "thier")]


def test_each_of_two_words_is_corrected_by_its_own_late_answer():
    program = Program("thier wich x")
    program.correct("their ", 6, apply=True, prefix="thier ")
    program.tell()
    program.correct("which ", 5, apply=True, prefix="thier wich ")
    assert program.text == "their which x"


def test_a_word_is_corrected_however_late_while_nothing_is_typed_behind_it(monkeypatch):
    program = Program("so thier ")
    monkeypatch.setattr(CLOCK, "now_s", CLOCK.now_s + 5)
    program.correct("their ", 6, apply=True)
    assert program.text == "so their "


@pytest.mark.parametrize("key", [BACKSPACE, RETURN, LEFT, ESCAPE, None])
def test_a_word_is_left_as_it_stands_where_another_key_or_a_second_came_before_the_answer(key, monkeypatch):
    program = Program("thier xy")
    if key is None:
        monkeypatch.setattr(CLOCK, "now_s", CLOCK.now_s + 1.1)
    else:
        program.press(key)
    left = program.text
    program.correct("their ", 6, apply=True, prefix="thier ")
    assert program.text == left
    assert program.corrected == []


@pytest.mark.parametrize("prefix", ["it will accommodate ", "it will accomodate x ", "it will "])
def test_nothing_is_corrected_where_the_program_has_changed_the_text_itself(prefix):
    program = Program("it will accomodate")
    program.late(" ")
    program.correct("accommodate ", 11, apply=True)
    program.text = prefix
    program.tell()
    assert program.text == prefix
    assert program.corrected == []
    assert program.shown.note == ""


def test_a_word_that_may_be_all_of_its_field_is_mended_only_once_another_word_begins():
    program = Program("untill ")
    program.correct("until ", 7, apply=True)
    assert program.text == "untill "
    assert program.shown.words == ("untill → until",)
    program.type("d")
    assert program.text == "until d"


@pytest.mark.parametrize("mends", [True, False])
def test_where_none_is_to_be_made_a_sure_correction_is_offered(mends):
    program = Program()
    program.typing = KeyHandler(CLOCK, mends=mends)
    program.type("so thier ")
    program.correct("their ", 6, apply=True)
    assert program.text == ("so their " if mends else "so thier ")
    assert program.shown.words == (() if mends else ("thier → their",))


@pytest.mark.parametrize(
    ("field", "mends"),
    [
        (Field("gtk3-im:gedit"), True),
        (Field("gtk3-im:gedit", purpose=1), False),
        (Field("gtk3-im:gedit", purpose=7), False),
        (Field("gtk3-im:gnome-terminal-server"), False),
        (Field("gtk3-im:geany"), False),
        (Field("xim", window="cool-retro-term"), False),
        (Field("xim", window="dev.warp.Warp"), False),
        (Field("xim", window="jetbrains-rider"), False),
        (Field("QIBusInputContext", window="spyder"), False),
        (Field("xim", window="Emacs"), False),
        (Field("QIBusInputContext", window="featherpad"), True),
    ],
)
def test_nothing_is_mended_by_itself_in_terminals_code_and_fields_for_a_name(field, mends):
    assert field.mends == mends


def test_what_is_mended_twice_in_one_word_is_taken_back_one_by_one():
    program = Program("so thier x")
    program.correct("their ", 6, apply=True, prefix="so thier ")
    program.tell()
    program.correct("there ", 6, apply=True, prefix="so their x")  # a second answer about the same place
    assert program.text == "so their x"
    assert program.press(BACKSPACE)
    assert program.text == "so thier x"


def test_nothing_is_mended_where_an_input_method_composes():
    dead_acute = 0xFE51
    program = Program("so thier")
    program.late(" ")
    program.press(dead_acute)
    program.correct("their ", 6, apply=True, prefix="so thier ")
    program.tell()
    assert program.text.startswith("so thier ")


@pytest.mark.parametrize(
    ("put", "late_s", "mended"),
    [("from the ", 0, True), ("farm the ", 0, True), ("formula the ", 0, False), ("from the ", 1.1, False)],
)
def test_the_word_before_the_last_is_mended_soon_and_where_the_last_hardly_moves(
    put, late_s, mended, monkeypatch
):
    program = Program("it came form the ")
    monkeypatch.setattr(CLOCK, "now_s", CLOCK.now_s + late_s)
    program.correct(put, 9, apply=True)
    assert program.text == ("it came " + put if mended else "it came form the ")
    if mended:
        assert program.corrected == [("accepted", "form")]
        program.press(BACKSPACE)
        program.type("x form of ")
        program.correct("from of ", 8, apply=True)
        assert program.text == "it came form the x form of "


def test_a_doubled_space_is_mended_and_taken_back():
    program = Program("we saw the  dog ")
    program.correct("the dog ", 9, apply=True)
    assert program.text == "we saw the dog "
    program.press(BACKSPACE)
    assert program.text == "we saw the  dog "
    assert program.corrected == [("accepted", "the  dog"), ("dismissed", "the  dog")]
    program.correct("the dog ", 9, apply=True)
    assert program.text == "we saw the  dog "


def test_a_word_that_stood_there_is_not_mended_for_the_word_that_is_typed_behind_it():
    program = Program()
    program.text = "it came form"
    program.tell()
    program.type(" the ")
    program.correct("from the ", 9, apply=True)
    assert program.text == "it came form the "


def test_a_program_that_tells_nothing_gets_no_corrections():
    program = Program("thier ", tells=False)
    assert not program.corrections
    program.correct("their ", 6, "x", apply=True)
    assert program.text == "thier "
    assert program.shown.words == ("x",)


def test_a_program_that_does_not_delete_gets_no_more_corrections():
    program = Program("so thier ")
    program.deletes = False
    program.correct("their ", 6, apply=True)
    assert program.text == "so thier their "
    program.tell()
    assert not program.typing.corrections.program_deletes
    program.type("teh ")
    assert not program.corrections


def test_a_space_that_does_not_stand_there_yet_is_not_replaced():
    program = Program("tom")
    program.answer("orrow")
    program.press("1", ALT)
    assert not program.corrections
    program.type(" ")
    assert program.asked == "tomorrow "
    assert program.corrections


@pytest.mark.parametrize(
    ("prefix", "replaced"), [("thier\n", 6), ("thier ", 9), ("thier \N{GRINNING FACE}", 7), ("", 1)]
)
def test_what_is_not_on_the_line_or_is_counted_differently_is_not_replaced(prefix, replaced):
    assert not read(said([("their", replaced)]), prefix)


def test_words_that_were_torn_or_joined_are_mended():
    program = Program("see t he")
    program.answer(("the", 4))
    assert program.shown.words == ("the",)
    program.press("1", ALT)
    assert program.text == "see the"
    assert program.press(BACKSPACE)
    assert program.text == "see t he"
    assert program.corrected == [("accepted", "t he"), ("dismissed", "t he")]


def meant(prefix, text="definitely", **more):
    """An offer of what was meant by the word under the cursor, as grey text, too."""
    program = Program(prefix)
    program.answer((text, len(prefix.split()[-1])), listed=False, grey=True, **more)
    return program


def test_what_was_meant_is_shown_beside_what_stands_there_and_takes_its_place():
    program = meant("Dear all,\nso definat")
    assert program.shown == ShowSuggestions((), "\xa0→ definitely")
    assert program.press(TAB)
    assert program.text == "Dear all,\nso definitely"
    assert program.corrected == [("accepted", "definat")]
    assert program.press(BACKSPACE)
    assert program.text == "Dear all,\nso definat"
    program.answer(("definitely", 7), listed=False, grey=True)
    assert not program.shown.ghost


def test_what_an_ended_word_may_have_meant_is_shown_behind_it_and_takes_its_place():
    program = Program("Dear all,\nso form ")
    program.correct("from ", 5, ghost="the", grey=True)
    assert program.shown == ShowSuggestions(("form → from",), "\xa0→ from", fresh=True)
    assert program.press(TAB)
    assert program.text == "Dear all,\nso from "
    assert program.corrected == [("accepted", "form")]
    assert program.press(BACKSPACE)
    assert program.text == "Dear all,\nso form "
    program.correct("from ", 5, grey=True)
    assert program.shown == NOTHING


@pytest.mark.parametrize("char", ["d", " ", "→"])
def test_no_key_goes_along_with_what_was_meant(char):
    program = meant("Dear all,\nso definat")
    program.press(char)
    assert not program.shown.ghost
    assert program.text == f"Dear all,\nso definat{char}"
    assert program.fates == []


def test_where_tab_may_leave_the_field_or_nothing_can_be_replaced_what_was_meant_is_not_shown():
    assert not meant("so definat").shown.ghost
    assert meant("\nso definat").shown.ghost
    assert not meant("\nso definat", finished=0.5).shown.ghost
    deaf = Program("\nso thier ")
    deaf.deletes = False
    deaf.correct("their ", 6, apply=True)
    deaf.type("definat")
    deaf.answer(("definitely", 7), listed=False, grey=True)
    assert not deaf.shown.ghost


# --- what stands there, and what of it is its user's ---

#: A program that tells of another field, or of nothing: "" after each key of `see you`.
DEAF = ("=", *(step for char in "see you" for step in (f"+{char}", "=")))


def tell(tracker, text, *, selected=False):
    before, _, behind = text.partition("|")
    at = len(before)
    places = (at,) if isinstance(tracker, FieldAuthorship) else (at, 0 if selected else at)
    tracker.report(before + behind, *places)


def play(tracker, *steps):
    """Play steps in a field.

    "+text" is typed and not told of yet, ">text" is typed and told of key by key; "=text" the program tells this, with
    the cursor at "|" or the end; "[text" it tells that this is selected; "<" BackSpace, "\\n" Return, "!" something
    that cannot be followed, "~" the program resets its input, "v" the cursor moves down.
    """
    told = ""
    for kind, text in ((step[0], step[1:]) for step in steps):
        match kind:
            case "+":
                for char in text:
                    tracker.add(char)
            case ">":
                for char in text:
                    tracker.add(char)
                    told += char
                    tell(tracker, told)
            case "=" | "[":
                told = text
                tell(tracker, text, selected=kind == "[")
            case "<":
                tracker.take_back(1)
            case "\n":
                tracker.new_line()
            case "!":
                tracker.lose()
            case "~":
                tracker.reset() if isinstance(tracker, TextBeforeCursor) else tracker.lose()
            case "v":
                tracker.on_new_line(down=True)
    return tracker


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        # A click, after which the program goes on telling where the cursor was.
        (("=", ">hello", "~", "=hello"), None),
        (("=", ">hello", "~", "=hello", "+x", "=hello"), None),
        (("=", ">hello", "~", "=hello", "+x", "=hello", "=x|abc"), None),
        # It is late, and may have changed what was typed.
        (("+ab", "=a"), "ab"),
        (("=", "+q the teal", "=Q the te"), "Q the teal"),
        (("=", "+q the teal", "=Q the te", "!", "=Q the tea"), None),
        (("=x", "+aaaaaaaaaaaa", "=yaaaaaaa"), None),  # over and over: that does not say how late it is
        # It tells of something else.
        (DEAF, "see you"),
        ((*DEAF, "!", "+x"), None),
        ((*DEAF, "!", "+x y"), "y"),
        ((*DEAF, "\n", "=", "+ok", "=", "!", "+so it "), "it "),
        (("=", "+a", "[a"), None),
        # Behind Return.
        (("=", ">see you", "\n", "+at t", "=see you", "=", "=a", "=at t"), "at t"),
        (("=", ">see you", "\n", "~", "v"), ""),
        (("=", ">see you", "\n", "~", "v", "~"), None),  # the second time by a click
        (("=", ">see you", "\n", "v", "=", ">hel"), "hel"),
        (("=", ">see you", "\n", "v", "=", ">hel", "~"), None),
        (("=", ">see you", "\n", "v", "=", ">hel", "="), None),  # sent by the mouse
        (("=", ">weather", "\n", "=weather", "> in", "="), None),  # Return changed nothing
    ],
)
def test_what_stands_before_the_cursor_is_known_or_nothing_is(steps, text):
    assert play(TextBeforeCursor(), *steps).text == text


LABEL = "hello\nThe wifi password:\n"


@pytest.mark.parametrize(
    ("steps", "learned"),
    [
        # What others wrote, or the program puts there.
        (("=Dear Ann, ", ">thank you", "=Dear Ann, thank you for this pasted sentence"), ["thank you"]),
        (("=> they said we meet at nine", "> or later", "\n", "=", ">noon is better"), ["noon is better"]),
        (("=", ">so we met at sea.", "+s", "=so we met at sea.s"), ["so we met at sea.s"]),
        (("=", "+s", "=buy our vorpal now"), []),  # no longer than one key makes it
        (("=", "+ the tea", "= buy corn"), []),
        (("=", "+ don't go", "= don’t go"), ["don’t go"]),
        (("=", "+ (an aside", "= (an aside)"), ["(an aside)"]),
        # What it tells late, of letters that are gone, and behind the key that saves.
        (
            ("=", "+go tow", "<", "+!", "=g", "=go", "=go ", "=go t", "=go to", "=go tow", "=go to", "=go to!"),
            ["go to!"],
        ),
        (("=Theirs is here\n", ">my own words", "+x", "<", "!", "=Their|s is here\nmy own words"), ["my own words"]),
        (("=", ">we met ", "+so.", "!", "=we met s", "=we met so."), ["we met so."]),
        (("=", ">we met ", "+so.", "!", "=we met so.!"), ["we met"]),
        (("=", ">we met ", "+so.", "!", "=we met", "=", "=we met so."), ["we met"]),
        # What it tells first, behind a reset, of keys that came before that.
        (("+T", "~", "=T", ">om Miller says hello"), ["Tom Miller says hello"]),
        (("+Tom", "~", "=T", "=Tom", "> says hello"), ["Tom says hello"]),
        (("+Tom", "~", "=Their Tom", "> says hello"), ["says hello"]),
        # Lines, as the cursor comes and goes.
        (
            ("=", ">one two three", "\n", "=", ">four five", "!", "=one two three", "<", "=one two thre"),
            ["four five\none two thre"],
        ),
        (("=", ">Dear Ann,", "\n", "=Dear Ann,\n", ">see you"), ["Dear Ann,\nsee you"]),
    ],
)  # fmt: skip # a case is a line
def test_what_its_user_wrote_and_stands_there_in_the_end_is_learned(steps, learned):
    assert [one.text for one in play(FieldAuthorship(CLOCK), *steps).entries()] == learned


@pytest.mark.parametrize(
    ("steps", "learned"),
    [
        (("=Dear Ann,\nmy PIN is ", ">4471 8890"), [("4471 8890", "Dear Ann,\nmy PIN is ")]),
        ((f"={LABEL}", ">Kirschbaum Regen 8"), [("Kirschbaum Regen 8", LABEL)]),
        (
            ("=", ">Dear Ann, hello", "!", "=Dear Ann, hello\nPIN:\n", ">4471 8890"),
            [("Dear Ann, hello", ""), ("4471 8890", "Dear Ann, hello\nPIN:\n")],
        ),
    ],
)
def test_what_stands_before_is_told_with_a_text(steps, learned):
    assert [(one.text, one.before) for one in play(FieldAuthorship(CLOCK), *steps).entries()] == learned


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
    for letter, expected in ((">k", learned), ("+k", with_letter)):
        written = play(FieldAuthorship(CLOCK), "=", ">see you at the doc", letter, f"={told}")
        assert "\n".join(one.text for one in written.entries()) == expected


def test_a_message_has_the_one_before_it():
    written = play(FieldAuthorship(CLOCK), "=", ">The wifi password:", "\n")
    assert written.report("", 0), "it has gone"
    assert [entry.text for entry in written.sent()] == ["The wifi password:"]
    [entry] = play(written, ">Kirschbaum Regen 8").entries()
    assert entry[::2] == ("Kirschbaum Regen 8", "The wifi password:\n")


def test_all_that_is_selected_and_deleted_is_not_learned():
    program = Program("never mind this")
    program.press("a", CONTROL)
    program.text = " "
    program.press(BACKSPACE)
    assert program.typing.written.entries() == []


def test_of_a_program_that_tells_nothing_nothing_is_learned():
    assert Program("one two", tells=False).typing.written.entries() == []


@pytest.mark.parametrize(
    ("client", "learned"),
    [
        ("gtk3-im:mousepad", [("The wifi password:\nKirschbaum Regen 8", "")]),
        ("gtk3-im:firefox", [("The wifi password:", ""), ("Kirschbaum Regen 8", "The wifi password:\n")]),
    ],
)
def test_whoever_comes_back_at_once_goes_on_only_where_each_field_has_a_context_of_its_own(client, learned):
    told = []
    drafts = LeftFields(CLOCK, lambda entries, _field: told.extend(entries))
    for text in ("The wifi password:", "Kirschbaum Regen 8"):
        written = drafts.begin(("context", Field(client)))
        drafts.leave(("context", Field(client)), play(written, "=", f">{text}", "!"))
    drafts.learn_due(float("inf"))
    assert [(one.text, one.before) for one in told] == learned


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
    keys = (0x61, 0xE9, 0x1B1, 0x13BD, 0x20AC, 0x010020AC, 0xFFB5, 0xAD2)
    assert [keysyms.character(value) for value in keys] == [*"aéąœ€€5“"]
    assert {keysyms.character(value) for value in (TAB, 0xFE51, 0x01000000 + 0xE000, 0x1A5 - 0x20)} == {None}
