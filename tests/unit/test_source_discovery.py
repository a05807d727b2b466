"""What there is to read in a home folder, found by itself."""

import json
import mailbox
import os
from pathlib import Path

import pytest
from reading import ME, letter, mbox_of, repository, write

from idiolect.daemon.settings import NEVER_READ
from idiolect.daemon.sources.source_discovery import places

PREFS = f'user_pref("mail.identity.id1.useremail", "{ME}");\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    profile = tmp_path / ".thunderbird" / "abc.default"
    write(profile / "prefs.js", PREFS)
    others = letter("These are not mine.", "b@example.org")
    mbox_of(profile / "Mail" / "mail.example.org" / "Sent", letter("Four words of mine."), others)
    (tmp_path / "Mail" / "account").mkdir(parents=True)
    mailbox.Maildir(tmp_path / "Mail" / "account" / "Sent").add(letter("Two words."))
    mailbox.Maildir(tmp_path / "Mail" / "account" / "INBOX").add(others)
    for name in (
        "Notes/a.md",
        "Notes/b.md",
        "Notes/c.txt",
        "vault/x.md",
        "Pictures/d.txt",
        "node_modules/notes/x.md",
    ):
        write(tmp_path / name, "Three words here.")
    (tmp_path / "vault" / ".obsidian").mkdir()
    repository(tmp_path / "src" / "project", "one commit message")
    return tmp_path


def test_what_there_is(home: Path) -> None:
    found = {
        place.path.relative_to(home).as_posix(): (place.sort, place.me) for place in places(home, NEVER_READ)
    }
    assert found == {
        ".thunderbird/abc.default": ("mail", (ME,)),
        "Mail/account/Sent": ("mail", (ME,)),
        "Notes": ("notes", ()),
        "vault": ("notes", ()),
        "src/project/.git": ("git", (ME,)),
    }


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        (".thunderbird", ".thunderbird/abc.default"),
        ("*.default", ".thunderbird/abc.default"),
        ("account", "Mail/account/Sent"),
        ("Mail/account/*", "Mail/account/Sent"),
        ("VAULT", "vault"),
        ("src/project", "src/project/.git"),
    ],
)
def test_what_is_excluded_is_not_found(home: Path, pattern: str, place: str) -> None:
    wanted = {found.path for found in places(home, NEVER_READ)} - {home / place}
    assert {found.path for found in places(home, (*NEVER_READ, pattern))} == wanted


def test_vaults_that_obsidian_knows_are_found_wherever_they_are_unless_excluded(tmp_path: Path) -> None:
    home, vault = tmp_path / "home", tmp_path / "work" / "vault"
    write(vault / "a.md", "Three words here.")
    known = home / ".config" / "obsidian" / "obsidian.json"
    write(known, json.dumps({"vaults": {"0a": {"path": str(vault), "ts": 1}, "0b": {"path": "/nowhere"}}}))
    assert [place.path for place in places(home, NEVER_READ)] == [vault]
    for pattern in ("work", "vault", f"{tmp_path}/work"):
        assert list(places(home, (*NEVER_READ, pattern))) == []
    known.write_text("{")
    assert list(places(home, NEVER_READ)) == []


@pytest.mark.parametrize("name", ["Documents", "Dokumente"])
def test_letters_are_found_where_a_desktop_keeps_documents_and_no_picture_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_CONFIG_HOME", "XDG_DOCUMENTS_DIR"):
        monkeypatch.delenv(variable, raising=False)
    if name != "Documents":
        write(tmp_path / ".config" / "user-dirs.dirs", f'XDG_DOCUMENTS_DIR="$HOME/{name}"\n')
    write(tmp_path / name / "Letters" / "1.txt", "Three words here.")
    write(tmp_path / name / "plan.png", "No text.")
    [found] = places(tmp_path, NEVER_READ)
    assert (found.path, found.says, found.size_bytes) == (tmp_path / name, "documents", 17)
    assert list(places(tmp_path, (*NEVER_READ, name))) == []
    assert list(places(tmp_path / "elsewhere", NEVER_READ)) == []


def test_a_mailbox_without_mail_of_the_users_is_not_found(tmp_path: Path) -> None:
    profile = tmp_path / ".thunderbird" / "abc"
    write(profile / "prefs.js", PREFS)
    mbox_of(profile / "Mail" / "x" / "Sent", letter("Three words here.", "b@example.org"))
    assert list(places(tmp_path, ())) == []


def test_the_search_ends_in_time(home: Path) -> None:
    assert {place.sort for place in places(home, NEVER_READ, search_s=0)} == {"mail"}
