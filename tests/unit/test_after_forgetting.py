"""What is left after forgetting, as the service tells it."""

import pytest
from serving import suggest

from idiolect.daemon.profile.near_matches import NearMatch, NearMatches, remaining
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


def near(service, selector):
    return remaining(service.store, selector, service.model.loaded.lexicon.__contains__)


def test_a_phrase_is_forgotten_however_it_was_written_and_then_not_suggested(service):
    learn(service, *(f"Message {n}: we met {text} by the mill." for n, text in enumerate(VARIANTS)))
    learn(service, *(f"Something else, number {n}." for n in range(20)))
    assert "llfeather" in {word.text for word in suggest(service, "we met qui").words}
    selector = Selector(text="quillfeather brandywhistle")
    assert service.profile.forget(selector, dry_run=True).entries == len(VARIANTS)
    assert service.profile.forget(selector, expect=len(VARIANTS)).entries == len(VARIANTS)
    assert near(service, selector) == NearMatches()
    assert "llfeather" not in {word.text for word in suggest(service, "we met qui").words}


def test_a_forgotten_emoji_and_a_forgotten_phrase_are_offered_no_more(service):
    learn(service, *(f"Message {n}: it is as you said 😂" for n in range(9)))

    def offered(prefix):
        return {word.text for word in suggest(service, prefix, ghost_words=0, corrections=True).words}

    assert "😂" in offered("it is as you said ")
    assert "as you said" in offered("it is ays")
    service.profile.forget(Selector(phrase="as you said"))
    assert "😂" not in offered("it is as you said ")
    assert "as you said" not in offered("it is ays")


def test_what_is_nearly_the_same_is_told_and_can_be_forgotten(service):
    learn(service, "Our quillfeather one.", "Two quillfeathers here.", "A quil-feather, too.")
    selector = Selector(phrase="quillfeather")
    assert service.profile.forget(selector).entries == 1
    left = near(service, selector)
    assert left == NearMatches((NearMatch("quillfeathers", 1),))
    selector = Selector(phrases=tuple(one.text for one in left.near))
    assert service.profile.forget(selector, expect=1).entries == 1
    assert near(service, Selector(source="chat")) == NearMatches(), "no text is named"


def test_what_goes_wrong_after_forgetting_does_not_hide_that_it_is_done(service, caplog):
    learn(service, "One zorvelin.", "Other text.")
    service.store.entries.select = lambda: 1 // 0
    assert near(service, Selector(text="zorvelin")) == NearMatches(complete=False)
    assert "ZeroDivisionError" in caplog.text
    assert "zorvelin" not in caplog.text
