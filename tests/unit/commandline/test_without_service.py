"""The command line where no service runs, or nothing is as it should be."""

import json
import sys

import pytest
from serving import serving

from idiolect.daemon.clients.commandline import command_table, doctor_checks
from idiolect.daemon.runtime import process
from idiolect.daemon.vault import opening
from idiolect.models.errors import ExitCode

CANARY = "the purple canary sings at midnight"

NEEDS_SERVICE = [
    ("suggest", "x"),
    ("add", "/tmp"),
    ("watch", "/tmp"),
    ("train",),
    ("adapters",),
    ("eval",),
    ("use", "base"),
    ("forget", "--text", "x"),
    ("export", "peft", "/tmp/x"),
    ("pause",),
    ("apps",),
    ("words",),
]


@pytest.mark.parametrize("command", NEEDS_SERVICE, ids=lambda command: command[0])
def test_what_needs_the_service_says_so(run, tmp_path, command):
    code, out, err = run(tmp_path / "home", *command)
    assert (code, out) == (8, "")
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
    code, out, _ = run(tmp_path / "home", "status")
    assert (code, "Nothing is kept: there is no " in out, "kept in" in out) == (0, True, False)
    code, out, _ = run(tmp_path / "home", "stop")
    assert (code, out) == (0, f"No service runs for the profile {tmp_path / 'home'}.\n")


def test_status_tells_of_the_store_in_one_form_with_and_without_a_service(
    run, tiny_profile, tmp_path, monkeypatch
):
    monkeypatch.setenv("IDIOLECT_KEYRING", "false")
    settings = tiny_profile(tmp_path / "home")
    opening.open_store(settings).close()
    without = json.loads(run(settings, "status", "--json")[1])["store"]
    with serving(settings):
        asked = json.loads(run(settings, "status", "--json")[1])["store"]
    assert without == asked == {"state": "there", "mend": None}


def test_a_start_with_nothing_to_read_begins_nothing(run, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "picture.png").write_bytes(b"\x89PNG")
    for path, said in (
        ("empty", "There is no text to read (skipped: 1 other file type)"),
        ("nowhere", "no "),
    ):
        code, out, err = run(tmp_path / "home", "start", tmp_path / path)
        assert (code, out, said in err) == (3, "", True), err
        assert not (tmp_path / "home").exists()


def test_a_profile_at_links_in_a_circle_is_one_sentence(program, tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for command in ("status", "start", "doctor"):
        ran = program(tmp_path / "a", command)
        assert "Traceback" not in ran.stderr
        assert "symbolic links" in ran.stdout + ran.stderr
        assert ran.returncode == (1 if command == "doctor" else 6)


def test_nothing_escapes_from_the_handler_of_what_was_not_expected(tmp_path, monkeypatch, capsys):
    """Neither where the settings cannot be had nor where the log cannot be written."""
    monkeypatch.setattr(sys, "argv", ["idiolect", "status"])

    def broken(*_):
        raise RuntimeError("a word of the user's")

    monkeypatch.setattr(command_table, "app", broken)
    monkeypatch.setattr("idiolect.daemon.settings.Settings", broken)
    with pytest.raises(SystemExit) as caught:
        command_table.main()
    assert caught.value.code == ExitCode.UNEXPECTED
    said = capsys.readouterr().err
    assert "Something unexpected went wrong (RuntimeError)" in said
    assert "a word" not in said


def test_a_bad_setting_is_one_sentence(run, tmp_path, monkeypatch):
    monkeypatch.setenv("IDIOLECT_PORT", "many")
    code, _, err = run(tmp_path, "start")
    assert code == 3
    assert "IDIOLECT_PORT" in err
    assert err.count("\n") == 1
    monkeypatch.delenv("IDIOLECT_PORT")
    monkeypatch.setenv("IDIOLECT_QUIET_APP", "chat")
    _, _, err = run(tmp_path, "start")
    assert "Did you mean 'quiet_apps'" in err
    assert "docs/settings.md" in err
    assert "keyboard_terminals" not in err, "not all that there are"


@pytest.mark.parametrize(
    ("phase", "says"),
    [
        ("fetch", "The base model is not fetched"),
        ("build", "The base model is fetched, but not built"),
    ],
)
def test_ctrl_c_says_what_is_kept_of_the_base_model(run, tmp_path, monkeypatch, phase, says):
    def interrupted(_folder, _gguf, progress):
        progress("fetch", 0.5)
        if phase == "build":
            progress("build", 0.1)
        raise KeyboardInterrupt

    monkeypatch.setattr("idiolect.models.base_choice.ensure_base", interrupted)
    code, out, err = run(tmp_path / "home", "start")
    assert (code, out) == (130, "")
    assert says in err
    assert "The same command again" in err


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
    found = doctor_checks.Finding("base model", "ok", "here")
    monkeypatch.setitem(doctor_checks._CHECKS, "base model", lambda _settings: [found])
    code, out, _ = run(service, "doctor", "--json")
    findings = {finding["check"]: finding for finding in json.loads(out)}
    assert code == 0
    assert findings["service"]["level"] == "ok"
    service.token_path.chmod(0o644)
    try:
        code, out, _ = run(service, "doctor")
    finally:
        service.token_path.chmod(0o600)
    assert code == 1
    assert f"chmod go-rwx {service.token_path}" in out
    assert run(tmp_path / "new", "doctor")[0] == 0
    monkeypatch.setenv("IDIOLECT_PORT", "many")
    assert run(service, "doctor")[0] == 1


TYPO = "threads = 3O\n"  # a letter for a figure
WITH_SERVICE = (
    ("pause",),
    ("status", "--json"),
    ("forget", "--source", "chat", "--yes"),
    ("audit", "--json"),
    ("pause", "--end"),
)


@pytest.mark.parametrize("fault", ["typo", "unknown setting", "no file", "environment"])
def test_what_stops_it_or_takes_text_away_works_whatever_the_settings_say(
    run, tiny_profile, tmp_path, monkeypatch, fault
):
    monkeypatch.setenv("IDIOLECT_KEYRING", "false")
    settings = tiny_profile(tmp_path / "home")

    def works(*commands):
        for command in commands:
            code, out, err = run(settings, *command)
            assert (code, bool(out)) == (0, True), (command, err)
            assert err.startswith("Warning: "), command
            assert err.endswith("This command works all the same.\n"), command
            assert ("QUIET_APP" if fault == "environment" else "config.toml") in err

    with serving(settings):
        if fault == "environment":
            monkeypatch.setenv("IDIOLECT_QUIET_APP", "chat")
        elif fault == "no file":
            settings.config_path.unlink()
            settings.config_path.mkdir()
        else:
            settings.config_path.write_text(TYPO if fault == "typo" else "quite_s = 30\n")
        works(*WITH_SERVICE)
    works(("stop",))
    assert run(settings, "start")[0] == 3  # nothing runs under settings that nobody can read
    if fault == "no file":
        settings.config_path.rmdir()
        settings.config_path.write_text(TYPO)
    code, out, err = run(settings, "purge", "--yes")
    kept = (settings.store_path, settings.key_path, settings.config_path)
    assert (code, [path for path in kept if path.exists()]) == (0, []), out + err


def test_a_file_that_cannot_be_written_is_said(run, tmp_path):
    path = tmp_path / "file" / "below"
    (tmp_path / "file").touch()
    code, out, err = run(tmp_path, "setup", "vscode", "--into", path, "--yes")
    assert (code, out) == (6, "")
    assert err.startswith(f"idiolect: {path} cannot be written: ")
