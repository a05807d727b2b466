"""What `idiolect add` asks about before it reads very much."""

from pathlib import Path

from idiolect.daemon.clients.commandline.commands.add import describe_very_much


def test_a_home_folder_and_what_holds_it_are_very_much(tmp_path, monkeypatch):
    home = tmp_path / "homes" / "ann"
    (home / "notes").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    assert describe_very_much(home) == "is your home folder"
    assert describe_very_much(Path("/")) == "holds your home folder"
    assert describe_very_much(home / "notes") is None
    assert describe_very_much(home / "absent") is None, "the service says that there is nothing"


def test_very_many_files_are_very_much_and_hidden_folders_do_not_count(tmp_path):
    for name in ("one", "two", ".git/three"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.txt").touch()
    assert describe_very_much(tmp_path, many=2) is None
    assert describe_very_much(tmp_path, many=1) == "holds more than 1 files"


def test_nobody_to_ask_reads_nothing_of_a_home_and_yes_reads_it(run, service, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "notes.txt").write_text("We sail at dawn.")
    code, _, error = run(service, "add", str(tmp_path))
    assert (code, "--yes" in error) == (2, True)
    assert run(service, "add", "--yes", str(tmp_path))[0] == 0
