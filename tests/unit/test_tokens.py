"""Tokens: a file for each scope, and what is in it is what counts."""

from __future__ import annotations

import os
import stat

import pytest

from idiolect.daemon.endpoint.tokens import SCOPES, Scope, Tokens, files, make, path_of
from idiolect.daemon.runtime import process
from idiolect.daemon.settings import Settings


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home").prepare()


@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_is_made_once_and_for_the_user_alone(settings, scope):
    token = make(settings, scope)
    assert len(token) >= 43
    assert stat.S_IMODE(path_of(settings, scope).stat().st_mode) == 0o600
    assert make(settings, scope) == token


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


def test_a_token_that_others_could_read_is_closed_to_them(settings):
    token = make(settings, Scope.LEARN)
    path_of(settings, Scope.LEARN).chmod(0o644)
    assert make(settings, Scope.LEARN) == token
    assert stat.S_IMODE(path_of(settings, Scope.LEARN).stat().st_mode) == 0o600


def test_each_token_is_good_for_its_scope(settings):
    made = {scope: make(settings, scope).encode() for scope in SCOPES}
    known = Tokens(settings)
    assert {scope: known.scope_of(token) for scope, token in made.items()} == {
        scope: scope for scope in SCOPES
    }
    for wrong in (b"", b"x", made[Scope.ADMIN][:-1], made[Scope.ADMIN] + b"x", "é".encode()):
        assert known.scope_of(wrong) is Scope.NONE


def test_another_token_in_a_file_is_good_at_once_and_the_one_before_for_nothing(settings):
    old = {scope: make(settings, scope).encode() for scope in SCOPES}
    known = Tokens(settings)
    new = make(settings, Scope.SUGGEST, anew=True).encode()
    known.refresh()
    assert known.scope_of(old[Scope.SUGGEST]) is Scope.NONE
    assert known.scope_of(new) is Scope.SUGGEST
    assert known.scope_of(old[Scope.ADMIN]) is Scope.ADMIN


def test_a_file_that_is_gone_takes_its_token_with_it(settings):
    token = make(settings, Scope.LEARN).encode()
    known = Tokens(settings)
    path_of(settings, Scope.LEARN).unlink()
    known.refresh()
    assert known.scope_of(token) is Scope.NONE
    path_of(settings, Scope.LEARN).write_bytes(token)
    known.refresh()
    assert known.scope_of(token) is Scope.LEARN


def test_one_written_over_in_place_is_noticed(settings):
    make(settings, Scope.LEARN)
    known = Tokens(settings)
    path = path_of(settings, Scope.LEARN)
    other = b"x" * path.stat().st_size
    path.write_bytes(other)
    os.utime(path, ns=(1, 1))
    known.refresh()
    assert known.scope_of(other) is Scope.LEARN


def test_what_hangs_on_the_largest_token_hears_that_it_is_another(settings):
    for scope in SCOPES:
        make(settings, scope)
    heard = []
    known = Tokens(settings, replaced=lambda: heard.append(True))
    known.refresh()
    make(settings, Scope.LEARN, anew=True)
    known.refresh()
    assert heard == []
    make(settings, Scope.ADMIN, anew=True)
    known.refresh()
    known.refresh()
    assert heard == [True]
