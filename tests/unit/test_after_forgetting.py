"""What is left after forgetting, as the service tells it: near matches, and whether it can still be suggested."""

import pytest

from idiolect.daemon.privacy.remaining_traces import still_suggested
from idiolect.daemon.service import Service
from idiolect.daemon.storage.selectors import Selector

VARIANTS = [
    "quillfeather brandywhistle",
    "quillfeather  brandywhistle",
    "quillfeather\nbrandywhistle",
    "quillfeather-brandywhistle",
    "ｑｕｉｌｌｆｅａｔｈｅｒ ｂｒａｎｄｙｗｈｉｓｔｌｅ",
    "quill\xadfeather brandywhistle",
    "quillfeather\xa0brandywhistle",
    "quillfeather, brandywhistle",
    "QUILLFEATHER BRANDYWHISTLE",
    "quillfeather/brandywhistle",
    "quill\u200bfeather brandy\u200bwhistle",
    "Quillfeather\u3000Brandywhistle",
]


@pytest.fixture
def service(tmp_path, tiny_profile):
    running = Service(tiny_profile(tmp_path / "home"))
    yield running
    running.close()


def learn(service, *texts, source="chat"):
    for text in texts:
        assert service.ingest.add_text(text, source=source).stored


def remains(service, selector):
    """What is left when something was forgotten."""
    left = service.forgetting.remains(selector)
    return [left, *service.forgetting.still_suggested(selector, left)][-1]


def test_a_phrase_is_forgotten_however_it_was_written_and_then_not_suggested(service):
    learn(service, *(f"Message {n}: we met {text} by the mill." for n, text in enumerate(VARIANTS)))
    learn(service, *(f"Something else, number {n}." for n in range(20)))
    assert "llfeather" in {word.text for word in service.suggestions.suggest("we met qui").words}
    selector = Selector(text="quillfeather brandywhistle")
    assert service.forgetting.forget(selector, True).entries == len(VARIANTS)
    before = service.forgetting.remains(selector)
    assert (before.near, before.complete, before.still_suggested) == ((), True, None)
    assert service.forgetting.forget(selector, False, len(VARIANTS)).entries == len(VARIANTS)
    after = remains(service, selector)
    assert (after.near, after.complete, after.still_suggested, after.why) == ((), True, (), None)


def test_what_is_left_is_told_and_why_it_is_still_suggested(service):
    learn(service, "Our quillfeather one.", *["Two quillfeathers here."] * 1, "A quil-feather, too.")
    learn(service, "The quillfeather in quillfeather street.")
    selector = Selector(phrase="quillfeather")
    assert service.forgetting.forget(selector, False).entries == 2
    left = remains(service, selector)
    assert [(one.text, one.entries) for one in left.near] == [("quillfeathers", 1)]
    assert left.still_suggested == ("quillfeathers",)
    assert left.why == "Other entries hold “quillfeathers”."
    selector = Selector(phrases=tuple(one.text for one in left.near))
    assert service.forgetting.forget(selector, False, 1).entries == 1
    assert remains(service, selector).still_suggested == ()


def test_general_english_may_go_on_being_suggested(service):
    word = max(bytes(form).decode() for form in service.model.loaded.lexicon.forms if len(form) > 5)
    learn(service, f"Say {word} again.", "Something else.")
    selector = Selector(text=word.lower())
    service.forgetting.forget(selector, False)
    left = remains(service, selector)
    assert left.near == ()
    for still in left.still_suggested:
        assert f"General English has “{still}”." == left.why


def test_where_no_text_is_named_nothing_is_looked_for(service):
    learn(service, "One text.")
    left = remains(service, Selector(source="chat"))
    assert (left.near, left.complete, left.still_suggested) == ((), True, None)


def test_what_goes_wrong_after_forgetting_does_not_hide_that_it_is_done(service, caplog):
    learn(service, "One zorvelin.", "Other text.")
    selector = Selector(text="zorvelin")
    left = service.forgetting.remains(selector)
    (last,) = still_suggested(selector, left, lambda _: False, lambda: 1 // 0)
    assert (last.still_suggested, last.asked_all) == (None, False)
    service.store.entries.select = lambda: 1 // 0
    left = remains(service, selector)
    assert (left.near, left.complete, left.still_suggested) == ((), False, None)
    assert caplog.text.count("ZeroDivisionError") == 2
    assert "zorvelin" not in caplog.text


def test_commands_are_asked_too_and_keep_nothing_of_it(service):
    learn(service, "mount zorvelindisk /backup", "mount zorvelindisk /other", source="shell")
    selector = Selector(text="/other")
    service.forgetting.forget(selector, False)
    left = remains(service, Selector(text="mount zorvelindisk"))
    assert "zorvelindisk" in left.still_suggested
    assert service.model.commands._predictor is None


def test_at_most_some_phrases_are_asked_for(service):
    names = [f"zorvel{letter}ind" for letter in "abcdefghij"]
    learn(service, *(f"One {name} two." for name in names))
    some, all_ = (Selector(phrases=tuple(names[:count])) for count in (5, 10))
    few = [*service.forgetting.still_suggested(some, service.forgetting.remains(some))]
    many = [*service.forgetting.still_suggested(all_, service.forgetting.remains(all_))]
    assert len(few) == len(many)
    assert [few[-1].asked_all, many[-1].asked_all] == [True, False]
    assert not any(piece.asked_all for piece in few[:-1])


def test_the_asking_ends_in_time(service):
    learn(service, "One zorvelind.", "Two zorvelind.", "Three zorvelind.")
    selector = Selector(text="zorvelind")
    known, left = service.model.loaded.lexicon.__contains__, service.forgetting.remains(selector)

    def ask(prefix):
        return [service.suggestions.suggest(prefix)]

    pieces = [*still_suggested(selector, left, known, lambda: ask, longest_s=0)]
    assert len(pieces) == 2  # what was asked for in time is told
    assert not pieces[-1].asked_all
    assert pieces[-1].still_suggested is not None
