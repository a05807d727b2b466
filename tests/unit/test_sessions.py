"""Sessions of the local page: codes that work once, cookies that end."""

from __future__ import annotations

import json

import pytest

from idiolect.daemon.endpoint.page_sessions import CODE_S, SESSION_S, Sessions
from idiolect.daemon.endpoint.tokens import Scope


class Clock:
    now_s = 1000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(clock):
    return Sessions(clock)


def test_a_code_becomes_a_session_once(sessions):
    code = sessions.begin(Scope.LEARN)
    cookie = sessions.redeem(code)
    assert cookie not in (None, code)
    assert sessions.scope_of(cookie) is Scope.LEARN
    assert sessions.redeem(code) is None
    assert sessions.scope_of(cookie) is Scope.LEARN


def test_the_page_may_do_everything_unless_it_is_said(sessions):
    assert sessions.scope_of(sessions.redeem(sessions.begin())) is Scope.ADMIN


@pytest.mark.parametrize("wrong", ["", "x" * 43, "é", "\ud800", "\0"])
def test_what_was_not_given_out_is_worth_nothing(sessions, wrong):
    sessions.redeem(sessions.begin())
    assert sessions.redeem(wrong) is None
    assert sessions.scope_of(wrong) is None


def test_a_code_is_no_cookie_and_a_cookie_no_code(sessions):
    code = sessions.begin()
    assert sessions.scope_of(code) is None
    cookie = sessions.redeem(code)
    assert sessions.redeem(cookie) is None


def test_a_code_is_good_for_a_minute(sessions, clock):
    early, late = sessions.begin(), sessions.begin()
    clock.now_s += CODE_S - 0.1
    assert sessions.redeem(early) is not None
    clock.now_s += 0.1
    assert sessions.redeem(late) is None


def test_a_session_goes_on_while_it_is_used(sessions, clock):
    cookie = sessions.redeem(sessions.begin())
    for _ in range(3):
        clock.now_s += SESSION_S - 1
        assert sessions.scope_of(cookie) is Scope.ADMIN
    clock.now_s += SESSION_S
    assert sessions.scope_of(cookie) is None


def test_one_session_ends_or_all_do(sessions):
    mine, other = sessions.redeem(sessions.begin()), sessions.redeem(sessions.begin())
    pending = sessions.begin()
    sessions.end(mine)
    assert [sessions.scope_of(mine), sessions.scope_of(other)] == [None, Scope.ADMIN]
    sessions.end()
    assert sessions.scope_of(other) is None
    assert sessions.redeem(pending) is None


def test_only_so_many_are_kept(sessions):
    first = sessions.begin()
    for _ in range(1000):
        last = sessions.begin()
    assert sessions.redeem(first) is None
    used, idle = sessions.redeem(last), sessions.redeem(sessions.begin())
    for _ in range(31):
        sessions.scope_of(used)
        sessions.redeem(sessions.begin())
    assert sessions.scope_of(idle) is None
    assert sessions.scope_of(used) is Scope.ADMIN


def test_sessions_go_on_where_they_are_left_for_and_codes_do_not(sessions, clock):
    code, cookie = sessions.begin(), sessions.redeem(sessions.begin(Scope.LEARN))
    left = json.loads(json.dumps(sessions.leave()))
    assert cookie not in str(left)
    later = Sessions(clock, left)
    assert later.scope_of(cookie) is Scope.LEARN
    assert later.redeem(code) is None
    clock.now_s += SESSION_S
    assert Sessions(clock, left).scope_of(cookie) is None
