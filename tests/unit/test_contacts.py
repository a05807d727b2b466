"""E-mail addresses, phone numbers and web addresses are recognised, also where they are not whole yet."""

from __future__ import annotations

import time

import pytest

from idiolect.daemon.contacts import Contact, contacts, kinds_of_contact

FOUND = [
    ("write to Ann.Lee+list@example.org, please", "e-mail", "ann.lee+list@example.org"),
    ("root@localhost has mail", "e-mail", "root@localhost"),
    ("it goes to ann@exam", "e-mail", "ann@exam"),
    ("see https://Example.org/a?b=c#d.", "url", "https://example.org/a?b=c#d"),
    ("(www.example.org/)", "url", "www.example.org"),
    ("on example.com/shop now", "url", "example.com/shop"),
    ("our page, example.co.uk, is new", "url", "example.co.uk"),
    ("git clone ssh://git@example.org/x.git", "url", "ssh://git@example.org/x.git"),
    ("call +44 20 7946 0958 at noon", "phone", "442079460958"),
    ("+1 (202) 555-0134", "phone", "12025550134"),
    ("+49 (0)30 901820", "phone", "49030901820"),
    ("my number is (202) 555-0134.", "phone", "2025550134"),
    ("202-555-0134", "phone", "2025550134"),
    ("202.555.0134 is the office", "phone", "2025550134"),
    ("ring 555-0134", "phone", "5550134"),
    ("020 7946 0958", "phone", "02079460958"),
    ("030/901820", "phone", "030901820"),
    ("01 99 00 12 34 in the morning", "phone", "0199001234"),
    ("text me at 91234567 later", "phone", "91234567"),
    ("Tel: 12 34 56", "phone", "123456"),
]
NOT_FOUND = [
    "on 2019-02-03 and 03.02.2019 and 3/2/2019 we met",
    "from 2019 to 2021",
    "10:30-11:45, room 12",
    "it cost 1,234,567.89 euros, or 1 500 000 in all",
    "192.168.10.254 answers",
    "version 12.4.1 after 3.11.7-1",
    "ISBN 978-3-16-148410-0",
    "commit 1a2b3c4d5e6f7a8b9c0d1234567890abcdef1234",
    "README.md, setup.py and main.rs",
    "he was done.it was late",
    "meet @ noon, 5 @ 3.99",
    "@ann said so",
    "e.g. this, i.e. that",
    "123456",
    "order 20190203142233",
    "call 2019 a good year",
]


@pytest.mark.parametrize(("text", "kind", "key"), FOUND)
def test_what_is_found(text: str, kind: str, key: str) -> None:
    (found,) = contacts(text)
    assert (found.kind, found.key) == (kind, key)
    assert kinds_of_contact(text) == {kind}


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_is_not_found(text: str) -> None:
    assert contacts(text) == []
    assert kinds_of_contact(text) == frozenset()


def test_each_has_its_place() -> None:
    text = "https://ann@example.org or bob@example.org or +44 20 7946 0958"
    assert contacts(text) == [
        Contact("url", 0, 23, "https://ann@example.org"),
        Contact("e-mail", 27, 42, "bob@example.org"),
        Contact("phone", 46, 62, "442079460958"),
    ]


@pytest.mark.parametrize(
    "piece", ["a", "a.", "a@", "0", "0 ", "+1(", "1-", "www.", "a@a.", "http://", "tel me at "]
)
def test_the_time_is_linear(piece: str) -> None:
    def seconds(times: int) -> float:
        text = piece * times
        began = time.process_time()
        contacts(text)
        return time.process_time() - began

    seconds(100)
    assert seconds(40_000) < 20 * max(seconds(4_000), 0.005)
