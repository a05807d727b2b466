"""The author of what is answered is who its newest text names, and nobody where it only looks as if it did."""

from __future__ import annotations

import pytest

from idiolect.daemon.serving.answered_text import read_answered
from idiolect.daemon.serving.message_author import author_of

SAID = "Does the ferry run on Sunday, too?"
LONG = "x" * 200


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ("Maren Holt · 2 hours ago\n", "Maren"),
        ("Maren Holt\n", "Maren"),
        ("Maren Holt 14:02\n", "Maren"),
        ("Maren Holt\n2:05 PM\n", "Maren"),
        ("3 March, 14:30\nMaren Holt\n", "Maren"),
        ("Maren Holt, 3 March at 14:30\n", "Maren"),
        ("Maren Holt Monday 2 March, 9:10\n", "Maren"),
        ("Maren — Today at 14:02\n", "Maren"),
        ("Maren Holt 3 Mar: ", "Maren"),
        ("Ferries\nMaren Holt 3 March 2026 14:02\n", "Maren"),
        ("[14:02] Maren: ", "Maren"),
        ("[12/03/26, 14:02:31] Maren Holt: ", "Maren"),
        ("14:02 - maren_h: ", "maren_h"),
        ("Maren: ", "Maren"),
        ("maren-22: ", "maren-22"),
        ("maren commented on 12 Mar 2026\n", "maren"),
        ("The ferry is late #12\nmaren_holt opened this on Mar 2\n", "maren_holt"),
        ("Maren Holt said:\n", "Maren"),
        ("Maren Holt replied yesterday\n", "Maren"),
        ("Jan\n14:02\n", "Jan"),
        ("Jan Holt · 2 hours ago\n", "Jan"),
        ("Jan 14, 2026\n", ""),
        ("maren_h\n•\n3 hr. ago\n", "maren_h"),
        ("maren_h\nPosts: 12\nPosted: 2 March, 9:10\n", "maren_h"),
        ("maren 2 hours ago | parent | next [–]\n", "maren"),
        ("Maren Holt vor 2 Stunden\n", "Maren"),
        ("Maren Holt, il y a 3 jours\n", "Maren"),
        ("Élodie Maçon · hier à 14:02\n", "Élodie"),
        ("Maren schrieb am 3. März:\n", "Maren"),
        ("Maren a écrit : ", "Maren"),
        ("You · 14:02\n", ""),
        ("me: ", ""),
        ("Du 14:02\n", ""),
        ("the tram stands still at the bridge again: ", ""),
        ("Maren went to the harbour at 14:02 and came back\n", ""),
        ("Maren Holt 14:02 and she is the one who has the keys of it\n", ""),
        ("Berlin is where the ferry goes\n", ""),
        ("One Name Of Many Words 14:02\n", ""),
        ("maren\n", ""),
        ("Subject: ", ""),
        ("To: ", ""),
        ("Note: ", ""),
        ("PS: ", ""),
        ("it said: ", ""),
        ("Monday 14:02\n", ""),
        ("Edited 3 March\n", ""),
        ("Thanks\n", ""),
        ("Dear Tom\n", ""),
        ("Dear Tom,\n", ""),
        ("Geehrter Tom,\n", ""),
        ("Chère Ana,\n", ""),
        ("Querida Ana:\n", ""),
        ("Beste Tom,\n", ""),
        ("14:02\n", ""),
        ("@maren.holt 14:02\n", "maren.holt"),
        ("@maren.holt: ", "maren.holt"),
        ("maren@holt.example 14:02\n", ""),
        ("@maren@holt.example 14:02\n", ""),
        ("maren@holt.example: ", ""),
        ("https://maren.example commented on 3 Mar\n", ""),
        (f"{LONG} 14:02\n", ""),
        (f"M{LONG}\n", ""),
        (f"M{LONG}: ", ""),
        (f"Maren M{LONG} 14:02\n", ""),
    ],
)
def test_the_first_line_names_who_wrote(head, name):
    assert author_of([head + SAID]) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("From: Ann-Marie Dirks <a@b.example>\n\nSee you.", "Ann-Marie"),
        ('> From: "Otto Frei"', "Otto"),
        ("Från: Åsa Frei\nÄmne: Färjan\n\nHej", "Åsa"),
        ("Le 3 mai, Zoé Petit a écrit :\nBonjour", "Zoé"),
        ("Am 3.5. schrieb Otto Frei:\nHallo", "Otto"),
        ("Am Dienstag schrieb Otto:\nHallo", "Otto"),
        ("On Mon, Mar 2, 2026 at 9:10 AM Otto <o@b.example> wrote:\n> Hello", "Otto"),
        ("On Monday Otto wrote:\nSee above.\nOn Sunday Tom Bonn wrote:\nHello", "Otto"),
        ("From: Anna Dirks\nDate: Monday\nSee you.\nAnna\nOn Sunday 1 March, Tom Bonn wrote:\nHello", "Anna"),
        ("anna_d\nPosts: 2\nPosted: 3 March, 14:30\ntombonn wrote: My bowline slips.\nTake two.", "anna_d"),
        ("All is well here.\n\nRegards,\nKerstin", "Kerstin"),
        ("All is well here.\n-- \nKerstin Dahl\n+49 30 1234", "Kerstin"),
        ("The lantern counts, too. Anna Dirks (talk) 14:30, 3 March 2026 (UTC)", "Anna"),
        ("All is well here.\nThursday", ""),
        ("Perfect", ""),
        ("dinner 19:30", ""),
        ("all is well here", ""),
        ("", ""),
    ],
)
def test_who_wrote_a_text(text, name):
    assert author_of([text]) == name


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("To: Ann Smith <ann.smith@b.example>\nSubject: Boats", "Ann"),
        ("to: Ann <a@b.example>", "Ann"),
        ("To: ann.smith@b.example", "Ann"),
        ('To: "Smith, Ann" <a@b.example>, Tom Bonn <t@b.example>\nCc: Zoe Petit <z@b.example>', "Ann"),
        ("Subject: Boats\nTo: Élodie\n Maçon <e@b.example>", "Élodie"),
        ("To: info@b.example\nSubject: Dear Tom", "Otto"),
        ("To: Harbour developers <d@b.example>", "Otto"),
        ("To: customer.service@b.example", "Otto"),
        ("Cc: Ann Smith <a@b.example>\nSubject: Boats", "Otto"),
        ("To: Ann Smith <a@b.example>\n\nAll is well.", ""),
    ],
)
def test_a_mail_that_is_written_names_to_whom_it_goes(header, name):
    quoted = "On Monday, Otto Frei wrote:\nHello" if name else "Hello"
    assert read_answered([quoted, header]).sender == name


def test_the_newest_text_of_somebody_else_names_them():
    anna, tom, own = f"Anna 14:02\n{SAID}", f"tom_b commented on 3 Mar\n{SAID}", f"You 14:05\n{SAID}"
    assert author_of([anna, tom]) == "tom_b"
    assert author_of([tom, anna, own, own]) == "Anna"
    assert author_of([tom, anna, "nearly, five more minutes"]) == "Anna"
    assert author_of([own]) == ""
    assert author_of([]) == ""


def test_a_name_beyond_what_is_read_or_taken_out_of_it_is_none():
    anna = f"Anna Harvola 14:02\n{SAID}"
    assert read_answered([anna]).sender == "Anna"
    assert read_answered([f"{anna}\n{'and so on ' * 1_000}"]).sender == ""
    assert read_answered([anna, "and so on " * 1_000]).sender == ""
    secret = read_answered([f"ghp_9aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1x 14:02\n{SAID}"])
    assert secret.sender == ""


@pytest.mark.parametrize(
    "text",
    [
        "A " * 50_000,
        "Aa-" * 33_000,
        "a@" * 50_000,
        "Ab Cd wrote " * 8_000,
        "[" * 99_000,
        "From: " * 16_000,
        "A. " * 30_000,
        ".\n" * 2_000 + "a",
    ],
)
def test_a_text_made_to_be_slow_names_nobody(text):
    assert read_answered([text] * 8).sender == ""
