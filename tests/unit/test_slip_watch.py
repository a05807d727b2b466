"""Which slips of a hand are told."""

from idiolect.daemon.session.slip_watch import BACKSPACE, SlipWatch


def told(*texts):
    """What is told of each text: `<` is Backspace, `>` is Tab, and `_` a second's pause."""
    found = []
    for text in texts:
        watch, at_s, slips = SlipWatch(), 1.0, []
        for char in text:
            at_s += 1.1 if char == "_" else 0.12
            if char != "_":
                slips.append(watch.key({"<": BACKSPACE, ">": ""}.get(char, char), at_s))
        found.append([[slip["meant"], slip["typed"]] for slip in slips if slip])
    return found


def test_a_slip_is_told_as_one_pair_of_letters():
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


def test_no_slip_is_told_of_other_changes():
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
