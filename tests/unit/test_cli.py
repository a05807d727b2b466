"""The command line, in this process, against a running service without a model."""

from __future__ import annotations

import io
import json
import os
import re
import runpy
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.main import get_command

from idiolect.daemon.commandline import cli, health_checks, progress, service_process
from idiolect.daemon.commandline.arguments import read_text
from idiolect.daemon.commandline.interrupts import is_interrupt
from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage import marker, opening

TOY = Path(__file__).parents[1] / "toy"
CANARY = runpy.run_path(str(TOY / "sitecustomize.py"))["CANARY"]
VERDICT_ROWS = ("base", "+ memory", "+ adapter", "+ both")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A profile with a running service, for the tests that only ask it."""
    settings = Settings(home=tmp_path_factory.mktemp("profile") / "home").prepare()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TOY), prepend=os.pathsep)
        process.start(settings)
    yield settings
    process.stop(settings)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command in a profile; gives its exit code, what it printed, and its error output."""

    def run(profile, *arguments, typed="", columns=120):
        home = profile.home if isinstance(profile, Settings) else profile
        monkeypatch.setenv("IDIOLECT_HOME", str(home))
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys, "argv", ["idiolect", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        return left.value.code, out, err

    return run


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("Hello.\n")
    return path


def program(home, *arguments, **more):
    """The same as a user runs it, with the toys in place of the service and the base model's build."""
    path = os.pathsep.join(filter(None, (str(TOY), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "IDIOLECT_HOME": str(home), "PYTHONPATH": path, "COLUMNS": "120"}
    command = [str(Path(sys.executable).with_name("idiolect")), *map(str, arguments)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=60, **more
    )


# --- with a service ---


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
    assert set(json.loads(out)) == {"words", "ghost", "adapter", "elapsed_ms", "reason", "paused"}
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


class Terminal(io.StringIO):
    """A terminal at which somebody types."""

    def isatty(self):
        return True


def test_watch_asks_where_a_folder_holds_very_much(run, service, tmp_path, monkeypatch):
    many = tmp_path / "many"
    many.mkdir()
    for arguments in ((), ("--json",)):
        code, out, err = run(service, "watch", many, *arguments)
        assert (code, out) == (110, "")
        assert "holds more than 5,000 files" in err
    assert run(service, "watch", many, "--yes")[0] == 0
    monkeypatch.setattr(io, "StringIO", Terminal)
    code, out, err = run(service, "watch", many, typed="n\n")
    assert (code, "Following" in out) == (1, False)
    assert "Follow it all the same?" in out + err
    code, out, _ = run(service, "watch", many, typed="y\n")
    assert (code, "Following" in out) == (0, True)
    assert run(service, "watch", many, "--json", typed="y\n")[0] == 110  # a program reads it


def test_a_watch_that_is_broken_off_says_what_became_of_it(tmp_path, monkeypatch):
    settings = Settings(home=tmp_path / "home").prepare()
    monkeypatch.setenv("PYTHONPATH", str(TOY), prepend=os.pathsep)
    process.start(settings)
    (tmp_path / "wait").mkdir()
    monkeypatch.setenv("IDIOLECT_HOME", str(settings.home))
    monkeypatch.setenv("COLUMNS", "250")
    command = [str(Path(sys.executable).with_name("idiolect")), "watch", str(tmp_path / "wait")]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
            while not (settings.home / "import begun").exists():
                assert waiting.poll() is None
                time.sleep(0.01)
            waiting.send_signal(signal.SIGINT)
            out, err = waiting.communicate(timeout=30)
        assert (waiting.returncode, out) == (130, "")
        assert "is not followed. What was read of it until now is kept" in err
    finally:
        process.stop(settings)


def test_train_waits_for_the_verdict(run, service):
    code, out, _ = run(service, "train", "--wait", "--json")
    assert code == 0
    assert {"status", "reason", "metrics", "tokens_per_s", "seconds"} == set(json.loads(out))
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
    assert out.startswith("No feedback today. A program that shows suggestions tells")
    assert "`POST /v1/feedback`" in out
    assert run(service, "report", "--days", "0")[0] == 2
    assert run(service, "report", "--days", "4000")[0] == 62
    assert "1,262 keystrokes (0 today), 7 of 16 suggestions accepted" in run(service, "status")[1]
    assert json.loads(run(service, "status", "--json")[1])["savings"]["today"]["saved"] == 0


def arms_of(out):
    """What the first column of the first table says."""
    lines = iter(out.splitlines())
    assert any("────" in line for line in lines)
    rows = [line.split() for line in iter(lambda: next(lines).strip(), "")]
    return [row[0] for row in rows if row[0][0].isalpha()]


def test_an_evaluation_says_in_a_sentence_and_three_rows_what_it_is_worth(run, service):
    code, out, _ = run(service, "eval", columns=60)
    assert code == 0
    first, *rest = out.splitlines()
    assert first.startswith("It saves about 40 of 100 keystrokes with three words on offer")
    cells = [line.split() for line in rest]
    assert [row[0] for row in cells if row and row[-1].isdigit()] == ["one", "three", "grey"]
    assert rest[-1] == "`--all` shows each part of the program, with intervals and times."


def test_an_evaluation_of_the_own_history(run, service):
    code, out, err = run(service, "eval", "--all")
    assert code == 0
    assert out.startswith(
        "Typed 12 messages, 800 characters, after a history of 1,234 with 56,789. Keystrokes saved, with 95 %"
    )
    assert arms_of(out) == ["base", "context", "memory"]
    assert "Without 3 messages that repeat others:" in out
    assert out.count("38.0–42.0") == 4  # context with 5 words and memory with 3, in both tables
    assert "0: 40.0%, 1,700: 40.0%, 56,789: 40.0%." in out
    assert out.splitlines()[-1] == (
        "No adapter is served, so there is no row with one. `idiolect train --wait` makes one."
    )
    *progress, page = err.splitlines()
    assert progress == ["prepare …", "type: base …"]
    assert page.startswith("The page is ")
    assert "<svg" in Path(page.removeprefix("The page is ").removesuffix(".")).read_text("utf-8")


def test_an_evaluation_of_a_corpus_tells_the_verdict(run, service, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(service, "eval", "notes", "--all", "--budget", "90", "--chars", "600", "--seed", "5")
    assert code == 0
    assert arms_of(out) == ["base", "context", "memory", "adapter", "both"]
    assert "Without" not in out
    assert out.splitlines()[-1] == "The adapter: promoted: it gains; its round took 1:38."
    assert "would not be served" in run(service, "eval", "refused", "--all")[1]
    assert "--no-train" in run(service, "eval", "notes", "--no-train", "--all")[1].splitlines()[-1]
    code, out, _ = run(service, "eval", "few", "--all")
    assert (code, arms_of(out)) == (0, ["base", "context", "memory"])
    assert out.endswith("since none could be trained: the history has 12 tokens and a round needs 2,000.\n")


def test_an_evaluation_fits_into_a_narrow_terminal(run, service):
    code, out, _ = run(service, "eval", "/notes", "--all", columns=80)
    assert code == 0
    table = out.split("intervals:\n")[1].split("Without")[0]
    assert "…" not in table
    assert max(map(len, table.splitlines())) <= 80


def test_an_evaluation_as_json_and_as_a_page(run, service, tmp_path):
    page = tmp_path / "eval.html"
    code, out, err = run(service, "eval", "/notes", "--json", "--html", page)
    found = json.loads(out)
    assert code == 0
    assert {*found} == {"made", "seed", "source", "history", "test", "adapter", "arms", "growth"}
    assert err == f"The page is {page}.\n"
    assert page.read_text("utf-8").lstrip().lower().startswith("<!doctype html>")
    assert "/notes" in page.read_text("utf-8")


def test_without_matplotlib_an_evaluation_has_no_page(run, service, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = run(service, "eval", "/notes")
    assert code == 0
    assert out.startswith("It saves about")
    assert "The page" not in err
    code, out, err = run(service, "eval", "--html", tmp_path / "eval.html")
    assert (code, out) == (2, "")
    assert "idiolect[plots]" in err


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--no-train",), "PATH"),
        (("--budget", "60"), "PATH"),
        (("/notes", "--no-train", "--budget", "60"), "--budget"),
        (("--html", "/no/such/folder/eval.html"), "folder"),
        (("--html", "/tmp"), "folder"),
        (("--chars", "10"), "--chars"),
        (("--seed", "-1"), "--seed"),
    ],
)
def test_options_of_an_evaluation_that_cannot_be_meant(run, service, options, names):
    code, out, err = run(service, "eval", *options)
    assert (code, out) == (2, "")
    assert names in err


def test_an_evaluation_that_comes_to_nothing_has_its_own_exit_code(run, service, tmp_path):
    assert run(service, "eval", "/absent")[:2] == (45, "")
    code, out, err = run(service, "eval", "--seed", "3", "--html", tmp_path / "eval.html")
    assert (code, out) == (23, "")
    assert "was ended" in err
    assert not (tmp_path / "eval.html").exists()
    code, _, err = run(service, "eval", "--seed", "4")
    assert code == 70
    assert CANARY not in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk here that is always full")
def test_a_page_that_cannot_be_written_is_said_after_the_figures(run, service):
    code, out, err = run(service, "eval", "--html", "/dev/full")
    assert code == 51
    assert out.startswith("It saves about")
    assert err.splitlines()[-1].startswith("idiolect: /dev/full cannot be written: No space left on device.")


def test_one_who_stops_waiting_ends_the_evaluation(tmp_path, monkeypatch):
    settings = Settings(home=tmp_path / "home").prepare()
    monkeypatch.setenv("PYTHONPATH", str(TOY), prepend=os.pathsep)
    process.start(settings)
    monkeypatch.setenv("IDIOLECT_HOME", str(settings.home))
    command = [str(Path(sys.executable).with_name("idiolect")), "eval", "--seed", "2"]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
            while waiting.stderr.readline() != "type: memory …\n":
                assert waiting.poll() is None
            waiting.send_signal(signal.SIGINT)
            out, err = waiting.communicate(timeout=30)
        assert (waiting.returncode, out) == (130, "")
        # Interrupted while it wrote, rich writes the line before once more.
        assert err.removeprefix("type: memory …\n") == "The evaluation is ended; nothing of it is kept.\n"
        deadline = time.monotonic() + 30
        while not (settings.home / "eval closed").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        process.stop(settings)


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


def test_forget_asks_unless_told_not_to(run, service):
    code, out, err = run(service, "forget", "--text", "project")
    assert code == 2, err
    assert "--yes" in err
    code, out, _ = run(service, "forget", "--text", "project", "--yes")
    assert code == 0
    assert out.splitlines() == [
        "Forgot 3 entries of 45 tokens and 2 adapters that learned from it (1, 2).",
        "Serving the base model alone.",
        "A training round without the text is queued; `idiolect status` says when it starts.",
        "Not reached: the files that the text came from; exports, backups and copies of the profile; swap space and "
        "snapshots of the file system.",
        "Receipt 7; `idiolect forget --receipts` lists them.",
        "It is suggested no more.",
    ]
    code, out, _ = run(service, "forget", "--text", "project", "--dry-run")
    assert out.splitlines()[:2] == [
        "Would forget 3 entries of 45 tokens and 2 adapters that learned from it (1, 2).",
        "Then serving the base model alone.",
    ]
    assert "Receipt" not in out
    assert "queued" not in out
    code, out, _ = run(service, "forget", "--id", "4", "--since", "2026-01-31", "--dry-run", "--json")
    told = json.loads(out)
    assert (code, told["dry_run"], told["receipt"], len(told["not_reached"])) == (0, True, None, 3)
    assert json.loads(run(service, "forget", "--receipts", "--json")[1])[0]["conditions"] == ["text"]
    assert "2026-01-31 10:30" in run(service, "forget", "--receipts")[1]
    assert run(service, "forget", "--receipts", "--text", "x")[0] == 2
    assert run(service, "forget", "--text", "nothing")[:2] == (0, "Nothing matches.\n")
    assert "It is suggested no more." in run(service, "forget", "--text", "project", "--yes")[1]
    out = run(service, "forget", "--text", "slow", "--yes")[1]
    assert "Not all of it could be tried in time" in out
    assert "no more" not in out
    assert run(service, "forget")[0] == 43
    assert run(service, "forget", "--until", "tomorrow")[0] == 2
    assert run(service, "forget", "--text", " ", "--yes")[0] == 43
    assert run(service, "forget", "--text", "-", "--yes", typed="\0zebra-never-typed")[0] == 120


def test_what_is_much_is_only_forgotten_by_its_number(run, service):
    code, out, err = run(service, "forget", "--text", "e", "--yes")
    assert (code, out) == (122, "")
    assert err.splitlines() == [
        "idiolect forget --text e --yes --expect 1068",
        "idiolect: This would take 1,068 of all 1,091 entries, more than a tenth: for so much --yes is not enough. "
        "Nothing was forgotten. If all of it is meant, add --expect 1068, as above.",
    ]
    code, _, err = run(service, "forget", "--text", "e")
    assert (code, "--expect 1068" in err) == (2, True)
    code, _, err = run(service, "forget", "--text", "e", "--yes", "--expect", "1067")
    assert code == 121
    assert "1,068 of 1,091 entries now, not 1,067" in err
    assert run(service, "forget", "--text", "e", "--dry-run")[0] == 0
    code, out, _ = run(service, "forget", "--text", "e", "--yes", "--expect", "1068")
    assert (code, out.split(" of ")[0]) == (0, "Forgot 1,068 entries")
    assert run(service, "forget", "--text", "project", "--yes", "--expect", "3")[0] == 0
    assert run(service, "forget", "--text", "project", "--yes", "--expect", "2")[0] == 121
    assert run(service, "forget", "--receipts", "--expect", "2")[0] == 2


@pytest.mark.parametrize("given", [["--text", "e", "--yes", "--"], ["--yes", "--app", "--", "--text", "e"]])
def test_the_command_that_is_shown_with_the_number_works(run, service, given):
    code, _, err = run(service, "forget", *given)
    shown = shlex.split(err.splitlines()[0])
    assert (code, shown[1]) == (122, "forget")
    assert run(service, *shown[1:])[0] == 0


@pytest.mark.parametrize(("typed", "forgotten"), [("y\nn\n", 1), ("y\ny\n", 2), ("n\n", 0), ("y\n", 1)])
def test_in_a_terminal_what_is_nearly_the_same_is_offered(run, service, monkeypatch, typed, forgotten):
    monkeypatch.setattr(io, "StringIO", Terminal)
    code, out, _ = run(service, "learned", "--forget", "kind regards", typed=typed)
    assert code == (0 if forgotten else 1)
    assert out.count("Forgot 3 entries") == forgotten
    assert ("Forget these, too? That takes 3 entries" in out) is (forgotten > 0)


def test_in_a_terminal_the_number_is_typed(run, service, monkeypatch):
    monkeypatch.setattr(io, "StringIO", Terminal)
    for typed, ended in (("y\n", 1), ("\n", 1), ("1067\n", 1), ("1068\n", 0)):
        code, out, _ = run(service, "forget", "--text", "e", typed=typed)
        assert code == ended
        assert ("Forgot 1,068 entries" in out) is (ended == 0)
        assert "more than a tenth of all 1,091 entries. To go on, type how many" in out


def test_pause_and_resume(run, service):
    assert run(service, "pause", "--for", "1h30m")[:2] == (0, "Paused for 1h30m.\n")
    assert run(service, "pause")[0] == 0
    assert run(service, "resume")[:2] == (0, "Learning again.\n")
    for wrong in ("", "1", "m", "30m1h", "0m", "1.5h"):
        assert run(service, "pause", "--for", wrong)[0] == 2


def test_status_says_that_learning_is_paused(run, service):
    assert "listening" in run(service, "status")[1]
    run(service, "pause")
    assert "paused" in run(service, "status")[1]
    run(service, "resume")


def test_rules_for_applications(run, service):
    code, out, _ = run(service, "apps")
    assert code == 0
    assert "*terminal*" in out
    assert "suggests, learns nothing" in out
    code, out, _ = run(service, "apps", "exclude", "*[red]chat*")
    assert code == 0
    assert "*[red]chat*" in out
    assert "Undo: idiolect apps undo" in out
    assert "chat" not in run(service, "apps", "undo")[1]
    assert run(service, "apps", "undo")[0] == 102
    rules = json.loads(run(service, "apps", "quiet", "notes", "--json")[1])
    assert rules[0] == {"app": "notes", "rule": "quiet", "source": "you"}
    for wrong in (("allow",), ("list", "x"), ("undo", "x"), ("forbid", "x")):
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

    monkeypatch.setattr(progress, "_print_phase", die)  # called at the round's first event
    code, _, err = run(settings, "train", "--wait", "--budget", "2")
    assert (code, err.count("\n")) == (67, 1)


def test_one_who_stops_waiting_is_told_that_the_round_goes_on(tmp_path, monkeypatch):
    settings = Settings(home=tmp_path / "home").prepare()
    monkeypatch.setenv("PYTHONPATH", str(TOY), prepend=os.pathsep)
    process.start(settings)
    monkeypatch.setenv("IDIOLECT_HOME", str(settings.home))
    command = [str(Path(sys.executable).with_name("idiolect")), "train", "--wait", "--budget", "2"]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
            assert waiting.stderr.readline() == "training …\n"
            waiting.send_signal(signal.SIGINT)
            out, err = waiting.communicate(timeout=30)
        assert (waiting.returncode, out) == (130, "")
        assert "goes on in the background" in err
        assert "Traceback" not in err
        assert "training (train, 25%)" in program(settings.home, "status").stdout
    finally:
        process.stop(settings)


# --- without a service ---

NEEDS_SERVICE = [
    ("suggest", "x"),
    ("add", "/tmp"),
    ("watch", "/tmp"),
    ("train",),
    ("adapters",),
    ("report",),
    ("eval",),
    ("use", "base"),
    ("forget", "--text", "x"),
    ("export", "peft", "/tmp/x"),
    ("pause",),
    ("resume",),
    ("apps",),
    ("words",),
]


@pytest.mark.parametrize("command", NEEDS_SERVICE, ids=lambda command: command[0])
def test_what_needs_the_service_says_so(run, tmp_path, command):
    code, out, err = run(tmp_path / "home", *command)
    assert (code, out) == (60, "")
    assert (
        err
        == f"idiolect: No service runs for the profile {tmp_path / 'home'}. Start it with `idiolect start`.\n"
    )
    assert not (tmp_path / "home").exists()


def test_status_and_stop_work_without_a_service(run, tmp_path):
    code, out, _ = run(tmp_path / "home", "status", "--json")
    status = json.loads(out)
    assert (code, status["running"], status["pid"], status["training"]) == (0, False, None, None)
    assert {"url", "token_file", "base", "adapter", "entries", "tokens"} <= set(status)
    assert run(tmp_path / "home", "status")[0] == 0
    code, out, _ = run(tmp_path / "home", "stop")
    assert (code, out) == (0, f"No service runs for the profile {tmp_path / 'home'}.\n")


def test_status_tells_when_the_store_was_read_in_one_form_with_and_without_a_service(
    run, tmp_path, monkeypatch
):
    settings = Settings(home=tmp_path / "home", keyring=False).prepare()
    monkeypatch.setenv("IDIOLECT_KEYRING", "false")
    monkeypatch.setenv("PYTHONPATH", str(TOY), prepend=os.pathsep)
    opening.open_store(settings).close()
    inode = settings.store_path.stat().st_ino
    at = datetime.now(UTC).replace(microsecond=0)
    marker.note_check(settings, marker.Check(at, sound=True, inode=inode))
    without = json.loads(run(settings, "status", "--json")[1])["store"]
    process.start(settings)
    try:
        asked = json.loads(run(settings, "status", "--json")[1])["store"]
    finally:
        process.stop(settings)
    assert without == asked
    assert datetime.fromisoformat(without["checked_at"]) == at
    assert "T" in without["checked_at"], "ISO 8601"


def test_a_profile_at_links_in_a_circle_is_one_sentence(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for command in ("status", "start", "doctor"):
        ran = program(tmp_path / "a", command)
        assert "Traceback" not in ran.stderr
        assert "symbolic links" in ran.stdout + ran.stderr
        assert ran.returncode == (69 if command == "doctor" else 31)


def test_nothing_escapes_from_the_handler_of_what_was_not_expected(tmp_path, monkeypatch, capsys):
    """Neither where the settings cannot be had nor where the log cannot be written."""
    monkeypatch.setattr(sys, "argv", ["idiolect", "status"])

    def broken(*_):
        raise RuntimeError("a word of the user's")

    monkeypatch.setattr(cli, "app", broken)
    monkeypatch.setattr(cli, "load_settings", broken)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == cli.EXIT_UNEXPECTED
    said = capsys.readouterr().err
    assert "Something unexpected went wrong (RuntimeError)" in said
    assert "a word" not in said


def test_a_bad_setting_is_one_sentence(run, tmp_path, monkeypatch):
    monkeypatch.setenv("IDIOLECT_PORT", "many")
    code, _, err = run(tmp_path, "status")
    assert code == 30
    assert "IDIOLECT_PORT" in err
    assert err.count("\n") == 1


def test_a_mistake_in_the_program_names_the_log_and_quotes_nobody(run, tmp_path, monkeypatch):
    def broken(_settings):
        raise ValueError(CANARY)

    monkeypatch.setattr(process, "stop", broken)
    code, out, err = run(tmp_path / "home", "stop")
    log = tmp_path / "home" / "log" / "idiolect.log"
    assert (code, out) == (70, "")
    assert err == f"idiolect: Something unexpected went wrong (ValueError). Where it was is in {log}.\n"
    assert "builtins.ValueError" in log.read_text()
    assert CANARY not in log.read_text()


def test_an_interruption_is_quiet(run, tmp_path, monkeypatch):
    def interrupted(_settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(process, "stop", interrupted)
    assert run(tmp_path, "stop") == (130, "", "")


def test_doctor(run, service, tmp_path, monkeypatch):
    found = health_checks.Finding("base model", "ok", "here")
    monkeypatch.setitem(health_checks._CHECKS, "base model", lambda _settings: [found])
    code, out, _ = run(service, "doctor", "--json")
    findings = {finding["check"]: finding for finding in json.loads(out)}
    assert code == 0
    assert findings["service"]["level"] == "ok"
    service.token_path.chmod(0o644)
    try:
        code, out, _ = run(service, "doctor")
    finally:
        service.token_path.chmod(0o600)
    assert code == 69
    assert f"chmod go-rwx {service.token_path}" in out
    assert run(tmp_path / "new", "doctor")[0] == 0
    monkeypatch.setenv("IDIOLECT_PORT", "many")
    assert run(service, "doctor")[0] == 69


# --- the whole program ---


def test_start_stop_and_a_second_start(tmp_path):
    home = tmp_path / "home"
    try:
        first = program(home, "start")
        assert first.returncode == 0, first.stderr
        assert first.stdout.startswith("Started: http://127.0.0.1:")
        assert "Fetching the base model" in first.stderr
        second = program(home, "start")
        assert (second.returncode, second.stderr) == (0, "")
        assert second.stdout == first.stdout.replace("Started", "Already running")
    finally:
        stopped = program(home, "stop")
    assert (stopped.returncode, stopped.stdout) == (0, f"Stopped the service for the profile {home}.\n")


def test_start_tells_why_the_service_cannot_run(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        failed = program(tmp_path / "home", "start", "--port", port)
    assert (failed.returncode, failed.stdout) == (56, "")
    assert failed.stderr.splitlines()[-1].startswith(f"idiolect: Port {port} on 127.0.0.1")
    assert program(tmp_path / "home", "start", "--port", "99999").returncode == 30


def test_start_waits_no_longer_for_a_service_that_hangs(run, tmp_path, monkeypatch):
    settings = Settings(home=tmp_path / "home").prepare()
    monkeypatch.setenv("PYTHONPATH", str(TOY), prepend=os.pathsep)
    running, _ = process.start(settings)
    monkeypatch.setattr(service_process, "PROMPT_S", 0.3)
    os.kill(running.pid, signal.SIGSTOP)
    try:
        code, _, err = run(settings, "start")
    finally:
        os.kill(running.pid, signal.SIGKILL)
    assert code == 67
    assert f"pid {running.pid}" in err


def test_welcome_does_it_all_in_order_and_once(tmp_path, text):
    home = tmp_path / "home"
    try:
        first = program(home, "welcome", text)
        assert first.returncode == 0, first.stderr
        places = [
            first.stdout.index(part)
            for part in (
                "Read 1 file",
                "Skipped",
                "On what you wrote last, kept aside to test on (56 entries, 1,234 tokens):",
                "perplexity",
                "General",
                "Promoted",
                "How it completes text that you wrote",
                "you went on",
                "\nURL ",
                "\ntoken ",
                "\ntry ",
                "\nstop ",
                "\nkept in ",
            )
        ]
        assert places == sorted(places)
        assert first.stdout.count("Thanks [red]for") == 6
        assert "training …" in first.stderr
        assert process.read_token(Settings(home=home)) not in first.stdout

        again = program(home, "welcome", text)
        assert again.returncode == 0
        assert "training" not in again.stderr  # nothing was read, so the last verdict is shown
        assert (
            first.stdout.partition("On what you wrote last, kept aside")[2]
            == again.stdout.partition("On what you wrote last, kept aside")[2]
        )

        text.write_text("Hello.\nHow are you?\n")
        more = program(home, "welcome", text)
        assert "training …" in more.stderr  # something was

        lines = {line[:9].strip(): line[9:] for line in first.stdout.splitlines()}
        pasted = subprocess.run(["bash", "-c", lines["try"]], capture_output=True, text=True, check=True)
        assert json.loads(pasted.stdout)["ghost"]["text"] == "and so on"
        subprocess.run(["bash", "-c", lines["stop"]], check=True, capture_output=True)
        assert process.holder(Settings(home=home)) is None
    finally:
        program(home, "stop")


def test_welcome_with_too_little_text_goes_on(tmp_path, text):
    home = tmp_path / "home"
    try:
        done = program(home, "welcome", text, "--budget", "1")
        assert done.returncode == 0
        assert "No training round: There are 12 tokens" in done.stdout
        assert "URL" in done.stdout
        failed = program(home, "welcome", text, "--budget", "3")
        assert (failed.returncode, failed.stderr.splitlines()[-1]) == (
            22,
            "idiolect: The round failed. Try again.",
        )
    finally:
        program(home, "stop")


def test_a_profile_with_spaces_and_quotes_in_its_name(tmp_path, text):
    home = tmp_path / 'it\'s "mine" $HOME'
    try:
        done = program(home, "welcome", text)
        assert done.returncode == 0, done.stderr
        line = next(line for line in done.stdout.splitlines() if line.startswith("try"))
        assert subprocess.run(["bash", "-c", line[9:]], capture_output=True, check=True).stdout.startswith(
            b"{"
        )
    finally:
        program(home, "stop")


def test_a_unix_socket(tmp_path, text):
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text("unix_socket = true\n")
    try:
        done = program(home, "welcome", text)
        assert done.returncode == 0, done.stderr
        line = next(line for line in done.stdout.splitlines() if line.startswith("try"))
        assert "--unix-socket" in shlex.split(line[9:])
        assert subprocess.run(["bash", "-c", line[9:]], capture_output=True, check=True).stdout.startswith(
            b"{"
        )
    finally:
        program(home, "stop")


# --- help ---


def commands():
    import typer.main

    return typer.main.get_command(cli.app).commands


def test_each_command_is_a_file_of_its_name():
    files = {path.stem for path in Path(cli.__file__).with_name("commands").glob("*.py")} - {"__init__"}
    assert {name.replace("-", "_") for name in commands()} == files


def test_every_command_teaches_with_an_example(run, tmp_path):
    code, out, _ = run(tmp_path, "--help")
    assert code == 0
    for name, command in commands().items():
        assert re.search(rf"│ {name} +\S", out), f"{name} is not listed"
        assert command.epilog.startswith(f"Example: idiolect {name}"), name
        assert command.help, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"


@pytest.mark.parametrize(
    ("imported", "heavy"),
    [
        (["commandline.cli"], {"httpx", "pydantic", "psutil", "asyncio"}),  # so that help comes at once
        (
            [
                "commandline.cli",
                "commandline.client",
                "commandline.terminal",
                "commandline.health_checks",
                "commandline.progress",
                "commandline.service_process",
                "runtime.process",
            ],
            {"torch", "onnxruntime", "fastapi", "uvicorn", "numpy", "sqlcipher3"},
        ),
    ],
)
def test_the_command_line_imports_nothing_heavy(imported, heavy):
    modules = ", ".join(f"idiolect.daemon.{name}" for name in imported)
    code = f"import sys, {modules}; print(*({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_no_two_errors_share_an_exit_code():
    root = Path(__file__).parents[2]
    sources = [path for part in ("models", "adapters", "daemon") for path in (root / part).rglob("*.py")]
    codes = [
        code
        for path in sources
        for code in re.findall(r"exit_code: ClassVar\[int\] = (\d+)", path.read_text())
    ]
    assert len(codes) > 20
    assert sorted(codes) == sorted(set(codes))


def test_an_interrupt_is_known_under_the_errors_that_it_causes():
    def closes_badly():
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError("the stream was still open")

    with pytest.raises(RuntimeError) as caught:
        closes_badly()
    assert is_interrupt(caught.value)
    assert not is_interrupt(RuntimeError("alone"))


# --- for scripts ---


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        ("start", {"pid", "url", "port", "socket", "started_at", "fresh"}),
        ("watch {folder} --remove", {"removed"}),
        ("watch {folder}", {"files", "entries", "words", "skipped"}),
        ("pause --for 5m", {"paused", "for_s"}),
        ("resume", {"paused"}),
        ("use base", {"adapter"}),
        ("export peft {folder}/out", {"path"}),
        ("train", {"started"}),
    ],
)
def test_what_a_script_asks_for_is_one_json_object(run, service, tmp_path, command, keys):
    code, out, _ = run(service, *command.format(folder=tmp_path).split(), "--json")
    assert code == 0
    assert keys <= json.loads(out).keys()


def test_a_script_learns_whether_a_service_was_stopped(run, tmp_path):
    code, out, _ = run(tmp_path / "home", "stop", "--json")
    assert (code, json.loads(out)) == (0, {"pid": None})


@pytest.mark.parametrize(
    ("shell", "words"),
    [
        ("bash", {"COMP_WORDS": "idiolect sta", "COMP_CWORD": "1"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "idiolect sta"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "idiolect sta", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_shells_complete_commands(tmp_path, monkeypatch, shell, words):
    monkeypatch.setenv("_IDIOLECT_COMPLETE", f"complete_{shell}")
    for name, value in words.items():
        monkeypatch.setenv(name, value)
    done = program(tmp_path)
    assert done.returncode == 0
    assert {"start", "status"} <= set(re.findall(r"[a-z]+", done.stdout))
    assert "train" not in done.stdout


def test_the_manual_page_tells_of_every_command_and_is_well_formed(run, tmp_path):
    code, out, _ = run(tmp_path, "man")
    assert code == 0
    for name in get_command(cli.app).commands:
        assert f"\n.B {name}".replace("-", "\\-") in out
    if not shutil.which("mandoc"):
        pytest.skip("needs mandoc, of Debian's package of that name, to look at its form")
    command = ["mandoc", "-T", "lint", "-W", "warning"]
    done = subprocess.run(command, input=out, capture_output=True, text=True, check=False, timeout=60)
    wrong = [
        line for line in done.stdout.splitlines() if "missing date" not in line
    ]  # it would differ each day
    assert (wrong, done.stderr) == ([], "")


@pytest.mark.parametrize("whole", [True, False])
def test_a_base_model_that_is_not_whole_is_made_anew_and_served(run, tmp_path, monkeypatch, whole):
    monkeypatch.setenv("PYTHONPATH", str(TOY), prepend=os.pathsep)
    settings = Settings(home=tmp_path / "home").prepare()
    (settings.base_dir / "model").mkdir()
    (settings.base_dir / "model" / "manifest.json").touch()
    made = []
    monkeypatch.setattr(service_process, "_is_base_whole", lambda _settings: whole)
    monkeypatch.setattr("idiolect.models.build.ensure_base", lambda *_: made.append(process.holder(settings)))
    try:
        code, out, _ = run(settings, "start", "--json")
        assert code == 0
        assert made == ([] if whole else [None])  # while no service runs
        assert json.loads(out)["pid"] == process.holder(settings)
    finally:
        process.stop(settings)


def test_help_shows_flags_bare_and_all_that_it_says(run, tmp_path):
    out = run(tmp_path, "eval", "--help", columns=200)[1]
    assert "default: eval.html in the profile" in out
    [line] = [line for line in out.splitlines() if "--json" in line and "Print" in line]
    assert "bool" not in line
