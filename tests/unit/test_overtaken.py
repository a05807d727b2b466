"""Which open questions are overtaken by newer ones."""

from __future__ import annotations

from idiolect.daemon.endpoint.superseded_requests import Questions


def test_one_program_types_on_and_another_that_types_the_same_does_not():
    questions = Questions()
    mine, empty = questions.begin("editor", "Hi "), questions.begin("chat", "")
    questions.begin("chat", "Hi th")
    assert (mine.is_set(), empty.is_set()) == (False, True)
    questions.begin("editor", "")
    assert not mine.is_set()
    questions.begin("editor", "Hi th")
    assert mine.is_set()


def test_a_question_that_has_ended_is_overtaken_whatever_is_asked_then():
    questions = Questions()
    ended = questions.begin("mail", "Hi")
    questions.end(ended)
    assert ended.is_set(), "nobody waits for a ghost any more"
    assert not questions.begin("mail", "Hi t").is_set()
