"""Tokens: a file for each scope, and what is in it is what counts."""

import os
import stat

import pytest

from idiolect.daemon.runtime import process
from idiolect.daemon.runtime.tokens import SCOPES, Scope, Tokens, files, make, path_of
from idiolect.daemon.settings import Settings


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home").prepare()


def test_the_token_that_commands_show_is_good_for_everything(settings):
    token = make(settings, Scope.ADMIN)
    assert process.read_token(settings) == token
    assert files(settings)["token_file"] == files(settings)["token_files"]["admin"]
    assert len(set(files(settings)["token_files"].values())) == len(SCOPES)


@pytest.mark.parametrize("content", [b"", b"short", b"\n", "é".encode() * 30])
def test_what_would_guard_nothing_is_replaced_and_until_then_good_for_nothing(settings, content):
    settings.token_path.write_bytes(content)
    assert Tokens(settings).scope_of(content.strip()) is Scope.NONE
    assert len(make(settings, Scope.ADMIN)) >= 43


@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_is_made_once_and_for_the_user_alone(settings, scope):
    token, path = make(settings, scope), path_of(settings, scope)
    assert len(token) >= 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert make(settings, scope) == token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_changes_or_goes_is_noticed(settings):
    token, path = make(settings, Scope.LEARN).encode(), path_of(settings, Scope.LEARN)
    known = Tokens(settings)
    path.unlink()
    known.refresh()
    assert known.scope_of(token) is Scope.NONE
    path.write_bytes(token)
    known.refresh()
    assert known.scope_of(token) is Scope.LEARN
    path.write_bytes(other := b"x" * len(token))  # in place, and as long
    os.utime(path, ns=(1, 1))
    known.refresh()
    assert known.scope_of(other) is Scope.LEARN
