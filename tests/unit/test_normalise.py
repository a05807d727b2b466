"""One written form for each text: what goes, and what must stay."""

import pytest

from idiolect.daemon.text.normalise import has_words, normalise, pieces


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Cafe\u0301", "Café"),
        ("one\r\ntwo\rthree\u2028four\x0bfive", "one\ntwo\nthree\nfour\nfive"),
        ("  spaces  inside \n\n\n\nand lines \t\n", "spaces  inside\n\nand lines"),
        ("a\tb\u00a0c\u202fd", "a\tb c d"),
        ("\ufeffze\u200bro wi\u00addth\u2060", "zero width"),
        ("\x1b[1;31mred\x1b[0m \x1b]0;title\x07text\x00\x07", "red text"),
        ("\x1b]unfinished", "]unfinished"),
        ("\u202eright\u202c to left\u200f", "right to left"),
        ("lone \ud83d surrogate", "lone  surrogate"),
        ("a\u200db \u200cc", "ab c"),
        ("MiXed CASE ß İ", "MiXed CASE ß İ"),
    ],
)
def test_what_is_made_plain(text: str, wanted: str) -> None:
    assert normalise(text) == wanted


@pytest.mark.parametrize(
    "text", ["👩\u200d👩\u200d👧", "می\u200cخواهم", "क्\u200dष", "❤\ufe0f\u200d🔥", "x² ½ ﬁ Ω"]
)
def test_joiners_that_mean_something_and_compatible_letters_stay(text: str) -> None:
    assert normalise(text) == text


def test_words() -> None:
    assert all(map(has_words, ("a", "7", "日", "👍", "«й»")))
    assert not any(map(has_words, ("", "--- *** ...", "\n", "|")))


def test_pieces_end_with_sentences_if_they_can_and_with_words_if_not() -> None:
    assert list(pieces("One two. Three four! Five", 12)) == ["One two.", "Three four!", "Five"]
    assert list(pieces("one two three four five", 10)) == ["one two", "three", "four five"]
    assert list(pieces("今日は。明日も。", 5)) == ["今日は。", "明日も。"]
    assert list(pieces("x" * 25, 10)) == ["x" * 10, "x" * 10, "x" * 5]
    assert list(pieces("short", 10)) == ["short"]
