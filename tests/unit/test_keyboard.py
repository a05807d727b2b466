"""What the keyboard does for each key, without IBus: what is taken, asked, shown and learned."""

import re

import pytest

from idiolect.daemon.session import keysyms
from idiolect.daemon.session.choices import Choices
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
        self.typing = KeyHandler(CLOCK, Choices(), FieldAuthorship(CLOCK))
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


def test_on_a_new_line_words_are_offered_once_the_program_tells_of_it():
    program = Program("see you")
    program.press(RETURN)
    assert program.asked == "see you\n"
    program.answer("Thanks")
    assert program.press("1", ALT)
    assert program.text == "see you\nThanks"
    program.tells = False  # it is late
    program.press(RETURN)
    assert program.typing.text.before.text is None
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


@pytest.mark.parametrize(("finished", "words"), [(0.9, ()), (0.01, ("Friday's", "Fridays"))])
def test_behind_a_whole_word_there_are_words_only_if_one_is_likelier_than_its_end(finished, words):
    program = Program("Friday")
    program.answer("'s", "s", finished=finished)
    assert program.shown.words == words


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


# --- corrections ---


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


def meant(prefix, text="definitely", **more):
    """An offer of what was meant by the word under the cursor, as grey text, too."""
    program = Program(prefix)
    program.answer((text, len(prefix.split()[-1])), listed=False, grey=True, **more)
    return program


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
