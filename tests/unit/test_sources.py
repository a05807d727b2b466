"""Each kind of source on files in its true format: what is taken, what is left, whose it is."""

import json
import mailbox
import zipfile
from datetime import UTC, datetime

import pytest
from reading import ME, kind_name, letter, mbox_of, pieces, skips, texts, write

from idiolect.daemon.sources import mailboxes, whatsapp
from idiolect.daemon.sources.items import UnreadableError
from idiolect.daemon.sources.people import AuthorFilter
from idiolect.daemon.text.replies import own_words

# Mail


def test_an_mbox_gives_what_its_owner_typed(tmp_path):
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


def test_whose_mail_it_is_is_guessed_and_shown(tmp_path):
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
def test_mailboxes_for_sent_mail_by_their_names(tmp_path, name, sent):
    assert mailboxes.holds_sent(tmp_path / name) is sent
    mixed = [*[letter("Mine.")] * 3, letter("Not mine.", sender="b@example.org")]
    (tmp_path / "box").mkdir()
    assert mailboxes.guess(mbox_of(tmp_path / "box" / name, *mixed)) == ((ME,) if sent else ())


def test_charsets_html_and_attachments(tmp_path):
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


def test_malformed_mail_never_stops_an_import(tmp_path):
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


def test_a_mail_with_very_many_parameters_is_damaged_and_costs_no_time(tmp_path):
    many = f"From: {ME}\nContent-Type: text/plain; {'a=b; ' * 1000}\n\nHello.\n"
    path = mbox_of(tmp_path / "Sent", letter("The first one."), many.encode())
    assert texts(path, ME) == ["The first one."]
    assert skips(path, ME).skipped == {"damaged mails": 1}


def test_a_maildir_and_a_single_message(tmp_path):
    box = mailbox.Maildir(tmp_path / "mail")
    box.add(letter("In a Maildir."))
    box.add(letter("Not mine.", sender="b@example.org"))
    assert (kind_name(tmp_path / "mail"), texts(tmp_path / "mail", ME)) == ("maildir", ["In a Maildir."])
    eml = write(tmp_path / "one.eml", letter("Alone.").as_bytes())
    assert (kind_name(eml), texts(eml)) == ("message", ["Alone."])
    thunderbird = tmp_path / "Sent"
    (thunderbird / "tmp").mkdir(parents=True)
    for name, text in (("0.eml", "Kept."), ("1.x:2,RS", "Seen."), ("2.x:2,ST", "Deleted.")):
        write(thunderbird / "cur" / name, letter(text).as_bytes())
    assert (kind_name(thunderbird), texts(thunderbird, ME)) == ("maildir", ["Kept.", "Seen."])


def test_each_mail_tells_how_far_the_mailbox_was_read(tmp_path):
    others = [letter("Not mine.", sender="b@example.org")] * 3
    path = mbox_of(tmp_path / "Sent", letter("Mine."), *others)
    offsets = [found.offset_bytes for found in mailboxes.mbox(path, AuthorFilter((ME,)))]
    assert offsets == sorted(set(offsets))
    assert offsets[-1] == path.stat().st_size


def test_a_profile_of_thunderbird(tmp_path):
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
        ("Sí.\n\nEl mié, 1 may 2024, A B (<b@example.org>) escribió:\n\n> ¿Vienes?\n", "Sí."),
        ("Yes.\n\nOn Wed, May 1, 2024 at 12 PM A long name\n<b@example.org> wrote:\n\n> Coming?\n", "Yes."),
        ("> Is it ready?\n\nAlmost.\n\n> And the fence?\n\nNo.", "Almost.\n\nNo."),
        ("On Tuesday, b@example.org wrote:\n> Is it ready?\nAlmost.\n", "Almost."),
        ("Voilà.\n\n______________________\nDe : B <b@x.org>\nEnvoyé : hier\nÀ : moi\n\nAlors ?", "Voilà."),
        ("FYI\n\nFrom: B <b@example.org>\nDate: yesterday\nTo: me\nSubject: x\n\nIs it ready?", "FYI"),
        (f"A patch.\n{'_' * 47}\nlist mailing list\nlist@example.org", "A patch."),
        ("From there he wrote: a lot.\n\nOn Monday we wrote back.",) * 2,
        ("Three things:\n- one\n- two\nTo: remember",) * 2,
    ],
)
def test_own_words_of_a_mail(text, wanted):
    assert own_words(text) == wanted


def test_flowed_mail():
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
def test_whatsapp_in_the_formats_of_several_phones(tmp_path, first, second, at):
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


def test_what_whatsapp_says_itself_is_left_out(tmp_path):
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


def test_whatsapp_in_a_zip_archive(tmp_path):
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


def test_a_damaged_archive_gives_what_comes_before_the_damage(tmp_path):
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


def test_a_diary_is_no_chat(tmp_path):
    path = write(tmp_path / "diary.txt", "13.05.24, 14:08 - a walk\n\nIt rained.\n\nAnd rained.\n")
    assert kind_name(path) == "text"


def telegram_chat(**more):
    def message(sender, text, **more):
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


def test_telegram_chat_and_account(tmp_path):
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


def test_matrix_room(tmp_path):
    def event(sender, kind="m.room.message", **content):
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


def test_signal(tmp_path):
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
