"""Which slips of a hand are told, in Python and in JavaScript: both are asked the same and agree."""

import random

import pytest
from content_scripts import run_script

from idiolect.daemon.session.slip_watch import BACKSPACE, SlipWatch

IN_JAVASCRIPT = """(keys) => {
  const watch = new idiolect.SlipWatch();
  const slips = keys.map(([typed, atMs]) => watch.key(typed, atMs)).filter(Boolean);
  return slips.map(({ meant, typed }) => [meant, typed]);
}"""


def in_python(cases):
    """The slips that are told of each case: keys, each what it typed and when, in milliseconds."""
    found = []
    for keys in cases:
        watch = SlipWatch()
        names = {"Backspace": BACKSPACE, "Tab": ""}
        told = [watch.key(names.get(typed, typed), at_ms / 1e3) for typed, at_ms in keys]
        found.append([[slip["meant"], slip["typed"]] for slip in told if slip])
    return found


def in_javascript(cases, node):
    return run_script(node, "slip_watch.js", IN_JAVASCRIPT, cases)


@pytest.fixture(params=["Python", "JavaScript"])
def told(request, needs_program):
    """What is told of each text: `<` is Backspace, `>` is Tab, and `_` a second's pause."""
    node = needs_program("node", "nodejs") if request.param == "JavaScript" else None

    def told(*texts):
        cases = []
        for text in texts:
            at_ms, keys = 1000, []
            for char in text:
                at_ms += 1100 if char == "_" else 120
                if char != "_":
                    keys.append(({"<": "Backspace", ">": "Tab"}.get(char, char), at_ms))
            cases.append(keys)
        return in_python(cases) if node is None else in_javascript(cases, node)

    return told


def test_a_slip_is_told_as_one_pair_of_letters(told):
    slips = {
        "Teh<<he ": ["he", "eh"],
        "becuase<<<<ause ": ["au", "ua"],
        "thw<e ": ["e", "w"],
        "thw one<<<<<e one ": ["e", "w"],
        "wrd<<ord ": ["wo", "w"],
        "leter<<ter ": ["tt", "t"],
        "thiss< i": ["s", "ss"],
        "hellpo<<o.": ["l", "lp"],
        "ofthe<<< the ": ["f ", "f"],
        "dont<'t ": ["n'", "n"],
        "schon<<ön ": ["ö", "o"],
    }
    assert told(*slips) == [[slip] for slip in slips.values()]


def test_no_slip_is_told_of_other_changes(told):
    others = (
        "the cat<<<dog ",  # something else was meant
        "teh<<eh ",
        "the<<<",
        "<<the ",  # what stood there was not typed here
        "te>h<<he ",  # another key between
        "pin 12<3 4",  # no letters
        "thw___<e ".replace("___<", "<___"),  # too late
    )
    assert told(*others) == [[]] * len(others)


def test_both_tell_the_same(needs_program):
    typist = random.Random(5)
    cases = []
    for _ in range(120):
        at_ms, keys = 0, []
        for _ in range(60):
            at_ms += typist.choice((90, 200, 900))
            keys.append((typist.choice([*"aabeh' ’", "É", "ß", "7", "Tab", "Backspace", "Backspace"]), at_ms))
        cases.append(keys)
    found = in_python(cases)
    assert sum(map(len, found)) > 100
    assert found == in_javascript(cases, needs_program("node", "nodejs"))
