"""A purge removes a profile, what the program made in it and nothing else; of any other folder it removes nothing."""

import contextlib
import json
from pathlib import Path

import pytest

from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.settings import Settings
from idiolect.daemon.sync.sharing import Sync
from idiolect.daemon.vault import marker, opening, purge

NAMES = (
    "store.db.customer-copy",
    "store.key.old",
    "locked-doors.txt",
    "keyboard.json",
    "browser-host",
    "config.toml",
    "log/mine.txt",
    "log/idiolect.log",
    "base/model/weights.bin",
    "base/model/graph.onnx",
    "base/.build-a-shed/plan.md",
    "run/away.txt",
)
"""As a shop may call its own files."""


def fill(folder: Path) -> set[str]:
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("not the program's")
    return held(folder)


def held(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.parametrize("shop", [None, "{}", '{"goods": 3}', "no JSON"])
@pytest.mark.parametrize(
    "act", [purge.purge, purge.contents, lambda settings: purge.remove_base(settings, settings.base_dir)]
)
def test_a_folder_that_was_never_a_profile_is_left_alone(tmp_path, act, shop):
    before = fill(tmp_path) - {"config.toml"}
    (tmp_path / "config.toml").unlink()
    if shop is not None:
        (tmp_path / "store.json").write_text(shop)
        before |= {"store.json"}
    with pytest.raises(purge.NoProfileError, match="Nothing was removed"):
        act(Settings(home=tmp_path, keyring=False))
    assert held(tmp_path) == before


def test_the_command_refuses_before_it_does_anything(tmp_path, monkeypatch):
    from idiolect.daemon.clients.commandline.commands import purge as command

    before = fill(tmp_path)
    (tmp_path / "config.toml").unlink()
    monkeypatch.setenv("IDIOLECT_HOME", str(tmp_path))
    with pytest.raises(purge.NoProfileError):
        command.run(yes=True)
    assert held(tmp_path) == before - {"config.toml"}


def test_in_a_profile_what_somebody_else_put_there_stays(tmp_path):
    fill(tmp_path)
    theirs = {"store.db.customer-copy", "store.key.old", "locked-doors.txt", "log/mine.txt", "run/away.txt"}
    theirs |= {"base/model/weights.bin", "base/.build-a-shed/plan.md"}
    (tmp_path / "config.toml").unlink()
    settings = Settings(home=tmp_path, keyring=False).prepare()
    opening.open_store(settings).close()
    (tmp_path / ".store.json-abcd1234").write_text("a draft")
    (tmp_path / "store.db.lost-20260101T000000-ab12-wal").write_text("put aside")
    done = purge.purge(settings)
    assert {path for path in held(tmp_path) if (tmp_path / path).is_file()} == theirs
    assert (set(done.left), done.folder_gone) == (theirs, False)


def test_a_base_that_is_made_anew_takes_only_the_old_one(tmp_path):
    fill(tmp_path)
    (tmp_path / "config.toml").unlink()
    settings = Settings(home=tmp_path, keyring=False).prepare()
    marker.claim(settings)
    purge.remove_base(settings, settings.base_dir)
    assert {path for path in held(tmp_path / "base") if (tmp_path / "base" / path).is_file()} == {
        "model/weights.bin",
        ".build-a-shed/plan.md",
    }


def test_a_base_model_of_which_something_stays_is_not_called_removed(tmp_path, monkeypatch):
    settings = Settings(home=tmp_path / "home", keyring=False).prepare()
    marker.claim(settings)
    (settings.base_dir / "model").mkdir()
    (settings.base_dir / "model" / "graph.onnx").write_text("weights")

    def refused(self, missing_ok=False):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(purge.PurgeIncompleteError, match="Make it writable"):
        purge.remove_base(settings, settings.base_dir / "model")


def test_a_start_that_did_not_come_to_its_end_can_be_purged(tmp_path):
    settings = Settings(home=tmp_path / "home", keyring=False).prepare()
    marker.claim(settings)
    assert json.loads(settings.marker_path.read_text())["begun"] is False
    (settings.base_dir / "model").mkdir()
    (settings.base_dir / "model" / "graph.onnx").write_text("half")
    other = settings.base_dir / "others" / "gemma3-270m"
    (other / "model" / ".words-ab12cd34").mkdir(parents=True)
    for name in (
        "model/lexicon-de.npz",
        "model/.words-ab12cd34/lexicon-fr.npz",
        "speed.json",
        "accepted-terms",
        ".accepted-terms-ab12cd34",
        "a.gguf.part00",
    ):
        (other / name).touch()
    (settings.base_dir / "chosen.json").touch()
    assert purge.purge(settings).folder_gone


def test_a_claimed_folder_does_not_hide_that_a_store_is_lost(tmp_path):
    settings = Settings(home=tmp_path, keyring=False).prepare()
    settings.key_path.write_text("5a" * 32)
    settings.key_path.chmod(0o600)
    marker.claim(settings)
    assert marker.presence(settings) == "missing"
    with pytest.raises(marker.StoreLostError):
        opening.open_store(settings)


def test_the_question_says_what_stays_in_a_shared_folder(tmp_path, run):
    (tmp_path / "shared").mkdir()
    settings = Settings(home=tmp_path / "profile", keyring=False).prepare()
    with contextlib.closing(opening.open_store(settings)) as store:
        profile = Profile(store)
        ingest = Ingest(profile, lambda text: [*text.encode()], settings)
        assert purge.find_shared_folder(settings) is None
        Sync(settings, profile, ingest).share(tmp_path / "shared")
    code, out, err = run(settings, "purge", typed="n\n")
    assert code != 0
    assert str(tmp_path / "shared") in out + err
    assert "idiolect sync leave" in out + err
    assert settings.store_path.exists()
