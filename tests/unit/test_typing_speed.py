"""How fast somebody types, as the session and the playground measure it: both are asked the same and agree."""

import json
import random
import subprocess
from itertools import cycle, islice
from pathlib import Path

import pytest

from idiolect.daemon.serving.typing_speed import LetterTimes
from idiolect.daemon.session.letter_intervals import LetterIntervals

SCRIPT = Path(__file__).parents[2] / "daemon" / "endpoint" / "page" / "letter_intervals.js"
ASK = """
import {{ readFileSync }} from "node:fs";
(0, eval)(readFileSync({script}, "utf-8"));
console.log(JSON.stringify({cases}.map((keys) => {{
  const speed = new idiolect.LetterIntervals();
  for (const [typed, atMs] of keys) speed.key(typed, atMs);
  return speed.medianMs ?? null;
}})));
"""


def in_python(cases):
    """What is measured of each case: keys, each what it typed and when, in milliseconds."""
    found = []
    for keys in cases:
        speed = LetterIntervals()
        for typed, at_ms in keys:
            speed.key(typed, at_ms / 1e3)
        found.append(speed.median_ms)
    return found


def in_javascript(cases, node):
    code = ASK.format(script=json.dumps(str(SCRIPT)), cases=json.dumps(cases))
    command = [node, "--input-type=module", "-e", code]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.fixture(params=["Python", "JavaScript"])
def measure(request, needs_program):
    if request.param == "Python":
        return in_python
    node = needs_program("node", "nodejs")
    return lambda cases: in_javascript(cases, node)


def keys(text, every_ms, *others):
    """The keys of a text, so far apart; `others`: a character, and how long it takes, as often as it comes."""
    took, at_ms, found = dict(others), 5_000.0, []
    for char in text:
        at_ms += took.get(char, every_ms)
        found.append((char, at_ms))
    return found


LETTERS = "".join(islice(cycle("harbour"), 21))  # 20 intervals


def test_it_is_told_from_twenty_intervals_on(measure):
    assert measure([keys(LETTERS, 120), keys(LETTERS[:-1], 120), []]) == [120, None, None]


@pytest.mark.parametrize(
    "others",
    [
        ([" ", 700],),
        ([" ", 20], ["e", 1600]),
        (["3", 900],),
        (["", 80],),
        (["r", 30_000_000],),
    ],
    ids=["spaces", "pauses", "digits", "other keys", "an hour away"],
)
def test_what_is_no_interval_within_a_word_does_not_count(measure, others):
    text = [*islice(cycle("lantern"), 40)]
    for char, _ in others:
        text = [one for letter in text for one in ((letter, char) if letter == "n" else (letter,))]
    assert measure([keys(text, 120, *others)]) == [120]


def test_of_what_a_program_types_nothing_is_told(measure):
    assert measure([keys(LETTERS * 5, every_ms) for every_ms in (0, 1, 20, 39, 41)]) == [*[None] * 4, 41]


def test_a_key_that_is_held_down_does_not_count(measure):
    assert measure([keys("ab" + "a" * 100, 50), keys("ab" * 11, 120) + keys("a" * 100, 50)]) == [None, 120]


def test_it_comes_to_be_the_median_and_follows_it(measure):
    typist = random.Random(7)
    slow, fast = ([typist.lognormvariate(0, 0.45) * ms for _ in range(400)] for ms in (420, 140))
    cases = []
    for took in (slow, fast, slow + fast):
        at_ms, told = 0.0, []
        for letter, ms in zip(cycle("harbour"), took, strict=False):
            at_ms += ms
            told.append((letter, at_ms))
        cases.append(told)
    assert measure(cases) == [pytest.approx(ms, rel=0.15) for ms in (420, 140, 140)]


def test_both_measure_the_same(needs_program):
    typist = random.Random(11)
    cases = []
    for _ in range(40):
        at_ms, told = 0.0, []
        for _ in range(typist.randrange(200)):
            at_ms += typist.choice((5, 1700, *[typist.lognormvariate(5, 1)] * 8))
            told.append((typist.choice([*"aßéяmno" * 2, "ʼ", "Ab", " ", "7", "", "Shift"]), at_ms))
        cases.append(told)
    found = in_python(cases)
    assert sum(one is not None for one in found) > 5
    assert found == in_javascript(cases, needs_program("node", "nodejs"))


def test_no_times_are_kept():
    speed = LetterIntervals()
    for typed, at_ms in keys(LETTERS * 5, 130):
        speed.key(typed, at_ms / 1e3)
    assert {type(value) for value in vars(speed).values()} <= {str, float, int}
    assert len(vars(speed)) == 4


def words_a_minute(*days):
    """What is known after days, each of pairs: how often which words a minute were told."""
    times = LetterTimes()
    for place, told in enumerate(days, 1):
        for count, words in told:
            for _ in range(count):
                times.add(12_000 / words, f"2026-01-{place:02}")
    kept = json.loads(json.dumps(times.to_json()))
    median_ms = LetterTimes.from_json(kept).median_ms
    assert median_ms == times.median_ms, "as it was kept"
    return median_ms and pytest.approx(12_000 / median_ms, rel=0.05)


def test_a_speed_that_nobody_types_is_not_believed():
    assert words_a_minute([(400, 190)]) is None, "a program has sent that"
    assert words_a_minute([(400, 190), (250, 43)]) == 43


def test_a_few_fast_lines_or_one_day_in_a_hurry_do_not_change_how_fast_somebody_types():
    assert words_a_minute([(199, 43)]) is None
    assert words_a_minute([(200, 43)]) == 43
    assert words_a_minute([(200, 43), (150, 150)]) == 43
    assert words_a_minute([(900, 43)], [(600, 43), (5000, 150)], [(800, 43)]) == 43
    assert words_a_minute(*[[(700, 43)]] * 3, *[[(700, 60)]] * 3) == 60, "what was typed of late counts"


@pytest.mark.parametrize(
    "kept", [5, [], {"2026-01-01": 5}, {"2026-01-01": {"110": 0}}, {"2026-01-01": {"x": 1}}]
)
def test_counts_that_are_none_are_refused(kept):
    with pytest.raises(ValueError, match=r"count|literal"):
        LetterTimes.from_json(kept)
