"""The keyboard, whatever is pressed and whenever answers come: no key is lost or doubled, and it knows its place."""

from hypothesis import example, given
from hypothesis import strategies as st

from idiolect.daemon.session import keysyms
from idiolect.daemon.session.choices import Choices
from idiolect.daemon.session.clock import Clock
from idiolect.daemon.session.effects import AskService, InsertText, ShowSuggestions
from idiolect.daemon.session.field_authorship import FieldAuthorship
from idiolect.daemon.session.key_handler import KeyHandler
from idiolect.daemon.session.suggest_answer import Offer, OfferedGhost, OfferedWord

BACKSPACE, TAB, ALT, CONTROL = 0xFF08, 0xFF09, 1 << 3, 1 << 2
PRESSED = st.one_of(
    st.sampled_from("abtom .,12(é").map(lambda char: (ord(char), 0)),
    st.sampled_from([BACKSPACE, TAB, 0xFF1B, 0xFF52, 0xFF54, 0xFF0D, 0xFFE1]).map(lambda key: (key, 0)),
)
#: Keys that take a word, all of the grey text, a word of it.
TAKING = st.sampled_from([(ord("1"), ALT), (ord("0"), ALT), (TAB, 0), (0xFF53, CONTROL)])
#: A key, an answer to what was asked so many questions ago, the program's telling of what stands there, or a reset.
STEPS = st.one_of(
    st.tuples(st.just("key"), PRESSED),
    st.tuples(st.just("key"), TAKING),
    st.tuples(st.just("answer"), st.just(0)),
    st.tuples(st.just("answer"), st.integers(1, 2)),
    st.tuples(st.just("tell"), st.none()),
    st.tuples(st.just("reset"), st.none()),
)


@given(st.lists(STEPS, max_size=60), st.booleans())
@example(
    [("key", (ord("t"), 0)), ("answer", 0), ("key", (ord("1"), ALT)), ("answer", 0), ("key", (TAB, 0))], False
)
def test_every_key_is_passed_on_or_does_what_is_shown(steps, tells):
    clock = Clock(1000.0)
    typing, text, asked = KeyHandler(clock, Choices(), FieldAuthorship(clock), many_lines=True), "", []
    last = ShowSuggestions()
    for kind, value in steps:
        clock.now_s += 0.2  # what is shown can be read
        shown, before, committed = last, text, ""
        used, actions = False, []
        if kind == "key":
            used, actions = typing.key(*value)
        elif kind == "answer" and len(asked) > value:
            prefix = asked[-1 - value]
            words = (OfferedWord("morrow", 0.5), OfferedWord("bit it", 0.2))
            actions = typing.answered(
                Offer(prefix, words, OfferedGhost("morrow at ten", 0.9, ("morrow", " at", " ten")))
            )
        elif kind == "tell" and tells:
            actions = typing.report(text, len(text), len(text))
        elif kind == "reset":
            actions = typing.reset()
        for action in actions:
            if isinstance(action, InsertText):
                committed += action.text
                text = text[: len(text) - action.replace] + action.text
            elif isinstance(action, AskService):
                asked.append(action.prefix)
            elif isinstance(action, ShowSuggestions):
                last = action
        key, state = value if kind == "key" else (0, 0)
        char = keysyms.character(key) if state == 0 else None
        if kind != "key" or not used:
            assert text == before, "something was typed that nobody took"
        elif state == ALT and key == ord("1"):
            assert shown.words or not committed, "a word was put there that was not shown"
        elif state or key == TAB:
            assert shown.ghost.startswith(committed), "what is shown is what is typed"
        elif not (shown.words or shown.ghost):
            assert committed == f" {char}", "a key was used though nothing was shown"
        if kind == "key" and not used:
            text = text[:-1] if key == BACKSPACE else text + "\n" if key == 0xFF0D else text + (char or "")
        known = typing.text.before.text
        assert known is None or text.endswith(known), "it is wrong about what stands there"
