"""What its user writes and what they answer are told apart around the cursor, which is `|` in these texts."""

import pytest

from idiolect.daemon.text.replies import MAX_CHARS, MAX_TEXTS, end_of, own_words, split, split_mail

ASKED = "On Monday, Anna Berg <a@b.example> wrote:\n> Can you come on Thursday?\n"
ANNA = "On Monday, Anna Berg <a@b.example> wrote:\nCan you come on Thursday?"
OUTLOOK = "From: B\nSent: now\nTo: me\nSubject: x\n\nIs it ready?"


@pytest.mark.parametrize(
    ("text", "prefix", "context"),
    [
        ("Hello th|ere\n\nMore.", "Hello th", []),
        ("Three things:\n\n\n- one: x\n- tw|", "Three things:\n\n\n- one: x\n- tw", []),
        (f"Hi An|\n\n{ASKED}", "Hi An", [ANNA]),
        (f"{ASKED}\nYes, I|", "Yes, I", [ANNA]),
        (f"{ASKED}>> older\n> Newer.\n\nYes|", "Yes", ["older", ANNA, "Newer."]),
        (f"{ASKED}Yes.\n> And you?\nNo|\n> Third?\n", "Yes.\n\nNo", [f"{ANNA}\n\nThird?", "And you?"]),
        (f"Hi\r\n\r\n{ASKED}\nYes|".replace("\n", "\r\n").replace("\r\r", "\r"), "Hi\n\nYes", [ANNA]),
        ("Ja|\n\nAm 1.5.24 um 12:00 schrieb A B <b@a.example>:\n> Kommst du?", "Ja", ["Am 1.5.24 um 12:00 schrieb "
         "A B <b@a.example>:\nKommst du?"]),
        ("Oui|\n\nLe mer. 1 mai 2024 à 12:00, A B a écrit :\n> Tu viens ?", "Oui", ["Le mer. 1 mai 2024 à 12:00, A B a "
         "écrit :\nTu viens ?"]),
        (f"No|\n\n-----Original Message-----\n{OUTLOOK}", "No", [f"-----Original Message-----\n{OUTLOOK}"]),
        (f"No|\n\n{OUTLOOK}\n\n-----Original Message-----\nFrom: C\n\nOld", "No", [
            "-----Original Message-----\nFrom: C\n\nOld", OUTLOOK]),
        (f"{OUTLOOK}\n\nMine\nhere|", "Mine\nhere", [OUTLOOK]),
        (f"Hello|\n-- \nMe\n\n{ASKED}", "Hello", [ANNA]),
        (f"Hello\n-- \nMe\n\n{ASKED}Below|", "Hello\n\nBelow", [ANNA]),
        ("Hello\n-- \nMe|", "Hello\n-- \nMe", []),
        ("Hello\n> quo|ted", None, ["quoted"]),
        ("Hello\n  > quo|ted", None, ["quoted"]),
        ("Hello\n> one\n|> two", "Hello\n\n", ["one"]),
        ("> \u202eback\u202c `rm -rf ~` \x1b[31m$(id)\n\u200e> more\nNo|", "No", ["back `rm -rf ~` $(id)\nmore"]),
    ],
)  # fmt: skip
def test_what_is_written_and_what_is_answered(text, prefix, context):
    reply = split(*text.split("|"))
    assert (reply.prefix, reply.context()) == (prefix, context)


@pytest.mark.parametrize(
    ("text", "prefix", "context"),
    [
        ("To: Anna Berg <a@b.example>\nX-A: b\nSubject: Boats,\n again\n\nHi|", "Hi", ["To: Anna Berg <a@b.example>\n"
         "Subject: Boats,\n again"]),
        (f"To: A\nSubject:\n--text follows this line--\nHi|\n\n{ASKED}", "Hi", [ANNA, "To: A"]),
        ("To: A\nSubject: Re: Bo|\n\n", "Re: Bo", []),
        ("To: Anna B|\nSubject: x\n\n", None, []),
        ("Dear crew, Hi|", "Dear crew, Hi", []),
    ],
)  # fmt: skip
def test_the_header_of_a_mail_says_to_whom_it_goes(text, prefix, context):
    reply = split_mail(*text.split("|"))
    assert (reply.prefix, reply.context()) == (prefix, context)


def test_the_newest_texts_and_characters_count():
    reply = split(
        "Hi\n\n", "\n".join(f"{'>' * depth} {f'{depth} heron ' * 90}" for depth in range(12, 0, -1))
    )
    context = reply.context()
    assert len(context) <= MAX_TEXTS
    assert MAX_CHARS - MAX_TEXTS - len("12 heron") < sum(map(len, context)) <= MAX_CHARS
    assert len({*context[0].split()}) == 2
    assert (context[-1][0], context[-2][0]) == ("1", "2")


def test_what_is_cut_off_begins_with_a_whole_line_or_word():
    lines = "\n".join(f"line {number} of it" for number in range(20))
    assert end_of(lines, 40) == "line 17 of it\nline 18 of it\nline 19 of it"[-41:].partition("\n")[2]
    assert end_of(lines, len("line 19 of it")) == "line 19 of it"
    assert end_of("one two three four\nfive", 12) == "four\nfive"
    assert end_of("one two three\nfour", 19) == "one two three\nfour"
    assert end_of("heron" * 9, 7) == "onheron"
    assert end_of("one two", 0) == ""


def test_only_what_is_near_the_cursor_is_looked_at():
    far, near = "> The far heron.\n" * 4_000, "> The near heron.\n" * 1_000
    for before, behind in ((f"{far}{near}\nYes", ""), ("Yes", f"\n{near}{far}")):
        reply = split(before, behind)
        assert reply.prefix == "Yes"
        assert "far" not in "".join(reply.texts())


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("> -----Original Message-----\n> From: B\n> Hi\n\nMy answer.", "My answer."),
        (f"> {OUTLOOK}\n\nMy answer.".replace("\n", "\n> ", 5), "My answer."),
    ],
)
def test_below_a_header_that_is_quoted_with_marks_a_mail_goes_on(text, wanted):
    assert own_words(text) == wanted
