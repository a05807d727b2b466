"""Windows on a long text: found again, and joined to what stood before them."""

import random

import pytest

from idiolect.adapters.prediction.client_windows import ClientWindows

LONG = " ".join(
    f"{random.Random(place).choice(['harbour', 'office', 'boat', 'noon'])}{place}" for place in range(900)
)
SIZE = 500


@pytest.mark.parametrize("step", [1, 7, 60, 300])
def test_a_window_may_go_back_and_on_again(step):
    windows = ClientWindows()
    for end in (SIZE, SIZE + step, SIZE + 2 * step, SIZE + step, SIZE + 2 * step):
        assert windows.whole(LONG[end - SIZE : end]) == LONG[:end]


def test_what_was_mended_at_the_end_is_the_same_text():
    windows = ClientWindows()
    windows.whole(LONG[:SIZE])
    mended = LONG[10 : SIZE - 20] + "another end"
    assert windows.whole(mended) == LONG[:10] + mended


def test_another_text_stays_itself():
    windows = ClientWindows()
    windows.whole(LONG[:SIZE])
    other = LONG[10:200] + "x" * 500
    assert windows.whole(other) == other, "only its beginning is alike"
    letter = LONG[10:90] + " and then something else altogether, " * 5
    assert windows.whole(letter) == letter, "two letters may open alike"
    assert windows.whole(LONG[3000 : 3000 + SIZE]) == LONG[3000 : 3000 + SIZE]
    assert windows.whole(LONG[20 : SIZE + 20]) == LONG[: SIZE + 20], "and the first one is still known"


def test_of_a_text_that_repeats_itself_the_place_that_goes_on_is_found():
    same = "the same line again and again, as in a log of a machine that does nothing.\n"
    text = "First. " + same * 4 + "Then another one. " + same * 4
    windows = ClientWindows()
    windows.whole(text[:-30])
    assert text.endswith(window := text[-450:])
    assert windows.whole(window) == text


def test_a_finished_text_is_forgotten():
    windows = ClientWindows()
    windows.whole(LONG[:SIZE])
    windows.forget(LONG[: SIZE + 50])
    assert windows.whole(LONG[10 : SIZE + 10]) == LONG[10 : SIZE + 10]
