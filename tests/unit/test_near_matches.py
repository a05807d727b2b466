"""What other entries hold that is nearly a text."""

from datetime import UTC, datetime

import pytest

from idiolect.daemon.profile.near_matches import NearMatch, find
from idiolect.daemon.storage.matching import Pattern
from idiolect.daemon.storage.records import Entry
from idiolect.daemon.storage.selectors import MAX_CHARS

AT = datetime(2024, 3, 1, tzinfo=UTC)
GENERAL = {"the", "project", "protect", "quill", "feather", "november", "and", "its", "horse"}


def entries(*texts):
    return [Entry(number, text, "chat", None, AT, 3) for number, text in enumerate(texts, 1)]


def near(given, *texts, taken=()):
    held = entries(*texts)
    found = find([given], held, taken, GENERAL.__contains__)
    assert found.complete
    for form in found.near:  # each is a phrase that finds as many entries as it says
        assert sum(Pattern(form.text, whole=True).found(entry.text) for entry in held) >= form.entries
    return {form.text: form.entries for form in found.near}


@pytest.mark.parametrize(
    ("given", "text", "form"),
    [
        ("quillfeather brandywhistle", "a Quillfeatherbrandywhistle!", "quillfeatherbrandywhistle"),
        ("quillfeather brandywhistle", "Brandywhistle, Quillfeather", "brandywhistle quillfeather"),
        ("quillfeather brandywhistle", "quillfeather and brandywhistle", "quillfeather and brandywhistle"),
        ("quillfeather brandywhistle", "quilfeather brandywhistel", "quilfeather brandywhistel"),
        ("quillfeather brandywhistle", "quill-feather brandywhistle", "quill feather brandywhistle"),
        ("quillfeather brandywhistle", "Quillfeather's brandywhistling", "quillfeather's brandywhistling"),
        ("quillfeather brandywhistle", "quillfeathrebrandywhistle", "quillfeathrebrandywhistle"),
        ("quillfeather", "quill feather", "quill feather"),
        ("quillfeather", "the quillfeathers", "quillfeathers"),
        ("quillfeather", "of quillfaether", "quillfaether"),
        ("brandywhistles", "one brandywhistle", "brandywhistle"),
        ("zorvelin", "Zorvelín", "zorvelín"),
        ("zorvelin", "Zorevlin", "zorevlin"),
        ("zorvelin", "Zovrelin", "zovrelin"),
        ("zorvel", "Zorwel", "zorwel"),
        ("ada", "Ada's", "ada's"),
        ("project", "the projects", "projects"),
        ("project", "a subproject", "subproject"),
        ("we met at the old mill by noon", "at noon we met by the old mill", "at noon we met by the old"),
    ],
)
def test_what_is_nearly_the_same_is_found(given, text, form):
    assert form in near(given, "Nothing of it.", text)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("project", "protect it"),  # general English has that word
        ("house", "mouse"),
        ("zorvelin", "zorvalan"),
        ("zorvel", "zorevl"),
        ("quillfeather brandywhistle", "quillfeather alone"),
        ("quillfeather brandywhistle", "quillfeather and then at long last brandywhistle"),
        ("ada", "adapt"),
        ("...", "..."),
        ("cat", "concatenate"),
    ],
)
def test_what_is_something_else_is_not(given, text):
    assert near(given, text) == {}


def test_entries_are_counted_and_those_that_go_are_not():
    texts = ["quillfeathers", "Quillfeathers, quillfeathers", "quillfethers", "the quillfeather"]
    assert near("quillfeather", *texts, taken={4}) == {"quillfeathers": 2, "quillfethers": 1}
    found = find(["quillfeather"], entries(*texts), {4}, GENERAL.__contains__)
    assert found.near[0] == NearMatch("quillfeathers", 2)
    assert find(["..."], entries(*texts), (), GENERAL.__contains__).near == ()


def test_what_is_too_long_to_be_selected_by_is_left_out():
    word = "z" * (MAX_CHARS - 2)
    assert near(word, f"{word}en", f"{word}ing") == {f"{word}en": 1}


def test_the_looking_ends_in_time():
    found = find(["quillfeather"], entries(*["quillfeathers"] * 2000), (), GENERAL.__contains__, longest_s=0)
    assert not found.complete
