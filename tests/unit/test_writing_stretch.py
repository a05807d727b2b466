"""What is counted of a stretch of writing, in Python and in JavaScript: both are asked the same and agree."""

import random

from content_scripts import run_script

from idiolect.daemon.session.writing_stretch import WritingStretch

IN_JAVASCRIPT = """(keys) => {
  const stretch = new idiolect.WritingStretch();
  for (const [key, atMs] of keys) stretch.key(key, atMs);
  const { suggestions, ...counts } = stretch.summary;
  return counts;
}"""
DRAW = "(times) => Array.from({ length: times }, () => new idiolect.WritingStretch().without).filter(Boolean).length"


def in_python(keys):
    """What is told of a stretch: keys, each what it typed and when, in milliseconds."""
    stretch, characters = WritingStretch(), 0
    for key, at_ms in keys:
        stretch.key(at_ms / 1e3)
        characters += (len(key) == 1) - (key == "Backspace")
    told = stretch.summary(characters)
    del told["suggestions"]
    return told


def test_counts_have_neither_pauses_nor_what_was_taken_back():
    keys = [
        ("a", 1000),
        ("b", 1200),
        ("Backspace", 1500),
        ("c", 60_000),
        ("d", 60_300),
        ("e", 20_000),
        ("f", 20_200),
    ]
    assert in_python(keys) == {"characters": 5, "seconds": 1.0, "keys": 7}
    assert in_python([("Backspace", 5)] * 3) == {"characters": 0, "seconds": 0.0, "keys": 3}


def test_both_count_the_same_and_one_in_four_goes_without(needs_program):
    typist, cases = random.Random(3), []
    for _ in range(30):
        at_ms, keys = 0, []
        for _ in range(typist.randrange(80)):
            at_ms += typist.choice((-500, 4000, *[100 * typist.randrange(1, 9)] * 8))
            keys.append((typist.choice([*"aßé x7", "Backspace", "Enter", "ArrowLeft"]), at_ms))
        cases.append(keys)
    node = needs_program("node", "nodejs")
    told = run_script(node, "writing_stretch.js", IN_JAVASCRIPT, cases)
    [drawn] = run_script(node, "writing_stretch.js", DRAW, [4000])
    assert told == [in_python(keys) for keys in cases]
    assert 0.2 < drawn / 4000 < 0.3
    assert 0.2 < sum(WritingStretch().without for _ in range(4000)) / 4000 < 0.3
