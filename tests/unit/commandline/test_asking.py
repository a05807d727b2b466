"""The command line against a running service: what it asks, and how it tells the answer."""

import io
import json
import pty
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from idiolect.daemon.clients.commandline.arguments import read_text
from idiolect.daemon.clients.commandline.commands.base import read_terms
from idiolect.daemon.clients.link import ServiceClient
from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.records import Feedback


def test_status_says_what_runs_and_as_json_what_other_programs_rely_on(run, service):
    code, out, _ = run(service, "status", "--json")
    status = json.loads(out)
    keys = {"running", "pid", "url", "token_file", "base", "adapter", "entries", "tokens", "training"}
    assert code == 0
    assert keys <= set(status)
    assert status["running"] is True
    assert status["pid"] == process.holder(service)
    assert Path(status["token_file"]).read_text().strip() == process.read_token(service)
    code, out, _ = run(service, "status")
    assert code == 0
    assert f"pid {process.holder(service)}" in out
    assert str(service.home) in out


def test_suggest(run, knowing):
    known = "Thanks for [bold]three\x1b[31m lanterns"
    service = knowing(*((known, "test", None, datetime(2026, 1, 31, tzinfo=UTC)),) * 5).settings
    code, out, _ = run(service, "suggest", "Thanks for ", "--json")
    assert code == 0
    fields = {
        "words",
        "ghost",
        "list",
        "adapter",
        "elapsed_ms",
        "reason",
        "reasons",
        "paused",
        "sees_context",
    }
    assert set(json.loads(out)) == fields
    _, out, _ = run(service, "suggest", "-", typed="Thanks for [bold]three\x1b[31m lant")
    assert "lanterns" in out, "whole, not what is missing of it"
    assert "\x1b" not in out


def test_setup_asks_once_whether_slips_are_mended_and_only_somebody_at_a_terminal(knowing, program):
    home = knowing().settings.home

    def setup(*arguments, typed):
        ours, theirs = pty.openpty()
        with open(ours, "wb", buffering=0) as keys, open(theirs) as terminal:
            keys.write(typed)
            return program(home, "setup", *arguments, stdin=terminal, start_new_session=True).stdout

    def switches():
        with ServiceClient(Settings(home=home)) as client:
            found = client.get("/v1/switches")
        return found["corrections"], found["mending_question"] is not None

    asked = "Correct clear typing mistakes as you type?"
    assert asked not in program(home, "setup", stdin=subprocess.DEVNULL).stdout
    assert asked not in setup("--json", typed=b"y\n")
    assert switches() == ("offer", True)
    assert asked in setup(typed=b"y\n")
    assert switches() == ("apply", False)
    assert asked not in setup(typed=b"n\n")


def test_the_end_of_a_line_on_stdin_is_no_part_of_what_is_looked_for(monkeypatch):
    for typed, text in (("project x\n", "project x"), ("project x", "project x"), ("one\n\n", "one\n")):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        assert read_text("-") == text


def test_what_stands_on_stdin_reaches_the_service_whole(run, service):
    code, _, err = run(service, "suggest", "-", typed="x" * 100_001)
    assert code == 3
    assert err.startswith("idiolect: prefix: ")
    assert "x" * 9 not in err
    assert run(service, "suggest", "-", typed=f"{'x' * 99_000} ")[0] == 0, "however long a word is"


def test_add_tells_what_was_read_and_skipped_wherever_it_is_called(run, knowing, tmp_path, monkeypatch):
    service = knowing().settings
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.jsonl").write_text('{"text": "We sail at dawn."}\nno JSON\n')
    (tmp_path / "notes" / "b.txt").write_text("The password: Bergamot77!\n")
    (tmp_path / "notes" / "c.txt").write_bytes(b"\0")
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(service, "add", "notes")
    assert code == 0
    assert "Read 2 files, 2 new entries" in out
    assert "Skipped: 1 binary" in out
    assert "Left out: 1 secret" in out
    assert "a.jsonl line 2" in out
    (tmp_path / "more.txt").write_text("And at noon again.\n")
    assert json.loads(run(service, "add", "more.txt", "--json")[1])["entries"] == 1
    code, _, err = run(service, "add", "absent")
    assert code == 3
    assert str(tmp_path / "absent") in err


def test_watch_asks_where_a_folder_holds_very_much(run, service, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert "was not followed" in run(service, "watch", "--remove", tmp_path)[1]
    for arguments in ((), ("--json",)):
        code, out, err = run(service, "watch", tmp_path, *arguments)
        assert (code, out) == (4, "")
        assert "your home folder" in err
    code, out, err = run(service, "watch", tmp_path, typed="n\n", terminal=True)
    assert (code, "Following" in out) == (1, False)
    assert "Follow it all the same?" in out + err
    assert run(service, "watch", tmp_path, "--json", typed="y\n", terminal=True)[0] == 4, "a program reads it"
    for answer in ({"typed": "y\n", "terminal": True}, {}):
        arguments = () if answer else ("--yes",)
        code, out, _ = run(service, "watch", tmp_path, *arguments, **answer)
        assert (code, f"Following {tmp_path}" in out) == (0, True)
        assert "No longer" in run(service, "watch", "--remove", tmp_path)[1]


def test_status_says_what_suggestions_saved(run, knowing):
    site = knowing()
    today = datetime.now(UTC).date()
    assert "keystroke" not in run(site.settings, "status")[1]
    site.service.store.feedback.add(Feedback("word", "accepted", 0.85, True, 1234, 3, 3), None, today)
    for p in (0.05, 0.85):
        site.service.store.feedback.add(Feedback("word", "dismissed", p, True), 3, today)
    said = "1,231 keystrokes (1,231 today), 1 of 3 suggestions accepted"
    assert said in " ".join(run(site.settings, "status")[1].split())
    assert json.loads(run(site.settings, "status", "--json")[1])["savings"]["today"]["saved"] == 1231


def test_adapters_and_use(run, service):
    code, out, _ = run(service, "adapters", "--json")
    assert code == 0
    about = {"id", "parent", "created_at", "status", "rank", "size_bytes", "entries_seen"}
    assert about | {"metrics", "reason", "kept"} == set(json.loads(out)[0])
    assert "active" in run(service, "adapters")[1]
    assert run(service, "use", "base")[:2] == (0, "Serving the base model alone.\n")
    assert run(service, "use", "1")[:2] == (0, "Serving adapter 1.\n")
    assert run(service, "use", "99")[0] == 3
    assert run(service, "use", "last")[0] == 2


def test_pause_and_resume(run, service):
    assert "listening" in run(service, "status")[1]
    assert run(service, "pause", "--for", "1h30m")[:2] == (0, "Paused for 1h30m.\n")
    assert run(service, "pause")[0] == 0
    assert "paused until `idiolect pause --end`" in run(service, "status")[1]
    assert run(service, "pause", "--end")[:2] == (0, "Learning again.\n")
    assert run(service, "pause", "--end", "--for", "1h")[0] == 2
    for wrong in ("", "1", "m", "30m1h", "0m", "1.5h"):
        assert run(service, "pause", "--for", wrong)[0] == 2


def test_switches_are_shown_and_set(run, service):
    code, out, _ = run(service, "switch")
    assert code == 0
    assert out.splitlines() == [
        "corrections  offer   the right word is offered (else: off or apply)",
        "show         auto    words and grey text appear where they save time at your speed "
        "(else: more or less or asked)",
        "speed        auto    measured while you type",
        "languages    found   words are offered in en (else: names, as in `de en`)",
        "keys         usual   `idiolect switch keys` shows them",
    ]
    assert "show         asked" in run(service, "switch", "show", "asked")[1]
    assert "grey text  none by itself" in run(service, "status")[1]
    stands = json.loads(run(service, "switch", "corrections", "off", "--json")[1])
    assert (stands["corrections"], stands["show"], stands["languages"], stands["speed"]) == (
        "off",
        "asked",
        [],
        0,
    )
    assert "chosen  words are offered in en (" in run(service, "switch", "languages", "en", "en")[1]
    assert json.loads(run(service, "switch", "languages", "--json")[1])["languages"] == ["en"]
    assert "found   words" in run(service, "switch", "languages", "found")[1]
    assert "show         auto" in run(service, "switch", "show", "auto")[1]
    assert "corrections  off" in run(service, "switch", "corrections")[1], "without a value it is shown"
    for wrong in (
        ("corrections", "always"),
        ("show", "apply"),
        ("sound", "off"),
        ("languages", "xx"),
        ("languages", "de", "found"),
    ):
        assert run(service, "switch", *wrong)[0] == 2


def test_keys_are_switched_and_a_key_of_other_programs_is_told(run, service):
    assert "grey         Tab         takes the grey text\n" in run(service, "switch", "keys")[1]
    out = run(service, "switch", "keys", "grey", "ctrl+enter")[1]
    assert (
        "grey         Ctrl+Enter  takes the grey text. Elsewhere it sends in mail and chats: not while it takes "
        "something here\n"
    ) in out
    assert "hide         F7 " in run(service, "switch", "keys", "hide", "F7")[1]
    assert "grey         Ctrl+Enter " in run(service, "switch", "keys", "hide", "usual")[1]
    assert "keys         own" in run(service, "switch")[1]
    code, _, error = run(service, "switch", "keys", "grey", "x")
    assert code == 3
    assert "X is for typing: hold Ctrl, Alt or Super with it." in error
    for wrong in (("gray", "F8"), ("usual", "F8")):
        assert run(service, "switch", "keys", *wrong)[0] == 2
    assert "grey         Tab " in run(service, "switch", "keys", "usual")[1]
    assert "keys         usual" in run(service, "switch")[1]


def test_nothing_is_shown_for_a_while(run, service):
    assert run(service, "quiet")[1] == "Nothing is shown for 30 minutes.\n"
    assert "quiet      nothing is shown until " in run(service, "status")[1]
    assert json.loads(run(service, "quiet", "1", "--json")[1]) == {"quiet": True, "minutes": 1}
    assert run(service, "quiet", "end")[1] == "Suggestions are shown again.\n"
    assert "quiet" not in run(service, "status")[1]
    for wrong, code in (("soon", 2), ("²", 2), ("0", 2), ("1441", 2)):
        assert run(service, "quiet", wrong)[0] == code


def test_terms_are_shown_without_the_page_around_them(tmp_path):
    page = tmp_path / "terms.html"
    page.write_text(
        "<nav>Site</nav><article><div class='nocontent'>News</div><div role='navigation'>Home</div>"
        "<h1>Terms</h1>\n<devsite-toc>Contents</devsite-toc><div><p>Be kind.</p></div>"
        "<devsite-thumb-rating>Good?</devsite-thumb-rating></article>"
    )
    assert read_terms(page).split() == ["Terms", "Be", "kind."]


def test_a_trial_is_begun_told_of_and_ended(run, service):
    assert run(service, "trial")[1] == "There was no trial yet. `idiolect trial start` begins one.\n"
    code, _, error = run(service, "trial", "stop")
    assert (code, "No trial runs" in error) == (4, True)
    code, _, error = run(service, "trial", "start")
    assert (code, "--yes" in error) == (2, True), "it asks first"
    assert "It has begun. Not enough yet: 0 of 240" in run(service, "trial", "start", "--yes")[1]
    with ServiceClient(service) as client:
        told = {"suggestions": True, "characters": 120, "seconds": 31.2, "keys": 80}
        assert client.post("/v1/suggest", {"prefix": "See you tomo"})["trial"]
        assert client.post("/v1/trial/stretch", told) == {"counted": True, "running": True}
    code, _, error = run(service, "trial", "start", "--yes")
    assert (code, "goes on. Not enough yet: 1 of 240" in error) == (4, True)
    assert json.loads(run(service, "trial", "--json")[1])["stretches"] == 1
    assert "after 1 stretch of writing, too few" in run(service, "trial", "stop")[1]


def test_status_says_how_fast_its_user_types_once_that_was_measured(run, service):
    assert "minute" not in run(service, "status")[1]
    with ServiceClient(service) as client:
        for _ in range(200):
            client.post("/v1/suggest", {"prefix": "See you tomo", "letter_ms": 250})
    assert "you type about 48 words a minute" in run(service, "status")[1]
    assert "speed        40" in run(service, "switch", "speed", "40")[1]
    assert json.loads(run(service, "status", "--json")[1])["key_ms"] == 300
    assert "measured while you type" in run(service, "switch", "speed", "0")[1]


def test_what_is_held_back_of_grey_text_is_told(run, knowing):
    site = knowing()
    for number in range(111):
        took = {"characters": 6, "words": 1} if number % 37 == 0 else {}
        told = {"kind": "ghost", "p": 0.9, "outcome": "accepted" if took else "dismissed", **took}
        site.post("/v1/feedback", told).raise_for_status()
    held = (
        "held back of late, since 3 of 111 were taken. `idiolect switch show more` shows it again wherever it is "
        "likely."
    )
    assert f"grey text  {held}" in run(site.settings, "status")[1].splitlines()
    assert run(site.settings, "switch")[1].splitlines()[-1] == f"Grey text is {held}"
    found = json.loads(run(site.settings, "doctor", "--json")[1])
    [told] = [one for one in found if one["check"] == "grey text"]
    assert (told["level"], "3 of 111" in told["found"]) == ("note", True)
    assert "idiolect switch show more" in told["mend"]


def test_rules_for_applications(run, service):
    code, out, _ = run(service, "apps")
    assert code == 0
    assert "*terminal*" not in out
    assert "`idiolect apps --all` lists them." in out
    assert "suggests only built in" in " ".join(run(service, "apps", "--all")[1].split())
    code, out, _ = run(service, "apps", "exclude", "*[red]chat*")
    assert code == 0
    assert out.splitlines()[3].split() == ["*[red]chat*", "off", "you"]  # the user's own come first
    assert "`idiolect apps remove '*[red]chat*'` takes that back." in " ".join(out.split())
    code, out, _ = run(service, "apps", "remove", "*[red]chat*")
    assert (code, "chat" in out) == (0, False)
    rules = json.loads(run(service, "apps", "quiet", "notes", "--json")[1])
    own = [rule for rule in rules if rule["source"] == "you"]
    assert own == [{"app": "notes", "rule": "quiet", "source": "you", "context": None}]
    shown = run(service, "apps", "context", "*mail*", "off")[1]
    assert "*mail* does not see what you answer you" in " ".join(shown.split())
    shown = run(service, "apps", "context", "*mail*", "on")[1]
    assert "*mail* sees what you answer you" in " ".join(shown.split())
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
    code, out, _ = run(service, "words", "never", "f[red]yi")
    assert (code, out) == (0, "“f[red]yi” is never suggested.\nUndo: idiolect words undo\n")
    assert "f[red]yi" in run(service, "words", "list")[1]
    assert "No longer:" in run(service, "words", "undo")[1]
    code, _, err = run(service, "words", "undo")
    assert (code, err.splitlines()[0]) == (
        4,
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
        assert (code, err.count("\n")) == (8, 1)
        service.token_path.unlink()
        code, _, err = run(service, "adapters")
        assert (code, str(service.token_path) in err) == (8, True)
    finally:
        service.token_path.write_text(kept)
        service.token_path.chmod(0o600)


def test_token_names_a_file_for_each_scope_and_makes_another_that_is_good_at_once(run, service):
    status = json.loads(run(service, "status", "--json")[1])
    for scope, path in status["token_files"].items():
        assert run(service, "status", "--token", scope) == (0, f"{path}\n", "")
    assert run(service, "status", "--rotate")[0] == 2
    kept = process.read_token(service)
    said = json.loads(run(service, "status", "--token", "admin", "--json")[1])
    assert said == {"scope": "admin", "path": status["token_file"]}
    code, out, _ = run(service, "status", "--token", "admin", "--rotate")
    assert (code, kept in out) == (0, False)
    assert process.read_token(service) != kept
    assert run(service, "status", "--json")[0] == 0


def test_token_needs_no_service(run, tmp_path):
    code, out, _ = run(tmp_path / "new", "status", "--token", "suggest")
    assert (code, Path(out.strip()).stat().st_mode & 0o777) == (0, 0o600)
    assert run(tmp_path / "new", "status", "--token", "everything")[0] == 2


def test_what_a_store_holds_of_a_shell_is_text_as_any_other(run, knowing):
    known = ("Thanks for three lanterns", "shell", None, datetime(2026, 1, 31, tzinfo=UTC))
    settings = knowing(*(known,) * 5).settings
    assert "lanterns" in run(settings, "suggest", "Thanks for three lant")[1]
    code, out, _ = run(settings, "forget", "--source", "shell", "--yes", "--expect", 5, "--json")
    assert (code, json.loads(out)["entries"]) == (0, 5)
