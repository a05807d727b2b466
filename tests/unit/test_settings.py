import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from idiolect.daemon.profile_paths import HomeError, ProfilePaths
from idiolect.daemon.settings import NEVER_READ, Settings
from idiolect.daemon.settings_file import SettingsError


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith("IDIOLECT_"):
            monkeypatch.delenv(name)


def configure(home, text):
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(text, encoding="utf-8")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_constructor_wins_over_environment_over_file_over_default(tmp_path, monkeypatch):
    configure(tmp_path, "port = 3\nkeep_days = 3\nthreads = 3\n")
    monkeypatch.setenv("IDIOLECT_KEEP_DAYS", "4")
    monkeypatch.setenv("IDIOLECT_THREADS", "4")
    settings = Settings(home=tmp_path, threads=5)
    assert (settings.threads, settings.keep_days, settings.port, settings.keep_mb) == (5, 4, 3, 0)


def test_the_file_is_read_from_the_folder_that_the_environment_names(tmp_path, monkeypatch):
    configure(tmp_path, "port = 3\n")
    monkeypatch.setenv("IDIOLECT_HOME", str(tmp_path))
    settings = Settings()
    assert settings.home == tmp_path
    assert settings.port == 3


def test_the_default_folder_is_the_platforms_and_an_empty_variable_counts_as_none(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("IDIOLECT_HOME", "")
    assert Settings().home == Path(platformdirs.user_data_dir("idiolect", appauthor=False)).resolve()


def test_every_path_lies_in_the_folder_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings(home="profile")
    assert settings.home == tmp_path / "profile"
    names = [name for name, member in vars(ProfilePaths).items() if isinstance(member, property)]
    paths = [found for name in names if isinstance(found := getattr(settings, name), Path)]
    assert len(set(paths)) == len(paths) == 15
    assert all(settings.home in path.parents for path in paths)


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("port", 70000, "65535"),
        ("port", -1, "65535"),
        ("threads", 0, "1 to 64"),
        ("daily_budget_s", 0, "seconds"),
        ("daily_budget_s", float("nan"), "seconds"),
        ("daily_budget_s", float("inf"), "seconds"),
        ("auto_train", "perhaps", "true or false"),
        ("exclude", [3], "list of strings"),
        ("keyboard_unknown", "alow", "Did you mean 'allow'?"),
        ("languages", ["de", "xx"], "a list of"),
        ("keyboard", "qwertzz", "the layout of your keyboard"),
        ("hours", "ten to six", "it is not of the form HH:MM-HH:MM"),
    ],
)
def test_a_value_that_is_not_allowed_is_named_with_what_is(tmp_path, key, value, allowed):
    with pytest.raises(SettingsError) as caught:
        Settings(home=tmp_path, **{key: value})
    assert f"'{key}'" in str(caught.value)
    assert allowed in str(caught.value)
    assert not re.search(r"pydantic|[Vv]alue error|[Ii]nput should", str(caught.value))
    assert caught.value.__cause__ is None


def test_the_place_of_a_bad_value_is_named(tmp_path, monkeypatch):
    configure(tmp_path, "# mine\nport = 'eight'\n")
    with pytest.raises(SettingsError, match=r"config\.toml, line 2: 'port'"):
        Settings(home=tmp_path)
    monkeypatch.setenv("IDIOLECT_PORT", "eight")
    with pytest.raises(SettingsError, match="environment variable IDIOLECT_PORT: 'port'"):
        Settings(home=tmp_path)
    with pytest.raises(SettingsError, match="option: 'port'"):
        Settings(home=tmp_path, port="eight")


@pytest.mark.parametrize("source", ["option", "environment", "file"])
def test_an_unknown_key_is_refused_with_the_nearest_known_one(tmp_path, monkeypatch, source):
    given = {}
    if source == "option":
        given = {"treads": 3}
    elif source == "environment":
        monkeypatch.setenv("IDIOLECT_TREADS", "3")
    else:
        configure(tmp_path, "treads = 3\n")
    with pytest.raises(SettingsError, match=r"no setting 'treads'\. Did you mean 'threads'"):
        Settings(home=tmp_path, **given)


def test_a_setting_that_is_a_switch_names_the_switch(tmp_path):
    configure(tmp_path, 'autocorrect = "apply"\n')
    with pytest.raises(SettingsError, match="`idiolect switch corrections` sets it"):
        Settings(home=tmp_path)


@pytest.mark.parametrize("line", ["rank = 8", '"rank"=8', "[rank]", "rank.of = 8"])
def test_the_line_of_a_setting_that_is_no_more_is_named_and_is_to_be_removed(tmp_path, line):
    configure(tmp_path, f"threads = 1\n\n{line}\n")
    with pytest.raises(
        SettingsError, match=r"config\.toml, line 3: there is no setting 'rank'\. Remove it\."
    ):
        Settings(home=tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"port = \n", "not valid TOML"), (b"\xff\xfe", "not UTF-8"), (b'home = "/tmp"\n', "IDIOLECT_HOME")],
)
def test_a_bad_file_is_one_clear_sentence(tmp_path, content, says):
    (tmp_path / "config.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=says):
        Settings(home=tmp_path)


def test_exclusions_add_to_the_built_in_ones(tmp_path, monkeypatch):
    assert Settings(home=tmp_path).exclude == NEVER_READ
    configure(tmp_path, 'exclude = ["drafts", "*.key"]\n')
    settings = Settings(home=tmp_path)
    assert settings.exclude == (*NEVER_READ, "drafts")
    assert Settings(home=tmp_path, exclude=settings.exclude).exclude == settings.exclude
    monkeypatch.setenv("IDIOLECT_EXCLUDE", "a/*, b")
    monkeypatch.setenv("IDIOLECT_EXCLUDE_APPS", "*bank*")
    assert Settings(home=tmp_path).exclude[-2:] == ("a/*", "b")
    assert Settings(home=tmp_path).exclude_apps[-1] == "*bank*"


def test_prepare_makes_folders_for_the_user_alone(tmp_path):
    old = os.umask(0o022)
    try:
        settings = Settings(home=tmp_path / "a" / "profile").prepare()
    finally:
        os.umask(old)
    for folder in (settings.home, settings.base_dir, settings.run_dir, settings.log_path.parent):
        assert mode(folder) == 0o700
    settings.run_dir.chmod(0o755)
    settings.home.chmod(0o755)
    settings.prepare()
    assert mode(settings.run_dir) == 0o700
    assert mode(settings.home) == 0o700


def test_prepare_leaves_a_folder_that_others_use_open(tmp_path):
    (tmp_path / "somebody-elses").write_text("x")
    tmp_path.chmod(0o755)
    Settings(home=tmp_path).prepare()
    assert mode(tmp_path) == 0o755
    assert mode(tmp_path / "run") == 0o700


def test_prepare_says_which_folder_cannot_be_used(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(HomeError, match="file"):
        Settings(home=tmp_path / "file").prepare()
    with pytest.raises(HomeError, match="IDIOLECT_HOME"):
        Settings(home=tmp_path / "file" / "below").prepare()


def test_a_settings_file_that_is_a_link_to_a_regular_file_is_followed(tmp_path):
    (tmp_path / "dotfiles.toml").write_text("port = 3\n")
    (tmp_path / "config.toml").symlink_to("dotfiles.toml")
    assert Settings(home=tmp_path).port == 3


def put_no_file(path, sort):
    if sort == "fifo":
        os.mkfifo(path)
    elif sort == "folder":
        path.mkdir()
    elif sort == "endless":
        path.symlink_to("/dev/zero")
    elif sort == "large":
        path.write_text("#" * (64 * 1024 + 1))
    else:
        path.write_text("port = " + "[" * 30_000)


@pytest.mark.parametrize("sort", ["fifo", "folder", "endless", "large", "deep"])
def test_what_is_no_settings_file_is_said_at_once(tmp_path, sort):
    put_no_file(tmp_path / "config.toml", sort)
    # In a process of its own: what waits for a FIFO cannot be interrupted here.
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "from pathlib import Path\n"
        "from idiolect.daemon.settings import Settings\n"
        "from idiolect.daemon.settings_file import SettingsError\n"
        "try:\n"
        "    Settings(home=Path(sys.argv[1]))\n"
        "except SettingsError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert str(tmp_path / "config.toml") in done.stdout
