"""What the user decides about words: kept in the store, taken back, and reached by forgetting."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from publishing import KEY, entry

from idiolect.daemon.storage.records import BackupRow, NothingToUndoError
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store
from idiolect.daemon.storage.words import MAX_CHARS, UnknownWordError, WordRefusedError

PAST = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def words(store):
    return store.words


def held(words, *kinds):
    return [(rule.kind, rule.text) for rule in words.all(*kinds)]


def test_it_is_kept_as_it_was_given_and_known_in_any_case_and_with_any_spaces(words):
    rule = words.add("never", "  FYI ")
    assert (rule.kind, rule.text, rule.replacement, rule.source) == ("never", "FYI", None, "hand")
    assert abs(datetime.now(UTC) - rule.at) < timedelta(minutes=1)
    assert words.get("never", "fyi") == rule
    assert words.get("mine", "fyi") is None
    assert words.get("never", "FYIs") is None
    phrase = words.add("never", "don’t   worry")
    assert phrase.text == "don’t worry"
    assert words.get("never", "Don't\nworry") == phrase


def test_it_is_there_after_opening_again_and_the_text_is_nowhere_in_the_files(tmp_path):
    path = tmp_path / "store.db"
    with closing(Store.open(path, KEY)) as store:
        store.words.add("always_correct", "heronn", replacement="heronry")
        for file in tmp_path.iterdir():
            assert b"heron" not in file.read_bytes()
    with closing(Store.open(path, KEY)) as store:
        [rule] = store.words.all()
        assert (rule.text, rule.replacement) == ("heronn", "heronry")


def test_of_two_that_say_the_opposite_the_later_holds(words):
    words.add("never", "fyi")
    words.add("mine", "FYI")
    words.add("always_correct", "teh", replacement="the")
    words.add("never_correct", "teh")
    assert held(words) == [("mine", "FYI"), ("never_correct", "teh")]
    assert held(words, "never_correct") == [("never_correct", "teh")]


def test_saying_it_again_changes_nothing_and_another_spelling_takes_the_place(words):
    first = words.add("mine", "iPhone")
    assert words.add("mine", "iPhone") == first
    words.add("mine", "IPHONE")
    assert held(words) == [("mine", "IPHONE")]
    words.undo()
    assert words.all() == [first]
    words.undo()
    with pytest.raises(NothingToUndoError):
        words.undo()


def test_each_change_can_be_undone_one_after_another(words):
    words.add("never", "one")
    words.add("never", "two")
    words.add("mine", "one")
    words.remove("two")
    assert held(words) == [("mine", "one")]
    assert [[rule.text for rule in side] for side in words.undo()] == [[], ["two"]]
    gone, back = words.undo()
    assert ([rule.kind for rule in gone], [rule.kind for rule in back]) == (["mine"], ["never"])
    assert held(words) == [("never", "one"), ("never", "two")]
    words.undo()
    assert held(words) == [("never", "one")]
    words.undo()
    assert words.all() == []
    with pytest.raises(NothingToUndoError):
        words.undo()


def test_removing_takes_all_kinds_or_those_that_are_named(words):
    words.add("mine", "idk")
    words.add("never_correct", "idk")
    assert [rule.kind for rule in words.remove("IDK", "never_correct")] == ["never_correct"]
    assert held(words) == [("mine", "idk")]
    words.remove("idk")
    with pytest.raises(UnknownWordError):
        words.remove("idk")


def test_what_is_learned_never_changes_what_was_decided_by_hand(words):
    by_hand = words.add("always_correct", "omw", replacement="on my way")
    assert words.add("never_correct", "omw", source="learned") == by_hand
    assert words.all() == [by_hand]


def test_a_correction_that_is_taken_back_is_never_made_again(words):
    assert words.correction_taken_back("Thier")
    assert words.correction_taken_back("thier")
    assert held(words) == [("never_correct", "thier")]


def test_what_is_always_corrected_stays_so_though_it_is_taken_back(words):
    words.add("always_correct", "omw", replacement="on my way")
    assert not words.correction_taken_back("omw")
    assert held(words) == [("always_correct", "omw")]


def test_what_is_learned_is_not_what_undo_takes_back(words):
    words.add("never", "fyi")
    learned = words.add("never_correct", "lol", source="learned")
    words.undo()
    assert words.all() == [learned]
    with pytest.raises(NothingToUndoError):
        words.undo()
    words.add("always_correct", "lol", replacement="haha", source="learned")
    assert held(words) == [("always_correct", "lol")]
    words.add("never_correct", "lol")
    words.undo()
    assert held(words) == [("always_correct", "lol")]


def test_undo_gives_way_to_nothing_that_was_learned_since(words):
    words.add("never_correct", "teh")
    words.remove("teh")
    words.add("always_correct", "teh", replacement="the", source="learned")
    words.undo()
    assert held(words) == [("never_correct", "teh")]


@pytest.mark.parametrize("text", ["", "  ", "...", "a\0b", "x" * (MAX_CHARS + 1), "\u200b"])
def test_what_is_no_word_is_refused_and_not_told(words, text):
    with pytest.raises(WordRefusedError) as refused:
        words.add("never", text)
    assert not text.strip() or text not in str(refused.value) or text == "..."
    assert words.all() == []


@pytest.mark.parametrize(
    ("kind", "replacement"),
    [("never", "x"), ("mine", "x"), ("always_correct", None), ("always_correct", "teh")],
)
def test_a_replacement_belongs_to_what_is_always_corrected(words, kind, replacement):
    with pytest.raises(WordRefusedError):
        words.add(kind, "teh", replacement=replacement)


def test_forgetting_a_text_takes_the_rules_that_hold_it_and_the_file_is_rewritten(store):
    store.words.add("never", "Zorvelin")
    store.words.add("mine", "the Zorvelin dock")
    store.words.add("always_correct", "zv", replacement="Zorvelin")
    store.words.add("never", "gone Zorvelin")
    store.words.remove("gone Zorvelin")
    kept = store.words.add("mine", "heron")
    selector = Selector(text="zorvelin")
    assert store.forget(selector, dry_run=True).words == 4
    assert len(store.words.all()) == 4
    receipt = store.forget(selector)
    assert (receipt.entries, receipt.words) == (0, 4)
    assert store.words.kept() == [kept]
    assert store.state.get("scrub") is None


def test_a_phrase_is_forgotten_as_whole_words(store):
    store.words.add("never", "theatre")
    store.words.add("never", "the dock")
    assert store.forget(Selector(phrase="the")).words == 1
    assert [rule.text for rule in store.words.all()] == ["theatre"]


def test_forgetting_a_time_takes_what_was_learned_then_and_nothing_by_hand(store):
    by_hand = store.words.add("never", "fyi")
    store.words.add("never_correct", "lol", source="learned")
    assert store.forget(Selector(until=PAST)).words == 0
    assert store.forget(Selector(since=PAST)).words == 1
    assert store.words.all() == [by_hand]


def test_forgetting_entries_takes_the_rules_whose_words_stand_in_no_other_entry(store):
    for text, source in (
        ("We met FYI at the Zorvelin dock.", "chat"),
        ("The heron, fyi.", "mail"),
        ("Only heronry!!", "chat"),
    ):
        store.entries.add([entry(text, source=source)])
    kept = [store.words.add("never", "fyi"), store.words.add("mine", "elsewhere")]
    store.words.add("mine", "zorvelin dock")
    store.words.add("always_correct", "zv", replacement="Zorvelin")
    store.words.add("never", "met")
    store.words.remove("met")
    kept += [store.words.add("mine", "heron"), store.words.add("never", "‼")]  # which is compared as "!!"
    assert store.forget(Selector(source="chat"), dry_run=True).words == 3
    assert store.forget(Selector(source="chat")).words == 3
    assert store.words.kept() == kept


@pytest.mark.parametrize(
    ("selector", "kept"),
    [
        (Selector(text="THIER"), False),
        (Selector(since=PAST), False),
        (Selector(text="other"), True),
        (Selector(until=PAST), True),
    ],
)
def test_forgetting_reaches_what_was_taken_back(store, selector, kept):
    store.words.correction_taken_back("thier")
    assert store.forget(selector).words == (not kept)
    assert bool(store.words.all()) is kept


def test_a_backup_made_since_holds_the_word(store):
    store.backups.note(BackupRow("/old", PAST, 0))
    store.words.add("never", "fyi")
    store.backups.note(BackupRow("/new", datetime.now(UTC), 0))
    assert store.forget(Selector(text="fyi"), dry_run=True).backups == ("/new",)
