"""The keyboard, whatever is pressed and whenever answers come: no key is lost or doubled, and it knows its place."""

import itertools
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from idiolect.daemon.key_names import parse_key
from idiolect.daemon.keyboard import keysyms
from idiolect.daemon.keyboard.field_authorship import FieldAuthorship
from idiolect.daemon.keyboard.key_handler import Bindings, KeyHandler
from idiolect.daemon.keyboard.key_outcomes import AskService, InsertText, ShowSuggestions
from idiolect.daemon.keyboard.suggest_answer import Offer, OfferedGhost, OfferedWord

BACKSPACE = 0xFF08
PRESSED = st.one_of(
    st.sampled_from("abtom .,12(é").map(ord),
    st.sampled_from([BACKSPACE, 0xFF09, 0xFF1B, 0xFF52, 0xFF54, 0xFF0D, 0xFFE1]),
)
#: A key, an answer to what was asked so many questions ago, the program's telling of what stands there, or a reset.
STEPS = st.one_of(
    st.tuples(st.just("key"), PRESSED),
    st.tuples(st.just("answer"), st.integers(0, 2)),
    st.tuples(st.just("tell"), st.none()),
    st.tuples(st.just("reset"), st.none()),
)


@given(st.lists(STEPS, max_size=60), st.booleans())
def test_every_key_is_passed_on_or_does_what_is_shown(steps, tells):
    bindings = Bindings(*(parse_key(name) for name in ("Tab", "Control+Right", "Escape", "Alt+-")))
    typing, text, asked = KeyHandler(bindings, FieldAuthorship()), "", []
    with mock.patch("time.monotonic", side_effect=itertools.count(1000.0, 0.1)):  # what is shown can be read
        play(typing, text, asked, steps, tells=tells)


def play(typing, text, asked, steps, *, tells):
    now_shown = False
    for kind, value in steps:
        shown, before, committed = now_shown, text, ""
        used, actions = False, []
        if kind == "key":
            used, actions = typing.key(value, 0)
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
                now_shown = action != ShowSuggestions()
        char = keysyms.character(value) if kind == "key" else None
        if kind != "key" or not used:
            assert text == before, "something was typed that nobody took"
        elif not shown:
            assert committed == f" {char}", "a key was used though nothing was shown"
        if kind == "key" and not used:
            text = (
                text[:-1] if value == BACKSPACE else text + "\n" if value == 0xFF0D else text + (char or "")
            )
        known = typing.before.text
        assert known is None or text.endswith(known), "it is wrong about what stands there"
