"""What the service does with feedback, with the tiny model in the place of the real one."""

import contextlib
import threading
import time
from concurrent.futures import Future
from dataclasses import asdict
from datetime import date
from functools import partial

import pytest
from publishing import publish
from serving import learn_by_heart, suggest
from waiting import DEADLINE_S, until

from idiolect.adapters.generation.requests import Piece, Prompt, SamplingParams
from idiolect.adapters.memory.steps import in_one_step
from idiolect.adapters.prediction.look_value import USUAL_KEY_MS
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.question import Question
from idiolect.daemon.profile.app_policy import InputContext
from idiolect.daemon.profile.app_rules import SetAppRule
from idiolect.daemon.profile.events import Published
from idiolect.daemon.profile.pause import PauseLearning, ResumeLearning
from idiolect.daemon.profile.switches import SetSwitches
from idiolect.daemon.profile.words.own_words import find_general
from idiolect.daemon.profile.words.word_rules import AddWord, UndoWord
from idiolect.daemon.service import Service
from idiolect.daemon.serving.model_queue import Priority
from idiolect.daemon.serving.user_stats import UserStats
from idiolect.daemon.storage.records import Feedback, FeedbackReceipt, Savings
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.words import WordRefusedError
from idiolect.models.errors import DamagedModelError

TAKEN = Feedback("word", "accepted", 0.75, characters=6)
LEFT = Feedback("ghost", "dismissed", 0.25)
NOTHING = Savings(0, 0, 0, 0, 0, 0)


@pytest.fixture
def service(tiny_profile, tmp_path):
    service = Service(tiny_profile(tmp_path / "home"))
    yield service
    service.close()


@pytest.fixture
def on(monkeypatch):
    """`on(day)`: from now on it is that day of January."""

    def on(day):
        monkeypatch.setattr("idiolect.daemon.serving.user_stats.today", lambda: date(2026, 1, day))

    on(1)
    return on


def test_feedback_is_counted_by_day(service, on):
    assert service.suggestions.add_feedback(TAKEN, InputContext()) == FeedbackReceipt(True, None)
    on(7)
    assert service.suggestions.add_feedback(LEFT, InputContext("editor")) == FeedbackReceipt(True, None)
    taken, left = Savings(1, 0, 6, 1, 1, saved=5), Savings(0, 1, 0, 0, 0, saved=0)
    both = Savings(1, 1, 6, 1, 1, saved=5)
    assert service.suggestions.report(1).savings == service.suggestions.report(6).savings == left
    assert service.suggestions.report(7).savings == both
    assert service.suggestions.report(7).by_day == {
        (date(2026, 1, 1), "word"): taken,
        (date(2026, 1, 7), "ghost"): left,
    }
    assert service.status()["savings"] == {**asdict(both), "today": asdict(left)}


@pytest.fixture
def adapter(service, tiny, make_lora):
    """An adapter that serves."""
    made = publish(
        service.store, blob=make_lora(tiny.config).to_bytes(), metrics={"base_sha256": tiny.source_sha256}
    )
    service.model.use(made)
    return made


def written(service):
    """The texts under way, as its predictor has read them."""
    return [
        service.model.loaded.tokenizer.decode(ids)
        for ids in service.model.served.predictor.next_token.active_texts()
    ]


def test_a_switch_reads_what_is_being_written_and_forgetting_does_not(service, adapter, monkeypatch):
    monkeypatch.setattr("idiolect.adapters.prediction.next_token.ACTIVE_S", float("inf"))
    secret = "The zircon gate opens at dawn for whoever brings the seventh key."
    service.ingest.add_text(secret, source="test")
    suggest(service, secret[:40])
    for switch in (
        lambda: service.model.use(None),
        lambda: service.profile.events.publish(Published(serves=True)),
    ):
        former = service.model.served.predictor
        switch()
        assert service.model.served.predictor is not former
        assert any(secret[:30] in text for text in written(service))
    service.profile.forget(Selector(text="zircon"))
    assert written(service) == []


def test_recent_text_waits_for_a_pause_and_is_read_in_it(service, monkeypatch):
    monkeypatch.setattr("idiolect.daemon.serving.passes_ahead.ACTIVE_S", 0.01)
    monkeypatch.setattr("idiolect.adapters.prediction.next_token.ACTIVE_S", float("inf"))
    model = service.model.served.predictor.next_token
    suggest(service, "The zircon gate opens at dawn for whoever brings the key.")
    service.ingest.add_text("The ferry leaves the harbour at noon, as it does each day.", source="test")
    until(lambda: model.keeps_recent())
    monkeypatch.setattr("idiolect.adapters.prediction.next_token.ACTIVE_S", 0.0)
    recent = service.model.served.user_model.recent.tokens
    until(lambda: model.session.tokens[: len(recent)] == recent)


def test_feedback_is_counted_for_what_served(service, on, adapter):
    service.model.use(None)
    service.suggestions.add_feedback(TAKEN, InputContext())
    service.model.use(adapter)
    service.suggestions.add_feedback(LEFT, InputContext())
    assert {
        served: counts.accepted for served, counts in service.suggestions.report(1).by_adapter.items()
    } == {
        None: 1,
        adapter: 0,
    }


def test_a_correction_is_stored_only_where_it_is_taken_back(service):
    def judge(taken_back):
        return service.suggestions.add_verdict("thier", taken_back, InputContext())

    def kept():
        return service.store.forget(Selector(text="thier"), dry_run=True).words

    assert (judge(False), kept()) == (FeedbackReceipt(False, "not kept"), 0)
    assert (judge(True), kept()) == (FeedbackReceipt(True, None, never_corrected=True), 1)


def test_off_the_record_nothing_is_counted(service, on):
    service.profile.decide(PauseLearning())
    assert service.suggestions.add_feedback(TAKEN, InputContext()) == FeedbackReceipt(False, "paused")
    service.profile.decide(ResumeLearning())
    assert service.suggestions.add_feedback(TAKEN, InputContext("KeePassXC")) == FeedbackReceipt(
        False, "excluded app"
    )
    assert service.suggestions.report(30).savings == NOTHING
    assert service.suggestions.add_feedback(TAKEN, InputContext("editor")).stored


def test_a_prefix_from_a_terminal_is_not_remembered(service, monkeypatch):
    remembered = []
    predict = service.model.served.predictor.suggest
    monkeypatch.setattr(
        service.model.served.predictor,
        "suggest",
        lambda question: remembered.append(question.remember) or predict(question),
    )
    suggest(service, "Kind regards ")
    suggest(service, "Kind regards ", place=InputContext("org.gnome.Terminal"))
    service.profile.decide(PauseLearning())
    suggest(service, "Kind regards ")
    assert remembered == [True, False, False]
    assert service.ingest.app_policy.suggesting(InputContext("KeePassXC")) == "excluded app"
    assert service.suggestions.add_feedback(TAKEN, InputContext("org.gnome.Terminal")).reason == "paused"


@pytest.mark.parametrize(("app", "forgotten"), [("org.gnome.Terminal", True), ("editor", False)])
def test_what_was_typed_off_the_record_is_forgotten_in_a_while(
    tiny_profile, tmp_path, monkeypatch, app, forgotten
):
    monkeypatch.setattr("idiolect.daemon.serving.live_model._OFF_RECORD_KEPT_S", 0.0)
    forgets = threading.Event()
    monkeypatch.setattr(Predictor, "forget_texts", lambda _predictor: forgets.set())
    service = Service(tiny_profile(tmp_path / "home"))
    try:
        suggest(service, "Kind regards ", place=InputContext(app))
        service.model.queue.run(
            Priority.REST, in_one_step(int)
        )  # work of the least priority: all else was done before
        assert forgets.is_set() is forgotten
    finally:
        service.close()


def test_a_secret_is_not_suggested_even_where_it_is_known(service):
    # As if redaction had let it through: the fast memory knows it by heart.
    secret = "AKIA" + "IOSFODNN7EXAMPLE"
    text = f"the key is {secret} and no other"
    learn_by_heart(service, text)
    unguarded = service.model.queue.run(
        Priority.TYPING,
        in_one_step(lambda: service.model.served.predictor.suggest(Question(f"the key is {secret[:6]}"))),
    )
    assert secret[6:] in {word.text for word in unguarded.words}
    found = suggest(service, f"the key is {secret[:6]}")
    assert secret[6:] not in {word.text for word in found.words}
    assert secret[6:] not in found.ghost.text


def test_what_became_of_ghosts_is_kept(service):
    for _ in range(60):
        suggest(service, "Kind regards from all of us at the ")
        suggest(service, "Kind regards from all of us at the harbour ")
        service.ingest.add_text("Kind regards from all of us at the harbour office.", source="test")
    assert UserStats(service.store).word_calibration.events >= 100


def test_the_profile_learns_how_fast_its_user_types_and_judges_ghosts_by_it(service):
    """Where a program does not tell: what is worth a look to a slow typist is not to a fast one."""
    stats, prefix = service.model.stats, "Kind regards from all of us at the "
    service.ingest.add_text("Kind regards from all of us at the harbour office.", source="test")

    def shown_at(words_a_minute):
        service.profile.decide(SetSwitches({"speed": words_a_minute}))
        return suggest(service, prefix).ghost.show

    assert shown_at(2)
    assert not shown_at(300)
    assert shown_at(0) == suggest(service, prefix, key_ms=USUAL_KEY_MS).ghost.show
    for _ in range(200):
        suggest(service, "We ", key_ms=40.0, letter_ms=9_000.0)
    assert stats.key_ms == pytest.approx(9_000.0, rel=0.05), "what it is judged for once is not learned"
    assert suggest(service, prefix).ghost.show
    before = stats.letter_times.to_json()
    service.ingest.pause.begin()
    suggest(service, "We ", letter_ms=9_000.0)
    assert stats.letter_times.to_json() == before, "nothing is learned off the record"


def test_texts_that_are_sent_one_after_another_are_known_to_the_next_question(service):
    for number in range(40):
        service.ingest.add_text(
            f"We met at zorb{'abcdefghij'[number // 10]}{'abcdefghij'[number % 10]}.", source="mail"
        )
    for end in "aa", "dj":
        found = suggest(service, f"We met at zorb{end[0]}", candidates=10)
        assert end[1] in {word.text for word in found.words}


def test_how_fast_its_user_types_is_told_once_it_was_measured_and_kept(service):
    assert service.status()["key_ms"] is None, "the usual time of a key is no measurement"
    for _ in range(200):
        suggest(service, "We ", letter_ms=120.0)
    service.model.stats.keep(service.model.stats.learned(service.model.served.predictor, least=0))
    kept = UserStats(service.store)
    assert round(kept.key_ms) == service.status()["key_ms"] == pytest.approx(120, rel=0.05)
    service.profile.decide(SetSwitches({"speed": 40}))
    assert service.status()["key_ms"] == 300


def test_slips_are_counted_as_pairs_of_letters_mended_by_and_forgotten_with_all_text(service):
    service.ingest.add_text("We sail on Monday.", source="mail")
    add, stats = service.suggestions.add_slip, service.model.stats
    for _ in range(60):
        assert add("he", "eh", InputContext())
    service.profile.decide(SetAppRule("bank", "exclude"))
    assert not add("he", "eh", InputContext("bank"))
    assert not add("he", "eh", InputContext(input_purpose="password"))
    service.profile.decide(PauseLearning())
    assert not add("he", "eh", InputContext())
    service.profile.decide(ResumeLearning())
    assert stats.read_hand().slips == [("he", "eh", 60)]
    assert UserStats(service.store).read_hand().slips == [("he", "eh", 60)], "they are kept"
    service.profile.forget(Selector(text="sail"))
    assert stats.read_hand().slips == UserStats(service.store).read_hand().slips == []
    assert add("he", "eh", InputContext())
    assert stats.read_hand().slips == [("he", "eh", 1)]
    service.store.words.add("never", "moist")
    assert service.profile.forget(Selector(text="moist")).words == 1
    assert stats.read_hand().slips == [("he", "eh", 1)], "no text went"


def test_typing_goes_before_the_rest_of_a_long_list_of_words_to_look_up(service):
    typed = threading.Event()
    typing = threading.Thread(
        target=service.model.queue.run, args=(Priority.TYPING, in_one_step(typed.set)), daemon=True
    )

    def words():
        yield "harbour"
        typing.start()
        end_s = time.monotonic() + DEADLINE_S
        while not typed.is_set():
            assert time.monotonic() < end_s, "it waits for the whole list"
            yield "zorb"

    assert service.model.read_known(partial(find_general, texts=words())) == {"harbour"}


def test_a_user_who_dismisses_ghosts_is_shown_fewer(service, on):
    assert service.model.served.predictor.ghosts.uptake == 1
    for _ in range(200):
        service.suggestions.add_feedback(Feedback("ghost", "dismissed", 0.65), InputContext())
    assert service.model.served.predictor.ghosts.uptake < 0.5


def test_a_keystroke_does_not_wait_for_the_store(service):
    suggest(service, "Kind regards ")
    held, answered = threading.Event(), threading.Event()

    def write():
        with service.store._connection._lock:
            held.set()
            answered.wait(DEADLINE_S)

    writer = threading.Thread(target=write)
    writer.start()
    assert held.wait(DEADLINE_S)
    typist = threading.Thread(target=lambda: (suggest(service, "Kind regards f"), answered.set()))
    typist.start()
    typist.join(DEADLINE_S)
    in_time = answered.is_set()
    answered.set()
    writer.join()
    typist.join()
    assert in_time


def words_at(service, prefix):
    return [word.text for word in suggest(service, prefix, candidates=3).words]


def test_a_word_of_the_users_own_is_offered_although_it_was_never_typed(service):
    service.ingest.add_text("The zorba zorilla zorgon zorro met. " * 3, source="chat")
    assert "uxelin" not in words_at(service, "The zorq")
    service.profile.decide(AddWord("mine", "Zorquxelin"))
    assert "uxelin" in words_at(service, "The Zorq")
    assert "quxelin" in words_at(service, "The zor")
    service.profile.decide(AddWord("mine", "zorba at noon"))
    assert "at" in words_at(service, "See the zorba ")


def test_forgetting_a_word_takes_what_was_decided_about_it(service):
    service.profile.decide(AddWord("mine", "Zorquxelin"))
    assert "uxelin" in words_at(service, "The Zorq")
    receipt = service.profile.forget(Selector(text="zorquxelin"))
    assert (receipt.entries, receipt.words) == (0, 1)
    assert "uxelin" not in words_at(service, "The Zorq")


def test_a_number_of_the_users_own_is_shown_and_a_secret_is_refused(service):
    service.ingest.add_text("The gate opens with 7714a today.", source="chat")
    assert "14a" not in words_at(service, "The gate opens with 77")
    service.profile.decide(AddWord("mine", "7714a"))
    assert "14a" in words_at(service, "The gate opens with 77")
    with pytest.raises(WordRefusedError):
        service.profile.decide(AddWord("mine", "4111 1111 1111 1111"))


def test_a_start_does_not_wait_until_the_latest_text_is_read(tiny_profile, tmp_path, monkeypatch):
    let_read, read = threading.Event(), threading.Event()

    def warm(_predictor, _former=None):
        assert let_read.wait(DEADLINE_S)
        read.set()

    monkeypatch.setattr(Predictor, "warm", warm)
    service = Service(tiny_profile(tmp_path / "home"))
    try:
        assert not read.is_set()
        let_read.set()
        assert suggest(service, "The ", ghost_words=0) is not None
        assert read.is_set()
    finally:
        let_read.set()
        service.close()


def test_a_trial_is_forgotten_with_all_text_and_with_no_part_of_it(service):
    for text in ("We sail at noon.", "We came back at night."):
        service.ingest.add_text(text, source="test")
    service.trial.start()
    service.profile.forget(Selector(text="noon"))
    assert service.trial.status().state == "running"
    service.profile.forget(Selector(source="test"), dry_run=True)
    assert service.trial.status().state == "running"
    service.profile.forget(Selector(source="test"))
    assert service.trial.status().state == "none"
    service.trial.start()
    service.profile.forget(Selector(text="noon"))  # where there is no text
    assert service.trial.status().state == "running"


def test_a_word_that_is_never_suggested_gives_way_to_the_next_and_undo_brings_it_back(service):
    service.ingest.add_text("The zorvelin zorba zorilla zorgon zorro met. " * 3, source="chat")
    first = words_at(service, "The zor")
    assert len(first) == 3
    service.profile.decide(AddWord("never", f"ZOR{first[0]}"))
    after = words_at(service, "The zor")
    assert len(after) == 3
    assert first[0] not in after
    service.profile.decide(UndoWord())
    assert words_at(service, "The zor") == first


def test_no_ghost_and_no_generated_text_holds_what_is_never_suggested(service):
    service.ingest.add_text("alpha bravo charlie delta. " * 20, source="chat")

    def written():
        parts = service.model.generations.generate(
            service.model.generations.choose("idiolect"),
            Prompt("alpha bravo"),
            SamplingParams(24, temperature=0),
        )
        text = "".join(part.text for part in parts if isinstance(part, Piece))
        ghosts = [f"{typed}{suggest(service, typed).ghost.text}" for typed in ("alpha bravo ", "delta. ")]
        return [f"alpha bravo{text}", *ghosts]

    assert all("bravo charlie" in text for text in written()[:2])
    service.profile.decide(AddWord("never", "bravo charlie"))
    assert not any("bravo charlie" in text for text in written())


def test_what_is_damaged_or_unknown_keeps_no_service_from_starting(tiny_profile, tmp_path):
    settings = tiny_profile(tmp_path / "home")
    with contextlib.closing(Service(settings)) as service:
        service.store.state.set("ghost_calibration", {"not": "counts"})
        service.store.state.set("letter_times", {"not": "a count"})
        service.store.state.set("switches", {"not": "a switch", "show": "less"})
    with contextlib.closing(Service(settings)) as service:
        stats = service.model.stats
        assert (stats.known_key_ms, stats.key_ms, stats.calibration.events) == (None, USUAL_KEY_MS, 0)
        assert service.model.served.switches.show == "less"


def fail(*_arguments, **_more):
    raise DamagedModelError("It cannot be read.")


@pytest.mark.parametrize("broken", ["service.Trainer", "storage.entries.Entries.token_ids", "graph"])
def test_a_start_that_fails_ends_what_it_began(tiny_profile, tmp_path, monkeypatch, broken):
    settings, loading = tiny_profile(tmp_path / "home"), Future()
    loading.set_exception(DamagedModelError("It cannot be read."))
    before = set(threading.enumerate())
    with monkeypatch.context() as patched:
        if broken != "graph":
            patched.setattr(f"idiolect.daemon.{broken}", fail)
        with pytest.raises(DamagedModelError):
            Service(settings, loading=loading if broken == "graph" else None)
    until(lambda: set(threading.enumerate()) <= before)
    Service(settings).close()
