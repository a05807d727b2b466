"""Evaluations by the service, with the tiny model: whose text is typed, which adapter is measured, what else runs."""

import json
import os
import threading
from datetime import UTC, datetime, timedelta

import forked
import numpy as np
import pytest
from dulwich import porcelain
from publishing import publish
from serving import suggest
from waiting import DEADLINE_S, until

from idiolect.adapters.evaluation.eval_split import TooLittleToTypeError
from idiolect.daemon.evaluation.answers import AnswersFileError, read_answers, without_secrets
from idiolect.daemon.evaluation.evals import EVALUATION, EvalFailedError, read_messages
from idiolect.daemon.profile.pause import PauseLearning
from idiolect.daemon.rounds.round_tuning import RoundTuning
from idiolect.daemon.runtime.child_processes import ChildProcesses, TrainingBusyError
from idiolect.daemon.runtime.os_errors import NoSuchPathError
from idiolect.daemon.service import Service
from idiolect.daemon.sources.items import NothingToReadError, UnreadableError
from idiolect.daemon.storage.records import EvalRequest, ForgottenMeanwhileError
from idiolect.daemon.storage.selectors import Selector

CANARY = "purple canary"
START = datetime(2026, 1, 31, tzinfo=UTC)


def phrases(count, seed=5):
    random = np.random.default_rng(seed)
    some = "the boat harbour noon please send figures again they all call me after thanks we met see you soon"
    texts = [" ".join(random.choice(some.split(), 9)) for _ in range(count)]
    return [f"{text} {CANARY}" if at % 20 == 3 else text for at, text in enumerate(texts)]


@pytest.fixture
def service(tiny_profile, tmp_path):
    settings = tiny_profile(tmp_path / "home", threads=1)
    service = Service(settings, tuning=RoundTuning(min_tokens=200, rank=4))
    yield service
    service.close()


@pytest.fixture
def corpus(tmp_path):
    """`corpus(texts)`: a JSONL file with these texts, an hour apart."""

    def write(texts, name="notes.jsonl"):
        path = tmp_path / name
        lines = [
            json.dumps({"text": text, "ts": (START + timedelta(hours=at)).isoformat()})
            for at, text in enumerate(texts)
        ]
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture
def written(service, corpus):
    """A service that has read 120 messages."""
    for _ in service.imports.add([corpus(phrases(120))]):
        pass
    return service


def promoted(service, tiny, make_lora, seen):
    return publish(
        service.store,
        blob=make_lora(tiny.config).to_bytes(),
        seen=seen,
        reason="it gains",
        metrics={"base_sha256": tiny.source_sha256},
        tokens_per_s=100.0,
        seconds=12.5,
    )


def result(service, **wanted):
    events = [*service.evals.run(EvalRequest(**{"chars": 500, **wanted}))]
    assert events[0]["event"] == "progress"
    assert [event["event"] for event in events].count("result") == 1
    assert events[-1]["event"] == "result"
    return events[-1]


def arms(found):
    return [arm["name"] for arm in found["arms"]]


def handed_over(service, monkeypatch, **wanted):
    """What an evaluation hands to its process: the order, the history, and the messages that are typed."""
    handed = []

    def follow(_children, _work, order, lines, _count):
        handed.extend((order, *lines))
        return iter(())

    with monkeypatch.context() as patch:
        patch.setattr(ChildProcesses, "follow", follow)
        list(service.evals.run(EvalRequest(**wanted)))
    order, *messages = handed
    return order, messages[: order.history], messages[order.history :]


def children():
    """The processes of evaluations."""
    return forked.running(EVALUATION.module)


def until_nothing_runs(service):
    until(lambda: service.rounds.facts().doing is None and not children())


# --- the user's own history ---


def test_without_an_adapter_the_arms_with_one_are_left_out(written):
    found = result(written)
    assert (found["source"], found["adapter"]) == ("your history", None)
    assert arms(found) == ["base", "context", "memory"]
    assert found["history"]["from"] == START.isoformat()
    assert found["test"]["from"] > found["history"]["to"]
    assert written.status()["measured"] == found["arms"][-1]["all"]["savings"]["3"]["value"] > 0
    assert written.status()["entries"] == 120, "nothing is learned from it"
    assert written.status()["next_round"].startswith("rounds start only when asked")


def test_the_adapter_that_serves_is_measured_on_what_it_has_not_seen(written, tiny, make_lora, monkeypatch):
    entries = [*written.store.entries.select()]
    adapter = promoted(written, tiny, make_lora, [entry.id for entry in entries[:104]])
    order, _, not_yet = handed_over(written, monkeypatch, chars=500)
    assert order.adapter is None, "it does not serve yet"
    written.model.use(adapter)
    found = result(written)
    assert found["adapter"] == {"id": adapter, "status": "active", "reason": "it gains", "seconds": 12.5}
    assert arms(found) == ["base", "context", "memory", "adapter", "no context", "both"]
    assert found["test"]["from"] >= entries[104].at.isoformat()
    assert found["test"]["from"] != min(message["at"] for message in not_yet)


def test_an_adapter_that_has_seen_it_all_leaves_nothing_to_type(written, tiny, make_lora):
    entries = [entry.id for entry in written.store.entries.select()]
    written.model.use(promoted(written, tiny, make_lora, entries))
    with pytest.raises(TooLittleToTypeError, match="idiolect eval PATH"):
        next(written.evals.run(EvalRequest()))
    until_nothing_runs(written)


# --- a corpus ---


def test_on_a_corpus_a_real_round_trains_an_adapter(service, corpus, tmp_path):
    path = corpus(phrases(160))
    events = [*service.evals.run(EvalRequest(path, chars=500, budget_s=10))]
    found = events[-1]
    assert found["source"] == str(path)
    assert found["adapter"]["id"] is None
    assert found["adapter"]["status"] in ("promoted", "refused")
    assert found["adapter"]["reason"]
    assert 0 < found["adapter"]["seconds"] < 60
    assert arms(found) == ["base", "context", "memory", "adapter", "no context", "both"]
    phases = [*dict.fromkeys(event["phase"] for event in events[:-1])]
    assert phases == ["prepare", "train", "judge", "type"]
    assert all({"phase", "arm", "done", "left_s"} <= {*event} for event in events[:-1])
    assert (found["history"]["entries"], found["history"]["from"]) == (128, START.isoformat())
    # Nothing of it becomes the profile's.
    assert (service.status()["entries"], service.store.adapters.all(), service.status()["last_round"]) == (
        0,
        [],
        None,
    )
    holds_text = [p for p in tmp_path.rglob("*") if p.is_file() and CANARY.encode() in p.read_bytes()]
    assert holds_text == [path]


def test_a_corpus_too_small_for_a_round_is_measured_without_an_adapter(service, corpus):
    path = corpus(["fine"] * 40 + [" ".join(phrases(2, seed)) for seed in range(10)])
    found = result(service, path=path)
    about = found["adapter"]
    assert (about["id"], about["status"], about["seconds"]) == (None, "skipped", 0.0)
    assert "a round needs 200" in about["reason"]
    assert arms(found) == ["base", "context", "memory"]


def test_training_can_be_left_out_and_a_corpus_is_measured_while_learning_is_paused(service, corpus):
    service.profile.decide(PauseLearning())
    found = result(service, path=corpus(phrases(120)), train=False)
    assert found["adapter"] is None
    assert arms(found) == ["base", "context", "memory"]
    assert service.status()["measured"] is None, "it is not of the user's own history"


def test_texts_are_read_as_they_are_and_kept_as_they_would_be(reader, corpus, tmp_path):
    secret = "the password: Tr0ub4dor&3 is  mine"
    first = corpus(["  Zwei\u00a0Wörter \n", secret, "", " \t ", "\ud800 ok"], "a.jsonl")
    found = read_messages(reader, first, ())
    assert [message.text for message in found] == ["Zwei\u00a0Wörter", secret, "ok"]
    assert [message.kept for message in found] == ["Zwei Wörter", "the password: [password] is  mine", "ok"]
    assert [message.at for message in found][:2] == [
        START.isoformat(),
        (START + timedelta(hours=1)).isoformat(),
    ]
    folder = tmp_path / "folder"
    folder.mkdir()
    first.rename(folder / "b.jsonl")
    (folder / "a.txt").write_text("One paragraph.\n\nAnother one.\n")
    (folder / "c.key").write_text("never read")
    texts = [message.text for message in read_messages(reader, folder, ("*.key",))]
    assert texts[:3] == ["Zwei\u00a0Wörter", secret, "ok"], "a file without times is as old as it is"
    assert texts[3:] == ["One paragraph.", "Another one."]


def test_a_repository_is_its_messages_in_order_of_time(reader, tmp_path):
    porcelain.init(tmp_path)
    for day, message in ((3, b"Third things first"), (4, b"Then the fourth")):
        at_s = datetime(2026, 1, day, 9, 30, tzinfo=UTC).timestamp()
        porcelain.commit(tmp_path, message=message, author=b"N <n@example.org>", commit_timestamp=at_s)
    found = read_messages(reader, tmp_path / ".git", ())
    assert [message.text for message in found] == ["Third things first", "Then the fourth"]
    assert found[0].at == "2026-01-03T09:30:00+00:00"


# --- texts with what they answer ---


def replies(path, texts, answered=("Do you bring the Zorvelin to the quay at Ostwick?",)):
    path.write_text("".join(json.dumps({"text": text, "context": [*answered]}) + "\n" for text in texts))
    return path


def test_a_text_that_answers_is_typed_without_and_with_what_it_answers(written, tiny, make_lora, tmp_path):
    """A word that stands in what is answered, and nowhere else, is offered with it alone."""
    path = replies(tmp_path / "replies.jsonl", [f"Zorvelin Ostwick {text}" for text in phrases(12, seed=9)])
    entries = [entry.id for entry in written.store.entries.select()]
    written.model.use(promoted(written, tiny, make_lora, entries))
    events = [*written.evals.run(EvalRequest(chars=600, context=path))]
    found = events[-1]
    assert (found["source"], found["adapter"]["status"]) == (str(path), "active")
    assert [*dict.fromkeys(event["arm"] for event in events[1:-1] if event["arm"])] == ["without", "with"]
    without, with_ = (arm["all"] for arm in found["arms"])
    assert arms(found) == ["without", "with"]
    assert without["characters"] == with_["characters"] == found["test"]["characters"]
    for most in ("1", "3", "5"):
        assert with_["savings"][most]["value"] > without["savings"][most]["value"]
    assert (written.status()["entries"], written.status()["measured"]) == (120, None), "nothing of it is kept"
    held = [p for p in tmp_path.rglob("*") if p.is_file() and b"Zorvelin" in p.read_bytes()]
    assert held == [path]


def test_what_is_typed_is_not_in_the_history_and_nothing_is_typed_that_the_adapter_has_seen(
    written, tiny, make_lora, tmp_path, monkeypatch
):
    entries = [*written.store.entries.select()]
    written.model.use(promoted(written, tiny, make_lora, [entry.id for entry in entries[:100]]))
    path = replies(tmp_path / "replies.jsonl", [entry.text for entry in entries])
    _, *handed = handed_over(written, monkeypatch, chars=600, context=path)
    history, typed = ({message["text"] for message in messages} for messages in handed)
    assert typed
    assert typed <= {entry.text for entry in entries[100:]} - {entry.text for entry in entries[:100]}
    assert not typed & history
    replies(path, [entry.text for entry in entries[:100]])
    with pytest.raises(TooLittleToTypeError, match="that the adapter has not seen"):
        next(written.evals.run(EvalRequest(context=path)))


def test_a_file_of_answers_is_read_as_it_is(tmp_path):
    path = tmp_path / "replies.jsonl"
    many = [f"text {number}" for number in range(10)]
    lines = [
        {
            "text": " Zwei\u00a0Wörter ",
            "context": ["first ", "From: Anna\nthe code is 483920"],
            "to": "Anna",
            "ts": 5,
        },
        {"text": "answers nothing", "context": []},
        {"text": "", "context": ["x"]},
        {"text": "my password: Tr0ub4dor&3", "context": many},
        {"text": "half \ud800 a character", "context": ["\ud800", "one"]},
    ]
    path.write_text("\ufeff" + "\r\n\n".join(map(json.dumps, lines)), "utf-8")
    found = without_secrets(read_answers(path))
    assert [message.text for message in found] == [
        "Zwei\u00a0Wörter",
        "my password: Tr0ub4dor&3",
        "half  a character",
    ]
    assert [message.kept for message in found][:2] == ["Zwei Wörter", "my password: [password]"]
    assert found[0].answered.startswith("first\nFrom: Anna\nthe code is")
    assert [message.sender for message in found] == ["Anna", "", ""]
    assert "483920" not in found[0].answered
    assert found[1].answered == "\n".join(many[-8:])
    assert found[2].answered == "one"


@pytest.mark.parametrize(
    "line",
    [
        CANARY,
        f'"{CANARY}"',
        f'{{"text": "{CANARY}"}}',
        f'{{"context": ["{CANARY}"]}}',
        f'{{"text": 5, "context": ["{CANARY}"]}}',
        f'{{"text": "{CANARY}", "context": "{CANARY}"}}',
        f'{{"text": "{CANARY}", "context": ["{CANARY}", 5]}}',
        "[" * 100_000,
        b"\xff\xfe",
    ],
    ids=range(9),
)
def test_a_line_that_is_no_answer_is_named_by_its_number_alone(tmp_path, line):
    path = replies(tmp_path / "replies.jsonl", ["fine"])
    path.write_bytes(path.read_bytes() + b"\n" + (line if isinstance(line, bytes) else line.encode()))
    with pytest.raises(AnswersFileError, match=r"Line 3 of .*replies.jsonl is not like") as caught:
        read_answers(path)
    assert CANARY not in str(caught.value)


def test_what_is_wrong_with_a_path_is_said_before_anything_runs(written, tmp_path, monkeypatch):
    monkeypatch.setattr("idiolect.daemon.evaluation.answers._MAX_BYTES", 1000)
    folder = tmp_path / "wrong"
    folder.mkdir()
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "empty").touch()
    os.mkfifo(folder / "pipe")
    (folder / "binary.txt").write_bytes(b"\0\1\2")
    replies(folder / "nothing", ["fine"], answered=())
    replies(folder / "few.jsonl", ["fine"])
    replies(folder / "large", ["fine"] * 100)
    for name, of_path, of_context in (
        ("absent", NoSuchPathError, NoSuchPathError),
        ("loop", NoSuchPathError, NoSuchPathError),
        (".", None, UnreadableError),
        ("empty", NothingToReadError, NothingToReadError),
        ("nothing", None, NothingToReadError),
        ("binary.txt", NothingToReadError, None),
        ("pipe", None, UnreadableError),
        ("few.jsonl", TooLittleToTypeError, TooLittleToTypeError),
        ("large", None, AnswersFileError),
    ):
        for wanted, error in ({"path": folder / name}, of_path), ({"context": folder / name}, of_context):
            if error is not None:
                with pytest.raises(error):
                    next(written.evals.run(EvalRequest(**wanted)))
            until_nothing_runs(written)


# --- one thing at a time ---


@pytest.fixture
def running(written):
    """An evaluation that has begun to type."""
    events = written.evals.run(EvalRequest(chars=2000))
    for event in events:
        if event["phase"] == "type":
            break
    yield events
    events.close()


def test_nothing_else_runs_beside_it(written, running):
    assert written.status()["next_round"].startswith("rounds start only when asked")
    with pytest.raises(TrainingBusyError, match="An evaluation is running"):
        written.rounds.run(None, "asked")
    with pytest.raises(TrainingBusyError, match="An evaluation is running"):
        next(written.evals.run(EvalRequest()))
    assert suggest(written, "see you ").words, "suggestions go on"


def test_it_does_not_begin_beside_a_round(written):
    def evaluate(_event):
        with pytest.raises(TrainingBusyError, match="A training round is running"):
            next(written.evals.run(EvalRequest()))
        written.profile.forget(Selector(text=CANARY))

    with pytest.raises(ForgottenMeanwhileError):
        written.rounds.run(30, "asked", evaluate)
    assert next(written.evals.run(EvalRequest()))["phase"] == "prepare"
    until_nothing_runs(written)


def test_nobody_listening_ends_it(written, running):
    [child] = children()
    running.close()
    assert not child.is_running()
    until_nothing_runs(written)


def test_forgetting_ends_it(written, running):
    written.profile.forget(Selector(text=CANARY), dry_run=True)
    assert next(running)["event"] == "progress"
    written.profile.forget(Selector(text=CANARY))
    with pytest.raises(ForgottenMeanwhileError, match="text was forgotten while it ran"):
        list(running)
    until_nothing_runs(written)


def test_the_end_of_the_service_ends_it(written, running):
    [child] = children()
    ended = []

    def follow():
        try:
            list(running)
        except EvalFailedError as error:
            ended.append(str(error))

    following = threading.Thread(target=follow)
    following.start()
    written.close()
    following.join(DEADLINE_S)
    assert not child.is_running()
    assert "the service was stopped" in ended[0]


def test_a_child_that_dies_is_an_error_without_text(written, running, caplog):
    [child] = children()
    child.kill()
    with pytest.raises(EvalFailedError, match="ended without a result"):
        list(running)
    assert CANARY not in caplog.text
