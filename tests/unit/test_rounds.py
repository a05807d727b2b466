"""Rounds of a service with the tiny model: they step back, are cut off, and go on where they were."""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import forked
import httpx
import numpy as np
import psutil
import pytest
from publishing import execute, publish
from serving import suggest
from waiting import DEADLINE_S, until

from idiolect.adapters.training.lora import Lora
from idiolect.daemon.profile.pause import PauseLearning, ResumeLearning
from idiolect.daemon.profile.profile import Profile as LearningProfile
from idiolect.daemon.rounds import round_scheduler
from idiolect.daemon.rounds.round_runner import TRAINING, RoundFailedError, Trainer
from idiolect.daemon.rounds.round_scheduler import RoundScheduler
from idiolect.daemon.rounds.round_throttle import MachineSensors
from idiolect.daemon.rounds.round_tuning import RoundTuning
from idiolect.daemon.runtime.child_processes import ChildProcesses
from idiolect.daemon.service import Service
from idiolect.daemon.serving.user_stats import judged_mixture
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.records import ForgottenMeanwhileError, NewAdapter
from idiolect.daemon.storage.selectors import Selector

TOKENS_OF_A_STEP = 128
SOME = "the boat harbour noon please send figures again they all call me after thanks we met see you soon"
ENOUGH = 12  # new entries, which hold more tokens than the next round is judged by


class Profile:
    """A service over one profile's folder, which may be started again, and its round in a thread."""

    def __init__(self, home, tiny):
        self.home, self.tiny = home, tiny
        self.given = {"keyring": False, "auto_train": False, "threads": 1, "daily_budget_s": 86400}
        self.tuning = RoundTuning(
            min_tokens=50,
            rank=4,
            epochs=4,
            learning_rate=2e-2,
            products="float32",  # what is learned must not depend on how busy the machine is
            round_s=86400,
            quiet_s=0,
            rest_s=0.3,
            checkpoint_s=0,
            max_load=1,
            min_free_mb=0,
            on_battery=True,
        )
        self.open()

    def open(self):
        self.settings = settings = Settings(home=self.home, **self.given).prepare()
        if not settings.base_dir.is_symlink():
            settings.base_dir.rmdir()
            settings.base_dir.symlink_to(self.tiny.folder.parent)
        self.service = Service(settings, tuning=self.tuning)
        self.store = self.service.store

    def trainer(self):
        """What finds out for a round what it starts from."""
        model = SimpleNamespace(base=self.service.model.base, adapter_id=None, languages=("en",))
        return Trainer(self.settings, self.service.profile, model, ChildProcesses(), self.tuning)

    def execute(self, sql, *values):
        """Run a statement on the store's file, past the store."""
        return execute(self.settings.store_path, sql, *values, key=self.store.key)

    def reopen(self, **tuning):
        """Start the service again, tuned otherwise."""
        self.service.close()
        self.tuning = replace(self.tuning, **tuning)
        self.open()

    def begin(self, reason="due", budget_s=None):
        """Start a round and return once it trains."""
        self.events: list[dict[str, Any]] = []
        self.error: Exception | None = None
        self.thread = threading.Thread(target=self._follow, args=(budget_s, reason))
        self.thread.start()
        until(lambda: self.trained() > 0 or not self.thread.is_alive())
        assert self.error is None

    def _follow(self, budget_s, reason):
        try:
            self.service.rounds.run(budget_s, reason, self.events.append)
        except Exception as error:
            self.error = error

    def write(self, about, entries=ENOUGH):
        """Add text that no round has seen, enough to judge the next one by."""
        for word in (SOME.split() * 2)[:entries]:
            self.service.ingest.add_text(f"{word} {about} {SOME}", source="test")

    def trained(self):
        progress = self.service.rounds.progress() or {}
        return progress.get("tokens", 0)

    def child(self):
        """The round's process."""
        [child] = forked.running(TRAINING.module)
        return child

    def stands_still(self):
        return self.child().status() == psutil.STATUS_STOPPED

    def end(self):
        """Wait for the round's end; its last event."""
        self.thread.join(DEADLINE_S)
        assert not self.thread.is_alive()
        assert self.error is None
        return self.events[-1]


@pytest.fixture(scope="module")
def profiles(tmp_path_factory, tiny):
    """`profiles()`: a profile that has read the same text as every other."""
    first = Profile(tmp_path_factory.mktemp("rounds") / "home", tiny)
    random = np.random.default_rng(12)
    for _ in range(110):
        assert first.service.ingest.add_text(" ".join(random.choice(SOME.split(), 9)), source="test").stored
    first.service.close()

    def copied():
        home = tmp_path_factory.mktemp("copy") / "home"
        shutil.copytree(first.home, home, symlinks=True)
        return Profile(home, tiny)

    return copied


@pytest.fixture
def profile(profiles):
    profile = profiles()
    yield profile
    profile.service.close()


def test_a_round_that_began_by_itself_waits_while_the_user_types(profile, monkeypatch):
    profile.reopen(rest_s=1)
    profile.begin()
    suggest(profile.service, "see you ")
    until(profile.stands_still)

    def stood_still_all_the_time():  # a busy machine may be later than `rest_s` once
        before = profile.child().cpu_times()
        for _ in range(40):
            suggest(profile.service, "see you ")
        return profile.stands_still() and profile.child().cpu_times() == before

    until(stood_still_all_the_time)
    assert profile.service.status()["training"]["waits"] == "waits while you type"
    at = profile.trained()
    until(lambda: profile.trained() > at)  # the keyboard rests
    assert profile.service.status()["training"]["waits"] is None

    def broken(_self):
        raise OSError("no such sensor")

    suggest(profile.service, "see you ")
    until(profile.stands_still)
    at = profile.trained()
    monkeypatch.setattr(MachineSensors, "load", broken)
    until(lambda: profile.trained() > at)  # and a sensor that breaks leaves it suspended no longer
    assert profile.end()["event"] == "verdict"


def test_a_round_that_somebody_waits_for_goes_on_from_the_idle_one_at_ordinary_priority(profile):
    profile.begin()
    until(lambda: profile.trained() > 0)
    idle = profile.child()
    assert (os.sched_getscheduler(idle.pid), idle.nice()) == (os.SCHED_IDLE, 19)
    suggest(profile.service, "see you ")
    until(profile.stands_still)
    asked: list[dict[str, Any]] = []
    waiting = threading.Thread(target=profile.service.rounds.run, args=(240.0, "asked", asked.append))
    waiting.start()
    until(lambda: any(event.get("tokens") for event in asked))
    assert not idle.is_running()
    waited_for = profile.child()
    assert (os.sched_getscheduler(waited_for.pid), waited_for.nice()) == (os.SCHED_OTHER, 5)
    at = profile.trained()
    while profile.trained() == at:
        suggest(profile.service, "see you ")
    waiting.join(DEADLINE_S)
    assert asked[-1]["event"] == "verdict"
    assert len(profile.store.rounds.all()) == 1


def test_whoever_waits_for_a_round_is_told_what_it_waits_for(profile, monkeypatch):
    load = 0.0
    monkeypatch.setattr(MachineSensors, "load", lambda _self: load)
    profile.reopen(max_load=0.5, rest_s=0)

    def waits():
        told = [event["waits"] for event in profile.events if event["event"] == "progress"]
        return [why for why, before in zip(told, [None, *told], strict=False) if why != before]

    profile.begin("asked")
    load = 0.62  # it goes on, if slowly
    at = profile.trained()
    until(lambda: waits() == ["goes slowly, so that your other programs stay quick"])
    until(lambda: profile.trained() > at)
    load = 0.0
    until(lambda: waits()[-1] is None)
    profile.service.profile.decide(
        PauseLearning()
    )  # it stands still, so that no event of its own tells of that
    until(lambda: waits()[-1] == "waits until `idiolect pause --end`")
    profile.service.profile.decide(ResumeLearning())
    until(lambda: waits()[-1] is None)
    assert profile.end()["event"] == "verdict"


def settled(result):
    """A verdict's metrics without what depends on the clock."""
    timed = ("seconds", "tokens_per_s", "train_seconds", "peak_mb")
    return {name: value for name, value in result["metrics"].items() if name not in timed}


@pytest.fixture(scope="module")
def uninterrupted(profiles):
    """The adapter and the figures of a round that nothing cut off."""
    profile = profiles()
    profile.begin()
    verdict = profile.end()
    assert verdict["metrics"]["products"] == "float32", "as the setting says"
    blob = profile.store.adapters.weights(verdict["adapter"])
    profile.service.close()
    return blob, settled(verdict)


def ends_as(profile, uninterrupted):
    verdict = profile.end()
    assert profile.store.adapters.weights(verdict["adapter"]) == uninterrupted[0]
    assert settled(verdict) == uninterrupted[1]
    [row] = profile.store.rounds.all()
    assert (row.status, row.adapter) == (verdict["status"], verdict["adapter"])
    assert profile.store.checkpoints.last() is None, "nothing is left once it has ended"
    assert profile.execute("SELECT count(*) FROM checkpoint_parts") == [(0,)]


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_a_round_goes_on_where_it_was_cut_off(profile, uninterrupted, end):
    """The service is stopped, or the round's process is killed."""
    profile.begin()
    until(lambda: profile.trained() >= 5 * TOKENS_OF_A_STEP)  # the last step's checkpoint may not be kept
    if end == "killed":
        until(lambda: profile.store.checkpoints.last() is not None)
        profile.child().kill()
    else:
        profile.service.close()
    profile.thread.join(DEADLINE_S)
    assert isinstance(profile.error, RoundFailedError)
    if end == "killed":
        facts = profile.service.rounds.facts()
        assert facts.failed_s_ago < 60, "it is not tried again at once"
        assert facts.used_today_s > 0
    else:
        profile.open()
    facts, [row] = profile.service.rounds.facts(), profile.store.rounds.all()
    assert (row.status, facts.failed) == (("failed", 1) if end == "killed" else ("interrupted", 0))
    assert facts.unfinished
    # Text that comes meanwhile waits for the next round.
    profile.service.ingest.add_text("the harbour office is closed at noon", source="test")
    profile.begin()
    assert profile.trained() > 3 * TOKENS_OF_A_STEP, "it begins where it was"
    ends_as(profile, uninterrupted)
    assert profile.service.rounds.facts().new_tokens > 0


def held_in_the_midst(service, home, *, goes_on):
    """Let a service begin a round, and hold it twice; the round's process."""
    url = json.loads(service.stdout.readline())["running"]["url"]
    token = (home / "run" / "token").read_text().strip()
    with httpx.Client(
        base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=DEADLINE_S
    ) as client:

        def state():
            return client.get("/v1/status").json()["training"]

        assert client.post("/v1/train", json={}).status_code == 202
        until(lambda: state()["phase"] == "train")
        children = psutil.Process(service.pid).children()
        [child] = [child for child in children if TRAINING.module in child.cmdline()]
        client.post("/v1/pause", json={}).raise_for_status()
        until(lambda: child.status() == psutil.STATUS_STOPPED)
        assert state()["waits"] == "waits until `idiolect pause --end`"
        at = state()["spent_s"]
        client.post("/v1/resume").raise_for_status()
        until(lambda: state()["spent_s"] > at)
        client.post("/v1/pause", json={}).raise_for_status()
        until(lambda: child.status() == psutil.STATUS_STOPPED)
        if goes_on:
            client.post("/v1/resume").raise_for_status()
    return child


@pytest.mark.parametrize("end", ["killed", "updated"])
def test_a_service_killed_or_updated_in_the_midst_of_a_round_leaves_no_process_and_goes_on(
    profile, uninterrupted, end
):
    """It is killed as its round comes to stand still, or begins anew because another program is in its place."""
    profile.service.close()
    lines = [f"{name} = {json.dumps(value)}" for name, value in profile.given.items()]
    (profile.home / "config.toml").write_text("\n".join(lines))
    code = (
        "import functools, sys\n"
        "from idiolect.daemon import __main__, service\n"
        "from idiolect.daemon.rounds.round_tuning import RoundTuning\n"
        f"service.Service = functools.partial(service.Service, tuning={profile.tuning!r})\n"
        "sys.exit(__main__.main())\n"
    )
    command = [sys.executable, "-P", "-c", code, "--home", str(profile.home)]
    # In new processes: what is forked has another parent, and is not hung up with the service.
    environment = {**os.environ, **forked.NEW}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, start_new_session=True
    ) as service:
        try:
            child = held_in_the_midst(service, profile.home, goes_on=end == "killed")
            if end == "killed":
                child.suspend()  # its threads come to a stand one after another
            else:
                service.send_signal(signal.SIGHUP)
                until(lambda: any("--handed" in word for word in psutil.Process(service.pid).cmdline()))
        finally:
            service.kill()
    # Where nobody reaps it, as in a container, it stays a zombie: ended all the same.
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    (profile.home / "config.toml").unlink()
    profile.open()
    profile.service.profile.decide(ResumeLearning())
    assert [row.status for row in profile.store.rounds.all()] == ["interrupted"]
    assert profile.store.checkpoints.last() is not None
    profile.begin("asked")
    assert profile.trained() > TOKENS_OF_A_STEP, "it begins where its checkpoint was"
    ends_as(profile, uninterrupted)


def test_forgetting_takes_the_checkpoint_and_the_round_with_the_text(profile):
    profile.begin()
    until(lambda: profile.store.checkpoints.last() is not None)
    ids = [entry.id for entry in profile.store.entries.select()]
    profile.service.profile.forget(Selector(ids=(ids[3],)))
    assert "is running" not in profile.service.rounds.outlook()
    profile.thread.join(DEADLINE_S)
    assert isinstance(profile.error, ForgottenMeanwhileError)
    assert profile.store.checkpoints.last() is None
    assert profile.execute("SELECT count(*) FROM checkpoint_parts") == [(0,)]
    # A part that was still on its way has nowhere to go.
    profile.store.checkpoints.add_part(1, 0, b"late", 1.0)
    assert profile.execute("SELECT count(*) FROM checkpoint_parts") == [(0,)]
    assert not profile.service.rounds.facts().unfinished


def test_other_settings_begin_anew_from_what_can_be_trained_further_by_then(profile):
    """What was cut off began before there was an adapter to train further."""
    store = profile.store
    adapter = Lora.fresh(profile.tiny.config, 4)
    metrics = {
        "against": None,
        "promising": True,
        "base_sha256": profile.tiny.source_sha256,
        "last_entry": max(entry for entry, _ in store.entries.token_ids()),
    }
    profile.begin()
    until(lambda: profile.store.checkpoints.last() is not None)
    profile.reopen(learning_rate=1e-2, epochs=1)
    profile.thread.join(DEADLINE_S)
    store = profile.store
    parent = publish(store, status="refused", blob=adapter.to_bytes(), metrics=metrics)
    profile.begin()
    verdict = profile.end()
    assert verdict["event"] == "verdict"
    assert [row.parent for row in store.adapters.all()] == [None, parent]
    rounds = store.rounds.all()
    assert [row.parent for row in rounds] == [None, None, parent]
    assert [row.status for row in rounds] == ["interrupted", "refused", verdict["status"]]


def test_refusals_in_a_row_ask_for_more_text_until_something_is_forgotten(profile):
    store = profile.store
    [first, *_] = store.entries.select()

    def ended(status, *, promising=False):
        publish(store, blob=b"", status=status, metrics={"last_entry": first.id, "promising": promising})

    def refused():
        return profile.service.rounds.facts().refused

    assert refused() == 0
    for count in (1, 2, 3):
        ended("refused")
        assert refused() == count
    ended("refused", promising=True)
    assert refused() == count, "the next goes on from it"
    assert profile.service.rounds.facts().new_tokens == store.entries.counts().tokens - first.tokens
    profile.service.profile.forget(Selector(ids=(first.id,)))
    assert refused() == 0
    ended("refused")
    assert refused() == 1
    ended("active")
    assert refused() == 0


def test_a_round_goes_on_from_the_last_adapter_if_it_was_refused_and_yet_promising(profile):
    store, trainer, ours = profile.store, profile.trainer(), profile.tiny.source_sha256

    def ended(status, parent, against, *, promising=True, base=ours, rank=4):
        metrics = {"against": against, "promising": promising, "base_sha256": base}
        return publish(store, parent=parent, status=status, rank=rank, metrics=metrics)

    assert trainer.find_parent(None) is None
    first = ended("refused", None, None)
    assert trainer.find_parent(None) == first
    second = ended("refused", first, None)
    assert trainer.find_parent(None) == second
    ended("refused", second, None, promising=False)
    assert trainer.find_parent(None) is None, "worse than what serves: the next begins from that"
    ended("refused", None, None, base="00" * 32)
    assert trainer.find_parent(None) is None, "it was made for another base"
    ended("refused", None, None, rank=5)
    assert trainer.find_parent(None) is None, "another rank is wanted now"
    served = ended("active", None, None, promising=False)
    assert trainer.find_parent(served) == served
    third = ended("refused", served, served)
    assert trainer.find_parent(served) == third
    assert trainer.find_parent(None) is None, "the user has gone back to the base meanwhile"
    store.adapters.prune(0)
    assert trainer.find_parent(served) == served, "its weights are gone"
    fourth = ended("refused", served, served)
    profile.execute("UPDATE adapter_blobs SET blob = ? WHERE adapter = ?", b"torn", fourth)
    assert trainer.find_parent(served) == served
    assert [row.status for row in store.adapters.all() if row.id == fourth] == ["damaged"]
    assert store.adapters.active() == served


def test_a_round_goes_on_from_the_state_of_training_of_its_parent(profile, monkeypatch):
    profile.reopen(epochs=1, checkpoint_s=60)
    follow, orders = ChildProcesses.follow, list[Any]()

    def judged(children, work, order, *given):
        lines, count = [*given[0]], given[1]
        orders.append((order, lines[0] if order.has_state else None))
        for event in follow(children, work, order, iter(lines), count):
            yield event | ({"status": "refused", "promising": True} if event["event"] == "result" else {})

    monkeypatch.setattr(ChildProcesses, "follow", judged)
    made = []
    for number in range(3):
        profile.begin()
        made.append(profile.end()["adapter"])
        profile.write(number)
    kept = [profile.store.adapters.training_state(adapter) for adapter in made]
    states = [None if state is None else base64.b64decode(state) for _, state in orders]
    assert states == [None, *kept[:2]]
    assert None not in kept
    assert kept[0] != kept[1]
    assert [order.judged for order, _ in orders] == [0, 0, 0], "there was newer text to judge by"
    trainer = profile.trainer()
    entries = [(entry, np.frombuffer(ids, "<u4")) for entry, ids in profile.store.entries.token_ids()]
    profile.execute("DELETE FROM entries WHERE id > (SELECT max(entry) FROM adapter_entries) + 6")
    fewer = entries[: max(profile.store.adapters.seen(made[2])) + 6]
    assert trainer._order(None, made[2], fewer, None).judged > 0, "the same text would judge once more"


def test_forgetting_takes_the_states_of_training_that_saw_the_text(profile):
    """The next round goes on from before."""
    store = profile.store
    first, second, *_ = (entry.id for entry in store.entries.select())
    about = {"base_sha256": profile.tiny.source_sha256, "promising": True, "against": None}
    made = []
    for seen in (first, second):
        parent = made[-1] if made else None
        new = NewAdapter(
            b"weights", 4, parent, [seen], serves=False, reason="", metrics=about, state=b"of %d" % seen
        )
        made.append(store.publish(store.rounds.begin(parent, {}), new))
    assert profile.execute("SELECT count(*) FROM training_states") == [(2,)]
    profile.service.profile.forget(Selector(ids=(second,)))
    assert profile.execute("SELECT adapter, state FROM training_states") == [(made[0], b"of %d" % first)]
    assert profile.trainer().find_parent(None) == made[0]
    profile.service.profile.forget(Selector(ids=(first,)))
    assert profile.execute("SELECT count(*) FROM training_states") == [(0,)]


def test_what_a_refused_round_has_learned_is_not_lost(profile, monkeypatch):
    profile.reopen(epochs=1, checkpoint_s=60)  # what comes of a round matters, not how it is interrupted
    follow, orders, promoted = ChildProcesses.follow, list[Any](), {"status": "promoted"}
    refused = {"status": "refused", "promising": True}
    wanted = [refused | {"learned": [0, 2, 5]}, refused, promoted, refused, promoted]

    def judged(children, work, order, *given):
        orders.append(order)
        for event in follow(children, work, order, *given):
            yield event | (wanted[len(orders) - 1] if event["event"] == "result" else {})

    monkeypatch.setattr(ChildProcesses, "follow", judged)
    store, mixtures = profile.store, [profile.service.model.served.predictor.mixture.to_json()]
    ids = [entry for entry, _ in store.entries.token_ids()]
    made = []
    for number, ending in enumerate(wanted):
        profile.begin()
        made.append(profile.end()["adapter"])
        if number < 2:  # the memory is trusted beside the base as was judged
            mixtures.append(profile.service.model.served.predictor.mixture.to_json())
            assert mixtures[-1] == judged_mixture(store, None)
            assert mixtures[-1] not in mixtures[:-1]
        assert store.rounds.all()[-1].status == ending["status"]
        profile.write(number)
    first, second, third, fourth, fifth = made
    seen = store.adapters.seen
    assert seen(first) == {ids[0], ids[2], ids[5]}, "what a round did not reach counts as not seen"
    assert [row.parent for row in store.adapters.all()] == [None, first, second, third, fourth]
    assert [bool(order.serving) for order in orders] == [False, False, False, True, True]
    assert [bool(order.parent) for order in orders] == [False, True, True, False, True]
    assert orders[3].serving == orders[4].serving
    assert "go on from it" in store.adapters.all()[0].reason
    assert seen(first) < seen(second) < seen(third) < seen(fifth)
    assert store.adapters.active() == fifth
    learned_late = max(seen(fifth) - seen(fourth))
    profile.service.profile.forget(Selector(ids=(learned_late,)))
    assert store.adapters.active() == third, "what was refused never serves by itself"


def test_of_how_much_a_round_learned_its_reason_and_the_audit_say_the_same(profile, monkeypatch):
    profile.reopen(epochs=1, checkpoint_s=60)
    follow = ChildProcesses.follow

    def cut_short(*given):  # as its time does, which must not depend on how busy the machine is
        for event in follow(*given):
            if event["event"] == "result":
                event |= {"learned": event["learned"][:6], "missed": len(event["learned"]) - 6}
                event["status"] = "promoted"
            yield event

    monkeypatch.setattr(ChildProcesses, "follow", cut_short)
    profile.begin()
    verdict = profile.end()
    assert "its time was enough for 6 of 110 entries" in verdict["reason"]
    assert [(row.entries, row.stored) for row in profile.store.audit().seen] == [(6, 110)]
    seen, store = profile.store.adapters.seen(verdict["adapter"]), profile.store
    room = sum(len(entry.text.encode()) for entry in store.entries.select() if entry.id not in seen)
    assert store.entries.expire(None, room) >= 6
    left = {entry for entry, _ in store.entries.token_ids()}
    assert not seen & left
    profile.begin()
    assert f"its time was enough for 6 of {len(left):,} entries" in profile.end()["reason"]


def test_a_clock_that_jumps_keeps_each_days_sum(profile, monkeypatch):
    trainer = profile.trainer()

    def used(day, seconds):
        monkeypatch.setattr("idiolect.daemon.rounds.round_runner._today", lambda: day)
        trainer.add_used_s(seconds)
        return profile.service.rounds.today()["used_s"]

    assert used("2026-01-31", 100) == 100
    assert used("2026-02-01", 20) == 20
    assert used("2026-01-31", 1) == 101
    assert used("2031-05-05", 5) == 5
    assert used("2026-02-01", 2) == 22
    for day in range(10, 30):
        used(f"2026-03-{day}", 1)
    assert used("2026-03-29", 0) == 1
    assert len(profile.store.state.get("round_seconds")) <= 8


def test_the_service_ends_whatever_a_round_waits_for(store, monkeypatch):
    """A drive that does not answer cannot be interrupted."""
    monkeypatch.setattr(round_scheduler, "_LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(round_scheduler, "_STOP_S", 0.01)
    waits, answers = threading.Event(), threading.Event()

    def look(_):
        waits.set()
        answers.wait()
        return SimpleNamespace(start=False)

    monkeypatch.setattr(RoundScheduler, "_decision", look)
    settings, profile, children = Settings(), LearningProfile(store), ChildProcesses()
    trainer = Trainer(settings, profile, SimpleNamespace(), children)
    rounds = RoundScheduler(settings, profile, trainer, children)
    rounds.start()
    try:
        assert waits.wait(DEADLINE_S)
        ended = threading.Thread(target=rounds.stop, daemon=True)
        ended.start()
        ended.join(DEADLINE_S)
        assert not ended.is_alive()
    finally:
        answers.set()
