"""The routes over a real socket, around a service of the tiny model: shapes, bad input, who waits, streams."""

import contextlib
import json
import logging
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import DEADLINE_S, answering, error_of, events, serving

from idiolect.daemon.endpoint import shapes
from idiolect.daemon.endpoint.typing_routes import FeedbackBody
from idiolect.daemon.profile.quiet import Quiet
from idiolect.daemon.profile.switches import read_switches
from idiolect.daemon.rounds.round_runner import RoundFailedError
from idiolect.daemon.runtime.log import PlainFormatter
from idiolect.daemon.serving.model_queue import MAX_JOBS, Priority
from idiolect.daemon.storage.records import EvalRequest
from idiolect.daemon.text.typed_text import MAX_TEXT_CHARS

CANARY = "the purple canary sings at midnight"
KNOWN = "the teal lighthouse keeper Zorvelin hums quietly at noon"
START = "the teal lighthouse keeper Zorv"


@pytest.fixture(scope="module")
def shared(tiny_profile, tmp_path_factory):
    with serving(tiny_profile(tmp_path_factory.mktemp("home"))) as made:
        for _ in range(5):
            made.service.ingest.add_text(KNOWN, source="test")
        yield made


@pytest.fixture
def site(shared):
    """The module's one service, which has learned nothing but one sentence when a test begins."""
    yield shared
    if others := [entry.id for entry in shared.service.store.entries.select()][5:]:
        shared.post("/v1/forget", {"ids": others})


@pytest.fixture
def made(site, monkeypatch):
    """Of what something was made, in order: of which text before a cursor, and what that answers."""
    begun, suggest = [], site.service.suggestions.suggest_in_steps

    def noted(question, place, context, letter_ms):
        begun.append((question.prefix, context))
        return (yield from suggest(question, place, context, letter_ms))

    monkeypatch.setattr(site.service.suggestions, "suggest_in_steps", noted)
    return begun


# What DESIGN.md fixes


def test_suggest_has_the_documented_shape(site):
    answer = site.post("/v1/suggest", {"prefix": START})
    assert answer.status_code == 200
    told = answer.json()
    assert " ".join(told) == "words ghost list adapter elapsed_ms reason paused sees_context"
    assert all(set(word) == {"text", "p"} for word in told["words"])
    assert told["words"][0]["text"] == "elin"
    assert set(told["ghost"]) == {"text", "p", "show", "words"}
    assert "".join(piece["text"] for piece in told["ghost"]["words"]) == told["ghost"]["text"]
    assert told["ghost"]["text"].startswith("elin")
    assert set(told["list"]) == {"show"}
    assert (told["adapter"], told["reason"], told["paused"]) == (None, None, False)
    assert told["sees_context"] is True


def test_what_is_answered_is_passed_on_only_where_it_is_seen(site, made):
    asked = {"prefix": START, "context": ["older", "newer"]}
    assert site.post("/v1/suggest", asked).json()["sees_context"] is True
    site.post("/v1/apps", {"app": "blind", "context": "off"})
    try:
        assert site.post("/v1/suggest", {**asked, "app": "blind"}).json()["sees_context"] is False
    finally:
        site.post("/v1/apps", {"app": "blind", "remove": True})
    assert site.post("/v1/suggest", {**asked, "input_purpose": "password"}).json()["sees_context"] is False
    assert made == [(START, ("older", "newer")), (START, ())]


def test_history_has_the_documented_shape_and_stores_what_it_was_told(site):
    body = {"text": "We sail.", "source": "mail", "app": "mutt", "at": "2026-01-31T09:30:00+02:00"}
    told = site.post("/v1/history", body).json()
    assert told == {"id": told["id"], "stored": True, "redactions": 0, "reason": None, "paused": False}
    local = site.post("/v1/history", {"text": "At noon.", "source": "mail", "at": "2026-01-31T09:30:00"})
    by_id = {entry.id: entry for entry in site.service.store.entries.select()}
    kept = by_id[told["id"]]
    assert (kept.text, kept.source, kept.app) == ("We sail.", "mail", "mutt")
    assert kept.at == datetime(2026, 1, 31, 7, 30, tzinfo=UTC)
    assert by_id[local.json()["id"]].at == datetime(2026, 1, 31, 9, 30).astimezone()


def test_what_stood_before_a_text_may_have_any_length_and_counts(site):
    before = "x " * MAX_TEXT_CHARS + "My PIN is "
    told = site.post("/v1/history", {"text": "4821", "source": "mail", "before": before})
    assert (told.status_code, told.json()["redactions"]) == (200, 1)


def test_feedback_is_counted_as_it_was_told(site):
    before = site.http.get("/v1/report").json()["savings"]

    def counted():
        now = site.http.get("/v1/report").json()["savings"]
        return {name: now[name] - before[name] for name in now if now[name] != before[name]}

    answer = site.post("/v1/feedback", {"kind": "ghost", "outcome": "dismissed", "p": 0})
    assert (answer.status_code, answer.json()) == (200, {"stored": True, "reason": None, "paused": False})
    assert counted() == {"dismissed": 1}
    body = {"kind": "word", "outcome": "accepted", "p": 0.25, "show": False, "characters": 9}
    body |= {"keystrokes": 0, "words": 2}
    excluded = site.post("/v1/feedback", body | {"app": "keepass"}).json()
    assert excluded == {"stored": False, "reason": "excluded app", "paused": False}
    assert counted() == {"dismissed": 1}
    site.post("/v1/feedback", body)
    told = {"kind": "correction", "outcome": "dismissed", "p": 0.5, "word": "teh", "app": "mutt"}
    assert site.post("/v1/feedback", told).json()["never_corrected"]
    assert counted() == {"dismissed": 1, "accepted": 1, "characters": 9, "words": 2, "saved": 9}
    assert site.post("/v1/words/remove", {"text": "teh"}).json()["removed"]


def test_dismissed_suggestions_are_counted_together(site):
    before = site.http.get("/v1/report").json()["savings"]["dismissed"]
    dismissed = {"kind": "word", "outcome": "dismissed", "p": 0.25}
    assert site.post("/v1/feedback", {**dismissed, "count": 4}).status_code == 200
    assert site.http.get("/v1/report").json()["savings"]["dismissed"] == before + 4


@pytest.fixture
def round_of(site, monkeypatch):
    """`round_of(error)`: rounds that stand still until `go_on` is set, then fail or end; `ended` says which have."""

    class Round:
        def __init__(self):
            self.begun, self.go_on, self.ended = threading.Semaphore(0), threading.Event(), threading.Event()
            self.error = None
            self.budgets = []

        def run(self, budget_s, _reason, follow):
            self.budgets.append(budget_s)
            follow({"event": "progress", "phase": "training", "done": 0.25})
            self.begun.release()
            assert self.go_on.wait(DEADLINE_S)
            if self.error is not None:
                raise self.error
            self.ended.set()
            follow({"event": "verdict", "status": "refused", "reason": "by chance"})

    made = Round()
    monkeypatch.setattr(site.service.rounds, "run", made.run)
    yield made
    made.go_on.set()


def test_train_answers_at_once_with_the_verdict_or_with_events(site, round_of):
    begun = site.post("/v1/train")
    assert (begun.status_code, begun.json()) == (202, {"started": True})
    assert not round_of.ended.is_set()
    round_of.go_on.set()
    verdict = site.post("/v1/train", {"wait": True, "budget_s": 30}).json()
    assert verdict == {"status": "refused", "reason": "by chance"}
    answer = site.post("/v1/train", {"stream": True})
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [event["event"] for event in events(answer)] == ["progress", "verdict"]
    assert round_of.budgets == [None, 30.0, None]


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (None, EvalRequest()),
        (
            {"path": "/notes", "chars": 900, "seed": 5, "budget_s": 60},
            EvalRequest(Path("/notes"), 900, 5, True, 60.0),
        ),
        ({"path": "/notes", "train": False}, EvalRequest(Path("/notes"), train=False)),
        ({"context": "/replies"}, EvalRequest(context=Path("/replies"))),
    ],
)
def test_an_evaluation_is_made_as_it_was_asked_for(site, monkeypatch, asked, wanted):
    monkeypatch.setattr(
        site.service.evals, "run", lambda given: iter([{"event": "result", "same": given == wanted}])
    )
    assert events(site.post("/v1/eval", asked)) == [{"event": "result", "same": True}]


def test_what_is_forgotten_is_told_as_documented(site):
    for text in ("Kind regards from the harbour.", "Kind regards, as ever."):
        site.post("/v1/history", {"text": text, "source": "mail"})
    told = site.post("/v1/forget", {"phrase": "kind regards", "dry_run": True}).json()
    assert " ".join(sorted(told)) == (
        "active adapters_dropped backups dry_run entries large near near_complete next_round receipt round_ended "
        "round_queued tokens total words"
    )
    assert (told["entries"], told["total"], told["dry_run"], told["receipt"]) == (2, 7, True, None)
    refused = site.post("/v1/forget", {"phrase": "kind regards", "expect": 4})
    assert (refused.status_code, error_of(refused)["code"]) == (409, "other-count")
    told = site.post("/v1/forget", {"phrases": ["kind regards", "no such"], "text": "harbour"}).json()
    assert (told["entries"], told["dry_run"]) == (1, False)
    assert site.http.get("/v1/receipts").json()["receipts"][-1]["entries"] == 1


def test_forgetting_tells_of_the_round_that_it_ends_and_what_is_next(site, monkeypatch):
    site.post("/v1/history", {"text": "Kind regards from the harbour.", "source": "mail"})
    monkeypatch.setattr(site.service.rounds, "progress", lambda: {"event": "progress"})
    next_round = site.http.get("/v1/status").json()["next_round"]
    for text, dry_run, ended in (
        ("harbour", True, False),
        ("no such", False, False),
        ("harbour", False, True),
    ):
        told = site.post("/v1/forget", {"text": text, "dry_run": dry_run}).json()
        assert (told["round_ended"], told["next_round"]) == (ended, next_round)


def test_pause_resume_use_adapters_and_watch(site, tmp_path):
    assert site.post("/v1/pause", {"for_s": 60}).json() == {"paused": True, "for_s": 60}
    assert site.post("/v1/pause").json() == {"paused": True, "for_s": None}
    assert site.post("/v1/resume").json() == {"paused": False}
    assert site.post("/v1/use", {"adapter": None}).json() == {"adapter": None}
    assert site.http.get("/v1/adapters").json() == {"adapters": []}
    assert error_of(site.post("/v1/export", {"kind": "peft", "path": str(tmp_path)}))["code"] == "no-adapter"
    assert site.post("/v1/watch", {"path": "/watched", "remove": True}).json() == {"removed": False}


def test_nothing_is_suggested_while_quiet_and_text_is_learned(site):
    def suggested():
        answer = site.post("/v1/suggest", {"prefix": START, "reasons": True}).json()
        told = site.http.get("/v1/status").json()
        assert told["quiet"] == answer.get("quiet", False) == (told["quiet_for_s"] is not None)
        return len(answer["words"]), [why["reason"] for why in answer["reasons"]]

    words, reasons = suggested()
    assert words
    assert "quiet" not in reasons
    assert site.post("/v1/quiet").json() == {"quiet": True, "minutes": 30}
    assert suggested() == (0, ["quiet"])
    assert site.post("/v1/history", {"text": "Told in the quiet.", "source": "mail"}).json()["stored"]
    assert Quiet(site.service.profile).left_s > 1700, "over a restart, too"
    assert Quiet(site.service.profile, lambda: time.time() + 1801).left_s == 0, "it ends by itself"
    assert site.post("/v1/quiet/end").json() == {"quiet": False}
    assert suggested()[0] == words
    for wrong in (0, 1441, 2.5, "30"):
        assert error_of(site.post("/v1/quiet", {"minutes": wrong}))["code"] == "invalid-request"


def test_keys_are_chosen_and_told_with_each_answer(site):
    def told():
        status, answer = site.http.get("/v1/status"), site.post("/v1/suggest", {"prefix": "Hi "})
        assert answer.json().get("keys", {}) == status.json()["keys"]
        return status.json()["keys"]

    usual = site.http.get("/v1/switches").json()["keys"]
    assert usual["grey"] == "Tab"
    assert told() == {}
    stands = site.post("/v1/switches", {"keys": {"grey": " ctrl+w", "hide": "Esc", "quiet": "F9"}}).json()
    assert stands["keys"] == {**usual, "grey": "Ctrl+W", "quiet": "F9"}
    assert stands["key_uses"] == {"grey": "closes the tab or window"}
    assert told() == {"grey": "Ctrl+W", "quiet": "F9"}
    assert read_switches(site.service.store).keys == told(), "over a restart, too"
    for wrong in (
        {"grey": "Hyper+secretword"},
        {"grey": "F9", "quiet": "F9"},
        {"word": "2"},
        {"secretword": "F1"},
    ):
        error = error_of(site.post("/v1/switches", {"keys": wrong}))
        assert error["code"] == "invalid-request"
        assert "secretword" not in error["message"]
    site.post("/v1/switches", {"show": "auto"})
    assert told() == {"grey": "Ctrl+W", "quiet": "F9"}
    assert site.post("/v1/switches", {"keys": {}}).json()["keys"] == usual
    assert told() == {}


def test_nothing_is_suggested_in_a_secret_field_whether_a_trial_runs_or_not(site):
    nothing = {
        "words": [],
        "ghost": {"text": "", "p": 0.0, "show": False, "words": []},
        "list": {"show": False},
    }
    nothing |= {"adapter": None, "elapsed_ms": 0.0, "reason": "secret field", "paused": False}
    nothing["sees_context"] = False
    secret = {"prefix": START, "input_purpose": "password"}
    assert site.post("/v1/suggest", secret).json() == nothing
    site.service.trial.start()
    try:
        assert site.post("/v1/suggest", secret).json() == {**nothing, "trial": True}
    finally:
        site.service.trial.stop()


def test_each_answer_says_whether_learning_is_paused(site, tmp_path):
    feedback = {"kind": "ghost", "outcome": "dismissed", "p": 0}
    (tmp_path / "a.txt").write_text("One.")

    def told():
        said = [
            site.post("/v1/suggest", {"prefix": "Hi "}),
            site.post("/v1/history", {"text": "Hi", "source": "mail"}),
            site.post("/v1/feedback", feedback),
            site.http.get("/v1/status"),
        ]
        marked = [site.post("/v1/import", {"paths": [str(tmp_path)]}), site.http.get("/v1/nowhere")]
        assert {answer.json()["paused"] for answer in said} == {
            answer.headers["idiolect-paused"] == "true" for answer in [*said, *marked]
        }
        return said[0].json()["paused"]

    assert not told()
    site.post("/v1/pause")
    assert told()
    site.post("/v1/resume")
    assert not told()


def test_rules_for_applications_are_given_and_removed(site):
    built_in = site.http.get("/v1/apps").json()["rules"]
    assert {rule["source"] for rule in built_in} <= {"built in", "built in, always"}
    for rule, shown in (
        ({"rule": "exclude"}, {"rule": "exclude", "context": None}),
        ({"context": "off"}, {"rule": None, "context": "off"}),
    ):
        now = site.post("/v1/apps", {"app": "chat", **rule}).json()["rules"]
        assert [rule for rule in now if rule["source"] == "you"] == [
            {"app": "chat", "source": "you", **shown}
        ]
        assert site.post("/v1/apps", {"app": "chat", "remove": True}).json() == {"rules": built_in}


def test_words_are_decided_about_and_that_is_undone(site):
    added = site.post("/v1/words/add", {"text": "fyi", "kind": "never"}).json()
    [rule] = added["added"]
    assert (rule["kind"], rule["text"], rule["replacement"], rule["source"]) == ("never", "fyi", None, "hand")
    assert added["removed"] == []
    assert site.http.get("/v1/words").json() == {"rules": [rule]}
    assert site.post("/v1/words/undo").json() == {"added": [], "removed": [rule]}
    site.post("/v1/words/add", {"text": "omw", "kind": "always_correct", "replacement": "on my way"})
    assert site.post("/v1/words/remove", {"text": "omw", "kind": "always_correct"}).json()["removed"]
    while "error" not in site.post("/v1/words/undo").json():
        pass  # other tests have decided about words, too
    for path, body, code in (
        ("undo", {}, "nothing-to-undo"),
        ("remove", {"text": "omw"}, "unknown-word"),
        ("add", {"text": " ", "kind": "never"}, "word-refused"),
        ("add", {"kind": "never"}, "invalid-request"),
    ):
        assert site.post(f"/v1/words/{path}", body).json()["error"]["code"] == code


# Bad input


ACCEPTED = {"kind": "word", "outcome": "accepted", "p": 1, "characters": 3}
DISMISSED = {"kind": "word", "outcome": "dismissed", "p": 0.5}
STRETCH = {"suggestions": True, "characters": 9, "seconds": 9, "keys": 9}
BAD = [
    ("suggest", {}, "prefix: this field is needed."),
    ("suggest", {"prefix": 5}, "prefix"),
    ("suggest", {"prefix": CANARY * 5000}, "prefix: this is longer than"),
    ("suggest", {"prefix": "x", "candidates": CANARY}, "candidates"),
    ("suggest", {"prefix": "x", "candidates": 10**30}, "candidates"),
    ("suggest", {"prefix": "x", CANARY: 1}, "prefix, suffix, candidates, ghost_words"),
    ("suggest", [CANARY], "The request"),
    ("suggest", {"prefix": CANARY, "key_ms": -240}, "key_ms"),
    ("suggest", {"prefix": CANARY, "key_ms": "240"}, "key_ms"),
    *(
        ("suggest", {"prefix": "Hi ", "context": context}, "context")
        for context in ([CANARY] * 9, [CANARY, "x" * 100_001], [CANARY, 7], CANARY, {"0": CANARY}, None)
    ),
    ("history", {"text": CANARY}, "source"),
    ("history", {"text": CANARY, "source": "x", "at": CANARY}, "at"),
    ("history", {"text": CANARY, "source": "x", "at": "0001-01-01T00:00:00+14:00"}, "at"),
    ("feedback", {**ACCEPTED, "characters": 0}, "characters: an accepted"),
    ("feedback", {**DISMISSED, "characters": 1}, "characters: a dismissed"),
    ("feedback", {**ACCEPTED, "characters": 10**4 + 1}, "characters"),
    ("feedback", {**ACCEPTED, "words": -1}, "words"),
    ("feedback", {**ACCEPTED, "count": 2}, "count"),
    ("feedback", {**DISMISSED, "count": 0}, "count"),
    ("feedback", {**DISMISSED, "kind": CANARY}, "kind"),
    ("feedback", {**DISMISSED, "p": 1.01}, "p: "),
    ("feedback", {**DISMISSED, "text": CANARY}, "kind, outcome, p"),
    ("feedback", {**DISMISSED, "kind": "correction"}, "word"),
    ("feedback", {**DISMISSED, "kind": "correction", "word": ""}, "word"),
    ("feedback", {**DISMISSED, "kind": "correction", "word": CANARY, "count": 2}, "count"),
    ("feedback", {**DISMISSED, "word": CANARY}, "word"),
    ("trial/stretch", {**STRETCH, "suggestions": CANARY}, "suggestions"),
    ("trial/stretch", {**STRETCH, "seconds": 10**9}, "seconds"),
    *(
        ("slip", {"meant": "he", "typed": typed}, "typed")
        for typed in (CANARY, "", "h7", "HE", "e\n", ["e", "h"], None)
    ),
    ("train", {"budget_s": -1}, "budget_s"),
    ("eval", {"path": "notes.txt"}, "path: a path must be absolute"),
    ("eval", {"chars": 499}, "chars"),
    ("eval", {"train": False}, "train: without a path"),
    ("eval", {"path": "/x", "train": False, "budget_s": 30}, "budget_s: it is the time for training"),
    ("eval", {"mistakes": True, "context": "/y"}, "context: its texts are typed for themselves"),
    ("forget", {"dry_run": True}, "Nothing is selected"),
    ("forget", {"text": ""}, "text: there is nothing in it. Nothing was done: give what is meant"),
    ("forget", {"ids": []}, "ids: there is nothing in it."),
    ("forget", {"ids": [0]}, "ids.0: give a number from 1 on."),
    ("forget", {"ids": [1 << 63]}, "ids.0: give a number up to"),
    ("quiet", {"minutes": 1441}, "minutes: give a number up to 1,440."),
    ("switches", {"keys": {"grey": "Ctrl+Right"}}, "Ctrl+Right is the key of “next” already: name another"),
    ("switches", {"keys": {"grey": "Alt+2"}}, "Alt+2 is the key of “word” already"),
    ("apps", {"app": " ", "rule": "allow"}, "there is nothing in it but white space"),
    ("import", {"paths": [f"relative/{CANARY}"]}, "paths.0: a path must be absolute"),
    ("import", {"paths": [f"/nul/\0{CANARY}"]}, "paths.0"),
    ("export", {"kind": CANARY, "path": "/x"}, "kind"),
    ("use", {}, "adapter"),
    *(
        ("apps", body, "The request: give app and one of rule, context and remove")
        for body in ({"app": CANARY}, {"app": "x", "rule": "allow", "context": "on"})
    ),
]


@pytest.mark.parametrize(("path", "body", "names"), BAD)
def test_a_bad_field_is_named_in_one_sentence_and_its_value_is_not_repeated(site, path, body, names):
    answer = site.post(f"/v1/{path}", body)
    assert answer.status_code == 422
    message = error_of(answer)["message"]
    assert names in message
    assert CANARY not in answer.text
    assert message.endswith(".")
    assert "Input should" not in message, "a library's words"
    assert "\n" not in message


@pytest.mark.parametrize("body", [b"{", b'{"prefix": "\\ud800"}', b"\xff\xfe", b'{"prefix": "a"} x'])
def test_what_is_not_json_is_a_400(site, body):
    answer = site.http.post("/v1/suggest", content=body)
    assert answer.status_code == 400
    assert error_of(answer)["code"] == "malformed-json"


@pytest.mark.parametrize(
    ("path", "names"),
    [(f"report?days={CANARY}", "days"), ("report?days=0", "days"), ("report?days=99999999", "days")],
)
def test_a_bad_query_is_a_422(site, path, names):
    answer = site.http.get(f"/v1/{path}")
    assert answer.status_code == 422
    assert names in error_of(answer)["message"]
    assert CANARY not in answer.text


def test_what_is_not_a_number_is_no_probability():
    with pytest.raises(shapes.InvalidRequestError, match=r"^p: "):
        shapes.parse(b'{"kind": "word", "outcome": "dismissed", "p": NaN}', FeedbackBody)


def test_an_unknown_address_or_method_has_the_same_shape(site):
    missing = site.http.get(f"/v1/{CANARY}")
    assert (missing.status_code, error_of(missing)["code"]) == (404, "no-route")
    assert CANARY not in missing.text
    wrong = site.http.get("/v1/suggest")
    assert (wrong.status_code, error_of(wrong)["code"], wrong.headers["allow"]) == (405, "no-route", "POST")
    assert site.http.delete("/v1/apps").headers["allow"] == "GET, POST"


def test_the_services_own_errors_keep_their_status_and_exit_code(site):
    for path, body, status, code, exit_code in (
        ("use", {"adapter": 99}, 404, "unknown-adapter", 3),
        ("import", {"paths": ["/no/such/path"]}, 404, "no-such-path", 3),
        ("eval", {"path": "/no/such/path"}, 404, "no-such-path", 3),
        *(("train", how, 409, "too-little-text", 9) for how in ({}, {"wait": True}, {"stream": True})),
    ):
        answer = site.post(f"/v1/{path}", body)
        error = error_of(answer)
        assert (answer.status_code, error["code"], error["exit_code"]) == (status, code, exit_code), path


def test_a_mistake_in_the_program_tells_and_logs_nothing_of_the_user(site, round_of, monkeypatch, caplog):
    def broken(*_given, **_more):
        yield {"event": "progress"}
        raise RuntimeError(CANARY)

    monkeypatch.setattr(site.service.suggestions, "suggest_in_steps", broken)
    monkeypatch.setattr(site.service.imports, "add", broken)
    round_of.error = RuntimeError(CANARY)
    round_of.go_on.set()
    with caplog.at_level(logging.INFO):
        plain = site.post("/v1/suggest", {"prefix": "Hi "})
        streamed = site.post("/v1/import", {"paths": ["/notes"]})
        detached = site.post("/v1/train", {"wait": True})
    assert (plain.status_code, error_of(plain)["code"]) == (500, "internal")
    assert events(streamed)[-1]["code"] == "internal"
    assert error_of(detached)["exit_code"] == 70
    written = "\n".join(PlainFormatter().format(record) for record in caplog.records)
    assert written.count("builtins.RuntimeError") == 3
    assert "test_server.py" in written
    for said in (plain.text, streamed.text, detached.text, written):
        assert CANARY not in said
        assert "Traceback" not in said


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["prefix", "at", "ids", "paths", "text", "source", "kind", "p", "x"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=6,
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_are_a_body_or_one_of_two_errors(shared, raw):
    for kind in [route.asked for route in shared.app.answered if route.asked and route.method == "POST"]:
        with contextlib.suppress(shapes.MalformedError, shapes.InvalidRequestError):
            assert isinstance(shapes.parse(raw, kind), kind)


def test_numbers_that_json_lacks_become_null():
    assert shapes.encode({"perplexity": float("inf"), "p": float("nan")}) == b'{"perplexity":null,"p":null}'


# Who waits


def in_background(site, path, body, **headers):
    """Ask over a connection of its own; what comes of it, in the end, is in the list that is returned, too."""
    answers = []

    def ask():
        with site.client(**headers) as http:
            answers.append(http.post(path, json=body))

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, answers


def test_slow_inference_holds_up_nothing_else(site):
    with site.occupied():
        asked, answers = in_background(site, "/v1/suggest", {"prefix": START})
        site.until_asked(2)
        assert site.http.get("/healthz").status_code == 200
        assert site.http.get("/v1/status").status_code == 200
        assert site.http.get("/v1/sources").status_code == 200
        assert not answers
    asked.join(DEADLINE_S)
    assert answers[0].status_code == 200


@pytest.mark.parametrize(
    ("programs", "has_ghost"), [(["one", "one", "one"], True), (["one", "two", "three"], False)]
)
def test_where_many_programs_wait_a_ghost_is_left_out(site, programs, has_ghost):
    with site.occupied():
        asking = []
        for count, program in enumerate(programs):
            body = {"prefix": f"{len(set(programs))} {START}", "app": str(count)}
            asking.append(in_background(site, "/v1/suggest", body, **{"user-agent": program}))
            site.until_asked(count + 2)
    for one, _ in asking:
        one.join(DEADLINE_S)
    assert bool(asking[0][1][0].json()["ghost"]["text"]) is has_ghost


@pytest.mark.parametrize(
    ("begin", "newer", "has_ghost"),
    [("One ", "One {}e", False), ("Two ", "Two the", False), ("Six ", "Six {}", True), ("Ten ", "Hi ", True)],
)
def test_typing_on_gives_up_the_ghost_of_what_was_typed_before(site, begin, newer, has_ghost):
    """Each of a text of its own: what was suggested there before is not forgotten at once."""
    with site.occupied():
        older, answers = in_background(site, "/v1/suggest", {"prefix": begin + START})
        site.until_asked(2)
        other, _ = in_background(site, "/v1/suggest", {"prefix": newer.format(START)})
        site.until_asked(3)
    for one in (older, other):
        one.join(DEADLINE_S)
    assert bool(answers[0].json()["ghost"]["text"]) is has_ghost


def test_what_nobody_waits_for_any_more_is_not_computed(site, made):
    with site.occupied():
        site.leave("/v1/suggest", {"prefix": "gone"})
        for _ in range(2):  # what happens to a connection is noticed before what comes later over another
            assert site.http.get("/healthz").status_code == 200
    assert site.post("/v1/suggest", {"prefix": "here"}).status_code == 200
    assert made == [("here", ())]


def test_who_waits_for_a_round_keeps_no_thread_from_others(site, round_of):
    """More than the forty threads in which other requests are worked on."""
    waiting = [in_background(site, "/v1/train", {"wait": True}) for _ in range(44)]
    for _ in waiting:
        assert round_of.begun.acquire(timeout=DEADLINE_S)
    assert site.http.get("/v1/adapters").status_code == 200
    round_of.go_on.set()
    for thread, answers in waiting:
        thread.join(DEADLINE_S)
        assert answers[0].status_code == 200


def test_beyond_the_limit_clients_are_told_when_to_come_again(site, monkeypatch):
    monkeypatch.setitem(MAX_JOBS, Priority.TYPING, 1)
    with site.occupied():
        first, answers = in_background(site, "/v1/suggest", {"prefix": START})
        site.until_asked(2)
        answer = site.post("/v1/suggest", {"prefix": "one too many"})
        assert (answer.status_code, error_of(answer)["code"]) == (429, "busy")
        assert int(answer.headers["retry-after"]) >= 1
    first.join(DEADLINE_S)
    assert answers[0].status_code == 200


def test_beyond_the_limit_texts_to_be_learned_are_to_come_again(tiny_profile, tmp_path, monkeypatch):
    monkeypatch.setitem(MAX_JOBS, Priority.TYPING, 1)
    begun, go_on = threading.Event(), threading.Event()
    with serving(tiny_profile(tmp_path / "home")) as site:
        add_text = site.service.ingest.add_text

        def add_late(*given, **named):
            begun.set()
            assert go_on.wait(DEADLINE_S)
            return add_text(*given, **named)

        with monkeypatch.context() as until_now:
            until_now.setattr(site.service.ingest, "add_text", add_late)
            first, answers = in_background(site, "/v1/history", {"text": "We sail.", "source": "b"})
            assert begun.wait(DEADLINE_S)
        told = {"kind": "ghost", "outcome": "dismissed", "p": 0.5}
        more = site.post("/v1/history", {"text": "one too many", "source": "b"})
        for answer in (more, site.post("/v1/feedback", told)):
            assert (answer.status_code, error_of(answer)["code"]) == (429, "busy")
            assert int(answer.headers["retry-after"]) >= 1
        go_on.set()
        first.join(DEADLINE_S)
        assert answers[0].json()["stored"]
        assert site.post("/v1/history", {"text": "a", "source": "b"}).status_code == 200


# Streams and the end


def test_an_import_stops_when_its_client_goes_away(site, monkeypatch):
    closed = threading.Event()

    def endless(*_):
        try:
            while True:
                yield {"event": "progress"}
        finally:
            closed.set()

    monkeypatch.setattr(site.service.imports, "add", endless)
    with site.http.stream("POST", "/v1/import", json={"paths": ["/notes"]}) as answer:
        lines = answer.iter_lines()  # held: what is not would end the answer
        next(lines)
        assert not closed.is_set()
    assert closed.wait(DEADLINE_S)


def test_a_training_round_goes_on_when_its_client_goes_away(site, round_of):
    with site.http.stream("POST", "/v1/train", json={"stream": True}) as answer:
        next(answer.iter_lines())
        assert round_of.begun.acquire(timeout=DEADLINE_S)
    assert not round_of.ended.is_set()
    round_of.go_on.set()
    assert round_of.ended.wait(DEADLINE_S)


def test_a_round_that_fails_on_the_way_says_so_last(site, round_of):
    round_of.error = RoundFailedError("The round failed. Try again.")
    round_of.go_on.set()
    last = events(site.post("/v1/train", {"stream": True}))[-1]
    assert last == {
        "event": "error",
        "code": "round-failed",
        "message": "The round failed. Try again.",
        "exit_code": 9,
    }


def test_the_end_of_the_service_ends_its_streams(site, round_of):
    with answering(site.service, site.settings) as ending:
        with ending.http.stream("POST", "/v1/train", json={"stream": True}) as answer:
            lines = answer.iter_lines()
            next(lines)
            ending.stop()
            assert json.loads(next(lines))["code"] == "service-stopping"
        ending.thread.join(DEADLINE_S)
        assert not ending.thread.is_alive()
    assert not round_of.ended.is_set()
