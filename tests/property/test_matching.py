"""What a search finds is what a reader would find, by a rule told again in plain Python, character by character."""

import hashlib
import tempfile
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idiolect.daemon.storage.matching import Pattern, Phrases, folded
from idiolect.daemon.storage.records import NewEntry
from idiolect.daemon.storage.selectors import EmptySelectorError, Selector, UnseenCharactersError
from idiolect.daemon.storage.store import Store

KEY = "5a" * 32
UNSEEN = "\xad\u200b\u200c\u200d\u2060\ufeff\ufe0f\u034f"
LOOSE = "*'`~|"  # no mark by themselves, but part of what stands around one
MEANT = "'#%&*@\\"  # punctuation that means something
WORDS = (
    "heron Heron HERON ｈｅｒｏｎ he\xadron ron quill é e\u0301 Straße STRASSE ﬁn fin a b e-mail 日本 👍"
    " 4821 c++ C# don't don’t - – / … ... ( ) * ' ’ _ & \xad \u200b \ufe0f \u0307 \u064e"
    " İstanbul istanbul ISTANBUL ısı كَتَبَ كتب كـتـب שָׁלוֹם שלום أب"
)
PIECES = [*WORDS.split(), " ", "  ", "\n", "\xa0", "\u3000", "\t", ", ", "the mail"]
TEXTS = st.lists(st.sampled_from([*PIECES, "\0", "\x1b"]), max_size=8).map("".join)
PATTERNS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)


def visible(text):
    spaced = (" " if unicodedata.category(char) == "Cc" else char for char in text)
    return "".join(char for char in spaced if char not in UNSEEN)


SIGNS = "\u064e\u05b8\u05c1\u05b9"  # of the pieces


def bare(text):
    """Without what people leave out when they type: vowel signs, and the dot of a Turkish i."""
    out = []
    for char in unicodedata.normalize("NFD", text.replace("ı", "i")):
        marks = "".join(out)
        last = next((one for one in reversed(marks) if not unicodedata.combining(one)), "")
        if char not in f"{SIGNS}ـ" and not (char == "\u0307" and last == "i"):
            out.append(char)
    return "".join(out)


def plain(text):
    """As a reader reads it: NFKC, without what is unseen and without letter case, one space for any white space.

    A control character is read as white space.
    """
    text = visible(text)
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    text = unicodedata.normalize("NFKC", bare(text))
    out = []
    for char in text.strip():
        char = " " if char.isspace() else "'" if char in "’‘" else char
        if char != " " or out[-1:] != [" "]:
            out.append(char)
    return "".join(out)


def is_mark(char):
    return char == " " or (unicodedata.category(char)[0] == "P" and char not in MEANT)


def pieces(text):
    """Runs of a text in turn: (True, what stands between words) and (False, a word)."""
    found = []
    at = 0
    while at < len(text):
        end = at
        while end < len(text) and (is_mark(text[end]) or text[end] in LOOSE):
            end += 1
        if end > at and any(map(is_mark, text[at:end])):
            found.append((True, text[at:end]))
            at = end
            continue
        end = max(end, at + 1)
        while end < len(text) and not is_mark(text[end]) and text[end] not in LOOSE:
            end += 1
        if found and not found[-1][0]:
            found[-1] = (False, found[-1][1] + text[at:end])
        else:
            found.append((False, text[at:end]))
        at = end
    return found


def letter(char):
    return unicodedata.category(char)[0] in "LN"


def whole_at(text, start, end):
    """Whether no word goes on before `start` or after `end`."""
    before, after = text[:start], text[end:]
    if letter_or(text[start : start + 1]) and (
        (before and letter(before[-1])) or (before[-1:] == "'" and before[:-1] and letter(before[-2]))
    ):
        return False
    return not (
        letter_or(text[end - 1 : end])
        and ((after and letter(after[0])) or (after[:1] == "'" and after[1:] and letter(after[1])))
    )


def letter_or(char):
    return char.isalnum()


def contains(text, pattern, *, whole):
    """The rule, told again: try each place of the text."""
    seen = visible(pattern)
    text, core = plain(text), plain(pattern)
    if not whole:
        for start in range(len(text) - len(core) + 1):
            end = start + len(core)
            if text[start:end] != core:
                continue
            begins = not seen[0].isspace() or start == 0 or is_mark(text[start - 1])
            ends = not seen[-1].isspace() or end == len(text) or is_mark(text[end])
            if begins and ends:
                return True
    runs = pieces(core)
    if whole:
        runs = runs[runs[0][0] :]
        runs = runs[: len(runs) - runs[-1][0]]
    if sum(not between for between, _ in runs) < (1 if whole else 2):
        return False
    return any(follows(text, start, start, runs) for start in range(len(text)))


def follows(text, start, at, runs, first=True):
    """Whether these runs stand in the text from `at` on: words as they are, between them any marks."""
    if not runs:
        return whole_at(text, start, at)
    between, run = runs[0]
    if not between or first or len(runs) == 1:  # at the edges punctuation is as it is given
        return text.startswith(run, at) and follows(text, start, at + len(run), runs[1:], False)
    end = at
    while end < len(text) and (is_mark(text[end]) or text[end] in LOOSE):
        end += 1
        if any(map(is_mark, text[at:end])) and follows(text, start, end, runs[1:], False):
            return True
    return False


@settings(max_examples=400, deadline=None)
@given(text=TEXTS, given=PATTERNS, whole=st.booleans())
def test_a_pattern_is_found_where_a_reader_finds_it(text, given, whole):
    try:
        pattern = Pattern(given, whole=whole)
    except ValueError:
        assert all(between for between, _ in pieces(plain(given)))
        return
    assert pattern.found(text) == contains(text, given, whole=whole)


@settings(max_examples=200, deadline=None)
@given(text=TEXTS, given=st.lists(PATTERNS | st.text(max_size=6), max_size=5))
def test_several_phrases_are_found_where_a_reader_finds_one_of_them(text, given):
    try:
        phrases = Phrases(given)
    except ValueError:
        assert any(all(between for between, _ in pieces(plain(one))) for one in given)
        return
    assert phrases.found(text) == any(contains(text, one, whole=True) for one in given)


def test_of_many_phrases_only_those_are_tried_of_which_a_word_stands_in_the_text(monkeypatch):
    tried = []
    found = Pattern.found_in_folded
    monkeypatch.setattr(Pattern, "found_in_folded", lambda one, text: tried.append(text) or found(one, text))
    phrases = Phrases([f"the quill {number}rd heron{number}" for number in range(1000)])
    assert phrases.found("so the quill - 7rd heron7 came")
    assert not phrases.found("the quill and the heron of 8rd heron9x")
    assert len(tried) == 1


@given(text=st.text())
def test_folding_is_as_a_reader_reads_and_stable(text):
    assert folded(folded(text)) == folded(text)
    assert folded(text.upper().lower()) == folded(text.lower())
    assert folded(unicodedata.normalize("NFD", text)) == folded(unicodedata.normalize("NFC", text))


@pytest.fixture(scope="module")
def store():
    with tempfile.TemporaryDirectory(prefix="idiolect-test-") as folder:
        opened = Store.open(Path(folder) / "store.db", KEY)
        at = datetime(2024, 3, 1, tzinfo=UTC)
        texts = [f"{one}{sign}{two}" for one in PIECES for sign in (" ", "-", "\0") for two in PIECES[::5]]
        opened.entries.add(
            [
                NewEntry(text, "chat", None, at, b"\1\0\0\0", 0, hashlib.sha256(text.encode()).hexdigest())
                for text in texts
            ]
        )
        yield opened
        opened.close()


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["text", "phrase", "phrases"]),
    given=PATTERNS | st.text(max_size=6),
    nul=st.booleans(),
)
def test_no_selection_takes_an_entry_without_the_text(store, name, given, nul):
    given = f"\0{given}" if nul else given
    try:
        selector = Selector(**{name: ("unheard", given) if name == "phrases" else given})
    except (EmptySelectorError, UnseenCharactersError):
        return
    assert not nul
    taken = [entry.text for entry in store.entries.select(selector=selector)]
    assert taken == [
        entry.text for entry in store.entries.select() if contains(entry.text, given, whole=name != "text")
    ]


LETTERS = st.text(st.sampled_from("ابتثجحخدذرزسشصضطظعغفقكلمنهوي"), min_size=1, max_size=12)
HEBREW = st.text(st.sampled_from("אבגדהוזחטיכלמנסעפצקרשת"), min_size=1, max_size=12)
VOWELS = st.lists(st.sampled_from(["", "َ", "ُ", "ِ", "ّ", "ْ", "ً", "ـ", "ّٰ"]), min_size=12, max_size=12)
POINTS = st.lists(st.sampled_from(["", "ָ", "ַ", "ֶ", "ּ", "ֹ", "ְׁ"]), min_size=12, max_size=12)
TURKISH = st.text(st.sampled_from("aıibşçğüö "), min_size=1, max_size=12).filter(str.strip)


@given(st.one_of(st.tuples(LETTERS, VOWELS), st.tuples(HEBREW, POINTS)))
def test_bare_letters_find_vocalised_ones_and_the_other_way_round(given):
    bare, signs = given
    vocalised = "".join(letter + sign for letter, sign in zip(bare, signs, strict=False))
    assert folded(vocalised) == folded(bare)
    assert Pattern(bare).found(f"x {vocalised} x")
    assert Pattern(vocalised, whole=True).found(f"x {bare} x")


@given(TURKISH)
def test_turkish_is_found_in_any_letter_case(text):
    capitals = text.replace("i", "İ").replace("ı", "I").upper()
    for one in (capitals, capitals.lower(), text, unicodedata.normalize("NFD", capitals)):
        assert Pattern(text).found(one)
        assert Pattern(one).found(text)


def test_a_letter_that_is_another_one_is_not_found():
    for sought, text in (("اب", "أب"), ("e", "é"), ("ш", "щ"), ("и", "й"), ("ク", "グ"), ("s", "ş")):
        assert not Pattern(sought).found(text), text
