"""Sessions of the local page: codes that work once, cookies that end."""

import json

import pytest

from idiolect.daemon.endpoint.page_sessions import CODE_S, SESSION_S, Sessions


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


def test_a_code_becomes_a_session_once_and_within_a_minute(sessions, clock):
    code, late = sessions.begin(), sessions.begin()
    assert not sessions.goes_on(code), "a code is no cookie"
    clock.now_s += CODE_S - 0.1
    cookie = sessions.redeem(code)
    assert sessions.goes_on(cookie)
    assert sessions.redeem(code) is None
    assert sessions.redeem(cookie) is None, "nor is a cookie a code"
    clock.now_s += 0.1
    assert sessions.redeem(late) is None
    assert sessions.goes_on(cookie)


@pytest.mark.parametrize("wrong", ["", "x" * 43, "é", "\ud800", "\0"])
def test_what_was_not_given_out_is_worth_nothing(sessions, wrong):
    sessions.redeem(sessions.begin())
    assert sessions.redeem(wrong) is None
    assert not sessions.goes_on(wrong)


def test_a_session_goes_on_while_it_is_used(sessions, clock):
    cookie = sessions.redeem(sessions.begin())
    for _ in range(3):
        clock.now_s += SESSION_S - 1
        assert sessions.goes_on(cookie)
    clock.now_s += SESSION_S
    assert not sessions.goes_on(cookie)


def test_all_sessions_and_codes_end_at_once(sessions):
    cookies, pending = [sessions.redeem(sessions.begin()) for _ in range(2)], sessions.begin()
    sessions.end()
    assert not any(map(sessions.goes_on, cookies))
    assert sessions.redeem(pending) is None


def test_only_so_many_are_kept(sessions):
    first = sessions.begin()
    for _ in range(1000):
        last = sessions.begin()
    assert sessions.redeem(first) is None
    used, idle = sessions.redeem(last), sessions.redeem(sessions.begin())
    for _ in range(31):
        sessions.goes_on(used)
        sessions.redeem(sessions.begin())
    assert not sessions.goes_on(idle)
    assert sessions.goes_on(used)


def test_sessions_go_on_where_they_are_left_for_and_codes_do_not(sessions, clock):
    code, cookie = sessions.begin(), sessions.redeem(sessions.begin())
    left = json.loads(json.dumps(sessions.leave()))
    assert cookie not in str(left)
    later = Sessions(clock, left)
    assert later.goes_on(cookie)
    assert later.redeem(code) is None
    clock.now_s += SESSION_S
    assert not Sessions(clock, left).goes_on(cookie)
