"""What the keyboard does for each key, without IBus: what is taken, asked, shown and learned."""

import pytest
from typing_scenarios import KEYS, Row, Scenario

from idiolect.daemon.session import events, keysyms
from idiolect.daemon.session.clock import Clock
from idiolect.daemon.session.effects import ShowSuggestions
from idiolect.daemon.session.field import Field
from idiolect.daemon.session.field_authorship import FieldAuthorship
from idiolect.daemon.session.left_fields import LeftFields
from idiolect.daemon.session.suggest_answer import read
from idiolect.daemon.session.text_before_cursor import TextBeforeCursor

CLOCK = Clock(1000.0)


class Program(Row):
    """A program with a text in its field, whose reports may be late; the rest is that of the scenarios."""

    def __init__(self, text=""):
        super().__init__(Scenario("", ""))
        self.begin()
        self.do_type(f"{text}|")

    def reset(self):
        self.happen(events.InputReset(), self.engine)

    def move(self, x, y):
        self.happen(events.CursorMoved(x, y, 10), self.engine)

    def return_late(self, last=""):
        """Type the last characters and Return at (100, 10), of which it tells later; it resets its input then."""
        self.move(100, 10)
        self.do_late(last)
        self.press(KEYS["Return"])


def said(words, **more):
    """An answer of the service."""
    return {**Program().answer_to("", words, None), **more}


# --- what is offered and taken ---


@pytest.mark.parametrize(
    ("before", "guess"), [("see you", ""), ("Dear all,\nsee you", "Dear all,\nsee you\n")]
)
@pytest.mark.parametrize("told", ["{}\n", ""])
@pytest.mark.parametrize("first", ["told", "moved"])
def test_a_cursor_that_moves_down_behind_return_stands_on_a_new_line(before, guess, told, first):
    program = Program()
    program.do_report(f"{before[:-2]}|")
    program.do_type(before[-2])
    program.return_late(before[-1])
    program.reset()
    at = len(before)
    late = [lambda: program.happen(events.TextReported(before, at, at), program.engine)]
    moved = [lambda: program.move(0, 20)]
    for happens in late + moved if first == "told" else moved + late:  # only now of the last key before
        happens()
    program.has_asked(f"{guess}|")
    program.do_answer(f"[{guess}] Thanks")
    program.text = told.format(before)
    if program.text == guess:
        program.do_key("Alt+1")
        program.has_stands(f"{guess}Thanks")
    program.do_type("at")
    program.has_asked(program.text)
    program.move(0, 30)  # by the mouse, or as a line wraps
    program.has_asked("nothing")


def test_a_click_right_behind_return_takes_away_what_was_offered_on_the_new_line():
    program = Program("see you")
    program.return_late()
    program.reset()  # by the program, for Return
    program.move(0, 20)
    program.do_answer("Thanks")
    program.has_shows("Thanks")
    program.reset()
    program.has_shows("nothing")


@pytest.mark.parametrize(("before", "asked"), [("see you", "|"), ("Dear all,\nsee you", "nothing")])
def test_a_cursor_that_moves_to_the_left_behind_return_may_be_in_a_field_that_is_empty_now(before, asked):
    program = Program()
    program.do_report(f"{before[:-1]}|")
    program.do_type(before[-1])
    program.return_late()
    program.asked = None
    program.move(0, 10)
    program.has_asked(asked)


@pytest.mark.parametrize(("finished", "words"), [(0.9, []), (0.01, ["Friday's", "Fridays"])])
def test_behind_a_whole_word_there_are_words_only_if_one_is_likelier_than_its_end(finished, words):
    offer = read(said(["'s", "s"], finished=finished), "Friday")
    assert [offer.label(word) for word in offer.words] == words


@pytest.mark.parametrize("text", ["tomor|ow", "don|'t", "a|b1"])
@pytest.mark.parametrize("key", ["Tab", "Alt+1", "Ctrl+Right"])
def test_within_a_word_nothing_is_asked_shown_or_taken(text, key):
    program = Program()
    before, after = text.split("|")
    program.do_report(f"{before[:-1]}|{after}")
    program.do_type(before[-1])
    program.has_asked("nothing")
    program.do_answer(f"[{before}] row / row morning")
    assert program.shown == ShowSuggestions()
    program.do_key(key)
    program.has_passed("")


def test_a_ghost_text_is_taken_by_the_pieces_that_the_service_tells():
    pieces = ("eys", " of", " New York", ". ")
    told = {"text": "".join(pieces), "p": 0.9, "show": True}
    told["words"] = [{"text": text, "p": 0.9} for text in pieces]
    assert read(said([], ghost={**told, "show": False}), "the k").ghost is None, "it is not worth a look"
    ghost = read(said([], ghost=told), "the k").ghost
    assert ghost.words == ("eys", " of", " New York", ".")
    left = ghost.without(1)
    assert (left.text, left.words) == ("ys of New York.", ("ys", " of", " New York", "."))
    assert left.without(5).first_word == " New York"
    assert left.without(len(left.text)) is None


def test_tab_is_the_programs_until_grey_text_can_have_been_read():
    program = Program("tom")
    program.now_s += 0.2
    program.do_answer("/ orrow at ten")
    program.now_s -= 0.1
    program.do_key("Tab")
    program.has_passed("")  # it has only just come
    program = Program("tom")
    program.do_answer("/ orrow at ten")
    program.do_answer("[tom] b / orrow at ten")  # the same again
    program.now_s -= 0.2
    program.do_key("Tab")
    program.has_used("")


def test_a_letter_that_is_wrapped_tells_of_several_lines():
    program = Program("Dear all, thank yo")
    program.move(100, 10)
    program.do_late("u")
    program.move(0, 20)
    program.do_type(" |")
    program.do_answer("/ for the keys")
    program.has_shows("/ for the keys")


# --- corrections ---


def test_a_correction_is_taken_by_a_click_where_it_is_certain_what_stands_there():
    program = Program("thier")
    program.do_late(" |")
    program.do_answer("[thier ] thier→their")
    program.do_click("1")
    program.has_stands("thier |")
    program.do_report("")
    program.do_click("1")
    program.do_click("6")
    program.has_stands("their |")


@pytest.mark.parametrize("text", ["it will accommodate |", "it will accomodate x |", "it will |"])
def test_nothing_is_corrected_where_the_program_has_changed_the_text_itself(text):
    program = Program("it will accomodate")
    program.do_late(" |")
    program.do_answer("[it will accomodate ] accomodate→accommodate!")
    program.do_puts(text)
    program.do_report("")
    program.has_stands(text)
    program.has_told("nothing")
    program.has_note("nothing")


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
    program.do_answer("orrow")
    program.do_key("Alt+1")
    assert not program.asked.corrections
    program.do_type(" |")
    assert program.asked.prefix == "tomorrow "
    assert program.asked.corrections


@pytest.mark.parametrize(
    ("prefix", "replaced"), [("thier\n", 6), ("thier ", 9), ("thier \N{GRINNING FACE}", 7), ("", 1)]
)
def test_what_is_not_on_the_line_or_is_counted_differently_is_not_replaced(prefix, replaced):
    assert not read(said([f"{'x' * replaced}→their"]), prefix)


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
    assert {
        keysyms.character(value) for value in (KEYS["Tab"], 0xFE51, 0x01000000 + 0xE000, 0x1A5 - 0x20)
    } == {None}
