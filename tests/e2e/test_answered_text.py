"""Of what the user answers nothing is left: in no file, no list and no later suggestion."""

import json

import pytest

from idiolect.daemon.runtime import process

TAKEN = "Xanthoquell"
NAMES = ("Brombelwitz", "Kwiaciarnia", "Querfurter")
MESSAGES = [
    f"The ferry of {TAKEN} leaves on Thursday 14:37, says {NAMES[0]}. Ticket PQX-48213 is at the {NAMES[1]}.",
    f"Dear all, the {NAMES[2]} meeting is moved, and {NAMES[0]} brings the {NAMES[1]} maps with her to the ferry.",
]


@pytest.fixture
def life(new_service, trust_memory, tmp_path):
    """A service that was asked with what its user answers, and learned what they wrote."""
    service = new_service(tmp_path / "profile")
    trust_memory(service.settings.prepare())
    process.start(service.settings)
    try:
        for _ in range(3):
            service.ask(
                "/v1/history", text="Please send the quarterly figures to the harbour office.", source="test"
            )
        yield service
    finally:
        process.stop(service.settings)


def test_nothing_of_it_is_left(life):
    written = f"We meet {TAKEN} on Thursday at the quay."
    for at in range(1, len(written), 3):
        found = life.ask("/v1/suggest", prefix=written[:at], context=MESSAGES, corrections=True)
        assert found["sees_context"]
    assert "elwitz" in {word["text"] for word in found_behind(life, "We ask Bromb")}
    life.ask("/v1/feedback", kind="word", outcome="accepted", p=0.5, characters=len(TAKEN))
    life.ask("/v1/history", text=written, source="test")
    told = [life.ask(path) for path in ("/v1/status", "/v1/words", "/v1/audit", "/v1/report")]
    assert not [name for name in NAMES if name in json.dumps(told)]
    texts = [text.encode() for text in (*NAMES, *MESSAGES, "PQX-48213")]
    for path in life.settings.home.rglob("*"):
        if path.is_file() and not path.is_symlink():
            whole = path.read_bytes()
            assert not [text for text in texts if text in whole], path
    assert "elwitz" not in {word["text"] for word in life.ask("/v1/suggest", prefix="We ask Bromb")["words"]}
    assert TAKEN[4:] in {
        word["text"] for word in life.ask("/v1/suggest", prefix=f"We ask {TAKEN[:4]}")["words"]
    }


def found_behind(life, prefix):
    return life.ask("/v1/suggest", prefix=prefix, context=MESSAGES, candidates=9)["words"]
