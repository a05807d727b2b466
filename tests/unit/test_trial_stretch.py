"""What is counted of a stretch of writing."""

from idiolect.daemon.session.trial_stretch import WritingStretch


def counted(keys):
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
    assert counted(keys) == {"characters": 5, "seconds": 1.0, "keys": 7}
    assert counted([("Backspace", 5)] * 3) == {"characters": 0, "seconds": 0.0, "keys": 3}


def test_one_in_four_goes_without_suggestions():
    assert 0.2 < sum(WritingStretch().without for _ in range(4000)) / 4000 < 0.3
