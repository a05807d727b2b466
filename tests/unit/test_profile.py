"""The four verbs of a profile: each is one transaction, then one event."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from publishing import entry
from waiting import DEADLINE_S

from idiolect.daemon.profile.app_policy import AppPolicy
from idiolect.daemon.profile.app_rules import RemoveAppRules, SetAppRule, put_app_rules, read_app_rules
from idiolect.daemon.profile.decisions import Decision
from idiolect.daemon.profile.events import Decided, Forgotten, Learned, Published
from idiolect.daemon.profile.pause import PausedError, PauseLearning
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.profile.switches import SetSwitches, Switches, read_switches
from idiolect.daemon.profile.words.word_rules import AddWord
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage import encrypted_file, matching
from idiolect.daemon.storage.errors import StoreFullError
from idiolect.daemon.storage.records import OtherCountError
from idiolect.daemon.storage.selectors import Selector


@pytest.fixture
def profile(store):
    return Profile(store)


@pytest.fixture
def events(profile):
    heard = []
    for kind in (Learned, Forgotten, Decided, Published):
        profile.events.subscribe(kind, heard.append)
    return heard


def test_what_is_learned_is_stored_before_it_is_told(profile, events):
    profile.events.subscribe(Learned, lambda _: events.append(profile.store.entries.counts().entries))
    [id_] = profile.learn([entry("We met at noon.")])
    assert events == [Learned([(id_, [1, 1, 1])]), 1]
    assert profile.learn([entry("We met at noon.")]) == [None]
    assert len(events) == 2, "nothing new, so nothing is told"


def test_nothing_is_learned_in_a_pause(profile, events):
    profile.decide(PauseLearning())
    with pytest.raises(PausedError):
        profile.learn([entry("We met at noon.")])
    assert events == [Decided(PauseLearning())]
    assert profile.store.entries.counts().entries == 0


def test_forgetting_is_told_once_it_is_done(profile, events):
    profile.learn([entry("The zircon gate."), entry("Another.", minute=1)])
    events.clear()
    assert profile.forget(Selector(text="zircon"), dry_run=True).entries == 1
    with pytest.raises(OtherCountError):
        profile.forget(Selector(text="zircon"), expect=2)
    assert events == []
    receipt = profile.forget(Selector(text="zircon"))
    assert events == [Forgotten(receipt)]
    assert (receipt.entries, receipt.total) == (1, 2)
    assert profile.forget(Selector(text="zircon")).entries == 0
    assert events == [Forgotten(receipt)], "nothing was there, so nothing is told"


def test_each_text_is_compared_with_a_selector_once(profile, monkeypatch):
    compared = []

    def pattern(*given):
        compared.append(given)
        return matching.pattern(*given)

    monkeypatch.setattr(encrypted_file, "pattern", pattern)
    profile.learn([entry(f"The zircon gate {number}.", minute=number) for number in range(3)])
    selector = Selector(text="zircon")
    assert profile.forget(selector, dry_run=True).entries == 3
    assert len(compared) == 3
    profile.forget(Selector(ids=(1,)))
    profile.learn([entry("Another zircon gate.", minute=4), entry("A garden.", minute=5)])
    assert profile.forget(selector, expect=3).entries == 3
    assert len(compared) == 5
    assert [kept.text for kept in profile.store.entries.select()] == ["A garden."]


def test_forgetting_is_told_where_the_file_could_not_be_rewritten(profile, events, monkeypatch):
    profile.learn([entry("The zircon gate.")])

    def fail(*_given, **_named):
        raise StoreFullError("The disk is full.")

    monkeypatch.setattr(profile.store, "forget", fail)
    with pytest.raises(StoreFullError):
        profile.forget(Selector(text="zircon"))
    assert events[-1] == Forgotten()


def test_a_subscriber_that_fails_keeps_nothing_from_the_others(profile, events):
    def fail(_event):
        raise ValueError("a mistake")

    later = []
    profile.events.subscribe(Decided, fail)
    profile.events.subscribe(Decided, later.append)
    with pytest.raises(ValueError, match="a mistake"):
        profile.decide(AddWord("never", "moist"))
    assert events == later == [Decided(AddWord("never", "moist"))]
    assert [rule.text for rule in profile.store.words.all()] == ["moist"]


def at_once(*changes):
    """Make changes at the same time, each in a thread of its own; the first error of one is raised."""
    begun = threading.Barrier(len(changes))

    def make(change):
        begun.wait(DEADLINE_S)
        change()

    with ThreadPoolExecutor(len(changes)) as threads:
        for done in [threads.submit(make, change) for change in changes]:
            done.result(DEADLINE_S)


def test_of_rules_that_are_given_at_once_none_is_lost(profile, tmp_path):
    policy = AppPolicy(profile, Settings(home=tmp_path))
    profile.decide(SetAppRule("gone", "quiet"))
    given = {f"app-{number}" for number in range(24)}
    at_once(
        lambda: profile.decide(RemoveAppRules("gone")),
        *(lambda app=app: profile.decide(SetAppRule(app, "quiet")) for app in given),
    )
    assert {app for app, _ in read_app_rules(profile.store)} == given
    assert {row.app for row in policy.rules() if row.source == "you"} == given


def test_of_switches_that_are_set_at_once_none_is_lost(profile):
    changed = {"corrections": "off", "show": "more", "speed": 30, "languages": ["de"]}
    for _ in range(10):
        profile.store.state.drop("switches")
        at_once(*(partial(profile.decide, SetSwitches({name: value})) for name, value in changed.items()))
        assert read_switches(profile.store) == Switches("off", "more", ("de",), 30)


def test_a_decision_that_fails_changes_nothing(profile, events, tmp_path):
    policy = AppPolicy(profile, Settings(home=tmp_path))
    profile.decide(PauseLearning())
    begun, events[:] = profile.pause.spans(), []

    class Both(Decision[None], about="pause"):
        def apply(self, profile):
            profile.pause.end()
            put_app_rules(profile.store, [["editor", "exclude"]])
            raise StoreFullError("full")

    with pytest.raises(StoreFullError):
        profile.decide(Both())
    assert events == []
    assert profile.pause.active
    assert profile.pause.begun
    assert profile.pause.spans() == begun
    assert read_app_rules(profile.store) == [row for row in policy.rules() if row.source == "you"] == []
