"""Each kind of source on files in its true format: what is taken, what is left, whose it is."""

from __future__ import annotations

import io
import json
import mailbox
import os
import sqlite3
import subprocess
import tarfile
import zipfile
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from idiolect.daemon.sources import kinds, mailboxes, org, rst, whatsapp
from idiolect.daemon.sources.items import Item, ReadReport, Skipped, UnreadableError
from idiolect.daemon.sources.people import AuthorFilter
from idiolect.daemon.sources.replies import own_words

if TYPE_CHECKING:
    from collections.abc import Callable


def pieces(path: Path, *me: str) -> list[Item]:
    kind = kinds.kind_of(path)
    assert kind is not None
    return [found for found in kind.pieces(path, AuthorFilter(me)) if isinstance(found, Item)]


def texts(path: Path, *me: str) -> list[str]:
    return [item.text for item in pieces(path, *me)]


def skips(path: Path, *me: str) -> ReadReport:
    kind = kinds.kind_of(path)
    assert kind is not None
    report = ReadReport()
    for found in kind.pieces(path, AuthorFilter(me)):
        if isinstance(found, Skipped):
            report.skip(found)
    return report


def kind_name(path: Path) -> str | None:
    kind = kinds.kind_of(path)
    return kind and kind.name


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# Documents

ORG = """#+TITLE: Garden
:PROPERTIES:
:ID: 4e5f
:END:
* TODO [#A] Repair the fence [1/3] :outside:urgent:
SCHEDULED: <2024-05-01 Wed>
The posts are rotten, so we need
new ones; see [[https://example.org/fence][the offer]] and [[file:plan.org]].
# a comment
- [ ] measure the length
- [X] ask the neighbours [fn:1]
#+begin_src sh
rm -rf build
#+end_src
#+begin_quote
Good fences.
#+end_quote
| a | b |
: fixed width
** DONE Paint
CLOSED: [2024-05-02 Thu 10:00]
:LOGBOOK:
CLOCK: [2024-05-02 Thu 09:00]
:END:
Two coats.
"""


def test_org() -> None:
    assert list(org.prose(ORG.splitlines())) == [
        "Repair the fence",
        "The posts are rotten, so we need\nnew ones; see the offer and .",
        "measure the length",
        "ask the neighbours",
        "Good fences.",
        "Paint",
        "Two coats.",
    ]


RST = """.. _top:

==========
The garden
==========

:Author: nobody
:Date: 2024

It has a :ref:`fence <fence>` and ``posts``; see `the offer <https://example.org>`_
and the fence_ [1]_.

.. code-block:: sh
   :linenos:

   rm -rf build

   rm again

.. note:: Mind the dog.
   It bites.

.. image:: dog.png

Run this::

    make garden

Then go on.

- measure
- ask

+-----+-----+
| a   | b   |
+-----+-----+

=====  =====
Name   Size
=====  =====
post   2 m
=====  =====

The end.
"""


def test_restructured_text() -> None:
    assert list(rst.prose(RST.splitlines())) == [
        "The garden",
        "It has a fence and posts; see the offer and the fence.",
        "Mind the dog.\nIt bites.",
        "Run this:",
        "Then go on.",
        "measure",
        "ask",
        "The end.",
    ]


def test_a_headline_may_be_empty_or_have_tags_alone() -> None:
    assert list(org.prose(["*", "* ", "**  Plain  ", "* Both  :a:b:  ", "* not:a:tag:"])) == [
        "*",
        "Plain",
        "Both",
        "not:a:tag:",
    ]


NOTE = """Shopping

Bread and a lamp for the hall.

id: 0123456789abcdef0123456789abcdef
parent_id: 00000000000000000000000000000000
created_time: 2024-05-01T10:00:00.000Z
source_url: {url}
encryption_applied: {encrypted}
type_: {type}"""


def joplin_items() -> dict[str, str]:
    def item(number: int, url: str = "", encrypted: int = 0, kind: int = 1) -> tuple[str, str]:
        return f"{number:032x}.md", NOTE.format(url=url, encrypted=encrypted, type=kind)

    clipped = item(2, url="https://example.org/article")
    return dict((item(1), clipped, item(3, encrypted=1), item(4, kind=2)))


def test_joplin_archive_and_folder(tmp_path: Path) -> None:
    jex = tmp_path / "export.jex"
    with tarfile.open(jex, "w") as archive:
        for name, content in joplin_items().items():
            write(tmp_path / "raw" / name, content)
            info = tarfile.TarInfo(name)
            info.size = len(content.encode())
            archive.addfile(info, io.BytesIO(content.encode()))
    for path in (jex, tmp_path / "raw"):
        assert kind_name(path) == "joplin"
        assert texts(path) == ["Shopping", "Bread and a lamp for the hall."]
        assert skips(path).skipped == {"clipped or deleted notes": 1, "encrypted notes": 1}
        assert {item.document for item in pieces(path)} == {f"{1:032x}"}
    cut = write(tmp_path / "cut.jex", jex.read_bytes()[:1700])
    assert skips(cut).skipped == {"damaged archive": 1}


# Mail

ME = "me@example.org"


def letter(body: str, sender: str = ME, subject: str = "hello", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = f"A user <{sender}>"
    message["To"] = "other@example.org"
    message["Subject"] = subject
    message["Date"] = "Wed, 01 May 2024 12:00:00 +0200"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message


def mbox_of(path: Path, *messages: EmailMessage | bytes) -> Path:
    box = mailbox.mbox(path)
    for message in messages:
        box.add(message)
    box.close()
    return path


def test_an_mbox_gives_what_its_owner_typed(tmp_path: Path) -> None:
    reply = "I can come at nine.\n\nFrom there we walk.\n\nOn Tuesday, other@example.org wrote:\n> When?\n"
    path = mbox_of(
        tmp_path / "Sent",
        letter("The first one.\n-- \nA user\nTel. 123"),
        letter("Not mine at all.", sender="other@example.org"),
        letter(reply),
        letter("Accepted", subject="Accepted: meeting"),
        letter("I am away.", Auto_Submitted="auto-replied"),
        letter("Deleted long ago.", X_Mozilla_Status="0009"),
    )
    assert kind_name(path) == "mbox"
    assert texts(path, ME) == ["The first one.", "I can come at nine.\n\nFrom there we walk."]
    assert [item.at for item in pieces(path, ME)] == [datetime(2024, 5, 1, 10, tzinfo=UTC)] * 2
    assert skips(path, ME).skipped == {"mails of others": 1, "mails with nothing typed": 3}
    assert texts(path, "*")[1] == "Not mine at all."


def test_whose_mail_it_is_is_guessed_and_shown(tmp_path: Path) -> None:
    path = mbox_of(tmp_path / "Sent", *[letter("Mine.")] * 3, letter("Not mine.", sender="b@example.org"))
    assert texts(path) == ["Mine."] * 3
    assert skips(path).notes == [f"Sent: taken as yours: {ME} (--me says otherwise)"]
    path = mbox_of(tmp_path / "Inbox", letter("Mine."), letter("Not mine.", sender="b@example.org"))
    assert texts(path) == []
    assert skips(path).skipped == {"whose text it is, is not known": 1}
    assert mailboxes.senders(path) == [(ME, 1), ("b@example.org", 1)]


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        *((name, True) for name in ("Sent", "sent-mail", ".INBOX.Sent", "Sent Items", "sentmail", "x_sent")),
        *((name, True) for name in ("Gesendete Objekte", "Éléments envoyés", "Posta inviata", "已发送邮件")),
        *(
            (name, False)
            for name in ("Presentations.mbox", "Unsent", "absent", "Sentences", "Неотправленные")
        ),
    ],
)
def test_mailboxes_for_sent_mail_by_their_names(tmp_path: Path, name: str, sent: bool) -> None:
    assert mailboxes.holds_sent(tmp_path / name) is sent
    mixed = [*[letter("Mine.")] * 3, letter("Not mine.", sender="b@example.org")]
    (tmp_path / "box").mkdir()
    assert mailboxes.guess(mbox_of(tmp_path / "box" / name, *mixed)) == ((ME,) if sent else ())


def test_charsets_html_and_attachments(tmp_path: Path) -> None:
    latin = letter("")
    latin.set_content("Schöne Grüße", charset="iso-8859-1", cte="quoted-printable")
    html = letter("")
    html.set_content(
        "<html><body><style>p {}</style><p>See you&nbsp;at <b>nine</b>.</p><div>And then?</div>"
        "<div class='gmail_quote'>On Tuesday somebody wrote: <blockquote>When?</blockquote></div></body></html>",
        subtype="html",
    )
    both = letter("Only the plain text.")
    both.add_alternative("<p>Only the HTML text.</p>", subtype="html")
    both.add_attachment("Somebody else's text.", filename="them.txt")
    forwarded = letter("Look at this.")
    forwarded.add_attachment(letter("Not mine.", sender="b@example.org"))
    wrong = b"From: me@example.org\nContent-Type: text/plain; charset=no-such\n\n\xe9t\xe9\n"
    path = mbox_of(tmp_path / "Sent", latin, html, both, forwarded, wrong)
    assert texts(path, ME) == [
        "Schöne Grüße",
        "See you at nine.\n\nAnd then?",
        "Only the plain text.",
        "Look at this.",
        "été",
    ]


def test_malformed_mail_never_stops_an_import(tmp_path: Path) -> None:
    date = b"From - Wed May 01 12:00:00 2024\n"
    broken = [
        b"From: me@example.org\nContent-Type: multipart/mixed; boundary=x\n\n--x\nno end",
        b"From: me@example.org\nContent-Type: text/plain; charset*=x''%\nDate: never\nSubject: =?utf-8?q?=ZZ\n\nkept\n",
        b"From: me@example.org\nContent-Transfer-Encoding: base64\n\n!!!!=\n",
        b"\xff\xfe\n\n\n",
        b"From: me@example.org",
        b"",
        b"From: me@example.org\nContent-Type: multipart/" + b"x" * 3000 + b"\n\ntext\n",
        b"From: me@example.org\n\n" + b"y" * 3_000_000 + b"\nNot read: it is too far down.\n",
        b"From: me@example.org\n\nThe last one.\n",
    ]
    path = write(tmp_path / "Sent", b"".join(date + raw + b"\n\n" for raw in broken))
    found = texts(path, ME)
    assert "kept" in found
    assert found[-1] == "The last one."
    assert not any("too far down" in text for text in found)


def test_a_maildir_and_a_single_message(tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "mail")
    box.add(letter("In a Maildir."))
    box.add(letter("Not mine.", sender="b@example.org"))
    assert kind_name(tmp_path / "mail") == "maildir"
    assert texts(tmp_path / "mail", ME) == ["In a Maildir."]
    eml = write(tmp_path / "one.eml", letter("Alone.").as_bytes())
    assert (kind_name(eml), texts(eml)) == ("message", ["Alone."])


def test_what_apple_mail_says_of_a_mail_is_not_part_of_it(tmp_path: Path) -> None:
    raw = b"From: me@example.org\nDate: Wed, 01 May 2024 12:00:00 +0200\n\nAlone.\n"
    properties = b'<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"><dict>flags</dict></plist>\n'
    path = write(tmp_path / "1.emlx", b"%-10d\n" % len(raw) + raw + properties)
    assert texts(path, ME) == ["Alone."]
    assert texts(write(tmp_path / "2.emlx", b"\n" + raw + properties), ME) == ["Alone."]


def test_a_maildir_of_thunderbird_and_mails_deleted_there(tmp_path: Path) -> None:
    path = tmp_path / "Sent"
    (path / "tmp").mkdir(parents=True)
    write(path / "cur" / "1714557600.eml", letter("Kept.").as_bytes())
    write(path / "cur" / "1714557601.x:2,RS", letter("Seen.").as_bytes())
    write(path / "cur" / "1714557602.x:2,ST", letter("Deleted.").as_bytes())
    assert kind_name(path) == "maildir"
    assert texts(path, ME) == ["Kept.", "Seen."]
    assert mailboxes.size_bytes(path) > 0


def test_each_mail_tells_how_far_the_mailbox_was_read(tmp_path: Path) -> None:
    others = [letter("Not mine.", sender="b@example.org")] * 3
    path = mbox_of(tmp_path / "Sent", letter("Mine."), *others)
    offsets = [found.offset_bytes for found in mailboxes.mbox(path, AuthorFilter((ME,)))]
    assert offsets == sorted(set(offsets))
    assert offsets[-1] == path.stat().st_size


def test_a_profile_of_thunderbird(tmp_path: Path) -> None:
    profile = tmp_path / "abc.default"
    write(
        profile / "prefs.js",
        f'user_pref("mail.identity.id1.useremail", "{ME}");\n'
        'user_pref("mail.identity.id2.useremail", "two@example.org");\n',
    )
    (profile / "ImapMail/imap.example.org").mkdir(parents=True)
    mbox_of(profile / "ImapMail/imap.example.org/Sent", letter("One."), letter("Two.", "two@example.org"))
    mbox_of(profile / "ImapMail/imap.example.org/INBOX", letter("Answered.", sender="b@example.org"))
    assert kind_name(profile) == "thunderbird"
    assert texts(profile) == ["One.", "Two."]
    assert mailboxes.guess(profile / "ImapMail/imap.example.org/Sent") == (ME, "two@example.org")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Yes.\n\nAm 01.05.2024 um 12:00 schrieb A B <b@example.org>:\n> Kommst du?\n", "Yes."),
        ("Oui.\n\nLe mer. 1 mai 2024 à 12:00, A B <b@example.org> a écrit :\n> Tu viens ?\n", "Oui."),
        ("Sí.\n\nEl mié, 1 may 2024 a las 12:00, A B (<b@example.org>) escribió:\n\n> ¿Vienes?\n", "Sí."),
        (
            "Yes.\n\nOn Wed, May 1, 2024 at 12:00 PM A long name\n<b@example.org> wrote:\n\n> Coming?\n",
            "Yes.",
        ),
        ("> Is it ready?\n\nAlmost.\n\n> And the fence?\n\nNo.", "Almost.\n\nNo."),
        ("On Tuesday, b@example.org wrote:\n> Is it ready?\nAlmost.\n", "Almost."),
        ("See below.\n\n-----Original Message-----\nFrom: B\nSent: now\n\nIs it ready?", "See below."),
        (
            "Voilà.\n\n______________________\nDe : B <b@example.org>\nEnvoyé : hier\nÀ : moi\n\nAlors ?",
            "Voilà.",
        ),
        ("FYI\n\nFrom: B <b@example.org>\nDate: yesterday\nTo: me\nSubject: x\n\nIs it ready?", "FYI"),
        ("FYI\n\nBegin forwarded message:\n\nFrom: B", "FYI"),
        ("On my way.\n\nSent from my iPhone", "On my way."),
        ("Bis gleich.\n\nVon meinem iPhone gesendet", "Bis gleich."),
        (
            "A patch.\n_______________________________________________\nlist mailing list\nlist@example.org",
            "A patch.",
        ),
        ("From there he wrote: a lot.\n\nOn Monday we wrote back.",) * 2,
        ("Three things:\n- one\n- two\nTo: remember", "Three things:\n- one\n- two\nTo: remember"),
    ],
)
def test_own_words_of_a_mail(text: str, wanted: str) -> None:
    assert own_words(text) == wanted


def test_flowed_mail() -> None:
    assert (
        own_words("A line that \ngoes on.\n From here.\n-- \nme", flowed=True)
        == "A line that goes on.\nFrom here."
    )
    assert own_words("日本 \n語", flowed=True, delete_space=True) == "日本語"


# Chats


@pytest.mark.parametrize(
    ("first", "second", "at"),
    [
        ("5/13/24, 2:08 PM - {}", "5/14/24, 12:09 AM - {}", (5, 13, 14, 8)),
        ("13/05/2024, 14:08 - {}", "14/05/2024, 00:09 - {}", (5, 13, 14, 8)),
        ("13.05.24, 14:08 - {}", "14.05.24, 00:09 - {}", (5, 13, 14, 8)),
        ("[13.05.24, 14:08:31] {}", "[14.05.24, 00:09:02] {}", (5, 13, 14, 8)),
        ("[5/13/24, 2:08:31\u202fPM] {}", "[5/14/24, 12:09:00\u202fAM] {}", (5, 13, 14, 8)),
        ("2024. 5. 13. 오후 2:08 - {}", "2024. 5. 14. 오전 12:09 - {}", (5, 13, 14, 8)),
        ("2024/5/13 下午2:08 - {}", "2024/5/14 上午12:09 - {}", (5, 13, 14, 8)),
        ("13/5/24 2:08 p. m. - {}", "14/5/24 12:09 a. m. - {}", (5, 13, 14, 8)),
        ("[13.5.2024 klo 14.08.18] {}", "[14.5.2024 klo 0.09.18] {}", (5, 13, 14, 8)),
        ("2024-05-13, 14:08 - {}", "2024-05-14, 00:09 - {}", (5, 13, 14, 8)),
        ("3/5/24, 2:08 PM - {}", "3/6/24, 1:09 PM - {}", (3, 5, 14, 8)),
        ("05/03/24, 14:08 - {}", "06/03/24, 13:09 - {}", (3, 5, 14, 8)),
    ],
)
def test_whatsapp_in_the_formats_of_several_phones(
    tmp_path: Path, first: str, second: str, at: tuple[int, int, int, int]
) -> None:
    lines = [
        first.format("Messages and calls are end-to-end encrypted."),
        first.format("Me: The bus is late,\nas ever: what now?"),
        first.format("Somebody: We wait."),
        first.format("Me: <Media omitted>"),
        second.format("Me: Good night"),
    ]
    path = write(tmp_path / "WhatsApp Chat with Somebody.txt", "\n".join(lines) + "\n")
    assert kind_name(path) == "whatsapp"
    found = pieces(path)
    assert [item.text for item in found] == ["The bus is late,\nas ever: what now?", "Good night"]
    local = found[0].at
    assert local is not None
    local = local.astimezone()
    assert (local.month, local.day, local.hour, local.minute) == at
    later = found[1].at
    assert later is not None
    assert later > local


def test_what_whatsapp_says_itself_is_left_out(tmp_path: Path) -> None:
    written = [
        "\u200e[13.05.24, 14:08:31] Me: \u200eimage omitted",
        "[13.05.24, 14:08:32] Me: \u200eYou deleted this message.",
        "[13.05.24, 14:08:33] Me: Right \u200e<This message was edited>",
        "[13.05.24, 14:08:34] ~ Me: me in a group",
        "[13.05.24, 14:08:35] Me: location: https://maps.google.com/?q=1,2",
        "[13.05.24, 14:08:36] Me: IMG-20240513-WA0001.jpg (file attached)\nLook at that",
        "[13.05.24, 14:08:37] Me: see 5: it says <b> twice",
    ]
    path = write(tmp_path / "_chat.txt", "\n".join(written))
    assert texts(path, "Me") == ["Right", "me in a group", "Look at that", "see 5: it says <b> twice"]
    assert skips(path).skipped == {"whose text it is, is not known": 1}


def test_whatsapp_in_a_zip_archive(tmp_path: Path) -> None:
    path = tmp_path / "WhatsApp Chat - Somebody.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_chat.txt", "[13.05.24, 14:08:31] Me: Hello\n[13.05.24, 14:09:31] Somebody: Hi\n")
        archive.writestr("photo.jpg", b"\xff\xd8")
    assert (kind_name(path), texts(path)) == ("whatsapp", ["Hello"])
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "Hello")
    assert kind_name(tmp_path / "other.zip") is None
    with pytest.raises(UnreadableError):
        list(whatsapp.messages(tmp_path / "other.zip"))


def test_a_damaged_archive_gives_what_comes_before_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "WhatsApp Chat - Somebody.zip"
    rows = "".join(f"[13.05.24, 14:{i % 60:02}:31] Me: Hello {i * i * 7919}\n" for i in range(20_000))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_chat.txt", rows)
    raw = bytearray(path.read_bytes())
    for damage in (b"\xff" * 16_384, b"\x00"):  # the stream itself; or what its checksum tells
        middle = len(raw) // 2
        path.write_bytes(raw[:middle] + damage + raw[middle + len(damage) :])
        assert kind_name(path) == "whatsapp"
        assert texts(path, "Me")[0] == "Hello 0"
        assert skips(path, "Me").skipped == {"damaged archive": 1}


def test_a_damaged_day_of_slack_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    files = {**slack_files(), "general/2024-05-02.json": [{"x": i * 7919} for i in range(5000)]}
    files["users.json"] = [*files["users.json"], "no user", {"id": "U3", "profile": "none"}]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, json.dumps(content))
        last = archive.getinfo("general/2024-05-02.json")
    raw = bytearray(path.read_bytes())
    start = last.header_offset + 30 + len(last.filename)  # of what is compressed: no block begins so
    raw[start : start + 64] = b"\xff" * 64
    path.write_bytes(raw)
    assert texts(path, "U1") == ["@Another see the offer & #general", "mine"]
    assert skips(path, "U1").skipped == {"damaged JSON": 1}


def test_a_diary_is_no_chat(tmp_path: Path) -> None:
    path = write(tmp_path / "diary.txt", "13.05.24, 14:08 - a walk\n\nIt rained.\n\nAnd rained.\n")
    assert kind_name(path) == "text"


def telegram_chat(**more: object) -> dict[str, object]:
    def message(sender: int, text: object, **more: object) -> dict[str, object]:
        return {
            "id": 1,
            "type": "message",
            "date": "2024-05-01T12:00:00",
            "date_unixtime": "1714557600",
            "from": f"Person {sender}",
            "from_id": f"user{sender}",
            "text": text,
            "text_entities": [{"type": "plain", "text": text}] if isinstance(text, str) else text,
            **more,
        }

    link = [{"type": "plain", "text": "look at "}, {"type": "link", "text": "https://example.org"}]
    return {
        "name": "Person 2",
        "type": "personal_chat",
        "id": 2,
        **more,
        "messages": [
            {"id": 0, "type": "service", "actor_id": "user1", "action": "phone_call", "text": ""},
            message(1, "Hello there"),
            message(2, "Who is it?"),
            message(1, "Somebody's joke", forwarded_from="Somebody"),
            message(1, link),
            message(1, ""),
        ],
    }


def test_telegram_chat_and_account(tmp_path: Path) -> None:
    chat = write(tmp_path / "result.json", json.dumps(telegram_chat(), indent=1))
    assert kind_name(chat) == "telegram"
    assert texts(chat) == ["Hello there", "look at "]
    assert pieces(chat)[0].at == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert texts(chat, "Person 2") == ["Who is it?"]
    account = {
        "about": "Here is the data you requested.",
        "personal_information": {"user_id": 1, "first_name": "Person"},
        "contacts": {"list": []},
        "chats": {"about": "x", "list": [telegram_chat(), telegram_chat(type="private_group", id=9)]},
    }
    whole = write(tmp_path / "all.json", json.dumps(account, indent=1))
    assert kind_name(whole) == "telegram"
    assert texts(whole) == ["Hello there", "look at "] * 2
    cut = write(tmp_path / "cut.json", whole.read_bytes()[:-900])
    assert texts(cut, "user1")[:1] == ["Hello there"]
    assert skips(cut, "user1").skipped == {"damaged JSON": 1}


def slack_files() -> dict[str, object]:
    def message(user: str, text: str, **more: object) -> dict[str, object]:
        return {"type": "message", "user": user, "text": text, "ts": "1714557600.000100", **more}

    return {
        "users.json": [
            {"id": "U1", "name": "me", "profile": {"display_name": "Me", "email": ME}},
            {"id": "U2", "name": "other", "profile": {"display_name": "", "real_name": "Another"}},
        ],
        "channels.json": [{"id": "C1", "name": "general"}],
        "general/2024-05-01.json": [
            message("U1", "<@U2> see <https://example.org/x|the offer> &amp; <#C1|general>"),
            message("U2", "Thanks"),
            message("U1", "has joined", subtype="channel_join"),
            message("U1", "&gt; quoted\nmine ```rm -rf build```"),
            message("U1", "<https://example.org>"),
        ],
        "general/2024-05-02.json": "broken",
    }


def test_slack_folder_and_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for name, content in slack_files().items():
            written = "{" if content == "broken" else json.dumps(content)
            archive.writestr(name, written)
            write(tmp_path / "folder" / name, written)
    for path in (tmp_path / "export.zip", tmp_path / "folder"):
        assert kind_name(path) == "slack"
        for me in (ME, "U1", "ME"):
            assert texts(path, me) == ["@Another see the offer & #general", "mine"]
        assert pieces(path, ME)[0].at == datetime(2024, 5, 1, 10, 0, 0, 100, tzinfo=UTC)
        assert skips(path).skipped == {"whose text it is, is not known": 1}
        assert skips(path, ME).skipped == {"damaged JSON": 1}


def test_matrix_room(tmp_path: Path) -> None:
    def event(sender: str, kind: str = "m.room.message", **content: object) -> dict[str, object]:
        base = {"type": kind, "sender": sender, "origin_server_ts": 1714557600000, "event_id": "$x"}
        return {**base, "state_key": sender, "content": content}

    me = "@me:example.org"
    quoted = "> <@o:example.org> When?\n> Today?\n\nAt nine"
    room = {
        "room_name": "Room",
        "room_creator": "Me",
        "topic": "",
        "export_date": "1 May 2024",
        "exported_by": "Me",
        "messages": [
            event(me, "m.room.member", displayname="Me", membership="join"),
            event(me, msgtype="m.text", body="Hello"),
            event("@o:example.org", msgtype="m.text", body="Hi"),
            event(
                me, msgtype="m.text", body=quoted, **{"m.relates_to": {"m.in_reply_to": {"event_id": "$y"}}}
            ),
            event(me, msgtype="m.image", body="photo.jpg"),
            event(me, msgtype="m.text", body="Fine", **{"m.relates_to": "damaged"}),
            event(me, msgtype="m.text", body="* Hullo", **{"m.relates_to": {"rel_type": "m.replace"}}),
        ],
    }
    path = write(tmp_path / "export.json", json.dumps(room, indent=2))
    assert kind_name(path) == "matrix"
    assert texts(path) == ["Hello", "At nine", "Fine"]
    assert texts(path, "@o:example.org") == ["Hi"]
    assert pieces(path)[0].at == datetime(2024, 5, 1, 10, tzinfo=UTC)


def test_signal(tmp_path: Path) -> None:
    rows = [
        {
            "date": "2024-05-01T12:00:00+02:00",
            "sender": "Me",
            "body": "Hello  ",
            "quote": "",
            "reactions": [],
        },
        {"date": "2024-05-01T12:01:00+02:00", "sender": "Somebody", "body": "Hi  ", "quote": ""},
        {"date": "2024-05-01T12:02:00+02:00", "sender": "Me", "body": "Outgoing call", "call": True},
    ]
    path = write(tmp_path / "data.json", "\n".join([*map(json.dumps, rows), "{"]) + "\n")
    assert (kind_name(path), texts(path)) == ("signal", ["Hello"])
    assert pieces(path)[0].at == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert skips(path).skipped == {"lines that are not JSON": 1}


# Shells

AT = datetime(2024, 5, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "content", "kind", "wanted"),
    [
        (".bash_history", "ls -la\nmake test\n", "bash", [("ls -la", None), ("make test", None)]),
        (
            "history.txt",
            "#1714557600\nfor x in a b\ndo echo $x\ndone\n#1714557600\nls\n",
            "bash",
            [("for x in a b\ndo echo $x\ndone", AT), ("ls", AT)],
        ),
        (".zsh_history", "ls\nmake test\n", "zsh", [("ls", None), ("make test", None)]),
        (
            "h",
            ": 1714557600:0;echo a\\\nb\n: 1714557600:3;git status\n",
            "zsh",
            [("echo a\nb", AT), ("git status", AT)],
        ),
        (
            "fish_history",
            "- cmd: echo one\\ntwo\n  when: 1714557600\n  paths:\n    - a\n- cmd: ls\n  when: 1714557600\n",
            "fish",
            [("echo one\ntwo", AT), ("ls", AT)],
        ),
    ],
)
def test_shells(
    tmp_path: Path, name: str, content: str, kind: str, wanted: list[tuple[str, datetime | None]]
) -> None:
    path = write(tmp_path / name, content)
    assert kind_name(path) == kind
    assert [(item.text, item.at) for item in pieces(path)] == wanted


def test_commands_without_times_after_one_with_a_time_are_not_one(tmp_path: Path) -> None:
    lines = [f"echo {number}" for number in range(200)]
    path = write(tmp_path / ".bash_history", "#1714557600\n" + "\n".join(lines) + "\n#1714557600\nls\n")
    assert texts(path) == [*lines, "ls"]
    assert [item.at for item in pieces(path)] == [AT, *[None] * 199, AT]


def test_zsh_codes_some_bytes(tmp_path: Path) -> None:
    coded = b"".join(
        bytes([0x83, byte ^ 0x20]) if 0x83 <= byte <= 0xA2 else bytes([byte]) for byte in "echo à ⌃".encode()
    )
    assert b"\x83" in coded
    assert texts(write(tmp_path / ".zsh_history", coded + b"\n")) == ["echo à ⌃"]


def test_atuin_is_read_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    db = sqlite3.connect(path)
    db.execute("create table history (id text, timestamp integer, command text, deleted_at integer)")
    rows = [("a", 1714557600 * 10**9, "ls", None), ("b", 1714557601 * 10**9, "secret", 5)]
    db.executemany("insert into history values (?, ?, ?, ?)", rows)
    db.commit()
    db.close()
    before = (path.read_bytes(), sorted(tmp_path.iterdir()))
    assert (kind_name(path), texts(path), pieces(path)[0].at) == ("atuin", ["ls"], AT)
    assert (path.read_bytes(), sorted(tmp_path.iterdir())) == before
    broken = write(tmp_path / "broken.db", path.read_bytes()[:4096])
    with pytest.raises(UnreadableError, match="atuin history list"):
        texts(broken)


# Git


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)

    def make(*committed: tuple[str, str]) -> Path:
        def git(*arguments: str) -> None:
            subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)

        git("init", "-q")
        git("config", "user.name", "all")
        git("config", "user.email", ME)
        for author, message in committed:
            git("commit", "--allow-empty", "-qm", message, f"--author=Person <{author}>")
        return tmp_path / ".git"

    return make


def test_names_of_authors_are_whole(repository: Callable[..., Path]) -> None:
    path = repository((ME, "mine"))
    by = ["git", f"--git-dir={path}", "commit", "-q", "--allow-empty"]
    subprocess.run([*by, "-m", "not mine", "--author=Another Person <b@example.org>"], check=True)
    assert texts(path, "person") == ["mine"]
    assert texts(path, "Another Person") == ["not mine"]
    assert texts(path, "*") == ["not mine", "mine"]


def test_only_the_users_commits(repository: Callable[..., Path]) -> None:
    path = repository((ME, "mine"), ("b@example.org", "not mine"), (f"x{ME}", "nor this"))
    assert kind_name(path) == "git"
    assert texts(path) == ["mine"]
    assert texts(path, "b@example.org", "ME@example.org") == ["not mine", "mine"]
    assert texts(path, "Person") == texts(path, "*") == ["nor this", "not mine", "mine"]
