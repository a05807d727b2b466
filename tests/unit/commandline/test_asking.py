"""The command line against a running service without a model: what it asks, and how it tells the answer."""

from __future__ import annotations

import io
import json
import os
import re
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from idiolect.daemon.commandline import progress
from idiolect.daemon.commandline.arguments import read_text
from idiolect.daemon.commandline.client import ServiceClient
from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings

TOY = Path(__file__).parents[2] / "toy"
CANARY = runpy.run_path(str(TOY / "sitecustomize.py"))["CANARY"]
VERDICT_ROWS = ("base", "+ memory", "+ adapter", "+ both")


def test_status_as_json_has_what_other_programs_rely_on(run, service):
    code, out, _ = run(service, "status", "--json")
    status = json.loads(out)
    keys = {"running", "pid", "url", "token_file", "base", "adapter", "entries", "tokens", "training"}
    assert code == 0
    assert keys <= set(status)
    assert status["running"] is True
    assert status["pid"] == process.holder(service)
    assert Path(status["token_file"]).read_text().strip() == process.read_token(service)


def test_status_for_a_person(run, service):
    code, out, _ = run(service, "status")
    assert code == 0
    assert f"pid {process.holder(service)}" in out
    assert str(service.home) in out


def test_suggest(run, service):
    code, out, _ = run(service, "suggest", "Thanks for ", "--json")
    assert code == 0
    assert set(json.loads(out)) == {
        "words",
        "ghost",
        "list",
        "adapter",
        "elapsed_ms",
        "reason",
        "paused",
        "sees_context",
    }
    _, out, _ = run(service, "suggest", "-", typed="Thanks for ")
    assert "[bold]three" in out  # never taken as markup
    assert "\x1b" not in out  # nor as an escape sequence
    words = [line.split()[1] for line in run(service, "suggest", "Thanks for tom")[1].splitlines()[:1]]
    assert words == ["tomone"]  # whole, not what is missing of it
    assert run(service, "suggest", "Thanks for ")[1].splitlines()[0].split()[1] == "one"


def test_the_end_of_a_line_on_stdin_is_no_part_of_what_is_looked_for(monkeypatch):
    for typed, text in (("project x\n", "project x"), ("project x", "project x"), ("one\n\n", "one\n")):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        assert read_text("-") == text


def test_what_stands_on_stdin_reaches_the_service_whole(run, service):
    code, _, err = run(service, "suggest", "-", typed="x" * 100_001)
    assert code == 62
    assert err.startswith("idiolect: prefix: ")
    assert "x" * 9 not in err
    assert run(service, "suggest", "-", typed=f"{'x' * 99_000} ")[0] == 0, "however long a word is"


def test_add_tells_what_was_read_and_skipped(run, service, text):
    code, out, _ = run(service, "add", text, "--json")
    assert code == 0
    assert json.loads(out)["skipped"] == {"binary": 3}
    code, out, _ = run(service, "add", text)
    assert code == 0
    assert re.search(r"Read 1 file, \d+ new entr", out)
    assert "Skipped: 3 binary" in out
    assert "a.jsonl line 12: not JSON" in out


def test_add_understands_paths_relative_to_where_it_is_called(run, service, text, monkeypatch):
    monkeypatch.chdir(text.parent)
    assert run(service, "add", text.name)[0] == 0
    code, _, err = run(service, "add", "absent")
    assert code == 45
    assert str(text.parent / "absent") in err


def test_watch(run, service, text):
    code, out, _ = run(service, "watch", text.parent)
    assert code == 0
    assert f"Following {text.parent}" in out
    assert "not followed" in run(service, "watch", "--remove", text.parent)[1]
    assert "No longer" in run(service, "watch", "--remove", "/a/watched")[1]


def test_watch_asks_where_a_folder_holds_very_much(run, service, tmp_path):
    many = tmp_path / "many"
    many.mkdir()
    for arguments in ((), ("--json",)):
        code, out, err = run(service, "watch", many, *arguments)
        assert (code, out) == (110, "")
        assert "holds more than 5,000 files" in err
    assert run(service, "watch", many, "--yes")[0] == 0
    code, out, err = run(service, "watch", many, typed="n\n", terminal=True)
    assert (code, "Following" in out) == (1, False)
    assert "Follow it all the same?" in out + err
    code, out, _ = run(service, "watch", many, typed="y\n", terminal=True)
    assert (code, "Following" in out) == (0, True)
    assert run(service, "watch", many, "--json", typed="y\n", terminal=True)[0] == 110  # a program reads it


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("watch", "is not followed. What was read of it until now is kept"),
        ("add", "What was read until then is kept: the same command again reads the rest"),
    ],
)
@pytest.mark.parametrize("ended", ["command", "service"])
def test_an_import_that_is_broken_off_says_what_became_of_it(tmp_path, monkeypatch, command, says, ended):
    settings = Settings(home=tmp_path / "home").prepare()
    monkeypatch.setenv("PYTHONPATH", str(TOY), prepend=os.pathsep)
    running, _ = process.start(settings)
    (tmp_path / "wait").mkdir()
    monkeypatch.setenv("IDIOLECT_HOME", str(settings.home))
    monkeypatch.setenv("COLUMNS", "250")
    command = [str(Path(sys.executable).with_name("idiolect")), command, str(tmp_path / "wait")]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
            while not (settings.home / "import begun").exists():
                assert waiting.poll() is None
                time.sleep(0.01)
            if ended == "command":
                waiting.send_signal(signal.SIGINT)
            else:
                os.kill(running.pid, signal.SIGKILL)
            out, err = waiting.communicate()
        assert (waiting.returncode, out) == (130 if ended == "command" else 67, "")
        assert says in err
        assert ("What it has stored is kept" in err) == (ended == "service")
    finally:
        process.stop(settings)


def test_train_waits_for_the_verdict(run, service):
    code, out, _ = run(service, "train", "--wait", "--json")
    assert code == 0
    assert {"status", "reason", "metrics", "tokens_per_s", "seconds", "clock_s"} == set(json.loads(out))
    code, out, _ = run(service, "train", "--wait")
    assert code == 0
    assert [line.strip().split("  ")[0] for line in out.splitlines() if "%" in line][:4] == list(VERDICT_ROWS)
    assert "28.1" in out
    assert "20.00 before, 20.10 after (+0.5%)" in out
    assert "Promoted (the new adapter goes into use): held-out text improves" in out


def test_train_in_the_background(run, service):
    code, out, _ = run(service, "train", "--json")
    assert (code, json.loads(out)) == (0, {"started": True})


@pytest.mark.parametrize(
    ("budget", "code", "says"), [(1, 21, "a round needs 2,000"), (3, 22, "round failed"), (4, 70, "log")]
)
def test_a_round_that_comes_to_nothing_has_its_own_exit_code(run, service, budget, code, says):
    left, out, err = run(service, "train", "--wait", "--json", "--budget", budget)
    assert (left, out) == (code, "")
    assert says in err
    assert CANARY not in err


def test_report_and_what_status_says_of_it(run, service):
    code, out, _ = run(service, "report", "--days", "7")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert code == 0
    assert lines[0] == (
        "Saved in the last 7 days: 1,262 keystrokes, 7 of 16 suggestions accepted. Days are UTC's."
    )
    assert "2026-01-30 word 4 3 1,234 3 1,231" in lines
    assert "base 4 3 1,234 3 1,231" in lines
    assert "0% to 10% – 0% of 7" in lines
    assert "80% to 90% 75% of 4 –" in lines
    assert not [line for line in lines if line.startswith("90% ")]
    code, out, _ = run(service, "report", "--json")
    assert (code, json.loads(out)["days"]) == (0, 30)
    code, out, _ = run(service, "report", "--days", "1")
    assert (code, out.count("\n")) == (0, 1)
    assert out.startswith("No suggestion was taken or passed over today.")
    assert "`idiolect setup`" in out
    assert run(service, "report", "--days", "0")[0] == 2
    assert run(service, "report", "--days", "4000")[0] == 62
    assert "1,262 keystrokes (0 today), 7 of 16 suggestions accepted" in run(service, "status")[1]
    assert json.loads(run(service, "status", "--json")[1])["savings"]["today"]["saved"] == 0


def test_adapters_and_use(run, service):
    code, out, _ = run(service, "adapters", "--json")
    assert code == 0
    about = {"id", "parent", "created_at", "status", "rank", "size_bytes", "entries_seen"}
    assert about | {"metrics", "reason", "kept"} == set(json.loads(out)[0])
    assert "active" in run(service, "adapters")[1]
    assert run(service, "use", "base")[:2] == (0, "Serving the base model alone.\n")
    assert run(service, "use", "1")[:2] == (0, "Serving adapter 1.\n")
    assert run(service, "use", "99")[0] == 41
    assert run(service, "use", "last")[0] == 2


def test_pause_and_resume(run, service):
    assert run(service, "pause", "--for", "1h30m")[:2] == (0, "Paused for 1h30m.\n")
    assert run(service, "pause")[0] == 0
    assert run(service, "resume")[:2] == (0, "Learning again.\n")
    for wrong in ("", "1", "m", "30m1h", "0m", "1.5h"):
        assert run(service, "pause", "--for", wrong)[0] == 2


def test_status_says_that_learning_is_paused(run, service):
    assert "listening" in run(service, "status")[1]
    run(service, "pause")
    assert "paused until `idiolect resume`" in run(service, "status")[1]
    run(service, "resume")


def test_switches_are_shown_and_set(run, service):
    code, out, _ = run(service, "switch")
    assert code == 0
    assert out.splitlines() == [
        "corrections  offer   the right word is offered (else: off or apply)",
        "show         auto    words and grey text appear where they save time at your speed "
        "(else: more or less or asked)",
        "Grey text is held back of late, since 3 of 111 were taken. `idiolect switch show more` shows it again "
        "wherever it is likely.",
    ]
    assert "show         asked" in run(service, "switch", "show", "asked")[1]
    assert "grey text  none by itself" in run(service, "status")[1]
    assert json.loads(run(service, "switch", "corrections", "off", "--json")[1]) == {
        "corrections": "off",
        "show": "asked",
    }
    assert "show         auto" in run(service, "switch", "show", "auto")[1]
    assert "corrections  off" in run(service, "switch", "corrections")[1], "without a value it is shown"
    for wrong in (("corrections", "always"), ("show", "apply"), ("sound", "off")):
        assert run(service, "switch", *wrong)[0] == 2


def test_a_trial_is_begun_told_of_and_ended(run, service):
    assert run(service, "trial")[1] == "There was no trial yet. `idiolect trial start` begins one.\n"
    code, _, error = run(service, "trial", "stop")
    assert (code, "No trial runs" in error) == (126, True)
    code, _, error = run(service, "trial", "start")
    assert (code, "--yes" in error) == (2, True), "it asks first"
    assert "It has begun. Not enough yet: 0 of 240" in run(service, "trial", "start", "--yes")[1]
    with ServiceClient(service) as client:
        told = {"suggestions": True, "characters": 120, "seconds": 31.2, "keys": 80}
        assert client.post("/v1/suggest", {"prefix": "See you tomo"})["trial"]
        assert client.post("/v1/trial/stretch", told) == {"counted": True, "running": True}
    code, _, error = run(service, "trial", "start", "--yes")
    assert (code, "goes on. Not enough yet: 1 of 240" in error) == (125, True)
    assert json.loads(run(service, "trial", "--json")[1])["stretches"] == 1
    assert "after 1 stretch of writing, too few" in run(service, "trial", "stop")[1]
    with ServiceClient(service) as client:
        assert "trial" not in client.post("/v1/suggest", {"prefix": "See you tomo"})


def test_status_says_how_fast_its_user_types_once_that_was_measured(run, service):
    assert "minute" not in run(service, "status")[1]
    with ServiceClient(service) as client:
        client.post("/v1/suggest", {"prefix": "See you tomo", "key_ms": 250})
    assert "speed      you type about 48 words a minute" in run(service, "status")[1].splitlines()
    assert json.loads(run(service, "status", "--json")[1])["key_ms"] == 250


def test_status_and_doctor_say_that_grey_text_is_held_back(run, service):
    lines = run(service, "status")[1].splitlines()
    assert (
        "grey text  held back of late, since 3 of 111 were taken. `idiolect switch show more` shows it again "
        "wherever it is likely."
    ) in lines
    found = json.loads(run(service, "doctor", "--json")[1])
    [told] = [one for one in found if one["check"] == "grey text"]
    assert (told["level"], "3 of 111" in told["found"]) == ("note", True)
    assert "idiolect switch show more" in told["mend"]


def test_rules_for_applications(run, service):
    code, out, _ = run(service, "apps")
    assert code == 0
    assert "*terminal*" not in out
    assert "suggests only in terminals (1 rule). `idiolect apps --all` lists them." in out
    assert "*terminal* suggests only built in" in " ".join(run(service, "apps", "--all")[1].split())
    code, out, _ = run(service, "apps", "exclude", "*[red]chat*")
    assert code == 0
    assert out.splitlines()[3].split() == ["*[red]chat*", "off", "you"]  # the user's own come first
    assert "Undo: idiolect apps undo" in out
    code, out, _ = run(service, "apps", "undo")
    assert (code, "chat" in out, "Undo" in out) == (0, False, False)
    assert run(service, "apps", "undo")[0] == 102
    rules = json.loads(run(service, "apps", "quiet", "notes", "--json")[1])
    assert rules[0] == {"app": "notes", "rule": "quiet", "source": "you", "context": None}
    shown = run(service, "apps", "context", "*mail*", "off")[1]
    assert "*mail* does not see what you answer you" in " ".join(shown.split())
    assert "*mail* sees what you answer you" in " ".join(
        run(service, "apps", "context", "*mail*", "on")[1].split()
    )
    for wrong in (
        ("allow",),
        ("list", "x"),
        ("undo", "x"),
        ("context", "x", "maybe"),
        ("forbid", "x"),
        ("undo", "--all"),
    ):
        assert run(service, "apps", *wrong)[0] == 2


def test_words_are_decided_about(run, service):
    assert "No word was decided about yet" in run(service, "words")[1]
    code, out, _ = run(service, "words", "never", "f[red]yi\x1b[2J")
    assert (code, out) == (0, "“f[red]yi [2J” is never suggested.\nUndo: idiolect words undo\n")
    assert "f[red]yi" in run(service, "words", "list")[1]
    assert "No longer:" in run(service, "words", "undo")[1]
    code, _, err = run(service, "words", "undo")
    assert (code, err.splitlines()[0]) == (
        102,
        "idiolect: There is nothing to undo: no word was added or removed.",
    )
    change = json.loads(run(service, "words", "mine", "Zorvelin", "--json")[1])
    assert [rule["kind"] for rule in change["added"]] == ["mine"]
    assert json.loads(run(service, "words", "--json")[1])[0]["text"] == "Zorvelin"
    assert run(service, "words", "remove", "zorvelin")[0] == 0
    for wrong in (("never",), ("list", "x"), ("undo", "x"), ("sometimes", "x")):
        assert run(service, "words", *wrong)[0] == 2


def test_export_writes_where_the_user_is(run, service, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(service, "export", "peft", "out")[:2] == (0, f"{tmp_path / 'out'}\n")
    assert run(service, "export", "zip", "out")[0] == 2


def test_a_proxy_is_not_asked(run, service, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert run(service, "adapters")[0] == 0


def test_a_wrong_token_is_one_sentence(run, service):
    kept = service.token_path.read_text()
    try:
        service.token_path.write_text("wrong")
        code, _, err = run(service, "adapters")
        assert (code, err.count("\n")) == (61, 1)
        service.token_path.unlink()
        code, _, err = run(service, "adapters")
        assert (code, str(service.token_path) in err) == (61, True)
    finally:
        service.token_path.write_text(kept)
        service.token_path.chmod(0o600)


def test_token_names_a_file_for_each_scope_and_makes_another_that_is_good_at_once(run, service):
    status = json.loads(run(service, "status", "--json")[1])
    for scope, path in status["token_files"].items():
        assert run(service, "token", "--scope", scope) == (0, f"{path}\n", "")
    assert run(service, "token")[1].strip() == status["token_file"]
    kept = process.read_token(service)
    assert run(service, "token", "--show")[1].strip() == kept
    said = json.loads(run(service, "token", "--json")[1])
    assert said == {"scope": "admin", "path": status["token_file"], "token": None}
    assert json.loads(run(service, "token", "--show", "--json")[1])["token"] == kept
    code, out, _ = run(service, "token", "--rotate")
    assert (code, kept in out) == (0, False)
    assert process.read_token(service) != kept
    assert run(service, "status", "--json")[0] == 0


def test_token_needs_no_service(run, tmp_path):
    code, out, _ = run(tmp_path / "new", "token", "--scope", "suggest")
    assert (code, Path(out.strip()).stat().st_mode & 0o777) == (0, 0o600)
    assert run(tmp_path / "new", "token", "--scope", "everything")[0] == 2


def test_a_service_that_dies_in_mid_answer_is_one_sentence(run, tmp_path, monkeypatch):
    settings = Settings(home=tmp_path / "home").prepare()
    monkeypatch.setenv("PYTHONPATH", str(TOY), prepend=os.pathsep)
    running, _ = process.start(settings)

    def die(*_):
        os.kill(running.pid, signal.SIGKILL)

    monkeypatch.setattr(progress._Bars, "show", die)  # called at the round's first event
    code, _, err = run(settings, "train", "--wait", "--budget", "2")
    assert (code, err.count("\n")) == (67, 1)


def test_one_who_stops_waiting_is_told_that_the_round_goes_on(program, tmp_path, monkeypatch):
    settings = Settings(home=tmp_path / "home").prepare()
    monkeypatch.setenv("PYTHONPATH", str(TOY), prepend=os.pathsep)
    process.start(settings)
    monkeypatch.setenv("IDIOLECT_HOME", str(settings.home))
    command = [str(Path(sys.executable).with_name("idiolect")), "train", "--wait", "--budget", "2"]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
            assert waiting.stderr.readline() == "training …\n"
            waiting.send_signal(signal.SIGINT)
            out, err = waiting.communicate()
        assert (waiting.returncode, out) == (130, "")
        assert "goes on in the background" in err
        assert "Traceback" not in err
        assert "training (learning how you write, 25%)" in program(settings.home, "status").stdout
    finally:
        process.stop(settings)
